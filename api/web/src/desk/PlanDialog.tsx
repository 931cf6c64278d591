// The plan of a site, as large as the screen allows; click or tap switches to its full size.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { t } from "../i18n";
import { siteName } from "../words";
import { Dialog } from "../ui/Dialog";
import { Failed } from "../ui/bits";

export function PlanDialog({ site, updated, onClose }: { site: string; updated: string; onClose: () => void }): JSX.Element {
  const [whole, setWhole] = useState(true);
  const [failed, setFailed] = useState(false);
  return (
    <Dialog title={`${t("site.plan")} · ${siteName(site)}`} onClose={onClose} wide>
      {failed ? <Failed text={t("site.plan_failed")} /> : (
        <button type="button" class={whole ? "plan-big" : "plan-big full"} onClick={() => setWhole(!whole)} aria-label={t(whole ? "site.plan_zoom" : "site.plan_fit")}>
          <img src={api.planUrl(site, updated)} alt={t("site.plan_alt")} onError={() => setFailed(true)} />
        </button>
      )}
    </Dialog>
  );
}

// Asks why a picture is to be opened: the open alarm or incident of that place, or words. Says under whose name it is written down.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { queue, session } from "../store";
import { alertTitle } from "../words";
import { Words } from "../desk/ActionDialogs";
import { Icon } from "../ui/icons";
import type { Reason } from "../types";

export interface Asked { reason: Reason; fields: JSX.Element }

/** The fields of the form, and what they say now. `site` is where the camera stands. */
export function useWhy(site: string | undefined): Asked {
  const reasons = queue.value.filter((a) => a.site === site && a.kind !== "crowd" && a.kind !== "trouble");
  const [alert, setAlert] = useState<number | null>(reasons[0]?.id ?? null);
  const [purpose, setPurpose] = useState("");
  // The alert that was chosen may be closed while the form stands open.
  const chosen = reasons.some((a) => a.id === alert) ? alert : null;
  const fields = (
    <>
      <p class="callout"><Icon name="book" />{t("still.logged", { who: session.value?.display_name ?? "" })}</p>
      {reasons.length > 0 && (
        <fieldset class="choices">
          <legend>{t("still.why")}</legend>
          {reasons.map((a, i) => (
            <label key={a.id} class="choice">
              <input type="radio" name="why" checked={chosen === a.id} data-first={i === 0 ? true : undefined} onChange={() => setAlert(a.id)} />
              <span class="grow">{alertTitle(a)}</span><small>№ {a.id}</small>
            </label>
          ))}
          <label class="choice"><input type="radio" name="why" checked={chosen === null} onChange={() => setAlert(null)} /><span>{t("still.other")}</span></label>
        </fieldset>
      )}
      {chosen === null && <Words label={t("still.purpose")} value={purpose} onChange={setPurpose} required min={10} first={reasons.length === 0} />}
    </>
  );
  return { reason: chosen === null ? { purpose: purpose.trim() } : { alert: chosen }, fields };
}

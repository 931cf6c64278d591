// Live view of one camera: first why, then the picture. Closing the dialog ends it.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { keysOn } from "../prefs";
import { cameras } from "../store";
import { cameraName, siteName } from "../words";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/icons";
import { LiveTile } from "./LiveTile";
import { extendAll } from "./viewing";
import { useWhy } from "./Why";
import type { Reason } from "../types";

export function LiveDialog({ camera: id, onClose }: { camera: string; onClose: () => void }): JSX.Element {
  const camera = cameras.value.get(id);
  const why = useWhy(camera?.site);
  const [reason, setReason] = useState<Reason | null>(null);
  useExtendKey();
  const title = camera ? `${cameraName(camera)} · ${siteName(camera.site)}` : id;
  return (
    <Dialog title={title} onClose={onClose} wide>
      {reason ? <LiveTile camera={id} reason={reason} onClose={onClose} /> : (
        <form class="form" onSubmit={(event) => { event.preventDefault(); setReason(why.reason); }}>
          {why.fields}
          <p class="muted">{t("live.term")}</p>
          <div class="dialog-buttons">
            <button type="button" onClick={onClose}>{t("common.close")}</button>
            <button type="submit" class="primary"><Icon name="play" />{t("live.open")}</button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

/** Under a dialog the desk's own keys are silent. */
export function useExtendKey(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const field = event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null;
      if (event.code !== "KeyE" || event.ctrlKey || event.altKey || event.metaKey || field || !keysOn.value) return;
      if (extendAll()) event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

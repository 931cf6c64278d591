// Clips of an alarm or of a camera: when, how long, until when they are kept. Opening one asks why, like a live view.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { clockTime, dateTime, day, t } from "../i18n";
import { formatAge } from "../rank";
import { cameras, can } from "../store";
import { cameraName, problem, siteName } from "../words";
import { dialog } from "../desk/dialogs";
import { Dialog } from "../ui/Dialog";
import { Failed } from "../ui/bits";
import { Icon } from "../ui/icons";
import { useExtendKey } from "./LiveDialog";
import { LiveTile } from "./LiveTile";
import { useWhy } from "./Why";
import type { Clip, Reason } from "../types";

/** A clip grows for half a minute after its alarm. */
const REFRESH_MS = 15_000;

/** Shown only where there are clips: most cameras keep none. */
export function Clips({ alert, camera }: { alert?: number; camera?: string }): JSX.Element | null {
  const [clips, setClips] = useState<readonly Clip[]>([]);
  const [error, setError] = useState<unknown>(null);
  const load = () => api.clips({ ...(alert === undefined ? {} : { alert }), ...(camera === undefined ? {} : { camera }) }).then((all) => { setClips(all); setError(null); }, setError);
  useEffect(() => {
    if (!can("still.open")) return;
    setClips([]);
    void load();
    const timer = setInterval(() => void load(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [alert, camera]);
  if (error !== null) return <section class="block"><h3>{t("clip.title")}</h3><Failed text={problem(error)} retry={() => void load()} /></section>;
  if (clips.length === 0) return null;
  return (
    <section class="block">
      <h3>{t("clip.title")}</h3>
      <ul class="clips">
        {clips.map((clip) => {
          const known = cameras.value.get(clip.camera);
          return (
            <li key={`${clip.alert}/${clip.camera}`} class="clip-row">
              <span class="grow">
                <strong>{camera === undefined && known ? cameraName(known) : `${dateTime(clip.from)}`}</strong>
                <small>{camera === undefined ? `${clockTime(clip.from)}, ` : ""}{formatAge(Date.parse(clip.to) - Date.parse(clip.from))} · № {clip.alert} · {t("clip.kept_until", { day: day(clip.expires_at) })}</small>
              </span>
              <button type="button" onClick={() => (dialog.value = { kind: "clip", alert: clip.alert, camera: clip.camera })}><Icon name="play" />{t("clip.open")}</button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function ClipDialog({ alert, camera: id, onClose }: { alert: number; camera: string; onClose: () => void }): JSX.Element {
  const camera = cameras.value.get(id);
  const why = useWhy(camera?.site);
  const [reason, setReason] = useState<Reason | null>(null);
  useExtendKey();
  const title = `${t("clip.mark")} · ${camera ? `${cameraName(camera)} · ${siteName(camera.site)}` : id}`;
  return (
    <Dialog title={title} onClose={onClose} wide>
      {reason ? <LiveTile camera={id} reason={reason} begin={() => api.openClip(alert, id, reason)} onClose={onClose} /> : (
        <form class="form" onSubmit={(event) => { event.preventDefault(); setReason(why.reason); }}>
          {why.fields}
          <p class="muted">{t("clip.masked")}</p>
          <div class="dialog-buttons">
            <button type="button" onClick={onClose}>{t("common.close")}</button>
            <button type="submit" class="primary"><Icon name="play" />{t("clip.open")}</button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

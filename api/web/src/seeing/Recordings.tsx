// What a camera, or the recorder behind it, has kept: asked of the device when somebody wants to know, opened with a reason.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, t } from "../i18n";
import { cameras } from "../store";
import { cameraName, problem, siteName } from "../words";
import { Dialog } from "../ui/Dialog";
import { Empty, Failed, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";
import { useExtendKey } from "./LiveDialog";
import { LiveTile } from "./LiveTile";
import { useWhy } from "./Why";
import type { Reason, Recording } from "../types";

/** A minute before the alarm is where most people begin to look. */
const BEFORE_MS = 60_000;

/** `at`: when what is looked for happened. */
export function RecordingDialog({ camera: id, at, onClose }: { camera: string; at?: string; onClose: () => void }): JSX.Element {
  const camera = cameras.value.get(id);
  const why = useWhy(camera?.site);
  const [all, setAll] = useState<readonly Recording[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [chosen, setChosen] = useState(0);
  const [from, setFrom] = useState("");
  const [shown, setShown] = useState<{ token: string; from: string; reason: Reason } | null>(null);
  useExtendKey();
  const load = () => {
    setError(null);
    api.recordings(id).then((list) => {
      setAll(list);
      const wanted = at ? Date.parse(at) - BEFORE_MS : Date.now() - 10 * BEFORE_MS;
      const index = Math.max(0, list.findIndex((one) => within(one, wanted)));
      setChosen(index);
      const one = list[index];
      if (one) setFrom(local(clamp(one, wanted)));
    }, setError);
  };
  useEffect(load, [id]);
  const one = all?.[chosen];
  const moment = Date.parse(from);
  const outside = one !== undefined && Number.isFinite(moment) && !within(one, moment);
  const title = `${t("recording.title")} · ${camera ? `${cameraName(camera)} · ${siteName(camera.site)}` : id}`;
  return (
    <Dialog title={title} onClose={onClose} wide>
      {shown ? (
        <>
          <LiveTile key={shown.from} camera={id} reason={shown.reason} mark={t("recording.mark", { at: dateTime(shown.from) })} begin={() => api.openRecording(id, shown.token, shown.from, shown.reason)} onClose={onClose} />
          <div class="dialog-buttons"><button type="button" onClick={() => setShown(null)}><Icon name="clock" size={16} />{t("recording.other")}</button></div>
        </>
      ) : error !== null ? <Failed text={problem(error)} retry={load} />
        : !all ? <Loading text={t("recording.asking")} />
        : all.length === 0 ? <Empty icon="camera" title={t("recording.none")} />
        : (
          <form class="form" onSubmit={(event) => {
            event.preventDefault();
            if (one && Number.isFinite(moment) && !outside) setShown({ token: one.token, from: new Date(moment).toISOString(), reason: why.reason });
          }}>
            {all.length > 1 && (
              <label>{t("recording.which")}
                <select value={chosen} onChange={(e) => setChosen(Number(e.currentTarget.value))}>
                  {all.map((r, i) => <option key={r.token} value={i}>{r.source || r.token} · {span(r)}</option>)}
                </select>
              </label>
            )}
            <label><span>{t("recording.from")} {one && <small>{span(one)}</small>}</span>
              <input type="datetime-local" step="1" required value={from} min={one?.from ? local(Date.parse(one.from)) : undefined} max={one?.to ? local(Date.parse(one.to)) : undefined} onInput={(e) => setFrom(e.currentTarget.value)} />
            </label>
            {outside && <p class="callout bad" role="alert"><Icon name="warning" />{t("recording.outside")}</p>}
            {why.fields}
            <p class="muted">{t("recording.masked")}</p>
            <div class="dialog-buttons">
              <button type="button" onClick={onClose}>{t("common.close")}</button>
              <button type="submit" class="primary" disabled={outside}><Icon name="play" />{t("recording.open")}</button>
            </div>
          </form>
        )}
    </Dialog>
  );
}

function within(one: Recording, at: number): boolean {
  return (one.from === null || at >= Date.parse(one.from)) && (one.to === null || at <= Date.parse(one.to));
}

function clamp(one: Recording, at: number): number {
  const low = one.from === null ? at : Math.max(at, Date.parse(one.from));
  return one.to === null ? low : Math.min(low, Date.parse(one.to));
}

function span(one: Recording): string {
  return `${one.from ? dateTime(one.from) : "…"} – ${one.to ? dateTime(one.to) : "…"}`;
}

/** As `datetime-local` wants it: this place's time, without a zone. */
function local(ms: number): string {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 19);
}

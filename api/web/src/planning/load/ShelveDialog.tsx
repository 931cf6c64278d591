// Puts a camera's notices and watches aside until a time, with a reason under the person's name. Warnings and alarms always come.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { clockTime } from "../../i18n";
import { cameras, now } from "../../store";
import { cameraName, problem, siteName } from "../../words";
import { Words } from "../../desk/ActionDialogs";
import { Dialog } from "../../ui/Dialog";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { load as hub } from "../hub";
import { t } from "../t";
import { sourceName } from "./names";

const MINUTES = [30, 60, 120, 240, 720];

export function ShelveDialog({ camera: given, onClose, done }: { camera: string | null; onClose: () => void; done: () => void }): JSX.Element {
  const [camera, setCamera] = useState(given ?? "");
  const [minutes, setMinutes] = useState(60);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const list = [...cameras.value.values()].sort((a, b) => a.site.localeCompare(b.site));
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const { until } = await hub.shelve(camera, minutes, reason.trim());
      say(t("shelve.done", { camera: sourceName(camera), time: until ? clockTime(until).slice(0, 5) : "" }));
      done();
      onClose();
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  const time = (m: number) => (m < 60 ? t("shelve.minutes", { count: m }) : t("shelve.hours", { count: m / 60 }));
  return (
    <Dialog title={t("shelve.open")} onClose={onClose}>
      <p class="callout"><Icon name="shield" />{t("shelve.always")}</p>
      <form class="form" onSubmit={(e) => void send(e)}>
        <label>{t("shelve.camera")}
          <select required value={camera} data-first={given === null ? true : undefined} onChange={(e) => setCamera(e.currentTarget.value)}>
            <option value="">{t("shelve.choose")}</option>
            {list.map((c) => <option key={c.id} value={c.id}>{siteName(c.site)} · {cameraName(c)}</option>)}
          </select>
        </label>
        <fieldset class="choices minutes-row pills">
          <legend>{t("shelve.how_long")}</legend>
          {MINUTES.map((m) => (
            <label key={m} class="choice"><input type="radio" name="minutes" data-first={given !== null && m === 60 ? true : undefined} checked={minutes === m} onChange={() => setMinutes(m)} />
              <span><strong>{time(m)}</strong><small class="choice-more">{t("shelve.till", { time: clockTime(now.value + m * 60_000).slice(0, 5) })}</small></span></label>
          ))}
        </fieldset>
        <Words label={t("own.why")} value={reason} onChange={setReason} required />
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.cancel")}</button>
          <button type="submit" class="primary" disabled={busy || !camera}>{busy ? t("common.wait") : t("shelve.put")}</button>
        </div>
      </form>
    </Dialog>
  );
}

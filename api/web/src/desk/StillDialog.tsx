// One still of a camera. Says before opening that it is logged and under whose name; takes the open alarm or incident of that
// place as the purpose, or asks for one. The picture lives in this dialog only and is dropped with it.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { clockTime, t } from "../i18n";
import { cameras, queue, session } from "../store";
import { alertTitle, cameraName, problem, siteName } from "../words";
import { Dialog } from "../ui/Dialog";
import { Words } from "./ActionDialogs";
import { Icon } from "../ui/icons";

interface Picture { url: string; masked: boolean; at: number }

export function StillDialog({ camera: id, onClose }: { camera: string; onClose: () => void }): JSX.Element {
  const camera = cameras.value.get(id);
  const reasons = queue.value.filter((a) => a.site === camera?.site && a.kind !== "crowd");
  const [alert, setAlert] = useState<number | null>(reasons[0]?.id ?? null);
  const [purpose, setPurpose] = useState("");
  const [picture, setPicture] = useState<Picture | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => () => { if (picture) URL.revokeObjectURL(picture.url); }, [picture]);

  const open = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const still = await api.still(id, alert === null ? { purpose: purpose.trim() } : { alert });
      setPicture({ url: URL.createObjectURL(still.picture), masked: still.masked, at: Date.now() });
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  const title = camera ? `${cameraName(camera)} · ${siteName(camera.site)}` : id;
  return (
    <Dialog title={title} onClose={onClose} wide>
      {picture && (
        <figure class="still">
          <img src={picture.url} alt={t("still.alt", { camera: title })} />
          <figcaption>
            <span class="tag">{clockTime(picture.at)}</span>
            <span class={picture.masked ? "tag" : "tag bad"}><Icon name={picture.masked ? "shield" : "watch"} size={14} />{t(picture.masked ? "still.masked" : "still.unmasked")}</span>
          </figcaption>
        </figure>
      )}
      <form class="form" onSubmit={(e) => void open(e)}>
        <p class="callout"><Icon name="book" />{t("still.logged", { who: session.value?.display_name ?? "" })}</p>
        {reasons.length > 0 && (
          <fieldset class="choices">
            <legend>{t("still.why")}</legend>
            {reasons.map((a, i) => (
              <label key={a.id} class="choice">
                <input type="radio" name="why" checked={alert === a.id} data-first={i === 0 ? true : undefined} onChange={() => setAlert(a.id)} />
                <span class="grow">{alertTitle(a)}</span><small>№ {a.id}</small>
              </label>
            ))}
            <label class="choice"><input type="radio" name="why" checked={alert === null} onChange={() => setAlert(null)} /><span>{t("still.other")}</span></label>
          </fieldset>
        )}
        {alert === null && <Words label={t("still.purpose")} value={purpose} onChange={setPurpose} required min={10} first={reasons.length === 0} />}
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.close")}</button>
          <button type="submit" class="primary" disabled={busy}><Icon name="camera" />{busy ? t("common.wait") : t(picture ? "still.again" : "still.open")}</button>
        </div>
      </form>
    </Dialog>
  );
}

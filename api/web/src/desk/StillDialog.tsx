// One still of a camera. Says before opening that it is logged and under whose name; takes the open alarm or incident of that
// place as the purpose, or asks for one. The picture lives in this dialog only and is dropped with it.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { clockTime, t } from "../i18n";
import { cameras } from "../store";
import { cameraName, problem, siteName } from "../words";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/icons";
import { useWhy } from "../seeing/Why";

interface Picture { url: string; masked: boolean; at: number }

export function StillDialog({ camera: id, onClose }: { camera: string; onClose: () => void }): JSX.Element {
  const camera = cameras.value.get(id);
  const why = useWhy(camera?.site);
  const [picture, setPicture] = useState<Picture | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => () => { if (picture) URL.revokeObjectURL(picture.url); }, [picture]);

  const open = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const still = await api.still(id, why.reason);
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
        {why.fields}
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.close")}</button>
          <button type="submit" class="primary" disabled={busy}><Icon name="camera" />{busy ? t("common.wait") : t(picture ? "still.again" : "still.open")}</button>
        </div>
      </form>
    </Dialog>
  );
}

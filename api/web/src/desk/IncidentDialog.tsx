// Opens an incident by hand: the named person's act that alone can bring a crowd to a unit.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { named, t } from "../i18n";
import { putAlert, selectedAlert, selectedCamera, sites } from "../store";
import { problem } from "../words";
import { Buttons, Words } from "./ActionDialogs";
import { Dialog } from "../ui/Dialog";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";

export function IncidentDialog({ site, onClose }: { site: string | null; onClose: () => void }): JSX.Element {
  const [place, setPlace] = useState(site ?? "");
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const alert = await api.openIncident(place || null, text.trim());
      putAlert(alert);
      selectedCamera.value = null;
      selectedAlert.value = alert.id;
      say(t("incident.opened"));
      onClose();
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("incident.open")} onClose={onClose}>
      <p class="callout"><Icon name="user" />{t("incident.named")}</p>
      <form class="form" onSubmit={(e) => void send(e)}>
        <label>
          {t("incident.place")}
          <select value={place} onChange={(e) => setPlace(e.currentTarget.value)}>
            <option value="">{t("common.no_place")}</option>
            {[...sites.value.values()].map((s) => <option key={s.id} value={s.id}>{named(s.name, s.id)}</option>)}
          </select>
        </label>
        <Words label={t("incident.text")} value={text} onChange={setText} required first />
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <Buttons onClose={onClose} submit={t("incident.submit")} disabled={busy} />
      </form>
    </Dialog>
  );
}

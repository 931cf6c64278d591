// Opens an incident by hand in a few seconds: text, place, Enter. It stands beside the map instead of over it, so that a click
// on the map can say where. The named person's act that alone can bring a crowd to a unit.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { named, t } from "../i18n";
import { putAlert, selectedAlert, selectedCamera, sites } from "../store";
import { problem, siteName } from "../words";
import { matching } from "./find";
import { draft, type Draft } from "./dialogs";
import { rescueFocus } from "../ui/focus";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";

export function Composer(): JSX.Element {
  const d = draft.value!;
  const [query, setQuery] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const text = useRef<HTMLTextAreaElement>(null);
  const place = useRef<HTMLInputElement>(null);
  const change = (more: Partial<Draft>) => (draft.value = { ...draft.value!, ...more });
  useEffect(() => text.current?.focus(), []);
  const found = query.trim() ? matching([...sites.value.values()], query).slice(0, 6) : [];
  const placed = d.site !== null || d.at !== null;
  const close = () => {
    draft.value = null;
    rescueFocus();
  };
  const choose = (site: string) => {
    change({ site, at: null, picking: false });
    setQuery("");
    text.current?.focus();
  };
  const send = async () => {
    if (busy) return;
    setError("");
    if (d.text.trim().length < 3) return setError(t("composer.text_missing")), text.current?.focus();
    if (!placed) return setError(t("composer.place_missing")), place.current?.focus();
    setBusy(true);
    try {
      const alert = await api.openIncident(d.site, d.at, d.text.trim());
      putAlert(alert);
      selectedCamera.value = null;
      selectedAlert.value = alert.id;
      draft.value = null;
      say(t("incident.opened"));
      rescueFocus("#alert-title");
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  const onText = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (placed) void send();
    else place.current?.focus();
  };
  const onPlace = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (found[0]) choose(found[0].id);
    else if (placed) void send();
  };
  return (
    <form class="panel composer" role="form" aria-labelledby="composer-title" onSubmit={(e) => { e.preventDefault(); void send(); }}
      onKeyDown={(e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); close(); } }}>
      <header class="panel-head">
        <span class="panel-icon"><Icon name="incident" size={26} /></span>
        <div class="panel-titles"><h2 id="composer-title">{t("incident.open")}</h2></div>
        <button type="button" class="ghost square" onClick={close} aria-label={t("common.close")}><Icon name="cross" /></button>
      </header>
      <label>
        {t("incident.text")}
        <textarea ref={text} rows={4} maxLength={1000} value={d.text} onInput={(e) => change({ text: e.currentTarget.value })} onKeyDown={onText} />
      </label>
      <div class="place-field">
        <label>
          {t("incident.place")}
          <input ref={place} type="text" role="combobox" aria-expanded={found.length > 0} aria-controls="place-list" aria-autocomplete="list" autoComplete="off" spellcheck={false}
            value={query} placeholder={t("composer.place_hint")} onInput={(e) => setQuery(e.currentTarget.value)} onKeyDown={onPlace} />
        </label>
        <ul id="place-list" class="place-list" role="listbox" aria-label={t("incident.place")}>
          {found.map((s, i) => (
            <li key={s.id} role="option" aria-selected={i === 0} onClick={() => choose(s.id)}>
              <Icon name={s.kind === "school" ? "school" : "place"} size={16} /><span class="grow">{named(s.name, s.id)}</span>{i === 0 && <kbd>Enter</kbd>}
            </li>
          ))}
        </ul>
        {query.trim() !== "" && found.length === 0 && <p class="muted">{t("composer.no_match")}</p>}
        {placed && (
          <p class="callout ok"><Icon name="place" />
            <span class="grow">{d.site !== null ? siteName(d.site) : t("place.on_map", { lat: d.at![0].toFixed(4), lon: d.at![1].toFixed(4) })}</span>
            <button type="button" class="ghost square" aria-label={t("composer.place_clear")} onClick={() => change({ site: null, at: null })}><Icon name="cross" size={16} /></button>
          </p>
        )}
        <p class="muted wide-hint"><Icon name="target" size={16} />{t("composer.map_hint")}</p>
        <button type="button" class="narrow-pick" onClick={() => change({ picking: true })}><Icon name="target" size={16} />{t("composer.on_map")}</button>
      </div>
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary big" disabled={busy}><Icon name="send" />{busy ? t("common.wait") : t("incident.submit")}<kbd>Enter</kbd></button>
      <p class="muted"><Icon name="user" size={16} />{t("incident.named")}</p>
    </form>
  );
}

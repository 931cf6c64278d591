// Enters an event: where, what, when, and how many people a camera there may see, so that the end of a concert is no surprise.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named } from "../../i18n";
import { now, sites } from "../../store";
import { problem } from "../../words";
import { Dialog } from "../../ui/Dialog";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { planning as hub } from "../hub";
import { t } from "../t";
import { dayOf, fromField } from "../times";

const WEEK_MS = 7 * 86_400_000;

export function EventDialog({ day, close, saved }: { day: string | null; close: () => void; saved: () => void }): JSX.Element {
  const start = day ?? dayOf(now.value);
  const [f, setF] = useState({ site: sites.value.size === 1 ? [...sites.value.keys()][0]! : "", name: "", from: `${start}T18:00`, until: `${start}T21:00`, people: "" });
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    const [from, until] = [fromField(f.from), fromField(f.until)];
    const lasts = from && until ? Date.parse(until) - Date.parse(from) : 0;
    if (!from || !until || !(lasts > 0 && lasts <= WEEK_MS)) return setError(t("wrong.times"));
    if (Date.parse(until) <= now.value) return setError(t("wrong.over"));
    setBusy(true);
    setError("");
    try {
      await hub.addEvent({ site: f.site, name: f.name.trim(), from, until, people: f.people === "" ? null : Number(f.people) });
      say(t("own.was_saved"));
      saved();
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("planning.add.events")} onClose={close}>
      <p class="callout"><Icon name="calendar" />{t("events.means")}</p>
      <form class="form" onSubmit={(e) => void send(e)}>
        <label>{t("events.name")}<input type="text" name="name" required maxLength={200} pattern=".*\S.*" data-first value={f.name} onInput={set("name")} /></label>
        <label>{t("events.site")}<select name="site" required value={f.site} onChange={set("site")}><option value="">{t("events.choose_site")}</option>{[...sites.value.values()].map((s) => <option key={s.id} value={s.id}>{named(s.name, s.id)}</option>)}</select></label>
        <div class="form pair">
          <label>{t("assembly.from")}<input type="datetime-local" name="from" required value={f.from} onInput={(e) => setF({ ...f, from: e.currentTarget.value, until: f.until < e.currentTarget.value ? e.currentTarget.value : f.until })} /></label>
          <label>{t("assembly.until")}<input type="datetime-local" name="until" required min={f.from} value={f.until} onInput={set("until")} /></label>
        </div>
        <label><span>{t("events.expected")} <small>{t("common.optional")}</small></span><input type="number" name="people" inputMode="numeric" min={1} max={100000} value={f.people} onInput={set("people")} /></label>
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons"><button type="button" onClick={close}>{t("common.cancel")}</button><button type="submit" class="primary" disabled={busy || !f.site}>{busy ? t("common.wait") : t("common.save")}</button></div>
      </form>
    </Dialog>
  );
}

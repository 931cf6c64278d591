// A new entry of the journal, or a correction of one with its reason.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named } from "../../i18n";
import { problem } from "../../words";
import { Icon } from "../../ui/icons";
import { AreaSelect } from "../bits";
import { journal as hub } from "../hub";
import { t } from "../t";
import type { Entry, Named } from "../types";

const local = (at: string | number) => {
  const d = new Date(at);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const COUNTS = ["dead", "injured", "children", "evacuated"] as const;

export function EntryForm({ entry, kinds, done }: { entry: Entry | null; kinds: readonly Named[]; done: () => void }): JSX.Element {
  const [f, setF] = useState({
    at: local(entry?.at ?? Date.now()), kind: entry?.kind ?? "", area: entry?.area ?? "", place: entry?.place ?? "", what: entry?.what ?? "", measures: entry?.measures ?? "", ongoing: entry?.ongoing ?? false,
    dead: entry?.dead ?? 0, injured: entry?.injured ?? 0, evacuated: entry?.evacuated ?? 0, children: entry?.children ?? 0, reason: "",
  });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const set = (name: "at" | "kind" | "place" | "what" | "measures" | "reason") => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    const { reason, ...rest } = f;
    const body = { ...rest, at: new Date(f.at).toISOString(), place: f.place.trim() || null, what: f.what.trim(), measures: f.measures.trim() };
    try {
      await (entry ? hub.correct(entry.id, { ...body, reason: reason.trim() }) : hub.add(body));
      done();
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(e) => void send(e)}>
      <label>{t("journal.kind")}<select required value={f.kind} onChange={set("kind")}><option value="" />{kinds.map((k) => <option key={k.id} value={k.id}>{named(k.name, k.id)}</option>)}</select></label>
      <label>{t("journal.at")}<input type="datetime-local" required value={f.at} onInput={set("at")} /></label>
      <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} /></label>
      <label>{t("journal.place")}<input type="text" maxLength={200} value={f.place} onInput={set("place")} /></label>
      <label>{t("journal.what")}<textarea rows={4} required maxLength={4000} value={f.what} onInput={set("what")} /></label>
      <label>{t("journal.measures")}<textarea rows={3} required maxLength={4000} value={f.measures} onInput={set("measures")} /></label>
      <div class="form four">{COUNTS.map((c) => <label key={c}>{t(`journal.${c}`)}<input type="number" min={0} max={100000} value={f[c]} onInput={(e) => setF({ ...f, [c]: Number(e.currentTarget.value) })} /></label>)}</div>
      <label class="switch"><input type="checkbox" checked={f.ongoing} onChange={(e) => setF({ ...f, ongoing: e.currentTarget.checked })} />{t("journal.still_on")}</label>
      {entry && <label>{t("journal.why")}<input type="text" required minLength={5} maxLength={500} value={f.reason} onInput={set("reason")} /></label>}
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary" disabled={busy || !f.area}>{busy ? t("common.wait") : t(entry ? "journal.correct" : "journal.save")}</button>
    </form>
  );
}

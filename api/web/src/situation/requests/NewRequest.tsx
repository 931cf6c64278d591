// A request taken down by the operator, by telephone or at the counter.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named } from "../../i18n";
import { lang } from "../../prefs";
import { areas } from "../../store";
import { problem } from "../../words";
import { Dialog } from "../../ui/Dialog";
import { Icon } from "../../ui/icons";
import { AreaSelect } from "../bits";
import { requests } from "../hub";
import { t, word } from "../t";
import type { LatLon } from "../../types";
import type { Received, RequestSettings } from "../types";
import { centreOf } from "../geo";

export function NewRequestDialog({ settings, close, done }: { settings: RequestSettings; close: () => void; done: () => void }): JSX.Element {
  const [f, setF] = useState({ category: "", text: "", area: "", place: "", name: "", phone: "", at: "" });
  const [key] = useState(() => `desk-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`);
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const asked = settings.categories.find((c) => c.id === f.category)?.attributes ?? [];
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [got, setGot] = useState<Received | null>(null);
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const typed = /^\s*(-?\d+(?:[.,]\d+)?)[\s;,]+(-?\d+(?:[.,]\d+)?)\s*$/.exec(f.at);
  const position: LatLon | null = typed ? [Number(typed[1]!.replace(",", ".")), Number(typed[2]!.replace(",", "."))] : f.area ? centreOf(areas.value, f.area) : null;
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const contact = f.name.trim() || f.phone.trim() ? { name: f.name.trim() || null, phone: f.phone.trim() || null, email: null } : null;
      setGot(await requests.add({ idempotency_key: key, category: f.category, text: f.text.trim(), position, place: f.place.trim() || null, language: lang.value, contact, channel: "desk", attributes: Object.fromEntries(asked.flatMap((a) => (answers[a.code]?.trim() ? [[a.code, answers[a.code]!.trim()]] : []))) }));
      done();
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  if (got) {
    return (
      <Dialog title={t("requests.taken")} onClose={close}>
        <dl class="facts big-facts"><div><dt>{t("requests.number")}</dt><dd class="mono">{got.reference}</dd></div><div><dt>{t("requests.code")}</dt><dd class="mono">{got.code}</dd></div></dl>
        <p class="about">{t("requests.tell_code")}</p>
        {got.masked.length > 0 && <p class="callout"><Icon name="shield" />{t("requests.masked", { what: got.masked.map((m) => word("requests.mask", m)).join(", ") })}</p>}
        <div class="dialog-buttons"><button type="button" class="primary" data-first onClick={close}>{t("common.close")}</button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("requests.add")} onClose={close} wide>
      <form class="form" onSubmit={(e) => void send(e)}>
        <label>{t("requests.category")}
          <select data-first required value={f.category} onChange={set("category")}>
            <option value="">{t("requests.choose_category")}</option>
            {settings.groups.map((g) => <optgroup key={g.id} label={named(g.name, g.id)}>{settings.categories.filter((c) => c.group === g.id).map((c) => <option key={c.id} value={c.id}>{named(c.name, c.id)}</option>)}</optgroup>)}
          </select>
        </label>
        <label>{t("requests.what")}<textarea rows={4} required minLength={10} maxLength={4000} value={f.text} onInput={set("text")} /></label>
        {asked.map((a) => {
          const change = (e: { currentTarget: { value: string } }) => setAnswers({ ...answers, [a.code]: e.currentTarget.value });
          return (
            <label key={a.code}>{named(a.name, a.code)}
              {a.values.length > 0 ? <select required={a.required} value={answers[a.code] ?? ""} onChange={change}><option value="" />{a.values.map((v) => <option key={v.key} value={v.key}>{named(v.name, v.key)}</option>)}</select>
                : a.datatype === "datetime" ? <input type="datetime-local" required={a.required} value={answers[a.code] ?? ""} onInput={change} />
                  : <input type="text" required={a.required} value={answers[a.code] ?? ""} onInput={change} />}
            </label>
          );
        })}
        <div class="form pair">
          <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} /></label>
          <label>{t("requests.at")}<input type="text" inputMode="decimal" placeholder="42.9000 71.3700" value={f.at} onInput={set("at")} /></label>
        </div>
        <label>{t("requests.place")}<input type="text" maxLength={200} required={!typed} value={f.place} onInput={set("place")} /></label>
        <div class="form pair">
          <label>{t("requests.caller")}<input type="text" maxLength={120} autocomplete="off" value={f.name} onInput={set("name")} /></label>
          <label>{t("requests.caller_phone")}<input type="tel" maxLength={40} autocomplete="off" value={f.phone} onInput={set("phone")} /></label>
        </div>
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons"><button type="button" onClick={close}>{t("common.cancel")}</button><button type="submit" class="primary" disabled={busy || !position}>{busy ? t("common.wait") : t("requests.take")}</button></div>
      </form>
    </Dialog>
  );
}

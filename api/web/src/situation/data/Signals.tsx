// Signals that an operator enters: kind, place, service. Never who said it: a text that looks like personal data is refused while it
// is being written, with the reason.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api";
import { dateTime, named } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon, type IconName } from "../../ui/icons";
import { AreaSelect } from "../bits";
import { intake } from "../hub";
import { useLoad } from "../load";
import { t, word } from "../t";
import type { Named, Signal, SignalKind, SignalStatus } from "../types";

const KINDS: readonly SignalKind[] = ["social", "infrastructure", "legal"];
const ICON: Record<SignalKind, IconName> = { social: "crowd", infrastructure: "plug", legal: "book" };
const NEXT: Record<SignalStatus, readonly SignalStatus[]> = { new: ["sent", "declined"], sent: ["in_work", "solved", "declined"], in_work: ["solved", "declined"], solved: [], declined: [] };

export function SignalsView(): JSX.Element {
  const [status, setStatus] = useState("");
  const [kind, setKind] = useState("");
  const list = useLoad(() => intake.signals({ status, kind, limit: 200 }), [status, kind]);
  const services = useLoad(() => intake.services(), []);
  const [adding, setAdding] = useState(false);
  const put = (s: Signal) => list.put({ ...list.data!, signals: list.data!.signals.some((x) => x.id === s.id) ? list.data!.signals.map((x) => (x.id === s.id ? s : x)) : [s, ...list.data!.signals] });
  return (
    <div class="frame-body narrow">
      <header class="sheet-head"><p class="lead">{t("data.signals_lead")}</p>{can("signals.write") && <button type="button" aria-expanded={adding} onClick={() => setAdding(!adding)}><Icon name="plus" size={17} />{t("data.add_signal")}</button>}</header>
      {adding && <NewSignal services={services.data ?? []} done={(s) => { put(s); setAdding(false); say(t("shared.saved")); }} />}
      <div class="search-row">
        <label><span class="sr-only">{t("data.signal_kind")}</span><select value={kind} onChange={(e) => setKind(e.currentTarget.value)}><option value="">{t("data.all_kinds")}</option>{KINDS.map((k) => <option key={k} value={k}>{t(`data.signal.${k}`)}</option>)}</select></label>
        <label><span class="sr-only">{t("data.state")}</span><select value={status} onChange={(e) => setStatus(e.currentTarget.value)}><option value="">{t("data.all_states")}</option>{(Object.keys(NEXT) as SignalStatus[]).map((s) => <option key={s} value={s}>{t(`data.status.${s}`)}</option>)}</select></label>
      </div>
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : list.data.signals.length === 0 ? <Empty icon="check" title={t("data.no_signals")} /> : <ul class="signal-list">{list.data.signals.map((s) => <Card key={s.id} signal={s} put={put} />)}</ul>}
    </div>
  );
}

function Card({ signal: s, put }: { signal: Signal; put: (s: Signal) => void }): JSX.Element {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const move = async (status: SignalStatus) => {
    setBusy(true);
    try {
      put(await intake.moveSignal(s.id, status, note.trim() || null));
      setNote("");
    } catch (error) {
      say(problem(error), true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li class={`sheet signal-card st-${s.status}`}>
      <header><Icon name={ICON[s.kind]} /><h2>{s.place}</h2><span class="muted grow">{named(s.area_name, s.area)} · {t(`data.signal.${s.kind}`)}</span>{s.overdue && <span class="tag bad"><Icon name="warning" size={13} />{t("plan.is_late")}</span>}<span class={`tag sg-${s.status}`}>{t(`data.status.${s.status}`)}</span></header>
      <p>{s.text}</p>
      <small>{t("requests.to_service", { service: named(s.service_name, s.service) })} · {dateTime(s.entered_at).slice(0, 16)} · {s.entered_by}{s.due_at && ` · ${t("requests.until", { at: dateTime(s.due_at).slice(0, 16) })}`}</small>
      {s.steps.length > 1 && <ol class="signal-steps">{s.steps.map((x, i) => <li key={i}><strong>{t(`data.status.${x.status}`)}</strong> <small>{dateTime(x.at).slice(0, 16)} · {x.who}{x.note && ` · ${x.note}`}</small></li>)}</ol>}
      {can("signals.write") && NEXT[s.status].length > 0 && (
        <div class="signal-act"><label class="grow"><span class="sr-only">{t("data.step_note")}</span><input type="text" maxLength={300} placeholder={t("data.step_note")} value={note} onInput={(e) => setNote(e.currentTarget.value)} /></label>
          {NEXT[s.status].map((x) => <button key={x} type="button" disabled={busy} onClick={() => void move(x)}>{t(`data.move.${x as "sent"}`)}</button>)}</div>
      )}
    </li>
  );
}

/** Long enough that a word is finished; short enough that the warning comes before the next sentence. */
const PAUSE_MS = 500;

function NewSignal({ services, done }: { services: readonly Named[]; done: (s: Signal) => void }): JSX.Element {
  const [f, setF] = useState({ kind: "infrastructure" as SignalKind, area: "", place: "", text: "", service: "" });
  const [refused, setRefused] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  useEffect(() => {
    if (f.text.trim().length < 5) return setRefused("");
    let gone = false;
    const timer = setTimeout(() => intake.checkText(f.text).then((a) => !gone && setRefused(a.fine ? "" : (a.reason ?? "name")), () => {}), PAUSE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [f.text]);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      done(await intake.addSignal({ kind: f.kind, area: f.area, place: f.place.trim(), position: null, text: f.text.trim(), service: f.service }));
    } catch (cause) {
      setError(cause instanceof ApiError && cause.code === "personal_data" ? "" : problem(cause));
      if (cause instanceof ApiError && cause.code === "personal_data") setRefused(String(cause.body["reason"] ?? "name"));
      setBusy(false);
    }
  };
  return (
    <form class="form sheet" onSubmit={(e) => void send(e)}>
      <fieldset class="choices kinds-row"><legend>{t("data.signal_kind")}</legend>{KINDS.map((k) => <label key={k} class="choice"><input type="radio" name="kind" checked={f.kind === k} onChange={() => setF({ ...f, kind: k })} /><Icon name={ICON[k]} size={16} />{t(`data.signal.${k}`)}</label>)}</fieldset>
      <div class="form pair">
        <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} /></label>
        <label>{t("requests.service")}<select required value={f.service} onChange={(e) => setF({ ...f, service: e.currentTarget.value })}><option value="" />{services.map((s) => <option key={s.id} value={s.id}>{named(s.name, s.id)}</option>)}</select></label>
      </div>
      <label>{t("requests.place")}<input type="text" required maxLength={200} value={f.place} onInput={(e) => setF({ ...f, place: e.currentTarget.value })} /></label>
      <label>{t("data.signal_text")}<textarea rows={3} required maxLength={2000} aria-describedby="signal-help" aria-invalid={refused !== ""} value={f.text} onInput={(e) => setF({ ...f, text: e.currentTarget.value })} /><small id="signal-help">{t("data.signal_help")}</small></label>
      {refused && <p class="form-error" role="alert"><Icon name="shield" />{t("data.personal", { what: word("data.personal_kind", refused) })}</p>}
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary" disabled={busy || refused !== "" || !f.area || !f.service}>{busy ? t("common.wait") : t("data.send_signal")}</button>
    </form>
  );
}

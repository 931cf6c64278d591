// One request: the words, the clocks, what may be done now, and what has been done. The resident is answered first; then work begins.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../../api";
import { dateTime, named } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Failed, Loading } from "../../ui/bits";
import { rescueFocus } from "../../ui/focus";
import { say } from "../../ui/toast";
import { Icon, type IconName } from "../../ui/icons";
import { DemoTag } from "../bits";
import { requests } from "../hub";
import { useLoad } from "../load";
import { hasKey, t, word } from "../t";
import type { Contact, RequestAction, RequestFull, RequestSettings, Row } from "../types";
import { Act } from "./Act";
import { Due } from "./Due";
import { areaOf, categoryName, serviceName, stateName } from "./names";

interface Props { id: number; settings: RequestSettings; go: (id: number) => void; close: () => void; changed: (row: Row) => void }

const ICON: Record<RequestAction, IconName> = {
  answer: "send", start: "play", done: "check", confirm: "hand", not_fixed: "undo", close: "lock", decline: "cross", postpone: "clock", assign: "swap", merge: "merge", split: "share", note: "note",
};
/** What is done most often stands first and is filled. */
const FIRST: readonly RequestAction[] = ["answer", "start", "done", "confirm", "close"];

export function Detail({ id, settings, go, close, changed }: Props): JSX.Element {
  const one = useLoad(() => requests.one(id), [id]);
  const [acting, setActing] = useState<RequestAction | null>(null);
  const [into, setInto] = useState("");
  const r = one.data;
  const shut = () => {
    close();
    rescueFocus(`[data-request="${id}"]`);
  };
  const put = (next: RequestFull) => {
    one.put(next);
    changed(next);
    setActing(null);
    say(t("shared.saved"));
    rescueFocus(".detail .actions button");
  };
  const failed = (error: unknown): string => {
    if (error instanceof ApiError && error.code === "changed") {
      one.reload();
      return t("shared.changed");
    }
    if (error instanceof ApiError && hasKey(`requests.error.${error.code}`)) return word("requests.error", error.code);
    return problem(error);
  };
  if (!r) return <aside class="detail">{one.error !== null ? <Failed text={problem(one.error)} retry={one.reload} /> : <Loading />}</aside>;
  const first = FIRST.find((a) => r.actions.includes(a));
  const begin = (action: RequestAction, to = "") => {
    setInto(to);
    setActing(action);
  };
  return (
    <aside class="detail" aria-labelledby="request-title" onKeyDown={(e) => e.key === "Escape" && !acting && shut()}>
      <header class="detail-head">
        <button type="button" class="ghost square" aria-label={t("common.back")} onClick={shut}><Icon name="back" /></button>
        <div class="grow">
          <h2 id="request-title" tabIndex={-1}>{categoryName(settings, r.category)}</h2>
          <p class="detail-sub"><span class="mono">{r.reference}</span><span class={`tag rq-${r.state}`}>{stateName(settings, r.state)}</span>{r.demo && <DemoTag short />}</p>
        </div>
        <Due row={r} />
      </header>
      <blockquote class="request-words">{r.text ?? t("requests.expired")}</blockquote>
      {r.masked.length > 0 && <p class="muted small"><Icon name="shield" size={14} />{t("requests.masked", { what: r.masked.map((m) => word("requests.mask", m)).join(", ") })}</p>}
      {can("requests.work") && r.actions.length > 0 && (
        <div class="actions">
          {r.actions.map((a) => (
            <button key={a} type="button" class={a === first ? "primary" : a === "decline" ? "danger" : ""} aria-pressed={acting === a} data-do={a} onClick={() => begin(a)}><Icon name={ICON[a]} size={17} />{t(`requests.do.${a}`)}</button>
          ))}
        </div>
      )}
      {acting && <Act key={acting + into} action={acting} request={r} settings={settings} into={into} done={put} failed={failed} cancel={() => { setActing(null); rescueFocus(`[data-do="${acting}"]`); }} />}
      {r.answer && <section class="block"><h3>{t("requests.answer_given")}</h3><p class="note-text">{r.answer}</p></section>}
      <dl class="facts">
        <div><dt>{t("requests.received_at")}</dt><dd>{dateTime(r.received_at).slice(0, 16)} · {word("requests.channel", r.channel)}</dd></div>
        <div><dt>{t("shared.area")}</dt><dd>{areaOf(settings, r.area)}</dd></div>
        {r.place && <div><dt>{t("requests.place")}</dt><dd>{r.place}</dd></div>}
        <div><dt>{t("requests.service")}</dt><dd>{serviceName(settings, r.service)}</dd></div>
        <div><dt>{t("requests.answer_by")}</dt><dd>{dateTime(r.answer_by).slice(0, 16)}{r.answered_at && <small> · {t("requests.answered_at", { at: dateTime(r.answered_at).slice(0, 16) })}</small>}</dd></div>
        {r.promised_at && <div><dt>{t("requests.promised")}</dt><dd>{dateTime(r.promised_at).slice(0, 16)}</dd></div>}
        {Object.entries(r.attributes).map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}
      </dl>
      {r.has_contact && can("requests.work") && <ContactBox id={r.id} />}
      {r.duplicates.length > 0 && (
        <section class="block">
          <h3>{t("requests.maybe_same")}</h3>
          <ul class="same-list">
            {r.duplicates.map((d) => (
              <li key={d.id}>
                <div class="grow"><button type="button" class="link-button" onClick={() => go(d.id)}>{d.reference}</button><small>{stateName(settings, d.state)} · {t("requests.apart", { m: d.distance_m, h: d.hours_apart })}{d.text && <> · {d.text.slice(0, 90)}</>}</small></div>
                {r.actions.includes("merge") && <button type="button" onClick={() => begin("merge", d.reference)}><Icon name="merge" size={16} />{t("requests.do.merge")}</button>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {r.followers_of.length > 0 && <section class="block"><h3>{t("requests.followers", { count: r.followers_of.length })}</h3><p class="same-refs">{r.followers_of.map((f) => <button key={f.id} type="button" class="link-button mono" onClick={() => go(f.id)}>{f.reference}</button>)}</p></section>}
      <section class="block">
        <h3>{t("requests.history")}</h3>
        <ol class="steps-log">
          {r.history.map((h, i) => (
            <li key={i}>
              <time dateTime={h.at}>{dateTime(h.at).slice(0, 16)}</time>
              <div><strong>{word("requests.did", h.action)}</strong>{h.to !== h.from && <span class={`tag rq-${h.to}`}>{named(settings.states.find((s) => s.id === h.to)?.name, h.to)}</span>}
                <small>{word("requests.who", h.who)}{h.due_at && ` · ${t("requests.until", { at: dateTime(h.due_at).slice(0, 16) })}`}</small>
                {h.words && <p class="note-text">{h.words}</p>}</div>
            </li>
          ))}
        </ol>
      </section>
    </aside>
  );
}

/** The contact stays closed until somebody says what for; the audit log keeps it. */
function ContactBox({ id }: { id: number }): JSX.Element {
  const [purpose, setPurpose] = useState("");
  const [contact, setContact] = useState<Contact | null>(null);
  const [error, setError] = useState("");
  const open = async (event: Event) => {
    event.preventDefault();
    setError("");
    try {
      setContact(await requests.contact(id, purpose.trim()));
    } catch (cause) {
      setError(problem(cause));
    }
  };
  if (contact) {
    return (
      <section class="block contact-open">
        <h3>{t("requests.contact")}</h3>
        <p>{[contact.name, contact.phone, contact.email].filter(Boolean).join(" · ")}</p>
        <small>{t("requests.contact_until", { at: dateTime(contact.expires_at).slice(0, 10) })}</small>
      </section>
    );
  }
  return (
    <details class="contact-box">
      <summary><Icon name="lock" size={15} />{t("requests.contact_open")}</summary>
      <form class="form" onSubmit={(e) => void open(e)}>
        <label>{t("requests.contact_why")}<input type="text" minLength={10} maxLength={300} required value={purpose} onInput={(e) => setPurpose(e.currentTarget.value)} /></label>
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <button type="submit" disabled={purpose.trim().length < 10}>{t("requests.contact_show")}</button>
      </form>
    </details>
  );
}

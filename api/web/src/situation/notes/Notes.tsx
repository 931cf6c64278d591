// Analytic notes: what was found, on what evidence, what is recommended, to whom, and what they answered.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../../api";
import { dateTime } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { AreaSelect, areaName, DemoTag, shortDay, Side } from "../bits";
import { notes as hub } from "../hub";
import { useLoad } from "../load";
import { t } from "../t";
import type { Note } from "../types";

export function NotesView(): JSX.Element {
  const list = useLoad(() => hub.list(), []);
  const [chosen, setChosen] = useState<number | "new" | null>(null);
  const note = list.data?.find((n) => n.id === chosen);
  const put = (next: Note) => {
    list.put(list.data!.some((n) => n.id === next.id) ? list.data!.map((n) => (n.id === next.id ? next : n)) : [next, ...list.data!]);
    setChosen(next.id);
    say(t("shared.saved"));
  };
  return (
    <div class={chosen !== null ? "frame-split open" : "frame-split"}>
      <div class="frame-body">
        <header class="sheet-head"><p class="lead">{t("notes.lead")}</p>{can("notes.write") && <button type="button" class="primary" onClick={() => setChosen("new")}><Icon name="plus" size={17} />{t("notes.add")}</button>}</header>
        {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
        {!list.data ? list.error === null && <Loading /> : list.data.length === 0 ? <Empty icon="note" title={t("notes.none")} /> : (
          <ul class="note-cards">
            {list.data.map((n) => (
              <li key={n.id}>
                <button type="button" class="note-card" data-note={n.id} aria-current={chosen === n.id ? "true" : undefined} onClick={() => setChosen(n.id)}>
                  <span class="note-top"><span class={`tag nt-${n.state}`}>{t(`notes.state.${n.state}`)}</span>{n.late && <span class="tag bad"><Icon name="warning" size={13} />{t("notes.late")}</span>}{n.demo && <DemoTag short />}</span>
                  <strong>{n.title}</strong>
                  <span class="note-finding">{n.finding}</span>
                  <small>{areaName(n.area)} · {n.addressee} · {t("plan.until", { date: shortDay(n.deadline) })}</small>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      {chosen === "new" && <Side title={t("notes.add")} close={() => setChosen(null)}><Editor note={null} put={put} /></Side>}
      {note && <NoteSide key={`${note.id}-${note.version}`} note={note} put={put} close={() => setChosen(null)} />}
    </div>
  );
}

function NoteSide({ note: n, put, close }: { note: Note; put: (n: Note) => void; close: () => void }): JSX.Element {
  const [editing, setEditing] = useState(false);
  const [answer, setAnswer] = useState({ words: "", from: "" });
  const [error, setError] = useState("");
  const act = async (body: Record<string, unknown>) => {
    setError("");
    try {
      put(await hub.act(n, body));
    } catch (cause) {
      setError(cause instanceof ApiError && cause.code === "changed" ? t("shared.changed") : problem(cause));
    }
  };
  const write = can("notes.write");
  return (
    <Side title={n.title} close={close} back={`[data-note="${n.id}"]`} sub={<><span class={`tag nt-${n.state}`}>{t(`notes.state.${n.state}`)}</span>{n.demo && <DemoTag short />}</>}>
      {editing ? <Editor note={n} put={put} /> : (
        <article class="note-article">
          <h3>{t("notes.finding")}</h3><p>{n.finding}</p>
          <h3>{t("notes.evidence")}</h3><p>{n.evidence}</p>
          <h3>{t("notes.recommendation")}</h3><p class="strong-text">{n.recommendation}</p>
          <dl class="facts">
            <div><dt>{t("notes.addressee")}</dt><dd>{n.addressee}</dd></div>
            <div><dt>{t("shared.area")}</dt><dd>{areaName(n.area)}</dd></div>
            <div><dt>{t("notes.deadline")}</dt><dd class={n.late ? "bad-text" : ""}>{shortDay(n.deadline)}</dd></div>
            <div><dt>{t("notes.written")}</dt><dd>{dateTime(n.created_at).slice(0, 16)}<br /><small>{n.created_by}</small></dd></div>
          </dl>
          {n.answer && <section class="block"><h3>{t("notes.answer")}</h3><blockquote>{n.answer}</blockquote><small>{n.answer_by}{n.answered_at && `, ${dateTime(n.answered_at).slice(0, 10)}`}</small></section>}
        </article>
      )}
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      {write && n.state === "draft" && !editing && <div class="dialog-buttons"><button type="button" onClick={() => setEditing(true)}><Icon name="edit" size={16} />{t("common.change")}</button><button type="button" class="primary" onClick={() => void act({ action: "send" })}><Icon name="send" size={16} />{t("notes.send")}</button></div>}
      {write && n.state === "sent" && (
        <form class="form act" onSubmit={(e) => { e.preventDefault(); void act({ action: "answer", words: answer.words.trim(), from: answer.from.trim() }); }}>
          <label>{t("notes.answer")}<textarea rows={3} required maxLength={4000} value={answer.words} onInput={(e) => setAnswer({ ...answer, words: e.currentTarget.value })} /></label>
          <label>{t("notes.from")}<input type="text" required maxLength={200} value={answer.from} onInput={(e) => setAnswer({ ...answer, from: e.currentTarget.value })} /></label>
          <button type="submit" class="primary">{t("notes.record_answer")}</button>
        </form>
      )}
    </Side>
  );
}

function Editor({ note, put }: { note: Note | null; put: (n: Note) => void }): JSX.Element {
  const [f, setF] = useState({ title: note?.title ?? "", area: note?.area ?? "", finding: note?.finding ?? "", evidence: note?.evidence ?? "", recommendation: note?.recommendation ?? "", addressee: note?.addressee ?? "", deadline: note?.deadline ?? "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    const body = { ...f, area: f.area || null };
    try {
      put(note ? await hub.change(note.id, { ...body, version: note.version }) : await hub.add(body));
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(e) => void send(e)}>
      <label>{t("notes.name")}<input type="text" required maxLength={200} value={f.title} onInput={set("title")} /></label>
      <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} all={t("shared.whole_region")} /></label>
      <label>{t("notes.finding")}<textarea rows={3} required maxLength={4000} value={f.finding} onInput={set("finding")} /></label>
      <label>{t("notes.evidence")}<textarea rows={3} required maxLength={4000} value={f.evidence} onInput={set("evidence")} /></label>
      <label>{t("notes.recommendation")}<textarea rows={3} required maxLength={4000} value={f.recommendation} onInput={set("recommendation")} /></label>
      <label>{t("notes.addressee")}<input type="text" required maxLength={200} value={f.addressee} onInput={set("addressee")} /></label>
      <label>{t("notes.deadline")}<input type="date" required value={f.deadline} onInput={set("deadline")} /></label>
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button>
    </form>
  );
}

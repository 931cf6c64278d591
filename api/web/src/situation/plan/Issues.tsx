// Issues that residents raised at meetings: each becomes a measure, joins one, or is answered with a reason.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { AreaSelect, areaName, DemoTag, shortDay } from "../bits";
import { plan as hub } from "../hub";
import type { Loaded } from "../load";
import { t } from "../t";
import type { Issue, Plan } from "../types";

interface Props { list: Loaded<Issue[]>; plan: Plan | null; take: (issue: Issue) => void; changed: () => void; open: (measure: number) => void }

export function IssuesView({ list, plan, take, changed, open }: Props): JSX.Element {
  const [adding, setAdding] = useState(false);
  const put = (next: Issue) => {
    list.put(list.data!.map((i) => (i.id === next.id ? next : i)));
    changed();
    say(t("shared.saved"));
  };
  return (
    <div class="frame-body narrow">
      <header class="sheet-head"><p class="lead">{t("plan.issues_lead")}</p>{can("plan.write") && <button type="button" aria-expanded={adding} onClick={() => setAdding(!adding)}><Icon name="plus" size={17} />{t("plan.add_issue")}</button>}</header>
      {adding && plan && <NewIssue plan={plan} done={(issue) => { list.put([issue, ...(list.data ?? [])]); setAdding(false); say(t("shared.saved")); }} />}
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : list.data.length === 0 ? <Empty icon="board" title={t("plan.no_issues")} /> : (
        <ul class="issue-list">{[...list.data].sort((a, b) => Number(b.state === "open") - Number(a.state === "open")).map((i) => <IssueCard key={i.id} issue={i} plan={plan} take={take} put={put} open={open} />)}</ul>
      )}
    </div>
  );
}

function IssueCard({ issue: i, plan, take, put, open }: { issue: Issue; plan: Plan | null; take: (issue: Issue) => void; put: (i: Issue) => void; open: (measure: number) => void }): JSX.Element {
  const [way, setWay] = useState<"join" | "decline" | null>(null);
  const [measure, setMeasure] = useState("");
  const [words, setWords] = useState("");
  const [error, setError] = useState("");
  const move = async (body: unknown) => {
    setError("");
    try {
      put(await hub.moveIssue(i.id, body));
      setWay(null);
    } catch (cause) {
      setError(problem(cause));
    }
  };
  const block = plan?.blocks.find((b) => b.id === i.block);
  return (
    <li class={`sheet issue is-${i.state}`}>
      <header><strong>{i.meeting}</strong><span class="muted grow">{shortDay(i.held_on)} · {areaName(i.area)}{block && ` · ${named(block.name, "")}`}</span>{i.demo && <DemoTag short />}<span class={i.state === "open" ? "tag bad" : "tag"}>{t(`plan.issue.${i.state}`)}</span></header>
      <p>{i.text}</p>
      {i.measure !== null && <button type="button" class="link-button" onClick={() => open(i.measure!)}><Icon name="board" size={15} />{t("plan.to_measure", { number: plan?.blocks.flatMap((b) => b.measures).find((m) => m.id === i.measure)?.number ?? String(i.measure) })}</button>}
      {i.answer && <blockquote>{i.answer}</blockquote>}
      {can("plan.write") && i.state === "open" && (
        <div class="dialog-buttons">
          <button type="button" class="primary" onClick={() => take(i)}>{t("plan.make_measure")}</button>
          <button type="button" aria-pressed={way === "join"} onClick={() => setWay(way === "join" ? null : "join")}>{t("plan.join_measure")}</button>
          <button type="button" aria-pressed={way === "decline"} onClick={() => setWay(way === "decline" ? null : "decline")}>{t("plan.decline")}</button>
        </div>
      )}
      {way === "join" && (
        <form class="form act" onSubmit={(e) => { e.preventDefault(); void move({ action: "take", measure: Number(measure) }); }}>
          <label>{t("plan.measure")}<select required value={measure} onChange={(e) => setMeasure(e.currentTarget.value)}><option value="" />{plan?.blocks.map((b) => <optgroup key={b.id} label={named(b.name, b.id)}>{b.measures.map((m) => <option key={m.id} value={m.id}>{m.number} {named(m.title, "")}</option>)}</optgroup>)}</select></label>
          <button type="submit" class="primary" disabled={!measure}>{t("plan.join_measure")}</button>
        </form>
      )}
      {way === "decline" && (
        <form class="form act" onSubmit={(e) => { e.preventDefault(); void move({ action: "decline", words: words.trim() }); }}>
          <label>{t("plan.decline_why")}<textarea rows={2} required maxLength={2000} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></label>
          <button type="submit" disabled={!words.trim()}>{t("plan.decline")}</button>
        </form>
      )}
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
    </li>
  );
}

function NewIssue({ plan, done }: { plan: Plan; done: (issue: Issue) => void }): JSX.Element {
  const [f, setF] = useState({ meeting: "", held_on: plan.today, area: "", block: "", text: "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      done(await hub.addIssue({ meeting: f.meeting.trim(), held_on: f.held_on, area: f.area || null, block: f.block || null, text: f.text.trim() }));
    } catch (cause) {
      setError(problem(cause));
      setBusy(false);
    }
  };
  return (
    <form class="form sheet" onSubmit={(e) => void send(e)}>
      <div class="form pair">
        <label>{t("plan.meeting")}<input type="text" required maxLength={200} value={f.meeting} onInput={set("meeting")} /></label>
        <label>{t("plan.held_on")}<input type="date" required max={plan.today} value={f.held_on} onInput={set("held_on")} /></label>
        <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} all={t("shared.whole_region")} /></label>
        <label>{t("plan.block")}<select value={f.block} onChange={set("block")}><option value="">–</option>{plan.blocks.map((b) => <option key={b.id} value={b.id}>{named(b.name, b.id)}</option>)}</select></label>
      </div>
      <label>{t("plan.issue_text")}<textarea rows={3} required maxLength={2000} value={f.text} onInput={set("text")} /></label>
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button>
    </form>
  );
}

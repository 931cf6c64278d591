// One measure beside the plan: what is expected, evidence, progress, changes with their reasons.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../../api";
import { dateTime, named } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { AreaSelect, shortDay, Side } from "../bits";
import { Progress } from "../charts/Bars";
import { plan as hub } from "../hub";
import { useLoad } from "../load";
import { t, word } from "../t";
import type { MeasureFull, MeasureState } from "../types";

export function MeasureSide({ id, areaName, changed, close }: { id: number; areaName: (kato: string | null) => string; changed: () => void; close: () => void }): JSX.Element {
  const one = useLoad(() => hub.measure(id), [id]);
  const m = one.data;
  const put = (next: MeasureFull) => {
    one.put(next);
    changed();
    say(t("shared.saved"));
  };
  const failed = (error: unknown): string => {
    if (error instanceof ApiError && error.code === "changed") {
      one.reload();
      return t("shared.changed");
    }
    return problem(error);
  };
  return (
    <Side title={m ? `${m.number} ${named(m.title, "")}` : "…"} close={close} sub={m && <><span class={`tag ms-${m.state}`}>{t(`plan.state.${m.state}`)}</span>{m.late && <span class="tag bad"><Icon name="warning" size={13} />{t("plan.is_late")}</span>}</>}>
      {one.error !== null && <Failed text={problem(one.error)} retry={one.reload} />}
      {!m ? one.error === null && <Loading /> : (
        <>
          <Progress percent={m.progress} late={m.late} />
          <dl class="facts">
            <div><dt>{t("plan.owner")}</dt><dd>{m.owner}</dd></div>
            <div><dt>{t("shared.area")}</dt><dd>{areaName(m.area)}</dd></div>
            <div><dt>{t("plan.deadline")}</dt><dd>{shortDay(m.deadline)}</dd></div>
            {m.expected && <div><dt>{t("plan.expected")}</dt><dd>{named(m.expected, "")}</dd></div>}
          </dl>
          {can("plan.write") && m.state !== "cancelled" && <ProgressForm key={m.version} measure={m} put={put} failed={failed} />}
          <section class="block">
            <h3>{t("plan.evidence")}</h3>
            {m.evidence.length === 0 ? <p class="muted">{t("plan.no_evidence")}</p> : (
              <ul class="evidence-list">{m.evidence.map((e, i) => <li key={i}>{e.words && <p>{e.words}</p>}{e.url && <a href={e.url} rel="noopener noreferrer" target="_blank">{e.url}</a>}<small>{dateTime(e.at).slice(0, 16)} · {e.by}</small></li>)}</ul>
            )}
          </section>
          {can("plan.write") && <EditForm key={`e${m.version}`} measure={m} put={put} failed={failed} />}
          <section class="block">
            <h3>{t("plan.history")}</h3>
            <ol class="steps-log">
              {m.history.map((h, i) => (
                <li key={i}><time dateTime={h.at}>{dateTime(h.at).slice(0, 16)}</time>
                  <div><strong>{word("plan.did", h.action)}</strong><small>{h.by}</small>
                    {h.changes.map((c, k) => <p key={k} class="change-line">{word("plan.field", c.field)}: {show(c.from)} → {show(c.to)}</p>)}
                    {h.words && <p class="note-text">{h.words}</p>}</div></li>
              ))}
            </ol>
          </section>
        </>
      )}
    </Side>
  );
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "object") return named(value as Record<"kk" | "ru" | "en", string>, "…");
  return /^\d{4}-\d{2}-\d{2}$/.test(String(value)) ? shortDay(String(value)) : String(value);
}

interface FormProps { measure: MeasureFull; put: (m: MeasureFull) => void; failed: (error: unknown) => string }

function ProgressForm({ measure: m, put, failed }: FormProps): JSX.Element {
  const [percent, setPercent] = useState(m.progress);
  const [words, setWords] = useState("");
  const [url, setUrl] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      put(await hub.progress(m, percent, words.trim(), url.trim() || null));
    } catch (cause) {
      setError(failed(cause));
      setBusy(false);
    }
  };
  return (
    <form class="form act" onSubmit={(e) => void send(e)}>
      <label>{t("plan.set_progress")}<span class="range-row"><input type="range" min={0} max={100} step={5} value={percent} onInput={(e) => setPercent(Number(e.currentTarget.value))} /><output>{percent} %</output></span></label>
      <label>{t("plan.what_done")}<textarea rows={2} maxLength={2000} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></label>
      <label>{t("plan.link")}<input type="url" pattern="https://.*" placeholder="https://" value={url} onInput={(e) => setUrl(e.currentTarget.value)} /></label>
      {percent === 100 && !words.trim() && !url.trim() && <p class="muted">{t("plan.needs_evidence")}</p>}
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <button type="submit" class="primary" disabled={busy || (percent === 100 && !words.trim() && !url.trim())}>{busy ? t("common.wait") : t("plan.save_progress")}</button>
    </form>
  );
}

const STATES: readonly MeasureState[] = ["planned", "running", "done", "cancelled"];

function EditForm({ measure: m, put, failed }: FormProps): JSX.Element {
  const [f, setF] = useState({ kk: m.title.kk, ru: m.title.ru, en: m.title.en, owner: m.owner, area: m.area ?? "", deadline: m.deadline, state: m.state, reason: "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const needs = f.deadline !== m.deadline || (f.state === "cancelled" && m.state !== "cancelled");
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      put(await hub.change(m.id, { version: m.version, title: { kk: f.kk, ru: f.ru, en: f.en }, owner: f.owner, area: f.area || null, deadline: f.deadline, expected: m.expected, state: f.state, reason: f.reason.trim() || null }));
    } catch (cause) {
      setError(failed(cause));
      setBusy(false);
    }
  };
  return (
    <details class="edit-box">
      <summary><Icon name="edit" size={15} />{t("plan.change")}</summary>
      <form class="form" onSubmit={(e) => void send(e)}>
        <label>{t("shared.kk")}<input type="text" required value={f.kk} onInput={set("kk")} /></label>
        <label>{t("shared.ru")}<input type="text" required value={f.ru} onInput={set("ru")} /></label>
        <label>{t("shared.en")}<input type="text" required value={f.en} onInput={set("en")} /></label>
        <label>{t("plan.owner")}<input type="text" required value={f.owner} onInput={set("owner")} /></label>
        <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} all={t("shared.whole_region")} /></label>
        <label>{t("plan.deadline")}<input type="date" required value={f.deadline} onInput={set("deadline")} /></label>
        <label>{t("plan.state")}<select value={f.state} onChange={set("state")}>{STATES.map((s) => <option key={s} value={s}>{t(`plan.state.${s}`)}</option>)}</select></label>
        {needs && <label>{t("plan.why")}<input type="text" required minLength={5} maxLength={500} value={f.reason} onInput={set("reason")} /></label>}
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <button type="submit" disabled={busy}>{busy ? t("common.wait") : t("common.save")}</button>
      </form>
    </details>
  );
}

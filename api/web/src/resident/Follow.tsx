// What became of a request: by its number, open to whoever has it, without the words of the resident. Only the code of the receipt
// may say "fixed" or "not fixed".

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask, type Status } from "./hub";
import { problem } from "./NewRequest";
import { hasWord, moment, say, speaking } from "./words";

export function Follow({ reference, open, fresh }: { reference: string; open: (reference: string) => void; fresh: () => void }): JSX.Element {
  const [typed, setTyped] = useState(reference.replace(/(\d{4})(?=\d)/g, "$1-"));
  const [status, setStatus] = useState<Status | null>(null);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(reference !== "");
  useEffect(() => {
    if (!reference) return;
    ask<Status>("GET", `/${reference}`).then(setStatus, (error: unknown) => setWrong(problem(error))).finally(() => setBusy(false));
  }, [reference]);
  return (
    <main>
      <h1>{say("check")}</h1>
      <form class="finder" onSubmit={(e) => { e.preventDefault(); const digits = typed.replace(/\D/g, ""); if (digits) open(digits); }}>
        <label>{say("number")}
          <input inputMode="numeric" autocomplete="off" value={typed} placeholder="0000-0000-0000-0000" aria-describedby="number-help" onInput={(e) => setTyped(e.currentTarget.value)} />
          <small id="number-help">{say("check_help")}</small>
        </label>
        <button type="submit" class={status ? "" : "strong"}>{say("open")}</button>
      </form>
      {busy && <p class="wait" role="status">{say("wait")}</p>}
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      {status && <Found status={status} changed={setStatus} />}
      <button type="button" class="quiet" onClick={fresh}>{say("again")}</button>
    </main>
  );
}

function Found({ status: s, changed }: { status: Status; changed: (next: Status) => void }): JSX.Element {
  const lang = speaking();
  const stateWord = `state_${s.state}`;
  return (
    <article class="status" aria-label={s.reference}>
      <header class={`state state-${s.state}`}>
        <small>{s.reference}</small>
        <strong>{s.state_name[lang] || (hasWord(stateWord) ? say(stateWord) : s.state)}</strong>
        <span>{s.category_name[lang]}</span>
      </header>
      {s.demo && <p class="demo">{say("demo")}</p>}
      {s.merged && <p class="note">{say("merged")}</p>}
      {s.overdue && <p class="late">{say(`overdue_${s.overdue}`)}</p>}
      {s.answer && <section class="answer"><h2>{say("answer_title")}</h2><p>{s.answer}</p></section>}
      <dl class="receipt">
        <div><dt>{say("service")}</dt><dd>{s.service_name[lang]}</dd></div>
        <div><dt>{say("district")}</dt><dd>{s.area_name[lang]}</dd></div>
        {!s.answered_at && <div><dt>{say("answer_by")}</dt><dd>{moment(s.answer_by)}</dd></div>}
        {s.promised_at && !s.done_at && <div><dt>{say("promised")}</dt><dd>{moment(s.promised_at)}</dd></div>}
      </dl>
      {s.followers > 0 && <p class="note">{say("followers", { count: s.followers })}</p>}
      <section>
        <h2>{say("steps")}</h2>
        <ol class="steps">
          {s.steps.map((step, i) => {
            const word = `state_${step.state}`;
            return <li key={i} class={i === s.steps.length - 1 ? "now" : ""}><span>{hasWord(word) ? say(word) : step.state}</span><time dateTime={step.at}>{moment(step.at)}</time></li>;
          })}
        </ol>
      </section>
      {s.can_judge && <Verdict status={s} changed={changed} />}
    </article>
  );
}

function Verdict({ status, changed }: { status: Status; changed: (next: Status) => void }): JSX.Element {
  const [code, setCode] = useState("");
  const [words, setWords] = useState("");
  const [saying, setSaying] = useState<"confirmed" | "not_fixed" | null>(null);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const send = async (event: Event) => {
    event.preventDefault();
    if (!saying) return;
    setBusy(true);
    setWrong("");
    try {
      changed(await ask<Status>("POST", `/${status.reference.replace(/\D/g, "")}/verdict`, { code: code.replace(/\D/g, ""), verdict: saying, words: words.trim() || null }));
    } catch (error) {
      setWrong(problem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="verdict">
      <h2>{say("was_fixed")}</h2>
      {status.judge_until && <p class="note">{say("was_fixed_until", { date: moment(status.judge_until) })}</p>}
      <div class="two">
        <button type="button" aria-pressed={saying === "confirmed"} onClick={() => setSaying("confirmed")}>{say("confirm")}</button>
        <button type="button" aria-pressed={saying === "not_fixed"} onClick={() => setSaying("not_fixed")}>{say("not_fixed")}</button>
      </div>
      {saying && (
        <form onSubmit={(e) => void send(e)}>
          {saying === "not_fixed" && <label>{say("still_wrong")}<textarea rows={3} maxLength={2000} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></label>}
          <label>{say("code")}<input inputMode="numeric" autocomplete="off" value={code} required maxLength={12} aria-describedby="code-help" onInput={(e) => setCode(e.currentTarget.value)} /><small id="code-help">{say("code_help")}</small></label>
          {wrong && <p class="wrong" role="alert">{wrong}</p>}
          <button type="submit" class="strong" disabled={busy || code.replace(/\D/g, "").length < 8}>{say(busy ? "sending" : "send")}</button>
        </form>
      )}
    </section>
  );
}

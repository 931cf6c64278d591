// Enrolment: the code of the link, then two codes of one's own, shown once.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask } from "./hub";
import { say, type Key } from "./words";

interface Props {
  code: string;
  /** This phone is enrolled already. */
  known: boolean;
  done: () => void;
  stay: () => void;
}

/** The hub's own rules, so that one is told before the code is used up. */
export function problemOf(cancel: string, duress: string): Key | null {
  for (const code of [cancel, duress]) {
    if (!/^[0-9]{4,8}$/.test(code)) return "rule_digits";
    const steps = [...code].slice(1).map((digit, i) => Number(digit) - Number(code[i]));
    if ([0, 1, -1].some((step) => steps.every((s) => s === step))) return "rule_easy";
  }
  return cancel === duress ? "rule_same" : null;
}

export function Enrol({ code: ofLink, known, done, stay }: Props): JSX.Element {
  const [code, setCode] = useState(ofLink);
  const [step, setStep] = useState<"code" | "codes" | "keep">(ofLink ? "codes" : "code");
  const [cancel, setCancel] = useState("");
  const [duress, setDuress] = useState("");
  const [error, setError] = useState<Key | null>(null);
  const [busy, setBusy] = useState(false);

  const enrol = async (event: Event) => {
    event.preventDefault();
    const problem = problemOf(cancel, duress);
    setError(problem);
    if (problem) return;
    setBusy(true);
    const answer = await ask("POST", "/enrol", { code, cancel_code: cancel, duress_code: duress }, 15_000);
    setBusy(false);
    if (answer.body) return setStep("keep");
    if (answer.status === 422 && answer.code === "bad_code") setStep("code");
    setError(answer.status === 429 ? "too_many" : answer.status === 0 ? "no_line_now" : answer.code === "bad_code" ? "bad_code" : "failed");
  };
  if (step === "keep") {
    return (
      <main class="middle">
        <h1>{say("keep_title")}</h1>
        <p>{say("keep_text")}</p>
        <dl class="codes">
          <div><dt>{say("cancel_code")}</dt><dd>{cancel}</dd></div>
          <div><dt>{say("duress_code")}</dt><dd>{duress}</dd></div>
        </dl>
        <button type="button" class="strong" onClick={done}>{say("keep_done")}</button>
      </main>
    );
  }
  return (
    <main class="middle">
      {step === "code" ? (
        <form onSubmit={(event) => { event.preventDefault(); setError(null); setStep("codes"); }}>
          <h1>{say(ofLink ? "enrol_title" : "none_title")}</h1>
          <p>{say("none_text")}</p>
          <label>
            {say("enrol_code")}
            <input class="mono" autoComplete="off" autoCapitalize="characters" spellcheck={false} required pattern="[A-Za-z0-9]{4}[ \-]?[A-Za-z0-9]{4}" placeholder="ABCD-EFGH"
              maxLength={9} value={code} onInput={(e) => setCode(e.currentTarget.value)} />
          </label>
          {error && <p class="wrong" role="alert">{say(error)}</p>}
          <button type="submit" class="strong">{say("next")}</button>
        </form>
      ) : (
        <form onSubmit={(event) => void enrol(event)}>
          {known && <p class="line"><span>{say("already")}</span><button type="button" class="quiet" onClick={stay}>{say("back")}</button></p>}
          <h1>{say("codes_title")}</h1>
          <Code name="cancel" label={say("cancel_code")} why={say("cancel_why")} value={cancel} set={setCancel} />
          <Code name="duress" label={say("duress_code")} why={say("duress_why")} value={duress} set={setDuress} />
          {error && <p class="wrong" role="alert">{say(error)}</p>}
          <button type="submit" class="strong" disabled={busy}>{say(busy ? "wait" : "enrol")}</button>
        </form>
      )}
    </main>
  );
}

function Code({ name, label, why, value, set }: { name: string; label: string; why: string; value: string; set: (value: string) => void }): JSX.Element {
  return (
    <div class="code">
      <label for={name}>{label}</label>
      <p id={`${name}-why`}>{why}</p>
      <input id={name} name={name} class="mono" inputMode="numeric" autoComplete="off" maxLength={8} required aria-describedby={`${name}-why`} value={value}
        onInput={(e) => set(e.currentTarget.value.replace(/[^0-9]/g, ""))} />
    </div>
  );
}

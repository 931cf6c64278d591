// Cancelling by a code. The cancel code and the code under threat take the same way and show the same, to the last pixel.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask } from "./hub";
import { waits, type Outbox } from "./outbox";
import { say } from "./words";

/** The hub checks two slow hashes; on a poor line that takes longer than a press. */
const PATIENCE_MS = 8_000;

export function Cancel({ outbox, back, lost }: { outbox: Outbox; back: () => void; lost: (code: string) => void }): JSX.Element {
  const [code, setCode] = useState("");
  const [state, setState] = useState<"asking" | "busy" | "done">("asking");
  const [error, setError] = useState("");
  const [number] = useState(() => outbox.number());

  const give = async (event: Event) => {
    event.preventDefault();
    setState("busy");
    setError("");
    const all = outbox.presses;
    // A real press among them is what the code is about; only tests: then it is about the test.
    const test = all.length > 0 && all.every((p) => p.test);
    const fail = (text: string) => {
      setCode("");
      setError(text);
      setState("asking");
    };
    // A cancel that overtook its press would mark nothing.
    outbox.resume();
    if (all.some((p) => waits(p) && !outbox.isOld(p)) && !(await settled(outbox))) return fail(say("no_line_now"));
    const answer = await ask<{ cancelled: boolean }>("POST", "/cancel", { code, ...number, test }, PATIENCE_MS);
    setCode("");
    if (answer.body) {
      outbox.clearStored();
      return setState("done");
    }
    if (answer.status === 401) return lost(answer.code);
    if (answer.status === 422) return fail(say("wrong_code"));
    if (answer.status === 429) return fail(say("wrong_wait", { minutes: Math.max(1, Math.ceil(answer.retryAfterMs / 60_000)) }));
    fail(say("no_line_now"));
  };
  if (state === "done") {
    return (
      <main class="middle">
        <p role="status" class="line stored"><strong>{say("cancelled")}</strong></p>
        <button type="button" onClick={back}>{say("back")}</button>
      </main>
    );
  }
  return (
    <main class="middle">
      <form onSubmit={(event) => void give(event)}>
        <h1>{say("cancel_title")}</h1>
        <p id="cancel-text">{say("cancel_text")}</p>
        <label>
          {say("code")}
          <input type="password" inputMode="numeric" autoComplete="off" pattern="[0-9]{4,8}" minLength={4} maxLength={8} required autoFocus
            aria-describedby="cancel-text" value={code} disabled={state === "busy"} onInput={(e) => setCode(e.currentTarget.value)} />
        </label>
        {error && <p class="wrong" role="alert">{error}</p>}
        <button type="submit" class="strong" disabled={state === "busy"}>{say(state === "busy" ? "wait" : "send")}</button>
        <button type="button" class="quiet" onClick={back}>{say("back")}</button>
      </form>
    </main>
  );
}

async function settled(outbox: Outbox): Promise<boolean> {
  const end = Date.now() + 5_000;
  while (Date.now() < end) {
    if (outbox.presses.every((p) => !waits(p) || outbox.isOld(p))) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

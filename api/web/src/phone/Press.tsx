// The button. Silent by design: no sound, no vibration, no notification, no change of the title.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Hold } from "./Hold";
import type { Kind, Me } from "./hub";
import { waits, type Outbox, type Press as Sent } from "./outbox";
import { Call } from "./Root";
import { clock, say, type Key } from "./words";

/** Without a receipt for so long the page offers to call. */
const OFFER_MS = 5_000;
const KINDS: readonly Kind[] = ["panic", "fire", "medical"];

export function Press({ me, outbox, cancel }: { me: Me; outbox: Outbox; cancel: () => void }): JSX.Element {
  const [kind, setKind] = useState<Kind>("panic");
  const sent = outbox.presses.filter((p) => !outbox.isOld(p));
  const old = outbox.presses.filter((p) => outbox.isOld(p));
  const press = (test: boolean) => {
    outbox.press(kind, test);
    // Whoever presses next in fear gets the first choice.
    setKind("panic");
  };
  return (
    <main class="press">
      {me.drill && <div class="drill" role="note"><strong>{say("drill")}</strong><span>{say("drill_text")}</span></div>}
      {old.map((p) => <Old key={`${p.boot}/${p.seq}`} press={p} outbox={outbox} />)}
      <fieldset class="kinds">
        <legend>{say("kind_label")}</legend>
        {KINDS.map((k) => (
          <label key={k} class={k === kind ? "chosen" : ""}>
            <input type="radio" name="kind" checked={k === kind} onChange={() => setKind(k)} />
            <Sign kind={k} />
            <span>{say(`kind_${k}`)}</span>
          </label>
        ))}
      </fieldset>
      <Hold id="press" class="round" label={`${say("hold")}: ${say(`kind_${kind}`)}`} fire={() => press(false)}>
        <Sign kind={kind} />
        <span class="hold-word">{say("hold")}</span>
      </Hold>
      {sent.length === 0 ? <p class="help">{say("hold_help")}</p> : <Receipt sent={sent} />}
      <button type="button" class="quiet" id="to-cancel" onClick={cancel}>{say("cancel")}</button>
      {me.drill && <Hold id="test" class="test" label={say("test")} fire={() => press(true)}><span>{say("test")}</span></Hold>}
    </main>
  );
}

/** What became of the presses; the newest waiting one first in words, the rest in numbers of their own lines. */
function Receipt({ sent }: { sent: readonly Sent[] }): JSX.Element {
  const waiting = sent.filter(waits);
  const late = useLate(waiting);
  return (
    <section class="receipt" role="status">
      {sent.map((p) => <Line key={`${p.boot}/${p.seq}`} press={p} />)}
      {late && <div class="offer"><Call /><p>{say("call_why")}</p></div>}
    </section>
  );
}

function Line({ press }: { press: Sent }): JSX.Element {
  const word = (plain: Key, test: Key) => say(press.test ? test : plain);
  if (press.storedAt) {
    return <p class="line stored"><Mark /><span><strong>{word("stored", "test_stored")}</strong> <time>{clock(press.storedAt)}</time></span></p>;
  }
  if (press.refused) return <p class="line">{say("test_over")}</p>;
  return (
    <div class="line">
      <span class="dots" aria-hidden="true"><i /><i /><i /></span>
      <span><strong>{word("sending", "test_sending")}</strong> <time>{clock(press.at)}</time>{press.failed > 0 && <><br />{say("no_line")}</>}</span>
    </div>
  );
}

/** Whether a press has waited for its receipt for longer than one should. */
function useLate(waiting: readonly Sent[]): boolean {
  const first = Math.min(...waiting.map((p) => p.at));
  const [, tick] = useState(0);
  const left = first + OFFER_MS - Date.now();
  useEffect(() => {
    if (!Number.isFinite(left) || left <= 0) return;
    const timer = setTimeout(() => tick((n) => n + 1), left + 20);
    return () => clearTimeout(timer);
  }, [first]);
  return waiting.length > 0 && left <= 0;
}

function Old({ press, outbox }: { press: Sent; outbox: Outbox }): JSX.Element {
  return (
    <section class="receipt old">
      <p>{say("old_press", { time: clock(press.at) })}</p>
      <button type="button" onClick={() => outbox.sendOld(press)}>{say("old_send")}</button>
      <button type="button" class="quiet" onClick={() => outbox.drop(press)}>{say("old_drop")}</button>
    </section>
  );
}

const PATHS: Record<Kind, string> = {
  panic: "M12 3 22 20H2zM12 9.5v5M12 17v.6",
  fire: "M12 3c1 4 5 5.5 5 10.5a5 5 0 0 1-10 0C7 11 8.5 10 9 8c1.500.5 2 1.500 2 2.500C12 9 12.500 6 12 3z",
  medical: "M9.500 3.500h5v6h6v5h-6v6h-5v-6h-6v-5h6z",
};

function Sign({ kind }: { kind: Kind }): JSX.Element {
  return <svg class="sign" viewBox="0 0 24 24" aria-hidden="true"><path d={PATHS[kind]} /></svg>;
}

function Mark(): JSX.Element {
  return <svg class="sign" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 12.500 9.500 18 20 6.500" /></svg>;
}

// The receipt: number and code in large letters, what was taken out of the text, and when the answer comes.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Receipt as Got } from "./hub";
import { moment, say, speaking } from "./words";

export function Receipt({ got, open, again }: { got: Got; open: () => void; again: () => void }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  const copy = () => navigator.clipboard?.writeText(`109: ${got.reference}, ${say("code")}: ${got.code}`).then(() => setCopied(true), () => {});
  return (
    <main>
      <div class="receipt-head">
        <svg viewBox="0 0 24 24" width="34" height="34" aria-hidden="true"><path d="M4.5 12.5 10 18 19.5 7" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" /></svg>
        <h1 ref={head} tabIndex={-1}>{say("done")}</h1>
      </div>
      <dl class="receipt">
        <div><dt>{say("number")}</dt><dd class="digits">{got.reference}</dd></div>
        <div><dt>{say("code")}</dt><dd class="digits code">{got.code.replace(/(\d{4})(?=\d)/g, "$1 ")}</dd></div>
        <div><dt>{say("answer_by")}</dt><dd>{moment(got.answer_by)}</dd></div>
        <div><dt>{say("district")}</dt><dd>{got.area_name[speaking()]}</dd></div>
      </dl>
      <p class="keep">{say("code_keep")}</p>
      {got.masked.length > 0 && <p class="note">{say("masked", { what: got.masked.map((m) => say(`masked_${m}`)).join(", ") })}</p>}
      <p class="lead">{say("done_text")}</p>
      <div class="buttons">
        <button type="button" onClick={() => void copy()}>{say(copied ? "copied" : "copy")}</button>
        <button type="button" class="strong" onClick={open}>{say("check")}</button>
        <button type="button" class="quiet" onClick={again}>{say("again")}</button>
      </div>
    </main>
  );
}

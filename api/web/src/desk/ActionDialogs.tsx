// Dialogs that ask a person for what an action needs: a reason, a word. What was typed survives a refusal of the hub.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { current } from "../store";
import { alertTitle, placeName } from "../words";
import { act, acting } from "./acting";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/icons";
import type { Alert, CloseReason } from "../types";

interface Props { id: number; onClose: () => void }

const CLOSE_REASONS: readonly CloseReason[] = ["resolved", "false_alarm", "drill", "duplicate"];

/** How it ended, one key each. A crowd alert's end is a verdict on the rule that raised it: nothing is chosen for the person beforehand. */
export function CloseDialog({ id, onClose }: Props): JSX.Element {
  const alert = known(id);
  const crowd = alert?.kind === "crowd";
  const [why, setWhy] = useState<CloseReason | null>(crowd ? null : "resolved");
  const [reason, setReason] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    if (alert && why && (await act(alert, "close", { close_reason: why, reason: reason.trim() }))) onClose();
  };
  const onKey = (event: KeyboardEvent) => {
    const digit = /^(?:Digit|Numpad)([1-4])$/.exec(event.code);
    if (!digit || event.target instanceof HTMLTextAreaElement || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    setWhy(CLOSE_REASONS[Number(digit[1]) - 1]!);
    form.current?.querySelector("textarea")?.focus();
  };
  return (
    <Dialog title={t("closing.title")} onClose={onClose}>
      <About alert={alert} />
      {crowd && <p class="callout"><Icon name="scales" />{t("closing.verdict_why")}</p>}
      <form class="form" ref={form} onSubmit={(e) => void send(e)} onKeyDown={onKey}>
        <fieldset class="choices">
          <legend>{t(crowd ? "closing.verdict" : "closing.why")}</legend>
          {CLOSE_REASONS.map((code, i) => (
            <label key={code} class="choice">
              <input type="radio" name="why" value={code} required checked={why === code} data-first={i === 0 ? true : undefined} aria-keyshortcuts={String(i + 1)} onChange={() => setWhy(code)} />
              <span class="grow">{crowd ? <><strong>{t(`verdict.${code}`)}</strong><small class="choice-more">{t(`verdict.means.${code}`)}</small></> : t(`close.${code}`)}</span>
              <kbd>{i + 1}</kbd>
            </label>
          ))}
        </fieldset>
        <Words label={t("closing.words")} value={reason} onChange={setReason} required />
        <Buttons onClose={onClose} submit={t("action.close")} disabled={why === null} />
      </form>
    </Dialog>
  );
}

export function ReasonDialog({ id, action, onClose }: Props & { action: "note" | "release" | "decline" | "share" }): JSX.Element {
  const [reason, setReason] = useState("");
  const alert = known(id);
  const send = async (event: Event) => {
    event.preventDefault();
    if (alert && (await act(alert, action, { reason: reason.trim() }))) onClose();
  };
  return (
    <Dialog title={t(`action.${action}`)} onClose={onClose}>
      <About alert={alert} />
      {action === "share" && <p class="callout"><Icon name="user" />{t("share.named")}</p>}
      <form class="form" onSubmit={(e) => void send(e)}>
        <Words label={t(`reason.${action}`)} value={reason} onChange={setReason} required first />
        <Buttons onClose={onClose} submit={t(`action.${action}`)} />
      </form>
    </Dialog>
  );
}

/** A test press becomes an alarm: one question, no way back. */
export function RealDialog({ id, onClose }: Props): JSX.Element {
  const [reason, setReason] = useState("");
  const alert = known(id);
  const send = async (event: Event) => {
    event.preventDefault();
    if (alert && (await act(alert, "real", { reason: reason.trim() || t("real.default_reason") }))) onClose();
  };
  return (
    <Dialog title={t("real.title")} onClose={onClose}>
      <About alert={alert} />
      <p>{t("real.text")}</p>
      <form class="form" onSubmit={(e) => void send(e)}>
        <Words label={t("real.why")} value={reason} onChange={setReason} />
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.cancel")}</button>
          <button type="submit" class="alarm-button" data-first disabled={acting.value !== null}><Icon name="critical" />{t("action.real")}</button>
        </div>
      </form>
    </Dialog>
  );
}

/** The alert of the dialog, as it is now: the dialog was opened for what is selected, and the selection cannot move behind it. */
export function known(id: number): Alert | null {
  return current.value?.id === id ? current.value : null;
}

export function About({ alert }: { alert: Alert | null }): JSX.Element {
  return <p class="about">{alert ? <><strong>{alertTitle(alert)}</strong> · {placeName(alert)} · № {alert.id}</> : t("error.not_now")}</p>;
}

export function Words(props: { label: string; value: string; onChange: (text: string) => void; required?: boolean; first?: boolean; min?: number }): JSX.Element {
  return (
    <label>
      <span>{props.label} <small>{t(props.required ? "common.required" : "common.optional")}</small></span>
      <textarea rows={3} maxLength={1000} value={props.value} required={props.required ?? false} minLength={props.min ?? (props.required ? 3 : 0)}
        data-first={props.first ? true : undefined} onInput={(e) => props.onChange(e.currentTarget.value)} />
    </label>
  );
}

export function Buttons({ onClose, submit, disabled }: { onClose: () => void; submit: string; disabled?: boolean }): JSX.Element {
  return (
    <div class="dialog-buttons">
      <button type="button" onClick={onClose}>{t("common.cancel")}</button>
      <button type="submit" class="primary" disabled={disabled === true || acting.value !== null}>{submit}</button>
    </div>
  );
}

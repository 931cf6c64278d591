// Dialogs that ask a person for what an action needs: a unit, a reason, a word. What was typed survives a refusal of the hub.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named, t } from "../i18n";
import { current, units } from "../store";
import { alertTitle, placeName } from "../words";
import { act, acting } from "./acting";
import { Dialog } from "../ui/Dialog";
import { Icon, type IconName } from "../ui/icons";
import type { Alert, CloseReason, Unit } from "../types";

interface Props { id: number; onClose: () => void }

const UNIT_ICON: Record<Unit["kind"], IconName> = { patrol: "shield", ambulance: "medical", city_service: "place" };
const CLOSE_REASONS: readonly CloseReason[] = ["resolved", "false_alarm", "drill", "duplicate"];

export function DispatchDialog({ id, onClose }: Props): JSX.Element {
  const [unit, setUnit] = useState(units.value[0]?.id ?? "");
  const [reason, setReason] = useState("");
  const alert = known(id);
  const send = async (event: Event) => {
    event.preventDefault();
    if (alert && (await act(alert, "dispatch", { unit, ...(reason.trim() ? { reason: reason.trim() } : {}) }))) onClose();
  };
  return (
    <Dialog title={t("dispatch.title")} onClose={onClose}>
      <About alert={alert} />
      <form class="form" onSubmit={(e) => void send(e)}>
        <fieldset class="choices">
          <legend>{t("dispatch.unit")}</legend>
          {units.value.length === 0 && <p class="muted">{t("dispatch.no_units")}</p>}
          {units.value.map((u, i) => (
            <label key={u.id} class="choice">
              <input type="radio" name="unit" value={u.id} checked={unit === u.id} data-first={i === 0 ? true : undefined} onChange={() => setUnit(u.id)} />
              <Icon name={UNIT_ICON[u.kind]} /><span class="grow">{named(u.name, u.id)}</span><small>{t(`unit.${u.kind}`)}</small>
            </label>
          ))}
        </fieldset>
        <Words label={t("dispatch.words")} value={reason} onChange={setReason} />
        <Buttons onClose={onClose} submit={t("action.dispatch")} disabled={unit === ""} />
      </form>
    </Dialog>
  );
}

export function CloseDialog({ id, onClose }: Props): JSX.Element {
  const [why, setWhy] = useState<CloseReason>("resolved");
  const [reason, setReason] = useState("");
  const alert = known(id);
  const send = async (event: Event) => {
    event.preventDefault();
    if (alert && (await act(alert, "close", { close_reason: why, reason: reason.trim() }))) onClose();
  };
  return (
    <Dialog title={t("closing.title")} onClose={onClose}>
      <About alert={alert} />
      <form class="form" onSubmit={(e) => void send(e)}>
        <fieldset class="choices">
          <legend>{t("closing.why")}</legend>
          {CLOSE_REASONS.map((code, i) => (
            <label key={code} class="choice">
              <input type="radio" name="why" value={code} checked={why === code} data-first={i === 0 ? true : undefined} onChange={() => setWhy(code)} />
              <span>{t(`close.${code}`)}</span>
            </label>
          ))}
        </fieldset>
        <Words label={t("closing.words")} value={reason} onChange={setReason} required />
        <Buttons onClose={onClose} submit={t("action.close")} />
      </form>
    </Dialog>
  );
}

export function ReasonDialog({ id, action, onClose }: Props & { action: "note" | "release" | "decline" }): JSX.Element {
  const [reason, setReason] = useState("");
  const alert = known(id);
  const send = async (event: Event) => {
    event.preventDefault();
    if (alert && (await act(alert, action, { reason: reason.trim() }))) onClose();
  };
  return (
    <Dialog title={t(`action.${action}`)} onClose={onClose}>
      <About alert={alert} />
      <form class="form" onSubmit={(e) => void send(e)}>
        <Words label={t(`reason.${action}`)} value={reason} onChange={setReason} required first />
        <Buttons onClose={onClose} submit={t(`action.${action}`)} />
      </form>
    </Dialog>
  );
}

/** The alert of the dialog, as it is now: the dialog was opened for what is selected, and the selection cannot move behind it. */
function known(id: number): Alert | null {
  return current.value?.id === id ? current.value : null;
}

function About({ alert }: { alert: Alert | null }): JSX.Element {
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

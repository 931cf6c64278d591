// The response clock in full, and the handover of a shift: given with a note and the open alerts, taken by name.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { clockTime, dateTime, number, t } from "../i18n";
import { desks, queue, session, shift } from "../store";
import { alertTitle, placeName, problem, roleName, siteName } from "../words";
import { Words } from "./ActionDialogs";
import { dialog } from "./dialogs";
import { Dialog } from "../ui/Dialog";
import { Loading } from "../ui/bits";
import { say } from "../ui/toast";
import { Icon } from "../ui/icons";
import type { Handover, Shift } from "../types";

export function ShiftDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const s = shift.value;
  return (
    <Dialog title={t("shift.title")} onClose={onClose} wide>
      {!s ? <Loading /> : (
        <>
          <p class="muted">{t("shift.since", { from: dateTime(s.began_at), to: clockTime(s.ends_at), count: s.alarms })}</p>
          <div class="meters">
            <Meter name={t("shift.within_30")} percent={s.claimed_30s_percent} goal={s.goals.within_30s} />
            <Meter name={t("shift.within_60")} percent={s.claimed_60s_percent} goal={s.goals.within_60s} />
          </div>
          <ul class="tiles shift-tiles">
            <Tile value={seconds(s.p50_s)} name={t("shift.p50")} />
            <Tile value={seconds(s.p80_s)} name={t("shift.p80")} />
            <Tile value={seconds(s.p98_5_s)} name={t("shift.p98")} />
            <Tile value={String(s.unclaimed)} name={t("shift.unclaimed")} bad={s.unclaimed > 0} />
            <Tile value={String(s.alarms_10min)} name={t("shift.per_10min")} warn={s.flood} />
          </ul>
          {s.flood && <p class="callout bad"><Icon name="flood" />{t("shift.flood")}</p>}
          <p class={s.attended ? "callout ok" : "callout bad"}><Icon name={s.attended ? "sound" : "mute"} />{t(s.attended ? "shift.attended" : "shift.unattended")}</p>
          <ul class="desks">
            {(desks.value?.attended ?? []).map((d) => (
              <li key={d.user}><Icon name={d.sound_ok ? "sound" : "mute"} size={16} /><span class="grow"><strong>{d.user}</strong> <small>{roleName(d.role)}</small></span>
                <small>{t(d.sound_ok ? "sound.ok" : "sound.not_counted")}</small></li>
            ))}
          </ul>
          {s.last_handover && <Last handover={s.last_handover} />}
          <div class="dialog-buttons">
            {s.last_handover && !s.last_handover.taken_at && <button type="button" onClick={() => (dialog.value = { kind: "take" })}><Icon name="check" />{t("handover.take")}</button>}
            <button type="button" class="primary" onClick={() => (dialog.value = { kind: "give" })}><Icon name="swap" />{t("handover.give")}</button>
          </div>
        </>
      )}
    </Dialog>
  );
}

export const seconds = (value: number | null) => (value === null ? "–" : t("shift.seconds", { count: number(value, value < 10 ? 1 : 0) }));
export const percent = (value: number | null) => (value === null ? "–" : `${number(value)} %`);

function Meter({ name, percent: value, goal }: { name: string; percent: number | null; goal: number }): JSX.Element {
  const state = value === null ? "none" : value >= goal ? "good" : "short";
  return (
    <div class={`meter ${state}`}>
      <p><strong>{percent(value)}</strong><span>{name}</span></p>
      <div class="meter-bar" aria-hidden="true"><span style={{ width: `${value ?? 0}%` }} /><i style={{ insetInlineStart: `${goal}%` }} /></div>
      <small><Icon name={state === "short" ? "warning" : state === "good" ? "check" : "clock"} size={14} />{t(value === null ? "shift.no_alarms" : state === "good" ? "shift.goal_met" : "shift.goal_missed", { goal: number(goal) })}</small>
    </div>
  );
}

function Tile({ value, name, bad, warn }: { value: string; name: string; bad?: boolean; warn?: boolean }): JSX.Element {
  return <li class={bad ? "tile bad" : warn ? "tile warn" : "tile"}><strong>{value}</strong><span>{name}</span></li>;
}

function Last({ handover }: { handover: Handover }): JSX.Element {
  return (
    <section class="block">
      <h3>{t("handover.last")}</h3>
      <p>{t("handover.by", { who: handover.given_by, time: dateTime(handover.at) })}{handover.taken_by && handover.taken_at && ` · ${t("handover.taken_by", { who: handover.taken_by, time: dateTime(handover.taken_at) })}`}</p>
      {handover.note && <blockquote>{handover.note}</blockquote>}
    </section>
  );
}

export function GiveDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const open = queue.value.filter((a) => a.kind !== "trouble" && a.kind !== "crowd");
  const quiet = queue.value.length - open.length;
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const handover = await api.giveShift(note.trim());
      if (shift.value) shift.value = { ...shift.value, last_handover: handover };
      say(t("handover.given"));
      onClose();
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("handover.give")} onClose={onClose}>
      <p>{t("handover.give_text")}</p>
      <section>
        <h3>{t("handover.open", { count: open.length })}</h3>
        <ul class="handover-list">
          {open.slice(0, 50).map((a) => <li key={a.id}><span class="grow"><strong>{alertTitle(a)}</strong> · {placeName(a)}</span><small>{a.claimed_by ?? t("state.raised")}</small></li>)}
        </ul>
        {open.length > 50 && <p class="muted">{t("alarm.more", { count: open.length - 50 })}</p>}
        {quiet > 0 && <p class="muted">{t("handover.quiet", { count: quiet })}</p>}
      </section>
      <form class="form" onSubmit={(e) => void send(e)}>
        <Words label={t("handover.note")} value={note} onChange={setNote} first />
        {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>{t("common.cancel")}</button>
          <button type="submit" class="primary" disabled={busy}><Icon name="swap" />{t("handover.give")}</button>
        </div>
      </form>
    </Dialog>
  );
}

export function TakeDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const handover = shift.value?.last_handover ?? null;
  const take = async () => {
    if (!handover) return;
    setBusy(true);
    setError("");
    try {
      const taken = await api.takeShift(handover.id);
      if (shift.value) shift.value = { ...shift.value, last_handover: taken };
      say(t("handover.taken"));
      onClose();
    } catch (cause) {
      setError(problem(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("handover.take")} onClose={onClose}>
      {!handover ? <p class="muted">{t("handover.none")}</p> : (
        <>
          <p>{t("handover.by", { who: handover.given_by, time: dateTime(handover.at) })}</p>
          {handover.note ? <blockquote class="note-text">{handover.note}</blockquote> : <p class="muted">{t("handover.no_note")}</p>}
          <section>
            <h3>{t("handover.open_then", { count: handover.open_alerts.length })}</h3>
            <ul class="handover-list">
              {handover.open_alerts.slice(0, 50).map((a) => (
                <li key={a.id}><span class="grow"><strong>{t(`kind.${a.kind}`)}</strong> № {a.id} · {siteName(a.site)}</span><small>{a.claimed_by ?? t("state.raised_crowd")}</small></li>
              ))}
            </ul>
          </section>
          {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
          <div class="dialog-buttons">
            <button type="button" onClick={onClose}>{t("handover.later")}</button>
            <button type="button" class="primary" data-first disabled={busy || handover.taken_at !== null} onClick={() => void take()}><Icon name="check" />{t("handover.take_as", { who: session.value?.display_name ?? "" })}</button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** Short form for the top bar: the two goals, the median, and what is wrong now. */
export function ShiftChip({ shift: s }: { shift: Shift }): JSX.Element {
  const short30 = s.claimed_30s_percent !== null && s.claimed_30s_percent < s.goals.within_30s;
  const short60 = s.claimed_60s_percent !== null && s.claimed_60s_percent < s.goals.within_60s;
  return (
    <button type="button" class="chip shift-chip" onClick={() => (dialog.value = { kind: "shift" })} title={t("shift.chip_title", { goal30: number(s.goals.within_30s), goal60: number(s.goals.within_60s) })}>
      <Icon name="pulse" size={16} /><span class="sr-only">{t("shift.title")}</span>
      <span class={short30 ? "gauge short" : "gauge"}><small>≤30</small><b>{percent(s.claimed_30s_percent)}</b></span>
      <span class={short60 ? "gauge short" : "gauge"}><small>≤60</small><b>{percent(s.claimed_60s_percent)}</b></span>
      <span class="gauge"><small>p50</small><b>{seconds(s.p50_s)}</b></span>
      {s.flood && <span class="gauge short"><Icon name="flood" size={14} /><b>{s.alarms_10min}</b></span>}
    </button>
  );
}

// Why the hub raised this alert, in plain words and with its numbers. Speaks of safety only.

import type { JSX } from "preact";
import { clockTime, dateTime, hasKey, number, t } from "../i18n";
import { crowdReason, deviceName, faultWords } from "../words";
import { Icon } from "../ui/icons";
import type { AlarmPart, Alert, CrowdPart, Progress, TroublePart } from "../types";

/** `explained`: why a crowd alert is shown has been said above, with all its numbers. */
export function Evidence({ alert, explained }: { alert: Alert; explained: boolean }): JSX.Element | null {
  if (explained && alert.stored && !alert.subsided_at && alert.state === "closed") return null;
  return (
    <section class="block evidence">
      {!explained && <h3>{t("evidence.title")}</h3>}
      {!alert.stored && <p class="callout bad"><Icon name="disk" />{t("evidence.not_stored")}</p>}
      {alert.alarm && <AlarmEvidence alarm={alert.alarm} device={alert.device} progress={alert.progress} />}
      {alert.crowd && !explained && <CrowdEvidence crowd={alert.crowd} />}
      {alert.incident && (
        <>
          <blockquote>{alert.incident.text}</blockquote>
          <p class="muted">{t("evidence.opened_by", { who: alert.incident.opened_by })}</p>
        </>
      )}
      {alert.trouble && <TroubleEvidence trouble={alert.trouble} />}
      {alert.hazard && (
        <>
          {alert.hazard.text && <blockquote>{alert.hazard.text}</blockquote>}
          <dl class="facts">
            <Fact name={t("hazard.source")} value={alert.hazard.source} />
            <Fact name={t("hazard.seen")} value={dateTime(alert.hazard.reported_at)} />
          </dl>
          <p class="muted">{t("hazard.no_plates")}</p>
        </>
      )}
      {alert.subsided_at && <p class="callout"><Icon name="check" />{t(alert.kind === "trouble" ? "trouble.over_since" : "evidence.subsided", { time: dateTime(alert.subsided_at) })}</p>}
      {alert.kind === "crowd" && alert.state !== "closed" && <p class="callout"><Icon name="shield" />{t("evidence.crowd_rule")}</p>}
    </section>
  );
}

/** What must be known before anything is done, each in one bar: duress first. */
export function AlarmWords({ alert }: { alert: Alert }): JSX.Element | null {
  const a = alert.alarm;
  if (!a || alert.state === "closed") return null;
  return (
    <>
      {a.duress_at && (
        <p class="duress-bar" role="alert"><Icon name="critical" size={30} /><span><strong>{t("alarm.duress")}</strong>{t("alarm.duress_text", { time: clockTime(a.duress_at) })}</span></p>
      )}
      {a.test && <p class="callout test-bar"><Icon name="drill" />{t(a.drill === null ? "evidence.test" : "evidence.drill_test")}</p>}
      {a.drill !== null && !a.test && <p class="callout bad"><Icon name="warning" />{t("alarm.drill_real")}</p>}
      {alert.progress?.unattended_at && alert.state === "raised" && <p class="callout bad"><Icon name="mute" />{t("alarm.unattended")}</p>}
      {a.pressed_again_at && <p class="callout"><Icon name="panic" />{t("alarm.pressed_again", { time: clockTime(a.pressed_again_at), count: a.presses })}</p>}
      {a.cancelled_at && <p class="callout"><Icon name="hand" />{t("alarm.cancelled_text", { time: clockTime(a.cancelled_at) })}</p>}
      {a.heard_at && <p class="callout"><Icon name="clock" />{t("alarm.delayed_text", { time: dateTime(a.heard_at) })}</p>}
    </>
  );
}

const NAMED_DEVICES = 30;

/** Codes of a camera's picture in words; what panels and hubs say stays as it is. */
function troubleDetail(trouble: TroublePart): string {
  const words = (code: string) => (trouble.kind === "fault" && hasKey(`camera.reason.${code}`) ? faultWords(code) : code);
  return (trouble.detail ?? "").split(", ").map(words).join(", ");
}

function TroubleEvidence({ trouble }: { trouble: TroublePart }): JSX.Element {
  return (
    <>
      <p>{t(`trouble.text.${trouble.kind}`)}</p>
      <dl class="facts">
        <Fact name={t("trouble.since")} value={dateTime(trouble.since)} />
        {trouble.detail && <Fact name={t("trouble.detail")} value={troubleDetail(trouble)} />}
        <Fact name={t("trouble.devices")} value={String(trouble.count)} />
      </dl>
      <ul class="reasons">{trouble.devices.slice(0, NAMED_DEVICES).map((id) => <li key={id}>{deviceName(id)} <small class="mono">{id}</small></li>)}</ul>
      {trouble.count > NAMED_DEVICES && <p class="muted">{t("alarm.more", { count: trouble.count - NAMED_DEVICES })}</p>}
    </>
  );
}

function AlarmEvidence({ alarm, device, progress }: { alarm: AlarmPart; device: string | null; progress: Progress }): JSX.Element {
  return (
    <>
      <p>{t(`evidence.alarm.${alarm.kind}`)}</p>
      <dl class="facts">
        {device && <Fact name={t("evidence.button")} value={`${deviceName(device)} (${device})`} />}
        {alarm.zone && <Fact name={t("evidence.zone")} value={alarm.zone} />}
        {alarm.doors?.length > 0 && <Fact name={t("evidence.doors")} value={alarm.doors.map((door) => t(`door.${door}`)).join(" + ")} />}
        {alarm.heard_at && <Fact name={t("evidence.heard")} value={dateTime(alarm.heard_at)} />}
        <Fact name={t("evidence.received")} value={dateTime(alarm.received_at)} />
        {alarm.pressed_at && <Fact name={t("evidence.pressed")} value={dateTime(alarm.pressed_at)} />}
        <Fact name={t("evidence.presses")} value={String(alarm.presses)} />
        {alarm.pressed_again_at && <Fact name={t("evidence.pressed_again")} value={dateTime(alarm.pressed_again_at)} />}
        {alarm.restored_at && <Fact name={t("alarm.restored")} value={dateTime(alarm.restored_at)} />}
        {progress?.shown_at && <Fact name={t("evidence.shown")} value={dateTime(progress.shown_at)} />}
      </dl>
      {alarm.clock_suspect && <p class="callout"><Icon name="clock" />{t("evidence.clock")}</p>}
    </>
  );
}

function CrowdEvidence({ crowd }: { crowd: CrowdPart }): JSX.Element {
  const range = crowd.low !== null && crowd.high !== null ? t("count.range", { low: number(crowd.low), high: number(crowd.high) }) : "";
  return (
    <>
      <p class="big-count"><strong>{number(crowd.people)}</strong> <span>{t("count.people")}</span> {range && <small>{range}</small>}</p>
      <ul class="reasons">{crowd.reasons.map((reason) => <li key={reason.code}>{crowdReason(reason)}</li>)}</ul>
      <dl class="facts">
        <Fact name={t("evidence.peak")} value={number(crowd.peak)} />
        {crowd.limit !== null && <Fact name={t("evidence.limit")} value={number(crowd.limit)} />}
        {crowd.baseline !== null && <Fact name={t("evidence.usual")} value={number(crowd.baseline)} />}
        {crowd.baseline_bound !== null && <Fact name={t("evidence.usual_bound")} value={number(crowd.baseline_bound)} />}
        <Fact name={t("evidence.formula")} value={crowd.formula} />
      </dl>
    </>
  );
}

export function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return <div><dt>{name}</dt><dd>{value}</dd></div>;
}

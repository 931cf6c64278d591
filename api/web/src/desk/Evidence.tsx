// Why the hub raised this alert, in plain words and with its numbers. Speaks of safety only.

import type { JSX } from "preact";
import { dateTime, number, t } from "../i18n";
import { crowdReason, deviceName } from "../words";
import { Icon } from "../ui/icons";
import type { AlarmPart, Alert, CrowdPart } from "../types";

export function Evidence({ alert }: { alert: Alert }): JSX.Element | null {
  return (
    <section class="block evidence">
      <h3>{t("evidence.title")}</h3>
      {!alert.stored && <p class="callout bad"><Icon name="disk" />{t("evidence.not_stored")}</p>}
      {alert.alarm && <AlarmEvidence alarm={alert.alarm} device={alert.device} />}
      {alert.crowd && <CrowdEvidence crowd={alert.crowd} />}
      {alert.incident && (
        <>
          <blockquote>{alert.incident.text}</blockquote>
          <p class="muted">{t("evidence.opened_by", { who: alert.incident.opened_by })}</p>
        </>
      )}
      {alert.subsided_at && <p class="callout"><Icon name="check" />{t("evidence.subsided", { time: dateTime(alert.subsided_at) })}</p>}
      {alert.kind === "crowd" && alert.state !== "closed" && <p class="callout"><Icon name="shield" />{t("evidence.crowd_rule")}</p>}
    </section>
  );
}

function AlarmEvidence({ alarm, device }: { alarm: AlarmPart; device: string | null }): JSX.Element {
  return (
    <>
      {alarm.test && <p class="callout"><Icon name="notice" />{t("evidence.test")}</p>}
      <p>{t(`evidence.alarm.${alarm.kind}`)}</p>
      <dl class="facts">
        {device && <Fact name={t("evidence.button")} value={`${deviceName(device)} (${device})`} />}
        <Fact name={t("evidence.received")} value={dateTime(alarm.received_at)} />
        {alarm.pressed_at && <Fact name={t("evidence.pressed")} value={dateTime(alarm.pressed_at)} />}
        <Fact name={t("evidence.presses")} value={String(alarm.presses)} />
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

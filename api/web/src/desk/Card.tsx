// One row of the queue: an alert, or a group of alarms of one place and kind.

import type { ComponentChildren, JSX } from "preact";
import { dateTime, number, t, type Key } from "../i18n";
import { formatAge, isDuress, isTest, isUrgent, rings } from "../rank";
import { now, pressedAgain, selectedAlert, selectedCamera, session } from "../store";
import { alarmKind, alertIcon, alertTitle, placeName, siteName } from "../words";
import { acting, claimAll } from "./acting";
import { useShown } from "./shown";
import { toggleGroup } from "./rows";
import { Icon, type IconName } from "../ui/icons";
import type { Row } from "./flood";
import type { Alert } from "../types";

export function Card({ alert, tab }: { alert: Alert; tab: boolean }): JSX.Element {
  const selected = selectedAlert.value === alert.id;
  const closed = alert.state === "closed";
  const ref = useShown([alert]);
  return (
    <button type="button" class={`card level-${alert.level} kind-${alert.kind} ${look(alert)}${closed ? " closed" : ""}`} ref={ref as { current: HTMLButtonElement | null }}
      aria-current={selected ? "true" : undefined} data-alert={alert.id} data-row={`a${alert.id}`} tabIndex={tab ? 0 : -1}
      onClick={() => { selectedCamera.value = null; selectedAlert.value = alert.id; }}>
      <span class="card-icon"><Icon name={alertIcon(alert)} size={alert.kind === "trouble" ? 18 : 22} /></span>
      <span class="card-main">
        <span class="card-title">{alertTitle(alert)}</span>
        <span class="card-place">{placeName(alert)}</span>
        <span class="card-foot">
          {!closed && <Marks alert={alert} short />}
          <State alert={alert} />
          {alert.crowd && !closed && <span class="card-count">{t("crowd.seen", { people: number(alert.crowd.people) })}</span>}
          {!alert.stored && <Mark icon="disk" bad>{t("alert.not_stored")}</Mark>}
          {alert.subsided_at && !closed && <span class="tag">{t(alert.kind === "trouble" ? "trouble.over" : "alert.subsided")}</span>}
        </span>
      </span>
      <span class="card-side">
        <span class="age">{closed ? dateTime(alert.closed_at ?? alert.updated_at) : formatAge(now.value - Date.parse(alert.raised_at))}</span>
        {alert.kind !== "trouble" && (isTest(alert)
          ? <span class="tag test-tag"><Icon name="drill" size={13} />{t("alarm.test_short")}</span>
          : <span class="tag level"><Icon name={alert.level} size={13} />{t(`level.${alert.level}`)}</span>)}
      </span>
    </button>
  );
}

/** The classes that say how an alert looks; the same for its card and its panel. */
export function look(alert: Alert): string {
  const classes = [];
  if (rings(alert)) classes.push("unclaimed");
  if (isUrgent(alert)) classes.push("urgent");
  if (isDuress(alert)) classes.push("duress");
  if (isTest(alert)) classes.push("test");
  if (pressedAgain.value.includes(alert)) classes.push("again");
  return classes.join(" ");
}

export function GroupCard({ row, tab }: { row: Extract<Row, { type: "group" }>; tab: boolean }): JSX.Element {
  const { group, open } = row;
  const first = group.alerts[0]!;
  const test = isTest(first);
  const free = group.alerts.filter((a) => a.allowed.includes("claim"));
  const ref = useShown(group.alerts);
  return (
    <div class={`group level-${first.level}${group.unclaimed > 0 ? " unclaimed" : ""}${test ? " test" : ""}`} ref={ref as { current: HTMLDivElement | null }}>
      <button type="button" class="group-head" aria-expanded={open} data-row={row.key} tabIndex={tab ? 0 : -1} onClick={() => toggleGroup(group.key)}>
        <span class="group-count">{group.alerts.length}</span>
        <span class="card-main">
          <span class="card-title">{alertTitle(first)}</span>
          <span class="card-place">{siteName(group.site)}</span>
          <span class="card-foot">
            <span class="state">{group.unclaimed > 0 ? t("flood.unclaimed", { count: group.unclaimed }) : t("flood.all_claimed")}</span>
            <span>{t("flood.newest_at", { age: formatAge(now.value - Date.parse(group.newest.raised_at)) })}</span>
          </span>
        </span>
        <span class="card-side">
          <span class="age">{formatAge(now.value - Date.parse(first.raised_at))}</span>
          <span class={open ? "turn open" : "turn"}><Icon name="down" size={16} /></span>
        </span>
      </button>
      {free.length > 0 && (
        <button type="button" class="group-claim" disabled={acting.value !== null} onClick={() => void claimAll(free)}
          aria-label={`${t("flood.claim", { count: free.length })}: ${alarmKind(first)}, ${siteName(group.site)}`}>
          <Icon name="check" size={16} />{acting.value === "group" ? t("common.wait") : t("flood.claim", { count: free.length })}
        </button>
      )}
    </div>
  );
}

/** What makes this press different from a plain one, most urgent first. */
export function Marks({ alert, short }: { alert: Alert; short?: boolean }): JSX.Element | null {
  const a = alert.alarm;
  if (!a) return null;
  const say = (key: Key, shortKey: Key) => t(short ? shortKey : key);
  return (
    <>
      {a.duress_at && <Mark icon="critical" class="duress-tag">{t("alarm.duress")}</Mark>}
      {alert.progress?.unattended_at && alert.state === "raised" && <Mark icon="mute" bad>{say("alarm.unattended", "alarm.unattended_short")}</Mark>}
      {alert.progress?.escalation && alert.state === "raised" && <Mark icon="clock" bad>{t(`alarm.escalation.${alert.progress.escalation}`)}</Mark>}
      {pressedAgain.value.includes(alert) && <Mark icon="panic" bad>{t("alarm.again")}</Mark>}
      {a.presses > 1 && !pressedAgain.value.includes(alert) && <Mark icon="panic">{t("alarm.presses", { count: a.presses })}</Mark>}
      {a.drill !== null && !a.test && <Mark icon="warning" bad>{say("alarm.drill_real", "alarm.drill_real_short")}</Mark>}
      {a.cancelled_at && <Mark icon="hand">{say("alarm.cancelled", "alarm.cancelled_short")}</Mark>}
      {a.restored_at && !short && <Mark icon="back">{t("alarm.restored")}</Mark>}
      {a.heard_at && <Mark icon="clock">{say("alarm.delayed", "alarm.delayed_short")}</Mark>}
    </>
  );
}

function Mark({ icon, bad, class: more, children }: { icon: IconName; bad?: boolean; class?: string; children: ComponentChildren }): JSX.Element {
  return <span class={`tag${bad ? " bad" : ""}${more ? ` ${more}` : ""}`}><Icon name={icon} size={13} />{children}</span>;
}

export function State({ alert }: { alert: Alert }): JSX.Element | null {
  const mine = alert.claimed_by !== null && alert.claimed_by === session.value?.user;
  if (alert.state === "raised") {
    if (alert.kind === "trouble") return alert.trouble?.detail ? <span class="muted">{alert.trouble.detail}</span> : null;
    return <span class="state raised">{t(alert.kind === "crowd" || alert.kind === "hazard" || isTest(alert) ? "state.raised_crowd" : "state.raised")}</span>;
  }
  if (alert.state === "closed") return <span class="state">{alert.close_reason ? t(`close.${alert.close_reason}`) : t("state.closed")}</span>;
  return (
    <span class="state">
      {t(`state.${alert.state}`)}
      {alert.claimed_by && <em> · {mine ? t("alert.mine") : alert.claimed_by}</em>}
    </span>
  );
}

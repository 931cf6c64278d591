// Many alarms at once: grouped by place and kind, so that a flood stays readable. Pure. Nothing is ever left out: every alert
// is either a row of its own or counted in a group that opens.

import { isTest, rings } from "../rank";
import type { Alert } from "../types";

/** More open alarms than this are a flood on the screen. */
export const FLOOD_ALARMS = 8;

export interface Group {
  key: string;
  site: string | null;
  /** In the order of the queue: the first is the most urgent. */
  alerts: Alert[];
  unclaimed: number;
  newest: Alert;
}

export type Row = { type: "alert"; key: string; alert: Alert; within: string | null } | { type: "group"; key: string; group: Group; open: boolean };

export const isFlood = (queue: readonly Alert[]) => queue.filter((a) => a.kind === "alarm").length > FLOOD_ALARMS;

/** Rows of the queue. `queue` is sorted; a group stands where its most urgent alarm would; one alarm alone is no group. */
export function rowsOf(queue: readonly Alert[], opened: ReadonlySet<string>): Row[] {
  if (!isFlood(queue)) return queue.map((alert) => row(alert, null));
  const groups = groupsOf(queue);
  const begun = new Set<string>();
  return queue.flatMap((alert): Row[] => {
    const group = alert.kind === "alarm" ? groups.get(groupKey(alert)) : undefined;
    if (!group || group.alerts.length === 1) return [row(alert, null)];
    if (begun.has(group.key)) return [];
    begun.add(group.key);
    const open = opened.has(group.key);
    return [{ type: "group", key: group.key, group, open }, ...(open ? group.alerts.map((a) => row(a, group.key)) : [])];
  });
}

export function groupsOf(queue: readonly Alert[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const alert of queue) {
    if (alert.kind !== "alarm") continue;
    const key = groupKey(alert);
    const group = groups.get(key);
    if (!group) groups.set(key, { key, site: alert.site, alerts: [alert], unclaimed: Number(rings(alert)), newest: alert });
    else {
      group.alerts.push(alert);
      group.unclaimed += Number(rings(alert));
      if (alert.id > group.newest.id) group.newest = alert;
    }
  }
  return groups;
}

/** Same place, same kind of alarm; a test never shares a group with a real one, and one under duress stands alone. */
export function groupKey(alert: Alert): string {
  const own = alert.alarm?.duress_at ? `/${alert.id}` : "";
  return `${alert.site ?? alert.device ?? "?"}/${alert.alarm?.kind ?? "?"}${isTest(alert) ? "/test" : ""}${own}`;
}

const row = (alert: Alert, within: string | null): Row => ({ type: "alert", key: `a${alert.id}`, alert, within });

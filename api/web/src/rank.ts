// Pure judgements about alerts: what comes first in the queue, and what must ring. No signals, no DOM, no clock.

import type { Alert, Level } from "./types";

const LEVEL: Record<Level, number> = { critical: 0, warning: 1, watch: 2, notice: 3 };
const KIND = { alarm: 0, incident: 1, hazard: 2, crowd: 4, trouble: 5 } as const;
/** A test press stands below everything in which somebody may be in danger. */
const TEST_PLACE = 3;

/** A press that is marked as a test, in a drill or not. It looks and sounds unlike an alarm. */
export function isTest(alert: Alert): boolean {
  return alert.kind === "alarm" && alert.alarm?.test === true;
}

/** Somebody gave the duress code: whoever cancels does so under threat. */
export function isDuress(alert: Alert): boolean {
  return Boolean(alert.alarm?.duress_at) && alert.state !== "closed";
}

/** An alarm that nobody has claimed yet: it rings until somebody does. Crowds, incidents, troubles and tests never ring. */
export function rings(alert: Alert): boolean {
  return alert.kind === "alarm" && alert.state === "raised" && !isTest(alert);
}

/** The hub has called again for somebody to claim it: louder and faster. */
export function isUrgent(alert: Alert): boolean {
  return rings(alert) && (Boolean(alert.progress?.escalation) || Boolean(alert.progress?.unattended_at) || isDuress(alert));
}

/** Pressed again after this person took it: it rings for them once more until they look. `looked` is the press they have seen. */
export function calls(alert: Alert, user: string | undefined, looked: string | undefined): boolean {
  const again = alert.alarm?.pressed_again_at;
  if (!again || isTest(alert) || alert.state === "raised" || alert.state === "closed" || !user || alert.claimed_by !== user) return false;
  const claimed = alert.progress?.claimed_at;
  return again !== looked && (!claimed || time(again) > time(claimed));
}

const place = (alert: Alert) => (isTest(alert) ? TEST_PLACE : KIND[alert.kind]);

/** Duress before everything, then alarms, then by level; among equals the unclaimed before the claimed and the oldest first. */
export function compareAlerts(a: Alert, b: Alert): number {
  return (
    Number(isDuress(b)) - Number(isDuress(a)) ||
    place(a) - place(b) ||
    LEVEL[a.level] - LEVEL[b.level] ||
    Number(a.state !== "raised") - Number(b.state !== "raised") ||
    time(a.raised_at) - time(b.raised_at) ||
    a.id - b.id
  );
}

const times = new Map<string, number>();

/** Date.parse with a memory: eight thousand alerts are compared a hundred thousand times in one sort. */
function time(text: string): number {
  let ms = times.get(text);
  if (ms === undefined) {
    if (times.size > 50_000) times.clear();
    times.set(text, (ms = Date.parse(text)));
  }
  return ms;
}

/** Keeps the newer of two versions of one alert: answers to actions and the stream race each other. */
export function newer(known: Alert | undefined, incoming: Alert): Alert {
  return known && known.version > incoming.version ? known : incoming;
}

/** `m:ss` under an hour, else `h:mm:ss` however many hours; a negative age (clock ahead) is shown as zero. */
export function formatAge(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  return s < 3600 ? `${minutes}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(minutes % 60)}:${two(s % 60)}`;
}

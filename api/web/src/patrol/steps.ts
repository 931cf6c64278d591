// Pure judgements about an order: how far it is, which answer comes next, how far away the place is.

import type { AlertState, LatLon } from "../types";
import type { Waiting } from "./outbox";
import type { Answer, OrderAlert } from "./types";

/** The way of an order as the unit walks it. */
export const STEPS = ["accept", "en_route", "on_scene", "done"] as const;
export type Step = (typeof STEPS)[number];

const REACHED: Partial<Record<AlertState, number>> = { dispatched: 0, accepted: 1, en_route: 2, on_scene: 3 };

/** How many steps the hub knows of. */
export function reached(alert: OrderAlert): number {
  if (alert.progress?.done_at) return STEPS.length;
  return REACHED[alert.state] ?? 0;
}

/** The next step, waiting answers counted as given; none when nothing is left or the unit has declined. */
export function nextStep(alert: OrderAlert, waiting: readonly Waiting[]): Step | null {
  const ours = waiting.filter((w) => w.alert === alert.id).map((w) => w.answer);
  if (ours.includes("decline")) return null;
  const last = Math.max(reached(alert), ...STEPS.map((step, i) => (ours.includes(step) ? i + 1 : 0)));
  return STEPS[last] ?? null;
}

/** Until the unit is there it can still say that it cannot go. */
export function mayDecline(alert: OrderAlert, waiting: readonly Waiting[]): boolean {
  const next = nextStep(alert, waiting);
  return next === "accept" || next === "en_route" || next === "on_scene";
}

/** Receipts the hub does not have yet: the order is on this device; it is on its screen. */
export function receiptsDue(alert: OrderAlert, visible: boolean, waiting: readonly Waiting[]): Answer[] {
  if (alert.state === "closed" || alert.unit === null) return [];
  const due: Answer[] = [];
  const has = (answer: Answer) => waiting.some((w) => w.alert === alert.id && w.answer === answer);
  if (!alert.progress?.delivered_at && !has("delivered")) due.push("delivered");
  if (visible && !alert.progress?.seen_at && !has("seen")) due.push("seen");
  return due;
}

const EARTH_M = 6_371_008.8;

/** Great-circle distance in metres: a straight line, no roads. */
export function distanceM(a: LatLon, b: LatLon): number {
  const rad = (deg: number) => (deg * Math.PI) / 180;
  const h = Math.sin(rad(b[0] - a[0]) / 2) ** 2 + Math.cos(rad(a[0])) * Math.cos(rad(b[0])) * Math.sin(rad(b[1] - a[1]) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

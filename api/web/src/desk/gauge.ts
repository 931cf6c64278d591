// Where the numbers of a gathering stand on their scale, as shares of its length. Pure.

import type { CrowdPart, CrowdReason } from "../types";

export interface Gauge { now: number; low: number | null; high: number | null; usual: number | null; bound: number | null; limit: number | null; peak: number }

/** Room to the right of the largest number. */
const ROOM = 1.08;
/** A scale never ends below this many people: two people against one must not look like a crowd. */
const LEAST = 8;

export function gauge(crowd: Pick<CrowdPart, "people" | "low" | "high" | "peak" | "limit" | "baseline" | "baseline_bound">): Gauge {
  const all = [crowd.people, crowd.high, crowd.peak, crowd.limit, crowd.baseline, crowd.baseline_bound].filter((v): v is number => v !== null && Number.isFinite(v));
  const end = Math.max(LEAST, ...all) * ROOM;
  const share = (v: number) => Math.min(1, Math.max(0, v / end));
  const may = (v: number | null) => (v === null || !Number.isFinite(v) ? null : share(v));
  return { now: share(crowd.people), low: may(crowd.low), high: may(crowd.high), usual: may(crowd.baseline), bound: may(crowd.baseline_bound), limit: may(crowd.limit), peak: share(crowd.peak) };
}

/** What a reason saw against its bound; null where there is no bound to stand against. */
export function reasonBar(reason: CrowdReason): { observed: number; bound: number } | null {
  if (!(reason.bound > 0) || !Number.isFinite(reason.observed) || reason.code === "persistent" || reason.code === "growth" || reason.code === "closed_hours") return null;
  const end = Math.max(reason.observed, reason.bound) * ROOM;
  return { observed: Math.max(0, reason.observed) / end, bound: reason.bound / end };
}

// Pure judgements about alerts: what comes first in the queue, and what must ring. No signals, no DOM, no clock.

import type { Alert, Level } from "./types";

const LEVEL: Record<Level, number> = { critical: 0, warning: 1, watch: 2, notice: 3 };
const KIND = { alarm: 0, incident: 1, crowd: 2 } as const;

/** An alarm that nobody has claimed yet: it rings until somebody does. Crowd notices and incidents never ring. */
export function rings(alert: Alert): boolean {
  return alert.kind === "alarm" && alert.state === "raised";
}

/** Alarms first, then by level; among equals the unclaimed before the claimed and the oldest first. */
export function compareAlerts(a: Alert, b: Alert): number {
  return (
    KIND[a.kind] - KIND[b.kind] ||
    LEVEL[a.level] - LEVEL[b.level] ||
    Number(a.state !== "raised") - Number(b.state !== "raised") ||
    Date.parse(a.raised_at) - Date.parse(b.raised_at) ||
    a.id - b.id
  );
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

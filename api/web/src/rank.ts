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

/** `m:ss` under an hour, `h:mm:ss` under a day, else `d:hh:mm`; a negative age (clock ahead) is shown as zero. */
export function formatAge(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86_400) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return `${Math.floor(s / 86_400)}d ${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}`;
}

/** Counts are estimates: one digit under ten when it says something, whole people above. */
export function formatPeople(people: number): string {
  const rounded = people < 10 ? Math.round(people * 10) / 10 : Math.round(people);
  return String(rounded);
}

// The rows of the queue as they stand on the screen now: single alerts, and groups in a flood. Read by the list and by the keys.

import { computed, signal } from "@preact/signals";
import { queue } from "../store";
import { isFlood, rowsOf } from "./flood";

/** Groups that the person has opened. */
const opened = signal<ReadonlySet<string>>(new Set());

export const flood = computed(() => isFlood(queue.value));
export const rows = computed(() => rowsOf(queue.value, opened.value));

export function toggleGroup(key: string): void {
  const next = new Set(opened.value);
  if (!next.delete(key)) next.add(key);
  opened.value = next;
}

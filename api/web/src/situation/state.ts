// What the pages of the situation show, kept while a person looks at another page.

import { signal } from "@preact/signals";
import type { Seen } from "./hub";

export type View = "map" | "area" | "method";

export const view = signal<View>("map");
export const seen = signal<Seen>({ kind: "overall", id: null });
/** Null: the newest period. */
export const at = signal<string | null>(null);
export const area = signal<string | null>(null);
export const presenting = signal(false);

export function openArea(kato: string): void {
  area.value = kato;
  view.value = "area";
}

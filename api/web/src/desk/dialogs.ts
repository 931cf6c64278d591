// Which dialog of the desk is open. At most one: a second would hide the first.

import { signal } from "@preact/signals";
import type { LatLon } from "../types";

export type DialogState =
  | { kind: "sound" }
  | { kind: "help" }
  | { kind: "dispatch"; alert: number }
  | { kind: "close"; alert: number }
  | { kind: "reason"; alert: number; action: "note" | "release" | "decline" | "share" }
  | { kind: "real"; alert: number }
  | { kind: "plan"; site: string; updated: string }
  | { kind: "shift" }
  | { kind: "give" }
  | { kind: "take" }
  | { kind: "still"; camera: string }
  | { kind: "live"; camera: string }
  | { kind: "clip"; alert: number; camera: string }
  | { kind: "recording"; camera: string };

export const dialog = signal<DialogState | null>(null);
export const closeDialog = () => (dialog.value = null);

/** The incident that is being written. Not a dialog: the map beside it takes the click that says where. */
export interface Draft { text: string; site: string | null; at: LatLon | null; picking: boolean }
export const draft = signal<Draft | null>(null);
export const beginIncident = (site: string | null) => (draft.value ??= { text: "", site, at: null, picking: false });

// Which dialog of the desk is open. At most one: a second would hide the first.

import { signal } from "@preact/signals";

export type DialogState =
  | { kind: "sound" }
  | { kind: "help" }
  | { kind: "incident"; site: string | null }
  | { kind: "dispatch"; alert: number }
  | { kind: "close"; alert: number }
  | { kind: "reason"; alert: number; action: "note" | "release" | "decline" }
  | { kind: "still"; camera: string };

export const dialog = signal<DialogState | null>(null);
export const closeDialog = () => (dialog.value = null);

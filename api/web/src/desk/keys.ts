// Keys of the desk. Letters are read by their place on the keyboard (`code`), so that they work in the Kazakh and Russian
// layouts too. Nothing happens while a dialog or a field has the focus, or when the person switched the letters off.

import { keysOn } from "../prefs";
import { current, locked, page, queue, selectedAlert, selectedCamera, sessionEnded, can } from "../store";
import { ask } from "./acting";
import { beginIncident, dialog } from "./dialogs";
import { rows } from "./rows";
import { extendAll } from "../seeing/viewing";
import type { Action } from "../types";

const ACTION: Record<string, Action> = { KeyC: "claim", KeyD: "dispatch", KeyX: "close", KeyW: "note", KeyR: "release" };

export function listenToKeys(): () => void {
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (dialog.value || page.value !== "desk" || sessionEnded.value || locked.value || isField(event.target)) return;
  if (handle(event)) event.preventDefault();
}

function handle(event: KeyboardEvent): boolean {
  if (event.key === "Escape") {
    if (selectedAlert.value === null && selectedCamera.value === null) return false;
    const back = selectedAlert.value;
    selectedAlert.value = null;
    selectedCamera.value = null;
    requestAnimationFrame(() => focusCard(back ?? queue.value[0]?.id));
    return true;
  }
  if (event.key === "F1" || event.key === "?") {
    dialog.value = { kind: "help" };
    return true;
  }
  const inQueue = event.target instanceof HTMLElement && (event.target === document.body || event.target.closest("[data-row]") !== null);
  if (inQueue && event.key === "ArrowDown") return move(1);
  if (inQueue && event.key === "ArrowUp") return move(-1);
  if (!keysOn.value || event.shiftKey) return false;
  if (event.code === "KeyJ") return move(1);
  if (event.code === "KeyK") return move(-1);
  if ((event.code === "KeyN" || event.code === "KeyI") && can("incidents.open")) {
    // Empty: a call is seldom about what happens to be open.
    beginIncident(null);
    return true;
  }
  if (event.code === "KeyE") return extendAll();
  if (event.code === "KeyG" && can("shift")) {
    dialog.value = { kind: "shift" };
    return true;
  }
  if (event.code === "KeyS" && can("desk.sound")) {
    dialog.value = { kind: "sound" };
    return true;
  }
  const action = ACTION[event.code];
  const alert = current.value ?? queue.value.find((a) => a.id === selectedAlert.value);
  if (!action || !alert) return false;
  ask(alert, action);
  return true;
}

/** Walks the rows as they stand. A group is only pointed at: Enter opens it. */
function move(step: 1 | -1): boolean {
  const all = rows.value;
  if (all.length === 0) return false;
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["row"] : undefined;
  const from = focused ?? (selectedAlert.value === null ? undefined : `a${selectedAlert.value}`);
  const at = from === undefined ? -1 : all.findIndex((r) => r.key === from);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]!;
  if (next.type === "alert") {
    selectedCamera.value = null;
    selectedAlert.value = next.alert.id;
  }
  requestAnimationFrame(() => focusRow(next.key));
  return true;
}

function focusRow(key: string): void {
  document.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)?.focus();
}

function focusCard(id: number | undefined): void {
  document.querySelector<HTMLElement>(`[data-alert="${id}"]`)?.focus();
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.closest("input, textarea, select, dialog") !== null);
}

// Sends an action of a person to the hub and puts the answer into the store. A refusal is said in words; when another desk was
// faster, its version of the alert replaces ours at once.

import { signal } from "@preact/signals";
import { api, ApiError } from "../api";
import { putAlert, session } from "../store";
import { t } from "../i18n";
import { rescueFocus } from "../ui/focus";
import { say } from "../ui/toast";
import { problem, unitName } from "../words";
import { dialog } from "./dialogs";
import type { Action, Alert, CloseReason } from "../types";

/** The alert and action under way, so that no button is pressed twice. */
export const acting = signal<string | null>(null);
/** Counts actions, so that the log of the open alert is read again. */
export const acted = signal(0);

/** Receipts are given in silence. */
type Said = Exclude<Action, "shown" | "delivered" | "seen">;
interface More { unit?: string; reason?: string; close_reason?: CloseReason }

/** Returns whether the hub took it. */
export async function act(alert: Alert, action: Action, more: More = {}): Promise<boolean> {
  const key = `${alert.id}/${action}`;
  if (acting.value !== null) return false;
  acting.value = key;
  try {
    putAlert(await api.act(alert.id, action, more));
    say(action === "dispatch" && more.unit ? t("done.dispatch_to", { unit: unitName(more.unit) }) : t(`done.${action as Said}`));
    return true;
  } catch (error) {
    learn(error);
    say(problem(error), true);
    return false;
  } finally {
    acting.value = null;
    acted.value++;
    rescueFocus();
  }
}

/** Claims a group one after the other; what somebody else took meanwhile is counted, not fought for. */
export async function claimAll(alerts: readonly Alert[]): Promise<void> {
  if (acting.value !== null) return;
  acting.value = "group";
  let mine = 0;
  const others = new Set<string>();
  try {
    for (const alert of alerts) {
      try {
        putAlert(await api.act(alert.id, "claim"));
        mine++;
      } catch (error) {
        learn(error);
        if (!(error instanceof ApiError && error.code === "already_claimed")) throw error;
        others.add(String(error.body["claimed_by"] ?? "?"));
      }
    }
    say(others.size > 0 ? t("flood.claimed_some", { count: mine, who: [...others].join(", ") }) : t("flood.claimed", { count: mine }));
  } catch (error) {
    say(t("flood.claim_stopped", { count: mine, why: problem(error) }), true);
  } finally {
    acting.value = null;
    acted.value++;
    rescueFocus();
  }
}

/** A refusal brings the alert as it is now: another desk's claim shows at once. */
function learn(error: unknown): void {
  if (error instanceof ApiError && isAlert(error.body["alert"])) putAlert(error.body["alert"]);
}

/** A key or button asks for an action: those that need a word of the person open their dialog first. */
export function ask(alert: Alert, action: Action): void {
  if (!alert.allowed.includes(action)) {
    const mine = alert.claimed_by === session.value?.user;
    say(alert.claimed_by && !mine ? t("error.already_claimed", { who: alert.claimed_by }) : t("error.not_now"), true);
    return;
  }
  if (action === "dispatch") dialog.value = { kind: "dispatch", alert: alert.id };
  else if (action === "close") dialog.value = { kind: "close", alert: alert.id };
  else if (action === "real") dialog.value = { kind: "real", alert: alert.id };
  else if (action === "note" || action === "release" || action === "decline" || action === "share") dialog.value = { kind: "reason", alert: alert.id, action };
  else void act(alert, action);
}

function isAlert(value: unknown): value is Alert {
  return typeof value === "object" && value !== null && "id" in value && "version" in value && "allowed" in value;
}

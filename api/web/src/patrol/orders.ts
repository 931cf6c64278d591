// The order that stands, its answers, and when each was given. Fed by the stream (any change of an alert of ours) and by the hub's
// own answer to `GET order`; works on without a line.

import { effect, signal, untracked } from "@preact/signals";
import { api, ApiError } from "../api";
import { link, now, putAlert, queue, session, sessionEnded } from "../store";
import { problem } from "../words";
import { say } from "../ui/toast";
import { callCrew, hush } from "./call";
import { Outbox, type Sent, type Waiting } from "./outbox";
import { reached, receiptsDue, STEPS } from "./steps";
import type { Answer, Order, OrderAlert } from "./types";
import type { Alert } from "../types";

export const order = signal<Order | null>(null);
export const orderLoaded = signal(false);
export const orderError = signal<unknown>(null);
/** Answers that wait for the line. */
export const waiting = signal<readonly Waiting[]>([]);
/** When the hub had an answer to the standing order, by `alert/answer`. */
export const had = signal<ReadonlyMap<string, string>>(new Map());
/** The last order that was finished here: what the page says when nothing stands. */
export const finished = signal<{ at: string } | null>(null);

const STORE = "qorgan.patrol.answers";
/** The alert that the crew was called for. */
let calledFor: number | null = null;
/** Receipts that were tried for this version of the alert; a refused one is not tried for ever. */
const tried = new Set<string>();

const outbox = new Outbox({
  send,
  load: () => {
    try {
      return JSON.parse(localStorage.getItem(STORE) ?? "[]") as Waiting[];
    } catch {
      return [];
    }
  },
  save: (items) => {
    try {
      localStorage.setItem(STORE, JSON.stringify(items));
    } catch {
      // Then they last as long as the page.
    }
  },
  changed: (items) => (waiting.value = items),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
});
waiting.value = outbox.items;

async function send(item: Waiting): Promise<Sent> {
  try {
    const alert = await api.answer(item.alert, item.answer, item.reason);
    note(item, alert.updated_at);
    putAlert(alert as unknown as Alert);
    merge(alert);
    return "taken";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 0 || error.status >= 500 || error.status === 401 || error.status === 429) return "later";
    // A receipt that was noted already, or an answer that somebody wrote down for us: the hub's state counts.
    const receipt = item.answer === "delivered" || item.answer === "seen";
    if (!receipt) {
      say(problem(error), true);
      void refresh();
    }
    return "refused";
  }
}

export function answer(kind: Answer, reason?: string): void {
  const alert = order.value?.alert;
  if (!alert) return;
  hush();
  outbox.add({ alert: alert.id, answer: kind, at: now.value, ...(reason ? { reason } : {}) });
}

function note(item: Waiting, at: string): void {
  const next = new Map(had.value);
  next.set(`${item.alert}/${item.answer}`, at);
  had.value = next;
  if (item.answer === "done") finished.value = { at };
}

/** Takes a newer version of the alert into the standing order. */
function merge(alert: OrderAlert): void {
  const known = order.value;
  if (known && known.alert.id === alert.id && alert.version >= known.alert.version) order.value = { ...known, alert };
}

const ASK_AGAIN_MS = 4000;
let asked = 0;
let again: ReturnType<typeof setTimeout> | undefined;

/** Asks the hub which order stands. Of two questions under way the later one counts. */
export async function refresh(): Promise<void> {
  const turn = ++asked;
  try {
    const standing = await api.order();
    if (turn !== asked) return;
    orderError.value = null;
    orderLoaded.value = true;
    order.value = standing;
    outbox.keepOnly(standing?.alert.id ?? null);
    if (standing) await history(standing.alert);
  } catch (error) {
    if (turn !== asked) return;
    // The order on the screen stays: an old one is worth more than none.
    orderError.value = error;
    clearTimeout(again);
    again = setTimeout(() => void refresh(), ASK_AGAIN_MS);
  }
}

/** When each step was taken, also by another phone or by the desk for us. */
async function history(alert: OrderAlert): Promise<void> {
  if (reached(alert) === 0) return;
  const { transitions } = await api.alert(alert.id);
  const from = transitions.findLastIndex((line) => line.action === "dispatch");
  const next = new Map(had.value);
  for (const line of transitions.slice(from + 1)) {
    if ((STEPS as readonly string[]).includes(line.action)) next.set(`${alert.id}/${line.action}`, line.at);
  }
  had.value = next;
}

/** What makes the page ask again: another alert, a new order to the same one, the end of it. Steps come with the stream. */
function trace(alert: OrderAlert): string {
  return `${alert.id} ${alert.progress?.sent_at ?? "new"} ${alert.progress?.done_at ? "done" : ""}`;
}

/** Follows stream, line and visibility until told to stop. */
export function follow(): () => void {
  const visible = signal(document.visibilityState === "visible");
  const look = () => (visible.value = document.visibilityState === "visible");
  const back = () => void outbox.flush();
  document.addEventListener("visibilitychange", look);
  addEventListener("online", back);
  let last = "";
  const stops = [
    effect(() => {
      const ours = (queue.value as unknown as OrderAlert[]).filter((alert) => alert.unit === session.value?.unit);
      const traces = ours.map(trace).join("\n");
      untracked(() => {
        const before = order.value?.alert;
        for (const alert of ours) merge(alert);
        const standing = order.value?.alert;
        // The desk or another phone wrote a step down for us: its time is in the history.
        if (standing && before?.id === standing.id && before.state !== standing.state) history(standing).catch((e: unknown) => console.debug("history:", e));
        if (traces === last && orderLoaded.value) return;
        last = traces;
        void refresh();
      });
    }),
    effect(() => {
      if (link.value !== "live" || sessionEnded.value) return;
      untracked(() => {
        void outbox.flush();
        if (orderError.value) void refresh();
      });
    }),
    effect(() => {
      const alert = order.value?.alert;
      const shown = visible.value;
      if (!alert) {
        calledFor = null;
        hush();
        return;
      }
      untracked(() => {
        // The receipts begin anew with every order: one that is new again calls again.
        if (alert.state !== "dispatched" || alert.progress?.seen_at) calledFor = null;
        else if (calledFor !== alert.id) {
          calledFor = alert.id;
          finished.value = null;
          callCrew();
        }
        for (const due of receiptsDue(alert, shown, outbox.items)) {
          const key = `${alert.id} ${alert.version} ${due}`;
          if (tried.has(key)) continue;
          tried.add(key);
          answerQuietly(alert.id, due);
        }
      });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    clearTimeout(again);
    asked++;
    // Whoever logs in next on this phone may be another unit.
    order.value = null;
    orderLoaded.value = false;
    orderError.value = null;
    had.value = new Map();
    finished.value = null;
    document.removeEventListener("visibilitychange", look);
    removeEventListener("online", back);
  };
}

function answerQuietly(alert: number, kind: Answer): void {
  outbox.add({ alert, answer: kind, at: now.value });
}

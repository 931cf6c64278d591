// The receipt "on the screen of a desk": an alarm row, group or banner that really stood on a visible page, told to the hub in
// batches. Off the screen, behind another tab or in a hidden window it does not count.

import { useEffect, useRef } from "preact/hooks";
import { api } from "../api";
import { can, locked, sessionEnded } from "../store";
import type { Alert } from "../types";

const GATHER_MS = 40;
/** A flood goes in several letters. */
const LETTER = 500;
const RETRY_MS = 2000;

const told = new Set<number>();
const pending = new Set<number>();
/** What stands in view while the window is hidden; told when it comes back. */
const inView = new Map<Element, readonly number[]>();
let timer: ReturnType<typeof setTimeout> | undefined;
let observer: IntersectionObserver | undefined;

/** The alerts that `element` stands for. */
export function useShown(alerts: readonly Alert[]): { current: HTMLElement | null } {
  const ref = useRef<HTMLElement>(null);
  // Receipts are for alarms that have none yet: other desks' receipts count as well as ours.
  const ids = can("desk.sound") ? alerts.filter((a) => a.kind === "alarm" && a.state !== "closed" && !a.progress?.shown_at && !told.has(a.id)).map((a) => a.id) : [];
  const key = ids.join();
  useEffect(() => {
    const element = ref.current;
    if (!element || ids.length === 0) return;
    observer ??= watch();
    waiting.set(element, ids);
    observer.observe(element);
    return () => {
      observer?.unobserve(element);
      waiting.delete(element);
      inView.delete(element);
    };
  }, [key]);
  return ref;
}

const waiting = new WeakMap<Element, readonly number[]>();

function watch(): IntersectionObserver {
  document.addEventListener("visibilitychange", collect);
  return new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const ids = waiting.get(target);
      if (isIntersecting && ids) inView.set(target, ids);
      else inView.delete(target);
    }
    collect();
  });
}

function collect(): void {
  // A locked desk rings and shows, but nobody sits before it.
  if (document.visibilityState !== "visible" || locked.value || sessionEnded.value) return;
  for (const ids of inView.values()) for (const id of ids) if (!told.has(id)) pending.add(id);
  if (pending.size > 0) timer ??= setTimeout(() => void send(), GATHER_MS);
}

async function send(): Promise<void> {
  const ids = [...pending].slice(0, LETTER);
  ids.forEach((id) => pending.delete(id));
  let wait = GATHER_MS;
  try {
    await api.shown(ids);
    ids.forEach((id) => told.add(id));
    if (told.size > 50_000) told.clear();
  } catch (error) {
    console.debug("shown:", error);
    ids.forEach((id) => pending.add(id));
    wait = RETRY_MS;
  }
  timer = pending.size > 0 && !sessionEnded.value ? setTimeout(() => void send(), wait) : undefined;
}

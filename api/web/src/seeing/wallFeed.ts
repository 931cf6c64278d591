// Which pictures of the wall are asked for, and when: only those of tiles on the screen, at most two at a time, the one that waits
// longest first. Nothing while the page is hidden.

import { api, ApiError } from "../api";

export type WallState =
  | { kind: "loading" }
  | { kind: "picture"; url: string; at: number }
  | { kind: "withheld" }
  | { kind: "none" }
  | { kind: "failed" };

const EVERY_MS = 4000;
const AT_ONCE = 2;

interface Tile { id: string; set: (state: WallState) => void; visible: boolean; due: number; busy: boolean; seen: string; url: string | null }

const tiles = new Map<Element, Tile>();
let running = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let watcher: IntersectionObserver | null = null;

/** Keeps a tile's picture up to date while it is on the screen; gives what ends that. */
export function follow(id: string, element: Element, set: (state: WallState) => void): () => void {
  watcher ??= new IntersectionObserver((seen) => {
    for (const entry of seen) {
      const tile = tiles.get(entry.target);
      if (tile) tile.visible = entry.isIntersecting;
    }
    next();
  }, { rootMargin: "120px" });
  tiles.set(element, { id, set, visible: false, due: 0, busy: false, seen: "", url: null });
  watcher.observe(element);
  if (tiles.size === 1) document.addEventListener("visibilitychange", next);
  return () => {
    const tile = tiles.get(element);
    tiles.delete(element);
    watcher?.unobserve(element);
    if (tile?.url) URL.revokeObjectURL(tile.url);
    if (tiles.size === 0) {
      document.removeEventListener("visibilitychange", next);
      clearTimeout(timer);
    }
  };
}

function next(): void {
  clearTimeout(timer);
  if (document.visibilityState !== "visible") return;
  const at = performance.now();
  const waiting = [...tiles.values()].filter((tile) => tile.visible && !tile.busy).sort((a, b) => a.due - b.due);
  for (const tile of waiting) {
    if (running >= AT_ONCE) return;
    if (tile.due > at) {
      timer = setTimeout(next, tile.due - at);
      return;
    }
    running++;
    void ask(tile).finally(() => {
      running--;
      tile.busy = false;
      tile.due = performance.now() + EVERY_MS;
      next();
    });
  }
}

async function ask(tile: Tile): Promise<void> {
  tile.busy = true;
  try {
    const answer = await api.wall(tile.id, tile.seen);
    // Unchanged: what is shown is the newest there is.
    if (answer === null) return;
    const before = tile.url;
    tile.seen = answer.seen;
    tile.url = URL.createObjectURL(answer.picture);
    tile.set({ kind: "picture", url: tile.url, at: answer.at });
    if (before) setTimeout(() => URL.revokeObjectURL(before), 1000);
  } catch (error) {
    tile.seen = "";
    const code = error instanceof ApiError ? error.code : "";
    tile.set({ kind: code === "withheld" ? "withheld" : code === "no_picture" ? "none" : "failed" });
  }
}

// Answers on their way to the hub: kept on the phone until the hub has them, sent one after another, in the order they were given.
// What the hub refuses is put aside and told; what the line loses is tried again.

import type { Answer } from "./types";

export interface Waiting { alert: number; answer: Answer; reason?: string; at: number }

export type Sent = "taken" | "refused" | "later";

export interface OutboxParts {
  /** Tells the hub. `later`: the line or the session is gone. */
  send(item: Waiting): Promise<Sent>;
  load(): Waiting[];
  save(items: readonly Waiting[]): void;
  changed(items: readonly Waiting[]): void;
  /** Calls back after so many milliseconds; returns how to call that off. */
  after(ms: number, run: () => void): () => void;
}

const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];

export class Outbox {
  #items: Waiting[];
  #busy = false;
  #attempt = 0;
  #callOff: (() => void) | undefined;

  constructor(private readonly parts: OutboxParts) {
    this.#items = parts.load();
  }

  get items(): readonly Waiting[] {
    return this.#items;
  }

  /** The same answer to the same order waits once. */
  add(item: Waiting): void {
    if (this.#items.some((w) => w.alert === item.alert && w.answer === item.answer)) return;
    this.#set([...this.#items, item]);
    void this.flush();
  }

  /** Answers to an order that stands no more say nothing to anybody. */
  keepOnly(alert: number | null): void {
    const kept = this.#items.filter((w) => w.alert === alert);
    if (kept.length !== this.#items.length) this.#set(kept);
  }

  /** Sends what waits, now: the line may be back. */
  async flush(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#callOff?.();
    this.#callOff = undefined;
    try {
      for (let first = this.#items[0]; first; first = this.#items[0]) {
        const sent = await this.parts.send(first);
        if (sent === "later") {
          const wait = RETRY_MS[Math.min(this.#attempt++, RETRY_MS.length - 1)] ?? 15_000;
          this.#callOff = this.parts.after(wait, () => void this.flush());
          return;
        }
        this.#attempt = 0;
        const done = first;
        this.#set(this.#items.filter((w) => w !== done));
      }
    } finally {
      this.#busy = false;
    }
  }

  #set(items: Waiting[]): void {
    this.#items = items;
    this.parts.save(items);
    this.parts.changed(items);
  }
}

// Presses on their way. Each is written down before it is sent and sent again, under the same number, until the hub says that it is
// stored: a reload or a dead tab goes on where it was. The hub knows a repeat by (boot, seq).

import { ask, type Kind } from "./hub";

export interface Press {
  kind: Kind;
  seq: number;
  boot: string;
  /** When it was pressed, by this phone. */
  at: number;
  test: boolean;
  /** The hub's word; none while it is on its way. */
  storedAt?: string;
  /** Tries that got no receipt. */
  failed: number;
  /** The hub's last refusal that no further try would change. */
  refused?: string;
}

/** An older press that never arrived is not sent without asking: help would come to what is over. */
const OLD_MS = 30 * 60_000;
/** A receipt is shown for so long. */
const SHOWN_MS = 10 * 60_000;
const WAITS_MS = [300, 700, 1_500, 3_000, 5_000];

const KEY = "qorgan.phone.press";
const COUNTER = "qorgan.phone.counter";

/** Where presses are kept. A browser that refuses costs the memory over a reload, never the press. */
export interface Shelf {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

export const shelf: Shelf = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Full or forbidden.
    }
  },
};

type Send = typeof ask<{ stored_at: string }>;

export class Outbox {
  presses: Press[];
  /** Told after every change. */
  changed: () => void = () => {};
  /** Told when the hub does not know this phone (any more). */
  lost: (code: string) => void = () => {};
  private sending = new Set<string>();
  private wake = new Map<string, () => void>();
  private counter: { boot: string; seq: number } | null = null;

  constructor(
    private readonly store: Shelf = shelf,
    private readonly send: Send = ask,
    private readonly now: () => number = Date.now,
  ) {
    this.presses = read(store.get(KEY));
    this.forget();
  }

  /** The next number. Where the memory is gone, so is the old boot id: the hub then sees new presses, not repeats. */
  number(): { boot: string; seq: number } {
    const kept = this.counter ?? counter(this.store.get(COUNTER));
    this.counter = kept ? { boot: kept.boot, seq: kept.seq + 1 } : { boot: bootId(), seq: 1 };
    this.store.set(COUNTER, JSON.stringify(this.counter));
    return { ...this.counter };
  }

  press(kind: Kind, test: boolean): void {
    const press: Press = { kind, ...this.number(), at: this.now(), test, failed: 0 };
    // Receipts of earlier presses have been read; what is still on its way stays.
    this.presses = [press, ...this.presses.filter((p) => waits(p))];
    this.keep();
    void this.deliver(press);
  }

  /** Goes on with what is on its way: after a reload, when the line is back, when the page is looked at again. */
  resume(): void {
    for (const press of this.presses) {
      if (!waits(press) || this.isOld(press)) continue;
      this.wake.get(id(press))?.();
      void this.deliver(press);
    }
  }

  /** Pressed so long ago that one asks first. */
  isOld(press: Press): boolean {
    return waits(press) && !this.sending.has(id(press)) && this.now() - press.at > OLD_MS;
  }

  sendOld(press: Press): void {
    void this.deliver(press);
  }

  drop(press: Press): void {
    this.presses = this.presses.filter((p) => id(p) !== id(press));
    this.keep();
  }

  /** Whoever takes the phone into the hand later shall not read what was sent. */
  forget(): void {
    const fresh = this.presses.filter((p) => waits(p) || this.now() - p.at < SHOWN_MS);
    if (fresh.length === this.presses.length) return;
    this.presses = fresh;
    this.keep();
  }

  /** After a cancel: what is stored needs not be shown any more. */
  clearStored(): void {
    this.presses = this.presses.filter(waits);
    this.keep();
  }

  private async deliver(press: Press): Promise<void> {
    const key = id(press);
    if (this.sending.has(key)) return;
    this.sending.add(key);
    this.changed();
    while (this.presses.some((p) => id(p) === key)) {
      const { kind, seq, boot, test } = press;
      const answer = await this.send("POST", "/press", { kind, seq, boot, test, at: new Date(press.at).toISOString() });
      if (answer.body && answer.status > 0) {
        press.storedAt = answer.body.stored_at;
        break;
      }
      press.failed++;
      if (answer.status === 401) {
        this.lost(answer.code);
        break;
      }
      if (answer.status === 422) {
        press.refused = answer.code;
        break;
      }
      this.keep();
      const wait = Math.max(answer.retryAfterMs, WAITS_MS[Math.min(press.failed, WAITS_MS.length) - 1] ?? 0);
      await this.pause(key, wait * (0.85 + Math.random() * 0.3));
    }
    this.sending.delete(key);
    this.keep();
  }

  private pause(key: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wake.delete(key);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wake.set(key, done);
    });
  }

  private keep(): void {
    this.store.set(KEY, JSON.stringify(this.presses));
    this.changed();
  }
}

export const waits = (press: Press): boolean => press.storedAt === undefined && press.refused === undefined;

/** 64 random bits. `crypto.randomUUID` is missing on older phones. */
function bootId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const id = (press: Press) => `${press.boot}/${press.seq}`;

function read(text: string | null): Press[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(list)) return [];
    return (list as Press[]).filter((p) => typeof p.seq === "number" && typeof p.boot === "string" && typeof p.at === "number");
  } catch {
    return [];
  }
}

function counter(text: string | null): { boot: string; seq: number } | null {
  try {
    const kept = JSON.parse(text ?? "null") as { boot?: unknown; seq?: unknown } | null;
    return kept && typeof kept.boot === "string" && Number.isSafeInteger(kept.seq) ? { boot: kept.boot, seq: kept.seq as number } : null;
  } catch {
    return null;
  }
}

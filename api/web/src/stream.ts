// The live stream of the hub (server-sent events) over fetch. Not EventSource: that hides the keep-alive comments, so a dead
// connection would look live for minutes, and it hides the status, so an expired session would look like a broken network.

import type { Changes, Snapshot } from "./types";

/** The hub sends a comment every 10 s; two missed ones and a bit mean that the line is dead. */
const SILENCE_MS = 25_000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export interface StreamHandlers {
  snapshot(data: Snapshot): void;
  changes(data: Changes): void;
  /** Bytes arrive. */
  live(): void;
  /** The line is down; it is tried again by itself. */
  down(): void;
  /** The session ended: log in again, then `start` again. */
  ended(): void;
}

export interface SseEvent { event: string; id: string | undefined; data: string }

/** Cuts a chunked SSE body into events. Keeps what is incomplete until the next chunk. */
export class SseParser {
  #rest = "";
  /** Pieces of a line that goes on: a snapshot of thousands of alarms is one line, and is not searched anew with every piece. */
  #pieces: string[] = [];
  #event = "";
  #id: string | undefined;
  #data: string[] = [];

  push(chunk: string): SseEvent[] {
    const out: SseEvent[] = [];
    if (!/[\r\n]/.test(chunk) && !this.#rest.endsWith("\r")) {
      this.#pieces.push(chunk);
      return out;
    }
    const lines = (this.#rest + this.#pieces.join("") + chunk).split(/\r\n|\n|\r(?!$)/);
    this.#pieces = [];
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length > 0) out.push({ event: this.#event || "message", id: this.#id, data: this.#data.join("\n") });
        this.#event = "";
        this.#data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") this.#event = value;
      else if (field === "data") this.#data.push(value);
      else if (field === "id") this.#id = value;
    }
    return out;
  }
}

export class Stream {
  #cursor = "";
  #attempt = 0;
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly on: StreamHandlers) {}

  start(): void {
    this.stop();
    void this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = undefined;
  }

  /** After a change of user the place in the old stream means nothing. */
  forget(): void {
    this.#cursor = "";
  }

  async #run(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      if ((await this.#once(abort)) === "ended") {
        this.on.ended();
        return;
      }
    } catch (cause) {
      // Seen by people as "reconnecting since"; the cause helps whoever opens the console.
      if (!abort.signal.aborted) console.debug("stream:", cause);
    }
    if (this.#abort !== abort) return;
    this.on.down();
    const wait = RETRY_MS[Math.min(this.#attempt++, RETRY_MS.length - 1)] ?? 8000;
    this.#timer = setTimeout(() => void this.#run(), wait * (0.75 + Math.random() / 2));
  }

  async #once(abort: AbortController): Promise<"ended" | "closed"> {
    let watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (this.#cursor) headers["last-event-id"] = this.#cursor;
      const response = await fetch("/api/v1/stream", { headers, signal: abort.signal, cache: "no-store", credentials: "same-origin" });
      if (response.status === 401) return "ended";
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      const reader = response.body.getReader();
      const text = new TextDecoder();
      const parser = new SseParser();
      this.on.live();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "closed";
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
        for (const event of parser.push(text.decode(value, { stream: true }))) {
          if (event.event === "end") return "ended";
          this.#deliver(event);
        }
      }
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
  }

  #deliver(event: SseEvent): void {
    if (event.event !== "snapshot" && event.event !== "changes") return;
    const data = JSON.parse(event.data) as Snapshot & Changes;
    this.#cursor = data.cursor;
    this.#attempt = 0;
    if (event.event === "snapshot") this.on.snapshot(data);
    else this.on.changes(data);
  }
}

// One live view: opened with a reason, played through Media Source Extensions or shown picture by picture, ended by whichever
// comes first. The hub decides when it ends; this side only says so and lets go of the pictures.

import { signal } from "@preact/signals";
import { api } from "../api";
import { problem } from "../words";
import { Player } from "./player";
import type { Opened } from "../types";

export type Look = "opening" | "waiting" | "video" | "pictures" | "away" | "ended" | "failed";
type Told =
  | { kind: "video"; mime: string; width: number; height: number }
  | { kind: "pictures"; why: "privacy_masks" | "codec" | "masked" }
  | { kind: "missed"; count: number }
  | { kind: "away"; fault: string }
  | { kind: "until"; until: string }
  | { kind: "withheld"; message: string }
  | { kind: "end"; why: string };

/** A close that means "I come back": 1000 would end the viewing. */
const COME_BACK = 4000;
/** The hub lets a viewing without a line live for 15 s. */
const RETRY_MS = [400, 1500, 3000, 5000];
/** Nothing for so long: the picture that stands there is old, and says so. */
const SILENT_MS = 8000;

/** All that are open on this page; the key that extends reaches every one. */
export const open = signal<readonly Viewing[]>([]);

export class Viewing {
  readonly look = signal<Look>("opening");
  /** Code of why it ended, is away, or comes picture by picture; or words of the hub. */
  readonly why = signal("");
  readonly until = signal<number | null>(null);
  readonly missed = signal(0);
  /** Pictures that came one by one. */
  readonly picture = signal<string | null>(null);
  readonly pictureAt = signal(0);
  readonly extending = signal(false);
  #id: string | null = null;
  #socket: WebSocket | null = null;
  #player: Player | null = null;
  #tries = 0;
  #over = false;
  #singly = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly begin: () => Promise<Opened>,
    private readonly video: () => HTMLVideoElement | null,
  ) {
    open.value = [...open.peek(), this];
    void this.#open();
  }

  async #open(): Promise<void> {
    try {
      const opened = await this.begin();
      this.#id = opened.id;
      this.until.value = Date.parse(opened.until);
      // Closed before it was there.
      if (this.#over) return void api.closeLive(opened.id);
      this.look.value = "waiting";
      this.#singly = !Player.possible();
      this.#connect();
    } catch (error) {
      this.#finish("failed", problem(error));
    }
  }

  #connect(): void {
    const socket = new WebSocket(api.liveUrl(this.#id!, this.#singly));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let pictures = this.#singly;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.#tries = 0;
      this.#listen();
      if (typeof data !== "string") return pictures ? this.#show(data) : this.#feed(data);
      const told = JSON.parse(data) as Told;
      if (told.kind === "pictures") {
        pictures = true;
        this.#player?.stop();
        this.#player = null;
      }
      this.#told(told);
    };
    socket.onclose = () => {
      if (this.#over || this.#socket !== socket) return;
      const wait = RETRY_MS[this.#tries++];
      if (wait === undefined) return this.#finish("ended", "left");
      if (this.look.value !== "opening") this.look.value = "waiting";
      this.#timer = setTimeout(() => this.#connect(), wait);
    };
  }

  #told(told: Told): void {
    switch (told.kind) {
      case "video": {
        if (!Player.plays(told.mime)) {
          // This browser has no decoder for it (H.265, mostly): the hub decodes single pictures instead.
          this.#singly = true;
          this.#socket?.close(COME_BACK);
          return;
        }
        const video = this.video();
        if (!this.#player && video) this.#player = new Player(video, () => this.#broken());
        this.#player?.stream(told.mime);
        this.why.value = "";
        break;
      }
      case "pictures": this.why.value = told.why; break;
      case "missed": this.missed.value += told.count; break;
      case "away":
        this.look.value = "away";
        this.why.value = told.fault;
        break;
      case "until": this.until.value = Date.parse(told.until); break;
      case "withheld": this.#finish("failed", told.message); break;
      case "end": this.#finish("ended", told.why); break;
    }
  }

  #feed(data: ArrayBuffer): void {
    this.#player?.append(data);
    if (this.#player && this.look.value !== "video") this.look.value = "video";
  }

  #show(data: ArrayBuffer): void {
    const before = this.picture.peek();
    this.picture.value = URL.createObjectURL(new Blob([data], { type: "image/jpeg" }));
    this.pictureAt.value = Date.now();
    if (before) URL.revokeObjectURL(before);
    this.look.value = "pictures";
  }

  /** What came could not be played: once more from the beginning, and if that does not help, picture by picture. */
  #broken(): void {
    this.#player?.stop();
    this.#player = null;
    this.#singly = this.#tries > 0;
    this.#tries++;
    this.#socket?.close(COME_BACK);
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.look.value === "video") this.look.value = "waiting";
    }, SILENT_MS);
  }

  async extend(): Promise<void> {
    if (!this.#id || this.#over || this.extending.peek()) return;
    this.extending.value = true;
    try {
      this.until.value = Date.parse((await api.extendLive(this.#id)).until);
    } finally {
      this.extending.value = false;
    }
  }

  /** The person closes it. */
  stop(): void {
    if (this.#over) return;
    if (this.#id) api.closeLive(this.#id).catch((error: unknown) => console.warn("closing a live view:", error));
    this.#finish("ended", "closed");
  }

  #finish(look: "ended" | "failed", why: string): void {
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#player?.stop();
    this.#player = null;
    this.#socket?.close(1000);
    this.#socket = null;
    const picture = this.picture.peek();
    if (picture) URL.revokeObjectURL(picture);
    this.picture.value = null;
    this.look.value = look;
    this.why.value = why;
    open.value = open.peek().filter((other) => other !== this);
  }

  get over(): boolean {
    return this.#over;
  }
}

/** One key extends all that are open. False when there is nothing to extend. */
export function extendAll(): boolean {
  for (const viewing of open.peek()) viewing.extend().catch((error: unknown) => console.warn("extending a live view:", error));
  return open.peek().length > 0;
}


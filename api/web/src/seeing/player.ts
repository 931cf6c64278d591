// Fragmented MP4 into a <video>, close behind the live edge. Knows nothing of why and for how long.

/** Behind the newest picture: jump when further back than this, hurry when further than that, in seconds. */
const JUMP_S = 2.5;
const HURRY_S = 0.9;
/** Where a jump lands. */
const BEHIND_S = 0.25;
/** Of what was shown, so much stays in memory. */
const KEEP_S = 10;
/** Fragments that wait for the decoder; more means that it does not keep up. */
const MOST_WAITING = 400;

export class Player {
  #source = new MediaSource();
  #buffer: SourceBuffer | null = null;
  #mime = "";
  #waiting: (ArrayBuffer | { mime: string })[] = [];
  #url: string;
  #over = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly broken: () => void,
  ) {
    this.#url = URL.createObjectURL(this.#source);
    video.src = this.#url;
    this.#source.addEventListener("sourceopen", () => this.#next(), { once: true });
    video.addEventListener("error", this.#fail);
  }

  static possible(): boolean {
    return typeof MediaSource !== "undefined";
  }

  static plays(mime: string): boolean {
    return Player.possible() && MediaSource.isTypeSupported(mime);
  }

  /** A stream begins, or goes on in another codec or size; its init segment is what comes next. */
  stream(mime: string): void {
    this.#waiting.push({ mime });
    this.#next();
  }

  append(data: ArrayBuffer): void {
    if (this.#waiting.length > MOST_WAITING) return this.#fail();
    this.#waiting.push(data);
    this.#next();
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.video.removeEventListener("error", this.#fail);
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.#url);
  }

  #fail = (): void => {
    if (!this.#over) this.broken();
  };

  #next(): void {
    if (this.#over || this.#source.readyState !== "open" || this.#buffer?.updating) return;
    try {
      const head = this.#waiting[0];
      if (head === undefined) return;
      if (head instanceof ArrayBuffer) {
        if (!this.#buffer) return;
        if (this.#trim()) return;
        this.#waiting.shift();
        this.#buffer.appendBuffer(head);
        return;
      }
      this.#waiting.shift();
      if (!this.#buffer) {
        this.#buffer = this.#source.addSourceBuffer(head.mime);
        this.#buffer.addEventListener("updateend", () => {
          this.#follow();
          this.#next();
        });
        this.#buffer.addEventListener("error", this.#fail);
      } else if (head.mime !== this.#mime) {
        this.#buffer.changeType(head.mime);
      }
      this.#mime = head.mime;
      this.#next();
    } catch (error) {
      console.warn("live view:", error);
      this.#fail();
    }
  }

  /** Drops what was shown long ago. True while it does. */
  #trim(): boolean {
    const buffer = this.#buffer!;
    if (buffer.buffered.length === 0) return false;
    const start = buffer.buffered.start(0);
    const end = this.video.currentTime - KEEP_S;
    if (end - start < KEEP_S) return false;
    buffer.remove(start, end);
    return true;
  }

  /** Keeps close to the newest picture, whatever the line did meanwhile. */
  #follow(): void {
    const { buffered } = this.video;
    if (buffered.length === 0) return;
    const end = buffered.end(buffered.length - 1);
    const behind = end - this.video.currentTime;
    if (behind > JUMP_S || this.video.currentTime < buffered.start(buffered.length - 1) - 0.05) {
      this.video.currentTime = Math.max(buffered.start(buffered.length - 1), end - BEHIND_S);
      this.video.playbackRate = 1;
    } else this.video.playbackRate = behind > HURRY_S ? 1.15 : 1;
    if (this.video.paused) this.video.play().catch(() => {});
  }
}

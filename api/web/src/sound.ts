// The desk's voice: a generated two-tone alarm that loops inside the audio engine, so that a throttled background tab or a
// dialog over the page cannot stop it. Whether somebody really heard it is asked at the start of a shift.

import { signal } from "@preact/signals";

export type SoundState =
  | "untested" // nobody confirmed it in this shift
  | "blocked" // the browser waits for a click or key before it lets a page sound
  | "failed" // asked, and not heard
  | "ok";

const SHIFT_MS = 12 * 3600_000;
const STORE = "qorgan.heard";

export const sound = signal<SoundState>("untested");
/** True while the alarm tone really plays. */
export const playing = signal(false);

let context: AudioContext | undefined;
let loop: AudioBufferSourceNode | undefined;
let gain: GainNode | undefined;
/** `urgent` is faster and louder; `test` is a soft low chime that nobody takes for an alarm. */
export type Tone = "alarm" | "urgent" | "test";

let wanted: Tone | null = null;
let sounding: Tone | null = null;
let user = "";

/** Call when somebody logs in: a test that was heard counts for this person, in this tab, for one shift. */
export function beginShift(name: string): void {
  user = name;
  const heard = readHeard();
  sound.value = heard ? "ok" : "untested";
  ready();
}

/** Any click or key lets a suspended audio engine start; called by the page on both. */
export function wake(): void {
  if (context && context.state === "suspended") void context.resume().then(settle, settle);
}

export function ring(tone: Tone | null): void {
  wanted = tone;
  settle();
}

/** Two soft notes, once: something new that is no alarm. */
export function chime(): void {
  if (!context || context.state !== "running") return;
  const once = source("test", false);
  once.start();
}

/** Plays the alarm for the test, at full volume, for two bars. */
export function playTest(): void {
  ready();
  wake();
  play(2.4);
}

export function confirmHeard(heard: boolean): void {
  if (heard) {
    sessionStorage.setItem(STORE, JSON.stringify({ user, at: Date.now() }));
    sound.value = "ok";
  } else {
    sessionStorage.removeItem(STORE);
    sound.value = "failed";
  }
  settle();
}

/** At the end of a shift the next person proves their own ears. */
export function endShift(): void {
  ring(null);
}

function readHeard(): boolean {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "null") as { user: string; at: number } | null;
    return kept !== null && kept.user === user && Date.now() - kept.at < SHIFT_MS;
  } catch {
    return false;
  }
}

function ready(): void {
  if (!context) {
    context = new AudioContext();
    context.addEventListener("statechange", settle);
    gain = context.createGain();
    gain.gain.value = 0.9;
    gain.connect(context.destination);
  }
  settle();
}

function settle(): void {
  if (!context) return;
  if (sound.value === "ok" && context.state !== "running") sound.value = "blocked";
  else if (sound.value === "blocked" && context.state === "running") sound.value = readHeard() ? "ok" : "untested";
  if (loop && wanted !== sounding) {
    loop.stop();
    loop.disconnect();
    loop = undefined;
  }
  if (wanted && !loop) {
    loop = source(wanted, true);
    loop.start();
  }
  sounding = wanted;
  playing.value = loop !== undefined && wanted !== "test" && context.state === "running";
}

function play(seconds: number): void {
  const once = source("alarm", true);
  once.start();
  once.stop((context?.currentTime ?? 0) + seconds);
}

function source(tone: Tone, looped: boolean): AudioBufferSourceNode {
  const node = context!.createBufferSource();
  node.buffer = buffer(context!, tone);
  node.loop = looped;
  node.connect(gain!);
  return node;
}

/** Notes as [start s, Hz, length s], how loud, and after how many seconds they begin again. */
const TONES: Record<Tone, { notes: readonly (readonly [number, number, number])[]; gain: number; bar_s: number }> = {
  // Two rising pairs and a breath; a third harmonic, so that small speakers carry it.
  alarm: { notes: [[0, 740, 0.16], [0.18, 988, 0.16], [0.36, 740, 0.16], [0.54, 988, 0.16]], gain: 0.6, bar_s: 1.2 },
  // The same pair twice as fast, higher and without the breath.
  urgent: { notes: [[0, 880, 0.09], [0.1, 1175, 0.09], [0.2, 880, 0.09], [0.3, 1175, 0.09], [0.4, 880, 0.09], [0.5, 1175, 0.09]], gain: 0.74, bar_s: 0.62 },
  // Low, falling, and long pauses.
  test: { notes: [[0, 392, 0.35], [0.38, 330, 0.5]], gain: 0.22, bar_s: 6 },
};

function buffer(ctx: AudioContext, tone: Tone): AudioBuffer {
  const { notes, gain: loud, bar_s } = TONES[tone];
  const rate = ctx.sampleRate;
  const out = ctx.createBuffer(1, Math.floor(rate * bar_s), rate);
  const data = out.getChannelData(0);
  for (const [start, hz, seconds] of notes) {
    const from = Math.floor(start * rate);
    const length = Math.floor(seconds * rate);
    for (let i = 0; i < length; i++) {
      const t = i / rate;
      const edge = Math.min(1, i / (0.008 * rate), (length - i) / (0.02 * rate));
      const wave = Math.sin(2 * Math.PI * hz * t) + (tone === "test" ? 0 : 0.35 * Math.sin(6 * Math.PI * hz * t));
      data[from + i] = edge * wave * loud;
    }
  }
  return out;
}

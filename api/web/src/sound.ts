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
let wanted = false;
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

export function ring(on: boolean): void {
  wanted = on;
  settle();
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
  ring(false);
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
  if (wanted && !loop) {
    loop = source(true);
    loop.start();
  } else if (!wanted && loop) {
    loop.stop();
    loop.disconnect();
    loop = undefined;
  }
  playing.value = loop !== undefined && context.state === "running";
}

function play(seconds: number): void {
  const once = source(true);
  once.start();
  once.stop((context?.currentTime ?? 0) + seconds);
}

function source(looped: boolean): AudioBufferSourceNode {
  const node = context!.createBufferSource();
  node.buffer = tone(context!);
  node.loop = looped;
  node.connect(gain!);
  return node;
}

/** 1.2 s: two rising pairs (740/988 Hz with a third harmonic, so that small speakers carry it) and a breath. */
function tone(ctx: AudioContext): AudioBuffer {
  const rate = ctx.sampleRate;
  const buffer = ctx.createBuffer(1, Math.floor(rate * 1.2), rate);
  const data = buffer.getChannelData(0);
  const beeps = [[0, 740], [0.18, 988], [0.36, 740], [0.54, 988]] as const;
  for (const [start, hz] of beeps) {
    const from = Math.floor(start * rate);
    const length = Math.floor(0.16 * rate);
    for (let i = 0; i < length; i++) {
      const t = i / rate;
      const edge = Math.min(1, i / (0.008 * rate), (length - i) / (0.02 * rate));
      const wave = Math.sin(2 * Math.PI * hz * t) + 0.35 * Math.sin(6 * Math.PI * hz * t);
      data[from + i] = edge * wave * 0.6;
    }
  }
  return buffer;
}

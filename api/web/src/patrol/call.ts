// Calls the crew: a tone and a vibration for a new order, again every few seconds until somebody touches the phone. A browser
// holds sound back until the first touch, so the page asks for one.

import { signal } from "@preact/signals";

/** Whether this browser lets the page sound. */
export const audible = signal(false);

const AGAIN_MS = 4000;
const TIMES = 8;

let context: AudioContext | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Any touch or key lets the sound begin, and ends a call: somebody has the phone in hand. */
export function listen(): () => void {
  const touch = () => {
    hush();
    context ??= new AudioContext();
    context.onstatechange = () => (audible.value = context?.state === "running");
    void context.resume().then(() => (audible.value = context?.state === "running"), () => {});
  };
  const events = ["pointerdown", "keydown"] as const;
  for (const event of events) addEventListener(event, touch, { capture: true, passive: true });
  return () => {
    for (const event of events) removeEventListener(event, touch, { capture: true });
    hush();
  };
}

export function callCrew(times = TIMES): void {
  clearTimeout(timer);
  // Not every phone vibrates, and some only after a touch.
  navigator.vibrate?.([400, 150, 400, 150, 700]);
  if (context?.state === "running") chime(context);
  if (times > 1) timer = setTimeout(() => callCrew(times - 1), AGAIN_MS);
}

export function hush(): void {
  clearTimeout(timer);
  navigator.vibrate?.(0);
}

/** Three rising notes, each with a harmonic that a small loudspeaker carries. */
function chime(audio: AudioContext): void {
  for (const [i, hz] of [659, 880, 1175].entries()) {
    for (const [factor, loud] of [[1, 0.5], [3, 0.12]] as const) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      const from = audio.currentTime + i * 0.22;
      tone.frequency.value = hz * factor;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(loud, from + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, from + 0.42);
      tone.connect(gain).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.45);
    }
  }
}

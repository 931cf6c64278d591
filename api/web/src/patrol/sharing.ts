// Says where the unit is, while its crew wants that: at most every five seconds, and every half minute also when it stands still,
// since the hub does not offer a unit whose position is over five minutes old.

import { signal } from "@preact/signals";
import { api, ApiError } from "../api";
import { keep } from "../prefs";
import { now } from "../store";
import type { Fix } from "./types";

export type Sharing =
  | "off"
  | "asking" // the person or the satellites have not answered yet
  | "on"
  | "denied" // the person or the browser refuses
  | "none"; // this device does not know where it is

export const sharing = signal<Sharing>("off");
/** Where we are, for the distance to the place; kept on this page only. */
export const here = signal<Fix | null>(null);
/** When the hub took a position last, in this device's time. */
export const sharedAt = signal<number | null>(null);
export const shareFailed = signal(false);

const STORE = "qorgan.patrol.share";
const EVERY_MS = 5000;
const STILL_MS = 30_000;

let watch: number | undefined;
let beat: ReturnType<typeof setInterval> | undefined;
let later: ReturnType<typeof setTimeout> | undefined;
let lastTry = 0;

/** A crew that shared before a reload goes on sharing. */
export function resume(): void {
  try {
    if (localStorage.getItem(STORE) === "on") share(true);
  } catch {
    // A browser that keeps nothing: the crew switches it on again.
  }
}

export function share(on: boolean): void {
  keep(STORE, on ? "on" : "off");
  pause();
  if (!on) return;
  if (!("geolocation" in navigator) || !isSecureContext) {
    sharing.value = "none";
    return;
  }
  sharing.value = "asking";
  watch = navigator.geolocation.watchPosition(located, lost, { enableHighAccuracy: true, maximumAge: 5000 });
  beat = setInterval(() => navigator.geolocation.getCurrentPosition(located, () => {}, { maximumAge: STILL_MS, timeout: 20_000 }), STILL_MS);
}

/** Stops, without forgetting what the crew wants: at log-out or when the page goes. */
export function pause(): void {
  if (watch !== undefined) navigator.geolocation.clearWatch(watch);
  clearInterval(beat);
  clearTimeout(later);
  watch = undefined;
  later = undefined;
  sharing.value = "off";
  here.value = null;
  sharedAt.value = null;
  shareFailed.value = false;
}

function located({ coords, timestamp }: GeolocationPosition): void {
  sharing.value = "on";
  // The hub's time of the measurement: this device's clock may be wrong, the age of the position is right.
  const at = new Date(now.value - Math.max(0, Date.now() - timestamp)).toISOString();
  here.value = { lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy, at };
  const wait = lastTry + EVERY_MS - Date.now();
  if (wait <= 0) void tell();
  else later ??= setTimeout(() => void tell(), wait);
}

function lost(error: GeolocationPositionError): void {
  if (error.code === error.PERMISSION_DENIED) {
    pause();
    sharing.value = "denied";
  } else if (sharing.value === "asking") {
    // No satellites yet; the watch goes on by itself.
    sharing.value = error.code === error.POSITION_UNAVAILABLE ? "none" : "asking";
  }
}

async function tell(): Promise<void> {
  clearTimeout(later);
  later = undefined;
  lastTry = Date.now();
  if (!here.value) return;
  try {
    await api.position(here.value);
    sharedAt.value = Date.now();
    shareFailed.value = false;
  } catch (error) {
    // The next position is newer than this one: it is not sent again.
    shareFailed.value = true;
    if (!(error instanceof ApiError)) throw error;
  }
}

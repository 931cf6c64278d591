// Brings session, stream, sound and page title together. The only place that starts or stops them.

import { effect, signal } from "@preact/signals";
import { api, ApiError, onSessionLost } from "./api";
import { suggestLang } from "./prefs";
import { t } from "./i18n";
import * as store from "./store";
import { beginShift, endShift, ring, sound, wake } from "./sound";
import { Stream } from "./stream";
import type { Session } from "./types";

/** `null` until the hub said whether this browser has a session. */
export const sessionKnown = signal(false);
export const startError = signal<unknown>(null);
/** Texts and lists that the stream does not carry could not be read. */
export const placesError = signal<unknown>(null);

const stream = new Stream({
  snapshot: store.takeSnapshot,
  changes: store.takeChanges,
  live: () => setLink("live"),
  down: () => setLink("reconnecting"),
  ended: () => loseSession(),
});

export async function start(): Promise<void> {
  startError.value = null;
  try {
    begin(await api.session());
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) startError.value = error;
  }
  sessionKnown.value = true;
}

export async function logIn(user: string, password: string): Promise<void> {
  begin(await api.logIn(user, password));
}

export async function logOut(): Promise<void> {
  stream.stop();
  stream.forget();
  endShift();
  try {
    await api.logOut();
  } finally {
    store.session.value = null;
    store.sessionEnded.value = false;
    store.locked.value = false;
    store.forgetAll();
  }
}

/** Somebody who returns after an expired session finds the desk as it was; another person starts afresh. */
function begin(session: Session): void {
  const before = store.session.value;
  if (before && before.user !== session.user) {
    store.forgetAll();
    stream.forget();
  }
  suggestLang(session.hub.language);
  store.session.value = session;
  store.sessionEnded.value = false;
  store.locked.value = false;
  if (store.can("desk.sound")) {
    beginShift(session.user);
    // The hub keeps the test by session: after a log-in within the shift it learns again what this person has answered here.
    if (sound.value === "ok") api.soundTest(true).catch((error: unknown) => console.warn("sound test:", error));
  }
  if (!store.can("alerts.read") && !store.can("cameras.read")) store.page.value = store.can("audit.read") ? "audit" : "areas";
  setLink("connecting");
  stream.start();
  void loadPlaces();
}

function loseSession(): void {
  if (store.session.value === null || store.sessionEnded.value) return;
  stream.stop();
  setLink("reconnecting");
  store.sessionEnded.value = true;
}

function setLink(link: store.Link): void {
  if (store.link.value === link) return;
  store.link.value = link;
  store.linkSince.value = store.now.value;
}

export async function loadPlaces(): Promise<void> {
  placesError.value = null;
  const [sites, units] = await Promise.allSettled([api.sites(), api.units()]);
  if (sites.status === "fulfilled") store.sites.value = new Map(sites.value.map((s) => [s.id, s]));
  if (units.status === "fulfilled") store.units.value = units.value;
  for (const result of [sites, units]) {
    const refused = result.status === "rejected" && result.reason instanceof ApiError && result.reason.status === 403;
    if (result.status === "rejected" && !refused) placesError.value = result.reason;
  }
}

async function loadAreas(): Promise<void> {
  if (!store.can("areas.read")) return;
  try {
    store.areas.value = await api.areas();
  } catch (error) {
    placesError.value = error;
  }
}

export function wire(): void {
  onSessionLost(loseSession);
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, wake, { capture: true, passive: true });
  effect(() => {
    store.areasVersion.value;
    if (store.session.value) void loadAreas();
  });
  // The tone follows the alarms alone: not the page in front, not the session, not the lock.
  effect(() => ring(store.ringing.value.length > 0 && store.can("desk.sound")));
  effect(() => {
    const count = store.ringing.value.length;
    const name = store.session.value?.hub.name ?? "Qorgan";
    document.title = count > 0 ? `(${count}) ${t("alarm.banner")} · ${name}` : name;
  });
}

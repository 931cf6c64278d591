// Brings session, stream, sound and page title together. The only place that starts or stops them.

import { effect, signal } from "@preact/signals";
import { api, ApiError, onSessionLost } from "./api";
import { suggestLang } from "./prefs";
import { t } from "./i18n";
import * as store from "./store";
import { beginShift, chime, endShift, ring, sound, wake } from "./sound";
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
  if (!store.can("alerts.read") && !store.can("cameras.read")) {
    const first = [["requests.read", "requests"], ["tension.read", "tension"], ["plan.read", "plan"], ["audit.read", "audit"], ["register.read", "register"], ["areas.write", "areas"]] as const;
    store.page.value = first.find(([right]) => store.can(right))?.[1] ?? "desk";
  }
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
  // The stream carries these too; a hub that has just started may answer sooner than it.
  if (store.can("shift")) api.shift().then((s) => (store.shift.value ??= s), ignore);
  if (store.can("units.read") && store.unitsLive.value.size === 0) api.unitsLive().then((all) => (store.unitsLive.value = new Map(all.map((u) => [u.id, u]))), ignore);
  for (const result of [sites, units]) {
    const refused = result.status === "rejected" && result.reason instanceof ApiError && result.reason.status === 403;
    if (result.status === "rejected" && !refused) placesError.value = result.reason;
  }
}

function ignore(error: unknown): void {
  console.warn("left to the stream:", error);
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
  // The network is back: nobody waits for the next try.
  addEventListener("online", () => {
    if (store.session.value && !store.sessionEnded.value && store.link.value !== "live") stream.start();
  });
  effect(() => {
    store.areasVersion.value;
    if (store.session.value) void loadAreas();
  });
  // The tone follows the alarms alone: not the page in front, not the session, not the lock. A test never covers an alarm.
  effect(() => {
    const tone = store.urgent.value ? "urgent" : store.ringing.value.length > 0 ? "alarm" : store.testing.value.length > 0 ? "test" : null;
    ring(store.can("desk.sound") ? tone : null);
  });
  // A danger reported from outside is heard once: it calls nobody out of work, but it may not pass unnoticed.
  let hazards = new Set<number>();
  effect(() => {
    const open = new Set(store.queue.value.filter((a) => a.kind === "hazard" && a.state === "raised").map((a) => a.id));
    if (store.can("desk.sound") && [...open].some((id) => !hazards.has(id))) chime();
    hazards = open;
  });
  // What stands open before the person's eyes has been looked at.
  const look = () => {
    const alert = store.current.value;
    if (alert && store.page.value === "desk" && !store.locked.value && !store.sessionEnded.value && document.visibilityState === "visible") store.lookAt(alert);
  };
  effect(look);
  document.addEventListener("visibilitychange", look);
  effect(() => {
    const count = store.ringing.value.length;
    const name = store.session.value?.hub.name ?? "Qorgan";
    document.title = count > 0 ? `(${count}) ${t("alarm.banner")} · ${name}` : name;
  });
}

// What the page knows, as signals. Filled by the stream (wiring.ts) and by answers to actions; components only read.

import { batch, computed, signal } from "@preact/signals";
import { calls, compareAlerts, isTest, isUrgent, newer, rings } from "./rank";
import type { Alert, AreaCollection, Camera, Change, Changes, Desks, Institution, Right, Session, Shift, Site, Snapshot, Unit, UnitLive } from "./types";

export type Link = "connecting" | "live" | "reconnecting";
export type Page = "desk" | "wall" | "cameras" | "register" | "devices" | "drills" | "sitefile" | "phones" | "connectors" | "areas" | "audit"
  | "tension" | "requests" | "plan" | "journal" | "data" | "load" | "planning";

export const session = signal<Session | null>(null);
/** The desk stays visible and ringing behind the dialog that these two put in front of it. */
export const sessionEnded = signal(false);
export const locked = signal(false);

export const link = signal<Link>("connecting");
export const linkSince = signal(Date.now());
export const loaded = signal(false);
export const page = signal<Page>("desk");

const alerts = signal<ReadonlyMap<number, Alert>>(new Map());
export const cameras = signal<ReadonlyMap<string, Camera>>(new Map());
export const sites = signal<ReadonlyMap<string, Site>>(new Map());
export const units = signal<readonly Unit[]>([]);
export const areas = signal<AreaCollection | null>(null);
export const areasVersion = signal(0);
export const desks = signal<Desks | null>(null);

export const unitsLive = signal<ReadonlyMap<string, UnitLive>>(new Map());
export const shift = signal<Shift | null>(null);
/** Grow when the hub says that a list is worth reading again. */
export const devicesVersion = signal(0);
export const drillsVersion = signal(0);
export const tensionVersion = signal(0);
/** Blind institutions as a layer of the map; null while the layer is off. */
export const blind = signal<readonly Institution[] | null>(null);
/** The site whose file the editor shows, or whose row another page points at. */
export const pageSite = signal<string | null>(null);

export const selectedAlert = signal<number | null>(null);
export const selectedCamera = signal<string | null>(null);

/** Milliseconds to add to this machine's clock to get the hub's. */
const clockOffset = signal(0);
/** The hub's time, once a second: every age on the page ticks from this. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now() + clockOffset.value), 1000);

export const queue = computed(() => [...alerts.value.values()].filter((a) => a.state !== "closed").sort(compareAlerts));
/** Presses again that this person has looked at, by alert. */
const looked = signal<ReadonlyMap<number, string>>(new Map());
/** Mine, and pressed again since I looked. */
export const pressedAgain = computed(() => queue.value.filter((a) => calls(a, session.value?.user, looked.value.get(a.id))));
export const ringing = computed(() => {
  const again = new Set(pressedAgain.value);
  return queue.value.filter((a) => rings(a) || again.has(a));
});
export const urgent = computed(() => ringing.value.some(isUrgent));
/** Test presses that nobody took: their own quiet tone, never the alarm's. */
export const testing = computed(() => queue.value.filter((a) => isTest(a) && a.state === "raised"));
export const current = computed(() => (selectedAlert.value === null ? null : (alerts.value.get(selectedAlert.value) ?? null)));

export function can(right: Right): boolean {
  return session.value?.rights.includes(right) ?? false;
}

/** The person has the alert on the screen: a press again has been seen. */
export function lookAt(alert: Alert): void {
  const again = alert.alarm?.pressed_again_at;
  if (!again || looked.peek().get(alert.id) === again) return;
  looked.value = new Map(looked.peek()).set(alert.id, again);
}

export function putAlert(alert: Alert): void {
  const next = new Map(alerts.value);
  next.set(alert.id, newer(next.get(alert.id), alert));
  alerts.value = next;
}

export function takeSnapshot(data: Snapshot): void {
  waiting = [];
  setClock(data.now);
  // An open alert that the snapshot lacks was closed while we were away; a closed one that is being read stays.
  const kept = [...alerts.value.values()].filter((a) => a.state === "closed" && a.id === selectedAlert.value);
  alerts.value = new Map([...kept, ...data.alerts].map((a) => [a.id, a]));
  cameras.value = new Map(data.cameras.map((c) => [c.id, c]));
  if (data.desks) desks.value = data.desks;
  if (data.units) unitsLive.value = new Map(data.units.map((u) => [u.id, u]));
  if (data.shift) shift.value = data.shift;
  loaded.value = true;
}

/** Frames that come closer together than this are taken in one go: a burst of alarms must not cost a sort each. */
const GATHER_MS = 120;
let waiting: Change[] = [];
let takenAt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** The first change after a quiet moment shows at once. */
export function takeChanges(data: Changes): void {
  setClock(data.now);
  waiting.push(...data.changes);
  clearTimeout(timer);
  const rest = takenAt + GATHER_MS - performance.now();
  if (rest <= 0) settle();
  else timer = setTimeout(settle, rest);
}

function settle(): void {
  takenAt = performance.now();
  const changes = waiting;
  waiting = [];
  batch(() => apply(changes));
}

function apply(changes: readonly Change[]): void {
  const nextAlerts = new Map(alerts.value);
  const nextCameras = new Map(cameras.value);
  const nextUnits = new Map(unitsLive.value);
  let alertsChanged = false;
  let camerasChanged = false;
  let unitsChanged = false;
  for (const change of changes) {
    // Not this role's any more, such as a patrol taken off.
    if (change.gone !== undefined) alertsChanged = nextAlerts.delete(change.gone) || alertsChanged;
    if (change.alert) {
      nextAlerts.set(change.alert.id, newer(nextAlerts.get(change.alert.id), change.alert));
      alertsChanged = true;
    }
    if (change.camera) {
      nextCameras.set(change.camera.id, withSeries(change.camera, nextCameras.get(change.camera.id)));
      camerasChanged = true;
    }
    if (change.camera_gone !== undefined) camerasChanged = nextCameras.delete(change.camera_gone) || camerasChanged;
    if (change.unit) {
      nextUnits.set(change.unit.id, change.unit);
      unitsChanged = true;
    }
    if (change.areas) areasVersion.value++;
    if (change.devices) devicesVersion.value++;
    if (change.drills) drillsVersion.value++;
    if (change.tension) tensionVersion.value++;
    if (change.desks) desks.value = change.desks;
    if (change.shift) shift.value = change.shift;
  }
  if (alertsChanged) alerts.value = nextAlerts;
  if (camerasChanged) {
    cameras.value = nextCameras;
    if (selectedCamera.value !== null && !nextCameras.has(selectedCamera.value)) selectedCamera.value = null;
  }
  if (unitsChanged) unitsLive.value = nextUnits;
}

export function forgetAll(): void {
  alerts.value = new Map();
  cameras.value = new Map();
  selectedAlert.value = null;
  selectedCamera.value = null;
  desks.value = null;
  unitsLive.value = new Map();
  shift.value = null;
  blind.value = null;
  pageSite.value = null;
  looked.value = new Map();
  loaded.value = false;
  page.value = "desk";
}

const SERIES_POINTS = 120;

function withSeries(camera: Camera, known: Camera | undefined): Camera {
  const series = camera.series ?? known?.series ?? [];
  if (camera.people === null || camera.counted_at === null) return { ...camera, series };
  const at = Date.parse(camera.counted_at);
  const last = series.at(-1);
  if (last && last[0] >= at) return { ...camera, series };
  return { ...camera, series: [...series.slice(1 - SERIES_POINTS), [at, camera.people]] };
}

function setClock(hubNow: string): void {
  const offset = Date.parse(hubNow) - Date.now();
  // Small jitter of the line must not make ages jump.
  if (Number.isFinite(offset) && Math.abs(offset - clockOffset.value) > 1500) {
    clockOffset.value = offset;
    now.value = Date.now() + offset;
  }
}

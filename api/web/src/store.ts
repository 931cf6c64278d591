// What the page knows, as signals. Filled by the stream (wiring.ts) and by answers to actions; components only read.

import { computed, signal } from "@preact/signals";
import { compareAlerts, newer, rings } from "./rank";
import type { Alert, AreaCollection, Camera, Changes, Desks, Right, Session, Site, Snapshot, Unit } from "./types";

export type Link = "connecting" | "live" | "reconnecting";
export type Page = "desk" | "areas" | "audit";

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

export const selectedAlert = signal<number | null>(null);
export const selectedCamera = signal<string | null>(null);

/** Milliseconds to add to this machine's clock to get the hub's. */
const clockOffset = signal(0);
/** The hub's time, once a second: every age on the page ticks from this. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now() + clockOffset.value), 1000);

export const queue = computed(() => [...alerts.value.values()].filter((a) => a.state !== "closed").sort(compareAlerts));
export const ringing = computed(() => queue.value.filter(rings));
export const current = computed(() => (selectedAlert.value === null ? null : (alerts.value.get(selectedAlert.value) ?? null)));

export function can(right: Right): boolean {
  return session.value?.rights.includes(right) ?? false;
}

export function putAlert(alert: Alert): void {
  const next = new Map(alerts.value);
  next.set(alert.id, newer(next.get(alert.id), alert));
  alerts.value = next;
}

export function takeSnapshot(data: Snapshot): void {
  setClock(data.now);
  // An open alert that the snapshot lacks was closed while we were away; a closed one that is being read stays.
  const kept = [...alerts.value.values()].filter((a) => a.state === "closed" && a.id === selectedAlert.value);
  alerts.value = new Map([...kept, ...data.alerts].map((a) => [a.id, a]));
  cameras.value = new Map(data.cameras.map((c) => [c.id, c]));
  if (data.desks) desks.value = data.desks;
  loaded.value = true;
}

export function takeChanges(data: Changes): void {
  setClock(data.now);
  const nextAlerts = new Map(alerts.value);
  const nextCameras = new Map(cameras.value);
  let alertsChanged = false;
  let camerasChanged = false;
  for (const change of data.changes) {
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
    if (change.areas) areasVersion.value++;
    if (change.desks) desks.value = change.desks;
  }
  if (alertsChanged) alerts.value = nextAlerts;
  if (camerasChanged) cameras.value = nextCameras;
}

export function forgetAll(): void {
  alerts.value = new Map();
  cameras.value = new Map();
  selectedAlert.value = null;
  selectedCamera.value = null;
  desks.value = null;
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

// What the store knows, as GeoJSON for the map. Pure: the map itself lives in MapView.

import type { FeatureCollection, Position } from "geojson";
import { compareAlerts } from "../rank";
import type { Alert, AreaCollection, Camera, Institution, LatLon, Site, UnitLive } from "../types";

type Box = [number, number, number, number];

const point = ([lat, lon]: LatLon) => ({ type: "Point" as const, coordinates: [lon, lat] });

export function areaData(areas: AreaCollection | null, chosen: string | null): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: (areas?.features ?? []).map((f, i) => ({
      type: "Feature",
      geometry: f.geometry as FeatureCollection["features"][number]["geometry"],
      properties: { kato: f.properties.kato, tone: i % 2, chosen: f.properties.kato === chosen },
    })),
  };
}

/** One point a name: MapLibre would name a polygon once in every tile it touches. */
export function nameData(areas: AreaCollection | null): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: (areas?.features ?? []).map((f) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: middle(largestRing(f.geometry.coordinates)) },
      // Small areas (a city) are named first: their name has the least room to go elsewhere.
      properties: { ...f.properties.name, order: extent(f.geometry.coordinates) },
    })),
  };
}

export type Ring = [number, number][];

/** The outline that covers most of a shape of several parts. */
export function largestRing(node: unknown): Ring {
  if (!Array.isArray(node)) return [];
  if (Array.isArray(node[0]) && typeof node[0][0] === "number") return node as Ring;
  return node.map(largestRing).reduce((best, ring) => (extent(ring) > extent(best) || best.length === 0 ? ring : best), [] as Ring);
}

const STEPS = 20;

/** The point of a coarse grid inside the ring that is farthest from its sides. */
export function middle(ring: Ring): Position {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  walk(ring, box);
  let best: Position = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  let room = -1;
  for (let i = 1; i < STEPS; i++) {
    for (let j = 1; j < STEPS; j++) {
      const p: Position = [box[0] + ((box[2] - box[0]) * i) / STEPS, box[1] + ((box[3] - box[1]) * j) / STEPS];
      const free = clearance(ring, p);
      if (free > room) [best, room] = [p, free];
    }
  }
  return best;
}

/** Distance to the nearest side in degrees, negative outside. */
function clearance(ring: Ring, [x, y]: Position): number {
  let inside = false;
  let nearest = Infinity;
  ring.forEach(([ax, ay], i) => {
    const [bx, by] = ring[(i + 1) % ring.length]!;
    if (ay > y! !== by > y! && x! < ((bx - ax) * (y! - ay)) / (by - ay) + ax) inside = !inside;
    const length2 = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length2 === 0 ? 0 : Math.max(0, Math.min(1, ((x! - ax) * (bx - ax) + (y! - ay) * (by - ay)) / length2));
    nearest = Math.min(nearest, Math.hypot(ax + t * (bx - ax) - x!, ay + t * (by - ay) - y!));
  });
  return inside ? nearest : -nearest;
}

export function siteData(sites: Iterable<Site>): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: [...sites].map((s) => ({ type: "Feature", geometry: point(s.position), properties: { ...s.name, id: s.id } })),
  };
}

export function cameraData(cameras: Iterable<Camera>, sites: ReadonlyMap<string, Site>, chosen: string | null): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: [...cameras].flatMap((c) => {
      const at = c.position ?? sites.get(c.site)?.position;
      if (!at) return [];
      const over = c.limit !== null && c.people !== null && c.people > c.limit;
      return [{
        type: "Feature" as const, geometry: point(at),
        properties: { id: c.id, people: c.people ?? 0, live: Number(c.status === "live" && c.people !== null), over: Number(over), chosen: Number(c.id === chosen) },
      }];
    }),
  };
}

/** Where units are, as far as they say. */
export function unitData(units: Iterable<UnitLive>): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: [...units].flatMap((u) => (u.position
      ? [{ type: "Feature" as const, geometry: point(u.position), properties: { ...u.name, id: u.id, fresh: Number(u.fresh), busy: Number(u.busy_with !== null) } }]
      : [])),
  };
}

export function blindData(institutions: Iterable<Institution>): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: [...institutions].flatMap((i) => (i.blind && i.position
      ? [{ type: "Feature" as const, geometry: point(i.position), properties: { ...i.name, id: i.id, overdue: Number(i.overdue) } }]
      : [])),
  };
}

/** Alerts beyond those that have a button of their own. */
export function restData(rest: readonly Spot[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: rest.map((s) => ({
      type: "Feature", geometry: point(s.at), properties: { count: s.alerts.length, alarm: Number(s.alerts[0]!.kind === "alarm"), id: s.alerts[0]!.id },
    })),
  };
}

export interface Spot { key: string; at: LatLon; alerts: Alert[] }

/** Alerts that stand on one point share one marker; its first alert is the most urgent. */
export function spots(alerts: readonly Alert[], cameras: ReadonlyMap<string, Camera>, sites: ReadonlyMap<string, Site>): Spot[] {
  const out = new Map<string, Spot>();
  for (const alert of [...alerts].sort(compareAlerts)) {
    const at = whereIs(alert, cameras, sites);
    if (!at) continue;
    const key = at.map((n) => n.toFixed(4)).join();
    const spot = out.get(key);
    if (spot) spot.alerts.push(alert);
    else out.set(key, { key, at, alerts: [alert] });
  }
  return [...out.values()];
}

export function whereIs(alert: Alert, cameras: ReadonlyMap<string, Camera>, sites: ReadonlyMap<string, Site>): LatLon | null {
  return alert.position ?? (alert.device ? cameras.get(alert.device)?.position : null) ?? (alert.site ? sites.get(alert.site)?.position : null) ?? null;
}

/** West, south, east, north of all outlines. */
export function bounds(areas: AreaCollection | null): Box | null {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const f of areas?.features ?? []) walk(f.geometry.coordinates, box);
  return Number.isFinite(box[0]) ? box : null;
}

function extent(coordinates: unknown): number {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  walk(coordinates, box);
  return (box[2] - box[0]) * (box[3] - box[1]);
}

function walk(node: unknown, box: Box): void {
  if (!Array.isArray(node)) return;
  if (typeof node[0] === "number" && typeof node[1] === "number") {
    const [lon, lat] = node as Position as [number, number];
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  } else node.forEach((inner) => walk(inner, box));
}

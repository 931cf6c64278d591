// What the store knows, as GeoJSON for the map. Pure: the map itself lives in MapView.

import type { FeatureCollection, Position } from "geojson";
import { compareAlerts } from "../rank";
import type { Alert, AreaCollection, Camera, LatLon, Site } from "../types";

const point = ([lat, lon]: LatLon) => ({ type: "Point" as const, coordinates: [lon, lat] });

export function areaData(areas: AreaCollection | null, chosen: string | null): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: (areas?.features ?? []).map((f, i) => ({
      type: "Feature",
      geometry: f.geometry as FeatureCollection["features"][number]["geometry"],
      // Small areas (a city) are named first: their name has the least room to go elsewhere.
      properties: { ...f.properties.name, kato: f.properties.kato, tone: i % 2, chosen: f.properties.kato === chosen, order: extent(f.geometry.coordinates) },
    })),
  };
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
export function bounds(areas: AreaCollection | null): [number, number, number, number] | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const f of areas?.features ?? []) walk(f.geometry.coordinates, box);
  return Number.isFinite(box[0]) ? box : null;
}

function extent(coordinates: unknown): number {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  walk(coordinates, box);
  return (box[2] - box[0]) * (box[3] - box[1]);
}

function walk(node: unknown, box: [number, number, number, number]): void {
  if (!Array.isArray(node)) return;
  if (typeof node[0] === "number" && typeof node[1] === "number") {
    const [lon, lat] = node as Position as [number, number];
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  } else node.forEach((inner) => walk(inner, box));
}

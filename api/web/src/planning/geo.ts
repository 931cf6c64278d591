// Shapes on the ground for the map of planning. Pure.

import type { FeatureCollection, Position } from "geojson";
import type { LatLon } from "../types";

const EARTH_M = 6_371_000;
const rad = (deg: number) => (deg * Math.PI) / 180;

/** Metres between two points on the ground (great circle). */
export function metres([aLat, aLon]: LatLon, [bLat, bLon]: LatLon): number {
  const h = Math.sin(rad(bLat - aLat) / 2) ** 2 + Math.cos(rad(aLat)) * Math.cos(rad(bLat)) * Math.sin(rad(bLon - aLon) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

const STEPS = 48;

/** A closed ring around a point, longitude first. */
export function ring([lat, lon]: LatLon, radiusM: number): Position[] {
  const [dLat, dLon] = [(radiusM / EARTH_M) * (180 / Math.PI), (radiusM / (EARTH_M * Math.cos(rad(lat)))) * (180 / Math.PI)];
  const out: Position[] = [];
  for (let i = 0; i < STEPS; i++) {
    const a = (i / STEPS) * 2 * Math.PI;
    out.push([lon + dLon * Math.sin(a), lat + dLat * Math.cos(a)]);
  }
  out.push(out[0]!);
  return out;
}

export type Tone = "plain" | "good" | "wait" | "quiet" | "draft";
/** A place or route, or an assembly: its points, how far it reaches, what it is called. */
export interface Shape { key: string; points: readonly LatLon[]; radius_m: number; tone: Tone; name: string }

export function reach(shapes: readonly Shape[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: shapes.flatMap((s) => s.points.map((p) => ({ type: "Feature" as const, geometry: { type: "Polygon" as const, coordinates: [ring(p, s.radius_m)] }, properties: { tone: s.tone, key: s.key } }))),
  };
}

export function routes(shapes: readonly Shape[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: shapes.filter((s) => s.points.length > 1).map((s) => ({
      type: "Feature", geometry: { type: "LineString", coordinates: s.points.map(([lat, lon]) => [lon, lat]) }, properties: { tone: s.tone, key: s.key },
    })),
  };
}

/** One name a shape, at its first point. */
export function titles(shapes: readonly Shape[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: shapes.filter((s) => s.points.length > 0).map((s) => ({
      type: "Feature", geometry: { type: "Point", coordinates: [s.points[0]![1], s.points[0]![0]] }, properties: { name: s.name, tone: s.tone, key: s.key },
    })),
  };
}

/** West, south, east, north of all that they reach; null when there is nothing. */
export function around(shapes: readonly Shape[]): [number, number, number, number] | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const s of shapes) for (const p of s.points) for (const [lon, lat] of ring(p, s.radius_m) as [number, number][]) {
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  }
  return Number.isFinite(box[0]) ? box : null;
}

export const coordinates = ([lat, lon]: LatLon): string => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
/** A centimetre is enough for a place where people stand. */
export const tidy = ([lat, lon]: LatLon): LatLon => [Number(lat.toFixed(6)), Number(lon.toFixed(6))];

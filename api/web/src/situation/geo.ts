// Outlines of areas as paths of one SVG: Web Mercator (EPSG:3857) without a map engine, so that a projector, a printer and a machine
// without WebGL all show the same. Pure.

import { largestRing, middle, type Ring } from "../desk/mapData";
import type { AreaCollection, LatLon } from "../types";

/** Width of the plane that shapes are laid out on; the view scales it to the screen. */
export const PLANE = 1000;
/** Details smaller than this on the plane are left out: they cost time and no eye sees them at eight-fold zoom. */
const TOLERANCE = 0.12;

export interface Shape { kato: string; d: string; label: [number, number]; width: number; height: number }
export interface Plane { shapes: Shape[]; height: number; at(position: LatLon): [number, number] }

const radians = (degrees: number) => (degrees * Math.PI) / 180;
const mercator = (lat: number) => Math.log(Math.tan(Math.PI / 4 + radians(Math.max(-85, Math.min(85, lat))) / 2));

export function layOut(areas: AreaCollection | null): Plane {
  const features = areas?.features ?? [];
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  const rings = features.map((f) => ringsOf(f.geometry));
  for (const ring of rings.flat()) {
    for (const [lon, lat] of ring) {
      west = Math.min(west, lon);
      east = Math.max(east, lon);
      south = Math.min(south, lat);
      north = Math.max(north, lat);
    }
  }
  if (!Number.isFinite(west)) return { shapes: [], height: PLANE * 0.6, at: () => [0, 0] };
  const scale = PLANE / Math.max(1e-9, radians(east - west));
  const top = mercator(north);
  const place = ([lon, lat]: [number, number]): [number, number] => [radians(lon - west) * scale, (top - mercator(lat)) * scale];
  const shapes = features.map((f, i): Shape => {
    const parts = rings[i]!.map((ring) => thin(ring.map(place), TOLERANCE));
    const main = largestRing(parts);
    const [xs, ys] = [main.map((p) => p[0]), main.map((p) => p[1])];
    const label = main.length > 2 ? (middle(main) as [number, number]) : [0, 0] as [number, number];
    return {
      kato: f.properties.kato, d: parts.filter((ring) => ring.length > 2).map(pathOf).join(""), label,
      width: xs.length ? Math.max(...xs) - Math.min(...xs) : 0, height: ys.length ? Math.max(...ys) - Math.min(...ys) : 0,
    };
  });
  return { shapes, height: (top - mercator(south)) * scale, at: ([lat, lon]) => place([lon, lat]) };
}

const pathOf = (ring: Ring) => `M${ring.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}Z`;

function ringsOf(geometry: { type: string; coordinates: unknown }): Ring[] {
  if (geometry.type === "Polygon") return geometry.coordinates as Ring[];
  if (geometry.type === "MultiPolygon") return (geometry.coordinates as Ring[][]).flat();
  return [];
}

/** Douglas and Peucker's line simplification, without recursion: borders of a country have a hundred thousand points. */
export function thin(ring: Ring, tolerance: number): Ring {
  if (ring.length < 5) return ring;
  const keep = new Uint8Array(ring.length);
  keep[0] = keep[ring.length - 1] = 1;
  // A closed ring begins and ends at one point: its farthest point is the other anchor.
  let far = 0;
  let best = -1;
  ring.forEach(([x, y], i) => {
    const d = (x - ring[0]![0]) ** 2 + (y - ring[0]![1]) ** 2;
    if (d > best) [best, far] = [d, i];
  });
  keep[far] = 1;
  const spans: [number, number][] = [[0, far], [far, ring.length - 1]];
  while (spans.length > 0) {
    const [from, to] = spans.pop()!;
    let worst = tolerance;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const d = offLine(ring[i]!, ring[from]!, ring[to]!);
      if (d > worst) [worst, at] = [d, i];
    }
    if (at > 0) {
      keep[at] = 1;
      spans.push([from, at], [at, to]);
    }
  }
  return ring.filter((_, i) => keep[i] === 1);
}

function offLine([x, y]: [number, number], [ax, ay]: [number, number], [bx, by]: [number, number]): number {
  const length2 = (bx - ax) ** 2 + (by - ay) ** 2;
  if (length2 === 0) return Math.hypot(x - ax, y - ay);
  return Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / Math.sqrt(length2);
}

/** What stands on the map: kinds of districts are left out, since all are districts there. */
export function shortName(name: string): string {
  return name.replace(/\s+(ауданы|қаласы|аудан|район|district|city|қ\.?ә\.?|г\.?а\.?)$/i, "").replace(/^(город|г\.)\s+/i, "");
}

/** A point inside an area that stands for it: its centre as given, else the middle of its outline. */
export function centreOf(areas: AreaCollection | null, kato: string): LatLon | null {
  const f = areas?.features.find((x) => x.properties.kato === kato);
  if (!f) return null;
  if (f.properties.centre) return f.properties.centre;
  const [lon, lat] = middle(largestRing(f.geometry.coordinates));
  return lat === undefined || lon === undefined ? null : [lat, lon];
}

// Shapes on a camera's picture: places in fractions of it, and how they are changed. Pure.

import type { CameraKeys, Place } from "./types";

export type Kind = "zone" | "line" | "mask" | "calibration";
export interface Chosen { kind: Kind; at: number }

const clamp = (n: number) => Math.min(1, Math.max(0, Math.round(n * 1000) / 1000));
export const place = (x: number, y: number): Place => [clamp(x), clamp(y)];

export function pointsOf(keys: CameraKeys, { kind, at }: Chosen): Place[] {
  switch (kind) {
    case "zone": return keys.zone?.[at]?.polygon ?? [];
    case "line": return keys.line?.[at]?.points ?? [];
    case "mask": return keys.mask?.[at]?.polygon ?? [];
    case "calibration": return keys.calibration?.points ?? [];
  }
}

export function withPoints(keys: CameraKeys, { kind, at }: Chosen, points: Place[]): CameraKeys {
  const put = <T,>(list: T[] | undefined, change: (one: T) => T) => (list ?? []).map((one, i) => (i === at ? change(one) : one));
  switch (kind) {
    case "zone": return { ...keys, zone: put(keys.zone, (z) => ({ ...z, polygon: points })) };
    case "line": return { ...keys, line: put(keys.line, (l) => ({ ...l, points })) };
    case "mask": return { ...keys, mask: put(keys.mask, (m) => ({ ...m, polygon: points })) };
    case "calibration": return { ...keys, calibration: { ...keys.calibration, points } };
  }
}

/** How many points a shape of this kind has at least and at most. */
export const corners: Record<Kind, [number, number]> = { zone: [3, 64], line: [2, 2], mask: [3, 64], calibration: [4, 4] };

/** One more corner, in the middle of the longest side. */
export function grown(points: Place[]): Place[] {
  let [best, length] = [0, -1];
  points.forEach(([x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length]!;
    const far = Math.hypot(nx - x, ny - y);
    if (far > length) [best, length] = [i, far];
  });
  const [a, b] = [points[best]!, points[(best + 1) % points.length]!];
  return [...points.slice(0, best + 1), place((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), ...points.slice(best + 1)];
}

const freshId = (word: string, all: readonly { id: string }[]): string => {
  for (let n = all.length + 1; ; n++) if (!all.some((one) => one.id === `${word}-${n}`)) return `${word}-${n}`;
};
const QUAD: Place[] = [[0.3, 0.3], [0.7, 0.3], [0.7, 0.7], [0.3, 0.7]];

/** A new shape in the middle of the picture, and which it is. */
export function added(keys: CameraKeys, kind: Kind): [CameraKeys, Chosen] {
  const name = (word: string) => ({ kk: word, ru: word, en: word });
  switch (kind) {
    case "zone": {
      const id = freshId("zone", keys.zone ?? []);
      return [{ ...keys, zone: [...(keys.zone ?? []), { id, name: name(id), polygon: QUAD }] }, { kind, at: keys.zone?.length ?? 0 }];
    }
    case "line": {
      const id = freshId("line", keys.line ?? []);
      return [{ ...keys, line: [...(keys.line ?? []), { id, name: name(id), points: [[0.3, 0.5], [0.7, 0.5]] }] }, { kind, at: keys.line?.length ?? 0 }];
    }
    case "mask": return [{ ...keys, mask: [...(keys.mask ?? []), { polygon: QUAD }] }, { kind, at: keys.mask?.length ?? 0 }];
    case "calibration":
      return [{ ...keys, calibration: { points: [[0.3, 0.9], [0.7, 0.9], [0.6, 0.5], [0.4, 0.5]], sides_m: [5, 5, 5, 5] } }, { kind, at: 0 }];
  }
}

export function removed(keys: CameraKeys, { kind, at }: Chosen): CameraKeys {
  const without = <T,>(list: T[] | undefined) => (list ?? []).filter((_, i) => i !== at);
  switch (kind) {
    case "zone": return { ...keys, zone: without(keys.zone) };
    case "line": return { ...keys, line: without(keys.line) };
    case "mask": return { ...keys, mask: without(keys.mask) };
    case "calibration": {
      const { calibration: _gone, ...rest } = keys;
      return { ...rest, ...(keys.zone ? { zone: keys.zone.map(({ max_people_per_m2: _limit, ...zone }) => zone) } : {}) };
    }
  }
}

/** What was drawn, as it stands in the configuration file: for cameras that are changed there. */
export function asToml(keys: CameraKeys): string {
  const text = (s: string) => JSON.stringify(s);
  const list = (points: readonly Place[]) => `[${points.map(([x, y]) => `[${x}, ${y}]`).join(", ")}]`;
  const names = (n: { kk: string; ru: string; en: string }) => `{ kk = ${text(n.kk)}, ru = ${text(n.ru)}, en = ${text(n.en)} }`;
  const out: string[] = [];
  const c = keys.calibration;
  if (c) {
    out.push("[site.camera.calibration]");
    if (c.points?.length) out.push(`points = ${list(c.points)}`);
    if (c.metres?.length) out.push(`metres = ${list(c.metres)}`);
    if (c.sides_m?.length) out.push(`sides_m = [${c.sides_m.join(", ")}]`);
    if (c.diagonal_m !== undefined) out.push(`diagonal_m = ${c.diagonal_m}`);
    if (c.heights?.length) out.push(`heights = [${c.heights.map((h) => `{ foot = ${list([h.foot]).slice(1, -1)}, head = ${list([h.head]).slice(1, -1)}, height_m = ${h.height_m} }`).join(", ")}]`);
    if (c.view_deg !== undefined) out.push(`view_deg = ${c.view_deg}`);
  }
  for (const z of keys.zone ?? []) {
    out.push("", "[[site.camera.zone]]", `id = ${text(z.id)}`, `name = ${names(z.name)}`, `polygon = ${list(z.polygon)}`);
    if (z.max_people_per_m2 !== undefined) out.push(`max_people_per_m2 = ${z.max_people_per_m2}`);
    if (z.capacity !== undefined) out.push(`capacity = ${z.capacity}`);
  }
  for (const l of keys.line ?? []) out.push("", "[[site.camera.line]]", `id = ${text(l.id)}`, `name = ${names(l.name)}`, `points = ${list(l.points)}`);
  for (const m of keys.mask ?? []) out.push("", "[[site.camera.mask]]", `polygon = ${list(m.polygon)}`);
  return out.join("\n").trim();
}

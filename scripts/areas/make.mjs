// Draws schematic outlines of the districts of an oblast: every unit is the union of the Voronoi cells of its seeds, cut by
// the outline of the oblast. Neighbours share their borders vertex by vertex. The result says `schematic: true`; an
// administrator replaces it by official outlines. Holds no geometry of its own (see zhambyl.json) and needs only node.
//
//   node scripts/areas/make.mjs scripts/areas/zhambyl.json configs/areas/zhambyl.geojson
//   node scripts/areas/make.mjs --check scripts/areas/zhambyl.json configs/areas/zhambyl.geojson

import { readFileSync, writeFileSync } from "node:fs";

const GRID = 1e4; // 0.0001 degree, about 10 m: vertices live on this grid, so that equal means equal
const args = process.argv.slice(2);
const check = args[0] === "--check";
const [tablePath, outPath] = check ? args.slice(1) : args;
if (!tablePath || !outPath) {
  console.error("usage: make.mjs [--check] TABLE.json OUT.geojson");
  process.exit(2);
}
const table = JSON.parse(readFileSync(tablePath, "utf8"));

// A degree of longitude is shorter than one of latitude: cells are cut in a plane scaled at the middle of the oblast.
const kx = Math.cos((middleLatitude(table.outline) * Math.PI) / 180);
const toPlane = ([lon, lat]) => [lon * kx, lat];
const snap = ([x, y]) => [Math.round((x / kx) * GRID), Math.round(y * GRID)];

const outline = counterclockwise(table.outline).map(toPlane);
const seeds = table.units.flatMap((unit) => unit.seeds.map((seed) => ({ unit, at: toPlane(seed) })));
const cells = seeds.map((seed) => ({ unit: seed.unit, ring: dedupe(cell(seed, seeds, outline).map(snap)) }));
addMeetingPoints(cells);

const features = table.units.map((unit) => {
  const rings = union(cells.filter((c) => c.unit === unit).map((c) => c.ring));
  if (rings.length !== 1) throw new Error(`${unit.kato}: ${rings.length} parts; move its seeds`);
  const ring = rings[0].map(([x, y]) => [x / GRID, y / GRID]);
  const [lon, lat] = unit.seeds[0];
  return {
    type: "Feature",
    properties: { kato: unit.kato, name: unit.name, schematic: true, centre: [lat, lon] },
    geometry: { type: "Polygon", coordinates: [[...ring, ring[0]]] },
  };
});
verify(features);
const text = `{"type":"FeatureCollection","features":[\n${features.map((f) => JSON.stringify(f)).join(",\n")}\n]}\n`;
if (check) {
  if (readFileSync(outPath, "utf8") !== text) {
    console.error(`${outPath} is not what ${tablePath} gives; run make.mjs again`);
    process.exit(1);
  }
} else {
  writeFileSync(outPath, text);
}
console.log(`${features.length} units, ${text.length} bytes, borders shared, no overlap`);

function counterclockwise(ring) {
  return doubledArea(ring) > 0 ? ring : [...ring].reverse();
}

function doubledArea(ring) {
  return edgesOf([ring]).reduce((sum, [a, b]) => sum + a[0] * b[1] - b[0] * a[1], 0);
}

function middleLatitude(points) {
  const lats = points.map((p) => p[1]);
  return (Math.min(...lats) + Math.max(...lats)) / 2;
}

/** The part of `outline` that is nearer to `seed` than to any other seed (Sutherland-Hodgman, one half-plane a seed). */
function cell(seed, all, outline) {
  let ring = outline;
  for (const other of all) {
    if (other === seed) continue;
    const nx = other.at[0] - seed.at[0];
    const ny = other.at[1] - seed.at[1];
    const limit = (nx * (other.at[0] + seed.at[0]) + ny * (other.at[1] + seed.at[1])) / 2;
    const side = (p) => nx * p[0] + ny * p[1] - limit;
    const next = [];
    ring.forEach((a, i) => {
      const b = ring[(i + 1) % ring.length];
      const da = side(a);
      const db = side(b);
      if (da <= 0) next.push(a);
      if (da <= 0 !== db <= 0) {
        const t = da / (da - db);
        next.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
      }
    });
    ring = next;
  }
  return ring;
}

function dedupe(ring) {
  return ring.filter((p, i) => {
    const before = ring[(i + ring.length - 1) % ring.length];
    return p[0] !== before[0] || p[1] !== before[1];
  });
}

/** Where a corner of one cell lies on a side of another, the other gets that corner too (within 1.5 grid steps). */
function addMeetingPoints(cells) {
  const corners = new Map(cells.flatMap((c) => c.ring.map((p) => [p.join(), p])));
  merge(corners, cells);
  for (const c of cells) {
    c.ring = dedupe(c.ring).flatMap((a, i, ring) => {
      const b = ring[(i + 1) % ring.length];
      const on = [...corners.values()]
        .map((p) => ({ p, ...along(a, b, p) }))
        .filter((q) => q.t > 0 && q.t < 1 && q.off <= 1.5 && q.p.join() !== a.join() && q.p.join() !== b.join())
        .sort((l, r) => l.t - r.t);
      return [a, ...on.map((q) => q.p)];
    });
  }
}

/** Corners that rounding left a step or two apart become one. */
function merge(corners, cells) {
  const kept = [];
  const replace = new Map();
  for (const [key, p] of corners) {
    const near = kept.find((k) => Math.hypot(k[0] - p[0], k[1] - p[1]) <= 2.5);
    if (near) {
      replace.set(key, near);
      corners.delete(key);
    } else kept.push(p);
  }
  for (const c of cells) c.ring = c.ring.map((p) => replace.get(p.join()) ?? p);
}

function along(a, b, p) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length2 = dx * dx + dy * dy;
  const t = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2;
  return { t, off: Math.hypot(a[0] + t * dx - p[0], a[1] + t * dy - p[1]) };
}

function edgesOf(rings) {
  return rings.flatMap((ring) => ring.map((a, i) => [a, ring[(i + 1) % ring.length]]));
}

/** Sides that two cells of one unit share cancel out; what is left is chained into rings. */
function union(rings) {
  const edges = new Map(edgesOf(rings).map(([a, b]) => [`${a}|${b}`, [a, b]]));
  for (const [key, [a, b]] of [...edges]) {
    if (edges.delete(`${b}|${a}`)) edges.delete(key);
  }
  const from = new Map([...edges.values()].map(([a, b]) => [a.join(), b]));
  if (from.size !== edges.size) throw new Error("a unit touches itself in a corner; move its seeds");
  const out = [];
  while (from.size > 0) {
    const ring = [];
    let [key] = from.keys();
    while (from.has(key)) {
      const next = from.get(key);
      from.delete(key);
      ring.push(next);
      key = next.join();
    }
    out.push(ring);
  }
  return out;
}

/** Every side is walked once, and once in the other direction by a neighbour or not at all (outer border); areas add up. */
function verify(features) {
  const rings = features.map((f) => f.geometry.coordinates[0].slice(0, -1));
  const walked = new Set();
  for (const [a, b] of edgesOf(rings)) {
    const key = `${a}|${b}`;
    if (walked.has(key)) throw new Error(`side walked twice: ${key}`);
    walked.add(key);
  }
  const outer = edgesOf(rings).filter(([a, b]) => !walked.has(`${b}|${a}`));
  const whole = Math.abs(outer.reduce((sum, [a, b]) => sum + a[0] * b[1] - b[0] * a[1], 0));
  const wanted = Math.abs(doubledArea(table.outline));
  if (Math.abs(whole - wanted) > 1e-3 * wanted) throw new Error("the outer border is not the outline: a gap between units");
  features.forEach((f, i) => {
    if (doubledArea(rings[i]) <= 0) throw new Error(`${f.properties.kato}: ring runs clockwise (RFC 7946 wants the other way)`);
    const edges = edgesOf([rings[i]]);
    for (let m = 0; m < edges.length; m++)
      for (let n = m + 2; n < edges.length; n++)
        if (!(m === 0 && n === edges.length - 1) && cross(edges[m], edges[n])) throw new Error(`${f.properties.kato}: crosses itself`);
  });
}

function cross([a, b], [c, d]) {
  const turn = (p, q, r) => Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  return turn(a, b, c) !== turn(a, b, d) && turn(c, d, a) !== turn(c, d, b);
}

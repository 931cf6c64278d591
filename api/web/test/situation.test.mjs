// The pure parts of the situation's pages: classes of colour, ranks in words, outlines, names on the map.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (path) => (await runnerImport(fileURLToPath(new URL(path, import.meta.url)), { configFile: false, logLevel: "error" })).module;
const scale = await load("../src/situation/scale.ts");
const geo = await load("../src/situation/geo.ts");
const { lay } = await load("../src/situation/labels.ts");
const wording = await load("../src/situation/wording.ts");
const { query } = await load("../src/situation/hub.ts");

test("the index's classes are those of the hub: [0,2) [2,4) [4,6) [6,8) [8,10]", () => {
  const { of } = scale.INDEX_SCALE;
  assert.deepEqual([0, 1.99, 2, 3.99, 4, 6, 7.99, 8, 10].map(of), [1, 1, 2, 2, 3, 4, 4, 5, 5]);
});

test("a scale by the data covers all of it, with no more classes than the palette has steps", () => {
  for (const values of [[3.1, 3.4, 5.9], [0.02, 0.031], [12, 9800, 44], [-4, 3], [5], [7, 7, 7], [1e-9, 2e-9], [0, 1e12]]) {
    const s = scale.spread(values);
    const n = s.bounds.length - 1;
    assert.ok(n >= 1 && n <= scale.CLASSES, `${values}: ${n} classes`);
    assert.ok(s.bounds[0] <= Math.min(...values) && s.bounds.at(-1) >= Math.max(...values), `${values} in ${s.bounds}`);
    for (const v of values) assert.ok(s.of(v) >= 1 && s.of(v) <= n);
    for (let i = 1; i <= n; i++) assert.ok(scale.paletteStep(i, n) >= 1 && scale.paletteStep(i, n) <= scale.CLASSES);
  }
  assert.equal(scale.spread([NaN, Infinity]), scale.INDEX_SCALE, "nothing to show: the index's own scale");
});

test("a higher class is never a lower step of the palette", () => {
  for (let n = 2; n <= scale.CLASSES; n++) for (let i = 2; i <= n; i++) assert.ok(scale.paletteStep(i, n) > scale.paletteStep(i - 1, n), `${i} of ${n}`);
});

const square = (kato, west, south, size) => ({
  type: "Feature", properties: { kato, name: { kk: kato, ru: kato, en: kato }, schematic: true, centre: null },
  geometry: { type: "Polygon", coordinates: [[[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]] },
});

test("outlines fill the plane, north is up, and a point of an area lies where its area is drawn", () => {
  const areas = { type: "FeatureCollection", features: [square("a", 70, 42, 1), square("b", 71, 43, 1)] };
  const plane = geo.layOut(areas);
  const [a, b] = plane.shapes;
  assert.ok(b.label[1] < a.label[1], "b lies north of a");
  assert.ok(b.label[0] > a.label[0], "b lies east of a");
  const [x, y] = plane.at([43.5, 71.5]);
  assert.ok(Math.abs(x - 750) < 1 && Math.abs(y - b.height / 2) < 2, `${x} ${y}`);
  assert.deepEqual(geo.layOut(null).shapes, []);
  assert.deepEqual(geo.layOut({ type: "FeatureCollection", features: [] }).shapes, []);
});

test("thinning an outline keeps its corners and drops what nobody sees", () => {
  const ring = [[0, 0], [5, 0.001], [10, 0], [10, 10], [0, 10], [0, 0]];
  assert.deepEqual(geo.thin(ring, 0.1), [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]);
  const long = Array.from({ length: 200_000 }, (_, i) => [i / 1000, Math.sin(i / 1000)]);
  assert.ok(geo.thin(long, 0.1).length < 2000, "and does not recurse into the stack's end");
});

test("an area's stand-in point: its centre as given, else inside its outline", () => {
  const areas = { type: "FeatureCollection", features: [square("a", 70, 42, 1), { ...square("b", 71, 43, 1), properties: { kato: "b", name: {}, centre: [43.2, 71.2] } }] };
  const [lat, lon] = geo.centreOf(areas, "a");
  assert.ok(lat > 42 && lat < 43 && lon > 70 && lon < 71);
  assert.deepEqual(geo.centreOf(areas, "b"), [43.2, 71.2]);
  assert.equal(geo.centreOf(areas, "none"), null);
});

test("names on the map never lie on each other, and stay out of areas that have no room", () => {
  const wanted = Array.from({ length: 30 }, (_, i) => ({ kato: String(i), at: [100 + (i % 6) * 30, 100 + Math.floor(i / 6) * 14], name: "Тұрар Рысқұлов ауданы", room: [120, 60], figure: "5,3" }));
  const placed = lay(wanted, 12.5, 900, 600);
  assert.ok(placed.length > 0 && placed.length < wanted.length);
  assert.deepEqual(lay([{ kato: "s", at: [50, 50], name: "Байзақ", room: [4, 4], figure: undefined }], 12.5, 900, 600), []);
  assert.deepEqual(lay([{ kato: "o", at: [-50, 50], name: "Байзақ", room: [400, 400], figure: undefined }], 12.5, 900, 600), []);
});

test("the word for a district is left out on the map, but a name that needs it keeps it", () => {
  assert.deepEqual(["Байзақ ауданы", "Байзакский район", "Baizak district", "Тараз қаласы", "город Тараз", "район Турара Рыскулова"].map(geo.shortName), ["Байзақ", "Байзакский", "Baizak", "Тараз", "Тараз", "район Турара Рыскулова"]);
});

test("a rank that is not sure is a range, never a number", () => {
  assert.equal(wording.rankWords({ rank: 3, rank_from: 3, rank_to: 3 }), "3");
  assert.equal(wording.rankWords({ rank: null, rank_from: 2, rank_to: 5 }), "2–5");
  assert.equal(wording.rankWords({ rank: null, rank_from: null, rank_to: null }), "–");
});

test("periods go back over the turn of a year", () => {
  assert.deepEqual(wording.periodsBack("2026-02-10", "month", 3), ["2026-02", "2026-01", "2025-12"]);
  assert.deepEqual(wording.periodsBack("2026-02-10", "quarter", 2), ["2026-Q1", "2025-Q4"]);
  assert.deepEqual(wording.periodsBack("2026-02-10", "year", 2), ["2026", "2025"]);
});

test("only what is set goes into an address, and it is escaped", () => {
  assert.equal(query({ a: "", b: null, c: undefined, d: false }), "");
  assert.equal(query({ text: "жылу & су", open: true, limit: 0 }), "?text=%D0%B6%D1%8B%D0%BB%D1%83+%26+%D1%81%D1%83&open=true&limit=0");
});

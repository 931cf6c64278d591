// The pure parts of the page: order of the queue, what rings, ages, the SSE parser, points of the map.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (path) => (await runnerImport(fileURLToPath(new URL(path, import.meta.url)), { configFile: false, logLevel: "error" })).module;
const rank = await load("../src/rank.ts");
const { SseParser } = await load("../src/stream.ts");
const map = await load("../src/desk/mapData.ts");

const alert = (id, kind, level, state, raised, version = 1) => ({ id, kind, level, state, raised_at: `2026-11-21T10:${raised}:00.000Z`, version });

test("alarms come first, then levels; unclaimed before claimed, oldest first", () => {
  const order = [
    alert(1, "crowd", "critical", "raised", "00"), alert(2, "alarm", "critical", "claimed", "01"), alert(3, "alarm", "critical", "raised", "05"),
    alert(4, "alarm", "critical", "raised", "04"), alert(5, "incident", "warning", "raised", "00"), alert(6, "crowd", "notice", "raised", "00"),
  ].sort(rank.compareAlerts).map((a) => a.id);
  assert.deepEqual(order, [4, 3, 2, 5, 1, 6]);
});

test("only an unclaimed alarm rings: no crowd and no incident, whatever the level", () => {
  assert.equal(rank.rings(alert(1, "alarm", "critical", "raised", "00")), true);
  for (const state of ["claimed", "dispatched", "accepted", "en_route", "on_scene", "closed"]) assert.equal(rank.rings(alert(1, "alarm", "critical", state, "00")), false, state);
  for (const kind of ["crowd", "incident"]) assert.equal(rank.rings(alert(1, kind, "critical", "raised", "00")), false, kind);
});

test("an older version never replaces a newer one", () => {
  const old = alert(1, "alarm", "critical", "raised", "00", 1);
  const fresh = alert(1, "alarm", "critical", "claimed", "00", 2);
  assert.equal(rank.newer(fresh, old), fresh);
  assert.equal(rank.newer(old, fresh), fresh);
  assert.equal(rank.newer(undefined, old), old);
});

test("ages", () => {
  assert.equal(rank.formatAge(-5000), "0:00");
  assert.equal(rank.formatAge(61_900), "1:01");
  assert.equal(rank.formatAge(3_661_000), "1:01:01");
  assert.equal(rank.formatAge(90_061_000), "25:01:01");
});

test("SSE: events cut anywhere arrive whole; comments and unknown fields are skipped; CRLF works", () => {
  const text = ': keep\n\nevent: snapshot\nid: k-1\ndata: {"a":\ndata: 1}\n\nretry: 5\r\nevent: changes\r\ndata: {}\r\n\r\nevent: end\ndata: {}\n\n';
  const wanted = [{ event: "snapshot", id: "k-1", data: '{"a":\n1}' }, { event: "changes", id: "k-1", data: "{}" }, { event: "end", id: "k-1", data: "{}" }];
  for (let size = 1; size <= text.length; size++) {
    const parser = new SseParser();
    const got = [];
    for (let i = 0; i < text.length; i += size) got.push(...parser.push(text.slice(i, i + size)));
    assert.deepEqual(got, wanted, `chunks of ${size}`);
  }
});

const areas = JSON.parse(readFileSync(new URL("../../../configs/areas/zhambyl.geojson", import.meta.url), "utf8"));

test("the map has a name point inside each of the 11 units", () => {
  const names = map.nameData(areas).features;
  assert.equal(names.length, 11);
  names.forEach((f, i) => assert.ok(inside(areas.features[i].geometry.coordinates[0], f.geometry.coordinates), f.properties.en));
});

test("alerts on one point share a marker led by the most urgent", () => {
  const at = { site: "s", device: null, position: [42.9, 71.4] };
  const spots = map.spots([{ ...alert(1, "crowd", "notice", "raised", "00"), ...at }, { ...alert(2, "alarm", "critical", "raised", "09"), ...at }], new Map(), new Map());
  assert.equal(spots.length, 1);
  assert.deepEqual(spots[0].alerts.map((a) => a.id), [2, 1]);
});

test("an alert without its own position stands at its camera, else its site, else nowhere", () => {
  const a = { ...alert(1, "crowd", "notice", "raised", "00"), position: null, device: "s/c", site: "s" };
  const sites = new Map([["s", { position: [1, 2] }]]);
  assert.deepEqual(map.whereIs(a, new Map([["s/c", { position: [3, 4] }]]), sites), [3, 4]);
  assert.deepEqual(map.whereIs(a, new Map(), sites), [1, 2]);
  assert.equal(map.whereIs(a, new Map(), new Map()), null);
});

function inside(ring, [x, y]) {
  let odd = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [[ax, ay], [bx, by]] = [ring[i], ring[j]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

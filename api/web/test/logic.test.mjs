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
const flood = await load("../src/desk/flood.ts");
const { matching } = await load("../src/desk/find.ts");

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

const press = (id, more = {}, top = {}) => ({ ...alert(id, "alarm", "critical", "raised", String(id % 60).padStart(2, "0")), site: "s1", device: `s1/b${id}`, alarm: { kind: "panic", test: false, ...more }, progress: {}, ...top });

test("a test press never rings and stands below everything in which somebody may be in danger", () => {
  assert.equal(rank.rings(press(1, { test: true })), false);
  assert.equal(rank.rings(press(1, { test: false, drill: 7 })), true, "a press in a drill without the test mark is an alarm");
  const order = [press(1, { test: true }), alert(2, "hazard", "warning", "raised", "30"), alert(3, "trouble", "watch", "raised", "00"), alert(4, "crowd", "notice", "raised", "00"), press(5)];
  assert.deepEqual(order.sort(rank.compareAlerts).map((a) => a.id), [5, 2, 1, 4, 3]);
});

test("duress stands before every other alarm, claimed or not, until it is closed", () => {
  const claimed = press(9, { duress_at: "2026-11-21T10:00:00.000Z" }, { state: "claimed" });
  assert.deepEqual([press(1), claimed].sort(rank.compareAlerts).map((a) => a.id), [9, 1]);
  assert.equal(rank.isDuress({ ...claimed, state: "closed" }), false);
});

test("a reminder, the shift lead, an unattended desk and duress make an unclaimed alarm urgent; a claim ends it", () => {
  assert.equal(rank.isUrgent(press(1)), false);
  for (const progress of [{ escalation: "reminded" }, { escalation: "shift_lead" }, { unattended_at: "2026-11-21T10:00:00.000Z" }]) {
    assert.equal(rank.isUrgent(press(1, {}, { progress })), true, JSON.stringify(progress));
    assert.equal(rank.isUrgent(press(1, {}, { progress, state: "claimed" })), false);
    assert.equal(rank.isUrgent(press(1, { test: true }, { progress })), false);
  }
});

test("pressed again: it calls the holder until they look, and nobody else", () => {
  const [claimed_at, again] = ["2026-11-21T10:00:00.000Z", "2026-11-21T10:01:00.000Z"];
  const mine = press(1, { pressed_again_at: again }, { state: "claimed", claimed_by: "me", progress: { claimed_at } });
  assert.equal(rank.calls(mine, "me", undefined), true);
  assert.equal(rank.calls(mine, "me", again), false, "looked at");
  assert.equal(rank.calls(mine, "other", undefined), false);
  assert.equal(rank.calls({ ...mine, progress: { claimed_at: "2026-11-21T10:02:00.000Z" } }, "me", undefined), false, "pressed before the claim");
  assert.equal(rank.calls({ ...mine, state: "closed" }, "me", undefined), false);
});

test("flood: eight alarms are a list, nine are groups by place and kind, and none is hidden", () => {
  const many = Array.from({ length: 9 }, (_, i) => press(i + 1, { kind: i === 8 ? "fire" : "panic" }, { site: i < 4 ? "s1" : "s2" }));
  assert.ok(flood.rowsOf(many.slice(0, 8), new Set()).every((r) => r.type === "alert"));
  const rows = flood.rowsOf([...many, alert(50, "trouble", "watch", "raised", "00")], new Set());
  assert.deepEqual(rows.map((r) => (r.type === "group" ? `${r.group.site}:${r.group.alerts.length}` : r.alert.id)), ["s1:4", "s2:4", 9, 50]);
  const told = rows.flatMap((r) => (r.type === "group" ? r.group.alerts : [r.alert])).map((a) => a.id);
  assert.deepEqual(told.sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 50], "every alert is a row or counted");
  const open = flood.rowsOf(many, new Set(["s1/panic"]));
  assert.deepEqual(open.slice(0, 5).map((r) => (r.type === "group" ? "group" : r.alert.id)), ["group", 1, 2, 3, 4]);
  assert.equal(flood.groupsOf(many).get("s2/panic").newest.id, 8);
});

test("flood: a test shares no group with an alarm, and duress stands alone", () => {
  const many = [...Array.from({ length: 9 }, (_, i) => press(i + 1)), press(20, { test: true }), press(21, { test: true }), press(30, { duress_at: "2026-11-21T10:00:00.000Z" })].sort(rank.compareAlerts);
  const rows = flood.rowsOf(many, new Set());
  assert.deepEqual(rows.map((r) => (r.type === "group" ? r.group.alerts.length : r.alert.id)), [30, 9, 2]);
});

test("flood: 8,000 alarms are sorted and grouped in well under a second", () => {
  const many = Array.from({ length: 8000 }, (_, i) => press(i + 1, {}, { site: `s${i % 3600}` }));
  const began = process.cpuUsage();
  const rows = flood.rowsOf(many.sort(rank.compareAlerts), new Set());
  assert.equal(rows.length, 3600);
  const { user, system } = process.cpuUsage(began);
  assert.ok((user + system) / 1000 < 800, `${(user + system) / 1000} ms of processor time`);
});

test("a site is found by number or word in any language, with Kazakh letters or without", () => {
  const name = (kk, ru, en) => ({ kk, ru, en });
  const all = [
    { id: "school-170", name: name("№170 мектеп", "Школа № 170", "School No. 170") }, { id: "school-17", name: name("№ 17 мектеп", "Школа № 17", "School No. 17") },
    { id: "bazar", name: name("Көк базар", "Кок базар", "Green bazaar") },
  ];
  assert.equal(matching(all, "17")[0].id, "school-17");
  for (const query of ["көк", "кок", "green", "БАЗАР", "көк базар"]) assert.deepEqual(matching(all, query).map((s) => s.id), ["bazar"], query);
  assert.deepEqual(matching(all, "школа 17").map((s) => s.id), ["school-17", "school-170"]);
  assert.deepEqual(matching(all, "nothing"), []);
});

test("units without a position are not on the map; blind institutions are", () => {
  const unit = (id, position) => ({ id, name: { kk: id, ru: id, en: id }, position, fresh: true, busy_with: null });
  assert.deepEqual(map.unitData([unit("a", [1, 2]), unit("b", null)]).features.map((f) => [f.properties.id, f.geometry.coordinates]), [["a", [2, 1]]]);
  assert.deepEqual(map.blindData([{ id: "x", name: {}, position: [1, 2], blind: true, overdue: true }, { id: "y", name: {}, position: [1, 2], blind: false }]).features.map((f) => f.properties.id), ["x"]);
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

test("SSE: a snapshot of ten megabytes in small pieces is read in linear time", () => {
  const line = `data: ${"x".repeat(10_000_000)}\n\n`;
  const parser = new SseParser();
  const began = process.cpuUsage();
  let got = 0;
  for (let i = 0; i < line.length; i += 16_384) got += parser.push(line.slice(i, i + 16_384)).length;
  const { user, system } = process.cpuUsage(began);
  assert.equal(got, 1);
  assert.ok((user + system) / 1000 < 1500, `${(user + system) / 1000} ms of processor time`);
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

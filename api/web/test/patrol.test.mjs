// The pure parts of the patrol's page: answers that wait for the line, the way of an order, distances.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (path) => (await runnerImport(fileURLToPath(new URL(path, import.meta.url)), { configFile: false, logLevel: "error" })).module;
const { Outbox } = await load("../src/patrol/outbox.ts");
const { distanceM, mayDecline, nextStep, receiptsDue } = await load("../src/patrol/steps.ts");

/** A hub that can be cut off, and a clock that moves when told. */
function world(kept = []) {
  const w = { up: true, refuse: new Set(), got: [], saved: kept, timers: [] };
  w.outbox = new Outbox({
    send: async (item) => {
      await null;
      if (!w.up) return "later";
      if (w.refuse.has(item.answer)) return "refused";
      w.got.push(item.answer);
      return "taken";
    },
    load: () => w.saved,
    save: (items) => (w.saved = [...items]),
    changed: () => {},
    after: (ms, run) => {
      const timer = { ms, run };
      w.timers.push(timer);
      return () => (w.timers = w.timers.filter((t) => t !== timer));
    },
  });
  return w;
}
const settled = () => new Promise((resolve) => setImmediate(resolve));
const item = (answer, alert = 7) => ({ alert, answer, at: 1 });

test("answers that were given without a line are sent in order when it is back", async () => {
  const w = world();
  w.up = false;
  for (const answer of ["accept", "en_route", "on_scene"]) w.outbox.add(item(answer));
  await settled();
  assert.deepEqual([w.got, w.outbox.items.map((i) => i.answer)], [[], ["accept", "en_route", "on_scene"]]);
  w.up = true;
  await w.outbox.flush();
  assert.deepEqual([w.got, w.outbox.items], [["accept", "en_route", "on_scene"], []]);
});

test("they survive a reload and are tried again by themselves, ever more seldom", async () => {
  const w = world();
  w.up = false;
  w.outbox.add(item("accept"));
  await settled();
  const waits = [];
  for (let i = 0; i < 7; i++) {
    assert.equal(w.timers.length, 1, "one timer at a time");
    const [timer] = w.timers;
    waits.push(timer.ms);
    timer.run();
    await settled();
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  const again = world(w.saved);
  await again.outbox.flush();
  assert.deepEqual(again.got, ["accept"]);
});

test("the same answer is sent once however often the button is pressed, and a refused one holds up nothing", async () => {
  const w = world();
  w.refuse.add("seen");
  for (const answer of ["seen", "accept", "accept", "accept"]) w.outbox.add(item(answer));
  await settled();
  await settled();
  assert.deepEqual([w.got, w.outbox.items], [["accept"], []]);
});

test("answers to an order that stands no more are dropped", async () => {
  const w = world();
  w.up = false;
  w.outbox.add(item("accept", 7));
  w.outbox.add(item("delivered", 8));
  w.outbox.keepOnly(8);
  assert.deepEqual(w.saved.map((i) => i.alert), [8]);
});

const alert = (state, progress = {}) => ({ id: 7, state, unit: "patrol-2", version: 3, progress: { delivered_at: null, seen_at: null, done_at: null, ...progress } });

test("the next step counts what waits, and nothing comes after done or a decline", () => {
  assert.equal(nextStep(alert("dispatched"), []), "accept");
  assert.equal(nextStep(alert("dispatched"), [item("accept"), item("en_route")]), "on_scene");
  assert.equal(nextStep(alert("on_scene"), []), "done");
  assert.equal(nextStep(alert("on_scene", { done_at: "x" }), []), null);
  assert.equal(nextStep(alert("accepted"), [item("decline")]), null);
  assert.equal(nextStep(alert("accepted"), [item("on_scene", 8)]), "en_route", "another order's answers do not count");
});

test("a unit can decline until it is there", () => {
  assert.deepEqual(["dispatched", "accepted", "en_route", "on_scene"].map((s) => mayDecline(alert(s), [])), [true, true, true, false]);
  assert.equal(mayDecline(alert("dispatched"), [item("accept"), item("en_route"), item("on_scene")]), false);
});

test("delivered is due at once, seen only on a visible page, each until the hub has it or it waits", () => {
  assert.deepEqual(receiptsDue(alert("dispatched"), false, []), ["delivered"]);
  assert.deepEqual(receiptsDue(alert("dispatched"), true, []), ["delivered", "seen"]);
  assert.deepEqual(receiptsDue(alert("dispatched", { delivered_at: "x" }), true, [item("seen")]), []);
  assert.deepEqual(receiptsDue(alert("closed"), true, []), []);
});

test("a hundredth of a degree of latitude is 1,112 m", () => {
  assert.ok(Math.abs(distanceM([42.9, 71.37], [42.91, 71.37]) - 1112) < 2);
});

// The pure parts of planning, load, rules and the explanation of a gathering.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (path) => (await runnerImport(fileURLToPath(new URL(path, import.meta.url)), { configFile: false, logLevel: "error" })).module;
const check = await load("../src/planning/register/check.ts");
const figures = await load("../src/planning/load/figures.ts");
const geo = await load("../src/planning/geo.ts");
const times = await load("../src/planning/times.ts");
const { gauge, reasonBar } = await load("../src/desk/gauge.ts");

const rally = { form: "rally", position: [42.9, 71.4], radius_m: 150, place: "Park square, 25-26 November", from: "2026-11-25T12:00:00.000Z", until: "2026-11-25T14:00:00.000Z", people: 200, filed_on: "2026-11-19", answer: null };

test("pickets, meetings and rallies are notified; marches and demonstrations approved", () => {
  assert.deepEqual(check.FORMS.map(check.procedureOf), ["notification", "notification", "notification", "approval", "approval"]);
});

test("a refusal needs its ground and the alternative; an answer is not older than the filing", () => {
  const refused = (more) => check.problemOf({ ...rally, answer: { answer: "refused", on: "2026-11-20", ground: "another event", alternative: "Stadium square", appeal: "none", ...more } });
  assert.equal(refused({}), null);
  assert.equal(refused({ ground: " " }), "ground");
  assert.equal(refused({ alternative: "" }), "alternative");
  assert.equal(refused({ on: "2026-11-18" }), "answer_before");
  assert.equal(refused({ on: "" }), "answer_on");
  assert.equal(refused({ ground: "see letter 87015550117" }), "number");
  assert.equal(check.problemOf({ ...rally, answer: { answer: "moved", on: "2026-11-20", alternative: "" } }), "alternative");
});

test("what the hub would refuse is said beside the field first", () => {
  assert.equal(check.problemOf(rally), null);
  const cases = { place: { place: "  " }, place_long: { place: "а".repeat(1001) }, position: { position: null }, times: { until: rally.from }, people: { people: 0 }, radius: { radius_m: 9 }, filed: { filed_on: "" } };
  for (const [problem, change] of Object.entries(cases)) assert.equal(check.problemOf({ ...rally, ...change }), problem);
  assert.equal(check.problemOf({ ...rally, from: null }), "times");
  assert.equal(check.problemOf({ ...rally, until: "2026-12-03T12:00:00.001Z" }), "times", "longer than 7 days");
});

test("numbers that could name somebody are found however they are written, dates and times are not", () => {
  for (const text of ["+7 (701) 123-45-67", "IIN 900101300123", "тел. 8.701.555.01.17", "٩٠٠١٠١٣٠٠"]) assert.equal(check.namesSomebody(text), true, text);
  for (const text of ["Tole bi 25, hall 3, from 10:00 to 12:30", "25-26 November 2026", ""]) assert.equal(check.namesSomebody(text), false, text);
});

test("a standing says why, with the day that it names", () => {
  const refused = { answer: "refused", on: "2026-11-20", ground: "g", alternative: "a", appeal: "filed" };
  assert.deepEqual(check.whyStanding("pending", null, "2026-11-24"), { key: "pending", day: "2026-11-24" });
  assert.deepEqual(check.whyStanding("proceeds", null, "2026-11-24"), { key: "silence", day: "2026-11-24" });
  assert.deepEqual(check.whyStanding("refused", refused, "2026-11-24"), { key: "refused", day: "2026-11-20" });
  assert.deepEqual(check.whyStanding("proceeds", { ...refused, appeal: "upheld" }, "x"), { key: "appeal", day: "2026-11-20" });
  assert.equal(check.whyStanding("withdrawn", { answer: "withdrawn", on: "2026-11-21" }, "x").key, "withdrawn");
});

const told = (more = {}) => ({ alerts: 10, per_shift: 5, levels: {}, right: 4, wrong: 4, unjudged: 2, precision: 0.5, missed: 0, delay_min: 1, ...more });
const all = (a, b) => figures.METRICS.map((m) => figures.difference(m, a, b));

test("a trial that misses a true alert is never called better", () => {
  const quieter = told({ per_shift: 1, wrong: 0, precision: 1, missed: 1, right: 3 });
  assert.equal(figures.outcome(all(told(), quieter)), "misses");
  assert.equal(figures.outcome(all(told(), told({ per_shift: 3, wrong: 2, precision: 0.67 }))), "better");
  assert.equal(figures.outcome(all(told(), told({ per_shift: 9, wrong: 9, precision: 0.3 }))), "worse");
  assert.equal(figures.outcome(all(told(), told({ per_shift: 3, delay_min: 4 }))), "mixed");
  assert.equal(figures.outcome(all(told(), told({ per_shift: 5.01 }))), "same");
});

test("less is better for alerts, misses and delay, worse for precision; what is not known is not compared", () => {
  const by = (metric, a, b) => figures.difference(metric, told(a), told(b)).tone;
  assert.equal(by("per_shift", {}, { per_shift: 2 }), "better");
  assert.equal(by("precision", {}, { precision: 0.2 }), "worse");
  assert.equal(by("delay", {}, { delay_min: -2 }), "better");
  assert.equal(by("precision", { precision: null }, {}), "unknown");
  assert.equal(by("delay", { delay_min: null }, { delay_min: null }), "same");
});

test("safety rules are never proposed; a rule is judged after enough verdicts", () => {
  const f = (right, wrong, proposed = false) => ({ right, wrong, drills: 0, duplicates: 0, unjudged: 0, precision: right / (right + wrong), proposed_for_demotion: proposed });
  for (const rule of ["density", "flow", "closed_hours"]) assert.equal(figures.standingOf(rule, f(0, 50, true), [rule]), "safety");
  assert.equal(figures.standingOf("above_limit", f(1, 5), []), "few");
  assert.equal(figures.standingOf("above_limit", f(2, 18, true), []), "proposed");
  assert.equal(figures.standingOf("above_limit", f(2, 18, true), ["above_limit"]), "demoted");
  assert.equal(figures.standingOf("above_limit", f(12, 18), []), "kept");
  assert.deepEqual(figures.demotedAfter(["neighbours"], "above_limit", true), ["above_limit", "neighbours"]);
  assert.deepEqual(figures.demotedAfter(["above_limit", "neighbours"], "above_limit", false), ["neighbours"]);
  assert.deepEqual(figures.demotedAfter([], "density", true), [], "whatever a button says");
});

test("what is in force: the hub's word, else the newest change, else nothing", () => {
  const changes = [{ id: 1, rule: "unusual_score", value: 1 }, { id: 3, rule: "unusual_score", value: 2 }, { id: 2, rule: "limit/a/b", value: null }];
  const old = figures.inForce({ changes });
  assert.deepEqual([old.score, old.demoted, old.limit("a/b"), old.limit("a/c")], [2, [], null, undefined]);
  const said = figures.inForce({ changes, in_force: { unusual_score: 1.5, demoted: ["neighbours"], limits: { "a/b": 7 } } });
  assert.deepEqual([said.score, said.demoted, said.limit("a/b")], [1.5, ["neighbours"], 7]);
  assert.equal(figures.inForce({ changes: [] }).score, null);
});

test("one alert in ten minutes is well, two the most, more is too much", () => {
  assert.deepEqual([0, 1, 1.01, 2, 2.01].map(figures.pace), ["well", "well", "most", "most", "over"]);
});

test("a circle on the ground has its radius in every direction", () => {
  const at = [42.9, 71.4];
  for (const [lon, lat] of geo.ring(at, 500)) assert.ok(Math.abs(geo.metres(at, [lat, lon]) - 500) < 2);
  const ring = geo.ring(at, 10);
  assert.deepEqual(ring[0], ring.at(-1), "closed");
  assert.equal(geo.around([]), null);
  const box = geo.around([{ key: "a", points: [at, [42.91, 71.42]], radius_m: 100, tone: "plain", name: "" }]);
  assert.ok(box[0] < 71.4 && box[2] > 71.42 && box[1] < 42.9 && box[3] > 42.91);
});

test("one point is a place, several are a route", () => {
  const shape = (points) => ({ key: "k", points, radius_m: 50, tone: "good", name: "n" });
  assert.equal(geo.routes([shape([[42.9, 71.4]])]).features.length, 0);
  const [line] = geo.routes([shape([[42.9, 71.4], [42.91, 71.41]])]).features;
  assert.deepEqual(line.geometry.coordinates, [[71.4, 42.9], [71.41, 42.91]], "longitude first");
  assert.equal(geo.titles([shape([])]).features.length, 0);
});

test("a month has whole weeks from Monday, over the turn of a year and in a leap year", () => {
  const november = times.weeks(2026, 10);
  assert.deepEqual([november[0][0], november.at(-1).at(-1)], ["2026-10-26", "2026-12-06"]);
  assert.equal(times.weeks(2027, 1).length, 4, "February 2027 begins on a Monday");
  assert.ok(times.weeks(2028, 1).flat().includes("2028-02-29"));
  assert.deepEqual(times.weeks(2026, 12)[0].slice(3, 5), ["2026-12-31", "2027-01-01"]);
});

test("an event touches the days it lasts; one that ends at midnight does not touch the next", () => {
  const from = new Date(2026, 10, 24, 22).toISOString();
  const midnight = new Date(2026, 10, 25).toISOString();
  assert.deepEqual(["2026-11-23", "2026-11-24", "2026-11-25"].map((d) => times.touches(d, from, midnight)), [false, true, false]);
  assert.equal(times.touches("2026-11-25", from, new Date(2026, 10, 25, 0, 1).toISOString()), true);
});

test("a field's time goes to the hub and back", () => {
  assert.equal(times.toField(times.fromField("2026-11-25T18:30")), "2026-11-25T18:30");
  assert.equal(times.fromField(""), null);
  assert.equal(times.fromField("2026-11-"), null);
});

test("a time that ends on another day names that day", () => {
  const at = (day, hour) => new Date(2026, 10, day, hour).toISOString();
  assert.equal(times.when(at(25, 18), at(25, 20)), "18:00–20:00");
  assert.equal(times.when(at(25, 18), at(26, 2)), "18:00–26.11 02:00");
});

test("the scale of a gathering holds every number in order, and never makes a crowd of two people", () => {
  const g = gauge({ people: 14, low: 12.5, high: 16, peak: 17, limit: 12, baseline: 6.2, baseline_bound: 10.4 });
  assert.ok(g.usual < g.bound && g.bound < g.limit && g.limit < g.low && g.low < g.now && g.now < g.high && g.high < g.peak && g.peak < 1);
  const two = gauge({ people: 2, low: null, high: null, peak: 2, limit: null, baseline: 1, baseline_bound: null });
  assert.ok(two.now < 0.3);
  assert.deepEqual([two.low, two.limit, two.bound], [null, null, null]);
});

test("a reason has a bar only where it stands against a bound", () => {
  const bar = reasonBar({ code: "density", observed: 4.1, bound: 3.6, for_s: 30 });
  assert.ok(bar.observed > bar.bound && bar.observed < 1);
  for (const code of ["persistent", "growth", "closed_hours"]) assert.equal(reasonBar({ code, observed: 4, bound: 1, for_s: 30 }), null);
  assert.equal(reasonBar({ code: "above_baseline", observed: 4, bound: 0, for_s: 30 }), null);
});

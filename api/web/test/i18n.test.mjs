// Texts: every key in all three languages, nothing left in English, every key in the code exists, no key is idle.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
/** The desk's texts, and those of the situation's and of planning's pages, which travel apart. */
const SETS = ["i18n", "situation/i18n", "planning/i18n"].map((dir) => Object.fromEntries(["kk", "ru", "en"].map((l) => [l, JSON.parse(readFileSync(join(SRC, dir, `${l}.json`), "utf8"))])));
const texts = Object.fromEntries(["kk", "ru", "en"].map((l) => [l, Object.assign({}, ...SETS.map((set) => set[l]))]));

/** Values that are the same in every language: signs, not words. */
const SAME_ALLOWED = new Set(["count.range", "data.kind.http", "data.kind.mqtt", "requests.channel.open311"]);
const code = readdirSync(SRC, { recursive: true })
  .filter((f) => /\.tsx?$/.test(f))
  .map((f) => ({ file: f, text: readFileSync(join(SRC, f), "utf8") }));

test("every key exists in all three languages, in the same order", () => {
  for (const l of ["kk", "ru"]) assert.deepEqual(Object.keys(texts[l]), Object.keys(texts.en), l);
});

test("no key stands in two files", () => {
  const all = SETS.flatMap((set) => Object.keys(set.en));
  assert.equal(new Set(all).size, all.length);
});

test("no text is empty, and no Kazakh or Russian text equals the English one", () => {
  for (const l of ["kk", "ru"])
    for (const [key, value] of Object.entries(texts[l])) {
      assert.ok(value.trim(), `${l} ${key} is empty`);
      if (!SAME_ALLOWED.has(key)) assert.notEqual(value, texts.en[key], `${l} ${key} is still English`);
    }
  for (const key of SAME_ALLOWED) assert.equal(texts.ru[key], texts.en[key], `${key} differs: take it off the list`);
});

test("Kazakh and Russian are not the same text, but for words they share", () => {
  const shared = Object.keys(texts.en).filter((k) => texts.kk[k] === texts.ru[k]);
  const same = ["ago.min", "ago.s", "chart.kind", "count.range", "data.import", "data.kind.feed", "data.kind.file", "data.kind.http", "data.kind.mqtt", "data.site", "data.survey_type.online", "distance.km", "distance.m", "drills.min", "form.demonstration", "form.picket", "form.rally", "map.title", "patrol.kilometres", "patrol.metres", "requests.channel.desk", "requests.channel.open311", "requests.channel.page", "requests.who.operator", "role.auditor", "role.patrol", "shift.seconds", "still.open_short", "tension.map", "unit.patrol", "weekday.3"];
  assert.deepEqual(shared.sort(), same.sort());
});

test("the same placeholders stand in every language", () => {
  const names = (s) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
  for (const l of ["kk", "ru"]) for (const key of Object.keys(texts.en)) assert.deepEqual(names(texts[l][key]), names(texts.en[key]), `${l} ${key}`);
});

const literals = new Set();
const prefixes = new Set();
for (const { file, text } of code) {
  for (const m of text.matchAll(/\bt\(\s*"([^"]+)"/g)) literals.add(m[1]);
  for (const m of text.matchAll(/\bt\(\s*`([^`$]+)\$\{/g)) prefixes.add(m[1]);
  // A code of the hub under its prefix.
  if (/^(situation|planning)/.test(file)) for (const m of text.matchAll(/\bword\(\s*"([^"]+)"/g)) prefixes.add(`${m[1]}.`);
  for (const m of text.matchAll(/\bhasKey\(`([^`$]+)\$\{/g)) prefixes.add(m[1]);
  // Keys in a ternary, a table, or looked up by hasKey.
  for (const m of text.matchAll(/"((?:[a-z]+\.)+[a-z_0-9]+)"/g)) if (m[1] in texts.en) literals.add(m[1]);
  for (const m of text.matchAll(/= `([a-z_.]+\.)\$\{/g)) prefixes.add(m[1]);
}

test("every key used in the code exists", () => {
  for (const key of literals) assert.ok(key in texts.en, `${key} has no text`);
  for (const prefix of prefixes) assert.ok(Object.keys(texts.en).some((k) => k.startsWith(prefix)), `no text begins with ${prefix}`);
});

test("every key in a ternary of t() exists", () => {
  for (const { file, text } of code)
    for (const m of text.matchAll(/\bt\(([^()"`]*\?[^()]*)\)/g))
      for (const key of m[1].matchAll(/"([^"]+)"/g)) if (key[1].includes(".")) assert.ok(key[1] in texts.en, `${file}: ${key[1]}`);
});

test("no text is idle", () => {
  const idle = Object.keys(texts.en).filter((k) => !literals.has(k) && ![...prefixes].some((p) => k.startsWith(p)));
  assert.deepEqual(idle, []);
});

test("texts speak of safety, never of permission to gather", () => {
  const never = /unauthori[sz]ed|несанкцион|рұқсатсыз|норма[а-я]* превыш|превышени[ея] норм|norm exceeded/i;
  for (const l of Object.keys(texts)) for (const [key, value] of Object.entries(texts[l])) assert.doesNotMatch(value, never, `${l} ${key}`);
});

test("Kazakh texts use Kazakh letters somewhere and no Latin look-alike of i", () => {
  for (const [key, value] of Object.entries(texts.kk)) assert.doesNotMatch(value, /[а-яәғқңөұүһі][a-z][а-яәғқңөұүһі]/i, `kk ${key}`);
  assert.match(Object.values(texts.kk).join(""), /ә.*і|і.*ә/s);
});

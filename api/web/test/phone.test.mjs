// The phone page's pure parts: a press is kept, sent under the same number until the receipt, and never twice.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const path = (p) => fileURLToPath(new URL(p, import.meta.url));
const load = async (p) => (await runnerImport(path(p), { configFile: false, logLevel: "error" })).module;
const { Outbox, waits } = await load("../src/phone/outbox.ts");
const { problemOf } = await load("../src/phone/Enrol.tsx");

const memory = (start = {}) => {
  const kept = new Map(Object.entries(start));
  return { kept, get: (k) => kept.get(k) ?? null, set: (k, v) => void kept.set(k, v) };
};
const answer = (status, more = {}) => ({ status, code: "", retryAfterMs: 0, body: null, ...more });
const stored = answer(201, { body: { stored_at: "2026-11-22T01:00:00Z" } });
const settled = async (outbox) => {
  for (let i = 0; i < 200 && outbox.presses.some(waits); i++) await new Promise((r) => setTimeout(r, 10));
};

test("a press is sent again under the same number until the receipt comes", async () => {
  const sent = [];
  const answers = [answer(0), answer(503), stored];
  const outbox = new Outbox(memory(), async (_method, _path, body) => (sent.push(body), answers.shift()));
  outbox.press("fire", false);
  for (let i = 0; i < 100 && sent.length < 3; i++) {
    await new Promise((r) => setTimeout(r, 10));
    outbox.resume();
  }
  await settled(outbox);
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent.map((s) => `${s.boot}/${s.seq}/${s.kind}/${s.at}`)).size, 1);
  assert.equal(outbox.presses[0].storedAt, "2026-11-22T01:00:00Z");
});

test("a press is on the shelf before it is sent, and a reload goes on with it", async () => {
  const shelf = memory();
  const never = new Outbox(shelf, () => new Promise(() => {}));
  never.press("panic", false);
  const kept = JSON.parse(shelf.kept.get("qorgan.phone.press"));
  assert.equal(kept.length, 1);
  const sent = [];
  const again = new Outbox(shelf, async (_method, _path, body) => (sent.push(body), stored));
  again.resume();
  await settled(again);
  assert.deepEqual([sent[0].seq, sent[0].boot], [kept[0].seq, kept[0].boot]);
  again.press("panic", false);
  await settled(again);
  assert.equal(sent[1].seq, sent[0].seq + 1, "the next press has the next number");
});

test("where the memory is gone the boot id is another one", () => {
  const numbers = [memory(), memory()].map((shelf) => new Outbox(shelf, async () => stored).number());
  assert.notEqual(numbers[0].boot, numbers[1].boot);
  assert.deepEqual(numbers.map((n) => n.seq), [1, 1]);
});

test("a press that is half an hour old is not sent without asking", async () => {
  const sent = [];
  let now = 0;
  const shelf = memory({ "qorgan.phone.press": JSON.stringify([{ kind: "panic", seq: 4, boot: "b", at: 0, test: false, failed: 3 }]) });
  const outbox = new Outbox(shelf, async (_method, _path, body) => (sent.push(body), stored), () => now);
  now = 31 * 60_000;
  outbox.resume();
  assert.equal(outbox.isOld(outbox.presses[0]), true);
  assert.equal(sent.length, 0);
  outbox.sendOld(outbox.presses[0]);
  await settled(outbox);
  assert.equal(sent.length, 1);
});

test("a receipt is not shown for ever: whoever takes the phone later reads nothing", async () => {
  let now = 0;
  const shelf = memory();
  const outbox = new Outbox(shelf, async () => stored, () => now);
  outbox.press("panic", false);
  await settled(outbox);
  outbox.forget();
  assert.equal(outbox.presses.length, 1);
  now = 11 * 60_000;
  outbox.forget();
  assert.equal(outbox.presses.length, 0);
  assert.equal(shelf.kept.get("qorgan.phone.press"), "[]");
});

test("a revoked phone and a test without a drill are said, and not tried for ever", async () => {
  let lost = "";
  const revoked = new Outbox(memory(), async () => answer(401, { code: "revoked" }));
  revoked.lost = (code) => (lost = code);
  revoked.press("panic", false);
  await new Promise((r) => setTimeout(r, 20));
  assert.equal(lost, "revoked");
  const noDrill = new Outbox(memory(), async () => answer(422, { code: "no_drill" }));
  noDrill.press("panic", true);
  await settled(noDrill);
  assert.equal(noDrill.presses[0].refused, "no_drill");
});

test("a shelf that was tampered with costs nothing", () => {
  for (const junk of ["{", "7", "null", '[{"seq":"x"}]', "[null]"]) {
    const outbox = new Outbox(memory({ "qorgan.phone.press": junk, "qorgan.phone.counter": junk }), async () => stored);
    assert.deepEqual(outbox.presses, [], junk);
    assert.equal(outbox.number().seq, 1);
  }
});

test("codes that anybody would guess are refused before the link is used up", () => {
  assert.equal(problemOf("2580", "9137"), null);
  assert.equal(problemOf("0000", "9137"), "rule_easy");
  assert.equal(problemOf("2580", "4321"), "rule_easy");
  assert.equal(problemOf("258", "9137"), "rule_digits");
  assert.equal(problemOf("2580", "2580"), "rule_same");
});

test("nothing that a tab or a home screen shows betrays the page, and it makes no sound", () => {
  const manifest = JSON.parse(readFileSync(path("../public/phone.webmanifest"), "utf8"));
  assert.deepEqual([manifest.name, manifest.short_name], ["Q", "Q"]);
  assert.match(readFileSync(path("../phone.html"), "utf8"), /<title>Q<\/title>/);
  const code = ["main.tsx", "Root.tsx", "Press.tsx", "Hold.tsx", "Cancel.tsx", "Enrol.tsx", "outbox.ts", "hub.ts"].map((f) => readFileSync(path(`../src/phone/${f}`), "utf8"));
  code.push(readFileSync(path("../public/phone-sw.js"), "utf8"));
  for (const text of code) assert.doesNotMatch(text, /vibrate|new Audio|AudioContext|Notification\(|showNotification|document\.title/);
});

test("every text of the phone page is in its own language", () => {
  const text = readFileSync(path("../src/phone/words.ts"), "utf8");
  const table = (name) => Object.fromEntries([...text.split(`const ${name}`)[1].split("};")[0].matchAll(/^ {2}(\w+): "(.*)",$/gm)].map((m) => [m[1], m[2]]));
  const [en, ru, kk] = ["en", "ru", "kk"].map(table);
  assert.ok(Object.keys(en).length > 40);
  for (const key of Object.keys(en)) {
    if (key === "code") continue;
    assert.ok(ru[key] && kk[key] && ru[key] !== en[key] && kk[key] !== en[key] && kk[key] !== ru[key], key);
  }
});

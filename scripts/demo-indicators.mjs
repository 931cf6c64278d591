// Writes demonstration data for the tension map: made-up values for every indicator of configs/indicators.toml, about no real
// district. Every row says source "demo". Seeded: the same catalogue gives the same file. Needs only node.
//
//   node scripts/demo-indicators.mjs configs/demo-indicators.csv
//   node scripts/demo-indicators.mjs --check configs/demo-indicators.csv

import { readFileSync, writeFileSync } from "node:fs";

const args = process.argv.slice(2);
const check = args[0] === "--check";
const out = args[check ? 1 : 0];
if (!out) {
  console.error("usage: demo-indicators.mjs [--check] OUT.csv");
  process.exit(2);
}

// KATO code, round population, level of strain (0 to 1) that its made-up values move around.
const AREAS = [
  ["311000000", 430000, 0.42], ["313600000", 105000, 0.3], ["314000000", 85000, 0.24], ["314200000", 52000, 0.34],
  ["314800000", 150000, 0.56], ["315000000", 65000, 0.45], ["315400000", 85000, 0.28], ["315600000", 33000, 0.5],
  ["316000000", 45000, 0.66], ["316200000", 55000, 0.38], ["316600000", 105000, 0.48],
];
// What this district does not report: its map shows what a missing block looks like.
const SILENT = { "315600000": ["youth", "interethnic"] };
const FIRST = 2024;
const [LAST_YEAR, LAST_MONTH] = [2026, 10];

const root = new URL("..", import.meta.url);
const catalogue = readCatalogue(readFileSync(new URL("configs/indicators.toml", root), "utf8"));
const lines = ["area,indicator,period,value,cases,denominator,source"];
for (const [area, population, level] of AREAS) {
  for (const indicator of catalogue) {
    if (SILENT[area]?.includes(indicator.block)) continue;
    rows(area, population, level, indicator);
  }
}
const text = `${lines.join("\n")}\n`;
if (check) {
  if (readFileSync(out, "utf8") !== text) {
    console.error(`${out} is not what this script writes`);
    process.exit(1);
  }
} else {
  writeFileSync(out, text);
  console.log(`${lines.length - 1} rows`);
}

function rows(area, population, level, indicator) {
  const own = noise(`${area} ${indicator.id}`);
  const block = noise(`${area} ${indicator.block}`);
  const drift = noise(`${area} ${indicator.block} drift`) * 0.09;
  const whole = denominator(indicator, population);
  for (const { name, at } of periods(indicator.period)) {
    // One value in forty is missing: nobody reports everything.
    if (uniform(`${area} ${indicator.id} ${name} missing`) < 0.025) continue;
    // Heat, power and water are a winter's trouble.
    const winter = ["utility-outages", "housing-complaints", "polluted-days"].includes(indicator.id) ? 0.12 * Math.cos(2 * Math.PI * at) : 0;
    const strain = level + 0.16 * block + 0.12 * own + drift * (at - FIRST) + winter + 0.045 * noise(`${area} ${indicator.id} ${name}`);
    const share = Math.min(0.97, Math.max(0.03, strain));
    const value = indicator.calm + share * (indicator.strained - indicator.calm);
    if (indicator.kind === "count") {
      // A small district has fewer events than a city.
      const cases = Math.max(1, Math.round(value * (0.6 + 0.4 * Math.min(1, population / 150000))));
      lines.push([area, indicator.id, name, cases, cases, "", "demo"].join(","));
    } else {
      const decimals = Math.abs(indicator.strained - indicator.calm) < 10 ? 2 : 1;
      lines.push([area, indicator.id, name, Number(value.toFixed(decimals)), "", whole, "demo"].join(","));
    }
  }
}

/// What a value is a share or rate of, in round numbers.
function denominator(indicator, population) {
  const of = (share, step) => Math.max(step, Math.round((population * share) / step) * step);
  if (indicator.source === "survey") return 400;
  if (indicator.unit === "per-1000-workers" || indicator.id === "collective-agreements") return indicator.kind === "share" ? 40 : of(0.32, 100);
  if (indicator.unit === "per-1000-children") return of(0.22, 100);
  if (indicator.unit === "per-10000-teens") return of(0.07, 100);
  if (indicator.unit === "per-1000-young") return of(0.26, 100);
  const shares = {
    "appeals-overdue": of(0.008, 100), "appeals-repeated": of(0.008, 100), "requests-not-fixed": of(0.01, 100), "disputes-settled": 80,
    "akim-meetings": 24, "council-recommendations": 30, "assembly-refusals": 12, "polluted-days": 30, neet: of(0.26, 100),
    "youth-unemployment": of(0.15, 100), unemployment: of(0.45, 100), "overdue-loans": of(0.6, 100), "three-shift-schools": of(0.2, 100),
  };
  return shares[indicator.id] ?? population;
}

function periods(kind) {
  const found = [];
  for (let year = FIRST; year <= LAST_YEAR; year++) {
    if (kind === "year" && year < LAST_YEAR) found.push({ name: `${year}`, at: year + 0.5 });
    for (let month = 1; month <= 12 && (year < LAST_YEAR || month <= LAST_MONTH); month++) {
      const at = year + (month - 0.5) / 12;
      if (kind === "month") found.push({ name: `${year}-${String(month).padStart(2, "0")}`, at });
      if (kind === "quarter" && month % 3 === 0) found.push({ name: `${year}-Q${month / 3}`, at });
    }
  }
  return found;
}

/// The few keys that are needed here; the hub reads the whole file and checks it.
function readCatalogue(toml) {
  return toml.split("[[indicator]]").slice(1).map((part) => {
    const word = (key) => part.match(new RegExp(`^${key} = "([^"]+)"`, "m"))?.[1];
    const [calm, strained] = part.match(/^references = \[([^\]]+)\]/m)[1].split(",").map(Number);
    const kind = word("kind") ?? (/^kind = \{ rate/m.test(part) ? "rate" : "measure");
    return { id: word("id"), block: word("block"), unit: word("unit"), source: word("source"), period: word("period"), kind, calm, strained };
  });
}

/// Evenly in 0 to 1, by name.
function uniform(name) {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(`qorgan demo ${name}`)) hash = Math.imul(hash ^ byte, 16777619);
  hash = Math.imul(hash ^ (hash >>> 16), 2246822507);
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/// About normal, -1 to 1 mostly, by name.
function noise(name) {
  return (uniform(`${name} a`) + uniform(`${name} b`) + uniform(`${name} c`) - 1.5) / 0.75;
}

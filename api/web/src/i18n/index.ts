// Texts in three languages. `t` takes only keys that exist in en.json (checked by the compiler; the test checks kk and ru).

import en from "./en.json";
import kk from "./kk.json";
import ru from "./ru.json";
import { lang } from "../prefs";
import type { Lang, Names } from "../types";

export type Key = keyof typeof en;

const TEXTS: Record<Lang, Record<Key, string>> = { en, kk, ru };
/** Numbers in Kazakh follow the same rules as in Russian; not every browser knows the former. */
const LOCALE: Record<Lang, string> = { en: "en-GB", kk: "ru-KZ", ru: "ru-KZ" };
export const LANG_NAME: Record<Lang, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return TEXTS[lang.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function hasKey(key: string): key is Key {
  return key in en;
}

export function named(names: Names | undefined, fallback: string): string {
  return names?.[lang.value] || names?.kk || names?.ru || names?.en || fallback;
}

const MONTHS_KK = ["қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан", "қараша", "желтоқсан"];
const two = (n: number) => String(n).padStart(2, "0");

// Dates are put together here: browsers without Kazakh data would write "2026 M11 21". 24-hour clock and day first in all three.
export function clockTime(at: number | string): string {
  const d = new Date(at);
  return Number.isNaN(d.getTime()) ? String(at) : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function dateTime(at: number | string): string {
  const d = new Date(at);
  return Number.isNaN(d.getTime()) ? String(at) : `${two(d.getDate())}.${two(d.getMonth() + 1)}.${d.getFullYear()} ${clockTime(at)}`;
}

export function day(at: number | string): string {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return String(at);
  if (lang.value === "kk") return `${d.getFullYear()} жылғы ${d.getDate()} ${MONTHS_KK[d.getMonth()]}`;
  return new Intl.DateTimeFormat(LOCALE[lang.value], { day: "numeric", month: "long", year: "numeric" }).format(d);
}

/** With all its digits, so that a column of numbers lines up. */
export const fixed = (value: number, digits = 1) =>
  new Intl.NumberFormat(LOCALE[lang.value], { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export const number = (value: number, digits = 1) =>
  new Intl.NumberFormat(LOCALE[lang.value], { maximumFractionDigits: digits }).format(value);

// Texts in three languages. `t` takes only keys that exist in en.json (checked by the compiler; the test checks kk and ru).

import en from "./en.json";
import kk from "./kk.json";
import ru from "./ru.json";
import { lang } from "../prefs";
import type { Lang, Names } from "../types";

export type Key = keyof typeof en;

const TEXTS: Record<Lang, Record<Key, string>> = { en, kk, ru };
const LOCALE: Record<Lang, string> = { en: "en-GB", kk: "kk-KZ", ru: "ru-KZ" };
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

function format(at: number | string, options: Intl.DateTimeFormatOptions): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : new Intl.DateTimeFormat(LOCALE[lang.value], { hourCycle: "h23", ...options }).format(date);
}

export const clockTime = (at: number | string) => format(at, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const dateTime = (at: number | string) =>
  format(at, { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const day = (at: number | string) => format(at, { day: "numeric", month: "long", year: "numeric" });
export const number = (value: number, digits = 1) =>
  new Intl.NumberFormat(LOCALE[lang.value], { maximumFractionDigits: digits }).format(value);

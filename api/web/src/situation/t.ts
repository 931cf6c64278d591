// Texts of the pages of the situation: apart from the desk's, so that they travel only when one of these pages is opened. What both
// need ("Close", "Try again") stays with the desk.

import { hasKey as deskHas, t as desk, type Key as DeskKey } from "../i18n";
import { lang } from "../prefs";
import type { Lang } from "../types";
import en from "./i18n/en.json";
import kk from "./i18n/kk.json";
import ru from "./i18n/ru.json";

export type SituationKey = keyof typeof en;
export type Key = SituationKey | DeskKey;
const TEXTS: Record<Lang, Record<SituationKey, string>> = { en, kk, ru };

export function t(key: Key, values: Record<string, string | number> = {}): string {
  if (!(key in en)) return desk(key as DeskKey, values);
  return TEXTS[lang.value][key as SituationKey].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function hasKey(key: string): key is Key {
  return key in en || deskHas(key);
}

/** The word for a code of the hub, or the code itself: a newer hub may know more codes than this page. */
export function word(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return hasKey(key) ? t(key) : code;
}

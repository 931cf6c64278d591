// Texts of planning, load and rules: apart from the desk's, so that they travel only when one of these pages is opened.

import { hasKey as deskHas, t as desk, type Key as DeskKey } from "../i18n";
import { lang } from "../prefs";
import type { Lang } from "../types";
import en from "./i18n/en.json";
import kk from "./i18n/kk.json";
import ru from "./i18n/ru.json";

export type PlanningKey = keyof typeof en;
export type Key = PlanningKey | DeskKey;
const TEXTS: Record<Lang, Record<PlanningKey, string>> = { en, kk, ru };

export function t(key: Key, values: Record<string, string | number> = {}): string {
  if (!(key in en)) return desk(key as DeskKey, values);
  return TEXTS[lang.value][key as PlanningKey].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The word for a code of the hub, or the code itself: a newer hub may know more codes than this page. */
export function word(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return key in en || deskHas(key) ? t(key as Key) : code;
}

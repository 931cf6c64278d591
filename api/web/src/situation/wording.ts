// Periods, ranks and bands in words. Pure but for the language.

import { fixed, number } from "../i18n";
import { lang } from "../prefs";
import { t } from "./t";
import type { Ranked } from "./types";

const MONTHS: Record<string, readonly string[]> = {
  kk: ["қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан", "қараша", "желтоқсан"],
  ru: ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"],
  en: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
};

/** `2026-Q3` as "3 quarter 2026" in the words of each language; other kinds alike. */
export function period(p: string): string {
  const quarter = /^(\d{4})-Q([1-4])$/.exec(p);
  if (quarter) return t("period.quarter", { year: quarter[1]!, n: quarter[2]! });
  const month = /^(\d{4})-(\d{2})$/.exec(p);
  if (month) return t("period.month", { year: month[1]!, name: MONTHS[lang.value]![Number(month[2]) - 1] ?? month[2]! });
  const week = /^(\d{4})-W(\d{2})$/.exec(p);
  if (week) return t("period.week", { year: week[1]!, n: Number(week[2]) });
  const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(p);
  if (day) return `${day[3]}.${day[2]}.${day[1]}`;
  return p;
}

const ROMAN = ["I", "II", "III", "IV"];
/** Short enough for an axis. */
export function shortPeriod(p: string): string {
  const quarter = /^(\d{4})-Q([1-4])$/.exec(p);
  if (quarter) return `${ROMAN[Number(quarter[2]) - 1]} ʼ${quarter[1]!.slice(2)}`;
  const month = /^(\d{4})-(\d{2})$/.exec(p);
  if (month) return `${month[2]}.${month[1]!.slice(2)}`;
  return p;
}

/** A rank where it is sure, else its range. */
export function rankWords(r: Ranked): string {
  if (r.rank !== null) return String(r.rank);
  return r.rank_from === null || r.rank_to === null ? "–" : `${r.rank_from}–${r.rank_to}`;
}

export const score = (v: number | null): string => (v === null ? "–" : fixed(v));
export const signed = (v: number, digits = 1): string => `${v > 0 ? "+" : v < 0 ? "−" : "±"}${number(Math.abs(v), digits)}`;

/** The month, quarter or year that a day (`2026-11-22`) lies in. */
export function periodsBack(today: string, kind: "month" | "quarter" | "year", count: number): string[] {
  let [year, month] = [Number(today.slice(0, 4)), Number(today.slice(5, 7))];
  const out: string[] = [];
  const step = kind === "month" ? 1 : kind === "quarter" ? 3 : 12;
  for (let i = 0; i < count; i++) {
    out.push(kind === "month" ? `${year}-${String(month).padStart(2, "0")}` : kind === "quarter" ? `${year}-Q${Math.ceil(month / 3)}` : String(year));
    month -= step;
    while (month < 1) {
      month += 12;
      year--;
    }
  }
  return out;
}

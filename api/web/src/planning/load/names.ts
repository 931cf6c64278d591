// Sources, rules and their values in words.

import { number } from "../../i18n";
import { cameras } from "../../store";
import { deviceName, siteName } from "../../words";
import { t, word } from "../t";

/** Who raised it: `site/device`, or a person. */
export function sourceName(source: string): string {
  const [site] = source.split("/");
  return source.includes("/") ? `${deviceName(source)} · ${siteName(site ?? null)}` : t("load.by_hand");
}

export const isCamera = (source: string): boolean => cameras.value.has(source);

export function ruleName(rule: string): string {
  return rule.startsWith("limit/") ? t("rule.limit_of", { camera: sourceName(rule.slice("limit/".length)) }) : word("rule", rule);
}

export function valueWords(rule: string, value: unknown): string {
  if (rule === "demoted") return Array.isArray(value) && value.length > 0 ? value.map((code) => word("rule", String(code))).join(", ") : t("rule.none_demoted");
  if (value === null) return t("rule.no_limit");
  if (typeof value === "number") return rule === "unusual_score" ? number(value, 2) : t("rule.people", { count: number(value, 0) });
  return String(value);
}

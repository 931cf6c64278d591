// Small pieces that several pages of the situation share.

import type { JSX } from "preact";
import { day, named } from "../i18n";
import { Icon, type IconName } from "../ui/icons";
import { areas } from "../store";
import type { Names } from "../types";
import { t } from "./t";
import type { Trend } from "./types";

export { Side, Tabs, Tile, type Tab } from "../ui/page";

/** Said wherever a number or a text does not come from real life. */
export function DemoTag({ short }: { short?: boolean }): JSX.Element {
  return <span class="tag demo-tag"><Icon name="notice" size={13} />{t(short ? "shared.demo_short" : "shared.demo")}</span>;
}

/** The first note (the zero weight) is always in sight; where room is short the others open on demand. */
export function Notes({ notes, brief }: { notes: readonly Names[]; brief?: boolean }): JSX.Element | null {
  if (notes.length === 0) return null;
  const line = (n: Names, i: number) => <li key={i}><Icon name="notice" size={15} /><span>{named(n, "")}</span></li>;
  if (!brief || notes.length === 1) return <ul class="notes">{notes.map(line)}</ul>;
  return (
    <div class="notes-brief">
      <ul class="notes">{line(notes[0]!, 0)}</ul>
      <details class="as-table"><summary>{t("tension.more_notes", { count: notes.length - 1 })}</summary><ul class="notes">{notes.slice(1).map(line)}</ul></details>
    </div>
  );
}

export function TrendTag({ trend }: { trend: Trend | null }): JSX.Element {
  const direction = trend?.direction ?? "unknown";
  return <span class={`trend trend-${direction}`}><Icon name={TREND_ICON[direction]} size={15} />{t(`trend.${direction}`)}</span>;
}

const TREND_ICON: Record<Trend["direction"], IconName> = { rising: "rise", falling: "fall", steady: "minus", unknown: "help" };

export function areaName(kato: string | null | undefined, fallback?: Names | null): string {
  if (!kato) return t("shared.whole_region");
  const known = areas.value?.features.find((f) => f.properties.kato === kato);
  return named(known?.properties.name ?? fallback ?? undefined, kato);
}

/** `2026-12-15` as a day in words of the language's own order. */
export const dayWords = (date: string): string => day(`${date}T12:00:00`);
export const shortDay = (date: string): string => date.slice(0, 10).split("-").reverse().join(".");

export function AreaSelect({ value, change, all, disabled }: { value: string; change: (kato: string) => void; all?: string; disabled?: boolean }): JSX.Element {
  const list = (areas.value?.features ?? []).map((f) => [f.properties.kato, named(f.properties.name, f.properties.kato)] as const).sort((a, b) => a[1].localeCompare(b[1]));
  return (
    <select value={value} disabled={disabled} onChange={(e) => change(e.currentTarget.value)}>
      <option value="">{all ?? t("shared.choose_area")}</option>
      {list.map(([kato, name]) => <option key={kato} value={kato}>{name}</option>)}
    </select>
  );
}

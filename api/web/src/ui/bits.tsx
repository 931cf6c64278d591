// Small shared pieces: states of a panel, language and theme switches, sparkline.

import type { ComponentChildren, JSX } from "preact";
import { LANG_NAME, t } from "../i18n";
import { chooseLang, lang, LANGS, theme, toggleTheme } from "../prefs";
import { Icon, type IconName } from "./icons";
import type { Lang } from "../types";

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} size={30} />
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Loading({ text }: { text?: string }): JSX.Element {
  return <p class="loading" role="status"><span class="spinner" aria-hidden="true" />{text ?? t("common.loading")}</p>;
}

export function Failed({ text, retry }: { text: string; retry?: () => void }): JSX.Element {
  return (
    <div class="failed" role="alert">
      <Icon name="warning" />
      <span>{text}</span>
      {retry && <button type="button" onClick={retry}>{t("common.retry")}</button>}
    </div>
  );
}

const SHORT: Record<Lang, string> = { kk: "Қаз", ru: "Рус", en: "Eng" };

export function LangSwitch(): JSX.Element {
  return (
    <div class="lang" role="group" aria-label={t("common.language")}>
      {LANGS.map((code) => (
        <button key={code} type="button" lang={code} aria-pressed={lang.value === code} aria-label={`${SHORT[code]} (${LANG_NAME[code]})`} title={LANG_NAME[code]}
          onClick={() => chooseLang(code)}>
          {SHORT[code]}
        </button>
      ))}
    </div>
  );
}

export function ThemeSwitch({ words }: { words?: boolean }): JSX.Element {
  const label = theme.value === "dark" ? t("common.theme_light") : t("common.theme_dark");
  return (
    <button type="button" class={words ? "theme" : "theme ghost square"} onClick={toggleTheme} aria-label={label} title={label}>
      <Icon name={theme.value === "dark" ? "sun" : "moon"} />{words && label}
    </button>
  );
}

const WIDTH = 120;
const HEIGHT = 28;

/** People over the last counts, with the place's mark as a dashed line when it is in reach of the picture. */
export function Spark({ series, limit }: { series: readonly [number, number][]; limit: number | null }): JSX.Element {
  const first = series[0];
  const last = series.at(-1);
  if (!first || !last || series.length < 2) return <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" />;
  const top = Math.max(4, ...series.map((p) => p[1]), limit !== null && limit <= 60 ? limit : 0) * 1.1;
  const span = Math.max(1, last[0] - first[0]);
  const x = (ms: number) => ((ms - first[0]) / span) * WIDTH;
  const y = (people: number) => HEIGHT - 1 - (people / top) * (HEIGHT - 3);
  const line = series.map((p) => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(" ");
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <polygon class="spark-area" points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
      {limit !== null && limit < top && <line class="spark-limit" x1="0" x2={WIDTH} y1={y(limit)} y2={y(limit)} />}
      <polyline class="spark-line" points={line} />
    </svg>
  );
}

// A trial's two sides: the rules as they are, and as tried; what differs in words, not by colour alone.

import type { JSX } from "preact";
import { number } from "../../i18n";
import { Icon, type IconName } from "../../ui/icons";
import { t } from "../t";
import type { Told, Trial } from "../types";
import type { Level } from "../../types";
import { difference, METRICS, outcome, type Difference, type Metric } from "./figures";

const LEVELS: readonly Level[] = ["critical", "warning", "watch", "notice"];
const TONE_ICON: Record<Difference["tone"], IconName> = { better: "check", worse: "warning", same: "minus", unknown: "help" };
const OUTCOME_ICON: Record<ReturnType<typeof outcome>, IconName> = { misses: "warning", better: "check", worse: "warning", mixed: "scales", same: "minus" };
const MINUTES_A_DAY = 1440;

export function TrialResult({ trial, title, days, cameras }: { trial: Trial; title: string; days: number; cameras: number }): JSX.Element {
  if (trial.minutes === 0) {
    return <section class="sheet"><h2>{title}</h2><p class="callout"><Icon name="notice" />{t("trial.no_minutes")}</p></section>;
  }
  const differences = METRICS.map((metric) => difference(metric, trial.as_it_is, trial.as_tried));
  const said = outcome(differences);
  const missed = differences.find((d) => d.metric === "missed")?.by ?? 0;
  const covered = Math.min(1, trial.minutes / (days * MINUTES_A_DAY * cameras));
  return (
    <section class="sheet trial-result" aria-labelledby="trial-title">
      <h2 id="trial-title">{title}</h2>
      <p class={said === "misses" || said === "worse" ? "callout bad" : said === "better" ? "callout ok" : "callout"}>
        <Icon name={OUTCOME_ICON[said]} /><strong>{t(`trial.outcome.${said}`, { count: Math.abs(Math.round(missed)) })}</strong>
      </p>
      <div class="trial-pair">
        <Side name={t("trial.as_it_is")} told={trial.as_it_is} most={Math.max(trial.as_it_is.alerts, trial.as_tried.alerts)} />
        <Side name={t("trial.as_tried")} told={trial.as_tried} most={Math.max(trial.as_it_is.alerts, trial.as_tried.alerts)} tried />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("trial.compare")}>
        <table class="trial-table">
          <thead><tr><th scope="col">{t("trial.figure")}</th><th scope="col">{t("trial.as_it_is")}</th><th scope="col">{t("trial.as_tried")}</th><th scope="col">{t("trial.change")}</th></tr></thead>
          <tbody>{differences.map((d) => (
            <tr key={d.metric} data-metric={d.metric}>
              <th scope="row">{t(`trial.metric.${d.metric}`)}</th>
              <td>{show(d.metric, d.before)}</td><td>{show(d.metric, d.after)}</td>
              <td><span class={`tone tone-${d.tone}`}><Icon name={TONE_ICON[d.tone]} size={15} />{words(d)}</span></td>
            </tr>
          ))}</tbody>
        </table>
      </div>
      <p class="muted small">{t("trial.basis", { minutes: number(trial.minutes, 0), cameras, days, percent: number(covered * 100, 0) })}</p>
    </section>
  );
}

function Side({ name, told, most, tried }: { name: string; told: Told; most: number; tried?: boolean }): JSX.Element {
  const levels = LEVELS.map((level) => [level, told.levels[level] ?? 0] as const).filter(([, n]) => n > 0);
  return (
    <div class={tried ? "trial-one tried" : "trial-one"}>
      <h3>{name}</h3>
      <p class="trial-big"><strong>{number(told.per_shift)}</strong><span>{t("trial.per_shift")}</span></p>
      <span class="level-bar" aria-hidden="true">{levels.map(([level, n]) => <i key={level} class={`level-${level}`} style={{ width: `${(n / Math.max(1, most)) * 100}%` }} />)}</span>
      {levels.length === 0 ? <p class="muted small">{t("trial.no_alerts")}</p> : (
        <ul class="level-list">{levels.map(([level, n]) => <li key={level} class={`level-${level}`}><Icon name={level} size={15} />{t(`level.${level}`)}<strong>{number(n, 0)}</strong></li>)}</ul>
      )}
    </div>
  );
}

function show(metric: Metric, value: number | null): string {
  if (value === null) return "–";
  if (metric === "precision") return `${number(value * 100, 0)} %`;
  if (metric === "delay") return t("trial.minutes", { count: number(value) });
  return number(value, metric === "per_shift" ? 1 : 0);
}

function words(d: Difference): string {
  if (d.tone === "same") return t("trial.tone.same");
  if (d.tone === "unknown" || d.by === null) return t("trial.tone.unknown");
  const by = d.metric === "precision" ? t("trial.points", { count: number(Math.abs(d.by) * 100, 0) }) : show(d.metric, Math.abs(d.by));
  return `${t(`trial.tone.${d.tone}`)}: ${d.by > 0 ? "+" : "−"}${by}`;
}

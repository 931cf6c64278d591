// What the figures of load and rules mean, before they become words. Pure.

import type { ReasonCode } from "../../types";
import type { InForce, RuleChange, Rules, RuleFigures, Told } from "../types";

/** IEC 62682: more than this in ten minutes begins a flood. */
export const FLOOD_ABOVE = 10;
/** Verdicts that a rule needs before it is judged. */
export const VERDICTS_NEEDED = 20;
export const MAY_DEMOTE: readonly ReasonCode[] = ["above_limit", "above_baseline", "neighbours"];
/** In the order in which they weigh. */
export const RULES: readonly ReasonCode[] = ["density", "flow", "closed_hours", "above_limit", "above_baseline", "neighbours"];
export const SCORE = { min: 0.5, max: 5, step: 0.05, usual: 1.25 } as const;

export type Pace = "well" | "most" | "over";
/** One alert in ten minutes is dealt with well by one person, two are the most for long. */
export const pace = (perSpan: number): Pace => (perSpan <= 1 ? "well" : perSpan <= 2 ? "most" : "over");

export const judged = (f: RuleFigures): number => f.right + f.wrong;

export type Judged = "safety" | "demoted" | "proposed" | "few" | "kept";
export function standingOf(rule: ReasonCode, f: RuleFigures, demoted: readonly ReasonCode[]): Judged {
  if (!MAY_DEMOTE.includes(rule)) return "safety";
  if (demoted.includes(rule)) return "demoted";
  if (f.proposed_for_demotion) return "proposed";
  return judged(f) < VERDICTS_NEEDED ? "few" : "kept";
}

/** The whole list as it is to be sent: a rule added or taken out, each once, in the order of their weight. */
export function demotedAfter(now: readonly ReasonCode[], rule: ReasonCode, demote: boolean): ReasonCode[] {
  return MAY_DEMOTE.filter((one) => (one === rule ? demote : now.includes(one)));
}

/** What is in force: as the hub says, or from the newest change of each rule; null where neither says. */
export function inForce(rules: Rules): { score: number | null; demoted: readonly ReasonCode[]; limit: (camera: string) => number | null | undefined } {
  const newest = (rule: string): RuleChange | undefined => rules.changes.reduce<RuleChange | undefined>((a, b) => (b.rule === rule && (!a || b.id > a.id) ? b : a), undefined);
  const said: Partial<InForce> = rules.in_force ?? {};
  const score = said.unusual_score ?? newest("unusual_score")?.value;
  const demoted = said.demoted ?? newest("demoted")?.value;
  return {
    score: typeof score === "number" ? score : null,
    demoted: Array.isArray(demoted) ? (demoted as ReasonCode[]) : [],
    limit: (camera) => {
      if (said.limits && camera in said.limits) return said.limits[camera];
      const value = newest(`limit/${camera}`)?.value;
      return typeof value === "number" || value === null ? value : undefined;
    },
  };
}

export type Metric = "per_shift" | "precision" | "right" | "wrong" | "missed" | "delay";
export const METRICS: readonly Metric[] = ["per_shift", "precision", "right", "wrong", "missed", "delay"];
/** What less of it means. */
const LESS: Record<Metric, "better" | "worse"> = { per_shift: "better", precision: "worse", right: "worse", wrong: "better", missed: "better", delay: "better" };

export const valueOf = (told: Told, metric: Metric): number | null =>
  metric === "delay" ? told.delay_min : told[metric];

export interface Difference { metric: Metric; before: number | null; after: number | null; by: number | null; tone: "better" | "worse" | "same" | "unknown" }
/** Smaller differences than these are not worth a word. */
const ALIKE: Record<Metric, number> = { per_shift: 0.05, precision: 0.005, right: 0.5, wrong: 0.5, missed: 0.5, delay: 0.05 };

export function difference(metric: Metric, asItIs: Told, asTried: Told): Difference {
  const [before, after] = [valueOf(asItIs, metric), valueOf(asTried, metric)];
  if (before === null || after === null) return { metric, before, after, by: null, tone: before === after ? "same" : "unknown" };
  const by = after - before;
  if (Math.abs(by) < ALIKE[metric]) return { metric, before, after, by: 0, tone: "same" };
  return { metric, before, after, by, tone: by < 0 ? LESS[metric] : LESS[metric] === "better" ? "worse" : "better" };
}

/** What to say first of a trial: a true alert that would be missed outweighs any calm. */
export function outcome(differences: readonly Difference[]): "misses" | "better" | "worse" | "mixed" | "same" {
  const tone = (metric: Metric) => differences.find((d) => d.metric === metric)?.tone;
  if (tone("missed") === "worse") return "misses";
  const better = differences.some((d) => d.tone === "better");
  const worse = differences.some((d) => d.tone === "worse");
  return better && worse ? "mixed" : better ? "better" : worse ? "worse" : "same";
}

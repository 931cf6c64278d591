// Shapes of the situation's API as they come over the wire: index, intake, requests, plan. No logic here.

import type { LatLon, Names } from "../types";

// --- index ---
export interface Band { p5: number; p50: number; p95: number }
export interface Trend { change: number | null; slope_per_year: number | null; direction: "rising" | "falling" | "steady" | "unknown"; periods: number }
export interface Ranked { rank: number | null; rank_from: number | null; rank_to: number | null }
export interface Score extends Ranked { shown: boolean; why: string | null; value: number | null; band: Band | null; class: number | null; coverage: number | null; trend: Trend | null }
/** What every answer of the index carries. */
export interface Origin { method: number; computed_at: string; stale?: boolean; demo: boolean; notes: Names[] }
export interface What { kind: "overall" | "block" | "indicator"; id: string | null; name: Names; unit: Names | null; direction: Direction | null }
export type Direction = "more_is_worse" | "more_is_better";
export interface MapArea extends Ranked {
  area: string; name: Names; shown: boolean; why: string | null; score: number | null; class: number | null; band: Band | null; value: number | null; value_period: string | null;
  carried: boolean; coverage: number | null;
}
export interface TensionMap extends Origin { period: string; periods: string[]; what: What; areas: MapArea[] }
export interface SeriesPoint { period: string; shown: boolean; why: string | null; score: number | null; band: Band | null; coverage: number | null; value: number | null; carried: boolean }
export interface Series extends Origin { area: string; name: Names; what: What; points: SeriesPoint[]; trend: Trend | null }
export interface Forecast {
  area: string; what: What; method: number; demo: boolean; model: string; model_name: Names; interval: number; unit: Names | null;
  past: { period: string; value: number }[]; points: { period: string; value: number; low: number; high: number }[];
  errors: { origins: number; horizons: { steps: number; mae: number; mae_last_value: number; coverage: number; n: number }[]; better_than_last_value: boolean; text: Names };
  /** What had been foretold one step ahead for periods that have come since; a hub may not send it. */
  foretold?: { period: string; value: number }[];
}
export interface AreaIndicator {
  id: string; block: string; name: Names; unit: Names; direction: Direction; value: number | null; value_period: string | null; carried: boolean; source: string | null;
  basis: { denominator: number } | { cases: number } | null; score: number | null; weight_share: number; contribution: number | null; missing: boolean; average?: number | null; proposal?: boolean;
}
export interface AreaBlock { id: string; name: Names; effective_weight: number; zero_by_rule: boolean; score: Score; contribution: number | null; average?: number | null }
export interface AreaPage extends Origin {
  period: string; periods: string[]; area: string; name: Names; schematic: boolean; centre: LatLon; overall: Score; blocks: AreaBlock[]; indicators: AreaIndicator[];
  series: Record<string, { period: string; score: number | null; band: Band | null; shown: boolean }[]>;
}
export interface IndexAnswer extends Origin { period: string; periods: string[]; areas: { area: string; name: Names; overall: Score; blocks: Record<string, Score> }[] }
export interface CatalogueBlock { id: string; name: Names; weight: number; zero_by_rule: boolean; effective_weight: number; indicators: number }
export interface CatalogueIndicator {
  id: string; block: string; name: Names; unit: Names; direction: Direction; source: Names; period: string; min: number; max: number; calm: number; strained: number; legal_basis: Names;
  weight: number; proposal: boolean; kind: string; per: number | null; relative_error: number | null; counts: string | null; official: boolean; decimals: number;
}
export interface Catalogue { version: string; blocks: CatalogueBlock[]; indicators: CatalogueIndicator[]; notes: Names[] }
export interface Method {
  version: number; normalisation: string; within: string; across: string; step: string; floor: number; reference: { from: string; to: string } | null; block_weights: Record<string, number>;
  indicator_weights: Record<string, number>; draws: number; seed: number; perturb: Record<string, number | boolean>; catalogue: string; weight_act: number | null; reason: string;
  made_at: string; made_by: string; text: Names;
}
export interface WeightAct {
  id: number; block: string; weight: number; basis: string; basis_url: string; published_on: string; proposed_at: string; proposed_by: string; decided_at: string | null; decided_by: string | null;
  approved: boolean | null; expires_on: string; state: string;
}

// --- intake ---
export interface RowNote { sheet: string | null; row: number; column: string; value: string; expected: string; code: string }
export interface Preview {
  layout: string; rows: number; values: number; added: number; changed: number; unchanged: number; suppressed: number; errors: RowNote[]; errors_total: number; notes: RowNote[];
  sample: { area: string; area_name: Names; indicator: string; indicator_name: Names; period: string; value: number; cases: number | null; denominator: number | null; before: number | null; row: number }[];
}
export interface Job {
  job: string; state: "reading" | "checking" | "ready" | "refused" | "failed" | "writing" | "applied"; filename: string; rows_done: number; rows_total: number | null; message: string | null;
  code: string | null; preview: Preview | null; import: number | null;
}
export interface Import {
  id: number; at: string; who: string; kind: string; source: string; filename: string | null; values: number; suppressed: number; undone_at: string | null; undone_by: string | null;
  undo_reason: string | null; demo: boolean;
}
export interface Undone { import: number; restored: number; removed: number; overwritten: number; overwritten_by: { area: string; indicator: string; period: string; import: number }[] }
export interface HistoryEntry {
  seq: number; at: string; who: string; area: string; area_name: Names; indicator: string; indicator_name: Names; period: string; value: number; cases: number | null; denominator: number | null;
  source: string; kind: string; import: number; before: { value: number; import: number } | null; standing: boolean; undone_at: string | null; undone_by: string | null;
}
export interface Survey {
  id: number; title: Names; type: string; sample: number; population: number | null; begun: string; ended: string; area: string; confidence: number; design_effect: number; margin_pct: number;
  margin_computed: boolean; questions: { id: number; text: Names; indicator: string | null; answers: { text: Names; share_pct: number; counts: boolean }[] }[]; entered_by: string; entered_at: string;
}
export interface Signal {
  id: number; kind: SignalKind; area: string; area_name: Names; place: string; position: LatLon | null; text: string; service: string; service_name: Names; status: SignalStatus; entered_at: string;
  entered_by: string; due_at: string | null; overdue: boolean; steps: { at: string; who: string; status: SignalStatus; note: string | null }[];
}
export type SignalKind = "social" | "infrastructure" | "legal";
export type SignalStatus = "new" | "sent" | "in_work" | "solved" | "declined";
export interface Named { id: string; name: Names }
export interface Feed {
  id: string; name: string; registration: string; language: string; state: "ok" | "late" | "failing" | "new"; last_ok_at: string | null; last_try_at: string | null; next_try_at: string | null;
  failures: number; error: string | null; items_today: number; items_undated: number; demo: boolean;
}
/** A count under disclosure control. */
export interface Answer { count: number | null; state: "exact" | "at_least" | "suppressed" | "open" }
export interface FeedTotals { topics: Named[]; periods: string[]; cells: { area: string; area_name: Names; topic: string | null; period: string; answer: Answer }[] }
export interface Lexicon { version: string; topics: { id: string; name: Names; forms: Record<string, string[]> }[]; places: { area: string; forms: Record<string, string[]> }[] }
export interface Appeal { id: number; received: string; area: string; area_name: Names; topic: string; leader: string; due: string; answered: string | null; in_time: boolean | null }
export interface Duty { id: number; site: string; area: string | null; duty: Names; basis: string; done: boolean; checked_at: string | null; checked_by: string | null }
export interface Duties { duties: Duty[]; by_site: { site: string; done: number; of: number }[] }

// --- requests ---
export type RequestState = "received" | "answered" | "in_work" | "done" | "confirmed" | "reopened" | "closed" | "declined" | "merged";
export type RequestAction = "answer" | "start" | "done" | "confirm" | "not_fixed" | "close" | "decline" | "postpone" | "assign" | "merge" | "split" | "note";
export type Clock = "answer" | "work";
export interface Category {
  id: string; name: Names; hint: Names; group: string; group_name: Names; service: string; service_name: Names; answer_hours: number; deadline: { hours: number } | { working_days: number };
  attributes?: { code: string; datatype: string; required: boolean; name: Names; values: { key: string; name: Names }[] }[];
}
export interface RequestSettings {
  categories: Category[]; services: Named[]; groups: Named[]; states: Named[]; areas: { kato: string; name: Names }[]; judge_days: number; today: string;
  published: { cell_m: number; round_to: number };
}
export interface Row {
  id: number; reference: string; state: RequestState; category: string; service: string; area: string; received_at: string; answer_by: string; answered_at: string | null; promised_at: string | null;
  due_at: string | null; overdue: Clock | null; channel: string; language: string; text: string | null; place: string | null; position: LatLon; followers: number; merged_into: string | null;
  reopened: number; has_contact: boolean; demo: boolean;
}
export interface RequestFull extends Row {
  version: number; masked: string[]; done_at: string | null; closed_at: string | null; judge_until: string | null; answer: string | null; attributes: Record<string, string>;
  history: { at: string; who: string; role: string | null; action: string; from: RequestState | null; to: RequestState; words: string | null; due_at: string | null }[];
  duplicates: { id: number; reference: string; state: RequestState; distance_m: number; hours_apart: number; text: string | null; followers: number }[];
  followers_of: { id: number; reference: string }[]; actions: RequestAction[]; default_due: string | null;
}
export interface RequestList { requests: Row[]; next: string | null; now: string; took_ms: number; open_total: number; overdue_total: number }
export interface Pair { a: Row; b: Row; distance_m: number; hours_apart: number }
export interface ServiceFigures {
  service: string; count: number | null; open: number | null; overdue: number | null; answered_in_time_percent: number | null; done_in_time_percent: number | null; mean_answer_h: number | null;
  reopened_percent: number | null;
}
export interface Figures {
  period: string; area: string | null; total: number | null; exact: boolean; shares: { category: string; count: number | null; percent: number | null }[]; services: ServiceFigures[];
  months: { month: string; count: number | null }[]; suppressed: number; note: Names;
}
export interface Heat { period: string; category: string | null; areas: { kato: string; name: Names; count: number | null; per_10k: number | null; shade: number | null }[]; suppressed: number; round_to: number; note: Names }
export interface ProblemSignal {
  id: number; category: string; area: string; service: string; day: string; count: number; expected: number; threshold: number; formula: string; raised_at: string; state: "open" | "accepted" | "closed";
  words: string | null; by: string | null; changed_at: string | null; demo: boolean;
}
export interface Contact { name: string | null; phone: string | null; email: string | null; expires_at: string }
export interface Received { reference: string; code: string; masked: string[]; area: string; area_name: Names; answer_by: string }

// --- plan, journal, notes ---
export type MeasureState = "planned" | "running" | "done" | "cancelled";
export interface Measure {
  id: number; block: string; number: string; title: Names; owner: string; area: string | null; deadline: string; progress: number; state: MeasureState; late: boolean;
  evidence: { at: string; by: string; words: string | null; url: string | null }[]; expected: Names | null; issue: number | null; version: number; updated_at: string; updated_by: string; demo: boolean;
}
export interface MeasureFull extends Measure {
  history: { at: string; by: string; action: "add" | "change" | "progress"; changes: { field: string; from: unknown; to: unknown }[]; words: string | null }[];
}
export interface Plan {
  title: Names; demo: boolean; blocks: { id: string; name: Names; measures: Measure[] }[]; figures: { measures: number; done: number; late: number; progress_percent: number }; owners: string[]; today: string;
}
export interface Issue {
  id: number; meeting: string; held_on: string; area: string | null; block: string | null; text: string; state: "open" | "taken" | "declined"; measure: number | null; answer: string | null;
  created_at: string; created_by: string; changed_at: string | null; changed_by: string | null; demo: boolean;
}
export interface Entry {
  id: number; at: string; kind: string; area: string; place: string | null; what: string; measures: string; dead: number; injured: number; evacuated: number; children: number; ongoing: boolean;
  written_at: string; written_by: string; corrected: boolean; demo: boolean;
}
export interface EntryFull extends Entry { versions: (Omit<Entry, "id" | "corrected" | "demo"> & { n: number; reason: string | null })[] }
export interface Journal { entries: Entry[]; next: string | null; kinds: Named[] }
export interface Bulletin {
  day: string; from: string; to: string; totals: { entries: number; dead: number; injured: number; evacuated: number; children: number; ongoing: number }; by_kind: { kind: string; count: number }[];
  entries: Entry[]; requests: { received: number | null; overdue: number | null }; corrected_later: number; demo: boolean;
}
export interface Note {
  id: number; title: string; area: string | null; finding: string; evidence: string; recommendation: string; addressee: string; deadline: string; state: "draft" | "sent" | "answered"; late: boolean;
  answer: string | null; answered_at: string | null; answer_by: string | null; version: number; created_at: string; created_by: string; sent_at: string | null; demo: boolean;
}

// The situation's routes of the hub. Errors and the session are those of ../api.

import { call, json } from "../api";
import type {
  Appeal, AreaPage, Bulletin, Catalogue, Contact, Duties, Duty, Entry, EntryFull, Feed, FeedTotals, Figures, Forecast, Heat, HistoryEntry, Import, IndexAnswer, Issue, Job, Journal, Lexicon, Measure, MeasureFull,
  Method, Named, Note, Pair, Plan, ProblemSignal, Received, RequestAction, RequestFull, RequestList, RequestSettings, Series, Signal, SignalStatus, Survey, TensionMap, Undone, WeightAct,
} from "./types";

const V = "/api/v1";
const one = encodeURIComponent;
type Query = Record<string, string | number | boolean | null | undefined>;

/** Only what is set goes into the address. */
export function query(of: Query): string {
  const set = Object.entries(of).filter(([, v]) => v !== undefined && v !== null && v !== "" && v !== false).map(([k, v]) => [k, String(v)]);
  return set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
}

const get = <T>(path: string, of: Query = {}) => json<T>("GET", `${V}${path}${query(of)}`);
const post = <T>(path: string, body: unknown = {}) => json<T>("POST", `${V}${path}`, body);
const put = <T>(path: string, body: unknown) => json<T>("PUT", `${V}${path}`, body);

export interface Seen { kind: "overall" | "block" | "indicator"; id: string | null }
const seenAs = (what: Seen): Query => (what.kind === "overall" ? {} : { [what.kind]: what.id });

export const tension = {
  catalogue: () => get<Catalogue>("/tension/catalogue"),
  methods: () => get<{ current: number; methods: Method[] }>("/tension/methods"),
  addMethod: (body: unknown) => post<Method>("/tension/methods", body),
  index: (period?: string) => get<IndexAnswer>("/tension/index", { period }),
  map: (what: Seen, period?: string | null) => get<TensionMap>("/tension/map", { period, ...seenAs(what) }),
  series: (area: string, what: Seen) => get<Series>("/tension/series", { area, ...seenAs(what) }),
  forecast: (area: string, what: Seen, horizon = 4) => get<Forecast>("/tension/forecast", { area, horizon, ...seenAs(what) }),
  area: (area: string, period?: string | null) => get<AreaPage>(`/tension/areas/${one(area)}`, { period }),
  exportUrl: (period: string, language: string) => `${V}/tension/export.xlsx${query({ period, language })}`,
  proposeWeight: (body: unknown) => post<WeightAct>("/tension/weights", body),
  decideWeight: (id: number, approve: boolean) => post<WeightAct>(`/tension/weights/${id}/decision`, { approve }),
  revokeWeight: (id: number, reason: string) => post<WeightAct>(`/tension/weights/${id}/revoke`, { reason }),
  weights: () => get<{ acts: WeightAct[]; in_force: number | null }>("/tension/weights"),
};

export const intake = {
  templateUrl: (kind: "xlsx" | "csv", layout: string, lang: string, period: string) => `${V}/intake/template.${kind}${query({ layout, lang, period })}`,
  upload: (file: File, of: Query) => json<{ job: string }>("POST", `${V}/intake/imports${query({ filename: file.name, ...of })}`, new Blob([file], { type: "application/octet-stream" })),
  job: (id: string) => get<Job>(`/intake/jobs/${one(id)}`),
  apply: (id: string) => post<{ job: string }>(`/intake/jobs/${one(id)}/apply`),
  forget: (id: string) => call("DELETE", `${V}/intake/jobs/${one(id)}`),
  imports: (before?: number) => get<{ imports: Import[]; next: number | null }>("/intake/imports", { limit: 50, before }),
  undo: (id: number, reason: string) => post<Undone>(`/intake/imports/${id}/undo`, { reason }),
  history: (of: { area: string; indicator: string; period: string; before?: number | undefined }) => get<{ entries: HistoryEntry[]; next: number | null }>("/intake/history", { limit: 200, ...of }),
  surveys: async () => (await get<{ surveys: Survey[] }>("/intake/surveys")).surveys,
  addSurvey: (body: unknown) => post<Survey>("/intake/surveys", body),
  withdrawSurvey: (id: number) => call("DELETE", `${V}/intake/surveys/${id}`),
  signals: (of: Query) => get<{ signals: Signal[]; next: number | null }>("/intake/signals", of),
  addSignal: (body: unknown) => post<Signal>("/intake/signals", body),
  moveSignal: (id: number, status: SignalStatus, note: string | null) => post<Signal>(`/intake/signals/${id}/status`, { status, note }),
  services: async () => (await get<{ services: Named[] }>("/intake/services")).services,
  checkText: (text: string) => post<{ fine: boolean; reason?: string }>("/intake/check-text", { text }),
  feeds: async () => (await get<{ feeds: Feed[] }>("/intake/feeds")).feeds,
  feedTotals: (from: string, to: string) => get<FeedTotals>("/intake/feeds/totals", { from, to }),
  lexicon: () => get<Lexicon>("/intake/lexicon"),
  appeals: (of: Query) => get<{ appeals: Appeal[]; next: number | null }>("/intake/appeals", of),
  addAppeal: (body: unknown) => post<Appeal>("/intake/appeals", body),
  answerAppeal: (id: number, answered: string) => put<Appeal>(`/intake/appeals/${id}`, { answered }),
  duties: () => get<Duties>("/intake/duties"),
  addDuty: (body: unknown) => post<Duty>("/intake/duties", body),
  checkDuty: (id: number, done: boolean, checked_at: string) => put<Duty>(`/intake/duties/${id}`, { done, checked_at }),
};

export const requests = {
  settings: () => get<RequestSettings>("/requests/settings"),
  list: (of: Query) => get<RequestList>("/requests", of),
  one: (id: number) => get<RequestFull>(`/requests/${id}`),
  act: (id: number, version: number, action: RequestAction, more: Record<string, unknown>) => post<RequestFull>(`/requests/${id}/actions`, { version, action, ...more }),
  add: (body: unknown) => post<Received>("/requests", body),
  contact: (id: number, purpose: string) => post<Contact>(`/requests/${id}/contact`, { purpose }),
  duplicates: async () => (await get<{ pairs: Pair[] }>("/requests/duplicates", { limit: 50 })).pairs,
  figures: (period: string, area?: string) => get<Figures>("/requests/figures", { period, area }),
  heat: (period: string, category?: string) => get<Heat>("/requests/heat", { period, category }),
  signals: async () => (await get<{ signals: ProblemSignal[] }>("/requests/signals")).signals,
  moveSignal: (id: number, action: "accept" | "close", words: string) => post<ProblemSignal>(`/requests/signals/${id}/actions`, { action, words }),
  exportUrl: (period: string, lang: string) => `${V}/requests/export.xlsx${query({ period, lang })}`,
};

export const plan = {
  read: () => get<Plan>("/plan"),
  measure: (id: number) => get<MeasureFull>(`/plan/measures/${id}`),
  add: (body: unknown) => post<MeasureFull>("/plan/measures", body),
  change: (id: number, body: unknown) => put<MeasureFull>(`/plan/measures/${id}`, body),
  progress: (m: Measure, progress: number, words: string, url: string | null) => post<MeasureFull>(`/plan/measures/${m.id}/progress`, { version: m.version, progress, words, url }),
  issues: async () => (await get<{ issues: Issue[] }>("/plan/issues")).issues,
  addIssue: (body: unknown) => post<Issue & { masked?: string[] }>("/plan/issues", body),
  moveIssue: (id: number, body: unknown) => post<Issue>(`/plan/issues/${id}/actions`, body),
  exportUrl: (lang: string) => `${V}/plan/export.xlsx${query({ lang })}`,
};

export const journal = {
  list: (of: Query) => get<Journal>("/journal", { limit: 50, ...of }),
  one: (id: number) => get<EntryFull>(`/journal/${id}`),
  add: (body: unknown) => post<Entry>("/journal", body),
  correct: (id: number, body: unknown) => post<Entry>(`/journal/${id}/corrections`, body),
  bulletin: (day?: string) => get<Bulletin>("/journal/bulletin", { day }),
  bulletinUrl: (day: string, lang: string) => `${V}/journal/bulletin.pdf${query({ day, lang })}`,
};

export const notes = {
  list: async (of: Query = {}) => (await get<{ notes: Note[] }>("/notes", of)).notes,
  add: (body: unknown) => post<Note>("/notes", body),
  change: (id: number, body: unknown) => put<Note>(`/notes/${id}`, body),
  act: (n: Note, body: Record<string, unknown>) => post<Note>(`/notes/${n.id}/actions`, { version: n.version, ...body }),
};

export const reports = { quarterlyUrl: (area: string, quarter: string, lang: string) => `${V}/reports/quarterly.pdf${query({ area, quarter, lang })}` };

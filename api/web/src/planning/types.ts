// Shapes of planning, console load and rules as they come over the wire. No logic here.

import type { LatLon, Level, Names, ReasonCode } from "../types";

// --- load (IEC 62682) ---
export interface Source { source: string; alerts: number }
export interface Flood { from: string; until: string | null; alerts: number }
export interface Load {
  alerts: number; per_span: number; most_in_span: number; now: number; flood_percent: number; floods: Flood[]; chattering: Source[]; stale: number; top: Source[];
  /** Alerts in each ten minutes from the beginning on. */
  spans?: number[];
}
export interface DeskLoad { now: Load; last_shift: Load }
export interface Shelved { camera: string; until: string; who?: string | null; reason?: string | null }
export interface Console { shift_began: string; duty: DeskLoad; police: DeskLoad; shelved?: Shelved[] }

// --- verdicts and rules ---
/** `missed`: incidents opened by hand that this rule should have raised; a hub may not say. */
export interface RuleFigures { right: number; wrong: number; missed?: number; drills: number; duplicates: number; unjudged: number; precision: number | null; proposed_for_demotion: boolean }
export interface Verdicts { days: number; floor: number; verdicts: { rules: Partial<Record<ReasonCode, RuleFigures>>; misses: number; incidents: number } }
export type RuleValue = number | null | ReasonCode[];
export interface RuleChange { id: number; rule: string; value: unknown; at: string; who: string; reason: string }
export interface InForce { unusual_score: number; demoted: ReasonCode[]; limits: Record<string, number | null> }
export interface Rules { changes: RuleChange[]; in_force?: InForce }
export interface Told {
  alerts: number; per_shift: number; levels: Partial<Record<Level, number>>; right: number; wrong: number; unjudged: number; precision: number | null; missed: number; delay_min: number | null;
}
export interface Trial { minutes: number; as_it_is: Told; as_tried: Told }

// --- planning ---
export type Form = "picket" | "meeting" | "rally" | "march" | "demonstration";
export type Appeal = "none" | "filed" | "upheld" | "rejected";
export type Answer =
  | { answer: "accepted" | "withdrawn"; on: string }
  | { answer: "moved"; on: string; alternative: string }
  | { answer: "refused"; on: string; ground: string; alternative: string; appeal: Appeal };
export interface Assembly {
  form: Form; position: LatLon; radius_m: number; place: string; from: string; until: string; people: number; filed_on: string; answer: Answer | null;
}
export type Standing = "pending" | "proceeds" | "refused" | "withdrawn";
export interface AssemblyEntry { id: number; assembly: Assembly; procedure: "notification" | "approval"; answer_by: string; standing: Standing; updated_at: string; updated_by: string }
export interface SpecialPlace { name: Names; points: LatLon[]; radius_m: number; max_people: number }
export interface PlaceEntry { id: number; place: SpecialPlace; updated_at: string; updated_by: string }
export interface PlannedEvent { id: number; site: string; name: string; from: string; until: string; people: number | null; overlaps: number[]; updated_at: string; updated_by: string }

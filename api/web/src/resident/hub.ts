// The residents' page and the hub. No cookie is needed and none is sent.

import type { Lang } from "./words";

export type Names = Record<Lang, string>;
export type LatLon = [number, number];

export interface Category {
  id: string; name: Names; hint: Names; group: string; group_name: Names; service: string; service_name: Names; answer_hours: number;
  deadline: { hours: number } | { working_days: number }; attributes?: Attribute[];
}
/** A question of its own that a category asks. */
export interface Attribute { code: string; datatype: string; required: boolean; name: Names; values: { key: string; name: Names }[] }
export interface Form {
  form_token: string; expires_at: string; categories: Category[]; limits: { text_max: number; text_min: number; place_max: number }; contact_days: number;
  bounds: [LatLon, LatLon]; centre: LatLon; demo: boolean; areas?: { kato: string; name: Names; centre: LatLon | null }[]; hub?: { name: string };
}
export type Taken = "iin" | "phone" | "email" | "card" | "handle" | "link";
export interface Receipt {
  reference: string; code: string; masked: Taken[]; area: string; area_name: Names; answer_by: string; category: string; received_at: string; contact_expires_at: string | null; replayed: boolean;
}
export type State = "received" | "answered" | "in_work" | "done" | "confirmed" | "reopened" | "closed" | "declined" | "merged";
export interface Status {
  reference: string; state: State; state_name: Names; category_name: Names; service_name: Names; area_name: Names; received_at: string; answer_by: string; answered_at: string | null;
  answer: string | null; promised_at: string | null; done_at: string | null; closed_at: string | null; overdue: "answer" | "work" | null; reopened: number; followers: number; merged: boolean;
  can_judge: boolean; judge_until: string | null; steps: { state: State; at: string }[]; demo: boolean;
}
export interface Near { area: string; name: Names; inside: boolean; distance_m: number }

export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly body: Record<string, unknown>) {
    super(message);
  }
}

const PATIENCE_MS = 20_000;

export async function ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
  let response: Response;
  try {
    response = await fetch(`/api/v1/public/requests${path}`, {
      method, cache: "no-store", credentials: "omit", signal: abort.signal,
      headers: { accept: "application/json", ...(method === "POST" ? { "content-type": "application/json", "x-qorgan-form": "1" } : {}) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new Refusal(0, "unreachable", String(cause), {});
  } finally {
    clearTimeout(timer);
  }
  const answer = (await response.json().catch(() => null)) as (T & { error?: Record<string, unknown> }) | null;
  if (response.ok && answer) return answer;
  const error = answer?.error ?? {};
  throw new Refusal(response.status, String(error["code"] ?? `http_${response.status}`), String(error["message"] ?? ""), error);
}

// The phone's words with the hub. Every call ends within four seconds: a poor line must not hold the next try back.

import type { Lang } from "./words";

export type Kind = "panic" | "fire" | "medical";

export interface Me {
  device: string;
  site: string;
  site_name: Record<Lang, string>;
  name: string;
  kinds: Kind[];
  drill: boolean;
  language: Lang;
}

/** What came back; `status` 0 means that nothing did. */
export interface Answer<T> {
  status: number;
  code: string;
  retryAfterMs: number;
  body: T | null;
}

const PATIENCE_MS = 4_000;

export async function ask<T>(method: "GET" | "POST", path: string, body?: unknown, patienceMs = PATIENCE_MS): Promise<Answer<T>> {
  const nothing: Answer<T> = { status: 0, code: "unreachable", retryAfterMs: 0, body: null };
  // Not AbortSignal.timeout: older phones lack it, and a press must not fail on that.
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), patienceMs);
  try {
    const response = await fetch(`/api/v1/phone${path}`, {
      method,
      headers: { accept: "application/json", "x-qorgan-phone": "1", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      credentials: "same-origin",
      cache: "no-store",
      // A press that has left goes on when the page is put away.
      keepalive: method === "POST",
      signal: abort.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = (await response.json().catch(() => null)) as (T & { error?: { code?: string; retry_after_s?: number } }) | null;
    if (response.ok && json) return { ...nothing, status: response.status, code: "", body: json };
    return { ...nothing, status: response.ok ? 0 : response.status, code: json?.error?.code ?? "", retryAfterMs: (json?.error?.retry_after_s ?? 0) * 1000 };
  } catch {
    return nothing;
  } finally {
    clearTimeout(timer);
  }
}

// The one place that talks to the hub over HTTP. Errors come back as `ApiError` with the hub's code; a lost session is reported
// once to whoever listens, and never thrown away silently.

import type {
  Action, Alert, AreaCollection, AuditEntry, Camera, CloseReason, PublicInfo, Session, Site, Transition, Unit,
} from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body: Record<string, unknown>,
  ) {
    super(message);
  }
}

let csrf = "";
let lost: () => void = () => {};

export function onSessionLost(listener: () => void): void {
  lost = listener;
}

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET") headers["x-csrf-token"] = csrf;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ApiError(0, "unreachable", "the hub cannot be reached", { cause: String(cause) });
  }
  if (response.ok) return response;
  const text = await response.text();
  let error: Record<string, unknown> = {};
  try {
    error = (JSON.parse(text) as { error?: Record<string, unknown> }).error ?? {};
  } catch {
    // A proxy may answer in HTML: the status alone must do.
  }
  const code = typeof error["code"] === "string" ? error["code"] : `http_${response.status}`;
  if (response.status === 401 && !path.endsWith("/session")) lost();
  throw new ApiError(response.status, code, String(error["message"] ?? response.statusText), error);
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await call(method, path, body)).json()) as T;
}

function keep(session: Session): Session {
  csrf = session.csrf;
  return session;
}

const camera = (id: string) => id.split("/").map(encodeURIComponent).join("/");

export const api = {
  session: async () => keep(await json<Session>("GET", "/api/v1/session")),
  logIn: async (user: string, password: string) => keep(await json<Session>("POST", "/api/v1/session", { user, password })),
  logOut: () => call("DELETE", "/api/v1/session"),
  alerts: async (state: "open" | "closed", limit = 100) =>
    (await json<{ alerts: Alert[] }>("GET", `/api/v1/alerts?state=${state}&limit=${limit}`)).alerts,
  alert: (id: number) => json<{ alert: Alert; transitions: Transition[] }>("GET", `/api/v1/alerts/${id}`),
  act: (id: number, action: Action, more: { unit?: string; reason?: string; close_reason?: CloseReason } = {}) =>
    json<Alert>("POST", `/api/v1/alerts/${id}/actions`, { action, ...more }),
  openIncident: (site: string | null, text: string) =>
    json<Alert>("POST", "/api/v1/incidents", { site, position: null, text, kind: "incident" }),
  cameras: async () => (await json<{ cameras: Camera[] }>("GET", "/api/v1/cameras")).cameras,
  counts: async (id: string, minutes: number) =>
    (await json<{ points: [number, number, number | null, number | null][] }>(
      "GET", `/api/v1/cameras/${camera(id)}/counts?minutes=${minutes}`,
    )).points,
  still: async (id: string, why: { alert: number } | { purpose: string }) => {
    const response = await call("POST", `/api/v1/cameras/${camera(id)}/still`, why);
    return { picture: await response.blob(), masked: response.headers.get("x-qorgan-masked") !== "false" };
  },
  sites: async () => (await json<{ sites: Site[] }>("GET", "/api/v1/sites")).sites,
  units: async () => (await json<{ units: Unit[] }>("GET", "/api/v1/units")).units,
  areas: () => json<AreaCollection>("GET", "/api/v1/areas"),
  putAreas: (body: unknown) =>
    json<{ imported: number; skipped: { index: number; reason: string }[] }>("PUT", "/api/v1/areas", body),
  soundTest: (heard: boolean) => call("POST", "/api/v1/desk/sound-test", { heard }),
  audit: async (limit: number, before?: number) =>
    (await json<{ entries: AuditEntry[] }>(
      "GET", `/api/v1/audit?limit=${limit}${before === undefined ? "" : `&before=${before}`}`,
    )).entries,
  verifyAudit: () =>
    json<{ ok: boolean; entries: number; head: string; broken_at: number | null }>("GET", "/api/v1/audit/verify"),
  public: () => json<PublicInfo>("GET", "/api/v1/public"),
};

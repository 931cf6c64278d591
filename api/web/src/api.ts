// The one place that talks to the hub over HTTP. Errors come back as `ApiError` with the hub's code; a lost session is reported
// once to whoever listens, and never thrown away silently.

import type {
  Action, Alert, AreaCollection, AreasReport, AuditEntry, Camera, Clip, CloseReason, Connector, Contact, Device, Drill, Drills, Explanation, Handover, ImportResult, Institution, LatLon, PublicInfo,
  Opened, Reason, Recording, Register, Session, Shift, Site, SiteFile, Transition, Unit, UnitChoice, UnitLive,
} from "./types";
import type { Enrolment, PhoneLine } from "./types";
import type { AdminCamera, CameraKeys, Compliance, DeviceReport, FoundDevice, Trial } from "./pages/cameras/types";
import type { Answer, Fix, Order, OrderAlert } from "./patrol/types";

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

/** One call with the session's cookie; used by the subjects that keep their routes in a file of their own. */
export async function call(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  // A file goes as it is, under its own type; everything else is JSON.
  const file = body instanceof Blob;
  if (body !== undefined) headers["content-type"] = file ? body.type : "application/json";
  if (method !== "GET") headers["x-csrf-token"] = csrf;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: file ? body : JSON.stringify(body) }),
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

export async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await call(method, path, body)).json()) as T;
}

function keep(session: Session): Session {
  csrf = session.csrf;
  return session;
}

const camera = (id: string) => id.split("/").map(encodeURIComponent).join("/");
const one = encodeURIComponent;

export const api = {
  session: async () => keep(await json<Session>("GET", "/api/v1/session")),
  logIn: async (user: string, password: string) => keep(await json<Session>("POST", "/api/v1/session", { user, password })),
  logOut: () => call("DELETE", "/api/v1/session"),
  alerts: async (state: "open" | "closed", limit = 100) =>
    (await json<{ alerts: Alert[] }>("GET", `/api/v1/alerts?state=${state}&limit=${limit}`)).alerts,
  alert: (id: number) => json<{ alert: Alert; transitions: Transition[] }>("GET", `/api/v1/alerts/${id}`),
  explanation: (id: number) => json<Explanation>("GET", `/api/v1/alerts/${id}/explanation`),
  act: (id: number, action: Action, more: { unit?: string; reason?: string; close_reason?: CloseReason } = {}) =>
    json<Alert>("POST", `/api/v1/alerts/${id}/actions`, { action, ...more }),
  openIncident: (site: string | null, position: LatLon | null, text: string) => json<Alert>("POST", "/api/v1/incidents", { site, position, text }),
  shown: (ids: readonly number[]) => call("POST", "/api/v1/alerts/shown", { ids }),
  unitsFor: (alert: number) => json<UnitChoice>("GET", `/api/v1/alerts/${alert}/units`),
  unitsLive: async () => (await json<{ units: UnitLive[] }>("GET", "/api/v1/units/live")).units,
  shift: () => json<Shift>("GET", "/api/v1/shift"),
  giveShift: (note: string) => json<Handover>("POST", "/api/v1/shift/handover", { note }),
  takeShift: (id: number) => json<Handover>("POST", `/api/v1/shift/handover/${id}/take`, {}),
  siteFile: (site: string) => json<SiteFile>("GET", `/api/v1/sites/${one(site)}/file`),
  putSiteFile: (site: string, body: Pick<SiteFile, "address" | "notes" | "entrances">) => call("PUT", `/api/v1/sites/${one(site)}/file`, body),
  putContact: (site: string, { id, ...body }: Contact) => call("PUT", `/api/v1/sites/${one(site)}/contacts/${one(id)}`, body),
  deleteContact: (site: string, id: string) => call("DELETE", `/api/v1/sites/${one(site)}/contacts/${one(id)}`),
  putPlan: (site: string, picture: Blob) => call("PUT", `/api/v1/sites/${one(site)}/plan`, picture),
  deletePlan: (site: string) => call("DELETE", `/api/v1/sites/${one(site)}/plan`),
  /** Address of the plan; the time in it makes a browser read a new plan again. */
  planUrl: (site: string, updated: string) => `/api/v1/sites/${one(site)}/plan?at=${one(updated)}`,
  devices: () => json<{ devices: Device[]; lost: number; total: number }>("GET", "/api/v1/devices"),
  register: (filter: { status?: string; area?: string; q?: string } = {}) =>
    json<Register>("GET", `/api/v1/register?${new URLSearchParams(Object.entries(filter).filter(([, v]) => v !== ""))}`),
  putInstitution: (id: string, body: Partial<Institution>) => json<Institution>("PUT", `/api/v1/register/${one(id)}`, body),
  importRegister: (file: Blob, dryRun: boolean) => json<ImportResult>("POST", `/api/v1/register/import?dry_run=${dryRun}`, file),
  drills: () => json<Drills>("GET", "/api/v1/drills"),
  planDrill: (site: string, at: string | null, minutes: number) => json<Drill>("POST", "/api/v1/drills", { site, ...(at ? { at } : {}), minutes }),
  endDrill: (id: number, body: { cancelled?: boolean; note?: string }) => json<Drill>("POST", `/api/v1/drills/${id}/end`, body),
  connectors: async () => (await json<{ connectors: Connector[] }>("GET", "/api/v1/connectors")).connectors,
  cameras: async () => (await json<{ cameras: Camera[] }>("GET", "/api/v1/cameras")).cameras,
  counts: async (id: string, minutes: number) =>
    (await json<{ points: [number, number, number | null, number | null][] }>(
      "GET", `/api/v1/cameras/${camera(id)}/counts?minutes=${minutes}`,
    )).points,
  still: async (id: string, why: Reason) => {
    const response = await call("POST", `/api/v1/cameras/${camera(id)}/still`, why);
    return { picture: await response.blob(), masked: response.headers.get("x-qorgan-masked") !== "false" };
  },
  openLive: (id: string, why: Reason) => json<Opened>("POST", `/api/v1/cameras/${camera(id)}/live`, why),
  clips: async (of: { alert?: number; camera?: string }) =>
    (await json<{ clips: Clip[] }>("GET", `/api/v1/clips?${new URLSearchParams(Object.entries(of).map(([k, v]) => [k, String(v)]))}`)).clips,
  openClip: (alert: number, id: string, why: Reason) => json<Opened>("POST", `/api/v1/clips/${alert}/${camera(id)}/open`, why),
  recordings: async (id: string) => (await json<{ recordings: Recording[] }>("GET", `/api/v1/cameras/${camera(id)}/recordings`)).recordings,
  openRecording: (id: string, token: string, from: string, why: Reason) =>
    json<Opened>("POST", `/api/v1/cameras/${camera(id)}/recordings/open`, { token, from, ...why }),
  extendLive: (id: string) => json<Opened>("POST", `/api/v1/live/${one(id)}/extend`),
  closeLive: (id: string) => call("DELETE", `/api/v1/live/${one(id)}`),
  liveUrl: (id: string, pictures: boolean) =>
    `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live/${one(id)}${pictures ? "?pictures=true" : ""}`,
  /** A picture of the wall; null when it is still the one that is known. */
  wall: async (id: string, seen: string) => {
    const response = await call("GET", `/api/v1/wall/${camera(id)}${seen ? `?seen=${one(seen)}` : ""}`);
    if (response.status === 204) return null;
    return { picture: await response.blob(), seen: response.headers.get("x-qorgan-picture") ?? "", at: Date.parse(response.headers.get("x-qorgan-at") ?? "") };
  },
  compliance: async () => (await json<{ cameras: Compliance[] }>("GET", "/api/v1/compliance")).cameras,
  cameraAdmin: () => json<{ cameras: AdminCamera[]; pictures: boolean }>("GET", "/api/v1/camera-admin"),
  putCamera: (site: string, body: { keys: CameraKeys; password?: string; onvif_password?: string }) => call("PUT", `/api/v1/camera-admin/${one(site)}/${one(body.keys.id)}`, body),
  removeCamera: (id: string) => call("DELETE", `/api/v1/camera-admin/${camera(id)}`),
  discoverCameras: async () => (await json<{ devices: FoundDevice[] }>("POST", "/api/v1/camera-admin/discover")).devices,
  askDevice: (body: { address: string; user: string; password: string }) => json<DeviceReport>("POST", "/api/v1/camera-admin/device", body),
  tryCamera: (body: { site: string; keys: CameraKeys; password?: string }) => json<Trial>("POST", "/api/v1/camera-admin/try", body),
  setupStill: async (id: string) => (await call("POST", `/api/v1/camera-admin/${camera(id)}/still`)).blob(),
  sites: async () => (await json<{ sites: Site[] }>("GET", "/api/v1/sites")).sites,
  units: async () => (await json<{ units: Unit[] }>("GET", "/api/v1/units")).units,
  areas: () => json<AreaCollection>("GET", "/api/v1/areas"),
  putAreas: (body: unknown) =>
    json<AreasReport>("PUT", "/api/v1/areas", body),
  soundTest: (heard: boolean) => call("POST", "/api/v1/desk/sound-test", { heard }),
  phones: async () => (await json<{ phones: PhoneLine[] }>("GET", "/api/v1/phones")).phones,
  enrolPhone: (site: string, name: string) => json<Enrolment>("POST", "/api/v1/phones/enrolments", { site, name }),
  revokePhone: (device: string) => call("DELETE", `/api/v1/phones/${camera(device)}`),
  audit: async (limit: number, before?: number) =>
    (await json<{ entries: AuditEntry[] }>(
      "GET", `/api/v1/audit?limit=${limit}${before === undefined ? "" : `&before=${before}`}`,
    )).entries,
  verifyAudit: () =>
    json<{ ok: boolean; entries: number; head: string; broken_at: number | null }>("GET", "/api/v1/audit/verify"),
  public: () => json<PublicInfo>("GET", "/api/v1/public"),
  // The patrol's phone.
  order: async () => (await json<{ order: Order | null }>("GET", "/api/v1/order")).order,
  answer: (id: number, action: Answer, reason?: string) =>
    json<OrderAlert>("POST", `/api/v1/alerts/${id}/actions`, { action, ...(reason ? { reason } : {}) }),
  position: (fix: Fix) => call("POST", "/api/v1/unit/position", fix),
};

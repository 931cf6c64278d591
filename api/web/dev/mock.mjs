// A stand-in for the hub, for working on the page without it: same paths, same shapes, same security headers, invented counts.
// Development only: one fixed password, everything in memory, loopback only. `node dev/mock.mjs [--port 8099] [--quiet-start]`
// Extra doors that the hub does not have: POST /dev/press, /dev/crowd, /dev/expire, /dev/reset.

import { createServer } from "node:http";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { CAMERAS, PASSWORD, SITES, UNITS, USERS } from "./data.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const DIST = join(here, "..", "dist");
const AREAS_FILE = join(here, "..", "..", "..", "configs", "areas", "zhambyl.geojson");
const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const PORT = Number(option("--port", "8099"));
const QUIET = process.argv.includes("--quiet-start");
const CSP = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; child-src blob:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'self'";

const iso = (ms = Date.now()) => new Date(ms).toISOString();
const sessions = new Map();
const streams = new Set();
const sound = new Map();
let areas = JSON.parse(readFileSync(AREAS_FILE, "utf8"));
let alerts = new Map();
let logs = new Map();
let audit = [];
let nextAlert = 1;
let cursor = 0;
let pending = [];

// --- alerts ---------------------------------------------------------------------------------------------------------------

function newAlert(fields, ageMs = 0) {
  const id = nextAlert++;
  const at = iso(Date.now() - ageMs);
  const alert = {
    id, state: "raised", device: null, position: null, raised_at: at, updated_at: at, closed_at: null, claimed_by: null, unit: null, close_reason: null,
    stored: true, subsided_at: null, version: 1, alarm: null, crowd: null, incident: null, ...fields,
  };
  alerts.set(id, alert);
  logs.set(id, []);
  step(alert, "raise", alert.incident ? alert.incident.opened_by : "system/fusion", alert.incident ? USERS[alert.incident.opened_by].role : "system", null, { at });
  return alert;
}

function step(alert, action, who, role, from, { at = iso(), reason = null, unit = null } = {}) {
  const log = logs.get(alert.id);
  log.push({ seq: log.length + 1, action, from, to: alert.state, who, role, at, reason, unit });
}

const press = (kind = "panic", test = false) =>
  newAlert({
    kind: "alarm", level: "critical", site: "school-17", device: "school-17/gate-button", position: [42.9008, 71.3662],
    alarm: { kind, seq: nextAlert + 16, boot: "b3f1", pressed_at: iso(Date.now() - 400), received_at: iso(), test, clock_suspect: false, presses: 1 },
  });

const crowd = (level = "notice", ageMs = 0) =>
  newAlert({
    kind: "crowd", level, site: "dostyq", device: "dostyq/stage", position: null,
    crowd: {
      people: 14, low: 12.5, high: 16, peak: 17, limit: 12, baseline: 6.2, baseline_bound: 10.4, formula: "crowd-v1",
      reasons: [{ code: "above_limit", observed: 14, bound: 12, for_s: 95 }, { code: "above_baseline", observed: 14, bound: 10.4, for_s: 95 }],
    },
  }, ageMs);

function allowed(alert, session) {
  if (!session.rights.includes("alerts.act") || alert.state === "closed") return [];
  const mine = alert.claimed_by === session.user;
  const lead = session.role === "shift_lead";
  if (alert.state === "raised") return ["claim", "note", ...(alert.kind === "crowd" && lead ? ["close"] : [])];
  if (!mine && !lead) return ["note"];
  const more = { claimed: alert.kind === "crowd" ? ["release"] : ["dispatch", "release"], dispatched: ["accept", "decline"], accepted: ["en_route"], en_route: ["on_scene"], on_scene: [] };
  return [...more[alert.state], "close", "note"];
}

const seen = (alert, session) => ({ ...alert, allowed: allowed(alert, session) });

function act(alert, session, body) {
  const { action } = body;
  if (action === "claim" && alert.claimed_by && alert.claimed_by !== session.user) {
    return fail(409, "already_claimed", "another desk was first", { claimed_by: alert.claimed_by, alert: seen(alert, session) });
  }
  if (alert.kind === "crowd" && action === "dispatch") return fail(422, "not_dispatchable", "open an incident by hand");
  if (!allowed(alert, session).includes(action)) return fail(409, "not_allowed_in_state", "not now", { state: alert.state });
  if (["close", "note", "release", "decline"].includes(action) && !body.reason?.trim()) return fail(422, "reason_required", "say why");
  const from = alert.state;
  const state = { claim: "claimed", release: "raised", dispatch: "dispatched", decline: "claimed", accept: "accepted", en_route: "en_route", on_scene: "on_scene", close: "closed" }[action];
  if (state) alert.state = state;
  if (action === "claim") alert.claimed_by = session.user;
  if (action === "release") alert.claimed_by = null;
  if (action === "dispatch") alert.unit = body.unit;
  if (action === "decline") alert.unit = null;
  if (action === "close") Object.assign(alert, { close_reason: body.close_reason, closed_at: iso() });
  alert.version++;
  alert.updated_at = iso();
  step(alert, action, session.user, session.role, from, { reason: body.reason ?? null, unit: body.unit ?? null });
  record(session, `alert.${action}`, `alert/${alert.id}`, body.reason ?? null);
  pending.push({ alert });
  flush();
  return ok(seen(alert, session));
}

// --- counts, stream, audit ------------------------------------------------------------------------------------------------

function tick() {
  const t = Date.now();
  for (const c of CAMERAS) {
    if (c.status === "live") {
      const wave = Math.sin(t / 21_000 + c.base) * c.base * 0.35 + Math.sin(t / 7_000 + c.base * 2) * 0.8;
      count(c, t, Math.max(0, c.base + wave + (Math.random() - 0.5)));
    } else if (c.counted_at) c.age_s = (t - Date.parse(c.counted_at)) / 1000;
    const { series: _, base: __, ...camera } = c;
    pending.push({ camera });
  }
  flush();
}

function count(c, t, people) {
  c.people = Math.round(people * 10) / 10;
  c.low = Math.round(Math.max(0, people - 1) * 10) / 10;
  c.high = Math.round((people + 1.4) * 10) / 10;
  c.counted_at = iso(t);
  c.age_s = 0.2;
  c.series = [...c.series.slice(-119), [t, c.people]];
}

function flush() {
  if (pending.length === 0) return;
  cursor++;
  for (const s of streams) {
    const changes = pending.filter((c) => !c.alert || s.session.rights.includes("alerts.read")).map((c) => (c.alert ? { alert: seen(c.alert, s.session) } : c));
    s.response.write(`event: changes\nid: k1-${cursor}\ndata: ${JSON.stringify({ cursor: `k1-${cursor}`, now: iso(), changes })}\n\n`);
  }
  pending = [];
}

const desksNow = () => {
  const byUser = new Map([...streams].map((s) => [s.session.user, s]));
  return { attended: [...byUser.values()].map((s) => ({ user: s.session.user, role: s.session.role, sound_ok: sound.get(s.session.user) ?? null, since: s.since })) };
};

function openStream(request, response, session) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", ...SECURITY });
  const stream = { response, session, since: iso() };
  streams.add(stream);
  const open = session.rights.includes("alerts.read") ? [...alerts.values()].filter((a) => a.state !== "closed").map((a) => seen(a, session)) : [];
  const cameras = CAMERAS.map(({ base: _, ...c }) => c);
  response.write(`event: snapshot\nid: k1-${cursor}\ndata: ${JSON.stringify({ cursor: `k1-${cursor}`, now: iso(), alerts: open, cameras })}\n\n`);
  const beat = setInterval(() => response.write(": keep\n\n"), 10_000);
  request.on("close", () => {
    clearInterval(beat);
    streams.delete(stream);
    pending.push({ desks: desksNow() });
  });
  pending.push({ desks: desksNow() });
}

function record(session, action, subject, purpose) {
  const seq = audit.length + 1;
  const entry = { seq, at: iso(), who: session.user, role: session.role, action, subject, purpose };
  audit.push({ ...entry, hash: createHash("sha256").update((audit.at(-1)?.hash ?? "") + JSON.stringify(entry)).digest("hex") });
}

// --- HTTP -----------------------------------------------------------------------------------------------------------------

const SECURITY = { "content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "same-origin" };
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".mjs": "text/javascript" };
const ok = (body, status = 200) => ({ status, body });
const fail = (status, code, message, more = {}) => ({ status, body: { error: { code, message, ...more } } });

const sessionBody = (s) => ({ user: s.user, display_name: s.display_name, role: s.role, site: null, unit: null, csrf: s.csrf, expires_at: iso(Date.now() + 8 * 3600e3), hub: { name: "Тараз ЖБО", version: "0.1.0", language: "kk" }, rights: s.rights });

async function readJson(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : JSON.parse(text);
}

async function handle(request, response) {
  const url = new URL(request.url, "http://mock");
  const path = url.pathname;
  const route = `${request.method} ${path}`;
  if (!path.startsWith("/api/") && !path.startsWith("/dev/")) return page(path, response);
  const session = sessions.get(/qorgan_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1]);
  if (route === "GET /api/v1/stream") return session ? openStream(request, response, session) : send(response, fail(401, "unauthenticated", "log in"));
  const body = request.method === "GET" ? {} : await readJson(request);
  const answer = path.startsWith("/dev/") ? devDoor(route, body) : anonymous(route, body, response) ?? (session ? forSession(route, url, body, session, response) : fail(401, "unauthenticated", "log in"));
  if (answer) send(response, answer);
}

function devDoor(route, body) {
  const doors = {
    "POST /dev/press": () => { pending.push({ alert: press(body.kind, body.test) }); flush(); },
    "POST /dev/crowd": () => { pending.push({ alert: crowd(body.level) }); flush(); },
    "POST /dev/expire": () => { sessions.clear(); for (const s of streams) s.response.end("event: end\ndata: {}\n\n"); },
    "POST /dev/drop": () => { for (const s of streams) s.response.destroy(); },
    "POST /dev/reset": () => reset(),
  };
  if (!doors[route]) return fail(404, "not_found", "no such door");
  doors[route]();
  return ok(null, 204);
}

function anonymous(route, body, response) {
  if (route === "POST /api/v1/session") {
    const user = USERS[body.user];
    if (!user || body.password !== PASSWORD) return fail(401, "unauthenticated", "wrong name or password");
    const id = randomBytes(12).toString("hex");
    const session = { user: body.user, csrf: randomBytes(8).toString("hex"), ...user };
    sessions.set(id, session);
    record(session, "session.open", null, null);
    response.setHeader("set-cookie", `qorgan_session=${id}; HttpOnly; SameSite=Strict; Path=/`);
    return ok(sessionBody(session));
  }
  if (route === "GET /api/v1/public") {
    return ok({ hub: { name: "Тараз ЖБО" }, since: "2026-09-01T00:00:00.000Z", cameras: { school: 3, public_place: 3 }, buttons: 3, alerts_30d: { alarm: 3, crowd: 12, false_percent: 8.3 }, video_opened_30d: 4, retention: { counts_raw_h: 24, counts_minute_d: 30, counts_hour_y: 3 }, identifies_people: false });
  }
  return null;
}

function forSession(route, url, body, session, response) {
  const need = (right, run) => (session.rights.includes(right) ? run() : fail(403, "forbidden", `needs ${right}`));
  const alert = /^\/api\/v1\/alerts\/(\d+)(\/actions)?$/.exec(url.pathname);
  if (alert) {
    const found = alerts.get(Number(alert[1]));
    if (!found) return fail(404, "not_found", "no such alert");
    return alert[2] ? need("alerts.act", () => act(found, session, body)) : need("alerts.read", () => ok({ alert: seen(found, session), transitions: logs.get(found.id) }));
  }
  const camera = /^\/api\/v1\/cameras\/([\w-]+\/[\w-]+)\/(counts|still)$/.exec(url.pathname);
  if (camera) {
    const found = CAMERAS.find((c) => c.id === camera[1]);
    if (!found) return fail(404, "not_found", "no such camera");
    if (camera[2] === "counts") return ok({ points: history(found) });
    return need("still.open", () => still(found, body, session, response));
  }
  const routes = {
    "GET /api/v1/session": () => ok(sessionBody(session)),
    "DELETE /api/v1/session": () => {
      for (const [id, s] of sessions) if (s === session) sessions.delete(id);
      for (const s of streams) if (s.session === session) s.response.end("event: end\ndata: {}\n\n");
      return ok(null, 204);
    },
    "GET /api/v1/alerts": () => need("alerts.read", () => ok({ alerts: [...alerts.values()].filter((a) => (a.state === "closed") === (url.searchParams.get("state") === "closed")).reverse().map((a) => seen(a, session)) })),
    "POST /api/v1/incidents": () => need("incidents.open", () => {
      const opened = newAlert({ kind: "incident", level: "warning", site: body.site, incident: { text: body.text, opened_by: session.user } });
      record(session, "incident.open", `alert/${opened.id}`, body.text);
      pending.push({ alert: opened });
      flush();
      return ok(seen(opened, session), 201);
    }),
    "GET /api/v1/sites": () => ok({ sites: SITES }),
    "GET /api/v1/units": () => ok({ units: UNITS }),
    "GET /api/v1/areas": () => ok(areas),
    "PUT /api/v1/areas": () => need("areas.write", () => {
      const good = body.features.filter((f) => /^\d{9}$/.test(f.properties?.kato ?? ""));
      const skipped = body.features.flatMap((f, index) => (good.includes(f) ? [] : [{ index, reason: "no KATO code of 9 digits" }]));
      areas = { type: "FeatureCollection", features: good };
      return ok({ imported: good.length, skipped });
    }),
    "POST /api/v1/desk/sound-test": () => { sound.set(session.user, body.heard); pending.push({ desks: desksNow() }); return ok(null, 204); },
    "GET /api/v1/audit": () => need("audit.read", () => ok({ entries: audit.filter((e) => e.seq < Number(url.searchParams.get("before") ?? Infinity)).reverse().slice(0, 100) })),
    "GET /api/v1/audit/verify": () => need("audit.read", () => ok({ ok: true, entries: audit.length, head: audit.at(-1)?.hash ?? "", broken_at: null })),
  };
  return routes[route]?.() ?? fail(404, "not_found", "no such path");
}

function history(camera) {
  if (camera.people === null) return [];
  return Array.from({ length: 60 }, (_, i) => {
    const n = Math.max(0, camera.base + Math.sin(i / 6 + camera.base) * camera.base * 0.5 + Math.sin(i) * 0.7);
    return [Date.now() - (60 - i) * 60_000, n, Math.max(0, n - 1), n + 1.4];
  });
}

function still(camera, body, session, response) {
  if (!body.alert && (body.purpose ?? "").length < 10) return fail(403, "purpose_required", "say why");
  if (camera.status === "offline") return fail(503, "no_picture", "no picture");
  record(session, "still.open", `camera/${camera.id}`, body.purpose ?? `alert/${body.alert}`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="768" height="576"><rect width="768" height="576" fill="#5c6a58"/><path d="M0 400 768 250v326H0z" fill="#8b8f86"/><g fill="#39424a"><rect x="220" y="330" width="24" height="60"/><rect x="410" y="310" width="24" height="60"/><rect x="560" y="290" width="24" height="60"/></g><text x="24" y="44" fill="#fff" font-family="sans-serif" font-size="22">mock: no real picture</text></svg>`;
  response.writeHead(200, { "content-type": "image/svg+xml", "cache-control": "no-store", "x-qorgan-masked": body.alert ? "false" : "true", ...SECURITY });
  response.end(svg);
  return null;
}

function page(path, response) {
  const file = path === "/" || path === "/public" ? "index.html" : normalize(path).replace(/^(\.\.[/\\])+/, "");
  const full = join(DIST, file);
  if (!full.startsWith(DIST) || !existsSync(full)) return send(response, fail(404, "not_found", "no such file"));
  response.writeHead(200, { "content-type": TYPES[extname(full)] ?? "application/octet-stream", "cache-control": "no-store", ...SECURITY });
  response.end(readFileSync(full));
}

function send(response, { status, body }) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...SECURITY });
  response.end(body === null ? undefined : JSON.stringify(body));
}

function reset() {
  alerts = new Map();
  logs = new Map();
  audit = [];
  sound.clear();
  for (const s of streams) s.response.destroy();
  if (QUIET) return;
  const fire = newAlert({ kind: "alarm", level: "critical", site: "kokbazar", device: "kokbazar/guard", position: [42.8935, 71.3901], alarm: { kind: "medical", seq: 4, boot: "77aa", pressed_at: null, received_at: iso(Date.now() - 340e3), test: false, clock_suspect: true, presses: 2 } }, 340e3);
  Object.assign(fire, { state: "claimed", claimed_by: "daniyar", version: 2 });
  step(fire, "claim", "daniyar", "shift_lead", "raised", { at: iso(Date.now() - 320e3) });
  Object.assign(fire, { state: "dispatched", unit: "ambulance-3", version: 3 });
  step(fire, "dispatch", "daniyar", "shift_lead", "claimed", { at: iso(Date.now() - 280e3), unit: "ambulance-3", reason: "Адам есінен танып қалған" });
  crowd("notice", 95e3);
}

for (const c of CAMERAS) {
  const old = c.status === "stale" ? 74_000 : 0;
  if (c.people !== null) for (let i = 119; i >= 0; i--) count(c, Date.now() - old - i * 2000, Math.max(0, c.base + Math.sin(i / 9 + c.base) * c.base * 0.4 + Math.sin(i / 2) * 0.5));
}
reset();
setInterval(tick, 1000);
createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) send(response, fail(500, "internal", String(error)));
  });
}).listen(PORT, "127.0.0.1", () => console.log(`mock hub on http://127.0.0.1:${PORT} (users ${Object.keys(USERS).join(", ")}; password ${PASSWORD})`));

// A stand-in for the hub, for working on the page without it: same paths, same shapes, same security headers, invented counts.
// Development only: one fixed password, everything in memory, loopback only. `node dev/mock.mjs [--port 8099] [--quiet-start]`
// Extra doors that the hub does not have: POST /dev/press {kind,test,site,fields}, /dev/again {id}, /dev/flood {count,sites},
// /dev/trouble, /dev/hazard, /dev/escalate {id,step}, /dev/progress {id,..}, /dev/shift {..}, /dev/crowd, /dev/expire, /dev/drop, /dev/reset.

import { createServer } from "node:http";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { CAMERAS, cameraKeys, compliance, CONNECTORS, DEVICES, FILES, makeRegister, PASSWORD, SITES, UNITS, UNITS_LIVE, USERS } from "./data.mjs";
import { Sites } from "./places.mjs";
import { Planning } from "./planning.mjs";
import { Situation } from "./situation.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const DIST = process.env.QORGAN_DIST ?? join(here, "..", "dist");
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
    stored: true, subsided_at: null, version: 1, alarm: null, crowd: null, incident: null, trouble: null, hazard: null,
    progress: { shown_at: null, claimed_at: null, escalation: null, unattended_at: null, sent_at: null, delivered_at: null, seen_at: null, accepted_at: null, done_at: null, external: [], shared: false },
    ...fields,
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

const alarmPart = (kind, more = {}) => ({
  kind, seq: nextAlert + 16, boot: "b3f1", pressed_at: iso(Date.now() - 400), received_at: iso(), test: false, clock_suspect: false, presses: 1, pressed_again_at: null, doors: ["mqtt"], zone: null,
  heard_at: null, cancelled_at: null, duress_at: null, restored_at: null, drill: null, ...more,
});

const press = ({ kind = "panic", test = false, site = "school-17", device = `${site}/gate-button`, fields = {}, ageMs = 0 } = {}) => {
  const drill = places.runningDrill(site);
  const alert = newAlert({
    kind: "alarm", level: kind === "medical" ? "warning" : "critical", site, device, position: SITES.find((s) => s.id === site)?.position ?? null, alarm: alarmPart(kind, { test, drill: drill?.id ?? null, ...fields }),
  }, ageMs);
  if (drill && test) places.step(drill, alert, { pressed_at: iso(), stored_at: iso() });
  return alert;
};

const trouble = (kind = "lost", scope = "device", count = 1) => newAlert({
  kind: "trouble", level: ["lost", "tamper", "flood"].includes(kind) ? "watch" : "notice", site: scope === "provider" ? null : "school-4-shu", device: scope === "device" ? "school-4-shu/office" : null,
  trouble: { kind, scope, scope_id: scope === "provider" ? "Kaztel" : "school-4-shu/office", devices: Array.from({ length: Math.min(count, 40) }, (_, i) => (count === 1 ? "school-4-shu/office" : `inst-${i}/button`)), count, since: iso(Date.now() - 400e3), detail: kind === "battery" ? "9 %" : kind === "lost" ? "400 s" : null },
}, 400e3);

const hazard = () => newAlert({
  kind: "hazard", level: "warning", site: null, device: null, position: [42.912, 71.41],
  hazard: { source: "road-camera", kind: "dangerous_driving", text: "Ақ седан, батысқа қарай, жылдамдығы 140 км/сағ, қарсы жолақта", reported_at: iso(Date.now() - 3000) },
}, 3000);

const crowd = (level = "notice", ageMs = 0) =>
  newAlert({
    kind: "crowd", level, site: "dostyq", device: "dostyq/stage", position: null,
    crowd: {
      people: 14, low: 12.5, high: 16, peak: 17, limit: 12, baseline: 6.2, baseline_bound: 10.4, formula: "crowd-v2",
      reasons: [
        ...(["warning", "critical"].includes(level) ? [{ code: "density", observed: 4.1, bound: 3.6, for_s: 30 }] : []),
        { code: "above_limit", observed: 12.5, bound: 12, for_s: 95 }, { code: "above_baseline", observed: 12.5, bound: 10.4, for_s: 95 }, { code: "growth", observed: 1.8, bound: 1, for_s: 95 }, { code: "persistent", observed: 260, bound: 180, for_s: 260 },
      ],
    },
  }, ageMs);

function allowed(alert, session) {
  if (!session.rights.includes("alerts.act") || alert.state === "closed") return [];
  const real = alert.alarm?.test ? ["real"] : [];
  const mine = alert.claimed_by === session.user;
  const lead = session.role === "shift_lead";
  if (alert.state === "raised") return ["claim", "note", "shown", ...real, ...(alert.kind === "crowd" && lead ? ["close"] : [])];
  if (!mine && !lead) return ["note"];
  const more = { claimed: ["crowd", "trouble"].includes(alert.kind) ? ["release"] : ["dispatch", "release"], dispatched: ["accept", "decline"], accepted: ["en_route"], en_route: ["on_scene"], on_scene: alert.progress.done_at ? [] : ["done"] };
  return [...more[alert.state], "close", "note", ...real, ...(alert.kind === "crowd" && !alert.progress.shared ? ["share"] : [])];
}

const sees = (alert, session) => session.rights.includes("alerts.read") && (session.role !== "police_desk" || alert.kind !== "trouble") && (!session.site || alert.site === session.site) && (session.role !== "patrol" || alert.unit === session.unit);

// --- the patrol's phone ---------------------------------------------------------------------------------------------------

const theirs = (session) => [...alerts.values()].filter((a) => a.unit === session.unit && a.state !== "closed");
const PATROL_STEPS = { accept: ["dispatched", "accepted"], en_route: ["accepted", "en_route"], on_scene: ["en_route", "on_scene"], done: ["on_scene", "on_scene"] };
let positions = [];

function ordered(kind = "alarm", drill = false) {
  const alert = kind === "hazard"
    ? newAlert({ kind, level: "warning", site: null, position: [42.9101, 71.3902], hazard: { source: "roadside", kind: "dangerous_driving", text: "Ақ фургон қарсы жолақпен келеді, батысқа қарай", reported_at: iso() } })
    : press({ kind: "panic", test: drill });
  const progress = { shown_at: iso(), claimed_at: iso(), sent_at: iso(), delivered_at: null, seen_at: null, accepted_at: null, done_at: null };
  Object.assign(alert, { state: "dispatched", claimed_by: "aigerim", unit: "patrol-2", version: 3, progress });
  step(alert, "dispatch", "aigerim", "duty_officer", "claimed", { unit: "patrol-2", reason: "Бүйір есіктен кіріңіз, күзетші күтіп тұр" });
  return alert;
}

function patrolOrder(session) {
  const alert = theirs(session).filter((a) => !a.progress?.done_at).at(-1);
  if (!alert) return ok({ order: null });
  const site = SITES.find((s) => s.id === alert.site);
  return ok({ order: {
    alert: seen(alert, session), place: site?.name ?? { kk: "Тараз қаласы", ru: "Город Тараз", en: "Taraz" }, address: site ? "Төле би даңғылы, 41" : null, plan: site !== undefined,
    notes: site ? "Кіреберіс аула жағынан. Қақпа коды күзетшіде.\n2-қабатқа шығатын баспалдақ сол жақта." : null, drill: alert.alarm?.test ?? false,
    note: logs.get(alert.id).findLast((l) => l.action === "dispatch")?.reason ?? null,
    contacts: site ? [{ id: "guard", name: "Бауыржан Әлиев", post: "күзетші", phone: "+7 701 555 01 17", expires_at: null }, { id: "head", name: "Гүлнар Оспанова", post: "директор", phone: "+7 701 555 01 18", expires_at: null }] : [],
  } });
}

function patrolAct(alert, session, { action, reason }) {
  const receipt = { delivered: "delivered_at", seen: "seen_at" }[action];
  const from = alert.state;
  if (receipt) {
    if (alert.progress[receipt]) return fail(409, "already", "noted already");
    alert.progress[receipt] = iso();
  } else if (action === "decline") {
    Object.assign(alert, { state: "claimed", unit: null });
  } else {
    const [need, to] = PATROL_STEPS[action] ?? [];
    if (alert.state !== need) return fail(409, "not_allowed_in_state", "not now", { state: alert.state });
    alert.state = to;
    if (action === "accept") alert.progress.accepted_at = iso();
    if (action === "done") alert.progress.done_at = iso();
  }
  alert.version++;
  alert.updated_at = iso();
  step(alert, action, session.user, session.role, from, { reason: reason ?? null, unit: session.unit });
  pending.push({ alert });
  flush();
  return ok(seen(alert, session));
}

const seen = (alert, session) => ({ ...alert, allowed: allowed(alert, session) });

function act(alert, session, body) {
  const { action } = body;
  if (action === "claim" && alert.claimed_by && alert.claimed_by !== session.user) {
    return fail(409, "already_claimed", "another desk was first", { claimed_by: alert.claimed_by, alert: seen(alert, session) });
  }
  if (alert.kind === "crowd" && action === "dispatch") return fail(422, "not_dispatchable", "open an incident by hand");
  if (!allowed(alert, session).includes(action)) return fail(409, "not_allowed_in_state", "not now", { state: alert.state });
  if (["close", "note", "release", "decline", "share", "real"].includes(action) && !body.reason?.trim()) return fail(422, "reason_required", "say why");
  const from = alert.state;
  const state = { claim: "claimed", release: "raised", dispatch: "dispatched", decline: "claimed", accept: "accepted", en_route: "en_route", on_scene: "on_scene", close: "closed" }[action];
  if (state) alert.state = state;
  if (action === "claim") {
    alert.claimed_by = session.user;
    alert.progress.claimed_at ??= iso();
    places.claimed(Date.now() - Date.parse(alert.raised_at));
  }
  const drill = alert.alarm?.test ? places.drill(alert.alarm.drill) : null;
  if (action === "real") alert.alarm.test = false;
  if (action === "share") alert.progress.shared = true;
  if (action === "accept") alert.progress.accepted_at = iso();
  if (action === "done") alert.progress.done_at = iso();
  if (drill && action === "claim") places.step(drill, alert, { claimed_at: iso() });
  if (drill && action === "accept") places.step(drill, alert, { accepted_at: iso() });
  if (action === "release") alert.claimed_by = null;
  if (action === "dispatch") {
    alert.unit = body.unit;
    Object.assign(alert.progress, { sent_at: iso(), delivered_at: null, seen_at: null, accepted_at: null, done_at: null });
    const unit = UNITS_LIVE.find((u) => u.id === body.unit);
    if (unit) unit.busy_with = alert.id;
    // The unit's phone answers a little later, as phones do.
    for (const [hop, ms] of [["delivered", 700], ["seen", 2500]]) setTimeout(() => touch(alert, () => { alert.progress[`${hop}_at`] = iso(); }), ms).unref();
  }
  if (action === "close") for (const u of UNITS_LIVE) if (u.busy_with === alert.id) u.busy_with = null;
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

/** A change that moves no state: a receipt, a second press. */
function touch(alert, change) {
  change();
  alert.version++;
  alert.updated_at = iso();
  pending.push({ alert });
  flush();
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
  for (const [i, u] of UNITS_LIVE.entries()) {
    if (!u.position) continue;
    if (u.fresh) {
      u.age_s = t / 1000 % 15;
      u.position = [u.position[0] + Math.sin(t / 9000 + i) * 0.00005, u.position[1] + Math.cos(t / 8000 + i) * 0.00007];
    } else u.age_s += 1;
    pending.push({ unit: liveUnit(u) });
  }
  for (const a of alerts.values()) {
    if (a.kind !== "alarm" || a.alarm.test || a.state !== "raised") continue;
    const due = t - Date.parse(a.alarm.received_at) > 60e3 ? "shift_lead" : t - Date.parse(a.alarm.received_at) > 30e3 ? "reminded" : null;
    if (!due || due === a.progress.escalation || a.progress.escalation === "shift_lead") continue;
    a.progress.escalation = due;
    a.version++;
    step(a, due, "system/response", "system", a.state);
    pending.push({ alert: a });
    if (pending.length >= 512) flush();
  }
  if (t % 5000 < 1000) pending.push({ shift: places.shift() });
  flush();
}

const liveUnit = (u) => ({ ...u, age_s: u.age_s === null ? null : Math.round(u.age_s), at: u.age_s === null ? null : iso(Date.now() - u.age_s * 1000) });

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
    const may = (right) => s.session.rights.includes(right);
    const changes = pending.map((c) => (s.session.role === "patrol" && c.alert && !sees(c.alert, s.session) ? { gone: c.alert.id } : c)).filter((c) => (c.alert ? sees(c.alert, s.session) : c.unit ? may("units.read") : c.shift ? may("shift") : true)).map((c) => (c.alert ? { alert: seen(c.alert, s.session) } : c));
    s.response.write(`event: changes\nid: k1-${cursor}\ndata: ${JSON.stringify({ cursor: `k1-${cursor}`, now: iso(), changes })}\n\n`);
  }
  pending = [];
}

const desksNow = () => {
  const byUser = new Map([...streams].filter((s) => s.session.rights.includes("desk.sound")).map((s) => [s.session.user, s]));
  return { attended: [...byUser.values()].map((s) => ({ user: s.session.user, role: s.session.role, sound_ok: sound.get(s.session.user) ?? null, since: s.since })) };
};

function openStream(request, response, session) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", ...SECURITY });
  const stream = { response, session, since: iso() };
  streams.add(stream);
  const open = [...alerts.values()].filter((a) => a.state !== "closed" && sees(a, session)).map((a) => seen(a, session));
  const cameras = CAMERAS.map(({ base: _, ...c }) => c);
  response.write(`event: snapshot\nid: k1-${cursor}\ndata: ${JSON.stringify({ cursor: `k1-${cursor}`, now: iso(), alerts: open, cameras, ...(session.rights.includes("units.read") ? { units: UNITS_LIVE.map(liveUnit) } : {}), ...(session.rights.includes("shift") ? { shift: places.shift() } : {}) })}\n\n`);
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

const sessionBody = (s) => ({ user: s.user, display_name: s.display_name, role: s.role, site: s.site ?? null, unit: s.unit ?? null, area: s.area ?? null, csrf: s.csrf, expires_at: iso(Date.now() + 8 * 3600e3), hub: { name: "Тараз ЖБО", version: "0.1.0", language: "kk" }, rights: s.rights });

async function readBody(request) {
  const parts = [];
  for await (const chunk of request) parts.push(chunk);
  const bytes = Buffer.concat(parts);
  if (!(request.headers["content-type"] ?? "application/json").includes("json") && bytes.length > 0) return request.headers["content-type"].startsWith("text/plain") ? JSON.parse(bytes) : bytes;
  return bytes.length === 0 ? {} : JSON.parse(bytes);
}

async function handle(request, response) {
  const url = new URL(request.url, "http://mock");
  const path = url.pathname;
  const route = `${request.method} ${path}`;
  if (!path.startsWith("/api/") && !path.startsWith("/dev/")) return page(path, response);
  const session = sessions.get(/qorgan_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1]);
  if (route === "GET /api/v1/stream") return session ? openStream(request, response, session) : send(response, fail(401, "unauthenticated", "log in"));
  const body = request.method === "GET" ? {} : await readBody(request);
  const answer = path.startsWith("/dev/") ? devDoor(route, body) : anonymous(route, url, body, response) ?? (session ? forSession(route, url, body, session, response) : fail(401, "unauthenticated", "log in"));
  if (answer) send(response, answer);
}

function devDoor(route, body) {
  const doors = {
    "POST /dev/press": () => { pending.push({ alert: press(body) }); flush(); },
    "POST /dev/again": () => { const a = alerts.get(body.id); touch(a, () => { a.alarm.presses++; a.alarm.pressed_again_at = iso(); }); step(a, "press_again", "system/alarm", "system", a.state); },
    "POST /dev/escalate": () => { const a = alerts.get(body.id); touch(a, () => { if (body.step === "unattended") a.progress.unattended_at = iso(); else a.progress.escalation = body.step; }); step(a, body.step, "system/response", "system", a.state); },
    "POST /dev/progress": () => { const a = alerts.get(body.id); touch(a, () => Object.assign(a.progress, body.progress)); },
    "POST /dev/alarm": () => { const a = alerts.get(body.id); touch(a, () => Object.assign(a.alarm, body.alarm)); },
    "POST /dev/trouble": () => { pending.push({ alert: trouble(body.kind, body.scope, body.count) }); flush(); },
    "POST /dev/hazard": () => { pending.push({ alert: hazard() }); flush(); },
    "POST /dev/shift": () => { places.set(body); pending.push({ shift: places.shift() }); flush(); },
    "POST /dev/flood": () => {
      const { count = 40, sites = 6 } = body;
      for (let i = 0; i < count; i++) {
        const site = i % sites < SITES.length ? SITES[i % sites].id : `inst-${i % sites}`;
        pending.push({ alert: press({ kind: ["panic", "fire"][i % 7 === 6 ? 1 : 0], site, device: `${site}/button-${i}`, ageMs: 5000 }) });
        if (pending.length >= 512) flush();
      }
      flush();
    },
    "POST /dev/order": () => { pending.push({ alert: ordered(body.kind, body.drill) }); flush(); },
    "POST /dev/crowd": () => { pending.push({ alert: crowd(body.level) }); flush(); },
    "POST /dev/expire": () => { sessions.clear(); for (const s of streams) s.response.end("event: end\ndata: {}\n\n"); },
    "POST /dev/drop": () => { for (const s of streams) s.response.destroy(); },
    "POST /dev/reset": () => reset(),
  };
  if (!doors[route]) return fail(404, "not_found", "no such door");
  doors[route]();
  return ok(null, 204);
}

function anonymous(route, url, body, response) {
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
  if (new URL(route.split(" ")[1], "http://mock").pathname.startsWith("/api/v1/public/requests")) return situation.publicRoute(route, url, body);
  return null;
}

function forSession(route, url, body, session, response) {
  const need = (right, run) => (session.rights.includes(right) ? run() : fail(403, "forbidden", `needs ${right}`));
  const alert = /^\/api\/v1\/alerts\/(\d+)(\/actions)?$/.exec(url.pathname);
  if (alert) {
    const found = alerts.get(Number(alert[1]));
    if (!found || !sees(found, session)) return fail(404, "not_found", "no such alert");
    if (alert[2] && session.role === "patrol") return patrolAct(found, session, body);
    return alert[2] ? need("alerts.act", () => act(found, session, body)) : need("alerts.read", () => ok({ alert: seen(found, session), transitions: logs.get(found.id) }));
  }
  const near = /^\/api\/v1\/alerts\/(\d+)\/units$/.exec(url.pathname);
  if (near) return need("units.read", () => ok(unitsFor(alerts.get(Number(near[1])))));
  if (route === "POST /api/v1/alerts/shown") {
    for (const id of body.ids) {
      const a = alerts.get(id);
      if (!a || a.progress.shown_at) continue;
      a.progress.shown_at = iso();
      a.version++;
      const drill = a.alarm?.test ? places.drill(a.alarm.drill) : null;
      if (drill) places.step(drill, a, { shown_at: a.progress.shown_at });
      pending.push({ alert: a });
    }
    flush();
    return ok(null, 204);
  }
  const camera = /^\/api\/v1\/cameras\/([\w-]+\/[\w-]+)\/(counts|still)$/.exec(url.pathname);
  if (camera) {
    const found = CAMERAS.find((c) => c.id === camera[1]);
    if (!found) return fail(404, "not_found", "no such camera");
    if (camera[2] === "counts") return ok({ points: history(found) });
    return need("still.open", () => still(found, body, session, response));
  }
  if (route === "GET /api/v1/sites/school-17/plan") return plan(response);
  const place = places.route(route, url, body, session, response);
  if (place !== undefined) return place;
  const region = situation.route(route, url, body, session);
  if (region !== undefined) return region;
  const planned = planning.route(route, url, body, session);
  if (planned !== undefined) return planned;
  const routes = {
    "GET /api/v1/session": () => ok(sessionBody(session)),
    "DELETE /api/v1/session": () => {
      for (const [id, s] of sessions) if (s === session) sessions.delete(id);
      for (const s of streams) if (s.session === session) s.response.end("event: end\ndata: {}\n\n");
      return ok(null, 204);
    },
    "GET /api/v1/alerts": () => need("alerts.read", () => ok({ alerts: [...alerts.values()].filter((a) => (a.state === "closed") === (url.searchParams.get("state") === "closed")).reverse().filter((a) => sees(a, session)).slice(0, Number(url.searchParams.get("limit") ?? 100)).map((a) => seen(a, session)) })),
    "POST /api/v1/incidents": () => need("incidents.open", () => {
      if (!body.site && !body.position) return fail(422, "invalid", "give a site or a position");
      const opened = newAlert({ kind: "incident", level: "warning", site: body.site, position: body.position ?? SITES.find((s) => s.id === body.site)?.position ?? null, incident: { text: body.text, opened_by: session.user } });
      record(session, "incident.open", `alert/${opened.id}`, body.text);
      pending.push({ alert: opened });
      flush();
      return ok(seen(opened, session), 201);
    }),
    "GET /api/v1/sites": () => ok({ sites: session.site ? SITES.filter((s) => s.id === session.site) : SITES }),
    "GET /api/v1/units/live": () => need("units.read", () => ok({ units: UNITS_LIVE.map(liveUnit) })),
    "GET /api/v1/order": () => need("orders.answer", () => patrolOrder(session)),
    "POST /api/v1/unit/position": () => need("orders.answer", () => { positions = [...positions, body].slice(-100); return ok(null, 204); }),
    "GET /api/v1/compliance": () => need("cameras.read", () => ok({ cameras: CAMERAS.map((c) => compliance(c, Date.now())).sort((a, b) => b.failed - a.failed) })),
    "GET /api/v1/camera-admin": () => need("cameras.manage", () => ok({
      pictures: true,
      cameras: CAMERAS.map((c, i) => ({ id: c.id, site: c.site, origin: i % 2 ? "file" : "run_time", keys: cameraKeys(c), has_password: c.codec !== null, camera: c, foreign: c.source === "foreign" ? { heard_at: iso(), taken: 812, refused: 2, refused_at: iso(), refusal: "the payload is not a number" } : null })),
    })),
    "POST /api/v1/camera-admin/try": () => need("cameras.manage", () => ok(body.keys.url.includes("wrong")
      ? { works: false, codec: null, size_px: null, fps: null, key_frame_interval_s: null, first_picture_s: null, fault: "unauthorized", detail: "RTSP DESCRIBE: 401 Unauthorized", picture: null }
      : { works: true, codec: "h264", size_px: [1920, 1080], fps: 25, key_frame_interval_s: 2, first_picture_s: 0.8, fault: null, detail: null, picture: null })),
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

function unitsFor(alert) {
  const at = alert.position ?? SITES.find((s) => s.id === alert.site)?.position ?? null;
  const metres = (p) => (at && p ? Math.round(Math.hypot((p[0] - at[0]) * 111_200, (p[1] - at[1]) * 81_500)) : null);
  const about = ({ id, name, kind, age_s }) => ({ id, name, kind, age_s: age_s === null ? null : Math.round(age_s), responsible: id === "patrol-2" });
  const free = UNITS_LIVE.filter((u) => u.fresh && u.busy_with === null);
  return {
    straight_line: true,
    offered: free.map((u) => ({ ...about(u), distance_m: metres(u.position) })).sort((a, b) => a.distance_m - b.distance_m),
    not_offered: UNITS_LIVE.filter((u) => !free.includes(u)).map((u) => ({ ...about(u), why: u.busy_with !== null ? "busy" : u.position ? "old_position" : "no_position" })),
  };
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

function plan(response) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 520" width="900" height="520" fill="none" stroke="#22313a" stroke-width="5"><rect width="900" height="520" fill="#fff" stroke="none"/><path d="M40 40h820v440H40zM40 200h300V40M340 200v80M340 360v120M340 300H40M560 40v180h300M560 300v180M560 300h120M740 300h120"/><g fill="#22313a" stroke="none" font-family="sans-serif" font-size="26"><text x="90" y="130">Қабылдау</text><text x="90" y="400">Асхана</text><text x="410" y="265">Дәліз</text><text x="640" y="140">1-сынып</text><text x="640" y="410">Спортзал</text></g><path d="M420 480h80" stroke="#1f8f8a" stroke-width="12"/></svg>`;
  response.writeHead(200, { "content-type": "image/svg+xml", "cache-control": "no-store", ...SECURITY });
  response.end(svg);
  return null;
}

function page(path, response) {
  const file = path === "/" || path === "/public" ? "index.html" : /^\/109(\/|$)/.test(path) ? "resident.html" : normalize(path).replace(/^(\.\.[/\\])+/, "");
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
  places.reset();
  for (const u of UNITS_LIVE) u.busy_with = null;
  alerts = new Map();
  logs = new Map();
  audit = [];
  sound.clear();
  for (const s of streams) s.response.destroy();
  if (QUIET) return;
  const fire = newAlert({ kind: "alarm", level: "critical", site: "kokbazar", device: "kokbazar/guard", position: [42.8935, 71.3901], alarm: alarmPart("medical", { seq: 4, boot: "77aa", pressed_at: null, received_at: iso(Date.now() - 340e3), clock_suspect: true, doors: ["dc09"], zone: "3", cancelled_at: iso(Date.now() - 200e3) }) }, 340e3);
  Object.assign(fire, { state: "claimed", claimed_by: "daniyar", version: 2 });
  step(fire, "claim", "daniyar", "shift_lead", "raised", { at: iso(Date.now() - 320e3) });
  Object.assign(fire, { state: "dispatched", unit: "ambulance-3", version: 3 });
  step(fire, "dispatch", "daniyar", "shift_lead", "claimed", { at: iso(Date.now() - 280e3), unit: "ambulance-3", reason: "Адам есінен танып қалған" });
  Object.assign(fire.progress, { shown_at: iso(Date.now() - 339e3), claimed_at: iso(Date.now() - 320e3), sent_at: iso(Date.now() - 280e3), delivered_at: iso(Date.now() - 279e3), seen_at: iso(Date.now() - 271e3), external: [{ connector: "emergency-112", status: "received", number: "112-2026-88412", at: iso(Date.now() - 260e3) }] });
  UNITS_LIVE.find((u) => u.id === "ambulance-3").busy_with = fire.id;
  crowd("notice", 95e3);
  trouble("lost", "device", 1);
  trouble("battery", "device", 1);
}

const situation = new Situation({ areas, ok, fail, iso });
const planning = new Planning({ ok, fail, iso, sites: SITES, alerts: () => alerts });
const places = new Sites({ sites: SITES, devices: DEVICES, files: FILES, register: makeRegister(Number(option("--register", "120"))), connectors: CONNECTORS, alerts: () => [...alerts.values()], desks: () => desksNow(), ok, fail, iso, change: (c) => { pending.push(c); flush(); } });

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

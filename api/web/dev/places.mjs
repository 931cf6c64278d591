// The mock's register, devices, drills, site files, connectors and response clock. Development only.

const PLAN = `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600" font-family="sans-serif" font-size="20"><rect width="900" height="600" fill="#fff"/><g fill="none" stroke="#1b2a33" stroke-width="5"><path d="M60 60h780v480H60zM60 300h780M320 60v240M580 60v240M450 300v240"/></g><g fill="#1b2a33"><text x="120" y="180">101</text><text x="400" y="180">102</text><text x="660" y="180">103</text><text x="190" y="430">асхана</text><text x="600" y="430">спортзал</text></g><path d="M430 540h40v20h-40z" fill="#0b7372"/><text x="380" y="588" fill="#0b7372">негізгі кіреберіс</text></svg>`;

const DAY = 86_400e3;

export class Sites {
  constructor(world) {
    Object.assign(this, world);
    this.reset();
  }

  reset() {
    const { iso } = this;
    const drill = (id, site, state, at, steps = {}, more = {}) => ({
      id, site, site_name: this.sites.find((s) => s.id === site).name, scheduled_at: iso(Date.now() + at), until_at: iso(Date.now() + at + 1800e3), state, created_by: "aigerim",
      started_at: at < 0 ? iso(Date.now() + at) : null, ended_at: null, alert: null, steps: { pressed_at: null, stored_at: null, shown_at: null, claimed_at: null, accepted_at: null, ...steps }, note: null, ...more,
    });
    const all = (ms) => Object.fromEntries(["pressed_at", "stored_at", "shown_at", "claimed_at", "accepted_at"].map((k, i) => [k, iso(Date.now() + ms + i * 9000)]));
    this.drills = [
      drill(1, "school-4-shu", "passed", -30 * DAY, all(-30 * DAY)), drill(2, "kokbazar", "failed", -12 * DAY, { pressed_at: iso(Date.now() - 12 * DAY), stored_at: iso(Date.now() - 12 * DAY), shown_at: iso(Date.now() - 12 * DAY) }, { note: "ешкім алмады" }),
      drill(3, "school-17", "planned", 2 * DAY),
    ];
    this.extra = {};
    this.answers = [6, 9, 11, 14, 16, 19, 22, 24, 28, 37, 12, 8];
    this.handovers = [{ id: 1, at: iso(Date.now() - 3 * 3600e3), given_by: "marat", note: "Көк базардағы камера істемейді, шебер ертең келеді.\n№4 мектептің түймесі белгі бермей тұр.", open_alerts: [{ id: 1, kind: "alarm", level: "warning", state: "claimed", site: "kokbazar", claimed_by: "daniyar" }], taken_by: "daniyar", taken_at: iso(Date.now() - 3 * 3600e3 + 60e3) }];
  }

  drill(id) {
    return this.drills.find((d) => d.id === id && d.state === "running") ?? null;
  }

  runningDrill(site) {
    return this.drills.find((d) => d.site === site && d.state === "running") ?? null;
  }

  step(drill, alert, steps) {
    drill.alert = alert.id;
    for (const [name, at] of Object.entries(steps)) drill.steps[name] ??= at;
    this.change({ drills: true });
  }

  claimed(ms) {
    this.answers.push(ms / 1000);
  }

  set(extra) {
    this.extra = { ...this.extra, ...extra };
  }

  shift() {
    const list = [...this.answers].sort((a, b) => a - b);
    const within = (s) => Math.round((list.filter((x) => x <= s).length / list.length) * 1000) / 10;
    const at = (p) => Math.round(list[Math.min(list.length - 1, Math.floor(list.length * p))] * 10) / 10;
    const alarms = this.alerts().filter((a) => a.kind === "alarm" && !a.alarm.test);
    const recent = alarms.filter((a) => Date.now() - Date.parse(a.raised_at) < 600e3).length;
    return {
      began_at: this.iso(Date.now() - 4 * 3600e3), ends_at: this.iso(Date.now() + 8 * 3600e3), alarms: list.length, claimed_30s_percent: within(30), claimed_60s_percent: within(60), p50_s: at(0.5), p80_s: at(0.8), p98_5_s: at(0.985),
      unclaimed: alarms.filter((a) => a.state === "raised").length, goals: { within_30s: 80, within_60s: 98.5 }, flood: recent > 10, alarms_10min: recent, attended: true, last_handover: this.handovers.at(-1) ?? null, ...this.extra,
    };
  }

  route(route, url, body, session, response) {
    const { ok, fail } = this;
    const need = (right, run) => (session.rights.includes(right) ? run() : fail(403, "forbidden", `needs ${right}`));
    const fixed = {
      "GET /api/v1/devices": () => need("register.read", () => this.#devices()),
      "GET /api/v1/register": () => need("register.read", () => this.#list(url.searchParams, session)),
      "POST /api/v1/register/import": () => need("register.write", () => this.#import(body, url.searchParams.get("dry_run") !== "false", session)),
      "GET /api/v1/register/template.csv": () => this.#raw(response, "text/csv", "id,name_kk,name_ru,name_en,kind,area,status,cause,owner,deadline\n"),
      "GET /api/v1/drills": () => need("drills.read", () => ok({ drills: this.drills, overdue: this.sites.filter((s) => s.id !== "school-4-shu").map((s) => ({ site: s.id, site_name: s.name, last_passed_at: null, due_at: this.iso(Date.now() - 9 * DAY) })) })),
      "POST /api/v1/drills": () => need("drills.write", () => this.#plan(body, session)),
      "GET /api/v1/shift": () => need("shift", () => ok(this.shift())),
      "GET /api/v1/shift/handovers": () => need("shift", () => ok({ handovers: this.handovers })),
      "POST /api/v1/shift/handover": () => need("shift", () => {
        const open_alerts = this.alerts().filter((a) => a.state !== "closed").map(({ id, kind, level, state, site, claimed_by }) => ({ id, kind, level, state, site, claimed_by }));
        this.handovers.push({ id: this.handovers.length + 1, at: this.iso(), given_by: session.user, note: body.note, open_alerts, taken_by: null, taken_at: null });
        this.change({ shift: this.shift() });
        return ok(this.handovers.at(-1), 201);
      }),
      "GET /api/v1/connectors": () => need("connectors.read", () => ok({ connectors: this.connectors })),
    };
    if (fixed[route]) return fixed[route]();
    const found = (pattern) => pattern.exec(route);
    let m;
    if ((m = found(/^PUT \/api\/v1\/register\/([\w-]+)$/))) return need("register.write", () => this.#put(m[1], body, session));
    if ((m = found(/^POST \/api\/v1\/drills\/(\d+)\/end$/))) return need("drills.write", () => this.#end(Number(m[1]), body));
    if ((m = found(/^GET \/api\/v1\/drills\/(\d+)\/certificate\.pdf$/))) return this.#raw(response, "application/pdf", "%PDF-1.4\n%mock\n");
    if ((m = found(/^POST \/api\/v1\/shift\/handover\/(\d+)\/take$/))) {
      const handover = this.handovers.find((h) => h.id === Number(m[1]));
      Object.assign(handover, { taken_by: session.user, taken_at: this.iso() });
      this.change({ shift: this.shift() });
      return ok(handover);
    }
    if ((m = found(/^GET \/api\/v1\/sites\/([\w-]+)\/file$/))) return need("sitefile.read", () => ok(this.#file(m[1])));
    if ((m = found(/^PUT \/api\/v1\/sites\/([\w-]+)\/file$/))) return need("sitefile.write", () => ok(Object.assign(this.#file(m[1]), body, { updated_at: this.iso() })));
    if ((m = found(/^(PUT|DELETE) \/api\/v1\/sites\/([\w-]+)\/contacts\/([\w-]+)$/))) {
      const file = this.#file(m[2]);
      file.contacts = [...file.contacts.filter((c) => c.id !== m[3]), ...(m[1] === "PUT" ? [{ id: m[3], ...body }] : [])];
      return ok(file);
    }
    if ((m = found(/^GET \/api\/v1\/sites\/([\w-]+)\/plan$/))) return this.#raw(response, "image/svg+xml", PLAN);
    if ((m = found(/^(PUT|DELETE) \/api\/v1\/sites\/([\w-]+)\/plan$/))) {
      this.#file(m[2]).plan = m[1] === "PUT" ? { media_type: "image/png", updated_at: this.iso() } : null;
      return ok(null, 204);
    }
    return undefined;
  }

  #devices() {
    const devices = this.devices.map(({ age_s, ...d }) => ({ ...d, seen_at: age_s === null ? null : this.iso(Date.now() - (d.state === "ok" ? age_s % (d.interval_s ?? 300) : age_s) * 1000) }));
    return this.ok({ devices, lost: devices.filter((d) => d.state === "lost").length, total: devices.length });
  }

  #list(query, session) {
    const reach = this.register.filter((i) => (!session.area || i.area === session.area) && (!session.site || i.id === session.site));
    const is = (name) => query.get(name) ?? "";
    const institutions = reach.filter((i) => (!is("status") || i.status === is("status")) && (!is("area") || i.area === is("area")));
    const count = (test) => reach.filter(test).length;
    return this.ok({
      institutions,
      totals: { all: reach.length, connected: count((i) => i.status === "connected"), in_work: count((i) => i.status === "in_work"), not_connected: count((i) => i.status === "not_connected"), blind: count((i) => i.blind), overdue: count((i) => i.overdue) },
    });
  }

  #put(id, body, session) {
    const found = this.register.find((i) => i.id === id);
    if (!found) return this.fail(404, "not_found", "no such institution");
    Object.assign(found, body, { updated_at: this.iso(), updated_by: session.user });
    Object.assign(found, { blind: found.status !== "connected", blind_why: found.status === "connected" ? null : found.status, overdue: found.status !== "connected" && found.deadline !== null && found.deadline < this.iso().slice(0, 10) });
    return this.ok(found);
  }

  #import(body, dry, session) {
    const lines = body.toString("utf8").trim().split(/\r?\n/);
    const names = lines[0].split(",");
    const errors = [];
    const rows = lines.slice(1).map((line, i) => {
      const row = Object.fromEntries(line.split(",").map((v, n) => [names[n], v]));
      const wrong = (column, expected) => errors.push({ sheet: null, row: i + 2, column, value: row[column] ?? "", expected });
      if (!["connected", "in_work", "not_connected"].includes(row.status)) wrong("status", "connected, in_work or not_connected");
      if (row.deadline && !/^\d{4}-\d{2}-\d{2}$/.test(row.deadline)) wrong("deadline", "a date, YYYY-MM-DD");
      return row;
    });
    const known = new Set(this.register.map((i) => i.id));
    const added = rows.filter((r) => !known.has(r.id)).length;
    const applied = !dry && errors.length === 0;
    if (applied) for (const r of rows) if (known.has(r.id)) this.#put(r.id, { status: r.status, deadline: r.deadline || null, owner: r.owner || null, cause: r.cause || null }, session);
    return this.ok({ rows: rows.length, added, changed: rows.length - added, unchanged: 0, errors, applied });
  }

  #plan(body, session) {
    const site = this.sites.find((s) => s.id === body.site);
    if (!site) return this.fail(422, "invalid", "there is no such site");
    if (!body.at && this.runningDrill(body.site)) return this.fail(409, "conflict", "a drill is on");
    const at = body.at ? Date.parse(body.at) : Date.now();
    const drill = {
      id: this.drills.length + 1, site: site.id, site_name: site.name, scheduled_at: this.iso(at), until_at: this.iso(at + (body.minutes ?? 30) * 60e3), state: body.at ? "planned" : "running", created_by: session.user,
      started_at: body.at ? null : this.iso(at), ended_at: null, alert: null, steps: { pressed_at: null, stored_at: null, shown_at: null, claimed_at: null, accepted_at: null }, note: null,
    };
    this.drills.unshift(drill);
    this.change({ drills: true });
    return this.ok(drill, 201);
  }

  #end(id, body) {
    const drill = this.drills.find((d) => d.id === id);
    const whole = Object.values(drill.steps).every(Boolean);
    Object.assign(drill, { state: body.cancelled ? "cancelled" : whole ? "passed" : Object.values(drill.steps).every((s) => s === null) ? "missed" : "failed", ended_at: this.iso(), note: body.note ?? null });
    this.change({ drills: true });
    return this.ok(drill);
  }

  #file(site) {
    return (this.files[site] ??= { site, address: null, notes: null, contacts: [], entrances: [], plan: null, updated_at: null });
  }

  #raw(response, type, text) {
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" });
    response.end(text);
    return null;
  }
}

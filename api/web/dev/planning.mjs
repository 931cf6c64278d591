// Planning's part of the mock: explanations, console load, verdicts, rules, trials, assemblies, places, events. Invented, with what is hard to
// draw: long words, a flood, a rule below its floor, overlapping events. Development only.

const names = (kk, ru, en) => ({ kk, ru, en });
const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;
const WORKING_DAYS = { notification: 3, approval: 7 };
const HELPERS = {
  stewards: names("Тәртіп көмекшілері", "Распорядители", "Stewards"), ambulance: names("Жедел жәрдем", "Скорая помощь", "Ambulance"),
  road_closure: names("Көше қозғалысын жабу", "Перекрытие движения", "Closing the street to traffic"), city_service: names("Қала қызметі", "Городская служба", "City service"), mediator: names("Медиатор", "Медиатор", "Mediator"),
};
const HEAD = {
  notice: names("Әдеттегіден көп адам жиналып жатыр", "Людей больше, чем обычно", "More people than usual"), watch: names("Адам көп: бақылап отырыңыз", "Людей много: наблюдайте", "Many people: keep watching"),
  warning: names("Тығыздық қауіпті: орын ашыңыз", "Опасная теснота: освободите место", "Dangerously crowded: make room"), critical: names("Өмірге қауіп бар: шығу жолдарын дереу ашыңыз", "Угроза жизни: немедленно откройте выходы", "Life is in danger: open the exits now"),
};
const ADVICE = {
  notice: names("Картадан қарап қойыңыз", "Посмотрите на карте", "Look at the map"), watch: names("Шығу жолдарының бос екенін тексеріңіз", "Проверьте, свободны ли выходы", "Check that the exits are clear"),
  warning: names("Қосымша шығу жолын ашыңыз, кіруді баяулатыңыз, жедел жәрдемді жақын ұстаңыз", "Откройте ещё один выход, замедлите вход, держите скорую рядом", "Open another exit, slow the entrance, keep an ambulance close"),
  critical: names("Кіруді тоқтатыңыз, барлық шығу жолын ашыңыз, жедел жәрдем шақырыңыз", "Остановите вход, откройте все выходы, вызовите скорую", "Stop the entrance, open every exit, call an ambulance"),
};
const REASON = {
  above_limit: (o, b) => names(`Кемінде ${o} адам; осы орынға белгіленген шек: ${b}`, `Не меньше: ${o}; заданный предел этого места: ${b}`, `At least: ${o}; limit set for this place: ${b}`),
  above_baseline: (o, b) => names(`Кемінде ${o} адам; осы уақытқа әдеттегі шек: ${b}`, `Не меньше: ${o}; обычный предел для этого времени: ${b}`, `At least: ${o}; usual for this time is up to: ${b}`),
  density: (o, b) => names(`Тығыздық, адам/м²: ${o}; қауіпсіз шек: ${b}`, `Плотность, человек на м²: ${o}; безопасный предел: ${b}`, `Density, people per m²: ${o}; safe up to: ${b}`),
  growth: (o) => names(`Өсуі, минутына адам: ${o}`, `Прибывает, человек в минуту: ${o}`, `Growing, people a minute: ${o}`),
  persistent: (o, b, s) => names(`Созылып тұрғаны, минут: ${Math.floor(s / 60)}`, `Длится, минут: ${Math.floor(s / 60)}`, `Has lasted, minutes: ${Math.floor(s / 60)}`),
};

export class Planning {
  constructor({ ok, fail, iso, sites, alerts }) {
    Object.assign(this, { ok, fail, iso, sites, alerts });
    this.reset();
  }

  reset() {
    const at = (days, hour) => { const d = new Date(Date.now() + days * DAY); d.setHours(hour, 0, 0, 0); return d.toISOString(); };
    const day = (days) => at(days, 12).slice(0, 10);
    const square = [42.8998, 71.3789];
    this.next = 100;
    this.shelved = new Map();
    this.changes = [
      { id: 1, rule: "unusual_score", value: 1, at: this.iso(Date.now() - 9 * DAY), who: "daniyar", reason: "Түнде тым көп хабар: байқауда ештеңе жоғалмады" },
      { id: 2, rule: "limit/dostyq/stage", value: 40, at: this.iso(Date.now() - 2 * DAY), who: "daniyar", reason: "Сахна жаңартылды, алаң кеңейді" },
    ];
    const put = (assembly) => [this.next++, { ...assembly, updated_at: this.iso(Date.now() - DAY), updated_by: "daniyar" }];
    this.assemblies = new Map([
      put({ form: "rally", position: square, radius_m: 150, place: "«Достық» алаңы, орталық сахна маңы", from: at(0, new Date().getHours()), until: at(1, 1), people: 300, filed_on: day(-9), answer: { answer: "accepted", on: day(-7) } }),
      put({ form: "march", position: [42.9012, 71.3654], radius_m: 400, place: "Төле би даңғылымен №17 мектептен Жібек жолы саябағына дейін", from: at(6, 11), until: at(6, 14), people: 1200, filed_on: day(-2), answer: null }),
      put({ form: "picket", position: [42.8935, 71.3901], radius_m: 50, place: "Көк базардың бас кіреберісі", from: at(3, 10), until: at(3, 12), people: 12, filed_on: day(-1), answer: null }),
      put({ form: "demonstration", position: square, radius_m: 200, place: "«Достық» алаңы", from: at(9, 16), until: at(9, 18), people: 150, filed_on: day(-6), answer: { answer: "refused", on: day(-3), ground: "Осы уақытта алаңда қалалық мереке өтеді", alternative: "Орталық стадион, сол күні, сол уақыт", appeal: "filed" } }),
      put({ form: "meeting", position: [42.8954, 71.3866], radius_m: 80, place: "Оқушылар үйі", from: at(-3, 15), until: at(-3, 17), people: 60, filed_on: day(-12), answer: { answer: "withdrawn", on: day(-5) } }),
    ]);
    const place = (p) => [this.next++, { ...p, updated_at: this.iso(Date.now() - 20 * DAY), updated_by: "daniyar" }];
    this.places = new Map([
      place({ name: names("«Достық» алаңы", "Площадь «Достык»", "Dostyk Square"), points: [square], radius_m: 120, max_people: 250 }),
      place({ name: names("Төле би даңғылынан Жібек жолы саябағына дейінгі жүру бағыты", "Маршрут от проспекта Толе би до парка Жибек жолы", "Route from Tole Bi Avenue to Zhibek Zholy park"), points: [[42.9012, 71.3654], [42.9003, 71.3712], [42.8968, 71.3758], [42.8951, 71.3861]], radius_m: 40, max_people: 1500 }),
    ]);
    const event = (e) => [this.next++, { ...e, updated_at: this.iso(), updated_by: "daniyar" }];
    this.events = new Map([
      event({ site: "dostyq", name: "Наурыз концерті", from: at(2, 17), until: at(2, 22), people: 400 }),
      event({ site: "dostyq", name: "Жәрмеңке", from: at(2, 10), until: at(2, 19), people: 250 }),
      event({ site: "school-17", name: "Соңғы қоңырау салтанаты", from: at(4, 9), until: at(4, 12), people: 90 }),
      event({ site: "kokbazar", name: "Ауыл шаруашылығы жәрмеңкесі", from: at(5, 8), until: at(7, 18), people: null }),
    ]);
  }

  procedure(form) {
    return form === "march" || form === "demonstration" ? "approval" : "notification";
  }

  assembly(id) {
    const { updated_at, updated_by, ...assembly } = this.assemblies.get(id);
    const procedure = this.procedure(assembly.form);
    const due = new Date(`${assembly.filed_on}T12:00:00Z`);
    for (let left = WORKING_DAYS[procedure]; left > 0;) {
      due.setUTCDate(due.getUTCDate() + 1);
      if (due.getUTCDay() % 6 !== 0) left--;
    }
    const answer_by = due.toISOString().slice(0, 10);
    const a = assembly.answer;
    const standing = a === null ? (new Date().toISOString().slice(0, 10) <= answer_by ? "pending" : "proceeds") : a.answer === "withdrawn" ? "withdrawn" : a.answer === "refused" && a.appeal !== "upheld" ? "refused" : "proceeds";
    return { id, assembly, procedure, answer_by, standing, updated_at, updated_by };
  }

  place(id) {
    const { updated_at, updated_by, ...place } = this.places.get(id);
    return { id, place, updated_at, updated_by };
  }

  allEvents() {
    const all = [...this.events].map(([id, e]) => ({ id, ...e }));
    return all.map((e) => ({ ...e, overlaps: all.filter((o) => o.id !== e.id && o.site === e.site && o.from < e.until && e.from < o.until).map((o) => o.id) }));
  }

  explain(alert) {
    const c = alert.crowd;
    const calm = alert.level === "notice" || alert.level === "watch";
    const text = (head, lang) => `${head[lang]}. ${{ kk: "Адам саны", ru: "Людей", en: "People" }[lang]}: ${Math.round(c.people)}, ${{ kk: "әдетте", ru: "обычно", en: "usually" }[lang]}: ${Math.round(c.baseline)}`;
    const head = HEAD[alert.level];
    const helpers = calm ? ["stewards", "ambulance", "road_closure"] : ["stewards", "ambulance", "road_closure", "city_service", "mediator"];
    return {
      alert: alert.id, headline: names(text(head, "kk"), text(head, "ru"), text(head, "en")), advice: ADVICE[alert.level], reasons: c.reasons.map((r) => REASON[r.code](r.observed, r.bound, r.for_s)), score: 41, formula: "crowd-v2",
      neighbours: [{ camera: "dostyq/east", people: 9, low: 7.5, expected: 4.2, at: this.iso(Date.now() - 4000) }],
      context: {
        attention: alert.level, task: calm ? { assembly: 100, notified: 300, holds: 250 } : null, helpers, kinds: ["place", "assembly", "event", "nearby", "requests", "tension"],
        lines: [
          names("«Достық» алаңы: қауіпсіз сыйымдылығы 250, камера көретіні 14", "Площадь «Достык»: безопасно вмещает 250, камера видит 14", "Dostyk Square: holds 250 safely, the camera sees 14"),
          names("Тіркелімде: митинг, өтеді; хабарланған адам саны: 300", "В реестре: митинг, проводится; заявлено людей: 300", "In the register: rally, proceeds; people notified: 300"),
          names("Іс-шара: Жәрмеңке", "Мероприятие: Жәрмеңке", "Event: Жәрмеңке"), names("Жақын жерде дабыл: 1, қауіп туралы хабар: 0", "Рядом тревог: 1, сообщений об опасности: 0", "Nearby alarms: 1, reported dangers: 0"),
          names("Тұрғындардың ашық өтініштері мен үзілістер: жылу 12, су 3, электр", "Открытые обращения жителей и отключения: тепло 12, вода 3, свет", "Open requests of residents and outages: heating 12, water 3, power"),
          names("Аудандағы әлеуметтік жағдай (10-нан): 4.6 (3.9-5.4)", "Социальная обстановка района (из 10): 4.6 (3.9-5.4)", "Social situation of the district (of 10): 4.6 (3.9-5.4)"),
        ],
      },
      task: calm ? names("Бейбіт жиналысқа көмек: хабарланған сан 300; орын сыйымдылығы: 250", "Содействие мирному собранию: заявлено 300; вмещает место: 250", "Help a peaceful assembly to go well: notified 300; the place holds: 250") : null,
      helpers: helpers.map((helper) => ({ helper, text: HELPERS[helper] })), around: { tension: { value: 4.6, low: 3.9, high: 5.4, period: "2026-Q3" } },
    };
  }

  console() {
    const began = new Date();
    began.setMinutes(0, 0, 0);
    began.setHours(began.getHours() - 6);
    const n = Math.ceil((Date.now() - began.getTime()) / (10 * MIN));
    const spans = Array.from({ length: n }, (_, i) => (i === 14 ? 16 : i === 15 ? 12 : (i * 7 + 3) % 5 === 0 ? 3 : (i * 5) % 3));
    const sum = spans.reduce((a, b) => a + b, 0);
    const source = (s, alerts) => ({ source: s, alerts });
    const load = (spans, floods) => ({
      alerts: sum, per_span: sum / spans.length, most_in_span: Math.max(...spans), now: spans.at(-1), flood_percent: floods.length ? 5.6 : 0, floods, stale: 1, spans,
      chattering: floods.length ? [source("dostyq/stage", 19), source("school-4-shu/office", 6)] : [],
      top: [["dostyq/stage", 19], ["kokbazar/main", 9], ["school-4-shu/office", 6], ["by hand", 4], ["school-17/yard", 3], ["dostyq/east", 2], ["school-17/gate-button", 1]].map(([s, k]) => source(s, k)),
    });
    const flood = { from: this.iso(began.getTime() + 143 * MIN), until: this.iso(began.getTime() + 172 * MIN), alerts: 24 };
    const quiet = { ...load(spans.map((x) => Math.min(x, 2)), []), alerts: 31, per_span: 0.43, most_in_span: 4, stale: 0 };
    return {
      shift_began: began.toISOString(), duty: { now: load(spans, [flood]), last_shift: quiet }, police: { now: { ...quiet, top: [], alerts: 3, per_span: 0.08 }, last_shift: quiet },
      shelved: [...this.shelved].map(([camera, s]) => ({ camera, ...s })),
    };
  }

  verdicts() {
    const f = (right, wrong, drills, duplicates, unjudged, demote = false) => ({ right, wrong, missed: wrong % 3, drills, duplicates, unjudged, precision: right + wrong ? right / (right + wrong) : null, proposed_for_demotion: demote && right / (right + wrong) < 0.3 });
    return { days: 90, floor: 0.3, verdicts: { rules: { density: f(6, 1, 0, 0, 2), above_limit: f(31, 12, 3, 5, 44, true), above_baseline: f(9, 38, 1, 4, 120, true), neighbours: f(3, 4, 0, 1, 9, true) }, misses: 2, incidents: 17 } };
  }

  trial({ rule, value, days, cameras }) {
    const told = (k) => ({ alerts: Math.round(84 * k), per_shift: 84 * k / (days * 2), levels: { notice: Math.round(60 * k), watch: Math.round(22 * k), warning: 2 }, right: Math.round(18 * Math.min(1, k + 0.35)), wrong: Math.round(26 * k), unjudged: Math.round(40 * k), precision: 18 * Math.min(1, k + 0.35) / (18 * Math.min(1, k + 0.35) + 26 * k), missed: k < 0.6 ? 2 : 0, delay_min: 0.4 + (1 - k) * 1.9 });
    const k = rule === "unusual_score" ? Math.max(0.1, 1.4 - value * 0.35) : rule === "demoted" ? 1 - 0.3 * value.length : 0.8;
    return { minutes: cameras.length * days * 1310, as_it_is: told(1), as_tried: told(k) };
  }

  route(route, url, body, session) {
    const { ok, fail } = this;
    const need = (right, run) => (session.rights.includes(right) ? run() : fail(403, "forbidden", `needs ${right}`));
    const by = { updated_at: this.iso(), updated_by: session.user };
    const explained = /^GET \/api\/v1\/alerts\/(\d+)\/explanation$/.exec(route);
    if (explained) {
      const alert = this.alerts().get(Number(explained[1]));
      return need("alerts.read", () => (alert?.crowd ? ok(this.explain(alert)) : fail(404, "not_found", "no such crowd alert")));
    }
    const shelve = /^POST \/api\/v1\/cameras\/([\w-]+\/[\w-]+)\/shelve$/.exec(route);
    if (shelve) return need("incidents.open", () => {
      const until = body.minutes > 0 ? this.iso(Date.now() + body.minutes * MIN) : null;
      if (until) this.shelved.set(shelve[1], { until, who: session.user, reason: body.reason });
      else this.shelved.delete(shelve[1]);
      return ok({ until });
    });
    const one = /^(PUT|DELETE) \/api\/v1\/(assemblies|special-places|events)\/(\d+)$/.exec(route);
    if (one) return need("planning.write", () => {
      const [kind, id] = [one[2], Number(one[3])];
      if (kind === "events") return this.events.delete(id) ? ok(null, 204) : fail(404, "not_found", "no such event");
      const map = kind === "assemblies" ? this.assemblies : this.places;
      if (!map.has(id)) return fail(404, "not_found", "no such entry");
      map.set(id, { ...body, ...by });
      return ok(kind === "assemblies" ? this.assembly(id) : this.place(id));
    });
    const add = (map, view) => need("planning.write", () => {
      const id = this.next++;
      map.set(id, { ...body, ...by });
      return ok(view(id), 201);
    });
    const limits = { "dostyq/stage": 40, "school-17/yard": 8 };
    const newest = (rule, none) => this.changes.findLast((c) => c.rule === rule)?.value ?? none;
    const routes = {
      "GET /api/v1/console": () => need("shift", () => ok(this.console())),
      "GET /api/v1/verdicts": () => need("shift", () => ok(this.verdicts())),
      "GET /api/v1/rules": () => need("planning.read", () => ok({ changes: this.changes, in_force: { unusual_score: newest("unusual_score", 1.25), demoted: newest("demoted", []), limits } })),
      "POST /api/v1/rules": () => need("planning.write", () => {
        if (body.rule === "demoted" && session.role !== "shift_lead") return fail(403, "forbidden", "only a shift lead");
        const id = this.changes.length + 1;
        this.changes.push({ id, rule: body.rule, value: body.value, at: this.iso(), who: session.user, reason: body.reason });
        return ok({ id }, 201);
      }),
      "POST /api/v1/rules/trial": () => need("planning.write", () => ok(this.trial(body))),
      "GET /api/v1/assemblies": () => need("planning.read", () => ok({ assemblies: [...this.assemblies.keys()].map((id) => this.assembly(id)) })),
      "POST /api/v1/assemblies": () => add(this.assemblies, (id) => this.assembly(id)),
      "GET /api/v1/special-places": () => need("planning.read", () => ok({ places: [...this.places.keys()].map((id) => this.place(id)) })),
      "POST /api/v1/special-places": () => add(this.places, (id) => this.place(id)),
      "GET /api/v1/events": () => need("planning.read", () => ok({ events: this.allEvents() })),
      "POST /api/v1/events": () => add(this.events, (id) => this.allEvents().find((e) => e.id === id)),
    };
    return routes[route]?.();
  }
}

// The situation's part of the mock: index, intake, requests, plan, journal, notes. Invented, seeded, with what is hard to draw: long
// Kazakh words, districts without enough data, overlapping bands, errors, things overdue. Development only.

const names = (kk, ru, en) => ({ kk, ru, en });
const HOUR = 3600e3;
const DAY = 24 * HOUR;

/** Mulberry32: the same invented world at every start. */
function seeded(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const BLOCKS = [
  ["public-political", names("Қоғамдық-саяси ахуал", "Общественно-политическая ситуация", "Public and political situation"), 1],
  ["protest", names("Наразылық акцияларының ықтималдығы", "Вероятность протестных акций", "Likelihood of protest actions"), 0],
  ["problems", names("Тұрғындарды алаңдататын мәселелер", "Проблемы, волнующие жителей", "Problems that worry residents"), 1],
  ["interethnic", names("Этносаралық және конфессияаралық қатынастар", "Межэтнические и межконфессиональные отношения", "Interethnic and interfaith relations"), 1],
  ["labour", names("Еңбек қатынастары", "Трудовые отношения", "Labour relations"), 1],
  ["socio-economic", names("Әлеуметтік-экономикалық жағдай", "Социально-экономическая ситуация", "Socio-economic situation"), 1],
  ["youth", names("Жастар саласындағы жағдай", "Ситуация в молодёжной среде", "Youth")],
];
const NAMES = [
  names("Тұрғын үй-коммуналдық шаруашылыққа шағымдар", "Жалобы на жилищно-коммунальное хозяйство", "Complaints about housing services"),
  names("Ауызсумен қамтамасыз етілмеген халықтың үлесі", "Доля населения без питьевой воды", "Population without drinking water"),
  names("Жалақы бойынша берешек", "Задолженность по заработной плате", "Wage arrears"),
  names("Тіркелген жұмыссыздық деңгейі", "Уровень зарегистрированной безработицы", "Registered unemployment"),
  names("Әкімдіктің жұмысына қанағаттану", "Удовлетворённость работой акимата", "Satisfaction with the akimat"),
  names("Атаулы әлеуметтік көмек алушылар", "Получатели адресной социальной помощи", "Recipients of targeted aid"),
  names("Жұмыспен де, оқумен де қамтылмаған жастар (NEET)", "Молодёжь вне работы и учёбы (NEET)", "Youth not in work or education (NEET)"),
];
const UNITS = [names("1000 тұрғынға", "на 1000 жителей", "per 1,000 residents"), names("%", "%", "%"), names("млн теңге", "млн тенге", "million tenge")];
const PERIODS = Array.from({ length: 20 }, (_, i) => `${2021 + Math.floor((i + 3) / 4)}-Q${((i + 3) % 4) + 1}`);
const ZERO = names("Наразылық ықтималдығы блогының салмағы 0: жалпы индекске кірмейді.", "Блок вероятности протеста имеет вес 0: в общий индекс не входит.", "The block on the likelihood of protest has weight 0: it is not part of the overall index.");
const NO_DATA = "315600000";
const WEIGHT = 1 / 6;

export class Situation {
  constructor({ areas, ok, fail, iso }) {
    Object.assign(this, { ok, fail, iso });
    this.areas = areas.features.map((f) => f.properties);
    this.rnd = seeded(47);
    this.makeIndex();
    this.makeRequests();
    this.makePlan();
    this.makeJournal();
    this.makeIntake();
  }

  name(kato) {
    return this.areas.find((a) => a.kato === kato)?.name ?? names(kato, kato, kato);
  }

  // --- index ---
  makeIndex() {
    this.blocks = BLOCKS.map(([id, name, weight = 1]) => ({ id, name, weight, zero_by_rule: id === "protest", effective_weight: weight, indicators: id === "problems" ? 5 : 7 }));
    this.indicators = this.blocks.flatMap((b, k) => Array.from({ length: b.indicators }, (_, i) => ({
      id: `${b.id}-${i + 1}`, block: b.id, name: i === 0 ? NAMES[k] : names(`${NAMES[(k + i) % 7].kk}, ${i + 1}-бөлім`, `${NAMES[(k + i) % 7].ru}, раздел ${i + 1}`, `${NAMES[(k + i) % 7].en}, part ${i + 1}`),
      unit: UNITS[(k + i) % 3], direction: (k + i) % 5 === 4 ? "more_is_better" : "more_is_worse", source: names("Облыстық статистика департаменті", "Департамент статистики области", "Regional department of statistics"),
      period: i % 3 === 0 ? "month" : "quarter", min: 0, max: 100, calm: 0, strained: 60, legal_basis: names("«Мемлекеттік статистика туралы» Заң, 16-бап", "Закон «О государственной статистике», ст. 16", "Law on State Statistics, art. 16"),
      weight: 1, proposal: i > 3, kind: "share", per: null, relative_error: null, counts: i === 2 ? "appeals" : null, official: i === 1, decimals: 1,
    })));
    this.base = new Map(this.areas.map((a, i) => [a.kato, new Map(this.blocks.map((b) => [b.id, 2.2 + this.rnd() * 4.4 + (i === 0 ? 1 : 0)]))]));
  }

  raw(kato, block, p) {
    const n = PERIODS.indexOf(p);
    const v = this.base.get(kato).get(block) + Math.sin(n / 3 + kato.charCodeAt(3) + block.length) * 0.8 + (n - 12) * 0.035;
    return Math.max(0.2, Math.min(9.7, v));
  }

  score(value, shown, width = 0.55) {
    if (!shown) return { shown: false, why: "coverage_below_floor", value: null, band: null, class: null, coverage: 0.41, rank: null, rank_from: null, rank_to: null, trend: { change: null, slope_per_year: null, direction: "unknown", periods: 3 } };
    const r = (x) => Math.round(x * 100) / 100;
    return { shown: true, why: null, value: r(value), band: { p5: r(value - width), p50: r(value), p95: r(value + width) }, class: Math.min(5, Math.floor(value / 2) + 1), coverage: 0.91, rank: null, rank_from: 1, rank_to: 1, trend: { change: 0.2, slope_per_year: 0.4, direction: value > 5 ? "rising" : value < 3.6 ? "falling" : "steady", periods: 8 } };
  }

  /** Ranges of ranks by overlapping bands. */
  rank(scores) {
    const shown = scores.filter((s) => s.shown);
    for (const s of shown) {
      s.rank_from = 1 + shown.filter((o) => o.band.p5 > s.band.p95).length;
      s.rank_to = shown.length - shown.filter((o) => o.band.p95 < s.band.p5).length;
      s.rank = s.rank_from === s.rank_to ? s.rank_from : null;
    }
    return scores;
  }

  value(kato, what, p) {
    if (what.kind === "overall") return this.blocks.filter((b) => b.effective_weight > 0).reduce((sum, b) => sum + this.raw(kato, b.id, p) * WEIGHT, 0);
    if (what.kind === "block") return this.raw(kato, what.id, p);
    const i = this.indicators.findIndex((x) => x.id === what.id);
    return Math.max(0.1, Math.min(9.9, this.raw(kato, this.indicators[i].block, p) + Math.sin(i * 1.7 + Number(kato[3])) * 1.6));
  }

  what(url) {
    const block = url.searchParams.get("block");
    const indicator = url.searchParams.get("indicator");
    if (indicator) {
      const i = this.indicators.find((x) => x.id === indicator);
      return { kind: "indicator", id: i.id, name: i.name, unit: i.unit, direction: i.direction };
    }
    if (block) return { kind: "block", id: block, name: this.blocks.find((b) => b.id === block).name, unit: null, direction: null };
    return { kind: "overall", id: null, name: names("Жалпы индекс", "Общий индекс", "Overall index"), unit: null, direction: null };
  }

  origin() {
    return { method: 3, computed_at: this.iso(), stale: false, demo: true, notes: [ZERO] };
  }

  map(url) {
    const what = this.what(url);
    const period = url.searchParams.get("period") ?? PERIODS.at(-1);
    const width = what.kind === "overall" ? 0.45 : 0.8;
    const scores = this.rank(this.areas.map((a) => ({ kato: a.kato, ...this.score(this.value(a.kato, what, period), a.kato !== NO_DATA, width) })));
    return this.ok({ ...this.origin(), period, periods: PERIODS, what, areas: scores.map((s) => ({
      area: s.kato, name: this.name(s.kato), shown: s.shown, why: s.why, score: s.value, class: s.class, band: s.band, value: what.kind === "indicator" && s.shown ? Math.round(s.value * 61) / 10 : null,
      value_period: what.kind === "indicator" ? period : null, carried: s.kato.endsWith("2000000"), coverage: what.kind === "indicator" ? null : s.coverage, rank: s.rank, rank_from: s.rank_from, rank_to: s.rank_to,
    })) });
  }

  series(url) {
    const what = this.what(url);
    const area = url.searchParams.get("area");
    return this.ok({ ...this.origin(), area, name: this.name(area), what, trend: null, points: PERIODS.map((p, i) => {
      const s = this.score(this.value(area, what, p), area !== NO_DATA && i !== 4, 0.5);
      return { period: p, shown: s.shown, why: s.why, score: s.value, band: s.band, coverage: s.coverage, value: what.kind === "indicator" && s.shown ? Math.round(s.value * 61) / 10 : null, carried: false };
    }) });
  }

  forecast(url) {
    const what = this.what(url);
    const area = url.searchParams.get("area");
    if (area === NO_DATA) return this.fail(422, "too_short", "too few points", { points: 5, needed: 8 });
    const k = what.kind === "indicator" ? 6.1 : 1;
    const last = this.value(area, what, PERIODS.at(-1));
    const at = (x) => Math.round(x * k * 100) / 100;
    return this.ok({
      area, name: this.name(area), what, method: 3, demo: true, model: "ets", model_name: names("экспоненциалды тегістеу", "экспоненциальное сглаживание", "exponential smoothing"), interval: 0.9, unit: what.unit,
      past: PERIODS.slice(-8).map((p) => ({ period: p, value: at(this.value(area, what, p)) })),
      points: ["2026-Q4", "2027-Q1", "2027-Q2", "2027-Q3"].map((period, i) => ({ period, value: at(last + (i + 1) * 0.07), low: at(last + 0.07 * (i + 1) - 0.5 - i * 0.22), high: at(last + 0.07 * (i + 1) + 0.5 + i * 0.22) })),
      foretold: PERIODS.slice(-6).map((p, i) => ({ period: p, value: at(this.value(area, what, p) + Math.sin(i * 2) * 0.4) })),
      errors: { origins: 8, horizons: [1, 2, 3, 4].map((steps) => ({ steps, mae: at(0.24 + steps * 0.08), mae_last_value: at(0.27 + steps * 0.1), coverage: 0.93 - steps * 0.02, n: 9 - steps })), better_than_last_value: true, text: names("Болжам «соңғы мән» әдісінен сәл дәлірек болды; бір тоқсанға орташа 0,32 балл қателесті.", "Прогноз был немного точнее метода «последнее значение»; на квартал вперёд ошибался в среднем на 0,32 балла.", "The forecast was slightly better than the last value; one quarter ahead it was off by 0.32 on average.") },
    });
  }

  area(kato, url) {
    const period = url.searchParams.get("period") ?? PERIODS.at(-1);
    const shown = kato !== NO_DATA;
    const blocks = this.blocks.map((b) => ({ id: b.id, name: b.name, effective_weight: b.effective_weight, zero_by_rule: b.zero_by_rule, score: { ...this.score(this.raw(kato, b.id, period), shown && !(b.id === "youth" && kato.endsWith("4200000")), 0.8), rank_from: 2, rank_to: 6 }, contribution: b.effective_weight ? this.raw(kato, b.id, period) * WEIGHT : 0 }));
    const indicators = this.indicators.map((i, k) => {
      const score = this.value(kato, { kind: "indicator", id: i.id }, period);
      const share = i.block === "protest" ? 0 : WEIGHT / this.blocks.find((b) => b.id === i.block).indicators;
      const missing = !shown || k % 11 === 5;
      const mean = this.areas.reduce((s, a) => s + this.value(a.kato, { kind: "indicator", id: i.id }, period), 0) / this.areas.length;
      return { id: i.id, block: i.block, name: i.name, unit: i.unit, direction: i.direction, value: missing ? null : Math.round(score * 61) / 10, value_period: missing ? null : period, carried: k % 9 === 0, source: "demo", basis: { denominator: 54000 }, score: missing ? null : score, weight_share: share, contribution: missing ? null : score * share, missing, average: mean * share, proposal: i.proposal };
    });
    const overall = { ...this.score(this.value(kato, { kind: "overall" }, period), shown, 0.45), rank_from: 2, rank_to: 5 };
    const a = this.areas.find((x) => x.kato === kato);
    const points = (of) => PERIODS.map((p) => { const s = this.score(this.value(kato, of, p), shown, 0.5); return { period: p, score: s.value, band: s.band, shown: s.shown }; });
    return this.ok({ ...this.origin(), period, periods: PERIODS, area: kato, name: a.name, schematic: true, centre: a.centre, overall, blocks, indicators, series: { overall: points({ kind: "overall" }), ...Object.fromEntries(this.blocks.map((b) => [b.id, points({ kind: "block", id: b.id })])) } });
  }

  index(url) {
    const period = url.searchParams.get("period") ?? PERIODS.at(-1);
    const overall = this.rank(this.areas.map((a) => this.score(this.value(a.kato, { kind: "overall" }, period), a.kato !== NO_DATA, 0.45)));
    return this.ok({ ...this.origin(), period, periods: PERIODS, areas: this.areas.map((a, i) => ({ area: a.kato, name: a.name, overall: overall[i], blocks: Object.fromEntries(this.blocks.map((b) => [b.id, this.score(this.raw(a.kato, b.id, period), a.kato !== NO_DATA)])) })) });
  }

  methods() {
    const method = (version, normalisation, across, reason, at) => ({ version, normalisation, within: "arithmetic", across, step: "quarter", floor: 0.6, reference: { from: "2021-Q4", to: "2026-Q3" }, block_weights: {}, indicator_weights: {}, draws: 1000, seed: 1, perturb: {}, catalogue: "2026-11", weight_act: null, reason, made_at: at, made_by: "analyst", text: names("Әр көрсеткіш 0-ден 10-ға дейінгі шкалаға келтіріледі, блок ішінде орташа алынады, блоктар тең салмақпен қосылады. Деректердің 60 %-нан азы болса, түс берілмейді.", "Каждый показатель приводится к шкале от 0 до 10, внутри блока берётся среднее, блоки складываются с равными весами. Если есть меньше 60 % данных, цвета нет.", "Every indicator is brought to a scale of 0 to 10, averaged within its block, and blocks are added with equal weights. With less than 60 % of the data there is no colour.") });
    return this.ok({ current: 3, methods: [method(3, "min_max", "arithmetic", "Кеңес шешімі: бекітілген салмақтар", "2026-09-01T05:00:00.000Z"), method(2, "z_score", "arithmetic", "Пробный расчёт с z-оценкой", "2026-07-12T05:00:00.000Z"), method(1, "min_max", "geometric", "Алғашқы нұсқа", "2026-03-02T05:00:00.000Z")] });
  }

  // --- requests ---
  makeRequests() {
    const category = (id, group, group_name, service, service_name, name, hint, answer_hours, deadline) => ({ id, group, group_name, service, service_name, name, hint, answer_hours, deadline });
    const UTIL = names("Коммуналдық қызметтер", "Коммунальные услуги", "Utilities");
    const CITY = names("Қала және жолдар", "Город и дороги", "Town and roads");
    const HOUSING = names("Тұрғын үй-коммуналдық шаруашылық басқармасы", "Управление жилищно-коммунального хозяйства", "Housing department");
    const WATER = names("«Тараз Су» мемлекеттік коммуналдық кәсіпорны", "ГКП «Тараз Су»", "Taraz Su water utility");
    const ROADS = names("Жолаушылар көлігі және автомобиль жолдары басқармасы", "Управление пассажирского транспорта и автодорог", "Transport and roads department");
    this.categories = [
      category("heating", "utilities", UTIL, "housing", HOUSING, names("Жылу", "Отопление", "Heating"), names("Үйде немесе кіреберісте суық", "Холодно в квартире или подъезде", "Cold flat or entrance"), 4, { hours: 24 }),
      category("water", "utilities", UTIL, "water", WATER, names("Су", "Вода", "Water"), names("Су жоқ, қысымы төмен, лай", "Нет воды, слабый напор, мутная", "No water, weak, cloudy"), 4, { hours: 24 }),
      category("electricity", "utilities", UTIL, "housing", HOUSING, names("Электр қуаты", "Электричество", "Electricity"), names("Жарық өшті, кернеу тұрақсыз", "Отключение, скачки напряжения", "Outage or unstable voltage"), 4, { hours: 12 }),
      category("roads", "city", CITY, "roads", ROADS, names("Жолдар мен тротуарлар", "Дороги и тротуары", "Roads and pavements"), names("Шұңқыр, ашық құдық, көктайғақ", "Ямы, открытые люки, гололёд", "Potholes, open manholes, ice"), 8, { working_days: 5 }),
      category("lighting", "city", CITY, "roads", ROADS, names("Көше жарығы", "Уличное освещение", "Street lighting"), names("Шам жанбайды", "Не горит фонарь", "A lamp is out"), 8, { working_days: 3 }),
      category("waste", "city", CITY, "housing", HOUSING, names("Қоқыс шығару және аулаларды абаттандыру", "Вывоз мусора и благоустройство дворов", "Waste and courtyards"), names("Қоқыс шығарылмаған", "Мусор не вывезен", "Waste is not collected"), 8, { working_days: 2 }),
      category("other", "other", names("Басқа", "Другое", "Other"), "housing", HOUSING, names("Басқа мәселе", "Другое", "Something else"), names("Тізімде жоқ мәселе", "Чего нет в списке", "What the list lacks"), 8, { working_days: 5 }),
    ];
    const TEXTS = [
      "Кеше кешкі сағат тоғыздан бері үш үйде жылу жоқ, пәтерде 11 градус, кішкентай балалар бар.", "С утра нет воды на верхних этажах, напор пропал после ремонта на улице Толе би.",
      "Яма на проезжей части напротив школы, машины объезжают по тротуару, по которому идут дети.", "Аялдама маңындағы көше шамдары бір аптадан бері жанбайды, кешке қараңғы.",
      "Мусор не вывозили четыре дня, контейнеры переполнены.", "Құдықтың қақпағы жоқ, жанынан балалар мектепке барады.", "Кернеу түсіп кетеді, тоңазытқыш өшіп қалады.",
    ];
    const STATES = ["received", "answered", "in_work", "done", "reopened", "received", "closed", "in_work", "received"];
    this.requests = Array.from({ length: 140 }, (_, i) => {
      const c = this.categories[i % 6];
      const state = STATES[i % STATES.length];
      const received = Date.now() - (0.4 + i * 1.7) * HOUR;
      const answered = ["received", "reopened"].includes(state) ? null : received + 2 * HOUR;
      const promised = answered ? received + (i % 5 === 0 ? 10 : 70) * HOUR : null;
      const answer_by = received + c.answer_hours * HOUR;
      const open = !["done", "closed", "confirmed", "declined", "merged"].includes(state);
      const due = !open ? null : answered ? promised : answer_by;
      return {
        id: i + 1, reference: `48${String(12 + i).padStart(2, "0")}-0937-${String(5561 + i * 7)}-2048`, state, category: c.id, service: c.service, area: this.areas[i % 4 === 0 ? 0 : i % this.areas.length].kato, received_at: this.iso(received), answer_by: this.iso(answer_by),
        answered_at: answered ? this.iso(answered) : null, promised_at: promised ? this.iso(promised) : null, due_at: due ? this.iso(due) : null, overdue: due && due < Date.now() ? (answered ? "work" : "answer") : null, channel: ["page", "desk", "open311"][i % 3],
        language: i % 2 ? "ru" : "kk", text: i === 33 ? null : TEXTS[i % TEXTS.length], place: i % 3 ? "Төле би даңғылы, 64" : null, position: [42.9, 71.37], followers: i % 8 === 2 ? 3 : 0, merged_into: null, reopened: state === "reopened" ? 1 : 0, has_contact: i % 2 === 0, demo: true,
      };
    });
    this.signals = [
      { id: 3, category: "water", area: "311000000", service: "water", day: "2026-11-21", count: 31, expected: 6.2, threshold: 15, formula: "ears-c2-1", raised_at: this.iso(Date.now() - 7 * HOUR), state: "open", words: null, by: null, changed_at: null, demo: true },
      { id: 2, category: "heating", area: "316600000", service: "housing", day: "2026-11-18", count: 44, expected: 11.8, threshold: 22.4, formula: "ears-c2-1", raised_at: this.iso(Date.now() - 80 * HOUR), state: "accepted", words: "Қазандықтың сорғысы ауыстырылуда", by: "operator", changed_at: this.iso(), demo: true },
    ];
    this.status = new Map();
  }

  full(r) {
    const actions = { received: ["answer", "decline", "assign", "merge", "note"], reopened: ["answer", "decline", "assign", "note"], answered: ["start", "done", "postpone", "assign", "merge", "note"], in_work: ["done", "postpone", "assign", "merge", "note"], done: ["confirm", "not_fixed", "note"], confirmed: ["close", "not_fixed"], closed: ["not_fixed"], declined: ["note"], merged: ["split"] }[r.state];
    const c = this.categories.find((x) => x.id === r.category);
    return {
      ...r, version: r.version ?? 1, masked: r.id % 5 === 1 ? ["phone"] : [], done_at: null, closed_at: null, judge_until: null, answer: r.answer ?? (r.answered_at ? "Бригада шықты, себебі құбырдың жарылуы. Ертең сағат 18:00-ге дейін қалпына келтіріледі." : null), attributes: {},
      history: [{ at: r.received_at, who: "resident", role: null, action: "receive", from: null, to: "received", words: null, due_at: r.answer_by }, ...(r.answered_at ? [{ at: r.answered_at, who: "operator", role: "resident_operator", action: "answer", from: "received", to: "answered", words: null, due_at: r.promised_at }] : []), ...(r.history ?? [])],
      duplicates: r.id % 3 === 1 ? [{ id: r.id + 1, reference: `48${r.id + 12}-0937-5561-2048`, state: "answered", distance_m: 80, hours_apart: 5, text: "Осы үйде кешеден бері жылу жоқ", followers: 1 }] : [], followers_of: r.followers ? [{ id: r.id + 9, reference: "4899-1111-2222-3333" }] : [], actions,
      default_due: this.iso(Date.now() + ("hours" in c.deadline ? c.deadline.hours * HOUR : c.deadline.working_days * DAY)),
    };
  }

  listRequests(url) {
    const q = (k) => url.searchParams.get(k) ?? "";
    const words = q("text").toLowerCase().split(/\s+/).filter(Boolean);
    const open = (r) => r.due_at !== null;
    let list = this.requests.filter((r) => (!q("category") || r.category === q("category")) && (!q("area") || r.area === q("area")) && (!q("service") || r.service === q("service")) && (!q("state") || r.state === q("state")) && (!q("open") || open(r)) && (!q("overdue") || r.overdue)
      && (!q("reference") || r.reference.replace(/\D/g, "") === q("reference").replace(/\D/g, "")) && words.every((w) => (r.text ?? "").toLowerCase().includes(w)));
    if (q("open") || q("overdue")) list = [...list].sort((a, b) => a.due_at.localeCompare(b.due_at));
    const from = Number(q("after") || 0);
    const limit = Number(q("limit") || 50);
    return this.ok({ requests: list.slice(from, from + limit), next: list.length > from + limit ? String(from + limit) : null, now: this.iso(), took_ms: 3, open_total: this.requests.filter(open).length, overdue_total: this.requests.filter((r) => r.overdue).length });
  }

  act(id, body) {
    const r = this.requests.find((x) => x.id === id);
    if (!r) return this.fail(404, "not_found", "no such request");
    if ((r.version ?? 1) !== body.version) return this.fail(409, "changed", "somebody was first");
    const to = { answer: "answered", start: "in_work", done: "done", confirm: "confirmed", not_fixed: "reopened", close: "closed", decline: "declined", merge: "merged", split: "received" }[body.action] ?? r.state;
    const from = r.state;
    Object.assign(r, { state: to, version: (r.version ?? 1) + 1 });
    if (body.action === "answer") Object.assign(r, { answered_at: this.iso(), answer: body.words, promised_at: body.promised_at ?? this.full(r).default_due, overdue: null });
    if (body.action === "answer" || body.action === "postpone") r.due_at = body.promised_at ?? r.promised_at;
    if (["done", "declined", "merged", "closed", "confirmed"].includes(to)) Object.assign(r, { due_at: null, overdue: null });
    if (body.service) r.service = body.service;
    r.history = [...(r.history ?? []), { at: this.iso(), who: "operator", role: "resident_operator", action: body.action, from, to, words: body.words ?? body.reason ?? null, due_at: body.promised_at ?? null }];
    return this.ok(this.full(r));
  }

  settings() {
    const S = { received: names("Қабылданды", "Принято", "Received"), answered: names("Жауап берілді", "Дан ответ", "Answered"), in_work: names("Жұмыста", "В работе", "In work"), done: names("Орындалды", "Исполнено", "Done"), confirmed: names("Расталды", "Подтверждено", "Confirmed"), reopened: names("Қайта ашылды", "Возобновлено", "Reopened"), closed: names("Жабылды", "Закрыто", "Closed"), declined: names("Қабылданбады", "Отклонено", "Declined"), merged: names("Біріктірілді", "Объединено", "Merged") };
    return { categories: this.categories, services: [...new Map(this.categories.map((c) => [c.service, { id: c.service, name: c.service_name }])).values()], groups: [...new Map(this.categories.map((c) => [c.group, { id: c.group, name: c.group_name }])).values()], states: Object.entries(S).map(([id, name]) => ({ id, name })), areas: this.areas.map(({ kato, name }) => ({ kato, name })), judge_days: 14, today: this.iso().slice(0, 10), published: { cell_m: 300, round_to: 10 }, languages: ["kk", "ru", "en"] };
  }

  figures(url) {
    const percents = [31.4, 22.8, 17.3, 12.1, 9.2, 7.2, null];
    return this.ok({
      period: url.searchParams.get("period"), area: url.searchParams.get("area"), total: 1240, exact: false, suppressed: 3, note: names("Сандар ондыққа дейін төмен дөңгелектелген; 10-нан аз болса көрсетілмейді.", "Числа округлены вниз до десятков; меньше 10 не показывается.", "Numbers are rounded down to tens; under ten nothing is shown."),
      shares: this.categories.map((c, i) => ({ category: c.id, count: percents[i] === null ? null : Math.floor(percents[i] * 1.24) * 10, percent: percents[i] })),
      services: this.settings().services.map((s, i) => ({ service: s.id, count: [760, 280, null][i] ?? 200, open: [120, 30, null][i] ?? 10, overdue: [20, 0, null][i] ?? 0, answered_in_time_percent: [97.1, 88.4, 71.2][i], done_in_time_percent: [88, 92.5, 64][i], mean_answer_h: [3.2, 1.4, 9.8][i], reopened_percent: [4, 1.2, null][i] })),
      months: Array.from({ length: 12 }, (_, i) => ({ month: `${i < 1 ? 2025 : 2026}-${String(((i + 11) % 12) + 1).padStart(2, "0")}`, count: i === 5 ? null : 700 + Math.round(Math.sin(i / 2) * 30) * 10 })),
    });
  }

  heat(url) {
    const k = url.searchParams.get("category") ? 0.25 : 1;
    return this.ok({ period: url.searchParams.get("period"), category: url.searchParams.get("category"), suppressed: 2, round_to: 10, note: names("Ондыққа дейін дөңгелектелген; үйдің нақты орны ешқашан көрсетілмейді.", "Округлено до десятков; точное место дома не показывается никогда.", "Rounded to tens; the exact place of a home is never shown."), areas: this.areas.map((a, i) => { const count = Math.floor((i === 0 ? 420 : 12 + ((i * 37) % 130)) * k / 10) * 10; return { kato: a.kato, name: a.name, count: count < 10 || i === 8 ? null : count, per_10k: null, shade: 1 }; }) });
  }

  publicRoute(route, url, body) {
    const { ok, fail, iso } = this;
    if (route === "GET /api/v1/public/requests/form") return ok({ form_token: "t", expires_at: iso(Date.now() + HOUR), languages: ["kk", "ru", "en"], categories: this.categories, limits: { text_max: 4000, text_min: 10, place_max: 200 }, contact_days: 90, bounds: [[42, 69], [46, 75]], centre: [43.5, 71.4], demo: true, areas: this.areas.map(({ kato, name, centre }) => ({ kato, name, centre: centre ?? [43, 71] })) });
    if (route === "GET /api/v1/public/requests/nearest") return ok({ area: "311000000", name: this.name("311000000"), inside: true, distance_m: 0 });
    if (route === "POST /api/v1/public/requests") {
      const taken = ["form_token", "idempotency_key", "category", "text", "position", "place", "language", "contact", "attributes"];
      const strange = Object.keys(body).find((k) => !taken.includes(k));
      if (strange) return fail(422, "invalid", "unknown field", { field: strange });
      if (body.text.includes("refuse")) return fail(422, "outside_areas", "outside", { nearest: { area: "311000000", name: this.name("311000000"), distance_m: 90000 } });
      return ok({ reference: "4812-0937-5561-2048", code: "73920184", masked: /\d{7}/.test(body.text) ? ["phone"] : [], area: "311000000", area_name: this.name("311000000"), answer_by: iso(Date.now() + 4 * HOUR), category: body.category, received_at: iso(), contact_expires_at: null, replayed: false }, 201);
    }
    const one = /^\/api\/v1\/public\/requests\/([\d-]+)(\/verdict)?$/.exec(url.pathname);
    if (!one) return null;
    const digits = one[1].replace(/\D/g, "");
    if (digits.length !== 16) return fail(422, "bad_reference", "checksum");
    if (one[2]) {
      if (body.code !== "73920184") return fail(403, "bad_code", "no");
      this.status.set(digits, body.verdict === "confirmed" ? "confirmed" : "reopened");
    }
    const state = this.status.get(digits) ?? "done";
    const c = this.categories[0];
    return ok({ reference: digits.replace(/(\d{4})(?=\d)/g, "$1-"), state, state_name: this.settings().states.find((s) => s.id === state).name, category: c.id, category_name: c.name, service_name: c.service_name, area: "311000000", area_name: this.name("311000000"), received_at: iso(Date.now() - 30 * HOUR), answer_by: iso(Date.now() - 26 * HOUR), answered_at: iso(Date.now() - 27 * HOUR), answer: "Құбыр жарылған, бригада жұмыс істеп жатыр. Жылу ертең түске дейін беріледі.", promised_at: iso(Date.now() + 5 * HOUR), done_at: iso(Date.now() - HOUR), closed_at: null, overdue: null, reopened: 0, followers: 4, merged: false, can_judge: state === "done", judge_until: iso(Date.now() + 14 * DAY), steps: [{ state: "received", at: iso(Date.now() - 30 * HOUR) }, { state: "answered", at: iso(Date.now() - 27 * HOUR) }, { state: "in_work", at: iso(Date.now() - 20 * HOUR) }, { state: "done", at: iso(Date.now() - HOUR) }], demo: true });
  }

  // --- plan, journal, notes ---
  makePlan() {
    const B = [["housing", names("Тұрғын үй-коммуналдық шаруашылық", "Жилищно-коммунальное хозяйство", "Housing and utilities")], ["roads", names("Жолдар және көлік", "Дороги и транспорт", "Roads and transport")], ["work", names("Жұмыспен қамту және еңбек қатынастары", "Занятость и трудовые отношения", "Work and labour relations")], ["health", names("Денсаулық сақтау", "Здравоохранение", "Health")], ["school", names("Білім беру", "Образование", "Schools")], ["land", names("Жер қатынастары және ауыл шаруашылығы", "Земельные отношения и сельское хозяйство", "Land and farming")]];
    const T = [names("Тозған жылу желілерін ауыстыру, 12 шақырым", "Замена изношенных теплосетей, 12 км", "Replace 12 km of worn heat mains"), names("Шеткі шағынаудандарға ауызсу құбырын жеткізу", "Подвести питьевую воду к окраинным микрорайонам", "Bring drinking water to the outskirts"), names("Мектептер маңындағы жаяу жүргіншілер өткелдерін жарықтандыру", "Осветить пешеходные переходы у школ", "Light the crossings at schools"), names("Жалақы берешегі бар кәсіпорындармен медиация өткізу", "Провести медиацию на предприятиях с долгами по зарплате", "Mediation at firms with wage arrears"), names("Фельдшерлік-акушерлік пункттерді жабдықтау", "Оснастить фельдшерско-акушерские пункты", "Equip village health posts"), names("Жайылым жерлерін бөлу тәртібін жариялау", "Опубликовать порядок выделения пастбищ", "Publish how pastures are allotted")];
    const owners = ["Тұрғын үй-коммуналдық шаруашылық басқармасы", "Управление автодорог", "Еңбек инспекциясы басқармасы", "Аудан әкімдігі", "Облыстық денсаулық сақтау басқармасы"];
    let id = 0;
    this.plan = { title: names("2026 жылға арналған бірлескен іс-қимыл жоспары", "Совместный план действий на 2026 год", "Joint plan of action for 2026"), demo: true, owners, today: this.iso().slice(0, 10), blocks: B.map(([bid, name], b) => ({ id: bid, name, measures: Array.from({ length: b < 2 ? 6 : 5 }, (_, i) => {
      id++;
      const state = ["running", "running", "done", "planned", "running", "cancelled"][(b + i) % 6];
      const progress = state === "done" ? 100 : state === "planned" ? 0 : 15 + ((b * 17 + i * 23) % 70);
      const deadline = `2026-${["09", "11", "12", "12", "10", "12"][(b * 2 + i) % 6]}-${10 + ((id * 7) % 18)}`;
      return { id, block: bid, number: `${b + 1}.${i + 1}`, title: T[(b + i) % 6], owner: owners[(b + i) % 5], area: i % 3 === 0 ? null : this.areas[(b * 3 + i) % 11].kato, deadline, progress, state, late: state !== "done" && state !== "cancelled" && deadline < this.iso().slice(0, 10), evidence: state === "done" ? [{ at: this.iso(Date.now() - 9 * DAY), by: "analyst", words: "Жұмыс қабылдау актісімен аяқталды", url: "https://example.org/act.pdf" }] : [], expected: names("Шағымдар саны екі есе азаяды", "Жалоб станет вдвое меньше", "Half as many complaints"), issue: null, version: 1, updated_at: this.iso(Date.now() - 3 * DAY), updated_by: "analyst", demo: true };
    }) })) };
    this.issues = [
      { id: 5, meeting: "Байзақ ауданы Бурыл ауылындағы кездесу", held_on: "2026-11-10", area: "313600000", block: "roads", text: "Мектепке апаратын жолда жаяу жүргіншілер өткелі мен шам жоқ.", state: "open", measure: null, answer: null, created_at: this.iso(), created_by: "analyst", changed_at: null, changed_by: null, demo: true },
      { id: 4, meeting: "Встреча с жителями микрорайона «Карасу»", held_on: "2026-11-03", area: "311000000", block: "housing", text: "Слабый напор воды на верхних этажах с сентября.", state: "taken", measure: 2, answer: null, created_at: this.iso(), created_by: "analyst", changed_at: null, changed_by: null, demo: true },
      { id: 3, meeting: "Мәслихаттағы жиын", held_on: "2026-10-21", area: null, block: null, text: "Базарды көшіру туралы ұсыныс.", state: "declined", measure: null, answer: "Мәселе жергілікті бюджетте қаралмаған; 2027 жылғы жоспарға ұсынылады.", created_at: this.iso(), created_by: "analyst", changed_at: null, changed_by: null, demo: true },
    ];
    this.notes = [
      { id: 2, title: "Шу ауданындағы жылу маусымы", area: "316600000", finding: "Қазан айынан бері жылуға шағымдар үш есе өсті, үштен екісі екі қазандыққа тиесілі.", evidence: "109 өтініштері (Шу ауданы, қазан–қараша), «Жылу» көрсеткіші, ЖКХ басқармасының есебі.", recommendation: "Екі қазандықтың сорғыларын желтоқсанға дейін ауыстыру; тұрғындарға апта сайын хабарлау.", addressee: "Тұрғын үй-коммуналдық шаруашылық басқармасы", deadline: "2026-12-01", state: "sent", late: false, answer: null, answered_at: null, answer_by: null, version: 2, created_at: this.iso(Date.now() - 5 * DAY), created_by: "analyst", sent_at: this.iso(), demo: true },
      { id: 1, title: "Задержка зарплаты на двух предприятиях", area: "311000000", finding: "Долг за два месяца, 340 работников.", evidence: "Показатель «Задолженность по заработной плате», акт инспекции труда.", recommendation: "Посредничество инспекции труда и график выплат.", addressee: "Управление инспекции труда", deadline: "2026-11-10", state: "sent", late: true, answer: null, answered_at: null, answer_by: null, version: 1, created_at: this.iso(Date.now() - 20 * DAY), created_by: "analyst", sent_at: this.iso(), demo: true },
    ];
  }

  measure(id) {
    const m = this.plan.blocks.flatMap((b) => b.measures).find((x) => x.id === id);
    return m ? { ...m, history: [{ at: this.iso(Date.now() - 40 * DAY), by: "analyst", action: "add", changes: [], words: null }, { at: this.iso(Date.now() - 12 * DAY), by: "analyst", action: "change", changes: [{ field: "deadline", from: "2026-10-01", to: m.deadline }], words: "Мердігер жабдықты кеш жеткізді" }] } : null;
  }

  makeJournal() {
    this.kinds = [["fire", "Өрт", "Пожар", "Fire"], ["accident", "Жол-көлік оқиғасы", "ДТП", "Road accident"], ["utility", "Коммуналдық апат", "Коммунальная авария", "Utility failure"], ["weather", "Қолайсыз ауа райы", "Непогода", "Severe weather"], ["other", "Басқа", "Другое", "Other"]].map(([id, ...n]) => ({ id, name: names(...n) }));
    this.entries = Array.from({ length: 9 }, (_, i) => ({ id: 9 - i, at: this.iso(Date.now() - (3 + i * 5) * HOUR), kind: this.kinds[i % 5].id, area: this.areas[(i * 3) % 11].kato, place: i % 2 ? "Сарыкемер ауылы" : null, what: ["Тұрғын үйдің шатырында өрт шықты, алаңы 40 шаршы метр.", "Екі жеңіл көлік соқтығысты, қозғалыс бір жолақпен жүріп тұр.", "Жоғары вольтты желі үзілді, 1200 тұтынушы жарықсыз қалды.", "Боран, көріну 200 метр, республикалық жол жабылды.", "Құдыққа мал түсіп кетті."][i % 5], measures: "Оқиға орнына есептоптар шықты; жағдай бақылауда.", dead: 0, injured: i === 1 ? 2 : 0, evacuated: i === 0 ? 14 : 0, children: i === 1 ? 1 : 0, ongoing: i === 2 || i === 3, written_at: this.iso(), written_by: "aigerim", corrected: i === 4, demo: true }));
  }

  bulletin(day) {
    const entries = this.entries.slice(0, 5);
    const sum = (k) => entries.reduce((s, e) => s + e[k], 0);
    return this.ok({ day: day ?? this.iso().slice(0, 10), from: this.iso(Date.now() - 26 * HOUR), to: this.iso(Date.now() - 2 * HOUR), totals: { entries: entries.length, dead: sum("dead"), injured: sum("injured"), evacuated: sum("evacuated"), children: sum("children"), ongoing: 2 }, by_kind: [...new Set(entries.map((e) => e.kind))].map((kind) => ({ kind, count: entries.filter((e) => e.kind === kind).length })), entries, requests: { received: 120, overdue: 10 }, corrected_later: 1, demo: true });
  }

  // --- intake ---
  makeIntake() {
    this.jobs = new Map();
    this.imports = [[19, "file", "habitat-2026-10.xlsx", 512, null], [18, "http", null, 24, null], [17, "file", "еңбек нарығы, қазан.csv", 99980, "2026-11-20T08:00:00.000Z"], [1, "demo", null, 10340, null]].map(([id, kind, filename, values, undone_at]) => ({ id, at: this.iso(Date.now() - (20 - id) * 7 * HOUR), who: kind === "http" ? "machine/stat-department" : "analyst", kind, source: kind === "demo" ? "demo" : "Статистика департаменті", filename, sha256: null, values, suppressed: id === 17 ? 20 : 0, undone_at, undone_by: undone_at ? "analyst" : null, undo_reason: undone_at ? "айы қате" : null, demo: kind === "demo" }));
    this.intakeSignals = [
      { id: 5, kind: "infrastructure", area: "311000000", area_name: this.name("311000000"), place: "Тараз, Төле би көшесі", position: null, text: "Таңнан бері үш үйде жылу жоқ.", service: "housing", service_name: this.categories[0].service_name, status: "sent", entered_at: this.iso(Date.now() - 9 * HOUR), entered_by: "aigerim", due_at: this.iso(Date.now() - HOUR), overdue: true, steps: [{ at: this.iso(Date.now() - 9 * HOUR), who: "aigerim", status: "new", note: null }, { at: this.iso(Date.now() - 8 * HOUR), who: "aigerim", status: "sent", note: "диспетчерге берілді" }] },
      { id: 4, kind: "social", area: "313600000", area_name: this.name("313600000"), place: "Сарыкемер", position: null, text: "Зейнетақы төлейтін бөлімшеде кезек, күту уақыты үш сағат.", service: "roads", service_name: this.categories[3].service_name, status: "new", entered_at: this.iso(Date.now() - 2 * HOUR), entered_by: "analyst", due_at: this.iso(Date.now() + 20 * HOUR), overdue: false, steps: [{ at: this.iso(), who: "analyst", status: "new", note: null }] },
    ];
    this.surveys = [{ id: 3, title: names("Өмір сапасы туралы сауалнама", "Опрос о качестве жизни", "Quality of life survey"), type: "telephone", sample: 1200, population: 820000, begun: "2026-09-01", ended: "2026-09-20", area: "311000000", confidence: 0.95, design_effect: 1, margin_pct: 2.8, margin_computed: true, questions: [{ id: 1, text: names("Әкімдіктің жұмысына қанағаттанасыз ба?", "Довольны ли вы работой акимата?", "Are you satisfied with the akimat?"), indicator: "public-political-5", answers: [{ text: names("Иә", "Да", "Yes"), share_pct: 54.2, counts: true }, { text: names("Жоқ", "Нет", "No"), share_pct: 31.5, counts: false }, { text: names("Жауап беруге қиналамын", "Затрудняюсь ответить", "Hard to say"), share_pct: 14.3, counts: false }] }], entered_by: "analyst", entered_at: this.iso() }];
  }

  upload(url) {
    const id = `job${this.jobs.size + 1}`;
    const filename = url.searchParams.get("filename");
    this.jobs.set(id, { began: Date.now(), filename, bad: /bad|қате/i.test(filename), failed: /password/i.test(filename), applying: 0 });
    return this.ok({ job: id }, 202);
  }

  job(id) {
    const j = this.jobs.get(id);
    if (!j) return this.fail(404, "not_found", "no such job");
    const t = Date.now() - (j.applying || j.began);
    const total = 4200;
    const base = { job: id, filename: j.filename, sha256: null, rows_total: total, message: null, code: null, preview: null, import: null };
    if (t < 900) return this.ok({ ...base, state: j.applying ? "writing" : t < 400 ? "reading" : "checking", rows_done: Math.round((t / 900) * total) });
    if (j.failed) return this.ok({ ...base, state: "failed", rows_done: 0, code: "password", message: "the file has a password; save it without one" });
    const errors = j.bad ? [["Аудан", "Жамбл", 'district: did you mean "Жамбыл ауданы" (314000000)?', "unknown_area"], ["Мәні", "1e308", "0 to 100", "out_of_range"], ["Ескертпе", "Иванов 870112", "no personal data", "personal_data"]].map(([column, value, expected, code], i) => ({ sheet: "Деректер", row: 14 + i * 9, column, value, expected, code })) : [];
    const preview = { layout: "wide", rows: total, values: total - 20, added: 3900, changed: 240, unchanged: 40, suppressed: 20, errors, errors_total: errors.length, notes: [{ sheet: "Деректер", row: 90, column: "Шағымдар", value: "7", expected: "10 or more", code: "suppressed" }], sample: this.areas.slice(0, 6).map((a, i) => ({ area: a.kato, area_name: a.name, indicator: this.indicators[i].id, indicator_name: this.indicators[i].name, period: "2026-10", value: 12.5 + i, cases: i % 2 ? 120 : null, denominator: i % 2 ? null : 54000, before: i === 2 ? 11 : null, row: i + 2 })) };
    return this.ok({ ...base, state: j.applying ? "applied" : j.bad ? "refused" : "ready", rows_done: total, preview, import: j.applying ? 20 : null });
  }

  // --- routes ---
  route(route, url, body, session) {
    const { ok, fail } = this;
    const need = (right, run) => (session.rights.includes(right) ? run() : fail(403, "forbidden", `needs ${right}`));
    const [method] = route.split(" ");
    const path = url.pathname.replace("/api/v1", "");
    const of = (pattern) => pattern.exec(path);
    let m;
    if (path.startsWith("/tension/")) return need("tension.read", () => {
      if ((m = of(/^\/tension\/areas\/(\d+)$/))) return this.area(m[1], url);
      const run = { catalogue: () => ok({ version: "2026-11", blocks: this.blocks, indicators: this.indicators, notes: [ZERO] }), methods: () => this.methods(), index: () => this.index(url), map: () => this.map(url), series: () => this.series(url), forecast: () => this.forecast(url), weights: () => ok({ acts: [], in_force: null }) }[path.slice(9)];
      return run?.();
    });
    if (path.startsWith("/requests")) return this.requestRoutes(method, path, url, body, need);
    if (path.startsWith("/plan")) return this.planRoutes(method, path, body, need);
    if (path.startsWith("/journal")) return need("journal.read", () => {
      if (path === "/journal/bulletin") return this.bulletin(url.searchParams.get("day"));
      if ((m = of(/^\/journal\/(\d+)$/))) { const e = this.entries.find((x) => x.id === Number(m[1])); return ok({ ...e, versions: [{ n: 1, ...e, reason: null }] }); }
      if (method === "POST") { const e = { id: this.entries.length + 1, ...body, written_at: this.iso(), written_by: session.user, corrected: false, demo: true }; this.entries.unshift(e); return ok(e, 201); }
      const kind = url.searchParams.get("kind");
      const area = url.searchParams.get("area");
      return ok({ entries: this.entries.filter((e) => (!kind || e.kind === kind) && (!area || e.area === area)), next: null, kinds: this.kinds });
    });
    if (path.startsWith("/notes")) return need("notes.read", () => {
      if ((m = of(/^\/notes\/(\d+)\/actions$/))) { const n = this.notes.find((x) => x.id === Number(m[1])); Object.assign(n, { version: n.version + 1 }, body.action === "send" ? { state: "sent" } : { state: "answered", late: false, answer: body.words, answer_by: body.from, answered_at: this.iso() }); return ok(n); }
      if (method === "POST") { const n = { id: this.notes.length + 1, ...body, state: "draft", late: false, answer: null, answered_at: null, answer_by: null, version: 1, created_at: this.iso(), created_by: session.user, sent_at: null, demo: true }; this.notes.unshift(n); return ok(n, 201); }
      return ok({ notes: this.notes });
    });
    if (path.startsWith("/intake")) return this.intakeRoutes(method, path, url, body, session, need);
    return undefined;
  }

  requestRoutes(method, path, url, body, need) {
    const { ok, fail } = this;
    let m;
    if ((m = /^\/requests\/(\d+)$/.exec(path))) return need("requests.read", () => { const r = this.requests.find((x) => x.id === Number(m[1])); return r ? ok(this.full(r)) : fail(404, "not_found", "no such request"); });
    if ((m = /^\/requests\/(\d+)\/actions$/.exec(path))) return need("requests.work", () => this.act(Number(m[1]), body));
    if (/^\/requests\/\d+\/contact$/.test(path)) return need("requests.work", () => ok({ name: "Айжан", phone: "+7 701 555 01 99", email: null, expires_at: this.iso(Date.now() + 80 * DAY) }));
    if ((m = /^\/requests\/signals\/(\d+)\/actions$/.exec(path))) return need("requests.work", () => { const s = this.signals.find((x) => x.id === Number(m[1])); Object.assign(s, { state: body.action === "accept" ? "accepted" : "closed", words: body.words, by: "operator" }); return ok(s); });
    return { "/requests/settings": () => need("requests.figures", () => ok(this.settings())), "/requests/figures": () => need("requests.figures", () => this.figures(url)), "/requests/heat": () => need("requests.figures", () => this.heat(url)), "/requests/signals": () => need("requests.figures", () => ok({ signals: this.signals })), "/requests/duplicates": () => need("requests.read", () => ok({ pairs: [{ a: this.requests[6], b: this.requests[0], distance_m: 80, hours_apart: 5 }, { a: this.requests[13], b: this.requests[7], distance_m: 140, hours_apart: 11 }] })), "/requests": () => (method === "POST" ? need("requests.work", () => ok({ reference: "4812-0937-5561-2048", code: "73920184", masked: [], area: body.area, area_name: this.name("311000000"), answer_by: this.iso() }, 201)) : need("requests.read", () => this.listRequests(url))) }[path]?.();
  }

  planRoutes(method, path, body, need) {
    const { ok, fail } = this;
    let m;
    const all = () => this.plan.blocks.flatMap((b) => b.measures);
    const figures = () => { const own = all().filter((x) => x.state !== "cancelled"); return { measures: all().length, done: own.filter((x) => x.state === "done").length, late: own.filter((x) => x.late).length, progress_percent: Math.round(own.reduce((s, x) => s + x.progress, 0) / own.length) }; };
    if (path === "/plan") return need("plan.read", () => ok({ ...this.plan, figures: figures() }));
    if (path === "/plan/issues") return need(method === "POST" ? "plan.write" : "plan.read", () => {
      if (method === "GET") return ok({ issues: this.issues });
      const i = { id: this.issues.length + 10, ...body, state: "open", measure: null, answer: null, created_at: this.iso(), created_by: "analyst", changed_at: null, changed_by: null, demo: true };
      this.issues.unshift(i);
      return ok(i, 201);
    });
    const add = (b) => { const block = this.plan.blocks.find((x) => x.id === b.block); const x = { id: all().length + 1, number: `${this.plan.blocks.indexOf(block) + 1}.${block.measures.length + 1}`, progress: 0, state: "planned", late: false, evidence: [], version: 1, updated_at: this.iso(), updated_by: "analyst", demo: true, issue: null, ...b }; block.measures.push(x); return x; };
    if ((m = /^\/plan\/issues\/(\d+)\/actions$/.exec(path))) return need("plan.write", () => { const i = this.issues.find((x) => x.id === Number(m[1])); Object.assign(i, body.action === "decline" ? { state: "declined", answer: body.words } : { state: "taken", measure: body.measure ?? add(body.new).id }); return ok(i); });
    if (path === "/plan/measures") return need("plan.write", () => ok(this.measure(add(body).id), 201));
    if ((m = /^\/plan\/measures\/(\d+)(\/progress)?$/.exec(path))) {
      const x = all().find((y) => y.id === Number(m[1]));
      if (!x) return fail(404, "not_found", "no such measure");
      if (method === "GET") return need("plan.read", () => ok(this.measure(x.id)));
      return need("plan.write", () => {
        if (body.version !== x.version) return fail(409, "changed", "somebody was first");
        x.version++;
        if (m[2]) { if (typeof body.words !== "string") return fail(422, "invalid", "words is text"); Object.assign(x, { progress: body.progress, state: body.progress === 100 ? "done" : "running" }); if (body.words || body.url) x.evidence.push({ at: this.iso(), by: "analyst", words: body.words, url: body.url }); } else { const { version: _, reason: __, ...rest } = body; Object.assign(x, rest); }
        return ok(this.measure(x.id));
      });
    }
    return undefined;
  }

  intakeRoutes(method, path, url, body, session, need) {
    const { ok, fail } = this;
    let m;
    if (path === "/intake/imports" && method === "POST") return need("intake.write", () => this.upload(url));
    if ((m = /^\/intake\/jobs\/(\w+)(\/apply)?$/.exec(path))) {
      if (method === "DELETE") { this.jobs.delete(m[1]); return ok(null, 204); }
      if (m[2]) { this.jobs.get(m[1]).applying = Date.now(); return ok({ job: m[1] }, 202); }
      return this.job(m[1]);
    }
    if ((m = /^\/intake\/imports\/(\d+)\/undo$/.exec(path))) return need("intake.write", () => { const i = this.imports.find((x) => x.id === Number(m[1])); if (i.undone_at) return fail(409, "already_undone", "undone"); Object.assign(i, { undone_at: this.iso(), undone_by: session.user, undo_reason: body.reason }); return ok({ import: i.id, restored: 240, removed: 3900, overwritten: 12, overwritten_by: [] }); });
    if ((m = /^\/intake\/signals\/(\d+)\/status$/.exec(path))) return need("signals.write", () => { const s = this.intakeSignals.find((x) => x.id === Number(m[1])); Object.assign(s, { status: body.status, overdue: false, steps: [...s.steps, { at: this.iso(), who: session.user, status: body.status, note: body.note }] }); return ok(s); });
    const topics = [["heat", "Жылу", "Тепло", "Heat"], ["water", "Су", "Вода", "Water"], ["roads", "Жолдар", "Дороги", "Roads"], ["work", "Еңбек", "Труд", "Work"]].map(([id, ...n]) => ({ id, name: names(...n) }));
    const period = url.searchParams.get("from") ?? "2026-10";
    const run = {
      "/intake/imports": () => ok({ imports: this.imports, next: null }),
      "/intake/history": () => ok({ entries: Array.from({ length: 8 }, (_, i) => ({ seq: 900 - i, at: this.iso(Date.now() - i * 30 * DAY), who: "analyst", area: "311000000", area_name: this.name("311000000"), indicator: this.indicators[i % 5].id, indicator_name: this.indicators[i % 5].name, period: "2026-10", value: 12.5 + i, cases: null, denominator: 54000, source: "Статистика департаменті", kind: "file", import: 19 - i, before: i % 2 ? { value: 11, import: 3 } : null, standing: i !== 3, undone_at: i === 3 ? this.iso() : null, undone_by: i === 3 ? "analyst" : null })), next: null }),
      "/intake/surveys": () => ok({ surveys: this.surveys }),
      "/intake/signals": () => { if (method === "POST") { const s = { id: 50, ...body, area_name: this.name(body.area), service_name: names(body.service, body.service, body.service), status: "new", entered_at: this.iso(), entered_by: session.user, due_at: null, overdue: false, steps: [] }; this.intakeSignals.unshift(s); return ok(s, 201); } const st = url.searchParams.get("status"); const k = url.searchParams.get("kind"); return ok({ signals: this.intakeSignals.filter((s) => (!st || s.status === st) && (!k || s.kind === k)), next: null }); },
      "/intake/services": () => ok({ services: this.settings().services }),
      "/intake/check-text": () => ok(/\d{3}[\s-]?\d{2}[\s-]?\d{2}|\+7/.test(body.text) ? { fine: false, reason: "phone", message: names("", "", "") } : { fine: true }),
      "/intake/feeds": () => ok({ feeds: [["ok", "«Ар-Ай» газеті", "kk", null], ["late", "Знамя труда", "ru", null], ["failing", "Taraz 24", "ru", "HTTP 503 (retry in 30 min)"], ["new", "Жамбыл-Тараз телеарнасы", "kk", null]].map(([state, name, language, error], i) => ({ id: `feed-${i}`, name, registration: `KZ12VPY0001${i}`, language, state, last_ok_at: state === "new" ? null : this.iso(Date.now() - (i + 1) * 7 * HOUR), last_try_at: this.iso(), next_try_at: this.iso(Date.now() + HOUR), failures: error ? 4 : 0, error, items_today: 14 - i * 4, items_undated: i, demo: true })) }),
      "/intake/feeds/totals": () => ok({ topics, periods: [period], cells: this.areas.flatMap((a, i) => [...topics.map((x, k) => ({ area: a.kato, area_name: a.name, topic: x.id, period, answer: (i + k) % 4 === 0 ? { count: null, state: "suppressed" } : { count: 12 + ((i * 31 + k * 17) % 80), state: (i + k) % 5 === 0 ? "at_least" : "exact" } })), { area: a.kato, area_name: a.name, topic: null, period, answer: { count: 120 + i * 10, state: "at_least" } }]) }),
      "/intake/lexicon": () => ok({ version: "2026-11", topics: topics.map((x) => ({ ...x, forms: { kk: ["жылу", "жылудың", "жылуға", "қазандық"], ru: ["тепло", "тепла", "отопление", "отопления", "котельная"] } })), places: [] }),
      "/intake/appeals": () => ok({ appeals: Array.from({ length: 6 }, (_, i) => ({ id: i + 1, received: `2026-11-0${i + 1}`, area: this.areas[i].kato, area_name: this.areas[i].name, topic: "heat", leader: "Аудан әкімі", due: `2026-11-1${i + 1}`, answered: i % 3 === 0 ? null : `2026-11-${i % 2 ? "09" : "19"}`, in_time: i % 3 === 0 ? null : i % 2 === 1 })), next: null }),
      "/intake/duties": () => ok({ duties: Array.from({ length: 8 }, (_, i) => ({ id: i + 1, site: i < 4 ? "zhambyl.gov.example" : "taraz.gov.example", area: null, duty: [names("Бюджеттің орындалуын жариялау", "Публиковать исполнение бюджета", "Publish budget execution"), names("Қабылдау кестесін жариялау", "Публиковать график приёма", "Publish reception hours"), names("Сатып алу жоспарын жариялау", "Публиковать план закупок", "Publish the procurement plan"), names("Нөлдік өтініштерге жауап", "Ответы на обращения", "Answers to appeals")][i % 4], basis: "«Ақпаратқа қол жеткізу туралы» Заң, 16-бап", done: i % 3 !== 0, checked_at: "2026-11-02", checked_by: "analyst" })), by_site: [{ site: "zhambyl.gov.example", done: 3, of: 4 }, { site: "taraz.gov.example", done: 2, of: 4 }] }),
    }[path];
    return run ? need(path.includes("signals") || path.includes("services") || path.includes("check-text") ? "signals.read" : "intake.read", run) : undefined;
  }
}

// Made-up but plausible world of the mock: places of Taraz, cameras, units, users. Development only.

const names = (kk, ru, en) => ({ kk, ru, en });

export const SITES = [
  { id: "school-17", name: names("№17 мектеп", "Школа № 17", "School No. 17"), kind: "school", area: "311000000", position: [42.9012, 71.3654], cameras: ["school-17/yard", "school-17/gate"], buttons: ["school-17/gate-button"], device_names: { "school-17/gate-button": names("Қақпадағы түйме", "Кнопка у ворот", "Button at the gate") } },
  { id: "dostyq", name: names("Достық алаңы", "Площадь Достык", "Dostyq square"), kind: "public_place", area: "311000000", position: [42.8998, 71.3789], cameras: ["dostyq/stage", "dostyq/east"], buttons: [] },
  { id: "kokbazar", name: names("Көк базар", "Кок базар", "Green bazaar"), kind: "public_place", area: "311000000", position: [42.8935, 71.3901], cameras: ["kokbazar/main"], buttons: ["kokbazar/guard"], device_names: { "kokbazar/guard": names("Күзет бөлмесінің түймесі", "Кнопка охраны", "Guard's button") } },
  { id: "school-4-shu", name: names("Шу қаласындағы №4 мектеп", "Школа № 4 города Шу", "School No. 4, Shu"), kind: "school", area: "316600000", position: [43.5986, 73.7619], cameras: ["school-4-shu/yard"], buttons: ["school-4-shu/office"], device_names: { "school-4-shu/office": names("Кеңсе түймесі", "Кнопка в канцелярии", "Office button") } },
];

const camera = (id, name, position, base, extra = {}) => ({
  id, site: id.split("/")[0], name, position, public_space: !id.startsWith("school"), status: "live", reason: null, people: base, low: base - 1, high: base + 1.5,
  counted_at: null, age_s: 0, limit: 8, source: "hub", codec: "h264", size_px: [768, 576], series: [], zones: [], flows: [], poor: [], base, ...extra,
});

export const CAMERAS = [
  camera("school-17/yard", names("Мектеп ауласы", "Школьный двор", "School yard"), [42.9014, 71.3650], 5),
  camera("school-17/gate", names("Басты қақпа", "Главные ворота", "Main gate"), [42.9008, 71.3662], 2),
  camera("dostyq/stage", names("Сахна жағы", "У сцены", "By the stage"), [42.9001, 71.3784], 9, {
    limit: 12, poor: ["key_frames"], flows: [{ id: "gate", name: names("Қақпа", "Ворота", "Gate"), forward: 3, backward: 1, over_s: 5 }],
    zones: [{ id: "front", name: names("Сахна алды", "Перед сценой", "Before the stage"), people: 7.4, low: 6, high: 9, people_per_m2: 2.3, level: "slowed", max_people_per_m2: 3.6, capacity: 60 }],
  }),
  camera("dostyq/east", names("Шығыс кіреберіс", "Восточный вход", "East entrance"), [42.8996, 71.3799], 4, { source: "foreign", codec: null, size_px: null }),
  camera("kokbazar/main", names("Негізгі қатар", "Главный ряд", "Main row"), [42.8935, 71.3901], 6, {
    status: "offline", people: null, low: null, high: null, reason: { code: "unauthorized", detail: "RTSP 401 Unauthorized for rtsp://10.0.3.14/main" },
  }),
  camera("school-4-shu/yard", names("Мектеп ауласы", "Школьный двор", "School yard"), [43.5986, 73.7619], 3, {
    status: "stale", reason: { code: "stalled", detail: "no key frame for 74 s" },
  }),
];

export const UNITS = [
  { id: "patrol-1", name: names("1-патруль", "Патруль 1", "Patrol 1"), kind: "patrol" },
  { id: "patrol-2", name: names("2-патруль", "Патруль 2", "Patrol 2"), kind: "patrol" },
  { id: "ambulance-3", name: names("3-жедел жәрдем бригадасы", "Бригада скорой помощи 3", "Ambulance crew 3"), kind: "ambulance" },
  { id: "city-roads", name: names("Қалалық жол қызметі", "Городская дорожная служба", "City road service"), kind: "city_service" },
];

const POLICE = ["alerts.read", "alerts.act", "incidents.open", "areas.read", "desk.sound", "drills.read", "sitefile.read", "shift", "units.read", "planning.read"];
const DESK = [...POLICE, "cameras.read", "still.open", "register.read", "drills.write"];
export const USERS = {
  aigerim: { display_name: "Айгерім Сатпаева", role: "duty_officer", rights: DESK },
  daniyar: { display_name: "Данияр Омаров", role: "shift_lead", rights: [...DESK, "planning.write", "phones.manage", "connectors.read", "tension.read", "intake.read", "signals.read", "signals.write", "requests.figures", "plan.read", "journal.read", "journal.write", "notes.read", "reports.read"] },
  police: { display_name: "Ерлан Жүнісов", role: "police_desk", rights: POLICE },
  school: { display_name: "Сәуле Әбілова", role: "school_contact", site: "school-17", rights: ["alerts.read", "cameras.read", "areas.read", "register.read", "drills.read", "drills.write", "sitefile.read", "sitefile.write", "phones.manage"] },
  district: { display_name: "Нұрлан Қасымов", role: "district_contact", area: "311000000", rights: ["areas.read", "register.read", "register.write", "drills.read", "drills.write"] },
  admin: { display_name: "Әкімші", role: "administrator", rights: ["areas.read", "areas.write", "users.manage", "cameras.read", "cameras.manage", "badges.read", "register.read", "register.write", "drills.read", "sitefile.read", "sitefile.write", "phones.manage", "connectors.read", "planning.read", "planning.write"] },
  analyst: { display_name: "Әсел Тоқтарова", role: "analyst", rights: ["areas.read", "tension.read", "tension.manage", "intake.read", "intake.write", "signals.read", "signals.write", "requests.figures", "plan.read", "plan.write", "journal.read", "notes.read", "notes.write", "reports.read"] },
  operator: { display_name: "Мадина Ержанова", role: "resident_operator", rights: ["areas.read", "requests.read", "requests.work", "requests.figures", "plan.read", "signals.read", "signals.write"] },
  deputy: { display_name: "Болат Сейітов", role: "deputy", rights: ["areas.read", "plan.read", "notes.read", "requests.figures", "reports.read"] },
  patrol: { display_name: "Патруль 2", role: "patrol", unit: "patrol-2", rights: ["alerts.read", "alerts.act", "areas.read", "orders.answer"] },
  auditor: { display_name: "Гүлнар Әбенова", role: "auditor", rights: ["audit.read", "areas.read"] },
};
export const PASSWORD = "demo-only";

const POSITIONS = { "patrol-1": [42.9062, 71.3731], "patrol-2": [42.8921, 71.3955], "ambulance-3": [42.8954, 71.3866], "city-roads": null };
export const UNITS_LIVE = UNITS.map((u, i) => ({ ...u, position: POSITIONS[u.id], age_s: [8, 21, 400, null][i], fresh: i < 2, busy_with: null }));

const CONTACTS = [
  { id: "director", name: "Серікбаева Айнұр Бақытқызы", post: "директор", phone: "+7 701 555 01 17", expires_at: "2027-09-01T00:00:00.000Z" },
  { id: "guard", name: "Омаров Бауыржан", post: "күзетші", phone: "+7 705 555 02 17", expires_at: "2027-09-01T00:00:00.000Z" },
  { id: "deputy", name: "Иванова Татьяна Петровна", post: "орынбасар", phone: "+7 777 555 03 17", expires_at: "2025-09-01T00:00:00.000Z" },
];
export const FILES = {
  "school-17": { site: "school-17", address: "Тараз, Төле би даңғылы 64", notes: "Кіру тек Төле би жағынан. Шығыс қақпа жабық, кілті күзетшіде.\nЖиналатын жер: стадион.", contacts: CONTACTS, entrances: ["school-17/gate"], plan: { media_type: "image/png", updated_at: "2026-09-14T08:00:00.000Z" }, updated_at: "2026-09-14T08:00:00.000Z" },
};

const KINDS = ["school", "kindergarten", "school", "hospital", "school", "public_place", "other"];
const AREAS = [["311000000", names("Тараз қаласы", "город Тараз", "Taraz city")], ["316600000", names("Шу ауданы", "Шуский район", "Shu district")], ["314000000", names("Жамбыл ауданы", "Жамбылский район", "Zhambyl district")]];
const CAUSES = ["интернет жоқ", "шарт жасалмаған", "құрылғы ауыстырылуда", "нет питания в щитовой"];
/** A register of `count` institutions; the sites of the mock are its first rows. */
export function makeRegister(count) {
  return Array.from({ length: count }, (_, i) => {
    const site = SITES[i];
    const kind = site?.kind ?? KINDS[i % KINDS.length];
    const [area, area_name] = AREAS[site ? (site.area === "311000000" ? 0 : 1) : i % 3];
    const status = site ? "connected" : ["connected", "connected", "in_work", "not_connected", "connected"][i % 5];
    const lost = status === "connected" && i % 9 === 8;
    const never = status === "connected" && i % 17 === 16;
    const word = { school: names("мектеп", "Школа", "School"), kindergarten: names("балабақша", "Детский сад", "Kindergarten"), hospital: names("емхана", "Поликлиника", "Hospital"), public_place: names("алаң", "Площадь", "Square"), other: names("мекеме", "Учреждение", "Institution") }[kind];
    const late = status !== "connected" && i % 4 === 3;
    return {
      id: site?.id ?? `inst-${i}`, name: site?.name ?? names(`№${i + 20} ${word.kk}`, `${word.ru} № ${i + 20}`, `${word.en} No. ${i + 20}`), kind, area, area_name,
      position: site?.position ?? [42.7 + ((i * 37) % 100) / 110, 70.6 + ((i * 53) % 100) / 45], address: `Абай көшесі ${i + 1}`, status,
      blind: status !== "connected" || lost || never, blind_why: status !== "connected" ? status : lost ? "lost" : never ? "never_seen" : null,
      cause: status === "connected" ? null : CAUSES[i % 4], owner: status === "connected" ? null : ["Қасымов Н.", "Ли В.", "Әбілова С."][i % 3],
      deadline: status === "connected" ? null : late ? "2026-10-01" : "2027-02-01", overdue: late, provider: status === "connected" ? ["Kaztel", "Sergek-OP"][i % 2] : null,
      devices: status === "connected" ? 1 + (i % 3) : 0, devices_lost: lost ? 1 : 0, last_drill_at: i % 3 === 0 ? "2026-10-12T09:00:00.000Z" : null, updated_at: "2026-11-02T10:00:00.000Z", updated_by: "district",
    };
  });
}

const device = (id, kind, name, state, extra = {}) => ({
  id, site: id.split("/")[0], name, kind, state, interval_s: kind === "panel" ? 90 : 300, battery_percent: null, battery_low: false, tamper: false, mains_ok: true, clock_offset_s: null, fault: null, provider: "Kaztel", age_s: 12, ...extra,
});
export const DEVICES = [
  device("school-17/gate-button", "button", names("Қақпадағы түйме", "Кнопка у ворот", "Button at the gate"), "ok", { battery_percent: 84, age_s: 41 }),
  device("kokbazar/guard", "button", names("Күзет бөлмесінің түймесі", "Кнопка охраны", "Guard's button"), "ok", { battery_percent: 9, battery_low: true, age_s: 120 }),
  device("school-4-shu/office", "button", names("Кеңсе түймесі", "Кнопка в канцелярии", "Office button"), "lost", { age_s: 2600 }),
  device("school-17/panel", "panel", names("Дабыл панелі", "Охранная панель", "Alarm panel"), "ok", { age_s: 33, mains_ok: false, provider: "Sergek-OP" }),
  device("school-4-shu/edge", "edge", names("Жергілікті блок", "Местный блок", "Edge box"), "ok", { age_s: 4, clock_offset_s: -142, provider: null }),
  device("school-17/phone-1", "phone", names("Директордың телефоны", "Телефон директора", "Director's phone"), "unsupervised", { age_s: 90_000, interval_s: null, provider: null }),
  device("dostyq/pole", "button", names("Алаңдағы бағана", "Столб на площади", "Pole on the square"), "never", { age_s: null }),
  ...Array.from({ length: 60 }, (_, i) => device(`inst-${i + 4}/button`, "button", names("Қабылдау бөлмесі", "Приёмная", "Reception"), i % 11 === 7 ? "lost" : "ok", { battery_percent: 40 + (i % 60), age_s: i % 11 === 7 ? 4000 + i : 5 + i * 3, tamper: i === 12 })),
];

export const CONNECTORS = [
  { id: "police-102", kind: "webhook", waiting: 0, delivered: 148, last_error: null, last_delivered_at: "2026-11-21T21:03:12.000Z" },
  { id: "emergency-112", kind: "cap", waiting: 3, delivered: 96, last_error: "connection refused (os error 111) for https://cap.example/in", last_delivered_at: "2026-11-21T19:40:00.000Z" },
];

const criterion = (code, mark, value, limit) => ({ code, mark, value, limit });
/** The compliance meter of a camera, worst first in the list that the mock makes of it. */
export const compliance = (c, at) => {
  const bad = c.status === "offline";
  const stream = c.codec !== null && !bad;
  const criteria = [
    criterion("uptime_24h", bad ? "fail" : "pass", bad ? "71.4 %" : "99.8 %", "≥ 98.0 %"),
    criterion("uptime_30d", "pass", "98.6 %", "≥ 95.0 %"),
    criterion("resolution", stream ? "pass" : "unknown", stream ? c.size_px.join("×") : null, "≥ 640×360"),
    criterion("fps", stream ? "pass" : "unknown", stream ? "10.0 1/s" : null, "≥ 5.0 1/s"),
    criterion("key_frames", stream ? (c.id.endsWith("/stage") ? "fail" : "pass") : "unknown", stream ? (c.id.endsWith("/stage") ? "9.8 s" : "2.0 s") : null, "≤ 4.0 s"),
    criterion("sharpness", stream ? "pass" : "unknown", stream ? "96.0 %" : null, "≥ 50.0 %"),
    criterion("exposure", stream ? "pass" : "unknown", stream ? "0.47" : null, "0.08–0.92"),
    criterion("picture", stream ? "pass" : "unknown", null, ""),
    criterion("clock", "unknown", null, "≤ 5.0 s"),
    criterion("life", bad ? "fail" : "pass", bad ? "412 s" : "1 s", "≤ 60 s"),
  ];
  const failed = criteria.filter((one) => one.mark === "fail").length;
  return { id: c.id, site: c.site, name: c.name, failed, criteria, alive_at: new Date(at - (bad ? 412_000 : 1_000)).toISOString(), codec: c.codec, kbit_per_s: stream ? 812 : null, lost_packets: stream ? 0 : null, sessions: stream ? 1 : null, clock_drift_ppm: null, transport: stream ? "tcp" : null, sub_in_use: false };
};

const SQUARE = names("Сахна алды", "Перед сценой", "Before the stage");
export const cameraKeys = (c) => ({
  id: c.id.split("/")[1], name: c.name, ...(c.codec ? { url: `rtsp://10.0.3.${c.id.length}/main`, user: "hub" } : {}), position: c.position, limit: c.limit,
  ...(c.id === "dostyq/stage" ? {
    calibration: { points: [[0.2, 0.92], [0.82, 0.9], [0.66, 0.5], [0.36, 0.5]], sides_m: [6, 10, 6, 10] },
    zone: [{ id: "front", name: SQUARE, polygon: [[0.12, 0.55], [0.6, 0.5], [0.72, 0.88], [0.1, 0.9]], max_people_per_m2: 3.6, capacity: 60 }],
    line: [{ id: "gate", name: names("Қақпа", "Ворота", "Gate"), points: [[0.75, 0.35], [0.92, 0.62]] }],
    mask: [{ polygon: [[0.02, 0.05], [0.25, 0.05], [0.25, 0.3], [0.02, 0.3]] }],
  } : {}),
});

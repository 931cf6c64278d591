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
  counted_at: null, age_s: 0, limit: 8, source: "hub", codec: "h264", size_px: [768, 576], series: [], base, ...extra,
});

export const CAMERAS = [
  camera("school-17/yard", names("Мектеп ауласы", "Школьный двор", "School yard"), [42.9014, 71.3650], 5),
  camera("school-17/gate", names("Басты қақпа", "Главные ворота", "Main gate"), [42.9008, 71.3662], 2),
  camera("dostyq/stage", names("Сахна жағы", "У сцены", "By the stage"), [42.9001, 71.3784], 9, { limit: 12 }),
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

const DESK = ["alerts.read", "alerts.act", "incidents.open", "cameras.read", "still.open", "areas.read", "desk.sound"];
export const USERS = {
  aigerim: { display_name: "Айгерім Сатпаева", role: "duty_officer", rights: DESK },
  daniyar: { display_name: "Данияр Омаров", role: "shift_lead", rights: DESK },
  police: { display_name: "Ерлан Жүнісов", role: "police_desk", rights: DESK },
  admin: { display_name: "Әкімші", role: "administrator", rights: ["areas.read", "areas.write", "users.manage", "cameras.read"] },
  auditor: { display_name: "Гүлнар Әбенова", role: "auditor", rights: ["audit.read", "areas.read"] },
};
export const PASSWORD = "demo-only";

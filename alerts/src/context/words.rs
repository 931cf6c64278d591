//! What a tired person reads: plain words in three languages, made from numbers. Safety and service only: how many, how dense, which
//! way out, who could help. Numbers stand after a colon, so that no language has to bend a noun.

use qorgan_domain::{
    Trilingual,
    alert::{CrowdEvidence, Level, Reason, ReasonCode},
    assembly::{Assembly, Form, Standing},
};

use super::{ContextShare, Disruption, Facilitation, Helper, OpenNearby, RequestsNear, SensorNear};

fn three(kk: String, ru: String, en: String) -> Trilingual {
    Trilingual { kk, ru, en }
}

fn fixed(kk: &str, ru: &str, en: &str) -> Trilingual {
    three(kk.to_owned(), ru.to_owned(), en.to_owned())
}

/// One line that says what is happening.
pub fn headline(level: Level, evidence: &CrowdEvidence) -> Trilingual {
    let people = evidence.people.round();
    let usual = evidence.baseline.map(f32::round);
    let (kk, ru, en) = match level {
        Level::Notice => ("Әдеттегіден көп адам жиналып жатыр", "Людей больше, чем обычно", "More people than usual"),
        Level::Watch => ("Адам көп: бақылап отырыңыз", "Людей много: наблюдайте", "Many people: keep watching"),
        Level::Warning => ("Тығыздық қауіпті: орын ашыңыз", "Опасная теснота: освободите место", "Dangerously crowded: make room"),
        Level::Critical => (
            "Өмірге қауіп бар: шығу жолдарын дереу ашыңыз",
            "Угроза жизни: немедленно откройте выходы",
            "Life is in danger: open the exits now",
        ),
    };
    match usual {
        Some(usual) => three(
            format!("{kk}. Адам саны: {people}, әдетте: {usual}"),
            format!("{ru}. Людей: {people}, обычно: {usual}"),
            format!("{en}. People: {people}, usually: {usual}"),
        ),
        None => three(format!("{kk}. Адам саны: {people}"), format!("{ru}. Людей: {people}"), format!("{en}. People: {people}")),
    }
}

/// One piece of evidence, with its numbers.
pub fn reason(reason: &Reason) -> Trilingual {
    let (seen, bound) = (round(reason.observed), round(reason.bound));
    let minutes = reason.for_s / 60;
    match reason.code {
        ReasonCode::AboveBaseline => three(
            format!("Кемінде {seen} адам; осы уақытқа әдеттегі шек: {bound}"),
            format!("Не меньше: {seen}; обычный предел для этого времени: {bound}"),
            format!("At least: {seen}; usual for this time is up to: {bound}"),
        ),
        ReasonCode::AboveLimit => three(
            format!("Кемінде {seen} адам; осы орынға белгіленген шек: {bound}"),
            format!("Не меньше: {seen}; заданный предел этого места: {bound}"),
            format!("At least: {seen}; limit set for this place: {bound}"),
        ),
        ReasonCode::Persistent => three(
            format!("Созылып тұрғаны, минут: {minutes}"),
            format!("Длится, минут: {minutes}"),
            format!("Has lasted, minutes: {minutes}"),
        ),
        ReasonCode::Density => three(
            format!("Тығыздық, адам/м²: {seen}; қауіпсіз шек: {bound}"),
            format!("Плотность, человек на м²: {seen}; безопасный предел: {bound}"),
            format!("Density, people per m²: {seen}; safe up to: {bound}"),
        ),
        ReasonCode::Flow => three(
            format!("Ағын, минутына 1 метр еннен өтетін адам: {seen}; қауіпсіз шек: {bound}"),
            format!("Поток, человек в минуту на метр ширины: {seen}; безопасный предел: {bound}"),
            format!("Flow, people a minute per metre of width: {seen}; safe up to: {bound}"),
        ),
        ReasonCode::Growth => three(
            format!("Өсуі, минутына адам: {seen}"),
            format!("Прибывает, человек в минуту: {seen}"),
            format!("Growing, people a minute: {seen}"),
        ),
        ReasonCode::ClosedHours => three(
            format!("Жабық уақытта ішінде адам бар: {seen}"),
            format!("В нерабочее время внутри есть люди: {seen}"),
            format!("Somebody is inside out of hours: {seen}"),
        ),
        ReasonCode::Neighbours => three(
            format!("Көрші камералар бірге көретін адам: {seen}, күтілгені: {bound}"),
            format!("Соседние камеры вместе видят людей: {seen}, ожидалось: {bound}"),
            format!("Neighbouring cameras together see: {seen}, expected: {bound}"),
        ),
    }
}

/// What can be done now, by level.
pub fn advice(level: Level) -> Trilingual {
    match level {
        Level::Notice => fixed("Картадан қарап қойыңыз", "Посмотрите на карте", "Look at the map"),
        Level::Watch => fixed("Шығу жолдарының бос екенін тексеріңіз", "Проверьте, свободны ли выходы", "Check that the exits are clear"),
        Level::Warning => fixed(
            "Қосымша шығу жолын ашыңыз, кіруді баяулатыңыз, жедел жәрдемді жақын ұстаңыз",
            "Откройте ещё один выход, замедлите вход, держите скорую рядом",
            "Open another exit, slow the entrance, keep an ambulance close",
        ),
        Level::Critical => fixed(
            "Кіруді тоқтатыңыз, барлық шығу жолын ашыңыз, жедел жәрдем шақырыңыз",
            "Остановите вход, откройте все выходы, вызовите скорую",
            "Stop the entrance, open every exit, call an ambulance",
        ),
    }
}

/// A helper's name.
pub fn helper(helper: Helper) -> Trilingual {
    match helper {
        Helper::Stewards => fixed("Тәртіп көмекшілері", "Распорядители", "Stewards"),
        Helper::Ambulance => fixed("Жедел жәрдем", "Скорая помощь", "Ambulance"),
        Helper::RoadClosure => fixed("Көше қозғалысын жабу", "Перекрытие движения", "Closing the street to traffic"),
        Helper::CityService => fixed("Қала қызметі", "Городская служба", "City service"),
        Helper::Mediator => fixed("Медиатор", "Медиатор", "Mediator"),
    }
}

/// The task that a notified assembly makes.
pub fn task(task: &Facilitation) -> Trilingual {
    let holds = |word: &str| task.holds.map_or_else(String::new, |holds| format!("; {word}: {holds}"));
    three(
        format!("Бейбіт жиналысқа көмек: хабарланған сан {}{}", task.notified, holds("орын сыйымдылығы")),
        format!("Содействие мирному собранию: заявлено {}{}", task.notified, holds("вмещает место")),
        format!("Help a peaceful assembly to go well: notified {}{}", task.notified, holds("the place holds")),
    )
}

pub(super) fn assembly(assembly: &Assembly, standing: Standing) -> Trilingual {
    let (kk, ru, en) = match assembly.form {
        Form::Picket => ("пикет", "пикет", "picket"),
        Form::Meeting => ("жиналыс", "собрание", "meeting"),
        Form::Rally => ("митинг", "митинг", "rally"),
        Form::March => ("шеру", "шествие", "march"),
        Form::Demonstration => ("демонстрация", "демонстрация", "demonstration"),
    };
    let (s_kk, s_ru, s_en) = match standing {
        Standing::Pending => ("жауап күтіледі", "ожидает ответа", "awaits an answer"),
        Standing::Proceeds => ("өтеді", "проводится", "proceeds"),
        Standing::Refused => {
            ("бас тартылған; қауіпсіздік шаралары бірдей", "отказано; меры безопасности те же", "was refused; safety measures are the same")
        }
        Standing::Withdrawn => ("кері қайтарылған", "отозвано", "was called off"),
    };
    let n = assembly.people;
    three(
        format!("Тіркелімде: {kk}, {s_kk}; хабарланған адам саны: {n}"),
        format!("В реестре: {ru}, {s_ru}; заявлено людей: {n}"),
        format!("In the register: {en}, {s_en}; people notified: {n}"),
    )
}

pub(super) fn place(name: &Trilingual, holds: u32, people: f32) -> Trilingual {
    let people = people.round();
    three(
        format!("{}: қауіпсіз сыйымдылығы {holds}, камера көретіні {people}", name.kk),
        format!("{}: безопасно вмещает {holds}, камера видит {people}", name.ru),
        format!("{}: holds {holds} safely, the camera sees {people}", name.en),
    )
}

pub(super) fn event(name: &str) -> Trilingual {
    three(format!("Іс-шара: {name}"), format!("Мероприятие: {name}"), format!("Event: {name}"))
}

pub(super) fn nearby(open: OpenNearby) -> Trilingual {
    let OpenNearby { alarms, incidents, hazards, troubles } = open;
    let list = |words: [&str; 4]| {
        let numbers = [alarms, incidents, hazards, troubles];
        let told = words.iter().zip(numbers).filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word}: {n}"));
        told.collect::<Vec<_>>().join(", ")
    };
    three(
        format!("Жақын жерде ашық: {}", list(["дабыл", "оқиға", "қауіп туралы хабар", "жұмыс істемейтін құрылғы"])),
        format!("Рядом открыто: {}", list(["тревоги", "происшествия", "сообщения об опасности", "неисправные устройства"])),
        format!("Open nearby: {}", list(["alarms", "incidents", "reported dangers", "devices that do not work"])),
    )
}

pub(super) fn sensors(sensors: &[SensorNear]) -> Trilingual {
    let list = |pick: fn(&'static [&'static str; 3]) -> &'static str| {
        let one = |sensor: &SensorNear| {
            let known = SENSORS.iter().find(|(kind, _)| *kind == sensor.kind).map(|(_, names)| pick(names));
            let unit = if sensor.unit.is_empty() { String::new() } else { format!(" {}", sensor.unit) };
            format!("{}: {:.1}{unit}", known.unwrap_or(&sensor.kind), sensor.value)
        };
        sensors.iter().take(4).map(one).collect::<Vec<_>>().join(", ")
    };
    three(
        format!("Жақын датчиктер: {}", list(|names| names[0])),
        format!("Датчики рядом: {}", list(|names| names[1])),
        format!("Sensors nearby: {}", list(|names| names[2])),
    )
}

/// Names of what sensors usually measure; another kind stands as the sensor names it.
const SENSORS: [(&str, [&str; 3]); 6] = [
    ("temperature", ["температура", "температура", "temperature"]),
    ("smoke", ["түтін", "дым", "smoke"]),
    ("co", ["иіс газы", "угарный газ", "carbon monoxide"]),
    ("gas", ["газ", "газ", "gas"]),
    ("noise", ["шу", "шум", "noise"]),
    ("water_level", ["су деңгейі", "уровень воды", "water level"]),
];

pub(super) fn requests(requests: &RequestsNear) -> Trilingual {
    let m = requests.within_m;
    let list = |pick: fn(&Trilingual) -> &str, or_more: fn(u64) -> String| {
        let number = |count: u64| if requests.exact { count.to_string() } else { or_more(count) };
        let named = requests.categories.iter().take(5).map(|(name, count)| format!("{}: {}", pick(name), number(*count)));
        let named = named.collect::<Vec<_>>().join(", ");
        let all = requests.open.map(number);
        (all, if named.is_empty() { named } else { format!(" ({named})") })
    };
    let (kk, kk_named) = list(|t| &t.kk, |n| format!("{n} немесе одан көп"));
    let (ru, ru_named) = list(|t| &t.ru, |n| format!("{n} или больше"));
    let (en, en_named) = list(|t| &t.en, |n| format!("{n} or more"));
    three(
        format!("Тұрғындардың ашық өтініштері, {m} м ішінде: {}{kk_named}", kk.as_deref().unwrap_or("10-нан аз")),
        format!("Открытые обращения жителей в пределах {m} м: {}{ru_named}", ru.as_deref().unwrap_or("меньше 10")),
        format!("Open requests of residents within {m} m: {}{en_named}", en.as_deref().unwrap_or("fewer than 10")),
    )
}

pub(super) fn disruption(disruption: &Disruption) -> Trilingual {
    let Disruption { what, near, reports } = disruption;
    let (kk, ru, en) = match near {
        true => ("Жақын жерде", "Рядом", "Nearby"),
        false => ("Ауданда", "В районе", "In the district"),
    };
    three(
        format!("{kk} аяқталмаған: {}, хабар саны: {reports}", what.kk),
        format!("{ru} не завершено: {}, сообщений: {reports}", what.ru),
        format!("{en}, not over: {}, reports: {reports}", what.en),
    )
}

pub(super) fn tension(share: ContextShare, period: &str) -> Trilingual {
    let (value, low, high) = share.parts();
    three(
        format!("Аудандағы әлеуметтік жағдай, {period} (0-10): {value:.1}, аралығы {low:.1}-{high:.1}"),
        format!("Социальная обстановка района, {period} (0-10): {value:.1}, в пределах {low:.1}-{high:.1}"),
        format!("Social situation of the district, {period} (0-10): {value:.1}, between {low:.1} and {high:.1}"),
    )
}

fn round(value: f32) -> String {
    if value < 20.0 && value.fract() != 0.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

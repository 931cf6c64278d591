//! Requests of the demonstration: a few hundred of the last hundred days, the same at every first start, each marked. They take the
//! same way through the rules as real ones.

use jiff::ToSpan;
use qorgan_alerts::{
    requests::{Action, By, Reference, Standing, State, mask},
    store::{Channel, NewRequest, PastRequest, PastStep},
};
use qorgan_domain::{GeoPoint, UtcMs};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::settings::Category;
use crate::{areas::Area, hub::App};

/// How many days back, and about how many requests.
const DAYS: i64 = 100;
const REQUESTS: usize = 460;
const HOUR_MS: i64 = 3_600_000;

/// Category, weight, text in Kazakh, text in Russian.
const TEXTS: [(&str, u32, &str, &str); 22] = [
    (
        "heating",
        14,
        "Үйде екі күннен бері жылу жоқ, пәтерде 12 градус, бала бар.",
        "Второй день нет отопления, в квартире 12 градусов, маленький ребёнок.",
    ),
    ("heating", 10, "Батареялар әрең жылы, кешке мүлде суып қалады.", "Батареи еле тёплые, вечером совсем остывают."),
    ("cold-water", 9, "Таңертеңнен бері су жоқ, ескерту болған жоқ.", "С утра нет холодной воды, предупреждения не было."),
    ("cold-water", 6, "Төртінші қабатқа су көтерілмейді, қысымы төмен.", "На четвёртый этаж вода не поднимается, слабый напор."),
    ("water-leak", 5, "Аулада құбыр жарылып, су көшеге ағып жатыр.", "Во дворе прорвало трубу, вода течёт на улицу."),
    ("sewage", 4, "Жертөлеге кәріз суы шықты, иісі қатты.", "В подвале канализация, сильный запах."),
    ("power-cut", 8, "Бүкіл көшеде кешкі жетіден бері жарық жоқ.", "На всей улице с семи вечера нет света."),
    ("power-cut", 4, "Кернеу түсіп кетеді, тоңазытқыш күйіп қалды.", "Скачет напряжение, сгорел холодильник."),
    ("gas-smell", 2, "Подъезде газ иісі бар, 104-ке хабарладық.", "В подъезде пахнет газом, в 104 сообщили."),
    ("house-repair", 5, "Шатырдан су ағады, бесінші қабат.", "Течёт крыша, пятый этаж."),
    ("house-repair", 3, "Лифт үшінші апта жүрмейді.", "Лифт не работает третью неделю."),
    ("road-damage", 8, "Мектептің жанында үлкен шұңқыр, көліктер айналып өтеді.", "Большая яма у школы, машины объезжают по тротуару."),
    ("snow-ice", 7, "Аялдамада көктайғақ, адамдар құлап жатыр.", "На остановке гололёд, люди падают."),
    ("street-light", 7, "Көшеде шам жанбайды, балалар мектептен қараңғыда қайтады.", "Не горит фонарь, дети идут из школы в темноте."),
    ("crossing", 3, "Өткелдегі бағдаршам жыпылықтап тұр.", "Светофор на переходе мигает жёлтым."),
    ("bus", 5, "12-автобус кешке келмейді, 40 минут күттік.", "Автобус 12 вечером не приходит, ждали 40 минут."),
    ("rubbish", 9, "Қоқыс бес күннен бері шығарылмаған.", "Мусор не вывозят пятый день."),
    ("yard", 4, "Балалар алаңындағы әткеншек сынған, темірі шығып тұр.", "На площадке сломаны качели, торчит железо."),
    ("stray-animals", 4, "Мектеп жолында ит үйірі жүр.", "У дороги к школе стая собак."),
    ("school", 3, "Сыныпта суық, балалар күртемен отыр.", "В классе холодно, дети сидят в куртках."),
    ("clinic", 3, "Емханаға екі аптаға дейін талон жоқ.", "В поликлинике нет талонов на две недели."),
    ("social-help", 2, "Атаулы көмекке құжат қабылдау уақытын білгім келеді.", "Хочу узнать часы приёма документов на адресную помощь."),
];

/// Fills an empty register of requests.
pub async fn fill(app: &App) -> Result<(), qorgan_alerts::Error> {
    if app.store.has_requests().await? {
        return Ok(());
    }
    let past = make(app, app.clock.utc());
    // A real request that came in meanwhile is newer than all of these; then they stay away.
    if app.store.add_past_requests(&past).await? {
        tracing::info!(requests = past.len(), "requests of the demonstration were made");
    }
    Ok(())
}

fn make(app: &App, now: UtcMs) -> Vec<PastRequest> {
    let mut random = StdRng::seed_from_u64(109);
    let areas = app.areas();
    let places: Vec<(&Area, GeoPoint)> = areas.iter().filter_map(|area| Some((area, area.centre?))).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let mut moments: Vec<(UtcMs, usize, Option<&str>)> = Vec::new();
    for _ in 0..REQUESTS {
        // More of them lately, as winter comes; at hours when people are awake.
        let back = (random.random::<f64>().powf(1.4) * DAYS as f64) as i64;
        let day = app.requests.calendar.day(now).checked_sub(back.days()).unwrap_or_default();
        let at = app.requests.calendar.moment(day, random.random_range(6 * 60..23 * 60));
        // Half of them in the first area, the rest anywhere.
        let area = if random.random_bool(0.5) { 0 } else { random.random_range(0..places.len()) };
        moments.push((at, area, None));
    }
    // This morning the heating of one quarter of the town failed.
    for n in 0..26_i64 {
        // Today, whatever the hour.
        let midnight = app.requests.calendar.begins(app.requests.calendar.day(now)).0;
        moments.push((UtcMs((now.0 - HOUR_MS * 2 + n * 240_000).max(midnight + n)), 0, Some("heating")));
    }
    moments.retain(|(at, ..)| at.0 < now.0);
    moments.sort_by_key(|(at, ..)| *at);
    let mut past = Vec::with_capacity(moments.len());
    for (at, area, category) in moments {
        past.extend(one(app, &mut random, (at, now), places[area], category));
    }
    past
}

fn one(
    app: &App,
    random: &mut StdRng,
    (at, now): (UtcMs, UtcMs),
    (area, middle): (&Area, GeoPoint),
    category: Option<&str>,
) -> Option<PastRequest> {
    let texts: Vec<_> = TEXTS.iter().filter(|text| category.is_none_or(|category| category == text.0)).collect();
    let total: u32 = texts.iter().map(|text| text.1).sum();
    let mut pick = random.random_range(0..total);
    let text = texts.into_iter().find(|text| {
        let hit = pick < text.1;
        pick = pick.saturating_sub(text.1);
        hit
    })?;
    let settings = &app.requests.settings;
    let category = settings.category(text.0)?;
    let kazakh = random.random_bool(0.55);
    let (words, masked) = mask(if kazakh { text.2 } else { text.3 });
    let spread = if random.random_bool(0.3) { 0.000_8 } else { 0.02 };
    let position = GeoPoint::new(middle.lat() + random.random_range(-spread..spread), middle.lon() + random.random_range(-spread..spread));
    let position = position.ok().filter(|p| app.areas().at(*p).is_some_and(|a| a.code == area.code)).unwrap_or(middle);
    let terms = settings.terms(category);
    let standing = Standing::new(&category.id, &category.service, &terms, &app.requests.calendar, at);
    let channel = [Channel::Page, Channel::Desk, Channel::Desk, Channel::Open311][random.random_range(0..4)];
    let new = NewRequest {
        reference: Reference::from_random(random.random()),
        standing: standing.clone(),
        area: area.code.clone(),
        position,
        place: random.random_bool(0.7).then(|| format!("{}-үй", random.random_range(1..180))),
        text: words,
        masked,
        attributes: std::collections::BTreeMap::new(),
        channel,
        language: if kazakh { "kk" } else { "ru" }.into(),
        received_at: at,
        day: app.requests.day_number(at),
        once: None,
        contact: None,
        who: if channel == Channel::Desk { "demo" } else { "resident" }.into(),
        role: None,
        demo: true,
    };
    Some(PastRequest { new, steps: life(app, random, category, standing, (at, now), kazakh) })
}

/// What became of it since: mostly answered and done in time, some late, a few not fixed.
fn life(app: &App, random: &mut StdRng, category: &Category, first: Standing, (at, now): (UtcMs, UtcMs), kazakh: bool) -> Vec<PastStep> {
    let (terms, calendar) = (app.requests.settings.terms(category), &app.requests.calendar);
    let say = |kk: &str, ru: &str| if kazakh { kk.to_owned() } else { ru.to_owned() };
    let (mut standing, mut moment, mut steps) = (first, at, Vec::new());
    let mut fate: Vec<(Action, By, f64)> = Vec::new();
    let answer = Action::Answer {
        words: say("Өтініш қызметке берілді, мерзімі көрсетілген күнге дейін.", "Обращение передано службе, срок указан."),
        promised_at: None,
        reason: None,
    };
    if random.random_bool(0.03) {
        let words = say("Бұл мәселе сот арқылы шешіледі, 109 қызметіне жатпайды.", "Вопрос решается судом и не относится к службе 109.");
        fate.push((Action::Decline { words }, By::Operator, 0.5));
    } else {
        fate.push((answer.clone(), By::Operator, random.random_range(0.05..1.15)));
        if random.random_bool(0.8) {
            fate.push((Action::Start, By::Operator, 0.1));
        }
        let done = || Action::Done {
            words: say("Бригада жұмысты аяқтады.", "Бригада закончила работы.")
        };
        fate.push((done(), By::Operator, random.random_range(0.2..1.12)));
        match random.random_range(0..20) {
            0 | 1 => {
                fate.push((Action::NotFixed, By::Resident, 0.3));
                fate.push((answer, By::Operator, 0.4));
                fate.push((done(), By::Operator, 0.6));
            }
            2..=10 => fate.push((Action::Confirm, By::Resident, 0.2)),
            _ => {}
        }
    }
    for (action, by, share) in fate {
        // A share of the time that the clock which runs allows; a day where none runs.
        let allowed = standing.due_at.map_or(24 * HOUR_MS, |due| due.ms_since(moment).max(HOUR_MS));
        moment = UtcMs(moment.0 + (allowed as f64 * share) as i64);
        if moment >= now {
            break;
        }
        let Ok(then) = standing.act(&action, by, &terms, calendar, moment) else { continue };
        let words = match &action {
            Action::Answer { words, .. } | Action::Done { words } | Action::Decline { words } => Some(words.clone()),
            _ => None,
        };
        let who = if by == By::Resident { "resident" } else { "demo" };
        steps.push(PastStep { then: then.clone(), who: who.into(), action: action.name().into(), words, at: moment });
        standing = then;
    }
    // What nobody judged in time was closed by the clock.
    if standing.state == State::Done || standing.state == State::Confirmed {
        let closed_at = standing.judge_until.map_or(now, |until| UtcMs(until.0 + 60_000));
        if closed_at < now
            && let Ok(then) = standing.act(&Action::Close, By::Hub, &terms, calendar, closed_at)
        {
            steps.push(PastStep { then, who: "hub".into(), action: "close".into(), words: None, at: closed_at });
        }
    }
    steps
}

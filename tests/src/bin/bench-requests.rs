//! How fast residents' requests are searched when there are millions, and how fast they are taken in.
//!
//! ```text
//! cargo run --release --bin bench-requests -- --requests 2000000            SQLite in a folder of its own
//! cargo run --release --bin bench-requests -- --postgres                    a private PostgreSQL, as the tests use it
//! ```
//! The requests are of one year, in 20 districts and 17 categories; 4 in 100 are open. Words are drawn by Zipf's law from a list of real
//! ones and of made-up ones, so that common and rare words both are there. The mix is that of a desk: words with and without filters,
//! filters alone, overdue and open lists, references, dates, deep pages; every search also reads its rows. Goal: p95 under 100 ms.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use clap::Parser;
use qorgan_alerts::{
    Store,
    requests::{Action, By, Calendar, Reference, Standing, State, Term, Terms, calendar::Days},
    store::{Channel, NewRequest, Overdue, PastRequest, PastStep, RequestCursor, RequestFilter},
};
use qorgan_domain::{GeoPoint, UtcMs};
use qorgan_tests::{
    postgres::Postgres,
    report::{Report, quantile},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// 2026-11-22T00:00:00Z
const NOW: UtcMs = UtcMs(1_795_305_600_000);
const YEAR_MS: i64 = 365 * 86_400_000;
const AREAS: u32 = 20;
const CATEGORIES: [(&str, &str); 17] = [
    ("heating", "heat"),
    ("cold-water", "water"),
    ("water-leak", "water"),
    ("sewage", "water"),
    ("power-cut", "power"),
    ("gas-smell", "gas"),
    ("house-repair", "housing"),
    ("road-damage", "roads"),
    ("snow-ice", "roads"),
    ("street-light", "power"),
    ("crossing", "roads"),
    ("bus", "transport"),
    ("rubbish", "cleaning"),
    ("yard", "cleaning"),
    ("stray-animals", "cleaning"),
    ("school", "education"),
    ("clinic", "health"),
];
const WORDS: [&str; 40] = [
    "жылу",
    "жоқ",
    "үйде",
    "отопления",
    "нет",
    "воды",
    "су",
    "көше",
    "дорога",
    "яма",
    "мусор",
    "қоқыс",
    "подъезд",
    "двор",
    "аула",
    "мектеп",
    "школа",
    "автобус",
    "аялдама",
    "фонарь",
    "жарық",
    "света",
    "лифт",
    "крыша",
    "құбыр",
    "труба",
    "снег",
    "қар",
    "собаки",
    "ит",
    "площадка",
    "балалар",
    "запах",
    "газ",
    "давление",
    "қысым",
    "соседи",
    "көрші",
    "очередь",
    "талон",
];

#[derive(Parser)]
struct Args {
    /// Requests on file.
    #[arg(long, default_value_t = 2_000_000)]
    requests: usize,
    /// Searches.
    #[arg(long, default_value_t = 2_000)]
    searches: usize,
    /// Single requests taken in one after another.
    #[arg(long, default_value_t = 2_000)]
    intake: usize,
    /// On a private PostgreSQL instead of SQLite.
    #[arg(long)]
    postgres: bool,
    /// Folder for the SQLite file; a temporary one when absent. A filled file in it is used again.
    #[arg(long)]
    dir: Option<std::path::PathBuf>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mut report = Report::new("bench-requests");
    let scratch = tempfile::tempdir()?;
    let server = if args.postgres { Some(Postgres::start().await?) } else { None };
    let url = match &server {
        Some(server) => server.database().await?,
        None => format!("sqlite:{}", args.dir.as_deref().unwrap_or(scratch.path()).join("requests.db").display()),
    };
    let store = Store::open(&url).await?;
    let mut random = StdRng::seed_from_u64(311);
    let began = Instant::now();
    if !store.has_requests().await? {
        fill(&store, &mut random, args.requests).await?;
    }
    report.figure("store", if args.postgres { "postgresql" } else { "sqlite" });
    report.figure("requests", args.requests);
    report.figure("filled_in_s", began.elapsed().as_secs());

    let mut all = Vec::new();
    let mut by_kind: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let (mut found, mut empty) = (0_usize, 0_usize);
    for n in 0..args.searches {
        let (kind, filter) = question(&mut random, n, args.requests);
        let start = Instant::now();
        let rows = match filter {
            Some(filter) => store.search_requests(&filter, NOW).await?.len(),
            None => {
                let id = random.random_range(1..=i64::try_from(args.requests)?);
                let reference = reference(id);
                usize::from(store.request_by_reference(&reference).await?.is_some())
            }
        };
        let ms = start.elapsed().as_secs_f64() * 1e3;
        all.push(ms);
        by_kind.entry(kind).or_default().push(ms);
        (found, empty) = (found + rows, empty + usize::from(rows == 0));
    }
    report.figure("searches", args.searches);
    report.figure("rows_found", found);
    report.figure("searches_without_rows", empty);
    for (kind, samples) in &mut by_kind {
        report.figure(&format!("{kind}_p50_ms"), round(quantile(samples, 0.5)));
        report.figure(&format!("{kind}_p95_ms"), round(quantile(samples, 0.95)));
    }
    report.figure("p50_ms", round(quantile(&mut all, 0.5)));
    report.figure("p99_ms", round(quantile(&mut all, 0.99)));
    report.figure("worst_ms", round(quantile(&mut all, 1.0)));
    report.at_most("search, p95, ms", 100.0, round(quantile(&mut all, 0.95)));

    let mut load = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        store.request_load(None, NOW).await?;
        load.push(start.elapsed().as_secs_f64() * 1e3);
    }
    report.figure("open_and_overdue_by_service_p95_ms", round(quantile(&mut load, 0.95)));
    let start = Instant::now();
    store.request_tally(20_251_101, 20_261_201, None).await?;
    report.figure("figures_of_a_year_ms", round(start.elapsed().as_secs_f64() * 1e3));

    let start = Instant::now();
    for n in 0..args.intake {
        let id = i64::try_from(args.requests + n + 1)?;
        store.add_request(&fresh(&mut random, id, NOW)?).await?;
    }
    let per_s = args.intake as f64 / start.elapsed().as_secs_f64();
    report.figure("intake_one_by_one_per_s", round(per_s));
    // Two million a year are one in sixteen seconds.
    report.at_least("requests taken in one after another, a second", 50.0, round(per_s));
    store.close().await;
    report.print();
    Ok(())
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn reference(id: i64) -> Reference {
    Reference::from_random(u64::try_from(id).unwrap_or(0).wrapping_mul(7_919_999_983))
}

async fn fill(store: &Store, random: &mut StdRng, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    const BATCH: usize = 10_000;
    let step = YEAR_MS / i64::try_from(count.max(1))?;
    let (began, mut done) = (Instant::now(), 0);
    while done < count {
        let mut batch = Vec::with_capacity(BATCH);
        for n in done..(done + BATCH).min(count) {
            let id = i64::try_from(n + 1)?;
            batch.push(past(random, id, UtcMs(NOW.0 - YEAR_MS + id * step))?);
        }
        done += batch.len();
        if !store.add_past_requests(&batch).await? {
            return Err("the store holds newer requests".into());
        }
        if done % 200_000 < BATCH {
            eprintln!("{done} requests after {:.0} s", began.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

/// Ranks by Zipf's law: the first of a hundred thousand words is some 8 in 100 of all.
fn zipf(random: &mut StdRng) -> usize {
    (100_000_f64.powf(random.random::<f64>()) - 1.0) as usize
}

fn word(rank: usize) -> String {
    WORDS.get(rank).map_or_else(|| format!("сөз{rank}"), |word| (*word).to_owned())
}

fn fresh(random: &mut StdRng, id: i64, at: UtcMs) -> Result<NewRequest, Box<dyn std::error::Error>> {
    let (category, service) = CATEGORIES[random.random_range(0..CATEGORIES.len())];
    let text: Vec<String> = (0..random.random_range(8..24)).map(|_| word(zipf(random))).collect();
    let area = random.random_range(0..AREAS);
    let position = GeoPoint::new(43.0 + random.random::<f64>(), 71.0 + random.random::<f64>())?;
    Ok(NewRequest {
        reference: reference(id),
        standing: Standing::new(category, service, &terms(), &calendar(), at),
        area: format!("31{area:02}00000").parse()?,
        position,
        place: Some(format!("{}-үй", random.random_range(1..200))),
        text: text.join(" "),
        masked: Vec::new(),
        attributes: BTreeMap::new(),
        channel: Channel::ALL[random.random_range(0..3)],
        language: "kk".into(),
        received_at: at,
        day: day(at),
        once: None,
        contact: None,
        who: "resident".into(),
        role: None,
        demo: false,
    })
}

fn past(random: &mut StdRng, id: i64, at: UtcMs) -> Result<PastRequest, Box<dyn std::error::Error>> {
    let new = fresh(random, id, at)?;
    let mut steps = Vec::new();
    // The last fortnight is mostly open, of the rest a few in a hundred.
    let old = NOW.ms_since(at) > 14 * 86_400_000;
    let depth = if random.random_bool(if old { 0.99 } else { 0.4 }) { 4 } else { random.random_range(0..3) };
    let (terms, calendar) = (terms(), calendar());
    let (mut standing, mut moment) = (new.standing.clone(), at);
    let answer = Action::Answer { words: "Жауап".into(), promised_at: None, reason: None };
    let acts = [answer, Action::Start, Action::Done { words: "Жөнделді".into() }, Action::Confirm, Action::Close];
    for action in acts.into_iter().take(if depth == 4 { 5 } else { depth }) {
        moment = moment + Duration::from_secs(random.random_range(600..40_000));
        let Ok(then) = standing.act(&action, By::Operator, &terms, &calendar, moment) else { break };
        steps.push(PastStep { then: then.clone(), who: "operator".into(), action: action.name().into(), words: None, at: moment });
        standing = then;
    }
    Ok(PastRequest { new, steps })
}

fn terms() -> Terms {
    Terms { answer: Term::Hours(24), work: Term::Hours(120), judge_days: 14 }
}

fn calendar() -> Calendar {
    Calendar::new(300, 18 * 60, Days::default())
}

fn day(at: UtcMs) -> i64 {
    let day = calendar().day(at);
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

/// The next question of the mix; none for a reference.
fn question(random: &mut StdRng, n: usize, count: usize) -> (&'static str, Option<RequestFilter>) {
    let page = |filter: RequestFilter| Some(RequestFilter { limit: 50, ..filter });
    let all = RequestFilter::default;
    let (category, service) = CATEGORIES[random.random_range(0..CATEGORIES.len())];
    let categories = vec![category.to_owned()];
    let area = format!("31{:02}00000", random.random_range(0..AREAS)).parse().ok();
    let common = word(random.random_range(0..WORDS.len()));
    let rare = word(random.random_range(2_000..90_000));
    let back = i64::from(random.random_range(0..360_u32)) * 86_400_000;
    let dates = (Some(UtcMs(NOW.0 - back - 7 * 86_400_000)), Some(UtcMs(NOW.0 - back)));
    match n % 14 {
        0 => ("newest", page(all())),
        1 => ("common_word", page(RequestFilter { text: Some(common), ..all() })),
        2 => ("rare_word", page(RequestFilter { text: Some(rare), ..all() })),
        3 => ("two_words", page(RequestFilter { text: Some(format!("{common} {}", word(random.random_range(5..400)))), ..all() })),
        4 => ("word_and_three_filters", page(RequestFilter { text: Some(common), categories, area, states: vec![State::Closed], ..all() })),
        5 => ("word_and_open_state", page(RequestFilter { text: Some(common), area, states: vec![State::Answered], ..all() })),
        6 => ("category_district_state", page(RequestFilter { categories, area, states: vec![State::Received], ..all() })),
        7 => ("service_and_week", page(RequestFilter { service: Some(service.into()), from: dates.0, to: dates.1, ..all() })),
        8 => ("word_and_week", page(RequestFilter { text: Some(common), from: dates.0, to: dates.1, ..all() })),
        9 => ("overdue_of_district", page(RequestFilter { overdue: Some(Overdue::Any), area, ..all() })),
        10 => ("overdue_answers_of_category", page(RequestFilter { overdue: Some(Overdue::Answer), categories, ..all() })),
        11 => ("open_with_word", page(RequestFilter { open: true, text: Some(common), ..all() })),
        12 => {
            let deep = i64::try_from(count / 2).unwrap_or(1);
            ("deep_page", page(RequestFilter { categories, after: Some(RequestCursor::Id(deep)), ..all() }))
        }
        _ => ("reference", None),
    }
}

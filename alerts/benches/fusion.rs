//! One step of fusion with 10,000 cameras in memory, and what a restart costs.
//!
//! ```text
//! cargo bench -p qorgan-alerts --bench fusion
//! ```
//!
//! Goals: a step under 20 microseconds, where a step is a count of any camera, within a minute and at its end; the state of 10,000 cameras back from the store, open alerts and all, in under 2 s.

#![expect(clippy::unwrap_used, reason = "a bench that cannot make its input stops")]

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use qorgan_alerts::{
    Fusion, Rules, Store, Transition,
    engine::recover,
    fusion::{CameraRule, Formula, GatheringRules},
    usual::{LocalMinute, Usual},
};
use qorgan_domain::{AlertId, Count, CountSource, DeviceRef, Event, GeoPoint, UtcMs};

const CAMERAS: usize = 10_000;
const START: i64 = 1_795_255_200_000;
/// Every so many cameras one sees a crowd.
const CROWDED: usize = 100;

fn camera(n: usize) -> DeviceRef {
    format!("site-{}/cam-{}", n / 20, n % 20).parse().unwrap()
}

fn rules() -> Rules {
    let mut rules = Rules { gathering: GatheringRules { formula: Formula::V2, ..GatheringRules::default() }, ..Rules::default() };
    rules.calendar.zone = jiff::tz::TimeZone::get("Asia/Almaty").unwrap();
    for n in 0..CAMERAS {
        let public_space = n % 2 == 0;
        rules.cameras.insert(camera(n), CameraRule { limit: Some(80.0), public_space });
        let (row, column) = ((n / 100) as f64, (n % 100) as f64);
        rules.positions.insert(camera(n), GeoPoint::new(42.8 + row * 0.001, 71.3 + column * 0.001).unwrap());
    }
    rules
}

/// Eight weeks of a quiet place.
fn known(rules: &Rules) -> Usual {
    let mut usual = Usual::default();
    for number in START / 60_000 - 8 * 7 * 1_440..START / 60_000 {
        let LocalMinute { day, minute } = rules.calendar.local(UtcMs(number * 60_000));
        let people = 20.0 + f32::from(minute) / 60.0 + f32::from(day) + (number % 5) as f32;
        usual.minute(number, LocalMinute { day, minute }, people, true);
    }
    usual
}

/// The week of every camera is known, and the crowded ones have open alerts; what was told of them.
fn fusion(rules: &Rules, usual: &Usual) -> (Fusion, Vec<Transition>) {
    let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
    for n in 0..CAMERAS {
        fusion.restore_usual(&camera(n), usual.clone());
    }
    let mut made = Vec::new();
    // Two minutes of every camera, so that alerts are open and minutes are full.
    for step in 0..60 {
        for n in 0..CAMERAS {
            let (event, now) = count(n, step);
            made.extend(fusion.apply(&event, now));
        }
    }
    (fusion, made)
}

/// Counts of one camera come every two seconds, so every thirtieth ends a minute.
fn count(n: usize, step: i64) -> (Event, UtcMs) {
    let at = UtcMs(START + step * 2_000);
    let people = if n.is_multiple_of(CROWDED) { 90.0 } else { 30.0 + (step % 7) as f32 };
    let count = Count {
        camera: camera(n),
        at,
        people,
        low: people * 0.9,
        high: people * 1.1,
        source: CountSource::Foreign,
        unchanged: false,
        zones: Vec::new(),
        flows: Vec::new(),
    };
    (Event::Count(count), at)
}

fn step(c: &mut Criterion) {
    let rules = rules();
    let (mut fusion, _) = fusion(&rules, &known(&rules));
    assert!(fusion.open_alerts().count() > 0, "without an open alert nothing is measured of one");
    let mut next = 60 * CAMERAS;
    c.bench_function("a count, 10,000 cameras", |b| {
        b.iter_batched(
            || {
                next += 1;
                count(next % CAMERAS, (next / CAMERAS) as i64)
            },
            |(event, now)| fusion.apply(&event, now),
            BatchSize::SmallInput,
        );
    });
    // The dearest tick: it looks at neighbours, which it does once a minute. 5,000 counts come in a second.
    let reached = (next / CAMERAS) as i64 * 2_000;
    let mut ticks = 0;
    c.bench_function("a tick that looks at neighbours, 10,000 cameras", |b| {
        b.iter(|| {
            ticks += 1;
            // To and fro between two minutes, so that no camera becomes silent.
            fusion.apply(&Event::Tick, UtcMs(START + reached + ticks % 2 * 60_000))
        });
    });
    assert!(fusion.open_alerts().count() > 0, "the ticks ended what they should look at");
    // On New Year's Eve every camera is above what is usual.
    let eve = (next / CAMERAS) as i64 + 60;
    for step in eve..eve + 480 {
        for n in (0..CAMERAS).filter(|_| step % 15 == 0) {
            if let (Event::Count(seen), now) = count(n, step) {
                let grown = Count { people: 200.0, low: 190.0, high: 210.0, ..seen };
                black_box(fusion.apply(&Event::Count(grown), now));
            }
        }
    }
    let reached = (eve + 480) * 2_000;
    c.bench_function("a tick with every camera above what is usual, 10,000 cameras", |b| {
        b.iter(|| {
            ticks += 1;
            fusion.apply(&Event::Tick, UtcMs(START + reached + ticks % 2 * 60_000))
        });
    });
    next = (eve as usize + 540) * CAMERAS;
    // The dearest count there is: the first of a new minute.
    c.bench_function("a count that ends a minute, 10,000 cameras", |b| {
        b.iter_batched(
            || {
                next += 1;
                let (n, minute) = (next % CAMERAS, (next / CAMERAS) as i64);
                count(n, minute * 30)
            },
            |(event, now)| fusion.apply(&event, now),
            BatchSize::SmallInput,
        );
    });
}

/// From a store on disk to a fusion that judges: what a hub waits for before it opens its doors.
fn restore(c: &mut Criterion) {
    let (rules, runtime) = (rules(), tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    let usual = known(&rules);
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("hub.db").display());
    let (_, made) = fusion(&rules, &usual);
    let open = runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let bytes = usual.to_bytes();
        for first in (0..CAMERAS).step_by(100) {
            let some = (first..first + 100).map(|n| (camera(n), rules.positions.get(&camera(n)).copied(), bytes.clone()));
            store.keep_usual(some.collect(), UtcMs(START)).await.unwrap();
        }
        store.save(&made, None).await.unwrap();
        // The last hours of every camera lie there as well, and need not be read.
        for minute in 0..5 {
            let counts: Vec<Count> = (0..CAMERAS)
                .map(|n| match count(n, 0).0 {
                    Event::Count(count) => Count { at: UtcMs(START - minute * 60_000), ..count },
                    _ => unreachable!("a count"),
                })
                .collect();
            store.add_counts(&counts).await.unwrap();
        }
        store.maintain(UtcMs(START + 60_000), &qorgan_alerts::store::Retention::default()).await.unwrap();
        let open = store.open_alerts().await.unwrap().len();
        store.close().await;
        open
    });
    assert!(open > 0);
    let mut group = c.benchmark_group("restart");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    group.bench_function("10,000 cameras and their open alerts from SQLite", |b| {
        b.iter_batched(
            || rules.clone(),
            |rules| {
                runtime.block_on(async {
                    let store = Store::open(&url).await.unwrap();
                    let (fusion, _) = recover(&store, None, rules, UtcMs(START + 120_000)).await.unwrap();
                    assert_eq!((fusion.usual().count(), fusion.open_alerts().count()), (CAMERAS, open));
                    store.close().await;
                    black_box(fusion)
                })
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, step, restore);
criterion_main!(benches);

//! One step of fusion with 10,000 cameras in memory, and what a restart costs.
//!
//! ```text
//! cargo bench -p qorgan-alerts --bench fusion
//! ```
//!
//! Goals: a step under 20 microseconds; the state of 10,000 cameras back in under 2 s.

#![expect(clippy::unwrap_used, reason = "a bench that cannot make its input stops")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use qorgan_alerts::{
    Fusion, Rules,
    fusion::{CameraRule, Formula, GatheringRules},
    usual::{LocalMinute, Usual},
};
use qorgan_domain::{AlertId, Count, CountSource, DeviceRef, Event, GeoPoint, UtcMs};

const CAMERAS: usize = 10_000;
const START: i64 = 1_795_255_200_000;

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

fn fusion(rules: &Rules, usual: &Usual) -> Fusion {
    let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
    for n in 0..CAMERAS {
        fusion.restore_usual(&camera(n), usual.clone());
    }
    fusion
}

fn count(n: usize, step: i64) -> (Event, UtcMs) {
    let at = UtcMs(START + step * 2_000);
    // Every hundredth camera sees a crowd.
    let people = if n.is_multiple_of(100) { 90.0 } else { 30.0 + (step % 7) as f32 };
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
    let mut fusion = fusion(&rules, &known(&rules));
    // Two minutes of every camera, so that alerts are open and minutes are full.
    for step in 0..60 {
        for n in 0..CAMERAS {
            let (event, now) = count(n, step);
            black_box(fusion.apply(&event, now));
        }
    }
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
    let mut second = 0;
    c.bench_function("a tick, 10,000 cameras", |b| {
        b.iter(|| {
            second += 60_000;
            fusion.apply(&Event::Tick, UtcMs(START + 120_000 + second))
        });
    });
}

fn restore(c: &mut Criterion) {
    let rules = rules();
    let bytes = known(&rules).to_bytes();
    let mut group = c.benchmark_group("restart");
    group.sample_size(10);
    group.bench_function("state of 10,000 cameras from its bytes", |b| {
        b.iter(|| {
            let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
            for n in 0..CAMERAS {
                fusion.restore_usual(&camera(n), Usual::from_bytes(&bytes).unwrap());
            }
            fusion
        });
    });
    group.finish();
}

criterion_group!(benches, step, restore);
criterion_main!(benches);

//! The whole way of a count through the engine and the store, with whatever the registers hold beside it: the same bytes.
//!
//! Rules 3 to 5 of the design, over the code that the hub runs: [`qorgan_alerts::engine::recover`], the engine's task, its transactions.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use jiff::civil::date;
use proptest::prelude::*;
use qorgan_alerts::{
    Engine, Ring, Rules, Store,
    context::{ContextBlock, ContextShare, Disruption, OpenNearby, RequestsNear, SensorNear, Surroundings, explain},
    engine::{self, Parts},
    fusion::{CameraRule, Formula, GatheringRules},
    intake::{
        plan::Planned,
        services::{SignalKind, SignalStatus},
    },
    life::{self, Viewer},
    requests::{self, Calendar, Reference, Term, Terms},
    store::{Channel, EmergencyKind, EmergencyVersion, ImportKind, NewImport, NewRequest, Signal},
};
use qorgan_domain::{
    AlertId, Basis, Clock, Count, Event, GeoPoint, ManualClock, Observation, Role, Trilingual, UserName, UtcMs, ZoneCount,
    alert::Alert,
    assembly::{Answer, Appeal, Assembly, Form, SpecialPlace, Standing},
};
use tokio_util::sync::CancellationToken;

use crate::make::{START, after, count};

const SQUARE: &str = "square/north";
const AREA: &str = "311000000";
/// One indicator of each block of rule 3, and one of another block.
const INDICATORS: [&str; 4] = ["trust-in-akimat", "assembly-notices", "interethnic-publications", "unemployment"];

fn here() -> GeoPoint {
    GeoPoint::new(42.9, 71.4).unwrap()
}

fn name(word: &str) -> Trilingual {
    Trilingual { kk: word.into(), ru: word.into(), en: word.into() }
}

fn user() -> UserName {
    "aigerim".parse().unwrap()
}

/// What the registers hold: any of it, in any amount.
#[derive(Debug, Clone)]
struct Registers {
    /// A value of each of [`INDICATORS`]; none: nothing is known.
    values: [Option<f64>; 4],
    assembly: Option<u8>,
    requests: u8,
    emergencies: u8,
    signals: u8,
    share: f64,
}

fn any_registers() -> impl Strategy<Value = Registers> {
    let value = || proptest::option::of(0.0_f64..100.0);
    ([value(), value(), value(), value()], proptest::option::of(0_u8..4), 0_u8..15, 0_u8..3, 0_u8..3, 0.0_f64..10.0).prop_map(
        |(values, assembly, requests, emergencies, signals, share)| Registers { values, assembly, requests, emergencies, signals, share },
    )
}

fn assembly(kind: u8) -> Assembly {
    let on = date(2026, 11, 18);
    let answer = match kind {
        0 => None,
        1 => Some(Answer::Accepted { on }),
        2 => Some(Answer::Refused { on, ground: "works on the square".into(), alternative: "the park".into(), appeal: Appeal::Filed }),
        _ => Some(Answer::Withdrawn { on }),
    };
    let (position, from, until) = (here(), UtcMs(START.0 - 3_600_000), after(7_200_000));
    Assembly {
        form: Form::Rally,
        position,
        radius_m: 300,
        place: "square".into(),
        from,
        until,
        people: 150,
        filed_on: date(2026, 11, 16),
        answer,
    }
}

async fn fill(store: &Store, registers: &Registers) {
    let values: Vec<Planned> = INDICATORS
        .iter()
        .zip(registers.values)
        .filter_map(|(indicator, value)| {
            let (area, period) = (AREA.parse().unwrap(), "2026-Q3".parse().unwrap());
            let observation = Observation { area, indicator: indicator.parse().unwrap(), period, value: value?, basis: Basis::Cases(40) };
            Some(Planned { observation, source: None, row: 2 })
        })
        .collect();
    let import = NewImport {
        at: START,
        who: "analyst".into(),
        kind: ImportKind::Demo,
        source: "demo".into(),
        filename: None,
        sha256: None,
        suppressed: 0,
    };
    store.add_values(&import, &values, |_| {}).await.unwrap();
    if let Some(kind) = registers.assembly {
        store.put_assembly(None, &assembly(kind), &user(), START).await.unwrap();
    }
    let place = SpecialPlace { name: name("square"), points: vec![here()], radius_m: 200, max_people: 400 };
    store.put_special_place(None, &place, &user(), START).await.unwrap();
    let terms = Terms { answer: Term::Hours(24), work: Term::Hours(72), judge_days: 3 };
    let calendar = Calendar::new(300, 1_080, requests::calendar::Days::default());
    for n in 0..registers.requests {
        let request = NewRequest {
            reference: Reference::from_random(u64::from(n) + 1),
            standing: requests::Standing::new("heating", "heat", &terms, &calendar, START),
            area: AREA.parse().unwrap(),
            position: here(),
            place: None,
            text: "no heating".into(),
            masked: vec![],
            attributes: BTreeMap::new(),
            channel: Channel::Page,
            language: "en".into(),
            received_at: START,
            day: 20_261_121,
            once: None,
            contact: None,
            who: "resident".into(),
            role: None,
            demo: false,
        };
        store.add_request(&request).await.unwrap();
    }
    for _ in 0..registers.emergencies {
        let version = EmergencyVersion {
            n: 1,
            at: START,
            kind: EmergencyKind::Utility,
            area: AREA.parse().unwrap(),
            place: None,
            what: "a main broke".into(),
            measures: "a crew is there".into(),
            dead: 0,
            injured: 0,
            evacuated: 0,
            children: 0,
            ongoing: true,
            written_at: START,
            written_by: "aigerim".into(),
            reason: None,
            demo: false,
        };
        store.write_emergency(None, &version).await.unwrap();
    }
    for _ in 0..registers.signals {
        let signal = Signal {
            id: 0,
            kind: SignalKind::Infrastructure,
            area: AREA.parse().unwrap(),
            place: "the square".into(),
            position: Some(here()),
            text: "no light".into(),
            service: "power".into(),
            status: SignalStatus::New,
            entered_at: START,
            entered_by: "aigerim".into(),
            due_at: after(86_400_000),
            steps: vec![],
        };
        store.add_signal(&signal).await.unwrap();
    }
}

/// What a desk reads beside an alert, from what the registers hold.
async fn surroundings(store: &Store, registers: &Registers, now: UtcMs) -> Surroundings {
    let assemblies = store.assemblies(START).await.unwrap();
    let standing = |a: &Assembly| a.standing(date(2026, 11, 21), |_| true);
    let open = store.open_requests_near(here(), 500.0).await.unwrap();
    assert_eq!(open.values().sum::<u64>(), u64::from(registers.requests));
    let ongoing = store.emergencies(UtcMs(0), after(1), None, None, None, 10).await.unwrap();
    let share = ContextShare::of(&[(ContextBlock::Labour, registers.share, (registers.share - 0.5).max(0.0), registers.share, 1.0)]);
    Surroundings {
        assemblies: assemblies.into_iter().map(|e| (e.id, standing(&e.body), e.body)).map(|(id, s, a)| (id, a, s)).collect(),
        places: store.special_places().await.unwrap().into_iter().map(|e| (e.id, e.body)).collect(),
        events: store.planned_events(now).await.unwrap().into_iter().map(|e| e.body.name).collect(),
        open: OpenNearby { alarms: 1, ..OpenNearby::default() },
        sensors: vec![SensorNear { kind: "smoke".into(), value: 3.0, unit: String::new() }],
        requests: Some(RequestsNear::told(500, open.into_iter().map(|(c, n)| (name(&c), n)), false)),
        disruptions: Disruption::together(ongoing.iter().map(|_| (name("utility"), false))),
        tension: share.map(|share| (share, "2026-Q3".into())),
    }
}

/// Who sees an alert, in which order, and which ways out it has.
fn fate(alert: &Alert) -> String {
    let viewer = |role| Viewer { role, site: None, unit: None };
    let seen: Vec<bool> = Role::ALL.into_iter().map(|role| life::visible(alert, &viewer(role))).collect();
    format!("{} {seen:?} {} {}", serde_json::to_string(&alert.cause).unwrap(), life::dispatchable(alert), life::may_leave(alert))
}

/// Seconds that pass, people, and people in a zone of eight square metres.
type Step = (i64, f32, Option<f32>);

/// Runs the counts through an engine with these registers; everything that desks, history and other systems could tell apart.
async fn run(dir: &Path, steps: &[Step], registers: Option<&Registers>) -> Vec<String> {
    let store = Store::open(&format!("sqlite:{}", dir.join("store.db").display())).await.unwrap();
    if let Some(registers) = registers {
        fill(&store, registers).await;
    }
    let mut rules = Rules { gathering: GatheringRules { formula: Formula::V2, ..GatheringRules::default() }, ..Rules::default() };
    rules.cameras.insert(SQUARE.parse().unwrap(), CameraRule { limit: Some(40.0), public_space: true });
    rules.positions.insert(SQUARE.parse().unwrap(), here());
    let clock = ManualClock::at(START);
    let (fusion, applied_row) = engine::recover(&store, None, rules, clock.utc()).await.unwrap();
    let (ring, cancel) = (Ring::<Arc<Alert>>::new("k", 1_024), CancellationToken::new());
    let parts = Parts { fusion, applied_row, store: store.clone(), journal: None, clock: Arc::new(clock.clone()), ring: ring.clone() };
    let (engine, task) = Engine::start(parts, cancel.clone());
    let (cursor, mut told) = (ring.cursor(), Vec::new());
    for (wait_ms, people, dense) in steps {
        clock.advance(Duration::from_millis(u64::try_from(*wait_ms).unwrap()));
        let now = clock.utc();
        let zone = |people: f32| ZoneCount { zone: "stairs".parse().unwrap(), people, low: people, high: people, area_m2: Some(8.0) };
        let seen = Count { zones: dense.map(zone).into_iter().collect(), ..count(SQUARE, *people, now) };
        engine.tell(Event::Count(seen)).await.unwrap();
        engine.tell(Event::Tick).await.unwrap();
        // What is asked for twice is answered after the round in which the count was taken.
        for _ in 0..2 {
            engine.rules().await.unwrap();
        }
        for alert in engine.open_alerts() {
            told.push(fate(&alert));
            if let Some(registers) = registers {
                let around = surroundings(&store, registers, now).await;
                assert!(!explain(&alert, &around, now).unwrap().lines.is_empty());
            }
        }
    }
    cancel.cancel();
    task.await.unwrap();
    let (shown, _) = ring.since(&cursor, 1_024).unwrap();
    told.extend(shown.iter().map(|alert| format!("ring {}", serde_json::to_string(&alert.cause).unwrap())));
    for id in 1..=store.next_alert_id().await.unwrap().0 {
        if let Some((alert, history)) = store.alert(AlertId(id)).await.unwrap() {
            told.push(format!("stored {alert:?} {history:?}"));
        }
    }
    store.close().await;
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 24, ..ProptestConfig::default() })]

    /// Two hubs with whatever in their registers and one with nothing tell the same of the same counts: no alert more or less, the same
    /// bytes, recipients, order and ways out. So a notified, an unnotified and a refused assembly score alike, and so do districts whose
    /// blocks of rule 3 differ.
    #[test]
    fn whatever_the_registers_hold_alerts_have_the_same_bytes(
        one in any_registers(),
        other in any_registers(),
        steps in proptest::collection::vec((1_000_i64..20_000, 0.0_f32..90.0, proptest::option::of(0.0_f32..60.0)), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = |registers: Option<&Registers>| {
            let dir = tempfile::tempdir().unwrap();
            runtime.block_on(run(dir.path(), &steps, registers))
        };
        let nothing = told(None);
        prop_assert_eq!(&told(Some(&one)), &nothing);
        prop_assert_eq!(&told(Some(&other)), &nothing);
    }
}

/// The same with counts that are known to raise: a test of equality over nothing would hold always.
#[tokio::test]
async fn a_crowd_that_becomes_dense_raises_the_same_beside_every_assembly() {
    let mut steps: Vec<Step> = (0..10).map(|_| (5_000, 60.0, None)).collect();
    steps.extend((0..10).map(|_| (5_000, 60.0, Some(50.0))));
    let registers = |kind| Registers { values: [Some(90.0); 4], assembly: kind, requests: 12, emergencies: 1, signals: 1, share: 9.0 };
    let mut all = Vec::new();
    for kind in [None, Some(0), Some(1), Some(2), Some(3)] {
        let dir = tempfile::tempdir().unwrap();
        all.push(run(dir.path(), &steps, Some(&registers(kind))).await);
    }
    assert!(all.iter().all(|told| told == &all[0]));
    let stored = all[0].last().unwrap();
    assert!(stored.starts_with("stored") && stored.contains("Critical") && stored.contains("AboveLimit"), "{stored}");
    let standing = |kind| assembly(kind).standing(date(2026, 11, 21), |_| true);
    assert_eq!([0, 1, 2, 3].map(standing), [Standing::Proceeds, Standing::Proceeds, Standing::Refused, Standing::Withdrawn]);
}

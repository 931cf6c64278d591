//! Supervision as a desk sees it: which troubles begin, change and end, told second by second.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use qorgan_alerts::supervision::{CATEGORIES, Class, Life, State, Supervised, Supervision, Timing, interval_of};
use qorgan_domain::{
    DeviceRef, Sign, SignKind, UtcMs,
    sign::{FLOOD, Scope, Trouble, TroubleKind},
};

use crate::make::after;

const INTERVAL_MS: i64 = 90_000;

fn id(device: &str) -> DeviceRef {
    device.parse().unwrap()
}

fn supervised(device: &str, provider: Option<&str>) -> Supervised {
    Supervised { device: id(device), class: Class::Button, interval_ms: Some(INTERVAL_MS), provider: provider.map(str::to_owned) }
}

/// A hub that hears the devices of `alive` every 30 s and ticks every second.
struct Scene {
    supervision: Supervision,
    now_ms: i64,
    alive: BTreeSet<String>,
    told: Vec<(i64, Trouble)>,
}

impl Scene {
    fn new(devices: impl IntoIterator<Item = Supervised>) -> Self {
        let devices: Vec<Supervised> = devices.into_iter().collect();
        let alive = devices.iter().map(|d| d.device.to_string()).collect();
        Self { supervision: Supervision::new(Timing::default(), devices, after(0)), now_ms: 0, alive, told: Vec::new() }
    }

    fn sites(sites: &[(&str, usize, Option<&str>)]) -> Self {
        let devices = sites.iter().flat_map(|(site, n, provider)| (0..*n).map(move |i| supervised(&format!("{site}/b{i}"), *provider)));
        Self::new(devices)
    }

    fn sign(&mut self, device: &str, kind: SignKind) {
        self.supervision.sign(&Sign { device: id(device), at: after(self.now_ms), kind });
    }

    fn run(&mut self, seconds: i64) -> &mut Self {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            if self.now_ms % 30_000 == 0 {
                for device in self.alive.clone() {
                    self.sign(&device, SignKind::Alive);
                }
            }
            let told = self.supervision.tick(after(self.now_ms));
            self.told.extend(told.into_iter().map(|trouble| (self.now_ms / 1_000, trouble)));
        }
        self
    }

    fn silence(&mut self, prefix: &str) -> &mut Self {
        self.alive.retain(|device| !device.starts_with(prefix));
        self
    }

    /// Power is back: they connect, which is a sign.
    fn back(&mut self, device: &str) -> &mut Self {
        self.alive.insert(device.to_owned());
        self.sign(device, SignKind::Alive);
        self
    }

    /// What was told since this was asked last: `+ scope n`, `~ scope n`, `- scope reason`.
    fn told(&mut self) -> Vec<String> {
        let mut open: BTreeSet<String> = BTreeSet::new();
        std::mem::take(&mut self.told)
            .into_iter()
            .map(|(_, t)| {
                let scope = match &t.scope {
                    Scope::Device(device) => device.to_string(),
                    Scope::Site(site) => format!("site {site}"),
                    Scope::Provider(name) => format!("provider {name}"),
                };
                let what = if t.kind == TroubleKind::Lost { scope.clone() } else { format!("{scope} {}", t.kind.as_str()) };
                if t.active {
                    let sign = if open.insert(what.clone()) { '+' } else { '~' };
                    format!("{sign} {what} {}", t.devices.len())
                } else {
                    format!("- {what}{}", t.reason.map(|r| format!(": {r}")).unwrap_or_default())
                }
            })
            .collect()
    }

    fn state(&self, device: &str) -> State {
        self.supervision.device(&id(device)).unwrap().state
    }
}

#[test]
fn categories_have_the_intervals_of_en_50136() {
    for category in CATEGORIES {
        assert!(interval_of(category).is_some(), "{category}");
    }
    assert_eq!((interval_of("dp4"), interval_of("sp6"), interval_of("sp2")), (Some(90_000), Some(20_000), Some(90_000_000)));
    assert_eq!(interval_of("sp7"), None);
}

#[test]
fn a_lost_device_is_told_after_its_interval_and_the_settle_time_and_ends_with_its_next_sign() {
    let mut scene = Scene::sites(&[("a", 2, None)]);
    scene.run(60).silence("a/b0");
    scene.run(91);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Lost, vec![]), "held back");
    scene.run(15);
    let (at, trouble) = scene.told[0].clone();
    assert_eq!((at, trouble.detail.as_deref(), trouble.since), (60 + 91 + 15, Some("no sign for 90 s"), after(60_000)));
    assert_eq!(scene.told(), ["+ a/b0 1"]);
    scene.run(60).back("a/b0").run(1);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Ok, vec!["- a/b0".to_owned()]));
}

#[test]
fn a_device_that_was_never_seen_is_never_and_no_trouble() {
    let mut scene = Scene::sites(&[("a", 2, None)]);
    scene.silence("a");
    scene.run(600);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Never, vec![]));
}

#[test]
fn a_device_without_an_interval_may_be_silent() {
    let mut scene = Scene::new([Supervised { interval_ms: None, ..supervised("a/b0", None) }]);
    scene.run(60).silence("a");
    scene.run(600);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Unsupervised, vec![]));
}

#[test]
fn a_broken_connection_alone_is_not_lost() {
    let mut scene = Scene::sites(&[("a", 2, None)]);
    scene.run(60).sign("a/b0", SignKind::Gone);
    scene.run(25);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Ok, vec![]));
}

#[test]
fn a_site_that_goes_dark_is_one_trouble_and_no_device_of_it_disappears() {
    let mut scene = Scene::sites(&[("a", 3, None), ("b", 1, None)]);
    scene.run(60).silence("a");
    scene.run(120);
    assert_eq!(scene.told(), ["+ site a 3"]);
    assert_eq!(scene.supervision.devices().iter().filter(|d| d.state == State::Lost).count(), 3);
    assert_eq!(scene.supervision.totals(), (3, 4));
    for device in ["a/b0", "a/b1", "a/b2"] {
        scene.back(device);
    }
    scene.run(1);
    assert_eq!(scene.told(), ["- site a"]);
}

#[test]
fn devices_that_fall_silent_together_are_one_trouble_although_their_last_signs_lie_apart() {
    let mut scene = Scene::sites(&[("a", 2, None)]);
    scene.run(60).silence("a");
    scene.run(25).sign("a/b1", SignKind::Alive);
    // Power is cut: the broker sees both connections break.
    scene.run(5);
    scene.sign("a/b0", SignKind::Gone);
    scene.sign("a/b1", SignKind::Gone);
    scene.run(110);
    assert_eq!(scene.told(), ["+ site a 1", "~ site a 2"]);
}

#[test]
fn a_site_that_comes_back_one_by_one_raises_nothing_and_what_stays_lost_is_told_when_it_has_settled() {
    let mut scene = Scene::sites(&[("a", 4, None)]);
    scene.run(60).silence("a");
    scene.run(120);
    for device in ["a/b0", "a/b1"] {
        scene.back(device).run(5);
    }
    assert_eq!(scene.told(), ["+ site a 4", "~ site a 3", "~ site a 2"]);
    scene.run(15);
    assert_eq!(scene.told(), ["+ a/b2 1", "+ a/b3 1", "- site a: others are back"]);
}

#[test]
fn a_device_whose_site_follows_becomes_part_of_the_sites_trouble() {
    let mut scene = Scene::sites(&[("a", 2, None)]);
    scene.run(60).silence("a/b0");
    scene.run(120);
    scene.silence("a");
    scene.run(120);
    assert_eq!(scene.told(), ["+ a/b0 1", "+ site a 2", "- a/b0: part of site a"]);
}

#[test]
fn three_dark_sites_of_a_provider_are_the_providers_trouble_and_two_are_not() {
    let mut scene = Scene::sites(&[("a", 2, Some("kt")), ("b", 1, Some("kt")), ("c", 2, Some("kt")), ("d", 2, Some("kt")), ("e", 2, None)]);
    scene.run(60).silence("a").silence("b");
    scene.run(120);
    assert_eq!(scene.told(), ["+ b/b0 1", "+ site a 2"]);
    scene.silence("c");
    scene.run(125);
    assert_eq!(scene.told(), ["+ provider kt 5", "- b/b0: part of provider kt", "- site a: part of provider kt"]);
    // One site comes back; the others are told by themselves when nothing more has come back for a while.
    scene.back("a/b0").back("a/b1").run(5);
    assert_eq!(scene.told(), ["+ provider kt 3"]);
    scene.run(15);
    assert_eq!(scene.told(), ["+ b/b0 1", "+ site c 2", "- provider kt: others are back"]);
}

#[test]
fn an_edge_box_takes_its_site_with_it() {
    let edge = Supervised { class: Class::Edge, ..supervised("a/edge", None) };
    let mut scene = Scene::new([edge, supervised("b/b0", None)]);
    scene.run(60).silence("a");
    scene.run(120);
    assert_eq!(scene.told(), ["+ site a 1"]);
}

#[test]
fn a_chattering_device_stays_lost_until_it_was_alive_for_two_minutes() {
    let mut scene = Scene::sites(&[("a", 1, None)]);
    scene.run(60).silence("a");
    for _ in 0..3 {
        scene.run(110).back("a/b0").run(1).silence("a");
    }
    let told = scene.told();
    assert_eq!(told.iter().filter(|line| line.starts_with('-')).count(), 3, "three are not yet too many: {told:?}");
    scene.run(110).back("a/b0").run(100);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Lost, vec!["+ a/b0 1".to_owned()]), "the fourth");
    scene.run(25);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Ok, vec!["- a/b0".to_owned()]));
}

#[test]
fn battery_and_clock_end_only_when_they_are_clearly_better() {
    let mut scene = Scene::sites(&[("a", 1, None)]);
    let battery = |percent| SignKind::Battery { percent: Some(percent), low: false };
    let clock = |s: i64| SignKind::Clock { offset_ms: s * 1_000 };
    for (percent, told) in [
        (21, vec![]),
        (20, vec!["+ a/b0 battery 1"]),
        (24, vec!["+ a/b0 battery 1"]),
        (25, vec!["+ a/b0 battery 1"]),
        (26, vec!["- a/b0 battery"]),
        (24, vec![]),
    ] {
        scene.sign("a/b0", battery(percent));
        scene.run(1);
        assert_eq!(scene.told(), told, "{percent} %");
    }
    for (seconds, told) in
        [(60, vec![]), (-61, vec!["+ a/b0 clock 1"]), (-45, vec![]), (30, vec![]), (29, vec!["- a/b0 clock"]), (45, vec![])]
    {
        scene.sign("a/b0", clock(seconds));
        scene.run(1);
        assert_eq!(scene.told(), told, "{seconds} s");
    }
}

#[test]
fn faults_are_one_trouble_each_with_their_own_end() {
    let mut scene = Scene::sites(&[("a", 1, None)]);
    scene.sign("a/b0", SignKind::Tamper { open: true });
    scene.sign("a/b0", SignKind::Mains { ok: false });
    scene.sign("a/b0", SignKind::Fault { ok: false, code: "YT".into() });
    scene.sign("a/b0", SignKind::Fault { ok: false, code: "JA".into() });
    scene.run(1);
    assert_eq!(scene.told[2].1.detail.as_deref(), Some("JA, YT"));
    assert_eq!(scene.told(), ["+ a/b0 mains 1", "+ a/b0 tamper 1", "+ a/b0 fault 1"]);
    scene.sign("a/b0", SignKind::Tamper { open: false });
    scene.sign("a/b0", SignKind::Fault { ok: true, code: "YT".into() });
    scene.run(1);
    assert_eq!(scene.told(), ["+ a/b0 fault 1", "- a/b0 tamper"]);
}

#[test]
fn a_flood_ends_by_itself_when_nothing_more_is_held_back() {
    let mut scene = Scene::sites(&[("a", 1, None)]);
    for _ in 0..3 {
        scene.sign("a/b0", SignKind::Fault { ok: false, code: FLOOD.into() });
        scene.run(10);
    }
    assert_eq!(scene.told(), ["+ a/b0 flood 1"]);
    scene.run(60);
    assert_eq!(scene.told(), ["- a/b0 flood"]);
}

#[test]
fn a_deaf_hub_loses_nobody_and_gives_everybody_time_to_come_back() {
    let mut scene = Scene::sites(&[("a", 2, None)]);
    scene.run(60).silence("a");
    scene.supervision.hears_mqtt(false, after(scene.now_ms));
    scene.run(600);
    scene.supervision.hears_mqtt(true, after(scene.now_ms));
    scene.run(115);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Ok, vec![]));
    scene.run(30);
    assert_eq!(scene.told(), ["+ site a 2"]);
}

#[test]
fn a_hub_that_slept_or_whose_clock_was_set_loses_nobody_for_that() {
    for jump_ms in [3_600_000, -3_600_000] {
        let mut scene = Scene::sites(&[("a", 2, None)]);
        scene.run(60);
        scene.now_ms += jump_ms;
        scene.run(300);
        assert_eq!((scene.state("a/b0"), scene.told()), (State::Ok, vec![]), "{jump_ms}");
    }
}

/// Ends the hub and starts it anew after `pause_ms`, with the troubles that stand.
fn restart(scene: &mut Scene, devices: Vec<Supervised>, standing: Vec<Trouble>, pause_ms: i64) {
    let lives: Vec<Life> = scene.supervision.to_keep(true);
    scene.now_ms += pause_ms;
    let now = after(scene.now_ms);
    scene.supervision = Supervision::new(Timing::default(), devices, now);
    scene.supervision.restore(lives, standing, now);
}

#[test]
fn a_restart_raises_nothing_and_ends_nothing_and_goes_on() {
    let devices = || (0..3).map(|i| supervised(&format!("a/b{i}"), None)).chain([supervised("b/b0", None)]).collect::<Vec<_>>();
    let mut scene = Scene::new(devices());
    scene.run(60).silence("a");
    scene.sign("b/b0", SignKind::Tamper { open: true });
    scene.run(120);
    let standing: Vec<Trouble> = scene.told.iter().map(|(_, t)| t.clone()).collect();
    assert_eq!(scene.told(), ["+ b/b0 tamper 1", "+ site a 3"]);
    restart(&mut scene, devices(), standing, 3_600_000);
    scene.run(119);
    assert_eq!((scene.state("a/b0"), scene.state("b/b0"), scene.told()), (State::Lost, State::Ok, vec![]));
    scene.sign("b/b0", SignKind::Tamper { open: false });
    for device in ["a/b0", "a/b1", "a/b2"] {
        scene.back(device);
    }
    scene.run(1);
    assert_eq!(scene.told(), ["- b/b0 tamper", "- site a"]);
}

#[test]
fn after_a_restart_nobody_is_lost_before_one_interval_and_the_grace() {
    let devices = || vec![supervised("a/b0", None), supervised("a/b1", None)];
    let mut scene = Scene::new(devices());
    scene.run(60).silence("a");
    restart(&mut scene, devices(), Vec::new(), 3_600_000);
    scene.run(120);
    assert_eq!((scene.state("a/b0"), scene.told()), (State::Ok, vec![]));
    scene.run(30);
    assert_eq!(scene.told(), ["+ site a 2"], "it was alive before, so its silence is a trouble");
}

#[test]
fn a_device_that_is_taken_out_takes_its_troubles_with_it() {
    let mut scene = Scene::sites(&[("a", 1, None)]);
    scene.sign("a/b0", SignKind::Tamper { open: true });
    scene.run(60).silence("a");
    scene.run(120);
    scene.told();
    scene.supervision.remove(&id("a/b0"));
    scene.run(1);
    assert_eq!(scene.told(), ["- a/b0 tamper: no longer supervised", "- a/b0: no longer supervised"]);
    assert!(scene.supervision.devices().is_empty());
}

#[test]
fn proofs_of_life_are_kept_once_a_minute_and_states_at_once() {
    let mut scene = Scene::sites(&[("a", 1, None)]);
    scene.run(30);
    assert_eq!(scene.supervision.to_keep(false).len(), 1);
    scene.run(30);
    assert_eq!(scene.supervision.to_keep(false).len(), 0);
    assert_eq!(scene.supervision.to_keep(true).len(), 1);
    scene.sign("a/b0", SignKind::Tamper { open: true });
    let lives = scene.supervision.to_keep(false);
    assert_eq!(lives.len(), 1);
    scene.supervision.not_kept(&lives);
    assert_eq!(scene.supervision.to_keep(false), lives, "offered again");
}

#[test]
fn ten_thousand_devices_are_nothing() {
    let sites: Vec<String> = (0..1_000).map(|i| format!("s{i}")).collect();
    let devices = sites.iter().flat_map(|site| (0..10).map(move |i| supervised(&format!("{site}/b{i}"), Some("kt"))));
    let mut supervision = Supervision::new(Timing::default(), devices.collect::<Vec<_>>(), after(0));
    let names: Vec<DeviceRef> = supervision.devices().into_iter().map(|d| d.device).collect();
    let start = std::time::Instant::now();
    for second in 1..=60 {
        let at = after(second * 1_000);
        names.iter().for_each(|device| supervision.alive(device, at));
        assert!(supervision.tick(at).is_empty());
    }
    // A minute of it takes well under a second in a release build; this bound is for a busy machine and no optimisation.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    let mut told = 0;
    for second in 61..=200 {
        told += supervision.tick(after(second * 1_000)).len();
    }
    assert_eq!(told, 1, "everything dark is one trouble");
}

/// One step of a random story.
#[derive(Debug, Clone)]
enum Step {
    Sign(usize, SignKind),
    Wait(i64),
    Remove(usize),
    Deaf(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        8 => Just(SignKind::Alive),
        2 => Just(SignKind::Gone),
        1 => (0_u8..100, any::<bool>()).prop_map(|(percent, low)| SignKind::Battery { percent: Some(percent), low }),
        1 => any::<bool>().prop_map(|ok| SignKind::Mains { ok }),
        1 => any::<bool>().prop_map(|open| SignKind::Tamper { open }),
        1 => (-100_000_i64..100_000).prop_map(|offset_ms| SignKind::Clock { offset_ms }),
        1 => any::<bool>().prop_map(|ok| SignKind::Fault { ok, code: "YT".into() }),
        1 => Just(SignKind::Fault { ok: false, code: FLOOD.into() }),
    ];
    prop_oneof![
        12 => (0_usize..12, kind).prop_map(|(device, kind)| Step::Sign(device, kind)),
        8 => (1_i64..40).prop_map(Step::Wait),
        1 => (0_usize..12).prop_map(Step::Remove),
        1 => any::<bool>().prop_map(Step::Deaf),
    ]
}

fn fleet() -> Vec<Supervised> {
    // Five sites, two providers, one edge box, one device without an interval.
    let mut devices: Vec<Supervised> = (0..12)
        .map(|i| supervised(&format!("s{}/b{i}", i % 5), [None, Some("x"), Some("y")][i % 3]))
        .map(|device| Supervised { interval_ms: Some(20_000), ..device })
        .collect();
    devices[3].class = Class::Edge;
    devices[7].interval_ms = None;
    devices
}

type Key = (Scope, TroubleKind);

/// Plays a story and checks after every tick what must always hold.
fn play(story: &[Step]) -> Vec<Trouble> {
    let timing = Timing { settle_ms: 5_000, start_grace_ms: 10_000 };
    let fleet = fleet();
    let mut removed = BTreeSet::new();
    let mut supervision = Supervision::new(timing, fleet.clone(), after(0));
    let mut active: BTreeMap<Key, Trouble> = BTreeMap::new();
    let mut lost_for: BTreeMap<DeviceRef, i64> = BTreeMap::new();
    let (mut now_ms, mut all) = (0, Vec::new());
    for step in story {
        match step {
            Step::Sign(device, kind) => {
                supervision.sign(&Sign { device: fleet[*device].device.clone(), at: after(now_ms), kind: kind.clone() });
            }
            Step::Remove(device) => {
                supervision.remove(&fleet[*device].device);
                removed.insert(*device);
            }
            Step::Deaf(deaf) => supervision.hears_mqtt(!deaf, after(now_ms)),
            Step::Wait(seconds) => {
                for _ in 0..*seconds {
                    now_ms += 1_000;
                    let told = supervision.tick(after(now_ms));
                    for trouble in &told {
                        let key = (trouble.scope.clone(), trouble.kind);
                        if trouble.active {
                            assert!(!trouble.devices.is_empty(), "an active trouble names its devices: {trouble:?}");
                            let old = active.insert(key, trouble.clone());
                            assert_ne!(old.as_ref(), Some(trouble), "no news is not told");
                        } else {
                            assert!(active.remove(&key).is_some(), "an end without a beginning: {trouble:?}");
                        }
                    }
                    all.extend(told);
                    let devices = supervision.devices();
                    assert_eq!(devices.len(), fleet.len() - removed.len(), "no device disappears");
                    let mut covered: BTreeMap<&DeviceRef, usize> = BTreeMap::new();
                    for device in active.values().filter(|t| t.kind == TroubleKind::Lost).flat_map(|t| &t.devices) {
                        *covered.entry(device).or_default() += 1;
                    }
                    for status in &devices {
                        let lost = lost_for.entry(status.device.clone()).or_default();
                        *lost = if status.state == State::Lost { *lost + 1 } else { 0 };
                        let by = covered.remove(&status.device).unwrap_or(0);
                        match *lost {
                            0 => assert_eq!(by, 0, "{} is not lost and told lost", status.device),
                            // Held back, or told already because its site is.
                            1..=5 => assert!(by <= 1),
                            _ => assert_eq!(by, 1, "{} is lost for {lost} s", status.device),
                        }
                    }
                    assert!(covered.is_empty(), "told of devices that are not there: {covered:?}");
                }
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_lost_device_is_in_one_trouble_and_troubles_come_in_pairs(story in proptest::collection::vec(step(), 1..120)) {
        let told = play(&story);
        prop_assert_eq!(told, play(&story), "the same story is told the same");
    }

    #[test]
    fn no_state_that_was_kept_stops_a_start(state in ".{0,40}", seen in any::<i64>()) {
        let mut supervision = Supervision::new(Timing::default(), fleet(), after(0));
        supervision.restore([Life { device: id("s0/b0"), seen_at: UtcMs(seen), state }], [], after(0));
        supervision.tick(after(1_000));
    }
}

fn lens(device: &str) -> Supervised {
    Supervised { class: Class::Camera, ..supervised(device, None) }
}

#[test]
fn dark_cameras_of_a_site_with_nothing_else_are_one_trouble() {
    let mut scene = Scene::new(["square/a", "square/b", "square/c"].map(lens));
    scene.run(60).silence("square");
    scene.run(91 + 15);
    assert_eq!(scene.told(), ["+ site square 3"]);
    scene.run(60).back("square/a").back("square/b").back("square/c").run(20);
    assert_eq!(scene.told(), ["- site square"]);
}

#[test]
fn a_dark_camera_makes_no_site_dark_whose_buttons_live_and_live_cameras_keep_no_site_alight() {
    let mut scene = Scene::new([supervised("school/b0", None), supervised("school/b1", None), lens("school/yard"), lens("school/gate")]);
    scene.run(60).silence("school/yard");
    scene.run(91 + 15);
    assert_eq!(scene.told(), ["+ school/yard 1"]);
    assert_eq!(scene.supervision.totals(), (0, 2), "cameras are counted on their own page");
    scene.silence("school/b");
    scene.run(121 + 15);
    let told = scene.told();
    assert!(told.iter().any(|t| t.starts_with("+ site school")), "{told:?}");
}

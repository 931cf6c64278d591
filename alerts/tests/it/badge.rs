//! Badges: what their segments, their silence and their goodbye become, second by second on a clock of the test's own.

use qorgan_alerts::badge::{BadgeRules, Badges, Verdict};
use qorgan_domain::{DeviceRef, UtcMs, badge::Segment, sign::TroubleKind};

struct Worn {
    badges: Badges,
    id: DeviceRef,
    /// Seconds.
    now: i64,
}

impl Worn {
    fn new() -> Self {
        let id: DeviceRef = "centre/badge-2".parse().unwrap();
        let mut badges = Badges::new(BadgeRules::default(), UtcMs(0));
        badges.add(id.clone());
        Self { badges, id, now: 0 }
    }
    /// A segment whose digest follows from its number.
    fn segment(&mut self, seq: u64) -> Verdict {
        self.segment_after(seq, seq.checked_sub(1))
    }
    fn segment_after(&mut self, seq: u64, previous: Option<u64>) -> Verdict {
        let digest = |seq: u64| [u8::try_from(seq).unwrap(); 32].into();
        let at = UtcMs(self.now * 1_000);
        let segment = Segment { badge: self.id.clone(), seq, sha256: digest(seq), previous: previous.map(digest), at, received_at: at };
        self.badges.segment(&segment).unwrap()
    }
    /// Lets seconds pass; what was told in them, each with its second.
    fn pass(&mut self, seconds: i64) -> Vec<(i64, String)> {
        let mut told = Vec::new();
        for _ in 0..seconds {
            self.now += 1;
            for trouble in self.badges.tick(UtcMs(self.now * 1_000)) {
                assert_eq!(trouble.kind, TroubleKind::Badge);
                told.push((self.now, trouble.detail.unwrap_or_else(|| "over".to_owned())));
            }
        }
        told
    }
    fn here(&mut self) {
        self.badges.positioned(&self.id, UtcMs(self.now * 1_000));
    }
}

#[test]
fn a_badge_that_was_never_on_is_no_trouble_and_a_good_one_neither() {
    let mut worn = Worn::new();
    assert_eq!(worn.pass(300), []);
    for seq in 0..20 {
        worn.here();
        assert_eq!(worn.segment(seq), Verdict::InPlace);
        assert_eq!(worn.pass(10), []);
    }
}

#[test]
fn a_missing_segment_is_told_at_once_and_stays() {
    let mut worn = Worn::new();
    worn.here();
    worn.segment(1);
    worn.pass(10);
    assert_eq!(worn.segment_after(4, Some(3)), Verdict::Missing(2));
    assert_eq!(worn.pass(1), [(11, "missing 2-3".into())]);
    worn.here();
    assert_eq!(worn.segment(5), Verdict::InPlace);
    assert_eq!(worn.pass(20), [], "it is not told twice, and it never ends by itself");
    assert_eq!(worn.badges.wrong_with(&worn.id), Some("missing 2-3"));
}

#[test]
fn a_chain_that_was_cut_or_written_anew_is_told() {
    let mut worn = Worn::new();
    worn.here();
    worn.segment(1);
    assert_eq!(worn.segment_after(2, Some(9)), Verdict::Broken);
    assert_eq!(worn.pass(1), [(1, "broken 2".into())]);
    let mut worn = Worn::new();
    worn.here();
    worn.segment(1);
    worn.segment(2);
    assert_eq!(worn.segment(2), Verdict::Repeat, "the same word twice is no fault");
    assert_eq!(worn.pass(1), []);
    let other =
        Segment { badge: worn.id.clone(), seq: 1, sha256: [77; 32].into(), previous: None, at: UtcMs(1_000), received_at: UtcMs(1_000) };
    assert_eq!(worn.badges.segment(&other), Some(Verdict::Rewritten), "another recording under an old number");
    assert_eq!(worn.pass(1), [(2, "broken 1".into())]);
}

#[test]
fn power_off_silence_and_a_lost_position_are_told_within_a_minute_and_end() {
    let mut worn = Worn::new();
    worn.here();
    worn.segment(1);
    worn.badges.gone(&worn.id, UtcMs(0));
    assert_eq!(worn.pass(60), [(10, "off".into())]);
    worn.here();
    worn.segment(2);
    assert_eq!(worn.pass(1), [(61, "over".into())]);

    let mut worn = Worn::new();
    worn.here();
    worn.segment(1);
    let told = worn.pass(60);
    assert_eq!(told, [(46, "silent".into()), (51, "silent; no_position".into())]);

    let mut worn = Worn::new();
    worn.here();
    for seq in 1..=6 {
        worn.segment(seq);
        let told = worn.pass(10);
        assert_eq!(told, if seq < 6 { vec![] } else { vec![(51, "no_position".to_owned())] });
    }
}

#[test]
fn a_moment_without_connection_and_a_deaf_hub_are_no_fault() {
    let mut worn = Worn::new();
    worn.here();
    worn.segment(1);
    worn.badges.gone(&worn.id, UtcMs(0));
    worn.pass(5);
    worn.badges.back(&worn.id);
    assert_eq!(worn.pass(20), []);
    worn.badges.hears(false, UtcMs(25_000));
    assert_eq!(worn.pass(200), []);
    worn.badges.hears(true, UtcMs(225_000));
    assert_eq!(worn.pass(45), []);
    assert_eq!(worn.pass(1), [(271, "silent".into())]);
}

#[test]
fn a_restart_forgets_neither_the_chain_nor_what_was_told() {
    let mut worn = Worn::new();
    worn.here();
    worn.segment(1);
    worn.segment_after(3, Some(2));
    assert_eq!(worn.pass(1), [(1, "missing 2".into())]);
    let kept = worn.badges.to_keep();
    let mut again = Worn::new();
    again.badges.restore(&kept);
    again.now = 1;
    assert_eq!(again.pass(5), []);
    assert_eq!(again.segment_after(5, Some(4)), Verdict::Missing(1), "what was missed while the hub was down is missed");
    assert_eq!(again.pass(1), [(7, "missing 2; missing 4".into())]);
}

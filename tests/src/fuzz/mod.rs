//! Random inputs for every reader of bytes from outside, without a compiler of its own: seeds are cut, joined, repeated and lied
//! about. It knows no coverage; an input that is judged in a way not seen before becomes a seed.

pub mod targets;

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// An input that takes longer than this, each of three times, is an attack.
const SLOW: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });
/// An input that is still being read after this is read for ever.
const FOR_EVER: Duration = Duration::from_secs(20);
/// Inputs are at most this long.
const MAX_LENGTH: usize = 64 * 1024;
/// Seeds that are kept at most.
const MAX_SEEDS: usize = 2_000;

/// One reader.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Reads an input and says in a word how it judged.
    pub run: fn(&[u8]) -> &'static str,
    /// What to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every reader.
pub const TARGETS: &[Target] = &[
    Target { name: "mqtt_payload", run: targets::mqtt_payload, seeds: payload_seeds },
    Target { name: "topic", run: targets::topic, seeds: topic_seeds },
    Target { name: "cap", run: targets::cap, seeds: cap_seeds },
    Target { name: "dc09", run: targets::dc09, seeds: dc09_seeds },
    Target { name: "access_unit", run: targets::access_unit, seeds: access_unit_seeds },
    Target { name: "table", run: targets::table, seeds: table_seeds },
    Target { name: "feed", run: targets::feed, seeds: feed_seeds },
];

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Inputs that were read.
    pub executions: u64,
    /// Ways in which inputs were judged.
    pub judged: BTreeSet<&'static str>,
    /// Inputs that made the reader panic; the first few.
    pub panics: Vec<Vec<u8>>,
    /// How many did.
    pub panicked: u64,
    /// Inputs that took too long.
    pub slow: Vec<Vec<u8>>,
}

/// Feeds a reader for some time. The same seed gives the same inputs.
pub fn fuzz(target: &Target, time: Duration, seed: u64) -> Outcome {
    let (began, mut rng) = (Instant::now(), StdRng::seed_from_u64(seed));
    let (mut corpus, mut outcome) = ((target.seeds)(), Outcome::default());
    let watch = Watch::start(target.name);
    let mut next = 0;
    while outcome.executions == 0 || began.elapsed() < time {
        // Every seed as it is, once.
        let input = corpus.get(next).cloned().unwrap_or_else(|| mutate(&mut rng, &corpus));
        next += 1;
        outcome.executions += 1;
        let start = Instant::now();
        watch.look_at(Some(&input));
        match catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
            Ok(word) => {
                // Not the machine's doing: it must be slow every time.
                if start.elapsed() > SLOW && (0..2).all(|_| took(target, &input) > SLOW) {
                    outcome.slow.push(input.clone());
                }
                if outcome.judged.insert(word) && corpus.len() < MAX_SEEDS {
                    corpus.push(input);
                }
            }
            Err(_) => {
                outcome.panicked += 1;
                if outcome.panics.len() < 5 {
                    outcome.panics.push(input);
                }
            }
        }
    }
    watch.look_at(None);
    outcome
}

/// Ends the process when an input is read for ever, and says which: nothing else can stop a reader that does not return.
struct Watch(Arc<Mutex<(Instant, Option<Vec<u8>>)>>);

impl Watch {
    fn start(target: &'static str) -> Self {
        let shared = Arc::new(Mutex::new((Instant::now(), None::<Vec<u8>>)));
        let seen = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            while let Some(shared) = seen.upgrade() {
                if let (since, Some(input)) = &*shared.lock().unwrap_or_else(PoisonError::into_inner)
                    && since.elapsed() > FOR_EVER
                {
                    eprintln!("{target} reads for ever on: {}", String::from_utf8_lossy(input).escape_debug());
                    std::process::abort();
                }
                drop(shared);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self(shared)
    }

    fn look_at(&self, input: Option<&[u8]>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), input.map(<[u8]>::to_vec));
    }
}

fn took(target: &Target, input: &[u8]) -> Duration {
    let start = Instant::now();
    let _ = (target.run)(input);
    start.elapsed()
}

/// One input made of others.
fn mutate(rng: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = if corpus.is_empty() { Vec::new() } else { corpus[rng.random_range(0..corpus.len())].clone() };
    for _ in 0..rng.random_range(1..=6) {
        let at = rng.random_range(0..=input.len());
        let end = rng.random_range(at..=input.len().min(at + 64));
        match rng.random_range(0..10) {
            0 if at < input.len() => input[at] ^= 1 << rng.random_range(0..8),
            1 if at < input.len() => input[at] = rng.random(),
            2 => input.truncate(at),
            3 => drop(input.drain(at..end)),
            // Duplicate a piece, some often: depth and length.
            4 => {
                let piece = input[at..end].to_vec();
                let times = if rng.random_ratio(1, 50) { rng.random_range(1..1_000) } else { rng.random_range(1..4) };
                drop(input.splice(at..at, piece.repeat(times)));
            }
            // The head of this, the tail of another.
            5 if !corpus.is_empty() => {
                let other = &corpus[rng.random_range(0..corpus.len())];
                input.truncate(at);
                input.extend(&other[rng.random_range(0..=other.len())..]);
            }
            6 => input.insert(at, MARKS[rng.random_range(0..MARKS.len())]),
            // A number that is another one: lengths, sequence numbers, times.
            7 => {
                let digits: Vec<usize> = (0..input.len()).filter(|i| input[*i].is_ascii_hexdigit()).collect();
                if let Some(place) = (!digits.is_empty()).then(|| digits[rng.random_range(0..digits.len())]) {
                    let lie = LIES[rng.random_range(0..LIES.len())];
                    let until = (place..input.len()).find(|i| !input[*i].is_ascii_digit()).unwrap_or(input.len()).max(place + 1);
                    drop(input.splice(place..until, lie.bytes()));
                }
            }
            8 => drop(input.splice(at..end, (0..rng.random_range(0..8)).map(|_| 0xF5_u8).collect::<Vec<_>>())),
            _ => drop(input.splice(at..at, WORDS[rng.random_range(0..WORDS.len())].bytes())),
        }
        input.truncate(MAX_LENGTH);
    }
    input
}

const MARKS: &[u8] = b"{}[]\",:\\/#|\0\n\r<>&;%+-eE.*";

const LIES: [&str; 14] = [
    "0",
    "1",
    "-1",
    "00",
    "FFFF",
    "0000",
    "127",
    "65535",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e-400",
];

const WORDS: [&str; 16] = [
    "null",
    "true",
    "{}",
    "\"test\":true",
    "\"signal\":\"cancel\"",
    "\\u0000",
    "\\ud800",
    "alarm/receipt",
    "../",
    "+/",
    "#",
    "\u{202e}",
    "\u{0}",
    "NaN",
    "2026-11-21T10:00:00Z",
    "9999-12-31T23:59:59.999999999+14:00",
];

fn table_seeds() -> Vec<Vec<u8>> {
    let long = "\u{feff}area;indicator;period;value;cases\r\n311000000;housing-complaints;2026-09;\"12,5\";120\r\n";
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let cells =
        ["area", "indicator", "period", "value"].into_iter().zip(0_u16..).try_for_each(|(text, n)| sheet.write(0, n, text).map(drop));
    let workbook = cells.and_then(|()| book.save_to_buffer()).unwrap_or_default();
    let utf16 = [0xFF, 0xFE].into_iter().chain(long.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    vec![
        long.into(),
        utf16,
        workbook,
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(),
        b"\xC0\xF3\xE4\xE0\xED;\xCC\xBC\xED\xB3\r\n1;2\r\n".to_vec(),
    ]
}

fn feed_seeds() -> Vec<Vec<u8>> {
    let rss = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>t</title><item><guid>1</guid><title>В Таразе включили отопление</title>\
               <description><![CDATA[<script>x</script><b>y</b>]]></description><pubDate>Mon, 05 Oct 2026 09:00:00 +0500</pubDate></item></channel></rss>";
    let atom = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>t</title><id>f</id><updated>2026-10-05T09:00:00Z</updated><entry><title>Шу ауданында мектеп</title>\
                <id>e</id><updated>2026-10-05T09:00:00Z</updated></entry></feed>";
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaa\">]><rss><channel><title>&a;</title></channel></rss>";
    [rss, atom, bomb].map(|text| text.as_bytes().to_vec()).to_vec()
}

fn payload_seeds() -> Vec<Vec<u8>> {
    let good = [
        (0, r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5,"low":3,"high":7.5,"model":"nanodet","unchanged":true}"#),
        (1, r#"{"v":1,"kind":"panic","seq":7,"boot":"b3f1","at":"2026-11-21T10:00:00Z","test":true,"signal":"press","later":{"a":[1,2]}}"#),
        (2, r#"{"v":1,"kind":"hold_up","seq":7,"zone":"129","door":"dc09","heard_at":"2026-11-21T09:00:00Z","signal":"restore"}"#),
        (3, r#"{"v":1,"state":"online","at":"2026-11-21T10:00:00Z","battery_percent":80,"tamper":false,"mains":true}"#),
        (4, r#"{"v":1,"at":"2026-11-21T10:00:00Z","kind":"temperature","value":21.5,"unit":"degC"}"#),
        (5, r#"{"v":1,"at":"2026-11-21T10:00:00Z","lat":42.9,"lon":71.37,"accuracy_m":12}"#),
        (6, r#"{"v":1,"alert":12,"status":"declined","reason":"flat tyre"}"#),
        (
            7,
            r#"{"v":1,"id":"e-17","at":"2026-11-21T10:00:00Z","lat":42.9,"lon":71.37,"kind":"dangerous_driving","text":"white car 123 ABC 08"}"#,
        ),
        (7, r#"{"v":1,"seq":7,"boot":"b3f1","journal":12,"stored_at":"2026-11-21T10:00:00Z","repeat":false}"#),
    ];
    good.into_iter().map(|(which, text)| [&[which], text.as_bytes()].concat()).collect()
}

fn topic_seeds() -> Vec<Vec<u8>> {
    let users = ["school-17/gate", "edge/school-17", "desk/aigerim", "unit/patrol-2", "hazard/road", "hub"];
    let topics = [
        "qorgan/v1/school-17/gate/alarm",
        "qorgan/v1/school-17/gate/alarm/receipt",
        "qorgan/v1/school-17/+/alarm/receipt",
        "qorgan/v1/+/+/count",
        "qorgan/v1/alert/12",
        "qorgan/v1/alert/+",
        "qorgan/v1/unit/patrol-2/position",
        "qorgan/v1/unit/patrol-2/order/receipt",
        "qorgan/v1/hazard/road",
        "#",
        "$SYS/#",
    ];
    users.iter().flat_map(|user| topics.iter().map(move |topic| format!("{user}\n{topic}").into_bytes())).collect()
}

fn cap_seeds() -> Vec<Vec<u8>> {
    let whole = r#"<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a-1</identifier>
<sender>hub@example.kz</sender><sent>2026-11-21T10:00:00+05:00</sent><status>Actual</status><msgType>Update</msgType><scope>Restricted</scope>
<restriction>duty</restriction><references>hub@example.kz,a-0,2026-11-21T09:59:00+05:00</references><info><language>kk</language>
<category>Safety</category><event>panic</event><responseType>Assess</responseType><urgency>Immediate</urgency><severity>Extreme</severity>
<certainty>Observed</certainty><eventCode><valueName>k</valueName><value>panic</value></eventCode><expires>2026-11-21T11:00:00+05:00</expires>
<headline>h &amp; &#65;</headline><resource><resourceDesc>d</resourceDesc><mimeType>image/png</mimeType><size>12</size></resource>
<area><areaDesc>Taraz</areaDesc><polygon>42.9,71.3 43.0,71.3 43.0,71.4 42.9,71.3</polygon><circle>42.9,71.37 0.1</circle>
<geocode><valueName>kato</valueName><value>311000000</value></geocode><altitude>2000</altitude></area></info></alert>"#;
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;">]><alert>&c;</alert>"#;
    let old = whole.replace("cap:1.2", "cap:1.1").replace("UTF-8", "iso-8859-1");
    vec![whole.into(), old.into(), bomb.into(), b"<?xml version='1.0' encoding='utf-16'?><a/>".to_vec()]
}

fn dc09_seeds() -> Vec<Vec<u8>> {
    // The first byte is how the frame is made; see the target.
    let bodies: [&[u8]; 7] = [
        b"\"SIA-DCS\"0001R1L0#1234[#1234|Nri1/PA005^text^|Amore][X071E30.5N042E54.1][H13:59:58,12-31-2012]_13:59:59,12-31-2012",
        b"\"ADM-CID\"9876R579BDFL789ABC#12345A[#12345A|1110 00 129]",
        b"\"NULL\"0000R0L0#AAAB[]",
        b"\"ACK\"0001R1L0#1234[]",
        b"\"NAK\"0000R0L0A0[]_13:59:59,12-31-2012",
        b"\"*SIA-DCS\"5994L0#AAA[5AB718E008C616BF16F6468033A11326B0F7546CAB230910BCA10E4DEBA42283C436E4F8EFF50931070DDE36D5BB5F0C",
        b"\"SIA-DCS\"0002R1L0#1234[#1234|ORR|NCL0^^|NTA129/NOP1]",
    ];
    bodies.iter().flat_map(|body| [0, 1, 2].map(|how| [&[how], *body].concat())).collect()
}

fn access_unit_seeds() -> Vec<Vec<u8>> {
    // Test pictures made with ffmpeg: x264, x265, and a JPEG.
    let h264 = include_bytes!("../../data/access-units/key-and-delta.h264");
    let h265 = include_bytes!("../../data/access-units/key.h265");
    let jpeg = include_bytes!("../../data/access-units/picture.jpg");
    let sized = [b"--b\r\nContent-Length: 421\r\n\r\n".as_slice(), jpeg, b"\r\n--b\r\n"].concat();
    let open = [b"--b\r\n\r\n".as_slice(), jpeg, b"\r\n--b\r\n"].concat();
    let stamps: Vec<u8> = (0..64_i32).flat_map(|n| (n * 3600).to_be_bytes()).collect();
    let still = vec![7; 400];
    let hops = b"/other\nrtsp://elsewhere.local/x\nhttp://10.0.0.1/";
    let inputs: [(u8, &[u8]); 8] = [(0, h264), (1, h265), (2, &sized), (38, &open), (3, jpeg), (4, &stamps), (4, &still), (5, hops)];
    inputs.into_iter().map(|(how, data)| [&[how], data].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short run of every reader; `make fuzz` is the long one.
    #[test]
    fn no_reader_panics_or_dawdles_on_random_input() {
        for target in TARGETS {
            let outcome = fuzz(target, Duration::from_secs(3), 1);
            assert_eq!((&outcome.panics, &outcome.slow), (&vec![], &vec![]), "{}", target.name);
            assert!(outcome.judged.len() > 3, "{} is hardly reached: {:?}", target.name, outcome.judged);
        }
    }

    #[test]
    fn a_reader_that_panics_and_one_that_dawdles_are_found() {
        fn fragile(data: &[u8]) -> &'static str {
            assert!(data.len() < 40, "too long for me");
            "short"
        }
        fn lazy(data: &[u8]) -> &'static str {
            std::thread::sleep(if data.contains(&b'#') { SLOW * 2 } else { Duration::ZERO });
            "done"
        }
        let seeds = || vec![vec![b'x'; 30]];
        let found = fuzz(&Target { name: "fragile", run: fragile, seeds }, Duration::from_millis(500), 1);
        assert!(found.panicked > 0 && found.panics[0].len() >= 40);
        let found = fuzz(&Target { name: "lazy", run: lazy, seeds: || vec![b"#".to_vec()] }, Duration::from_millis(1), 1);
        assert_eq!(found.slow, [b"#".to_vec()]);
    }
}

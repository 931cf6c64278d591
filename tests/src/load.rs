//! What the bench programs put on a hub: thousands of connected buttons, dozens of desks, counts, and a machine that is busy
//! with something else. What came where and when is kept in plain arrays of atomics.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use qorgan_domain::{Clock, SystemClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, Semaphore, mpsc},
    task::JoinHandle,
};

use crate::{
    hub::{Client, Hub, HubError},
    lite::{self, Lite, Packet},
    sites::SITE,
};

/// Buttons say that they live this often.
const KEEP_ALIVE_S: u16 = 60;
/// Connections that log in at the same time.
const LOG_INS: usize = 200;

/// What the hub said about each button's presses; times in microseconds since the beginning.
pub struct Seen {
    began: Instant,
    desks: u32,
    /// Receipts of each button, repeats left out, and the time of the last.
    receipts: Vec<(AtomicU32, AtomicU64)>,
    /// How often a press of each button came to a desk, all desks together, and the time of the last.
    shown: Vec<(AtomicU32, AtomicU64)>,
    /// Rung by every receipt and every desk.
    pub bell: Notify,
}

impl Seen {
    /// Nothing yet.
    pub fn new(buttons: usize, desks: usize) -> Arc<Self> {
        let none = || (0..buttons).map(|_| Default::default()).collect();
        Arc::new(Self { began: Instant::now(), desks: desks as u32, receipts: none(), shown: none(), bell: Notify::new() })
    }

    /// Microseconds since the beginning.
    pub fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    fn note(&self, place: &(AtomicU32, AtomicU64), times: u32) {
        place.1.fetch_max(self.now_us(), Ordering::Relaxed);
        place.0.fetch_add(times, Ordering::Release);
    }

    /// When the receipt of a button's `n`-th press came.
    pub fn receipted(&self, button: usize, n: u32) -> Option<u64> {
        let (count, at) = self.receipts.get(button)?;
        (count.load(Ordering::Acquire) >= n).then(|| at.load(Ordering::Relaxed))
    }

    /// When the last desk showed a button's `n`-th press.
    pub fn on_every_desk(&self, button: usize, n: u32) -> Option<u64> {
        let (count, at) = self.shown.get(button)?;
        (count.load(Ordering::Acquire) >= n * self.desks).then(|| at.load(Ordering::Relaxed))
    }
}

/// Connected buttons `b0`, `b1`, ... of [`SITE`].
pub struct Buttons {
    presses: Vec<mpsc::UnboundedSender<u32>>,
    tasks: Vec<JoinHandle<()>>,
}

/// The MQTT passwords of a hub, by user.
pub fn passwords(state_dir: &Path) -> io::Result<BTreeMap<String, String>> {
    Ok(serde_json::from_slice(&std::fs::read(state_dir.join("secrets/mqtt.json"))?)?)
}

impl Buttons {
    /// Connects and subscribes them all.
    pub async fn connect(
        addr: SocketAddr,
        passwords: &BTreeMap<String, String>,
        count: usize,
        seen: &Arc<Seen>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let turn = Arc::new(Semaphore::new(LOG_INS));
        let mut joining = Vec::with_capacity(count);
        for n in 0..count {
            let user = format!("{SITE}/b{n}");
            let password = passwords.get(&user).cloned().ok_or_else(|| format!("no password for {user}"))?;
            let turn = turn.clone();
            joining.push(tokio::spawn(async move {
                let _turn = turn.acquire().await;
                let mut lite = Lite::connect(addr, &user, &password, KEEP_ALIVE_S).await?;
                lite.subscribe(&format!("qorgan/v1/{user}/alarm/receipt")).await?;
                Ok::<_, io::Error>(lite)
            }));
        }
        let (mut presses, mut tasks) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (n, lite) in joining.into_iter().enumerate() {
            let (sender, commands) = mpsc::unbounded_channel();
            presses.push(sender);
            tasks.push(tokio::spawn(live(n, lite.await??, commands, seen.clone())));
        }
        Ok(Self { presses, tasks })
    }

    /// Presses a button; `n` is its number of the press, from 1.
    pub fn press(&self, button: usize, n: u32) {
        let _ = self.presses[button].send(n);
    }

    /// How many have lost their connection.
    pub fn lost(&self) -> usize {
        self.tasks.iter().filter(|task| task.is_finished()).count()
    }
}

impl Drop for Buttons {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn live(n: usize, mut lite: Lite, mut commands: mpsc::UnboundedReceiver<u32>, seen: Arc<Seen>) {
    let topic = format!("qorgan/v1/{SITE}/b{n}/alarm");
    // Not all in the same second.
    let first = Duration::from_millis(20_000 + (n as u64 * 7_919) % 20_000);
    let mut ping = tokio::time::interval_at(tokio::time::Instant::now() + first, Duration::from_secs(u64::from(KEEP_ALIVE_S) / 2));
    loop {
        let done = tokio::select! {
            Some(press) = commands.recv() => {
                let payload = format!(r#"{{"v":1,"kind":"panic","seq":{press},"boot":"bench"}}"#);
                lite.send(&lite::publish(&topic, Some(press as u16), payload.as_bytes())).await
            }
            packet = lite.next() => match packet {
                Ok(Packet::Publish { id, payload }) => {
                    if memchr::memmem::find(&payload, br#""repeat":false"#).is_some() {
                        seen.note(&seen.receipts[n], 1);
                        seen.bell.notify_waiters();
                    }
                    match id {
                        Some(id) => lite.send(&lite::puback(id)).await,
                        None => Ok(()),
                    }
                }
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            },
            _ = ping.tick() => lite.send(&lite::PING).await,
        };
        if let Err(error) = done {
            eprintln!("b{n}: {error}");
            return;
        }
    }
}

/// Desks: event streams of few log-ins.
pub struct Desks {
    tasks: Vec<JoinHandle<()>>,
}

impl Desks {
    /// Opens `count` streams over log-ins of both desks, whose sound was tested.
    pub async fn open(hub: &Hub, count: usize, seen: &Arc<Seen>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut people = Vec::new();
        for role in ["duty_officer", "shift_lead", "police_desk"] {
            people.push(hub.log_in(role).await?);
        }
        let addr = hub.addresses.http.ok_or("no HTTP address")?;
        let (ready, mut open) = mpsc::channel(count.max(1));
        let mut tasks = Vec::with_capacity(count);
        for n in 0..count {
            let request = stream_request(addr, &people[n % people.len()])?;
            let (seen, ready) = (seen.clone(), ready.clone());
            tasks.push(tokio::spawn(async move {
                if let Err(error) = watch(addr, &request, &seen, ready).await {
                    eprintln!("desk {n}: {error}");
                }
            }));
        }
        for person in &people {
            person.post("/api/v1/desk/sound-test", &serde_json::json!({ "heard": true })).await?;
        }
        for _ in 0..count {
            open.recv().await.ok_or("a desk did not open")?;
        }
        Ok(Self { tasks })
    }

    /// How many streams have ended.
    pub fn lost(&self) -> usize {
        self.tasks.iter().filter(|task| task.is_finished()).count()
    }
}

impl Drop for Desks {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn stream_request(addr: SocketAddr, person: &Client) -> Result<String, HubError> {
    let cookie = person.cookie().ok_or_else(|| HubError::Answer("log-in gave no cookie".into()))?;
    Ok(format!("GET /api/v1/stream HTTP/1.1\r\nhost: {addr}\r\ncookie: {cookie}\r\naccept: text/event-stream\r\n\r\n"))
}

async fn watch(addr: SocketAddr, request: &str, seen: &Seen, ready: mpsc::Sender<()>) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(request.as_bytes()).await?;
    let (mut buffer, mut ready) = (Vec::with_capacity(256 * 1024), Some(ready));
    let mut presses = vec![0_u32; seen.shown.len()];
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(ready) = ready.take_if(|_| memchr::memmem::find(&buffer, b"event: snapshot").is_some()) {
            let _ = ready.send(()).await;
        }
        let mut news = false;
        let read = scan(&buffer, |button, count| {
            if let Some(known) = presses.get_mut(button)
                && count > *known
            {
                seen.note(&seen.shown[button], count - *known);
                *known = count;
                news = true;
            }
        });
        buffer.drain(..read);
        if news {
            seen.bell.notify_waiters();
        }
    }
}

/// Finds button and number of presses of every alarm in a piece of a stream; how much of it is done with. Bytes are looked at
/// once and not parsed: fifty desks that parse JSON would be what is measured.
fn scan(bytes: &[u8], mut found: impl FnMut(usize, u32)) -> usize {
    let device = format!("\"device\":\"{SITE}/b");
    let (device, count) = (memchr::memmem::Finder::new(device.as_bytes()), memchr::memmem::Finder::new(b"\"presses\":"));
    // What could be the beginning of something stays for the next time.
    let mut done = bytes.len().saturating_sub(64);
    let mut at = 0;
    while let Some(place) = device.find(&bytes[at..]) {
        let start = at + place;
        let name = start + device.needle().len();
        at = name;
        let next = device.find(&bytes[name..]).map_or(bytes.len(), |next| name + next);
        match count.find(&bytes[name..next]) {
            Some(place) => {
                let digits = name + place + count.needle().len();
                if let (Some((button, _)), Some((presses, _))) = (number(&bytes[name..]), number(&bytes[digits..])) {
                    found(button as usize, presses);
                    done = done.max(digits);
                    continue;
                }
                return start;
            }
            None if next == bytes.len() => return start,
            None => {}
        }
    }
    done
}

/// A number and what ends it; none when nothing has ended it yet.
fn number(bytes: &[u8]) -> Option<(u32, u8)> {
    let end = bytes.iter().position(|b| !b.is_ascii_digit())?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()?, bytes[end]))
}

/// Counts of the cameras `c0`, `c1`, ... in turn, so many a second, over a few connections of the site's edge box. Ends by
/// [`stop`](Self::stop), which says how many were sent.
pub struct Counts {
    sent: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Counts {
    /// Begins to publish. QoS 0: what the hub does not take is lost, and its metrics say so.
    pub async fn start(
        addr: SocketAddr,
        passwords: &BTreeMap<String, String>,
        cameras: usize,
        per_second: usize,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        const CONNECTIONS: usize = 4;
        /// Times a second that a connection writes.
        const BEATS: usize = 100;
        let user = format!("edge/{SITE}");
        let password = passwords.get(&user).ok_or("no password for the edge box")?;
        let sent = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::new();
        for connection in 0..CONNECTIONS {
            let mut lite = Lite::connect_as(addr, &format!("{user}:{connection}"), &user, password, 60).await?;
            let sent = sent.clone();
            tasks.push(tokio::spawn(async move {
                let mut beat = tokio::time::interval(Duration::from_secs(1) / BEATS as u32);
                let (mut due, mut camera, mut n) = (0.0, connection, 0_u64);
                loop {
                    beat.tick().await;
                    due += per_second as f64 / (CONNECTIONS * BEATS) as f64;
                    let mut bytes = Vec::new();
                    while due >= 1.0 {
                        due -= 1.0;
                        n += 1;
                        // A camera's counts are a millisecond apart at least: the store keeps one for each time.
                        let payload = format!(r#"{{"v":1,"at":"{}","people":{}.5}}"#, SystemClock.utc(), n % 7);
                        bytes.extend(lite::publish(&format!("qorgan/v1/{SITE}/c{camera}/count"), None, payload.as_bytes()));
                        camera += CONNECTIONS;
                        if camera >= cameras {
                            camera = connection;
                        }
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    if let Err(error) = lite.send(&bytes).await {
                        eprintln!("counts: {error}");
                        return;
                    }
                }
            }));
        }
        Ok(Self { sent, tasks })
    }

    /// How many were sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub fn stop(self) -> u64 {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.sent()
    }
}

/// Processes that do nothing and need a processor each, at the usual priority. Dropping them ends them.
pub struct Busy(Vec<std::process::Child>);

/// The argument with which a bench program is such a process.
pub const BURN: &str = "--burn";

impl Busy {
    /// Starts this program again, as busy loops.
    pub fn start(count: usize) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        (0..count).map(|_| std::process::Command::new(&program).arg(BURN).spawn()).collect::<io::Result<_>>().map(Self)
    }

    /// To be called first in `main`: never returns in a process that was started to be busy. It ends when its parent does.
    pub fn burn_if_asked() {
        if std::env::args().nth(1).is_some_and(|arg| arg == BURN) {
            let parent = std::os::unix::process::parent_id();
            let mut n = 1_u64;
            while std::os::unix::process::parent_id() == parent {
                for _ in 0..10_000_000 {
                    n = std::hint::black_box(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                }
            }
            std::process::exit(0);
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something is there, looking whenever the bell rings; none when the time is over.
pub async fn wait_for<T>(bell: &Notify, within: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let look = async {
        loop {
            let rung = bell.notified();
            if let Some(value) = ask() {
                return value;
            }
            let _ = tokio::time::timeout(Duration::from_millis(50), rung).await;
        }
    };
    tokio::time::timeout(within, look).await.ok()
}

/// A value of a hub's `/metrics`, summed over its labels; 0 when it is not there.
pub fn metric(text: &str, name: &str) -> f64 {
    let values = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    values.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Resident memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// Processor time that a process has used, in seconds.
pub fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().map(|f| f.parse().unwrap_or(0.0)).collect();
    // utime and stime, in ticks of 10 ms.
    fields.get(11).zip(fields.get(12)).map_or(f64::NAN, |(user, system)| (user + system) / 100.0)
}

/// Takes as many open files as this process may have.
pub fn take_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_found_in_pieces_of_any_length() {
        let one = |button: u32, presses: u32| {
            format!(
                r#"{{"alert":{{"id":1,"device":"{SITE}/b{button}","version":3,"alarm":{{"seq":1,"presses":{presses},"test":false}}}}}},"#
            )
        };
        let trouble = format!(r#"{{"alert":{{"id":2,"device":"{SITE}/b9","alarm":null,"trouble":{{"kind":"lost"}}}}}},"#);
        let text = format!("data: {}{trouble}{}{}\n\n", one(7, 1), one(123, 20), one(7, 2));
        for piece in [1, 2, 3, 10, 50, 1000] {
            let (mut buffer, mut all) = (Vec::new(), Vec::new());
            for some in text.as_bytes().chunks(piece) {
                buffer.extend(some);
                let read = scan(&buffer, |button, presses| all.push((button, presses)));
                buffer.drain(..read);
            }
            all.dedup();
            assert_eq!(all, [(7, 1), (123, 20), (7, 2)], "pieces of {piece}");
        }
    }
}

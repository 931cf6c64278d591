//! Enrolled phones, in memory: a press must not wait for the store, which may be away.
//!
//! What belongs here: which token is which phone, how often a phone may try what, how codes look. What does not: routes.
//! Everything but [`Phones`] itself is pure and receives the time.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderValue, header};
use qorgan_alerts::{Error, Store, store::PhoneRow};
use qorgan_domain::{DeviceRef, SiteId, UtcMs};
use rand::Rng;
use sha2::{Digest, Sha256};

/// Name of the cookie that says which phone asks.
pub const COOKIE: &str = "qorgan_phone";
/// Where the cookie is sent to, and nowhere else.
const COOKIE_PATH: &str = "/api/v1/phone";
/// How long a phone may lie unused; each look at its page begins this anew.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long an enrolment code is good.
pub const CODE_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// Without letters and digits that look alike.
const LETTERS: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
/// Presses of one phone at once; after that one every [`PRESS_EVERY`].
const PRESSES: u32 = 10;
const PRESS_EVERY: Duration = Duration::from_secs(1);
/// Wrong cancel codes of one phone before it has to wait.
const WRONG_CODES: u32 = 5;
/// Wrong enrolment codes of one address before it has to wait; many phones may share one.
const WRONG_ENROLMENTS: u32 = 10;
/// How long it has to wait.
const WAIT: Duration = Duration::from_secs(300);
/// Addresses remembered; over that the oldest goes.
const MAX_ADDRESSES: usize = 20_000;
/// A phone's last sign of life is written down at most this often, in milliseconds.
const SEEN_EVERY_MS: i64 = 60_000;

/// One phone, as the guard finds it.
#[derive(Debug)]
pub struct Phone {
    /// What is kept of it.
    pub row: PhoneRow,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    presses: Bucket,
    codes: Tries,
    seen_at: Option<UtcMs>,
    revoked_at: Option<UtcMs>,
}

/// Every phone, by the digest of its token.
#[derive(Debug)]
pub struct Phones {
    by_token: RwLock<HashMap<String, Arc<Phone>>>,
    addresses: Mutex<HashMap<IpAddr, Tries>>,
    /// Under this the codes are hashed; it is not in the database.
    pub key: Arc<str>,
}

impl Phone {
    fn new(row: PhoneRow) -> Self {
        let state = State { presses: Bucket::default(), codes: Tries::default(), seen_at: row.seen_at, revoked_at: row.revoked_at };
        Self { row, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when it may not press any more.
    pub fn revoked_at(&self) -> Option<UtcMs> {
        self.state().revoked_at
    }

    /// When it was heard of last.
    pub fn seen_at(&self) -> Option<UtcMs> {
        self.state().seen_at
    }

    /// Notes a sign of life; true when it is worth writing down.
    pub fn seen(&self, now: UtcMs) -> bool {
        let mut state = self.state();
        let worth = state.seen_at.is_none_or(|at| now.ms_since(at) >= SEEN_EVERY_MS);
        if worth {
            state.seen_at = Some(now);
        }
        worth
    }

    /// Whether another press may be taken now; else how long it has to wait. The first is never delayed.
    pub fn press(&self, now: Instant) -> Result<(), Duration> {
        self.state().presses.take(now)
    }

    /// Counts a try of a cancel code, before it is checked: many at once gain nothing.
    pub fn try_code(&self, now: Instant) -> Result<(), Duration> {
        self.state().codes.take(WRONG_CODES, now)
    }

    /// The code was right.
    pub fn code_was_right(&self) {
        self.state().codes = Tries::default();
    }
}

impl Phones {
    /// Every phone of the store.
    pub async fn load(store: &Store, key: String) -> Result<Self, Error> {
        let rows = store.phones().await?;
        let by_token = rows.into_iter().map(|row| (row.token_sha256.clone(), Arc::new(Phone::new(row)))).collect();
        Ok(Self { by_token: RwLock::new(by_token), addresses: Mutex::default(), key: key.into() })
    }

    /// The phone of a token, revoked or not.
    pub fn find(&self, token: &str) -> Option<Arc<Phone>> {
        self.read(|phones| phones.get(&digest(&[token])).cloned())
    }

    /// Every phone of a site, or of all, by device.
    pub fn of_site(&self, site: Option<&SiteId>) -> Vec<Arc<Phone>> {
        let fits = |phone: &&Arc<Phone>| site.is_none_or(|site| phone.row.device.site == *site);
        let phones: BTreeMap<DeviceRef, Arc<Phone>> =
            self.read(|all| all.values().filter(fits).map(|phone| (phone.row.device.clone(), phone.clone())).collect());
        phones.into_values().collect()
    }

    /// A phone by its device.
    pub fn device(&self, device: &DeviceRef) -> Option<Arc<Phone>> {
        self.read(|all| all.values().find(|phone| phone.row.device == *device).cloned())
    }

    /// A phone that the store has taken.
    pub fn add(&self, row: PhoneRow) {
        let mut all = self.by_token.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(row.token_sha256.clone(), Arc::new(Phone::new(row)));
    }

    /// A phone that the store has revoked.
    pub fn revoked(&self, device: &DeviceRef, now: UtcMs) {
        if let Some(phone) = self.device(device) {
            phone.state().revoked_at = Some(now);
        }
    }

    /// Counts a try of an enrolment code from an address.
    pub fn try_enrolment(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut all = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_ADDRESSES {
            all.retain(|_, tries| !tries.is_over(now));
        }
        make_room(&mut all);
        all.entry(network(address)).or_default().take(WRONG_ENROLMENTS, now)
    }

    /// The enrolment code was right.
    pub fn enrolment_was_right(&self, address: IpAddr) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).remove(&network(address));
    }

    /// Digest of an enrolment code, as it is kept.
    pub fn code_digest(&self, code: &str) -> String {
        digest(&[&self.key, code])
    }

    fn read<T>(&self, look: impl FnOnce(&HashMap<String, Arc<Phone>>) -> T) -> T {
        look(&self.by_token.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn make_room<K: Hash + Eq + Clone>(all: &mut HashMap<K, Tries>) {
    if all.len() >= MAX_ADDRESSES
        && let Some(oldest) = all.iter().min_by_key(|(_, tries)| tries.last).map(|(key, _)| key.clone())
    {
        all.remove(&oldest);
    }
}

/// Whoever has one IPv6 address has its whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// SHA-256 over the parts, each closed by a byte that none of them holds; hex.
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(hash.finalize())
}

/// Tokens that come back with time.
#[derive(Debug, Default)]
struct Bucket {
    spent: Option<(u32, Instant)>,
}

impl Bucket {
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let (spent, since) = self.spent.unwrap_or((0, now));
        let back = u32::try_from(now.saturating_duration_since(since).as_millis() / PRESS_EVERY.as_millis()).unwrap_or(u32::MAX);
        // The rest of a begun second counts for the next token.
        let since = if back >= spent { now } else { since + PRESS_EVERY * back };
        let spent = spent.saturating_sub(back);
        if spent >= PRESSES {
            self.spent = Some((spent, since));
            return Err(PRESS_EVERY.saturating_sub(now.saturating_duration_since(since)));
        }
        self.spent = Some((spent + 1, since));
        Ok(())
    }
}

/// Tries since the last one that was right.
#[derive(Debug, Default)]
struct Tries {
    count: u32,
    last: Option<Instant>,
}

impl Tries {
    fn is_over(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.saturating_duration_since(last) >= WAIT)
    }

    fn take(&mut self, most: u32, now: Instant) -> Result<(), Duration> {
        if self.is_over(now) {
            self.count = 0;
        }
        if self.count >= most {
            return Err(self.last.map_or(WAIT, |last| WAIT.saturating_sub(now.saturating_duration_since(last))));
        }
        self.count += 1;
        self.last = Some(now);
        Ok(())
    }
}

/// An enrolment code as it is read out: `ABCD-EFGH`, 39 bits.
pub fn enrolment_code() -> String {
    let mut rng = rand::rng();
    let group =
        |rng: &mut rand::rngs::ThreadRng| (0..4).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect::<String>();
    format!("{}-{}", group(&mut rng), group(&mut rng))
}

/// The same code as it was typed: lower case, spaces and another dash do no harm.
pub fn tidy_code(typed: &str) -> Option<String> {
    let letters: String = typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    (letters.len() == 8 && typed.len() <= 32).then(|| format!("{}-{}", &letters[..4], &letters[4..]))
}

/// A new phone's name among the devices of its site.
pub fn device_word() -> String {
    let mut rng = rand::rng();
    let end: String = (0..4).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]).to_ascii_lowercase()).collect();
    format!("phone-{end}")
}

/// Why two codes cannot be used.
pub fn check_codes(cancel: &str, duress: &str) -> Result<(), &'static str> {
    for code in [cancel, duress] {
        let digits = code.as_bytes();
        if !(4..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return Err("a code has 4 to 8 digits");
        }
        let steps: Vec<i16> = digits.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
        if [0, 1, -1].into_iter().any(|step| steps.iter().all(|s| *s == step)) {
            return Err("a code such as 0000 or 1234 is the first that anybody tries");
        }
    }
    if cancel == duress {
        return Err("the two codes must differ");
    }
    Ok(())
}

/// The token a request carries.
pub fn token_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE && value.len() == 64).then_some(value))
}

/// The header that sets the cookie.
pub fn set_cookie(token: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let age = LIFETIME.as_secs();
    HeaderValue::from_str(&format!("{COOKIE}={token}; Path={COOKIE_PATH}; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_press_is_never_delayed_and_a_flood_goes_on_at_one_a_second() {
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        for _ in 0..PRESSES {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(PRESS_EVERY));
        let later = start + Duration::from_millis(1_500);
        assert_eq!(bucket.take(later), Ok(()));
        assert_eq!(bucket.take(later), Err(Duration::from_millis(500)), "the begun second is not lost");
        let much_later = start + Duration::from_secs(3_600);
        for _ in 0..PRESSES {
            assert_eq!(bucket.take(much_later), Ok(()));
        }
        assert!(bucket.take(much_later).is_err());
    }

    #[test]
    fn after_five_wrong_codes_one_waits_five_minutes() {
        let (mut tries, start) = (Tries::default(), Instant::now());
        for _ in 0..WRONG_CODES {
            assert_eq!(tries.take(WRONG_CODES, start), Ok(()));
        }
        assert_eq!(tries.take(WRONG_CODES, start + Duration::from_secs(100)), Err(Duration::from_secs(200)));
        assert_eq!(tries.take(WRONG_CODES, start + WAIT), Ok(()));
    }

    #[test]
    fn codes_that_anybody_would_guess_are_refused() {
        assert_eq!(check_codes("2580", "9137"), Ok(()));
        assert_eq!(check_codes("25801973", "9137"), Ok(()));
        for (cancel, duress) in [
            ("0000", "9137"),
            ("2580", "1111"),
            ("1234", "9137"),
            ("2580", "9876"),
            ("2580", "2580"),
            ("258", "9137"),
            ("25a0", "9137"),
            ("", "9137"),
            ("123456789", "9137"),
            ("٢٥٨٠", "9137"),
        ] {
            assert!(check_codes(cancel, duress).is_err(), "{cancel} {duress}");
        }
    }

    #[test]
    fn an_enrolment_code_reads_back_however_it_is_typed() {
        let code = enrolment_code();
        assert_eq!(tidy_code(&code), Some(code.clone()));
        assert_eq!(tidy_code(&format!(" {} ", code.to_lowercase().replace('-', " – "))), Some(code));
        for bad in ["", "ABCD-EFG", "ABCD-EFGHJ", &"-".repeat(40)] {
            assert_eq!(tidy_code(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_cookie_is_for_the_phone_routes_only_and_no_script_reads_it() {
        let token = crate::auth::random_token();
        let set = set_cookie(&token, true).unwrap();
        let set = set.to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/api/v1/phone"] {
            assert!(set.contains(part), "{part}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("a=b; {COOKIE}={token}").parse().unwrap());
        assert_eq!(token_of(&headers), Some(token.as_str()));
    }

    #[test]
    fn one_network_counts_as_one_address() {
        let a: IpAddr = "2001:db8:1:2:3::1".parse().unwrap();
        let b: IpAddr = "2001:db8:1:2:9::7".parse().unwrap();
        assert_eq!(network(a), network(b));
        assert_ne!(network(a), network("2001:db8:1:3::1".parse().unwrap()));
    }
}

//! Who owns which MQTT client id. A broker that sees a known client id ends the older connection and
//! gives its session to the newer one, so without a rule a device that logs in honestly could use a
//! neighbour's client id to silence it and to read its receipts.
//!
//! The rule: an id that begins with a user name (`school-17/gate`, `school-17/gate:2`) belongs to that
//! user alone. Any other id (a serial number, say) belongs to the first user who connects with it, until the
//! broker restarts. Devices that can choose should use their user name.

use std::collections::{HashMap, VecDeque};

use qorgan_domain::topic::Principal;

/// Longest client id, in bytes.
pub(crate) const MAX_BYTES: usize = 256;
/// Free ids that one user may own; the oldest is given up beyond that.
const MAX_PER_USER: usize = 16;
/// Users that may own free ids; beyond it only ids that begin with the user name are accepted.
const MAX_USERS: usize = 50_000;

/// Why a client id was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientIdRefused {
    /// Too long, or with control characters.
    Malformed,
    /// Belongs to another user.
    Taken,
    /// No room to remember another owner.
    Full,
}

impl ClientIdRefused {
    pub(crate) fn code(self) -> &'static str {
        match self {
            ClientIdRefused::Malformed => "bad_client_id",
            ClientIdRefused::Taken => "client_id_taken",
            ClientIdRefused::Full => "client_ids_full",
        }
    }
}

#[derive(Default)]
pub(crate) struct ClientIds {
    owner: HashMap<String, String>,
    owned: HashMap<String, VecDeque<String>>,
}

impl ClientIds {
    /// Lets `user` have the id, or says why not.
    pub(crate) fn claim(&mut self, id: &str, user: &str) -> Result<(), ClientIdRefused> {
        if id.is_empty() || id.len() > MAX_BYTES || id.chars().any(char::is_control) {
            return Err(ClientIdRefused::Malformed);
        }
        if let Some(named) = user_in(id) {
            return if named == user { Ok(()) } else { Err(ClientIdRefused::Taken) };
        }
        match self.owner.get(id) {
            Some(owner) if owner == user => return Ok(()),
            Some(_) => return Err(ClientIdRefused::Taken),
            None => {}
        }
        if !self.owned.contains_key(user) && self.owned.len() >= MAX_USERS {
            return Err(ClientIdRefused::Full);
        }
        let owned = self.owned.entry(user.to_owned()).or_default();
        if owned.len() >= MAX_PER_USER
            && let Some(oldest) = owned.pop_front()
        {
            self.owner.remove(&oldest);
        }
        owned.push_back(id.to_owned());
        self.owner.insert(id.to_owned(), user.to_owned());
        Ok(())
    }
}

/// The user name an id begins with: `a/b` up to the first character that no user name holds.
fn user_in(id: &str) -> Option<&str> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let (first, rest) = id.split_once('/')?;
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let user = &id[..first.len() + 1 + end];
    Principal::parse(user).map(|_| user)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: &str = "school-17/gate";

    #[test]
    fn an_id_that_begins_with_a_user_name_is_that_users() {
        let mut ids = ClientIds::default();
        for own in [GATE, "school-17/gate:2", "school-17/gate/2", "school-17/gate 2"] {
            assert_eq!(ids.claim(own, GATE), Ok(()), "{own}");
        }
        for other in ["school-17/gate2", "school-17/gate-2", "school-18/gate", "edge/school-17", "desk/aigerim:1"] {
            assert_eq!(ids.claim(other, GATE), Err(ClientIdRefused::Taken), "{other}");
        }
    }

    #[test]
    fn a_free_id_belongs_to_the_first_user() {
        let mut ids = ClientIds::default();
        assert_eq!(ids.claim("SN-0042", GATE), Ok(()));
        assert_eq!(ids.claim("SN-0042", GATE), Ok(()));
        assert_eq!(ids.claim("SN-0042", "school-17/yard"), Err(ClientIdRefused::Taken));
    }

    #[test]
    fn ids_are_bounded_in_length_and_number() {
        let mut ids = ClientIds::default();
        assert_eq!(ids.claim(&"x".repeat(MAX_BYTES + 1), GATE), Err(ClientIdRefused::Malformed));
        assert_eq!(ids.claim("", GATE), Err(ClientIdRefused::Malformed));
        assert_eq!(ids.claim("a\0b", GATE), Err(ClientIdRefused::Malformed));
        for n in 0..1000 {
            assert_eq!(ids.claim(&format!("random-{n}"), GATE), Ok(()));
        }
        assert_eq!(ids.owner.len(), MAX_PER_USER);
    }
}

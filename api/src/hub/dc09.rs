//! The door of alarm panels, in the hub and on an edge box: configured panels in, alarms to the journal, signs of life to whoever
//! watches them.

use std::{collections::HashMap, sync::Arc};

use futures::future::BoxFuture;
use qorgan_domain::{Alarm, Clock, Sign, SiteId};
use qorgan_ingest::{
    dc09::{Address, Config, Doors, Key, Panel, Receiver, zone_key},
    mqtt::{NotStored, StoredAlarm},
};

use super::{App, StartError, doors};
use crate::error::chain;

/// Panels by account; those that name receiver and line come before those that do not.
struct Book(HashMap<String, Vec<Entry>>);

struct Entry {
    receiver: Option<String>,
    line: Option<String>,
    panel: Arc<Panel>,
}

impl Book {
    /// The panels of one site, or of all.
    fn of(config: &crate::config::Config, site: Option<&SiteId>) -> Result<Self, StartError> {
        let mut book: HashMap<String, Vec<Entry>> = HashMap::new();
        for (_, panel) in config.panels().filter(|(_, panel)| site.is_none_or(|site| panel.id.site == *site)) {
            let entry = Entry {
                receiver: panel.receiver.clone(),
                line: panel.line.clone(),
                panel: Arc::new(Panel { device: panel.id.clone(), key: key(panel)?, zones: panel.zones.iter().cloned().collect() }),
            };
            book.entry(panel.account.clone()).or_default().push(entry);
        }
        for entries in book.values_mut() {
            entries.sort_by_key(|entry| std::cmp::Reverse(u8::from(entry.receiver.is_some()) + u8::from(entry.line.is_some())));
        }
        Ok(Self(book))
    }

    fn find(&self, address: &Address) -> Option<Arc<Panel>> {
        let fits = |wanted: &Option<String>, sent: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| sent.as_ref().is_some_and(|sent| zone_key(sent) == *wanted))
        };
        let entries = self.0.get(&address.account)?;
        entries.iter().find(|e| fits(&e.receiver, &address.receiver) && fits(&e.line, &address.line)).map(|e| e.panel.clone())
    }
}

/// The key of a panel, read where the configuration says.
pub(crate) fn key(panel: &crate::config::Panel) -> Result<Option<Key>, StartError> {
    let Some(source) = &panel.key else { return Ok(None) };
    let wrong = |reason: String| StartError::Secret(format!("key of panel {}: {reason}", panel.id));
    let text = source.read().map_err(|error| wrong(chain(&error)))?;
    text.parse().map(Some).map_err(|error: qorgan_ingest::dc09::crypt::KeyError| wrong(error.to_string()))
}

/// Makes an alarm durable.
pub(super) type Commit = Box<dyn Fn(Alarm) -> BoxFuture<'static, Result<StoredAlarm, NotStored>> + Send + Sync>;

/// The hub's own door, if the configuration has a `[dc09]` section.
pub(super) async fn start(app: &App) -> Result<Option<Receiver>, StartError> {
    let (for_alarms, for_signs) = (app.clone(), app.clone());
    let commit: Commit = Box::new(move |alarm| {
        let app = for_alarms.clone();
        Box::pin(async move { doors::commit(&app, alarm).await })
    });
    let sign = Box::new(move |sign| {
        for_signs.sign(&sign);
        true
    });
    listen(&app.config, None, commit, sign, app.clock.clone()).await
}

/// Listens for the panels of one site, or of all, if the configuration has a `[dc09]` section.
pub(super) async fn listen(
    config: &crate::config::Config,
    site: Option<&SiteId>,
    commit_alarm: Commit,
    sign: Box<dyn Fn(Sign) -> bool + Send + Sync>,
    clock: Arc<dyn Clock>,
) -> Result<Option<Receiver>, StartError> {
    let Some(dc09) = &config.dc09 else { return Ok(None) };
    let book = Book::of(config, site)?;
    let doors = Doors { panel: Box::new(move |address| book.find(address)), commit_alarm, sign, clock };
    let config = Config { tcp: dc09.tcp, udp: dc09.udp, require_encryption: dc09.require_encryption, ..Config::default() };
    Ok(Some(Receiver::start(config, Arc::new(doors)).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_entry_of_an_account_is_found() {
        let entry = |device: &str, receiver: Option<&str>| Entry {
            receiver: receiver.map(str::to_owned),
            line: None,
            panel: Arc::new(Panel { device: device.parse().unwrap(), key: None, zones: HashMap::new() }),
        };
        let book = Book(HashMap::from([
            ("1234".to_owned(), vec![entry("a/exact", Some("2")), entry("a/any", None)]),
            ("5678".to_owned(), vec![entry("a/only", Some("2"))]),
        ]));
        let find = |account: &str, receiver: Option<&str>| {
            let address = Address { account: account.into(), receiver: receiver.map(str::to_owned), line: Some("0".into()) };
            book.find(&address).map(|panel| panel.device.to_string())
        };
        assert_eq!(find("1234", Some("002")).as_deref(), Some("a/exact"));
        assert_eq!(find("1234", Some("3")).as_deref(), Some("a/any"));
        assert_eq!(find("1234", None).as_deref(), Some("a/any"));
        assert_eq!(find("5678", Some("3")), None);
        assert_eq!(find("5678", None), None);
        assert_eq!(find("9999", None), None);
    }
}

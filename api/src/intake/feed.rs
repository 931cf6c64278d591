//! Feeds of registered mass media: asked now and then, counted, forgotten. Only totals of a day, a district and a topic are stored,
//! and up to which moment was counted.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use qorgan_alerts::store::{FeedCounts, FeedState};
use qorgan_domain::UtcMs;
use rand::Rng;
use reqwest::{StatusCode, header};
use tokio_util::sync::CancellationToken;

use super::{
    day_of,
    reader::{self, Item, MAX_BYTES},
};
use crate::{
    config::{Feed, FeedFrom},
    error::chain,
    hub::App,
};

/// How long a server may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest pause after failures.
const MAX_PAUSE_MS: i64 = 6 * 3_600_000;
/// Publications older than this are not news; servers show old ones anew.
const MAX_AGE_MS: i64 = 30 * 86_400_000;
/// The same for a file, which is a demonstration and does not grow.
const MAX_FILE_AGE_MS: i64 = 800 * 86_400_000;
/// Clocks of servers may be ahead so much.
const MAX_AHEAD_MS: i64 = 3_600_000;
/// Publications that are remembered while the hub runs.
const MAX_REMEMBERED: usize = 20_000;

/// What came of asking.
enum Answer {
    /// Nothing new.
    NotModified,
    /// A feed, with what the server calls this state of it.
    Body(Vec<u8>, Option<String>, Option<String>),
}

/// One feed at work.
pub(crate) struct Follower {
    app: App,
    feed: Feed,
    http: reqwest::Client,
    /// Publications that were counted since the start. No disk holds them; after a restart the mark stands in.
    seen: HashSet<u64>,
    key: u64,
    first: bool,
}

impl Follower {
    pub(crate) fn new(app: App, feed: Feed) -> Result<Self, reqwest::Error> {
        let agent = concat!("qorgan/", env!("CARGO_PKG_VERSION"));
        // Redirects are not followed: a feed that moved is configured anew.
        let http = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).user_agent(agent).build()?;
        Ok(Self { app, feed, http, seen: HashSet::new(), key: rand::rng().random(), first: true })
    }

    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        loop {
            let pause = match self.run_once().await {
                Ok(state) => state.next_try_at.map_or(60_000, |at| at.ms_since(self.app.clock.utc()).max(1_000)),
                Err(error) => {
                    tracing::warn!(feed = %self.feed.id, error = chain(&error), "the state of a feed could not be stored");
                    60_000
                }
            };
            let pause = Duration::from_millis(u64::try_from(pause).unwrap_or(60_000));
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    pub(crate) async fn run_once(&mut self) -> Result<FeedState, qorgan_alerts::Error> {
        let id = self.feed.id.to_string();
        let mut state = self.app.store.feed_state(&id).await?;
        let now = self.app.clock.utc();
        state.last_try_at = Some(now);
        let counted = match self.ask(&state).await {
            Ok(Answer::NotModified) => Ok(FeedCounts::new()),
            Ok(Answer::Body(bytes, etag, last_modified)) => {
                let (lexicon, key) = (self.app.config.intake.lexicon.clone(), self.key);
                let read = tokio::task::spawn_blocking(move || reader::read(&bytes, &lexicon, key)).await;
                let read =
                    read.map_err(|_| "the feed could not be read".to_owned()).and_then(|items| items.map_err(|error| error.to_string()));
                read.map(|items| {
                    (state.etag, state.last_modified) = (etag, last_modified);
                    self.count(&items, &mut state, now)
                })
            }
            Err(why) => Err(why),
        };
        let every = i64::from(self.feed.every_min) * 60_000;
        let chance = rand::rng().random_range(0.0..1.0);
        match counted {
            Ok(counts) => {
                state.last_ok_at = Some(now);
                state.failures = 0;
                state.error = None;
                state.next_try_at = Some(UtcMs(now.0 + every + jitter(every, chance)));
                self.app.store.add_feed_counts(&id, &counts, &state).await?;
            }
            Err(why) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures == 1 {
                    tracing::warn!(feed = id, why, "a feed was not read; it is tried again");
                }
                metrics::counter!("qorgan_feed_failures_total", "feed" => id.clone()).increment(1);
                state.error = Some(why.chars().take(300).collect());
                let pause = backed_off(every, state.failures);
                state.next_try_at = Some(UtcMs(now.0 + pause + jitter(pause, chance)));
                self.app.store.add_feed_counts(&id, &FeedCounts::new(), &state).await?;
            }
        }
        self.first = false;
        Ok(state)
    }

    async fn ask(&self, state: &FeedState) -> Result<Answer, String> {
        let url = match &self.feed.from {
            FeedFrom::File(path) => return file(path).await,
            FeedFrom::Url(url) => url.clone(),
        };
        let mut request = self.http.get(url).header(header::ACCEPT, "application/atom+xml, application/rss+xml, application/xml, text/xml");
        // The first answer after a start is read whole: what is remembered of publications is gone.
        if !self.first {
            if let Some(etag) = &state.etag {
                request = request.header(header::IF_NONE_MATCH, etag);
            }
            if let Some(at) = &state.last_modified {
                request = request.header(header::IF_MODIFIED_SINCE, at);
            }
        }
        let mut response = request.send().await.map_err(|error| chain(&error.without_url()))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(Answer::NotModified),
            status if status.is_redirection() => return Err(format!("the feed moved ({status}): give its new address")),
            status if !status.is_success() => return Err(format!("answered {status}")),
            _ => {}
        }
        let text = |name: header::HeaderName| {
            response.headers().get(name).and_then(|v| v.to_str().ok()).filter(|v| v.len() <= 200).map(str::to_owned)
        };
        let (etag, last_modified) = (text(header::ETAG), text(header::LAST_MODIFIED));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error.without_url()))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(reader::FeedError::TooLarge.to_string());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer::Body(body, etag, last_modified))
    }

    /// Counts what is new: not seen since the start, and, of the first answer, published after the mark.
    fn count(&mut self, items: &[Item], state: &mut FeedState, now: UtcMs) -> FeedCounts {
        let oldest = match self.feed.from {
            FeedFrom::File(_) => MAX_FILE_AGE_MS,
            FeedFrom::Url(_) => MAX_AGE_MS,
        };
        let usable = |at: UtcMs| (-MAX_AHEAD_MS..=oldest).contains(&now.ms_since(at));
        let (mut totals, mut undated, mut newest) = (BTreeMap::new(), 0_u32, state.mark);
        if self.seen.len() > MAX_REMEMBERED {
            self.seen.clear();
            self.first = true;
        }
        for item in items {
            let Some(at) = item.at.filter(|at| usable(*at)) else {
                undated += 1;
                continue;
            };
            let before = self.first && state.mark.is_some_and(|mark| at <= mark);
            newest = newest.max(Some(at.min(now)));
            if !self.seen.insert(item.mark) || before {
                continue;
            }
            let Some(found) = &item.found else { continue };
            // A server's clock that is ahead makes no day of tomorrow.
            let day = day_of(&self.app, at.min(now)).to_string();
            for area in &found.areas {
                *totals.entry((day.clone(), area.clone(), found.topic.clone())).or_insert(0_u64) += 1;
            }
        }
        state.mark = newest;
        state.undated = undated;
        totals.into_iter().map(|((day, area, topic), n)| (day, area, topic, n)).collect()
    }
}

async fn file(path: &Path) -> Result<Answer, String> {
    let path: Arc<Path> = path.into();
    let size = tokio::fs::metadata(&path).await.map_err(|error| error.to_string())?.len();
    if size > MAX_BYTES as u64 {
        return Err(reader::FeedError::TooLarge.to_string());
    }
    let bytes = tokio::fs::read(&path).await.map_err(|error| error.to_string())?;
    Ok(Answer::Body(bytes, None, None))
}

/// Doubles with every failure, up to six hours.
fn backed_off(every_ms: i64, failures: u32) -> i64 {
    every_ms.saturating_mul(1_i64 << failures.min(16)).min(MAX_PAUSE_MS).max(every_ms)
}

/// Up to a tenth, so that feeds are not asked all at once.
fn jitter(pause_ms: i64, chance: f64) -> i64 {
    // Milliseconds of hours are exact in a double.
    (pause_ms as f64 * 0.1 * chance) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_six_hours_and_are_never_shorter_than_the_usual_one() {
        let every = 900_000;
        assert_eq!([1, 2, 3].map(|n| backed_off(every, n)), [1_800_000, 3_600_000, 7_200_000]);
        assert_eq!(backed_off(every, 40), MAX_PAUSE_MS);
        assert_eq!(backed_off(86_400_000, 3), 86_400_000);
        assert_eq!((jitter(1_000, 0.0), jitter(1_000, 1.0)), (0, 100));
    }
}

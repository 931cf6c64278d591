//! Requests of residents: taking one in, an act on one, what stands about one. Searching is `search.rs`, counting is `figures.rs`,
//! bringing in the past is `bulk.rs`,
//! forgetting is `expire.rs`. What may happen to a request is decided in [`crate::requests`]; here it is only written down.

mod bulk;
mod expire;
mod figures;
mod near;
mod search;

use std::collections::BTreeMap;

use qorgan_domain::{AreaCode, GeoPoint, UtcMs};
use serde::{Deserialize, Serialize};

use super::{
    Store, counted,
    db::{Arg, Db, Row, Tx, args, word},
    maybe_time,
};
use crate::{
    Error,
    requests::{Masked, Reference, Standing, State, cell_of},
};
pub use bulk::{PastRequest, PastStep};
pub use figures::{DayCount, Load, RequestSignal, SignalState, TallyRow};
pub use search::{Overdue, RequestCursor, RequestFilter};

pub(super) const TABLE: &str = "request";

/// By which door a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The public page.
    Page,
    /// Written down by an operator.
    Desk,
    /// Open311.
    Open311,
}

impl Channel {
    /// Every door.
    pub const ALL: [Channel; 3] = [Channel::Page, Channel::Desk, Channel::Open311];

    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Page => "page",
            Channel::Desk => "desk",
            Channel::Open311 => "open311",
        }
    }
}

/// A request as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Number inside the hub, from 1; grows with the time of receipt.
    pub id: i64,
    /// What the resident asks by.
    pub reference: Reference,
    /// State, clocks, category and service.
    pub standing: Standing,
    /// District.
    pub area: AreaCode,
    /// Where, as given; the middle of its cell once the text has expired.
    pub position: GeoPoint,
    /// House or landmark in words.
    pub place: Option<String>,
    /// What it is about, masked; none once it has expired.
    pub text: Option<String>,
    /// What was taken out of the text.
    pub masked: Vec<Masked>,
    /// Answers to the questions of the category.
    pub attributes: BTreeMap<String, String>,
    /// Door.
    pub channel: Channel,
    /// `kk`, `ru` or `en`.
    pub language: String,
    /// When it came in.
    pub received_at: UtcMs,
    /// When it changed last.
    pub updated_at: UtcMs,
    /// Requests that follow this one.
    pub followers: i64,
    /// Whoever filed it can be reached.
    pub has_contact: bool,
    /// Made up for a demonstration.
    pub demo: bool,
}

/// A request on its way in. Everything in it is checked, cleaned and masked.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// Fresh.
    pub reference: Reference,
    /// How it begins.
    pub standing: Standing,
    /// District.
    pub area: AreaCode,
    /// Exact place.
    pub position: GeoPoint,
    /// House or landmark.
    pub place: Option<String>,
    /// Masked text.
    pub text: String,
    /// What was taken out.
    pub masked: Vec<Masked>,
    /// Answers to the category's questions.
    pub attributes: BTreeMap<String, String>,
    /// Door.
    pub channel: Channel,
    /// Language of the resident.
    pub language: String,
    /// Now.
    pub received_at: UtcMs,
    /// Local day of that, as 20261122.
    pub day: i64,
    /// Key of the submission and digest of what was submitted: the same again is the same request.
    pub once: Option<(String, String)>,
    /// Sealed contact and when it goes.
    pub contact: Option<(String, UtcMs)>,
    /// Account of the desk, or `resident`.
    pub who: String,
    /// Role of the account.
    pub role: Option<String>,
    /// Made up for a demonstration.
    pub demo: bool,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum AddedRequest {
    /// A new request.
    New(Box<Request>),
    /// The same submission had come before.
    Known(Box<Request>),
    /// Its key stands for another submission.
    Conflict,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStep {
    /// When.
    pub at: UtcMs,
    /// Account, `resident` or `hub`.
    pub who: String,
    /// Role of the account.
    pub role: Option<String>,
    /// What was done.
    pub action: String,
    /// State before.
    pub from: Option<State>,
    /// State after.
    pub to: State,
    /// Words.
    pub words: Option<String>,
    /// Deadline after.
    pub due_at: Option<UtcMs>,
}

/// An act on a request, judged already.
#[derive(Debug, Clone)]
pub struct RequestAct<'a> {
    /// What stood.
    pub before: &'a Request,
    /// What stands now.
    pub then: &'a Standing,
    /// The line of the history; its states and deadline are taken from the two above.
    pub who: &'a str,
    /// Role of the account.
    pub role: Option<&'a str>,
    /// Name of the act.
    pub action: &'a str,
    /// Words that are kept with it.
    pub words: Option<&'a str>,
    /// When.
    pub now: UtcMs,
    /// Local day of the request's receipt, as 20261122.
    pub day: i64,
}

impl Store {
    /// Takes a request in: the request, its history, its words, its contact and its count are one transaction.
    pub async fn add_request(&self, new: &NewRequest) -> Result<AddedRequest, Error> {
        let (id, known) = match self.try_add_request(new).await.map_err(counted(TABLE))? {
            Ok(id) => (id, false),
            Err(Some(id)) => (id, true),
            Err(None) => return Ok(AddedRequest::Conflict),
        };
        let request = self.request(id).await?.ok_or(Error::Corrupt { table: TABLE, column: "id", value: id.to_string() })?;
        Ok(if known { AddedRequest::Known(Box::new(request)) } else { AddedRequest::New(Box::new(request)) })
    }

    /// The number it got, or the number under which its key stands already (none: for something else).
    async fn try_add_request(&self, new: &NewRequest) -> Result<Result<i64, Option<i64>>, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        if matches!(tx, Tx::Postgres(_)) {
            tx.run("LOCK TABLE request IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
        }
        if let Some((key, body)) = &new.once
            && let Some(row) = tx.row("SELECT id, idem_body FROM request WHERE idem = $1", args![key.as_str()]).await?
        {
            let same = row.maybe_text("idem_body")?.as_deref() == Some(body);
            return Ok(Err(if same { Some(row.int("id")?) } else { None }));
        }
        let newest = tx.row("SELECT id, received_at FROM request ORDER BY id DESC LIMIT 1", vec![]).await?;
        let (last, last_at) =
            newest.map(|row| Ok::<_, sqlx::Error>((row.int("id")?, row.int("received_at")?))).transpose()?.unwrap_or((0, i64::MIN));
        // A clock that was set back does not break the order.
        let (id, at) = (last + 1, UtcMs(new.received_at.0.max(last_at)));
        insert(&mut tx, id, at, new).await?;
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// One request.
    pub async fn request(&self, id: i64) -> Result<Option<Request>, Error> {
        Ok(self.requests_by(&[id]).await?.pop())
    }

    /// The request with this reference.
    pub async fn request_by_reference(&self, reference: &Reference) -> Result<Option<Request>, Error> {
        let row = self.db.row("SELECT id FROM request WHERE reference = $1", args![reference.digits()]).await.map_err(counted(TABLE))?;
        let Some(id) = row.map(|row| row.int("id")).transpose().map_err(counted(TABLE))? else { return Ok(None) };
        self.request(id).await
    }

    /// Requests that follow another, oldest first.
    pub async fn request_followers(&self, id: i64) -> Result<Vec<Request>, Error> {
        let rows =
            self.db.rows("SELECT id FROM request WHERE merged_into = $1 ORDER BY id LIMIT 200", args![id]).await.map_err(counted(TABLE))?;
        let ids = rows.iter().map(|row| row.int("id")).collect::<Result<Vec<_>, _>>().map_err(counted(TABLE))?;
        self.requests_by(&ids).await
    }

    /// The history of a request, oldest first.
    pub async fn request_history(&self, id: i64) -> Result<Vec<RequestStep>, Error> {
        const STEP: &str = "request_step";
        let rows =
            self.db.rows("SELECT * FROM request_step WHERE request = $1 ORDER BY version", args![id]).await.map_err(counted(STEP))?;
        let read = |row: &Row| -> Result<RequestStep, Error> {
            let text = |column: &'static str| row.text(column).map_err(counted(STEP));
            let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(STEP));
            Ok(RequestStep {
                at: UtcMs(row.int("at").map_err(counted(STEP))?),
                who: text("who")?,
                role: maybe("role")?,
                action: text("action")?,
                from: maybe("from_state")?.map(|state| word(STEP, "from_state", &state)).transpose()?,
                to: word(STEP, "to_state", &text("to_state")?)?,
                words: maybe("words")?,
                due_at: maybe_time(row.maybe_int("due_at").map_err(counted(STEP))?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Writes an act down; false when the request has changed meanwhile, and nothing was written.
    pub async fn act_on_request(&self, act: &RequestAct<'_>) -> Result<bool, Error> {
        self.try_act(act).await.map_err(counted(TABLE))
    }

    async fn try_act(&self, act: &RequestAct<'_>) -> Result<bool, sqlx::Error> {
        let (id, before, then) = (act.before.id, &act.before.standing, act.then);
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE request SET version = $2, state = $3, category = $4, service = $5, answer_by = $6, answered_at = $7, promised_at = $8, \
             due_at = $9, done_at = $10, judge_until = $11, closed_at = $12, reopened = $13, answer = $14, merged_into = $15, updated_at = $16 \
             WHERE id = $1 AND version = $17";
        let ms = |at: Option<UtcMs>| at.map(|at| at.0);
        let values = args![
            id,
            then.version,
            then.state.as_str(),
            then.category.as_str(),
            then.service.as_str(),
            then.answer_by.0,
            ms(then.answered_at),
            ms(then.promised_at),
            ms(then.due_at),
            ms(then.done_at),
            ms(then.judge_until),
            ms(then.closed_at),
            then.reopened,
            then.answer.clone(),
            then.merged_into,
            act.now.0,
            before.version,
        ];
        if tx.run(sql, values).await? == 0 {
            return Ok(false);
        }
        let line = Line { who: act.who, role: act.role, action: act.action, from: Some(before.state), words: act.words, at: act.now };
        tx.insert(INSERT_STEP, "", vec![step_columns(id, then, &line)]).await?;
        if then.merged_into != before.merged_into {
            follow(&mut tx, id, before.merged_into, then.merged_into).await?;
        }
        let request = act.before;
        let words = search::words_of(then, &request.area, request.channel, request.text.as_deref(), request.place.as_deref());
        search::index(&mut tx, id, &words).await?;
        let mut tally = figures::Tally::default();
        tally.act(act.day, &request.area, request.received_at, (before, then), act.now);
        tally.store(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The sealed contact of a request, unless it has expired.
    pub async fn request_contact(&self, id: i64, now: UtcMs) -> Result<Option<(String, UtcMs)>, Error> {
        let sql = "SELECT sealed, expires_at FROM request_contact WHERE request = $1 AND expires_at > $2";
        let row = self.db.row(sql, args![id, now.0]).await.map_err(counted("request_contact"))?;
        let read = |row: Row| Ok((row.text("sealed")?, UtcMs(row.int("expires_at")?)));
        row.map(read).transpose().map_err(counted("request_contact"))
    }

    /// Whether any request is on file.
    pub async fn has_requests(&self) -> Result<bool, Error> {
        Ok(self.db.row("SELECT id FROM request LIMIT 1", vec![]).await.map_err(counted(TABLE))?.is_some())
    }
}

/// What makes both databases search words alike; run once the schema is up to date.
pub(super) async fn prepare(db: &Db) -> Result<(), sqlx::Error> {
    search::prepare(db).await
}

const INSERT: &str = "INSERT INTO request (id, reference, version, state, category, service, area, channel, language, body, place, lat, lon, cell, \
     masked, attributes, received_at, answer_by, answered_at, promised_at, due_at, done_at, judge_until, closed_at, reopened, answer, followers, \
     merged_into, idem, idem_body, updated_at, demo) VALUES ";

/// The values of one request, in the order of [`INSERT`].
fn columns(id: i64, received_at: UtcMs, updated_at: UtcMs, new: &NewRequest) -> Result<Vec<Arg>, sqlx::Error> {
    let (standing, (row, column)) = (&new.standing, cell_of(new.position));
    let attributes = serde_json::to_string(&new.attributes).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let masked: Vec<&str> = new.masked.iter().map(|kind| kind.as_str()).collect();
    let ms = |at: Option<UtcMs>| at.map(|at| at.0);
    Ok(args![
        id,
        new.reference.digits(),
        standing.version,
        standing.state.as_str(),
        standing.category.as_str(),
        standing.service.as_str(),
        new.area.as_str(),
        new.channel.as_str(),
        new.language.as_str(),
        new.text.as_str(),
        new.place.clone(),
        new.position.lat(),
        new.position.lon(),
        format!("{row}:{column}"),
        masked.join(","),
        attributes,
        received_at.0,
        standing.answer_by.0,
        ms(standing.answered_at),
        ms(standing.promised_at),
        ms(standing.due_at),
        ms(standing.done_at),
        ms(standing.judge_until),
        ms(standing.closed_at),
        standing.reopened,
        standing.answer.clone(),
        0_i64,
        standing.merged_into,
        new.once.as_ref().map(|(key, _)| key.clone()),
        new.once.as_ref().map(|(_, body)| body.clone()),
        updated_at.0,
        new.demo,
    ])
}

async fn insert(tx: &mut Tx, id: i64, at: UtcMs, new: &NewRequest) -> Result<(), sqlx::Error> {
    tx.insert(INSERT, "", vec![columns(id, at, at, new)?]).await?;
    let line = Line { who: &new.who, role: new.role.as_deref(), action: "receive", from: None, words: None, at };
    tx.insert(INSERT_STEP, "", vec![step_columns(id, &new.standing, &line)]).await?;
    if let Some((sealed, expires_at)) = &new.contact {
        let sql = "INSERT INTO request_contact (request, sealed, expires_at) VALUES ($1, $2, $3)";
        tx.run(sql, args![id, sealed.as_str(), expires_at.0]).await?;
    }
    search::index(tx, id, &search::words_of(&new.standing, &new.area, new.channel, Some(&new.text), new.place.as_deref())).await?;
    let mut tally = figures::Tally::default();
    tally.receive(new);
    tally.store(tx).await
}

struct Line<'a> {
    who: &'a str,
    role: Option<&'a str>,
    action: &'a str,
    from: Option<State>,
    words: Option<&'a str>,
    at: UtcMs,
}

const INSERT_STEP: &str = "INSERT INTO request_step (request, version, at, who, role, action, from_state, to_state, words, due_at) VALUES ";

/// The values of one line of a history, in the order of [`INSERT_STEP`].
fn step_columns(id: i64, then: &Standing, line: &Line<'_>) -> Vec<Arg> {
    args![
        id,
        then.version,
        line.at.0,
        line.who,
        line.role.map(str::to_owned),
        line.action,
        line.from.map(|state| state.as_str().to_owned()),
        then.state.as_str(),
        line.words.map(str::to_owned),
        then.due_at.map(|at| at.0),
    ]
}

/// Moves a request, with those that follow it, behind another, or back out. Nobody follows a follower.
async fn follow(tx: &mut Tx, id: i64, from: Option<i64>, to: Option<i64>) -> Result<(), sqlx::Error> {
    if let Some(from) = from {
        tx.run("UPDATE request SET followers = followers - 1 WHERE id = $1 AND followers > 0", args![from]).await?;
    }
    if let Some(to) = to {
        let moved = tx.run("UPDATE request SET merged_into = $2 WHERE merged_into = $1 AND id <> $2", args![id, to]).await?;
        let more = 1 + i64::try_from(moved).unwrap_or(0);
        tx.run("UPDATE request SET followers = followers + $2 WHERE id = $1", args![to, more]).await?;
        tx.run("UPDATE request SET followers = 0 WHERE id = $1", args![id]).await?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<Request, Error> {
    let int = |column: &'static str| row.int(column).map_err(counted(TABLE));
    let at = |column: &'static str| row.maybe_int(column).map(maybe_time).map_err(counted(TABLE));
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(TABLE));
    let corrupt = |column: &'static str, value: String| Error::Corrupt { table: TABLE, column, value };
    let (reference, attributes) = (text("reference")?, text("attributes")?);
    let (lat, lon) = (row.real("lat").map_err(counted(TABLE))?, row.real("lon").map_err(counted(TABLE))?);
    let masked = text("masked")?;
    let standing = Standing {
        state: word(TABLE, "state", &text("state")?)?,
        version: int("version")?,
        category: text("category")?,
        service: text("service")?,
        answer_by: UtcMs(int("answer_by")?),
        answered_at: at("answered_at")?,
        promised_at: at("promised_at")?,
        due_at: at("due_at")?,
        done_at: at("done_at")?,
        judge_until: at("judge_until")?,
        closed_at: at("closed_at")?,
        reopened: int("reopened")?,
        answer: maybe("answer")?,
        merged_into: row.maybe_int("merged_into").map_err(counted(TABLE))?,
    };
    Ok(Request {
        id: int("id")?,
        reference: reference.parse().map_err(|_| corrupt("reference", reference.clone()))?,
        standing,
        area: word(TABLE, "area", &text("area")?)?,
        position: GeoPoint::new(lat, lon).map_err(|e| corrupt("lat", e.to_string()))?,
        place: maybe("place")?,
        text: maybe("body")?,
        masked: masked.split(',').filter(|m| !m.is_empty()).map(|m| word(TABLE, "masked", m)).collect::<Result<_, _>>()?,
        attributes: serde_json::from_str(&attributes).map_err(|_| corrupt("attributes", attributes.clone()))?,
        channel: word(TABLE, "channel", &text("channel")?)?,
        language: text("language")?,
        received_at: UtcMs(int("received_at")?),
        updated_at: UtcMs(int("updated_at")?),
        followers: int("followers")?,
        has_contact: int("contacts")? > 0,
        demo: row.flag("demo").map_err(counted(TABLE))?,
    })
}

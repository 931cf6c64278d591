//! The search: by words, reference, category, district, service, state, door and dates, newest first; or what is open or overdue,
//! nearest deadline first. A page is asked for by the key of the last row of the page before, never by a number of rows to skip.
//!
//! Both databases keep one list of words for each request: the words of its text and place without endings, and a word for every
//! property that is searched for (`_c_heating`, `_a_311000000`, `_t_received`, `_o` for open). So "broken heating, unanswered, in this
//! district" is one lookup of words that are all rare or all sorted, however many requests there are. SQLite keeps them with FTS5,
//! PostgreSQL as a `tsvector` under a GIN index. Words of residents hold letters and digits only: an underscore cannot be typed.

use qorgan_domain::{AreaCode, UtcMs};
use sqlx::AssertSqlSafe;

use super::{Channel, Request, TABLE, read};
use crate::{
    Error,
    requests::{Standing, State, place, words},
    store::{
        Store, counted,
        db::{Arg, Db, Row, Tx, args},
    },
};

/// Most rows of one page.
const MOST: u32 = 1_000;

/// Which overdue requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// The resident was not answered in time.
    Answer,
    /// The promised date has passed.
    Work,
    /// Either.
    Any,
}

/// Where the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestCursor {
    /// Below this number.
    Id(i64),
    /// After this deadline, and after this number within it.
    Due(UtcMs, i64),
}

/// What is looked for. Everything that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct RequestFilter {
    /// Every word of it, in any form.
    pub text: Option<String>,
    /// Any of these categories; all when empty.
    pub categories: Vec<String>,
    /// District.
    pub area: Option<AreaCode>,
    /// Service.
    pub service: Option<String>,
    /// Any of these states; all when empty.
    pub states: Vec<State>,
    /// Door.
    pub channel: Option<Channel>,
    /// Came in at this time or later.
    pub from: Option<UtcMs>,
    /// Came in before this time.
    pub to: Option<UtcMs>,
    /// A deadline has passed.
    pub overdue: Option<Overdue>,
    /// A deadline runs.
    pub open: bool,
    /// The page after this.
    pub after: Option<RequestCursor>,
    /// Rows, at most 1,000.
    pub limit: u32,
}

impl RequestFilter {
    /// Sorted by deadline instead of by receipt.
    pub fn by_deadline(&self) -> bool {
        self.open || self.overdue.is_some()
    }
}

impl Store {
    /// A page of requests: newest first, or nearest deadline first when open or overdue ones are asked for.
    pub async fn search_requests(&self, filter: &RequestFilter, now: UtcMs) -> Result<Vec<Request>, Error> {
        let Some((low, high)) = self.id_range(filter).await.map_err(counted("request search"))? else { return Ok(Vec::new()) };
        let ids = self.find(filter, low, high, now).await.map_err(counted("request search"))?;
        self.requests_by(&ids).await
    }

    /// Requests by number, in the order asked for; a number that does not exist is left out.
    pub(super) async fn requests_by(&self, ids: &[i64]) -> Result<Vec<Request>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let list = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT r.*, (SELECT COUNT(*) FROM request_contact c WHERE c.request = r.id) AS contacts FROM request r WHERE r.id IN ({list})"
        );
        let rows = self.db.rows(AssertSqlSafe(sql), vec![]).await.map_err(counted(TABLE))?;
        let mut requests = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let place = |request: &Request| ids.iter().position(|id| *id == request.id);
        requests.sort_by_cached_key(place);
        Ok(requests)
    }

    /// Requests by number; one that does not exist is left out.
    pub async fn requests_listed(&self, ids: &[i64]) -> Result<Vec<Request>, Error> {
        self.requests_by(&ids[..ids.len().min(MOST as usize)]).await
    }

    /// Requests of one category near a place that came in since a time, newest first.
    pub async fn requests_near(&self, at: qorgan_domain::GeoPoint, category: &str, since: UtcMs) -> Result<Vec<Request>, Error> {
        let cells: Vec<Arg> = place::around(at).iter().map(|(row, column)| Arg::from(format!("{row}:{column}"))).collect();
        let places: Vec<String> = (0..cells.len()).map(|n| format!("${}", n + 3)).collect();
        let sql = format!(
            "SELECT id FROM request WHERE cell IN ({}) AND category = $1 AND received_at >= $2 ORDER BY id DESC LIMIT 50",
            places.join(", ")
        );
        let mut values = args![category, since.0];
        values.extend(cells);
        let rows = self.db.rows(AssertSqlSafe(sql), values).await.map_err(counted("requests near"))?;
        let ids = rows.iter().map(|row| row.int("id")).collect::<Result<Vec<_>, _>>().map_err(counted("requests near"))?;
        self.requests_by(&ids).await
    }

    /// The numbers between two times of receipt, first and one past the last; none when there are none.
    async fn id_range(&self, filter: &RequestFilter) -> Result<Option<(i64, i64)>, sqlx::Error> {
        let sql = "SELECT id FROM request WHERE received_at >= $1 ORDER BY received_at, id LIMIT 1";
        let first = async |at: UtcMs| self.db.row(sql, args![at.0]).await?.map(|row| row.int("id")).transpose();
        let low = match filter.from {
            Some(from) => match first(from).await? {
                Some(id) => id,
                None => return Ok(None),
            },
            None => 0,
        };
        let high = match filter.to {
            Some(to) => first(to).await?.unwrap_or(i64::MAX),
            None => i64::MAX,
        };
        Ok((low < high).then_some((low, high)))
    }

    async fn find(&self, filter: &RequestFilter, low: i64, high: i64, now: UtcMs) -> Result<Vec<i64>, sqlx::Error> {
        let postgres = matches!(self.db, Db::Postgres(_));
        let limit = filter.limit.clamp(1, MOST);
        let rows = if filter.by_deadline() {
            let (sql, values) = by_deadline(filter, low, high, now, limit, postgres);
            self.db.rows(AssertSqlSafe(sql), values).await?
        } else {
            let high = match filter.after {
                Some(RequestCursor::Id(id)) => high.min(id),
                _ => high,
            };
            let query = query(filter, true, postgres);
            let limit = i64::from(limit);
            match (query, postgres) {
                (None, _) => {
                    let sql = "SELECT id FROM request WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT $3";
                    self.db.rows(sql, args![low, high, limit]).await?
                }
                (Some(query), false) => {
                    let sql = "SELECT rowid AS id FROM request_words WHERE request_words MATCH $1 AND rowid >= $2 AND rowid < $3 \
                         ORDER BY rowid DESC LIMIT $4";
                    self.db.rows(sql, args![query, low, high, limit]).await?
                }
                (Some(query), true) => {
                    let sql = "SELECT id FROM request_words WHERE body @@ $1::tsquery AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4";
                    self.db.rows(sql, args![query, low, high, limit]).await?
                }
            }
        };
        rows.iter().map(|row: &Row| row.int("id")).collect()
    }
}

/// Open or overdue ones. The index of deadlines holds those alone, with what is filtered by; only words need the other index.
fn by_deadline(filter: &RequestFilter, low: i64, high: i64, now: UtcMs, limit: u32, postgres: bool) -> (String, Vec<Arg>) {
    let mut values: Vec<Arg> = Vec::new();
    let mut place = |value: Arg| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut sql = String::from("SELECT id FROM request WHERE due_at IS NOT NULL");
    let mut and = |part: String| {
        sql.push_str(" AND ");
        sql.push_str(&part);
    };
    if low > 0 {
        and(format!("id >= {}", place(low.into())));
    }
    if high < i64::MAX {
        and(format!("id < {}", place(high.into())));
    }
    if filter.overdue.is_some() {
        and(format!("due_at < {}", place(now.0.into())));
    }
    match filter.overdue {
        Some(Overdue::Answer) => and("state IN ('received', 'reopened')".into()),
        Some(Overdue::Work) => and("state IN ('answered', 'in_work')".into()),
        _ => {}
    }
    let mut one_of = |column: &str, words: Vec<&str>| {
        if !words.is_empty() {
            let places: Vec<String> = words.into_iter().map(|word| place(word.into())).collect();
            and(format!("{column} IN ({})", places.join(", ")));
        }
    };
    one_of("category", filter.categories.iter().map(String::as_str).collect());
    one_of("state", filter.states.iter().map(|state| state.as_str()).collect());
    one_of("area", filter.area.iter().map(AreaCode::as_str).collect());
    one_of("service", filter.service.iter().map(String::as_str).collect());
    one_of("channel", filter.channel.iter().map(|channel| channel.as_str()).collect());
    if filter.text.is_some()
        && let Some(query) = query(filter, false, postgres)
    {
        let query = place(query.into());
        and(match postgres {
            true => format!("id IN (SELECT id FROM request_words WHERE body @@ {query}::tsquery)"),
            false => format!("id IN (SELECT rowid FROM request_words WHERE request_words MATCH {query})"),
        });
    }
    if let Some(RequestCursor::Due(due, id)) = filter.after {
        let (due, id) = (place(due.0.into()), place(id.into()));
        and(format!("(due_at > {due} OR (due_at = {due} AND id > {id}))"));
    }
    let limit = place(i64::from(limit).into());
    sql.push_str(&format!(" ORDER BY due_at, id LIMIT {limit}"));
    (sql, values)
}

/// The query in the database's own language; none when nothing but dates is asked for. Every word is quoted, and none can hold a quote.
fn query(filter: &RequestFilter, properties: bool, postgres: bool) -> Option<String> {
    let (and, or, quote) = if postgres { (" & ", " | ", '\'') } else { (" AND ", " OR ", '"') };
    let quoted = |word: String| format!("{quote}{word}{quote}");
    let mut parts: Vec<String> = Vec::new();
    if let Some(text) = &filter.text {
        let words = words::of(text);
        if words.is_empty() {
            // Signs alone are found nowhere; an empty query would find everything.
            parts.push(quoted("_nothing".into()));
        }
        parts.extend(words.into_iter().map(quoted));
    }
    if properties {
        let mut any = |words: Vec<String>| match words.len() {
            0 => {}
            1 => parts.extend(words),
            _ => parts.push(format!("({})", words.join(or))),
        };
        any(filter.categories.iter().map(|c| quoted(property('c', c))).collect());
        any(filter.area.iter().map(|a| quoted(property('a', a.as_str()))).collect());
        any(filter.service.iter().map(|s| quoted(property('s', s))).collect());
        any(filter.states.iter().map(|s| quoted(property('t', s.as_str()))).collect());
        any(filter.channel.iter().map(|h| quoted(property('h', h.as_str()))).collect());
    } else {
        parts.push(quoted(OPEN.into()));
    }
    (!parts.is_empty()).then(|| parts.join(and))
}

/// The word of open requests.
const OPEN: &str = "_o";

/// The word of a property. Ids hold letters, digits and hyphens; anything else an id from outside may hold finds nothing.
fn property(kind: char, id: &str) -> String {
    let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("_{kind}_{id}")
}

/// All words of a request, with blanks between them.
pub(super) fn words_of(standing: &Standing, area: &AreaCode, channel: Channel, text: Option<&str>, place: Option<&str>) -> String {
    let mut all = words::of(text.unwrap_or_default());
    all.extend(words::of(place.unwrap_or_default()));
    all.insert(property('c', &standing.category));
    all.insert(property('s', &standing.service));
    all.insert(property('a', area.as_str()));
    all.insert(property('t', standing.state.as_str()));
    all.insert(property('h', channel.as_str()));
    if standing.due_at.is_some() {
        all.insert(OPEN.into());
    }
    all.into_iter().collect::<Vec<_>>().join(" ")
}

/// Puts the words of a request in place of what was there.
pub(super) async fn index(tx: &mut Tx, id: i64, words: &str) -> Result<(), sqlx::Error> {
    match tx {
        Tx::Sqlite(..) => {
            tx.run("DELETE FROM request_words WHERE rowid = $1", args![id]).await?;
            tx.run("INSERT INTO request_words (rowid, body) VALUES ($1, $2)", args![id, words]).await?;
        }
        Tx::Postgres(_) => {
            let sql = "INSERT INTO request_words (id, body) VALUES ($1, array_to_tsvector(string_to_array($2, ' '))) \
                 ON CONFLICT (id) DO UPDATE SET body = excluded.body";
            tx.run(sql, args![id, words]).await?;
        }
    }
    Ok(())
}

/// Adds the words of many requests that have none yet: rows of number and words.
pub(super) async fn index_new(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<(), sqlx::Error> {
    match tx {
        Tx::Sqlite(..) => tx.insert("INSERT INTO request_words (rowid, body) VALUES ", "", rows).await,
        Tx::Postgres(_) => {
            let head = "INSERT INTO request_words (id, body) SELECT v.id, array_to_tsvector(string_to_array(v.words, ' ')) FROM (VALUES ";
            tx.insert(head, ") AS v (id, words)", rows).await
        }
    }
}

/// The tables of words: the only ones that differ between the databases, so no migration holds them.
pub(super) async fn prepare(db: &Db) -> Result<(), sqlx::Error> {
    match db {
        // `ascii` takes every letter beyond ASCII as part of a word: what is a word is decided in `requests::words` alone.
        Db::Sqlite(..) => {
            let sql = "CREATE VIRTUAL TABLE IF NOT EXISTS request_words USING fts5(body, content='', contentless_delete=1, detail=none, \
                 tokenize=\"ascii tokenchars '_'\")";
            db.run(sql, vec![]).await?;
        }
        Db::Postgres(_) => {
            // Two hubs that start at once on one database: one of them finds it made.
            let sql = "CREATE TABLE IF NOT EXISTS request_words (id BIGINT PRIMARY KEY NOT NULL, body TSVECTOR NOT NULL)";
            db.run(sql, vec![]).await?;
            let sql = "CREATE INDEX IF NOT EXISTS request_words_by_word ON request_words USING GIN (body) WITH (fastupdate = off)";
            db.run(sql, vec![]).await?;
        }
    }
    Ok(())
}

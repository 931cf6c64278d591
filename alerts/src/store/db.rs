//! Two pools behind one set of SQL: `$1` parameters, integers, floats, text and blobs, nothing else.

use std::{fmt::Write as _, str::FromStr, sync::Arc, time::Duration};

use serde::de::{DeserializeOwned, IntoDeserializer, value::StrDeserializer};
use sqlx::{
    AssertSqlSafe, PgPool, Postgres, Row as _, SqlSafeStr, Sqlite, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::Error;

/// How long a statement waits for a free connection or a lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of one INSERT: up to 20 values each stay far below the 32,766 that SQLite takes.
const ROWS_PER_INSERT: usize = 100;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// One of the two databases.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// With the turn to write: SQLite has one writer, and who finds it busy asks again ever more rarely (up to 100 ms later).
    /// Here they queue up, and an alarm waits for one batch of counts at most.
    Sqlite(SqlitePool, Arc<Mutex<()>>),
    Postgres(PgPool),
}

/// A transaction that writes.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>, OwnedMutexGuard<()>),
    Postgres(Transaction<'static, Postgres>),
}

/// A value on its way in.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

/// A row on its way out.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! into_arg {
    ($($from:ty => |$v:ident| $arg:expr;)*) => {$(
        impl From<$from> for Arg {
            fn from($v: $from) -> Arg {
                $arg
            }
        }
    )*};
}
into_arg! {
    i64 => |v| Arg::Int(Some(v));
    Option<i64> => |v| Arg::Int(v);
    u32 => |v| Arg::Int(Some(i64::from(v)));
    bool => |v| Arg::Int(Some(i64::from(v)));
    f64 => |v| Arg::Real(Some(v));
    f32 => |v| Arg::Real(Some(f64::from(v)));
    Option<f64> => |v| Arg::Real(v);
    &str => |v| Arg::Text(Some(v.to_owned()));
    String => |v| Arg::Text(Some(v));
    Option<String> => |v| Arg::Text(v);
    Vec<u8> => |v| Arg::Bytes(v);
}

/// Values for one statement, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::db::Arg::from($value)),*] };
}
pub(crate) use args;

macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query($sql);
        for arg in $args {
            query = match arg {
                Arg::Int(value) => query.bind(value),
                Arg::Real(value) => query.bind(value),
                Arg::Text(value) => query.bind(value),
                Arg::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Db {
    /// Opens `sqlite:PATH` or `postgres://...` and brings the schema up to date.
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        let db = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(Error::Url(url.to_owned()));
            }
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(PATIENCE)
                .foreign_keys(true);
            // A full disk makes SQLite roll back by itself; the driver's own rollback then fails, and the connection would be in a
            // transaction for ever. Such a one is closed, and another opened.
            let pool = SqlitePoolOptions::new()
                .max_connections(4)
                .acquire_timeout(PATIENCE)
                .before_acquire(|connection, _| Box::pin(async move { Ok(!sqlx::Connection::is_in_transaction(connection)) }));
            Db::Sqlite(pool.connect_with(options).await.map_err(Error::store("open"))?, Arc::default())
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            // The address may hold a password: errors name no more than what failed.
            let options = PgConnectOptions::from_str(url).map_err(Error::store("reading the address"))?;
            let options = options.application_name("qorgan").options([("statement_timeout", "30s")]);
            let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(PATIENCE);
            Db::Postgres(pool.connect_with(options).await.map_err(Error::store("open"))?)
        } else {
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(Error::Url(format!("{scheme}:...")));
        };
        match &db {
            Db::Sqlite(pool, _) => MIGRATIONS.run(pool).await,
            Db::Postgres(pool) => MIGRATIONS.run(pool).await,
        }
        .map_err(|source| Error::Migrate(source.into()))?;
        super::requests::prepare(&db).await.map_err(Error::store("preparing the search"))?;
        Ok(db)
    }

    pub(crate) async fn close(&self) {
        match self {
            Db::Sqlite(pool, _) => pool.close().await,
            Db::Postgres(pool) => pool.close().await,
        }
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn run(&self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Result<u64, sqlx::Error> {
        Ok(match self {
            Db::Sqlite(pool, turn) => {
                let _turn = turn.lock().await;
                bound!(sql, args).execute(pool).await?.rows_affected()
            }
            Db::Postgres(pool) => bound!(sql, args).execute(pool).await?.rows_affected(),
        })
    }

    pub(crate) async fn rows(&self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match self {
            Db::Sqlite(pool, _) => bound!(sql, args).fetch_all(pool).await?.into_iter().map(Row::Sqlite).collect(),
            Db::Postgres(pool) => bound!(sql, args).fetch_all(pool).await?.into_iter().map(Row::Postgres).collect(),
        })
    }

    pub(crate) async fn row(&self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Begins to write. SQLite takes its write lock now: a lock taken later could be refused half-way.
    pub(crate) async fn begin(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Db::Sqlite(pool, turn) => {
                let turn = turn.clone().lock_owned().await;
                Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?, turn)
            }
            Db::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }
}

impl Tx {
    pub(crate) async fn run(&mut self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Result<u64, sqlx::Error> {
        Ok(match self {
            Tx::Sqlite(tx, _) => bound!(sql, args).execute(&mut **tx).await?.rows_affected(),
            Tx::Postgres(tx) => bound!(sql, args).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Inserts rows of equal length, many with one statement: `head` ends with VALUES, `tail` says what happens on conflict.
    pub(crate) async fn insert(&mut self, head: &str, tail: &str, rows: Vec<Vec<Arg>>) -> Result<(), sqlx::Error> {
        let mut rows = rows.into_iter();
        loop {
            let some: Vec<Vec<Arg>> = rows.by_ref().take(ROWS_PER_INSERT).collect();
            let Some(columns) = some.first().map(Vec::len) else { return Ok(()) };
            // The usual single row and whole statements keep prepared; others are made for once.
            let keep = some.len() == 1 || some.len() == ROWS_PER_INSERT;
            let sql = AssertSqlSafe(format!("{head}{}{tail}", places(some.len(), columns, matches!(self, Tx::Postgres(_)))));
            let values = some.into_iter().flatten();
            match self {
                Tx::Sqlite(tx, _) => {
                    bound!(sql, values).persistent(keep).execute(&mut **tx).await?;
                }
                Tx::Postgres(tx) => {
                    bound!(sql, values).persistent(keep).execute(&mut **tx).await?;
                }
            }
        }
    }

    pub(crate) async fn row(&mut self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Result<Option<Row>, sqlx::Error> {
        Ok(match self {
            Tx::Sqlite(tx, _) => bound!(sql, args).fetch_optional(&mut **tx).await?.map(Row::Sqlite),
            Tx::Postgres(tx) => bound!(sql, args).fetch_optional(&mut **tx).await?.map(Row::Postgres),
        })
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Tx::Sqlite(tx, _turn) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        }
    }
}

/// `(?, ?), (?, ?)` for SQLite, which looks a parameter with a name up among all names (thousands of them took seconds);
/// `($1, $2), ($3, $4)` for PostgreSQL, which knows no other.
pub(crate) fn places(rows: usize, columns: usize, numbered: bool) -> String {
    let mut text = String::with_capacity(rows * columns * 4);
    for n in 0..rows * columns {
        text.push_str(match (n, n % columns) {
            (0, _) => "(",
            (_, 0) => "), (",
            _ => ", ",
        });
        text.push(if numbered { '$' } else { '?' });
        if numbered {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}", n + 1);
        }
    }
    text.push(')');
    text
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $type:ty) => {
        $(#[$doc])*
        pub(crate) fn $name(&self, column: &str) -> Result<$type, sqlx::Error> {
            match self {
                Row::Sqlite(row) => row.try_get(column),
                Row::Postgres(row) => row.try_get(column),
            }
        }
    };
}

impl Row {
    getter!(int, i64);
    getter!(maybe_int, Option<i64>);
    getter!(real, f64);
    getter!(maybe_real, Option<f64>);
    getter!(text, String);
    getter!(maybe_text, Option<String>);
    getter!(bytes, Vec<u8>);

    pub(crate) fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
        Ok(self.int(column)? != 0)
    }
}

/// Reads a stored word (an id, a state, a level) by its serde name.
pub(crate) fn word<T: DeserializeOwned>(table: &'static str, column: &'static str, value: &str) -> Result<T, Error> {
    let source: StrDeserializer<'_, serde::de::value::Error> = value.into_deserializer();
    T::deserialize(source).map_err(|_| Error::Corrupt { table, column, value: value.chars().take(80).collect() })
}

/// The same for a column that may be empty.
pub(crate) fn maybe_word<T: DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    value: Option<String>,
) -> Result<Option<T>, Error> {
    value.map(|value| word(table, column, &value)).transpose()
}

//! A consistent copy of an SQLite file while others write it.

use std::path::Path;

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::Error;

/// Copies a database with `VACUUM INTO`. Errors: the file is missing or no database, or the copy exists.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = Error::store;
    let mut connection = SqliteConnectOptions::new()
        .filename(from)
        .create_if_missing(false)
        .connect()
        .await
        .map_err(failed("opening the database to copy"))?;
    let target = to.to_string_lossy().into_owned();
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut connection).await.map_err(failed("copying the database"))?;
    connection.close().await.map_err(failed("closing the copied database"))
}

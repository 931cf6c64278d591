//! The one error of this crate. A refused action is not an error: see [`crate::life::Refusal`].

use std::{path::PathBuf, sync::Arc};

/// What can go wrong between memory and disk.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The alarm journal could not be opened.
    #[error("alarm journal {} cannot be opened", path.display())]
    JournalOpen {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// The alarm journal could not be written or read. No receipt may leave.
    #[error("alarm journal {} failed", path.display())]
    Journal {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// The journal or the engine has stopped.
    #[error("the {0} has stopped")]
    Stopped(&'static str),
    /// Not a store address.
    #[error("store address \"{0}\" is neither sqlite:PATH nor postgres://...")]
    Url(String),
    /// The store could not do something.
    #[error("store: {what} failed")]
    Store {
        /// What was being done.
        what: &'static str,
        /// Why.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// The schema of the store could not be brought up to date.
    #[error("store: migration failed")]
    Migrate(#[source] Arc<sqlx::migrate::MigrateError>),
    /// The store did not answer in time.
    #[error("store: {what} took longer than {limit_ms} ms")]
    Timeout {
        /// What was being done.
        what: &'static str,
        /// How long was waited, in milliseconds.
        limit_ms: u64,
    },
    /// A stored value that this version cannot read.
    #[error("{table}: stored {column} \"{value}\" cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is there.
        value: String,
    },
    /// Too much is waiting for the store.
    #[error("{0} transitions wait for the store; no further action is taken until it is back")]
    Backlog(usize),
}

impl Error {
    pub(crate) fn store(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Error::Store { what, source: Arc::new(source) }
    }
}

//! What can go wrong at the pools' boundary: one type for each question that an application asks.
//!
//! No message holds a secret: connection strings are not in them, and sqlx's errors of connecting
//! hold what the server said, which never repeats a password.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;

use crate::cause::{TimeoutCause, Trouble};
use crate::config::ConfigError;
use crate::ledger::{Counts, Site};
use crate::snapshot::PoolName;

/// Why the pools could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no runtime in which connections could be kept.
    #[error("pools need a Tokio runtime: build them in an async function that Tokio runs")]
    NoRuntime,
    /// The leak detector has no thread.
    #[error("the leak detector's thread cannot be started: {0}; raise the limit of threads")]
    Thread(std::io::ErrorKind),
}

/// Why a caller got no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// None came in time.
    #[error(transparent)]
    TimedOut(Box<TimedOut>),
    /// The server takes no connection from this application, and would not if asked again.
    #[error(
        "pool {pool}: no connection can be opened, known after {waited_ms} ms: {}",
        trouble.as_ref().map_or_else(|| source.to_string(), Trouble::to_string)
    )]
    Connect {
        /// The pool that was asked.
        pool: PoolName,
        /// How long the caller waited.
        waited_ms: u128,
        /// What is wrong with the server, as far as the error says it.
        trouble: Option<Trouble>,
        /// What the server or the system said.
        source: sqlx::Error,
    },
    /// A pooler gives each transaction another session, and the configuration demands a session.
    #[error(
        "pool {pool}: a pooler in transaction mode (such as PgBouncer) stands before the server, \
         where a session's read-only setting would hold nothing and reach other clients; \
         set the arming to `auto` or `transaction`"
    )]
    SessionNotHeld {
        /// The pool that was asked.
        pool: PoolName,
    },
    /// Read-only work goes nowhere.
    #[error(
        "read-only work is disabled: no replica can be used and the fall-through to the primary \
         is off; configure a replica, or switch the fall-through on"
    )]
    ReadOnlyDisabled,
    /// The pools were closed.
    #[error("pool {pool} is closed: take no connection once Pools::close was called")]
    Closed {
        /// The pool that was asked.
        pool: PoolName,
    },
}

/// A caller's time was over before there was a connection: what the pool looked like just then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedOut {
    /// The pool that was asked.
    pub pool: PoolName,
    /// How long the caller waited.
    pub waited: Duration,
    /// Connections that the pool may open.
    pub max: u32,
    /// Connections open.
    pub size: u32,
    /// Connections held by callers.
    pub in_use: u32,
    /// Callers that waited, this one included.
    pub waiting: u32,
    /// Why there was none.
    pub cause: TimeoutCause,
}

impl TimedOut {
    pub(crate) fn new(
        pool: PoolName,
        waited: Duration,
        counts: Counts,
        size: u32,
        cause: TimeoutCause,
    ) -> Self {
        let Counts { max, in_use, waiting, .. } = counts;
        Self { pool, waited, max, size: size.min(max), in_use, waiting, cause }
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, waited, max, size, in_use, waiting, cause } = self;
        write!(
            f,
            "pool {pool}: no connection within {} ms (max={max} size={size} in_use={in_use} \
             waiting={waiting}): {cause}",
            waited.as_millis()
        )
    }
}

impl Error for TimedOut {}

/// A read-only handle did not let a write through.
///
/// It arrives inside a [`sqlx::Error::Database`], because that is what sqlx's queries return;
/// [`WriteRefused::in_error`] finds it there.
#[derive(Debug)]
pub struct WriteRefused {
    pool: PoolName,
    site: Site,
    message: String,
    server: PgDatabaseError,
}

impl WriteRefused {
    /// The refused write in an error of a read-only handle, if it is one.
    pub fn in_error(error: &sqlx::Error) -> Option<&Self> {
        error.as_database_error()?.try_downcast_ref()
    }

    /// The pool of the handle.
    pub fn pool(&self) -> &PoolName {
        &self.pool
    }

    /// Where the application took the handle.
    pub fn site(&self) -> Site {
        self.site
    }

    /// The server's error.
    pub fn server_error(&self) -> &PgDatabaseError {
        &self.server
    }

    /// An error of a statement on a read-only handle; a refused write becomes one of this type.
    pub(crate) fn from_error(
        error: sqlx::Error,
        sql: &str,
        pool: &PoolName,
        site: Site,
    ) -> sqlx::Error {
        let sqlx::Error::Database(error) = error else { return error };
        let server = match error.try_downcast::<PgDatabaseError>() {
            Ok(server) if refuses_a_write(&server, sql) => *server,
            Ok(server) => return sqlx::Error::Database(server),
            Err(other) => return sqlx::Error::Database(other),
        };
        let message = format!(
            "the read-only handle of pool {pool}, taken at {site}, may not write: {} \
             (SQLSTATE {}); take a handle that may from Pools::read_write",
            server.message(),
            server.code()
        );
        sqlx::Error::Database(Box::new(Self { pool: pool.clone(), site, message, server }))
    }
}

impl fmt::Display for WriteRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for WriteRefused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.server)
    }
}

impl DatabaseError for WriteRefused {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.server.code()))
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn table(&self) -> Option<&str> {
        self.server.table()
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// Whether the server refused to write, or to make the transaction one that may.
fn refuses_a_write(error: &PgDatabaseError, sql: &str) -> bool {
    // The server's words may be in any language; its codes and routines are not.
    let read_write_mode =
        || error.routine() == Some("call_bool_check_hook") && !has_word(sql, |w| w == "DEFERRABLE");
    match error.code() {
        // read_only_sql_transaction
        "25006" => true,
        // feature_not_supported, active_sql_transaction: `SET TRANSACTION READ WRITE` on a
        // replica, and where the transaction is pinned
        "0A000" | "25001" => read_write_mode(),
        // insufficient_privilege, which is also the answer to reading what one may not read
        "42501" => has_word(sql, writes) || error.r#where().is_some_and(|w| has_word(w, writes)),
        _ => false,
    }
}

/// Whether a statement with this word may write. It decides only which error a missing privilege
/// is, never whether a statement is sent.
fn writes(word: &str) -> bool {
    const WORDS: [&str; 25] = [
        "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "ALTER", "DROP", "GRANT",
        "REVOKE", "COMMENT", "COPY", "LOCK", "REFRESH", "REINDEX", "CLUSTER", "VACUUM", "ANALYZE",
        "INTO", "NEXTVAL", "SETVAL", "IMPORT", "SECURITY", "REASSIGN", "SHARE",
    ];
    WORDS.contains(&word)
}

/// Whether one of the text's words, in capitals, is one that `wanted` wants. Words in strings,
/// quoted names and comments count as well.
fn has_word(text: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(|character| !part(character)).any(|word| wanted(&word.to_ascii_uppercase()))
}

//! How a connection is kept from writing, and what keeps a session's settings from holding.
//!
//! Where the server gives each client a session of its own, the session is set read-only: when
//! the connection is opened (in the startup packet, so that `RESET ALL` and `DISCARD ALL` lead
//! back to it). Each time that it is given back, before anybody else gets it, it is looked at, and
//! made read-only again where it is not, or may be in a transaction; and once more at a checkout
//! where it has lain unused for a while. A pooler in transaction mode gives each *transaction*
//! another session: a setting would be lost for us, and reach other clients. Two connections show
//! it: behind such a pooler they meet in the same session. There each statement runs in a
//! read-only transaction of its own instead.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::config::{Arming, Config};
use crate::role::ways_to_write;
use crate::stats::Protection;
use crate::transaction::MayBeOpen;

/// Begins a read-only transaction that cannot be made a read-write one: the server takes that
/// only before a transaction's first snapshot, and the `SELECT` takes it. A transaction that was
/// left open, by a caller who was cancelled while he began it, is ended first.
pub(crate) const BEGIN_PINNED: &str = "BEGIN; ROLLBACK; BEGIN TRANSACTION READ ONLY; SELECT 1";

/// The same with one snapshot for all statements.
pub(crate) const BEGIN_PINNED_REPEATABLE: &str =
    "BEGIN; ROLLBACK; BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT 1";

/// Fails outside of a transaction; pins it again where `COMMIT AND CHAIN` began another one.
pub(crate) const STILL_PINNED: &str = "SAVEPOINT ebbline; RELEASE SAVEPOINT ebbline; SELECT 1";

/// Ends what the one before left open, without a warning where that is nothing: `ROLLBACK` ends
/// an open transaction, or the one that `BEGIN` begins where none is.
const END: &str = "BEGIN; ROLLBACK";

/// The same, and sets the session read-only.
const REARM: &str = "BEGIN; ROLLBACK; SET SESSION default_transaction_read_only = on";

/// What the session and its server are like. Names are qualified, because the one before may have
/// changed the search path.
const LOOK: &str = "SELECT pg_catalog.current_setting('transaction_read_only'), \
     pg_catalog.current_setting('default_transaction_read_only'), \
     pg_catalog.pg_is_in_recovery()::pg_catalog.text";

/// What the session was made. It is asked with each release: of all that tells it, this costs the
/// server least.
const SHOW: &str = "SHOW default_transaction_read_only";

/// What the transaction was made, its end, and what the session was made: in this order, because
/// a transaction may hide its session's setting behind one of its own.
const SHOW_AROUND_END: &str =
    "SHOW transaction_read_only; BEGIN; ROLLBACK; SHOW default_transaction_read_only";

/// The same, and what the server is like.
const LOOK_AROUND_END: &str = "SHOW transaction_read_only; BEGIN; ROLLBACK; \
     SELECT pg_catalog.current_setting('default_transaction_read_only'), \
     pg_catalog.pg_is_in_recovery()::pg_catalog.text";

/// In a transaction in which a statement failed, the server takes nothing but its end.
const FAILED_TRANSACTION: &str = "25P02";

/// How often a connection that comes back is asked again. An error may be the late answer to what
/// a caller asked who was cancelled, or that of a failed transaction.
const ATTEMPTS: usize = 4;

const POOLER_APPEARED: &str = "the startup setting default_transaction_read_only was ignored: \
     a pooler stands before the server that was not there before";

/// How often two connections are compared: a pooler that others use at the same time may give
/// them different sessions by chance.
const COMPARISONS: usize = 4;

/// Two connections are compared for at most so long.
const LONGEST_COMPARISON: Duration = Duration::from_secs(1);

/// Whether the server is in recovery is asked with a release when nobody asked for so long.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The pause before a server is asked again that is starting, full or not there.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How one pool's connections are armed, as far as that is known. It is not `Debug`: its options
/// would show the password.
pub(crate) struct Guard {
    wanted: Arming,
    options: PgConnectOptions,
    /// Whether the login role is said to be one that cannot write.
    role_promised: bool,
    /// A comparison that takes so long finds nothing out.
    patience: Duration,
    armed: AtomicU8,
    finding_out: Mutex<()>,
    in_recovery: AtomicBool,
    /// When somebody last looked whether the server is in recovery, in milliseconds after `since`.
    looked_ms: AtomicU64,
    since: Instant,
    role_asked: AtomicBool,
    role_verified: AtomicBool,
}

/// How connections are armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Armed {
    /// By the startup packet, and each time that it comes back.
    Startup = 1,
    /// By a statement, and each time that it comes back.
    Session = 2,
    /// By a transaction for each statement.
    Transaction = 3,
}

/// Why it is not known how connections are to be armed.
#[derive(Debug)]
pub(crate) enum NotArmed {
    /// The server could not be asked.
    Sqlx(sqlx::Error),
    /// A pooler makes sessions meaningless, and the configuration demands one.
    SessionNotHeld,
}

/// What a connection's session was found like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Transactions are read-only by default.
    default_on: bool,
    /// The transaction in which this was asked was read-only.
    transaction_on: bool,
}

impl Found {
    /// Someone made the session, or a transaction that he left open, one that may write.
    pub(crate) fn lifted(self) -> bool {
        !self.default_on || !self.transaction_on
    }
}

impl From<sqlx::Error> for NotArmed {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl Guard {
    /// For a pool that connects with these options. `role_promised` says that their login role
    /// cannot write; each new connection has that verified.
    pub(crate) fn new(config: &Config, options: PgConnectOptions, role_promised: bool) -> Self {
        Self {
            wanted: config.arming,
            options,
            role_promised,
            patience: (config.acquire_timeout / 2).min(LONGEST_COMPARISON),
            armed: AtomicU8::new(0),
            finding_out: Mutex::new(()),
            in_recovery: AtomicBool::new(false),
            looked_ms: AtomicU64::new(0),
            since: Instant::now(),
            role_asked: AtomicBool::new(false),
            role_verified: AtomicBool::new(false),
        }
    }

    /// The options with which the pool begins, before it knows its server.
    pub(crate) fn first_options(&self) -> PgConnectOptions {
        match self.wanted {
            Arming::Auto | Arming::Session => with_startup_setting(&self.options),
            Arming::Transaction => without_statement_cache(&self.options),
        }
    }

    /// How connections are armed, if that is known.
    pub(crate) fn armed(&self) -> Option<Armed> {
        match self.armed.load(Ordering::Acquire) {
            1 => Some(Armed::Startup),
            2 => Some(Armed::Session),
            3 => Some(Armed::Transaction),
            _ => None,
        }
    }

    /// What keeps a handle from writing.
    pub(crate) fn protection(&self) -> Protection {
        if self.in_recovery.load(Ordering::Acquire) {
            Protection::Replica
        } else if self.role_verified.load(Ordering::Acquire) {
            Protection::Role
        } else if self.armed() == Some(Armed::Transaction) {
            Protection::Transaction
        } else {
            Protection::Session
        }
    }

    /// Finds out how connections are to be armed, and tells the pool. It waits for as long as a
    /// server is not there: the caller limits the time.
    pub(crate) async fn find_out(&self, pool: &PgPool) -> Result<Armed, NotArmed> {
        let _one_at_a_time = self.finding_out.lock().await;
        if let Some(armed) = self.armed() {
            return Ok(armed);
        }
        let armed = match self.wanted {
            Arming::Transaction => Armed::Transaction,
            Arming::Auto | Arming::Session => self.ask().await?,
        };
        if armed == Armed::Transaction && self.wanted == Arming::Session {
            return Err(NotArmed::SessionNotHeld);
        }
        pool.set_connect_options(match armed {
            Armed::Startup => with_startup_setting(&self.options),
            Armed::Session => self.options.clone(),
            Armed::Transaction => without_statement_cache(&self.options),
        });
        self.armed.store(armed as u8, Ordering::Release);
        Ok(armed)
    }

    async fn ask(&self) -> Result<Armed, sqlx::Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.ask_once().await {
                Ok(Some(armed)) => return Ok(armed),
                Err(error) if !is_transient(&error) => return Err(error),
                Ok(None) | Err(_) => {
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// `None` where the answer did not come in time.
    async fn ask_once(&self) -> Result<Option<Armed>, sqlx::Error> {
        let (mut one, armed, options) = self.connect().await?;
        let compared = timeout(self.patience, compare(&mut one, &options)).await;
        // A connection that cannot say good-bye is closed all the same.
        let _ = one.close().await;
        Ok(match compared {
            Ok(Ok(true)) => Some(Armed::Transaction),
            Ok(Ok(false)) => Some(armed),
            // There is no second connection to be had, but the server itself took the setting.
            Ok(Err(error)) if armed == Armed::Startup && is_full(&error) => Some(armed),
            Ok(Err(error)) => return Err(error),
            Err(_) if armed == Armed::Startup => None,
            // A pooler has no second session for us, in whatever mode. A transaction for each
            // statement is right in both.
            Err(_) if self.wanted == Arming::Auto => Some(Armed::Transaction),
            Err(_) => Some(armed),
        })
    }

    /// A connection, armed by the startup packet if the server takes that, and takes it to heart.
    async fn connect(&self) -> Result<(PgConnection, Armed, PgConnectOptions), sqlx::Error> {
        let options = with_startup_setting(&self.options);
        match options.connect().await {
            Ok(mut connection) => {
                let setting = "SELECT pg_catalog.current_setting('default_transaction_read_only')";
                let row = sqlx::Executor::fetch_one(&mut connection, setting).await?;
                if row.try_get_unchecked::<&str, _>(0)? == "on" {
                    return Ok((connection, Armed::Startup, options));
                }
                // A pooler that was told to ignore what it does not understand.
                Ok((connection, Armed::Session, options))
            }
            Err(error) if refuses_startup_setting(&error) => {
                let connection = self.options.connect().await?;
                Ok((connection, Armed::Session, self.options.clone()))
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a new connection read-only, and learns from it what protects it.
    pub(crate) async fn arm_new(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let armed = self.armed();
        let found = self.look(connection, LOOK).await?;
        // Nothing is set before it is known whose session it is.
        if armed == Some(Armed::Session) {
            self.rearm(connection).await?;
        }
        if matches!(armed, Some(Armed::Startup) | None) && !found.default_on {
            // All is found out again with the next checkout; this one gets no such connection.
            self.armed.store(0, Ordering::Release);
            return Err(sqlx::Error::Protocol(POOLER_APPEARED.to_owned()));
        }
        if self.role_promised {
            self.verify_role(connection).await?;
        }
        Ok(())
    }

    async fn verify_role(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let ways = ways_to_write(connection, None).await?;
        let was_verified = self.role_verified.swap(ways.is_empty(), Ordering::AcqRel);
        let first_time = !self.role_asked.swap(true, Ordering::AcqRel);
        if let Some(way) = ways.first()
            && (was_verified || first_time)
        {
            tracing::warn!(
                role = self.options.get_username(),
                ways = ways.len(),
                "the login role that is to read only may write: {way}; \
                 ReadOnlyRole::ways_to_write lists all of it"
            );
        }
        Ok(())
    }

    /// Makes a connection read-only that has lain unused for a while, and learns whether the server
    /// still answers. What was given back a moment ago was made read-only then.
    pub(crate) async fn rearm(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let statements = match self.armed() {
            Some(Armed::Transaction) => END,
            _ => REARM,
        };
        sqlx::Executor::execute(connection, statements).await.map(drop)
    }

    /// Looks what a connection that comes back is like, and makes it read-only again. `None` where
    /// its session is none of its own: there only the transaction is ended that holds it.
    pub(crate) async fn clean(
        &self,
        connection: &mut PgConnection,
        transaction: MayBeOpen,
    ) -> Result<Option<Found>, sqlx::Error> {
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let error = match self.clean_once(connection, transaction).await {
                Err(sqlx::Error::Database(error)) if attempts > 0 => error,
                outcome => return outcome,
            };
            if error.code().as_deref() == Some(FAILED_TRANSACTION) {
                sqlx::Executor::execute(&mut *connection, "ROLLBACK").await?;
            }
        }
    }

    async fn clean_once(
        &self,
        connection: &mut PgConnection,
        transaction: MayBeOpen,
    ) -> Result<Option<Found>, sqlx::Error> {
        if self.armed() == Some(Armed::Transaction) {
            return sqlx::Executor::execute(connection, END).await.map(|_| None);
        }
        let question = match transaction {
            _ if self.is_look_due() => LOOK_AROUND_END,
            MayBeOpen::Yes => SHOW_AROUND_END,
            MayBeOpen::No => SHOW,
        };
        let found = self.look(connection, question).await?;
        if !found.default_on {
            self.rearm(connection).await?;
        }
        Ok(Some(found))
    }

    /// Whether the server may have been promoted since somebody looked.
    fn is_look_due(&self) -> bool {
        let looked = Duration::from_millis(self.looked_ms.load(Ordering::Relaxed));
        self.since.elapsed().saturating_sub(looked) >= LOOK_INTERVAL
    }

    /// Asks one of the questions above, and waits until all of it is done: a statement behind the first may fail by itself.
    async fn look(
        &self,
        connection: &mut PgConnection,
        question: &'static str,
    ) -> Result<Found, sqlx::Error> {
        let rows = sqlx::Executor::fetch_all(connection, question).await?;
        let columns = rows.iter().flat_map(|row| (0..row.len()).map(move |at| (row, at)));
        let answers: Result<Vec<&str>, _> =
            columns.map(|(row, at)| row.try_get_unchecked(at)).collect();
        let (transaction, default, recovery) = match answers?[..] {
            [default] => (default, default, None),
            [transaction, default] => (transaction, default, None),
            [transaction, default, recovery] => (transaction, default, Some(recovery)),
            _ => return Err(sqlx::Error::Protocol(format!("no answer to {question}"))),
        };
        if let Some(recovery) = recovery {
            self.in_recovery.store(recovery == "true", Ordering::Release);
            let now_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.looked_ms.store(now_ms, Ordering::Relaxed);
        }
        Ok(Found { default_on: default == "on", transaction_on: transaction == "on" })
    }
}

fn with_startup_setting(options: &PgConnectOptions) -> PgConnectOptions {
    // The server takes the last of several.
    options.clone().options([("default_transaction_read_only", "on")])
}

fn without_statement_cache(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().statement_cache_capacity(0)
}

/// Opens another connection and compares the two.
async fn compare(one: &mut PgConnection, options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let mut other = options.connect().await?;
    let shared = meet(one, &mut other).await?;
    let _ = other.close().await;
    Ok(shared)
}

/// Whether two connections meet in one session, or one of them changes its session. Neither has
/// one of its own then. Each is asked twice in a row: a pooler that takes its sessions in turn
/// would give each the same one again if they took turns too.
async fn meet(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let (first, second) = (session(one).await?, session(other).await?);
    if first == second {
        return Ok(true);
    }
    for _ in 0..COMPARISONS {
        let changed = session(other).await? != second
            || session(one).await? != first
            || session(one).await? != first;
        if changed {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The number of the server's process behind a connection.
async fn session(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let question = "SELECT pg_catalog.pg_backend_pid()";
    let row = sqlx::Executor::fetch_one(connection, question).await?;
    row.try_get_unchecked(0)
}

/// Whether the server, or a pooler, does not take the startup packet's setting. PgBouncer before
/// 1.20 says `protocol_violation`; what has to do with the login, the database or a lack of
/// resources would be said of any connection.
fn refuses_startup_setting(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(|error| error.code()) else { return false };
    !["28", "3D", "53", "57"].iter().any(|class| code.starts_with(class))
}

/// Whether the server has no connection left for this role.
fn is_full(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("53"))
}

/// Whether the server may take the connection a little later: what sqlx's pool tries again.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

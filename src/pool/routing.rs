//! Where read-only work goes: to the replica while it is up and follows its primary closely, and
//! past it otherwise.
//!
//! The replica is looked at over a connection of its own, so that a pool whose callers hold all
//! connections is not taken for a replica that is down. How far it is behind is measured against
//! the primary's write position at known moments: the replica's own clock says nothing while its
//! primary is idle, and its own word that all is replayed is worth nothing once it has lost its
//! primary. Leaving takes two bad looks, coming back several good ones and a lag well below the
//! limit, so that a replica at the edge does not send the work to and fro.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::cause::Trouble;
use crate::config::{Config, Dsn};
use crate::snapshot::ReadOnlyRoute;

/// So many bad looks in a row, and the replica is left.
const LEAVE_AFTER: u32 = 2;

/// So many good looks in a row, and it is taken back.
const RETURN_AFTER: u32 = 5;

/// A look may take so long, or as long as the interval where that is longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many of the primary's positions are kept; when they are more, every other one goes.
const POSITIONS: usize = 1024;

const ASK_PRIMARY: &str = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL \
     ELSE (pg_catalog.pg_current_wal_lsn() - '0/0')::int8 END";

const ASK_REPLICA: &str = "SELECT pg_catalog.pg_is_in_recovery(), \
     (pg_catalog.pg_last_wal_replay_lsn() - '0/0')::int8, \
     extract(epoch FROM pg_catalog.clock_timestamp() \
         - pg_catalog.pg_last_xact_replay_timestamp())::float8";

/// Why read-only work leaves the replica.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplicaTrouble {
    /// No connection to it can be used.
    Down(Trouble),
    /// It shows what its primary had longer ago than the limit allows.
    Lagging {
        /// How far it is behind.
        lag: Duration,
    },
    /// It is not a replica, or not any more: it was promoted, or the connection string leads to
    /// a primary.
    NotInRecovery,
}

/// What the router needs to know.
pub(crate) struct Routing {
    pub(crate) primary: PgConnectOptions,
    pub(crate) replica: PgConnectOptions,
    /// Where the work goes when it leaves the replica.
    pub(crate) otherwise: ReadOnlyRoute,
    pub(crate) max_lag: Duration,
    pub(crate) interval: Duration,
}

/// Knows where read-only work goes. Looks at the replica until it is dropped.
#[derive(Debug)]
pub(crate) struct Router {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    otherwise: ReadOnlyRoute,
    away: AtomicBool,
    changes: AtomicU64,
    /// Someone met trouble with the replica: it is time to look.
    suspected: Notify,
    /// Whether the replica has been looked at.
    decided: watch::Sender<bool>,
}

impl Routing {
    /// Between the primary of `config` and this replica.
    pub(crate) fn new(config: &Config, replica: &Dsn) -> Self {
        Self {
            primary: config.primary.options(),
            replica: replica.options(),
            otherwise: if config.fallthrough {
                ReadOnlyRoute::PrimaryFallthrough
            } else {
                ReadOnlyRoute::Disabled
            },
            max_lag: config.max_replica_lag,
            interval: config.replica_check_interval,
        }
    }
}

impl Router {
    /// Begins to look at the replica, at once and then each interval.
    pub(crate) fn start(routing: Routing, runtime: &Handle) -> Self {
        let shared = Arc::new(Shared {
            otherwise: routing.otherwise,
            away: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            suspected: Notify::new(),
            decided: watch::Sender::new(false),
        });
        let task = runtime.spawn(look_again_and_again(Arc::clone(&shared), routing));
        Self { shared, task }
    }

    /// Where read-only work goes now.
    pub(crate) fn route(&self) -> ReadOnlyRoute {
        if self.shared.away.load(Ordering::Acquire) {
            return self.shared.otherwise;
        }
        ReadOnlyRoute::Replica
    }

    /// How often that has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.shared.changes.load(Ordering::Relaxed)
    }

    /// Waits for the first look, which is over in little more than a second.
    pub(crate) async fn decided(&self) {
        if !*self.shared.decided.borrow() {
            // The sender is as old as this.
            let _ = self.shared.decided.subscribe().wait_for(|decided| *decided).await;
        }
    }

    /// A caller got no connection to the replica: looks at it now.
    pub(crate) fn suspect(&self) {
        self.shared.suspected.notify_one();
    }

    /// Looks no more.
    pub(crate) fn stop(&self) {
        self.task.abort();
        self.shared.decided.send_replace(true);
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn look_again_and_again(shared: Arc<Shared>, routing: Routing) {
    let patience = PATIENCE.max(routing.interval);
    let mut eye = Eye::new(&routing);
    let mut judge = Judge::default();
    loop {
        let verdict = eye.look(patience).await;
        if let Some(change) = judge.hear(&verdict) {
            shared.change(change, &verdict);
        }
        shared.decided.send_replace(true);
        let _ = timeout(routing.interval, shared.suspected.notified()).await;
    }
}

impl Shared {
    fn change(&self, change: Change, verdict: &Verdict) {
        self.away.store(change == Change::Leave, Ordering::Release);
        self.changes.fetch_add(1, Ordering::Relaxed);
        let (replica, otherwise) = (ReadOnlyRoute::Replica.name(), self.otherwise.name());
        match verdict {
            Verdict::Bad(trouble) => tracing::warn!(
                from = replica,
                to = otherwise,
                "read-only work leaves the replica ({replica} -> {otherwise}): {trouble}"
            ),
            Verdict::Good | Verdict::Middling => tracing::info!(
                from = otherwise,
                to = replica,
                "read-only work returns to the replica ({otherwise} -> {replica})"
            ),
        }
    }
}

/// What a look says of the replica.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Good enough to stay, but not to come back.
    Middling,
    Bad(ReplicaTrouble),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Leave,
    Return,
}

/// Decides from what it hears, slowly on purpose.
#[derive(Debug, Default)]
struct Judge {
    heard_any: bool,
    away: bool,
    /// Looks in a row that speak for a change.
    for_change: u32,
}

impl Judge {
    fn hear(&mut self, verdict: &Verdict) -> Option<Change> {
        let first = !std::mem::replace(&mut self.heard_any, true);
        let (speaks, enough, change) = if self.away {
            (*verdict == Verdict::Good, RETURN_AFTER, Change::Return)
        } else {
            // Nothing is known yet that the first look could contradict.
            let enough = if first { 1 } else { LEAVE_AFTER };
            (matches!(verdict, Verdict::Bad(_)), enough, Change::Leave)
        };
        self.for_change = if speaks { self.for_change + 1 } else { 0 };
        if self.for_change < enough {
            return None;
        }
        self.for_change = 0;
        self.away = !self.away;
        Some(change)
    }
}

/// Looks at the replica.
struct Eye {
    primary: Line,
    replica: Line,
    positions: Positions,
    max_lag: Duration,
}

impl Eye {
    fn new(routing: &Routing) -> Self {
        Self {
            primary: Line::to(&routing.primary),
            replica: Line::to(&routing.replica),
            positions: Positions::default(),
            max_lag: routing.max_lag,
        }
    }

    async fn look(&mut self, patience: Duration) -> Verdict {
        // The primary first: what it has written by then, the replica should have soon after.
        // Without the primary there is nothing to compare with, and nowhere else to go.
        let written = self.primary.ask(ASK_PRIMARY, patience).await.ok();
        let written = written.and_then(|row| row.try_get::<Option<i64>, _>(0).ok().flatten());
        if let Some(written) = written {
            self.positions.add(Instant::now(), written);
        }
        let row = match self.replica.ask(ASK_REPLICA, patience).await {
            Ok(row) => row,
            Err(trouble) => return Verdict::Bad(ReplicaTrouble::Down(trouble)),
        };
        let answer = (row.try_get(0), row.try_get(1), row.try_get::<Option<f64>, _>(2));
        let (Ok(true), Ok(replayed), Ok(its_own)) = answer else {
            return Verdict::Bad(ReplicaTrouble::NotInRecovery);
        };
        if written.is_none() {
            return Verdict::Good;
        }
        let its_own = its_own.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        self.judge(self.positions.lag(Instant::now(), replayed, its_own, self.max_lag))
    }

    fn judge(&self, lag: Duration) -> Verdict {
        if lag > self.max_lag {
            Verdict::Bad(ReplicaTrouble::Lagging { lag })
        } else if lag > self.max_lag / 2 {
            Verdict::Middling
        } else {
            Verdict::Good
        }
    }
}

/// What the primary had written at which moments, as far as the replica may be behind it.
#[derive(Debug, Default)]
struct Positions {
    since: Option<Instant>,
    written: VecDeque<(Instant, i64)>,
}

impl Positions {
    fn add(&mut self, now: Instant, written: i64) {
        self.since.get_or_insert(now);
        match self.written.back() {
            // Another server, or an older state of it: what was noted is not its past.
            Some((_, last)) if *last > written => self.written.clear(),
            // Nothing was written since.
            Some((_, last)) if *last == written => return,
            _ => {}
        }
        self.written.push_back((now, written));
        if self.written.len() > POSITIONS {
            let mut index = 0;
            self.written.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// How long ago the primary wrote the first of what the replica does not show. As long as the
    /// notes reach back less than `max_lag`, the age of the last transaction that it shows counts
    /// too: it may have been behind before anyone looked.
    fn lag(
        &self,
        now: Instant,
        replayed: Option<i64>,
        its_own: Option<Duration>,
        max_lag: Duration,
    ) -> Duration {
        let lacks = |written: i64| replayed.is_none_or(|replayed| replayed < written);
        let Some((at, _)) = self.written.iter().find(|(_, written)| lacks(*written)) else {
            return Duration::ZERO;
        };
        let measured = now.saturating_duration_since(*at);
        let young = self.since.is_none_or(|since| now.saturating_duration_since(since) < max_lag);
        measured.max(its_own.filter(|_| young).unwrap_or_default())
    }
}

/// A connection that is opened when it is needed, and again when it broke.
struct Line {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Line {
    fn to(options: &PgConnectOptions) -> Self {
        // The statements of the looks are none of the application's.
        let options = options.clone().disable_statement_logging();
        Self { options, connection: None }
    }

    async fn ask(
        &mut self,
        question: &'static str,
        patience: Duration,
    ) -> Result<sqlx::postgres::PgRow, Trouble> {
        let mut connection = self.connection.take();
        let options = &self.options;
        let asked = async {
            let mut open = match connection.take() {
                Some(open) => open,
                None => PgConnection::connect_with(options).await?,
            };
            let row = sqlx::raw_sql(question).fetch_one(&mut open).await?;
            Ok((open, row))
        };
        match timeout(patience, asked).await {
            Ok(Ok((open, row))) => {
                self.connection = Some(open);
                Ok(row)
            }
            Ok(Err(error)) => Err(trouble(&error)),
            Err(_) => Err(Trouble::Silent { waited: patience }),
        }
    }
}

fn trouble(error: &sqlx::Error) -> Trouble {
    Trouble::of(error).unwrap_or_else(|| Trouble::Refused { said: error.to_string() })
}

impl fmt::Display for ReplicaTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(trouble) => trouble.fmt(f),
            Self::Lagging { lag } => write!(
                f,
                "it is {:.1} s behind its primary; look whether it still follows",
                lag.as_secs_f64()
            ),
            Self::NotInRecovery => f.write_str(
                "it is not a replica (pg_is_in_recovery() is false); correct the connection string",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn bad() -> Verdict {
        Verdict::Bad(ReplicaTrouble::NotInRecovery)
    }

    fn changes(verdicts: &[Verdict]) -> Vec<(usize, Change)> {
        let mut judge = Judge::default();
        let heard = verdicts.iter().map(|verdict| judge.hear(verdict)).enumerate();
        heard.filter_map(|(index, change)| Some((index, change?))).collect()
    }

    #[test]
    fn one_bad_look_or_a_few_good_ones_change_nothing() {
        use Verdict::{Good, Middling};
        assert_eq!(changes(&[Good, bad(), Good, bad(), Middling, bad(), Good]), []);
        assert_eq!(changes(&[bad(), Good]), [(0, Change::Leave)]);
        let mut verdicts = vec![Good, bad(), bad()];
        verdicts.extend([Good, Good, Good, Good, Middling, Good, Good, Good, Good, bad()]);
        verdicts.extend([Good, Good, Good, Good, Good, bad(), bad()]);
        let expected = [(2, Change::Leave), (17, Change::Return), (19, Change::Leave)];
        assert_eq!(changes(&verdicts), expected);
    }

    #[test]
    fn the_lag_is_the_age_of_the_first_thing_that_the_replica_lacks() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let seconds = Duration::from_secs;
        let mut positions = Positions::default();
        for (second, written) in [(0, 100), (20, 100), (30, 200), (40, 300)] {
            positions.add(at(second), written);
        }
        let lag = |replayed| positions.lag(at(42), replayed, None, LIMIT);
        assert_eq!(lag(Some(300)), Duration::ZERO);
        assert_eq!(lag(Some(299)), seconds(2));
        assert_eq!(lag(Some(100)), seconds(12));
        assert_eq!(lag(Some(99)), seconds(42));
        assert_eq!(lag(None), seconds(42));
        // An idle primary: the last transaction is old, and nothing is lacking.
        assert_eq!(positions.lag(at(42), Some(300), Some(seconds(3600)), LIMIT), Duration::ZERO);
        assert_eq!(positions.lag(at(42), Some(299), Some(seconds(3600)), LIMIT), seconds(2));
        // Nobody has looked for long enough to know better.
        let young = positions.lag(at(5), Some(99), Some(seconds(3600)), LIMIT);
        assert_eq!(young, seconds(3600));
    }

    #[test]
    fn a_primary_that_jumped_back_is_measured_anew() {
        let start = Instant::now();
        let mut positions = Positions::default();
        positions.add(start, 500);
        positions.add(start + LIMIT, 100);
        assert_eq!(positions.lag(start + LIMIT, Some(100), None, LIMIT), Duration::ZERO);
    }

    #[test]
    fn positions_of_a_replica_that_stands_still_are_bounded() {
        let start = Instant::now();
        let mut positions = Positions::default();
        for second in 0..100_000_u32 {
            positions.add(start + Duration::from_secs(second.into()), second.into());
        }
        assert!(positions.written.len() <= POSITIONS);
        let now = start + Duration::from_secs(100_000);
        let lag = positions.lag(now, None, None, LIMIT);
        assert_eq!(lag, Duration::from_secs(100_000));
    }
}

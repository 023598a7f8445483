//! The usual keys: by which names programs print the state of a connection pool.
//!
//! A key is compared without case, `_`, `-`, `.` and blanks, so that `idle_connections`,
//! `idleConnections` and `Idle connections` are one. What only says again that it is about
//! connections or a pool is taken off: `num_idle`, `idleCount` and `pg_idle_conns` are `idle`.

use crate::series::snapshot::Gauge;

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A value of the pool.
    Value(Gauge),
    /// The name of the pool.
    Name,
    /// Something else about a pool, which is not to be taken for a value: a counter, a setting.
    Other,
    /// SQLAlchemy's: connections beyond the pool's size, which is a setting then.
    Overflow,
}

/// Longer keys are nobody's.
const MAX_KEY_BYTES: usize = 48;

/// What `key` stands for; `None`: nothing that is usual. `before` is the word in front of it, if
/// nothing but a blank lies between: `in use`, `Active connections`.
pub(super) fn meaning(before: &[u8], key: &[u8]) -> Option<Meaning> {
    let mut plain = Plain::default();
    if !before.is_empty() && plain.push(before) && plain.push(key) {
        let found = look_up(plain.text());
        if found.is_some() {
            return found;
        }
    }
    let mut plain = Plain::default();
    if !plain.push(key) {
        return None;
    }
    // Of a path such as `hikaricp.connections.active` the end says it.
    look_up(plain.text()).or_else(|| {
        let end = key.rsplit(|&byte| byte == b'.').next().filter(|end| end.len() < key.len())?;
        let mut plain = Plain::default();
        if plain.push(end) { look_up(plain.text()) } else { None }
    })
}

/// A key without case and joiners.
struct Plain {
    bytes: [u8; MAX_KEY_BYTES],
    length: usize,
}

impl Default for Plain {
    fn default() -> Self {
        Self { bytes: [0; MAX_KEY_BYTES], length: 0 }
    }
}

impl Plain {
    /// Adds a word; false where there is no room.
    fn push(&mut self, word: &[u8]) -> bool {
        for byte in word.iter().filter(|byte| !matches!(byte, b'_' | b'-' | b'.')) {
            let Some(place) = self.bytes.get_mut(self.length) else { return false };
            *place = byte.to_ascii_lowercase();
            self.length += 1;
        }
        true
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// What may stand in front of a key and says nothing more.
const PREFIXES: [&[u8]; 16] = [
    b"num",
    b"pgx",
    b"pg",
    b"pool",
    b"database",
    b"db",
    b"current",
    b"connections",
    b"connection",
    b"conns",
    b"conn",
    b"get",
    b"hikari",
    b"jdbc",
    b"sql",
    b"curr",
];

/// What may stand behind a key and says nothing more.
const SUFFIXES: [&[u8]; 9] = [
    b"connections",
    b"connection",
    b"conns",
    b"conn",
    b"count",
    b"acquires",
    b"requests",
    b"clients",
    b"resources",
];

fn look_up(word: &[u8]) -> Option<Meaning> {
    if let Some(meaning) = exact(word) {
        return Some(meaning);
    }
    let shorter = PREFIXES
        .iter()
        .filter_map(|prefix| word.strip_prefix(*prefix))
        .chain(SUFFIXES.iter().filter_map(|suffix| word.strip_suffix(*suffix)));
    // Each step shortens the word, so this ends.
    shorter.filter(|rest| !rest.is_empty()).find_map(look_up)
}

fn exact(word: &[u8]) -> Option<Meaning> {
    Some(match word {
        b"size" | b"total" | b"connections" | b"conns" | b"open" | b"managed" | b"allocated"
        | b"totalsize" | b"num" | b"svtotal" => Meaning::Value(Gauge::Size),
        b"inuse"
        | b"used"
        | b"active"
        | b"busy"
        | b"borrowed"
        | b"checkedout"
        | b"acquired"
        | b"using"
        | b"leased"
        | b"occupied"
        | b"svactive"
        | b"checkedoutconnections" => Meaning::Value(Gauge::InUse),
        b"idle" | b"free" | b"available" | b"avail" | b"unused" | b"checkedin" | b"pooling"
        | b"poolingcount" | b"freesize" | b"idlesize" | b"svidle" => Meaning::Value(Gauge::Idle),
        b"waiting"
        | b"pending"
        | b"waiters"
        | b"requestswaiting"
        | b"awaiting"
        | b"waitthread"
        | b"waitingthreads"
        | b"threadswaiting"
        | b"threadsawaitingconnection"
        | b"pendingthreads"
        | b"clwaiting"
        | b"clientswaiting"
        | b"checkoutqueuelength" => Meaning::Value(Gauge::Waiting),
        b"max" | b"maxsize" | b"maxopen" | b"maxtotal" | b"maxactive" | b"maxpoolsize"
        | b"maximumpoolsize" | b"maximum" | b"maxpool" | b"getmaxsize" | b"maxallocated" => {
            Meaning::Value(Gauge::Max)
        }
        b"timeouts" | b"timedout" | b"gettimedout" | b"requestserrors" | b"timeoutcount" => {
            Meaning::Value(Gauge::Timeouts)
        }
        b"pool" | b"poolname" | b"datasource" | b"datasourcename" | b"dbname" | b"database" => {
            Meaning::Name
        }
        b"overflow" | b"maxoverflow" => Meaning::Overflow,
        // Counters and settings whose names would be shortened to one of the above.
        b"borrowedcount" | b"returnedcount" | b"createdcount" | b"requestsqueued" | b"poolmin"
        | b"maxidle" | b"minidle" | b"minsize" | b"waitcount" | b"maxwait" | b"min"
        | b"connectionsnum" | b"requestsnum" | b"acquiredcount" | b"openedcount" | b"usedcount"
        | b"maxused" | b"maxlifetime" | b"maxinuse" | b"maxwaiting" => Meaning::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_many_names() {
        use Gauge::{Idle, InUse, Max, Size, Timeouts, Waiting};
        for (names, gauge) in [
            (
                "size total open pool_size totalCount OpenConnections num_connections total_conns",
                Size,
            ),
            ("in_use inUse numUsed active ActiveConnections checked_out acquiredConns busy", InUse),
            ("idle numIdle idleCount idle_connections pool_available freesize pg_idle_conns", Idle),
            (
                "waiting pending waitingCount requests_waiting numPendingAcquires WaitThreadCount",
                Waiting,
            ),
            ("max max_size MaxOpenConnections pool_max max_conns maxTotal maximumPoolSize", Max),
            ("timeouts get_timed_out requests_errors connection_timeouts", Timeouts),
        ] {
            for name in names.split(' ') {
                assert_eq!(meaning(b"", name.as_bytes()), Some(Meaning::Value(gauge)), "{name}");
            }
        }
        assert_eq!(meaning(b"in", b"use"), Some(Meaning::Value(InUse)));
        assert_eq!(meaning(b"Active", b"connections"), Some(Meaning::Value(InUse)));
        assert_eq!(meaning(b"", b"hikaricp.connections.pending"), Some(Meaning::Value(Waiting)));
    }

    #[test]
    fn counters_settings_and_other_words_are_no_gauges() {
        for name in "WaitCount borrowedCount requests_queued acquire_count max_idle maxIdleClosed \
                     min_size pool_min requests_num connections_num lastwait MaxLifetimeClosed \
                     connections_created wait_duration usage_ms max_lifetime idle_timeout status \
                     constructing_conns canceled_acquire_count max-pool server-capacity"
            .split_whitespace()
        {
            let found = meaning(b"", name.as_bytes());
            assert!(!matches!(found, Some(Meaning::Value(_))) || name == "max-pool", "{name}");
        }
    }
}

//! The service's pool snapshots, once a minute from the evening before the outage to its end.
//!
//! The real journal had none, which is why the outage could not be traced; the sample has them
//! to show what would have been seen.

use ebbline_pool::{PoolState, ReadOnlyRoute, Snapshot, SnapshotError};

use super::calendar::{MINUTE_US, may};
use super::entry::{API_LOGGER, Entry};
use super::failures::{Failure, Kind, Pool};
use super::lifecycle::{api_is_up, api_pid, api_started_us};
use super::random::Random;

const PRIMARY_MAX: u32 = 20;
const PRIMARY_MIN: u32 = 10;
const READ_ONLY_MAX: u32 = 10;

/// Callers and connections at some time, before chance is added.
struct Load {
    primary_in_use: u32,
    primary_waiting: u32,
    /// Connections that the replica's pool has left.
    replica_size: u32,
    replica_waiting: u32,
}

/// What is handed out, counted since the service started.
#[derive(Default)]
struct Acquires {
    primary: u64,
    read_only: u64,
}

/// A line a minute. Failures tell the counters of timeouts.
pub(super) fn entries(failures: &[Failure]) -> Vec<Entry> {
    let mut random = Random::named("snapshots");
    let mut entries = Vec::new();
    let mut acquires = Acquires { primary: 211_806, read_only: 90_417 };
    let mut process = api_pid(may(5).at(18, 0, 0));
    let mut at_us = may(5).at(18, 0, 7) + 418_207;
    while at_us < may(6).at(18, 0, 0) {
        if api_pid(at_us) != process {
            process = api_pid(at_us);
            acquires = Acquires::default();
        }
        if api_is_up(at_us) {
            let snapshot = snapshot(at_us, failures, &mut acquires, &mut random);
            // The pools have two names, so that there always is a snapshot.
            entries.extend(snapshot.into_iter().map(|snapshot| {
                let message = format!("INFO:scidex.db.pool_logger:{snapshot}");
                Entry::new(at_us, &API_LOGGER, process, 6, message)
            }));
        }
        at_us += MINUTE_US;
    }
    entries
}

fn snapshot(
    at_us: u64,
    failures: &[Failure],
    acquires: &mut Acquires,
    random: &mut Random,
) -> Result<Snapshot, SnapshotError> {
    let load = load(at_us);
    let repaired = at_us > may(6).at(17, 14, 36);
    let in_use = (load.primary_in_use + random.between(0, 3) as u32).min(PRIMARY_MAX);
    let full = in_use == PRIMARY_MAX;
    let size = if full { PRIMARY_MAX } else { in_use.max(PRIMARY_MIN - 1) + 1 };
    let waiting = if full { load.primary_waiting + random.between(0, 5) as u32 } else { 0 };
    acquires.primary += if full { random.between(20, 90) } else { random.between(90, 260) };
    let primary = PoolState {
        max: PRIMARY_MAX,
        size,
        idle: size - in_use,
        in_use,
        waiting,
        acquires: acquires.primary,
        timeouts: timeouts(at_us, failures, Pool::Primary),
        peak_in_use: (in_use + random.between(0, 3) as u32).min(size),
        peak_waiting: waiting + random.between(0, 4) as u32 * u32::from(full),
        ..PoolState::new("primary")?
    };
    let size = load.replica_size;
    let in_use = (random.between(1, 5) as u32).min(size);
    let waiting = load.replica_waiting + random.between(0, 2) as u32 * u32::from(size < 5);
    acquires.read_only += random.between(8, 20) * u64::from(size);
    let read_only = PoolState {
        max: READ_ONLY_MAX,
        size,
        idle: size - in_use,
        in_use,
        waiting,
        acquires: acquires.read_only,
        timeouts: timeouts(at_us, failures, Pool::Replica),
        peak_in_use: (in_use + random.between(0, 3) as u32).min(size),
        peak_waiting: waiting + random.between(0, 2) as u32 * u32::from(size < 5),
        ..PoolState::new(if repaired { "ro_fallthrough" } else { "ro" })?
    };
    let route = if repaired { ReadOnlyRoute::PrimaryFallthrough } else { ReadOnlyRoute::Replica };
    Snapshot::new(Some(route), vec![primary, read_only])
}

/// How the pools fill up: on the evening of May 5 the replica fails for some hours; in the night
/// it goes for good, and requests that wait for it hold on to the primary's connections.
fn load(at_us: u64) -> Load {
    let load = |primary_in_use, primary_waiting, replica_size, replica_waiting| Load {
        primary_in_use,
        primary_waiting,
        replica_size,
        replica_waiting,
    };
    let between = |from_us: u64, to_us: u64| (from_us..to_us).contains(&at_us);
    let (filling_us, full_us) = (may(6).at(3, 30, 0), may(6).at(4, 38, 0));
    if between(may(5).at(20, 31, 0), may(5).at(22, 58, 0)) {
        return load(11, 0, 2, 2);
    }
    if between(filling_us, full_us) {
        let done = (at_us - filling_us) as f64 / (full_us - filling_us) as f64;
        return load(4 + (done * 15.0) as u32, 1, 8 - (done * 7.0) as u32, (done * 2.0) as u32);
    }
    if between(full_us, may(6).at(4, 49, 0)) {
        let minute = ((at_us - full_us) / MINUTE_US) as u32;
        return load(20, 1 + minute / 2, 1, 2);
    }
    if between(may(6).at(4, 49, 0), may(6).at(17, 14, 36)) {
        return load(20, 8, 0, 4);
    }
    load(3, 0, if at_us < filling_us { 8 } else { READ_ONLY_MAX }, 0)
}

/// Callers of `pool` that gave up since the service started.
fn timeouts(at_us: u64, failures: &[Failure], pool: Pool) -> u64 {
    let since_us = api_started_us(at_us).unwrap_or(0);
    let counts = |failure: &&Failure| {
        let own = matches!(failure.kind, Kind::PoolTimeout { pool: of, .. } if of == pool);
        own && (since_us..=at_us).contains(&failure.at_us)
    };
    failures.iter().filter(counts).count() as u64
}

//! Starts, stops and deployments of the service, the host's reboot, and what the service says of
//! its replica. The replica's own unit never logs anything: it never was on this host.

use super::calendar::{SECOND_US, april, may};
use super::entry::{API_LOGGER, API_STDOUT, DEPLOY, Entry, JOURNALD, KERNEL, SYSTEMD, reboot_us};
use super::host::unit_event;
use super::message_id;
use super::random::Random;

/// How long a new process takes until it answers.
const STARTUP_US: u64 = 18 * SECOND_US;

/// A restart of the service.
struct Start {
    /// When its old process is asked to stop.
    stop_us: u64,
    /// When its new process is started.
    up_us: u64,
    pid: u32,
    /// What was deployed, if anything was.
    deployed: Option<&'static str>,
}

/// The service's starts within the sample, in order. The process before them has pid 1123.
fn starts() -> [Start; 5] {
    let restart = |stop_us, pid, deployed| {
        let up_us = stop_us + 2 * SECOND_US;
        Start { stop_us, up_us, pid, deployed }
    };
    [
        restart(
            april(20).at(19, 19, 42),
            48_211,
            Some("03f91a907 [Atlas] api_shared/db.py: add get_db_ro() for streaming replica pool"),
        ),
        restart(april(21).at(5, 51, 12), 61_377, None),
        Start {
            stop_us: reboot_us() - 70 * SECOND_US,
            up_us: reboot_us() + 25 * SECOND_US,
            pid: 987,
            deployed: None,
        },
        restart(may(2).at(4, 29, 58), 30_144, Some("5d20e7f13 [Agora] wiki: cache page trees")),
        restart(
            may(6).at(17, 14, 36),
            50_388,
            Some("e41c90b6a [Senate] api_shared/db.py: fall through to the primary (#1377)"),
        ),
    ]
}

/// The process id of the service at that time.
pub(super) fn api_pid(at_us: u64) -> u32 {
    starts().iter().rev().find(|start| start.stop_us <= at_us).map_or(1_123, |start| start.pid)
}

/// When the service's process of that time was started; `None`: before the sample.
pub(super) fn api_started_us(at_us: u64) -> Option<u64> {
    starts().iter().rev().map(|start| start.up_us).find(|&up_us| up_us <= at_us)
}

/// Whether the service answers at that time.
pub(super) fn api_is_up(at_us: u64) -> bool {
    !starts().iter().any(|start| (start.stop_us..start.up_us + STARTUP_US).contains(&at_us))
}

/// All entries of this kind.
pub(super) fn entries() -> Vec<Entry> {
    let mut entries = reboot();
    for start in starts() {
        if let Some(commit) = start.deployed {
            let at_us = start.stop_us - 4 * SECOND_US;
            let message = format!("deploying {commit}");
            entries.push(Entry::new(at_us, &DEPLOY, 40_503, 6, message));
        }
        entries.extend(stop(&start));
        entries.extend(come_up(&start));
    }
    entries.extend(replica());
    entries
}

/// The old process ends.
fn stop(start: &Start) -> Vec<Entry> {
    let old_pid = api_pid(start.stop_us - 1);
    let at = |millis: u64| start.stop_us + millis * 1_000;
    let says = |millis, message: &str| Entry::new(at(millis), &API_STDOUT, old_pid, 6, message);
    let stopping = "Stopping scidex-api.service - SciDEX API...";
    let stopped = "Stopped scidex-api.service - SciDEX API.";
    vec![
        unit_event(at(0), API_STDOUT.unit, message_id::UNIT_STOPPING, stopping),
        says(40, "INFO:     Shutting down"),
        says(142, "INFO:     Waiting for application shutdown."),
        says(391, "INFO:     Application shutdown complete."),
        says(393, &format!("INFO:     Finished server process [{old_pid}]")),
        unit_event(at(503), API_STDOUT.unit, message_id::UNIT_STOPPED, stopped),
    ]
}

/// The new process begins.
fn come_up(start: &Start) -> Vec<Entry> {
    let at = |millis: u64| start.up_us + millis * 1_000;
    let says = |millis, message: &str| Entry::new(at(millis), &API_STDOUT, start.pid, 6, message);
    let started = "Started scidex-api.service - SciDEX API.";
    vec![
        unit_event(at(0), API_STDOUT.unit, message_id::UNIT_STARTED, started),
        says(1_503, &format!("INFO:     Started server process [{}]", start.pid)),
        says(1_504, "INFO:     Waiting for application startup."),
        says(17_911, "INFO:     Application startup complete."),
        says(17_915, "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)"),
    ]
}

/// The host goes down and comes up again.
fn reboot() -> Vec<Entry> {
    let down_us = reboot_us() - 60 * SECOND_US;
    let up = |millis: u64| reboot_us() + millis * 1_000;
    let journal_stopped = Entry::new(down_us + 9 * SECOND_US, &JOURNALD, 412, 6, "Journal stopped");
    let journal_started = Entry::new(up(1_204), &JOURNALD, 503, 6, "Journal started");
    let kernel = "Linux version 6.1.0-34-amd64 (debian-kernel@lists.debian.org) #1 SMP \
                  PREEMPT_DYNAMIC Debian 6.1.135-1";
    let pci = "pci 0000:00:1f.0: reg 0x503: [io 0x0503-0x0503]";
    let pgbouncer = "Started pgbouncer.service - connection pooler for PostgreSQL.";
    let finished = "Startup finished in 3.412s (kernel) + 21.503s (userspace) = 24.915s.";
    vec![
        Entry::new(down_us, &SYSTEMD, 1, 5, "System is rebooting."),
        journal_stopped.with("MESSAGE_ID", message_id::JOURNAL_STOPPED),
        Entry::new(up(1), &KERNEL, 0, 5, kernel),
        Entry::new(up(503), &KERNEL, 0, 6, pci),
        journal_started.with("MESSAGE_ID", message_id::JOURNAL_STARTED),
        unit_event(up(4_711), "pgbouncer.service", message_id::UNIT_STARTED, pgbouncer),
        Entry::new(up(24_915), &SYSTEMD, 1, 6, finished)
            .with("MESSAGE_ID", message_id::STARTUP_FINISHED),
    ]
}

/// The only traces of the replica: the service's own attempts to reach port 5433.
fn replica() -> Vec<Entry> {
    const REFUSED: &str = "WARNING:psycopg.pool:error connecting in 'ro': connection failed: \
        connection to server at \"127.0.0.1\", port 5433 failed: Connection refused\n\
        \tIs the server running on that host and accepting TCP/IP connections?";
    const SHORT: &str = "WARNING:scidex.db:replica connection failed: connection refused";
    const READY: &str = "INFO:scidex.db:read-only pool ready on 127.0.0.1:5433";
    let mut random = Random::named("replica");
    let mut entries = Vec::new();
    let api = |at_us, priority, message| {
        Entry::new(at_us, &API_LOGGER, api_pid(at_us), priority, message)
    };
    for (from_us, to_us) in [
        (april(20).at(19, 20, 4), april(21).at(5, 50, 40)),
        (may(5).at(20, 31, 2), may(5).at(22, 56, 10)),
        (may(6).at(3, 30, 15), may(6).at(17, 14, 20)),
    ] {
        let mut at_us = from_us;
        while at_us < to_us {
            entries.push(api(at_us, 4, if random.one_in(3) { SHORT } else { REFUSED }));
            at_us += random.between(40, 300) * SECOND_US + random.between(0, SECOND_US);
        }
    }
    for at_us in [april(21).at(5, 51, 40), april(28).at(3, 12, 28), may(2).at(4, 30, 31)] {
        entries.push(api(at_us, 6, READY));
    }
    entries
}

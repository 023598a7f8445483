//! The rest of the host: timers, cron, ssh, PostgreSQL, PgBouncer, the firewall. They log at
//! every hour, and much of it holds a 503 or a timeout that is nobody's failure to count.

use super::calendar::{Day, HOUR_US, SECOND_US, days};
use super::entry::{CRON, Entry, KERNEL, PGBOUNCER, POSTGRES, SSHD, SYSTEMD, reboot_us};
use super::message_id;
use super::random::Random;

/// An entry of systemd about a unit, with the id that systemd gives this kind of message.
pub(super) fn unit_event(at_us: u64, unit: &str, message_id: &str, message: &str) -> Entry {
    Entry::new(at_us, &SYSTEMD, 1, 6, message).with("UNIT", unit).with("MESSAGE_ID", message_id)
}

/// Every hour of every day.
pub(super) fn entries() -> Vec<Entry> {
    let mut random = Random::named("host");
    let mut entries = Vec::new();
    for day in days() {
        for hour in 0..24 {
            every_hour(&mut random, day, hour, &mut entries);
        }
        indexer(day, &mut entries);
    }
    let down = reboot_us() - 55 * SECOND_US..reboot_us() + 30 * SECOND_US;
    entries.retain(|entry| !down.contains(&entry.at_us));
    entries
}

fn every_hour(random: &mut Random, day: Day, hour: u64, entries: &mut Vec<Entry>) {
    let start_us = day.at(hour, 0, 0);
    feeds(start_us + 5 * SECOND_US + random.between(0, SECOND_US), entries);
    let cron = "(root) CMD (   cd / && run-parts --report /etc/cron.hourly)";
    entries.push(Entry::new(day.at(hour, 17, 1), &CRON, pid(random), 6, cron));
    if hour.is_multiple_of(2) {
        let cron = "(scidex) CMD (/srv/scidex/bin/prune-cache --timeout 503)";
        entries.push(Entry::new(day.at(hour, 30, 1), &CRON, pid(random), 6, cron));
    }
    entries.push(Entry::new(day.at(hour, 0, 31), &PGBOUNCER, 811, 6, pgbouncer_stats(random)));
    checkpoint(start_us + 12 * 60 * SECOND_US + random.between(0, SECOND_US), random, entries);
    for _ in 0..random.between(1, 4) {
        let at_us = start_us + random.between(0, HOUR_US);
        entries.push(Entry::new(at_us, &SSHD, pid(random), 6, *random.pick(&SSH)));
    }
    if random.one_in(3) {
        let at_us = start_us + random.between(0, HOUR_US);
        let message = "fatal: Timeout before authentication for 203.0.113.7 port 50322";
        entries.push(Entry::new(at_us, &SSHD, pid(random), 2, message));
    }
    if random.one_in(3) {
        let at_us = start_us + random.between(0, HOUR_US);
        entries.push(Entry::new(at_us, &POSTGRES, 903, 4, *random.pick(&STATEMENTS)));
    }
    for _ in 0..random.between(0, 3) {
        let at_us = start_us + random.between(0, HOUR_US);
        entries.push(Entry::new(at_us, &KERNEL, 0, 4, *random.pick(&FIREWALL)));
    }
    if random.one_in(2) {
        let at_us = start_us + random.between(0, HOUR_US);
        entries.push(Entry::new(at_us, &PGBOUNCER, 811, 6, *random.pick(&PGBOUNCER_CLIENTS)));
    }
}

const SSH: [&str; 5] = [
    "Accepted publickey for deploy from 10.0.0.5 port 50312 ssh2: ED25519 \
     SHA256:pX0m1cZq6n3vG2p5dTnD8rYxqk7Jw503aVbC9eFhLtU",
    "Connection closed by 198.51.100.23 port 503 [preauth]",
    "Invalid user admin from 203.0.113.50 port 50344",
    "Disconnected from user deploy 10.0.0.5 port 50312",
    "Received disconnect from 203.0.113.50 port 5033:11: Bye Bye [preauth]",
];

const STATEMENTS: [&str; 4] = [
    "[503-1] ERROR:  canceling statement due to statement timeout\n\
     [503-2] STATEMENT:  SELECT id FROM papers WHERE year = 503",
    "[88-1] LOG:  duration: 1503.112 ms  statement: SELECT count(*) FROM artifacts",
    "[91-1] ERROR:  canceling statement due to lock timeout",
    "[94-1] LOG:  could not receive data from client: Connection timed out",
];

const FIREWALL: [&str; 3] = [
    "[UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.9 DST=198.51.100.4 LEN=44 TOS=0x00 TTL=246 ID=54321 \
     PROTO=TCP SPT=50312 DPT=503 WINDOW=1024 RES=0x00 SYN URGP=0",
    "[UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.77 DST=198.51.100.4 LEN=40 TOS=0x00 TTL=241 ID=503 \
     PROTO=TCP SPT=44012 DPT=5433 WINDOW=1024 RES=0x00 SYN URGP=0",
    "[UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.61 DST=198.51.100.4 LEN=503 TOS=0x00 TTL=52 ID=0 DF \
     PROTO=UDP SPT=5060 DPT=5060 LEN=483",
];

const PGBOUNCER_CLIENTS: [&str; 3] = [
    "C-0x55d0c8a3f2b0: scidex/scidex@127.0.0.1:50312 login attempt: db=scidex user=scidex tls=no",
    "C-0x55d0c8a3f2b0: scidex/scidex@127.0.0.1:50312 closing because: client close request \
     (age=503s)",
    "S-0x55d0c8a41503: scidex/scidex@127.0.0.1:5432 closing because: server idle timeout \
     (age=1503s)",
];

fn pgbouncer_stats(random: &mut Random) -> String {
    let (transactions, query_us) = (random.between(3, 20), random.pick(&[487, 495, 503, 512]));
    format!(
        "stats: {transactions} xacts/s, {} queries/s, in 8192 B/s, out 50312 B/s, xact 1503 us, \
         query {query_us} us, wait 503 us",
        transactions * 3
    )
}

fn checkpoint(at_us: u64, random: &mut Random, entries: &mut Vec<Entry>) {
    let buffers = random.pick(&[212, 388, 503, 641]);
    let message = format!(
        "[7-1] LOG:  checkpoint complete: wrote {buffers} buffers (3.1%); 0 WAL file(s) added, 0 \
         removed, 1 recycled; write=50.312 s, sync=0.004 s, total=50.321 s"
    );
    entries.push(Entry::new(at_us, &POSTGRES, 871, 6, message));
}

/// A timer's job, as systemd reports it.
fn feeds(at_us: u64, entries: &mut Vec<Entry>) {
    let unit = "scidex-feeds.service";
    let starting = "Starting scidex-feeds.service - Refresh literature feeds...";
    entries.push(unit_event(at_us, unit, message_id::UNIT_STARTING, starting));
    let done_us = at_us + 5_030_117;
    let deactivated = "scidex-feeds.service: Deactivated successfully.";
    entries.push(unit_event(done_us, unit, message_id::UNIT_DEACTIVATED, deactivated));
    let finished = "Finished scidex-feeds.service - Refresh literature feeds.";
    entries.push(unit_event(done_us + 211, unit, message_id::UNIT_STARTED, finished));
}

/// The indexer does not stop in time when it is restarted at night.
fn indexer(day: Day, entries: &mut Vec<Entry>) {
    let unit = "scidex-indexer.service";
    let at_us = day.at(2, 41, 30);
    let timed_out = "scidex-indexer.service: State 'stop-sigterm' timed out. Killing.";
    entries.push(Entry::new(at_us, &SYSTEMD, 1, 4, timed_out).with("UNIT", unit));
    let killing = "scidex-indexer.service: Killing process 503 (python3) with signal SIGKILL.";
    entries.push(Entry::new(at_us + 114, &SYSTEMD, 1, 5, killing).with("UNIT", unit));
    let failed = "scidex-indexer.service: Failed with result 'timeout'.";
    entries.push(unit_event(at_us + 20_503, unit, message_id::UNIT_FAILED, failed));
}

fn pid(random: &mut Random) -> u32 {
    *random.pick(&[503, 1_503, 5_031, 8_814, 20_503, 31_117, 40_926, 50_312])
}

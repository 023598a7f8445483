//! Seeded entries of a busy web host over thirty days: some twenty fields each, 1 % of them pool
//! timeouts or 503s, near misses, tracebacks, repeated messages, eight units.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::journals::TestEntry;

/// Entries are made in blocks of this many, each from a seed of its own, so that every way to
/// spread them over files has the same entries.
pub(crate) const BLOCK_ENTRIES: u64 = 1000;
/// The unit that the benchmark filters by: that of the application.
pub(crate) const UNIT: &str = "api.service";
/// One of these is in every message that counts, on one of its lines, and in no other message.
pub(crate) const LITERALS: [&str; 3] =
    ["\" 503 ", "couldn't get a connection after", "QueuePool limit of size"];

/// 2026-05-01T00:00:00Z.
const START_US: u64 = 1_777_593_600_000_000;
const DAY_US: u64 = 86_400_000_000;
const DAYS: u64 = 30;

/// What a message counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    PoolTimeout,
    Http503,
}

/// One entry.
pub(crate) struct BenchEntry {
    pub(crate) unit: &'static str,
    class: Option<Class>,
    pub(crate) logged: TestEntry,
}

/// How many entries there are, and of each class, by day of the month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) entries: u64,
    /// Pool timeouts and 503s by day, for days that have any.
    pub(crate) days: BTreeMap<String, [u64; 2]>,
}

impl Counts {
    pub(crate) fn add(&mut self, entry: &BenchEntry) {
        self.entries += 1;
        if let Some(class) = entry.class {
            let day = format!("2026-05-{:02}", 1 + (entry.logged.realtime_us - START_US) / DAY_US);
            self.days.entry(day).or_default()[class as usize] += 1;
        }
    }

    /// All of these together.
    pub(crate) fn sum(parts: &[Self]) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.entries += part.entries;
            for (day, events) in &part.days {
                let total = sum.days.entry(day.clone()).or_default();
                *total = [total[0] + events[0], total[1] + events[1]];
            }
        }
        sum
    }

    /// Messages of either class.
    pub(crate) fn events(&self) -> u64 {
        self.days.values().flatten().sum()
    }
}

/// A generator of numbers (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A service: how it presents itself in a journal.
struct Service {
    unit: &'static str,
    identifier: &'static str,
    executable: &'static str,
    uid: u32,
    /// Whether it logs through syslog, which keeps the sender's own time, or to standard output.
    syslog: bool,
    /// How many of 100 entries are its own.
    share: u64,
}

const fn service(
    unit: &'static str,
    identifier: &'static str,
    executable: &'static str,
    uid: u32,
    syslog: bool,
    share: u64,
) -> Service {
    Service { unit, identifier, executable, uid, syslog, share }
}

const SERVICES: [Service; 8] = [
    service(UNIT, "uvicorn", "/usr/bin/python3.12", 1000, false, 48),
    service("nginx.service", "nginx", "/usr/sbin/nginx", 33, true, 20),
    service("worker.service", "celery", "/usr/bin/python3.12", 1001, false, 14),
    service(
        "postgresql@16-main.service",
        "postgres",
        "/usr/lib/postgresql/16/bin/postgres",
        112,
        true,
        6,
    ),
    service("ssh.service", "sshd", "/usr/sbin/sshd", 0, true, 5),
    service("cron.service", "CRON", "/usr/sbin/cron", 0, true, 3),
    service("redis-server.service", "redis", "/usr/bin/redis-server", 110, false, 2),
    service("init.scope", "systemd", "/usr/lib/systemd/systemd", 0, true, 2),
];

/// The entries of one of `blocks` blocks.
pub(crate) fn block(number: u64, blocks: u64) -> impl Iterator<Item = BenchEntry> {
    let mut random = Random(number);
    let step_us = DAYS * DAY_US / (blocks * BLOCK_ENTRIES);
    (number * BLOCK_ENTRIES..(number + 1) * BLOCK_ENTRIES).map(move |index| {
        let since_start_us = index * step_us + random.below(step_us);
        entry(&mut random, since_start_us)
    })
}

fn entry(random: &mut Random, since_start_us: u64) -> BenchEntry {
    let mut chosen = random.below(100);
    let service = SERVICES.iter().find(|service| {
        let is_it = chosen < service.share;
        chosen = chosen.wrapping_sub(service.share);
        is_it
    });
    let service = service.unwrap_or(&SERVICES[0]);
    let (message, class) = message(random, service);
    let realtime_us = START_US + since_start_us;
    // Processes are started anew, and machines too, every other day.
    let day = since_start_us / DAY_US;
    let pid = 800 + 37 * day + u64::from(service.uid) + random.below(4);
    let logged = logged(service, &message, Moment { realtime_us, since_start_us, day, pid });
    BenchEntry { unit: service.unit, class, logged }
}

struct Moment {
    realtime_us: u64,
    since_start_us: u64,
    day: u64,
    pid: u64,
}

fn logged(service: &Service, message: &str, moment: Moment) -> TestEntry {
    let Moment { realtime_us, since_start_us, day, pid } = moment;
    let &Service { unit, identifier, executable, uid, syslog, .. } = service;
    let boot = day / 2;
    let mut fields = Vec::with_capacity(20);
    let mut field = |name: &str, value: &str| fields.push((name.to_owned(), value.into()));
    field("_TRANSPORT", if syslog { "syslog" } else { "stdout" });
    field("PRIORITY", if message.contains("ERROR") { "3" } else { "6" });
    field("SYSLOG_FACILITY", "3");
    field("SYSLOG_IDENTIFIER", identifier);
    field("_UID", &uid.to_string());
    field("_GID", &uid.to_string());
    field("_COMM", identifier);
    field("_EXE", executable);
    field("_CMDLINE", &format!("{executable} --config /etc/{identifier}.conf"));
    field("_CAP_EFFECTIVE", if uid == 0 { "1ffffffffff" } else { "0" });
    field("_SELINUX_CONTEXT", "unconfined");
    field("_SYSTEMD_CGROUP", &format!("/system.slice/{unit}"));
    field("_SYSTEMD_UNIT", unit);
    field("_SYSTEMD_SLICE", "system.slice");
    field("_SYSTEMD_INVOCATION_ID", &format!("{:016x}{day:016x}", 0x1f0c_0000 + uid));
    field("_MACHINE_ID", "7d9c6e35f4a24f0f8a35b4d2c1e09a66");
    field("_HOSTNAME", "atlas");
    field("_PID", &pid.to_string());
    if syslog {
        field("SYSLOG_PID", &pid.to_string());
        field("_SOURCE_REALTIME_TIMESTAMP", &(realtime_us - 40).to_string());
    } else {
        field("_STREAM_ID", &format!("57{:014x}{day:016x}", uid));
    }
    field("MESSAGE", message);
    let monotonic_us = since_start_us - boot * 2 * DAY_US + 9_000_000;
    let boot = 0xb007 << 112 | u128::from(boot);
    TestEntry { realtime_us, monotonic_us, boot, fields }
}

const PATHS: [&str; 6] = [
    "/api/items",
    "/api/orders/17",
    "/api/annotations",
    "/healthz",
    "/api/search",
    "/static/logo.png",
];

fn message(random: &mut Random, service: &Service) -> (String, Option<Class>) {
    let number = random.below(1_000_000);
    let client = format!("10.{}.{}.{}", number % 7, number % 241, number % 253);
    let path = PATHS[random.below(6) as usize];
    let text = match service.identifier {
        "uvicorn" => return application(random, &client, path, number),
        "nginx" => format!(
            "{client} - - \"GET {path}?page={number} HTTP/1.1\" 200 {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" rt=0.{:03}",
            // A size of 503 bytes is not a 503.
            if number.is_multiple_of(40) { 503 } else { number % 9000 },
            number % 1000
        ),
        "celery" if number.is_multiple_of(3) => "beat: Waking up in 5.00 seconds.".to_owned(),
        "celery" => format!(
            "[INFO/ForkPoolWorker-{}] Task app.tasks.refresh[{:016x}] succeeded in {}.{:03}s: None",
            number % 8,
            random.next(),
            number % 9,
            number % 1000
        ),
        "postgres" => format!(
            "[{}-1] app@app LOG:  duration: {}.{:03} ms  execute <unnamed>: SELECT id, name FROM items WHERE owner = $1 LIMIT {}",
            number % 40,
            number % 900,
            number % 1000,
            number % 50
        ),
        "sshd" => format!(
            "Connection closed by invalid user admin {client} port {} [preauth]",
            1024 + number % 60_000
        ),
        "CRON" => format!(
            "pam_unix(cron:session): session opened for user root(uid=0) by (uid={})",
            number % 3
        ),
        "redis" => format!("{number} changes in 300 seconds. Saving..."),
        _ => format!("run-u{number}.scope: Deactivated successfully."),
    };
    (text, None)
}

fn application(
    random: &mut Random,
    client: &str,
    path: &str,
    number: u64,
) -> (String, Option<Class>) {
    let port = 1024 + number % 60_000;
    let milliseconds = number % 2000;
    // Of the application's entries some 2 % count, so 1 % of all.
    match random.below(1000) {
        0..14 => (
            format!("INFO:     {client}:{port} - \"POST {path} HTTP/1.1\" 503 Service Unavailable"),
            Some(Class::Http503),
        ),
        14..18 => (
            format!(
                "ERROR:app.db:psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec, request {number}"
            ),
            Some(Class::PoolTimeout),
        ),
        18..21 => (
            traceback(
                number,
                "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",
            ),
            Some(Class::PoolTimeout),
        ),
        21..26 => {
            (traceback(number, "ValueError: invalid literal for int() with base 10: 'x'"), None)
        }
        26..40 => (
            format!(
                "WARNING:app.client:connection to 10.0.0.9:5432 timed out after {milliseconds} ms, retrying"
            ),
            None,
        ),
        40..200 => ("INFO:app.health:all 4 checks passed, pool 3/15 in use".to_owned(), None),
        200..400 => (
            format!(
                "INFO:app.items:loaded {} items for user {number} in {milliseconds} ms",
                number % 503
            ),
            None,
        ),
        _ => (
            format!("INFO:     {client}:{port} - \"GET {path}?page={number} HTTP/1.1\" 200 OK"),
            None,
        ),
    }
}

/// A message of many lines, long enough for journald to compress it.
fn traceback(number: u64, last: &str) -> String {
    let mut text =
        format!("ERROR:app:request {number} failed\nTraceback (most recent call last):\n");
    for frame in 0..12 {
        text.push_str(&format!(
            "  File \"/srv/app/module_{frame}.py\", line {}, in step_{frame}\n    return await step_{}(request)\n",
            10 + (number + frame) % 400,
            frame + 1
        ));
    }
    text + last
}

//! Makes journals for tests with systemd's own writer, from entries that a seeded generator makes.
#![allow(dead_code)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Debian's and Ubuntu's package `systemd-journal-remote` has it.
const JOURNAL_REMOTE: &str = "/lib/systemd/systemd-journal-remote";

/// One entry: its time, and its fields in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestEntry {
    pub(crate) realtime_us: u64,
    pub(crate) monotonic_us: u64,
    pub(crate) boot: u128,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
}

impl TestEntry {
    pub(crate) fn new(realtime_us: u64, message: &[u8]) -> Self {
        let fields = vec![("MESSAGE".to_owned(), message.to_vec())];
        Self { realtime_us, monotonic_us: 1_000_000, boot: 0xb007, fields }
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The entry in systemd's export format.
    pub(crate) fn export(&self, out: &mut Vec<u8>) {
        let (realtime, monotonic) = (self.realtime_us, self.monotonic_us);
        writeln!(out, "__REALTIME_TIMESTAMP={realtime}").unwrap();
        writeln!(out, "__MONOTONIC_TIMESTAMP={monotonic}").unwrap();
        writeln!(out, "_BOOT_ID={:032x}", self.boot).unwrap();
        for (name, value) in &self.fields {
            let is_text = value.iter().all(|&byte| byte >= b' ' && byte != 127 || byte == b'\t');
            if is_text {
                out.extend_from_slice(name.as_bytes());
                out.push(b'=');
                out.extend_from_slice(value);
            } else {
                out.extend_from_slice(name.as_bytes());
                out.push(b'\n');
                out.extend_from_slice(&(value.len() as u64).to_le_bytes());
                out.extend_from_slice(value);
            }
            out.push(b'\n');
        }
        out.push(b'\n');
    }
}

/// Writes a journal with systemd-journal-remote, under the given environment.
pub(crate) fn write_journal_with(path: &Path, entries: &[TestEntry], environment: &[(&str, &str)]) {
    let mut export = Vec::new();
    entries.iter().for_each(|entry| entry.export(&mut export));
    let mut child = Command::new(JOURNAL_REMOTE)
        .arg("-o")
        .arg(path)
        .arg("-")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{JOURNAL_REMOTE}: {error}: install the package systemd-journal-remote")
        });
    child.stdin.take().unwrap().write_all(&export).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{JOURNAL_REMOTE}: {said}");
}

/// Writes a journal with systemd-journal-remote.
pub(crate) fn write_journal(path: &Path, entries: &[TestEntry]) {
    write_journal_with(path, entries, &[]);
}

/// A small generator of numbers (splitmix64), so that every run makes the same entries.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// 2026-05-05T00:00:00Z.
pub(crate) const START_US: u64 = 1_777_939_200_000_000;

/// `count` entries of a small machine park over some three days: several units, hosts, boots and
/// priorities, long, repeated, binary and multi-line messages, entries about units, and a clock
/// that steps back.
pub(crate) fn mixed_entries(count: usize, seed: u64) -> Vec<TestEntry> {
    let mut random = Random(seed);
    let mut realtime_us = START_US;
    let mut entries = Vec::with_capacity(count);
    for index in 0..count {
        // Half a day back in the middle, as when a clock is corrected.
        if index == count / 2 {
            realtime_us -= 12 * 3_600_000_000;
        }
        realtime_us += random.below(2 * 72 * 3_600_000_000 / count as u64);
        let boot = 1 + 3 * index as u128 / count as u128;
        let mut entry = TestEntry::new(realtime_us, &message(&mut random, index));
        entry.boot = boot << 64 | 0xb007;
        entry.monotonic_us = 1_000_000 + index as u64 * 1000;
        entries.push(describe(entry, &mut random));
    }
    entries
}

fn describe(entry: TestEntry, random: &mut Random) -> TestEntry {
    let unit = random.pick(&["api.service", "web.service", "api@1.service", "init.scope"]);
    let mut entry = entry
        .with("_HOSTNAME", random.pick(&["north", "south"]))
        .with("_MACHINE_ID", "0123456789abcdef0123456789abcdef")
        .with("_SYSTEMD_SLICE", random.pick(&["system.slice", "app.slice"]))
        .with("_SYSTEMD_UNIT", unit);
    if random.below(10) > 0 {
        entry = entry.with("PRIORITY", random.below(8).to_string());
    }
    if random.below(8) > 0 {
        entry = entry.with("SYSLOG_IDENTIFIER", random.pick(&["api", "nginx", "systemd"]));
    }
    let privileged = unit == "init.scope" || random.below(9) == 0;
    entry = entry
        .with("_UID", if privileged { "0" } else { "1000" })
        .with("_PID", if privileged { "1".to_owned() } else { (2 + random.below(99)).to_string() });
    match random.below(12) {
        0 => entry.with("UNIT", "api.service"),
        1 => entry.with("OBJECT_SYSTEMD_UNIT", "api.service"),
        2 => entry
            .with("COREDUMP_UNIT", "api.service")
            .with("MESSAGE_ID", "fc2e22bc6ee647b6b90729ab34a250b1"),
        3 => entry.with("MESSAGE", "a second message in the same entry"),
        _ => entry,
    }
}

/// The messages that `classifier()` of the tests is to find contain `status=503` or `pool timed
/// out`.
fn message(random: &mut Random, index: usize) -> Vec<u8> {
    match random.below(16) {
        0 => format!("request {index} ended with status=503").into_bytes(),
        1 => b"sqlx: pool timed out while waiting for an open connection".to_vec(),
        2 => {
            let mut long = format!("traceback {index}\n").repeat(100);
            long.push_str("pool timed out\nend");
            long.into_bytes()
        }
        3 => [b"binary \x00\xff\x1b ".as_slice(), index.to_string().as_bytes()].concat(),
        4 => [b"nul \x00 then status=503 ".as_slice(), index.to_string().as_bytes()].concat(),
        5 => b"GET /503 HTTP/1.1 200 503".to_vec(),
        6 => "all is well and this line is long ".repeat(40).into_bytes(),
        7 => Vec::new(),
        _ => format!("request {index} took {} ms", random.below(900)).into_bytes(),
    }
}

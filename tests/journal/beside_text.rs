//! A journal and a text of the same time: what both say counts once, and what only the text says
//! counts too.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::journals::{START_US, TestEntry, write_journal};

/// A journal of host `db1` with a hundred pool timeouts, one every seven seconds.
struct Beside {
    folder: TempDir,
}

const DAY: u64 = 86_400;

fn failure(number: u64) -> String {
    format!("request {number}: couldn't get a connection after 30.00 sec")
}

/// A line of a syslog daemon, the given seconds after the journal's first entry.
fn line(seconds: u64, host: &str, message: &str) -> String {
    let at = i64::try_from(START_US / 1_000_000 + seconds).unwrap();
    let at = chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%S+00:00");
    format!("{at} {host} api[7]: {message}\n")
}

fn copied(range: std::ops::Range<u64>, host: &str) -> String {
    range.map(|number| line(number * 7, host, &failure(number))).collect()
}

impl Beside {
    fn new() -> Self {
        let beside = Self { folder: tempfile::tempdir().unwrap() };
        beside.journal("a.journal", 0);
        beside
    }

    fn journal(&self, name: &str, days: u64) {
        let entry = |number: u64| {
            let at = START_US + (days * DAY + number * 7) * 1_000_000 + number;
            TestEntry::new(at, failure(number).as_bytes()).with("_HOSTNAME", "db1.example.org")
        };
        let entries: Vec<TestEntry> = (0..100).map(entry).collect();
        write_journal(&self.folder.path().join(name), &entries);
    }

    /// Pool timeouts and 503s of everything, as `timeline` and as `events` count them.
    fn count(&self, text: &str) -> (u64, u64) {
        std::fs::write(self.folder.path().join("text.log"), text).unwrap();
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ebbline"));
            let output = command.args(arguments).arg(self.folder.path()).output().unwrap();
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        let counts = &run(&["timeline", "-o", "json"])["totals"]["counts"];
        let events = run(&["events", "-o", "json"]);
        let of = |class: &str| {
            let listed = events["events"].as_array().unwrap().iter();
            let listed = listed.filter(|event| event["class"] == class).count() as u64;
            assert_eq!(counts[class].as_u64(), Some(listed), "{class}");
            listed
        };
        (of("pool_timeout"), of("http_503"))
    }
}

#[test]
fn what_a_proxy_logs_into_the_same_file_counts() {
    let beside = Beside::new();
    let refused = r#"10.0.0.9 - - [05/May/2026:00:00:01 +0000] "GET / HTTP/1.1" 503 0"#;
    // The proxy may log more than the service, or next to nothing.
    for answers in [80, 3] {
        let proxy: String = (0..answers).map(|number| line(number * 7, "db1", refused)).collect();
        assert_eq!(beside.count(&format!("{}{proxy}", copied(0..100, "db1"))), (100, answers));
        assert_eq!(beside.count(&proxy), (100, answers));
    }
}

#[test]
fn the_same_words_of_another_host_count() {
    let beside = Beside::new();
    assert_eq!(beside.count(&copied(0..100, "db1")).0, 100);
    assert_eq!(beside.count(&copied(0..100, "db2")).0, 200);
}

#[test]
fn what_lies_before_the_journal_counts_also_in_its_first_minute() {
    let beside = Beside::new();
    let (first, rest) = (copied(0..5, "db1"), copied(5..100, "db1"));
    std::fs::remove_file(beside.folder.path().join("a.journal")).unwrap();
    let entry = |number: u64| {
        TestEntry::new(START_US + number * 7_000_000, failure(number).as_bytes())
            .with("_HOSTNAME", "db1")
    };
    let entries: Vec<TestEntry> = (5..100).map(entry).collect();
    write_journal(&beside.folder.path().join("late.journal"), &entries);
    assert_eq!(beside.count(&format!("{first}{rest}")).0, 100);
}

#[test]
fn a_day_that_is_missing_among_the_journals_is_taken_from_the_text() {
    let beside = Beside::new();
    beside.journal("b.journal", 2);
    let days = 0..3_u64;
    let text: String = days
        .flat_map(|day| (0..100).map(move |number| (day * DAY + number * 7, number)))
        .map(|(seconds, number)| line(seconds, "db1", &failure(number)))
        .collect();
    assert_eq!(beside.count(&text).0, 300);
}

#[test]
fn a_dump_of_the_journal_counts_once_in_every_format() {
    let beside = Beside::new();
    let journal = beside.folder.path().join("a.journal");
    for format in ["export", "json", "json-pretty", "short", "short-full", "verbose"] {
        let dump = Command::new("journalctl")
            .args(["--utc", "-o", format, "--file"])
            .arg(&journal)
            .output()
            .unwrap();
        assert_eq!(beside.count(&String::from_utf8(dump.stdout).unwrap()).0, 100, "{format}");
    }
}

#[test]
fn an_entry_that_a_daemon_dated_a_second_later_counts_once() {
    let beside = Beside::new();
    let late: String =
        (0..100).map(|number| line(number * 7 + number % 2, "db1", &failure(number))).collect();
    assert_eq!(beside.count(&late).0, 100);
}

#[test]
fn what_a_daemon_repeats_of_the_journal_counts_once() {
    let beside = Beside::new();
    let repeated: String = (0..100)
        .map(|number| {
            let again = format!("message repeated 3 times: [ {}]", failure(number));
            format!("{}{}", copied(number..number + 1, "db1"), line(number * 7, "db1", &again))
        })
        .collect();
    assert_eq!(beside.count(&repeated).0, 100);
}

#[test]
fn what_two_journals_hold_in_the_same_second_is_added_up() {
    let beside = Beside::new();
    // A second journal of the host has the same words at the same times.
    beside.journal("b.journal", 0);
    let twice = [copied(0..100, "db1"), copied(0..100, "db1")].concat();
    assert_eq!(beside.count(&twice).0, 200);
}

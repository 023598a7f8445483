//! The same entries in a journal and in a text beside it count once; what only the text has
//! counts too.

use std::fmt::Write;
use std::path::Path;

use crate::harness::Folder;
use crate::journals::{TestEntry, write_journal};

/// 2026-05-06T04:49:00Z.
const START_S: u64 = 1_778_042_940;
const EVENTS: u64 = 40;

fn message(number: u64) -> String {
    format!("request {number} failed: couldn't get a connection after 30.00 sec")
}

/// A journal with one event every ten seconds.
fn with_journal() -> Folder {
    let folder = Folder::new();
    let entries: Vec<TestEntry> = (0..EVENTS)
        .map(|number| {
            TestEntry::new((START_S + number * 10) * 1_000_000, message(number).as_bytes())
                .with("_HOSTNAME", "north")
                .with("SYSLOG_IDENTIFIER", "api")
                .with("_PID", "42")
        })
        .collect();
    std::fs::create_dir(folder.path().join("journal")).unwrap();
    write_journal(&folder.path().join("journal/north.journal"), &entries);
    folder
}

/// Lines as a syslog daemon writes them.
fn syslog(numbers: impl Iterator<Item = u64>) -> String {
    numbers.fold(String::new(), |mut text, number| {
        let at = chrono::DateTime::from_timestamp((START_S + number * 10) as i64, 0).unwrap();
        let at = at.format("%Y-%m-%dT%H:%M:%S+00:00");
        writeln!(text, "{at} north api[42]: {}", message(number)).unwrap();
        text
    })
}

fn pool_timeouts(folder: &Folder) -> u64 {
    let document = folder.timeline(&["."]);
    let events = folder.run(&["events", ".", "-o", "ndjson"]).stdout.lines().count() as u64;
    let counted = document["totals"]["counts"]["pool_timeout"].as_u64().unwrap();
    assert_eq!(events, counted, "events and timeline agree");
    counted
}

#[test]
fn a_syslog_file_that_repeats_the_journal_counts_once() {
    let folder = with_journal();
    folder.write("syslog", syslog(0..EVENTS));
    assert_eq!(pool_timeouts(&folder), EVENTS);
    let said = folder.run(&["timeline", "."]).stderr;
    assert!(said.contains("syslog: repeats the journal"), "{said}");
}

#[test]
fn what_the_text_has_from_before_the_journal_counts() {
    let folder = with_journal();
    let older = (0..7).map(|number| {
        let at = chrono::DateTime::from_timestamp((START_S - 86_400 + number) as i64, 0).unwrap();
        format!(
            "{} north api[42]: {}\n",
            at.format("%Y-%m-%dT%H:%M:%S+00:00"),
            message(1000 + number)
        )
    });
    folder.write("syslog", older.collect::<String>() + &syslog(0..EVENTS));
    assert_eq!(pool_timeouts(&folder), EVENTS + 7);
}

#[test]
fn a_log_of_another_program_of_the_same_host_and_time_counts() {
    let folder = with_journal();
    let line = |number: u64| {
        let at = chrono::DateTime::from_timestamp((START_S + number * 10) as i64, 0).unwrap();
        let at = at.format("%Y-%m-%dT%H:%M:%S+00:00");
        format!("{at} north shop[7]: order {number}: couldn't get a connection after 30.00 sec\n")
    };
    folder.write("shop.log", (0..EVENTS).map(line).collect::<String>());
    assert_eq!(pool_timeouts(&folder), 2 * EVENTS);
}

#[test]
fn dumps_of_the_journal_in_any_format_repeat_it() {
    for format in ["export", "json", "short-iso", "short-unix", "verbose"] {
        let folder = with_journal();
        let journal = folder.path().join("journal/north.journal");
        folder.write("dump", journalctl(&journal, format));
        assert_eq!(pool_timeouts(&folder), EVENTS, "{format}");
    }
}

#[test]
fn a_programs_own_file_that_it_also_writes_to_the_journal_repeats_it() {
    let folder = Folder::new();
    let line = |number: u64| {
        let at = chrono::DateTime::from_timestamp((START_S + number * 10) as i64, 0).unwrap();
        format!("{} ERROR {}", at.format("%Y-%m-%d %H:%M:%S,250"), message(number))
    };
    let entries: Vec<TestEntry> = (0..EVENTS)
        .map(|number| {
            let at_us = (START_S + number * 10) * 1_000_000 + 251_000;
            TestEntry::new(at_us, line(number).as_bytes())
        })
        .collect();
    write_journal(&folder.path().join("north.journal"), &entries);
    folder.write("app.log", (0..EVENTS).map(|number| line(number) + "\n").collect::<String>());
    assert_eq!(pool_timeouts(&folder), EVENTS);
}

fn journalctl(journal: &Path, format: &str) -> Vec<u8> {
    let output = std::process::Command::new("journalctl")
        .args(["--quiet", "--no-pager", "-o", format, "--file"])
        .arg(journal)
        .env("TZ", "UTC")
        .output()
        .expect("journalctl: install the package systemd");
    assert!(output.status.success());
    output.stdout
}

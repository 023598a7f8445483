//! Healthy files: every count and every event as journalctl has them.

use std::path::{Path, PathBuf};

use ebbline::source::Filter;
use ebbline::source::filter::Pattern;
use ebbline::time::{Span, Timestamp};
use tempfile::TempDir;

use crate::journals::{START_US, TestEntry, mixed_entries, write_journal, write_journal_with};
use crate::oracle::{assert_same, expected, journalctl, sweep};

const ENTRIES: usize = 4000;

fn mixed_journal(environment: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.journal");
    write_journal_with(&path, &mixed_entries(ENTRIES, 7), environment);
    (folder, path)
}

#[track_caller]
fn assert_agrees(path: &Path, filter: &Filter, arguments: &[&str]) -> u64 {
    let file = path.to_str().unwrap();
    let entries = journalctl(&[&["--file", file], arguments].concat());
    let swept = sweep(&[path.to_owned()], filter, Span::default());
    assert_eq!(swept.damage, []);
    assert_same(&swept.answer, &expected(&entries));
    entries.len() as u64
}

#[test]
fn counts_and_events_are_those_of_journalctl_in_every_variant_of_the_format() {
    let compact = ("SYSTEMD_JOURNAL_COMPACT", "0");
    let keyed = ("SYSTEMD_JOURNAL_KEYED_HASH", "0");
    for environment in [&[][..], &[compact], &[keyed], &[compact, keyed]] {
        let (_folder, path) = mixed_journal(environment);
        assert_eq!(assert_agrees(&path, &Filter::default(), &[]), ENTRIES as u64);
    }
}

#[test]
fn filters_pass_what_journalctl_passes() {
    let (_folder, path) = mixed_journal(&[]);
    let units = |names: &[&str]| Filter {
        units: names.iter().map(|name| Pattern::unit(name).unwrap()).collect(),
        ..Filter::default()
    };
    let names = |names: &[&str]| names.iter().map(|name| Pattern::new(name).unwrap()).collect();
    let boot = "0000000000000002000000000000b007".to_owned();
    let cases = [
        (units(&["api"]), vec!["-u", "api"]),
        (units(&["api@*"]), vec!["-u", "api@*"]),
        (units(&["a*"]), vec!["-u", "a*"]),
        (units(&["app.slice"]), vec!["-u", "app.slice"]),
        (units(&["web", "api@1.service"]), vec!["-u", "web", "-u", "api@1.service"]),
        (Filter { identifiers: names(&["nginx"]), ..Filter::default() }, vec!["-t", "nginx"]),
        (
            Filter { identifiers: names(&["nginx", "api"]), ..Filter::default() },
            vec!["-t", "nginx", "-t", "api"],
        ),
        (Filter { priorities: Some(0b1111), ..Filter::default() }, vec!["-p", "3"]),
        (Filter { priorities: Some(0b11_1100), ..Filter::default() }, vec!["-p", "2..5"]),
        (Filter { boot: Some(boot.clone()), ..Filter::default() }, vec!["-b", &boot]),
        (Filter { hosts: names(&["north"]), ..Filter::default() }, vec!["_HOSTNAME=north"]),
        (
            Filter {
                identifiers: names(&["api"]),
                priorities: Some(0b1_1111),
                boot: Some(boot.clone()),
                ..units(&["api"])
            },
            vec!["-u", "api", "-t", "api", "-p", "4", "-b", &boot],
        ),
    ];
    for (filter, arguments) in &cases {
        let passed = assert_agrees(&path, filter, arguments);
        assert!(passed > 0 && passed < ENTRIES as u64, "{arguments:?} decides nothing");
    }
}

#[test]
fn a_span_asks_each_entry_for_its_own_time_though_the_clock_stepped_back() {
    let (_folder, path) = mixed_journal(&[]);
    let at = |hours: u64| Timestamp::from_micros((START_US + hours * 3_600_000_000) as i64);
    let span = Span { since: at(20), until: at(40) };
    // journalctl's own --since bisects, and loses entries here; so all are asked for.
    let mut entries = journalctl(&["--file", path.to_str().unwrap()]);
    entries
        .retain(|entry| span.contains(Timestamp::from_micros(entry.realtime_us as i64).unwrap()));
    let swept = sweep(&[path], &Filter::default(), span);
    assert!(swept.answer.entries() > 100 && swept.answer.entries() < ENTRIES as u64);
    assert_same(&swept.answer, &expected(&entries));
}

#[test]
fn an_event_describes_its_entry() {
    let (_folder, path) = mixed_journal(&[]);
    let swept = sweep(std::slice::from_ref(&path), &Filter::default(), Span::default());
    let entries = journalctl(&["--file", path.to_str().unwrap()]);
    assert!(swept.described.len() > 100);
    for described in &swept.described {
        let entry = entries.iter().find(|entry| entry.cursor == described.cursor).unwrap();
        let value = |name: &str| {
            entry.values(name).next().map(|value| String::from_utf8(value.to_vec()).unwrap())
        };
        assert_eq!(described.unit, value("_SYSTEMD_UNIT"));
        assert_eq!(described.host, value("_HOSTNAME"));
        assert_eq!(described.identifier, value("SYSLOG_IDENTIFIER"));
        assert_eq!(described.pid, value("_PID"));
        assert_eq!(described.boot, value("_BOOT_ID"));
        assert_eq!(described.priority.map(|priority| priority.to_string()), value("PRIORITY"));
    }
}

#[test]
fn a_message_larger_than_a_window_is_searched_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.journal");
    let mut random = crate::journals::Random(3);
    let mut noise: Vec<u8> = (0..3 << 20).map(|_| random.next() as u8).collect();
    noise.extend_from_slice(b" status=503");
    let mut zeros = vec![b'0'; 9 << 20];
    zeros.extend_from_slice(b" pool timed out");
    let entries = [
        TestEntry::new(START_US, &noise),
        TestEntry::new(START_US + 1, &zeros).with("PRIORITY", "3"),
        TestEntry::new(START_US + 2, b"none").with("BLOB", &noise),
    ];
    write_journal(&path, &entries);
    assert_eq!(assert_agrees(&path, &Filter::default(), &[]), 3);
    let errors = Filter { priorities: Some(0b1000), ..Filter::default() };
    assert_eq!(assert_agrees(&path, &errors, &["PRIORITY=3"]), 1);
}

#[test]
fn a_journal_without_entries_is_empty_and_undamaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.journal");
    write_journal(&path, &[]);
    assert_eq!(assert_agrees(&path, &Filter::default(), &[]), 0);
}

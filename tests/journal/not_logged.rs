//! What journals say about their own gaps: boots, clocks that are set, damage, files of users.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::ebbline;
use crate::journals::{START_US, TestEntry, mixed_entries, write_journal};
use crate::oracle::{journalctl, open};
use crate::writer::{Codec, journal_bytes};

const SECOND_US: u64 = 1_000_000;
const HOUR_US: u64 = 3600 * SECOND_US;

/// An entry of a boot that began, by a clock that was right, at `booted_us`.
fn entry(boot: u128, booted_us: u64, monotonic_us: u64, clock_off_us: i64) -> TestEntry {
    let realtime_us = (booted_us + monotonic_us).wrapping_add_signed(clock_off_us);
    let mut entry = TestEntry::new(realtime_us, b"up").with("_HOSTNAME", "north");
    (entry.boot, entry.monotonic_us) = (boot, monotonic_us);
    entry
}

/// Entries every ten seconds of a boot from `from_us` to `to_us` after its beginning.
fn entries(boot: u128, booted_us: u64, from_us: u64, to_us: u64, off_us: i64) -> Vec<TestEntry> {
    let times = (from_us..to_us).step_by(10 * SECOND_US as usize);
    times.map(|monotonic_us| entry(boot, booted_us, monotonic_us, off_us)).collect()
}

fn journal(folder: &Path, name: &str, entries: &[TestEntry]) -> PathBuf {
    let path = folder.join(name);
    write_journal(&path, entries);
    path
}

fn timeline(paths: &[&Path], arguments: &[&str]) -> Value {
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    ebbline(&[&["-o", "json", "--tz", "UTC"], arguments, &paths].concat())
}

fn of_kind(document: &Value, kind: &str) -> Vec<Value> {
    let all = document["not_logged"].as_array().unwrap().iter();
    all.filter(|absence| absence["kind"] == kind).cloned().collect()
}

fn micros(time: &Value) -> u64 {
    let time = chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
    time.timestamp_micros() as u64
}

fn coverage(document: &Value) -> Vec<&str> {
    let buckets = document["buckets"].as_array().unwrap();
    buckets.iter().map(|bucket| bucket["coverage"].as_str().unwrap()).collect()
}

#[test]
fn a_boot_is_told_with_the_time_without_entries() {
    let folder = tempfile::tempdir().unwrap();
    let down_us = 100 * SECOND_US;
    let second_us = START_US + 6 * HOUR_US + down_us;
    let mut all = entries(1, START_US, 0, 6 * HOUR_US, 0);
    let end_us = all.last().unwrap().realtime_us;
    all.extend(entries(2, second_us, 5 * SECOND_US, 2 * HOUR_US, 0));
    let path = journal(folder.path(), "boots.journal", &all);
    let document = timeline(&[&path], &["--by", "hour"]);
    let boots = of_kind(&document, "boot");
    assert_eq!(boots.len(), 1, "{document}");
    assert_eq!(micros(&boots[0]["from"]), end_us);
    assert_eq!(micros(&boots[0]["to"]), second_us + 5 * SECOND_US);
    assert_eq!(boots[0]["host"], "north");
    let expected =
        ["full", "full", "full", "full", "full", "partial", "partial", "full", "partial"];
    assert_eq!(coverage(&document), expected);
    // Asked about one boot only, the other is not told.
    let one = timeline(&[&path], &["--boot", &format!("{:032x}", 2)]);
    assert_eq!(of_kind(&one, "boot"), Vec::<Value>::new());
}

#[test]
fn boots_of_two_machines_are_not_taken_for_a_machine_that_is_booted_again() {
    let folder = tempfile::tempdir().unwrap();
    let one = entries(1, START_US, 0, HOUR_US, 0);
    let other = entries(2, START_US + 1000, 0, HOUR_US, 0);
    let pairs = one.into_iter().zip(other);
    let named = |entry: TestEntry, id: &str| entry.with("_MACHINE_ID", id.repeat(32));
    let all: Vec<_> = pairs.flat_map(|(a, b)| [named(a, "a"), named(b, "b")]).collect();
    let path = journal(folder.path(), "two.journal", &all);
    let document = timeline(&[&path], &["--by", "hour"]);
    assert_eq!(document["not_logged"], Value::Array(Vec::new()));
}

#[test]
fn a_clock_that_is_set_is_told_and_no_entry_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let back_us = -(2 * HOUR_US as i64);
    let mut all = entries(1, START_US, 0, 5 * HOUR_US, 0);
    all.extend(entries(1, START_US, 5 * HOUR_US, 6 * HOUR_US, back_us));
    all.extend(entries(1, START_US, 6 * HOUR_US, 7 * HOUR_US, 0));
    let path = journal(folder.path(), "clock.journal", &all);
    // The next file continues the boot, with the clock an hour ahead.
    let ahead = entries(1, START_US, 7 * HOUR_US, 8 * HOUR_US, HOUR_US as i64);
    let next = journal(folder.path(), "next.journal", &ahead);
    let document = timeline(&[&path, &next], &["--by", "hour"]);
    let jumps = of_kind(&document, "clock_jump");
    let by: Vec<f64> = jumps.iter().map(|jump| jump["clock_jump_s"].as_f64().unwrap()).collect();
    assert_eq!(by, [-7200.0, 7200.0, 3600.0], "{document}");
    let entries: Vec<_> = document["buckets"].as_array().unwrap().iter().collect();
    let entries: Vec<u64> = entries.iter().map(|b| b["entries"].as_u64().unwrap()).collect();
    // Hour 3 comes twice; hours 5 and 7 never came.
    assert_eq!(entries, [360, 360, 360, 720, 360, 0, 360, 0, 360]);
    assert_eq!(coverage(&document)[..3], ["full"; 3]);
    assert_eq!(coverage(&document)[3..6], ["partial", "partial", "none"]);
}

#[test]
fn a_clock_that_drifts_while_it_is_corrected_has_not_jumped() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = entries(1, START_US, 0, HOUR_US, 0);
    for entry in &mut all {
        entry.realtime_us += entry.monotonic_us / 2000;
    }
    // A pause in which the drift adds up to more than two seconds.
    let mut late = entry(1, START_US, 3 * HOUR_US, 0);
    late.realtime_us += late.monotonic_us / 2000;
    all.push(late);
    let path = journal(folder.path(), "drift.journal", &all);
    assert_eq!(timeline(&[&path], &[])["not_logged"], Value::Array(Vec::new()));
}

#[test]
fn damaged_bytes_hide_the_time_between_the_entries_around_them() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<TestEntry> = entries(1, START_US, 0, 10 * HOUR_US, 0);
    let bytes = journal_bytes(&all, Codec::None, false);
    let path = folder.path().join("hole.journal");
    let middle = bytes.len() / 2 / 4096 * 4096;
    let mut damaged = bytes.clone();
    damaged[middle..middle + 4096].fill(0);
    std::fs::write(&path, &damaged).unwrap();
    let document = timeline(&[&path], &["--by", "minute"]);
    let read = document["totals"]["entries"].as_u64().unwrap();
    let lost = all.len() as u64 - read;
    assert!(lost > 10, "{lost}");
    let gaps = of_kind(&document, "sequence_gap");
    let told: u64 = gaps.iter().map(|gap| gap["entries"].as_u64().unwrap()).sum();
    assert_eq!(told, lost);
    assert!(!of_kind(&document, "damage").is_empty());
    let partial = coverage(&document).iter().filter(|name| **name != "full").count() as u64;
    // Six entries a minute, and the first and the last minute are partial in any case.
    assert!(partial >= lost / 6 && partial <= lost / 6 + 4, "{partial} minutes, {lost} entries");

    // What was cut off at the end is known by the header.
    std::fs::write(&path, &bytes[..middle]).unwrap();
    let document = timeline(&[&path], &["--by", "minute"]);
    let gaps = of_kind(&document, "sequence_gap");
    let read = document["totals"]["entries"].as_u64().unwrap();
    assert_eq!(gaps.len(), 1, "{:?}", document["not_logged"]);
    assert_eq!(gaps[0]["entries"], all.len() as u64 - read);
}

#[test]
fn healthy_journals_have_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal(folder.path(), "whole.journal", &mixed_entries(3000, 11));
    let copy = folder.path().join("copy.journal");
    std::fs::copy(&path, &copy).unwrap();
    let document = timeline(&[&path, &copy], &[]);
    assert_eq!(of_kind(&document, "sequence_gap"), Vec::<Value>::new());
    assert_eq!(document["suppressed"], 0);
}

/// What journalctl prints, counted by each entry's own time: its own `--since` bisects, and loses
/// entries where the clock stepped back.
fn expected(path: &Path, arguments: &[&str], since_us: u64, until_us: u64) -> u64 {
    let entries = journalctl(&[&["--file", path.to_str().unwrap()], arguments].concat());
    let inside = entries.iter().filter(|e| (since_us..until_us).contains(&e.realtime_us));
    inside.count() as u64
}

#[test]
fn boots_filters_and_spans_lose_no_entry_though_the_clock_steps_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal(folder.path(), "mixed.journal", &mixed_entries(3000, 17));
    let boots: Vec<String> = open(&path).boots().iter().map(|(boot, _)| boot.to_string()).collect();
    assert_eq!(boots.len(), 3);
    let mut filters: Vec<Vec<&str>> = vec![vec![], vec!["-u", "api"], vec!["-t", "nginx"]];
    filters.push(vec!["-p", "err"]);
    filters.push(vec!["-u", "web", "-p", "warning", "-t", "api"]);
    let spans = [(0, 30), (10, 20), (29, 45), (0, 200)];
    let mut decisive = 0;
    for boot in boots.iter().map(Some).chain([None]) {
        for filter in &filters {
            let boot = boot.map_or(Vec::new(), |boot| vec!["-b", boot.as_str()]);
            let filter = [filter.as_slice(), &boot].concat();
            for (since_hours, until_hours) in spans {
                let (since_us, until_us) =
                    (START_US + since_hours * HOUR_US, START_US + until_hours * HOUR_US);
                let since = format!("@{}", since_us / SECOND_US);
                let until = format!("@{}", until_us / SECOND_US);
                let span = ["--since", since.as_str(), "--until", until.as_str()];
                let document = timeline(&[&path], &[filter.as_slice(), &span].concat());
                let told = document["totals"]["entries"].as_u64().unwrap();
                let buckets = document["buckets"].as_array().unwrap().iter();
                let sum: u64 = buckets.map(|bucket| bucket["entries"].as_u64().unwrap()).sum();
                assert_eq!(
                    told,
                    expected(&path, &filter, since_us, until_us),
                    "{filter:?} {span:?}"
                );
                assert_eq!(told, sum);
                decisive += u64::from(told > 0 && told < 3000);
            }
        }
    }
    assert!(decisive > 40, "{decisive}");
}

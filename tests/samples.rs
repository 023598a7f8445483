//! The shipped sample outage against what its README says of it.
//!
//! Nothing of ebbline reads it here: journalctl and the decompressors of the system do, and the
//! entries are counted by plain substring tests. So the sample is an oracle for the tests of
//! `ebbline` itself.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../sample-logs/generate/sample/mod.rs"]
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use ebbline_pool::{PoolState, Snapshot};
use serde_json::Value;

const POOL_TIMEOUT: &str = "psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec";
const HTTP_503: &str = "HTTP/1.1\" 503 Service Unavailable";

/// Date, pool timeouts, 503s, entries: the table of `sample-logs/outage-2026-05/README.md`.
const DAYS: [(&str, u64, u64, u64); 18] = [
    ("2026-04-19", 0, 0, 823),
    ("2026-04-20", 2459, 565, 4360),
    ("2026-04-21", 148, 294, 1805),
    ("2026-04-22", 5, 1, 1218),
    ("2026-04-23", 1, 1, 1214),
    ("2026-04-24", 3, 1, 1245),
    ("2026-04-25", 0, 2, 839),
    ("2026-04-26", 0, 0, 813),
    ("2026-04-27", 0, 1, 1235),
    ("2026-04-28", 0, 7, 1238),
    ("2026-04-29", 0, 0, 1215),
    ("2026-04-30", 0, 3, 1226),
    ("2026-05-01", 0, 1, 1232),
    ("2026-05-02", 0, 4, 842),
    ("2026-05-03", 0, 0, 824),
    ("2026-05-04", 0, 2, 1227),
    ("2026-05-05", 11, 9, 1662),
    ("2026-05-06", 1120, 1119, 4861),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-logs/outage-2026-05")
}

/// What a program of the system prints.
fn run(program: &str, arguments: &[&str], file: &Path) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; `make test` installs it"));
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {problem}", file.display());
    output.stdout
}

/// One entry as journalctl gives it: every field has one value here.
type Fields = BTreeMap<String, String>;

/// The entries of the shipped journal, read once for all tests.
fn journal() -> &'static [Fields] {
    static ENTRIES: LazyLock<Vec<Fields>> = LazyLock::new(read_journal);
    &ENTRIES
}

fn read_journal() -> Vec<Fields> {
    let journal = run("xz", &["-dc"], &root().join("journal/atlas.journal.xz"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("atlas.journal");
    std::fs::write(&file, journal).unwrap();
    let json = run("journalctl", &["--quiet", "--all", "--output=json", "--file"], &file);
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => panic!("a field is no text: {other}"),
    };
    serde_json::Deserializer::from_slice(&json)
        .into_iter::<serde_json::Map<String, Value>>()
        .map(|fields| fields.unwrap().iter().map(|(k, v)| (k.clone(), text(v))).collect())
        .collect()
}

fn micros(entry: &Fields) -> i64 {
    entry["__REALTIME_TIMESTAMP"].parse().unwrap()
}

/// Date and time of day in Los Angeles, which is 7 hours behind UTC throughout the sample.
fn los_angeles(micros: i64) -> (String, String) {
    let local = chrono::DateTime::from_timestamp_micros(micros - 7 * 3_600_000_000).unwrap();
    (local.format("%Y-%m-%d").to_string(), local.format("%H:%M:%S").to_string())
}

/// The entries of the text logs: date and time as printed, and the message with the lines that
/// continue it. `2026-05-06T04:49:07.859372-0700 atlas scidex-api[30144]: ERROR:…`
fn text_entries() -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for month in ["2026-04", "2026-05"] {
        let file = root().join(format!("text/atlas-{month}.log.gz"));
        let text = String::from_utf8(run("gzip", &["-dc"], &file)).unwrap();
        let mut indent = 0;
        for line in text.lines() {
            if line.starts_with("2026-") {
                let (head, message) = line.split_once(": ").unwrap();
                indent = head.len() + 2;
                let time = head.split(' ').next().unwrap();
                entries.push((time.to_owned(), message.to_owned()));
            } else if !line.starts_with("-- Boot ") {
                let (spaces, rest) = line.split_at(indent);
                assert!(spaces.bytes().all(|byte| byte == b' '), "{line}");
                let message = &mut entries.last_mut().unwrap().1;
                message.push('\n');
                message.push_str(rest);
            }
        }
    }
    entries
}

/// Pool timeouts, 503s and entries of each day.
fn count(entries: impl Iterator<Item = (String, String)>) -> BTreeMap<String, (u64, u64, u64)> {
    let mut days: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    for (date, message) in entries {
        let day = days.entry(date).or_default();
        day.0 += u64::from(message.contains(POOL_TIMEOUT));
        day.1 += u64::from(message.ends_with(HTTP_503));
        day.2 += 1;
    }
    days
}

fn expected() -> BTreeMap<String, (u64, u64, u64)> {
    let day = |&(date, pool, http, entries): &(&str, u64, u64, u64)| {
        (date.to_owned(), (pool, http, entries))
    };
    DAYS.iter().map(day).collect()
}

#[test]
fn the_journal_has_the_counts_of_the_post_mortem_on_each_day() {
    let messages = journal().iter().map(|entry| {
        let (date, _) = los_angeles(micros(entry));
        (date, entry["MESSAGE"].clone())
    });
    assert_eq!(count(messages), expected());
}

#[test]
fn the_readme_has_a_row_of_these_counts_for_each_day() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for (date, pool, http, entries) in DAYS {
        let row = format!("\n| {date} | {pool} | {http} | {entries} |\n");
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn the_text_logs_hold_the_same_entries_as_the_journal() {
    let text = text_entries();
    let dates = text.iter().map(|(time, message)| (time[..10].to_owned(), message.clone()));
    assert_eq!(count(dates), expected());
    let journal: BTreeSet<(String, String)> = journal()
        .iter()
        .map(|entry| {
            let local = micros(entry) - 7 * 3_600_000_000;
            let local = chrono::DateTime::from_timestamp_micros(local).unwrap();
            let time = local.format("%Y-%m-%dT%H:%M:%S%.6f-0700").to_string();
            // journalctl prints a tab as eight spaces.
            (time, entry["MESSAGE"].replace('\t', "        "))
        })
        .collect();
    let text: BTreeSet<_> = text.into_iter().collect();
    assert_eq!(text.symmetric_difference(&journal).next(), None);
}

#[test]
fn the_generator_makes_exactly_the_entries_that_are_shipped() {
    let shipped = journal();
    let made = sample::entries();
    assert_eq!(made.len(), shipped.len());
    for (made, shipped) in made.iter().zip(shipped) {
        let mut fields: Fields =
            made.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let (boot_id, boot_us) = made.boot();
        fields.insert("_BOOT_ID".to_owned(), boot_id.to_owned());
        fields.insert("__REALTIME_TIMESTAMP".to_owned(), made.at_us.to_string());
        fields.insert("__MONOTONIC_TIMESTAMP".to_owned(), (made.at_us - boot_us).to_string());
        let mut shipped = shipped.clone();
        shipped.retain(|name, _| !matches!(&name[..], "__CURSOR" | "__SEQNUM" | "__SEQNUM_ID"));
        assert_eq!(fields, shipped);
    }
    let mut exported = Vec::new();
    made.first().unwrap().export(&mut exported).unwrap();
    assert!(exported.starts_with(b"__REALTIME_TIMESTAMP=1776582005064165\n"));
}

#[test]
fn the_outages_begin_and_end_when_the_post_mortem_says() {
    let mut edges: BTreeMap<String, (String, String)> = BTreeMap::new();
    for entry in journal() {
        let message = &entry["MESSAGE"];
        if message.contains(POOL_TIMEOUT) || message.ends_with(HTTP_503) {
            let (date, time) = los_angeles(micros(entry));
            let edge = edges.entry(date).or_insert_with(|| (time.clone(), time.clone()));
            edge.1 = time;
        }
    }
    let edge = |date: &str| (edges[date].0.as_str(), edges[date].1.as_str());
    assert_eq!(edge("2026-05-06"), ("04:49:07", "17:14:31"));
    assert_eq!(edge("2026-05-05"), ("20:41:18", "22:57:40"));
    assert_eq!(edge("2026-04-20"), ("19:20:41", "23:59:46"));
    assert_eq!(edge("2026-04-21"), ("00:00:13", "05:50:58"));
}

#[test]
fn every_hour_has_entries_and_the_replica_s_unit_has_none() {
    let entries = journal();
    let hours: BTreeSet<i64> = entries.iter().map(|entry| micros(entry) / 3_600_000_000).collect();
    assert_eq!(hours.len(), 18 * 24);
    let boots: BTreeSet<&String> = entries.iter().map(|entry| &entry["_BOOT_ID"]).collect();
    assert_eq!(boots.len(), 2);
    for entry in entries {
        assert!(entry.values().all(|value| !value.contains("scidex-pg-replica")), "{entry:?}");
    }
    let refused =
        |entry: &&Fields| entry["MESSAGE"].contains("port 5433 failed: Connection refused");
    assert!(entries.iter().filter(refused).count() > 100);
}

#[test]
fn the_traps_are_there() {
    let entries = journal();
    let failure = |message: &str| message.contains(POOL_TIMEOUT) || message.ends_with(HTTP_503);
    let trapping = |text: &str| {
        let messages = entries.iter().map(|entry| &entry["MESSAGE"]);
        messages.filter(|message| !failure(message) && message.contains(text)).count()
    };
    for (at_least, text) in [
        (200, "HTTP/1.1\" 200 503 "),
        (500, "/api/items/503 "),
        (500, "127.0.0.1:50312"),
        (500, ":503 - \""),
        (50, "took 503 ms"),
        (50, "wrote 503 buffers"),
        (50, "DPT=503"),
        (10, "due to statement timeout"),
        (10, "due to lock timeout"),
        (5, "port=443): Read timed out."),
        (5, "upstream connect timeout"),
        (18, "State 'stop-sigterm' timed out"),
        (50, "Timeout before authentication"),
        (50, "Connection pool is full"),
        (400, "stats: "),
    ] {
        let found = trapping(text);
        assert!(found >= at_least, "{found} entries with {text}");
    }
    let twice = |entry: &&Fields| entry["MESSAGE"].matches("couldn't get a connection").count() > 1;
    assert!(entries.iter().filter(twice).count() > 1000);
    assert!(entries.iter().any(|entry| entry.get("_PID").is_some_and(|pid| pid == "503")));
}

#[test]
fn the_pool_fills_up_before_the_first_timeout_and_its_counters_agree_with_the_entries() {
    let (mut primary_full_at, mut lines) = (None, 0);
    let mut timeouts_since_start = 0;
    for entry in journal() {
        let message = &entry["MESSAGE"];
        let (date, time) = los_angeles(micros(entry));
        if message.contains("Started server process") {
            timeouts_since_start = 0;
        }
        timeouts_since_start += u64::from(message.contains(POOL_TIMEOUT));
        if !message.contains("pool_snapshot v=1 ") {
            continue;
        }
        lines += 1;
        let snapshot: Snapshot = message.parse().unwrap();
        let [primary, read_only] = snapshot.pools() else { panic!("{message}") };
        assert_eq!(primary.timeouts + read_only.timeouts, timeouts_since_start, "{date} {time}");
        for PoolState { max, size, idle, in_use, peak_in_use, .. } in [primary, read_only] {
            assert!(idle + in_use == *size && size <= max && in_use <= peak_in_use, "{message}");
        }
        let full = primary.idle == 0 && primary.waiting > 0;
        if full && primary_full_at.is_none() {
            primary_full_at = Some(format!("{date} {time}"));
            assert_eq!(timeouts_since_start, 11, "only those of May 5");
        }
    }
    assert_eq!(lines, 24 * 60);
    let full_at = primary_full_at.unwrap();
    assert!(("2026-05-06 04:20".."2026-05-06 04:45").contains(&&full_at[..]), "{full_at}");
}

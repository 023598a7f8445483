//! The command itself: what `ebbline timeline -o json` says per day is what the entries of
//! `journalctl -o json` add up to, with either reader.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::journals::{START_US, mixed_entries, write_journal};
use crate::oracle::{JsonEntry, journalctl};

const RULES: &str = "
[[rule]]
id = \"status\"
class = \"http_503\"
pattern = 'status=503'
samples = [\"status=503\"]
[[rule]]
id = \"pool\"
class = \"pool_timeout\"
pattern = 'pool timed out'
samples = [\"pool timed out\"]
";

/// Entries, pool timeouts and 503s of a day.
type Day = (u64, u64, u64);

pub(crate) fn ebbline(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_ebbline"))
        .arg("timeline")
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn days_of(document: &Value) -> BTreeMap<String, Day> {
    let buckets = document["buckets"].as_array().unwrap();
    let days = buckets.iter().map(|bucket| {
        let count = |value: &Value| value.as_u64().unwrap();
        let counts = &bucket["counts"];
        let day = bucket["start"].as_str().unwrap()[..10].to_owned();
        let pool_timeouts = count(&counts["pool_timeout"]);
        (day, (count(&bucket["entries"]), pool_timeouts, count(&counts["http_503"])))
    });
    days.filter(|(_, day)| day.0 > 0).collect()
}

/// The same from journalctl's entries, by their own times.
fn expected(entries: &[JsonEntry], since_us: u64, until_us: u64) -> BTreeMap<String, Day> {
    let mut days = BTreeMap::<String, Day>::new();
    for entry in entries.iter().filter(|e| (since_us..until_us).contains(&e.realtime_us)) {
        let at = DateTime::<Utc>::from_timestamp_micros(entry.realtime_us as i64).unwrap();
        let local = at.with_timezone(&chrono_tz::America::Los_Angeles);
        let day = days.entry(local.format("%Y-%m-%d").to_string()).or_default();
        let says = |text: &str| {
            entry.values("MESSAGE").any(|message| String::from_utf8_lossy(message).contains(text))
        };
        day.0 += 1;
        if says("pool timed out") {
            day.1 += 1;
        } else if says("status=503") {
            day.2 += 1;
        }
    }
    days
}

fn rfc3339(micros: u64) -> String {
    DateTime::<Utc>::from_timestamp_micros(micros as i64).unwrap().to_rfc3339()
}

#[test]
fn the_days_of_the_timeline_are_those_of_journalctls_entries() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (journal, rules) = (path("mixed.journal"), path("rules.toml"));
    write_journal(Path::new(&journal), &mixed_entries(3000, 11));
    std::fs::write(&rules, RULES).unwrap();
    let (since_us, until_us) = (START_US + 20 * 3_600_000_000, START_US + 50 * 3_600_000_000);
    let (since, until) = (rfc3339(since_us), rfc3339(until_us));
    let all = (0, u64::MAX);
    let span = ["-S", &since, "-U", &until];
    let boot = "--boot=0000000000000002000000000000b007";
    type Case<'a> = (&'a [&'a str], &'a [&'a str], (u64, u64));
    let cases: [Case<'_>; 9] = [
        (&[], &[], all),
        (&["-u", "api"], &["-u", "api"], all),
        (&["-u", "api@*", "-u", "web.service"], &["-u", "api@*", "-u", "web.service"], all),
        (&["-t", "nginx"], &["-t", "nginx"], all),
        (&["-p", "err"], &["-p", "err"], all),
        (&["--host", "north"], &["_HOSTNAME=north"], all),
        (&["-b", "-1"], &[boot], all),
        (&span, &[], (since_us, until_us)),
        (&[&["-u", "api"], &span[..]].concat(), &["-u", "api"], (since_us, until_us)),
    ];
    for (options, journalctl_options, (since_us, until_us)) in cases {
        let entries = journalctl(&[&["--file", &journal], journalctl_options].concat());
        let expected = expected(&entries, since_us, until_us);
        assert!(expected.len() > 1, "{options:?} is no test");
        for reader in ["native", "libsystemd"] {
            let fixed = [
                &journal[..],
                "--no-builtin-rules",
                "--rules",
                &rules,
                "--tz",
                "America/Los_Angeles",
                "-o",
                "json",
                "--reader",
                reader,
            ];
            let document = ebbline(&[&fixed, options].concat());
            assert_eq!(days_of(&document), expected, "{options:?} with {reader}");
        }
    }
}

#[test]
fn a_journal_of_the_future_is_refused_once_with_its_name_and_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("future.journal");
    write_journal(&journal, &mixed_entries(10, 3));
    let mut bytes = std::fs::read(&journal).unwrap();
    let incompatible_flags = 12;
    bytes[incompatible_flags + 2] |= 1;
    std::fs::write(&journal, bytes).unwrap();
    for (reader, remedy) in [
        ("auto", "Read it on a machine with the systemd that wrote it."),
        ("native", "Try --reader libsystemd on a machine with the systemd that wrote it."),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ebbline"))
            .args(["timeline", "--reader", reader])
            .arg(&journal)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.matches("future.journal").count(), 1, "{said}");
        assert!(said.contains(remedy), "{said}");
    }
}

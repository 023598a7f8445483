//! The sample outage: the table of the post-mortem, from the journal, from the text, from both.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::Folder;

/// The post-mortem's rows, as its authors wrote them.
const ROWS: [[&str; 4]; 7] = [
    ["Apr 19", "0", "0", "pre-replica baseline"],
    [
        "Apr 20",
        "2459",
        "565",
        "replica systemd unit added 19:19 PDT (commit 03f91a907); broke immediately",
    ],
    ["Apr 21", "148", "294", "winding down; replica started succeeding"],
    ["Apr 22–24", "1–5", "1", "quiet, replica online"],
    ["Apr 25–May 4", "0", "0–7", "stable, no incidents"],
    ["May 5", "11", "9", "replica started failing"],
    ["May 6", "1120", "1119", "full outage (~13h, 04:49–17:14 PDT)"],
];

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/outage-2026-05")
}

fn words<'a>(source: &'a str, notes: &'a str) -> Vec<&'a str> {
    vec![source, "--tz", "America/Los_Angeles", "--notes", notes]
}

/// Everything, the journal alone, the text alone.
fn sources() -> [PathBuf; 3] {
    [sample(), sample().join("journal"), sample().join("text")]
}

#[test]
fn the_table_is_the_post_mortems_from_every_source() {
    let notes = sample().join("notes.toml");
    for source in sources() {
        let source = source.to_str().unwrap();
        let mut words = words(source, notes.to_str().unwrap());
        words.splice(0..0, ["timeline", "-o", "markdown"]);
        let run = Folder::new().run(&words);
        assert_eq!(run.code, Some(0), "{source}: {}", run.stderr);
        let rows: Vec<Vec<String>> = run
            .stdout
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| {
                line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
            })
            .collect();
        assert_eq!(rows[0], ["Day", "pool timeouts", "503 responses", "Notes"], "{source}");
        assert_eq!(rows[2..], ROWS.map(Vec::from), "{source}\n{}", run.stdout);
    }
}

#[test]
fn hours_add_up_to_the_same_totals_from_every_source() {
    let notes = sample().join("notes.toml");
    let documents = sources().map(|source| {
        let words = words(source.to_str().unwrap(), notes.to_str().unwrap());
        Folder::new().timeline(&[&words[..], &["--by", "hour", "--all"]].concat())
    });
    for document in &documents {
        let buckets = document["buckets"].as_array().unwrap();
        for (class, total) in
            [("pool_timeout", 2459 + 148 + 11 + 1120), ("http_503", 565 + 294 + 9 + 1119)]
        {
            let sum: u64 = buckets.iter().map(|b| b["counts"][class].as_u64().unwrap()).sum();
            assert_eq!(document["totals"]["counts"][class], sum);
            // The quiet days add a few to what the post-mortem gives as ranges.
            assert!((total + 3..total + 90).contains(&sum), "{class}: {sum}");
        }
        assert_eq!(document["totals"], documents[0]["totals"]);
    }
}

#[test]
fn the_text_beside_the_journal_is_told_and_its_entries_are_skipped() {
    let run = Folder::new().run(&["timeline", "-o", "json", sample().to_str().unwrap()]);
    assert!(run.stderr.contains("repeats the journal"), "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let sources = document["sources"].as_array().unwrap();
    let by_kind = |kind: &str| sources.iter().filter(|s| s["kind"] == kind).collect::<Vec<_>>();
    let count = |sources: &[&Value], field: &str| -> u64 {
        sources.iter().map(|source| source[field].as_u64().unwrap()).sum()
    };
    let (journals, texts) = (by_kind("journal"), by_kind("syslog"));
    assert_eq!(count(&texts, "entries"), 0);
    assert_eq!(count(&texts, "skipped"), count(&journals, "entries"));
}

#[test]
fn the_outage_begins_and_ends_when_the_post_mortem_says() {
    let run = Folder::new().run(&[
        "events",
        "-o",
        "ndjson",
        "--tz",
        "America/Los_Angeles",
        "--since",
        "2026-05-06",
        sample().join("journal").to_str().unwrap(),
    ]);
    let records = run.records();
    assert_eq!(records.len(), 1120 + 1119);
    assert!(records[0]["at"].as_str().unwrap().starts_with("2026-05-06T04:49:"));
    assert!(records.last().unwrap()["at"].as_str().unwrap().starts_with("2026-05-06T17:14:"));
    assert!(records.iter().all(|record| record["unit"] == "scidex-api.service"));
}

#[test]
fn the_unit_that_never_existed_has_no_entry() {
    let journal = sample().join("journal");
    let document = Folder::new().timeline(&["-u", "scidex-pg-replica", journal.to_str().unwrap()]);
    assert_eq!(document["totals"]["entries"], 0);
    let document = Folder::new().timeline(&["-u", "scidex-api", journal.to_str().unwrap()]);
    assert_ne!(document["totals"]["entries"], 0);
}

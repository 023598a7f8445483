//! The same file under several names, and copies of a file, compressed or made earlier: counted
//! once, and said so. Texts that only begin alike are no copies.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Folder, pool_timeout_line};
use crate::journals::{TestEntry, write_journal};

/// A log of one pool timeout a second, each with a number of its own.
fn log(lines: std::ops::Range<u64>) -> String {
    let line = |number: u64| {
        let (minute, second) = (number / 60 % 60, number % 60);
        let at = format!("2026-05-06 {:02}:{minute:02}:{second:02}", number / 3600);
        pool_timeout_line(&at).replace("query", &format!("query {number}"))
    };
    lines.map(line).collect()
}

/// Runs a program in the folder; it must succeed.
fn run(folder: &Folder, program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).current_dir(folder.path()).status();
    let status = status.unwrap_or_else(|error| panic!("{program}: {error}: install it"));
    assert!(status.success(), "{program} {arguments:?}");
}

/// Pool timeouts as the timeline counts them and as `events` lists them.
fn pool_timeouts(folder: &Folder) -> u64 {
    let counted = folder.timeline(&["."])["totals"]["counts"]["pool_timeout"].as_u64().unwrap();
    let events = folder.run(&["events", ".", "-o", "ndjson"]).stdout.lines().count() as u64;
    assert_eq!(events, counted, "events and timeline agree");
    counted
}

/// Entries and skipped entries of each source, by name.
fn sources(document: &Value) -> Vec<(String, u64, u64)> {
    let source = |source: &Value| {
        let number = |field: &str| source[field].as_u64().unwrap();
        let path = source["path"].as_str().unwrap().trim_start_matches("./").to_owned();
        (path, number("entries"), number("skipped"))
    };
    document["sources"].as_array().unwrap().iter().map(source).collect()
}

fn source(name: &str, entries: u64, skipped: u64) -> (String, u64, u64) {
    (name.to_owned(), entries, skipped)
}

#[test]
fn a_path_given_twice_and_links_count_once() {
    let folder = Folder::new();
    let path = folder.write("app.log", log(0..100));
    std::fs::hard_link(&path, folder.path().join("hard.log")).unwrap();
    std::os::unix::fs::symlink(&path, folder.path().join("soft.log")).unwrap();
    let words = ["timeline", "-o", "json", "app.log", "app.log", "hard.log", "soft.log", "."];
    let run = folder.run(&words);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(sources(&document), [source("app.log", 100, 0)]);
    assert!(run.stderr.contains("soft.log: given twice: counted once"), "{}", run.stderr);
}

#[test]
fn a_copy_counts_once_however_it_is_compressed() {
    let folder = Folder::new();
    folder.write("app.log", log(0..3000));
    run(&folder, "cp", &["app.log", "backup.log"]);
    run(&folder, "gzip", &["--keep", "app.log"]);
    run(&folder, "xz", &["--keep", "app.log"]);
    run(&folder, "zstd", &["--quiet", "--keep", "app.log"]);
    assert_eq!(pool_timeouts(&folder), 3000);
    let document = folder.timeline(&["."]);
    assert_eq!(document["totals"]["entries"], 3000);
    let names = ["app.log.gz", "app.log.xz", "app.log.zst", "backup.log"];
    let copies = names.map(|name| source(name, 0, 3000));
    assert_eq!(sources(&document), [&[source("app.log", 3000, 0)], &copies[..]].concat());
    let said = folder.run(&["timeline", "."]).stderr;
    for name in names {
        let sentence = format!("{name}: a copy: counted once, in ./app.log\n");
        assert!(said.contains(&sentence), "{said}");
    }
}

#[test]
fn an_earlier_copy_adds_nothing_to_the_log_that_grew_since() {
    let folder = Folder::new();
    // The name that comes first is not the one that counts.
    folder.write("a-week-ago.log", log(0..1000));
    folder.write("app.log", log(0..5000));
    folder.write("yesterday.log", log(0..4000));
    run(&folder, "gzip", &["yesterday.log"]);
    assert_eq!(pool_timeouts(&folder), 5000);
    let document = folder.timeline(&["."]);
    let expected = [
        source("a-week-ago.log", 0, 1000),
        source("app.log", 5000, 0),
        source("yesterday.log.gz", 0, 4000),
    ];
    assert_eq!(sources(&document), expected);
    let said = folder.run(&["timeline", "."]).stderr;
    let sentence = "yesterday.log.gz: an earlier copy: counted once, in ./app.log\n";
    assert!(said.contains(sentence), "{said}");
}

#[test]
fn a_compression_that_was_interrupted_leaves_a_copy_and_is_told() {
    let folder = Folder::new();
    folder.write("app.log.1", log(0..5000));
    run(&folder, "gzip", &["--keep", "app.log.1"]);
    let packed = folder.path().join("app.log.1.gz");
    let bytes = std::fs::read(&packed).unwrap();
    std::fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(pool_timeouts(&folder), 5000);
    let said = folder.run(&["timeline", "."]).stderr;
    assert!(said.contains("app.log.1.gz: an earlier copy: counted once, in ./app.log.1"), "{said}");
    assert!(said.contains("truncated gzip stream"), "{said}");
}

#[test]
fn what_logrotate_copies_counts_once() {
    let folder = Folder::new();
    let path = folder.write("app.log", log(0..2000));
    let config =
        format!("{} {{\n rotate 5\n copy\n compress\n delaycompress\n}}\n", path.display());
    folder.write(".rotate/conf", config);
    let rotate = || run(&folder, "logrotate", &["--force", "-s", ".rotate/state", ".rotate/conf"]);
    rotate();
    folder.write("app.log", log(0..2500));
    rotate();
    folder.write("app.log", log(0..2600));
    for name in ["app.log.1", "app.log.2.gz"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    assert_eq!(pool_timeouts(&folder), 2600);
}

#[test]
fn logs_that_begin_alike_and_differ_later_count_each() {
    // They part behind the head, behind the first piece, and in their last line.
    for same in [20, 2000, 3999] {
        let folder = Folder::new();
        for host in ["east", "west"] {
            let own = log(same..4000).replace("app.db", &format!("app.{host}"));
            folder.write(&format!("{host}.log"), log(0..same) + &own);
        }
        assert_eq!(pool_timeouts(&folder), 8000, "{same}");
        assert_eq!(folder.run(&["timeline", "."]).stderr, "", "{same}");
    }
}

#[test]
fn a_few_first_lines_are_no_copy_of_a_longer_log() {
    let folder = Folder::new();
    folder.write("east.log", log(0..3));
    folder.write("west.log", log(0..3000));
    assert_eq!(pool_timeouts(&folder), 3003);
}

#[test]
fn many_copies_count_once_and_many_alike_count_each() {
    let folder = Folder::new();
    for number in 0..30 {
        folder.write(&format!("copy-{number:02}.log"), log(0..200));
        folder.write(&format!("own-{number:02}.log"), log(0..30) + &log(100 + number..300));
    }
    let own: u64 = (0..30).map(|number| 30 + 200 - number).sum();
    assert_eq!(pool_timeouts(&folder), 200 + own);
}

#[test]
fn of_equal_logs_the_oldest_says_the_year() {
    let folder = Folder::new();
    let line = "May  6 04:49:00 north api[42]: couldn't get a connection after 30.00 sec\n";
    folder.write("b.log", line);
    run(&folder, "touch", &["--date=2024-06-01T00:00:00Z", "b.log"]);
    run(&folder, "cp", &["b.log", "a.log"]);
    let document = folder.timeline(&["."]);
    assert_eq!(document["buckets"][0]["start"], "2024-05-06T00:00:00+00:00");
    assert_eq!(document["totals"]["entries"], 1);
}

/// A journal of so many pool timeouts, in a folder of its own.
fn with_journal(events: u64) -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("journal")).unwrap();
    let entry = |number: u64| {
        let message = format!("request {number}: couldn't get a connection after 30.00 sec");
        TestEntry::new((1_778_042_940 + number) * 1_000_000, message.as_bytes())
    };
    let entries: Vec<TestEntry> = (0..events).map(entry).collect();
    write_journal(&folder.path().join("journal/north.journal"), &entries);
    folder
}

#[test]
fn a_journal_directory_and_a_file_in_it_count_once() {
    let folder = with_journal(100);
    let run = folder.run(&["timeline", "-o", "json", "journal", "journal/north.journal"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(sources(&document), [source("journal/north.journal", 100, 0)]);
    let sentence = "journal/north.journal: given twice: counted once\n";
    assert!(run.stderr.contains(sentence), "{}", run.stderr);
}

#[test]
fn a_copy_of_a_journal_counts_once_however_it_is_compressed() {
    let folder = with_journal(100);
    run(&folder, "cp", &["journal/north.journal", "backup.journal"]);
    run(&folder, "zstd", &["--quiet", "backup.journal", "-o", "packed.journal.zst"]);
    assert_eq!(pool_timeouts(&folder), 100);
    // The copy made with cp is younger than the original, and zstd keeps the time of its input.
    let expected = [
        source("backup.journal", 0, 100),
        source("journal/north.journal", 100, 0),
        source("packed.journal.zst", 0, 100),
    ];
    assert_eq!(sources(&folder.timeline(&["."])), expected);
    let said = folder.run(&["timeline", "."]).stderr;
    assert_eq!(said.matches(": a copy: counted once, in ./").count(), 2, "{said}");
}

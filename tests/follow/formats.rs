//! What a script gets of a timeline that grows: a line for each bucket that is over.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::following::{Following, numbered_line};
use crate::harness::{Folder, pool_timeout_line};

const OLD: &str = "2026-05-06 04:49:00,000";

fn append(folder: &Folder, text: &str) {
    let path = folder.path().join("app.log");
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn lines(following: &Following) -> usize {
    following.stdout().lines().count()
}

#[test]
fn each_bucket_is_a_line_when_it_is_over_and_again_when_it_changes() {
    let folder = Folder::new();
    let entries = ["2026-05-06 04:49:00,000", "2026-05-06 04:51:00,000"].map(pool_timeout_line);
    folder.write("app.log", entries.concat());
    let words = ["timeline", "-f", "--by", "minute", "-o", "ndjson", "app.log"];
    let mut following = Following::start(&folder, &words);
    following.wait_until("three buckets", |following| lines(following) == 3);
    append(&folder, &pool_timeout_line(OLD));
    following.wait_until("a late entry", |following| lines(following) == 4);
    let run = following.end("INT");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let counts: Vec<(Value, Value, Value)> = run
        .records()
        .into_iter()
        .map(|record| {
            let count = record["counts"]["pool_timeout"].clone();
            (record["start"].clone(), count, record["coverage"].clone())
        })
        .collect();
    let bucket = |minute: &str, count: u64, coverage: &str| {
        (format!("2026-05-06T04:{minute}:00+00:00").into(), count.into(), coverage.into())
    };
    let expected = [
        bucket("49", 1, "full"),
        bucket("50", 0, "none"),
        bucket("51", 1, "full"),
        bucket("49", 2, "full"),
    ];
    assert_eq!(counts, expected);
}

#[test]
fn the_bucket_of_now_is_printed_at_the_end() {
    let folder = Folder::new();
    folder.write("app.log", pool_timeout_line(OLD));
    for (format, heading) in [("csv", "start,end,"), ("table", "Day ")] {
        let words = ["timeline", "-f", "-o", format, "app.log", "--since", "2026-05-06"];
        let mut following = Following::start(&folder, &words);
        following.wait_until("the heading and a bucket", |following| lines(following) == 2);
        let run = following.end("TERM");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.starts_with(heading), "{}", run.stdout);
        assert_eq!(run.stdout.lines().count(), if format == "csv" { 2 } else { 3 });
    }
    append(&folder, &numbered_line(1));
    let words = ["timeline", "-f", "-o", "csv", "app.log", "--by", "day"];
    let mut following = Following::start(&folder, &words);
    following.wait_until("the past", |following| lines(following) > 2);
    let before = lines(&following);
    let run = following.end("TERM");
    assert_eq!(run.stdout.lines().count(), before + 1, "{}", run.stdout);
    let once = folder.run(&["timeline", "-o", "csv", "app.log"]).stdout;
    let counts = |csv: &str| -> Vec<String> {
        let columns = |line: &str| {
            line.split(',')
                .enumerate()
                .filter(|(at, _)| *at != 3)
                .map(|(_, column)| column)
                .collect::<Vec<_>>()
                .join(",")
        };
        csv.lines().map(columns).collect()
    };
    assert_eq!(counts(&run.stdout), counts(&once));
}

#[test]
fn a_document_is_printed_at_the_end() {
    let folder = Folder::new();
    folder.write("app.log", pool_timeout_line(OLD));
    for format in ["json", "markdown"] {
        let once = folder.run(&["timeline", "-o", format, "app.log"]);
        let following = Following::start(&folder, &["timeline", "-f", "-o", format, "app.log"]);
        let run = following.end("INT");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let full = once.stdout.replace("partial", "full");
        assert!(run.stdout == once.stdout || run.stdout == full, "{}", run.stdout);
    }
}

#[test]
fn events_begin_with_the_last_ten() {
    let folder = Folder::new();
    let text: String = (1..=25).map(numbered_line).collect();
    let path = folder.write("app.log", text);
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().append(true).open(path).unwrap().set_modified(hour_ago).unwrap();
    let mut following = Following::start(&folder, &["events", "-f", "-o", "ndjson", "app.log"]);
    following.wait_until("ten events", |following| !following.numbers().is_empty());
    append(&folder, &numbered_line(26));
    following.wait_until("the next one", |following| following.numbers().contains(&26));
    assert_eq!(following.numbers(), (16..=26).collect::<Vec<u32>>());
    assert_eq!(following.end("INT").code, Some(0));
}

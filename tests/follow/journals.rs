//! The journal of a running journald, across its rotations and its death.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use ebbline::source::journal::JournalFile;

use crate::following::{Following, numbered};
use crate::harness::Folder;
use crate::journald::Journald;
use crate::writers::TestEntry;

fn log(journald: &Journald, numbers: std::ops::RangeInclusive<u32>) {
    journald.log(numbers.map(numbered));
}

/// The folder of the instance's files, and again what it takes to read new ones.
fn folder_of(journald: &Journald) -> String {
    let files = journald.files();
    files[0].parent().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn entries_come_once_across_rotations_and_a_crash() {
    let mut journald = Journald::start("follow");
    log(&journald, 1..=50);
    let (path, folder) = (folder_of(&journald), Folder::new());
    let words = ["events", "-f", "--since=-1d", "-o", "ndjson", &path];
    let mut following = Following::start(&folder, &words);
    following.wait_for_numbers(50);
    // Equal messages are stored once, so entries refer to what was read long ago.
    log(&journald, 51..=100);
    journald.rotate();
    log(&journald, 101..=150);
    journald.rotate();
    journald.files();
    following.wait_for_numbers(150);
    log(&journald, 151..=200);
    following.wait_for_numbers(200);
    journald.kill();
    journald.run();
    log(&journald, 201..=250);
    journald.files();
    following.wait_for_numbers(250);
    following.end_with_numbers(250);
}

/// A followed file tells how it runs again and again: the last word holds.
#[test]
fn what_is_missing_is_what_a_run_that_comes_later_misses() {
    let journald = Journald::start("follow-gaps");
    for round in 0..3 {
        log(&journald, round * 50 + 1..=round * 50 + 50);
        journald.rotate();
    }
    let mut archived = journald.files();
    archived.retain(|path| path.to_string_lossy().contains('@'));
    let number = |path: &std::path::PathBuf| {
        let file = std::fs::File::open(path).unwrap();
        JournalFile::open(path, file).unwrap().facts().head_seqnum
    };
    archived.sort_by_key(number);
    journald.remove(&archived[1]);
    let (path, folder) = (folder_of(&journald), Folder::new());
    let following = Following::start(&folder, &["timeline", "-f", "-o", "json", &path]);
    let mut watching =
        Following::start(&folder, &["events", "-f", "--since=-1d", "-o", "ndjson", &path]);
    let mut expected = 100;
    for round in 3..6 {
        log(&journald, round * 50 + 1..=round * 50 + 50);
        journald.files();
        expected += 50;
        watching.wait_until("all events", |it| it.stdout().lines().count() == expected);
    }
    let run = following.end("INT");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let once = folder.timeline(&[&path]);
    let gaps = document["not_logged"].as_array().unwrap();
    let gaps: Vec<_> = gaps.iter().filter(|gap| gap["kind"] == "sequence_gap").collect();
    assert_eq!(gaps.len(), 1, "{document}");
    assert_eq!(document["not_logged"], once["not_logged"]);
}

#[test]
fn repeated_messages_are_counted_each_time_as_by_a_run_that_comes_later() {
    let journald = Journald::start("follow-same");
    let same = || std::iter::repeat_n("couldn't get a connection after 30.00 sec".to_owned(), 40);
    journald.log(same());
    let (path, folder) = (folder_of(&journald), Folder::new());
    let words = ["timeline", "-f", "-o", "json", &path];
    let following = Following::start(&folder, &words);
    for _ in 0..5 {
        journald.log(same());
    }
    journald.rotate();
    journald.log(same());
    journald.files();
    // The document comes at the end: another run says when there is nothing more to wait for.
    let mut watching =
        Following::start(&folder, &["events", "-f", "--since=-1d", "-o", "ndjson", &path]);
    watching.wait_until("all events", |watching| watching.stdout().lines().count() == 280);
    let run = following.end("INT");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let once = folder.timeline(&[&path]);
    assert_eq!(document["totals"], once["totals"]);
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 280);
}

#[test]
fn a_named_journal_file_is_followed_by_its_name() {
    let journald = Journald::start("follow-name");
    log(&journald, 1..=10);
    let (path, folder) = (folder_of(&journald) + "/system.journal", Folder::new());
    let words = ["events", "-f", "--since=-1d", "-o", "ndjson", &path];
    let mut following = Following::start(&folder, &words);
    following.wait_for_numbers(10);
    log(&journald, 11..=20);
    journald.rotate();
    log(&journald, 21..=30);
    journald.files();
    following.wait_for_numbers(30);
    following.end_with_numbers(30);
}

#[test]
fn a_text_that_repeats_the_journal_is_left_to_the_journal() {
    let journald = Journald::start("follow-copy");
    log(&journald, 1..=20);
    let (path, folder) = (folder_of(&journald), Folder::new());
    let dump = || {
        let mut journalctl = Command::new("journalctl");
        journalctl.args(["--directory", &path, "-o", "short-iso"]).env("TZ", "UTC");
        folder.write("syslog", journalctl.output().unwrap().stdout);
    };
    dump();
    let words = ["events", "-f", "--since=-1d", "-o", "ndjson", "syslog", &path];
    let mut following = Following::start(&folder, &words);
    following.wait_for_numbers(20);
    assert!(following.stderr().contains("syslog: repeats the journal"));
    log(&journald, 21..=40);
    dump();
    following.wait_for_numbers(40);
    // The syslog daemon's own rotation changes nothing about it.
    let file = folder.path().join("syslog");
    std::fs::rename(&file, folder.path().join("syslog.1")).unwrap();
    dump();
    log(&journald, 41..=50);
    following.wait_for_numbers(50);
    following.end_with_numbers(50);
}

/// Feeds entries to a writer of journals while its file is followed.
fn go_through_growth(environment: (&str, &str)) {
    let folder = Folder::new();
    let mut writer = Command::new("/lib/systemd/systemd-journal-remote")
        .args(["-o", "grown.journal", "-"])
        .env(environment.0, environment.1)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    let mut feed = |numbers: std::ops::RangeInclusive<u32>| {
        let mut export = Vec::new();
        for number in numbers {
            let realtime_us = 1_778_043_600_000_000 + u64::from(number);
            TestEntry::new(realtime_us, numbered(number).as_bytes()).export(&mut export);
            // Entries that are no events, and a field that is large enough to be compressed.
            let other = TestEntry::new(realtime_us, b"ok").with("LARGE", [b'x'; 2000]);
            other.export(&mut export);
        }
        input.write_all(&export).unwrap();
    };
    feed(1..=1);
    let words = ["events", "-f", "--since=@0", "-o", "ndjson", "grown.journal"];
    let mut following = Following::start(&folder, &words);
    let mut last = 1;
    for count in [1, 1, 30, 300, 1, 3000] {
        following.wait_for_numbers(last);
        feed(last + 1..=last + count);
        last += count;
    }
    following.wait_for_numbers(last);
    drop(input);
    assert!(writer.wait().unwrap().success());
    following.end_with_numbers(last);
}

#[test]
fn a_compact_journal_is_read_as_it_grows() {
    go_through_growth(("SYSTEMD_JOURNAL_COMPACT", "1"));
}

#[test]
fn a_regular_journal_is_read_as_it_grows() {
    go_through_growth(("SYSTEMD_JOURNAL_COMPACT", "0"));
}

/// Entries of a host in a journal that grows, and lines in a text that grows beside it.
struct Twins {
    folder: Folder,
    writer: Child,
    input: ChildStdin,
}

impl Twins {
    fn start() -> Self {
        let folder = Folder::new();
        let mut writer = Command::new("/lib/systemd/systemd-journal-remote")
            .args(["-o", "grown.journal", "-"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = writer.stdin.take().unwrap();
        folder.write("syslog", "");
        let mut twins = Self { folder, writer, input };
        twins.log("the first entry, which is no event");
        twins
    }

    /// Logs into the journal.
    fn log(&mut self, message: &str) {
        let mut export = Vec::new();
        let entry = TestEntry::new(1_778_043_600_400_000, message.as_bytes());
        let entry = entry.with("_HOSTNAME", b"web1").with("SYSLOG_IDENTIFIER", b"api");
        entry.with("_PID", b"17").export(&mut export);
        self.input.write_all(&export).unwrap();
    }

    /// Writes into the text, as a daemon that is a little late.
    fn write(&self, host: &str, message: &str) {
        let file = self.folder.path().join("syslog");
        let mut file = std::fs::File::options().append(true).open(file).unwrap();
        writeln!(file, "2026-05-06T05:00:01.000100+00:00 {host} api[17]: {message}").unwrap();
    }

    fn follow(&self, command: &[&str]) -> Following {
        let common = ["-f", "--since=@0", "--tz=UTC", "syslog", "grown.journal", "none.log"];
        let mut following = Following::start(&self.folder, &[command, &common[..]].concat());
        // It says so after the first round, in which a text would be compared as a whole.
        let is_begun =
            |following: &Following| following.stderr().contains("none.log: no such file");
        following.wait_until("the first round", is_begun);
        following
    }

    fn end(self) {
        let Self { mut writer, input, .. } = self;
        drop(input);
        assert!(writer.wait().unwrap().success());
    }
}

#[test]
fn an_event_that_text_and_journal_have_comes_once_whichever_has_it_first() {
    let mut twins = Twins::start();
    let mut following = twins.follow(&["events", "-o", "ndjson"]);
    // The journal first, the text in a later round.
    twins.log(&numbered(1));
    following.wait_for_numbers(1);
    twins.write("web1", &numbered(1));
    // The text first.
    twins.write("web1.example.org", &numbered(2));
    following.wait_for_numbers(2);
    twins.log(&numbered(2));
    // Perhaps both in one round.
    twins.write("web1", &numbered(3));
    twins.log(&numbered(3));
    following.wait_for_numbers(3);
    // What only one of them has.
    twins.write("web1", &numbered(4));
    twins.log(&numbered(5));
    following.wait_for_numbers(5);
    twins.write("web1", "the last line");
    twins.log(&numbered(6));
    following.wait_for_numbers(6);
    assert!(following.stderr().contains("syslog: repeats events of other sources: counted once"));
    following.end_with_numbers(6);
    twins.end();
}

#[test]
fn equal_events_are_left_out_as_often_as_the_other_source_has_them() {
    let mut twins = Twins::start();
    let mut following = twins.follow(&["events", "-o", "ndjson"]);
    let messages = |following: &Following| following.stdout().lines().count();
    for _ in 0..3 {
        twins.log(&numbered(1));
    }
    following.wait_until("three", |following| messages(following) == 3);
    // Another host says the same, and this one says it twice more than its journal.
    for (host, times) in [("web2", 4), ("web1", 5)] {
        for _ in 0..times {
            twins.write(host, &numbered(1));
        }
    }
    following.wait_until("all", |following| messages(following) == 3 + 4 + 2);
    // The journal has the two as well, only later.
    twins.log(&numbered(1));
    twins.log(&numbered(1));
    twins.log(&numbered(2));
    following.wait_for_numbers(2);
    let run = following.end("INT");
    assert_eq!(run.records().len(), 3 + 4 + 2 + 1, "{}", run.stdout);
    twins.end();
}

#[test]
fn a_table_of_what_text_and_journal_have_counts_it_once() {
    let mut twins = Twins::start();
    let following = twins.follow(&["timeline", "-o", "json"]);
    let mut watching = twins.follow(&["events", "-o", "ndjson"]);
    for number in 1..=20 {
        twins.log(&numbered(number));
        if number % 5 == 0 {
            watching.wait_for_numbers(number);
        }
        twins.write("web1", &numbered(number));
    }
    twins.write("web1", &numbered(21));
    watching.wait_for_numbers(21);
    watching.end_with_numbers(21);
    let run = following.end("INT");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 21, "{document}");
    assert_eq!(document["totals"]["entries"], 22);
    twins.end();
}

#[test]
fn what_a_daemon_says_of_repetitions_is_left_to_the_journal_that_has_each() {
    let mut twins = Twins::start();
    let mut following = twins.follow(&["events", "-o", "ndjson"]);
    twins.log(&numbered(1));
    twins.write("web1", &numbered(1));
    following.wait_for_numbers(1);
    twins.log(&numbered(2));
    following.wait_for_numbers(2);
    twins.log(&numbered(1));
    twins.log(&numbered(1));
    twins.log(&numbered(3));
    following.wait_for_numbers(3);
    twins.write("web1", &format!("message repeated 2 times: [ {}]", numbered(1)));
    twins.write("web1", &numbered(4));
    following.wait_for_numbers(4);
    let run = following.end("INT");
    let times: u64 = run.records().iter().map(|it| it["times"].as_u64().unwrap_or(1)).sum();
    assert_eq!(times, 3 + 1 + 1 + 1, "{}", run.stdout);
    twins.end();
}

//! Texts that grow, are rotated, truncated, removed and made.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::following::{Following, numbered, numbered_line};
use crate::harness::Folder;

const EVENTS: [&str; 5] = ["events", "--follow", "--since=-1d", "-o", "ndjson"];

fn follow(folder: &Folder, paths: &[&str]) -> Following {
    Following::start(folder, &[&EVENTS, paths].concat())
}

fn open(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

fn log(mut file: &File, numbers: std::ops::RangeInclusive<u32>) {
    numbers.for_each(|number| file.write_all(numbered_line(number).as_bytes()).unwrap());
}

/// A folder with `logs/app.log`, and beside `logs` what logrotate needs.
struct Rotated {
    folder: Folder,
}

impl Rotated {
    fn new(options: &str) -> Self {
        let folder = Folder::new();
        folder.write("logs/app.log", "");
        let log = folder.path().join("logs/app.log");
        folder.write("rotation.conf", format!("{} {{\nrotate 5\n{options}\n}}\n", log.display()));
        Self { folder }
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.folder.path().join("logs/app.log")
    }

    /// Puts the log aside now.
    fn rotate(&self) {
        let output = Command::new("/usr/sbin/logrotate")
            .args(["--force", "--state", "state", "rotation.conf"])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn lines_are_shown_once_they_are_whole() {
    let folder = Folder::new();
    let path = folder.write("app.log", numbered_line(1));
    let mut following = follow(&folder, &["app.log"]);
    following.wait_for_numbers(1);
    let (start, rest) = (numbered_line(2), numbered_line(3));
    let (start, end) = start.split_at(40);
    let mut file = open(&path);
    file.write_all(start.as_bytes()).unwrap();
    // Another log shows that time has passed for the line that has no end.
    log(&open(&folder.path().join("other.log")), 1..=1);
    let mut other = follow(&folder, &["other.log"]);
    other.wait_for_numbers(1);
    assert_eq!(following.numbers(), [1]);
    file.write_all(end.as_bytes()).unwrap();
    file.write_all(rest.as_bytes()).unwrap();
    following.wait_for_numbers(3);
    following.end_with_numbers(3);
}

/// A daemon goes on with the file that was renamed under it, until it is told to open its log
/// again.
fn go_through_rotations(rotated: &Rotated, paths: &[&str]) {
    let path = rotated.log_path();
    let file = open(&path);
    log(&file, 1..=10);
    let mut following = follow(&rotated.folder, paths);
    following.wait_for_numbers(10);
    log(&file, 11..=20);
    rotated.rotate();
    log(&file, 21..=30);
    let file = open(&path);
    log(&file, 31..=40);
    following.wait_for_numbers(40);
    rotated.rotate();
    let file = open(&path);
    log(&file, 41..=50);
    if paths == ["logs/app.log"] {
        // A file whose one name is followed must be there when it is looked at.
        following.wait_for_numbers(50);
    }
    rotated.rotate();
    let file = open(&path);
    log(&file, 51..=60);
    following.wait_for_numbers(60);
    following.end_with_numbers(60);
}

#[test]
fn a_log_that_logrotate_renames_is_read_on_beside_the_new_one() {
    go_through_rotations(&Rotated::new("create"), &["logs/app.log"]);
}

#[test]
fn in_a_directory_renamed_logs_are_the_same_logs() {
    go_through_rotations(&Rotated::new("create"), &["logs"]);
}

#[test]
fn in_a_directory_compressed_logs_were_read_before() {
    go_through_rotations(&Rotated::new("create\ncompress\ndelaycompress"), &["logs"]);
}

/// What is written between the copy and the truncation is lost to everyone, so nothing is.
fn go_through_truncations(paths: &[&str]) {
    let rotated = Rotated::new("copytruncate");
    let file = open(&rotated.log_path());
    log(&file, 1..=20);
    let mut following = follow(&rotated.folder, paths);
    following.wait_for_numbers(20);
    for last in [40, 60, 80] {
        rotated.rotate();
        log(&file, last - 19..=last);
        following.wait_for_numbers(last);
    }
    following.end_with_numbers(80);
}

#[test]
fn a_log_that_logrotate_truncates_is_begun_again() {
    go_through_truncations(&["logs/app.log"]);
}

#[test]
fn in_a_directory_copies_of_truncated_logs_were_read_before() {
    go_through_truncations(&["logs"]);
}

/// What is there at the beginning counts once, and what comes later in each of them.
#[test]
fn copies_of_a_log_that_is_followed_count_once() {
    let folder = Folder::new();
    let lines: String = (1..=30).map(numbered_line).collect();
    let part = &lines[..lines.find("number 20").unwrap()];
    let part = &part[..=part.rfind('\n').unwrap()];
    let path = folder.write("logs/app.log", &lines);
    folder.write("logs/app.log.bak", &lines);
    folder.write("logs/app.log.older", part);
    let zipped = Command::new("gzip").args(["-k", "-S", ".copy.gz"]).arg(&path).status().unwrap();
    assert!(zipped.success());
    let mut following = follow(&folder, &["logs"]);
    following.wait_for_numbers(30);
    log(&open(&path), 31..=40);
    following.wait_for_numbers(40);
    let said = following.stderr();
    for copy in ["app.log.bak", "app.log.older", "app.log.copy.gz"] {
        let is_said = |line: &str| line.contains(copy) && line.contains("counted once");
        assert!(said.lines().any(is_said), "{copy}: {said}");
    }
    following.end_with_numbers(40);
}

/// A table that grows says what was dropped, as the one at the end does.
#[test]
fn statements_of_what_was_dropped_come_with_the_buckets() {
    let folder = Folder::new();
    let both = |count: u32, number: u32| {
        let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ");
        let statement = format!("Suppressed {count} messages from api.service");
        let event = numbered(number);
        format!("{now} atlas systemd-journald[1]: {statement}\n{now} atlas api[3]: {event}\n")
    };
    let path = folder.write("app.log", both(25, 1));
    let words = |format| ["timeline", "-f", "--by", "day", "-o", format, "app.log"];
    let document = Following::start(&folder, &words("json"));
    let table = Following::start(&folder, &words("table"));
    let mut watching = follow(&folder, &["app.log"]);
    watching.wait_for_numbers(1);
    open(&path).write_all(both(7, 2).as_bytes()).unwrap();
    watching.wait_for_numbers(2);
    let document: serde_json::Value = serde_json::from_str(&document.end("INT").stdout).unwrap();
    let once = folder.timeline(&["--by", "day", "app.log"]);
    assert_eq!(document["suppressed"], 32, "{document}");
    assert_eq!(document["not_logged"], once["not_logged"]);
    let table = table.end("INT").stdout;
    assert!(
        table.contains("entries dropped") && table.contains("32 entries were dropped"),
        "{table}"
    );
}

/// The file is as long as it was before anyone looked: its size does not tell.
#[test]
fn a_log_with_another_content_is_begun_again() {
    let folder = Folder::new();
    let path = folder.write("app.log", numbered_line(1));
    let mut following = follow(&folder, &["app.log", "--verbose"]);
    following.wait_for_numbers(1);
    fs::write(&path, numbered_line(2) + &numbered_line(3)).unwrap();
    following.wait_for_numbers(3);
    assert!(following.stderr().contains("app.log: truncated: read again"));
    following.end_with_numbers(3);
}

#[test]
fn a_log_that_does_not_exist_is_waited_for_and_told_once() {
    let folder = Folder::new();
    folder.write("other.log", numbered_line(1));
    let mut following = follow(&folder, &["app.log", "other.log"]);
    following.wait_for_numbers(1);
    let path = folder.write("app.log", numbered_line(2));
    following.wait_for_numbers(2);
    fs::remove_file(&path).unwrap();
    let waits = |following: &Following| {
        following.stderr().matches("ebbline: app.log: no such file: waiting for it").count()
    };
    following.wait_until("the second wait", |following| waits(following) == 2);
    folder.write("app.log", numbered_line(3));
    following.wait_for_numbers(3);
    assert_eq!(waits(&following), 2);
    following.end_with_numbers(3);
}

#[test]
fn new_logs_and_folders_of_a_followed_directory_are_taken_in() {
    let folder = Folder::new();
    folder.write("logs/a.log", numbered_line(1));
    let mut following = follow(&folder, &["logs"]);
    following.wait_for_numbers(1);
    folder.write("logs/deep/er/b.log", numbered_line(2));
    following.wait_for_numbers(2);
    log(&open(&folder.path().join("logs/deep/er/b.log")), 3..=4);
    folder.write("logs/c.log", "");
    following.wait_for_numbers(4);
    log(&open(&folder.path().join("logs/c.log")), 5..=5);
    following.wait_for_numbers(5);
    following.end_with_numbers(5);
}

#[test]
fn what_cannot_grow_is_read_once() {
    let folder = Folder::new();
    folder.write("logs/old.log", numbered_line(1));
    let mut gzip = Command::new("gzip");
    let packed = gzip.arg("old.log").current_dir(folder.path().join("logs")).status().unwrap();
    assert!(packed.success());
    folder.write("logs/app.log", numbered_line(2));
    let mut following = follow(&folder, &["logs"]);
    following.wait_for_numbers(2);
    log(&open(&folder.path().join("logs/app.log")), 3..=3);
    following.wait_for_numbers(3);
    following.end_with_numbers(3);
    // With nothing beside it, there is nothing to wait for.
    let run = folder.run(&[&EVENTS[..], &["logs/old.log.gz"]].concat());
    assert_eq!((run.code, run.records().len()), (Some(0), 1), "{}", run.stderr);
}

/// Lines of a syslog daemon, one a second from the given one on.
fn daemon_lines(numbers: std::ops::RangeInclusive<u32>, pid: u32) -> String {
    let line = |number: u32| {
        let at = chrono::DateTime::from_timestamp(1_778_043_600 + i64::from(number), 0).unwrap();
        let at = at.format("%Y-%m-%dT%H:%M:%S+00:00");
        format!("{at} web1 api[{pid}]: {}\n", numbered(number))
    };
    numbers.map(line).collect()
}

#[test]
fn what_a_daemon_writes_into_two_logs_counts_once_before_and_while_they_are_followed() {
    let folder = Folder::new();
    let kernel = "2026-05-06T05:00:00+00:00 web1 kernel: a line that only one of them has\n";
    folder.write("syslog", format!("{kernel}{}", daemon_lines(1..=30, 17)));
    folder.write("user.log", daemon_lines(1..=30, 17));
    folder.write("other.log", daemon_lines(31..=40, 18));
    let words = ["-f", "--since=@0", "syslog", "user.log", "other.log", "none.log"];
    let mut following =
        Following::start(&folder, &[&["events", "-o", "ndjson"], &words[..]].concat());
    let mut counting =
        Following::start(&folder, &[&["timeline", "-o", "json"], &words[..]].concat());
    following.wait_for_numbers(40);
    counting.wait_until("the first round", |it| it.stderr().contains("none.log: no such file"));
    assert!(following.stderr().contains("user.log: repeats "), "{}", following.stderr());
    // A worker that is new logs on, into the one first or into the other.
    append(&folder, "syslog", &daemon_lines(41..=45, 19));
    following.wait_for_numbers(45);
    append(&folder, "user.log", &daemon_lines(41..=50, 19));
    following.wait_for_numbers(50);
    append(&folder, "syslog", &daemon_lines(46..=50, 19));
    // Rotation: what two files of one name have in the same second are two events.
    std::fs::rename(folder.path().join("syslog"), folder.path().join("syslog.1")).unwrap();
    append(&folder, "syslog", &daemon_lines(50..=51, 19));
    append(&folder, "user.log", &daemon_lines(50..=51, 19));
    // These were not found to share anything.
    append(&folder, "other.log", &daemon_lines(51..=52, 19));
    following.wait_for_numbers(52);
    // The end comes before the last line of a text is taken for whole.
    append(&folder, "syslog", &daemon_lines(53..=53, 19));
    append(&folder, "user.log", &daemon_lines(53..=53, 19));
    let run = following.end("INT");
    let numbers = run.stdout.lines().count();
    assert_eq!(numbers, 53 + 1 + 1, "{}", run.stdout);
    let run = counting.end("INT");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 55, "{document}");
}

fn append(folder: &Folder, name: &str, text: &str) {
    let mut file =
        OpenOptions::new().append(true).create(true).open(folder.path().join(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

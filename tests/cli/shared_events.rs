//! One message in two texts, as a syslog daemon writes it into several files: its event counts
//! once. What another process, host or second logged in the same words counts too.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{Folder, pool_timeout_line};
use crate::journals::{TestEntry, write_journal};

/// 2026-05-06T04:49:00Z.
const START_S: i64 = 1_778_042_940;
const FAILURE: &str = "couldn't get a connection after 30.00 sec";

/// A line of a syslog daemon, so many seconds after the start.
fn line(seconds: i64, program: &str, message: &str) -> String {
    let at = chrono::DateTime::from_timestamp(START_S + seconds, 0).unwrap();
    format!("{} {program}: {message}\n", at.format("%Y-%m-%dT%H:%M:%S+00:00"))
}

/// A pool timeout in each of these seconds.
fn failures(seconds: impl IntoIterator<Item = i64>) -> String {
    seconds.into_iter().map(|second| line(second, "north api[42]", FAILURE)).collect()
}

/// Lines that are no events, from the first second to the last.
fn quiet(first: i64, last: i64) -> String {
    [first, last].map(|second| line(second, "north cron[7]", "session opened")).concat()
}

/// Pool timeouts as the timeline counts them and as `events` lists them.
fn pool_timeouts(folder: &Folder) -> u64 {
    let counted = folder.timeline(&["."])["totals"]["counts"]["pool_timeout"].as_u64().unwrap();
    let events = folder.run(&["events", ".", "-o", "ndjson"]).stdout.lines().count() as u64;
    assert_eq!(events, counted, "events and timeline agree");
    counted
}

/// A syslog daemon that writes what comes to its socket into three files.
struct Rsyslog {
    daemon: Child,
    socket: UnixDatagram,
}

impl Rsyslog {
    fn start(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{}\" RateLimit.Interval=\"0\")\n\
             *.* action(type=\"omfile\" file=\"{}\" template=\"RSYSLOG_TraditionalFileFormat\")\n\
             daemon.* action(type=\"omfile\" file=\"{}\" template=\"RSYSLOG_FileFormat\")\n\
             *.err action(type=\"omfile\" file=\"{}\" template=\"RSYSLOG_FileFormat\")\n",
            path(".socket"),
            path("syslog"),
            path("daemon.log"),
            path("error.log"),
        );
        std::fs::write(folder.join(".conf"), config).unwrap();
        let daemon = Command::new("rsyslogd")
            .args(["-n", "-f", &path(".conf"), "-i", &path(".pid")])
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("rsyslogd: {error}: install the package rsyslog"));
        let rsyslog = Self { daemon, socket: UnixDatagram::unbound().unwrap() };
        let listens = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            rsyslog.socket.connect(folder.join(".socket")).is_ok()
        });
        assert!(listens, "rsyslogd does not listen");
        rsyslog
    }

    /// Logs a message; 27 is the priority of a daemon's error, 11 that of a user's.
    fn log(&self, priority: u8, message: &str) {
        let text = format!("<{priority}>May  6 04:49:00 api[42]: {message}");
        self.socket.send(text.as_bytes()).unwrap();
    }

    /// Waits until the daemon has written all, and ends it. What it has not yet taken from its
    /// socket by then would be lost.
    fn stop(self, files: [(&Path, usize); 3]) {
        let lines = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.lines().filter(|line| line.contains("api[42]")).count()
        };
        let is_written = (0..3000).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            files.iter().all(|&(path, expected)| lines(path) == expected)
        });
        assert!(is_written, "{:?}", files.map(|(path, _)| (path, lines(path))));
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

#[test]
fn what_rsyslog_writes_into_three_files_counts_once() {
    let folder = Folder::new();
    let rsyslog = Rsyslog::start(folder.path());
    for number in 0..40 {
        rsyslog.log(27, &format!("request {number}: {FAILURE}"));
        // The same words twice in a second are two events.
        rsyslog.log(30, FAILURE);
        rsyslog.log(11, &format!("job {number}: {FAILURE}"));
        rsyslog.log(30, "all is well");
    }
    let path = |name: &str| folder.path().join(name);
    rsyslog.stop([(&path("syslog"), 160), (&path("daemon.log"), 120), (&path("error.log"), 80)]);
    assert_eq!(pool_timeouts(&folder), 120);
    let said = folder.run(&["timeline", "."]).stderr;
    assert!(said.contains("daemon.log: repeats 80 events of ./syslog: counted once"), "{said}");
}

#[test]
fn equal_events_in_one_second_count_as_often_as_the_fuller_text_has_them() {
    let folder = Folder::new();
    let of = |times: usize| failures(std::iter::repeat_n(5, times)) + &failures(6..30);
    folder.write("a", quiet(0, 60) + &of(2));
    folder.write("b", quiet(0, 60) + &of(3));
    folder.write("c", quiet(1, 60) + &of(2));
    assert_eq!(pool_timeouts(&folder), 3 + 24);
    let document = folder.timeline(&["."]);
    let skipped = |source: usize| document["sources"][source]["skipped"].as_u64().unwrap();
    assert_eq!([skipped(0), skipped(1), skipped(2)], [26, 0, 26]);
}

#[test]
fn an_only_event_in_two_texts_counts_once() {
    let folder = Folder::new();
    folder.write("syslog", quiet(0, 600) + &failures([300]));
    folder.write("daemon.log", quiet(-100, 500) + &failures([300]));
    assert_eq!(pool_timeouts(&folder), 1);
    let said = folder.run(&["timeline", "."]).stderr;
    assert!(said.contains("syslog: repeats 1 event of ./daemon.log: counted once"), "{said}");
}

#[test]
fn a_log_that_was_rotated_within_a_second_loses_nothing() {
    let folder = Folder::new();
    folder.write("syslog.1", quiet(-3600, -1) + &failures([-9, 0, 0, 0]));
    folder.write("syslog", failures([0, 0, 9]) + &quiet(1, 3600));
    assert_eq!(pool_timeouts(&folder), 7);
    // A second text of both times has all seven.
    for name in ["all.log", "z.log"] {
        folder.write(name, quiet(-3000, 3000) + &failures([-9, 0, 0, 0, 0, 0, 9]));
        assert_eq!(pool_timeouts(&folder), 7, "{name}");
    }
}

#[test]
fn the_same_words_of_another_host_or_process_count() {
    for other in ["south api[42]", "north api[43]", "north worker[42]"] {
        let folder = Folder::new();
        folder.write("a", failures(0..40));
        folder.write("b", failures(0..40).replace("north api[42]", other));
        assert_eq!(pool_timeouts(&folder), 80, "{other}");
    }
}

#[test]
fn replicas_that_name_no_host_count_each() {
    let folder = Folder::new();
    let at = |second: i64| format!("2026-05-06 04:49:{second:02}");
    let lines: String = (0..40).map(|second| pool_timeout_line(&at(second))).collect();
    folder.write("a.log", format!("{}{lines}", pool_timeout_line("2026-05-06 04:48:00")));
    folder.write("b.log", format!("{lines}{}", pool_timeout_line("2026-05-06 04:50:00")));
    assert_eq!(pool_timeouts(&folder), 82);
}

#[test]
fn two_logs_that_have_an_event_in_common_by_chance_count_each() {
    let folder = Folder::new();
    folder.write("a", quiet(0, 900) + &failures((0..40).map(|number| number * 10)));
    folder.write("b", quiet(0, 900) + &failures((0..40).map(|number| 200 + number * 11)));
    assert_eq!(pool_timeouts(&folder), 80);
}

#[test]
fn what_the_journal_has_too_counts_once_in_all_of_them() {
    let folder = Folder::new();
    let at_us = |number: i64| u64::try_from(START_S + number).unwrap() * 1_000_000;
    let entry = |number: i64| {
        TestEntry::new(at_us(number), FAILURE.as_bytes())
            .with("_HOSTNAME", "north")
            .with("SYSLOG_IDENTIFIER", "api")
            .with("_PID", "42")
    };
    let entries: Vec<TestEntry> = (0..40).map(entry).collect();
    write_journal(&folder.path().join("north.journal"), &entries);
    // The journal lacks the last three, and the hour before.
    let text = failures(-3600..-3590) + &failures((0..40).chain([38, 39, 39]));
    folder.write("syslog", quiet(-3700, 100) + &text);
    folder.write("daemon.log", quiet(-3800, 60) + &text);
    assert_eq!(pool_timeouts(&folder), 10 + 43);
}

//! What sources tell, and which entries are believed.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::journals::{START_US, TestEntry, write_journal};

pub(crate) const SECOND_US: u64 = 1_000_000;
pub(crate) const DAY_US: u64 = 86_400 * SECOND_US;

const STARTED: &str = "39f53479d3a045ac8e11786248231fbf";
const STOPPED: &str = "9d1aaa27d60140bd96365438aad20286";
const FAILED: &str = "d9b373ed55a64feb8242e02dbe79a49c";
const ENDED: &str = "7ad2d189f7e94e70a38c781354912448";
const COREDUMP: &str = "fc2e22bc6ee647b6b90729ab34a250b1";

fn entry(second: u64, message: &str) -> TestEntry {
    let mut entry = TestEntry::new(START_US + second * SECOND_US, message.as_bytes());
    entry.monotonic_us = 1_000_000_000 + second * SECOND_US;
    entry.with("_HOSTNAME", "north")
}

/// What the service manager of the machine says about a unit.
pub(crate) fn manager(second: u64, id: &str, unit: &str, message: &str) -> TestEntry {
    let entry = entry(second, message).with("_PID", "1").with("SYSLOG_IDENTIFIER", "systemd");
    entry.with("MESSAGE_ID", id).with("UNIT", unit)
}

pub(crate) fn started(second: u64, unit: &str) -> TestEntry {
    manager(second, STARTED, unit, &format!("Started {unit} - It."))
}

pub(crate) fn stopped(second: u64, unit: &str) -> TestEntry {
    manager(second, STOPPED, unit, &format!("Stopped {unit} - It."))
}

pub(crate) fn failed(second: u64, unit: &str) -> TestEntry {
    manager(second, FAILED, unit, &format!("{unit}: Failed with result 'exit-code'."))
}

pub(crate) fn timeline(paths: &[&Path], arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_ebbline"))
        .args(["timeline", "-o", "json", "--tz", "UTC"])
        .args(arguments)
        .args(paths)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The changes of all buckets, as `kind what`, in the order of time.
pub(crate) fn changes(document: &Value) -> Vec<String> {
    let buckets = document["buckets"].as_array().unwrap().iter();
    let changes = buckets.flat_map(|bucket| bucket["changes"].as_array().unwrap());
    let mut changes: Vec<(&str, &str, &str)> = changes
        .map(|change| {
            let text = |name: &str| change[name].as_str().unwrap();
            (text("at"), text("kind"), text("what"))
        })
        .collect();
    changes.sort_unstable();
    changes.iter().map(|(_, kind, what)| format!("{kind} {what}")).collect()
}

/// The changes in a journal of these entries.
fn of_journal(entries: &[TestEntry], arguments: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.journal");
    write_journal(&path, entries);
    changes(&timeline(&[&path], arguments))
}

fn journalctl(path: &Path, format: &str) -> Vec<u8> {
    let words = ["--utc", "-o", format, "--file"];
    Command::new("journalctl").args(words).arg(path).output().unwrap().stdout
}

/// The changes in a text.
pub(crate) fn of_text(text: &str, arguments: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("syslog");
    std::fs::write(&path, text).unwrap();
    changes(&timeline(&[&path], arguments))
}

fn day_of_a_service() -> Vec<TestEntry> {
    vec![
        started(0, "api.service"),
        entry(10, "ready").with("_SYSTEMD_UNIT", "api.service").with("_PID", "77"),
        stopped(1000, "api.service"),
        started(1002, "api.service"),
        failed(2000, "api.service"),
        started(2005, "api.service"),
        stopped(3000, "api.service"),
        started(9000, "api.service"),
        entry(9001, "ready").with("_SYSTEMD_UNIT", "api.service").with("_PID", "77"),
    ]
}

const OF_THE_DAY: [&str; 5] = [
    "unit_started api.service",
    "unit_restarted api.service",
    "unit_failed api.service (exit-code), restarted",
    "unit_stopped api.service",
    "unit_started api.service",
];

#[test]
fn a_journal_tells_the_starts_stops_and_failures_of_units() {
    assert_eq!(of_journal(&day_of_a_service(), &[]), OF_THE_DAY);
    assert_eq!(of_journal(&day_of_a_service(), &["--reader", "libsystemd"]), OF_THE_DAY);
}

#[test]
fn a_filter_limits_what_is_counted_and_not_what_changed() {
    assert_eq!(of_journal(&day_of_a_service(), &["-u", "api", "-p", "err"]), OF_THE_DAY[..0]);
    let mut entries = day_of_a_service();
    for second in (0..10_000).step_by(60) {
        entries.push(entry(second, "tick").with("_SYSTEMD_UNIT", "web.service"));
    }
    entries.sort_by_key(|entry| entry.realtime_us);
    assert_eq!(of_journal(&entries, &["-u", "web"]), OF_THE_DAY);
    assert_eq!(of_journal(&entries, &["-u", "web", "--reader", "libsystemd"]), OF_THE_DAY);
    let south = |second| entry(second, "tock").with("_HOSTNAME", "south");
    let south: Vec<_> = entries.iter().cloned().chain([south(9999)]).collect();
    assert_eq!(of_journal(&south, &["--host", "south"]), OF_THE_DAY[..0]);
}

#[test]
fn only_the_manager_and_the_kernel_are_believed() {
    let forged = |entry: TestEntry, pid: &str| {
        let fields = entry.fields.into_iter().map(|(name, value)| match name.as_str() {
            "_PID" => (name, pid.as_bytes().to_vec()),
            _ => (name, value),
        });
        TestEntry { fields: fields.collect(), ..entry }
    };
    let kill = "Out of memory: Killed process 77 (python3) total-vm:1kB, anon-rss:1kB";
    let cgroup = "Memory cgroup out of memory: Killed process 78 (java) total-vm:1kB";
    let dump = |second, uid: &str| {
        let entry = entry(second, "Process 9 (worker) of user 0 dumped core.");
        let entry = entry.with("MESSAGE_ID", COREDUMP).with("_UID", uid);
        entry.with("COREDUMP_COMM", "worker").with("COREDUMP_UNIT", "jobs.service")
    };
    let entries = [
        forged(stopped(0, "db.service"), "1466"),
        forged(failed(1, "db.service"), "17"),
        entry(2, kill).with("_TRANSPORT", "journal"),
        dump(3, "1000"),
        entry(10, kill).with("_TRANSPORT", "kernel"),
        entry(20, cgroup).with("_TRANSPORT", "kernel"),
        dump(30, "0"),
        stopped(40, "db.service"),
    ];
    let expected = [
        "oom_kill python3",
        "oom_kill java",
        "crash worker (jobs.service)",
        "unit_stopped db.service",
    ];
    assert_eq!(of_journal(&entries, &[]), expected);
    assert_eq!(of_journal(&entries, &["--reader", "libsystemd"]), expected);
}

#[test]
fn a_job_that_a_timer_runs_is_no_change() {
    let mut entries = Vec::new();
    for run in 0..50 {
        let at = run * 600;
        entries.push(manager(
            at,
            ENDED,
            "rotate.service",
            "rotate.service: Deactivated successfully.",
        ));
        entries.push(manager(at, STARTED, "rotate.service", "Finished rotate.service - Logs."));
        entries.push(started(at + 1, "sync.service"));
        entries.push(manager(
            at + 9,
            ENDED,
            "sync.service",
            "sync.service: Deactivated successfully.",
        ));
        entries.push(started(at + 20, "user@1000.service"));
        entries.push(stopped(at + 90, "user@1000.service"));
        entries.push(started(at + 91, "run-u17.service"));
    }
    entries.push(failed(40_000, "rotate.service"));
    assert_eq!(of_journal(&entries, &[]), ["unit_failed rotate.service (exit-code)"]);
}

#[test]
fn a_unit_that_is_first_seen_after_a_day_is_told() {
    let own = |second, unit: &str| entry(second, "ready").with("_SYSTEMD_UNIT", unit);
    let day = DAY_US / SECOND_US;
    let entries = [
        own(0, "old.service"),
        own(1000, "early.service"),
        own(day + 10, "old.service"),
        started(day + 20, "new.service"),
        own(day + 21, "new.service"),
        own(day + 22, "new.service"),
        own(day + 30, "session-7.scope"),
        manager(day + 40, STARTED, "weekly.service", "Finished weekly.service - Trim."),
        own(day + 40, "weekly.service"),
    ];
    assert_eq!(of_journal(&entries, &[]), ["unit_appeared new.service"]);
    // What was before the span is known all the same.
    let since = ["--since", "@1778025650"];
    assert_eq!(of_journal(&entries, &since), Vec::<String>::new());
    assert_eq!(of_journal(&entries, &["--since", "@1778025600"]), ["unit_appeared new.service"]);
}

#[test]
fn a_boot_is_one_change_and_what_it_starts_is_none() {
    let mut entries = vec![
        started(0, "api.service"),
        entry(100, "up"),
        stopped(190, "api.service"),
        started(220, "api.service"),
        failed(240, "db.service"),
        stopped(2000, "api.service"),
    ];
    for entry in entries.iter_mut().skip(3) {
        (entry.boot, entry.monotonic_us) = (0xb008, entry.realtime_us - START_US - 200 * SECOND_US);
    }
    let expected = [
        "unit_started api.service",
        "boot north",
        "unit_failed db.service (exit-code)",
        "unit_stopped api.service",
    ];
    assert_eq!(of_journal(&entries, &[]), expected);
}

const SYSLOG: &str = "\
May  5 00:00:00 north systemd[1]: Started api.service - Orders.
May  5 00:01:00 north systemd[1]: Stopping api.service - Orders...
May  5 00:01:01 north systemd[1]: api.service: Deactivated successfully.
May  5 00:01:01 north systemd[1]: Stopped api.service - Orders.
May  5 00:01:02 north systemd[1]: Started api.service - Orders.
May  5 00:10:00 north systemd[1]: api.service: Main process exited, code=exited, status=1/FAILURE
May  5 00:10:00 north systemd[1]: api.service: Failed with result 'exit-code'.
May  5 00:10:05 north systemd[1]: api.service: Scheduled restart job, restart counter is at 1.
May  5 00:10:05 north systemd[1]: Stopped api.service - Orders.
May  5 00:10:05 north systemd[1]: Started api.service - Orders.
May  5 00:20:00 north kernel: [ 4242.000001] Out of memory: Killed process 77 (python3) total-vm:1kB
May  5 00:21:00 north systemd[1466]: Stopped mine.service - Of a user.
May  5 00:22:00 north app[12]: systemd[1]: Stopped forged.service - Of a line.
May  5 00:23:00 north systemd[1]: Started Session 5 of User root.
May  5 00:24:00 north systemd[1]: Stopped OpenBSD Secure Shell server.
May  5 00:30:00 north kernel: [    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)
May  5 00:30:02 north systemd[1]: Started api.service - Orders.
May  5 00:40:00 north systemd[1]: Failed to start db.service - Database.
";

#[test]
fn a_text_tells_by_the_words_of_systemd_and_the_kernel() {
    let expected = [
        "unit_started api.service",
        "unit_restarted api.service",
        "unit_failed api.service (exit-code), restarted",
        "oom_kill python3",
        "unit_stopped OpenBSD Secure Shell server",
        "boot north",
        "unit_failed db.service (not started)",
    ];
    assert_eq!(of_text(SYSLOG, &[]), expected);
    assert_eq!(of_text(SYSLOG, &["-t", "kernel"]), expected);
    assert_eq!(of_text(SYSLOG, &["--host", "south"]), Vec::<String>::new());
}

#[test]
fn dumps_tell_what_their_journal_tells_and_both_together_tell_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.journal");
    write_journal(&path, &day_of_a_service());
    let mut entries = day_of_a_service();
    entries.extend([entry(20_000, "up"), stopped(20_400, "api.service")]);
    for entry in entries.iter_mut().skip(9) {
        (entry.boot, entry.monotonic_us) = (0xb008, entry.realtime_us - START_US);
    }
    let booted = folder.path().join("booted.journal");
    write_journal(&booted, &entries);
    let dump = folder.path().join("dump");
    std::fs::write(&dump, journalctl(&booted, "short-iso")).unwrap();
    let expected = [&OF_THE_DAY[..], &["boot north", "unit_stopped api.service"]].concat();
    assert_eq!(changes(&timeline(&[&booted], &[])), expected);
    assert_eq!(changes(&timeline(&[&dump], &[])).len(), expected.len());
    assert_eq!(changes(&timeline(&[&dump, &booted], &[])), expected);
    for format in ["export", "json", "verbose", "short-iso", "short"] {
        let dump = folder.path().join(format);
        std::fs::write(&dump, journalctl(&path, format)).unwrap();
        let alone = changes(&timeline(&[&dump], &[]));
        assert_eq!(alone, OF_THE_DAY, "{format}");
        if format != "short" {
            assert_eq!(changes(&timeline(&[&dump, &path], &[])), OF_THE_DAY, "{format}");
        }
    }
}

#[test]
fn a_deployment_is_known_by_a_users_rule_and_counts_as_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("deploy.toml");
    let rule = "[[rule]]\nid = \"deploy\"\nclass = \"deployment\"\n\
                pattern = 'deploying (?<what>\\S+) (?<version>\\S+)'\n\
                samples = [\"deploying api 1.2.3\"]\n";
    std::fs::write(&rules, rule).unwrap();
    let options = ["--rules", rules.to_str().unwrap(), "-u", "api"];
    let entries = [
        entry(0, "up").with("_SYSTEMD_UNIT", "api.service"),
        entry(10, "deploying api 1.2.3").with("_SYSTEMD_UNIT", "deploy.service"),
        entry(7200, "up").with("_SYSTEMD_UNIT", "api.service"),
    ];
    let path = folder.path().join("system.journal");
    write_journal(&path, &entries);
    for reader in ["native", "libsystemd"] {
        let document = timeline(&[&path], &[&options[..], &["--reader", reader]].concat());
        assert_eq!(changes(&document), ["deployment api 1.2.3"], "{reader}");
        assert!(document["totals"]["counts"]["deployment"].is_null(), "{document}");
    }
    let text = "2026-05-05T00:00:00Z up\n2026-05-05T00:00:10Z deploying api 1.2.3\n";
    assert_eq!(of_text(text, &options[..2]), ["deployment api 1.2.3"]);
}

#[test]
fn the_hour_before_the_span_is_not_counted() {
    let entries: Vec<_> =
        (0..40).map(|step| started(step * 300, &format!("u{step}.service"))).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.journal");
    write_journal(&path, &entries);
    let since = "@1777946400";
    for reader in ["native", "libsystemd"] {
        let document = timeline(&[&path], &["--since", since, "--reader", reader]);
        assert_eq!(document["totals"]["entries"], 16, "{reader}");
        assert_eq!(changes(&document).len(), 16, "{reader}");
    }
}

#[test]
fn a_service_that_refuses_connections_is_told_where_that_begins() {
    let refused = |second| {
        let said = "error connecting: connection to server at \"127.0.0.1\", port 5433 failed: Connection refused";
        entry(second, said).with("_SYSTEMD_UNIT", "api.service")
    };
    let mut entries: Vec<_> = (0..30).map(|step| refused(step * 60)).collect();
    entries.extend((0..3).map(|step| refused(20_000 + step)));
    let expected = [
        "unreachable 127.0.0.1:5433 30 times in 29 min",
        "unreachable 127.0.0.1:5433 3 times in 1 min",
    ];
    assert_eq!(of_journal(&entries, &[]), expected);
    assert_eq!(of_journal(&entries, &["--reader", "libsystemd"]), expected);
    let line = |at: &str| format!("{at}Z dial tcp 10.0.0.5:5432: connect: connection refused\n");
    let text = [line("2026-05-05T00:00:00"), line("2026-05-05T00:01:00")].concat();
    assert_eq!(of_text(&text, &[]), ["unreachable 10.0.0.5:5432 2 times in 1 min"]);
}

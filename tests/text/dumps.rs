//! Dumps of a journal by the real journalctl, in every output mode, against what the test itself
//! reads from `journalctl -o json --all`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use ebbline::source::filter::Pattern;
use ebbline::source::{Filter, SourceKind};
use ebbline::time::Span;

use super::support::*;

const FIRST_MICROS: u64 = 1_778_043_600_000_000;
const POOL: &str = "psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec";

/// A journal of 600 entries over some hours, made by systemd-journal-remote.
fn journal() -> &'static Path {
    static JOURNAL: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = JOURNAL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let export = folder.path().join("in.export");
        std::fs::write(&export, export_text()).unwrap();
        let journal = folder.path().join("test.journal");
        let status = Command::new("/lib/systemd/systemd-journal-remote")
            .arg("-o")
            .args([&journal, &export])
            .stderr(Stdio::null())
            .status()
            .expect("systemd-journal-remote is needed: apt install systemd-journal-remote");
        assert!(status.success());
        (folder, journal)
    });
    path
}

fn export_text() -> Vec<u8> {
    let mut out = Vec::new();
    for index in 0..600_u64 {
        let at = FIRST_MICROS + index * 17_123_457;
        let boot = if index < 400 {
            "0123456789abcdef0123456789abcdef"
        } else {
            "f00dcafe00000000f00dcafe00000000"
        };
        let monotonic = index * 17_123_457 + 5;
        let manager = index % 50 == 7;
        let (identifier, unit, pid) = match index {
            _ if manager => ("systemd", "init.scope", 1),
            _ if index % 3 == 0 => ("worker", "worker.service", 77),
            _ => ("api", "api.service", 42),
        };
        let priority = index % 8;
        out.extend_from_slice(
            format!(
                "__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={monotonic}\n_BOOT_ID={boot}\n\
                 SYSLOG_IDENTIFIER={identifier}\n_SYSTEMD_UNIT={unit}\n_PID={pid}\n_UID=0\n\
                 PRIORITY={priority}\n_HOSTNAME=db1\n"
            )
            .as_bytes(),
        );
        if manager {
            out.extend_from_slice(b"UNIT=api.service\n");
        }
        let message = match index % 10 {
            1 => format!("Traceback:\n  File \"a.py\", line {index}\n\n{POOL}").into_bytes(),
            2 => format!(r#"10.0.0.{index} - "GET /api HTTP/1.1" 503 "#).into_bytes(),
            3 => b"binary \x00\xff\xfe\x01 bytes".to_vec(),
            4 => "x".repeat(5000).into_bytes(),
            5 => format!("Umlaut ü “{index}” \\n \u{1f600} \"quoted\"\ttab").into_bytes(),
            _ => format!("request {index} took 503 ms").into_bytes(),
        };
        if message.iter().any(|byte| *byte < 32 && *byte != b'\t') {
            out.extend_from_slice(b"MESSAGE\n");
            out.extend_from_slice(&(message.len() as u64).to_le_bytes());
            out.extend_from_slice(&message);
            out.push(b'\n');
        } else {
            out.extend_from_slice(b"MESSAGE=");
            out.extend_from_slice(&message);
            out.push(b'\n');
        }
        out.push(b'\n');
    }
    out
}

fn journalctl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("journalctl")
        .env("TZ", "America/Los_Angeles")
        .env("LC_ALL", "C.UTF-8")
        .arg("--file")
        .arg(journal())
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Entries by minute, and the cursors of the entries whose message holds `needle`.
struct Oracle {
    minutes: BTreeMap<Option<i64>, u64>,
    pool: Vec<String>,
    status: Vec<String>,
}

fn oracle(arguments: &[&str]) -> Oracle {
    let mut oracle = Oracle { minutes: BTreeMap::new(), pool: Vec::new(), status: Vec::new() };
    let dump = journalctl(&[&["-o", "json", "--all"], arguments].concat());
    for line in String::from_utf8(dump).unwrap().lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let micros: i64 = entry["__REALTIME_TIMESTAMP"].as_str().unwrap().parse().unwrap();
        *oracle.minutes.entry(Some(micros / 60_000_000)).or_default() += 1;
        let message = entry["MESSAGE"].as_str().unwrap_or("").to_owned();
        let cursor = entry["__CURSOR"].as_str().unwrap().to_owned();
        if message.contains("couldn't get a connection") {
            oracle.pool.push(cursor);
        } else if message.contains("\" 503 ") {
            oracle.status.push(cursor);
        }
    }
    assert!(!oracle.minutes.is_empty());
    oracle
}

fn los_angeles() -> Question {
    Question { zone: chrono_tz::America::Los_Angeles, ..Question::default() }
}

fn of_rule<'a>(seen: &'a Recording, rule: &str) -> Vec<&'a Seen> {
    seen.events.iter().filter(|event| event.rule == rule).collect()
}

#[test]
fn dumps_with_fields_agree_with_journalctl_entry_by_entry() {
    let expected = oracle(&[]);
    assert_eq!((expected.pool.len(), expected.status.len()), (60, 60));
    for (mode, kind) in [
        ("export", SourceKind::Export),
        ("json", SourceKind::JournalJson),
        ("json-pretty", SourceKind::JournalJson),
        ("json-sse", SourceKind::JournalJson),
        ("json-seq", SourceKind::JournalJson),
        ("verbose", SourceKind::Syslog),
    ] {
        let seen = Question::default().ask(journalctl(&["-o", mode]));
        assert_eq!(seen.summary.kind, kind, "{mode}");
        assert_eq!(seen.minutes, expected.minutes, "{mode}");
        let cursors = |rule| -> Vec<String> {
            of_rule(&seen, rule).iter().map(|event| event.origin.clone()).collect()
        };
        assert_eq!(cursors("pool"), expected.pool, "{mode}");
        assert_eq!(cursors("status"), expected.status, "{mode}");
        let first = of_rule(&seen, "pool")[0];
        assert_eq!(
            first.message,
            format!("Traceback:\n  File \"a.py\", line 1\n\n{POOL}"),
            "{mode}"
        );
        assert_eq!(first.unit.as_deref(), Some("api.service"), "{mode}");
        assert_eq!(first.identifier.as_deref(), Some("api"), "{mode}");
        assert_eq!(first.host.as_deref(), Some("db1"), "{mode}");
        assert_eq!(first.pid.as_deref(), Some("42"), "{mode}");
        assert_eq!(first.priority, Some(1), "{mode}");
        assert_eq!(first.boot.as_deref(), Some("0123456789abcdef0123456789abcdef"), "{mode}");
    }
}

#[test]
fn dumps_of_lines_agree_with_journalctl() {
    let expected = oracle(&[]);
    for mode in [
        "short",
        "short-precise",
        "short-iso",
        "short-iso-precise",
        "short-full",
        "short-unix",
        "with-unit",
    ] {
        let seen = los_angeles().ask(journalctl(&["-o", mode]));
        assert_eq!(seen.summary.kind, SourceKind::Syslog, "{mode}");
        assert_eq!(seen.minutes, expected.minutes, "{mode}");
        let pool = of_rule(&seen, "pool");
        assert_eq!(pool.len(), expected.pool.len(), "{mode}");
        assert_eq!(of_rule(&seen, "status").len(), expected.status.len(), "{mode}");
        assert_eq!(
            pool[0].message,
            format!("Traceback:\n  File \"a.py\", line 1\n\n{POOL}"),
            "{mode}"
        );
        assert_eq!(pool[0].pid.as_deref(), Some("42"), "{mode}");
        assert_eq!(pool[0].host.as_deref(), Some("db1"), "{mode}");
        let last = pool.last().unwrap();
        assert_eq!(last.boot.as_deref(), Some("f00dcafe00000000f00dcafe00000000"), "{mode}");
        if mode == "with-unit" {
            assert_eq!(pool[0].unit.as_deref(), Some("api.service"));
        } else {
            assert_eq!(pool[0].identifier.as_deref(), Some("api"));
        }
    }
}

#[test]
fn a_dump_in_monotonic_time_is_counted_without_a_date() {
    let seen = los_angeles().ask(journalctl(&["-o", "short-monotonic"]));
    assert_eq!(seen.by_minute(), [("-".to_owned(), 600)]);
    assert_eq!(of_rule(&seen, "pool").len(), 60);
}

#[test]
fn messages_that_journalctl_left_out_of_json_are_told() {
    let seen = Question::default().ask(journalctl(&["-o", "json"]));
    assert_eq!(seen.damage.len(), 1);
    assert!(
        seen.damage[0].problem.contains("left out, as longer than 4096 bytes: 60;"),
        "{:?}",
        seen.damage
    );
    let whole = Question::default().ask(journalctl(&["-o", "json", "--all"]));
    assert_eq!(whole.damage, []);
}

#[test]
fn filters_and_spans_select_what_journalctl_selects() {
    let unit = Filter { units: vec![Pattern::unit("api").unwrap()], ..Filter::default() };
    let tag = Filter { identifiers: vec![Pattern::new("worker").unwrap()], ..Filter::default() };
    let boot =
        Filter { boot: Some("f00dcafe00000000f00dcafe00000000".to_owned()), ..Filter::default() };
    let priority = Filter { priorities: Some(0b1111), ..Filter::default() };
    let boot_match = "_BOOT_ID=f00dcafe00000000f00dcafe00000000";
    let cases: [(Filter, &[&str]); 4] = [
        (unit, &["-u", "api"]),
        (tag, &["-t", "worker"]),
        (boot, &[boot_match]),
        (priority, &["-p", "err"]),
    ];
    for (filter, arguments) in cases {
        let expected = oracle(arguments);
        for mode in ["export", "json", "json-pretty", "verbose"] {
            let question = Question { filter: filter.clone(), ..Question::default() };
            let seen = question.ask(journalctl(&["-o", mode]));
            assert_eq!(seen.minutes, expected.minutes, "{arguments:?} {mode}");
            assert_eq!(of_rule(&seen, "pool").len(), expected.pool.len(), "{arguments:?} {mode}");
        }
    }
    let span = Span {
        since: Some(instant("2026-05-06T06:00:00Z")),
        until: Some(instant("2026-05-06T07:00:00Z")),
    };
    let expected =
        oracle(&["--since", "2026-05-05 23:00:00", "--until", "2026-05-05 23:59:59.999999"]);
    for mode in ["export", "json", "verbose", "short", "short-unix"] {
        let question = Question { span, ..los_angeles() };
        let seen = question.ask(journalctl(&["-o", mode]));
        assert_eq!(seen.minutes, expected.minutes, "{mode}");
    }
}

#[test]
fn a_dump_that_was_cut_off_gives_what_is_left() {
    let export = journalctl(&["-o", "export"]);
    let cut = export.len() / 2;
    let seen = Question::default().ask(&export[..cut]);
    assert!((290..=301).contains(&seen.summary.entries), "{}", seen.summary.entries);
    let json = journalctl(&["-o", "json", "--all"]);
    let lines = json.iter().take(json.len() / 2).filter(|byte| **byte == b'\n').count() as u64;
    let seen = Question::default().ask(&json[..json.len() / 2]);
    assert!(seen.summary.entries == lines || seen.summary.entries == lines + 1);
}

#[test]
fn a_filter_that_a_log_cannot_answer_is_told() {
    let filter = Filter { units: vec![Pattern::unit("api").unwrap()], ..Filter::default() };
    let question = Question { filter, ..los_angeles() };
    let seen = question.ask(journalctl(&["-o", "short"]));
    assert_eq!(seen.summary.entries, 0);
    assert_eq!(seen.damage[0].problem, "no entry names its unit: --unit leaves all of them out");
}

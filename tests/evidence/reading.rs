//! Sources of every kind, read by any number of threads.

use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use ebbline::entry::OwnedOrigin;
use ebbline::rules::{Classifier, RuleSet};
use ebbline::source::journal::Backend;
use ebbline::source::text::growing::{Growing, More, Pause};
use ebbline::source::{Detail, Filter, Progress, Query, TEXT_LITERALS};
use ebbline::tally::{MAX_MESSAGE_BYTES, Tally, TallySink};
use ebbline::time::{Span, Timestamp};

use crate::journals::{START_US, TestEntry, mixed_entries, write_journal};
use crate::{Reading, assert_as_listed, edges};

/// A log of so many bytes: two entries a second, some of them failures, some of several lines, and
/// one with a line that is too long.
fn log(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + (4 << 20));
    let mut number = 0;
    while text.len() < bytes {
        let second = number / 2;
        let (hour, minute, second) = (second / 3600 % 24, second / 60 % 60, second % 60);
        let day = 5 + number / 172_800;
        let at = format!("2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00");
        let entry = match number % 90 {
            7..=9 => "app[3]: couldn't get a connection after 30.00 sec",
            30 => {
                "app[3]: Traceback (most recent call last):\n  File \"pool.py\", line 3, in get\n\
                   psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec"
            }
            61 => "app[3]: 10.0.0.2 - \"GET /api HTTP/1.1\" 503 Service Unavailable",
            _ => "app[3]: nothing to see here, but that the text has to become a little longer",
        };
        writeln!(text, "{at} atlas {entry}").unwrap();
        if number == 50_000 {
            writeln!(text, "{at} atlas app[3]: {}\n  and {number}", "x".repeat(3 << 20)).unwrap();
        }
        number += 1;
    }
    text
}

#[test]
fn the_lines_of_a_text_read_in_parts_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let text = log(25 << 20);
    fs::write(&path, &text).unwrap();
    let one = Reading { threads: 1, ..Reading::default() }.tally(&path);
    let several = Reading { threads: 3, ..Reading::default() }.tally(&path);
    assert!(one == several, "the number of threads makes a difference");
    let found = edges(&several);
    assert!(assert_as_listed(&found, &path) > 1000);
    let lines: Vec<&str> = text.lines().collect();
    for evidence in found.values().flat_map(|edges| [&edges.first, &edges.last]) {
        let OwnedOrigin::Line { line, .. } = evidence.origin else { panic!("{evidence:?}") };
        let message = evidence.message.as_ref().unwrap();
        assert!(lines[line as usize - 1].ends_with(message.lines().next().unwrap()), "{line}");
    }
}

#[test]
fn compressed_texts_have_the_lines_of_what_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, log(400_000)).unwrap();
    let plain = edges(&Reading::default().tally(&path));
    for tool in ["gzip", "zstd", "xz"] {
        let output = Command::new(tool).args(["-c", "-q"]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{tool}");
        let packed = folder.path().join(format!("packed.{tool}"));
        fs::write(&packed, output.stdout).unwrap();
        let found = edges(&Reading::default().tally(&packed));
        assert!(assert_as_listed(&found, &packed) > 20);
        assert!(found.keys().eq(plain.keys()));
        for (found, plain) in found.values().zip(plain.values()) {
            assert_eq!(line(&found.first.origin), line(&plain.first.origin));
            assert_eq!(line(&found.last.origin), line(&plain.last.origin));
        }
    }
}

fn line(origin: &OwnedOrigin) -> u64 {
    let OwnedOrigin::Line { line, .. } = origin else { panic!("{origin:?}") };
    *line
}

#[test]
fn a_growing_text_has_the_evidence_of_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let text = log(300_000);
    fs::write(&path, &text).unwrap();
    let whole = Reading::default().tally(&path);
    let classifier = Classifier::watching(RuleSet::builtin().unwrap(), &TEXT_LITERALS);
    let (filter, progress) = (Filter::default(), Progress::default());
    let query = Query {
        classifier: &classifier,
        filter: &filter,
        span: Span::default(),
        zone: chrono_tz::UTC,
        detail: Detail::Counts,
        changes: false,
        watch: None,
        progress: &progress,
    };
    let mut growing = Growing::new(&path);
    let mut tally = Tally::default();
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(7919).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let mut sink = TallySink::with_evidence(classifier.rules(), 0, true);
        let pause = if index + 1 == pieces.len() { Pause::End } else { Pause::Short };
        let more = More {
            bytes: Box::new(Cursor::new(*piece)),
            whole: None,
            modified: Timestamp::from_micros(1_790_000_000_000_000).unwrap(),
            pause,
        };
        growing.read_on(more, &query, &mut sink).unwrap();
        tally.merge(sink.tally);
    }
    assert_eq!(edges(&tally), edges(&whole));
}

#[test]
fn the_evidence_of_journals_are_cursors_that_journalctl_knows() {
    let folder = tempfile::tempdir().unwrap();
    for (name, seed) in [("a.journal", 1), ("b.journal", 2)] {
        write_journal(&folder.path().join(name), &mixed_entries(3000, seed));
    }
    fs::copy(folder.path().join("a.journal"), folder.path().join("copy.journal")).unwrap();
    let tally = Reading::default().tally(folder.path());
    let found = edges(&tally);
    assert!(assert_as_listed(&found, folder.path()) > 50);
    for (threads, backend) in [(1, Backend::Native), (3, Backend::Libsystemd)] {
        let reading = Reading { threads, backend, is_backwards: true };
        assert_eq!(edges(&reading.tally(folder.path())), found);
    }
    let (_, sample) = found.iter().nth(found.len() / 2).unwrap();
    for evidence in [&sample.first, &sample.last] {
        let cursor = format!("--cursor={}", evidence.origin);
        let shown = Command::new("journalctl")
            .args(["-D", folder.path().to_str().unwrap(), "-n1", "-o", "cat", "-q", &cursor])
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let message = evidence.message.as_ref().unwrap();
        assert!(shown.starts_with(&**message), "{shown:?} {message:?}");
    }
}

#[test]
fn dumps_have_the_evidence_of_their_journal() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("a.journal");
    write_journal(&journal, &mixed_entries(2000, 3));
    let found = edges(&Reading::default().tally(&journal));
    assert!(found.len() > 20);
    for format in ["export", "json", "verbose"] {
        let output = Command::new("journalctl")
            .args(["-o", format, "--all", "--file"])
            .arg(&journal)
            .output()
            .unwrap();
        let dump = folder.path().join(format!("dump.{format}"));
        fs::write(&dump, output.stdout).unwrap();
        assert_eq!(edges(&Reading::default().tally(&dump)), found, "{format}");
    }
}

#[test]
fn the_lines_of_a_dump_count_the_newlines_within_binary_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.export");
    let mut dump = Vec::new();
    for number in 0..40 {
        let at = START_US + number * 61_000_000;
        let message = "couldn't get a connection after 30.00 sec\n at pool.py\n at app.py";
        // Ten bytes: the length has a newline, too.
        let value = if number % 2 == 0 { "ten bytes\n" } else { "no binary value" };
        TestEntry::new(at, message.as_bytes()).with("EXTRA", value).export(&mut dump);
    }
    fs::write(&path, &dump).unwrap();
    let found = edges(&Reading::default().tally(&path));
    assert_eq!(assert_as_listed(&found, &path), 40);
    let lines: Vec<&[u8]> = dump.split(|&byte| byte == b'\n').collect();
    for edges in found.values() {
        let expected = format!("__REALTIME_TIMESTAMP={}", edges.first.at.micros());
        let shown = lines[line(&edges.first.origin) as usize - 1];
        assert_eq!(String::from_utf8_lossy(shown), expected);
    }
}

#[test]
fn echoes_and_undated_events_are_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let text = "couldn't get a connection after 30.00 sec\n\
        2026-05-05 10:00:01 WARNING django.request: Service Unavailable: /orders\n\
        2026-05-05 10:00:02 ERROR app: couldn't get a connection after 30.00 sec\n";
    fs::write(&path, text).unwrap();
    let found = edges(&Reading::default().tally(&path));
    assert_eq!(assert_as_listed(&found, &path), 1);
    let only = found.values().next().unwrap();
    assert_eq!(only.first, only.last);
    assert_eq!(line(&only.first.origin), 3);
}

/// The messages of all that is kept have a limit, and hostile ones of any length.
#[test]
fn messages_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let long = format!("couldn't get a connection after 30.00 sec {}", "ä接".repeat(400));
    let mut text = String::new();
    let minutes = 20_000;
    for minute in 0..minutes {
        let (day, hour, minute) = (1 + minute / 1440, minute / 60 % 24, minute % 60);
        writeln!(text, "2026-05-{day:02}T{hour:02}:{minute:02}:09Z app: {long}").unwrap();
    }
    fs::write(&path, &text).unwrap();
    let kept = |text: &Path| -> Vec<usize> {
        let found = edges(&Reading::default().tally(text));
        found.values().map(|edges| edges.first.message.as_ref().unwrap().len()).collect()
    };
    let of_many = kept(&path);
    assert_eq!(of_many.len(), minutes);
    assert!(of_many.iter().all(|&bytes| (253..=256).contains(&bytes)), "{:?}", &of_many[..9]);
    fs::write(&path, text.lines().next().unwrap()).unwrap();
    let of_one = kept(&path);
    assert!((MAX_MESSAGE_BYTES - 3..=MAX_MESSAGE_BYTES).contains(&of_one[0]), "{of_one:?}");
}

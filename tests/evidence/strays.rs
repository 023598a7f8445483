//! Entries with dates far from all others, as of a machine whose clock was not set yet.

use std::fmt::Write as _;
use std::fs;

use ebbline::rules::RuleSet;
use ebbline::timeline::incident::{Minutes, find};

use crate::{Reading, minute_of};

/// Five days of traffic, of which an hour on the third day fails.
fn log() -> String {
    let mut text = String::new();
    for minute in 0..5 * 1440 {
        let (day, hour, minute) = (3 + minute / 1440, minute / 60 % 24, minute % 60);
        for second in [4, 17, 31, 49] {
            let at = format!("2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}.250Z");
            let is_failure = (day, hour) == (5, 10) && second > 4;
            let status = if is_failure { "503 Service Unavailable" } else { "200 OK" };
            writeln!(text, "{at} app: 10.0.0.2 - \"GET /api HTTP/1.1\" {status}").unwrap();
        }
    }
    text
}

#[test]
fn a_stray_date_hides_no_incident_and_costs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let strays = "1970-01-01T00:00:09Z app: clock not set\n";
    let late =
        "9999-12-31T23:59:09Z app: 10.0.0.2 - \"GET /api HTTP/1.1\" 503 Service Unavailable\n";
    for text in [log(), strays.to_owned() + &log(), strays.to_owned() + &log() + late] {
        fs::write(&path, &text).unwrap();
        let tally = Reading::default().tally(&path);
        let class = RuleSet::builtin().unwrap().class_index("http_503").unwrap();
        let minutes = Minutes::new(&tally, class).unwrap();
        assert!(minutes.counts.len() <= 5 * 1440 + 2 * 2880, "{}", minutes.counts.len());
        let windows = find(&minutes.counts);
        assert_eq!(windows.len(), 1, "{windows:?}");
        let (start, end) = (*windows[0].minutes.start(), *windows[0].minutes.end());
        assert_eq!(minutes.minute(start), minute_of("2026-05-05T10:00:00Z"));
        assert_eq!(minutes.minute(end), minute_of("2026-05-05T10:59:00Z"));
        assert_eq!(minutes.counts[start].first_ms, 17_250);
        assert_eq!(minutes.counts[end].last_ms, 49_250);
        let edges = tally.edges(minutes.minute(start), class).unwrap();
        assert_eq!(edges.first.at.micros() % 60_000_000, 17_250_000);
    }
}

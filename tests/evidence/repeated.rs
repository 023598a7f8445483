//! What one source repeats of another is no evidence: what is left of it is.

use std::fs;
use std::path::Path;

use ebbline::tally::Edges;

use crate::journals::{START_US, TestEntry, write_journal};
use crate::{Found, Reading, assert_as_listed, edges, minute_of};

fn failure(number: u64) -> String {
    format!("request {number}: couldn't get a connection after 30.00 sec")
}

/// A line of a syslog daemon, the given seconds after the journal's first entry.
fn line(seconds: u64, message: &str) -> String {
    let at = i64::try_from(START_US / 1_000_000 + seconds).unwrap();
    let at = chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%S+00:00");
    format!("{at} db1 api[7]: {message}\n")
}

/// A journal of a hundred pool timeouts, one every seven seconds, beside a text.
fn beside(folder: &Path, text: &str) -> Found {
    let entry = |number: u64| {
        let at = START_US + number * 7_000_000 + 250_000;
        TestEntry::new(at, failure(number).as_bytes()).with("_HOSTNAME", "db1")
    };
    write_journal(&folder.join("a.journal"), &(0..100).map(entry).collect::<Vec<_>>());
    fs::write(folder.join("text.log"), text).unwrap();
    let backwards = Reading { is_backwards: true, threads: 1, ..Reading::default() };
    let found = edges(&Reading::default().tally(folder));
    assert_eq!(edges(&backwards.tally(folder)), found);
    found
}

#[test]
fn what_a_journal_holds_is_proved_by_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let copied: String = (0..100).map(|number| line(number * 7, &failure(number))).collect();
    let found = beside(folder.path(), &copied);
    assert_eq!(assert_as_listed(&found, folder.path()), 12);
    let all = found.values().flat_map(|edges| [&edges.first, &edges.last]);
    assert!(all.into_iter().all(|evidence| evidence.origin.to_string().starts_with("s=")));
}

#[test]
fn what_only_the_text_has_is_proved_by_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let copied: String = (0..100).map(|number| line(number * 7, &failure(number))).collect();
    // In the same minute as entries of the journal: in their midst, before them, and after them;
    // then in a minute of its own.
    let own = line(62, &failure(1000)) + &line(100, &failure(1001)) + &line(179, &failure(1002));
    let own = own + &line(4000, &failure(1003));
    let found = beside(folder.path(), &(copied + &own));
    assert_eq!(assert_as_listed(&found, folder.path()), 13);
    let of = |minute: &str| &found[&(minute_of(minute).index(), "pool_timeout".to_owned())];
    assert!(of("2026-05-05T00:01:00Z").first.origin.to_string().ends_with("text.log:101"));
    assert!(of("2026-05-05T00:02:00Z").last.origin.to_string().ends_with("text.log:103"));
    assert_eq!(of("2026-05-05T01:06:00Z").first, of("2026-05-05T01:06:00Z").last);
}

/// A daemon may write another second than the journal, across the border of a minute. The minute's
/// own event is in the midst of two that are repeated: these stand in for it.
fn across_the_border(second_us: u64) -> Edges {
    let folder = tempfile::tempdir().unwrap();
    let entries = [59_900_000, second_us].map(|after_us| {
        TestEntry::new(START_US + after_us, failure(after_us).as_bytes()).with("_HOSTNAME", "db1")
    });
    write_journal(&folder.path().join("a.journal"), &entries);
    let text = [
        line(60, &failure(59_900_000)),
        line(90, &failure(1)),
        line(119, &failure(second_us)),
        // Too much is its own for the text to be a copy.
        (130..140).map(|second| line(second, &failure(second))).collect(),
    ];
    fs::write(folder.path().join("text.log"), text.concat()).unwrap();
    let mut found = edges(&Reading::default().tally(folder.path()));
    let minute = minute_of("2026-05-05T00:01:00Z").index();
    found.remove(&(minute, "pool_timeout".to_owned())).unwrap()
}

#[test]
fn a_repeated_event_stands_in_where_nothing_else_is_known_of_a_minute() {
    let Edges { first, last } = across_the_border(120_100_000);
    assert!(first.origin.to_string().ends_with("text.log:1"), "{first:?}");
    assert!(last.origin.to_string().ends_with("text.log:3"), "{last:?}");
}

#[test]
fn what_stands_in_gives_way_to_what_counts() {
    let Edges { first, last } = across_the_border(119_100_000);
    assert!(first.origin.to_string().starts_with("s="), "{first:?}");
    assert_eq!(first, last);
}

#[test]
fn what_two_texts_share_is_proved_by_the_one_in_which_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let logged: Vec<String> = (0..200).map(|number| line(number * 7, &failure(number))).collect();
    fs::write(folder.path().join("syslog"), logged.concat()).unwrap();
    let own = line(100, "10.0.0.2 - \"GET /api HTTP/1.1\" 503 Service Unavailable");
    let daemon = [&logged[..10], &[own], &logged[10..150]].concat().concat();
    fs::write(folder.path().join("daemon.log"), daemon).unwrap();
    let found = edges(&Reading::default().tally(folder.path()));
    assert!(assert_as_listed(&found, folder.path()) > 20);
}

//! Timestamps of text logs: one line of each program, New Years, and the days on which clocks
//! change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::{America, Asia, Australia, Europe, Pacific, Tz};
use ebbline::source::text::stamp::{
    Civil, Layout, Resolver, Stamp, YearSurvey, YearTracker, find, find_like, parse_value,
};
use ebbline::time::Timestamp;
use proptest::prelude::*;

const ZONE: Tz = America::Los_Angeles;
const YEAR: i32 = 2026;

fn instant(text: &str) -> Timestamp {
    Timestamp::from_utc(DateTime::parse_from_rfc3339(text).unwrap().to_utc()).unwrap()
}

fn resolved(stamp: Stamp) -> Timestamp {
    match stamp {
        Stamp::Instant(at) => at,
        Stamp::Civil(civil) => civil.resolve(ZONE, YEAR, None).unwrap(),
    }
}

fn unescaped(text: &str) -> String {
    let pairs = [
        ("\\t", "\t"),
        ("\\e", "\u{1b}"),
        ("\\r", "\r"),
        ("\\u202f", "\u{202f}"),
        ("\\ufeff", "\u{feff}"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Program, line and expected instant of every row.
fn rows() -> Vec<(&'static str, String, Option<Timestamp>)> {
    let text = include_str!("stamps.tsv");
    text.lines()
        .filter(|row| !row.starts_with("# "))
        .map(|row| {
            let [program, line, expected] = row.split('\t').collect::<Vec<_>>()[..] else {
                panic!("not three columns: {row}");
            };
            (program, unescaped(line), (expected != "-").then(|| instant(expected)))
        })
        .collect()
}

#[test]
fn every_program_is_dated_as_a_person_reads_it() {
    let rows = rows();
    assert!(rows.len() >= 200);
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|(program, line, expected)| {
            let found = find(line.as_bytes());
            let got = found.map(|found| resolved(found.stamp));
            let show = |at: Option<Timestamp>| at.map(|at| at.to_utc().to_rfc3339());
            (got != *expected).then(|| {
                format!("{program}: {line}\n  {:?}, expected {:?}", show(got), show(*expected))
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_hint_from_any_line_changes_nothing() {
    let lines: Vec<_> = rows().into_iter().map(|(_, line, _)| line).collect();
    let hints: Vec<_> = lines.iter().filter_map(|line| find(line.as_bytes())).collect();
    for line in &lines {
        let alone = find(line.as_bytes());
        for hint in &hints {
            assert_eq!(find_like(line.as_bytes(), hint), alone, "{line} behind {hint:?}");
        }
    }
}

#[test]
fn the_range_covers_the_timestamp_alone() {
    let text = |line: &'static str| &line[find(line.as_bytes()).unwrap().range];
    assert_eq!(text("[2026-05-06 04:49:00 +0000] [123] [INFO]"), "2026-05-06 04:49:00 +0000");
    assert_eq!(text("2026-05-06 04:49:00.123 PDT [1] LOG"), "2026-05-06 04:49:00.123 PDT");
    assert_eq!(text("2026-05-06 04:49:00 INFO x"), "2026-05-06 04:49:00");
    assert_eq!(text("May  6 04:49:00 web app: x"), "May  6 04:49:00");
    assert_eq!(text("1.2.3.4 - - [06/May/2026:04:49:00 +0000] \"G"), "06/May/2026:04:49:00 +0000");
    assert_eq!(text("ts=1714990000.5 level=info"), "1714990000.5");
}

#[test]
fn a_timestamp_at_the_edge_of_the_head_is_read_whole_or_not_at_all() {
    let at = instant("2026-05-06T04:49:00.123+02:00");
    for padding in 1..400 {
        let pad = "a".repeat(padding);
        let lines = [
            format!("{pad} - - [06/May/2026:04:49:00.123 +0200] \"GET / HTTP/1.1\" 503 1"),
            format!("id={pad} t=2026-05-06T04:49:00.123000+02:00 level=info"),
            format!("May  6 04:49:00 web {pad}[1]: - - [06/May/2026:04:49:00.123 +0200]"),
        ];
        for line in lines {
            let found = find(line.as_bytes()).map(|found| found.stamp);
            let is_whole = found == Some(Stamp::Instant(at));
            let is_prefix = matches!(found, Some(Stamp::Civil(civil)) if civil.year.is_none());
            assert!(is_whole || is_prefix || found.is_none(), "{line}: {found:?}");
            assert!(padding > 200 || is_whole, "{line}: {found:?}");
        }
    }
}

#[test]
fn values_of_json_keys_are_read_whole() {
    let value = |text: &str| parse_value(text.as_bytes()).map(resolved);
    assert_eq!(value("2026-05-06T04:49:00Z"), Some(instant("2026-05-06T04:49:00Z")));
    assert_eq!(
        value("\"2026-05-06T04:49:00.5+02:00\""),
        Some(instant("2026-05-06T04:49:00.5+02:00"))
    );
    assert_eq!(value("06/May/2026:04:49:00 +0000"), Some(instant("2026-05-06T04:49:00Z")));
    assert_eq!(value("1714990000"), Some(instant("2024-05-06T10:06:40Z")));
    assert_eq!(value("1714990000.123"), Some(instant("2024-05-06T10:06:40.123Z")));
    assert_eq!(value("1714990000123"), Some(instant("2024-05-06T10:06:40.123Z")));
    assert_eq!(value("1.714990000123E9"), Some(instant("2024-05-06T10:06:40.123Z")));
    assert_eq!(
        value("2026-05-06T04:49:00-07:00[America/Los_Angeles]"),
        Some(instant("2026-05-06T04:49:00-07:00"))
    );
    assert_eq!(value("503"), None);
    assert_eq!(value("2026-05-06T04:49:00Z and more"), None);
    assert_eq!(value("10.0.0.1"), None);
    assert_eq!(value(""), None);
}

fn civil(text: &str) -> Civil {
    match find(text.as_bytes()).unwrap().stamp {
        Stamp::Civil(civil) => civil,
        Stamp::Instant(at) => panic!("{text} is an instant: {at:?}"),
    }
}

fn resolve(text: &str, zone: Tz, near: Option<&str>) -> Timestamp {
    civil(text).resolve(zone, YEAR, near.map(instant)).unwrap()
}

#[test]
fn a_wall_clock_that_does_not_occur_is_moved_forward_by_the_gap() {
    let spring = |text, zone| resolve(text, zone, None);
    let pacific = spring("2026-03-08 02:30:00", America::Los_Angeles);
    assert_eq!(pacific, instant("2026-03-08T03:30:00-07:00"));
    let berlin = spring("2026-03-29 02:00:00", Europe::Berlin);
    assert_eq!(berlin, instant("2026-03-29T03:00:00+02:00"));
    let lord_howe = spring("2026-10-04 02:15:00", Australia::Lord_Howe);
    assert_eq!(lord_howe, instant("2026-10-04T02:45:00+11:00"));
    let apia = spring("2011-12-30 12:00:00", Pacific::Apia);
    assert_eq!(apia, instant("2011-12-31T12:00:00+14:00"));
}

#[test]
fn a_wall_clock_that_occurs_twice_keeps_the_order_of_the_log() {
    let autumn = |near| resolve("2026-11-01 01:30:00", America::Los_Angeles, near);
    let (first, second) =
        (instant("2026-11-01T01:30:00-07:00"), instant("2026-11-01T01:30:00-08:00"));
    assert_eq!(autumn(None), first);
    assert_eq!(autumn(Some("2026-11-01T00:59:00-07:00")), first);
    assert_eq!(autumn(Some("2026-11-01T01:30:02-07:00")), first);
    assert_eq!(autumn(Some("2026-11-01T01:59:00-07:00")), second);
    assert_eq!(autumn(Some("2026-11-01T01:10:00-08:00")), second);
    assert_eq!(autumn(Some("2026-11-01T03:00:00-08:00")), second);
}

#[test]
fn an_abbreviation_says_which_of_two_equal_clocks_is_meant() {
    let autumn = |text| resolve(text, America::Los_Angeles, None);
    assert_eq!(autumn("2026-11-01 01:30:00 PDT"), instant("2026-11-01T01:30:00-07:00"));
    assert_eq!(autumn("2026-11-01 01:30:00 PST"), instant("2026-11-01T01:30:00-08:00"));
    let chicago = resolve("2026-11-01 01:30:00 CST", America::Chicago, None);
    assert_eq!(chicago, instant("2026-11-01T01:30:00-06:00"));
}

#[test]
fn an_abbreviation_means_what_the_files_own_zone_calls_so() {
    let at = |zone| resolve("2026-01-06 04:49:00 PST", zone, None);
    assert_eq!(at(America::Los_Angeles), instant("2026-01-06T04:49:00-08:00"));
    assert_eq!(at(Asia::Manila), instant("2026-01-06T04:49:00+08:00"));
    assert_eq!(at(Europe::Berlin), instant("2026-01-06T04:49:00-08:00"));
    let india = resolve("2026-01-06 04:49:00 IST", Asia::Kolkata, None);
    assert_eq!(india, instant("2026-01-06T04:49:00+05:30"));
    let israel = resolve("2026-01-06 04:49:00 IST", Asia::Jerusalem, None);
    assert_eq!(israel, instant("2026-01-06T04:49:00+02:00"));
}

#[test]
fn a_quarter_hour_zone_is_read_to_the_minute() {
    let nepal = resolve("2026-01-06 04:49:00", Asia::Kathmandu, None);
    assert_eq!(nepal, instant("2026-01-06T04:49:00+05:45"));
}

#[test]
fn a_resolver_gives_what_each_reading_alone_gives() {
    let zones = [
        America::Los_Angeles,
        Europe::Berlin,
        Australia::Lord_Howe,
        Pacific::Apia,
        Asia::Kathmandu,
    ];
    let days = [
        "2026-03-08",
        "2026-03-29",
        "2026-10-04",
        "2026-10-25",
        "2026-11-01",
        "2011-12-29",
        "2011-12-30",
    ];
    for zone in zones {
        let mut resolver = Resolver::new(zone);
        for (day, minutes) in
            days.iter().flat_map(|day| (0..1440).step_by(5).map(move |minute| (day, minute)))
        {
            let civil = civil(&format!("{day} {:02}:{:02}:07.5", minutes / 60, minutes % 60));
            let near = civil.resolve(zone, YEAR, None);
            for near in [None, near] {
                assert_eq!(
                    resolver.resolve(civil, YEAR, near),
                    civil.resolve(zone, YEAR, near),
                    "{civil:?}"
                );
            }
        }
    }
}

/// The instants of a file's lines, as a reader with two passes gets them.
fn dated(lines: &[&str], modified: &str) -> Vec<String> {
    let mut survey = YearSurvey::default();
    lines.iter().for_each(|line| survey.see(civil(line)));
    let mut tracker = YearTracker::new(survey.starting_year(instant(modified), ZONE));
    let date = |line: &&str| {
        let civil = civil(line);
        let at = civil.resolve(ZONE, tracker.year_of(civil), None).unwrap();
        at.to_utc().with_timezone(&ZONE).format("%F %T").to_string()
    };
    lines.iter().map(date).collect()
}

#[test]
fn a_file_across_new_year_has_two_years() {
    let lines =
        ["Dec 30 10:00:00 a", "Dec 31 23:59:59 a", "Jan  1 00:00:00 a", "Jan  2 10:00:00 a"];
    let expected = [
        "2025-12-30 10:00:00",
        "2025-12-31 23:59:59",
        "2026-01-01 00:00:00",
        "2026-01-02 10:00:00",
    ];
    assert_eq!(dated(&lines, "2026-01-02T10:00:05-08:00"), expected);
    assert_eq!(dated(&lines, "2026-05-06T00:00:00Z"), expected);
}

#[test]
fn a_file_that_was_rotated_in_december_is_of_last_year() {
    let lines = ["Dec 30 10:00:00 a", "Dec 31 23:59:59 a"];
    let expected = ["2025-12-30 10:00:00", "2025-12-31 23:59:59"];
    assert_eq!(dated(&lines, "2026-01-01T00:00:01-08:00"), expected);
    assert_eq!(dated(&lines, "2025-12-31T23:59:59-08:00"), expected);
}

#[test]
fn a_clock_that_is_hours_ahead_of_the_files_stays_in_its_year() {
    assert_eq!(dated(&["Jan  1 05:00:00 a"], "2025-12-31T21:00:00-08:00"), ["2026-01-01 05:00:00"]);
    assert_eq!(dated(&["Jan  3 05:00:00 a"], "2025-12-31T21:00:00-08:00"), ["2025-01-03 05:00:00"]);
}

#[test]
fn disorder_around_midnight_of_new_year_is_no_further_year() {
    let lines =
        ["Dec 31 23:59:59 a", "Jan  1 00:00:00 a", "Dec 31 23:59:59 b", "Jan  1 00:00:01 a"];
    let expected = [
        "2025-12-31 23:59:59",
        "2026-01-01 00:00:00",
        "2025-12-31 23:59:59",
        "2026-01-01 00:00:01",
    ];
    assert_eq!(dated(&lines, "2026-01-01T12:00:00-08:00"), expected);
}

#[test]
fn a_file_of_several_years_counts_each_new_year() {
    let lines = [
        "Mar  1 00:00:00 a",
        "Nov  1 00:00:00 a",
        "Feb  1 00:00:00 a",
        "Dec  1 00:00:00 a",
        "Jan  5 00:00:00 a",
    ];
    let years: Vec<_> =
        dated(&lines, "2026-06-01T00:00:00Z").iter().map(|line| line[..4].to_owned()).collect();
    assert_eq!(years, ["2024", "2024", "2025", "2025", "2026"]);
}

#[test]
fn a_leap_day_puts_the_file_in_a_leap_year() {
    let lines = ["Feb 28 10:00:00 a", "Feb 29 10:00:00 a", "Mar  1 10:00:00 a"];
    assert_eq!(dated(&lines, "2026-05-06T00:00:00Z")[1], "2024-02-29 10:00:00");
    let lines = ["Feb 29 10:00:00 a", "Dec 31 10:00:00 a", "Jan  1 10:00:00 a"];
    assert_eq!(dated(&lines, "2026-05-06T00:00:00Z")[2], "2025-01-01 10:00:00");
    assert_eq!(dated(&["Feb 29 10:00:00 a"], "2100-05-06T00:00:00Z"), ["2096-02-29 10:00:00"]);
}

#[test]
fn one_line_that_names_its_year_decides_for_the_file() {
    let lines = [
        "Dec 31 10:00:00 lb haproxy[1]: Proxy started",
        "Jan  1 10:00:00 lb haproxy[1]: 10.0.0.1:1 [01/Jan/2020:10:00:00.001] f b/s 0/0/0/0/0 503",
        "Jan  2 10:00:00 lb haproxy[1]: Proxy stopped",
    ];
    let expected = ["2019-12-31 10:00:00", "2020-01-01 10:00:00", "2020-01-02 10:00:00"];
    assert_eq!(dated(&lines, "2026-05-06T00:00:00Z"), expected);
}

/// chrono's format of each layout, the precision that it keeps in microseconds, and the layout.
const FORMATS: &[(&str, i64, Layout)] = &[
    ("%Y-%m-%dT%H:%M:%S%.6f", 1, Layout::Iso),
    ("%Y-%m-%d %H:%M:%S,%3f INFO x", 1_000, Layout::Iso),
    ("[%Y-%m-%d %H:%M:%S] x", 1_000_000, Layout::Iso),
    ("%Y/%m/%d %H:%M:%S [error] x", 1_000_000, Layout::Iso),
    ("%Y%m%dT%H%M%S x", 1_000_000, Layout::Compact),
    ("%y%m%d %H:%M:%S x", 1_000_000, Layout::TwoDigitYear),
    ("%y/%m/%d %H:%M:%S INFO x", 1_000_000, Layout::TwoDigitYearSlashed),
    ("10.0.0.1 - - [%d/%b/%Y:%H:%M:%S] \"GET / HTTP/1.1\" 200 1", 1_000_000, Layout::Clf),
    ("%d-%b-%Y %H:%M:%S%.3f INFO x", 1_000, Layout::DayFirst),
    ("1234:M %d %b %Y %H:%M:%S%.3f * x", 1_000, Layout::DayFirst),
    ("%d.%m.%Y %H:%M:%S x", 1_000_000, Layout::Dotted),
    ("%m/%d/%Y %I:%M:%S %p x", 1_000_000, Layout::Slashed),
    ("%b %d, %Y %I:%M:%S %p org.x run", 1_000_000, Layout::MonthFirst),
    ("[%a %b %d %H:%M:%S%.6f %Y] [error] x", 1, Layout::Ctime),
    ("%a %b %e %H:%M:%S %Y x", 1_000_000, Layout::Ctime),
    ("%a, %d %b %Y %H:%M:%S x", 1_000_000, Layout::Rfc5322),
    ("%a %Y-%m-%d %H:%M:%S web x", 1_000_000, Layout::WeekdayIso),
    ("I%Y%m%d %H:%M:%S%.6f 1 x.go:1] x", 1, Layout::Klog),
    ("time=\"%Y-%m-%dT%H:%M:%S\" level=info", 1_000_000, Layout::Iso),
    // These leave out the year.
    ("%b %e %H:%M:%S web app[1]: x", 1_000_000, Layout::Syslog),
    ("<13>%b %d %H:%M:%S%.6f web app[1]: x", 1, Layout::Syslog),
    ("E%m%d %H:%M:%S%.6f    1 x.go:1] x", 1, Layout::Klog),
    ("INFO %m-%d %H:%M:%S x.py:1] x", 1_000_000, Layout::MonthDay),
];

proptest! {
    #[test]
    fn a_time_is_found_again_in_every_layout(
        micros in 946_684_800_000_000_i64..4_102_444_800_000_000,
    ) {
        let naive: NaiveDateTime = DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
        let year = naive.format("%Y").to_string().parse().unwrap();
        for (format, precision, layout) in FORMATS {
            let line = naive.format(format).to_string();
            let found = find(line.as_bytes());
            prop_assert!(found.is_some(), "{}", line);
            let found = found.unwrap();
            prop_assert_eq!(found.layout, *layout);
            let Stamp::Civil(civil) = found.stamp else { panic!("{line}") };
            let at = civil.resolve(Tz::UTC, year, None).unwrap();
            prop_assert_eq!(at.micros(), micros - micros % precision, "{}", line);
        }
    }

    #[test]
    fn an_instant_is_found_again_whatever_its_offset(
        seconds in 946_684_800_i64..4_102_358_400 - 14 * 3600,
        quarters in -48_i32..=56,
    ) {
        let offset = chrono::FixedOffset::east_opt(quarters * 900).unwrap();
        let at = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&offset);
        let formats = [
            "%Y-%m-%dT%H:%M:%S%:z x",
            "%Y-%m-%d %H:%M:%S %z x",
            "a - - [%d/%b/%Y:%H:%M:%S %z] x",
            "%s x",
        ];
        let expected = Timestamp::from_micros(seconds * 1_000_000).map(Stamp::Instant);
        for format in formats {
            let line = at.format(format).to_string();
            // Ten digits of seconds begin in September 2001.
            if format == "%s x" && seconds < 1_000_000_000 {
                continue;
            }
            let found = find(line.as_bytes()).map(|found| found.stamp);
            prop_assert_eq!(found, expected, "{}", line);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..400)) {
        let hint = find(b"[2026-05-06 04:49:00] x").unwrap();
        prop_assert_eq!(find_like(&line, &hint), find(&line));
        parse_value(&line);
    }

    #[test]
    fn a_damaged_line_is_read_the_same_with_and_without_a_hint(
        row in 0_usize..350,
        at in 0_usize..60,
        byte in proptest::sample::select(&b"0159 -:/.,[]<TZIM\x1b\xff"[..]),
    ) {
        let (_, line, _) = rows().swap_remove(row);
        let hint = find(line.as_bytes());
        let mut line = line.into_bytes();
        if let Some(there) = line.get_mut(at) {
            *there = byte;
        }
        let found = find(&line);
        if let Some(found) = &found {
            prop_assert!(found.range.end <= line.len() && found.range.start < found.range.end);
        }
        if let Some(hint) = hint {
            prop_assert_eq!(find_like(&line, &hint), found);
        }
    }
}

//! Buckets and what is known about them, notes, and the rows that buckets fold into.
#![allow(clippy::unwrap_used)]

mod outage;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use ebbline::rules::RuleSet;
use ebbline::tally::{Counts, Tally};
use ebbline::time::{Span, Timestamp};
use ebbline::timeline::calendar::in_zone;
use ebbline::timeline::fold::{CountRange, Folding, Row, RowCounts, rows};
use ebbline::timeline::label::Labels;
use ebbline::timeline::{By, Class, Coverage, Note, Question, Timeline, TimelineError};
use outage::{Log, at, outage, parse_notes};
use proptest::prelude::*;

/// The coverage of each day.
fn coverage(log: &Log, since: Option<&str>, until: Option<&str>) -> Vec<Coverage> {
    let span = Span { since: since.map(at), until: until.map(at) };
    let timeline = log.timeline(By::Day, Tz::UTC, span, Vec::new());
    timeline.buckets.iter().map(|bucket| bucket.coverage).collect()
}

#[test]
fn a_bucket_is_partial_where_it_reaches_beyond_what_was_read() {
    use Coverage::{Full, Partial};
    let mut log = Log::default();
    for day in ["2026-05-01T10:00:00Z", "2026-05-02T10:00:00Z", "2026-05-03T10:00:00Z"] {
        log.add(at(day), 1, 0, 0);
    }
    assert_eq!(coverage(&log, None, None), [Partial, Full, Partial]);
    let (first, last) = ("2026-05-01T00:00:00Z", "2026-05-04T00:00:00Z");
    assert_eq!(coverage(&log, Some(first), Some(last)), [Full, Full, Full]);
    let (first, last) = ("2026-05-01T05:00:00Z", "2026-05-03T11:00:00Z");
    assert_eq!(coverage(&log, Some(first), Some(last)), [Partial, Full, Partial]);
}

#[test]
fn a_bucket_without_an_entry_has_no_coverage_even_where_it_was_asked_for() {
    use Coverage::{None as Nothing, Partial};
    let mut log = Log::default();
    log.add(at("2026-05-02T10:00:00Z"), 1, 0, 0);
    log.add(at("2026-05-04T10:00:00Z"), 1, 0, 0);
    let asked = coverage(&log, Some("2026-05-01T00:00:00Z"), Some("2026-05-06T00:00:00Z"));
    assert_eq!(asked, [Nothing, Partial, Nothing, Partial, Nothing]);
    let nothing = Log::default();
    assert_eq!(coverage(&nothing, None, None), []);
    assert_eq!(
        coverage(&nothing, Some("2026-05-01T00:00:00Z"), Some("2026-05-03T00:00:00Z")),
        [Nothing, Nothing]
    );
}

#[test]
fn too_many_buckets_are_an_error_that_says_what_to_do() {
    let mut log = Log::default();
    log.add(at("1970-01-01T00:00:01Z"), 1, 0, 0);
    log.add(at("2026-05-04T10:00:00Z"), 1, 0, 0);
    let question = Question {
        by: By::Minute,
        zone: Tz::UTC,
        span: Span::default(),
        classes: Vec::new(),
        notes: Vec::new(),
        changes: Vec::new(),
    };
    let error = Timeline::new(&log.tally, log.first, log.last, question).unwrap_err();
    assert_eq!(
        error.to_string(),
        "from 1970-01-01T00:00:01+00:00 until 2026-05-04T10:00:00.000001+00:00 there are more \
         than 1100000 minutes\nChoose a coarser --by, or limit the span with --since and --until."
    );
}

#[test]
fn an_unknown_class_is_an_error_that_names_the_known_ones() {
    let rules = RuleSet::empty();
    let chosen = Class::select(&rules, &["http_503".to_owned(), "http_503".to_owned()]).unwrap();
    assert_eq!(chosen.len(), 1);
    let error = Class::select(&rules, &["http_530".to_owned()]).unwrap_err();
    assert!(matches!(error, TimelineError::UnknownClass { .. }));
    assert_eq!(
        error.to_string(),
        "no rule has the class `http_530`\n\
         The classes are: pool_timeout, http_503, upstream_503."
    );
}

#[test]
fn undated_entries_count_in_the_totals_and_in_no_bucket() {
    let mut log = outage();
    let class = RuleSet::empty().class_index("pool_timeout").unwrap();
    let undated = log.tally.at(None);
    undated.entries += 5;
    undated.add_events(class, 2);
    let timeline = log.timeline(By::Day, Tz::UTC, Span::default(), Vec::new());
    assert_eq!((timeline.undated.entries, timeline.undated.of(class)), (5, 2));
    assert_eq!((timeline.totals.entries, timeline.totals.of(class)), (60_125, 3749));
}

/// The rows of a table as text: label, counts, notes.
fn lines(timeline: &Timeline, folding: Folding) -> Vec<String> {
    let classes: Vec<&Class> = timeline.classes.iter().take(2).collect();
    let labels = Labels::new(timeline);
    let line = |row: &Row| {
        let counts = match &row.counts {
            RowCounts::NoData => "no data".to_owned(),
            RowCounts::Seen(ranges) => {
                let range = |range: &CountRange| {
                    format!("{}-{}{}", range.min, range.max, if range.loud { "!" } else { "" })
                };
                ranges.iter().map(range).collect::<Vec<_>>().join(" ")
            }
        };
        let notes: String =
            row.notes.iter().map(|note| format!(" {}", timeline.notes[*note].note.text)).collect();
        format!("{}: {counts}{notes}", labels.label(&row.buckets))
    };
    rows(timeline, &classes, folding).iter().map(line).collect()
}

/// A log with one batch of entries a day at noon UTC, from a first day on; `None`: no entry.
fn daily(first: &str, timeouts: &[Option<u64>]) -> Log {
    let first: NaiveDate = first.parse().unwrap();
    let mut log = Log::default();
    for (date, timeouts) in first.iter_days().zip(timeouts) {
        if let Some(timeouts) = timeouts {
            log.add(at(&format!("{date}T12:00:00Z")), 100, *timeouts, 0);
        }
    }
    log
}

fn daily_lines(first: &str, timeouts: &[Option<u64>], notes: &str) -> Vec<String> {
    let log = daily(first, timeouts);
    let notes = parse_notes(notes, Tz::UTC);
    lines(&log.timeline(By::Day, Tz::UTC, Span::default(), notes), Folding::QuietRuns)
}

#[test]
fn the_outage_folds_into_the_rows_of_the_post_mortem() {
    let zone = Tz::America__Los_Angeles;
    let notes = parse_notes(outage::NOTES, zone);
    let timeline = outage().timeline(By::Day, zone, Span::default(), notes);
    assert_eq!(
        lines(&timeline, Folding::QuietRuns),
        [
            "Apr 19: 0-0 0-0 pre-replica baseline",
            "Apr 20: 2459-2459! 565-565! replica systemd unit added 19:19 PDT (commit 03f91a907); \
             broke immediately",
            "Apr 21: 148-148! 294-294! winding down; replica started succeeding",
            "Apr 22–24: 1-5 1-1 quiet, replica online",
            "Apr 25–May 4: 0-0 0-7 stable, no incidents",
            "May 5: 11-11! 9-9 replica started failing",
            "May 6: 1120-1120! 1119-1119! full outage (~13h, 04:49–17:14 PDT)",
        ]
    );
    assert_eq!(lines(&timeline, Folding::None).len(), 18);
}

#[test]
fn without_notes_quiet_days_fold_across_the_borders_that_notes_would_draw() {
    let zone = Tz::America__Los_Angeles;
    let timeline = outage().timeline(By::Day, zone, Span::default(), Vec::new());
    let labels: Vec<_> = lines(&timeline, Folding::QuietRuns);
    assert_eq!(labels[0], "Apr 19: 0-0 0-0");
    assert_eq!(labels[3], "Apr 22–May 4: 0-5 0-7");
    assert_eq!(labels.len(), 6);
}

#[test]
fn days_without_an_entry_are_a_row_of_their_own() {
    let days = [Some(0), Some(2), None, None, None, Some(1), None, Some(50)];
    assert_eq!(
        daily_lines("2025-12-29", &days, ""),
        [
            "2025 Dec 29–30: 0-2 0-0",
            "2025 Dec 31–2026 Jan 2: no data",
            "2026 Jan 3: 1-1 0-0",
            "2026 Jan 4: no data",
            "2026 Jan 5: 50-50! 0-0",
        ]
    );
}

#[test]
fn a_day_with_a_note_of_its_own_is_not_folded() {
    let notes = "[[note]]\nat = 2026-05-03T10:00:00Z\ntext = 'deploy'\n\
                 [[note]]\nday = 2026-05-05\ntext = 'disk swapped'\n";
    let days = [Some(1), Some(2), Some(3), Some(4), None, None];
    let mut log = daily("2026-05-01", &days);
    log.add(at("2026-05-07T00:00:00Z"), 1, 0, 0);
    let timeline = log.timeline(By::Day, Tz::UTC, Span::default(), parse_notes(notes, Tz::UTC));
    assert_eq!(
        lines(&timeline, Folding::QuietRuns),
        [
            "May 1–2: 1-2 0-0",
            "May 3: 3-3 0-0 deploy",
            "May 4: 4-4 0-0",
            "May 5: no data disk swapped",
            "May 6: no data",
            "May 7: 0-0 0-0",
        ]
    );
}

#[test]
fn a_note_over_loud_days_stands_on_the_first_and_folds_none_of_them() {
    let notes = "[[note]]\nfrom = 2026-05-02\nto = 2026-05-05\ntext = 'failover drill'\n\
                 [[note]]\nday = 2026-06-01\ntext = 'later'\n";
    let days = [Some(0), Some(90), Some(0), Some(1), Some(80), Some(0), Some(0)];
    assert_eq!(
        daily_lines("2026-05-01", &days, notes),
        [
            "May 1: 0-0 0-0",
            "May 2: 90-90! 0-0 failover drill",
            "May 3–4: 0-1 0-0",
            "May 5: 80-80! 0-0",
            "May 6–7: 0-0 0-0",
        ]
    );
}

#[test]
fn a_steady_trickle_is_quiet_and_a_few_days_of_outage_are_not() {
    let steady: Vec<_> = [40, 50, 60, 55, 45, 50, 140].map(Some).to_vec();
    assert_eq!(
        daily_lines("2026-05-01", &steady, ""),
        ["May 1–6: 40-60 0-0", "May 7: 140-140! 0-0"]
    );
    let deploy: Vec<_> = [40, 50, 60, 45, 4, 15, 45, 50, 40, 50, 60, 45].map(Some).to_vec();
    assert_eq!(
        daily_lines("2026-05-01", &deploy, ""),
        ["May 1–4: 40-60 0-0", "May 5: 4-4 0-0", "May 6: 15-15 0-0", "May 7–12: 40-60 0-0"]
    );
    let mostly_outage: Vec<_> = [0, 0, 1, 0, 90, 80, 85, 90, 95, 80, 85].map(Some).to_vec();
    assert_eq!(daily_lines("2026-05-01", &mostly_outage, "").len(), 8);
    let outage: Vec<_> = [400, 500, 450].map(Some).to_vec();
    assert_eq!(daily_lines("2026-05-01", &outage, "").len(), 3);
}

#[test]
fn hours_are_labelled_with_what_they_include_and_told_apart_when_repeated() {
    let zone = Tz::America__Los_Angeles;
    let mut log = Log::default();
    for (time, timeouts) in [
        ("2026-11-01T00:10:00-07:00", 9),
        ("2026-11-01T01:10:00-07:00", 8),
        ("2026-11-01T01:10:00-08:00", 7),
        ("2026-11-01T02:10:00-08:00", 0),
        ("2026-11-01T03:10:00-08:00", 1),
        ("2026-11-01T23:10:00-08:00", 0),
        ("2026-11-02T00:10:00-08:00", 0),
    ] {
        log.add(at(time), 5, timeouts, 0);
    }
    let timeline = log.timeline(By::Hour, zone, Span::default(), Vec::new());
    assert_eq!(
        lines(&timeline, Folding::QuietRuns),
        [
            "Nov 1 00:00: 9-9! 0-0",
            "Nov 1 01:00 PDT: 8-8! 0-0",
            "Nov 1 01:00 PST: 7-7! 0-0",
            "Nov 1 02:00–03:59: 0-1 0-0",
            "Nov 1 04:00–22:59: no data",
            "Nov 1 23:00–Nov 2 00:59: 0-0 0-0",
        ]
    );
}

#[test]
fn a_note_about_a_day_cuts_hours_at_midnight() {
    let mut log = Log::default();
    for hour in 0..48 {
        let day = 1 + hour / 24;
        log.add(at(&format!("2026-05-{day:02}T{:02}:30:00Z", hour % 24)), 5, 0, 0);
    }
    let notes = parse_notes("[[note]]\nday = 2026-05-02\ntext = 'calm'\n", Tz::UTC);
    let timeline = log.timeline(By::Hour, Tz::UTC, Span::default(), notes);
    assert_eq!(
        lines(&timeline, Folding::QuietRuns),
        ["May 1 00:00–23:59: 0-0 0-0", "May 2 00:00–23:59: 0-0 0-0 calm"]
    );
    assert_eq!(timeline.notes_of(23).count(), 0);
    assert_eq!(timeline.notes_of(24).count(), 1);
    assert_eq!(timeline.notes_of(47).count(), 1);
}

/// Zones in which midnight passes once a day at most, so that a date is a run of instants.
const PLAIN_ZONES: [Tz; 9] = [
    Tz::UTC,
    Tz::America__Los_Angeles,
    Tz::Europe__Berlin,
    Tz::Asia__Kathmandu,
    Tz::Pacific__Chatham,
    Tz::America__Sao_Paulo,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Apia,
    Tz::Asia__Beirut,
];

/// Days around which clocks change in one zone or another.
const STARTS: [&str; 8] = [
    "2026-03-06T17:00:00Z",
    "2026-03-27T17:00:00Z",
    "2026-04-03T00:00:00Z",
    "2026-10-23T00:00:00Z",
    "2026-10-30T12:00:00Z",
    "2011-12-28T00:00:00Z",
    "2018-02-16T00:00:00Z",
    "2018-11-03T00:00:00Z",
];

prop_compose! {
    /// A few days of log, with minutes that hold entries and failures.
    fn any_log()(
        start in prop::sample::select(&STARTS[..]),
        minutes in prop::collection::vec((0i64..5 * 24 * 60, 1u64..50, 0u64..20, 0u64..20), 1..120),
    ) -> Log {
        let start = at(start).micros();
        let mut log = Log::default();
        for (minute, entries, timeouts, responses) in minutes {
            let instant = Timestamp::from_micros(start + minute * 60_000_000 + 1).unwrap();
            log.add(instant, entries, timeouts, responses);
        }
        log
    }
}

prop_compose! {
    fn any_notes()(
        extents in prop::collection::vec((0usize..8, -2000i64..9000, 1i64..6000), 0..6),
    ) -> Vec<Note> {
        let note = |(start, offset, length): (usize, i64, i64)| {
            let start = at(STARTS[start]).micros() + offset * 60_000_000;
            let instant = |micros| Timestamp::from_micros(micros).unwrap();
            let end = instant(start + length * 60_000_000);
            Note { start: instant(start), end, text: "note".to_owned() }
        };
        extents.into_iter().map(note).collect()
    }
}

fn sums(timeline: &Timeline) -> [u64; 3] {
    let sum = |value: &dyn Fn(&Counts) -> u64| {
        timeline.buckets.iter().map(|bucket| value(&bucket.counts)).sum()
    };
    let class = |position: usize| timeline.classes[position].index;
    [
        sum(&|counts| counts.entries),
        sum(&|counts| counts.of(class(0))),
        sum(&|counts| counts.of(class(1))),
    ]
}

fn tally_sums(tally: &Tally) -> [u64; 3] {
    let rules = RuleSet::empty();
    let class = |name| rules.class_index(name).unwrap();
    let total = tally.total();
    [total.entries, total.of(class("pool_timeout")), total.of(class("http_503"))]
}

proptest! {
    #[test]
    fn buckets_add_up_to_the_tally_and_finer_ones_to_coarser_ones(
        log in any_log(),
        zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ) {
        let by = |by| log.timeline(by, zone, Span::default(), Vec::new());
        let [minutes, hours, days] = [By::Minute, By::Hour, By::Day].map(by);
        let expected = tally_sums(&log.tally);
        for (fine, coarse) in [(&minutes, &hours), (&hours, &days)] {
            prop_assert_eq!(sums(fine), expected);
            prop_assert_eq!(sums(coarse), expected);
            for bucket in &coarse.buckets {
                let inside = fine.buckets.iter().filter(|fine| {
                    fine.start >= bucket.start && fine.end <= bucket.end
                });
                let entries: u64 = inside.map(|fine| fine.counts.entries).sum();
                prop_assert_eq!(entries, bucket.counts.entries);
            }
            for pair in coarse.buckets.windows(2) {
                prop_assert!(pair[0].start < pair[0].end);
                prop_assert_eq!(pair[0].end, pair[1].start);
            }
        }
    }

    #[test]
    fn days_are_the_dates_on_the_clocks_of_the_zone(
        log in any_log(),
        zone in prop::sample::select(&PLAIN_ZONES[..]),
    ) {
        let mut expected: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for (minute, counts) in log.tally.minutes.iter() {
            *expected.entry(in_zone(minute.start(), zone).date_naive()).or_default() += counts.entries;
        }
        let timeline = log.timeline(By::Day, zone, Span::default(), Vec::new());
        let seen = timeline.buckets.iter().filter(|bucket| bucket.coverage != Coverage::None);
        let seen: BTreeMap<NaiveDate, u64> = seen
            .map(|bucket| (in_zone(bucket.start, zone).date_naive(), bucket.counts.entries))
            .collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn rows_hold_every_bucket_once_and_in_order(
        log in any_log(),
        notes in any_notes(),
        by in prop::sample::select(&[By::Hour, By::Day][..]),
    ) {
        let timeline = log.timeline(by, Tz::Europe__Berlin, Span::default(), notes);
        let classes: Vec<&Class> = timeline.classes.iter().collect();
        let rows = rows(&timeline, &classes, Folding::QuietRuns);
        let positions: Vec<usize> = rows.iter().flat_map(|row| row.buckets.clone()).collect();
        prop_assert_eq!(positions, (0..timeline.buckets.len()).collect::<Vec<_>>());
        for row in &rows {
            let buckets = &timeline.buckets[row.buckets.clone()];
            let without_entry = buckets.iter().filter(|bucket| bucket.counts.entries == 0).count();
            let RowCounts::Seen(ranges) = &row.counts else {
                prop_assert_eq!(without_entry, buckets.len());
                continue;
            };
            prop_assert_eq!(without_entry, 0);
            let counts = buckets.iter().map(|bucket| bucket.counts.of(classes[0].index));
            prop_assert_eq!(Some(ranges[0].min), counts.clone().min());
            prop_assert_eq!(Some(ranges[0].max), counts.max());
        }
        let mut placed: Vec<usize> = rows.iter().flat_map(|row| row.notes.clone()).collect();
        placed.sort_unstable();
        prop_assert_eq!(placed.len(), timeline.notes.len() - timeline.notes_outside());
        placed.dedup();
        prop_assert_eq!(placed.len(), timeline.notes.len() - timeline.notes_outside());
    }
}

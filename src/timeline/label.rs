//! Row labels: the days, hours or minutes of a row, as a reader of a post-mortem writes them.
//!
//! `Apr 19`, `Apr 22–24`, `Apr 25–May 4`; `May 6 04:00`, and for a run of hours or minutes the
//! first and the last minute that it includes: `May 6 04:00–08:59`. The year is written where the
//! timeline has more than one: `2025 Dec 30–2026 Jan 2`. A time that clocks show twice, when they
//! are put back, has its zone's abbreviation: `Nov 1 01:00 PDT`, `Nov 1 01:00 PST`.

use std::ops::Range;

use chrono::{DateTime, Datelike, TimeZone};
use chrono_tz::{OffsetName, Tz};

use super::{Grain, Timeline, calendar};
use crate::time::Timestamp;

/// Writes the labels of one timeline's rows.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'t> {
    timeline: &'t Timeline,
    years: bool,
}

impl<'t> Labels<'t> {
    /// The labels for rows of `timeline`.
    pub fn new(timeline: &'t Timeline) -> Self {
        let first = timeline.buckets.first().map(|bucket| bucket.start);
        let last = timeline.buckets.last().map(|bucket| last_instant(bucket.end));
        let year = |at: Timestamp| calendar::in_zone(at, timeline.zone).year();
        Self { timeline, years: first.map(year) != last.map(year) }
    }

    /// The heading of the labels' column.
    pub fn heading(&self) -> &'static str {
        match self.timeline.grain {
            Grain::Minute => "Minute",
            Grain::Hour => "Hour",
            Grain::Day => "Day",
        }
    }

    /// The label of the row that stands for these buckets; empty where there are none.
    pub fn label(&self, buckets: &Range<usize>) -> String {
        let run = self.timeline.buckets.get(buckets.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return String::new() };
        let start = calendar::in_zone(first.start, self.timeline.zone);
        let end = calendar::in_zone(last_instant(last.end), self.timeline.zone);
        if self.timeline.grain == Grain::Day {
            return self.days(&start, &end);
        }
        let label = format!("{} {}", self.date(&start), clock(&start, MINUTES));
        if run.len() == 1 {
            label
        } else if start.date_naive() == end.date_naive() {
            format!("{label}–{}", clock(&end, MINUTES))
        } else {
            format!("{label}–{} {}", self.date(&end), clock(&end, MINUTES))
        }
    }

    fn days(&self, start: &DateTime<Tz>, end: &DateTime<Tz>) -> String {
        let label = self.date(start);
        if start.date_naive() == end.date_naive() {
            label
        } else if (start.year(), start.month()) == (end.year(), end.month()) {
            format!("{label}–{}", end.day())
        } else if start.year() == end.year() {
            format!("{label}–{}", end.format("%b %-d"))
        } else {
            format!("{label}–{}", self.date(end))
        }
    }

    fn date(&self, at: &DateTime<Tz>) -> String {
        at.format(if self.years { "%Y %b %-d" } else { "%b %-d" }).to_string()
    }
}

const MINUTES: &str = "%H:%M";

/// The time of the day in this format, told apart where clocks show it twice.
pub fn clock(at: &DateTime<Tz>, format: &str) -> String {
    let time = at.format(format);
    let shown_twice = matches!(
        at.timezone().from_local_datetime(&at.naive_local()),
        chrono::LocalResult::Ambiguous(..)
    );
    match at.offset().abbreviation().filter(|_| shown_twice) {
        Some(abbreviation) => format!("{time} {abbreviation}"),
        None => time.to_string(),
    }
}

fn last_instant(end: Timestamp) -> Timestamp {
    Timestamp::from_micros(end.micros() - 1).unwrap_or(Timestamp::MIN)
}

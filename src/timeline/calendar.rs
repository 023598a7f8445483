//! The calendar: minutes, hours and days as a zone's clocks show them, in instants.
//!
//! A bucket is a run of instants without a gap, and buckets follow one another without one, so
//! every instant lies in exactly one bucket of each grain. Clocks are put forward and back:
//!
//! - a **day** lasts from one midnight to the next, be that 23, 24 or 25 hours. Where midnight
//!   does not exist the day starts with its first instant; where clocks are put back over midnight
//!   it starts when midnight passes for the last time; a day that a zone left out has no bucket.
//! - an **hour** or a **minute** ends where its clock hour or minute ends, or where the offset
//!   changes. So an hour that comes twice makes two buckets, one that is left out makes none, and
//!   a change by half an hour makes shorter ones.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

use crate::time::Timestamp;

const MINUTE_MICROS: i64 = 60_000_000;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// The length of a bucket, on the clocks of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// A minute.
    Minute,
    /// An hour, as the clock counts it.
    Hour,
    /// A calendar day.
    Day,
}

impl Grain {
    /// The name in options and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The usual length, in microseconds.
    fn usual_micros(self) -> i64 {
        match self {
            Self::Minute => MINUTE_MICROS,
            Self::Hour => HOUR_MICROS,
            Self::Day => DAY_MICROS,
        }
    }
}

/// The value of `--by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// A bucket a day.
    #[default]
    Day,
    /// A bucket an hour.
    Hour,
    /// A bucket a minute.
    Minute,
    /// The finest grain that needs at most [`By::AUTO_BUCKETS`] buckets; days for what is longer.
    Auto,
}

impl By {
    /// All values, in the order in which help lists them.
    pub const ALL: [Self; 4] = [Self::Day, Self::Hour, Self::Minute, Self::Auto];

    /// [`By::Auto`] takes no more buckets than this as long as a coarser grain exists: minutes up
    /// to an hour and some, hours up to three days (a weekend).
    pub const AUTO_BUCKETS: i64 = 72;

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Auto => "auto",
        }
    }

    /// The grain for a timeline without any instant.
    pub(super) fn grain_of_nothing(self) -> Grain {
        self.grain(Timestamp::MIN, Timestamp::END)
    }

    /// The grain for a timeline from `from` until before `to`.
    pub fn grain(self, from: Timestamp, to: Timestamp) -> Grain {
        let micros = to.micros().saturating_sub(from.micros());
        let fits = |grain: Grain| micros <= grain.usual_micros() * Self::AUTO_BUCKETS;
        match self {
            Self::Day => Grain::Day,
            Self::Hour => Grain::Hour,
            Self::Minute => Grain::Minute,
            Self::Auto if fits(Grain::Minute) => Grain::Minute,
            Self::Auto if fits(Grain::Hour) => Grain::Hour,
            Self::Auto => Grain::Day,
        }
    }
}

/// Every bucket from the one that holds `from` to the one that holds the last instant before
/// `to`, as pairs of the first instant inside and the first instant after.
///
/// None where `to` is not after `from`. Borders that no [`Timestamp`] can express, before 1970
/// and after 9999, are moved to the nearest that one can.
pub fn buckets(grain: Grain, zone: Tz, from: Timestamp, to: Timestamp) -> Buckets {
    Buckets { grain, zone, next: start_micros(grain, zone, from.micros()), to: to.micros() }
}

/// The iterator of [`buckets`].
#[derive(Debug, Clone)]
pub struct Buckets {
    grain: Grain,
    zone: Tz,
    next: i64,
    to: i64,
}

impl Iterator for Buckets {
    type Item = (Timestamp, Timestamp);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next;
        if start >= self.to {
            return None;
        }
        let end = end_micros(self.grain, self.zone, start);
        self.next = end;
        Some((clamp(start), clamp(end)))
    }
}

/// The first instant of a calendar day, or the first instant after a day that the zone left out.
pub fn start_of_day(zone: Tz, date: NaiveDate) -> Timestamp {
    clamp(day_start_micros(zone, date))
}

/// The instants at which a zone's clocks show `local`: the earliest one where they show it twice,
/// the end of the gap where they never do.
pub fn at_local(zone: Tz, local: NaiveDateTime) -> Timestamp {
    let micros = match zone.from_local_datetime(&local) {
        chrono::LocalResult::Single(at) => at.timestamp_micros(),
        chrono::LocalResult::Ambiguous(a, b) => a.timestamp_micros().min(b.timestamp_micros()),
        chrono::LocalResult::None => end_of_gap_micros(zone, local),
    };
    clamp(micros)
}

/// An instant on the clocks of a zone.
pub fn in_zone(at: Timestamp, zone: Tz) -> DateTime<Tz> {
    at.to_utc().with_timezone(&zone)
}

/// An instant as RFC 3339 writes it, with the zone's offset and as many digits of a second as it
/// needs.
///
/// RFC 3339 has no offsets with seconds. The few that existed after 1970 (Liberia until 1972) are
/// written in UTC, so that the instant stays exact.
pub fn rfc3339(at: Timestamp, zone: Tz) -> String {
    let local = in_zone(at, zone);
    if local.offset().fix().local_minus_utc() % 60 != 0 {
        return at.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, false);
    }
    local.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The first instant of the bucket that holds the instant `at`.
fn start_micros(grain: Grain, zone: Tz, at: i64) -> i64 {
    if grain == Grain::Day {
        let mut date = local_time(zone, at).date();
        // Clocks that were put back over midnight show tomorrow's date before today ends.
        while day_start_micros(zone, date) > at {
            let Some(earlier) = date.pred_opt() else { return at };
            date = earlier;
        }
        return day_start_micros(zone, date);
    }
    let offset = offset_micros(zone, at);
    let candidate = at - (at + offset).rem_euclid(grain.usual_micros());
    if offset_micros(zone, candidate) == offset {
        return candidate;
    }
    bisect(candidate, at, |instant| offset_micros(zone, instant) == offset)
}

/// The first instant after the bucket that starts at `start`.
fn end_micros(grain: Grain, zone: Tz, start: i64) -> i64 {
    if grain == Grain::Day {
        // A bucket's first instant has the bucket's date; days that were left out are skipped.
        let dates = local_time(zone, start).date().iter_days().skip(1).take(7);
        let next = dates.map(|date| day_start_micros(zone, date)).find(|next| *next > start);
        return next.unwrap_or(start + DAY_MICROS);
    }
    let offset = offset_micros(zone, start);
    let unit = grain.usual_micros();
    let candidate = start + unit - (start + offset).rem_euclid(unit);
    if offset_micros(zone, candidate - 1) == offset {
        return candidate;
    }
    bisect(start, candidate - 1, |instant| offset_micros(zone, instant) != offset)
}

fn day_start_micros(zone: Tz, date: NaiveDate) -> i64 {
    let midnight = date.and_time(NaiveTime::MIN);
    match zone.from_local_datetime(&midnight) {
        chrono::LocalResult::Single(at) => at.timestamp_micros(),
        chrono::LocalResult::Ambiguous(a, b) => {
            let (first, last) = (a.min(b).timestamp_micros(), a.max(b).timestamp_micros());
            let back_in_yesterday = local_time(zone, last - 1).date() < date;
            if back_in_yesterday { last } else { first }
        }
        chrono::LocalResult::None => end_of_gap_micros(zone, midnight),
    }
}

/// The instant at which clocks jump over `local`.
fn end_of_gap_micros(zone: Tz, local: NaiveDateTime) -> i64 {
    // No offset is larger than 15 hours, and the largest jump is one of 24.
    const MARGIN_MICROS: i64 = 40 * HOUR_MICROS;
    let as_utc = local.and_utc().timestamp_micros();
    bisect(as_utc - MARGIN_MICROS, as_utc + MARGIN_MICROS, |at| local_time(zone, at) >= local)
}

/// The first instant after `low`, and not after `high`, for which `holds`, where it holds from
/// some instant on and does hold at `high`.
fn bisect(mut low: i64, mut high: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

fn local_time(zone: Tz, micros: i64) -> NaiveDateTime {
    utc(micros).with_timezone(&zone).naive_local()
}

fn offset_micros(zone: Tz, micros: i64) -> i64 {
    let offset = zone.offset_from_utc_datetime(&utc(micros).naive_utc());
    i64::from(offset.fix().local_minus_utc()) * 1_000_000
}

fn utc(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The nearest instant that exists as a [`Timestamp`].
fn clamp(micros: i64) -> Timestamp {
    let limit = if micros < 0 { Timestamp::MIN } else { Timestamp::END };
    Timestamp::from_micros(micros).unwrap_or(limit)
}

//! Instants and minutes: the two grains of time that the rest of the program counts in.
//!
//! They are types of their own so that a minute is never taken for a second, nor a microsecond
//! for either. Calendars and zones come later, in `timeline`: here everything is UTC.

use chrono::{DateTime, Utc};

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
///
/// Only instants from 1970 to the end of the year 9999 exist: everything that a log says beyond
/// that is a broken clock or a broken file, and every calendar calculation on what remains is
/// defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant after the year 9999.
    const END_MICROS: i64 = 253_402_300_800_000_000;

    /// The first instant that exists.
    pub const MIN: Self = Self(0);

    /// The first instant after the year 9999: where a span that has no later end is over.
    pub const END: Self = Self(Self::END_MICROS);

    /// The instant `micros` after the epoch, or `None` outside the years 1970 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (0..Self::END_MICROS).contains(&micros).then_some(Self(micros))
    }

    /// The same instant from chrono's type, or `None` outside the years 1970 to 9999.
    pub fn from_utc(time: DateTime<Utc>) -> Option<Self> {
        Self::from_micros(time.timestamp_micros())
    }

    /// Microseconds since the epoch.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The minute that this instant falls in.
    pub fn minute(self) -> Minute {
        Minute(self.0 / MICROS_PER_MINUTE)
    }

    /// The same instant as chrono's type.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// One minute of UTC, counted from the epoch: the grain in which tallies are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(i64);

impl Minute {
    /// The first instant of this minute.
    pub fn start(self) -> Timestamp {
        Timestamp(self.0 * MICROS_PER_MINUTE)
    }

    /// The first instant after this minute.
    pub fn end(self) -> Timestamp {
        Timestamp((self.0 + 1) * MICROS_PER_MINUTE)
    }

    /// Whether `at` lies in this minute.
    #[inline]
    pub fn contains(self, at: Timestamp) -> bool {
        let since_start = at.0.wrapping_sub(self.0 * MICROS_PER_MINUTE);
        (0..MICROS_PER_MINUTE).contains(&since_start)
    }

    /// Minutes since the epoch.
    pub fn index(self) -> i64 {
        self.0
    }

    /// So many minutes later, but not after the year 9999.
    pub fn after(self, minutes: u64) -> Self {
        let last = (Timestamp::END_MICROS - 1) / MICROS_PER_MINUTE;
        Self(self.0.saturating_add_unsigned(minutes).min(last))
    }
}

/// A span of time with an inclusive start and an exclusive end, either of which may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first instant inside; `None`: no lower limit.
    pub since: Option<Timestamp>,
    /// The first instant that is no longer inside; `None`: no upper limit.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Whether `at` lies in the span.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    /// Whether the span has neither start nor end.
    pub fn is_unbounded(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_outside_four_digit_years_do_not_exist() {
        assert_eq!(Timestamp::from_micros(-1), None);
        assert_eq!(Timestamp::from_micros(Timestamp::END_MICROS), None);
        assert_eq!(Timestamp::from_micros(i64::MAX), None);
        let last = Timestamp::from_micros(Timestamp::END_MICROS - 1).unwrap();
        assert_eq!(last.to_utc().to_rfc3339(), "9999-12-31T23:59:59.999999+00:00");
    }

    #[test]
    fn a_minute_holds_its_start_and_not_its_end() {
        let at = Timestamp::from_micros(59_999_999).unwrap();
        assert_eq!(at.minute().start().micros(), 0);
        assert_eq!(at.minute().end().minute().index(), 1);
    }

    #[test]
    fn a_span_includes_since_and_excludes_until() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let span = Span { since: Some(at(10)), until: Some(at(20)) };
        assert!(!span.contains(at(9)) && span.contains(at(10)));
        assert!(span.contains(at(19)) && !span.contains(at(20)));
    }
}

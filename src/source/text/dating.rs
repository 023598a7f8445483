//! From a line to an instant: finds the line's timestamp and gives wall clocks their zone and
//! their year.

use std::io::Read;

use chrono::Datelike;
use chrono_tz::Tz;

use super::stamp::{self, Civil, Found, Stamp, YearSurvey, YearTracker};
use super::window::{Lines, Window};
use crate::time::Timestamp;

/// When a line was logged, and where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dated {
    /// `None`: the timestamp is no instant, such as 29 February of a common year.
    pub(super) at: Option<Timestamp>,
    /// The first byte of the line behind the timestamp.
    pub(super) end: usize,
}

/// Dates the lines of one file, in their order.
pub(super) struct Dating {
    zone: Tz,
    /// When the file was last written.
    modified: Option<Timestamp>,
    years: Option<YearTracker>,
    like: Option<Found>,
    previous: Option<Timestamp>,
    minute: Option<WallMinute>,
}

/// A minute of a wall clock, and the instant at which it began.
///
/// Neighbouring entries are mostly of one minute, and finding a zone's offset costs more than
/// reading the line.
struct WallMinute {
    civil: Civil,
    start_micros: i64,
}

const MICROS_PER_MINUTE: i64 = 60_000_000;

impl Dating {
    /// Dating in `zone` for lines that name no offset. `years` is what a first pass found out
    /// where timestamps have no year.
    pub(super) fn new(zone: Tz, modified: Option<Timestamp>, years: Option<YearTracker>) -> Self {
        Self { zone, modified, years, like: None, previous: None, minute: None }
    }

    /// From here on, lines that name no offset are in `zone`.
    pub(super) fn set_zone(&mut self, zone: Tz) {
        self.zone = zone;
        self.minute = None;
    }

    /// The nearest earlier instant of the file.
    #[inline]
    pub(super) fn previous(&self) -> Option<Timestamp> {
        self.previous
    }

    /// The timestamp at the line's head.
    #[inline]
    pub(super) fn date(&mut self, line: &[u8]) -> Option<Dated> {
        let found = match &self.like {
            Some(like) => stamp::find_like(line, like),
            None => stamp::find(line),
        }?;
        let dated = Dated { at: self.instant(found.stamp), end: found.range.end };
        self.like = Some(found);
        Some(dated)
    }

    /// The instant that a timestamp means in this file.
    #[inline]
    pub(super) fn instant(&mut self, stamp: Stamp) -> Option<Timestamp> {
        let at = match stamp {
            Stamp::Instant(at) => Some(at),
            Stamp::Civil(civil) => self.resolve(civil),
        };
        if at.is_some() {
            self.previous = at;
        }
        at
    }

    fn resolve(&mut self, mut civil: Civil) -> Option<Timestamp> {
        if civil.year.is_none() {
            civil.year = Some(self.year_of(civil)?);
        }
        let in_minute = civil.micros_of_day % MICROS_PER_MINUTE;
        civil.micros_of_day -= in_minute;
        if let Some(minute) = self.minute.as_ref().filter(|minute| minute.civil == civil) {
            return Timestamp::from_micros(minute.start_micros + in_minute);
        }
        let start = civil.resolve(self.zone, 0, self.previous)?;
        self.minute = Some(WallMinute { civil, start_micros: start.micros() });
        Timestamp::from_micros(start.micros() + in_minute)
    }

    /// The year of a reading without one. Where no first pass was made because the file began
    /// with other timestamps, the entry before it says the year.
    fn year_of(&mut self, civil: Civil) -> Option<i32> {
        if self.years.is_none() {
            let known = self.previous.or(self.modified)?;
            let year = known.to_utc().with_timezone(&self.zone).year();
            self.years = Some(YearTracker::new(year));
        }
        self.years.as_mut().map(|years| years.year_of(civil))
    }
}

/// A first pass over a text whose timestamps have no year: in which year its first line was
/// written, given when the text was last modified.
pub(super) fn survey_years(text: Box<dyn Read + '_>, zone: Tz, modified: Timestamp) -> YearTracker {
    let mut lines = Lines::new(Window::new(text));
    let mut survey = YearSurvey::default();
    let mut like: Option<Found> = None;
    while let Some(line) = lines.next_line() {
        let line = lines.bytes().get(line.range).unwrap_or(&[]);
        if line.first().is_none_or(|first| b" \t".contains(first)) {
            continue;
        }
        let found = match &like {
            Some(like) => stamp::find_like(line, like),
            None => stamp::find(line),
        };
        let Some(found) = found else { continue };
        if let Stamp::Civil(civil) = found.stamp {
            survey.see(civil);
        }
        like = Some(found);
    }
    YearTracker::new(survey.starting_year(modified, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(zone: Tz, lines: &[&str]) -> Vec<String> {
        let mut dating = Dating::new(zone, None, Some(YearTracker::new(2025)));
        let mut date = |line: &&str| dating.date(line.as_bytes()).unwrap().at.unwrap();
        lines.iter().map(|line| date(line).to_utc().to_rfc3339()).collect()
    }

    #[test]
    fn years_turn_with_the_lines() {
        let lines = ["Dec 31 23:59:59 h a: 1", "Jan  1 00:00:00 h a: 2"];
        let expected = ["2025-12-31T23:59:59+00:00", "2026-01-01T00:00:00+00:00"];
        assert_eq!(dates(Tz::UTC, &lines), expected);
    }

    #[test]
    fn an_hour_that_occurs_twice_is_read_in_the_order_of_the_file() {
        let lines = [
            "2026-11-01 01:59:00 first pass",
            "2026-11-01 01:58:30 a little out of order",
            "2026-11-01 01:00:00 second pass",
            "2026-11-01 01:00:30 the same minute",
        ];
        let expected = [
            "2026-11-01T08:59:00+00:00",
            "2026-11-01T08:58:30+00:00",
            "2026-11-01T09:00:00+00:00",
            "2026-11-01T09:00:30+00:00",
        ];
        assert_eq!(dates(Tz::America__Los_Angeles, &lines), expected);
    }
}

//! From a line to an instant: finds the line's timestamp and gives wall clocks their zone and
//! their year.

use std::io::Read;

use chrono::Datelike;
use chrono_tz::Tz;

use super::neighbour::Neighbour;
use super::stamp::{self, Civil, Found, Resolver, Stamp, YearSurvey, YearTracker};
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
    resolver: Resolver,
    /// When the file was last written.
    modified: Option<Timestamp>,
    years: Option<YearTracker>,
    like: Option<Found>,
    near: Option<Neighbour>,
    previous: Option<Timestamp>,
    is_absolute: bool,
}

impl Dating {
    /// Dating in `zone` for lines that name no offset. `years` is what a first pass found out
    /// where timestamps have no year.
    pub(super) fn new(zone: Tz, modified: Option<Timestamp>, years: Option<YearTracker>) -> Self {
        let resolver = Resolver::new(zone);
        Self {
            zone,
            resolver,
            modified,
            years,
            like: None,
            near: None,
            previous: None,
            is_absolute: true,
        }
    }

    /// From here on, lines that name no offset are in `zone`.
    pub(super) fn set_zone(&mut self, zone: Tz) {
        self.is_absolute = false;
        self.zone = zone;
        self.resolver = Resolver::new(zone);
    }

    /// Whether all timestamps so far were instants by themselves, with year and offset.
    pub(super) fn is_absolute(&self) -> bool {
        self.is_absolute
    }

    /// The nearest earlier instant of the file.
    #[inline]
    pub(super) fn previous(&self) -> Option<Timestamp> {
        self.previous
    }

    /// The timestamp with which lines of the same minute can be compared.
    #[inline]
    pub(super) fn near(&self) -> Option<&Neighbour> {
        self.near.as_ref()
    }

    /// Notes the instant of a line that was dated by [`Dating::near`].
    #[inline]
    pub(super) fn set_previous(&mut self, at: Timestamp) {
        self.previous = Some(at);
    }

    /// The timestamp at the line's head.
    #[inline]
    pub(super) fn date(&mut self, line: &[u8]) -> Option<Dated> {
        if let Some(near) = &self.near
            && let Some(at) = near.read(line)
        {
            self.previous = Some(at);
            return Some(Dated { at: Some(at), end: near.end() });
        }
        let found = match &self.like {
            Some(like) => stamp::find_like(line, like),
            None => stamp::find(line),
        }?;
        self.near = Neighbour::new(line, &found);
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

    fn resolve(&mut self, civil: Civil) -> Option<Timestamp> {
        self.is_absolute = false;
        let year = match civil.year {
            Some(year) => year,
            None => self.year_of(civil)?,
        };
        self.resolver.resolve(civil, year, self.previous)
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

//! Days and times of day in Los Angeles, where the host's clock stands. The sample lies within
//! daylight-saving time, so that the offset is always 7 hours.

/// Microseconds in a second.
pub(crate) const SECOND_US: u64 = 1_000_000;
/// Microseconds in a minute.
pub(crate) const MINUTE_US: u64 = 60 * SECOND_US;
/// Microseconds in an hour.
pub(crate) const HOUR_US: u64 = 60 * MINUTE_US;

const DAY_US: u64 = 24 * HOUR_US;
/// 2026-04-19T00:00:00-07:00, in microseconds since the epoch.
const FIRST_DAY_US: u64 = 1_776_582_000 * SECOND_US;
/// April 19 to May 6.
const DAYS: u64 = 18;

/// A day of the sample; 0 is April 19.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(u64);

/// A day of April 2026, from the 19th on.
pub(crate) fn april(day: u64) -> Day {
    Day(day - 19)
}

/// A day of May 2026, up to the 6th.
pub(crate) fn may(day: u64) -> Day {
    Day(day + 11)
}

/// Every day of the sample.
pub(crate) fn days() -> impl Iterator<Item = Day> {
    (0..DAYS).map(Day)
}

impl Day {
    /// A time of this day in Los Angeles, in microseconds since the epoch.
    pub(crate) fn at(self, hour: u64, minute: u64, second: u64) -> u64 {
        let time_us = hour * HOUR_US + minute * MINUTE_US + second * SECOND_US;
        FIRST_DAY_US + self.0 * DAY_US + time_us
    }

    /// Whether it is a Saturday or a Sunday; April 19 is a Sunday.
    pub(crate) fn is_weekend(self) -> bool {
        matches!(self.0 % 7, 0 | 6)
    }
}

/// A time as access logs write it: `06/May/2026:04:49:00 -0700`.
pub(crate) fn access_log_time(at_us: u64) -> String {
    let since_us = at_us - FIRST_DAY_US;
    let (day, second) = (since_us / DAY_US, since_us % DAY_US / SECOND_US);
    let (day, month) = if day < 12 { (day + 19, "Apr") } else { (day - 11, "May") };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{day:02}/{month}/2026:{hour:02}:{minute:02}:{second:02} -0700")
}

//! The years of a log whose timestamps have none (RFC 3164, klog).
//!
//! The file's own order says when a year ends: the date falls from December to January. Its
//! modification time says which year the last line is from. So a first pass counts the turns of
//! the year, and a second one hands each line its year.

use chrono::Datelike;
use chrono_tz::Tz;

use super::civil::{Civil, days_since_epoch};
use crate::time::Timestamp;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// A date that falls by more than half a year has passed a New Year.
const HALF_A_YEAR_DAYS: i64 = 183;

/// What a first pass over a log learns about its years. Feed it every timestamp in the order of
/// the file.
#[derive(Debug, Clone, Default)]
pub struct YearSurvey {
    /// New Years passed so far, counted from the first line.
    turns: i32,
    last: Option<Civil>,
    /// How many New Years had passed when a 29 February was seen.
    leap_day_turns: Option<i32>,
    /// A year that a line named, and how many New Years had passed there.
    named_year: Option<(i32, i32)>,
}

impl YearSurvey {
    /// Takes the next timestamp of the file.
    pub fn see(&mut self, civil: Civil) {
        if let Some(last) = self.last {
            self.turns += turn(last, civil);
        }
        self.last = Some(civil);
        if civil.month == 2 && civil.day == 29 {
            self.leap_day_turns = Some(self.turns);
        }
        if let Some(year) = civil.year {
            self.named_year = Some((self.turns, year));
        }
    }

    /// The year of the file's first timestamp.
    ///
    /// A year that a line of the file names decides. Else the last timestamp is from the latest
    /// year in which it is no more than a day after `modified`, and in which a 29 February that
    /// the file has did exist.
    pub fn starting_year(&self, modified: Timestamp, zone: Tz) -> i32 {
        if let Some((turns, year)) = self.named_year {
            return year - turns;
        }
        let modified_year = year_of(modified, zone);
        let Some(last) = self.last else { return modified_year };
        let latest = modified.micros() + MICROS_PER_DAY;
        let is_possible = |last_year: i32| {
            let leap_day_exists = self.leap_day_turns.is_none_or(|turns| {
                days_since_epoch(last_year - self.turns + turns, 2, 29).is_some()
            });
            let at = last.resolve(zone, last_year, None);
            leap_day_exists && at.is_some_and(|at| at.micros() <= latest)
        };
        // Leap years are at most eight years apart.
        let candidates = (modified_year - 8..=modified_year + 1).rev();
        let last_year = candidates.into_iter().find(|year| is_possible(*year));
        last_year.unwrap_or(modified_year) - self.turns
    }
}

/// Gives the timestamps of a log their years, line by line.
#[derive(Debug, Clone)]
pub struct YearTracker {
    year: i32,
    previous: Option<Civil>,
}

impl YearTracker {
    /// A tracker whose first timestamp is from `starting_year`.
    pub fn new(starting_year: i32) -> Self {
        Self { year: starting_year, previous: None }
    }

    /// The year of the next timestamp: its own if it has one, else by its place in the file.
    pub fn year_of(&mut self, civil: Civil) -> i32 {
        let step = self.previous.map_or(0, |previous| turn(previous, civil));
        self.previous = Some(civil);
        self.year = civil.year.unwrap_or(self.year + step);
        self.year
    }
}

/// By how many years `next` is off from `previous`: 1 past a New Year, −1 where a line from
/// before midnight follows one from after it, else 0.
fn turn(previous: Civil, next: Civil) -> i32 {
    let fall = day_of_leap_year(previous) - day_of_leap_year(next);
    if fall > HALF_A_YEAR_DAYS {
        return 1;
    }
    let just_after = previous.month == 1 && previous.day <= 2;
    let just_before = next.month == 12 && next.day >= 30;
    if just_after && just_before { -1 } else { 0 }
}

/// The place of the date in a year that has all dates.
fn day_of_leap_year(civil: Civil) -> i64 {
    const LEAP_YEAR: i32 = 2000;
    days_since_epoch(LEAP_YEAR, civil.month, civil.day).unwrap_or(0)
}

fn year_of(at: Timestamp, zone: Tz) -> i32 {
    at.to_utc().with_timezone(&zone).year()
}

//! Caveats: what the log does not know about an incident.
//!
//! An edge is a fact only where the log covers the time beyond it. Where the log begins with the
//! incident, or is silent next to an edge, the truth may be longer.

use super::MAX_PAUSE_MINUTES;
use crate::tally::{Counts, HourlyMap};
use crate::time::{Minute, Timestamp};
use crate::timeline::not_logged::{Absence, What};

/// What is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// What was read begins with the incident: it may have begun earlier.
    LogBegins,
    /// Nothing was logged before it: it may have begun earlier.
    GapBefore,
    /// Nothing was logged for a part of it: there may have been more failures.
    GapInside,
    /// Nothing was logged after it: it may have ended later.
    GapAfter,
    /// Entries were dropped in it: there may have been more failures.
    Dropped,
}

impl Doubt {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::LogBegins => "log_begins",
            Self::GapBefore => "gap_before",
            Self::GapInside => "gap_inside",
            Self::GapAfter => "gap_after",
            Self::Dropped => "dropped",
        }
    }
}

/// Something that the log does not know about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caveat {
    /// What is not known.
    pub doubt: Doubt,
    /// The end of what was logged before, or the first statement about dropped entries.
    pub from: Timestamp,
    /// The beginning of what was logged after, or the last statement.
    pub to: Timestamp,
    /// How many entries are missing, where it is known.
    pub entries: Option<u64>,
    /// Why nothing was logged, where the log tells.
    pub why: Option<What>,
}

/// So many gaps inside an incident are told: the longest.
const MAX_INSIDE: usize = 3;
/// A silence that nothing explains is a gap where so many entries would have been expected,
const LEAST_EXPECTED: f64 = 5.0;
/// if only this share of what is usual in the hours around it had been logged: nights are quiet.
const QUIET_SHARE: f64 = 0.1;
/// The hours around it, on either side, in minutes.
const AROUND_MINUTES: i64 = 360;

/// What is known of the time around incidents.
pub(super) struct Coverage<'a> {
    pub(super) minutes: &'a HourlyMap<Minute, Counts>,
    /// In the order of time.
    pub(super) absences: &'a [Absence],
}

impl Coverage<'_> {
    /// The caveats of an incident with failures from `first` to `last`.
    pub(super) fn caveats(&self, first: Minute, last: Minute) -> Vec<Caveat> {
        let mut caveats: Vec<Caveat> = self.before(first).into_iter().collect();
        caveats.extend(self.inside(first, last));
        caveats.extend(self.after(last));
        caveats.extend(self.dropped(first, last));
        caveats
    }

    /// A gap after which there is no more than a pause until the first failure.
    fn before(&self, first: Minute) -> Option<Caveat> {
        let mut later = first;
        for (earlier, _) in self.minutes.range(..first).rev() {
            let gap = self.gap(earlier, later, Doubt::GapBefore);
            if gap.is_some() {
                return gap;
            }
            later = earlier;
            if is_beyond_pause(later, first) {
                return None;
            }
        }
        let at = later.start();
        Some(Caveat { doubt: Doubt::LogBegins, from: at, to: at, entries: None, why: None })
    }

    /// A gap that begins no more than a pause after the last failure. Where the log ends instead,
    /// the incident is ongoing.
    fn after(&self, last: Minute) -> Option<Caveat> {
        let mut earlier = last;
        for (later, _) in self.minutes.range(last..).skip(1) {
            let gap = self.gap(earlier, later, Doubt::GapAfter);
            if gap.is_some() {
                return gap;
            }
            earlier = later;
            if is_beyond_pause(last, earlier) {
                break;
            }
        }
        None
    }

    fn inside(&self, first: Minute, last: Minute) -> Vec<Caveat> {
        let known = || self.minutes.range(first..=last).map(|(minute, _)| minute);
        let pairs = known().zip(known().skip(1));
        let mut gaps: Vec<Caveat> = pairs
            .filter_map(|(earlier, later)| self.gap(earlier, later, Doubt::GapInside))
            .collect();
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.to.micros() - gap.from.micros()));
        gaps.truncate(MAX_INSIDE);
        gaps.sort_by_key(|gap| gap.from);
        gaps
    }

    /// The gap between two minutes that follow each other in the log, if it is one.
    fn gap(&self, earlier: Minute, later: Minute, doubt: Doubt) -> Option<Caveat> {
        let silent = later.index() - earlier.index() - 1;
        if silent < 1 {
            return None;
        }
        let (from, to) = (earlier.end(), later.start());
        let caveat = Caveat { doubt, from, to, entries: None, why: None };
        if let Some(absence) = self.absence(from, to) {
            let why = Some(absence.what);
            let from = absence.from.unwrap_or(from);
            let to = absence.to.unwrap_or(to);
            return Some(Caveat { from, to, entries: absence.entries, why, ..caveat });
        }
        let is_unusual = silent >= MAX_PAUSE_MINUTES as i64 && {
            let around =
                minute(earlier.index() - AROUND_MINUTES)..=minute(later.index() + AROUND_MINUTES);
            let entries: u64 = self.minutes.range(around).map(|(_, counts)| counts.entries).sum();
            let usual = entries as f64 / (2 * AROUND_MINUTES) as f64;
            usual * QUIET_SHARE * silent as f64 >= LEAST_EXPECTED
        };
        is_unusual.then_some(caveat)
    }

    /// The absence that explains why nothing was logged from `from` to `to`: the longest of those
    /// that touch this time and little else.
    fn absence(&self, from: Timestamp, to: Timestamp) -> Option<&Absence> {
        let slack = 60_000_000;
        let end =
            self.absences.partition_point(|absence| absence.from.is_none_or(|start| start < to));
        let start = self.absences.get(..end).unwrap_or_default().partition_point(|absence| {
            absence.from.is_none_or(|start| start.micros() < from.micros() - slack)
        });
        let near = self.absences.get(start..end).unwrap_or_default().iter();
        let explains = |absence: &&Absence| {
            let ends = absence.to.map_or(i64::MAX, |to| to.micros());
            absence.what.hides_time()
                && ends <= to.micros() + slack
                && absence.duration_us() >= slack.unsigned_abs()
        };
        near.filter(explains).max_by_key(|absence| absence.duration_us())
    }

    /// What was dropped from `first` to `last`; a daemon says so shortly after.
    fn dropped(&self, first: Minute, last: Minute) -> Option<Caveat> {
        let (start, end) = (first.start(), minute(last.index() + 1).end());
        let inside = |absence: &&Absence| {
            absence.what.is_dropped() && absence.from.is_some_and(|at| (start..end).contains(&at))
        };
        let from =
            self.absences.partition_point(|absence| absence.from.is_none_or(|at| at < start));
        let to = self.absences.partition_point(|absence| absence.from.is_none_or(|at| at < end));
        let dropped = self.absences.get(from..to).unwrap_or_default();
        let dropped: Vec<&Absence> = dropped.iter().filter(inside).collect();
        let entries = dropped.iter().filter_map(|absence| absence.entries);
        Some(Caveat {
            doubt: Doubt::Dropped,
            from: dropped.first()?.from?,
            to: dropped.last()?.from?,
            entries: Some(entries.fold(0, u64::saturating_add)),
            why: dropped.first().map(|absence| absence.what),
        })
    }
}

/// The minute with this number since the epoch; the nearest one that exists.
pub(super) fn minute(index: i64) -> Minute {
    let start = index.saturating_mul(60_000_000);
    let limit = if index < 0 { Timestamp::MIN } else { Timestamp::END };
    Timestamp::from_micros(start).unwrap_or(limit).minute()
}

fn is_beyond_pause(earlier: Minute, later: Minute) -> bool {
    later.index() - earlier.index() > MAX_PAUSE_MINUTES as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many entries in each of these minutes.
    fn known(ranges: &[std::ops::Range<i64>], entries: u64) -> HourlyMap<Minute, Counts> {
        let mut known: HourlyMap<Minute, Counts> = HourlyMap::default();
        for index in ranges.iter().cloned().flatten() {
            known.get_or_insert_with(minute(index), Counts::default).entries = entries;
        }
        known
    }

    fn told(
        minutes: &HourlyMap<Minute, Counts>,
        absences: &[Absence],
        (first, last): (i64, i64),
    ) -> Vec<(Doubt, i64, i64)> {
        let coverage = Coverage { minutes, absences };
        let caveats = coverage.caveats(minute(first), minute(last));
        let index = |at: Timestamp| at.minute().index();
        caveats.iter().map(|told| (told.doubt, index(told.from), index(told.to))).collect()
    }

    fn absence(what: What, from: i64, to: i64, entries: Option<u64>) -> Absence {
        let at = |index: i64| Some(minute(index).start());
        Absence { what, from: at(from), to: at(to), entries, sender: None, host: None }
    }

    #[test]
    fn an_edge_beside_a_gap_or_the_beginning_of_the_log_is_in_doubt() {
        let minutes = known(&[1000..1500, 1560..2000, 2100..2400], 10);
        assert_eq!(told(&minutes, &[], (1700, 1800)), []);
        assert_eq!(told(&minutes, &[], (1565, 1800)), [(Doubt::GapBefore, 1500, 1560)]);
        assert_eq!(told(&minutes, &[], (1700, 1995)), [(Doubt::GapAfter, 2000, 2100)]);
        assert_eq!(told(&minutes, &[], (1490, 1700)), [(Doubt::GapInside, 1500, 1560)]);
        assert_eq!(told(&minutes, &[], (1008, 1100)), [(Doubt::LogBegins, 1000, 1000)]);
        // The log's end is no gap: the incident is ongoing.
        assert_eq!(told(&minutes, &[], (2200, 2399)), []);
    }

    #[test]
    fn a_silence_is_a_gap_where_the_log_is_busy_or_says_why() {
        let sparse = known(&[1000..1001, 1030..1031, 1060..1061, 1090..1091], 1);
        assert_eq!(told(&sparse, &[], (1060, 1090)), []);
        let short = known(&[1000..1500, 1502..2000], 10);
        assert_eq!(told(&short, &[], (1502, 1600)), []);
        let boot = [absence(What::Boot, 1499, 1502, None)];
        assert_eq!(told(&short, &boot, (1502, 1600)), [(Doubt::GapBefore, 1499, 1502)]);
    }

    #[test]
    fn what_was_dropped_meanwhile_is_added_up() {
        let minutes = known(&[1000..1500, 1500..2000], 10);
        let dropped =
            [1400, 1510, 1550, 1700].map(|index| absence(What::Suppressed, index, index, Some(7)));
        let coverage = Coverage { minutes: &minutes, absences: &dropped };
        let caveats = coverage.caveats(minute(1500), minute(1600));
        assert_eq!(caveats.len(), 1);
        assert_eq!((caveats[0].doubt, caveats[0].entries), (Doubt::Dropped, Some(14)));
    }
}

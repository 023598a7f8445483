//! The minutes of one class, one after another, as the search for incidents takes them.
//!
//! A log may have one entry of 1970, from before a clock was set, and the others of this year.
//! The time in between is no minutes but a gap: gaps beyond a day are shortened by whole days, so
//! that the hours of the day stay where they are. Where a log is mostly gaps, so that the minutes
//! would still be too many, shorter gaps are shortened, too.

use super::{MAX_PAUSE_MINUTES, MinuteCount};
use crate::rules::ClassIndex;
use crate::tally::{Counts, Tally};
use crate::time::{Minute, Timestamp};

const MINUTES_PER_DAY: usize = 1440;
/// Seven and a half years without a gap.
const MAX_MINUTES: usize = 4_000_000;
/// Gaps beyond a day are shortened to one, or to up to a day more; of a log that has too many
/// minutes even so, gaps beyond the next length are shortened to it. One of six hours still ends an
/// incident; the last two lengths may not.
const GAPS: [usize; 4] = [MINUTES_PER_DAY, 6 * 60, 60, MAX_PAUSE_MINUTES + 1];
/// The last millisecond of a minute.
const LAST_MS: u16 = 59_999;

/// The minutes of one class, from the first that is known to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minutes {
    /// One after another; long gaps are shortened.
    pub counts: Vec<MinuteCount>,
    first: Minute,
    /// The minutes behind gaps that were shortened, and their positions.
    behind_gaps: Vec<(usize, Minute)>,
}

impl Minutes {
    /// What a tally has of a class; `None` where no minute has an entry. Where the tally has no
    /// evidence, a minute's events are taken to fill it.
    pub fn new(tally: &Tally, class: ClassIndex) -> Option<Self> {
        Self::of_each(tally, &[class]).pop()
    }

    /// The same for each of these classes, in their order; nothing where no minute has an entry.
    pub(super) fn of_each(tally: &Tally, classes: &[ClassIndex]) -> Vec<Self> {
        let mut minutes = known(tally).map(|(minute, _)| minute);
        let Some(first) = minutes.next() else { return Vec::new() };
        let last = minutes.next_back().unwrap_or(first);
        let most_gap = most_gap(tally, first, last);
        let mut all =
            vec![Self { counts: Vec::new(), first, behind_gaps: Vec::new() }; classes.len()];
        let mut edges = tally.edge_times().peekable();
        let mut before = None;
        for (minute, counts) in known(tally) {
            let before = before.replace(minute);
            for (own, class) in all.iter_mut().zip(classes) {
                if let Some(before) = before {
                    own.pass(gap(before, minute), minute, most_gap);
                }
                own.push(counts.entries, counts.of(*class));
            }
            while let Some(edge) = edges.next_if(|edge| edge.minute <= minute) {
                let place = classes.iter().position(|class| *class == edge.class);
                if let Some(own) = place.filter(|_| edge.minute == minute).map(|at| &mut all[at]) {
                    own.set_edges(edge.first, edge.last);
                }
            }
        }
        all
    }

    fn push(&mut self, entries: u64, events: u64) {
        let last_ms = if events > 0 { LAST_MS } else { 0 };
        self.counts.push(MinuteCount { entries, events, first_ms: 0, last_ms });
    }

    /// Says of the latest minute when its first event was, and its last.
    fn set_edges(&mut self, first: Timestamp, last: Timestamp) {
        if let Some(count) = self.counts.last_mut().filter(|count| count.events > 0) {
            (count.first_ms, count.last_ms) = (ms_of(first), ms_of(last));
        }
    }

    /// Adds the events of another class of the same tally.
    pub(super) fn add(&mut self, other: &Self) {
        for (own, other) in self.counts.iter_mut().zip(&other.counts) {
            if own.events == 0 {
                (own.first_ms, own.last_ms) = (other.first_ms, other.last_ms);
            } else if other.events > 0 {
                own.first_ms = own.first_ms.min(other.first_ms);
                own.last_ms = own.last_ms.max(other.last_ms);
            }
            own.events += other.events;
        }
    }

    /// The minute at a position of [`counts`](Self::counts); within a gap that was shortened, one
    /// of its first.
    pub fn minute(&self, position: usize) -> Minute {
        let behind = self.behind_gaps.partition_point(|(start, _)| *start <= position);
        let nearest = behind.checked_sub(1).and_then(|last| self.behind_gaps.get(last));
        let (start, minute) = nearest.copied().unwrap_or((0, self.first));
        minute.after(position.saturating_sub(start) as u64)
    }

    /// Adds a gap of so many minutes before `minute`.
    fn pass(&mut self, gap: usize, minute: Minute, most_gap: usize) {
        let shortened = shorten(gap, most_gap);
        self.counts.resize(self.counts.len() + shortened, MinuteCount::default());
        if shortened < gap {
            self.behind_gaps.push((self.counts.len(), minute));
        }
    }
}

fn known(tally: &Tally) -> impl DoubleEndedIterator<Item = (Minute, &Counts)> {
    tally.minutes.iter().filter(|(_, counts)| counts.entries > 0)
}

/// The longest gap with which there are not too many minutes from `first` to `last`.
fn most_gap(tally: &Tally, first: Minute, last: Minute) -> usize {
    // Nearly all logs have few minutes with all their gaps.
    if gap(first, last) < MAX_MINUTES - 2 {
        return MINUTES_PER_DAY;
    }
    let is_few = |&most_gap: &usize| {
        let minutes = known(tally).zip(known(tally).skip(1));
        let lengths =
            minutes.map(|((before, _), (after, _))| shorten(gap(before, after), most_gap));
        lengths.map(|length| length + 1).sum::<usize>() < MAX_MINUTES
    };
    GAPS.into_iter().find(is_few).unwrap_or(MAX_PAUSE_MINUTES + 1)
}

/// How many minutes are between two.
fn gap(before: Minute, after: Minute) -> usize {
    usize::try_from(after.index() - before.index() - 1).unwrap_or(0)
}

fn shorten(gap: usize, most_gap: usize) -> usize {
    match gap.checked_sub(most_gap) {
        None => gap,
        Some(more) if most_gap >= MINUTES_PER_DAY => most_gap + more % MINUTES_PER_DAY,
        Some(_) => most_gap,
    }
}

/// When in its minute something was, in milliseconds.
fn ms_of(at: Timestamp) -> u16 {
    let micros = at.micros() - at.minute().start().micros();
    u16::try_from(micros / 1000).unwrap_or(LAST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    fn tally(minutes: impl IntoIterator<Item = i64>) -> Tally {
        let mut tally = Tally::default();
        for minute in minutes {
            tally.at(Timestamp::from_micros(minute * 60_000_000)).entries += 1;
        }
        tally
    }

    fn minutes(of: impl IntoIterator<Item = i64>) -> Minutes {
        let class = RuleSet::builtin().unwrap().class_index("http_503").unwrap();
        Minutes::new(&tally(of), class).unwrap()
    }

    /// The known minutes, by what their positions say.
    fn found(minutes: &Minutes) -> Vec<i64> {
        let known = minutes.counts.iter().enumerate().filter(|(_, count)| count.entries > 0);
        known.map(|(position, _)| minutes.minute(position).index()).collect()
    }

    #[test]
    fn minutes_are_where_they_were_and_long_gaps_keep_the_hour_of_the_day() {
        let now = 29_600_000;
        let known = [7, now, now + 1, now + 1441, now + 5000, now + 5001];
        let minutes = minutes(known);
        assert_eq!(found(&minutes), known);
        assert!(minutes.counts.len() < 6 * 1440, "{}", minutes.counts.len());
        let positions = (0..minutes.counts.len()).filter(|&at| minutes.counts[at].entries > 0);
        for (position, minute) in positions.zip(known) {
            assert_eq!((minute - 7) % 1440, position as i64 % 1440);
        }
    }

    #[test]
    fn a_log_of_gaps_takes_no_more_minutes_than_a_log_of_years() {
        let minutes = minutes((0..100_000).map(|day| day * 1440 * 20));
        assert!(minutes.counts.len() <= MAX_MINUTES, "{}", minutes.counts.len());
        assert_eq!(found(&minutes)[99_999], 99_999 * 1440 * 20);
    }

    #[test]
    fn a_log_without_an_entry_has_no_minutes() {
        let class = RuleSet::builtin().unwrap().class_index("http_503").unwrap();
        assert_eq!(Minutes::new(&Tally::default(), class), None);
    }
}

//! What of a log is traffic, and where nothing is known.
//!
//! Events follow traffic, and the best that a log tells of traffic is how many entries it has. The
//! events themselves are none of it: a log may have nothing else. An incident may also make the log
//! explode; so where there are many times the entries that are usual at the hour, they say nothing,
//! and the usual ones count.

use std::ops::Range;

use super::MinuteCount;

/// Minutes of an hour.
pub(super) const HOUR: usize = 60;
const HOURS_PER_DAY: usize = 24;
/// Minutes of a day.
pub(super) const DAY: usize = HOURS_PER_DAY * HOUR;
/// Minutes that are counted together where the days are too few to compare them.
const BLOCK: usize = 10;
/// Of how many of a short log's minutes the traffic is as much as is usual, or less. In half a day
/// the traffic may rise to ten times what it was.
const SHORT: (usize, f64) = (DAY / 2, 0.4);
/// The same of a longer log. People may sleep for longer than they work.
const LONG: f64 = 0.6;
/// So many days tell what is usual at an hour of the day.
const LEAST_DAYS: usize = 3;
/// Entries up to this multiple of what is usual at the hour are traffic.
const MAX_BUSYNESS: f64 = 4.0;
/// So few entries a minute are no explosion.
const FEW_ENTRIES: f64 = 4.0;
/// Minutes without an entry are a hole in the log where so many would have been usual.
const LEAST_MISSED: f64 = 12.0;

/// The traffic of a log.
pub(super) struct Traffic {
    /// Entries per minute that are usual at each hour of the day, counted from the first minute.
    usual: [f64; HOURS_PER_DAY],
}

impl Traffic {
    pub(super) fn of(minutes: &[MinuteCount]) -> Self {
        let mut blocks: Vec<f64> = minutes.chunks(BLOCK).map(per_minute).collect();
        let hours: Vec<f64> = blocks.chunks(HOUR / BLOCK).map(mean).collect();
        blocks.retain(|&entries| entries > 0.0);
        let all = if minutes.len() <= SHORT.0 {
            let mut minutes: Vec<f64> = minutes.chunks(1).map(per_minute).collect();
            minutes.retain(|&entries| entries > 0.0);
            quantile(&mut minutes, SHORT.1)
        } else {
            quantile(&mut blocks, LONG)
        };
        let mut usual = [all; HOURS_PER_DAY];
        for (hour, usual) in usual.iter_mut().enumerate() {
            let mut days: Vec<f64> = hours
                .iter()
                .skip(hour)
                .step_by(HOURS_PER_DAY)
                .copied()
                .filter(|&entries| entries > 0.0)
                .collect();
            if days.len() >= LEAST_DAYS {
                *usual = quantile(&mut days, 0.5);
            }
        }
        Self { usual }
    }

    /// The entries of a minute as far as they are traffic.
    pub(super) fn exposure(&self, position: usize, minute: &MinuteCount) -> f64 {
        let entries = minute.entries.saturating_sub(minute.events) as f64;
        let usual = self.usual_at(position);
        if entries > (MAX_BUSYNESS * usual).max(FEW_ENTRIES) { usual } else { entries }
    }

    /// Whether minutes without an entry are a hole, and not only quiet.
    pub(super) fn is_hole(&self, minutes: Range<usize>) -> bool {
        let mut missed = 0.0;
        minutes.into_iter().any(|minute| {
            missed += self.usual_at(minute);
            missed >= LEAST_MISSED
        })
    }

    fn usual_at(&self, minute: usize) -> f64 {
        self.usual.get(minute / HOUR % HOURS_PER_DAY).copied().unwrap_or(0.0)
    }
}

fn per_minute(minutes: &[MinuteCount]) -> f64 {
    let others = |minute: &MinuteCount| minute.entries.saturating_sub(minute.events);
    minutes.iter().map(others).sum::<u64>() as f64 / minutes.len().max(1) as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    let position = ((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1));
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(position, f64::total_cmp).1
}

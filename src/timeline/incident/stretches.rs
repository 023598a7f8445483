//! The minutes, told in stretches: each minute that has events, and those between them at once.
//!
//! Of minutes without events only their number and their traffic matter, so that a quiet hour
//! costs as little as a quiet minute.

use std::ops::{Range, RangeInclusive};

use super::MinuteCount;
use super::traffic::{DAY, HOUR, Traffic};

/// One minute with events, or neighbouring minutes, of one portion, without.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stretch {
    /// Its first minute, by position.
    pub(super) start: u32,
    /// Minutes of which something is known.
    pub(super) known_minutes: f32,
    /// The same, by the level of the day.
    pub(super) weight: f32,
    /// The entries of these minutes, as far as they are traffic, by the level of the day.
    pub(super) exposure: f32,
    /// Their events.
    pub(super) events: f32,
}

impl Stretch {
    /// Whether neither has events, and something is known of both or of none.
    fn is_quiet_as(&self, next: &Self) -> bool {
        let is_known = self.known_minutes > 0.0;
        self.events == 0.0 && next.events == 0.0 && is_known == (next.known_minutes > 0.0)
    }

    fn day(&self) -> usize {
        self.start as usize / DAY
    }
}

/// All minutes.
pub(super) struct Stretches {
    pub(super) all: Vec<Stretch>,
    /// Minutes of a portion: an hour, or less where the whole log has few.
    pub(super) portion: usize,
    /// Where in them each portion begins.
    starts: Vec<usize>,
}

/// A log has so many portions at least.
const LEAST_PORTIONS: usize = 30;

impl Stretches {
    /// Tells minutes. Of those that are `ignored`, which is in the order of time, nothing is known.
    pub(super) fn of(
        minutes: &[MinuteCount],
        traffic: &Traffic,
        ignored: &[RangeInclusive<usize>],
    ) -> Self {
        let portion = (minutes.len() / LEAST_PORTIONS).clamp(1, HOUR);
        let mut stretches = Self { all: Vec::new(), portion, starts: Vec::new() };
        let mut ignored = ignored.iter().cloned().flatten().peekable();
        let mut position = 0;
        for alike in minutes.chunk_by(|a, b| a.entries == 0 && b.entries == 0) {
            let is_empty = alike.first().is_some_and(|minute| minute.entries == 0);
            let is_hole = is_empty && traffic.is_hole(position..position + alike.len());
            for minute in alike {
                let is_ignored = ignored.next_if_eq(&position).is_some();
                let is_known = !is_hole && !is_ignored;
                stretches.push(position, is_known.then_some(minute), traffic);
                position += 1;
            }
        }
        stretches
    }

    fn push(&mut self, position: usize, minute: Option<&MinuteCount>, traffic: &Traffic) {
        let is_new_portion = position.is_multiple_of(self.portion);
        if is_new_portion {
            self.starts.push(self.all.len());
        }
        let told = minute.map_or_else(Stretch::default, |minute| Stretch {
            start: 0,
            known_minutes: 1.0,
            weight: 1.0,
            exposure: traffic.exposure(position, minute) as f32,
            events: minute.events as f32,
        });
        match self.all.last_mut() {
            Some(last) if !is_new_portion && last.is_quiet_as(&told) => {
                last.known_minutes += told.known_minutes;
                last.weight += told.weight;
                last.exposure += told.exposure;
            }
            _ => self.all.push(Stretch { start: position as u32, ..told }),
        }
    }

    /// The stretches of each portion.
    pub(super) fn portions(&self) -> impl Iterator<Item = &[Stretch]> {
        let ends = self.starts.iter().skip(1).copied().chain([self.all.len()]);
        self.starts.iter().zip(ends).filter_map(|(&start, end)| self.all.get(start..end))
    }

    /// The stretches of each day, counted from the first minute.
    pub(super) fn days(&self) -> impl Iterator<Item = &[Stretch]> {
        self.all.chunk_by(|a, b| a.day() == b.day())
    }

    /// Multiplies what is expected of each day by its level.
    pub(super) fn apply(&mut self, levels: &[f64]) {
        for stretch in &mut self.all {
            let level = levels.get(stretch.day()).copied().unwrap_or(1.0) as f32;
            stretch.weight *= level;
            stretch.exposure *= level;
        }
    }

    /// Where the stretches of some minutes stand.
    pub(super) fn within(&self, minutes: &RangeInclusive<usize>) -> Range<usize> {
        let place =
            |minute: usize| self.all.partition_point(|stretch| (stretch.start as usize) < minute);
        place(*minutes.start())..place(minutes.end() + 1)
    }
}

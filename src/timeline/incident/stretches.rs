//! The minutes, told in stretches: each minute that has events, and those between them at once.
//!
//! Of minutes without events only their number and their traffic matter, so that a quiet hour
//! costs as little as a quiet minute.

use std::ops::{Range, RangeInclusive};

use super::MinuteCount;
use super::traffic::{HOUR, Traffic};

/// One minute with events, or neighbouring minutes, of one hour, without.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stretch {
    /// Its first minute, by position.
    pub(super) start: u32,
    /// Minutes of which something is known.
    pub(super) known_minutes: f32,
    /// The entries of these minutes, as far as they are traffic.
    pub(super) exposure: f32,
    /// Their events.
    pub(super) events: f32,
}

/// All minutes.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    pub(super) all: Vec<Stretch>,
    /// Where in them each hour begins.
    hours: Vec<usize>,
}

impl Stretches {
    /// Tells minutes. Of those that are `ignored`, which is in the order of time, nothing is known.
    pub(super) fn of(
        minutes: &[MinuteCount],
        traffic: &Traffic,
        ignored: &[RangeInclusive<usize>],
    ) -> Self {
        let mut stretches = Self::default();
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
        let is_new_hour = position.is_multiple_of(HOUR);
        if is_new_hour {
            self.hours.push(self.all.len());
        }
        let told = minute.map_or_else(Stretch::default, |minute| Stretch {
            start: 0,
            known_minutes: 1.0,
            exposure: traffic.exposure(position, minute) as f32,
            events: minute.events as f32,
        });
        match self.all.last_mut() {
            Some(last) if !is_new_hour && last.events == 0.0 && told.events == 0.0 => {
                last.known_minutes += told.known_minutes;
                last.exposure += told.exposure;
            }
            _ => self.all.push(Stretch { start: position as u32, ..told }),
        }
    }

    /// The stretches of each hour.
    pub(super) fn hours(&self) -> impl Iterator<Item = &[Stretch]> {
        let ends = self.hours.iter().skip(1).copied().chain([self.all.len()]);
        self.hours.iter().zip(ends).filter_map(|(&start, end)| self.all.get(start..end))
    }

    /// Where the stretches of some minutes stand.
    pub(super) fn within(&self, minutes: &RangeInclusive<usize>) -> Range<usize> {
        let place =
            |minute: usize| self.all.partition_point(|stretch| (stretch.start as usize) < minute);
        place(*minutes.start())..place(minutes.end() + 1)
    }
}

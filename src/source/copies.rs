//! Finds the text that says again what a journal of the same run says.
//!
//! On most machines a syslog daemon writes every journal entry a second time into a text file,
//! programs write to a file and to the journal, and people save `journalctl` output beside the
//! journal. Counting both would count every failure twice; leaving out every text beside a
//! journal would lose what only the text has (an older day, another program's own log). So the
//! reader asks: of the events that a text reports within the time that the journals cover, how
//! many do the journals hold, to the second and word by word? Where nearly all are found, the
//! text is a copy, and what it says within that time is left out.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use super::{Damage, Event, Sink};
use crate::time::Minute;

/// This many events of a file are looked up; they decide for the rest.
const MAX_ASKED: usize = 4096;
/// A copy may lack some of its original's events word by word (a cut line, an escaped byte).
const COPY_PERCENT: usize = 95;

/// The identity of an event as far as a text can tell it: its second and its first line.
type Identity = u64;

/// What of the question a journal was found to hold.
pub(super) type Answers = HashSet<Identity>;

fn identity(event: &Event<'_>) -> Option<Identity> {
    let second = event.entry.at?.micros() / 1_000_000;
    let message = event.entry.message;
    let first_line = message.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    second.hash(&mut hasher);
    first_line.trim_ascii().hash(&mut hasher);
    Some(hasher.finish())
}

/// What texts ask the journals, and what these answered.
#[derive(Default)]
pub(super) struct Witness {
    wanted: HashSet<Identity>,
    found: Answers,
}

impl Witness {
    /// Adds the events of a text to what is asked.
    pub(super) fn want<S>(&mut self, asking: &Asking<S>) {
        self.wanted.extend(&asking.asked);
    }

    /// Adds what a journal was found to hold.
    pub(super) fn found(&mut self, found: Answers) {
        self.found.extend(found);
    }

    /// The minutes in which the text repeats the journals; `None` where it does not.
    pub(super) fn repeats<S>(&self, asking: &Asking<S>) -> Option<(Minute, Minute)> {
        let held = asking.asked.iter().filter(|&asked| self.found.contains(asked)).count();
        let is_copy = held > 0 && held * 100 >= asking.asked.len() * COPY_PERCENT;
        asking.covered.filter(|_| is_copy)
    }
}

/// A text's sink, which remembers events that a journal might hold too.
pub(super) struct Asking<S> {
    sink: S,
    covered: Option<(Minute, Minute)>,
    asked: Vec<Identity>,
}

impl<S> Asking<S> {
    /// Wraps a sink; without journals there is nothing to remember.
    pub(super) fn new(sink: S, covered: Option<(Minute, Minute)>) -> Self {
        Self { sink, covered, asked: Vec::new() }
    }

    /// The sink that was wrapped.
    pub(super) fn finish(self) -> S {
        self.sink
    }
}

impl<S: Sink> Sink for Asking<S> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.sink.entries(minute, count);
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        if let (Some((first, last)), Some(at)) = (self.covered, event.entry.at)
            && self.asked.len() < MAX_ASKED
            && (first..=last).contains(&at.minute())
        {
            self.asked.extend(identity(event));
        }
        self.sink.event(event)
    }

    fn damage(&mut self, damage: Damage) {
        self.sink.damage(damage);
    }
}

/// A journal's sink, which answers whether the journal holds what was asked.
pub(super) struct Answering<'a, S> {
    sink: S,
    wanted: &'a HashSet<Identity>,
    found: Answers,
}

impl<'a, S> Answering<'a, S> {
    /// Wraps a sink.
    pub(super) fn new(sink: S, witness: &'a Witness) -> Self {
        Self { sink, wanted: &witness.wanted, found: Answers::new() }
    }

    /// The sink that was wrapped, and what of the question was found.
    pub(super) fn finish(self) -> (S, Answers) {
        (self.sink, self.found)
    }
}

impl<S: Sink> Sink for Answering<'_, S> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.sink.entries(minute, count);
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        if !self.wanted.is_empty() {
            self.found.extend(identity(event).filter(|asked| self.wanted.contains(asked)));
        }
        self.sink.event(event)
    }

    fn damage(&mut self, damage: Damage) {
        self.sink.damage(damage);
    }
}

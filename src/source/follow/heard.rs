//! What followed sources say alike, each in its own time.
//!
//! What was there at the beginning is compared as a whole (see `copies`, `shared_events`).
//! Afterwards a syslog daemon writes its line some milliseconds after journald has its entry, and a
//! program may write to its file before journald has read what it wrote: the two are met in one
//! round or in two. Whichever comes second is left out. Two texts are compared only where they were
//! found to share events at the beginning: two replicas may log alike.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;

use crate::source::copies::{
    Asked, Asking, Host, Identity, Minutes, SECONDS_OFF, hash, second, words,
};
use crate::source::overheard::{Listener, Overheard};
use crate::source::scan::Place;
use crate::source::{Event, KnownEvent, Repeats};
use crate::time::Timestamp;

/// The last so many events of a journal are compared in a round.
const MAX_HEARD: usize = 200_000;
/// A text may be late with the last of those that were there at the beginning.
const MAX_HEARD_AT_FIRST: usize = 1000;
/// Twice as many identities are remembered at most: those of some minutes of an outage.
const MAX_RECENT: usize = 100_000;

/// All of time: journals that are followed have no last minute.
pub(super) fn ever() -> Minutes {
    let first = Timestamp::MIN.minute();
    (first, first.after(u64::MAX))
}

/// The events of the last rounds.
#[derive(Default)]
pub(super) struct Heard {
    /// How often the journals had an event.
    journals: Recent<u32>,
    /// The texts that had an event that no journal had, once for each time.
    texts: Recent<Vec<Place>>,
    /// How often a text had one of the journals' events.
    used: Recent<u32>,
    /// How often the texts of a name had a line.
    lines: Recent<Vec<(Name, u32)>>,
    /// The names of texts that were found to share events.
    sharing: HashSet<(Name, Name)>,
    /// The last event of a text, if a journal had it: its next line may say how often it was
    /// repeated, and the journal's own entries of a repetition lie at other seconds.
    repeated: HashMap<Place, Option<(Option<Host>, u64)>>,
    /// The names under which texts were met first.
    names: HashMap<Place, Name>,
}

/// The hash of a path. A file that a rotation put in the place of another has the name of both.
type Name = u64;

impl Heard {
    /// Takes the events of a journal. Gives back those that a text gave before.
    pub(super) fn journal(&mut self, events: &VecDeque<JournalEvent>) -> Repeats {
        let mut repeats = Repeats::default();
        for event in events {
            if self.is_of_a_text(event) {
                repeats.held.push(event.known);
            }
            for identity in event.identities(0) {
                *self.journals.entry(identity) += 1;
            }
        }
        repeats
    }

    /// Takes the events of a text. Gives back those that another source gave before.
    pub(super) fn text<S>(&mut self, place: Place, path: &Path, asking: &Asking<'_, S>) -> Repeats {
        let name = self.name(place, path);
        let mut repeats = Repeats::default();
        for asked in asking.events() {
            let is_held = if asked.is_repetition() {
                self.repeated.get(&place) == Some(&Some(asked.said()))
            } else {
                let is_of_a_text = self.is_of_another_text(name, asked);
                let is_held = self.take(place, asked) || is_of_a_text;
                self.repeated.insert(place, is_held.then(|| asked.said()));
                is_held
            };
            match is_held {
                true => repeats.held.push(asked.known()),
                false => self.keep(place, asked),
            }
        }
        repeats
    }

    /// Takes the events of a text of which it is known already what others hold.
    pub(super) fn compared<S>(
        &mut self,
        place: Place,
        path: &Path,
        asking: &Asking<'_, S>,
        repeats: &Repeats,
    ) {
        let name = self.name(place, path);
        if let Some((_, other)) = &repeats.shared_with {
            let other = hash(other.as_path());
            self.sharing.extend([(name, other), (other, name)]);
        }
        for asked in asking.events() {
            self.is_of_another_text(name, asked);
            if !repeats.contains(asked.known().number, None) {
                self.keep(place, asked);
            }
        }
    }

    fn name(&mut self, place: Place, path: &Path) -> Name {
        *self.names.entry(place).or_insert_with(|| hash(path))
    }

    /// Whether a text that shares events with those of this name had the line as often as they had
    /// it with this one.
    fn is_of_another_text(&mut self, name: Name, asked: &Asked) -> bool {
        let Some(line) = asked.line().filter(|_| !asked.is_repetition()) else { return false };
        let known = self.lines.entry(line);
        let own = match known.iter_mut().find(|(other, _)| *other == name) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                known.push((name, 1));
                1
            }
        };
        let sharing = &self.sharing;
        known.iter().any(|(other, times)| *times >= own && sharing.contains(&(name, *other)))
    }

    /// Whether the journals had the event of a text once more than the text.
    fn take(&mut self, place: Place, asked: &Asked) -> bool {
        asked.is_covered()
            && asked.identities().any(|identity| {
                let Some(&heard) = self.journals.get(identity) else { return false };
                let used = self.used.entry(hash((place, identity)));
                let is_left = *used < heard;
                *used += u32::from(is_left);
                is_left
            })
    }

    /// Remembers an event of a text that a journal may have yet.
    fn keep(&mut self, place: Place, asked: &Asked) {
        if asked.is_covered() && !asked.is_repetition() {
            self.texts.entry(asked.identity()).push(place);
        }
    }

    /// Whether a text had the event of a journal, and no other event of a journal stands for it.
    fn is_of_a_text(&mut self, event: &JournalEvent) -> bool {
        for off in SECONDS_OFF {
            for (identity, own) in event.identities(off).into_iter().zip(event.identities(0)) {
                if let Some(place) = self.texts.get_mut(identity).and_then(Vec::pop) {
                    *self.used.entry(hash((place, own))) += 1;
                    return true;
                }
            }
        }
        false
    }
}

/// What was met last, by the identity of events; what was met long before is forgotten.
#[derive(Default)]
struct Recent<V> {
    now: HashMap<Identity, V>,
    before: HashMap<Identity, V>,
}

impl<V: Default> Recent<V> {
    fn get(&self, identity: Identity) -> Option<&V> {
        self.now.get(&identity).or_else(|| self.before.get(&identity))
    }

    fn get_mut(&mut self, identity: Identity) -> Option<&mut V> {
        self.now.get_mut(&identity).or_else(|| self.before.get_mut(&identity))
    }

    fn entry(&mut self, identity: Identity) -> &mut V {
        if self.now.len() >= MAX_RECENT {
            self.before = std::mem::take(&mut self.now);
        }
        let before = &mut self.before;
        self.now.entry(identity).or_insert_with(|| before.remove(&identity).unwrap_or_default())
    }
}

/// An event of a journal, without its words.
#[derive(Debug, Clone, Copy)]
pub(super) struct JournalEvent {
    known: KnownEvent,
    host: Host,
    second: i64,
    words: u64,
}

impl JournalEvent {
    /// What a text that names hosts may call it, and one that names none, so many seconds off.
    fn identities(&self, off: i64) -> [Identity; 2] {
        [self.host, Host::Any].map(|host| hash((host, self.second + off, self.words)))
    }
}

/// A journal's sink, and what remembers its last events.
pub(super) type Hearing<S> = Overheard<LastEvents, S>;

/// The last events of a journal.
pub(super) struct LastEvents {
    max: usize,
    number: u64,
    events: VecDeque<JournalEvent>,
}

impl<S> Hearing<S> {
    /// Wraps a sink in the first round or a later one; `is_compared`: there are texts, or may be.
    pub(super) fn new(sink: S, is_compared: bool, is_first: bool) -> Self {
        let max = match (is_compared, is_first) {
            (false, _) => 0,
            (true, true) => MAX_HEARD_AT_FIRST,
            (true, false) => MAX_HEARD,
        };
        Self { listener: LastEvents { max, number: 0, events: VecDeque::new() }, sink }
    }

    /// The sink that was wrapped, and the events.
    pub(super) fn finish(self) -> (S, VecDeque<JournalEvent>) {
        (self.sink, self.listener.events)
    }
}

impl Listener for LastEvents {
    fn hear(&mut self, event: &Event<'_>) {
        let number = self.number;
        self.number += 1;
        let Some(at) = event.entry.at.filter(|_| self.max > 0) else { return };
        if self.events.len() == self.max {
            self.events.pop_front();
        }
        let (rule, times) = (event.rule, event.times);
        self.events.push_back(JournalEvent {
            known: KnownEvent { number, minute: at.minute(), rule, times },
            host: event.entry.host.map_or(Host::Unnamed, Host::named),
            second: second(at),
            words: words(event.entry.message),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_long_before_is_forgotten_and_what_was_met_lately_is_not() {
        let mut recent: Recent<u32> = Recent::default();
        let most = MAX_RECENT as u64;
        *recent.entry(most * 9) += 1;
        for identity in 0..most * 3 {
            *recent.entry(identity) += 1;
            // It is met again and again.
            if identity % 1000 == 0 {
                *recent.entry(most * 9) += 1;
            }
        }
        assert!(recent.now.len() + recent.before.len() <= 2 * MAX_RECENT);
        assert_eq!(recent.get(0), None);
        assert_eq!(recent.get(most * 3 - 1), Some(&1));
        assert_eq!(recent.get(most * 9), Some(&(1 + 300)));
    }
}

//! Finds events that several texts have: a syslog daemon writes one message into `syslog` and into
//! `daemon.log`, people save dumps of the journal that overlap.
//!
//! The same words in the same second are one event only where the lines say so: they name the
//! host and the program, and where they name the process it is the same. Two replicas may still
//! log alike under one name, and a log may be rotated within a second. So texts are compared only
//! where they run side by side in time, and a program's events only where nearly all that the
//! smaller text has of it are in the other one too. Of equal events within one text each counts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::copies::LoggedEvent;

/// Texts that overlap by less follow one another, by rotation.
const MIN_OVERLAP_S: i64 = 10;
/// Daemons may select by priority, so that one text has less than the other, but what both
/// select is the same, but for a line that one of them lost.
const SHARED_PERCENT: usize = 90;
/// A text is compared with so many fuller ones.
const MAX_COMPARED: usize = 16;

/// A text's events and its time.
pub(super) struct Text<'a> {
    /// The seconds of the first and the last entry.
    pub(super) span_s: Option<(i64, i64)>,
    pub(super) events: Vec<LoggedEvent<'a>>,
}

/// What a text shares with others, in which it counts.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Which of its events, by their places in [`Text::events`], in order.
    pub(super) events: Vec<usize>,
    /// The places of these texts, with how many events each has.
    with: BTreeMap<usize, u64>,
}

impl Shared {
    /// The text that has the most of the events.
    pub(super) fn mostly_with(&self) -> Option<usize> {
        let most = self.with.iter().max_by_key(|&(&text, &count)| (count, Reverse(text)));
        most.map(|(&text, _)| text)
    }
}

/// Compares the texts: an event counts in the text that has the most of its program.
pub(super) fn find(texts: &[Text<'_>]) -> Vec<Shared> {
    let mut shared: Vec<Shared> = texts.iter().map(|_| Shared::default()).collect();
    let mut places: Vec<Place> = Vec::new();
    for (text, events) in texts.iter().map(|text| &text.events).enumerate() {
        places.extend(events.iter().enumerate().map(|(event, logged)| Place {
            program: logged.program,
            text,
            event,
        }));
    }
    places.sort_unstable();
    for of_program in places.chunk_by(|one, other| one.program == other.program) {
        let by_text = of_program.chunk_by(|one, other| one.text == other.text);
        let mut logs: Vec<ProgramLog<'_>> =
            by_text.filter_map(|places| ProgramLog::new(texts, places)).collect();
        // Two texts with different parts of what a third one has agree with that one only.
        logs.sort_by_key(|log| (Reverse(log.places.len()), log.text));
        for at in 1..logs.len() {
            let (before, rest) = logs.split_at_mut(at);
            let Some(log) = rest.first_mut() else { continue };
            let others: Vec<&ProgramLog<'_>> = before
                .iter()
                .filter_map(|other| Some((other, other.common_span(log)?)))
                .take(MAX_COMPARED)
                .filter(|&(other, span)| other.has_the_same(log, span))
                .map(|(other, _)| other)
                .collect();
            if let Some(shared) = shared.get_mut(log.text) {
                log.leave_out(&others, shared);
            }
        }
    }
    shared.iter_mut().for_each(|shared| shared.events.sort_unstable());
    shared
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    program: u64,
    text: usize,
    event: usize,
}

/// Second and words.
type Key = (i64, u64);

/// What one text has of one program.
struct ProgramLog<'a> {
    text: usize,
    span_s: (i64, i64),
    places: &'a [Place],
    events: &'a [LoggedEvent<'a>],
    /// How often each event counts here.
    counted: HashMap<Key, u32>,
}

impl<'a> ProgramLog<'a> {
    fn new(texts: &'a [Text<'a>], places: &'a [Place]) -> Option<Self> {
        let text = places.first()?.text;
        let Text { span_s, events } = texts.get(text)?;
        let mut log = Self { text, span_s: (*span_s)?, places, events, counted: HashMap::new() };
        for event in log.single_events() {
            *log.counted.entry(event.key()).or_default() += 1;
        }
        Some(log)
    }

    fn events(&self) -> impl Iterator<Item = (usize, &'a LoggedEvent<'a>)> + use<'a> {
        let events = self.events;
        self.places.iter().filter_map(|place| Some((place.event, events.get(place.event)?)))
    }

    /// Without those that only say how often another one was repeated.
    fn single_events(&self) -> impl Iterator<Item = &'a LoggedEvent<'a>> + use<'a> {
        self.events().map(|(_, event)| event).filter(|event| !event.is_repetition)
    }

    /// The seconds in which both texts were written, where they were written side by side.
    fn common_span(&self, other: &Self) -> Option<(i64, i64)> {
        let (own, others) = (self.span_s, other.span_s);
        let common = (own.0.max(others.0), own.1.min(others.1));
        let is_within = common == own || common == others;
        (is_within || common.1 - common.0 >= MIN_OVERLAP_S).then_some(common)
    }

    /// Whether both texts have the program's events of these seconds.
    fn has_the_same(&self, other: &Self, (first, last): (i64, i64)) -> bool {
        let keys = |log: &Self| {
            let events = log.single_events().filter(|event| (first..=last).contains(&event.second));
            events.map(|event| event.key()).collect::<Vec<Key>>()
        };
        let mut own: HashMap<Key, usize> = HashMap::new();
        let own_keys = keys(self);
        for key in &own_keys {
            *own.entry(*key).or_default() += 1;
        }
        let others = keys(other);
        let take = |left: &mut usize| left.checked_sub(1).map(|less| *left = less);
        let same = others.iter().filter(|key| own.get_mut(key).and_then(take).is_some()).count();
        same > 0 && same * 100 >= own_keys.len().min(others.len()) * SHARED_PERCENT
    }

    /// Leaves out as many of each event as the other texts count.
    fn leave_out(&mut self, others: &[&ProgramLog<'_>], shared: &mut Shared) {
        let mut used: HashMap<Key, u32> = HashMap::new();
        let mut left_out_before = None;
        for (at, event) in self.events() {
            let key = event.key();
            if event.is_repetition {
                if left_out_before == Some(event.words) {
                    shared.events.push(at);
                }
                continue;
            }
            let of = |other: &ProgramLog<'_>| other.counted.get(&key).copied().unwrap_or(0);
            let used = used.entry(key).or_default();
            let is_left_out = *used < others.iter().map(|other| of(other)).sum();
            left_out_before = is_left_out.then_some(event.words);
            if is_left_out {
                *used += 1;
                shared.events.push(at);
                let with = others.iter().find(|other| of(other) > 0).map_or(0, |other| other.text);
                *shared.with.entry(with).or_default() += 1;
                if let Some(counted) = self.counted.get_mut(&key) {
                    *counted -= 1;
                }
            }
        }
    }
}

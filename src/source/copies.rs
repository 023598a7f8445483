//! Finds what a text says again that a journal of the same run says.
//!
//! On most machines a syslog daemon writes every journal entry a second time into a text file,
//! programs write to a file and to the journal, and people save `journalctl` output beside the
//! journal. Counting both would count every failure twice; leaving out every text beside a
//! journal would lose what only the text has (an older day, another host's lines, a proxy that
//! logs past the journal into the same file). So the journals are asked for each event of such a
//! text: the same host, second and words. What they hold is left out. Where they hold nearly all,
//! the text is a copy, and its other entries within the journals' time are left out too.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use super::{Damage, Event, Remark, Sink};
use crate::rules::RuleIndex;
use crate::time::{Minute, Timestamp};

/// This many events of a text are looked up; those behind them are judged by these.
const MAX_ASKED: usize = 200_000;
/// A copy may lack some of its original's events word by word (a cut line, an escaped byte).
const COPY_PERCENT: usize = 95;
/// Syslog daemons cut long lines, at 1 KiB at the least (RFC 3164 §4.1).
const COMPARED_BYTES: usize = 768;
/// A daemon may take the time at which it got an entry, across the border of a second.
const SECONDS_OFF: [i64; 3] = [0, -1, 1];

/// The identity of an event as far as a text can tell it: host, second and words.
type Identity = u64;

/// How often the journals were found to hold what was asked.
pub(super) type Answers = HashMap<Identity, u32>;

/// Minutes in which there is a journal, both ends included.
pub(super) type Minutes = (Minute, Minute);

/// Who logged an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Host {
    /// A name's hash.
    Named(u64),
    /// A journal's entry that names none.
    Unnamed,
    /// Of any name, for texts that name none.
    Any,
}

impl Host {
    /// Daemons write the short name or the full one, as they are configured.
    fn named(host: &[u8]) -> Self {
        let is_name = host.iter().any(u8::is_ascii_alphabetic);
        let short = host.split(|&byte| byte == b'.').next().filter(|_| is_name);
        Self::Named(hash(short.unwrap_or(host)))
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn second(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

fn words(message: &[u8]) -> u64 {
    let message = message.trim_ascii();
    let message = message.get(..COMPARED_BYTES).unwrap_or(message);
    hash(message.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii())
}

/// An event of a text within the time of the journals.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The event's number among all events of the text.
    number: u64,
    at: Timestamp,
    rule: RuleIndex,
    times: u32,
    host: Option<Host>,
    words: u64,
}

impl Asked {
    /// What a journal that holds the event may call it, the likeliest first.
    fn identities(self) -> impl Iterator<Item = Identity> {
        let hosts = match self.host {
            Some(named) => [Some(named), Some(Host::Unnamed)],
            None => [Some(Host::Any), None],
        };
        SECONDS_OFF.into_iter().flat_map(move |off| {
            let second = second(self.at) + off;
            hosts.into_iter().flatten().map(move |host| hash((host, second, self.words)))
        })
    }
}

/// What of a text the journals hold too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
    /// The minutes of which the text is a copy; none where it only has some events in common.
    pub copied: Vec<(Minute, Minute)>,
    /// The events that the journals hold, by their number in the text.
    pub held: Vec<KnownEvent>,
    /// The events within `copied` that they do not hold, by their number in the text.
    pub own: Vec<KnownEvent>,
}

/// An event of a text, without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownEvent {
    /// Its number among all events of the text, from 0.
    pub number: u64,
    /// When it was logged.
    pub minute: Minute,
    /// The rule that matched.
    pub rule: RuleIndex,
    /// How often it was logged.
    pub times: u32,
}

impl Repeats {
    /// Whether an event of the text is to be left out.
    pub fn contains(&self, number: u64, at: Option<Timestamp>) -> bool {
        let is_in = |events: &[KnownEvent]| {
            events.binary_search_by_key(&number, |event| event.number).is_ok()
        };
        let is_copied = at.is_some_and(|at| {
            self.copied.iter().any(|(first, last)| (*first..=*last).contains(&at.minute()))
        });
        is_in(&self.held) || (is_copied && !is_in(&self.own))
    }

    /// Whether all that the text gives within the time of the journals is theirs.
    pub fn is_copy(&self) -> bool {
        !self.copied.is_empty()
    }
}

/// What texts ask the journals, and what these answered.
#[derive(Default)]
pub(super) struct Witness {
    wanted: HashSet<Identity>,
    found: Answers,
}

impl Witness {
    /// Adds the events of a text to what is asked.
    pub(super) fn want<S>(&mut self, asking: &Asking<'_, S>) {
        self.wanted.extend(asking.asked.iter().flat_map(|asked| asked.identities()));
    }

    /// Whether nothing is asked.
    pub(super) fn is_idle(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Adds what a journal was found to hold.
    pub(super) fn found(&mut self, found: Answers) {
        for (identity, count) in found {
            *self.found.entry(identity).or_default() += count;
        }
    }

    /// What of the text the journals hold; `None`: nothing.
    pub(super) fn repeats<S>(&self, asking: &Asking<'_, S>) -> Option<Repeats> {
        let mut left = Left { found: &self.found, used: HashMap::new() };
        let mut repeats = Repeats::default();
        // The journal's own entries of a repetition lie at other seconds.
        let mut held_before = None;
        for asked in &asking.asked {
            let is_repetition = asked.times > 1;
            let is_held = if is_repetition {
                held_before == Some((asked.host, asked.words))
            } else {
                asked.identities().any(|identity| left.take(identity))
            };
            if !is_repetition {
                held_before = is_held.then_some((asked.host, asked.words));
            }
            let minute = asked.at.minute();
            let Asked { number, rule, times, .. } = *asked;
            let event = KnownEvent { number, minute, rule, times };
            if is_held { repeats.held.push(event) } else { repeats.own.push(event) }
        }
        if repeats.held.is_empty() {
            return None;
        }
        if repeats.held.len() * 100 >= asking.asked.len() * COPY_PERCENT {
            repeats.copied = asking.covered.to_vec();
        } else {
            repeats.own.clear();
        }
        Some(repeats)
    }
}

/// The answers that no event of a text has used up yet.
struct Left<'a> {
    found: &'a Answers,
    used: Answers,
}

impl Left<'_> {
    /// Whether the journals hold one more of these, which is then used up.
    fn take(&mut self, identity: Identity) -> bool {
        let Some(&found) = self.found.get(&identity) else { return false };
        let used = self.used.entry(identity).or_default();
        let is_left = *used < found;
        *used += u32::from(is_left);
        is_left
    }
}

/// A text's sink, which remembers events that a journal might hold too.
pub(super) struct Asking<'a, S> {
    sink: S,
    covered: &'a [Minutes],
    events: u64,
    asked: Vec<Asked>,
}

impl<'a, S> Asking<'a, S> {
    /// Wraps a sink; where there is no journal there is nothing to remember.
    pub(super) fn new(sink: S, covered: &'a [Minutes]) -> Self {
        Self { sink, covered, events: 0, asked: Vec::new() }
    }

    /// The sink that was wrapped.
    pub(super) fn finish(self) -> S {
        self.sink
    }

    fn ask(&mut self, event: &Event<'_>) {
        let Some(at) = event.entry.at else { return };
        let is_covered =
            self.covered.iter().any(|(first, last)| (*first..=*last).contains(&at.minute()));
        if is_covered && self.asked.len() < MAX_ASKED {
            self.asked.push(Asked {
                number: self.events,
                at,
                rule: event.rule,
                times: event.times,
                host: event.entry.host.map(Host::named),
                words: words(event.entry.message),
            });
        }
    }
}

impl<S: Sink> Sink for Asking<'_, S> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.sink.entries(minute, count);
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self.ask(event);
        self.events += 1;
        self.sink.event(event)
    }

    fn damage(&mut self, damage: Damage) {
        self.sink.damage(damage);
    }

    fn remark(&mut self, remark: Remark) {
        self.sink.remark(remark);
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

    fn answer(&mut self, event: &Event<'_>) {
        let Some(at) = event.entry.at else { return };
        let host = event.entry.host.map_or(Host::Unnamed, Host::named);
        let words = words(event.entry.message);
        for host in [host, Host::Any] {
            let identity = hash((host, second(at), words));
            if self.wanted.contains(&identity) {
                *self.found.entry(identity).or_default() += 1;
            }
        }
    }
}

impl<S: Sink> Sink for Answering<'_, S> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.sink.entries(minute, count);
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        if !self.wanted.is_empty() {
            self.answer(event);
        }
        self.sink.event(event)
    }

    fn damage(&mut self, damage: Damage) {
        self.sink.damage(damage);
    }

    fn remark(&mut self, remark: Remark) {
        self.sink.remark(remark);
    }
}

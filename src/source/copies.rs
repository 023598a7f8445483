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
use std::path::{Path, PathBuf};

use super::overheard::{Listener, Overheard};
use super::{Event, Merge};
use crate::entry::Entry;
use crate::rules::RuleIndex;
use crate::time::{Minute, Timestamp};

/// This many events of a text are looked up; those behind them are judged by these.
const MAX_ASKED: usize = 200_000;
/// So many of all texts together, but some of each.
const MAX_ASKED_OF_ALL: usize = 500_000;
const MIN_ASKED: usize = 1000;
/// A copy may lack some of its original's events word by word (a cut line, an escaped byte).
const COPY_PERCENT: usize = 95;
/// Syslog daemons cut long lines, at 1 KiB at the least (RFC 3164 §4.1).
const COMPARED_BYTES: usize = 768;
/// A daemon may take the time at which it got an entry, across the border of a second.
pub(super) const SECONDS_OFF: [i64; 3] = [0, -1, 1];

/// The identity of an event as far as a text can tell it: host, second and words.
pub(super) type Identity = u64;

/// How often the journals were found to hold what was asked.
pub(super) type Answers = HashMap<Identity, u32>;

/// Minutes in which there is a journal, both ends included.
pub(super) type Minutes = (Minute, Minute);

/// Who logged an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Host {
    /// A name's hash.
    Named(u64),
    /// A journal's entry that names none.
    Unnamed,
    /// Of any name, for texts that name none.
    Any,
}

impl Host {
    /// Daemons write the short name or the full one, as they are configured.
    pub(super) fn named(host: &[u8]) -> Self {
        let is_name = host.iter().any(u8::is_ascii_alphabetic);
        let short = host.split(|&byte| byte == b'.').next().filter(|_| is_name);
        Self::Named(hash(short.unwrap_or(host)))
    }
}

pub(super) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The second of an event, since 1970.
pub(super) fn second(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

pub(super) fn words(message: &[u8]) -> u64 {
    let message = message.trim_ascii();
    let message = message.get(..COMPARED_BYTES).unwrap_or(message);
    hash(message.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii())
}

/// An event of a text that a journal or another text may have too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The event's number among all events of the text.
    number: u64,
    at: Timestamp,
    rule: RuleIndex,
    times: u32,
    host: Option<Host>,
    /// Host, identifier and process; `None` where the line does not name host and identifier.
    program: Option<u64>,
    words: u64,
    /// Whether it lies within the time of the journals.
    is_covered: bool,
}

/// An event of a text that says which program of which host logged it.
pub(super) struct LoggedEvent<'a> {
    asked: &'a Asked,
    /// Host, identifier and process.
    pub(super) program: u64,
    pub(super) second: i64,
    pub(super) words: u64,
    /// Whether it only says how often the event before was repeated.
    pub(super) is_repetition: bool,
}

impl LoggedEvent<'_> {
    /// What is the same in every text that has the event.
    pub(super) fn key(&self) -> (i64, u64) {
        (self.second, self.words)
    }
}

impl Asked {
    pub(super) fn known(&self) -> KnownEvent {
        let Self { number, at, rule, times, .. } = *self;
        KnownEvent { number, minute: at.minute(), rule, times }
    }

    pub(super) fn is_repetition(&self) -> bool {
        self.times > 1
    }

    /// Who said what.
    pub(super) fn said(&self) -> (Option<Host>, u64) {
        (self.host, self.words)
    }

    /// Host, identifier and process, second and words; `None` where the line does not name host and
    /// identifier.
    pub(super) fn line(&self) -> Option<Identity> {
        self.program.map(|program| hash((program, second(self.at), self.words)))
    }

    /// Whether a journal may have it.
    pub(super) fn is_covered(&self) -> bool {
        self.is_covered
    }

    /// What it is called by itself.
    pub(super) fn identity(&self) -> Identity {
        hash((self.host.unwrap_or(Host::Any), second(self.at), self.words))
    }

    /// What a journal that holds the event may call it, the likeliest first.
    pub(super) fn identities(self) -> impl Iterator<Item = Identity> {
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
    /// The events that another text has and that are neither held nor copied, by their number.
    pub shared: Vec<KnownEvent>,
    /// How many events another text has, and which text that is.
    pub shared_with: Option<(u64, PathBuf)>,
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

/// Whether the event with this number is among these, which are in order.
fn is_in(events: &[KnownEvent], number: u64) -> bool {
    events.binary_search_by_key(&number, |event| event.number).is_ok()
}

impl Repeats {
    /// Whether an event of the text is to be left out.
    pub fn contains(&self, number: u64, at: Option<Timestamp>) -> bool {
        let is_in = |events: &[KnownEvent]| is_in(events, number);
        let is_copied = at.is_some_and(|at| {
            self.copied.iter().any(|(first, last)| (*first..=*last).contains(&at.minute()))
        });
        is_in(&self.held) || is_in(&self.shared) || (is_copied && !is_in(&self.own))
    }

    /// Leaves out events that the text at `path` gave already.
    pub(super) fn share(&mut self, events: &[&LoggedEvent<'_>], path: &Path) {
        let left_in = events
            .iter()
            .map(|event| event.asked)
            .filter(|asked| !self.contains(asked.number, Some(asked.at)));
        let left_in: Vec<KnownEvent> = left_in.map(Asked::known).collect();
        self.shared_with =
            Some((left_in.len() as u64, path.to_owned())).filter(|(count, _)| *count > 0);
        let (own, others): (Vec<_>, Vec<_>) =
            left_in.into_iter().partition(|known| is_in(&self.own, known.number));
        self.own.retain(|known| !is_in(&own, known.number));
        self.shared = others;
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.shared_with.is_none()
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
        self.wanted.extend(asking.covered_events().flat_map(|asked| asked.identities()));
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

    /// What of the text the journals hold.
    pub(super) fn repeats<S>(&self, asking: &Asking<'_, S>) -> Repeats {
        let mut left = Left { found: &self.found, used: HashMap::new() };
        let mut repeats = Repeats::default();
        // The journal's own entries of a repetition lie at other seconds.
        let mut held_before = None;
        for asked in asking.covered_events() {
            let is_held = if asked.is_repetition() {
                held_before == Some(asked.said())
            } else {
                asked.identities().any(|identity| left.take(identity))
            };
            if !asked.is_repetition() {
                held_before = is_held.then_some(asked.said());
            }
            let event = asked.known();
            if is_held { repeats.held.push(event) } else { repeats.own.push(event) }
        }
        let asked = repeats.held.len() + repeats.own.len();
        if !repeats.held.is_empty() && repeats.held.len() * 100 >= asked * COPY_PERCENT {
            repeats.copied = asking.listener.memory.covered.to_vec();
        } else {
            repeats.own.clear();
        }
        repeats
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

/// What a text's sink has to remember.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    covered: &'a [Minutes],
    has_other_texts: bool,
    max_asked: usize,
}

impl<'a> Memory<'a> {
    /// Where there are so many texts, and journals of the given minutes.
    pub(super) fn new(texts: usize, covered: &'a [Minutes]) -> Self {
        let share = (MAX_ASKED_OF_ALL / texts.max(1)).clamp(MIN_ASKED, MAX_ASKED);
        Self { covered, has_other_texts: texts > 1, max_asked: share }
    }
}

/// A text's sink, and what remembers events that a journal or another text might hold too.
pub(super) type Asking<'a, S> = Overheard<Questions<'a>, S>;

/// The events of a text that are asked for.
pub(super) struct Questions<'a> {
    memory: Memory<'a>,
    events: u64,
    /// How many lines the readers of parts of the text have read.
    lines: u64,
    asked: Vec<Asked>,
}

impl<'a, S> Asking<'a, S> {
    /// Wraps a sink; where there is nothing else to read there is nothing to remember.
    pub(super) fn new(sink: S, memory: Memory<'a>) -> Self {
        Self { listener: Questions { memory, events: 0, lines: 0, asked: Vec::new() }, sink }
    }

    /// The sink that was wrapped.
    pub(super) fn finish(self) -> S {
        self.sink
    }

    /// Notes how many lines a part of the text has.
    pub(super) fn set_lines(&mut self, lines: u64) {
        self.listener.lines = lines;
    }

    /// Adds what the reader of a later part of the text was told.
    pub(super) fn merge(&mut self, later: Self)
    where
        S: Merge,
    {
        let Overheard { listener: own, sink } = self;
        let Overheard { listener: later, sink: later_sink } = later;
        let room = own.memory.max_asked.saturating_sub(own.asked.len());
        let before = own.events;
        let asked = later.asked.into_iter().take(room);
        own.asked.extend(asked.map(|asked| Asked { number: asked.number + before, ..asked }));
        own.events += later.events;
        sink.merge(later_sink, own.lines);
        own.lines += later.lines;
    }

    /// The events that say which program of which host logged them.
    pub(super) fn logged_events(&self) -> Vec<LoggedEvent<'_>> {
        let logged = |asked| {
            let &Asked { at, program, words, .. } = asked;
            let (second, is_repetition) = (second(at), Asked::is_repetition(asked));
            Some(LoggedEvent { asked, program: program?, second, words, is_repetition })
        };
        self.events().iter().filter_map(logged).collect()
    }

    /// The events that a journal or another text may have, too.
    pub(super) fn events(&self) -> &[Asked] {
        &self.listener.asked
    }

    fn covered_events(&self) -> impl Iterator<Item = &Asked> {
        self.events().iter().filter(|asked| asked.is_covered)
    }
}

impl Questions<'_> {
    fn ask(&mut self, event: &Event<'_>) {
        let Entry { at: Some(at), host, identifier, pid, message, .. } = *event.entry else {
            return;
        };
        let is_in = |(first, last): &Minutes| (*first..=*last).contains(&at.minute());
        let is_covered = self.memory.covered.iter().any(is_in);
        let host = host.map(Host::named);
        let program = host.zip(identifier).map(|(host, identifier)| hash((host, identifier, pid)));
        let may_be_shared = self.memory.has_other_texts && program.is_some();
        if (is_covered || may_be_shared) && self.asked.len() < self.memory.max_asked {
            let (number, rule, times) = (self.events, event.rule, event.times);
            let words = words(message);
            self.asked.push(Asked { number, at, rule, times, host, program, words, is_covered });
        }
    }
}

impl Listener for Questions<'_> {
    fn hear(&mut self, event: &Event<'_>) {
        self.ask(event);
        self.events += 1;
    }
}

/// A journal's sink, and what answers whether the journal holds what was asked.
pub(super) type Answering<'a, S> = Overheard<Answerer<'a>, S>;

/// Looks for what was asked.
pub(super) struct Answerer<'a> {
    wanted: &'a HashSet<Identity>,
    found: Answers,
}

impl<'a, S> Answering<'a, S> {
    /// Wraps a sink.
    pub(super) fn new(sink: S, witness: &'a Witness) -> Self {
        Self { listener: Answerer { wanted: &witness.wanted, found: Answers::new() }, sink }
    }

    /// The sink that was wrapped, and what of the question was found.
    pub(super) fn finish(self) -> (S, Answers) {
        (self.sink, self.listener.found)
    }
}

impl Listener for Answerer<'_> {
    fn hear(&mut self, event: &Event<'_>) {
        let Some(at) = event.entry.at.filter(|_| !self.wanted.is_empty()) else { return };
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

//! What the logs say: who logged something, and who was only spoken of.
//!
//! An entry of a unit or a process is told by its fields; a port and a path have none, and are
//! spoken of in messages. To be spoken of proves little: the client whose connection to a port was
//! refused shows that somebody looked for it, not that it was there.

use std::ops::ControlFlow;
use std::path::PathBuf;

use regex::bytes::{Regex, RegexBuilder};

use super::asked::{self, Asked};
use super::kinds::{Kinds, first_line};
use crate::entry::{Cursor, Origin};
use crate::rules::{RuleError, RuleSet};
use crate::source::watch::{Name, UnitAct};
use crate::source::{Damage, Event, Merge, Remark, Sighting, Sink, Watch};
use crate::tally::TallySink;
use crate::time::{Minute, Timestamp};

/// What is looked for in the logs.
pub struct Search {
    asked: Vec<Asked>,
    words: Vec<Words>,
    /// Of each name that is watched for, whose it is.
    owners: Vec<usize>,
    watch: Watch,
    rules: RuleSet,
}

/// The expressions by which messages speak of one thing.
struct Words {
    mention: Option<Regex>,
    presence: Option<Regex>,
    denial: Option<Regex>,
}

impl Search {
    /// A search for all that is asked, in one pass.
    pub fn new(asked: &[Asked]) -> Result<Self, RuleError> {
        let compile = |expression: String| {
            RegexBuilder::new(&expression).unicode(false).multi_line(true).build().ok()
        };
        let words = asked.iter().map(|asked| Words {
            mention: compile(asked.mention()),
            presence: asked.presence().and_then(compile),
            denial: asked.denial().and_then(compile),
        });
        let (owners, names): (Vec<usize>, Vec<Name>) = asked
            .iter()
            .enumerate()
            .filter_map(|(place, asked)| Some((place, asked.own_name()?)))
            .unzip();
        Ok(Self {
            words: words.collect(),
            owners,
            watch: Watch::new(names),
            rules: asked::rules(asked)?,
            asked: asked.to_vec(),
        })
    }

    /// What is asked.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// The rules that find what messages say.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The names whose entries are wanted.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }
}

/// What the logs say of one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The entries that show that it was there.
    pub seen: Run,
    /// The entries that only speak of it.
    pub mentioned: Run,
    /// How often the service manager started it.
    pub starts: u64,
    /// How often the service manager stopped it.
    pub stops: u64,
    /// How often it could not be started.
    failed_starts: u64,
    /// How often it ended in failure.
    failed_ends: u64,
}

impl History {
    /// How often it failed. systemd says of most failed starts both that the job failed and that
    /// the unit did; older versions say only one of these.
    pub fn failures(&self) -> u64 {
        self.failed_starts.max(self.failed_ends)
    }

    /// Adds what another source says. A source that repeats what others say adds no number.
    pub fn merge(&mut self, other: Self, is_repeated: bool) {
        let add = |own: &mut u64, more: u64| {
            *own = if is_repeated { (*own).max(more) } else { own.saturating_add(more) };
        };
        add(&mut self.starts, other.starts);
        add(&mut self.stops, other.stops);
        add(&mut self.failed_starts, other.failed_starts);
        add(&mut self.failed_ends, other.failed_ends);
        for (own, more) in [(&mut self.seen, other.seen), (&mut self.mentioned, other.mentioned)] {
            add(&mut own.entries, more.entries);
            own.kinds.merge(more.kinds, is_repeated);
            more.first.into_iter().chain(more.last).for_each(|evidence| own.extend_to(evidence));
        }
    }
}

/// Entries of one kind: how many, and the first and the last of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// How many there are.
    pub entries: u64,
    /// The first; `None`: there is none.
    pub first: Option<Evidence>,
    /// The last; `None`: there is none.
    pub last: Option<Evidence>,
    /// What they say, if that is what shows it.
    pub kinds: Kinds,
}

impl Run {
    /// Whether there is any entry.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// From when to when; `None`: no entry carries a time.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.first.as_ref()?.at?, self.last.as_ref()?.at?))
    }

    /// Counts an entry.
    fn count(&mut self, at: Option<Timestamp>, evidence: impl Fn() -> Evidence) {
        self.entries += 1;
        if is_earlier(at, self.first.as_ref()) {
            self.first = Some(evidence());
        }
        if is_later(at, self.last.as_ref()) {
            self.last = Some(evidence());
        }
    }

    /// Counts lines from the beginning of a text, of which a later part began behind so many.
    fn move_down(&mut self, lines_before: u64) {
        for evidence in self.first.iter_mut().chain(&mut self.last) {
            if let FoundAt::Line(_, line) = &mut evidence.found_at {
                *line += lines_before;
            }
        }
    }

    fn extend_to(&mut self, evidence: Evidence) {
        if is_earlier(evidence.at, self.first.as_ref()) {
            self.first = Some(evidence.clone());
        }
        if is_later(evidence.at, self.last.as_ref()) {
            self.last = Some(evidence);
        }
    }
}

fn is_earlier(at: Option<Timestamp>, than: Option<&Evidence>) -> bool {
    than.is_none_or(|than| at.is_some() && than.at.is_none_or(|than| at < Some(than)))
}

fn is_later(at: Option<Timestamp>, than: Option<&Evidence>) -> bool {
    than.is_none_or(|than| at.is_some() && at >= than.at)
}

/// An entry that shows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When it was logged; `None`: the source does not say.
    pub at: Option<Timestamp>,
    /// Where it can be found again.
    pub found_at: FoundAt,
    /// What it says, if that is what shows it: its first line, of any characters.
    pub message: Option<String>,
}

/// Where an entry can be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundAt {
    /// An entry of a journal.
    Cursor(Cursor),
    /// A cursor that a journal dump carried along.
    CursorText(String),
    /// A line of a file, counted from 1.
    Line(PathBuf, u64),
}

impl From<&Origin<'_>> for FoundAt {
    fn from(origin: &Origin<'_>) -> Self {
        match origin {
            Origin::Cursor(cursor) => Self::Cursor(*cursor),
            Origin::CursorText(text) => {
                Self::CursorText(String::from_utf8_lossy(text).into_owned())
            }
            Origin::Line { path, line } => Self::Line((*path).to_owned(), *line),
        }
    }
}

/// Collects the history of all that is searched for, and what the coverage follows from.
pub struct HistorySink<'a> {
    search: &'a Search,
    /// Of each thing asked, in that order.
    pub histories: Vec<History>,
    /// Counts all entries.
    pub tally: TallySink<'a>,
    /// The entry that was sighted last, and whose it is.
    last_sighted: Option<(FoundAt, u64)>,
}

impl<'a> HistorySink<'a> {
    /// A sink that was told nothing yet.
    pub fn new(search: &'a Search) -> Self {
        Self {
            search,
            histories: vec![History::default(); search.asked.len()],
            tally: TallySink::new(&search.rules),
            last_sighted: None,
        }
    }

    /// Whether the thing at `place` owns the entry.
    fn is_sighted(&self, origin: &Origin<'_>, place: usize) -> bool {
        let (found_at, owners) = match &self.last_sighted {
            Some((found_at, owners)) => (found_at, owners),
            None => return false,
        };
        place < 64 && owners >> place & 1 == 1 && *found_at == FoundAt::from(origin)
    }
}

impl Merge for HistorySink<'_> {
    fn merge(&mut self, later: Self, lines_before: u64) {
        for (own, mut more) in self.histories.iter_mut().zip(later.histories) {
            more.seen.move_down(lines_before);
            more.mentioned.move_down(lines_before);
            own.merge(more, false);
        }
        self.tally.merge(later.tally, lines_before);
    }
}

impl Sink for HistorySink<'_> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.tally.entries(minute, count);
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let entry = event.entry;
        for (place, words) in self.search.words.iter().enumerate() {
            let matches = |words: &Option<Regex>| {
                words.as_ref().is_some_and(|words| words.is_match(entry.message))
            };
            if !matches(&words.mention) || self.is_sighted(&entry.origin, place) {
                continue;
            }
            let evidence = || Evidence {
                at: entry.at,
                found_at: FoundAt::from(&entry.origin),
                message: Some(String::from_utf8_lossy(first_line(entry.message)).into_owned()),
            };
            let Some(history) = self.histories.get_mut(place) else { continue };
            let is_shown = matches(&words.presence) && !matches(&words.denial);
            let run = if is_shown { &mut history.seen } else { &mut history.mentioned };
            run.count(entry.at, evidence);
            run.kinds.count(entry.message, entry.at);
        }
        ControlFlow::Continue(())
    }

    fn sighting(&mut self, sighting: &Sighting<'_>) {
        let Some(&place) = self.search.owners.get(sighting.name) else { return };
        let Some(history) = self.histories.get_mut(place) else { return };
        let found_at = FoundAt::from(sighting.origin);
        match sighting.act {
            None => {}
            Some(UnitAct::Started) => history.starts += 1,
            Some(UnitAct::Stopped) => history.stops += 1,
            Some(UnitAct::StartFailed) => history.failed_starts += 1,
            Some(UnitAct::Failed) => history.failed_ends += 1,
        }
        history.seen.count(sighting.at, || Evidence {
            at: sighting.at,
            found_at: found_at.clone(),
            message: None,
        });
        let bit = if place < 64 { 1 << place } else { 0 };
        match &mut self.last_sighted {
            Some((last, owners)) if *last == found_at => *owners |= bit,
            last => *last = Some((found_at, bit)),
        }
    }

    fn damage(&mut self, damage: Damage) {
        self.tally.damage(damage);
    }

    fn remark(&mut self, remark: Remark) {
        self.tally.remark(remark);
    }
}

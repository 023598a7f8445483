//! Reads all sources, several at a time, and tells which of them repeat others.
//!
//! Each source gets a sink of its own from the caller and is read by one thread; sinks add up
//! afterwards in the order of the sources, so the result is the same with any number of threads.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::copies::{self, Answering, Answers, Memory, Minutes, Witness};
use super::discover::{Found, STDIN};
use super::file_copies::{Copies, Link};
use super::journal::{Backend, ClosedJournal, Duplicates, Facts, JournalError, JournalFile};
use super::shared_events;
use super::texts::{self, ReadText};
use super::{
    Damage, Detail, Event, Merge, Query, Repeats, Sink, SourceKind, Summary, journal, text,
};
use crate::time::{Minute, Timestamp};

/// Sources whose kind is known as far as it must be before a query can be put to them.
#[derive(Default)]
pub struct Opened {
    /// Journal files.
    pub journals: Vec<OpenedJournal>,
    /// Journal files of a variant that only libsystemd may know, with what their header says.
    pub foreign: Vec<(Place, Found, Box<Facts>)>,
    /// Everything else.
    pub texts: Vec<(Place, Found)>,
    /// What could not be opened.
    pub refused: Vec<Refused>,
}

/// A source's position in the order in which the sources were found.
pub type Place = usize;

/// A journal file that the native reader can read.
pub struct OpenedJournal {
    pub(super) place: Place,
    pub(super) found: Found,
    /// The file, which is opened when its turn comes.
    pub file: ClosedJournal,
}

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    /// How many threads.
    pub threads: usize,
    /// What reads journals.
    pub backend: Backend,
    /// The time at which standard input is taken to end.
    pub now: Timestamp,
}

/// A source that could not be opened.
pub struct Refused {
    /// The source.
    pub found: Found,
    /// Why.
    pub reason: Refusal,
}

/// Why a source could not be opened, or not be read.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a journal that the native reader does not know how to read.
    #[error(transparent)]
    Journal(JournalError),
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Io { error, .. } => Self::Io(error),
            other => Self::Journal(other),
        }
    }
}

/// What came of one source.
pub struct Outcome<S> {
    /// What was read.
    pub summary: Summary,
    /// The sink that it was read into.
    pub sink: S,
    /// What of this source repeats what a journal of the same run says, and so must not be
    /// counted again.
    pub repeats: Option<Repeats>,
    /// The file that this one is a copy of; its entries are skipped then.
    pub copy_of: Option<CopyOf>,
    /// Why nothing, or not all, could be read.
    pub failure: Option<Refusal>,
}

/// The file that another one is a copy of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOf {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is the same to the last byte; else the copy ends within it.
    pub is_equal: bool,
}

/// Looks at what was found, and tells journals from the rest by content. No file stays open.
pub fn open(found: Vec<Found>, backend: Backend) -> Opened {
    let mut opened = Opened::default();
    for (place, found) in found.into_iter().enumerate() {
        let journal = if found.regular { ClosedJournal::read(&found.path) } else { Ok(None) };
        match journal {
            Ok(Some(file)) => opened.journals.push(OpenedJournal { place, found, file }),
            Ok(None) => opened.texts.push((place, found)),
            Err(JournalError::Incompatible { facts, .. }) if backend.may_use_libsystemd() => {
                opened.foreign.push((place, found, facts));
            }
            Err(error) => opened.refused.push(Refused { found, reason: error.into() }),
        }
    }
    opened
}

/// Puts the query to every source. The outcomes are in the order in which the sources were found.
///
/// Texts are read before journals: a text may repeat the journal, and the journal is then asked
/// whether it holds what the text gave.
pub fn scan<S: Sink + Merge + Send>(
    opened: Opened,
    query: &Query<'_>,
    means: Means,
    new_sink: impl Fn(Place) -> S + Sync,
) -> Vec<Outcome<S>> {
    let covered = covered_minutes(opened.journals.iter().map(|journal| journal.file.facts()));
    let (texts, copied_texts) =
        Copies::of_texts(&opened.texts, means.threads).set_apart(opened.texts, |(place, _)| *place);
    let (journals, copied_journals) = journal_copies(&opened.journals, means.threads)
        .set_apart(opened.journals, |journal| journal.place);
    let memory = Memory::new(texts.len(), &covered);
    let texts = texts::read(&texts, query, means, memory, &new_sink);
    let mut wanted = Witness::default();
    for (_, _, asking, _) in &texts {
        wanted.want(asking);
    }
    // The journals' entries are compared by their host too.
    let detail = if wanted.is_idle() { query.detail } else { query.detail.max(Detail::Fields) };
    let query = &Query { detail, ..*query };
    let (mut outcomes, found) =
        scan_journals(journals, opened.foreign, &wanted, query, means, &new_sink);
    found.into_iter().for_each(|found| wanted.found(found));
    let repeats = repeats_of(&texts, &wanted);
    for ((place, summary, asking, failure), repeats) in texts.into_iter().zip(repeats) {
        let sink = asking.finish();
        outcomes.push((place, Outcome { summary, sink, repeats, copy_of: None, failure }));
    }
    let copied_journals = copied_journals.into_iter().map(|(journal, link)| {
        let OpenedJournal { place, found, .. } = journal;
        ((place, found), link)
    });
    let copies = copied_texts.into_iter().chain(copied_journals).collect();
    let copies = read_copies(copies, &outcomes, query, means, &new_sink);
    outcomes.extend(copies);
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What of each text the journals or other texts have too, where all of them were read as a whole.
pub(super) fn repeats_of<S>(texts: &[ReadText<'_, S>], journals: &Witness) -> Vec<Option<Repeats>> {
    let comparable = texts.iter().map(|(_, summary, asking, _)| {
        let names_programs = matches!(
            summary.kind,
            SourceKind::Syslog | SourceKind::Export | SourceKind::JournalJson
        );
        let span_s = summary.first.map(copies::second).zip(summary.last.map(copies::second));
        let events = if names_programs { asking.logged_events() } else { Vec::new() };
        shared_events::Text { span_s, events }
    });
    let comparable: Vec<_> = comparable.collect();
    let shared = shared_events::find(&comparable);
    let all = texts.iter().zip(&comparable).zip(&shared);
    let repeats = all.map(|(((_, _, asking, _), text), shared)| {
        let mut repeats = journals.repeats(asking);
        if let Some((_, with, ..)) = shared.mostly_with().and_then(|with| texts.get(with)) {
            let events: Vec<_> =
                shared.events.iter().filter_map(|&at| text.events.get(at)).collect();
            repeats.share(&events, &with.path);
        }
        Some(repeats).filter(|repeats| !repeats.is_empty())
    });
    repeats.collect()
}

fn journal_copies(journals: &[OpenedJournal], threads: usize) -> Copies {
    let with_ids = journals.iter().map(|journal| {
        let OpenedJournal { place, found, file } = journal;
        (file.facts().file_id, *place, found)
    });
    Copies::of_journals(with_ids, threads)
}

/// Reads all journals; also gives what of the question each of them was found to hold.
pub(super) fn scan_journals<S: Sink + Send>(
    journals: Vec<OpenedJournal>,
    foreign: Vec<(Place, Found, Box<Facts>)>,
    wanted: &Witness,
    query: &Query<'_>,
    means: Means,
    new_sink: &(impl Fn(Place) -> S + Sync),
) -> (Vec<(Place, Outcome<S>)>, Vec<Answers>) {
    let known = journals.iter().map(|journal| journal.file.facts());
    let duplicates = Duplicates::new(known.chain(foreign.iter().map(|(_, _, facts)| &**facts)));
    let mut answered = in_parallel(journals, means.threads, |journal| {
        let mut answering = Answering::new(new_sink(journal.place), wanted);
        let (summary, failure) =
            read_journal(&journal, query, means.backend, &duplicates, &mut answering);
        (journal.place, summary, answering, failure)
    });
    answered.extend(in_parallel(foreign, means.threads, |(place, found, _)| {
        let mut answering = Answering::new(new_sink(place), wanted);
        let result = journal::read_foreign(&found.path, query, &duplicates, &mut answering);
        let (summary, failure) = unless_refused(&found.path, result.map_err(Refusal::from));
        (place, summary, answering, failure)
    }));
    let mut found = Vec::new();
    let mut outcomes = Vec::new();
    for (place, summary, answering, failure) in answered {
        let (sink, answers) = answering.finish();
        found.push(answers);
        outcomes.push((place, Outcome { summary, sink, repeats: None, copy_of: None, failure }));
    }
    (outcomes, found)
}

fn read_journal(
    journal: &OpenedJournal,
    query: &Query<'_>,
    backend: Backend,
    duplicates: &Duplicates,
    sink: &mut dyn Sink,
) -> (Summary, Option<Refusal>) {
    let read = |file: JournalFile| {
        // libsystemd opens files by their paths.
        let backend = if journal.file.is_packed() { Backend::Native } else { backend };
        let mut summary = journal::read(&file, backend, query, duplicates, sink);
        if journal.file.is_packed() {
            summary.bytes = journal.found.bytes;
        }
        summary
    };
    unless_refused(&journal.found.path, journal.file.open().map(read).map_err(Refusal::from))
}

/// What was read of a source, or that it could not be read, and why.
fn unless_refused(path: &Path, read: Result<Summary, Refusal>) -> (Summary, Option<Refusal>) {
    match read {
        Ok(summary) => (summary, None),
        Err(reason) => (Summary::new(path, SourceKind::Binary), Some(reason)),
    }
}

/// What came of the copies: their entries are skipped.
fn read_copies<S: Sink + Send>(
    copies: Vec<((Place, Found), Link)>,
    outcomes: &[(Place, Outcome<S>)],
    query: &Query<'_>,
    means: Means,
    new_sink: &(impl Fn(Place) -> S + Sync),
) -> Vec<(Place, Outcome<S>)> {
    let summaries: BTreeMap<Place, &Summary> =
        outcomes.iter().map(|(place, outcome)| (*place, &outcome.summary)).collect();
    in_parallel(copies, means.threads, |((place, found), Link { to, is_equal })| {
        let mut sink = new_sink(place);
        let original = summaries.get(&to).copied();
        let (mut summary, failure) = match original {
            Some(original) if is_equal => {
                query.progress.add(found.bytes);
                let summary = Summary { path: found.path, bytes: found.bytes, ..original.clone() };
                (summary, None)
            }
            // How many of the entries it ends in the midst of is for its reader to say.
            _ => read_text(&found, query, means.now, &mut DamageOnly(&mut sink)),
        };
        summary.skip_all();
        let copy_of = original.map(|of| CopyOf { path: of.path.clone(), is_equal });
        (place, Outcome { summary, sink, repeats: None, copy_of, failure })
    })
}

/// Passes on what could not be read, and nothing else.
pub(super) struct DamageOnly<'a, S>(pub(super) &'a mut S);

impl<S: Sink> Sink for DamageOnly<'_, S> {
    fn entries(&mut self, _minute: Option<Minute>, _count: u64) {}

    fn event(&mut self, _event: &Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.0.damage(damage);
    }
}

/// The minutes in which the journals were written, in order, without overlaps.
pub(super) fn covered_minutes<'f>(journals: impl Iterator<Item = &'f Facts>) -> Vec<Minutes> {
    let spans = journals
        .filter_map(|facts| Some((facts.head_realtime?.minute(), facts.tail_realtime?.minute())));
    let mut spans: Vec<Minutes> = spans.collect();
    spans.sort_unstable();
    let mut covered: Vec<Minutes> = Vec::new();
    for (first, last) in spans {
        match covered.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => covered.push((first, last)),
        }
    }
    covered
}

/// Reads a text to its end. Also says why it could not be read, if it could not.
pub(super) fn read_text(
    found: &Found,
    query: &Query<'_>,
    now: Timestamp,
    sink: &mut dyn Sink,
) -> (Summary, Option<Refusal>) {
    let path = found.path.as_path();
    let modified = if found.regular { modification_time(path) } else { None };
    let input = text::Input { path, modified: modified.or(Some(now)), can_reopen: found.regular };
    let mut open = || -> io::Result<Box<dyn Read + Send>> {
        Ok(if path == Path::new(STDIN) {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path)?)
        })
    };
    unless_refused(path, text::read(input, &mut open, query, sink).map_err(Refusal::from))
}

fn modification_time(path: &Path) -> Option<Timestamp> {
    let modified = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    Timestamp::from_utc(modified.into())
}

/// Gives the items to `threads` threads, in order, and the results back in the same order.
pub(super) fn in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = lock(&queue).next();
                    let Some((place, item)) = next else { break };
                    let result = work(item);
                    lock(&done).push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A lock whose holder panicked guards nothing that is half done here.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

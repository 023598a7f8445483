//! Reads all sources, several at a time, and tells which of them repeat others.
//!
//! Each source gets a sink of its own from the caller and is read by one thread; sinks add up
//! afterwards in the order of the sources, so the result is the same with any number of threads.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Mutex;

use super::copies::{Answering, Answers, Asking, Minutes, Witness};
use super::discover::{Found, STDIN};
use super::journal::{Backend, Duplicates, Facts, JournalError, JournalFile};
use super::{Detail, Query, Repeats, Sink, SourceKind, Summary, compression, journal, text};
use crate::time::Timestamp;

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
    /// The file.
    pub file: JournalFile,
    /// Its size under its path, where it lies unpacked in a temporary file.
    pub(super) packed_bytes: Option<u64>,
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

/// Why a source could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a journal that the native reader does not know how to read.
    #[error(transparent)]
    Journal(#[from] JournalError),
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
    /// Why nothing, or not all, could be read.
    pub failure: Option<io::Error>,
}

/// Opens what was found, and tells journals from the rest by content.
pub fn open(found: Vec<Found>, backend: Backend) -> Opened {
    let mut opened = Opened::default();
    for (place, found) in found.into_iter().enumerate() {
        match open_journal(&found) {
            Ok(Some((file, is_unpacked))) => {
                let packed_bytes = is_unpacked.then_some(found.bytes);
                opened.journals.push(OpenedJournal { place, file, packed_bytes });
            }
            Ok(None) => opened.texts.push((place, found)),
            Err(Refusal::Journal(JournalError::Incompatible { facts, .. }))
                if backend.may_use_libsystemd() =>
            {
                opened.foreign.push((place, found, facts));
            }
            Err(reason) => opened.refused.push(Refused { found, reason }),
        }
    }
    opened
}

/// The source as a journal, and whether it had to be unpacked; `None` where it is something else.
///
/// A journal is read by offset, so a compressed one is unpacked into a temporary file first.
pub(super) fn open_journal(found: &Found) -> Result<Option<(JournalFile, bool)>, Refusal> {
    if !found.regular {
        return Ok(None);
    }
    let mut file = File::open(&found.path)?;
    if starts_as_journal(&mut file)? {
        return Ok(Some((JournalFile::open(&found.path, file)?, false)));
    }
    file.rewind()?;
    // What is damaged this early is damaged text: its reader will say so.
    if !starts_as_journal(&mut compression::decompress(file)?).unwrap_or(false) {
        return Ok(None);
    }
    let mut unpacked = compression::decompress(File::open(&found.path)?)?;
    let mut spooled = tempfile::tempfile()?;
    if let Err(error) = io::copy(&mut unpacked, &mut spooled)
        && error.kind() == io::ErrorKind::StorageFull
    {
        return Err(error.into());
    }
    // A truncated archive still holds the beginning of its journal: what is missing is damage.
    Ok(Some((JournalFile::open(&found.path, spooled)?, true)))
}

fn starts_as_journal(input: &mut impl Read) -> io::Result<bool> {
    let mut head = Vec::new();
    input.take(8).read_to_end(&mut head)?;
    Ok(JournalFile::is_journal(&head))
}

/// Puts the query to every source. The outcomes are in the order in which the sources were found.
///
/// Texts are read before journals: a text may repeat the journal, and the journal is then asked
/// whether it holds what the text gave.
pub fn scan<S: Sink + Send>(
    opened: Opened,
    query: &Query<'_>,
    means: Means,
    new_sink: impl Fn(Place) -> S + Sync,
) -> Vec<Outcome<S>> {
    let covered = covered_minutes(opened.journals.iter().map(|journal| journal.file.facts()));
    let texts = in_parallel(opened.texts, means.threads, |(place, found)| {
        let mut asking = Asking::new(new_sink(place), &covered);
        let (summary, failure) = read_text(&found, query, means.now, &mut asking);
        (place, summary, asking, failure)
    });
    let mut wanted = Witness::default();
    for (_, _, asking, _) in &texts {
        wanted.want(asking);
    }
    // The journals' entries are compared by their host too.
    let detail = if wanted.is_idle() { query.detail } else { Detail::Entries };
    let query = &Query { detail, ..*query };
    let (mut outcomes, found) =
        scan_journals(opened.journals, opened.foreign, &wanted, query, means, &new_sink);
    wanted.found(found);
    for (place, summary, asking, failure) in texts {
        let repeats = wanted.repeats(&asking);
        let sink = asking.finish();
        outcomes.push((place, Outcome { summary, sink, repeats, failure }));
    }
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Reads all journals; also gives what of the question to them was found.
pub(super) fn scan_journals<S: Sink + Send>(
    journals: Vec<OpenedJournal>,
    foreign: Vec<(Place, Found, Box<Facts>)>,
    wanted: &Witness,
    query: &Query<'_>,
    means: Means,
    new_sink: &(impl Fn(Place) -> S + Sync),
) -> (Vec<(Place, Outcome<S>)>, Answers) {
    let known = journals.iter().map(|journal| journal.file.facts());
    let duplicates = Duplicates::new(known.chain(foreign.iter().map(|(_, _, facts)| &**facts)));
    let mut answered = in_parallel(journals, means.threads, |journal| {
        let mut answering = Answering::new(new_sink(journal.place), wanted);
        // libsystemd opens files by their paths.
        let backend = if journal.packed_bytes.is_some() { Backend::Native } else { means.backend };
        let mut summary = journal::read(&journal.file, backend, query, &duplicates, &mut answering);
        summary.bytes = journal.packed_bytes.unwrap_or(summary.bytes);
        (journal.place, summary, answering, None)
    });
    answered.extend(in_parallel(foreign, means.threads, |(place, found, _)| {
        let mut answering = Answering::new(new_sink(place), wanted);
        let result = journal::read_foreign(&found.path, query, &duplicates, &mut answering);
        let (summary, failure) = match result {
            Ok(summary) => (summary, None),
            Err(error) => {
                let summary = Summary::new(&found.path, SourceKind::Binary);
                (summary, Some(io::Error::other(error)))
            }
        };
        (place, summary, answering, failure)
    }));
    let mut found = Answers::default();
    let mut outcomes = Vec::new();
    for (place, summary, answering, failure) in answered {
        let (sink, answers) = answering.finish();
        found.extend(answers);
        outcomes.push((place, Outcome { summary, sink, repeats: None, failure }));
    }
    (outcomes, found)
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
) -> (Summary, Option<io::Error>) {
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
    match text::read(input, &mut open, query, sink) {
        Ok(summary) => (summary, None),
        Err(error) => (Summary::new(path, SourceKind::Binary), Some(error)),
    }
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

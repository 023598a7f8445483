//! Reads on as the sources grow, across rotation: a loop of rounds, each of which reads what is
//! new in all sources.
//!
//! - A file is known by its inode, not by its name. So a file that a rotation renames is read to
//!   its end beside the one that takes its name, and nothing is read twice.
//! - A file that is truncated is begun again.
//! - Journals that appear in a followed directory are taken in, and so are texts, unless they are
//!   compressed or have the beginning of a text that is followed: those are what a rotation made of
//!   it.
//! - A text that repeats a followed journal is left to the journal after the first round.
//! - Texts that are copies of others at the beginning count once; what is added to one later is its
//!   own.
//! - An event that a text and a journal have counts once, in whichever it is met first; so does one
//!   that two texts have that were found to share events at the beginning.
//! - What cannot grow (compressed files, journals that only libsystemd knows) is read in the first
//!   round.
//!
//! A round costs one `stat` a text and one small read a journal, plus what is new. Journals that
//! journald has closed for good cost nothing.

mod followed;
mod heard;
mod notice;
mod round;
mod stream;
mod text_file;
mod watch;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use self::followed::{FileId, Followed, Look, Reading};
use self::heard::{Heard, ever};
pub use self::notice::Notice;
use self::round::Round;
use self::stream::Stream;
use self::text_file::{HEAD_BYTES, TextFile};
use self::watch::Watch;
use super::discover::{Discovery, Found, Unreadable};
use super::journal::{
    self, Backend, BootId, ClosedJournal, Duplicates, Facts, JournalError, JournalFile, growing,
};
use super::scan::{self, Means, Opened, OpenedJournal, Outcome, Place, Refusal};
use super::text::growing::Growing;
use super::{Query, Repeats, Sink, SourceKind};

/// Beginnings of texts that are no longer followed are remembered up to this number, to know
/// copies of them.
const MAX_HEADS: usize = 1000;
/// A copy is complete so long after it was written to.
const COPIED_WITHIN: Duration = Duration::from_secs(2);

/// All sources, between two rounds.
pub struct Follow {
    backend: Backend,
    watch: Watch,
    followed: Vec<Followed>,
    /// What is read in the first round and never again.
    once: Opened,
    /// Files of which it is not clear yet what they are.
    young: Vec<Found>,
    /// Files of which nothing more will be read.
    done: HashSet<FileId>,
    /// The ids of all journals: a file with one of them is a copy.
    journal_ids: HashSet<[u8; 16]>,
    /// The beginnings of texts that had been read when something else took their place.
    heads: Vec<Vec<u8>>,
    /// The names of texts that repeat a journal.
    copies: HashSet<PathBuf>,
    heard: Heard,
    /// The names of texts of which it was told that they repeat events of a journal.
    repeating: HashSet<PathBuf>,
    missing: Vec<PathBuf>,
    refused: HashSet<PathBuf>,
    next_place: Place,
    has_begun: bool,
    notices: Vec<Notice>,
}

impl Follow {
    /// Follows what a command line names (`paths`; none: this machine's journal), as far as it was
    /// discovered; `missing` are those of the paths that do not exist. Nothing is read yet but
    /// what the files are.
    pub fn new(
        paths: Vec<PathBuf>,
        discovery: Discovery,
        missing: Vec<PathBuf>,
        backend: Backend,
    ) -> Self {
        let mut follow = Self {
            backend,
            watch: Watch::new(paths, &discovery),
            followed: Vec::new(),
            once: Opened::default(),
            young: Vec::new(),
            done: HashSet::new(),
            journal_ids: HashSet::new(),
            heads: Vec::new(),
            copies: HashSet::new(),
            heard: Heard::default(),
            repeating: HashSet::new(),
            missing: Vec::new(),
            refused: HashSet::new(),
            next_place: 0,
            has_begun: false,
            notices: Vec::new(),
        };
        follow.note_missing(missing);
        for found in discovery.found {
            follow.take(found);
        }
        follow
    }

    /// The boots of the journals that the first round will read, oldest first.
    pub fn boots(&self) -> Vec<BootId> {
        let once = self.once.journals.iter().filter_map(|journal| journal.file.open().ok());
        let once = once.map(|file| file.boots());
        let followed = self.followed_journals().map(JournalFile::boots);
        journal::list_boots(once.chain(followed))
    }

    fn followed_journals(&self) -> impl Iterator<Item = &JournalFile> {
        self.followed.iter().filter_map(|followed| match &followed.reading {
            Reading::Journal(journal) => Some(journal.file()),
            Reading::Text(_) | Reading::Stream(_) => None,
        })
    }

    fn journal_facts(&self) -> impl Iterator<Item = &Facts> {
        let once = self.once.journals.iter().map(|journal| journal.file.facts());
        once.chain(self.followed_journals().map(JournalFile::facts))
    }

    /// How many bytes the first round will read, as far as is known.
    pub fn bytes(&self) -> u64 {
        let texts = self.once.texts.iter().map(|(_, found)| found.bytes);
        let journals = self.once.journals.iter().map(|journal| journal.found.bytes);
        let followed = self.followed.iter().map(|followed| followed.bytes);
        texts.chain(journals).chain(followed).sum()
    }

    /// Whether nothing more can come: all streams have ended, and there is no file that may grow
    /// or appear.
    pub fn is_over(&self) -> bool {
        self.has_begun && self.followed.is_empty() && !self.may_gain()
    }

    /// Whether another file may appear, or one that is too young to be known may turn out to be a
    /// log.
    pub fn may_gain(&self) -> bool {
        !self.young.is_empty() || !self.missing.is_empty() || self.watch.has_folders()
    }

    /// What is to be told since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Reads what is new, of each source that has something into a sink of its own. Summaries are
    /// of all that was read of a source since the beginning.
    pub fn round<S: Sink + Send>(
        &mut self,
        query: &Query<'_>,
        means: Means,
        new_sink: impl Fn(Place) -> S + Sync,
    ) -> Vec<(Place, Outcome<S>)> {
        let is_first = !self.has_begun;
        self.has_begun = true;
        if !is_first {
            self.look_around();
        }
        self.look();
        let has_journals = self.followed_journals().next().is_some();
        let covered = match (is_first, has_journals) {
            (true, _) => scan::covered_minutes(self.journal_facts()),
            (false, true) => vec![ever()],
            (false, false) => Vec::new(),
        };
        let duplicates = is_first.then(|| Duplicates::new(self.journal_facts()));
        let once = std::mem::take(&mut self.once);
        let heard = self.is_compared().then_some(&mut self.heard);
        let round = Round { once, covered: &covered, duplicates, heard, means };
        let mut outcomes = round.read(&mut self.followed, query, &new_sink);
        let is_copy = |(_, outcome): &&(Place, Outcome<S>)| {
            outcome.repeats.as_ref().is_some_and(Repeats::is_copy)
        };
        for (place, outcome) in outcomes.iter().filter(is_copy) {
            self.copies.insert(outcome.summary.path.clone());
            let followed = self.followed.iter_mut().filter(|followed| followed.place == *place);
            followed.for_each(|followed| followed.is_copy = true);
        }
        if !is_first {
            self.tell_repeats(&outcomes);
        }
        outcomes.extend(self.let_go(query, &new_sink));
        outcomes
    }

    /// Whether one source may say what another one says.
    fn is_compared(&self) -> bool {
        self.followed.len() > 1 || self.may_gain()
    }

    /// Tells once of each text that some of its events were left to another source.
    fn tell_repeats<S>(&mut self, outcomes: &[(Place, Outcome<S>)]) {
        for outcome in outcomes.iter().map(|(_, outcome)| outcome) {
            let path = &outcome.summary.path;
            let repeats = outcome.repeats.is_some() && outcome.summary.kind != SourceKind::Journal;
            if repeats && self.repeating.insert(path.clone()) {
                self.notices.push(Notice::Repeats(path.clone()));
            }
        }
    }

    /// Finds out which sources have something new.
    fn look(&mut self) {
        for followed in &mut self.followed {
            match followed.look() {
                Ok(Look::Nothing | Look::Something) => {}
                Ok(Look::Another) => {
                    self.notices.push(Notice::BegunAgain(followed.path.clone()));
                    keep_head(&mut self.heads, followed);
                }
                Err(reason) => {
                    let path = followed.path.clone();
                    if self.refused.insert(path.clone()) {
                        self.notices.push(Notice::Refused { path, reason, named: false });
                    }
                }
            }
        }
    }

    /// Reads what is left of all sources and takes it for whole: the last round.
    pub fn finish<S: Sink>(
        &mut self,
        query: &Query<'_>,
        new_sink: impl Fn(Place) -> S,
    ) -> Vec<(Place, Outcome<S>)> {
        let is_compared = self.is_compared();
        let finish = |followed: &mut Followed| {
            let heard = is_compared.then_some(&mut self.heard);
            (followed.place, round::finish(followed, query, new_sink(followed.place), heard))
        };
        let outcomes: Vec<_> = self.followed.iter_mut().map(finish).collect();
        self.tell_repeats(&outcomes);
        outcomes
    }

    /// Ends the reading of what has nothing more to give.
    fn let_go<S: Sink>(
        &mut self,
        query: &Query<'_>,
        new_sink: &impl Fn(Place) -> S,
    ) -> Vec<(Place, Outcome<S>)> {
        let mut outcomes = Vec::new();
        let mut place = 0;
        while let Some(followed) = self.followed.get_mut(place) {
            let is_retired = followed.is_retired();
            if is_retired {
                let (sink, heard) = (new_sink(followed.place), Some(&mut self.heard));
                outcomes.push((followed.place, round::finish(followed, query, sink, heard)));
                keep_head(&mut self.heads, followed);
            } else if followed.is_done() {
                self.done.extend(followed.id);
            } else {
                place += 1;
                continue;
            }
            self.followed.swap_remove(place);
        }
        outcomes
    }

    /// Finds files that appeared, and those that have another name or none.
    fn look_around(&mut self) {
        let young = std::mem::take(&mut self.young);
        let Some(mut discovery) = self.watch.look() else {
            young.into_iter().for_each(|found| self.take(found));
            return;
        };
        self.note_missing(discovery.take_missing());
        for Unreadable { path, error, named } in discovery.unreadable {
            self.refuse(path, Refusal::Io(error), named);
        }
        let mut new = Vec::new();
        let ids = self.followed.iter().enumerate().map(|(index, followed)| (followed.id, index));
        let ids: HashMap<Option<FileId>, usize> = ids.collect();
        let mut names: Vec<Option<PathBuf>> = vec![None; self.followed.len()];
        let mut done = HashSet::new();
        for found in discovery.found.into_iter().filter(|found| found.regular) {
            let Ok(metadata) = fs::metadata(&found.path) else { continue };
            let id = FileId::of(&metadata);
            let known = ids.get(&Some(id)).copied();
            if let Some(name) = known.and_then(|known| names.get_mut(known)) {
                *name = Some(found.path);
            } else if self.done.contains(&id) {
                done.insert(id);
            } else {
                new.push(found);
            }
        }
        self.done = done;
        for (followed, name) in self.followed.iter_mut().zip(names) {
            followed.name(name.as_deref());
        }
        new.into_iter().for_each(|found| self.take(found));
    }

    fn note_missing(&mut self, missing: Vec<PathBuf>) {
        for path in missing.iter().filter(|path| !self.missing.contains(path)) {
            self.notices.push(Notice::Missing(path.clone()));
        }
        self.missing = missing;
    }

    /// Takes in a file or stream that was not known.
    fn take(&mut self, found: Found) {
        if found.regular
            && found.bytes == 0
            && fs::metadata(&found.path).is_ok_and(|m| m.len() == 0)
        {
            return self.young.push(found);
        }
        let Found { path, named, .. } = found.clone();
        if let Err(reason) = self.try_take(found.clone()) {
            // Its owner may be about to let us read it.
            if found.regular && matches!(reason, Refusal::Io(_)) {
                self.young.push(found);
            }
            self.refuse(path, reason, named);
        }
    }

    /// Tells once that a file cannot be read.
    fn refuse(&mut self, path: PathBuf, reason: Refusal, named: bool) {
        if self.refused.insert(path.clone()) {
            self.notices.push(Notice::Refused { path, reason, named });
        }
    }

    fn try_take(&mut self, found: Found) -> Result<(), Refusal> {
        if !found.regular {
            let reading = Reading::Stream(Stream::open(&found.path));
            self.follow(&found, None, reading);
            return Ok(());
        }
        let mut file = File::open(&found.path)?;
        let id = FileId::of(&file.metadata()?);
        let mut head = Vec::new();
        (&mut file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        if JournalFile::is_journal(&head) {
            return self.take_journal(found, id, file);
        }
        if Growing::is_encoded(&head) {
            return self.take_encoded(found, id);
        }
        if self.copies.contains(&found.path) {
            self.pass_over(found.path, id, "repeats the journal");
            return Ok(());
        }
        if self.has_begun {
            match self.compare(&head, &file) {
                Likeness::None => {}
                Likeness::Copy => {
                    self.pass_over(
                        found.path,
                        id,
                        "begins as a log that was read: taken for a copy",
                    );
                    return Ok(());
                }
                Likeness::Unclear => {
                    self.young.push(found);
                    return Ok(());
                }
            }
        }
        let reading = Reading::Text(TextFile::new(&found.path, file, self.has_begun));
        self.follow(&found, Some(id), reading);
        Ok(())
    }

    fn take_journal(&mut self, found: Found, id: FileId, file: File) -> Result<(), Refusal> {
        match JournalFile::open(&found.path, file) {
            Ok(journal) => {
                let is_new = self.journal_ids.insert(journal.facts().file_id);
                if self.has_begun && !is_new {
                    self.pass_over(found.path, id, "a copy of a journal that was read");
                } else {
                    let reading = Reading::Journal(Box::new(growing::Growing::new(journal)));
                    self.follow(&found, Some(id), reading);
                }
            }
            // Its writer is about to write the header.
            Err(JournalError::TooShort { .. }) if self.has_begun => self.young.push(found),
            Err(JournalError::Incompatible { facts, .. })
                if self.backend.may_use_libsystemd() && !self.has_begun =>
            {
                self.done.insert(id);
                let place = self.new_place();
                self.once.foreign.push((place, found, facts));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Takes a compressed file, which is read once: with what there was at the beginning. One
    /// that appears later is what a rotation made of a log that was read.
    fn take_encoded(&mut self, found: Found, id: FileId) -> Result<(), Refusal> {
        if self.has_begun {
            self.pass_over(found.path, id, "compressed: what it holds was read before");
            return Ok(());
        }
        self.done.insert(id);
        let place = self.new_place();
        match ClosedJournal::read(&found.path)? {
            Some(file) => self.once.journals.push(OpenedJournal { place, found, file }),
            None => self.once.texts.push((place, found)),
        }
        Ok(())
    }

    fn follow(&mut self, found: &Found, id: Option<FileId>, reading: Reading) {
        if self.has_begun {
            self.notices.push(Notice::Appeared(found.path.clone()));
        }
        let mut followed = Followed::new(self.new_place(), &found.path, id, reading);
        followed.bytes = found.bytes;
        self.followed.push(followed);
    }

    fn new_place(&mut self) -> Place {
        self.next_place += 1;
        self.next_place - 1
    }

    fn pass_over(&mut self, path: PathBuf, id: FileId, why: &'static str) {
        self.done.insert(id);
        self.notices.push(Notice::PassedOver(path, why));
    }

    /// Compares a new text with those that were read.
    fn compare(&self, head: &[u8], file: &File) -> Likeness {
        let followed = self.followed.iter().filter_map(|followed| match &followed.reading {
            Reading::Text(text) => Some(text.head()),
            Reading::Journal(_) | Reading::Stream(_) => None,
        });
        let known = followed.chain(self.heads.iter().map(Vec::as_slice));
        let known: Vec<&[u8]> = known.filter(|known| !known.is_empty()).collect();
        let modified = file.metadata().and_then(|metadata| metadata.modified());
        let is_being_written =
            modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age < COPIED_WITHIN));
        // Other logs of the same program may well begin with the same few lines.
        let is_like =
            |known: &&[u8]| known == &head && (!is_being_written || head.len() == HEAD_BYTES);
        if known.iter().any(is_like) {
            Likeness::Copy
        } else if is_being_written && known.iter().any(|known| known.starts_with(head)) {
            Likeness::Unclear
        } else {
            Likeness::None
        }
    }
}

/// What a new text has in common with one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    None,
    /// It begins as that one does.
    Copy,
    /// It is shorter, and so far the same.
    Unclear,
}

/// Remembers how a text began that is not followed any longer.
fn keep_head(heads: &mut Vec<Vec<u8>>, followed: &Followed) {
    if let Reading::Text(text) = &followed.reading
        && !text.head().is_empty()
    {
        if heads.len() >= MAX_HEADS {
            heads.remove(0);
        }
        heads.push(text.head().to_vec());
    }
}

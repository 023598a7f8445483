//! One round of reading: texts first, then journals. Those of the first round are asked whether they
//! hold what a text gave; in later rounds each is compared with what the others gave lately.

use std::collections::BTreeMap;
use std::path::Path;

use super::followed::{Followed, Reading};
use super::heard::{Heard, Hearing, ever};
use crate::source::copies::{Answering, Asking, Memory, Minutes, Witness};
use crate::source::discover::Found;
use crate::source::file_copies::{Copies, Link};
use crate::source::journal::Duplicates;
use crate::source::scan::{self, CopyOf, DamageOnly, Means, Opened, Outcome, Place, Refusal};
use crate::source::texts::ReadText;
use crate::source::{Detail, Query, Repeats, Sink, Summary};

/// A text to be read: one that is followed, or one that is read once.
enum Text<'f> {
    Followed(&'f mut Followed),
    Once(Place, Found),
}

impl Text<'_> {
    fn place(&self) -> Place {
        match self {
            Self::Followed(followed) => followed.place,
            Self::Once(place, _) => *place,
        }
    }

    fn read(
        &mut self,
        query: &Query<'_>,
        means: Means,
        sink: &mut dyn Sink,
    ) -> (Summary, Option<Refusal>) {
        match self {
            Self::Once(_, found) => scan::read_text(found, query, means.now, sink),
            Self::Followed(followed) => {
                let failure = followed.read_on(query, None, sink).err();
                (followed.summary().clone(), failure)
            }
        }
    }

    /// Reads a copy, whose entries are skipped.
    fn read_copy(
        &mut self,
        query: &Query<'_>,
        means: Means,
        sink: &mut dyn Sink,
    ) -> (Summary, Option<Refusal>) {
        match self {
            Self::Once(..) => {
                let (mut summary, failure) = self.read(query, means, sink);
                summary.skip_all();
                (summary, failure)
            }
            Self::Followed(followed) => {
                let failure = followed.skip(query, sink).err();
                (followed.summary().clone(), failure)
            }
        }
    }
}

/// The texts that are copies of others as they are now. What is added to one later is its own.
fn copies(followed: &[Followed], once: &Opened, threads: usize) -> BTreeMap<Place, CopyOf> {
    let found = |followed: &Followed| {
        let Followed { place, path, bytes, .. } = followed;
        (*place, Found { path: path.clone(), bytes: *bytes, named: true, regular: true })
    };
    let texts = followed.iter().filter(|followed| matches!(followed.reading, Reading::Text(_)));
    let texts: Vec<_> = texts.map(found).chain(once.texts.iter().cloned()).collect();
    let copies = Copies::of_texts(&texts, threads);
    let paths: BTreeMap<Place, &Path> =
        texts.iter().map(|(place, found)| (*place, found.path.as_path())).collect();
    let copy_of = |(place, _): &(Place, Found)| {
        let Link { to, is_equal } = copies.link(*place)?;
        Some((*place, CopyOf { path: paths.get(&to)?.to_path_buf(), is_equal }))
    };
    texts.iter().filter_map(copy_of).collect()
}

/// What a round is about, beside the question.
pub(super) struct Round<'r> {
    /// What is read once.
    pub(super) once: Opened,
    /// The minutes in which there are journals; empty: texts are not compared with them.
    pub(super) covered: &'r [Minutes],
    /// Of all journals that are read for the first time together; `None`: it is not the first
    /// round, and files are no longer compared with each other.
    pub(super) duplicates: Option<Duplicates>,
    /// What was said lately; `None`: there cannot be two sources.
    pub(super) heard: Option<&'r mut Heard>,
    pub(super) means: Means,
}

impl Round<'_> {
    /// Reads those of `followed` that have something new.
    pub(super) fn read<S: Sink + Send>(
        self,
        followed: &mut [Followed],
        query: &Query<'_>,
        new_sink: &(impl Fn(Place) -> S + Sync),
    ) -> Vec<(Place, Outcome<S>)> {
        let Round { once, covered, duplicates, mut heard, means } = self;
        let is_first = duplicates.is_some();
        let copies =
            if is_first { copies(followed, &once, means.threads) } else { BTreeMap::new() };
        let is_text = |followed: &&Followed| !matches!(followed.reading, Reading::Journal(_));
        let most_texts = followed.iter().filter(is_text).count() + once.texts.len();
        let (journals, texts): (Vec<_>, Vec<_>) = followed
            .iter_mut()
            .filter(|followed| followed.has_news)
            .partition(|followed| matches!(followed.reading, Reading::Journal(_)));
        let texts = texts.into_iter().map(Text::Followed);
        let once_texts = once.texts.into_iter().map(|(place, found)| Text::Once(place, found));
        let texts: Vec<Text<'_>> = texts.chain(once_texts).collect();
        let memory = Memory::new(most_texts, covered);
        let texts = scan::in_parallel(texts, means.threads, |mut text| {
            let mut asking = Asking::new(new_sink(text.place()), memory);
            let (summary, failure) = match copies.get(&text.place()) {
                None => text.read(query, means, &mut asking),
                Some(_) => text.read_copy(query, means, &mut DamageOnly(&mut asking)),
            };
            (text.place(), summary, asking, failure)
        });
        let mut wanted = Witness::default();
        if is_first {
            texts.iter().for_each(|(_, _, asking, _)| wanted.want(asking));
        }
        let is_heard = heard.is_some();
        // The journals' entries are compared by their host too.
        let detail = if !wanted.is_idle() || (is_heard && !is_first && most_texts > 0) {
            Detail::Entries
        } else {
            query.detail
        };
        let query = &Query { detail, ..*query };
        let answered = scan::in_parallel(journals, means.threads, |followed| {
            let answering = Answering::new(new_sink(followed.place), &wanted);
            let mut hearing = Hearing::new(answering, is_heard, is_first);
            let failure = followed.read_on(query, duplicates.as_ref(), &mut hearing).err();
            (followed.place, followed.summary().clone(), hearing, failure)
        });
        let (mut outcomes, mut found) =
            scan::scan_journals(once.journals, once.foreign, &wanted, query, means, new_sink);
        for (place, summary, hearing, failure) in answered {
            let (answering, events) = hearing.finish();
            let (sink, answers) = answering.finish();
            found.push(answers);
            let repeats = heard.as_mut().map(|heard| heard.journal(&events));
            let repeats = repeats.filter(|repeats| !repeats.is_empty());
            outcomes.push((place, Outcome { summary, sink, repeats, copy_of: None, failure }));
        }
        found.into_iter().for_each(|found| wanted.found(found));
        let compared = if is_first { scan::repeats_of(&texts, &wanted) } else { Vec::new() };
        outcomes.extend(text_outcomes(texts, is_first.then_some(compared), heard, &copies));
        outcomes.sort_by_key(|(place, _)| *place);
        outcomes
    }
}

/// What came of the texts of a round; `compared`: what others hold of each, in the first round.
fn text_outcomes<S>(
    texts: Vec<ReadText<'_, S>>,
    compared: Option<Vec<Option<Repeats>>>,
    mut heard: Option<&mut Heard>,
    copies: &BTreeMap<Place, CopyOf>,
) -> Vec<(Place, Outcome<S>)> {
    let is_first = compared.is_some();
    let mut compared = compared.into_iter().flatten();
    let outcome = |(place, summary, asking, failure): ReadText<'_, S>| {
        let path = &summary.path;
        let mut repeats = compared.next().flatten().unwrap_or_default();
        match &mut heard {
            Some(heard) if is_first => heard.compared(place, path, &asking, &repeats),
            Some(heard) => repeats = heard.text(place, path, &asking),
            None => {}
        }
        let repeats = Some(repeats).filter(|repeats| !repeats.is_empty());
        let (sink, copy_of) = (asking.finish(), copies.get(&place).cloned());
        (place, Outcome { summary, sink, repeats, copy_of, failure })
    };
    texts.into_iter().map(outcome).collect()
}

/// Reads what is left of one source and takes it for whole.
pub(super) fn finish<S: Sink>(
    followed: &mut Followed,
    query: &Query<'_>,
    sink: S,
    heard: Option<&mut Heard>,
) -> Outcome<S> {
    let Some(heard) = heard else {
        let mut sink = sink;
        let failure = followed.finish(query, &mut sink).err();
        return followed.outcome(sink, None, failure);
    };
    let (sink, repeats, failure) = if matches!(followed.reading, Reading::Journal(_)) {
        let query = &Query { detail: Detail::Entries, ..*query };
        let mut hearing = Hearing::new(sink, true, false);
        let failure = followed.finish(query, &mut hearing).err();
        let (sink, events) = hearing.finish();
        (sink, heard.journal(&events), failure)
    } else {
        let covered = [ever()];
        let mut asking = Asking::new(sink, Memory::new(2, &covered));
        let failure = followed.finish(query, &mut asking).err();
        let repeats = heard.text(followed.place, &followed.path, &asking);
        (asking.finish(), repeats, failure)
    };
    followed.outcome(sink, Some(repeats).filter(|repeats| !repeats.is_empty()), failure)
}

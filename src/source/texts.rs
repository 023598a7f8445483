//! Reads all texts, several at a time, and a large one by several threads.

use std::collections::BTreeMap;

use super::copies::{Asking, Memory};
use super::discover::Found;
use super::scan::{Means, Place, Refusal, in_parallel, read_text};
use super::text::{self, Part};
use super::{Merge, Query, Sink, Summary};

/// A text that was read, with the events that it may have in common with others.
pub(super) type ReadText<'a, S> = (Place, Summary, Asking<'a, S>, Option<Refusal>);

/// Something for one thread to read.
struct Job<'f> {
    place: Place,
    found: &'f Found,
    /// `None`: all of it.
    part: Option<Part>,
}

/// Puts the query to all texts; the results are in their order.
pub(super) fn read<'m, S: Sink + Merge + Send>(
    texts: &[(Place, Found)],
    query: &Query<'_>,
    means: Means,
    memory: Memory<'m>,
    new_sink: impl Fn(Place) -> S + Sync,
) -> Vec<ReadText<'m, S>> {
    let jobs = texts.iter().flat_map(|(place, found)| jobs(*place, found, query, means));
    let read = in_parallel(jobs.collect(), means.threads, |job: Job<'_>| {
        (job.place, read_job(&job, query, means, memory, &new_sink))
    });
    let mut whole: BTreeMap<Place, Option<ReadText<'m, S>>> = BTreeMap::new();
    for (place, text) in read {
        match whole.remove(&place) {
            None => whole.insert(place, text),
            Some(before) => whole.insert(place, before.zip(text).map(join)),
        };
    }
    let again = texts.iter().filter(|(place, _)| whole.get(place).is_some_and(Option::is_none));
    let again = in_parallel(again.collect(), means.threads, |(place, found)| {
        let job = Job { place: *place, found, part: None };
        (*place, read_job(&job, query, means, memory, &new_sink))
    });
    whole.extend(again);
    whole.into_values().flatten().collect()
}

fn jobs<'f>(place: Place, found: &'f Found, query: &Query<'_>, means: Means) -> Vec<Job<'f>> {
    let path = found.path.as_path();
    let parts =
        if found.regular { text::divide(path, found.bytes, query, means.threads) } else { None };
    match parts {
        None => vec![Job { place, found, part: None }],
        Some(parts) => {
            parts.into_iter().map(|part| Job { place, found, part: Some(part) }).collect()
        }
    }
}

/// `None`: what this part means depends on what stands before it.
fn read_job<'m, S: Sink>(
    job: &Job<'_>,
    query: &Query<'_>,
    means: Means,
    memory: Memory<'m>,
    new_sink: &impl Fn(Place) -> S,
) -> Option<ReadText<'m, S>> {
    let mut asking = Asking::new(new_sink(job.place), memory);
    let (summary, failure) = match &job.part {
        None => read_text(job.found, query, means.now, &mut asking),
        Some(part) => match text::read_part(part, &job.found.path, query, &mut asking)? {
            Ok((summary, lines)) => {
                asking.set_lines(lines);
                (summary, None)
            }
            // The reader of the whole text will say what is wrong.
            Err(_) => return None,
        },
    };
    Some((job.place, summary, asking, failure))
}

/// Adds a later part to those before it.
fn join<'m, S: Merge>((mut before, later): (ReadText<'m, S>, ReadText<'m, S>)) -> ReadText<'m, S> {
    before.1.merge(&later.1);
    before.2.merge(later.2);
    before
}

//! What is said on stderr about the sources: what could not be read, what is damaged, what was
//! left out and why. Of many sentences of one kind the first few are said, and how many there
//! are; `--verbose` says all.

use std::io;
use std::path::Path;

use super::{Console, complain, shown};
use crate::source::discover::{Discovery, GIVEN_TWICE};
use crate::source::follow::Notice;
use crate::source::scan::{CopyOf, Opened, Outcome, Refusal, Refused};
use crate::source::{DamageList, Repeats, SourceKind, Summary};

/// A directory may hold thousands of files with the same fault.
const MAX_OF_A_KIND: usize = 5;

/// A sink that remembers what could not be read.
pub(super) trait Damaged {
    /// What could not be read.
    fn damage(&self) -> &DamageList;
}

/// Whether something went wrong that is to end in an error after the rest was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// Something that the user named could not be read at all.
    pub is_incomplete: bool,
    /// Something in a directory could not be read, or a source is damaged: an error with
    /// `--strict` only.
    pub is_damaged: bool,
}

/// Tells what was left out and what could not be looked at.
pub(super) fn tell_discovery(console: &Console, discovery: &Discovery) -> Faults {
    let (twice, others): (Vec<_>, Vec<_>) =
        discovery.passed_over.iter().partition(|file| file.why == GIVEN_TWICE);
    let twice =
        twice.iter().map(|file| format!("{}: {GIVEN_TWICE}: counted once", shown(&file.path)));
    let others =
        others.iter().map(|file| format!("{}: {}: passed over", shown(&file.path), file.why));
    let unreadable = &discovery.unreadable;
    let problems = unreadable.iter().map(|problem| unreadable_text(&problem.path, &problem.error));
    note(console, twice.collect());
    console.detail(&others.collect::<Vec<_>>());
    warn(console, problems.collect());
    Faults {
        is_incomplete: unreadable.iter().any(|problem| problem.named),
        is_damaged: !unreadable.is_empty(),
    }
}

/// Tells what could not be opened.
pub(super) fn tell_refused(console: &Console, opened: &Opened) -> Faults {
    let text = |refused: &Refused| refusal_text(&refused.found.path, &refused.reason);
    warn(console, opened.refused.iter().map(text).collect());
    Faults {
        is_incomplete: opened.refused.iter().any(|refused| refused.found.named),
        is_damaged: !opened.refused.is_empty(),
    }
}

/// Tells what was found wrong or remarkable in the sources while they were read.
pub(super) fn tell_outcomes<'o, S: Damaged + 'o>(
    console: &Console,
    outcomes: impl Iterator<Item = &'o Outcome<S>> + Clone,
) -> Faults {
    let about = |wanted: fn(&Outcome<S>) -> Option<String>| about(outcomes.clone(), wanted);
    let faults = tell_more(console, outcomes.clone());
    note(
        console,
        about(|outcome| (outcome.summary.kind == SourceKind::Empty).then(|| "empty".to_owned())),
    );
    note(console, about(|outcome| undated_text(&outcome.summary)));
    note(console, about(|outcome| outcome.repeats.as_ref().and_then(repeats_text)));
    note(console, about(|outcome| outcome.repeats.as_ref().and_then(shared_text)));
    note(console, about(copy_text));
    faults
}

/// Tells what was found wrong in the sources, when they were read or when they were read on.
pub(super) fn tell_more<'o, S: Damaged + 'o>(
    console: &Console,
    outcomes: impl Iterator<Item = &'o Outcome<S>> + Clone,
) -> Faults {
    let failures = outcomes
        .clone()
        .filter_map(|outcome| Some((&outcome.summary.path, outcome.failure.as_ref()?)));
    let damage = about(outcomes.clone(), damage_text);
    // A log that is removed while others are read was too old to be kept.
    let is_gone =
        |reason: &Refusal| matches!(reason, Refusal::Io(e) if e.kind() == io::ErrorKind::NotFound);
    let is_fault = |(_, reason): (_, &Refusal)| !is_gone(reason);
    let faults = Faults {
        is_incomplete: failures.clone().any(is_fault),
        is_damaged: !damage.is_empty() || failures.clone().next().is_some(),
    };
    warn(console, failures.map(|(path, reason)| refusal_text(path, reason)).collect());
    warn(console, damage);
    note(console, about(outcomes, binary_text));
    faults
}

/// What is wanted of each source, after its name.
fn about<'o, S: 'o>(
    outcomes: impl Iterator<Item = &'o Outcome<S>>,
    wanted: fn(&Outcome<S>) -> Option<String>,
) -> Vec<String> {
    let text = |outcome: &'o Outcome<S>| {
        Some(format!("{}: {}", shown(&outcome.summary.path), wanted(outcome)?))
    };
    outcomes.filter_map(text).collect()
}

/// Tells what became of the files that are followed.
pub(super) fn tell_notices(console: &Console, notices: &[Notice]) -> Faults {
    let mut faults = Faults::default();
    for notice in notices {
        match notice {
            Notice::Missing(path) => {
                console.note(&format!("{}: no such file: waiting for it", shown(path)));
            }
            Notice::Appeared(path) => {
                console.detail(&[format!("{}: new: read from its beginning", shown(path))]);
            }
            Notice::BegunAgain(path) => console
                .detail(&[format!("{}: truncated: read again from its beginning", shown(path))]),
            Notice::Repeats(path) => console
                .note(&format!("{}: repeats events of other sources: counted once", shown(path))),
            Notice::PassedOver(path, why) => {
                console.detail(&[format!("{}: {why}: passed over", shown(path))]);
            }
            Notice::Refused { path, reason, named } => {
                faults.is_incomplete |= named;
                faults.is_damaged = true;
                complain(&refusal_text(path, reason));
            }
        }
    }
    faults
}

fn refusal_text(path: &Path, reason: &Refusal) -> String {
    match reason {
        Refusal::Io(error) => unreadable_text(path, error),
        Refusal::Journal(error) => error.to_string(),
    }
}

/// The first piece of damage. A file that is no log at all is not a damaged log.
fn damage_text<S: Damaged>(outcome: &Outcome<S>) -> Option<String> {
    if outcome.summary.kind == SourceKind::Binary {
        return None;
    }
    let damage = outcome.sink.damage();
    let first = damage.pieces.first()?;
    let more = match damage.count() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    Some(format!("byte {}: {}{more}", first.offset_bytes, first.problem))
}

fn binary_text<S: Damaged>(outcome: &Outcome<S>) -> Option<String> {
    let is_binary = outcome.summary.kind == SourceKind::Binary && outcome.failure.is_none();
    let problem = outcome.sink.damage().pieces.first().map(|piece| piece.problem.as_str());
    is_binary.then(|| problem.unwrap_or("neither a journal nor text").to_owned())
}

fn undated_text(summary: &Summary) -> Option<String> {
    match summary.undated {
        0 => None,
        1 if summary.entries == 1 => {
            Some("no timestamps: 1 entry is counted under no date".to_owned())
        }
        count if count == summary.entries => {
            Some(format!("no timestamps: {count} entries are counted under no date"))
        }
        _ => None,
    }
}

fn repeats_text(repeats: &Repeats) -> Option<String> {
    match repeats.held.len() {
        0 => None,
        _ if repeats.is_copy() => {
            Some("repeats the journal: counted once where the journal covers it".to_owned())
        }
        held => Some(format!("repeats {held} of the journal's events: counted once")),
    }
}

fn shared_text(repeats: &Repeats) -> Option<String> {
    let (count, path) = repeats.shared_with.as_ref()?;
    let events = if *count == 1 { "event" } else { "events" };
    Some(format!("repeats {count} {events} of {}: counted once", shown(path)))
}

fn copy_text<S: Damaged>(outcome: &Outcome<S>) -> Option<String> {
    let is_log = !matches!(outcome.summary.kind, SourceKind::Binary | SourceKind::Empty);
    let CopyOf { path, is_equal } = outcome.copy_of.as_ref().filter(|_| is_log)?;
    let copy = if *is_equal { "a copy" } else { "an earlier copy" };
    Some(format!("{copy}: counted once, in {}", shown(path)))
}

/// What to tell about a path that the system does not let us read.
pub(super) fn unreadable_text(path: &Path, error: &io::Error) -> String {
    let name = shown(path);
    let is_journal = path.starts_with("/var/log/journal") || path.starts_with("/run/log/journal");
    match error.kind() {
        io::ErrorKind::PermissionDenied if is_journal => format!(
            "{name}: no permission to read the journal.\n\
             Use sudo, or become a member of the group systemd-journal (or adm)."
        ),
        io::ErrorKind::PermissionDenied => {
            format!("{name}: no permission to read it.\nUse sudo, or ask its owner.")
        }
        io::ErrorKind::NotFound if error.raw_os_error().is_some() => {
            format!("{name}: no such file or directory")
        }
        _ => format!("{name}: {error}"),
    }
}

/// Says sentences of one kind that even `--quiet` does not silence.
fn warn(console: &Console, sentences: Vec<String>) {
    for sentence in few(console, sentences) {
        complain(&sentence);
    }
}

/// Says sentences of one kind that are no fault.
fn note(console: &Console, sentences: Vec<String>) {
    for sentence in few(console, sentences) {
        console.note(&sentence);
    }
}

/// The first few of many sentences, and one that says how many more there are.
fn few(console: &Console, mut sentences: Vec<String>) -> Vec<String> {
    let more = sentences.len().saturating_sub(MAX_OF_A_KIND);
    if more > 1 && !console.verbose {
        let kind = sentences[MAX_OF_A_KIND].split(": ").nth(1).unwrap_or_default().to_owned();
        sentences.truncate(MAX_OF_A_KIND);
        sentences
            .push(format!("… and {more} more files like these ({kind}); --verbose names them"));
    }
    sentences
}

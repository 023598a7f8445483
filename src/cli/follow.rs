//! The loop of `--follow`: a round of reading, what has to be said about it, a pause, until a
//! signal, `--until`, the end of all streams, or the end of who reads our output.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::ask::{self, Ask};
use super::error::CliError;
use super::telling::{self, Damaged, Faults};
use super::{Console, progress};
use crate::rules::Classifier;
use crate::source::follow::{Follow, Notice};
use crate::source::journal::Backend;
use crate::source::scan::{Outcome, Place};
use crate::source::{Detail, Progress, Sink, SourceKind};
use crate::time::Timestamp;

/// What was logged is shown this much later at the most, and the time it takes to read it. A look
/// at a source costs some microseconds.
const PAUSE: Duration = Duration::from_millis(250);
/// So long after `--until`, all that was logged before it can be read.
const LATEST: Duration = Duration::from_secs(1);

/// Shows what a command's rounds of reading gave.
pub(super) trait Viewer<S> {
    /// Takes what a round gave; called in every round, also where there is nothing new.
    fn take(&mut self, round: Round<S>) -> Result<(), CliError>;

    /// Something is about to be said on stderr.
    fn make_way(&mut self) -> Result<(), CliError>;
}

/// What a round gave.
pub(super) struct Round<S> {
    /// What is new of each source; its summary is of all that was read of it.
    pub outcomes: Vec<(Place, Outcome<S>)>,
    /// Where in the following it stands.
    pub phase: Phase,
    /// Up to when all that was logged has been read.
    pub read_until: Timestamp,
}

/// Where in the following a round stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// What was there at the beginning.
    First,
    /// What was added.
    Further,
    /// Nothing comes any more.
    Last,
}

/// Follows the sources that the options name. Returns whether something could not be read that is
/// to end in an error.
pub(super) fn run<S: Sink + Damaged + Send>(
    ask: &mut Ask<'_>,
    console: &Console,
    detail: Detail,
    new_sink: impl Fn(&Classifier, Place) -> S + Sync,
    viewer: &mut impl Viewer<S>,
) -> Result<bool, CliError> {
    let interrupted = on_interrupt()?;
    let (mut follow, mut has_failed) = open(ask, console)?;
    let (progress, means) = (Progress::default(), ask.means(ask.backend()));
    let until = ask.span.until;
    let query = ask.query(detail, &progress);
    let new_sink = |place| new_sink(query.classifier, place);
    let (mut has_log, mut has_other) = (false, false);
    let mut phase = Phase::First;
    loop {
        let now = now();
        let is_late = until.is_some_and(|until| now >= later(until, LATEST));
        let is_last = is_late || interrupted.load(Ordering::Relaxed) || follow.is_over();
        let mut outcomes = if phase == Phase::First {
            let (quiet, bytes) = (console.quiet, follow.bytes());
            let read = || follow.round(&query, means, new_sink);
            progress::with_bar(ask.progress(), quiet, bytes, &progress, read)
        } else {
            follow.round(&query, means, new_sink)
        };
        if is_last && phase != Phase::First {
            phase = Phase::Last;
            outcomes.extend(follow.finish(&query, new_sink));
        }
        let notices = follow.take_notices();
        if is_notable(&outcomes, &notices) || phase == Phase::First {
            viewer.make_way()?;
            for faults in tell(console, &outcomes, &notices, phase) {
                has_failed |= ask.is_fault(&faults);
            }
        }
        for (_, outcome) in &outcomes {
            match outcome.summary.kind {
                kind if !kind.may_have_entries() => has_other = true,
                SourceKind::Empty => {}
                _ => has_log = true,
            }
        }
        if phase == Phase::Last && has_other && !has_log {
            return Err(ask::no_log());
        }
        viewer.take(Round { outcomes, phase, read_until: now })?;
        match phase {
            Phase::First => phase = Phase::Further,
            Phase::Further => {}
            Phase::Last => return Ok(has_failed),
        }
        pause()?;
    }
}

/// Finds the sources, and tells what is wrong with them.
fn open(ask: &mut Ask<'_>, console: &Console) -> Result<(Follow, bool), CliError> {
    if ask.backend() == Backend::Libsystemd {
        let problem = "--reader libsystemd reads a journal once.\nLeave it out to follow one.";
        return Err(CliError::Usage(problem.to_owned()));
    }
    let mut discovery = ask.discover();
    let missing = discovery.take_missing();
    let faults = telling::tell_discovery(console, &discovery);
    if discovery.found.is_empty() && missing.is_empty() {
        // An empty directory may get its first log; a machine without a journal will not.
        if ask.paths().is_empty() || !discovery.unreadable.is_empty() {
            return Err(ask.nothing(&discovery));
        }
    }
    let follow = Follow::new(ask.paths().to_vec(), discovery, missing, ask.backend());
    ask.choose_boot(|| follow.boots())?;
    Ok((follow, ask.is_fault(&faults)))
}

/// Becomes true when the user or the system asks the program to end; the second time it ends at
/// once.
fn on_interrupt() -> Result<Arc<AtomicBool>, CliError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let flag = || Arc::clone(&interrupted);
        signal_hook::flag::register_conditional_default(signal, flag())
            .and_then(|_| signal_hook::flag::register(signal, flag()))
            .map_err(|error| CliError::Failed(format!("cannot listen to signals: {error}")))?;
    }
    Ok(interrupted)
}

/// Waits until it is time for the next round. Ends early when a signal comes, and fails when
/// nobody reads our output any more.
fn pause() -> Result<(), CliError> {
    let stdout = io::stdout();
    let mut output = [PollFd::new(&stdout, PollFlags::empty())];
    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(PAUSE.subsec_nanos()) };
    // A pause that a signal cut short is none the worse for it.
    let _ = poll(&mut output, Some(&timeout));
    if output[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
        return Err(CliError::BrokenPipe);
    }
    Ok(())
}

fn is_notable<S: Damaged>(outcomes: &[(Place, Outcome<S>)], notices: &[Notice]) -> bool {
    let is_damaged =
        |outcome: &Outcome<S>| outcome.failure.is_some() || !outcome.sink.damage().is_empty();
    !notices.is_empty() || outcomes.iter().any(|(_, outcome)| is_damaged(outcome))
}

fn tell<S: Damaged>(
    console: &Console,
    outcomes: &[(Place, Outcome<S>)],
    notices: &[Notice],
    phase: Phase,
) -> [Faults; 2] {
    // What is empty may well be about to begin.
    let outcomes = outcomes.iter().map(|(_, outcome)| outcome);
    let outcomes = outcomes
        .filter(|outcome| outcome.summary.kind != SourceKind::Empty || outcome.failure.is_some());
    let found = match phase {
        Phase::First => telling::tell_outcomes(console, outcomes),
        Phase::Further | Phase::Last => telling::tell_more(console, outcomes),
    };
    [found, telling::tell_notices(console, notices)]
}

fn now() -> Timestamp {
    Timestamp::from_utc(Utc::now()).unwrap_or(Timestamp::MIN)
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.micros().saturating_add(micros)).unwrap_or(Timestamp::END)
}

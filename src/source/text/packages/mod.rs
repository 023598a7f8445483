//! Logs of package managers: no events are in them, and no entries of a service, but changes.
//!
//! A text is such a log if nearly all of its first lines are what one manager writes ([`line`]),
//! whatever the file's name. Its lines are no entries: that a package was upgraded in an hour does
//! not show that a service's log of that hour was read.

mod line;

pub use line::Handling;
pub(super) use line::Manager;
use line::{Step, apt_key};

use super::dating::Dating;
use super::record::Recorder;
use super::stamp;
use super::window::Lines;
use crate::source::change::{FoundChange, Happened};
use crate::time::Timestamp;

/// Of so many lines, one may be another's: what a hook prints, a line cut off by a full disk.
const LINES_PER_STRANGER: usize = 10;

/// The manager whose log `text` is.
pub(super) fn manager(text: &[u8], max_lines: usize) -> Option<Manager> {
    let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first = lines().next()?;
    let manager = Manager::ALL.into_iter().find(|manager| writes(*manager, first))?;
    let (mut count, mut strangers) = (0, 0);
    for line in lines().take(max_lines) {
        count += 1;
        strangers += usize::from(!writes(manager, line));
    }
    (strangers * LINES_PER_STRANGER <= count).then_some(manager)
}

fn writes(manager: Manager, line: &[u8]) -> bool {
    match stamp::find(line) {
        Some(found) => manager.writes(line.get(found.range.end..).unwrap_or_default(), true),
        None => manager.writes(line, false),
    }
}

/// Reads such a log, at once or as it grows.
pub(super) struct Packages {
    manager: Manager,
    dating: Dating,
    /// When apt's run began whose paragraph is being read.
    started: Option<Timestamp>,
}

impl Packages {
    pub(super) fn new(manager: Manager, dating: Dating) -> Self {
        Self { manager, dating, started: None }
    }

    /// Reads as far as the log goes.
    pub(super) fn read_on(&mut self, lines: &mut Lines<'_>, recorder: &mut Recorder<'_>) {
        while let Some(line) = lines.next_line() {
            self.take(lines.bytes().get(line.range).unwrap_or_default(), recorder);
        }
    }

    fn take(&mut self, line: &[u8], recorder: &mut Recorder<'_>) {
        let (at, rest) = if self.manager == Manager::Apt {
            if let Some((b"Start-Date", date)) = apt_key(line) {
                self.started = self.apt_date(date);
            }
            (self.started, line)
        } else {
            let Some(dated) = self.dating.date(line) else { return };
            (dated.at, line.get(dated.end..).unwrap_or_default())
        };
        let Some(at) = at else { return };
        self.manager.steps(rest, &mut |step| recorder.tell_package(found(step, at)));
    }

    /// apt writes two blanks between date and time.
    fn apt_date(&mut self, date: &[u8]) -> Option<Timestamp> {
        let date = String::from_utf8_lossy(date).replace("  ", " ");
        self.dating.date(date.as_bytes())?.at
    }
}

fn found(step: Step, at: Timestamp) -> FoundChange {
    let Step { handling, name, from, to } = step;
    let detail = match (from, to) {
        (Some(from), Some(to)) if from != to => Some(format!("{from} → {to}")),
        (from, to) => to.or(from),
    };
    FoundChange { detail, ..FoundChange::once(at, Happened::Package(handling), name) }
}

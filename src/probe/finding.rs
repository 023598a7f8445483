//! Findings: of each thing asked, what was found now and before, and what follows.

use std::collections::BTreeSet;

use super::asked::Asked;
use super::history::History;
use super::now::Now;
use super::verdict::{Past, Present, Verdict};
use crate::source::not_logged::Remarks;
use crate::timeline::{Coverage as BucketCoverage, Timeline};

/// The answer to all that was asked.
pub struct Findings {
    /// One for each thing asked, in that order.
    pub findings: Vec<Finding>,
    /// What the logs cover.
    pub retention: Retention,
}

/// The answer about one thing.
pub struct Finding {
    /// What was asked.
    pub asked: Asked,
    /// What the machine says now.
    pub now: Now,
    /// What the logs say.
    pub history: History,
    /// What follows.
    pub verdict: Verdict,
}

/// Whether there are logs that speak for some time.
pub enum Retention {
    /// There are.
    Covered(Box<Coverage>),
    /// There are none, for this reason: a clause without a full stop.
    Unknown(String),
}

/// The time that the logs cover, and what is missing from it.
pub struct Coverage {
    /// All entries by day, whoever logged them, from the first to the last.
    pub timeline: Timeline,
    /// The hosts that logged them, as far as they are named.
    pub hosts: Vec<String>,
    /// Whether they are another machine's than the one that was examined.
    pub is_foreign: bool,
}

impl Coverage {
    /// The coverage of what was read. `machine_id` is that of the machine that was examined, as 32
    /// hexadecimal digits; of an unknown one, nothing is foreign.
    pub fn new(timeline: Timeline, remarks: &Remarks, machine_id: &str) -> Self {
        let parts = || remarks.courses.iter().flat_map(|course| &course.boots);
        let hosts: BTreeSet<String> = parts().filter_map(|part| part.host.clone()).collect();
        let own = u128::from_str_radix(machine_id.trim(), 16).ok();
        let is_own = |id: [u8; 16]| own == Some(u128::from_be_bytes(id));
        let mut machines = parts().map(|part| part.machine).filter(|id| *id != [0; 16]).peekable();
        let is_foreign =
            own.is_some() && machines.peek().is_some() && machines.all(|id| !is_own(id));
        Self { timeline, hosts: hosts.into_iter().collect(), is_foreign }
    }

    /// How long it is from the first entry to the last, in microseconds.
    pub fn duration_us(&self) -> u64 {
        match (self.timeline.first, self.timeline.last) {
            (Some(first), Some(last)) => last.micros().abs_diff(first.micros()),
            _ => 0,
        }
    }

    /// How many days between the first and the last entry have none.
    pub fn empty_days(&self) -> usize {
        let buckets = self.timeline.buckets.iter();
        buckets.filter(|bucket| bucket.coverage == BucketCoverage::None).count()
    }
}

impl Finding {
    /// The finding that follows from what was found.
    pub fn new(asked: Asked, now: Now, history: History, retention: &Retention) -> Self {
        let present = match &now {
            Now::Present(_) => Present::Yes,
            Now::Absent(_) => Present::No,
            Now::Unknown(_) => Present::Unknown,
            Now::NotAsked => Present::NotAsked,
        };
        let past = match retention {
            _ if !history.seen.is_empty() => Past::Seen,
            Retention::Covered(_) => Past::NotSeen,
            Retention::Unknown(_) => Past::Unknown,
        };
        let verdict = Verdict::new(present, past);
        Self { asked, now, history, verdict }
    }
}

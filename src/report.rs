//! The report: all that a renderer sees.

use crate::rules::{HTTP_503, POOL_TIMEOUT};
use crate::series::{Lead, Saturation, Series};
use crate::source::{Damage, Summary};
use crate::time::Span;
use crate::timeline::incident::Incidents;
use crate::timeline::{By, Class, Timeline};
use chrono_tz::Tz;

/// A timeline, and what it was made from.
#[derive(Debug, Clone)]
pub struct Report {
    /// What happened when.
    pub timeline: Timeline,
    /// The span that was asked for.
    pub span: Span,
    /// What was read, in the order in which it is to be listed.
    pub sources: Vec<SourceReport>,
    /// Which classes a table for people shows.
    pub columns: Columns,
    /// When more requests failed than usual; `None`: not looked for.
    pub incidents: Option<Incidents>,
}

/// What was read from one source, and what of it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// What was read.
    pub summary: Summary,
    /// The first pieces of damage.
    pub damage: Vec<Damage>,
    /// How many more there were.
    pub more_damage: u64,
}

/// Which classes a table for people shows. Formats for programs have all that were counted, so
/// that a field does not come and go with the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Columns {
    /// Pool timeouts and 503 responses, and of the others those that occurred.
    #[default]
    Occurring,
    /// All classes of the timeline: somebody asked for just these.
    All,
}

impl Report {
    /// The classes that a table for people shows.
    pub fn shown_classes(&self) -> Vec<&Class> {
        let shown = |class: &&Class| {
            self.columns == Columns::All
                || [POOL_TIMEOUT, HTTP_503].contains(&class.name.as_str())
                || self.timeline.totals.of(class.index) > 0
        };
        self.timeline.classes.iter().filter(shown).collect()
    }
}

/// What was logged about connection pools.
#[derive(Debug, Clone)]
pub struct PoolReport {
    /// One for each pool of each unit and host, in the order of their names.
    pub series: Vec<Series>,
    /// When pools had no connection to give, in the order of time.
    pub saturations: Vec<Saturation>,
    /// For each incident of pool timeouts, the pools that were full when it began.
    pub leads: Vec<Lead>,
    /// The length of the buckets that tables cut a series into.
    pub by: By,
    /// The zone whose calendar they follow.
    pub zone: Tz,
    /// Messages that look like a snapshot and cannot be read as one.
    pub unparsed: u64,
    /// Snapshots without a time, which are in no series.
    pub undated: u64,
    /// Snapshots beyond what is kept.
    pub left_out: u64,
}

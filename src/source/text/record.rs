//! The last step of every text reader: an entry is tested against filter and span, counted, and
//! classified.

use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::entry::Entry;
use crate::rules::Fields;
use crate::source::{Damage, Event, Query, Sink, SourceKind, Summary};
use crate::time::{Minute, Timestamp};

/// Answers the query for one source, entry by entry.
pub(super) struct Recorder<'q> {
    query: &'q Query<'q>,
    sink: &'q mut dyn Sink,
    summary: Summary,
    /// Entries of this minute that the sink has not been told of yet.
    run: Option<(Option<Minute>, u64)>,
}

impl<'q> Recorder<'q> {
    /// A recorder that has seen no entry yet.
    pub(super) fn new(query: &'q Query<'q>, sink: &'q mut dyn Sink, path: PathBuf) -> Self {
        Self { query, sink, summary: Summary::new(path, SourceKind::Text), run: None }
    }

    /// The question that is asked.
    pub(super) fn query(&self) -> &'q Query<'q> {
        self.query
    }

    /// Says what the source turned out to be.
    pub(super) fn set_kind(&mut self, kind: SourceKind) {
        self.summary.kind = kind;
    }

    /// What the source was said to be.
    pub(super) fn kind(&self) -> SourceKind {
        self.summary.kind
    }

    /// How many entries have passed filter and span so far.
    pub(super) fn entries(&self) -> u64 {
        self.summary.entries
    }

    /// Whether entries pass or fail by their time alone.
    #[inline]
    pub(super) fn is_unfiltered(&self) -> bool {
        self.query.filter.is_empty()
    }

    /// Counts an entry that passes the filter and that no rule matches.
    #[inline]
    pub(super) fn count(&mut self, at: Option<Timestamp>) -> bool {
        let inside = match at {
            Some(at) => self.query.span.contains(at),
            None => self.query.span.is_unbounded(),
        };
        if inside {
            self.summary.count(at);
            let minute = at.map(Timestamp::minute);
            match &mut self.run {
                Some((of, count)) if *of == minute => *count += 1,
                _ => self.start_run(minute),
            }
        }
        inside
    }

    fn start_run(&mut self, minute: Option<Minute>) {
        if let Some((minute, count)) = self.run.replace((minute, 1)) {
            self.sink.entries(minute, count);
        }
    }

    /// Tests, counts and classifies an entry. `Break`: the sink wants no more.
    pub(super) fn record(&mut self, entry: &Entry<'_>) -> ControlFlow<()> {
        self.record_with(entry, entry)
    }

    /// The same for an entry with more fields than [`Entry`] has.
    pub(super) fn record_with(
        &mut self,
        entry: &Entry<'_>,
        fields: &dyn Fields,
    ) -> ControlFlow<()> {
        if !self.query.filter.accepts(entry) || !self.count(entry.at) {
            return ControlFlow::Continue(());
        }
        match self.query.classifier.classify(entry.message, fields) {
            Some(rule) => self.sink.event(&Event { entry, rule }),
            None => ControlFlow::Continue(()),
        }
    }

    /// Notes an entry that could not be read.
    pub(super) fn skip(&mut self) {
        self.summary.skipped += 1;
    }

    /// Tells the sink of bytes that are not what they should be.
    pub(super) fn damage(&mut self, offset_bytes: u64, problem: impl Into<String>) {
        self.sink.damage(Damage { offset_bytes, problem: problem.into() });
    }

    /// Tells the sink what is left and returns the summary.
    pub(super) fn finish(mut self, bytes: u64) -> Summary {
        if let Some((minute, count)) = self.run.take() {
            self.sink.entries(minute, count);
        }
        self.summary.bytes = bytes;
        self.summary
    }
}

//! The last step of every text reader: an entry is tested against filter and span, counted, and
//! classified.

use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::entry::Entry;
use crate::rules::{ClassIndex, Fields, Memo};
use crate::source::change::{FoundChange, Happened, manager, words};
use crate::source::not_logged::Dropped;
use crate::source::statement::{self, Statement};
use crate::source::watch::Signs;
use crate::source::{Damage, Event, Filter, Query, Remark, Sink, SourceKind, Summary};
use crate::time::{Minute, Timestamp};

/// Answers the query for one source, entry by entry.
pub(super) struct Recorder<'q> {
    query: &'q Query<'q>,
    sink: &'q mut dyn Sink,
    /// Entries of this minute that the sink has not been told of yet.
    run: Option<(Option<Minute>, u64)>,
    /// The conditions that a daemon's statement about other entries must meet itself.
    statement_filter: Filter,
    /// The class of deployments, if there is a rule for them.
    deployment: Option<ClassIndex>,
    memo: Memo,
    record: Record,
}

/// What a recorder knows of one source, which lasts from one reading of a growing source to the
/// next.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) summary: Summary,
    known: Known,
    /// Entries without a time, which a limited span leaves out.
    undated_outside: u64,
    /// Whether the sink was told which conditions no entry can meet.
    has_told_unknown: bool,
}

impl Record {
    /// Of a source of which no entry was seen yet.
    pub(super) fn new(path: PathBuf, kind: SourceKind) -> Self {
        let summary = Summary::new(path, kind);
        Self { summary, known: Known::default(), undated_outside: 0, has_told_unknown: false }
    }
}

/// Which fields that a filter may ask for were known of any entry.
#[derive(Debug, Default)]
struct Known {
    entries: bool,
    unit: bool,
    identifier: bool,
    host: bool,
    boot: bool,
    priority: bool,
}

impl<'q> Recorder<'q> {
    /// A recorder that has seen no entry yet.
    pub(super) fn new(
        query: &'q Query<'q>,
        sink: &'q mut dyn Sink,
        path: PathBuf,
        kind: SourceKind,
    ) -> Self {
        Self::resume(query, sink, Record::new(path, kind))
    }

    /// A recorder that goes on with a source that has grown.
    pub(super) fn resume(query: &'q Query<'q>, sink: &'q mut dyn Sink, record: Record) -> Self {
        let statement_filter = Filter {
            hosts: query.filter.hosts.clone(),
            boot: query.filter.boot.clone(),
            ..Filter::default()
        };
        let deployment = words::deployment_class(query.classifier);
        let memo = Memo::default();
        Self { query, sink, run: None, statement_filter, deployment, memo, record }
    }

    /// Tells the sink what is left until the source has grown.
    pub(super) fn pause(mut self) -> Record {
        self.tell_run();
        if self.record.known.entries && !self.record.has_told_unknown {
            self.tell_unknown();
        }
        self.record
    }

    /// Notes what the source turned out to be.
    pub(super) fn set_kind(&mut self, kind: SourceKind) {
        self.record.summary.kind = kind;
    }

    /// The question that is asked.
    pub(super) fn query(&self) -> &'q Query<'q> {
        self.query
    }

    /// Whether entries pass or fail by their time alone.
    #[inline]
    pub(super) fn is_unfiltered(&self) -> bool {
        self.query.filter.is_empty()
    }

    /// Counts an entry that passes the filter and that no rule matches.
    #[inline]
    pub(super) fn count(&mut self, at: Option<Timestamp>) -> bool {
        self.count_times(at, 1)
    }

    #[inline]
    fn count_times(&mut self, at: Option<Timestamp>, times: u32) -> bool {
        let inside = match at {
            Some(at) => self.query.span.contains(at),
            None => self.query.span.is_unbounded(),
        };
        if !inside && at.is_none() {
            self.record.undated_outside += 1;
        }
        if inside {
            let times = u64::from(times);
            self.record.summary.count(at, times);
            let minute = at.map(Timestamp::minute);
            match &mut self.run {
                Some((of, count)) if *of == minute => *count += times,
                _ => self.start_run(minute, times),
            }
        }
        inside
    }

    fn start_run(&mut self, minute: Option<Minute>, times: u64) {
        if let Some((minute, count)) = self.run.replace((minute, times)) {
            self.sink.entries(minute, count);
        }
    }

    /// Tests, counts and classifies an entry. `Break`: the sink wants no more.
    pub(super) fn record(&mut self, entry: &Entry<'_>) -> ControlFlow<()> {
        self.record_times(entry, 1)
    }

    /// Tests, counts and classifies an entry that was logged so many times.
    pub(super) fn record_times(&mut self, entry: &Entry<'_>, times: u32) -> ControlFlow<()> {
        if let Some(statement) = statement::in_text(entry.identifier, entry.message) {
            self.tell_dropped(entry, statement);
        }
        if self.query.changes {
            let by_manager = |at| manager::of_text(entry.identifier, entry.pid, entry.message, at);
            self.tell_change(entry, entry, by_manager);
        }
        if self.accepts(entry) {
            let watch = self.query.watch;
            let signs = watch.map(|watch| watch.signs_of_text(entry)).unwrap_or_default();
            return self.take(entry, entry, times, signs);
        }
        ControlFlow::Continue(())
    }

    /// Whether the entry passes the filter.
    pub(super) fn accepts(&mut self, entry: &Entry<'_>) -> bool {
        if self.is_unfiltered() {
            return true;
        }
        self.record.known.entries = true;
        self.record.known.unit |= entry.unit.is_some();
        self.record.known.identifier |= entry.identifier.is_some();
        self.record.known.host |= entry.host.is_some();
        self.record.known.boot |= entry.boot.is_some();
        self.record.known.priority |= entry.priority.is_some();
        self.query.filter.accepts(entry)
    }

    /// Counts and classifies an entry that passes the filter; rules may test `fields`.
    pub(super) fn record_accepted(
        &mut self,
        entry: &Entry<'_>,
        fields: &dyn Fields,
    ) -> ControlFlow<()> {
        let watch = self.query.watch;
        let signs = watch.map(|watch| watch.signs_of_fields(fields)).unwrap_or_default();
        self.take(entry, fields, 1, signs)
    }

    fn take(
        &mut self,
        entry: &Entry<'_>,
        fields: &dyn Fields,
        times: u32,
        signs: Signs,
    ) -> ControlFlow<()> {
        if !self.count_times(entry.at, times) {
            return ControlFlow::Continue(());
        }
        signs.tell(entry.at, &entry.origin, |sighting| self.sink.sighting(sighting));
        match self.memo.classify(self.query.classifier, entry.message, fields) {
            Some(rule) => self.sink.event(&Event { entry, rule, times }),
            None => ControlFlow::Continue(()),
        }
    }

    /// Tells the sink what was done with a package. A manager's log does not name its machine.
    pub(super) fn tell_package(&mut self, change: FoundChange) {
        let is_inside = self.query.changes && self.query.change_span().contains(change.at);
        if is_inside && self.query.filter.hosts.is_empty() {
            self.sink.change(change);
        }
    }

    /// Tells the sink what a daemon says in an entry that it dropped.
    pub(super) fn tell_dropped(&mut self, entry: &Entry<'_>, statement: Statement) {
        let is_inside = match entry.at {
            Some(at) => self.query.span.contains(at),
            None => self.query.span.is_unbounded(),
        };
        let Statement { kind, entries, sender } = statement;
        let host = entry.host.and_then(statement::name);
        let dropped = Dropped { at: entry.at, kind, entries, sender, host, is_from_journal: false };
        if is_inside && self.statement_filter.accepts(entry) && dropped.concerns(self.query.filter)
        {
            self.sink.remark(Remark::Dropped(dropped));
        }
    }

    /// Tells the sink what an entry says has changed: what `by_manager` finds, or what its words say.
    pub(super) fn tell_change(
        &mut self,
        entry: &Entry<'_>,
        fields: &dyn Fields,
        by_manager: impl FnOnce(Timestamp) -> Option<FoundChange>,
    ) {
        let is_asked = |at: &Timestamp| {
            self.query.change_span().contains(*at) && self.statement_filter.accepts(entry)
        };
        let Some(at) = entry.at.filter(is_asked) else { return };
        let classifier = self.query.classifier;
        let by_words = || {
            let message = entry.message;
            let rule = words::deployment_rule(classifier, self.deployment, message, fields);
            words::of_message(classifier, rule, message, at)
        };
        if let Some(mut change) = by_words().or_else(|| by_manager(at)) {
            change.host = entry.host.and_then(statement::name);
            self.sink.change(change);
        }
    }

    /// Tells the sink that an entry is the first one of a boot.
    pub(super) fn tell_boot(&mut self, at: Option<Timestamp>, boot: Option<[u8; 32]>) {
        let Some(at) = at.filter(|at| self.query.change_span().contains(*at)) else { return };
        let is_other = |own: &String| boot.is_none_or(|boot| *own.as_bytes() != boot);
        let is_left_out = self.statement_filter.boot.as_ref().is_some_and(is_other)
            || !self.statement_filter.hosts.is_empty();
        if self.query.changes && !is_left_out {
            self.sink.change(FoundChange::once(at, Happened::Booted, String::new()));
        }
    }

    /// Notes an entry that could not be read.
    pub(super) fn skip(&mut self) {
        self.record.summary.skipped += 1;
    }

    /// Tells the sink of bytes that are not what they should be.
    pub(super) fn damage(&mut self, offset_bytes: u64, problem: impl Into<String>) {
        self.sink.damage(Damage { offset_bytes, problem: problem.into() });
    }

    /// Tells the sink what is left and returns the summary.
    pub(super) fn finish(mut self, bytes: u64) -> Summary {
        self.tell_run();
        if !self.record.has_told_unknown {
            self.tell_unknown();
        }
        if self.record.undated_outside > 0 {
            let count = self.record.undated_outside;
            self.damage(
                0,
                format!("entries without a time that --since and --until leave out: {count}"),
            );
        }
        self.record.summary.bytes = bytes;
        self.record.summary
    }

    fn tell_run(&mut self) {
        if let Some((minute, count)) = self.run.take() {
            self.sink.entries(minute, count);
        }
    }

    /// Says which conditions failed only because no entry of the source says what they ask for:
    /// a filter that leaves out everything must not look like a quiet log.
    fn tell_unknown(&mut self) {
        self.record.has_told_unknown = true;
        let filter = self.query.filter;
        let asked = [
            (!filter.units.is_empty(), self.record.known.unit, "unit"),
            (!filter.identifiers.is_empty(), self.record.known.identifier, "identifier"),
            (!filter.hosts.is_empty(), self.record.known.host, "host"),
            (filter.boot.is_some(), self.record.known.boot, "boot"),
            (filter.priorities.is_some(), self.record.known.priority, "priority"),
        ];
        for (is_asked, is_known, field) in asked {
            if is_asked && !is_known && self.record.known.entries {
                let problem =
                    format!("no entry names its {field}: --{field} leaves all of them out");
                self.damage(0, problem);
            }
        }
    }
}

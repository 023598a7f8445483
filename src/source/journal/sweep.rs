//! The sweep: one question answered by one walk over a journal file.
//!
//! A journal stores each distinct field once, before the first entry that has it. So every
//! message is classified once, however many entries refer to it, and for an entry it remains to
//! look up whether one of its offsets is marked. Most entries cost that and an addition.

use std::ops::ControlFlow;

use super::duplicates::{Duplicates, SharedNumbers};
use super::entry_fields::{EntryFields, FieldReader};
use super::filter_marks::{FieldFacts, FieldFilter};
use super::late;
use super::marks::{Mark, Marks};
use super::messages::RecentMessages;
use super::object::EntryView;
use super::payload::Decompressor;
use super::recover;
use super::tail::{self, Tail};
use super::walk::{Payload, Visitor, Walk, Walked};
use super::{JournalFile, decode_hex};
use crate::entry::{Entry, Origin, hex};
use crate::rules::{RuleIndex, Verdict};
use crate::source::{Damage, Detail, Event, Query, Sink, SourceKind, Summary};
use crate::time::{Minute, Timestamp};

const MESSAGE: &[u8] = b"MESSAGE=";

/// Answers `query` from one file.
pub(super) fn sweep(
    journal: &JournalFile,
    query: &Query<'_>,
    duplicates: &Duplicates,
    sink: &mut dyn Sink,
) -> Summary {
    let mut sweep = Sweep::new(journal, query, duplicates, sink);
    let tail = tail::find(&journal.file, &journal.header);
    let mut walk = Walk::new(&journal.file, &journal.header, tail);
    let mut flow = walk.run(&mut sweep, query.progress);
    let claimed = journal.header.facts.n_entries;
    let met = walk.walked.entries + walk.late.len() as u64;
    if flow.is_continue() && (walk.walked.damaged || met < claimed) {
        flow = recover::recover(&mut walk, &mut sweep);
    }
    if flow.is_continue() {
        flow = late::visit(&mut walk, &mut sweep);
    }
    if flow.is_continue() {
        sweep.account(walk.walked, claimed, tail);
    }
    sweep.flush();
    sweep.summary
}

/// What is known while one file is walked.
struct Sweep<'a> {
    journal: &'a JournalFile,
    query: &'a Query<'a>,
    sink: &'a mut dyn Sink,
    fields: FieldFilter<'a>,
    fields_matter: bool,
    /// The boot that entries must be of.
    boot: Option<[u8; 16]>,
    marks: Marks,
    messages: RecentMessages,
    decompressor: Decompressor,
    reader: FieldReader<'a>,
    entry_fields: EntryFields,
    duplicates: &'a Duplicates,
    shared_numbers: SharedNumbers,
    summary: Summary,
    /// Entries of one minute that the sink was not told yet.
    minute: Option<Minute>,
    untold: u64,
}

impl<'a> Sweep<'a> {
    fn new(
        journal: &'a JournalFile,
        query: &'a Query<'a>,
        duplicates: &'a Duplicates,
        sink: &'a mut dyn Sink,
    ) -> Self {
        let fields = FieldFilter::new(query.filter);
        let mut summary = Summary::new(&journal.path, SourceKind::Journal);
        summary.bytes = journal.header.facts.size_bytes;
        Self {
            journal,
            query,
            sink,
            fields,
            fields_matter: fields.is_active(),
            // A boot that is no id is no entry's boot.
            boot: query.filter.boot.as_ref().map(|boot| decode_hex(boot).unwrap_or([0; 16])),
            marks: Marks::default(),
            messages: RecentMessages::default(),
            decompressor: Decompressor::new(journal.header.facts.size_bytes),
            reader: FieldReader::new(&journal.file, &journal.header),
            entry_fields: EntryFields::default(),
            duplicates,
            shared_numbers: duplicates.shared_numbers(&journal.header.facts),
            summary,
            minute: None,
            untold: 0,
        }
    }

    /// Takes a field, decompressed.
    #[inline]
    fn field(&mut self, offset: u64, field: &[u8]) {
        if let Some(message) = field.strip_prefix(MESSAGE) {
            let verdict = self.query.classifier.classify_message(message);
            if verdict != Verdict::NoRule {
                self.messages.put(offset, message);
                self.marks.insert(offset, Mark { facts: FieldFacts::NONE, verdict });
            }
        } else if self.fields_matter {
            let facts = self.fields.facts_of(field);
            if facts != FieldFacts::NONE {
                self.marks.insert(offset, Mark { facts, verdict: Verdict::NoRule });
            }
        }
    }

    /// Counts an entry that passed all conditions.
    #[inline]
    fn count(&mut self, at: Timestamp) {
        self.summary.count(Some(at), 1);
        let minute = Some(at.minute());
        if self.minute != minute {
            self.flush();
            self.minute = minute;
        }
        self.untold += 1;
    }

    /// Tells the sink what it was not told yet.
    fn flush(&mut self) {
        if self.untold > 0 {
            self.sink.entries(self.minute, self.untold);
            self.untold = 0;
        }
    }

    /// Adds what could not be read to the summary.
    fn account(&mut self, walked: Walked, claimed: u64, tail: Tail) {
        let missing = claimed.saturating_sub(walked.entries);
        self.summary.skipped += walked.unreadable.max(missing.min(self.most_possible()));
        if missing > 0 {
            let problem = format!(
                "the header counts {claimed} entries, of which {} can be read",
                walked.entries
            );
            self.sink.damage(Damage { offset_bytes: 0, problem });
        } else if let (Tail::Broken { offset_bytes }, false) = (tail, walked.damaged) {
            let problem = "the list of entries is damaged, which were found without it".to_owned();
            self.sink.damage(Damage { offset_bytes, problem });
        }
    }

    /// As many entries as there was room for, before the file was cut off perhaps: a damaged
    /// header may claim any number.
    fn most_possible(&self) -> u64 {
        const SMALLEST_ENTRY_BYTES: u64 = 72;
        let header = &self.journal.header;
        header.facts.size_bytes.max(header.arena_bytes) / SMALLEST_ENTRY_BYTES
    }

    /// Decides an entry with marked messages, and tells the sink if it is an event.
    #[cold]
    fn event(&mut self, offset: u64, entry: EntryView<'_>, at: Timestamp) -> ControlFlow<()> {
        let Some((message_offset, rule)) = self.decide(entry) else {
            return ControlFlow::Continue(());
        };
        let cursor = entry.cursor(self.journal.header.facts.seqnum_id);
        let Some(message) = self.messages.get(message_offset, &mut self.reader) else {
            let problem = "a message that was read before is gone: the file changed".to_owned();
            self.sink.damage(Damage { offset_bytes: offset, problem });
            return ControlFlow::Continue(());
        };
        let boot: String;
        let mut event_entry = Entry::new(message, Origin::Cursor(cursor));
        event_entry.at = Some(at);
        if self.query.detail == Detail::Entries {
            self.reader.read_entry(entry, &mut self.entry_fields);
            self.entry_fields.describe(&mut event_entry);
            boot = hex(&cursor.boot_id);
            event_entry.boot = Some(boot.as_bytes());
        }
        self.sink.event(&Event { entry: &event_entry, rule, times: 1 })
    }

    /// The rule of the first message that any rule matches, and that message's offset.
    fn decide(&mut self, entry: EntryView<'_>) -> Option<(u64, RuleIndex)> {
        for item in entry.items() {
            match self.marks.get(item).map(|mark| &mark.verdict) {
                None | Some(Verdict::NoRule) => {}
                Some(Verdict::Rule(rule)) => return Some((item, *rule)),
                Some(Verdict::Fields) => {
                    self.reader.read_entry(entry, &mut self.entry_fields);
                    let Some(message) = self.messages.get(item, &mut self.reader) else { continue };
                    let rule = self.query.classifier.classify(message, &self.entry_fields);
                    if let Some(rule) = rule {
                        return Some((item, rule));
                    }
                }
            }
        }
        None
    }
}

impl Visitor for Sweep<'_> {
    fn wants(&self, beginning: Payload<'_>) -> bool {
        beginning.compression.is_some()
            || beginning.bytes.starts_with(MESSAGE)
            || self.fields.may_matter(beginning.bytes)
    }

    #[inline]
    fn data(&mut self, offset: u64, payload: Payload<'_>) {
        let Some(compression) = payload.compression else {
            return self.field(offset, payload.bytes);
        };
        let fields = self.fields;
        let wanted = |field: &[u8]| field.starts_with(MESSAGE) || fields.may_matter(field);
        let mut decompressor = std::mem::take(&mut self.decompressor);
        match decompressor.decompress(compression, payload.bytes, wanted) {
            Ok(field) => self.field(offset, field),
            Err(problem) => self.sink.damage(Damage { offset_bytes: offset, problem }),
        }
        self.decompressor = decompressor;
    }

    #[inline]
    fn entry(&mut self, offset: u64, entry: EntryView<'_>) -> ControlFlow<()> {
        let micros = i64::try_from(entry.realtime_us()).ok();
        // The walk passes on only times before the year 3112.
        let Some(at) = micros.and_then(Timestamp::from_micros) else {
            return ControlFlow::Continue(());
        };
        if !self.query.span.contains(at) || self.boot.is_some_and(|boot| boot != entry.boot_id()) {
            return ControlFlow::Continue(());
        }
        let mut facts = FieldFacts::NONE;
        let mut is_hit = false;
        if self.marks.may_concern(entry) {
            for item in entry.items() {
                if let Some(mark) = self.marks.get(item) {
                    facts |= mark.facts;
                    is_hit |= mark.verdict != Verdict::NoRule;
                }
            }
        }
        if self.fields_matter && !self.fields.accepts(facts) {
            return ControlFlow::Continue(());
        }
        if self.shared_numbers.contains(entry.seqnum()) {
            let cursor = entry.cursor(self.journal.header.facts.seqnum_id);
            if !self.duplicates.is_new(&cursor) {
                self.summary.skipped += 1;
                return ControlFlow::Continue(());
            }
        }
        self.count(at);
        if is_hit { self.event(offset, entry, at) } else { ControlFlow::Continue(()) }
    }

    fn damage(&mut self, damage: Damage) {
        self.sink.damage(damage);
    }
}

//! The sweep: one question answered by one walk over a journal file.
//!
//! A journal stores each distinct field once, before the first entry that has it. So every
//! message is classified once, however many entries refer to it, and for an entry it remains to
//! look up whether one of its offsets is marked. Most entries cost that and an addition.

use std::ops::ControlFlow;

use super::course::Head;
use super::duplicates::{Duplicates, SharedNumbers};
use super::entry_fields::{EntryFields, FieldReader};
use super::filter_marks::{FieldFacts, FieldFilter};
use super::header::State;
use super::late;
use super::marks::Mark;
use super::memory::Memory;
use super::messages::RecentMessages;
use super::object::EntryView;
use super::payload::Decompressor;
use super::recover;
use super::statements::{self, Statement};
use super::tail::{self, Tail};
use super::walk::{Payload, Visitor, Walk, Walked};
use super::watching::Watching;
use super::{JournalFile, decode_hex};
use crate::entry::{Entry, Origin, hex};
use crate::rules::{ClassIndex, Memo, RuleIndex, Verdict};
use crate::source::change::{manager, words};
use crate::source::{Damage, Detail, Event, FoundChange, Query, Remark, Sink, Summary, Watch};
use crate::time::{Minute, Span, Timestamp};

const MESSAGE: &[u8] = b"MESSAGE=";
/// What `MESSAGE_ID` begins with: eight bytes are compared at once.
const OF_MESSAGE: &[u8] = b"MESSAGE_";

/// Answers `query` from one file.
pub(super) fn sweep(
    journal: &JournalFile,
    query: &Query<'_>,
    duplicates: &Duplicates,
    sink: &mut dyn Sink,
) -> Summary {
    let mut memory = Memory::new(journal);
    sweep_on(journal, query, Some(duplicates), &mut memory, sink);
    memory.summary
}

/// Answers `query` from what a file has had added since the last sweep.
///
/// The second look at damaged places is for the first sweep alone: it costs a walk over the whole
/// file. Where it is not clear how far a file that was swept before can be trusted, nothing is
/// read and `false` is returned: its writer may be about to make it clear.
pub(super) fn sweep_on(
    journal: &JournalFile,
    query: &Query<'_>,
    duplicates: Option<&Duplicates>,
    memory: &mut Memory,
    sink: &mut dyn Sink,
) -> bool {
    let next = memory.next;
    let tail = match next {
        None => tail::find(&journal.file, &journal.header),
        Some(_) => tail::find_near(&journal.file, &journal.header),
    };
    let is_unclear = matches!(tail, Tail::Broken { .. });
    if next.is_some() && is_unclear && journal.facts().state != State::Archived {
        return false;
    }
    let mut sweep = Sweep::new(journal, query, duplicates, memory, sink);
    let mut walk = Walk::new(&journal.file, &journal.header, tail);
    walk.start = next.unwrap_or(walk.start);
    let mut flow = walk.run(&mut sweep, query.progress);
    let claimed = journal.header.facts.n_entries;
    let is_first = next.is_none();
    let met = walk.walked.entries + walk.late.len() as u64;
    if is_first && flow.is_continue() && (walk.walked.damaged || met < claimed) {
        sweep.memory.course.go_back(&journal.header.facts);
        flow = recover::recover(&mut walk, &mut sweep);
    }
    if flow.is_continue() && !walk.late.is_empty() {
        sweep.memory.course.go_back(&journal.header.facts);
        flow = late::visit(&mut walk, &mut sweep);
    }
    if is_first && flow.is_continue() {
        sweep.account(walk.walked, claimed, tail);
    }
    sweep.finish();
    memory.next = Some(walk.start);
    true
}

/// What is known while one file is walked.
struct Sweep<'a> {
    journal: &'a JournalFile,
    query: &'a Query<'a>,
    sink: &'a mut dyn Sink,
    fields: FieldFilter<'a>,
    fields_matter: bool,
    /// The names whose entries are wanted; `None`: there are none.
    watching: Option<Watching<'a>>,
    /// The boot that entries must be of.
    boot: Option<[u8; 16]>,
    /// The time of which the sink wants to be told anything.
    reach: Span,
    /// The class of deployments, if there is a rule for them.
    deployment: Option<ClassIndex>,
    memory: &'a mut Memory,
    messages: RecentMessages,
    memo: Memo,
    decompressor: Decompressor,
    reader: FieldReader<'a>,
    entry_fields: EntryFields,
    /// `None`: no entry is in another file.
    duplicates: Option<(&'a Duplicates, SharedNumbers)>,
    /// Entries of one minute that the sink was not told yet.
    minute: Option<Minute>,
    untold: u64,
}

impl<'a> Sweep<'a> {
    fn new(
        journal: &'a JournalFile,
        query: &'a Query<'a>,
        duplicates: Option<&'a Duplicates>,
        memory: &'a mut Memory,
        sink: &'a mut dyn Sink,
    ) -> Self {
        let fields = FieldFilter::new(query.filter);
        let facts = &journal.header.facts;
        memory.summary.bytes = facts.size_bytes;
        Self {
            journal,
            query,
            sink,
            fields,
            fields_matter: fields.is_active(),
            watching: query.watch.map(Watching::new),
            // A boot that is no id is no entry's boot.
            boot: query.filter.boot.as_ref().map(|boot| decode_hex(boot).unwrap_or([0; 16])),
            reach: if query.changes { query.change_span() } else { query.span },
            deployment: words::deployment_class(query.classifier),
            memory,
            messages: RecentMessages::default(),
            memo: Memo::default(),
            decompressor: Decompressor::new(journal.header.facts.size_bytes),
            reader: FieldReader::new(&journal.file, &journal.header),
            entry_fields: EntryFields::default(),
            duplicates: duplicates.map(|duplicates| (duplicates, duplicates.shared_numbers(facts))),
            minute: None,
            untold: 0,
        }
    }

    /// Takes a field, decompressed.
    #[inline]
    fn field(&mut self, offset: u64, field: &[u8]) {
        if let Some(watching) = &mut self.watching {
            watching.field(offset, field);
        }
        if let Some(message) = field.strip_prefix(MESSAGE) {
            return self.message(offset, message);
        }
        let mut facts = FieldFacts::NONE;
        if self.fields_matter || field.starts_with(OF_MESSAGE) {
            facts |= self.fields.facts_of(field);
        }
        if self.query.changes && self.memory.changes.field(offset, field) {
            facts |= FieldFacts::CHANGE;
        }
        if facts != FieldFacts::NONE {
            self.memory.marks.insert(offset, Mark { facts, verdict: Verdict::NoRule });
        }
    }

    #[inline]
    fn message(&mut self, offset: u64, message: &[u8]) {
        let mut facts = FieldFacts::NONE;
        if self.query.changes && self.memory.changes.message(offset, message) {
            facts |= FieldFacts::CHANGE;
        }
        let verdict = self.memo.examine(self.query.classifier, message);
        if let Some(verdict) = &verdict
            && self.query.changes
            && (self.may_be_deployment(verdict) || self.memory.changes.refusal(offset, message))
        {
            facts |= FieldFacts::WORDS;
        }
        let verdict = verdict.unwrap_or(Verdict::NoRule);
        if verdict != Verdict::NoRule || facts != FieldFacts::NONE {
            self.messages.put(offset, message);
            self.memory.marks.insert(offset, Mark { facts, verdict });
        }
    }

    fn may_be_deployment(&self, verdict: &Verdict) -> bool {
        self.deployment.is_some_and(|class| match verdict {
            Verdict::NoRule => false,
            Verdict::Rule(rule) => self.query.classifier.class_of(*rule) == class,
            Verdict::Fields => true,
        })
    }

    /// Answers the query as far as one entry goes.
    #[inline]
    fn answer(&mut self, offset: u64, entry: EntryView<'_>) -> ControlFlow<()> {
        let micros = i64::try_from(entry.realtime_us()).ok();
        // The walk passes on only times before the year 3112.
        let Some(at) = micros.and_then(Timestamp::from_micros) else {
            return ControlFlow::Continue(());
        };
        let is_inside = self.query.span.contains(at);
        let is_other_boot = || self.boot.is_some_and(|boot| boot != entry.boot_id());
        if (!is_inside && !self.reach.contains(at)) || is_other_boot() {
            return ControlFlow::Continue(());
        }
        let mut facts = FieldFacts::NONE;
        let mut is_hit = false;
        if self.memory.marks.may_concern(entry) {
            for item in entry.items() {
                if let Some(mark) = self.memory.marks.get(item) {
                    facts |= mark.facts;
                    is_hit |= mark.verdict != Verdict::NoRule;
                }
            }
        }
        let is_accepted = is_inside && (!self.fields_matter || self.fields.accepts(facts));
        let is_journalds = is_inside && facts.may_be_journalds();
        if !is_accepted && !is_journalds && !facts.may_be_change() {
            return ControlFlow::Continue(());
        }
        if let Some((duplicates, shared_numbers)) = &self.duplicates
            && shared_numbers.contains(entry.seqnum())
        {
            let cursor = entry.cursor(self.journal.header.facts.seqnum_id);
            if !duplicates.is_new(&cursor) {
                self.memory.summary.skipped += u64::from(is_accepted);
                return ControlFlow::Continue(());
            }
        }
        if is_journalds {
            self.statement(entry, facts, at);
        }
        if facts.may_be_change() {
            self.change(entry, facts, at);
        }
        if !is_accepted {
            return ControlFlow::Continue(());
        }
        self.count(at);
        if self.watching.is_some() {
            self.tell_sightings(entry, at);
        }
        if is_hit { self.event(offset, entry, at) } else { ControlFlow::Continue(()) }
    }

    /// Counts an entry that passed all conditions.
    #[inline]
    fn count(&mut self, at: Timestamp) {
        self.memory.summary.count(Some(at), 1);
        if !self.minute.is_some_and(|minute| minute.contains(at)) {
            self.flush();
            self.minute = Some(at.minute());
        }
        self.untold += 1;
    }

    /// Tells the sink to which of the names the entry belongs.
    #[cold]
    fn tell_sightings(&mut self, entry: EntryView<'_>, at: Timestamp) {
        let Some(watching) = &self.watching else { return };
        let signs = watching.signs(entry);
        if !signs.is_empty() {
            let origin = Origin::Cursor(entry.cursor(self.journal.header.facts.seqnum_id));
            signs.tell(Some(at), &origin, |sighting| self.sink.sighting(sighting));
        }
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
        self.memory.summary.skipped += walked.unreadable.max(missing.min(self.most_possible()));
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

    /// Tells the sink what journald says of itself in an entry.
    #[cold]
    fn statement(&mut self, entry: EntryView<'_>, facts: FieldFacts, at: Timestamp) {
        if !self.query.filter.hosts.is_empty() && !facts.has_host() {
            return;
        }
        self.reader.read_entry(entry, &mut self.entry_fields);
        match statements::read(&self.entry_fields, self.query.filter, at) {
            Some(Statement::Dropped(dropped)) => self.sink.remark(Remark::Dropped(dropped)),
            Some(Statement::Service { is_start, namespace }) => {
                self.memory.course.service(Head::of(&entry), is_start, namespace);
            }
            None => {}
        }
    }

    /// Tells the sink what changed by an entry: what a rule of the user's makes of it comes first.
    #[cold]
    fn change(&mut self, entry: EntryView<'_>, facts: FieldFacts, at: Timestamp) {
        let by_words = if facts.may_be_words() { self.change_by_words(entry, at) } else { None };
        let Self { reader, entry_fields, memory, .. } = self;
        let message = || {
            reader.read_entry(entry, entry_fields);
            entry_fields.values("MESSAGE").next().map(<[u8]>::to_vec)
        };
        let change = by_words.or_else(|| memory.changes.change(entry, at, message));
        let is_asked =
            |change: &FoundChange| manager::is_of_hosts(self.query.filter, change.host.as_deref());
        if let Some(change) = change.filter(is_asked) {
            self.sink.change(change);
        }
    }

    /// The change that an entry's message tells.
    fn change_by_words(&mut self, entry: EntryView<'_>, at: Timestamp) -> Option<FoundChange> {
        let is_told =
            |item: &u64| self.memory.marks.get(*item).is_some_and(|mark| mark.facts.may_be_words());
        if self.deployment.is_none() {
            return self.memory.changes.refused(entry, at);
        }
        let item = entry.items().find(is_told)?;
        let message = self.messages.get(item, &mut self.reader)?.to_vec();
        let rule = self.decide(entry).map(|(_, rule)| rule);
        let mut change = words::of_message(self.query.classifier, rule, &message, at)?;
        change.host = self.memory.changes.host(entry);
        Some(change)
    }

    /// Tells the sink which units have their first entry here.
    #[cold]
    fn first_entries(&mut self, entry: EntryView<'_>) {
        let micros = i64::try_from(entry.realtime_us()).ok();
        let Some(at) = micros.and_then(Timestamp::from_micros) else { return };
        let first = self.memory.changes.first_entries(entry, at, self.query.filter);
        first.into_iter().for_each(|change| self.sink.change(change));
    }

    /// Notes which machine was booted, with the boot's first entry.
    #[cold]
    fn describe_boot(&mut self, entry: EntryView<'_>) {
        self.reader.read_entry(entry, &mut self.entry_fields);
        let machine = self.journal.header.facts.machine_id;
        let is_other = self.boot.is_some_and(|boot| boot != entry.boot_id());
        statements::describe_boot(
            &mut self.memory.course,
            &self.entry_fields,
            machine,
            self.query.filter,
            is_other,
        );
    }

    /// Tells the sink what is left to tell.
    fn finish(mut self) {
        self.flush();
        let max_entries = self.most_possible();
        // The file may grow, and its course go on.
        let course = self.memory.course.clone();
        let course = course.finish(Some(&self.journal.header.facts), max_entries);
        self.sink.remark(Remark::Course(Box::new(course)));
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
        if self.query.detail != Detail::Counts {
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
            match self.memory.marks.get(item).map(|mark| &mark.verdict) {
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
        beginning.compression.is_some() || may_matter(self.query, beginning.bytes)
    }

    #[inline]
    fn data(&mut self, offset: u64, payload: Payload<'_>) {
        let Some(compression) = payload.compression else {
            return self.field(offset, payload.bytes);
        };
        let query = self.query;
        let wanted = |field: &[u8]| may_matter(query, field);
        let mut decompressor = std::mem::take(&mut self.decompressor);
        match decompressor.decompress(compression, payload.bytes, wanted) {
            Ok(field) => self.field(offset, field),
            Err(problem) => self.damage(Damage { offset_bytes: offset, problem }),
        }
        self.decompressor = decompressor;
    }

    #[inline]
    fn entry(&mut self, offset: u64, entry: EntryView<'_>) -> ControlFlow<()> {
        if self.memory.changes.has_pending() {
            self.first_entries(entry);
        }
        let flow = self.answer(offset, entry);
        if self.memory.course.entry(Head::of(&entry)) {
            self.describe_boot(entry);
        }
        flow
    }

    fn damage(&mut self, damage: Damage) {
        self.memory.course.damage();
        self.sink.damage(damage);
    }
}

/// Whether a field can matter, judged by its first bytes.
fn may_matter(query: &Query<'_>, beginning: &[u8]) -> bool {
    beginning.starts_with(MESSAGE)
        || beginning.starts_with(OF_MESSAGE)
        || FieldFilter::new(query.filter).may_matter(beginning)
        || (query.watch.is_some() && Watch::may_matter(beginning))
}

//! The second backend: the same question put to libsystemd, entry by entry.
//!
//! It is some twenty times slower than the sweep, and reads what a newer systemd may have
//! invented. libsystemd (252 and others) calls `abort()` on some damaged files, and that would
//! take the whole program along: give it only files in which the native reader found no damage,
//! or which the native reader does not know.

use std::ops::ControlFlow;
use std::path::Path;

use systemd::journal::{Journal, OpenFilesOptions};

use super::course::{CourseLog, Head};
use super::duplicates::Duplicates;
use super::entry_fields::EntryFields;
use super::filter_marks::{FieldFacts, FieldFilter};
use super::statements::{self, Statement};
use super::{JournalError, decode_hex};
use crate::entry::{Cursor, Entry, Origin, hex};
use crate::rules::RuleIndex;
use crate::source::change::{FoundChange, manager, words};
use crate::source::watch::Signs;
use crate::source::{Damage, Detail, Event, Query, Remark, Sink, SourceKind, Summary, statement};
use crate::time::Timestamp;

/// Answers `query` from one journal file, as [`JournalFile::sweep`](super::JournalFile::sweep)
/// does.
///
/// `duplicates` must have been made with the facts of all files that are read together. See this
/// module about damaged files.
pub fn read_file(
    path: &Path,
    query: &Query<'_>,
    duplicates: &Duplicates,
    sink: &mut dyn Sink,
) -> Result<Summary, JournalError> {
    let failed = |error: systemd::Error| JournalError::Libsystemd {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let Some(name) = path.to_str() else {
        let detail = "the path is not valid UTF-8".to_owned();
        return Err(JournalError::Libsystemd { path: path.to_owned(), detail });
    };
    let mut journal = OpenFilesOptions::default().open_files([name]).map_err(failed)?;
    journal.set_data_threshold(0).map_err(failed)?;
    journal.seek_head().map_err(failed)?;
    let mut summary = Summary::new(path, SourceKind::Journal);
    summary.bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut reading = Reading {
        query,
        fields: FieldFilter::new(query.filter),
        boot: query.filter.boot.as_ref().map(|boot| decode_hex(boot).unwrap_or([0; 16])),
        duplicates,
        sink,
        summary,
        entry_fields: EntryFields::default(),
        course: None,
    };
    reading.read(&mut journal);
    if let Some(course) = reading.course.take() {
        reading.sink.remark(Remark::Course(Box::new(course.finish(None, 0))));
    }
    query.progress.add(reading.summary.bytes);
    Ok(reading.summary)
}

struct Reading<'a> {
    query: &'a Query<'a>,
    fields: FieldFilter<'a>,
    boot: Option<[u8; 16]>,
    duplicates: &'a Duplicates,
    sink: &'a mut dyn Sink,
    summary: Summary,
    entry_fields: EntryFields,
    /// How the file runs, from its first entry on.
    course: Option<CourseLog>,
}

impl Reading<'_> {
    /// Reads until the file ends, libsystemd fails, or the sink wants no more.
    fn read(&mut self, journal: &mut Journal) {
        loop {
            match journal.next() {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    self.report(&error, "the entries after this one cannot be read");
                    return;
                }
            }
            match self.entry(journal) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return,
                Err(error) => {
                    self.summary.skipped += 1;
                    self.report(&error, "an entry cannot be read");
                }
            }
        }
    }

    fn report(&mut self, error: &systemd::Error, what: &str) {
        let problem = format!("libsystemd: {what}: {error}");
        if let Some(course) = &mut self.course {
            course.damage();
        }
        self.sink.damage(Damage { offset_bytes: 0, problem });
    }

    fn entry(&mut self, journal: &mut Journal) -> systemd::Result<ControlFlow<()>> {
        let micros = i64::try_from(journal.timestamp_usec()?).ok();
        let Some(at) = micros.and_then(Timestamp::from_micros) else {
            self.summary.skipped += 1;
            return Ok(ControlFlow::Continue(()));
        };
        let cursor = Cursor::parse(&journal.cursor()?).ok_or_else(unreadable_cursor)?;
        let flow = self.answer(journal, cursor, at)?;
        self.follow(&cursor, journal)?;
        Ok(flow)
    }

    /// Answers the query as far as one entry goes.
    fn answer(
        &mut self,
        journal: &mut Journal,
        cursor: Cursor,
        at: Timestamp,
    ) -> systemd::Result<ControlFlow<()>> {
        let is_inside = self.query.span.contains(at);
        let is_near = self.query.changes && self.query.change_span().contains(at);
        if !is_inside && !is_near {
            return Ok(ControlFlow::Continue(()));
        }
        if self.boot.is_some_and(|boot| boot != cursor.boot_id) {
            return Ok(ControlFlow::Continue(()));
        }
        self.load_fields(journal)?;
        let facts = self
            .entry_fields
            .iter()
            .fold(FieldFacts::NONE, |facts, field| facts | self.fields.facts_of(field));
        let is_accepted = is_inside && self.fields.accepts(facts);
        let is_journalds = is_inside && facts.may_be_journalds();
        let change = if self.query.changes { self.change(at) } else { None };
        if !is_accepted && !is_journalds && change.is_none() {
            return Ok(ControlFlow::Continue(()));
        }
        if self.duplicates.may_be_shared(&cursor) && !self.duplicates.is_new(&cursor) {
            self.summary.skipped += u64::from(is_accepted);
            return Ok(ControlFlow::Continue(()));
        }
        if is_journalds {
            self.statement(&cursor, facts, at);
        }
        change.into_iter().for_each(|change| self.sink.change(change));
        if !is_accepted {
            return Ok(ControlFlow::Continue(()));
        }
        self.summary.count(Some(at), 1);
        self.sink.entries(Some(at.minute()), 1);
        if let Some(watch) = self.query.watch {
            let mut signs = Signs::default();
            self.entry_fields.iter().for_each(|field| signs |= watch.signs_of_field(field));
            signs.tell(Some(at), &Origin::Cursor(cursor), |sighting| self.sink.sighting(sighting));
        }
        Ok(self.event(cursor, at))
    }

    /// What the entry says has changed whose fields are loaded.
    fn change(&self, at: Timestamp) -> Option<FoundChange> {
        let fields = &self.entry_fields;
        let first = |name: &str| fields.values(name).next();
        let classifier = self.query.classifier;
        let by_words = || {
            let message = first("MESSAGE")?;
            let class = words::deployment_class(classifier);
            let rule = words::deployment_rule(classifier, class, message, fields);
            words::of_message(classifier, rule, message, at)
        };
        let mut change = by_words().or_else(|| manager::of_fields(&first, at))?;
        change.host = first("_HOSTNAME").and_then(statement::name);
        manager::is_of_hosts(self.query.filter, change.host.as_deref()).then_some(change)
    }

    /// Follows how the file runs.
    fn follow(&mut self, cursor: &Cursor, journal: &mut Journal) -> systemd::Result<()> {
        let new_course = || CourseLog::new(cursor.seqnum_id);
        if !self.course.get_or_insert_with(new_course).entry(Head::from(cursor)) {
            return Ok(());
        }
        self.load_fields(journal)?;
        let is_other = self.boot.is_some_and(|boot| boot != cursor.boot_id);
        if let Some(course) = &mut self.course {
            let (fields, filter) = (&self.entry_fields, self.query.filter);
            statements::describe_boot(course, fields, [0; 16], filter, is_other);
        }
        Ok(())
    }

    /// Tells the sink what journald says of itself in the entry whose fields are loaded.
    fn statement(&mut self, cursor: &Cursor, facts: FieldFacts, at: Timestamp) {
        if !self.query.filter.hosts.is_empty() && !facts.has_host() {
            return;
        }
        match statements::read(&self.entry_fields, self.query.filter, at) {
            Some(Statement::Dropped(dropped)) => self.sink.remark(Remark::Dropped(dropped)),
            Some(Statement::Service { is_start, namespace }) => {
                let new_course = || CourseLog::new(cursor.seqnum_id);
                let course = self.course.get_or_insert_with(new_course);
                course.service(Head::from(cursor), is_start, namespace);
            }
            None => {}
        }
    }

    fn load_fields(&mut self, journal: &mut Journal) -> systemd::Result<()> {
        self.entry_fields.clear();
        journal.restart_data();
        while let Some(field) = journal.enumerate_data()? {
            self.entry_fields.push(field.data());
        }
        Ok(())
    }

    /// Tells the sink if a message of the entry matches a rule.
    fn event(&mut self, cursor: Cursor, at: Timestamp) -> ControlFlow<()> {
        let classify = |message| {
            let rule: Option<RuleIndex> =
                self.query.classifier.classify(message, &self.entry_fields);
            rule.map(|rule| (message, rule))
        };
        let Some((message, rule)) = self.entry_fields.values("MESSAGE").find_map(classify) else {
            return ControlFlow::Continue(());
        };
        let boot = hex(&cursor.boot_id);
        let mut entry = Entry::new(message, Origin::Cursor(cursor));
        entry.at = Some(at);
        if self.query.detail != Detail::Counts {
            self.entry_fields.describe(&mut entry);
            entry.boot = Some(boot.as_bytes());
        }
        self.sink.event(&Event { entry: &entry, rule, times: 1 })
    }
}

fn unreadable_cursor() -> systemd::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "the cursor has an unknown form").into()
}

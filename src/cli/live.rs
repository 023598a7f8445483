//! `ebbline timeline --follow`: the counts so far, as they grow. On a terminal a table that is drawn
//! again in its place; for programs a line for each bucket once it is over; where the format is
//! one document, that document at the end.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use super::args::{TimelineArgs, TimelineFormat};
use super::error::CliError;
use super::follow::{Phase, Round, Viewer};
use super::screen::Screen;
use super::{Console, incidents, timeline};
use crate::render::{csv, lines, ndjson, table};
use crate::report::{Columns, Report, SourceReport};
use crate::rules::RuleSet;
use crate::source::not_logged::{Course, Remarks};
use crate::source::scan::Place;
use crate::source::{DamageList, Summary};
use crate::tally::{Tally, TallySink};
use crate::time::{Minute, Timestamp};
use crate::timeline::{Bucket, By, Grain, Question, Timeline};

/// The table is drawn no more often than this.
const REDRAWN_AFTER: Duration = Duration::from_secs(1);
/// A bucket is over when its time is, and when nothing was added to it for so long: entries come
/// late, and what was logged long ago is read piece by piece.
const OVER_AFTER: Duration = Duration::from_secs(1);

/// What was counted so far, and how it is shown.
pub(super) struct Live<'a> {
    args: &'a TimelineArgs,
    console: &'a Console,
    rules: &'a RuleSet,
    question: Question,
    columns: Columns,
    tally: Tally,
    sources: BTreeMap<Place, Source>,
    read_until: Timestamp,
    view: View,
}

/// What was read of one source.
struct Source {
    summary: Summary,
    damage: DamageList,
    /// So many of its entries were those of a journal.
    taken: u64,
    /// How the journal file runs.
    courses: Vec<Course>,
}

/// How it is shown.
enum View {
    /// A table in its place: whether something is new, and when it was drawn.
    Screen(Screen, bool, Option<Instant>),
    Lines(Lines),
    /// Nothing, until the end.
    Document,
}

/// Lines for buckets that are over.
#[derive(Default)]
struct Lines {
    has_heading: bool,
    /// The minutes to which something was added since their bucket was printed, and when.
    changed: BTreeMap<Minute, Instant>,
    /// The end of the last bucket that was printed, in the order of time.
    printed_until: Option<Timestamp>,
    /// The first bucket of which the time is not over.
    current: Option<Range<Timestamp>>,
}

impl<'a> Live<'a> {
    pub(super) fn new(
        args: &'a TimelineArgs,
        console: &'a Console,
        rules: &'a RuleSet,
        (question, columns): (Question, Columns),
    ) -> Self {
        let view = match args.output {
            TimelineFormat::Table if console.is_terminal => {
                View::Screen(Screen::default(), true, None)
            }
            TimelineFormat::Table | TimelineFormat::Csv | TimelineFormat::Ndjson => {
                View::Lines(Lines::default())
            }
            TimelineFormat::Markdown | TimelineFormat::Json | TimelineFormat::OpenMetrics => {
                View::Document
            }
        };
        Self {
            args,
            console,
            rules,
            question,
            columns,
            tally: Tally::default(),
            sources: BTreeMap::new(),
            read_until: Timestamp::MIN,
            view,
        }
    }

    /// The report on all that was counted, after it was shown.
    pub(super) fn finish(mut self) -> Result<Report, CliError> {
        let mut report = self.report()?;
        incidents::find(&mut report, &self.tally);
        match &mut self.view {
            View::Screen(screen, ..) => {
                screen.wipe()?;
                timeline::print(&report, self.args, self.console)?;
            }
            View::Document => timeline::print(&report, self.args, self.console)?,
            View::Lines(lines) => {
                let mut out = Vec::new();
                lines.print(&report.timeline, self.args.output, None, &mut out)?;
                if self.args.output == TimelineFormat::Table {
                    lines::end(&report, &mut out)?;
                }
                write(&out)?;
            }
        }
        Ok(report)
    }

    fn report(&mut self) -> Result<Report, CliError> {
        let courses = self.sources.values().flat_map(|source| &source.courses);
        self.tally.remarks.courses = courses.cloned().collect();
        // A file that was rotated away and the one in its place are one source by name.
        let mut merged: Vec<(Summary, DamageList)> = Vec::new();
        let mut places: HashMap<&Path, usize> = HashMap::new();
        for Source { summary, damage, taken, .. } in self.sources.values() {
            let mut own = summary.clone();
            timeline::leave_out(&mut own, *taken);
            let place = *places.entry(&summary.path).or_insert(merged.len());
            match merged.get_mut(place) {
                Some((known, known_damage)) => {
                    known.merge(&own);
                    known_damage.merge(damage.clone());
                }
                None => merged.push((own, damage.clone())),
            }
        }
        let source = |(summary, damage): (Summary, DamageList)| {
            let DamageList { pieces: damage, more: more_damage } = damage;
            SourceReport { summary, damage, more_damage }
        };
        let sources = merged.into_iter().map(source).collect();
        let mut report =
            timeline::report(&self.tally, sources, self.question.clone(), self.columns)?;
        report.timeline.read_until(self.read_until);
        Ok(report)
    }

    fn show(&mut self) -> Result<(), CliError> {
        let has_time_come = match &self.view {
            View::Document => false,
            View::Screen(_, is_new, drawn) => {
                *is_new && drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAWN_AFTER)
            }
            View::Lines(lines) => lines.may_print(self.read_until),
        };
        if !has_time_come {
            return Ok(());
        }
        let report = self.report()?;
        if matches!(self.view, View::Lines(_)) {
            // What was printed cannot change its grain.
            self.question.by = match report.timeline.grain {
                Grain::Day => By::Day,
                Grain::Hour => By::Hour,
                Grain::Minute => By::Minute,
            };
        }
        match &mut self.view {
            View::Document => {}
            View::Screen(screen, is_new, drawn) => {
                let (folding, mut style) = timeline::look(self.args, self.console);
                // The terminal's size may have changed since the beginning.
                style.width = super::width(self.console.is_terminal);
                let mut text = Vec::new();
                table::render_end(&report, folding, style, Screen::max_lines(), &mut text)?;
                screen.draw(&String::from_utf8_lossy(&text))?;
                (*is_new, *drawn) = (false, Some(Instant::now()));
            }
            View::Lines(lines) => {
                let mut out = Vec::new();
                lines.print(&report.timeline, self.args.output, Some(self.read_until), &mut out)?;
                write(&out)?;
            }
        }
        Ok(())
    }
}

impl Viewer<TallySink<'_>> for Live<'_> {
    fn take(&mut self, round: Round<TallySink<'_>>) -> Result<(), CliError> {
        self.read_until = round.read_until;
        for (place, outcome) in round.outcomes {
            let TallySink { mut tally, damage, .. } = outcome.sink;
            let repeats = outcome.repeats.as_ref();
            let taken = repeats.map_or(0, |repeats| tally.take_repeats(repeats, self.rules));
            match &mut self.view {
                View::Screen(_, is_new, _) => *is_new = true,
                View::Lines(lines) => lines.note(&tally),
                View::Document => {}
            }
            let Remarks { courses, .. } = &mut tally.remarks;
            let courses = std::mem::take(courses);
            self.tally.remarks.append(std::mem::take(&mut tally.remarks));
            self.tally.changes.append(std::mem::take(&mut tally.changes));
            self.tally.merge(tally);
            let summary = outcome.summary;
            match self.sources.get_mut(&place) {
                Some(source) => {
                    source.summary = summary;
                    source.damage.merge(damage);
                    source.taken += taken;
                    // A course is of the whole file.
                    if !courses.is_empty() {
                        source.courses = courses;
                    }
                }
                None => {
                    self.sources.insert(place, Source { summary, damage, taken, courses });
                }
            }
        }
        if round.phase == Phase::Last { Ok(()) } else { self.show() }
    }

    fn make_way(&mut self) -> Result<(), CliError> {
        if let View::Screen(screen, is_new, _) = &mut self.view {
            screen.wipe()?;
            *is_new = true;
        }
        Ok(())
    }
}

impl Lines {
    /// Notes what was counted in a round.
    fn note(&mut self, tally: &Tally) {
        let now = Instant::now();
        self.changed.extend(tally.minutes.iter().map(|(minute, _)| (minute, now)));
        // A statement of what was dropped may be no entry that was asked for.
        let said = tally.remarks.dropped.iter().filter_map(|dropped| dropped.at);
        let said = said.filter(|at| self.printed_until.is_some_and(|until| *at < until));
        self.changed.extend(said.map(|at| (at.minute(), now)));
    }

    /// Whether there may be something to print at `now`.
    fn may_print(&self, now: Timestamp) -> bool {
        let waits = |minute: &Minute| {
            let current = self.current.as_ref();
            current.is_some_and(|current| minute.start() >= current.start && now < current.end)
        };
        let is_over = |(minute, changed): (&Minute, &Instant)| {
            changed.elapsed() >= OVER_AFTER && !waits(minute)
        };
        self.changed.iter().any(is_over)
    }

    /// Prints the buckets that were over at `now`; without, all that were not printed yet.
    fn print(
        &mut self,
        timeline: &Timeline,
        format: TimelineFormat,
        now: Option<Timestamp>,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        if !self.has_heading {
            self.has_heading = true;
            match format {
                TimelineFormat::Csv => csv::heading(timeline, out)?,
                TimelineFormat::Table => lines::heading(timeline, out)?,
                _ => {}
            }
        }
        for (position, bucket) in timeline.buckets.iter().enumerate() {
            let changes = self.changes_in(bucket);
            let is_new = self.printed_until.is_none_or(|until| bucket.start >= until);
            let is_past = now.is_none_or(|now| later(bucket.end) <= now);
            let is_settled =
                changes.iter().all(|(_, changed)| now.is_none() || changed.elapsed() >= OVER_AFTER);
            if is_new && !(is_past && is_settled) {
                // Those behind it wait for it: lines come in the order of time.
                self.current = (!is_past).then(|| bucket.start..later(bucket.end));
                break;
            }
            let has_changed = is_new || !changes.is_empty();
            if !is_settled || !has_changed {
                continue;
            }
            match format {
                TimelineFormat::Csv => csv::row(timeline, position, out)?,
                TimelineFormat::Ndjson => ndjson::row(timeline, position, out)?,
                _ => lines::row(timeline, position, out)?,
            }
            if is_new {
                self.printed_until = Some(bucket.end);
            }
            for (minute, _) in changes {
                self.changed.remove(&minute);
            }
        }
        Ok(())
    }

    fn changes_in(&self, bucket: &Bucket) -> Vec<(Minute, Instant)> {
        let changes = self.changed.range(bucket.start.minute()..);
        let changes = changes.take_while(|(minute, _)| minute.start() < bucket.end);
        changes.map(|(minute, changed)| (*minute, *changed)).collect()
    }
}

/// When a bucket that ends at `end` is over.
fn later(end: Timestamp) -> Timestamp {
    let micros = i64::try_from(OVER_AFTER.as_micros()).unwrap_or(0);
    Timestamp::from_micros(end.micros() + micros).unwrap_or(Timestamp::END)
}

fn write(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)?;
    out.flush()
}

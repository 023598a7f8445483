//! `ebbline timeline`: counts by day, hour or minute.

use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::ExitCode;

use super::args::{TimelineArgs, TimelineFormat};
use super::ask::{Answer, Ask, Besides};
use super::chart::Charts;
use super::charted;
use super::error::{CliError, read_text};
use super::fail_if::{Condition, Subject};
use super::follow;
use super::git::Repositories;
use super::live::Live;
use super::telling::Damaged;
use super::{Console, complain, incidents};
use crate::render::chart::Figure;
use crate::render::{csv, json, markdown, ndjson, openmetrics, table};
use crate::report::{Columns, Report, SourceReport};
use crate::rules::{Classifier, POOL_SNAPSHOT, RuleSet};
use crate::source::scan::Outcome;
use crate::source::{DamageList, Detail, Summary};
use crate::tally::{Tally, TallySink};
use crate::time::Timestamp;
use crate::timeline::fold::Folding;
use crate::timeline::{Class, Note, Question, Timeline, notes};

/// The contract's exit code for a threshold that was crossed.
const CROSSED: u8 = 3;

pub(super) fn run(args: &TimelineArgs, console: &Console) -> Result<ExitCode, CliError> {
    let charts = Charts::new(&args.chart)?;
    // What is drawn while it grows would be drawn once, at the end: pools are not looked for.
    let has_pools = charts.are_wanted() && !args.follow;
    let mut ask = match has_pools {
        true => charted::ask(&args.source, console)?,
        false => Ask::new(&args.source, console, Besides::Changes)?,
    };
    let rules = ask.classifier.rules().clone();
    let classes = match args.class.as_slice() {
        [] => Class::all(&rules),
        names => Class::select(&rules, names).map_err(|e| CliError::Usage(e.to_string()))?,
    };
    let known: Vec<String> =
        rules.classes().iter().filter(|name| *name != POOL_SNAPSHOT).cloned().collect();
    let conditions: Vec<Condition> =
        args.fail_if.iter().map(|text| Condition::parse(text, &known)).collect::<Result<_, _>>()?;
    let notes = read_notes(&args.notes, &ask)?;
    let repositories = Repositories::open(&args.changes)?;

    let columns = if args.class.is_empty() { Columns::Occurring } else { Columns::All };
    let mut question = Question {
        by: args.by.into(),
        zone: ask.zone,
        span: ask.span,
        classes,
        notes,
        changes: Vec::new(),
    };
    let has_incidents = has_pools || wants_incidents(args, &conditions);
    let new_sink = |_: &Classifier, place| match has_incidents {
        true => TallySink::with_evidence(&rules, place, false),
        false => TallySink::new(&rules),
    };
    let mut series = Vec::new();
    let (report, has_failed) = if args.follow {
        question.changes = repositories.changes_since(console, ask.span.since)?;
        let mut live = Live::new(args, console, &rules, (question, columns));
        let has_failed = follow::run(&mut ask, console, Detail::Counts, new_sink, &mut live)?;
        (live.finish()?, has_failed)
    } else {
        let answer = if has_pools {
            let (answer, found) = charted::read(&mut ask, &rules, new_sink)?;
            series = found;
            answer
        } else {
            ask.read(Detail::Counts, new_sink)?
        };
        let has_failed = answer.has_failed;
        let (tally, sources) = add_up(answer, &rules);
        // The process ends when the report is printed: to free millions of minutes would delay that.
        let tally = ManuallyDrop::new(tally);
        question.changes = repositories.changes(console, ask.span, ends(&sources))?;
        let mut report = report(&tally, sources, question, columns)?;
        if has_incidents {
            incidents::find(&mut report, &tally);
        }
        print(&report, args, console)?;
        (report, has_failed)
    };

    charts.write(|| Some(Figure::of(&report, args.chart.title.as_deref())?.with_pools(&series)))?;
    let crossed = tell_crossed(&conditions, &report, &rules);
    Ok(match (crossed, has_failed) {
        (true, _) => ExitCode::from(CROSSED),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Reads notes files.
pub(super) fn read_notes(paths: &[PathBuf], ask: &Ask<'_>) -> Result<Vec<Note>, CliError> {
    let mut all = Vec::new();
    for path in paths {
        let parsed = notes::parse(&read_text(path)?, path, ask.zone);
        all.extend(parsed.map_err(|error| CliError::Usage(error.to_string()))?);
    }
    Ok(all)
}

impl Damaged for TallySink<'_> {
    fn damage(&self) -> &DamageList {
        &self.damage
    }
}

/// Whether somebody will see incidents: lines of buckets have none.
fn wants_incidents(args: &TimelineArgs, conditions: &[Condition]) -> bool {
    let whole = [TimelineFormat::Table, TimelineFormat::Markdown, TimelineFormat::Json];
    let is_asked = |condition: &Condition| condition.subject == Subject::Incidents;
    whole.contains(&args.output) || conditions.iter().any(is_asked)
}

/// Adds the sources up.
pub(super) fn add_up(answer: Answer<TallySink<'_>>, rules: &RuleSet) -> (Tally, Vec<SourceReport>) {
    let mut tally = Tally::default();
    let mut sources = Vec::new();
    for Outcome { mut summary, mut sink, repeats, .. } in answer.outcomes {
        if let Some(repeats) = repeats {
            let taken = sink.tally.take_repeats(&repeats, rules);
            leave_out(&mut summary, taken);
        }
        tally.merge(sink.tally);
        let DamageList { pieces: damage, more: more_damage } = sink.damage;
        sources.push(SourceReport { summary, damage, more_damage });
    }
    (tally, sources)
}

/// Notes that so many entries of a source were those of another one.
pub(super) fn leave_out(summary: &mut Summary, taken: u64) {
    summary.entries -= taken.min(summary.entries);
    summary.skipped += taken;
    if summary.entries == 0 {
        (summary.first, summary.last) = (None, None);
    }
}

/// The times of the first and the last entry of all sources.
pub(super) fn ends(sources: &[SourceReport]) -> (Option<Timestamp>, Option<Timestamp>) {
    let first = sources.iter().filter_map(|source| source.summary.first).min();
    let last = sources.iter().filter_map(|source| source.summary.last).max();
    (first, last)
}

/// Cuts what was counted into buckets.
pub(super) fn report(
    tally: &Tally,
    sources: Vec<SourceReport>,
    question: Question,
    columns: Columns,
) -> Result<Report, CliError> {
    let (first, last) = ends(&sources);
    let span = question.span;
    let timeline = Timeline::new(tally, first, last, question)
        .map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(Report { timeline, span, sources, columns, incidents: None })
}

/// How the table is folded and drawn.
pub(super) fn look(args: &TimelineArgs, console: &Console) -> (Folding, table::Style) {
    let folding = if args.all { Folding::None } else { Folding::QuietRuns };
    (folding, table::Style { width: console.width, color: console.color, unicode: true })
}

/// Prints the report as a whole.
pub(super) fn print(
    report: &Report,
    args: &TimelineArgs,
    console: &Console,
) -> Result<(), CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let (folding, style) = look(args, console);
    match args.output {
        TimelineFormat::Table => table::render(report, folding, style, &mut out)?,
        TimelineFormat::Markdown => markdown::render(report, folding, &mut out)?,
        TimelineFormat::Csv => csv::render(report, &mut out)?,
        TimelineFormat::Json => json::render(report, &mut out)?,
        TimelineFormat::Ndjson => ndjson::render(report, &mut out)?,
        TimelineFormat::OpenMetrics => openmetrics::render(report, &mut out)?,
    }
    Ok(out.flush()?)
}

/// Says which thresholds were crossed; true where one was.
fn tell_crossed(conditions: &[Condition], report: &Report, rules: &RuleSet) -> bool {
    let mut crossed = false;
    for condition in conditions {
        let (count, what) = match &condition.subject {
            Subject::Class(class) => {
                let Some(class) = rules.class_index(class) else { continue };
                (report.timeline.totals.of(class), "the total")
            }
            Subject::Incidents => {
                let found = report.incidents.as_ref().map_or(0, |found| found.incidents.len());
                (found as u64, "the number")
            }
        };
        if condition.holds(count) {
            complain(&format!("--fail-if '{}': {what} is {count}", condition.text()));
            crossed = true;
        }
    }
    crossed
}

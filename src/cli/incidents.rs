//! `ebbline incidents`: when more requests failed than usual, with the proof.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use super::args::{IncidentsArgs, IncidentsFormat};
use super::ask::{Ask, Besides};
use super::error::CliError;
use super::git::Repositories;
use super::show::Shower;
use super::{Console, timeline};
use crate::render::incidents::{Show, json, markdown, table};
use crate::report::{Columns, Report};
use crate::rules::Classifier;
use crate::source::Detail;
use crate::tally::{Evidence, Tally, TallySink};
use crate::timeline::incident::{Material, compose};
use crate::timeline::{By, Change, ChangeKind, Class, Note, Question};

pub(super) fn run(args: &IncidentsArgs, console: &Console) -> Result<ExitCode, CliError> {
    let mut ask = Ask::new(&args.source, console, Besides::Changes)?;
    let rules = ask.classifier.rules().clone();
    let classes = match args.class.as_slice() {
        [] => Class::all(&rules),
        names => Class::select(&rules, names).map_err(|e| CliError::Usage(e.to_string()))?,
    };
    let notes = timeline::read_notes(&args.notes, &ask)?;
    let repositories = Repositories::open(&args.changes)?;
    let (zone, span, changes) = (ask.zone, ask.span, Vec::new());
    let mut question = Question { by: By::Day, zone, span, classes, notes, changes };
    let new_sink = |_: &Classifier, place| TallySink::with_evidence(&rules, place, args.explain);
    let answer = ask.read(Detail::Counts, new_sink)?;
    let has_failed = answer.has_failed;
    let (tally, sources) = timeline::add_up(answer, &rules);
    question.changes = repositories.changes(console, ask.span, timeline::ends(&sources))?;
    let mut report = timeline::report(&tally, sources, question, Columns::Occurring)?;
    find(&mut report, &tally);

    let shower = args.explain.then(|| Shower::new(ask.paths(), &report));
    let show = |evidence: &Evidence| {
        shower.as_ref().map(|shower| shower.command(evidence)).unwrap_or_default()
    };
    let show: Option<Show<'_>> = if args.explain { Some(&show) } else { None };
    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        IncidentsFormat::Table => {
            let style = table_style(console);
            table::render(&report, show, style, &mut out)?;
        }
        IncidentsFormat::Markdown => markdown::render(&report, show, &mut out)?,
        IncidentsFormat::Json => json::render(&report, show, &mut out)?,
    }
    out.flush()?;
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn table_style(console: &Console) -> crate::render::table::Style {
    crate::render::table::Style { width: console.width, color: console.color, unicode: true }
}

/// Finds the incidents of what was counted with evidence.
pub(super) fn find(report: &mut Report, tally: &Tally) {
    let timeline = &report.timeline;
    let notes = timeline.notes.iter().filter_map(|placed| noted_change(&placed.note));
    let told = timeline.changes.iter().chain(&timeline.lasting).cloned();
    let mut changes: Vec<Change> = told.chain(notes).collect();
    changes.sort_by_key(|change| change.at);
    report.incidents = Some(compose(Material {
        tally,
        classes: &timeline.classes,
        absences: &timeline.not_logged.absences,
        changes: &changes,
    }));
}

/// What a note says to have changed, if it is about an instant or a part of a day: a note about
/// a whole day says nothing about its midnight.
fn noted_change(note: &Note) -> Option<Change> {
    const LEAST_DAY_US: i64 = 23 * 3_600_000_000;
    let lasts_us = note.end.micros() - note.start.micros();
    let what = crate::render::escape::one_line(&note.text);
    (lasts_us < LEAST_DAY_US).then_some(Change {
        at: note.start,
        kind: ChangeKind::Note,
        what,
        host: None,
    })
}

//! `ebbline probe`: was it ever there?

pub(super) mod args;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use self::args::{ProbeArgs, ProbeFormat};
use super::ask::{Answer, Ask, Besides};
use super::error::CliError;
use super::telling::Damaged;
use super::{Console, shown};
use crate::probe::history::Search;
use crate::probe::place::Place;
use crate::probe::{
    Asked, Coverage, Finding, Findings, History, HistorySink, Machine, Retention, Verdict, json,
    markdown, now, text,
};
use crate::source::{self, DamageList, Detail, Watch, discover};
use crate::tally::Tally;
use crate::timeline::{By, Question, Timeline};

/// The contract's exit code for something that is not there.
const ABSENT: u8 = 3;
/// How long systemd may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn run(args: &ProbeArgs, console: &Console) -> Result<ExitCode, CliError> {
    let asked = asked(args)?;
    let search = Search::new(&asked)?;
    let place = match &args.root {
        None => Place::machine(),
        Some(folder) => Place::image(&directory(folder)?),
    };
    let machine = Machine { place, is_left_out: args.logs_only, patience: PATIENCE };
    let nows = now::ask(&machine, &asked);
    let paths = paths(args, &machine.place);
    let sources = args.sources(paths.clone().unwrap_or_default());
    let mut ask = Ask::with_rules(&sources, console, search.rules().clone(), Besides::Absences)?;
    ask.watch = Some(search.watch().clone());
    let zone = ask.zone;
    let (histories, retention, has_failed) = match paths {
        Err(why) => (vec![History::default(); asked.len()], Retention::Unknown(why), false),
        Ok(_) => read_logs(&mut ask, &search, &machine.place)?,
    };
    let of_one = |((asked, now), history)| Finding::new(asked, now, history, &retention);
    let findings = asked.into_iter().zip(nows).zip(histories).map(of_one).collect();
    let findings = Findings { findings, retention };
    print(&findings, args, zone, console)?;
    Ok(exit_code(&findings, has_failed))
}

/// Everything that is asked, in the order units, ports, paths, processes; each thing once.
fn asked(args: &ProbeArgs) -> Result<Vec<Asked>, CliError> {
    // Paths within an image begin at its root.
    let base = match args.root {
        Some(_) => PathBuf::from("/"),
        None => std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    };
    let units = args.unit.iter().map(|text| Asked::unit(text));
    let ports = args.port.iter().map(|text| Asked::port(text));
    let paths = args.path.iter().map(|path| Asked::path(path, &base));
    let processes = args.process.iter().map(|text| Asked::process(text));
    let mut asked: Vec<Asked> = Vec::new();
    for one in units.chain(ports).chain(paths).chain(processes) {
        let one = one.map_err(CliError::Usage)?;
        if !asked.contains(&one) {
            asked.push(one);
        }
    }
    if asked.len() > Watch::MAX_NAMES {
        let (count, limit) = (asked.len(), Watch::MAX_NAMES);
        return Err(CliError::Usage(format!(
            "{count} things are asked about, more than {limit}.\nAsk about them in several runs."
        )));
    }
    Ok(asked)
}

fn directory(folder: &Path) -> Result<PathBuf, CliError> {
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(folder.to_owned()),
        Ok(_) => Err(CliError::Failed(format!(
            "--root {}: not a directory.\nMount the image, and give the directory.",
            shown(folder)
        ))),
        Err(error) => Err(CliError::unreadable(folder, &error)),
    }
}

/// The logs to read: those that are named, or the journal of what is examined. Fails with why
/// there are none, as a clause.
fn paths(args: &ProbeArgs, place: &Place) -> Result<Vec<PathBuf>, String> {
    if !args.logs.is_empty() {
        return Ok(args.logs.clone());
    }
    let folders = if place.is_image() {
        let folders = ["/var/log/journal", "/run/log/journal"].map(Path::new);
        folders.iter().filter_map(|folder| place.find(folder)).map(|own| place.real(&own)).collect()
    } else {
        let found = discover::machine_journal();
        if found.found.is_empty() && found.unreadable.is_empty() {
            Vec::new()
        } else {
            discover::machine_folders().into_iter().filter(|own| own.is_dir()).collect()
        }
    };
    if discover::discover(&folders).found.is_empty() {
        return Err("no journal in /var/log/journal or /run/log/journal".to_owned());
    }
    Ok(folders)
}

/// Reads all logs once.
fn read_logs(
    ask: &mut Ask<'_>,
    search: &Search,
    place: &Place,
) -> Result<(Vec<History>, Retention, bool), CliError> {
    let answer = ask.read(Detail::Counts, |_, _| HistorySink::new(search))?;
    let has_failed = answer.has_failed;
    let (histories, retention) = add_up(answer, search, ask, place)?;
    Ok((histories, retention, has_failed))
}

impl Damaged for HistorySink<'_> {
    fn damage(&self) -> &DamageList {
        &self.tally.damage
    }
}

/// Adds the sources up.
fn add_up(
    answer: Answer<HistorySink<'_>>,
    search: &Search,
    ask: &Ask<'_>,
    place: &Place,
) -> Result<(Vec<History>, Retention), CliError> {
    let mut histories = vec![History::default(); search.asked().len()];
    let mut tally = Tally::default();
    let (mut first, mut last) = (None, None);
    // What only repeats others comes after them.
    let is_copy = |outcome: &source::scan::Outcome<HistorySink<'_>>| {
        outcome.repeats.as_ref().is_some_and(source::Repeats::is_copy)
    };
    let (copies, originals): (Vec<_>, Vec<_>) = answer.outcomes.into_iter().partition(is_copy);
    let originals = originals.into_iter().map(|outcome| (outcome, false));
    let copies = copies.into_iter().map(|outcome| (outcome, true));
    for (outcome, is_repeated) in originals.chain(copies) {
        let summary = &outcome.summary;
        first = first.into_iter().chain(summary.first).min();
        last = last.into_iter().chain(summary.last).max();
        for (all, more) in histories.iter_mut().zip(outcome.sink.histories) {
            all.merge(more, is_repeated);
        }
        let mut own = outcome.sink.tally.tally;
        if let Some(repeats) = &outcome.repeats {
            own.take_repeats(repeats, search.rules());
        }
        tally.merge(own);
    }
    let question = Question {
        by: By::Day,
        zone: ask.zone,
        span: ask.span,
        classes: Vec::new(),
        notes: Vec::new(),
        changes: Vec::new(),
    };
    let timeline = Timeline::new(&tally, first, last, question).map_err(|_| {
        let problem = "the entries are too many years apart to look for gaps between them.\n\
                           Limit the time with --since and --until.";
        CliError::Usage(problem.to_owned())
    })?;
    let retention = if timeline.totals.entries == 0 {
        Retention::Unknown("no entry is in the logs that were read".to_owned())
    } else {
        let machine_id = place.text("/etc/machine-id");
        Retention::Covered(Box::new(Coverage::new(timeline, &tally.remarks, &machine_id)))
    };
    Ok((histories, retention))
}

fn print(
    findings: &Findings,
    args: &ProbeArgs,
    zone: chrono_tz::Tz,
    console: &Console,
) -> Result<(), CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        ProbeFormat::Table => text::render(findings, zone, console.width, &mut out)?,
        ProbeFormat::Markdown => markdown::render(findings, zone, &mut out)?,
        ProbeFormat::Json => json::render(findings, zone, &mut out)?,
    }
    Ok(out.flush()?)
}

/// What is absent weighs more than what cannot be told.
fn exit_code(findings: &Findings, has_failed: bool) -> ExitCode {
    let mut verdicts = findings.findings.iter().map(|finding| finding.verdict);
    if verdicts.clone().any(Verdict::is_negative) {
        return ExitCode::from(ABSENT);
    }
    if has_failed || verdicts.any(|verdict| verdict == Verdict::CannotTell) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

//! `ebbline pool`: how full the connection pools were, from the snapshots in the log.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use globset::{Glob, GlobSetBuilder};

use super::args::{PoolArgs, PoolFormat};
use super::ask::{Ask, Besides};
use super::chart::Charts;
use super::error::CliError;
use super::telling::Damaged;
use super::{Console, rules};
use crate::render::chart::Figure;
use crate::render::pool;
use crate::render::table::Style;
use crate::report::PoolReport;
use crate::rules::{Classifier, POOL_SNAPSHOT, POOL_TIMEOUT};
use crate::series::{Budget, Collected, PoolFilter, Readers, SeriesSink, leads, saturations};
use crate::source::{DamageList, Detail};
use crate::time::Timestamp;
use crate::timeline::By;
use crate::timeline::incident::{self, MinuteCount};

/// So many points are kept, which take 160 MB.
const MAX_POINTS: u64 = 4_000_000;

/// Incidents are looked for in the last two years; one broken clock must not make it centuries.
const MAX_MINUTES: i64 = 2 * 366 * 24 * 60;

pub(super) fn run(args: &PoolArgs, console: &Console) -> Result<ExitCode, CliError> {
    let charts = Charts::new(&args.chart)?;
    let all = rules::load(&args.source.rules)?;
    let asked = all.clone().only(|class| class == POOL_SNAPSHOT || class == POOL_TIMEOUT);
    let mut ask = Ask::with_rules(&args.source, console, asked.clone(), Besides::Absences)?;
    let asked = Classifier::new(asked);
    let snapshots = Classifier::new(all.only(|class| class == POOL_SNAPSHOT));
    let wanted = wanted(&args.pool)?;
    let budget = Budget::of_points(MAX_POINTS);
    let readers =
        Readers { asked: &asked, snapshots: &snapshots, wanted: wanted.as_ref(), budget: &budget };

    let answer = ask.read(Detail::Fields, |_, _| SeriesSink::new(&readers))?;
    let has_failed = answer.has_failed;
    let mut collected = Collected::default();
    for outcome in answer.outcomes {
        let mut own = outcome.sink.collected;
        if let Some(repeats) = &outcome.repeats {
            own.leave_out(repeats, asked.rules());
        }
        collected.merge(own);
    }
    let report = report(collected, args, &ask, &asked);
    print(&report, args, console)?;
    tell(&report, console);
    charts.write(|| Figure::of_pools(&report, args.chart.title.as_deref()))?;
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The globs of `--pool`; `None`: there are none.
fn wanted(names: &[String]) -> Result<Option<PoolFilter>, CliError> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    let usage = |error: globset::Error| {
        CliError::Usage(format!("--pool: {error}\nThe glob characters are `*`, `?` and `[…]`."))
    };
    for name in names {
        set.add(Glob::new(name).map_err(usage)?);
    }
    set.build().map(Some).map_err(usage)
}

impl Damaged for SeriesSink<'_> {
    fn damage(&self) -> &DamageList {
        &self.damage
    }
}

fn report(collected: Collected, args: &PoolArgs, ask: &Ask<'_>, asked: &Classifier) -> PoolReport {
    let first_timeouts = first_timeouts(&collected, asked);
    let (unparsed, undated, left_out) = (collected.unparsed, collected.undated, collected.left_out);
    let series = collected.into_series();
    let saturations = saturations(&series);
    let leads = leads(&series, &saturations, &first_timeouts);
    let (by, zone) = (By::from(args.by), ask.zone);
    PoolReport { series, saturations, leads, by, zone, unparsed, undated, left_out }
}

/// The first pool timeout of each incident.
fn first_timeouts(collected: &Collected, asked: &Classifier) -> Vec<Timestamp> {
    let minutes = &collected.tally.minutes;
    let class = asked.rules().class_index(POOL_TIMEOUT);
    let (Some((first, last)), Some(class)) = (minutes.ends(), class) else { return Vec::new() };
    let Some(last_timeout) = collected.timeouts.keys().next_back() else { return Vec::new() };
    let last = last.min(*last_timeout);
    let first = first.index().max(last.index() - MAX_MINUTES);
    let millis = |at: Timestamp| (at.micros() - at.minute().start().micros()) / 1000;
    let mut counts = Vec::new();
    let mut starts = Vec::new();
    for index in first..=last.index() {
        let Some(minute) = Timestamp::from_micros(index * 60_000_000).map(Timestamp::minute) else {
            continue;
        };
        let counted = minutes.get(minute);
        let evidence = collected.timeouts.get(&minute);
        counts.push(MinuteCount {
            entries: counted.map_or(0, |counts| counts.entries),
            events: counted.filter(|_| evidence.is_some()).map_or(0, |counts| counts.of(class)),
            first_ms: evidence.map_or(0, |(first, _)| millis(*first) as u16),
            last_ms: evidence.map_or(0, |(_, last)| millis(*last) as u16),
        });
        starts.push(evidence.map(|(first, _)| *first));
    }
    let windows = incident::find(&counts);
    windows.iter().filter_map(|window| starts.get(*window.minutes.start()).copied()?).collect()
}

fn print(report: &PoolReport, args: &PoolArgs, console: &Console) -> Result<(), CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let style = Style { width: console.width, color: console.color, unicode: true };
    match args.output {
        PoolFormat::Table => pool::table::render(report, style, &mut out)?,
        PoolFormat::Csv => pool::csv::render(report, &mut out)?,
        PoolFormat::Json => pool::json::render(report, &mut out)?,
        PoolFormat::Openmetrics => pool::openmetrics::render(report, &mut out)?,
    }
    Ok(out.flush()?)
}

/// What is to be known about the reading beside its result.
fn tell(report: &PoolReport, console: &Console) {
    let count = |count: u64, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {more}"),
    };
    if report.undated > 0 {
        let snapshots = count(report.undated, "snapshot carries", "snapshots carry");
        console.note(&format!("{snapshots} no time and is in no series"));
    }
    if report.left_out > 0 {
        let snapshots = count(report.left_out, "snapshot was", "snapshots were");
        console.note(&format!(
            "{snapshots} left out: {MAX_POINTS} are kept, of 10000 pools.\nLimit the span with \
             --since and --until, or name the pool with --pool."
        ));
    }
    if report.series.is_empty() {
        console.note(
            "no pool snapshot was found.\nLog the state of the pool once a minute: \
             docs/SNAPSHOTS.md has the line, and what is known of other programs.",
        );
    }
}

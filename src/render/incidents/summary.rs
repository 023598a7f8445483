//! The summary: how long the service was degraded, in a sentence that can be quoted.
//!
//! A post-mortem that goes by the first failure in the log says "for 17 days". So the sentence
//! says both: how long the incidents were, and what they must not be taken for.

use super::words::{Times, number, severity};
use crate::render::cells::moment;
use crate::render::duration::lasted;
use crate::render::heading::heading;
use crate::report::Report;
use crate::timeline::incident::{Incident, Incidents};

/// So many incidents are named in the sentence; of more the longest one.
const MAX_NAMED: usize = 3;
/// So many are listed below a timeline.
const MAX_LISTED: usize = 8;

/// The sentence.
pub(super) fn summary(report: &Report, incidents: &Incidents) -> String {
    let timeline = &report.timeline;
    let (Some(first), Some(last)) = (timeline.first, timeline.last) else {
        return "No entry was found, so nothing is known about incidents.".to_owned();
    };
    let times = Times::new(timeline);
    let total: u64 = incidents.incidents.iter().map(Incident::duration_us).sum();
    if incidents.incidents.is_empty() {
        let covered = last.micros().abs_diff(first.micros());
        let (first, last) = (moment(first, timeline.zone), moment(last, timeline.zone));
        let span = format!("in the {} from {first} to {last}", lasted(covered));
        let (besides, doubt) = (besides(report, incidents), doubt(report));
        return format!("No incident {span}; {besides}.{doubt}");
    }
    let degraded = degraded(&incidents.incidents, total, times);
    let Some((from, to)) = incidents.failures else { return format!("{degraded}.") };
    let implied = to.micros().abs_diff(from.micros());
    if implied / 3 * 2 < total {
        return format!("{degraded}.");
    }
    let implied = lasted(implied);
    format!("{degraded}, not for the {implied} from the first failure to the last.")
}

/// What to do where failures are so many that the log may begin and end in an incident.
fn doubt(report: &Report) -> &'static str {
    if failures(report).saturating_mul(10) < report.timeline.totals.entries {
        return "";
    }
    " They are too many a part of the log for that to be sure: read more of it, so that it is known \
     how many are usual."
}

fn failures(report: &Report) -> u64 {
    let timeline = &report.timeline;
    timeline.classes.iter().map(|class| timeline.totals.of(class.index)).sum()
}

/// What there was where there was no incident.
fn besides(report: &Report, incidents: &Incidents) -> String {
    let failures = match failures(report) {
        0 => "no failure".to_owned(),
        count => number(usize::try_from(count).unwrap_or(usize::MAX), "failure"),
    };
    match incidents.spikes.len() {
        0 => failures,
        count => format!("{failures}, {}", number(count, "spike")),
    }
}

/// How long the service was degraded, and when.
fn degraded(incidents: &[Incident], total: u64, times: Times) -> String {
    let when = |incident: &Incident| {
        if incident.ongoing {
            format!("since {}", times.minute(incident.first.at))
        } else {
            times.short_span(incident.first.at, incident.last.at)
        }
    };
    let zone = incidents.last().map(|last| times.zone(last.last.at)).unwrap_or_default();
    let verb = match incidents.last() {
        Some(last) if last.ongoing => "has been",
        _ => "was",
    };
    let of = |incident: &Incident| lasted(incident.duration_us());
    match incidents {
        [only] => format!("The service {verb} degraded for {} ({} {zone})", of(only), when(only)),
        [others @ .., last] if incidents.len() <= MAX_NAMED => {
            let named = |incident: &Incident| format!("{} ({})", of(incident), when(incident));
            let others: Vec<_> = others.iter().map(named).collect();
            format!(
                "The service {verb} degraded for {} in all: {} and {} ({} {zone})",
                lasted(total),
                others.join(", "),
                of(last),
                when(last)
            )
        }
        _ => {
            let longest = incidents.iter().max_by_key(|incident| incident.duration_us());
            let longest =
                longest.map(|longest| format!("{} ({} {zone})", of(longest), when(longest)));
            format!(
                "The service {verb} degraded for {} in all, in {} incidents, the longest of {}",
                lasted(total),
                incidents.len(),
                longest.unwrap_or_default()
            )
        }
    }
}

/// A line for each incident, for what stands below a timeline.
pub(in crate::render) fn lines(report: &Report) -> Vec<String> {
    let Some(found) = &report.incidents else { return Vec::new() };
    let times = Times::new(&report.timeline);
    let line = |incident: &Incident| {
        let span = times.span(incident.first.at, incident.last.at);
        let (lasted, severity) = (lasted(incident.duration_us()), severity(incident));
        format!("{span} ({lasted}), {severity}, {}", heading(&incident.class.name))
    };
    let (listed, others) = found.incidents.split_at(found.incidents.len().min(MAX_LISTED));
    let mut lines: Vec<String> = listed.iter().map(line).collect();
    if !others.is_empty() {
        lines.push(format!("and {} more", others.len()));
    }
    lines
}

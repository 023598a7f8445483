//! Incidents in Markdown (GitHub's flavour), ready to be pasted into a post-mortem.

use std::io::{self, Write};

use super::Show;
use super::blocks::blocks;
use super::summary::summary;
use super::words::{Times, all_failures, severity};
use crate::render::duration::lasted;
use crate::render::{escape, gaps};
use crate::report::Report;
use crate::timeline::incident::{Incident, Incidents};

/// Writes the summary as a paragraph, incidents and spikes as a table, and a list for each
/// incident. With `show`, every incident has its evidence, and the command that shows it.
pub fn render(report: &Report, show: Option<Show<'_>>, out: &mut dyn io::Write) -> io::Result<()> {
    let nothing = Incidents::default();
    let found = report.incidents.as_ref().unwrap_or(&nothing);
    let times = Times::new(&report.timeline);
    let mut text = Vec::new();
    writeln!(text, "{}", escape::markdown(&summary(report, found)))?;
    if !found.incidents.is_empty() || !found.spikes.is_empty() {
        writeln!(text, "\n| From | To | Lasted | Severity | Failures |\n|---|---|---:|---|---|")?;
    }
    let row = |incident: &Incident, severity: &str| {
        let (start, end) = (incident.first.at, incident.last.at);
        let (from, to) = (times.second(start), times.second_after(start, end));
        let (lasted, failures) = (lasted(incident.duration_us()), all_failures(incident));
        format!("| {from} | {to} | {lasted} | {severity} | {} |", escape::markdown(&failures))
    };
    for incident in &found.incidents {
        writeln!(text, "{}", row(incident, &severity(incident)))?;
    }
    for spike in &found.spikes {
        writeln!(text, "{}", row(spike, "spike"))?;
    }
    for block in blocks(report, found, show) {
        writeln!(text, "\n**{}**\n", escape::markdown(&block.title))?;
        for line in &block.lines {
            let label =
                if line.label.is_empty() { String::new() } else { format!("{}: ", line.label) };
            let shown =
                if line.is_command { code(&line.text) } else { escape::markdown(&line.text) };
            writeln!(text, "- {label}{shown}")?;
        }
    }
    writeln!(text, "\nTime zone: {}.", report.timeline.zone.name())?;
    for (number, line) in gaps::lines(&report.timeline).iter().enumerate() {
        let before = if number == 0 { "\n" } else { "" };
        writeln!(text, "{before}- {}", escape::markdown(line))?;
    }
    out.write_all(&text)
}

/// A code span: its fence is longer than any run of backticks in it.
fn code(text: &str) -> String {
    let text = escape::terminal(text);
    let runs = text.split(|character| character != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_backticks_stays_one_piece_of_code() {
        assert_eq!(code("ls"), "`ls`");
        assert_eq!(code("ls 'a``b'"), "```ls 'a``b'```");
        assert_eq!(code("`id`"), "`` `id` ``");
        assert_eq!(code("a\nb"), "`a\\nb`");
    }
}

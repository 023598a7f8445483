//! Findings as Markdown, ready to be pasted into a post-mortem.

use std::io;

use chrono_tz::Tz;

use super::finding::Findings;
use super::sentences;
use crate::render::escape;

/// Writes a list for each thing asked, then what the logs cover.
pub fn render(findings: &Findings, zone: Tz, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &findings.findings {
        writeln!(out, "**{}**\n", escape::markdown(&sentences::heading(&finding.asked)))?;
        write(&sentences::of_finding(finding, &findings.retention, zone), out)?;
    }
    writeln!(out, "**Coverage**\n")?;
    write(&sentences::of_retention(findings), out)
}

fn write(said: &[(&'static str, String)], out: &mut dyn io::Write) -> io::Result<()> {
    for (keyword, text) in said {
        writeln!(out, "- {keyword}: {}", escape::markdown(text))?;
    }
    writeln!(out)
}

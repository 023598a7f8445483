//! `ebbline rules`: the catalogue as a list, one rule in full, and every rule's own samples as a
//! test.

use std::io::{self, Write};
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};

use super::args::{RuleArgs, RulesArgs, RulesCommand, RulesFormat};
use super::error::{CliError, read_text};
use super::{Console, escaped};
use crate::rules::{POOL_SNAPSHOT, Rule, RuleSet, self_test};

/// The contract's exit code for rules that fail their own samples.
const FAILED_TEST: u8 = 3;

pub(super) fn run(args: &RulesArgs, console: &Console) -> Result<ExitCode, CliError> {
    match &args.command {
        RulesCommand::List { rules, output } => list(&load(rules)?, *output, console),
        RulesCommand::Show { id, rules } => show(&load(rules)?, id),
        RulesCommand::Test { file, rules } => {
            let mut set = load(rules)?;
            if let Some(file) = file {
                set = set.with_file(&file.to_string_lossy(), &read_text(file)?)?;
            }
            test(&set)
        }
    }
}

/// The rule set that the options ask for, pool snapshots included.
pub(super) fn load(args: &RuleArgs) -> Result<RuleSet, CliError> {
    let builtin = if args.no_builtin_rules {
        RuleSet::empty()
    } else {
        RuleSet::builtin()?.with_snapshots()?
    };
    with_files(builtin, args)
}

/// The rules of failures alone: what counts them must not pay for looking for snapshots.
pub(super) fn load_failures(args: &RuleArgs) -> Result<RuleSet, CliError> {
    if args.files.is_empty() && !args.no_builtin_rules {
        return Ok(RuleSet::builtin()?);
    }
    Ok(load(args)?.only(|class| class != POOL_SNAPSHOT))
}

fn with_files(mut set: RuleSet, args: &RuleArgs) -> Result<RuleSet, CliError> {
    for file in &args.files {
        set = set.with_file(&file.to_string_lossy(), &read_text(file)?)?;
    }
    Ok(set)
}

fn list(rules: &RuleSet, format: RulesFormat, console: &Console) -> Result<ExitCode, CliError> {
    let mut out = io::stdout().lock();
    match format {
        RulesFormat::Json => {
            let all: Vec<_> = rules.rules().iter().map(to_json).collect();
            let document = serde_json::json!({"schema": "ebbline.rules/1", "rules": all});
            writeln!(out, "{document}")?;
        }
        RulesFormat::Table => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING);
            if console.is_terminal {
                table.set_content_arrangement(ContentArrangement::Dynamic);
                table.set_width(console.width);
            }
            table.set_header(["RULE", "CLASS", "WHAT IT IS"]);
            for rule in rules.rules() {
                let echo = if rule.echo { " (echo)" } else { "" };
                table.add_row([&rule.id, &format!("{}{echo}", rule.class), &escaped(&rule.about)]);
            }
            for line in table.lines() {
                writeln!(out, "{}", line.trim_end())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn to_json(rule: &Rule) -> serde_json::Value {
    let fields: serde_json::Map<String, serde_json::Value> =
        rule.fields.iter().map(|test| (test.name.clone(), test.glob.clone().into())).collect();
    serde_json::json!({
        "id": rule.id, "class": rule.class, "about": rule.about, "echo": rule.echo,
        "patterns": rule.patterns, "unless": rule.unless, "fields": fields, "file": rule.file,
    })
}

fn show(rules: &RuleSet, id: &str) -> Result<ExitCode, CliError> {
    let rule = rules.by_id(id).ok_or_else(|| {
        CliError::Usage(format!("there is no rule `{id}`.\n`ebbline rules list` shows all ids."))
    })?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} ({}), {}", rule.id, rule.class, rule.file)?;
    writeln!(out, "{}", escaped(&rule.about))?;
    for pattern in &rule.patterns {
        writeln!(out, "  pattern  {}", escaped(pattern))?;
    }
    if let Some(unless) = &rule.unless {
        writeln!(out, "  unless   {}", escaped(unless))?;
    }
    for test in &rule.fields {
        writeln!(out, "  field    {} = {}", escaped(&test.name), escaped(&test.glob))?;
    }
    if rule.echo {
        writeln!(out, "  echo     another line of the program reports the same failure")?;
    }
    for sample in &rule.samples {
        writeln!(out, "  sample   {}", escaped(sample))?;
    }
    for reject in &rule.rejects {
        writeln!(out, "  reject   {}", escaped(reject))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn test(rules: &RuleSet) -> Result<ExitCode, CliError> {
    let findings = self_test(rules);
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{}: {}: {}", finding.file, finding.rule, escaped(&finding.problem))?;
    }
    let samples: usize = rules.rules().iter().map(|rule| rule.samples.len()).sum();
    let rejects: usize = rules.rules().iter().map(|rule| rule.rejects.len()).sum();
    writeln!(
        out,
        "{} rules, {samples} samples, {rejects} rejects: {}",
        rules.rules().len(),
        match findings.len() {
            0 => "all right".to_owned(),
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        }
    )?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED_TEST) })
}

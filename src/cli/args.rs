//! The command line: every option, its help and its examples, in one place. Completions and man
//! pages are generated from these definitions.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::timeline::By;

/// Reconstructs how a service degraded, from its logs.
///
/// Reads journals and log files, finds the requests that got no database connection and those
/// that were answered 503, and counts them by day, hour or minute.
#[derive(Debug, Parser)]
#[command(name = "ebbline", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  ebbline timeline                              this machine's journal, by day
  ebbline timeline -u api --since -24h --by hour
  ebbline timeline /var/log/nginx/access.log* -o markdown
  ebbline incidents -u api --since -30d --explain
  ebbline events -u api --since 04:40 --until 05:00
  ssh db1 journalctl -o export -u api | ebbline timeline -

Exit codes: 0 done; 1 could not be done; 2 wrong usage, rules or notes; 3 a --fail-if threshold
was crossed, a rule failed its test, or what `probe` was asked for is not there.")]
pub(super) struct Cli {
    /// Say less on stderr: only errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on stderr: every file that was passed over or is at fault
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// When to colour; NO_COLOR is honoured
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto, global = true)]
    pub color: When,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Count pool timeouts and 503s by day, hour or minute
    Timeline(TimelineArgs),
    /// Find when more requests failed than usual, with the proof of both edges
    Incidents(IncidentsArgs),
    /// Print every classified entry: time, class, rule, unit, message, origin
    Events(EventsArgs),
    /// Show how full the connection pools were, from the snapshots in the log
    Pool(PoolArgs),
    /// Was it ever there? Evidence for or against a unit, a port, a path, a process
    Probe(super::probe::args::ProbeArgs),
    /// Classify messages, one a line, for trying rules
    Classify(ClassifyArgs),
    /// Show or test the rule catalogue
    Rules(RulesArgs),
    /// Print a completion script for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the man page of ebbline or of one of its commands
    Man(ManArgs),
}

/// What to read, and which of its entries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub(super) struct SourceArgs {
    /// Journal files and directories, journalctl dumps, logs, any of these compressed, directories
    /// of logs; `-` for stdin. Without: this machine's journal
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only entries of this unit, as journalctl's -u: `.service` implied, globs; repeatable
    #[arg(short, long, value_name = "UNIT")]
    pub unit: Vec<String>,
    /// Only entries with this syslog identifier; repeatable
    #[arg(short = 't', long, value_name = "NAME")]
    pub identifier: Vec<String>,
    /// Only entries of one boot: an id, or an offset (0 or nothing: the last, -1: the one before)
    #[arg(
        short,
        long,
        value_name = "BOOT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0"
    )]
    pub boot: Option<String>,
    /// Only entries of this priority or more urgent ones, or of a range: err, 4, emerg..err
    #[arg(short, long, value_name = "RANGE")]
    pub priority: Option<String>,
    /// Only entries of this host; repeatable
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
    /// From this time on: `2026-05-06 04:49`, `yesterday`, `-3h`, `2 days ago`, `@1778068140`
    #[arg(short = 'S', long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Until before this time
    #[arg(short = 'U', long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// The zone of the calendar and of times without one: an IANA name, `local` or `UTC`
    #[arg(long, value_name = "ZONE", default_value = "local")]
    pub tz: String,
    /// The journal backend
    #[arg(long, value_enum, default_value_t = Reader::Auto)]
    pub reader: Reader,
    /// Threads to read with [default: all cores]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Exit with 1 where a source is damaged
    #[arg(long)]
    pub strict: bool,
    /// When to show progress on stderr
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub progress: When,
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// Which rules decide.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct RuleArgs {
    /// A rule file (TOML) to add to the catalogue; a rule with a known id replaces it; repeatable
    #[arg(long = "rules", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Leave the built-in catalogue out
    #[arg(long)]
    pub no_builtin_rules: bool,
}

/// What else is known to have changed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Changes")]
pub(super) struct GitArgs {
    /// Tell commits and tags of this git repository beside what failed: of what is checked out and
    /// of origin/HEAD, at the time of committing; repeatable
    #[arg(long, value_name = "REPO")]
    pub git: Vec<PathBuf>,
    /// Tell with each commit who wrote it
    #[arg(long, requires = "git")]
    pub git_author: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Reader {
    /// Native, and libsystemd for what native refuses
    Auto,
    Native,
    Libsystemd,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ebbline timeline -u api --since 2026-05-01 --notes notes.toml -o markdown
  ebbline timeline app.log --by hour --all --tz Europe/Berlin
  ebbline timeline -u api --since -3h --by minute --git ~/src/api
  ebbline timeline --since yesterday --until today --fail-if 'http_503>100'
  ebbline timeline -f -u api --since today --by hour
  ebbline timeline app.log --by hour --chart outage.svg --chart outage.png --size 2400x1200")]
pub(super) struct TimelineArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// Keep reading as the sources grow, until Ctrl-C or --until: a table that is updated in place
    /// on a terminal; elsewhere, with -o table, csv and ndjson, a line for each bucket that is over
    /// (again if something is added to it), and in the other formats one document at the end
    #[arg(short, long, help_heading = "Timeline")]
    pub follow: bool,
    /// The size of a bucket; auto: the finest that fits on a screen
    #[arg(long, value_enum, default_value_t = ByArg::Day, help_heading = "Timeline")]
    pub by: ByArg,
    /// Show every bucket: no folding of quiet runs
    #[arg(short, long, help_heading = "Timeline")]
    pub all: bool,
    /// Only this class; repeatable
    #[arg(long, value_name = "CLASS", help_heading = "Timeline")]
    pub class: Vec<String>,
    /// Notes for the table (TOML: day, from and to, or at; and text); repeatable
    #[arg(long, value_name = "FILE", help_heading = "Timeline")]
    pub notes: Vec<PathBuf>,
    #[command(flatten)]
    pub changes: GitArgs,
    /// Exit with 3 where a class's total, or the number of incidents, is over a limit:
    /// `http_503>100`, `incidents>0` (> >= = < <=); repeatable
    #[arg(long, value_name = "CONDITION", help_heading = "Timeline")]
    pub fail_if: Vec<String>,
    /// The output format
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t = TimelineFormat::Table,
        help_heading = "Timeline"
    )]
    pub output: TimelineFormat,
    #[command(flatten)]
    pub chart: ChartArgs,
}

/// Which charts to draw, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Charts")]
pub(super) struct ChartArgs {
    /// Draw a chart into this file, PNG or SVG as its name ends; repeatable
    #[arg(long, value_name = "FILE")]
    pub chart: Vec<PathBuf>,
    /// The chart's width and height in pixels [default: 1200x800]
    #[arg(long, value_name = "WxH", requires = "chart")]
    pub size: Option<String>,
    /// The chart's background
    #[arg(long, value_enum, default_value_t = ThemeArg::Light, requires = "chart")]
    pub theme: ThemeArg,
    /// The chart's title [default: what it shows]
    #[arg(long, value_name = "TEXT", requires = "chart")]
    pub title: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ThemeArg {
    Light,
    Dark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ByArg {
    Day,
    Hour,
    Minute,
    Auto,
}

impl From<ByArg> for By {
    fn from(by: ByArg) -> Self {
        match by {
            ByArg::Day => Self::Day,
            ByArg::Hour => Self::Hour,
            ByArg::Minute => Self::Minute,
            ByArg::Auto => Self::Auto,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TimelineFormat {
    Table,
    Markdown,
    Csv,
    Json,
    Ndjson,
    /// Samples with their times, for Prometheus or VictoriaMetrics to take in
    #[value(name = "openmetrics")]
    OpenMetrics,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ebbline incidents -u api --since -30d
  ebbline incidents /var/log/journal --explain
  ebbline incidents app.log --notes notes.toml -o markdown")]
pub(super) struct IncidentsArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// Only this class; repeatable
    #[arg(long, value_name = "CLASS", help_heading = "Incidents")]
    pub class: Vec<String>,
    /// What people noted (TOML: day, from and to, or at; and text); repeatable
    #[arg(long, value_name = "FILE", help_heading = "Incidents")]
    pub notes: Vec<PathBuf>,
    #[command(flatten)]
    pub changes: GitArgs,
    /// Show the counts, the first and the last failure, and the command that shows each of them
    #[arg(long, help_heading = "Incidents")]
    pub explain: bool,
    /// The output format
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t = IncidentsFormat::Table,
        help_heading = "Incidents"
    )]
    pub output: IncidentsFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum IncidentsFormat {
    Table,
    Markdown,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ebbline events -u api --since 04:40 --until 05:00
  ebbline events app.log --class pool_timeout -o ndjson | jq .message
  ssh db1 journalctl -f -o export -u api | ebbline events -f -")]
pub(super) struct EventsArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// Keep reading as the sources grow, until Ctrl-C or --until: the last 10 events, or with
    /// --since all from then on, and each new one as it comes
    #[arg(short, long, help_heading = "Events")]
    pub follow: bool,
    /// Only this class; repeatable
    #[arg(long, value_name = "CLASS", help_heading = "Events")]
    pub class: Vec<String>,
    /// The output format
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t = EventsFormat::Table,
        help_heading = "Events"
    )]
    pub output: EventsFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EventsFormat {
    Table,
    Csv,
    Json,
    Ndjson,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ebbline pool -u api --since 2026-05-06 --by hour
  ebbline pool app.log --pool 'orders*' -o csv
  ebbline pool /var/log/app --rules mine.toml -o json | jq .saturation

What a program has to log for this: docs/SNAPSHOTS.md.")]
pub(super) struct PoolArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// Only pools of this name, with globs; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Pools")]
    pub pool: Vec<String>,
    /// The size of a bucket; auto: the finest that fits on a screen
    #[arg(long, value_enum, default_value_t = ByArg::Auto, help_heading = "Pools")]
    pub by: ByArg,
    /// The output format
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t = PoolFormat::Table,
        help_heading = "Pools"
    )]
    pub output: PoolFormat,
    #[command(flatten)]
    pub chart: ChartArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PoolFormat {
    Table,
    Csv,
    Json,
    Openmetrics,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  journalctl -o cat -u api | ebbline classify - | jq -c 'select(.class)'
  ebbline classify lines.txt --rules mine.toml")]
pub(super) struct ClassifyArgs {
    /// A file with one message a line; `-` for stdin
    #[arg(default_value = "-")]
    pub file: PathBuf,
    #[command(flatten)]
    pub rules: RuleArgs,
}

#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    pub command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List all rules: id, class, what prints such a line
    List {
        #[command(flatten)]
        rules: RuleArgs,
        /// The output format
        #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = RulesFormat::Table)]
        output: RulesFormat,
    },
    /// Show one rule with its expressions and samples
    Show {
        id: String,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Run every rule's own samples, those of FILE included
    Test {
        /// A rule file
        file: Option<PathBuf>,
        #[command(flatten)]
        rules: RuleArgs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RulesFormat {
    Table,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command whose page is wanted; without: ebbline's own
    pub command: Option<String>,
    /// Write all pages into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}

//! The options of `ebbline probe`. Those of the other commands that choose entries are not among
//! them: to leave entries out would take the proof from a "never".

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use crate::cli::args::{Reader, RuleArgs, SourceArgs, When};

#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("asked").args(["unit", "port", "path", "process"]).multiple(true).required(true)
))]
#[command(after_help = "\
Examples:
  ebbline probe --unit pg-replica --port 5433 --path /data/postgres-replica
  ebbline probe --unit pg-replica --root /mnt/disk
  ebbline probe --logs-only --unit pg-replica /backup/db1/journal

Exit codes: 0 all that was asked is there, or was seen where now is not known; 3 something is not
there now or was never seen; 1 something cannot be told, or a source could not be read; 2 wrong
usage.")]
pub(crate) struct ProbeArgs {
    /// A unit; `.service` is implied; repeatable
    #[arg(short, long, value_name = "UNIT", help_heading = "Asked")]
    pub unit: Vec<String>,
    /// A TCP or UDP port that something may listen on; repeatable
    #[arg(long, value_name = "PORT", help_heading = "Asked")]
    pub port: Vec<String>,
    /// A file or directory; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Asked")]
    pub path: Vec<PathBuf>,
    /// A process, by the name of its program; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Asked")]
    pub process: Vec<String>,
    /// Examine the machine whose file system is mounted at DIR, and its journal
    #[arg(long, value_name = "DIR", help_heading = "Examined")]
    pub root: Option<PathBuf>,
    /// Leave out what this machine says now: the logs are another machine's
    #[arg(long, conflicts_with = "root", help_heading = "Examined")]
    pub logs_only: bool,
    /// Journals and logs, as for `timeline`. Without: the journal of the machine that is examined
    #[arg(value_name = "LOG", help_heading = "Sources")]
    pub logs: Vec<PathBuf>,
    /// Only entries of this host; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Sources")]
    pub host: Vec<String>,
    /// From this time on, as for `timeline`
    #[arg(
        short = 'S',
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Sources"
    )]
    pub since: Option<String>,
    /// Until before this time
    #[arg(
        short = 'U',
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Sources"
    )]
    pub until: Option<String>,
    /// The zone of times: an IANA name, `local` or `UTC`
    #[arg(long, value_name = "ZONE", default_value = "local", help_heading = "Sources")]
    pub tz: String,
    /// The journal backend
    #[arg(long, value_enum, default_value_t = Reader::Auto, help_heading = "Sources")]
    pub reader: Reader,
    /// Threads to read with [default: all cores]
    #[arg(short = 'j', long, value_name = "N", help_heading = "Sources")]
    pub threads: Option<NonZeroUsize>,
    /// Exit with 1 where a source is damaged
    #[arg(long, help_heading = "Sources")]
    pub strict: bool,
    /// When to show progress on stderr
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t = When::Auto,
        help_heading = "Sources"
    )]
    pub progress: When,
    /// The output format
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = ProbeFormat::Table)]
    pub output: ProbeFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProbeFormat {
    /// Text for people
    Table,
    Markdown,
    Json,
}

impl ProbeArgs {
    /// What the options say about `paths`, in the terms of the other commands.
    pub(super) fn sources(&self, paths: Vec<PathBuf>) -> SourceArgs {
        SourceArgs {
            paths,
            unit: Vec::new(),
            identifier: Vec::new(),
            boot: None,
            priority: None,
            host: self.host.clone(),
            since: self.since.clone(),
            until: self.until.clone(),
            tz: self.tz.clone(),
            reader: self.reader,
            threads: self.threads,
            strict: self.strict,
            progress: self.progress,
            rules: RuleArgs { files: Vec::new(), no_builtin_rules: true },
        }
    }
}

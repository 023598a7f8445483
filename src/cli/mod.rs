//! The command line: the only place for arguments, the terminal, stdout and exit codes.
//!
//! One file a command. What they share: `args` (every option), `ask` (from options to a query),
//! `when` (times as people type them), `follow` (the loop of `--follow`), `progress`, `error` (exit
//! codes).

mod args;
mod ask;
mod boot_word;
mod chart;
mod charted;
mod classify;
mod error;
mod events;
mod fail_if;
mod follow;
mod generated;
mod git;
mod incidents;
mod live;
mod pool;
mod probe;
mod progress;
mod rules;
mod screen;
mod show;
mod sorted;
mod telling;
mod timeline;
mod when;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, When};
use error::CliError;

/// What the whole run knows of the terminal and of the user's wishes for it.
struct Console {
    quiet: bool,
    verbose: bool,
    /// Whether stdout may carry colour.
    color: bool,
    /// Whether stdout is a terminal.
    is_terminal: bool,
    /// The width in columns to draw tables in.
    width: u16,
}

impl Console {
    fn new(cli: &Cli) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            quiet: cli.quiet,
            verbose: cli.verbose,
            color: match cli.color {
                When::Always => true,
                When::Never => false,
                When::Auto => is_terminal && !refused,
            },
            is_terminal,
            width: width(is_terminal),
        }
    }

    /// Says something on stderr that is no error.
    fn note(&self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }

    /// Says on stderr what only `--verbose` asks for.
    fn detail(&self, texts: &[String]) {
        if self.verbose {
            texts.iter().for_each(|text| complain(text));
        }
    }
}

/// The width of a table that goes to a file or a pipe.
const FILE_WIDTH: u16 = 100;
/// The width of a terminal that does not say its own.
const USUAL_TERMINAL_WIDTH: u16 = 80;

/// The columns to draw tables in: what `COLUMNS` says, or what the terminal has.
fn width(is_terminal: bool) -> u16 {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.filter(|&columns| columns > 0).unwrap_or_else(|| match is_terminal {
        true => comfy_table::Table::new().width().unwrap_or(USUAL_TERMINAL_WIDTH),
        false => FILE_WIDTH,
    })
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let words = boot_word::join_boot(std::env::args_os());
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| error.exit());
    let console = Console::new(&cli);
    let result = match cli.command {
        Command::Timeline(args) => timeline::run(&args, &console),
        Command::Incidents(args) => incidents::run(&args, &console),
        Command::Events(args) => events::run(&args, &console),
        Command::Pool(args) => pool::run(&args, &console),
        Command::Probe(args) => probe::run(&args, &console),
        Command::Classify(args) => classify::run(&args),
        Command::Rules(args) => rules::run(&args, &console),
        Command::Completions { shell } => generated::completions(shell),
        Command::Man(args) => generated::man(&args),
    };
    result.unwrap_or_else(|error| {
        if !matches!(error, CliError::BrokenPipe) {
            complain(&format!("error: {error}"));
        }
        ExitCode::from(error.exit_code())
    })
}

/// Writes a line to stderr. Nothing can be done where even that fails.
fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "ebbline: {}", escaped(text));
}

/// A path as it may be shown on a terminal.
fn shown(path: &Path) -> String {
    if path == Path::new(crate::source::discover::STDIN) {
        return "standard input".to_owned();
    }
    crate::render::escape::terminal(&path.to_string_lossy()).into_owned()
}

/// Text that may hold what a log said, line by line safe for a terminal.
fn escaped(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(crate::render::escape::terminal).collect();
    lines.join("\n")
}

//! Completions and man pages, made from the definitions that `--help` is made from.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;

use super::args::{Cli, ManArgs};
use super::error::CliError;

/// Prints the completion script for a shell.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ebbline", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints one man page, or writes all of them into a directory.
pub(super) fn man(args: &ManArgs) -> Result<ExitCode, CliError> {
    let mut command = Cli::command();
    command.build();
    if let Some(folder) = &args.dir {
        return clap_mangen::generate_to(command, folder)
            .map(|()| ExitCode::SUCCESS)
            .map_err(|error| CliError::unreadable(folder, &error));
    }
    let page = match &args.command {
        None => command,
        Some(name) => {
            let found = command.find_subcommand(name).cloned();
            let sub = found.ok_or_else(|| {
                let known: Vec<_> = command.get_subcommands().map(|sub| sub.get_name()).collect();
                CliError::Usage(format!(
                    "there is no command `{name}`.\nThe commands are: {}.",
                    known.join(", ")
                ))
            })?;
            let display = format!("ebbline-{name}");
            sub.name(display)
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    io::stdout().lock().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}

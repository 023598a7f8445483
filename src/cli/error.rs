//! What ends a command, and with which exit code.

use std::io;
use std::path::PathBuf;

use crate::rules::RuleError;

/// Why a command could not do its work; the variants are the contract's exit codes.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The work could not be done: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// What was asked cannot be meant: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The reader of our output went away: no error, and nothing more to say.
    #[error("broken pipe")]
    BrokenPipe,
}

impl CliError {
    /// A file that the user named could not be read.
    pub(super) fn unreadable(path: &std::path::Path, error: &io::Error) -> Self {
        Self::Failed(format!("{}: {error}", super::shown(path)))
    }

    /// The contract's exit code.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::BrokenPipe => 0,
        }
    }
}

impl From<RuleError> for CliError {
    fn from(error: RuleError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<io::Error> for CliError {
    /// For errors in writing the output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Failed(format!("cannot write the output: {error}")),
        }
    }
}

/// A file that has to be text.
pub(super) fn read_text(path: &PathBuf) -> Result<String, CliError> {
    let bytes = std::fs::read(path)
        .map_err(|error| CliError::Usage(format!("{}: {error}", super::shown(path))))?;
    String::from_utf8(bytes)
        .map_err(|_| CliError::Usage(format!("{}: not UTF-8 text", super::shown(path))))
}

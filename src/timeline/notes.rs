//! Notes: what people know about a day, a span or an instant, from a TOML file.

use std::path::PathBuf;

use crate::time::Timestamp;

/// A text about a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The first instant that the note is about.
    pub start: Timestamp,
    /// The first instant after; later than `start`.
    pub end: Timestamp,
    /// What to say, as it was written: it may hold any character.
    pub text: String,
}

/// What is wrong with a notes file: which file, where in it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {problem}\n{remedy}", path.display())]
pub struct NotesError {
    /// The notes file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Reads the notes in `text`, the content of the file at `path`. Days and local times are those
/// of `zone`.
pub fn parse(
    _text: &str,
    _path: &std::path::Path,
    _zone: chrono_tz::Tz,
) -> Result<Vec<Note>, NotesError> {
    Ok(Vec::new())
}

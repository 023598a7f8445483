//! How an entry can be looked at again: a command to be copied into a shell.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;

use crate::entry::OwnedOrigin;
use crate::render::escape;
use crate::report::Report;
use crate::source::SourceKind;
use crate::tally::Evidence;
use crate::time::Timestamp;

/// So many journals are named in a command; of more, which may hold the entry, none.
const MAX_NAMED: usize = 8;

/// Knows which files were read.
pub(super) struct Shower {
    /// Journal files; none where it was the machine's own journal that was read.
    journals: Vec<JournalFile>,
    /// In which times are written.
    zone: Tz,
}

struct JournalFile {
    path: PathBuf,
    first: Timestamp,
    last: Timestamp,
    /// Whether journalctl can open it: it does not read compressed files.
    is_plain: bool,
}

impl Shower {
    /// Looks at the journals of a report. `paths` are those of the command line.
    pub(super) fn new(paths: &[PathBuf], report: &Report) -> Self {
        let journal = |source: &crate::report::SourceReport| {
            let summary = &source.summary;
            let (first, last) = summary.first.zip(summary.last)?;
            let path = summary.path.clone();
            let is_plain = is_plain_journal(&path);
            (summary.kind == SourceKind::Journal).then_some(JournalFile {
                path,
                first,
                last,
                is_plain,
            })
        };
        let named = if paths.is_empty() { &[][..] } else { &report.sources[..] };
        let zone = report.timeline.zone;
        Self { journals: named.iter().filter_map(journal).collect(), zone }
    }

    /// A command that shows the entry, or the file and the line in which it stands.
    pub(super) fn command(&self, evidence: &Evidence) -> String {
        let cursor = match &evidence.origin {
            OwnedOrigin::Line { .. } => return evidence.origin.to_string(),
            OwnedOrigin::Cursor(cursor) => cursor.to_string(),
            OwnedOrigin::CursorText(cursor) => cursor.clone(),
        };
        let may_hold =
            |journal: &&JournalFile| (journal.first..=journal.last).contains(&evidence.at);
        let journals: Vec<&JournalFile> = self.journals.iter().filter(may_hold).collect();
        if let Some(compressed) = journals.iter().find(|journal| !journal.is_plain) {
            return by_time(&compressed.path, evidence.at, self.zone);
        }
        let mut command = "journalctl".to_owned();
        if journals.len() <= MAX_NAMED {
            for journal in journals {
                command.push_str(&format!(" --file={}", quoted(&glob(&journal.path))));
            }
        }
        command.push_str(&format!(" --cursor={} -n 1", quoted(cursor.as_bytes())));
        command
    }
}

/// Our own command for the events at an instant.
fn by_time(path: &Path, at: Timestamp, zone: Tz) -> String {
    let next = Timestamp::from_micros(at.micros() + 1).unwrap_or(Timestamp::END);
    let time = |at: Timestamp| crate::timeline::calendar::rfc3339(at, zone);
    let path = quoted(path.as_os_str().as_bytes());
    format!("ebbline events --since={} --until={} -- {path}", time(at), time(next))
}

/// Whether a file is a journal as it is, not compressed.
fn is_plain_journal(path: &Path) -> bool {
    let mut signature = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut signature));
    read.is_ok() && signature == *b"LPKSHHRH"
}

/// A path for journalctl's `--file`, which takes a pattern.
fn glob(path: &Path) -> Vec<u8> {
    let mut pattern = Vec::new();
    for &byte in path.as_os_str().as_bytes() {
        if b"*?[\\".contains(&byte) {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    pattern
}

/// A word for a shell. What a terminal would obey is spelt out, as bash, zsh and ksh read it.
fn quoted(word: &[u8]) -> String {
    let is_harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:@%,".contains(byte);
    match std::str::from_utf8(word) {
        Ok(text) if !word.is_empty() && word.iter().all(is_harmless) => text.to_owned(),
        Ok(text) if escape::terminal(text) == text => format!("'{}'", text.replace('\'', r"'\''")),
        _ => {
            let mut spelt = "$'".to_owned();
            for &byte in word {
                match byte {
                    b'\'' | b'\\' => spelt.extend(['\\', char::from(byte)]),
                    b' '..=b'~' => spelt.push(char::from(byte)),
                    _ => spelt.push_str(&format!("\\x{byte:02x}")),
                }
            }
            spelt + "'"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_quoted_word_as_it_was() {
        let words: [&[u8]; 8] = [
            b"/var/log/a.journal",
            b"",
            b"a b;c",
            b"it's",
            b"a\x1b[2Jb",
            b"\xff\n'\\7",
            b"$(id) `id` !x",
            "Jän".as_bytes(),
        ];
        for word in words {
            let script = format!("printf %s {}", quoted(word));
            let run = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(run.stdout, word, "{script}");
            assert!(!script.contains(['\x1b', '\n']), "{script:?}");
        }
    }

    #[test]
    fn a_path_is_no_pattern() {
        assert_eq!(glob(Path::new("/a*[b]?.journal")), br"/a\*\[b]\?.journal");
    }
}

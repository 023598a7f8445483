//! Which files to read: what the user named, what is in the directories among it, or this
//! machine's journal.
//!
//! Directories are walked whole and in order, so a machine-id folder inside a journal directory
//! is found as journalctl's `-D` finds it. A file is taken once, however many names lead to it.
//! What is no log (a picture, a README beside the logs) is passed over and said to be so; what
//! is one is decided by content when it is read.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::text;
use crate::time::Timestamp;

/// Standard input's name on the command line.
pub const STDIN: &str = "-";
/// How much of a document is looked at to see whether it is a log after all.
const HEAD_BYTES: u64 = 4096;
/// Directories nested deeper than this are a loop or a mistake.
const MAX_DEPTH: usize = 32;

/// Why a file is left out that another name led to already.
pub const GIVEN_TWICE: &str = "given twice";

/// Changes are of interest from so long before the first entry on.
const BEFORE_US: i64 = 3_600_000_000;

/// Where the journals of a machine are, persistent and volatile.
const JOURNAL_FOLDERS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The path, or [`STDIN`].
    pub path: PathBuf,
    /// Its size in bytes; 0 where it has none (a pipe).
    pub bytes: u64,
    /// Whether the user named it, as opposed to a directory that holds it.
    pub named: bool,
    /// Whether it is a regular file, which can be read twice.
    pub regular: bool,
}

/// What there is to read, and what is not read.
#[derive(Debug, Default)]
pub struct Discovery {
    /// What to read, in the order of the command line and then of names.
    pub found: Vec<Found>,
    /// What is left out on purpose.
    pub passed_over: Vec<PassedOver>,
    /// What could not be looked at.
    pub unreadable: Vec<Unreadable>,
    /// The directories that were looked through.
    pub folders: Vec<PathBuf>,
}

impl Discovery {
    /// Takes out what the user named and what does not exist.
    pub fn take_missing(&mut self) -> Vec<PathBuf> {
        let is_missing =
            |problem: &Unreadable| problem.named && problem.error.kind() == io::ErrorKind::NotFound;
        let missing = self.unreadable.iter().filter(|problem| is_missing(problem));
        let missing = missing.map(|problem| problem.path.clone()).collect();
        self.unreadable.retain(|problem| !is_missing(problem));
        missing
    }
}

/// A file that is left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The file.
    pub path: PathBuf,
    /// The reason, as a phrase.
    pub why: &'static str,
}

/// A file or directory that could not be opened.
#[derive(Debug)]
pub struct Unreadable {
    /// The path.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
    /// Whether the user named it.
    pub named: bool,
}

/// Finds everything that the paths of a command line stand for.
pub fn discover(paths: &[PathBuf]) -> Discovery {
    let mut walk = Walk::default();
    for path in paths {
        walk.take_named(path);
    }
    walk.discovery
}

/// Finds this machine's journal: the files of its machine id, persistent and volatile.
pub fn machine_journal() -> Discovery {
    let mut walk = Walk::default();
    for own in machine_folders().iter().filter(|own| own.is_dir()) {
        walk.take_folder(own, true, 0);
    }
    walk.discovery
}

/// The logs of package managers in `folder` that were written since `since`, rotated ones too:
/// those that can be read, since nobody named them. What they hold is decided when they are read.
pub fn package_logs(folder: &Path, since: Option<Timestamp>) -> Vec<Found> {
    const STARTS: [&str; 4] = ["dpkg.log", "dnf.rpm.log", "yum.log", "pacman.log"];
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        STARTS.iter().any(|start| name.starts_with(start))
    });
    paths.sort();
    let found = |path: PathBuf| {
        let metadata = fs::metadata(&path).ok()?;
        let written = metadata.modified().ok().and_then(|at| Timestamp::from_utc(at.into()));
        let is_older = written.zip(since).is_some_and(|(written, since)| {
            written.micros().saturating_add(BEFORE_US) < since.micros()
        });
        let is_log = metadata.is_file() && metadata.len() > 0 && File::open(&path).is_ok();
        let found = Found { path, bytes: metadata.len(), named: false, regular: true };
        (is_log && !is_older).then_some(found)
    };
    paths.into_iter().filter_map(found).collect()
}

/// Where this machine's journal is, or would be.
pub fn machine_folders() -> [PathBuf; 2] {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    JOURNAL_FOLDERS.map(|folder| Path::new(folder).join(id.trim()))
}

#[derive(Default)]
struct Walk {
    discovery: Discovery,
    /// Device and inode of everything taken or entered.
    seen: HashSet<(u64, u64)>,
}

impl Walk {
    fn take_named(&mut self, path: &Path) {
        if path == Path::new(STDIN) {
            let named = true;
            let stdin = Found { path: path.to_owned(), bytes: 0, named, regular: false };
            if !self.discovery.found.contains(&stdin) {
                self.discovery.found.push(stdin);
            }
            return;
        }
        match fs::metadata(path) {
            Err(error) => self.unreadable(path, error, true),
            Ok(metadata) if metadata.is_dir() => self.take_folder(path, true, 0),
            Ok(metadata) => self.take_file(path, &metadata, true),
        }
    }

    fn take_folder(&mut self, folder: &Path, named: bool, depth: usize) {
        let listing = fs::metadata(folder).and_then(|metadata| {
            let fresh = self.seen.insert((metadata.dev(), metadata.ino()));
            if fresh { fs::read_dir(folder).map(Some) } else { Ok(None) }
        });
        let entries = match listing {
            Ok(Some(entries)) => entries,
            Ok(None) => return self.pass_over(folder, GIVEN_TWICE),
            Err(error) => return self.unreadable(folder, error, named),
        };
        self.discovery.folders.push(folder.to_owned());
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            self.take_inside(&path, depth);
        }
    }

    fn take_inside(&mut self, path: &Path, depth: usize) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            return self.pass_over(path, "hidden");
        }
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.pass_over(path, "a link to nothing");
            }
            Err(error) => self.unreadable(path, error, false),
            Ok(metadata) if metadata.is_dir() && depth < MAX_DEPTH => {
                self.take_folder(path, false, depth + 1);
            }
            Ok(metadata) if metadata.is_dir() => self.pass_over(path, "nested too deep"),
            Ok(metadata) if !metadata.is_file() => self.pass_over(path, "no regular file"),
            Ok(metadata) if is_document(&name) => match starts_as_log(path) {
                Ok(true) => self.take_file(path, &metadata, false),
                Ok(false) => self.pass_over(path, "no log"),
                Err(error) => self.unreadable(path, error, false),
            },
            Ok(metadata) => self.take_file(path, &metadata, false),
        }
    }

    fn take_file(&mut self, path: &Path, metadata: &Metadata, named: bool) {
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            return self.pass_over(path, GIVEN_TWICE);
        }
        let regular = metadata.is_file();
        let bytes = if regular { metadata.len() } else { 0 };
        self.discovery.found.push(Found { path: path.to_owned(), bytes, named, regular });
    }

    fn pass_over(&mut self, path: &Path, why: &'static str) {
        self.discovery.passed_over.push(PassedOver { path: path.to_owned(), why });
    }

    fn unreadable(&mut self, path: &Path, error: io::Error, named: bool) {
        self.discovery.unreadable.push(Unreadable { path: path.to_owned(), error, named });
    }
}

/// Whether a name is that of a document, a program or a picture, as they lie beside logs.
fn is_document(name: &str) -> bool {
    const ENDINGS: [&str; 22] = [
        ".md", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".conf", ".service", ".timer", ".sh",
        ".py", ".rs", ".html", ".css", ".js", ".png", ".svg", ".jpg", ".pdf", ".rst", ".sql",
        ".db",
    ];
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a file's first line that says anything carries the time at which it was logged.
fn starts_as_log(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    let first = head
        .split(|&byte| byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    Ok(text::stamp::find(first).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(discovery: &Discovery) -> Vec<String> {
        let name = |found: &Found| found.path.file_name().unwrap().to_string_lossy().into_owned();
        discovery.found.iter().map(name).collect()
    }

    #[test]
    fn a_directory_gives_its_logs_once_and_names_what_it_leaves_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("0123")).unwrap();
        fs::write(path("0123/b.log"), "x\n").unwrap();
        fs::write(path("a.log"), "x\n").unwrap();
        fs::write(path("README.md"), "# What this is\n").unwrap();
        fs::write(path("kept.conf"), "2026-05-06 04:49:00 a log by another name\n").unwrap();
        fs::write(path(".hidden"), "x\n").unwrap();
        std::os::unix::fs::symlink(path("a.log"), path("z-link.log")).unwrap();
        std::os::unix::fs::symlink(folder.path(), path("loop")).unwrap();

        let discovery = discover(&[folder.path().to_owned()]);

        assert_eq!(names(&discovery), ["b.log", "a.log", "kept.conf"]);
        let whys: Vec<&str> = discovery.passed_over.iter().map(|file| file.why).collect();
        assert_eq!(whys, ["hidden", "no log", "given twice", "given twice"]);
    }

    #[test]
    fn package_logs_are_found_with_those_that_were_rotated() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("dpkg.log", "x"), ("dpkg.log.1.gz", "x"), ("dnf.rpm.log", "")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::write(folder.path().join("syslog"), "x").unwrap();
        let names_since = |since| {
            let found = package_logs(folder.path(), since);
            names(&Discovery { found, ..Discovery::default() })
        };
        assert_eq!(names_since(None), ["dpkg.log", "dpkg.log.1.gz"]);
        assert_eq!(names_since(Some(Timestamp::END)), [""; 0]);
    }

    #[test]
    fn a_missing_path_is_told_and_does_not_stop_the_rest() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let discovery = discover(&["/no/such/file".into(), file.path().to_owned()]);
        assert_eq!(discovery.found.len(), 1);
        assert!(discovery.unreadable[0].named);
    }
}

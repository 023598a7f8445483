//! What was committed and tagged: the history of a git repository, as changes.
//!
//! The program `git` is asked, not a library: whoever has a clone has it, it knows every format of
//! repositories, and a library that does has more than a hundred crates. `program` runs it.
//!
//! What could have been deployed is of interest: the history of what is checked out (`HEAD`) with
//! all that was merged into it, that of the remote's main branch as it was last fetched
//! (`origin/HEAD`, because the clone of somebody on call is seldom up to date on it), and every tag.
//! A commit's time is the committer's: when it came to be what it is. An author's date may be weeks
//! older.

mod program;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::time::{Span, Timestamp};
use crate::timeline::{Change, ChangeKind};

pub use program::GitError;
use program::Ran;

/// A repository has no more changes in a span than this: of commits the newest are kept, as git
/// tells them.
pub const MAX_CHANGES: usize = 100_000;

/// A subject is cut here.
const MAX_SUBJECT_CHARACTERS: usize = 160;

/// Which of the names in a commit is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Authors {
    /// None: a report may go to people whom a name is no business of.
    #[default]
    Hidden,
    /// The author's.
    Named,
}

/// A git repository that is there.
#[derive(Debug, Clone)]
pub struct Repository {
    path: PathBuf,
}

/// What changed in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Commits and tags in the order of time.
    pub changes: Vec<Change>,
    /// How many more there were than are kept: see [`MAX_CHANGES`].
    pub more: usize,
}

impl Repository {
    /// The repository at `path` or around it: a clone, a work tree, a folder in one of these, a
    /// bare repository.
    ///
    /// An error where there is none, or none that git reads.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        program::run(path, &["rev-parse".as_ref(), "--git-dir".as_ref()], &mut |_| ())?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The commits and tags of `span`.
    ///
    /// The whole history is looked through: clocks that were wrong have left commits that are
    /// older than their parents, and at the first of these git's `--since` would end.
    pub fn history(&self, span: Span, authors: Authors) -> Result<History, GitError> {
        let mut history = History::default();
        self.commits(span, authors, &mut history)?;
        self.tags(span, &mut history)?;
        history.changes.sort_by(|one, other| {
            (one.at, one.kind, &one.what).cmp(&(other.at, other.kind, &other.what))
        });
        Ok(history)
    }

    fn commits(&self, span: Span, authors: Authors, history: &mut History) -> Result<(), GitError> {
        let format = "--format=%x00%ct%x00%h%x00%an%x00%s";
        // A pattern may match nothing, where a name would be an error.
        let revisions = ["--ignore-missing", "--glob=refs/remotes/origin/HEA[D]", "HEAD", "--"];
        // Only to be quicker: what git does not leave out is left out here.
        let since =
            span.since.map(|at| format!("--since-as-filter=@{} +0000", at.micros() / 1_000_000));
        let mut arguments: Vec<&OsStr> = vec!["rev-list".as_ref(), "--encoding=UTF-8".as_ref()];
        arguments.push(format.as_ref());
        let with_filter: Vec<&OsStr> =
            arguments.iter().copied().chain(since.as_deref().map(OsStr::new)).collect();
        for mut arguments in [with_filter, arguments] {
            arguments.extend(revisions.map(OsStr::new));
            let ran = program::run(&self.path, &arguments, &mut |line| {
                let change = commit(line, authors).filter(|change| span.contains(change.at));
                history.keep(change);
            })?;
            // git knows the filter since version 2.37.
            if let Ran::Done = ran {
                return Ok(());
            }
        }
        Err(self.too_old())
    }

    fn tags(&self, span: Span, history: &mut History) -> Result<(), GitError> {
        let format = "--format=%(creatordate:unix)%00%(refname:strip=2)";
        let arguments = ["for-each-ref", format, "refs/tags"].map(OsStr::new);
        let ran = program::run(&self.path, &arguments, &mut |line| {
            history.keep(tag(line).filter(|change| span.contains(change.at)));
        })?;
        match ran {
            Ran::Done => Ok(()),
            Ran::UnknownOption => Err(self.too_old()),
        }
    }

    fn too_old(&self) -> GitError {
        let said = "this version of git is too old to be asked".to_owned();
        GitError::Failed { path: self.path.clone(), said }
    }
}

impl History {
    fn keep(&mut self, change: Option<Change>) {
        match change {
            Some(change) if self.changes.len() < MAX_CHANGES => self.changes.push(change),
            Some(_) => self.more += 1,
            None => {}
        }
    }
}

/// A commit from a line that the format made; `None` for the line before it, which has the id
/// alone, and for times that do not exist.
fn commit(line: &[u8], authors: Authors) -> Option<Change> {
    let mut fields = line.strip_prefix(b"\0")?.split(|byte| *byte == 0);
    let at = instant(fields.next()?)?;
    let id = String::from_utf8_lossy(fields.next()?);
    let author = bounded(fields.next()?);
    let subject = bounded(fields.next()?);
    let what = match authors {
        Authors::Hidden => format!("{id} {subject}"),
        Authors::Named => format!("{id} {subject} ({author})"),
    };
    Some(Change { at, kind: ChangeKind::Commit, what, host: None })
}

/// A tag from a line that the format made; `None` for one without a time, on no commit.
fn tag(line: &[u8]) -> Option<Change> {
    let mut fields = line.split(|byte| *byte == 0);
    let at = instant(fields.next()?)?;
    Some(Change { at, kind: ChangeKind::Tag, what: bounded(fields.next()?), host: None })
}

fn instant(seconds: &[u8]) -> Option<Timestamp> {
    let seconds: i64 = std::str::from_utf8(seconds).ok()?.parse().ok()?;
    Timestamp::from_micros(seconds.checked_mul(1_000_000)?)
}

/// Text of a stranger's, cut at [`MAX_SUBJECT_CHARACTERS`].
fn bounded(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(MAX_SUBJECT_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

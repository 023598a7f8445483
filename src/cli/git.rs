//! `--git`: the commits and tags around what was read.

use super::args::GitArgs;
use super::error::CliError;
use super::{Console, shown};
use crate::git::{Authors, GitError, Repository};
use crate::time::{Span, Timestamp};
use crate::timeline::Change;

/// Changes are told from so long before the first entry until so long after the last.
const AROUND_US: i64 = 3_600_000_000;

/// The repositories that the options name, each of them there.
pub(super) struct Repositories {
    repositories: Vec<Repository>,
    authors: Authors,
}

impl Repositories {
    /// Looks whether they are there, before anything is read.
    pub(super) fn open(args: &GitArgs) -> Result<Self, CliError> {
        let repositories = args.git.iter().map(|path| Repository::open(path));
        let authors = if args.git_author { Authors::Named } else { Authors::Hidden };
        Ok(Self { repositories: repositories.collect::<Result<_, _>>()?, authors })
    }

    /// What was committed and tagged around `asked`; where that is open, around the first and the
    /// last entry.
    pub(super) fn changes(
        &self,
        console: &Console,
        asked: Span,
        (first, last): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Vec<Change>, CliError> {
        let Some((from, to)) = asked.since.or(first).zip(asked.until.or(last)) else {
            return Ok(Vec::new());
        };
        self.changes_in(console, around(from, to))
    }

    /// What was committed and tagged from an hour before `since` until now.
    pub(super) fn changes_since(
        &self,
        console: &Console,
        since: Option<Timestamp>,
    ) -> Result<Vec<Change>, CliError> {
        self.changes_in(console, around(since.unwrap_or(Timestamp::MIN), Timestamp::END))
    }

    fn changes_in(&self, console: &Console, span: Span) -> Result<Vec<Change>, CliError> {
        let mut all = Vec::new();
        for repository in &self.repositories {
            let history = repository.history(span, self.authors)?;
            if history.more > 0 {
                let path = shown(repository.path());
                let (kept, more) = (history.changes.len(), history.more);
                console.note(&format!(
                    "--git {path}: {kept} changes are told, {more} more are not; limit the span \
                     with --since and --until"
                ));
            }
            all.extend(history.changes.into_iter().map(|change| self.named(repository, change)));
        }
        Ok(all)
    }

    /// The change with its repository's name, where there are several.
    fn named(&self, repository: &Repository, change: Change) -> Change {
        let path = repository.path().canonicalize();
        let name = path.as_ref().ok().and_then(|path| path.file_name());
        match name {
            Some(name) if self.repositories.len() > 1 => {
                let what = format!("{}: {}", name.to_string_lossy(), change.what);
                Change { what, ..change }
            }
            _ => change,
        }
    }
}

/// From an hour before `from` until an hour after `to`.
fn around(from: Timestamp, to: Timestamp) -> Span {
    let earlier = Timestamp::from_micros(from.micros() - AROUND_US).unwrap_or(Timestamp::MIN);
    Span { since: Some(earlier), until: Timestamp::from_micros(to.micros() + AROUND_US) }
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        let text = error.to_string();
        if error.is_usage() { Self::Usage(text) } else { Self::Failed(text) }
    }
}

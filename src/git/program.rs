//! The program `git`, run so that a repository cannot make it do anything but read.
//!
//! A repository brings a configuration of its own, and some of its settings name programs: to look
//! for changed files, to check signatures, to page, to fetch what is missing. What this program is
//! pointed at may be a stranger's copy, so every setting of that sort is overruled, and the
//! commands are plumbing, which heeds few settings from the start. No shell is involved. That git
//! refuses repositories of other users (`safe.directory`) stays as it is.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no program `git`.
    #[error(
        "--git needs the program git, and there is none on this machine.\nInstall git, or leave --git out."
    )]
    NoProgram,
    /// There is no repository at the path, nor around it.
    #[error(
        "--git {}: not a git repository, and not inside of one.\n\
         Name the folder of a clone, or a bare repository.",
        path.display()
    )]
    NoRepository {
        /// The path as given.
        path: PathBuf,
    },
    /// The system does not let us in.
    #[error("--git {}: no permission to read it.\nUse sudo, or ask its owner.", path.display())]
    NoPermission {
        /// The path as given.
        path: PathBuf,
    },
    /// git does not trust the repository, because it belongs to another user.
    #[error(
        "--git {}: the repository belongs to another user, and git reads only one's own.\n\
         Run as its owner, or trust it: git config --global --add safe.directory PATH",
        path.display()
    )]
    OtherOwner {
        /// The path as given.
        path: PathBuf,
    },
    /// git could not do it.
    #[error("--git {}: {said}\nSee what `git -C PATH fsck` says about it.", path.display())]
    Failed {
        /// The path as given.
        path: PathBuf,
        /// What git said, on one line.
        said: String,
    },
}

impl GitError {
    /// Whether another command line would help, rather than another machine or repository.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoRepository { .. } | Self::OtherOwner { .. })
    }
}

/// What git ends with where it does not know an option.
const USAGE: i32 = 129;

/// A line is cut here: a subject that is longer is no subject.
const MAX_LINE_BYTES: usize = 4096;

/// So much of what git says on stderr is looked at.
const MAX_SAID_BYTES: u64 = 4096;

/// What came of a command that git knows.
pub(super) enum Ran {
    /// It was done.
    Done,
    /// This version of git does not know one of the options.
    UnknownOption,
}

/// Runs `git` in `repository` and gives `take` each line of what it prints, without the line feed
/// and cut at [`MAX_LINE_BYTES`]. Memory does not grow with what git prints.
pub(super) fn run(
    repository: &Path,
    arguments: &[&OsStr],
    take: &mut dyn FnMut(&[u8]),
) -> Result<Ran, GitError> {
    let mut child =
        command(repository).args(arguments).spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => GitError::NoProgram,
            _ => failed(repository, &format!("git cannot be run: {error}")),
        })?;
    let (printed, said) = communicate(&mut child, take);
    let ended = child.wait().map_err(|error| failed(repository, &error.to_string()))?;
    printed.map_err(|error| failed(repository, &error.to_string()))?;
    match ended.code() {
        Some(0) => Ok(Ran::Done),
        Some(USAGE) => Ok(Ran::UnknownOption),
        _ => Err(refusal(repository, &said)),
    }
}

fn command(repository: &Path) -> Command {
    let mut command = Command::new("git");
    // A hook or an editor that git started passes on which repository it was about.
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("GIT_NO_LAZY_FETCH", "1")
        // No transport has this name, so there is none to fetch with, whatever the settings say.
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        // What git says is compared with what it says in English.
        .env("LC_ALL", "C")
        .env_remove("LANGUAGE")
        .args(["--no-pager", "--no-optional-locks"])
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(["-c", "log.showSignature=false"])
        .arg("-C")
        .arg(repository)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads both pipes at once, so that git never waits for one of them.
fn communicate(child: &mut Child, take: &mut dyn FnMut(&[u8])) -> (io::Result<()>, String) {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let said = scope.spawn(|| stderr.map(beginning).unwrap_or_default());
        let printed = stdout.map_or(Ok(()), |stdout| lines(BufReader::new(stdout), take));
        (printed, said.join().unwrap_or_default())
    })
}

/// The beginning of what is said; the rest is read and dropped.
fn beginning(mut pipe: impl Read) -> String {
    let mut said = Vec::new();
    let read = pipe.by_ref().take(MAX_SAID_BYTES).read_to_end(&mut said);
    if read.is_ok() {
        let _ = io::copy(&mut pipe, &mut io::sink());
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Gives each line to `take`, cut at [`MAX_LINE_BYTES`].
fn lines(mut input: impl BufRead, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = MAX_LINE_BYTES as u64;
        if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else {
            input.skip_until(b'\n')?;
        }
        take(&line);
    }
}

fn refusal(repository: &Path, said: &str) -> GitError {
    let path = repository.to_owned();
    if said.contains("Permission denied") {
        return GitError::NoPermission { path };
    }
    if said.contains("not a git repository") || said.contains("cannot change to") {
        return GitError::NoRepository { path };
    }
    if said.contains("dubious ownership") {
        return GitError::OtherOwner { path };
    }
    let first =
        said.lines().find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
    failed(repository, first.or_else(|| said.lines().next()).unwrap_or("git failed"))
}

fn failed(repository: &Path, said: &str) -> GitError {
    let said = said.strip_prefix("fatal: ").unwrap_or(said).trim_end();
    GitError::Failed { path: repository.to_owned(), said: said.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
        let mut input = vec![b'x'; 3 * MAX_LINE_BYTES];
        input.extend_from_slice(b"\n\nnext\nlast");
        let mut lengths = Vec::new();
        lines(&input[..], &mut |line| lengths.push(line.len())).unwrap();
        assert_eq!(lengths, [MAX_LINE_BYTES, 0, 4, 4]);
    }

    #[test]
    fn a_closed_door_is_told_from_an_empty_room() {
        let said = "fatal: cannot change to '/srv/api': Permission denied\n";
        let error = refusal(Path::new("/srv/api"), said);
        assert!(matches!(error, GitError::NoPermission { .. }) && !error.is_usage());
        let said = "fatal: cannot change to '/srv/api': No such file or directory\n";
        let error = refusal(Path::new("/srv/api"), said);
        assert!(matches!(error, GitError::NoRepository { .. }) && error.is_usage());
    }

    #[test]
    fn a_repository_of_somebody_else_is_told_from_none() {
        let folder = tempfile::tempdir().unwrap();
        let git = |words: &[&str]| {
            let mut git = Command::new("git");
            git.args(words).current_dir(folder.path()).env("LC_ALL", "C");
            git.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1").output().unwrap()
        };
        assert!(git(&["init", "-q"]).status.success());
        let said = String::from_utf8(git(&["rev-parse", "--git-dir"]).stderr).unwrap();
        let error = refusal(Path::new("repo"), &said);
        assert!(matches!(error, GitError::OtherOwner { .. }) && error.is_usage(), "{said}");
    }

    #[test]
    fn a_line_that_just_fits_does_not_swallow_the_next() {
        let mut input = vec![b'x'; MAX_LINE_BYTES - 1];
        input.extend_from_slice(b"\nnext\n");
        let mut lengths = Vec::new();
        lines(&input[..], &mut |line| lengths.push(line.len())).unwrap();
        assert_eq!(lengths, [MAX_LINE_BYTES - 1, 4]);
    }
}

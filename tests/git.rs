//! What `ebbline::git` reads from real repositories, made by the program `git`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ebbline::git::{Authors, GitError, History, Repository};
use ebbline::time::{Span, Timestamp};
use ebbline::timeline::ChangeKind;

/// 2026-05-06T00:00:00Z.
const DAY_S: i64 = 1_778_025_600;

struct Clone {
    folder: tempfile::TempDir,
}

impl Clone {
    fn new() -> Self {
        let clone = Self { folder: tempfile::tempdir().unwrap() };
        clone.git(&["init", "-q", "-b", "main"]);
        clone
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, words: &[&str]) -> String {
        self.git_at(0, words)
    }

    /// Runs git with the committer's clock at so many seconds of the day; the author's is a week
    /// behind.
    fn git_at(&self, second: i64, words: &[&str]) -> String {
        let run = git(self.path(), second).args(words).output().unwrap();
        assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, second: i64, subject: &str) -> String {
        self.git_at(second, &["commit", "-q", "--allow-empty", "-m", subject]);
        self.git(&["rev-parse", "--short", "HEAD"])
    }

    fn history(&self) -> History {
        history_at(self.path())
    }
}

/// The program git as nobody has configured it.
fn git(folder: &Path, second: i64) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder)
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_COMMITTER_DATE", format!("@{} +0000", DAY_S + second))
        .env("GIT_AUTHOR_DATE", format!("@{} +0000", DAY_S - 7 * 86_400))
        .args(["-c", "user.name=Ada Example", "-c", "user.email=ada@example.org"]);
    git
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros((DAY_S + second) * 1_000_000).unwrap()
}

/// From midnight for a day.
fn day() -> Span {
    Span { since: Some(at(0)), until: Some(at(86_400)) }
}

fn history_at(path: &Path) -> History {
    Repository::open(path).unwrap().history(day(), Authors::Hidden).unwrap()
}

fn texts(history: &History) -> Vec<String> {
    history.changes.iter().map(|change| change.what.clone()).collect()
}

#[test]
fn commits_and_tags_of_the_span_are_told_in_the_order_of_time() {
    let clone = Clone::new();
    clone.commit(-10, "Too early");
    let first = clone.commit(0, "Raise the pool's size\n\nThe body is not told.");
    clone.git_at(5, &["tag", "-a", "v1.1", "-m", "Release"]);
    let second = clone.commit(20, "Route reads to the replica");
    clone.git_at(30, &["tag", "light"]);
    clone.commit(86_400, "Too late");
    let history = clone.history();
    let told: Vec<_> = history
        .changes
        .iter()
        .map(|change| (change.at, change.kind, change.what.as_str()))
        .collect();
    let (first, second) =
        (format!("{first} Raise the pool's size"), format!("{second} Route reads to the replica"));
    assert_eq!(
        told,
        [
            (at(0), ChangeKind::Commit, first.as_str()),
            (at(5), ChangeKind::Tag, "v1.1"),
            // A tag without a date of its own has that of its commit.
            (at(20), ChangeKind::Tag, "light"),
            (at(20), ChangeKind::Commit, second.as_str()),
        ]
    );
    assert_eq!(history.more, 0);
}

#[test]
fn authors_are_named_only_where_that_is_asked() {
    let clone = Clone::new();
    let id = clone.commit(0, "Pool: 10 → 20");
    assert_eq!(texts(&clone.history()), [format!("{id} Pool: 10 → 20")]);
    let named = Repository::open(clone.path()).unwrap().history(day(), Authors::Named).unwrap();
    assert_eq!(texts(&named), [format!("{id} Pool: 10 → 20 (Ada Example)")]);
}

/// git's own `--since` would stop at the first commit that is too old.
#[test]
fn a_commit_behind_one_with_a_wrong_clock_is_found() {
    let clone = Clone::new();
    for number in 0..20 {
        clone.commit(number, "Behind");
    }
    for number in 0..20 {
        clone.commit(-40_000_000 - number, "Written with the clock of last year");
    }
    clone.commit(50, "In front");
    assert_eq!(clone.history().changes.len(), 21);
}

#[test]
fn what_was_merged_and_what_the_remote_has_is_told() {
    let clone = Clone::new();
    clone.commit(0, "Root");
    clone.git(&["checkout", "-q", "-b", "topic"]);
    clone.commit(10, "On the branch");
    clone.git(&["checkout", "-q", "main"]);
    clone.commit(20, "On main");
    clone.git_at(30, &["merge", "-q", "--no-edit", "topic"]);
    assert_eq!(clone.history().changes.len(), 4);

    let behind = tempfile::tempdir().unwrap();
    let path = behind.path().join("clone");
    clone.git(&["clone", "-q", ".", path.to_str().unwrap()]);
    assert!(git(&path, 0).args(["reset", "-q", "--hard", "HEAD~1"]).status().unwrap().success());
    assert_eq!(history_at(&path).changes.len(), 4);

    clone.git(&["checkout", "-q", "--orphan", "elsewhere"]);
    clone.commit(40, "Not merged");
    clone.git(&["checkout", "-q", "main"]);
    assert_eq!(clone.history().changes.len(), 4);
}

#[test]
fn every_form_of_repository_is_read() {
    let clone = Clone::new();
    clone.commit(0, "One");
    clone.commit(10, "Two");
    let elsewhere = tempfile::tempdir().unwrap();
    let place = |name: &str| elsewhere.path().join(name).to_str().unwrap().to_owned();
    let here = format!("file://{}", clone.path().display());
    clone.git(&["clone", "-q", "--bare", ".", &place("bare")]);
    clone.git(&["worktree", "add", "-q", "--detach", &place("tree"), "HEAD"]);
    clone.git(&["clone", "-q", "--depth", "1", &here, &place("shallow")]);
    fs::create_dir_all(clone.path().join("a/folder")).unwrap();
    let forms: [(PathBuf, usize); 6] = [
        (clone.path().to_owned(), 2),
        (clone.path().join("a/folder"), 2),
        (clone.path().join(".git"), 2),
        (elsewhere.path().join("bare"), 2),
        (elsewhere.path().join("tree"), 2),
        (elsewhere.path().join("shallow"), 1),
    ];
    for (path, commits) in forms {
        assert_eq!(history_at(&path).changes.len(), commits, "{}", path.display());
    }
}

#[test]
fn a_repository_without_commits_has_no_changes() {
    assert_eq!(Clone::new().history(), History::default());
}

#[test]
fn what_is_no_repository_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    for path in [folder.path().to_owned(), folder.path().join("file"), folder.path().join("none")] {
        let error = Repository::open(&path).unwrap_err();
        assert!(matches!(error, GitError::NoRepository { .. }), "{error}");
        assert!(error.is_usage());
        let text = error.to_string();
        assert!(text.starts_with(&format!("--git {}: not a git rep", path.display())), "{text}");
        assert!(text.ends_with("Name the folder of a clone, or a bare repository."), "{text}");
    }
}

#[test]
fn a_broken_repository_is_an_error_and_not_an_empty_history() {
    let clone = Clone::new();
    clone.commit(0, "One");
    clone.commit(10, "Two");
    let parent = clone.git(&["rev-parse", "HEAD~1"]);
    let object = clone.path().join(".git/objects").join(&parent[..2]).join(&parent[2..]);
    fs::remove_file(object).unwrap();
    let error = Repository::open(clone.path()).unwrap().history(day(), Authors::Hidden);
    let text = error.unwrap_err().to_string();
    assert!(text.contains(&parent), "{text}");
}

#[test]
fn subjects_and_names_of_any_bytes_are_bounded_and_stay_on_one_line() {
    let clone = Clone::new();
    let long = "x".repeat(1_000_000);
    let hostile = "\u{1b}[2J\u{202e}evil\r\nsecond line of the subject";
    let mut child = git(clone.path(), 0)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = Vec::new();
    for (second, message) in [(0, long.as_bytes()), (1, hostile.as_bytes()), (2, b"\xff\xfe")] {
        let committer = format!("committer \u{1b}[1m <a@b> {} +0000", DAY_S + second);
        write!(stream, "commit refs/heads/main\n{committer}\ndata {}\n", message.len()).unwrap();
        stream.extend_from_slice(message);
        stream.push(b'\n');
    }
    child.stdin.take().unwrap().write_all(&stream).unwrap();
    assert!(child.wait().unwrap().success());
    let history = Repository::open(clone.path()).unwrap().history(day(), Authors::Named).unwrap();
    let told = texts(&history);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().all(|what| what.chars().count() < 250 && !what.contains('\n')), "{told:?}");
    assert!(told[0].ends_with("xx… (\u{1b}[1m)"), "{}", told[0]);
    assert!(told[1].contains("evil"), "{}", told[1]);
    assert!(told[2].contains('\u{fffd}'), "{}", told[2]);
}

/// A repository's settings name programs. Each of these is first seen to run when git is used
/// without care.
#[test]
fn a_repository_cannot_have_its_programs_run() {
    let clone = Clone::new();
    clone.commit(0, "One");
    let tree = clone.git(&["rev-parse", "HEAD^{tree}"]);
    let ran = clone.path().join("ran");
    let program = clone.path().join("program");
    fs::write(&program, format!("#!/bin/sh\ntouch '{}'\nexit 1\n", ran.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    // A commit with a signature, and a tag whose commit is to be fetched from a remote that is a
    // program.
    let missing = "0123456789012345678901234567890123456789";
    let commit = format!(
        "tree {tree}\nauthor A <a@b> {DAY_S} +0000\ncommitter A <a@b> {DAY_S} +0000\ngpgsig \
         -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\nTwo\n"
    );
    fs::write(clone.path().join("commit"), commit).unwrap();
    let id = clone.git(&["hash-object", "-t", "commit", "-w", "commit"]);
    clone.git(&["update-ref", "refs/heads/main", &id]);
    let named = program.to_str().unwrap();
    let remote = format!("ext::{named}");
    let settings = [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", &remote),
        ("protocol.ext.allow", "always"),
        ("log.showSignature", "true"),
        ("gpg.program", named),
        ("core.fsmonitor", named),
        ("core.pager", named),
        ("core.sshCommand", named),
    ];
    for (name, value) in settings {
        clone.git(&["config", name, value]);
    }
    fs::write(clone.path().join(".git/refs/tags/missing"), format!("{missing}\n")).unwrap();
    for careless in [["for-each-ref", "--format=%(creatordate)"].as_slice(), &["log"], &["status"]]
    {
        git(clone.path(), 0).args(careless).stdin(Stdio::null()).output().unwrap();
        assert!(ran.exists(), "git {careless:?} runs nothing: the test shows nothing");
        fs::remove_file(&ran).unwrap();
    }
    let repository = Repository::open(clone.path()).unwrap();
    // The tagged commit cannot be had, and that is told; nothing is tried to get it.
    repository.history(day(), Authors::Named).unwrap_err();
    assert!(!ran.exists(), "the repository's program was run");
}

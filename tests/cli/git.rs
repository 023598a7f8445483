//! `--git`: commits and tags beside what failed.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Folder, Run, pool_timeout_line};

/// A log of 2026-05-06 from 12:00 to 13:00, and a repository with a commit and a tag before it.
fn log_and_repository(folder: &Folder) -> String {
    let log = ["12:00:00", "12:30:00", "13:00:00"]
        .map(|time| pool_timeout_line(&format!("2026-05-06 {time},000")));
    folder.write("app.log", log.concat());
    folder.write("api/code", "");
    git(folder, "2026-05-06T00:00:00Z", &["init", "-q", "-b", "main"]);
    git(folder, "2026-05-06T10:59:59Z", &["commit", "-q", "--allow-empty", "-m", "Long before"]);
    git(folder, "2026-05-06T11:30:00Z", &["commit", "-q", "--allow-empty", "-m", "Pool: 10 → 20"]);
    git(folder, "2026-05-06T12:10:00Z", &["tag", "-a", "v7", "-m", "Release"]);
    git(folder, "2026-05-06T12:10:00Z", &["rev-parse", "--short", "HEAD"])
}

fn git(folder: &Folder, at: &str, words: &[&str]) -> String {
    let run = Command::new("git")
        .current_dir(folder.path().join("api"))
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_COMMITTER_DATE", at)
        .args(["-c", "user.name=Ada Example", "-c", "user.email=ada@example.org"])
        .args(words)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

/// The changes of all buckets.
fn changes(document: &Value) -> Vec<Value> {
    let buckets = document["buckets"].as_array().unwrap().iter();
    buckets.flat_map(|bucket| bucket["changes"].as_array().unwrap().clone()).collect()
}

#[test]
fn commits_and_tags_stand_in_their_buckets() {
    let folder = Folder::new();
    let id = log_and_repository(&folder);
    let words = ["app.log", "--git", "api", "--since", "2026-05-06 11:00", "--by", "hour"];
    let document = folder.timeline(&words);
    let told: Vec<Value> = changes(&document)
        .iter()
        .map(|change| json!([change["at"], change["kind"], change["what"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["2026-05-06T11:30:00+00:00", "commit", format!("{id} Pool: 10 → 20")]),
            json!(["2026-05-06T12:10:00+00:00", "tag", "v7"]),
        ]
    );
    let table = folder.run(&[&["timeline"], &words[..]].concat()).stdout;
    assert!(table.contains("commit") && table.contains("v7"), "{table}");
    let named = folder.timeline(&[&words[..], &["--git-author"]].concat());
    assert_eq!(changes(&named)[0]["what"], format!("{id} Pool: 10 → 20 (Ada Example)"));
}

#[test]
fn a_follower_tells_them_too() {
    let folder = Folder::new();
    let id = log_and_repository(&folder);
    let words = ["timeline", "-f", "-o", "json", "app.log", "--git", "api"];
    let run = folder.run(&[&words[..], &["--until", "2026-05-06 13:30", "--by", "hour"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told = changes(&serde_json::from_str(&run.stdout).unwrap());
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["what"], "v7", "{id}");
}

#[test]
fn several_repositories_are_named() {
    let folder = Folder::new();
    log_and_repository(&folder);
    let document = folder.timeline(&["app.log", "--git", "api", "--git", "api/."]);
    let told = changes(&document);
    assert!(told.iter().all(|told| told["what"].as_str().unwrap().starts_with("api: ")));
}

#[test]
fn a_path_without_a_repository_has_code_2_and_a_missing_git_code_1() {
    let folder = Folder::new();
    log_and_repository(&folder);
    let run = folder.run(&["timeline", "app.log", "--git", "elsewhere"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "ebbline: error: --git elsewhere: not a git repository, and not inside of one.\n\
         Name the folder of a clone, or a bare repository.\n"
    );
    let mut without_git = folder.command(&["timeline", "app.log", "--git", "api"]);
    let run = without_git.env("PATH", folder.path()).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.ends_with("Install git, or leave --git out.\n"), "{said}");
}

/// git knows `--since-as-filter` since version 2.37. An older one is stood in for by the installed
/// one with that option refused, as git refuses options that it does not know.
#[test]
fn an_older_git_tells_the_same() {
    let folder = Folder::new();
    log_and_repository(&folder);
    let words = ["timeline", "app.log", "--git", "api", "-o", "json"];
    let expected = folder.run(&words);
    let path = std::env::var("PATH").unwrap();
    let older = format!(
        "#!/bin/sh\ncase \"$*\" in *--since-as-filter*) echo 'usage: git' >&2; exit 129;; esac\n\
         PATH='{path}' exec git \"$@\"\n"
    );
    let program = folder.write("older/git", older);
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = folder.command(&words);
    let run = Run::from(command.env("PATH", folder.path().join("older")).output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("\"commit\""), "{}", run.stdout);
    assert_eq!(run.stdout, expected.stdout);
}

#[test]
fn the_commit_before_an_incident_precedes_it() {
    let folder = Folder::new();
    let id = log_and_repository(&folder);
    // An entry a minute for a day, and an outage of twenty minutes.
    let minute = |minute: i64| {
        let at = format!("2026-05-06 {:02}:{:02}:10", minute / 60, minute % 60);
        match minute {
            720..740 => pool_timeout_line(&format!("{at},000")).repeat(10),
            _ => format!("{at},000 INFO app: all is well\n"),
        }
    };
    folder.write("day.log", (0..1440).map(minute).collect::<String>());
    let run = folder.run(&["incidents", "day.log", "--git", "api", "-o", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let incident = &document["incidents"][0];
    assert_eq!(incident["start"], "2026-05-06T12:00:10+00:00", "{}", run.stdout);
    let before = incident["preceded_by"].as_array().unwrap();
    assert_eq!(before.len(), 1, "{before:?}");
    assert_eq!(before[0]["kind"], "commit");
    assert_eq!(before[0]["what"], format!("{id} Pool: 10 → 20"));
}

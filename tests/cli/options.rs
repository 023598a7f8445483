//! Options: what is wrong is said before anything is read, with the remedy last.

use crate::harness::{Folder, http_503_line, pool_timeout_line};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("app.log", pool_timeout_line("2026-05-06 04:49:00,000"));
    folder
}

#[test]
fn usage_errors_have_code_2_and_a_remedy() {
    let folder = folder();
    for (words, remedy) in [
        (&["timeline", "app.log", "--tz", "Mars/Olympus"][..], "Give an IANA name"),
        (&["timeline", "app.log", "--since", "soon"], "Write `2026-05-06`"),
        (&["timeline", "app.log", "--class", "http_504"], "The classes are"),
        (&["timeline", "app.log", "--fail-if", "http_503"], "Write a class"),
        (&["timeline", "app.log", "--priority", "loud"], "The priorities are"),
        (&["timeline", "app.log", "-S", "now", "-U", "today"], "--since is not before --until"),
        (&["timeline", "app.log", "--notes", "missing.toml"], "missing.toml"),
        (&["timeline", "app.log", "-u", "[a"], "glob"),
        (&["timeline", "--no-such-option"], "--help"),
        (&["nonsense"], "--help"),
    ] {
        let run = folder.run(words);
        assert_eq!(run.code, Some(2), "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(remedy), "{words:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{words:?}");
    }
}

#[test]
fn a_crossed_threshold_has_code_3_and_the_output_all_the_same() {
    let folder = folder();
    let run = folder.run(&["timeline", "app.log", "--fail-if", "pool_timeout>=1"]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("pool_timeout"), "{}", run.stderr);
    assert!(run.stdout.contains("May 6"));
    assert_eq!(folder.run(&["timeline", "app.log", "--fail-if", "pool_timeout>1"]).code, Some(0));
}

#[test]
fn since_is_inclusive_and_until_is_not() {
    let folder = Folder::new();
    let log: String = ["04:49:00,000", "04:50:00,000", "04:51:00,000"]
        .map(|time| pool_timeout_line(&format!("2026-05-06 {time}")))
        .concat();
    folder.write("app.log", log);
    let document =
        folder.timeline(&["app.log", "-S", "2026-05-06 04:49", "-U", "2026-05-06 04:51"]);
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 2);
    assert_eq!(document["since"], "2026-05-06T04:49:00+00:00");
}

#[test]
fn times_without_a_zone_are_read_in_tz() {
    let folder = folder();
    let document = folder.timeline(&["app.log", "--tz", "Asia/Kathmandu"]);
    assert_eq!(document["timezone"], "Asia/Kathmandu");
    assert_eq!(document["sources"][0]["first"], "2026-05-06T04:49:00+05:45");
    let document = folder.timeline(&["app.log"]);
    assert_eq!(document["timezone"], "UTC");
}

#[test]
fn the_same_file_by_two_names_is_counted_once_and_told() {
    let folder = folder();
    std::os::unix::fs::symlink("app.log", folder.path().join("link.log")).unwrap();
    let run = folder.run(&["timeline", "-o", "json", "app.log", "link.log", "."]);
    assert!(run.stderr.contains("link.log: given twice: counted once"), "{}", run.stderr);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 1);
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = folder.run(&["completions", shell]);
        assert_eq!(run.code, Some(0));
        assert!(run.stdout.contains("timeline"), "{shell}");
    }
    let page = folder.run(&["man"]);
    assert!(page.stdout.contains(".TH ebbline 1") && page.stdout.contains("timeline"));
    let page = folder.run(&["man", "timeline"]);
    assert!(page.stdout.contains("\\-\\-since"), "{}", page.stdout);
    assert_eq!(folder.run(&["man", "nonsense"]).code, Some(2));
    assert_eq!(folder.run(&["man", "--dir", "."]).code, Some(0));
    assert!(folder.path().join("ebbline-timeline.1").exists());
}

#[test]
fn help_shows_examples() {
    for words in
        [&["--help"][..], &["timeline", "--help"], &["events", "--help"], &["classify", "-h"]]
    {
        let run = Folder::new().run(words);
        assert_eq!(run.code, Some(0));
        assert!(run.stdout.contains("Examples:"), "{words:?}");
    }
}

#[test]
fn colour_is_used_only_where_it_is_wanted() {
    let folder = Folder::new();
    let log: String =
        (0..60).map(|n| http_503_line(&format!("06/May/2026:04:49:{n:02} +0000"))).collect();
    folder.write("access.log", log);
    assert!(!folder.run(&["timeline", "access.log"]).stdout.contains('\x1b'));
    assert!(folder.run(&["timeline", "access.log", "--color", "always"]).stdout.contains('\x1b'));
}

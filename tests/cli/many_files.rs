//! More files than a process may have open, and files that are rotated away or removed before it
//! is their turn.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Folder, Run, pool_timeout_line};
use crate::journals::TestEntry;
use crate::writer::{Codec, journal_bytes, journal_bytes_with_id};

const FILES: u64 = 200;

/// Runs `ebbline` where it may have so few files open.
fn run_with_few_files(folder: &Folder, words: &[&str]) -> Run {
    let ebbline = folder.command(words);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 64 && exec \"$@\"", "sh"]).arg(ebbline.get_program());
    shell.args(ebbline.get_args()).current_dir(folder.path()).env_clear();
    for (name, value) in ebbline.get_envs() {
        value.map(|value| shell.env(name, value));
    }
    Run::from(shell.output().unwrap())
}

fn pool_timeouts(run: &Run) -> u64 {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    document["totals"]["counts"]["pool_timeout"].as_u64().unwrap()
}

#[test]
fn journals_texts_and_packed_journals_are_read_with_few_open_files() {
    let folder = Folder::new();
    for number in 0..FILES {
        let at_us = (1_778_042_940 + number * 60) * 1_000_000;
        let message = format!("request {number}: couldn't get a connection after 30.00 sec");
        let entry = TestEntry::new(at_us, message.as_bytes()).with("_HOSTNAME", "north");
        let bytes = journal_bytes(&[entry], Codec::Zstd, true);
        folder.write(&format!("plain/{number}.journal"), &bytes);
        let packed = zstd::encode_all(bytes.as_slice(), 1).unwrap();
        folder.write(&format!("packed/{number}.journal.zst"), packed);
        let at = format!("2026-05-07 {:02}:{:02}:00", number / 60, number % 60);
        folder.write(&format!("text/{number}.log"), pool_timeout_line(&at));
        folder.write(&format!("text/{number}.copy"), pool_timeout_line(&at));
    }
    for name in ["plain", "packed", "text"] {
        let run = run_with_few_files(&folder, &["timeline", "-o", "json", name]);
        assert_eq!(pool_timeouts(&run), FILES, "{name}");
    }
    let run = run_with_few_files(&folder, &["timeline", "-o", "json", "-j", "8", "."]);
    assert_eq!(pool_timeouts(&run), 2 * FILES);
    let run = run_with_few_files(&folder, &["timeline", "-o", "json", "-b", "0", "plain"]);
    assert_eq!(pool_timeouts(&run), FILES);
}

/// Journals of one pool timeout each.
fn write_journals(folder: &Folder, names: &[&str]) {
    for (name, number) in names.iter().zip(1_u64..) {
        let at_us = (1_778_042_940 + number) * 1_000_000;
        let message = b"request: couldn't get a connection after 30.00 sec";
        let bytes = journal_bytes_with_id(&[TestEntry::new(at_us, message)], number.into());
        folder.write(&format!("journal/{name}"), bytes);
    }
}

/// Runs `ebbline timeline` on the folder's journals, and something else once it has looked at
/// them and before it reads them: it waits for a text, which comes from a pipe.
fn run_and_meanwhile(folder: &Folder, words: &[&str], meanwhile: impl FnOnce(&Path)) -> Run {
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = folder.command(&["timeline", "-o", "json", "journal", "pipe"]);
    let child = command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Opening waits until the other end is open, too.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    meanwhile(&folder.path().join("journal"));
    drop(writer);
    Run::from(child.wait_with_output().unwrap())
}

#[test]
fn a_journal_that_is_rotated_while_others_are_read_counts() {
    let folder = Folder::new();
    write_journals(&folder, &["system.journal", "user-1000.journal"]);
    let run = run_and_meanwhile(&folder, &[], |journals| {
        let active = journals.join("system.journal");
        std::fs::rename(&active, journals.join("system@1.journal")).unwrap();
        std::fs::copy(journals.join("user-1000.journal"), active).unwrap();
    });
    assert_eq!(pool_timeouts(&run), 2);
    assert_eq!(run.stderr, "ebbline: pipe: empty\n");
}

#[test]
fn a_journal_that_is_removed_while_others_are_read_is_told() {
    let folder = Folder::new();
    for (words, code) in [(&[][..], 0), (&["--strict"], 1)] {
        write_journals(&folder, &["system.journal", "system@1.journal"]);
        let run = run_and_meanwhile(&folder, words, |journals| {
            std::fs::remove_file(journals.join("system@1.journal")).unwrap();
        });
        assert_eq!(run.code, Some(code));
        let sentence = "journal/system@1.journal: it was removed while other files were read\n";
        assert!(run.stderr.contains(sentence), "{}", run.stderr);
        assert_eq!(pool_timeouts(&Run { code: Some(0), ..run }), 1);
        std::fs::remove_file(folder.path().join("pipe")).unwrap();
    }
}

//! More files than a process may have open.

use std::process::Command;

use crate::harness::{Folder, Run, pool_timeout_line};
use crate::journals::TestEntry;
use crate::writer::{Codec, journal_bytes};

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

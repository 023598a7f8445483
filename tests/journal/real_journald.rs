//! Files of a running and of a killed systemd-journald.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ebbline::source::Filter;
use ebbline::source::journal::State;
use ebbline::time::Span;

use crate::journald::Journald;
use crate::oracle::{assert_same, expected, journalctl, open, sweep};

pub(crate) fn messages(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| match index % 3 {
        0 => format!("request {index} ended with status=503"),
        1 => "pool timed out".to_owned(),
        _ => format!("a long line {index} ").repeat(60),
    })
}

/// Logs some more, and returns when the file is online and has it.
pub(crate) fn go_online(journald: &Journald) {
    let file = &journald.files()[0];
    let before = open(file).facts().n_entries;
    journald.send(messages(5));
    let start = Instant::now();
    loop {
        let now = open(file);
        if now.facts().state == State::Online && now.facts().n_entries == before + 5 {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", now.facts());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn sweep_all(files: &[PathBuf]) -> crate::oracle::Swept {
    sweep(files, &Filter::default(), Span::default())
}

fn oracle(files: &[PathBuf]) -> crate::oracle::Answer {
    let arguments: Vec<&str> =
        files.iter().flat_map(|file| ["--file", file.to_str().unwrap()]).collect();
    expected(&journalctl(&arguments))
}

#[test]
fn a_file_that_is_being_written_is_read_up_to_its_last_entry() {
    let journald = Journald::start("online");
    journald.log(messages(900));
    go_online(&journald);
    let files = journald.files();
    let swept = sweep_all(&files);
    assert_eq!(swept.damage, []);
    assert!(swept.answer.entries() >= 900);
    assert_same(&swept.answer, &oracle(&files));
}

#[test]
fn a_file_that_grows_while_it_is_read_is_never_taken_for_damaged() {
    let journald = Journald::start("growing");
    journald.log(messages(10));
    let files = journald.files();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| journald.log(messages(6000)));
        let mut before = 0;
        while !writer.is_finished() {
            let swept = sweep_all(&files[..1]);
            assert_eq!(swept.damage, []);
            let entries = swept.answer.entries();
            assert!(entries >= before, "{before} entries became {entries}");
            before = entries;
        }
    });
    assert_same(&sweep_all(&files).answer, &oracle(&files));
}

#[test]
fn what_a_killed_journald_leaves_behind_is_read_like_any_other_file() {
    let mut journald = Journald::start("killed");
    journald.log(messages(600));
    go_online(&journald);
    journald.kill();
    let left = journald.files();
    assert_eq!(open(&left[0]).facts().state, State::Online);
    assert_same(&sweep_all(&left).answer, &oracle(&left));

    // The next start puts the unclean file aside, as `.journal~`.
    journald.run();
    journald.log(messages(30));
    let files = journald.files();
    assert!(files.iter().any(|file| file.extension().is_some_and(|end| end == "journal~")));
    let swept = sweep_all(&files);
    assert_eq!(swept.damage, []);
    assert!(swept.answer.entries() >= 630);
    assert_same(&swept.answer, &oracle(&files));
}

/// Whether the file has tags, and `journalctl --verify` finds them right.
fn assert_sealed(file: &Path, key: &str) {
    let journalctl = |arguments: &[&str]| {
        let output = Command::new("journalctl").args(arguments).arg("--file").arg(file).output();
        let output = output.unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let header = journalctl(&["--header"]);
    assert!(header.contains("Compatible flags: SEALED"), "{header}");
    let tags = header.split("Tag objects: ").nth(1).unwrap().lines().next().unwrap();
    assert!(tags.parse::<u32>().unwrap() > 2, "{header}");
    let verified = journalctl(&["--verify", "--verify-key", key]);
    assert!(verified.contains("PASS") && verified.contains("Validated"), "{verified}");
}

#[test]
fn a_sealed_file_is_read_as_journalctl_reads_it() {
    let journald = Journald::start_sealed("sealed");
    for _ in 0..3 {
        journald.log(messages(200));
        // A tag is due with the first entry of the next second.
        std::thread::sleep(Duration::from_millis(1100));
    }
    journald.log(messages(10));
    let files = journald.files();
    assert_sealed(&files[0], &journald.verification_key());
    let swept = sweep_all(&files);
    assert_eq!(swept.damage, []);
    assert!(swept.answer.entries() >= 610);
    assert_same(&swept.answer, &oracle(&files));
}

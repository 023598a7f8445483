//! How the following ends, and what is printed last.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::following::{Following, numbered_line};
use crate::harness::Folder;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("app.log", numbered_line(1) + &numbered_line(2));
    folder
}

#[test]
fn signals_end_it_with_success_and_a_whole_document() {
    let folder = folder();
    for signal in ["INT", "TERM"] {
        let mut following = Following::start(&folder, &["events", "-f", "-o", "json", "app.log"]);
        following.wait_until("the events", |following| following.stdout().contains("number 2"));
        let run = following.end(signal);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["events"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn until_ends_it_and_thresholds_are_looked_at_then() {
    let folder = folder();
    let limits = ["--fail-if", "pool_timeout>1"];
    for (until, code) in [("+3s", 3), ("tomorrow", 3)] {
        let words = ["timeline", "-f", "-o", "json", "--until", until, "app.log"];
        let following = Following::start(&folder, &[&words[..], &limits].concat());
        let run = if until == "+3s" { { following }.wait() } else { following.end("INT") };
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        assert!(run.stderr.contains("--fail-if 'pool_timeout>1': the total is 2"));
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["totals"]["counts"]["pool_timeout"], 2);
    }
}

#[test]
fn it_ends_when_nobody_reads_its_output() {
    let folder = folder();
    let mut child = folder
        .command(&["events", "-f", "app.log"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
}

#[test]
fn standard_input_is_printed_as_it_comes_and_ends_it() {
    let folder = folder();
    let words = ["events", "-f", "-o", "ndjson", "-"];
    let mut following = Following::start_with_stdin(&folder, &words, Stdio::piped());
    let mut stdin = following.child().stdin.take().unwrap();
    stdin.write_all(numbered_line(1).as_bytes()).unwrap();
    following.wait_for_numbers(1);
    stdin.write_all(numbered_line(2).as_bytes()).unwrap();
    following.wait_for_numbers(2);
    stdin.write_all(numbered_line(3).trim_end().as_bytes()).unwrap();
    drop(stdin);
    let run = following.wait();
    assert_eq!((run.code, run.records().len()), (Some(0), 3), "{}", run.stderr);
}

#[test]
fn a_compressed_stream_is_refused_with_a_remedy() {
    let folder = folder();
    let mut gzip = Command::new("gzip");
    let packed = gzip.args(["-c", "app.log"]).current_dir(folder.path()).output().unwrap().stdout;
    let run = folder.run_with_stdin(&["events", "-f", "-"], &packed);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("standard input: compressed or in UTF-16"), "{}", run.stderr);
}

#[test]
fn what_is_no_log_is_an_error_as_without_following() {
    let folder = Folder::new();
    folder.write("picture", [7_u8, 1, 2, 3, 0, 0, 255].repeat(100));
    let run = folder.run(&["events", "-f", "picture"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("nothing that was given can be read as a log"), "{}", run.stderr);
}

#[test]
fn a_named_pipe_is_waited_for_and_ends_it() {
    let folder = Folder::new();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut following = Following::start(&folder, &["events", "-f", "-o", "ndjson", "pipe"]);
    following.wait_until_ready();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(numbered_line(1).as_bytes()).unwrap();
    following.wait_for_numbers(1);
    drop(writer);
    let run = following.wait();
    assert_eq!((run.code, run.records().len()), (Some(0), 1), "{}", run.stderr);
}

#[test]
fn the_second_backend_cannot_follow_and_says_so() {
    let run = folder().run(&["events", "-f", "--reader", "libsystemd", "app.log"]);
    assert_eq!(run.code, Some(2));
    let said = "--reader libsystemd reads a journal once.\nLeave it out to follow one.";
    let said = if cfg!(feature = "systemd") { said } else { "this build has no libsystemd" };
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

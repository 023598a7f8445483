//! An `ebbline` that follows, in the background of a test.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Folder, Run};

/// Far more than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// A running `ebbline`; its output goes to files beside the folder that it runs in.
pub struct Following {
    child: Child,
    output: tempfile::TempDir,
}

impl Following {
    /// Starts it in `folder`.
    pub fn start(folder: &Folder, words: &[&str]) -> Self {
        Self::start_with_stdin(folder, words, Stdio::null())
    }

    pub fn start_with_stdin(folder: &Folder, words: &[&str], stdin: Stdio) -> Self {
        let output = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let mut command = folder.command(words);
        command.stdin(stdin).stdout(file("stdout")).stderr(file("stderr"));
        Self { child: command.spawn().unwrap(), output }
    }

    /// Waits until signals no longer kill it.
    pub fn wait_until_ready(&mut self) {
        let path = format!("/proc/{}/status", self.child.id());
        self.wait_until("its signal handlers", |_| {
            let status = std::fs::read_to_string(&path).unwrap_or_default();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
            caught.is_some_and(|set| set >> (2 - 1) & set >> (15 - 1) & 1 == 1)
        });
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    fn read(&self, name: &str) -> String {
        let path: PathBuf = self.output.path().join(name);
        String::from_utf8(std::fs::read(path).unwrap()).unwrap()
    }

    /// Waits until its output is as wanted.
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && start.elapsed() < DEADLINE,
                "{what}: {ended:?}\n{}\n{}",
                self.stdout(),
                self.stderr()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The numbers of the events that it has printed as NDJSON, in the order of the output. A line
    /// that is being written is left out.
    pub fn numbers(&self) -> Vec<u32> {
        let stdout = self.stdout();
        let whole = stdout.rfind('\n').map_or("", |end| &stdout[..end]);
        let number = |line: &str| {
            let record: Value = serde_json::from_str(line).unwrap();
            number_in(record["message"].as_str().unwrap())
        };
        whole.lines().map(number).collect()
    }

    /// Waits until it has printed the events with all numbers up to `last`.
    pub fn wait_for_numbers(&mut self, last: u32) {
        self.wait_until(&format!("events up to {last}"), |following| {
            let numbers = following.numbers();
            (1..=last).all(|number| numbers.contains(&number))
        });
    }

    /// Ends it as Ctrl-C does, and asserts that it has printed each number up to `last` once.
    pub fn end_with_numbers(self, last: u32) {
        let run = self.end("INT");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let records = run.records();
        let numbers = records.iter().map(|record| number_in(record["message"].as_str().unwrap()));
        let mut numbers: Vec<u32> = numbers.collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=last).collect::<Vec<u32>>());
    }

    /// Sends it a signal and waits for its end.
    pub fn end(mut self, signal: &str) -> Run {
        self.wait_until_ready();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Run {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(start.elapsed() < DEADLINE, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        Run { code: status.code(), stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The message of the event with this number.
pub fn numbered(number: u32) -> String {
    format!("ERROR app.db: couldn't get a connection after 30.00 sec, number {number}")
}

/// The numbered message as a line that is dated now.
pub fn numbered_line(number: u32) -> String {
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ");
    format!("{now} {}\n", numbered(number))
}

fn number_in(message: &str) -> u32 {
    message.rsplit(' ').next().unwrap().parse().unwrap()
}

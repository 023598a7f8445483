//! A folder of its own for each test, and `ebbline` run in it with a fixed environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A temporary folder in which `ebbline` runs.
pub struct Folder {
    folder: tempfile::TempDir,
}

/// What a run gave.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of this folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// `ebbline` in this folder, not yet run: zone UTC, 80 columns, no colour asked or refused.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebbline"));
        command
            .args(words)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .env("COLUMNS", "80")
            .stdin(Stdio::null());
        command
    }

    /// Runs `ebbline` to its end.
    pub fn run(&self, words: &[&str]) -> Run {
        Run::from(self.command(words).output().unwrap())
    }

    /// Runs `ebbline` with something on stdin.
    pub fn run_with_stdin(&self, words: &[&str], stdin: &[u8]) -> Run {
        use std::io::Write;
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        let writer = std::thread::spawn(move || {
            // A program that stops reading early closes the pipe: not this thread's problem.
            let _ = pipe.write_all(&stdin);
        });
        let run = Run::from(child.wait_with_output().unwrap());
        writer.join().unwrap();
        run
    }

    /// The timeline as JSON; the run must succeed.
    pub fn timeline(&self, words: &[&str]) -> Value {
        let run = self.run(&[&["timeline", "-o", "json"], words].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// The records of an NDJSON output.
    pub fn records(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A line of a text log that is one pool timeout.
pub fn pool_timeout_line(at: &str) -> String {
    format!("{at} ERROR app.db: query failed: couldn't get a connection after 30.00 sec\n")
}

/// A line of an access log that is one 503.
pub fn http_503_line(at: &str) -> String {
    format!("10.0.0.7 - - [{at}] \"GET /api/orders HTTP/1.1\" 503 34 \"-\" \"curl/8.5.0\"\n")
}

//! Runs a command and measures it: wall time, processor time, peak memory.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// One run of a command.
pub(crate) struct Run {
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
    /// The most memory that one process of the command held, in bytes; without the page cache.
    pub(crate) peak_bytes: u64,
}

/// Runs a command to its end and gives what it printed. What it says on standard error is shown
/// only where it fails.
pub(crate) fn run(mut command: Command) -> io::Result<(Run, Vec<u8>)> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.env("TZ", "UTC").env("LC_ALL", "C").stdin(Stdio::null());
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    let mut printed = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut printed)?;
    }
    let ended = child.wait4()?;
    let wall = started.elapsed();
    if !ended.status.success() {
        return Err(io::Error::other(format!("{name}: {}", ended.status)));
    }
    let usage = ended.rusage;
    let run = Run { wall, processor: usage.utime + usage.stime, peak_bytes: usage.maxrss };
    Ok((run, printed))
}

/// The runs of one case.
#[derive(Default)]
pub(crate) struct Runs(pub(crate) Vec<Run>);

impl Runs {
    pub(crate) fn wall(&self) -> Duration {
        median(self.0.iter().map(|run| run.wall))
    }

    pub(crate) fn processor(&self) -> Duration {
        median(self.0.iter().map(|run| run.processor))
    }

    pub(crate) fn peak_bytes(&self) -> u64 {
        self.0.iter().map(|run| run.peak_bytes).max().unwrap_or(0)
    }
}

fn median(durations: impl Iterator<Item = Duration>) -> Duration {
    let mut durations: Vec<Duration> = durations.collect();
    durations.sort();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

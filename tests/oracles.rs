//! The windows of incidents against Bayesian blocks (astropy) and PELT (ruptures).
//!
//! The first run makes a Python environment in `target/oracles`, from PyPI.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, dead_code)]

#[path = "support/journals.rs"]
mod journals;
#[path = "support/simulator.rs"]
mod simulator;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ebbline::timeline::incident::{MinuteCount, find};
use serde_json::{Value, json};
use simulator::{Run, simulate};

const SEEDS: std::ops::Range<u64> = 1..25;
const SAMPLE: &str = "sample-logs/outage-2026-05/journal";

#[test]
fn windows_agree_with_bayesian_blocks_and_pelt() {
    let mut series = String::new();
    for seed in SEEDS {
        for (class, run) in simulate(seed * 7919).iter().enumerate() {
            let Run { background, minutes, .. } = run;
            line(&mut series, &format!("{seed}.{class} {background:?}"), minutes);
        }
    }
    for (class, minutes) in sample() {
        line(&mut series, &class, &minutes);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut oracles = Command::new(python(root))
        .arg(root.join("tests/oracles/incidents.py"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    oracles.stdin.take().unwrap().write_all(series.as_bytes()).unwrap();
    assert!(oracles.wait().unwrap().success(), "the oracles disagree: see above");
}

/// The Python of an environment that has the oracles, made unless it is there.
fn python(root: &Path) -> PathBuf {
    let wanted = root.join("tests/oracles/requirements.txt");
    let environment = root.join("target/oracles");
    let python = environment.join("bin/python");
    let made = environment.join("requirements.txt");
    if fs::read(&made).ok() != Some(fs::read(&wanted).unwrap()) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(&python)
            .args(pip)
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(&wanted));
        fs::copy(&wanted, &made).unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| {
        panic!("{command:?}: {error}: install the packages python3 and python3-venv")
    });
    assert!(status.success(), "{command:?}: {status}: it needs python3-venv, and PyPI");
}

fn line(series: &mut String, name: &str, minutes: &[MinuteCount]) {
    let windows = find(minutes);
    let spans = |is_spike: bool| -> Vec<[usize; 2]> {
        let chosen = windows.iter().filter(|window| window.is_spike == is_spike);
        chosen.map(|window| [*window.minutes.start(), *window.minutes.end()]).collect()
    };
    let entries: Vec<u64> = minutes.iter().map(|minute| minute.entries).collect();
    let events: Vec<u64> = minutes.iter().map(|minute| minute.events).collect();
    let line = json!({
        "name": name, "entries": entries, "events": events,
        "windows": spans(false), "spikes": spans(true),
    });
    writeln!(series, "{line}").unwrap();
}

/// The minutes of the sample outage, of each class.
fn sample() -> Vec<(String, Vec<MinuteCount>)> {
    let output = Command::new(env!("CARGO_BIN_EXE_ebbline"))
        .args(["timeline", SAMPLE, "--by", "minute", "--all", "--tz", "UTC", "-o", "json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let timeline: Value = serde_json::from_slice(&output.stdout).unwrap();
    let minutes = |class: &str| -> Vec<MinuteCount> {
        let buckets = timeline["buckets"].as_array().unwrap().iter();
        let minute = |bucket: &Value| {
            let entries = bucket["entries"].as_u64().unwrap();
            let events = bucket["counts"][class].as_u64().unwrap_or(0);
            // When in the minute they were is not told.
            MinuteCount { entries, events, first_ms: 0, last_ms: 59_999 }
        };
        buckets.map(minute).collect()
    };
    ["pool_timeout", "http_503"].map(|class| (class.to_owned(), minutes(class))).into()
}

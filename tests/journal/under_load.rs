//! Beside a journald that is being written to as fast as it can take it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::journald::Journald;
use crate::real_journald::messages;

const RUNS: usize = 20;
/// So much is logged during each of them; journald may drop a part of it.
const BURST: usize = 3000;

/// What `ebbline timeline` counts in a folder, which must be undamaged.
fn entries_in(folder: &Path) -> u64 {
    let output = Command::new(env!("CARGO_BIN_EXE_ebbline"))
        .args(["timeline", "--strict", "-o", "json"])
        .arg(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for source in document["sources"].as_array().unwrap() {
        assert_eq!(source["damage"], Value::Array(Vec::new()), "{source}");
    }
    document["totals"]["entries"].as_u64().unwrap()
}

fn journalctl_entries_in(folder: &Path) -> u64 {
    let output = Command::new("journalctl")
        .args(["--quiet", "--no-pager", "-o", "export", "--output-fields=_BOOT_ID", "-D"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success());
    let lines = output.stdout.split(|&byte| byte == b'\n');
    lines.filter(|line| line.starts_with(b"__CURSOR=")).count() as u64
}

#[test]
fn twenty_runs_beside_a_journald_under_load_end_with_the_total_of_journalctl() {
    let journald = Journald::start("load");
    journald.log(messages(10));
    let folder = journald.files()[0].parent().unwrap().to_owned();
    let mut counts = Vec::new();
    for run in 0..RUNS {
        // Twice the files are rotated away on the way.
        if run % 8 == 5 {
            journald.rotate();
        }
        // New files have to be made readable.
        journald.files();
        std::thread::scope(|scope| {
            scope.spawn(|| journald.send(messages(BURST)));
            counts.push(entries_in(&folder));
        });
    }
    journald.log(messages(1));
    journald.files();
    let total = journalctl_entries_in(&folder);
    assert_eq!(entries_in(&folder), total);
    counts.push(total);
    assert!(counts.is_sorted(), "{counts:?}");
    assert!(total > (BURST * RUNS / 4) as u64, "there was no load: {counts:?}");
}

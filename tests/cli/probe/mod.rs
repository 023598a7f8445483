//! `ebbline probe`: what it says is held against journalctl, the kernel, real files and a systemd
//! that the test plays on a real bus.

mod bus;
mod images;
mod logs;
mod machine;

use serde_json::Value;

use crate::harness::{Folder, Run};

/// The findings of a run that ended with `code`, as JSON.
fn document(run: &Run, code: i32) -> Value {
    assert_eq!(run.code, Some(code), "{}{}", run.stdout, run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["schema"], "ebbline.probe/1");
    document
}

/// The findings of `ebbline probe -o json`, which ends with `code`.
fn probe(folder: &Folder, code: i32, words: &[&str]) -> Value {
    document(&folder.run(&[&["probe", "-o", "json"], words].concat()), code)
}

/// A log of one entry that speaks of nothing that a test asks about.
fn quiet_log(folder: &Folder) -> &'static str {
    folder.write("quiet.log", "2026-05-06T04:49:00Z nothing happened\n");
    "quiet.log"
}

//! Variants of the format that systemd no longer writes, made by the tests' own writer.

use std::path::Path;
use std::process::Command;

use ebbline::source::Filter;
use ebbline::time::Span;

use crate::journals::{START_US, TestEntry, mixed_entries};
use crate::oracle::{assert_same, expected, journalctl, sweep};
use crate::writer::{Codec, journal_bytes, journal_bytes_with_id};

fn assert_verified(path: &Path) {
    let output =
        Command::new("journalctl").arg("--verify").arg("--file").arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("PASS"), "{said}");
}

#[test]
fn payloads_of_every_codec_in_both_layouts_are_read_as_journalctl_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut entries = mixed_entries(600, 21);
    // The format wants the numbers of a boot's clock to rise, and this writer sorts nothing.
    let large = [b"MB of x ".repeat(400_000), b" status=503".to_vec()].concat();
    entries.push(TestEntry::new(START_US, &large));
    for codec in [Codec::None, Codec::Xz, Codec::Lz4, Codec::Zstd] {
        for compact in [false, true] {
            let path = folder.path().join(format!("{codec:?}-{compact}.journal"));
            std::fs::write(&path, journal_bytes(&entries, codec, compact)).unwrap();
            assert_verified(&path);
            let oracle = journalctl(&["--file", path.to_str().unwrap()]);
            assert_eq!(oracle.len(), entries.len());
            let swept = sweep(&[path], &Filter::default(), Span::default());
            assert_eq!(swept.damage, []);
            assert_same(&swept.answer, &expected(&oracle));
        }
    }
}

#[test]
fn a_payload_that_grows_beyond_all_bounds_is_damage_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = vec![b'x'; 17 << 20];
    let entries = [
        TestEntry::new(START_US, b"status=503 before"),
        TestEntry::new(START_US + 1, &bomb),
        TestEntry::new(START_US + 2, b"short").with("BLOB", &bomb),
        TestEntry::new(START_US + 3, b"status=503 after"),
    ];
    for codec in [Codec::Xz, Codec::Lz4, Codec::Zstd] {
        let path = folder.path().join(format!("{codec:?}.journal"));
        std::fs::write(&path, journal_bytes(&entries, codec, true)).unwrap();
        let swept = sweep(&[path], &Filter::default(), Span::default());
        assert_eq!(swept.answer.entries(), 4, "{codec:?}");
        assert_eq!(swept.answer.events.len(), 2, "{codec:?}");
        // LZ4 is decompressed whole or not at all, so its large field of no interest is told, too.
        let told = if codec == Codec::Lz4 { 2 } else { 1 };
        assert_eq!(swept.damage.len(), told, "{codec:?}: {:?}", swept.damage);
        assert!(swept.damage[0].problem.contains("more than 16 MiB"), "{:?}", swept.damage);
    }
}

#[test]
fn files_of_the_size_that_journald_gives_them_are_journals() {
    // The benchmark's small journals are made so.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.journal");
    std::fs::write(&path, journal_bytes_with_id(&mixed_entries(3000, 22), 7)).unwrap();
    assert_verified(&path);
    let oracle = journalctl(&["--file", path.to_str().unwrap()]);
    assert_eq!(oracle.len(), 3000);
    let swept = sweep(&[path], &Filter::default(), Span::default());
    assert_eq!(swept.damage, []);
    assert_same(&swept.answer, &expected(&oracle));
}

//! Files that are no clean logs: garbage, holes, foreign encodings, endless lines, errors.

use std::io::{self, Read};

use ebbline::source::SourceKind;

use super::support::*;

const EVENT: &str = "2026-05-06 04:49:00 couldn't get a connection after 30.00 sec";

#[test]
fn an_empty_file_is_empty_and_blank_lines_are_no_entries() {
    let seen = ask("");
    assert_eq!((seen.summary.kind, seen.summary.entries), (SourceKind::Empty, 0));
    assert_eq!(seen.damage, []);
    assert_eq!(ask("\n\n  \n").summary.entries, 0);
}

#[test]
fn garbage_is_binary_and_counts_nothing() {
    let mut random = 1_u32;
    let garbage: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    })
    .take(200_000)
    .collect();
    let seen = ask(&garbage);
    assert_eq!((seen.summary.kind, seen.summary.entries), (SourceKind::Binary, 0));
    assert_eq!(seen.damage[0].problem, "not text: nothing was read");
    assert_eq!(ask(vec![0; 300_000]).summary.kind, SourceKind::Binary);
}

#[test]
fn a_hole_of_nul_bytes_hides_nothing() {
    // A writer that keeps its offset after the file was truncated leaves such a hole.
    let mut log = vec![0; 3_000_000];
    log.extend_from_slice(EVENT.as_bytes());
    log.extend_from_slice(b"\n2026-05-06 04:50:00 ok\n");
    log.resize(log.len() + 2_500_000, 0);
    log.extend_from_slice(EVENT.as_bytes());
    log.push(b'\n');
    let seen = ask(&log);
    assert_eq!((seen.summary.entries, seen.events.len()), (3, 2));
    assert_eq!(seen.events[0].message, EVENT);
    assert_eq!(seen.events[1].message, EVENT);
    assert_eq!(seen.damage.len(), 1);
    assert_eq!(seen.damage[0].problem, "3000000 NUL bytes before the first line");
}

#[test]
fn bytes_that_are_no_utf_8_are_part_of_their_line() {
    let mut log = b"2026-05-06 04:49:00 caf\xe9 \xff\0 ".to_vec();
    log.extend_from_slice(b"couldn't get a connection after 1 sec");
    let seen = ask(&log);
    assert_eq!((seen.summary.entries, seen.events.len()), (1, 1));
    assert!(seen.events[0].message.contains("caf\u{fffd}"));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read_over() {
    let log = format!("\u{feff}{EVENT}\r\nmore\r\n2026-05-06 04:50:00 ok\r\n");
    let seen = ask(&log);
    assert_eq!(seen.messages(), [format!("{EVENT}\nmore")]);
    assert_eq!(seen.summary.entries, 2);
}

#[test]
fn utf_16_is_read() {
    let log = format!("\u{feff}{EVENT}\r\n2026-05-06 04:50:00 größe\r\n");
    let bytes: Vec<u8> = log.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let seen = ask(&bytes);
    assert_eq!(seen.messages(), [EVENT]);
    assert_eq!(seen.by_minute(), [("2026-05-06T04:49".into(), 1), ("2026-05-06T04:50".into(), 1)]);
    assert_eq!(seen.summary.bytes, bytes.len() as u64);
}

/// A dated line of so many bytes, made as it is read.
fn endless_line(bytes: u64) -> impl Read {
    let head = format!("{EVENT} ");
    let tail = "\n2026-05-06 04:51:00 after\n";
    io::Cursor::new(head).chain(io::repeat(b'x').take(bytes)).chain(io::Cursor::new(tail))
}

#[test]
fn a_line_of_200_megabytes_is_one_entry() {
    let seen = Question::default().ask_of(&mut || Ok(Box::new(endless_line(200 << 20))));
    assert_eq!(seen.by_minute(), [("2026-05-06T04:49".into(), 1), ("2026-05-06T04:51".into(), 1)]);
    assert_eq!(seen.events.len(), 1);
    assert!(seen.events[0].message.len() <= 1 << 20);
    assert_eq!(seen.damage.len(), 1);
    assert_eq!(seen.damage[0].offset_bytes, 0);
    assert!(seen.damage[0].problem.contains("longer than 1 MiB"));
}

#[test]
fn an_entry_of_endless_lines_is_one_entry() {
    let mut log = format!("2026-05-06 04:48:00 before\n{EVENT}\n");
    log.push_str(&"  a line that continues it\n".repeat(200_000));
    log.push_str("2026-05-06 04:51:00 after\n");
    let seen = ask(&log);
    assert_eq!((seen.summary.entries, seen.events.len()), (3, 1));
    assert_eq!(seen.damage.len(), 1);
    assert_eq!(seen.damage[0].offset_bytes, 27);
}

#[test]
fn an_error_of_the_disk_in_the_middle_is_damage_there() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }
    let text = format!("{EVENT}\n");
    let seen = Question::default()
        .ask_of(&mut || Ok(Box::new(io::Cursor::new(text.clone()).chain(Failing))));
    assert_eq!(seen.events.len(), 1);
    assert_eq!(seen.damage[0].offset_bytes, text.len() as u64);
}

#[test]
fn a_tar_archive_is_no_log() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.log"), EVENT).unwrap();
    let archive = std::process::Command::new("tar")
        .args(["-cz", "-C"])
        .arg(folder.path())
        .arg("app.log")
        .output()
        .unwrap();
    let seen = ask(&archive.stdout);
    assert_eq!((seen.summary.kind, seen.summary.entries), (SourceKind::Binary, 0));
    assert!(seen.damage[0].problem.starts_with("a tar archive"));
}

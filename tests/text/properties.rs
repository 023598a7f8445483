//! What must hold for any log, however it reaches the reader.

use std::io::{self, Read};

use ebbline::source::Filter;
use ebbline::source::filter::Pattern;
use ebbline::source::text::growing::Pause;
use proptest::prelude::*;

use super::support::*;

/// Gives `bytes` in pieces of the given sizes, over and over.
struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(buffer.len());
        self.turn += 1;
        self.bytes.read(&mut buffer[..size])
    }
}

fn in_pieces(bytes: &[u8], sizes: &[usize]) -> Recording {
    Question::default().ask_of(&mut || {
        let bytes = io::Cursor::new(bytes.to_vec());
        Ok(Box::new(Pieces { bytes, sizes: sizes.to_vec(), turn: 0 }))
    })
}

/// Lines as logs have them, in any order, and some bytes that they do not have.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let fragments = prop::sample::select(vec![
        "2026-05-06 04:49:00,123 INFO app ok",
        "2026-05-06 04:49:30 ERROR couldn't get a connection after 30 sec",
        "May  6 04:50:00 db1 api[42]: couldn't get a connection after 5 sec",
        "May  6 04:51:00 db1 api[42]: ok",
        "    couldn't get a connection after 1 sec",
        "Traceback (most recent call last):",
        "ERROR:    failed",
        r#"10.0.0.1 - - [06/May/2026:04:52:00 +0000] "GET / HTTP/1.1" 503 0"#,
        r#"{"log":"couldn't get a connection after","time":"2026-05-06T04:53:00Z"}"#,
        r#"{"level":"info","time":1778043600000,"status": 503}"#,
        "2026-05-06T04:54:00.669794202Z stdout P couldn't get a ",
        "2026-05-06T04:54:00.669794202Z stdout F connection after",
        "__REALTIME_TIMESTAMP=1778043600000000",
        "MESSAGE=couldn't get a connection after",
        "MESSAGE",
        "{",
        "}",
        "-- Boot 0123456789abcdef0123456789abcdef --",
        "#Fields: date time",
        "",
        "\r",
        "\u{feff}",
        "\0\0\0",
    ]);
    let line = prop_oneof![
        8 => fragments.prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join(&b'\n'))
}

proptest! {
    #[test]
    fn how_bytes_arrive_changes_nothing(
        log in lines(),
        sizes in prop::collection::vec(1_usize..200, 1..5),
    ) {
        let whole = ask(&log);
        let pieces = in_pieces(&log, &sizes);
        prop_assert_eq!(whole.minutes, pieces.minutes);
        prop_assert_eq!(whole.events, pieces.events);
        prop_assert_eq!(whole.damage, pieces.damage);
        prop_assert_eq!(whole.summary, pieces.summary);
    }

    #[test]
    fn a_log_may_grow_by_any_parts_with_any_pauses(
        log in lines(),
        sizes in prop::collection::vec(1_usize..200, 1..5),
        pauses in prop::collection::vec(prop::sample::select(vec![Pause::Short, Pause::Long]), 1..5),
    ) {
        let grow = |pauses: &[Pause]| {
            let (mut rest, mut parts) = (log.as_slice(), Vec::new());
            for (&size, &pause) in sizes.iter().cycle().zip(pauses.iter().cycle()) {
                let (part, later) = rest.split_at(size.min(rest.len()));
                rest = later;
                parts.push((part, if rest.is_empty() { Pause::End } else { pause }));
                if rest.is_empty() {
                    return Question::default().ask_as_it_grows(&parts);
                }
            }
            unreachable!()
        };
        // What is counted adds up, however entries are taken apart by the pauses.
        grow(&pauses);
        // Without a long pause nothing is taken apart.
        let (whole, grown) = (ask(&log), grow(&[Pause::Short]));
        prop_assert_eq!(whole.minutes, grown.minutes);
        prop_assert_eq!(whole.events, grown.events);
        prop_assert_eq!(whole.damage, grown.damage);
        prop_assert_eq!(whole.summary, grown.summary);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        magic in prop::sample::select(vec![
            &b""[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh9", b"\x04\x22\x4d\x18",
            b"\xff\xfe", b"\xfe\xff", b"__REALTIME_TIMESTAMP=1\nMESSAGE\n", b"{\"__REALTIME_TIMESTAMP\":[",
            b"Wed 2026-05-06 04:49:00 UTC [s=a;i=1;t=5]\n    MESSAGE=",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        ask([magic, &bytes].concat());
    }

    #[test]
    fn the_search_over_the_buffer_misses_no_event(rows in prop::collection::vec(0_usize..4, 1..80)) {
        let texts = [
            "ok",
            "couldn't get a connection after 30 sec",
            "10.0.0.1 - \"GET / HTTP/1.1\" 503",
            "first\n   couldn't get a connection after 30 sec",
        ];
        let log: String = rows
            .iter()
            .enumerate()
            .map(|(n, &row)| format!("May  6 04:{:02}:00 db1 api[42]: {}\n", n % 60, texts[row]))
            .collect();
        // A filter makes the reader look at every entry.
        let filter = Filter { hosts: vec![Pattern::new("db*").unwrap()], ..Filter::default() };
        let every = Question { filter, ..Question::default() }.ask(&log);
        let found = ask(&log);
        prop_assert_eq!(found.events.len(), rows.iter().filter(|row| **row > 0).count());
        prop_assert_eq!(&found.events, &every.events);
        prop_assert_eq!(&found.minutes, &every.minutes);
    }
}

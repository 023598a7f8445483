//! Compressed logs, made by the real tools.

use std::io::Write;
use std::process::{Command, Stdio};

use super::support::*;

const TOOLS: [&str; 5] = ["gzip", "zstd", "xz", "bzip2", "lz4"];

/// `bytes` as `tool -c` compresses them.
fn compressed(tool: &str, bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new(tool)
        .args(["-c", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{tool} is needed: apt install {tool}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{tool}");
    output.stdout
}

/// A log of `count` lines, one a second; every hundredth is an event. Its text does not repeat, so
/// that compressed it still is of some size.
fn log(first: u64, count: u64) -> Vec<u8> {
    let mut random = 88_172_645_463_325_252_u64;
    let mut out = Vec::new();
    for second in first..first + count {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let time = chrono::DateTime::from_timestamp(1_778_043_600 + second as i64, 0).unwrap();
        let time = time.format("%Y-%m-%d %H:%M:%S");
        let what = if second % 100 == 0 { "couldn't get a connection after 30 sec" } else { "ok" };
        writeln!(out, "{time} [info] {random:016x} {what}").unwrap();
    }
    out
}

#[test]
fn every_compression_gives_the_same_as_the_text() {
    let text = log(0, 20_000);
    let expected = ask(&text);
    assert_eq!((expected.summary.entries, expected.events.len()), (20_000, 200));
    for tool in TOOLS {
        let bytes = compressed(tool, &text);
        let seen = ask(&bytes);
        assert_eq!(seen.minutes, expected.minutes, "{tool}");
        assert_eq!(seen.events, expected.events, "{tool}");
        assert_eq!(seen.damage, [], "{tool}");
        assert_eq!(seen.summary.bytes, bytes.len() as u64, "{tool}");
    }
}

#[test]
fn streams_one_after_another_are_all_read() {
    for tool in TOOLS {
        let mut bytes = compressed(tool, &log(0, 1000));
        bytes.extend(compressed(tool, &log(1000, 1000)));
        let seen = ask(&bytes);
        assert_eq!((seen.summary.entries, seen.events.len()), (2000, 20), "{tool}");
        assert_eq!(seen.damage, [], "{tool}");
    }
    let mut skippable = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    skippable.extend(compressed("zstd", &log(0, 1000)));
    assert_eq!(ask(&skippable).summary.entries, 1000);
}

#[test]
fn a_truncated_stream_counts_as_far_as_it_goes() {
    let text = log(0, 100_000);
    for tool in TOOLS {
        let bytes = compressed(tool, &text);
        let seen = ask(&bytes[..bytes.len() * 9 / 10]);
        assert_eq!(seen.damage.len(), 1, "{tool}");
        assert_eq!(seen.damage[0].problem, format!("truncated {tool} stream"));
        // Some decode whole blocks only, which are of up to 4 MiB.
        let entries = seen.summary.entries;
        assert!((70_000..95_000).contains(&entries), "{tool}: {entries}");
        let offset = seen.damage[0].offset_bytes as usize;
        let whole_lines = text[..offset].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert!(entries == whole_lines || entries == whole_lines + 1, "{tool}: {entries}");
    }
}

#[test]
fn a_stream_that_is_damaged_in_the_middle_says_so() {
    let mut bytes = compressed("gzip", &log(0, 100_000));
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    let seen = ask(&bytes);
    assert!(seen.summary.entries > 1000);
    assert!(seen.damage[0].problem.starts_with("damaged gzip stream"), "{:?}", seen.damage);
}

#[test]
fn a_stream_without_any_content_left_is_no_empty_log() {
    let bytes = compressed("gzip", &log(0, 1000));
    let seen = ask(&bytes[..12]);
    assert_eq!(seen.summary.entries, 0);
    assert_eq!(seen.summary.kind, ebbline::source::SourceKind::Binary);
    assert_eq!(seen.damage[0].problem, "truncated gzip stream");
}

#[test]
fn an_xz_file_that_asks_for_gigabytes_of_memory_is_refused_with_the_remedy() {
    let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
    options.dict_size(1 << 30);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    let check = liblzma::stream::Check::Crc64;
    let stream = liblzma::stream::Stream::new_stream_encoder(&filters, check).unwrap();
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(&log(0, 100)).unwrap();
    let seen = ask(encoder.finish().unwrap());
    assert_eq!(seen.summary.entries, 0);
    let problem = "the xz stream needs more than 100 MiB of memory: unpack it first";
    assert_eq!(seen.damage[0].problem, problem);
}

//! Files made to cost time or memory: payloads that grow without end, and structures that lead to
//! the same bytes again and again. [`Readers`] holds the reader to its limits of both.

use std::io::{Read, Write};

use ebbline::source::journal::ClosedJournal;

use crate::journals::{Random, START_US, TestEntry};
use crate::reader::Readers;
use crate::writer::{Codec, journal_bytes};

/// A field that grows to so many bytes, `MESSAGE=503 …`, compressed.
fn bomb(codec: Codec, bytes: u64) -> Vec<u8> {
    let field = b"MESSAGE=status=503 ".chain(std::io::repeat(b'x').take(bytes));
    match codec {
        Codec::Zstd => {
            // A stream does not say in its head how long it will be.
            zstd::stream::encode_all(field, 1).unwrap()
        }
        Codec::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            std::io::copy(&mut { field }, &mut encoder).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Lz4 | Codec::None => panic!("{codec:?} has no streams"),
    }
}

/// A journal of which each message is these compressed bytes.
fn journal_of_bombs(codec: Codec, payload: &[u8], count: usize) -> Vec<u8> {
    let entries: Vec<TestEntry> = (0..count)
        .map(|index| {
            let mut place_holder = format!("{index:08}").into_bytes();
            place_holder.resize(payload.len() - b"MESSAGE=".len(), b'.');
            TestEntry::new(START_US + index as u64, &place_holder)
        })
        .collect();
    let mut bytes = journal_bytes(&entries, Codec::None, true);
    let mut from = 0;
    while let Some(found) = bytes[from..].windows(8).position(|eight| eight == b"MESSAGE=") {
        let at = from + found;
        from = at + 8;
        // The name of the field stands alone in its FIELD object.
        if bytes.get(at + 8).is_some_and(|&byte| byte == b'0') {
            bytes[at..at + payload.len()].copy_from_slice(payload);
            bytes[at - 72 + 1] = if codec == Codec::Zstd { 4 } else { 1 };
            from = at + payload.len();
        }
    }
    bytes[12] |= if codec == Codec::Zstd { 8 } else { 1 };
    bytes
}

#[track_caller]
fn assert_survived(bytes: &[u8], entries: u64, what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.journal");
    std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    let found = Readers::start().read(&path, what);
    assert!(found.entries() >= entries, "{what}: {found:?}");
    assert!(found.damage > 0, "{what}");
}

#[test]
fn a_message_that_grows_to_gigabytes_is_not_decompressed() {
    let zstd = journal_of_bombs(Codec::Zstd, &bomb(Codec::Zstd, 2 << 30), 3);
    assert_survived(&zstd, 3, "zstd");
    let xz = journal_of_bombs(Codec::Xz, &bomb(Codec::Xz, 300 << 20), 3);
    assert_survived(&xz, 3, "xz");
}

#[test]
fn an_archive_that_grows_to_gigabytes_is_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grows.journal.zst");
    let journal = journal_bytes(&[TestEntry::new(START_US, b"one")], Codec::None, true);
    let grown = journal.as_slice().chain(std::io::repeat(0).take(1 << 30));
    std::fs::write(&path, zstd::stream::encode_all(grown, 1).unwrap()).unwrap();
    let closed = ClosedJournal::read(&path).unwrap().unwrap();
    let Err(error) = closed.open() else { panic!("it was unpacked") };
    assert_eq!(
        error.to_string(),
        format!(
            "{}: the archive unpacks to more than 128 MiB\n\
             If it is to be trusted, unpack it and give the journal itself.",
            path.display()
        )
    );
    std::fs::write(&path, zstd::stream::encode_all(journal.as_slice(), 1).unwrap()).unwrap();
    assert!(ClosedJournal::read(&path).unwrap().unwrap().open().is_ok());
}

#[test]
fn hundreds_of_messages_that_grow_to_the_limit_cost_no_more_than_a_few() {
    let zstd = journal_of_bombs(Codec::Zstd, &bomb(Codec::Zstd, (16 << 20) - 100), 600);
    assert_survived(&zstd, 600, "zstd");
    let xz = journal_of_bombs(Codec::Xz, &bomb(Codec::Xz, (16 << 20) - 100), 100);
    assert_survived(&xz, 100, "xz");
}

#[test]
fn long_messages_that_match_are_not_all_kept_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.journal");
    let mut random = Random(60);
    let entries: Vec<TestEntry> = (0..60_u64)
        .map(|index| {
            // It grows to 24 times its size, as a message may.
            let noise: Vec<u8> = (0..256 << 10).map(|_| random.next() as u8).collect();
            let message = [format!("{index} status=503 ").into_bytes(), noise.repeat(24)].concat();
            TestEntry::new(START_US + index, &message)
        })
        .collect();
    std::fs::write(&path, journal_bytes(&entries, Codec::Zstd, true)).unwrap();
    let found = Readers::start().read(&path, "long");
    assert_eq!((found.entries(), found.events), (60, 60));
}

#[test]
fn entries_that_overlap_everywhere_do_not_hold_up_the_search_for_hidden_ones() {
    let mut bytes = journal_bytes(&[TestEntry::new(START_US, b"one")], Codec::None, true);
    // The list of entries is gone, and behind the file each 16 bytes begin an entry of 16 KiB,
    // whose fields are the numbers of the others.
    bytes[176..184].fill(0);
    bytes[152] = 2;
    while bytes.len() < 4 << 20 {
        bytes.extend_from_slice(&3_u64.to_le_bytes());
        bytes.extend_from_slice(&0x4040_u64.to_le_bytes());
    }
    assert_survived(&bytes, 1, "overlapping");
}

//! Finds files that are copies of other files of the same run: a backup, a log that logrotate was
//! compressing when it was stopped, a copy made earlier of a log that has grown since.
//!
//! What counts is the content, decompressed. Most texts differ in their first bytes, which is all
//! that is read of them here, and journals in their ids. Those that begin alike are read side by
//! side until they differ, so only a real copy is read whole; and that saves scanning it. A text
//! is a copy where it is equal to another one, or where it ends within another that goes on, which
//! is then the one that counts. A journal is a copy only of an equal one: what a writer changed
//! since is for `journal::Duplicates` to compare.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::time::SystemTime;

use super::compression;
use super::discover::Found;
use super::scan::{Place, in_parallel};

/// Texts that differ within so many bytes are not compared. A shorter text is a copy only of an
/// equal one: a few first lines may be the same in the logs of many hosts.
const HEAD_BYTES: usize = 512;
/// Texts are compared in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;
/// So many texts are compared at once, each with an open file and a decompressor.
const MAX_AT_ONCE: usize = 8;

/// From each copy to a file that has its content.
#[derive(Debug, Default)]
pub(super) struct Copies(BTreeMap<Place, Link>);

/// Where the content of a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    /// The place of the file that has the content, and perhaps more.
    pub(super) to: Place,
    /// Whether the two are equal to the last byte.
    pub(super) is_equal: bool,
}

impl Copies {
    /// The copies among texts.
    pub(super) fn of_texts(texts: &[(Place, Found)], threads: usize) -> Self {
        Self::among(alike(texts, threads), threads)
    }

    /// The copies among journals, which come with their files' ids.
    pub(super) fn of_journals<'a>(
        journals: impl Iterator<Item = ([u8; 16], Place, &'a Found)>,
        threads: usize,
    ) -> Self {
        let mut groups: BTreeMap<[u8; 16], Vec<(Place, &Found)>> = BTreeMap::new();
        for (file_id, place, found) in journals {
            groups.entry(file_id).or_default().push((place, found));
        }
        let mut copies = Self::among(groups.into_values().collect(), threads);
        copies.0.retain(|_, link| link.is_equal);
        copies
    }

    fn among(groups: Vec<Vec<(Place, &Found)>>, threads: usize) -> Self {
        let groups = groups.into_iter().filter(|group| group.len() > 1).collect();
        let links = in_parallel(groups, threads, compare).concat();
        let links: BTreeMap<Place, Link> = links.into_iter().collect();
        Self(links.iter().map(|(&place, &link)| (place, end_of(&links, link))).collect())
    }

    /// Where the content of the file at `place` is, if it is a copy.
    pub(super) fn link(&self, place: Place) -> Option<Link> {
        self.0.get(&place).copied()
    }

    /// Parts files into those that count and those that are copies of these.
    pub(super) fn set_apart<T>(
        &self,
        files: Vec<T>,
        place: impl Fn(&T) -> Place,
    ) -> (Vec<T>, Vec<(T, Link)>) {
        let (mut counting, mut copies) = (Vec::new(), Vec::new());
        for file in files {
            match self.0.get(&place(&file)) {
                None => counting.push(file),
                Some(&link) => copies.push((file, link)),
            }
        }
        (counting, copies)
    }
}

/// Follows the links from copy to copy up to a file that is none.
fn end_of(links: &BTreeMap<Place, Link>, mut link: Link) -> Link {
    while let Some(next) = links.get(&link.to) {
        link = Link { to: next.to, is_equal: link.is_equal && next.is_equal };
    }
    link
}

/// The groups of texts that begin with the same bytes. What cannot be read is in none of them.
fn alike(texts: &[(Place, Found)], threads: usize) -> Vec<Vec<(Place, &Found)>> {
    let files = texts.iter().filter(|(_, found)| found.regular && found.bytes > 0);
    let files: Vec<_> = files.map(|(place, found)| (*place, found)).collect();
    if files.len() < 2 {
        return Vec::new();
    }
    let keys = RandomState::new();
    let heads = in_parallel(files, threads, |(place, found)| {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        // What can be decoded before an error is the text's beginning all the same.
        let _ = open(found).and_then(|text| text.take(HEAD_BYTES as u64).read_to_end(&mut head));
        ((!head.is_empty()).then(|| keys.hash_one(head)), (place, found))
    });
    let mut groups: BTreeMap<u64, Vec<(Place, &Found)>> = BTreeMap::new();
    for (head, file) in heads {
        if let Some(head) = head {
            groups.entry(head).or_default().push(file);
        }
    }
    groups.into_values().collect()
}

fn open(found: &Found) -> io::Result<Box<dyn Read>> {
    compression::decompress(File::open(&found.path)?)
}

/// The copies among texts that begin alike.
fn compare(group: Vec<(Place, &Found)>) -> Vec<(Place, Link)> {
    let mut links = Vec::new();
    let mut batch: Vec<(Place, &Found)> = Vec::new();
    for text in group {
        batch.push(text);
        if batch.len() == MAX_AT_ONCE {
            let before = links.len();
            compare_batch(&batch, &mut links);
            batch.retain(|(place, _)| !links[before..].iter().any(|(copy, _)| copy == place));
            // So many long texts that begin alike and are no copies: the first stand for all.
            batch.truncate(MAX_AT_ONCE / 2);
        }
    }
    compare_batch(&batch, &mut links);
    links
}

/// Reads the texts side by side, parting those that differ, and links each that ends to one that
/// is equal or goes on.
fn compare_batch(batch: &[(Place, &Found)], links: &mut Vec<(Place, Link)>) {
    let mut groups = vec![batch.iter().filter_map(Reading::open).collect::<Vec<_>>()];
    while let Some(mut group) = groups.pop() {
        if group.len() < 2 {
            continue;
        }
        group.iter_mut().for_each(Reading::advance);
        // Of equal texts the last one in this order is the one that counts.
        group.sort_by(|one, other| {
            one.piece.cmp(&other.piece).then_with(|| other.rank().cmp(&one.rank()))
        });
        for pair in group.windows(2) {
            let [text, next] = pair else { continue };
            if text.has_ended() && next.piece.starts_with(&text.piece) {
                let is_equal = text.is_whole() && next.is_whole() && text.piece == next.piece;
                links.push((text.place, Link { to: next.place, is_equal }));
            }
        }
        group.retain(|text| !text.has_ended());
        while let Some(first) = group.first() {
            let alike = group.iter().take_while(|text| text.piece == first.piece).count();
            groups.push(group.drain(..alike).collect());
        }
    }
}

/// A text that is being compared.
struct Reading {
    place: Place,
    text: Box<dyn Read>,
    piece: Vec<u8>,
    /// Whether it ended in an error.
    is_damaged: bool,
    modified: Option<SystemTime>,
}

impl Reading {
    fn open((place, found): &(Place, &Found)) -> Option<Self> {
        let text = open(found).ok()?;
        let modified = found.path.metadata().and_then(|metadata| metadata.modified()).ok();
        Some(Self { place: *place, text, piece: Vec::new(), is_damaged: false, modified })
    }

    /// Reads the next piece; it is shorter than [`PIECE_BYTES`] where the text ends.
    fn advance(&mut self) {
        self.piece.clear();
        let next = (&mut self.text).take(PIECE_BYTES as u64).read_to_end(&mut self.piece);
        self.is_damaged = next.is_err();
    }

    fn has_ended(&self) -> bool {
        self.piece.len() < PIECE_BYTES
    }

    fn is_whole(&self) -> bool {
        self.has_ended() && !self.is_damaged
    }

    /// The least of equal texts is taken for the original: undamaged, and the oldest, because a
    /// log without years takes them from when it was last written.
    fn rank(&self) -> (bool, Option<SystemTime>, Place) {
        (self.is_damaged, self.modified, self.place)
    }
}

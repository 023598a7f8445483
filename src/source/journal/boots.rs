//! The boots that a file has entries of.
//!
//! A journal lists the values of each field: the field hash table leads to the FIELD object of
//! `_BOOT_ID`, that to a chain of its DATA objects, and each of these to its first entry. A few
//! dozen reads answer the question for a file of any size. Where anything on that way is broken,
//! a walk over all entries answers it.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;

use super::header::Header;
use super::late;
use super::object::{
    EntryView, FIELD_NAME_OFFSET, Kind, OBJECT_HEADER_BYTES, ObjectHeader, u64_at,
};
use super::tail;
use super::walk::{Payload, Visitor, Walk};
use super::window::read_at;
use super::{JournalFile, decode_hex};
use crate::entry::hex;
use crate::source::{Damage, Progress};
use crate::time::Timestamp;

/// journald makes field hash tables of 333 buckets; more than this is no field hash table.
const MAX_BUCKETS: u64 = 1 << 20;
/// An ENTRY up to its items.
const ENTRY_HEAD_BYTES: usize = 64;

/// The id of a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub [u8; 16]);

impl std::fmt::Display for BootId {
    /// 32 hexadecimal digits, as `journalctl --list-boots` prints it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The boots of several files, which come with [`JournalFile::boots`], oldest first: in the order
/// of their first entries' times, as `journalctl --list-boots` has it. The last one is `-b 0`.
pub fn list_boots(of_files: impl IntoIterator<Item = Vec<(BootId, Timestamp)>>) -> Vec<BootId> {
    let mut first_entries: BTreeMap<BootId, Timestamp> = BTreeMap::new();
    for (boot, at) in of_files.into_iter().flatten() {
        let first = first_entries.entry(boot).or_insert(at);
        *first = (*first).min(at);
    }
    let mut boots: Vec<(Timestamp, BootId)> =
        first_entries.into_iter().map(|(boot, at)| (at, boot)).collect();
    boots.sort_unstable();
    boots.into_iter().map(|(_, boot)| boot).collect()
}

/// The boots of one file with the time of their first entry, oldest first.
pub(super) fn boots_of(journal: &JournalFile) -> Vec<(BootId, Timestamp)> {
    let mut boots = from_field_table(&journal.file, &journal.header)
        .filter(|boots| !boots.is_empty())
        .unwrap_or_else(|| from_entries(journal));
    boots.sort_unstable_by_key(|&(boot, at)| (at, boot));
    boots
}

/// The way through the field hash table; `None` where it is broken.
fn from_field_table(file: &File, header: &Header) -> Option<Vec<(BootId, Timestamp)>> {
    let mut data_offset = find_field(file, header)?;
    let mut boots = Vec::new();
    let mut steps = header.facts.size_bytes / 64;
    while data_offset != 0 {
        // New values are put in front of the chain or behind it; a circle is damage.
        steps = steps.checked_sub(1)?;
        let payload_offset = header.layout.data_payload_offset();
        let mut bytes = [0; 72 + b"_BOOT_ID=".len() + 32];
        let bytes = &mut bytes[..payload_offset + b"_BOOT_ID=".len() + 32];
        let object = object_at(file, header, data_offset, Kind::Data, bytes)?;
        if object.size_bytes == bytes.len() as u64 && object.compression.is_none() {
            let digits = bytes.get(payload_offset..)?.strip_prefix(b"_BOOT_ID=")?;
            let boot = decode_hex(std::str::from_utf8(digits).ok()?)?;
            let first_entry = u64_at(bytes, 40);
            // A value of which the first entry was never linked has no entry.
            if first_entry != 0 {
                boots.push((BootId(boot), time_of(file, header, first_entry)?));
            }
        }
        data_offset = u64_at(bytes, 32);
    }
    Some(boots)
}

/// The offset of the first DATA object of `_BOOT_ID`. All buckets are looked through: they are
/// few, and no hash has to be computed.
fn find_field(file: &File, header: &Header) -> Option<u64> {
    let buckets = header.field_hash_table_bytes / 16;
    if buckets == 0 || buckets > MAX_BUCKETS {
        return None;
    }
    let mut table = vec![0; (buckets * 16) as usize];
    if read_at(file, &mut table, header.field_hash_table_offset).ok()? < table.len() {
        return None;
    }
    let mut steps = header.facts.size_bytes / FIELD_NAME_OFFSET as u64;
    for bucket in table.chunks_exact(16) {
        let mut offset = u64_at(bucket, 0);
        while offset != 0 {
            steps = steps.checked_sub(1)?;
            let mut bytes = [0; FIELD_NAME_OFFSET + b"_BOOT_ID".len()];
            let object = object_at(file, header, offset, Kind::Field, &mut bytes)?;
            let is_long_enough = object.size_bytes == bytes.len() as u64;
            if is_long_enough && bytes[FIELD_NAME_OFFSET..] == *b"_BOOT_ID" {
                return Some(u64_at(&bytes, 32));
            }
            offset = u64_at(&bytes, 24);
        }
    }
    None
}

fn time_of(file: &File, header: &Header, offset: u64) -> Option<Timestamp> {
    let mut bytes = [0; ENTRY_HEAD_BYTES];
    object_at(file, header, offset, Kind::Entry, &mut bytes)?;
    Timestamp::from_micros(i64::try_from(u64_at(&bytes, 24)).ok()?)
}

/// Reads the beginning of the object at `offset`, as many `bytes` as the file has there.
fn object_at(
    file: &File,
    header: &Header,
    offset: u64,
    kind: Kind,
    bytes: &mut [u8],
) -> Option<ObjectHeader> {
    if !offset.is_multiple_of(8) || offset < header.arena_offset {
        return None;
    }
    if read_at(file, bytes, offset).ok()? < OBJECT_HEADER_BYTES {
        return None;
    }
    ObjectHeader::first_of(bytes, header.layout).filter(|object| object.kind == kind)
}

/// The way over all entries.
fn from_entries(journal: &JournalFile) -> Vec<(BootId, Timestamp)> {
    let tail = tail::find(&journal.file, &journal.header);
    let mut boots = BootsOfEntries::default();
    // The visitor never stops the walk.
    let mut walk = Walk::new(&journal.file, &journal.header, tail);
    let _ = walk.run(&mut boots, &Progress::default());
    let _ = late::visit(&mut walk, &mut boots);
    boots.first.into_iter().collect()
}

#[derive(Default)]
struct BootsOfEntries {
    first: BTreeMap<BootId, Timestamp>,
}

impl Visitor for BootsOfEntries {
    fn wants(&self, _beginning: Payload<'_>) -> bool {
        false
    }

    fn data(&mut self, _offset: u64, _payload: Payload<'_>) {}

    fn entry(&mut self, _offset: u64, entry: EntryView<'_>) -> ControlFlow<()> {
        let micros = i64::try_from(entry.realtime_us()).ok();
        if let Some(at) = micros.and_then(Timestamp::from_micros) {
            let first = self.first.entry(BootId(entry.boot_id())).or_insert(at);
            *first = (*first).min(at);
        }
        ControlFlow::Continue(())
    }

    fn damage(&mut self, _damage: Damage) {}
}

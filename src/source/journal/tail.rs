//! Where the trustworthy part of a journal file ends.
//!
//! A writer first writes an ENTRY and its DATA and then links the entry into the chain of entry
//! arrays, so everything at or before the last linked entry is complete, in a file that is being
//! written as in one whose writer was killed. What lies behind may be half-written.

use std::fs::File;
use std::io;

use super::header::{ENTRY_ARRAY_OFFSET_AT, Header};
use super::marks::OffsetSet;
use super::object::{ARRAY_ITEMS_OFFSET, Kind, OBJECT_HEADER_BYTES, ObjectHeader, u64_at};
use super::window::read_at;

/// Items at an array's end are read in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;

/// How far a file can be read on trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// No entry was ever linked.
    Empty,
    /// The offset of the last linked entry.
    LastEntry(u64),
    /// The chain of entry arrays is damaged, or ends before the entries that the header counts.
    Broken {
        /// Where in the file.
        offset_bytes: u64,
    },
}

/// Finds the last linked entry, by the chain of entry arrays.
///
/// Arrays double in size, so the chain is short; only the last one's items are looked at. What
/// cannot be read of it is damage like any other: the walk may still find the entries.
pub(super) fn find(file: &File, header: &Header) -> Tail {
    follow(file, header, last_of)
}

/// Finds the last linked entry of a file that is being written, whose header can be trusted: no
/// more is read of the arrays than what was added since the header counted its entries.
pub(super) fn find_near(file: &File, header: &Header) -> Tail {
    follow(file, header, last_near)
}

/// Finds the last entry of the last array.
type FindLast = fn(&File, &Header, u64, u64, u64) -> io::Result<Tail>;

fn follow(file: &File, header: &Header, last: FindLast) -> Tail {
    let broken = Tail::Broken { offset_bytes: header.entry_array_offset };
    follow_chain(file, header, last).unwrap_or(broken)
}

fn follow_chain(file: &File, header: &Header, last: FindLast) -> io::Result<Tail> {
    if header.entry_array_offset == 0 {
        let empty = header.facts.n_entries == 0;
        let missing = Tail::Broken { offset_bytes: ENTRY_ARRAY_OFFSET_AT };
        return Ok(if empty { Tail::Empty } else { missing });
    }
    let item_bytes = header.layout.array_item_bytes() as u64;
    let mut offset = header.entry_array_offset;
    let mut items_before: u64 = 0;
    loop {
        let broken = Tail::Broken { offset_bytes: offset };
        let Some((next, size_bytes)) = array_at(file, header, offset)? else {
            return Ok(broken);
        };
        let items = (size_bytes - ARRAY_ITEMS_OFFSET as u64) / item_bytes;
        if next == 0 {
            return last(file, header, offset, items, items_before);
        }
        // Arrays are appended to the file, so a chain that runs backwards is damaged; and this
        // way it ends.
        if next <= offset {
            return Ok(broken);
        }
        items_before += items;
        offset = next;
    }
}

/// The offsets that the chain of entry arrays names, as far as it can be followed.
///
/// Of arrays that overlap, no byte is read twice, so this is linear in the file's size.
pub(super) fn linked(file: &File, header: &Header) -> OffsetSet {
    let mut linked = OffsetSet::default();
    let item_bytes = header.layout.array_item_bytes();
    let mut piece = vec![0; PIECE_BYTES];
    let mut offset = header.entry_array_offset;
    while let Ok(Some((next, size_bytes))) = array_at(file, header, offset) {
        let follows = next > offset;
        let size_bytes = if follows { size_bytes.min(next - offset) } else { size_bytes };
        let mut start = offset.saturating_add(ARRAY_ITEMS_OFFSET as u64);
        let end = offset.saturating_add(size_bytes);
        while start < end {
            let length = (PIECE_BYTES as u64).min(end - start) as usize;
            let Ok(read) = read_at(file, &mut piece[..length], start) else { return linked };
            for item in piece[..read].chunks_exact(item_bytes) {
                let entry = header.layout.offset_in(item);
                if entry.is_multiple_of(8) && entry < header.facts.size_bytes {
                    linked.insert(entry);
                }
            }
            start += PIECE_BYTES as u64;
        }
        if !follows {
            break;
        }
        offset = next;
    }
    linked
}

/// The offset of the next array and the size of the one at `offset`.
fn array_at(file: &File, header: &Header, offset: u64) -> io::Result<Option<(u64, u64)>> {
    if !offset.is_multiple_of(8) || offset < header.arena_offset {
        return Ok(None);
    }
    let mut bytes = [0; ARRAY_ITEMS_OFFSET];
    if read_at(file, &mut bytes, offset)? < bytes.len() {
        return Ok(None);
    }
    let array = ObjectHeader::first_of(&bytes, header.layout)
        .filter(|object| object.kind == Kind::EntryArray)
        .filter(|object| object.size_bytes <= header.facts.size_bytes.saturating_sub(offset));
    Ok(array.map(|object| (u64_at(&bytes, OBJECT_HEADER_BYTES), object.size_bytes)))
}

/// The last item of the last array that is not zero, if it is an entry and all entries that the
/// header counts come before it.
fn last_of(
    file: &File,
    header: &Header,
    array_offset: u64,
    items: u64,
    items_before: u64,
) -> io::Result<Tail> {
    let broken = Tail::Broken { offset_bytes: array_offset };
    let layout = header.layout;
    let item_bytes = layout.array_item_bytes();
    let items_offset = array_offset + ARRAY_ITEMS_OFFSET as u64;
    let mut piece = vec![0; PIECE_BYTES];
    let mut end = items;
    while end > 0 {
        let start = end.saturating_sub((PIECE_BYTES / item_bytes) as u64);
        let bytes = &mut piece[..(end - start) as usize * item_bytes];
        if read_at(file, bytes, items_offset + start * item_bytes as u64)? < bytes.len() {
            return Ok(broken);
        }
        let used = bytes.chunks_exact(item_bytes).rposition(|item| layout.offset_in(item) != 0);
        if let Some(used) = used {
            let item = bytes.get(used * item_bytes..).unwrap_or_default();
            let counted = items_before.saturating_add(start + used as u64 + 1);
            let linked = layout.offset_in(item);
            let whole = counted >= header.facts.n_entries && is_entry(file, header, linked)?;
            return Ok(if whole { Tail::LastEntry(linked) } else { broken });
        }
        end = start;
    }
    Ok(broken)
}

/// As [`last_of`], but forwards from the last entry that the header counts.
fn last_near(
    file: &File,
    header: &Header,
    array_offset: u64,
    items: u64,
    items_before: u64,
) -> io::Result<Tail> {
    let layout = header.layout;
    let item_bytes = layout.array_item_bytes();
    let counted = header.facts.n_entries.saturating_sub(items_before);
    let (mut place, mut last) = (counted.saturating_sub(1), None);
    let mut piece = vec![0; PIECE_BYTES];
    while place < items {
        let count = (items - place).min((PIECE_BYTES / item_bytes) as u64);
        let bytes = &mut piece[..count as usize * item_bytes];
        let offset = array_offset + ARRAY_ITEMS_OFFSET as u64 + place * item_bytes as u64;
        let read = read_at(file, bytes, offset)?;
        let linked = bytes[..read].chunks_exact(item_bytes).map(|item| layout.offset_in(item));
        let used = linked.take_while(|&offset| offset != 0);
        let (used, found) = used.fold((0, None), |(used, _), offset| (used + 1, Some(offset)));
        last = found.or(last);
        place += used;
        if used < count {
            break;
        }
    }
    match last {
        Some(linked) if is_entry(file, header, linked)? => Ok(Tail::LastEntry(linked)),
        _ => Ok(Tail::Broken { offset_bytes: array_offset }),
    }
}

fn is_entry(file: &File, header: &Header, offset: u64) -> io::Result<bool> {
    let mut bytes = [0; OBJECT_HEADER_BYTES];
    Ok(offset.is_multiple_of(8)
        && offset >= header.arena_offset
        && read_at(file, &mut bytes, offset)? == bytes.len()
        && ObjectHeader::parse(&bytes, header.layout)
            .is_some_and(|object| object.kind == Kind::Entry))
}

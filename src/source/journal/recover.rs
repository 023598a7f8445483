//! The second look at a damaged file: entries that the walk stepped over.
//!
//! An object whose size was overwritten hides the objects that it seems to contain. This search
//! tries every 8-byte aligned place of the file for an entry that was not visited yet, and takes
//! it only if most of its fields are where it says, or if the list of entries names its place. It
//! is linear in the file's size.

use std::ops::ControlFlow;

use super::marks::OffsetSet;
use super::object::{EntryView, Items, Kind, OBJECT_HEADER_BYTES, ObjectHeader};
use super::tail;
use super::walk::{Payload, Visitor, Walk};
use super::window::{Window, read_at};

/// journald limits an entry to 1,024 fields; larger claims are not followed here.
const MAX_ENTRY_BYTES: u64 = 64 + 1024 * 16;
/// A hidden field is read up to this size.
const MAX_FIELD_BYTES: u64 = 1 << 20;

/// Visits the entries that `walk` has not, with the fields that they need.
pub(super) fn recover(walk: &mut Walk<'_>, visitor: &mut impl Visitor) -> ControlFlow<()> {
    let mut window = Window::new(walk.file);
    let mut known = OffsetSet::default();
    let linked = tail::linked(walk.file, walk.header);
    let mut object = Vec::new();
    let mut offset = walk.header.arena_offset;
    while offset < walk.end {
        let Ok(bytes) = window.load(offset, OBJECT_HEADER_BYTES) else { break };
        if bytes.len() < OBJECT_HEADER_BYTES {
            break;
        }
        // The first byte of an entry is its type, 3. The seven behind it may be damaged: what
        // follows them is proof enough.
        let places = bytes.len() / 8;
        let found = bytes.chunks_exact(8).position(|word| word[0] == 3);
        let candidate = offset + 8 * found.unwrap_or(places) as u64;
        if found.is_none() || candidate >= walk.end {
            offset = candidate;
            continue;
        }
        offset = candidate + 8;
        if !walk.seen.contains(candidate)
            && let Some(entry) = entry_at(walk, candidate, &mut window, &mut object)
        {
            let is_linked = linked.contains(candidate);
            let is_plausible = is_plausible(walk, candidate, entry);
            if !is_linked && !is_plausible {
                continue;
            }
            // The visitor has to see the fields first, in any case.
            if !most_fields_exist(walk, entry, &mut known, visitor) && !is_linked {
                continue;
            }
            if !is_plausible {
                // The walk may have met it.
                walk.walked.unreadable = walk.walked.unreadable.saturating_sub(1);
            }
            walk.offer(candidate, entry, visitor)?;
        }
    }
    ControlFlow::Continue(())
}

fn entry_at<'a>(
    walk: &Walk<'_>,
    offset: u64,
    window: &mut Window<'_>,
    object: &'a mut Vec<u8>,
) -> Option<EntryView<'a>> {
    let bytes = window.load(offset, OBJECT_HEADER_BYTES).ok()?;
    let header = ObjectHeader::first_of(bytes, walk.header.layout)?;
    if header.kind != Kind::Entry {
        return None;
    }
    let size = header.size_bytes.min(MAX_ENTRY_BYTES) as usize;
    let bytes = window.load(offset, size).ok()?.get(..size)?;
    object.clear();
    object.extend_from_slice(bytes);
    EntryView::parse(object, walk.header.layout)
}

/// Whether enough of the items could be fields.
fn is_plausible(walk: &Walk<'_>, offset: u64, entry: EntryView<'_>) -> bool {
    let items = entry.check_items(offset, walk.header.arena_offset);
    !matches!(items, Items::Implausible { .. })
}

/// Whether most of the entry's fields are DATA objects; the visitor is shown each of them.
fn most_fields_exist(
    walk: &Walk<'_>,
    entry: EntryView<'_>,
    known: &mut OffsetSet,
    visitor: &mut impl Visitor,
) -> bool {
    let mut existing = 0;
    for offset in entry.items() {
        if known.contains(offset) || show_field(walk, offset, visitor) {
            known.insert(offset);
            existing += 1;
        }
    }
    2 * existing >= entry.items().len()
}

fn show_field(walk: &Walk<'_>, offset: u64, visitor: &mut impl Visitor) -> bool {
    let layout = walk.header.layout;
    let mut head = [0; OBJECT_HEADER_BYTES];
    if !offset.is_multiple_of(8) || !read_at(walk.file, &mut head, offset).is_ok_and(|n| n == 16) {
        return false;
    }
    let Some(object) = ObjectHeader::parse(&head, layout)
        .filter(|object| object.kind == Kind::Data && object.size_bytes <= MAX_FIELD_BYTES)
    else {
        return false;
    };
    let mut bytes = vec![0; object.size_bytes as usize];
    if !read_at(walk.file, &mut bytes, offset).is_ok_and(|read| read == bytes.len()) {
        return false;
    }
    let payload = &bytes[layout.data_payload_offset()..];
    visitor.data(offset, Payload { bytes: payload, compression: object.compression });
    true
}

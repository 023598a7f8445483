//! The second look at a damaged file: entries that the walk stepped over.
//!
//! An object whose size was overwritten hides the objects that it seems to contain. This search
//! tries every 8-byte aligned place of the file for an entry that was not visited yet, and takes
//! it only if most of its fields are where it says, or if the list of entries names its place. It
//! is linear in the file's size.

use std::ops::ControlFlow;

use super::marks::OffsetSet;
use super::object::{EntryView, Items, Kind, MAX_FIELDS, OBJECT_HEADER_BYTES, ObjectHeader};
use super::tail;
use super::walk::{Payload, Visitor, Walk};
use super::window::{Window, read_at};
use crate::source::Damage;

/// An entry that claims more fields than one can have is read up to here.
const MAX_ENTRY_BYTES: u64 = 64 + 16 * MAX_FIELDS as u64;
/// A hidden field is read up to this size.
const MAX_FIELD_BYTES: u64 = 1 << 20;
/// So many times the file's size is read at most: true entries and fields do not overlap, and in a
/// file made of nothing but overlapping ones the search would take forever.
const MAX_READS_OF_FILE: u64 = 16;

/// Visits the entries that `walk` has not, with the fields that they need.
pub(super) fn recover(walk: &mut Walk<'_>, visitor: &mut impl Visitor) -> ControlFlow<()> {
    // What said where the entries end may be what is damaged.
    walk.end = walk.header.facts.size_bytes;
    let mut window = Window::new(walk.file);
    let mut fields = Fields::new(walk);
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
        if walk.seen.contains(candidate) {
            continue;
        }
        let Some(entry) = entry_at(walk, candidate, &mut window, &mut object) else { continue };
        fields.budget_bytes = fields.budget_bytes.saturating_sub(entry.size() as u64);
        if fields.budget_bytes == 0 {
            let problem = "too much looks like entries from here on: hidden ones are not searched";
            visitor.damage(Damage { offset_bytes: candidate, problem: problem.to_owned() });
            break;
        }
        if fields.are_believable(walk, candidate, entry, linked.contains(candidate), visitor) {
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

/// The fields of hidden entries.
struct Fields {
    /// Offsets at which there is one.
    known: OffsetSet,
    /// Offsets at which there is none.
    missing: OffsetSet,
    /// So much may still be read.
    budget_bytes: u64,
}

impl Fields {
    fn new(walk: &Walk<'_>) -> Self {
        let budget_bytes = walk.header.facts.size_bytes.saturating_mul(MAX_READS_OF_FILE);
        Self { known: OffsetSet::default(), missing: OffsetSet::default(), budget_bytes }
    }

    /// Whether an entry's fields show that it is one: most of them exist, or the list of entries
    /// names it. The visitor is shown each of them.
    fn are_believable(
        &mut self,
        walk: &mut Walk<'_>,
        offset: u64,
        entry: EntryView<'_>,
        is_linked: bool,
        visitor: &mut impl Visitor,
    ) -> bool {
        let items = entry.check_items(offset, walk.header.arena_offset);
        let is_implausible = matches!(items, Items::Implausible { .. });
        if is_implausible && !is_linked {
            return false;
        }
        let existing = entry.items().filter(|&item| self.exists(walk, item, visitor)).count();
        if is_implausible {
            // The walk may have met it, and refused it.
            walk.walked.unreadable = walk.walked.unreadable.saturating_sub(1);
        }
        is_linked || 2 * existing >= entry.items().len()
    }

    fn exists(&mut self, walk: &Walk<'_>, offset: u64, visitor: &mut impl Visitor) -> bool {
        let is_inside = offset < walk.header.facts.size_bytes && offset.is_multiple_of(8);
        if !is_inside || self.missing.contains(offset) || self.budget_bytes == 0 {
            return false;
        }
        if self.known.contains(offset) {
            return true;
        }
        let exists = self.show(walk, offset, visitor);
        if exists {
            self.known.insert(offset)
        } else {
            self.missing.insert(offset)
        }
        exists
    }

    fn show(&mut self, walk: &Walk<'_>, offset: u64, visitor: &mut impl Visitor) -> bool {
        let layout = walk.header.layout;
        let mut head = [0; OBJECT_HEADER_BYTES];
        if !read_at(walk.file, &mut head, offset).is_ok_and(|read| read == head.len()) {
            return false;
        }
        let Some(object) = ObjectHeader::parse(&head, layout)
            .filter(|object| object.kind == Kind::Data && object.size_bytes <= MAX_FIELD_BYTES)
        else {
            return false;
        };
        self.budget_bytes = self.budget_bytes.saturating_sub(object.size_bytes);
        let mut bytes = vec![0; object.size_bytes as usize];
        if !read_at(walk.file, &mut bytes, offset).is_ok_and(|read| read == bytes.len()) {
            return false;
        }
        let payload = &bytes[layout.data_payload_offset()..];
        visitor.data(offset, Payload { bytes: payload, compression: object.compression });
        true
    }
}

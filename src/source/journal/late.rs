//! Entries whose number does not rise, which are visited last.
//!
//! The writer of a file numbers its entries upwards. Where a number does not rise, either a number
//! was damaged, or a part of the file stands in it twice, as a misdirected write of the disk leaves
//! it. The entries of such a part count once. They are told by their whole identity, so that an
//! entry with a damaged number is not taken for another.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::object::EntryView;
use super::walk::{Visitor, Walk};
use super::window::Window;
use crate::entry::Cursor;
use crate::source::Damage;

/// So many entries are looked for among the others. No part that stands in a file twice is so
/// large, and memory has an end.
const MAX_COMPARED: usize = 1 << 18;

/// An entry that was met and not visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LateEntry {
    pub(super) offset: u64,
    /// The part of its size that can be believed.
    pub(super) size_bytes: usize,
}

/// Visits the entries that `walk` put off, each that was not visited yet.
pub(super) fn visit(walk: &mut Walk<'_>, visitor: &mut impl Visitor) -> ControlFlow<()> {
    let mut late = std::mem::take(&mut walk.late);
    late.sort_unstable();
    let mut window = Window::new(walk.file);
    let mut visited: HashMap<Cursor, bool> = HashMap::new();
    for entry in late.iter().take(MAX_COMPARED) {
        if let Some(entry) = load(walk, &mut window, entry.offset, entry.size_bytes) {
            visited.insert(identity(walk, entry), false);
        }
    }
    look_for_visited(walk, &late, &mut window, &mut visited);
    for LateEntry { offset, size_bytes } in late {
        let Some(entry) = load(walk, &mut window, offset, size_bytes) else { continue };
        if visited.get_mut(&identity(walk, entry)).is_some_and(|done| std::mem::replace(done, true))
        {
            let problem = "an entry stands in the file a second time".to_owned();
            visitor.damage(Damage { offset_bytes: offset, problem });
            continue;
        }
        walk.walked.entries += 1;
        visitor.entry(offset, entry)?;
    }
    ControlFlow::Continue(())
}

/// Notes which of these identities the entries that were visited have.
fn look_for_visited(
    walk: &Walk<'_>,
    late: &[LateEntry],
    window: &mut Window<'_>,
    visited: &mut HashMap<Cursor, bool>,
) {
    if visited.is_empty() {
        return;
    }
    let smallest = EntryView::smallest_size(walk.header.layout);
    for offset in walk.seen.iter() {
        if late.binary_search_by_key(&offset, |late| late.offset).is_err()
            && let Some(entry) = load(walk, window, offset, smallest)
            && let Some(done) = visited.get_mut(&identity(walk, entry))
        {
            *done = true;
        }
    }
}

fn load<'w>(
    walk: &Walk<'_>,
    window: &'w mut Window<'_>,
    offset: u64,
    size_bytes: usize,
) -> Option<EntryView<'w>> {
    let bytes = window.load(offset, size_bytes).ok()?.get(..size_bytes)?;
    EntryView::parse(bytes, walk.header.layout)
}

fn identity(walk: &Walk<'_>, entry: EntryView<'_>) -> Cursor {
    entry.cursor(walk.header.facts.seqnum_id)
}

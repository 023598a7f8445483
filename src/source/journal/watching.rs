//! Watching for names in a journal: each distinct field is looked at once, and an entry by the
//! offsets of its fields.

use super::marks::Marks;
use super::object::EntryView;
use crate::source::Watch;
use crate::source::watch::Signs;

/// What is known of the fields of one file that say something about the names.
pub(super) struct Watching<'a> {
    watch: &'a Watch,
    marks: Marks<Signs>,
}

impl<'a> Watching<'a> {
    /// Nothing was read yet.
    pub(super) fn new(watch: &'a Watch) -> Self {
        Self { watch, marks: Marks::default() }
    }

    /// Takes a field, decompressed.
    pub(super) fn field(&mut self, offset: u64, field: &[u8]) {
        let signs = self.watch.signs_of_field(field);
        if !signs.is_empty() {
            self.marks.insert(offset, signs);
        }
    }

    /// What the entry's fields say together.
    pub(super) fn signs(&self, entry: EntryView<'_>) -> Signs {
        let mut signs = Signs::default();
        if self.marks.may_concern(entry) {
            entry.items().filter_map(|item| self.marks.get(item)).for_each(|mark| signs |= *mark);
        }
        signs
    }
}

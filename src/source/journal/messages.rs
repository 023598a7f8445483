//! The messages of events, kept while they are likely to be needed again.
//!
//! A message stands in the file right before its first entry, and a repeated message repeats
//! soon; so the last few are kept, and others are read again by their offset.

use super::entry_fields::FieldReader;

const SLOTS: usize = 64;
/// Of longer messages only the last is kept, which bounds the memory.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// Recently seen messages by the offset of their DATA object.
pub(super) struct RecentMessages {
    slots: Vec<Slot>,
    /// The last of the longer ones: they may be many, and memory has an end.
    long: Slot,
}

#[derive(Default, Clone)]
struct Slot {
    /// 0: the slot is free. No object is at offset 0.
    offset: u64,
    message: Vec<u8>,
}

impl Default for RecentMessages {
    fn default() -> Self {
        Self { slots: vec![Slot::default(); SLOTS], long: Slot::default() }
    }
}

impl RecentMessages {
    /// Keeps a message.
    pub(super) fn put(&mut self, offset: u64, message: &[u8]) {
        if message.len() <= MAX_KEPT_BYTES {
            self.slot(offset).fill(offset, message);
        }
    }

    /// The message at `offset`, read again if it is not kept; `None` where it cannot be read.
    pub(super) fn get(&mut self, offset: u64, reader: &mut FieldReader<'_>) -> Option<&[u8]> {
        if self.long.offset == offset {
            return Some(&self.long.message);
        }
        if self.slot(offset).offset == offset {
            return Some(&self.slot(offset).message);
        }
        let message = reader.read(offset)?.strip_prefix(b"MESSAGE=")?;
        let is_long = message.len() > MAX_KEPT_BYTES;
        let slot = if is_long { &mut self.long } else { self.slot(offset) };
        slot.fill(offset, message);
        Some(&slot.message)
    }

    fn slot(&mut self, offset: u64) -> &mut Slot {
        &mut self.slots[(offset / 8) as usize % SLOTS]
    }
}

impl Slot {
    fn fill(&mut self, offset: u64, message: &[u8]) {
        self.offset = offset;
        self.message.clear();
        self.message.extend_from_slice(message);
    }
}

//! Objects, the pieces that a journal file consists of: checked views of their bytes.
//!
//! Every object starts 8-byte aligned with a header of 16 bytes: type, flags, six reserved bytes,
//! and its size with the header. The layouts are those of systemd's `journal-def.h`.

use crate::entry::Cursor;

/// The size of the header that all objects have.
pub(super) const OBJECT_HEADER_BYTES: usize = 16;
/// Where an ENTRY's items begin.
const ENTRY_ITEMS_OFFSET: usize = 64;
/// journald limits an entry to so many fields.
pub(super) const MAX_FIELDS: usize = 1024;
/// Where an ENTRY_ARRAY's items begin.
pub(super) const ARRAY_ITEMS_OFFSET: usize = 24;
/// The size of a FIELD object without its name.
pub(super) const FIELD_NAME_OFFSET: usize = 40;
/// As libsystemd's `VALID_REALTIME`: in the year 3111 the format ends.
const END_OF_REALTIME_US: u64 = 1 << 55;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Field,
    Entry,
    HashTable,
    EntryArray,
    Tag,
}

/// How a DATA object's payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Xz,
    Lz4,
    Zstd,
}

/// The two layouts of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Offsets have 32 bits, and entries' items carry no hashes.
    pub(super) compact: bool,
}

impl Layout {
    /// Where a DATA object's payload begins.
    pub(super) fn data_payload_offset(self) -> usize {
        if self.compact { 72 } else { 64 }
    }

    /// The size of one item of an ENTRY.
    pub(super) fn entry_item_bytes(self) -> usize {
        if self.compact { 4 } else { 16 }
    }

    /// The size of one item of an ENTRY_ARRAY.
    pub(super) fn array_item_bytes(self) -> usize {
        if self.compact { 4 } else { 8 }
    }

    /// The offset that an item of an ENTRY or an ENTRY_ARRAY holds.
    #[inline]
    pub(super) fn offset_in(self, item: &[u8]) -> u64 {
        if self.compact { u64::from(u32_at(item, 0)) } else { u64_at(item, 0) }
    }
}

/// The header of an object that could be one: known type, sane flags and size.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectHeader {
    pub(super) kind: Kind,
    pub(super) compression: Option<Compression>,
    /// Size of the object with its header, in bytes, without the padding to the next multiple of 8.
    pub(super) size_bytes: u64,
}

impl ObjectHeader {
    /// Reads a header; `None` where these bytes begin no object.
    #[inline]
    pub(super) fn parse(bytes: &[u8; OBJECT_HEADER_BYTES], layout: Layout) -> Option<Self> {
        let size_bytes = u64_at(bytes, 8);
        let (kind, smallest) = match bytes[0] {
            1 => (Kind::Data, layout.data_payload_offset() as u64 + 1),
            2 => (Kind::Field, FIELD_NAME_OFFSET as u64 + 1),
            3 => (Kind::Entry, (ENTRY_ITEMS_OFFSET + layout.entry_item_bytes()) as u64),
            4 | 5 => (Kind::HashTable, 32),
            6 => (Kind::EntryArray, (ARRAY_ITEMS_OFFSET + layout.array_item_bytes()) as u64),
            7 => (Kind::Tag, 64),
            _ => return None,
        };
        // Other objects have no flags; libsystemd does not look at them either.
        let compression = match (kind, bytes[1]) {
            (Kind::Data, 1) => Some(Compression::Xz),
            (Kind::Data, 2) => Some(Compression::Lz4),
            (Kind::Data, 4) => Some(Compression::Zstd),
            (Kind::Data, 3 | 5..) => return None,
            _ => None,
        };
        (size_bytes >= smallest).then_some(Self { kind, compression, size_bytes })
    }

    /// The header that stands in front of `bytes`.
    #[inline]
    pub(super) fn first_of(bytes: &[u8], layout: Layout) -> Option<Self> {
        Self::parse(bytes.first_chunk()?, layout)
    }
}

/// Whether the reserved bytes of an object's header are zero, as all writers leave them, and so
/// are the flags that only DATA has.
pub(super) fn reserved_is_zero(bytes: &[u8]) -> bool {
    let reserved = if bytes.first() == Some(&1) { 2 } else { 1 };
    bytes.get(reserved..8).is_some_and(|reserved| reserved.iter().all(|&byte| byte == 0))
}

/// One ENTRY object.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryView<'a> {
    head: &'a [u8; ENTRY_ITEMS_OFFSET],
    items: &'a [u8],
    layout: Layout,
}

impl<'a> EntryView<'a> {
    /// The entry in `bytes`, a whole object. `None` where number or time cannot be an entry's, or
    /// where the items do not fill the object.
    #[inline]
    pub(super) fn parse(bytes: &'a [u8], layout: Layout) -> Option<Self> {
        let (head, items) = bytes.split_first_chunk()?;
        let whole = !items.is_empty() && items.len().is_multiple_of(layout.entry_item_bytes());
        let entry = Self { head, items, layout };
        let realtime = entry.realtime_us();
        (whole && entry.seqnum() != 0 && realtime != 0 && realtime < END_OF_REALTIME_US)
            .then_some(entry)
    }

    #[inline]
    pub(super) fn seqnum(&self) -> u64 {
        u64_at(self.head, 16)
    }

    /// Microseconds since the epoch.
    #[inline]
    pub(super) fn realtime_us(&self) -> u64 {
        u64_at(self.head, 24)
    }

    /// Microseconds since the boot.
    #[inline]
    pub(super) fn monotonic_us(&self) -> u64 {
        u64_at(self.head, 32)
    }

    #[inline]
    pub(super) fn boot_id(&self) -> [u8; 16] {
        id_at(self.head, 40)
    }

    /// Everything by which this entry is told from all others.
    pub(super) fn cursor(&self, seqnum_id: [u8; 16]) -> Cursor {
        Cursor {
            seqnum_id,
            seqnum: self.seqnum(),
            boot_id: self.boot_id(),
            monotonic_us: self.monotonic_us(),
            realtime_us: self.realtime_us(),
            xor_hash: u64_at(self.head, 56),
        }
    }

    /// The offsets of the DATA objects that this entry consists of.
    #[inline]
    pub(super) fn items(&self) -> impl ExactSizeIterator<Item = u64> + use<'a> {
        let layout = self.layout;
        self.items.chunks_exact(layout.entry_item_bytes()).map(move |item| layout.offset_in(item))
    }

    /// Shows `visit` the offsets that [`items`](Self::items) has, at a third of the price: which
    /// layout it is, is decided once, and the loops have no branch.
    #[inline]
    pub(super) fn for_each_item(&self, mut visit: impl FnMut(u64)) {
        let items = self.items;
        if self.layout.compact {
            for item in items.as_chunks::<4>().0 {
                visit(u64::from(u32::from_le_bytes(*item)));
            }
        } else {
            for item in items.as_chunks::<16>().0 {
                visit(u64_at(item, 0));
            }
        }
    }

    /// How far the items could be offsets of DATA objects: aligned, in the arena, and before the
    /// entry itself, as DATA is always written first.
    #[inline]
    pub(super) fn check_items(&self, own_offset: u64, arena_offset: u64) -> Items {
        let arena_bytes = own_offset.saturating_sub(arena_offset);
        let bounds = (u32::try_from(arena_offset), u32::try_from(arena_bytes));
        // Offsets before the arena wrap around and are too large.
        let is_wrong = match bounds {
            (Ok(arena_offset), Ok(arena_bytes)) if self.layout.compact => {
                // Numbers of half the size are compared twice as many at a time.
                let items = self.items.as_chunks::<4>().0.iter();
                let items = items.map(|item| u32::from_le_bytes(*item));
                items.fold(0, |wrong, item| {
                    let is_outside = item.wrapping_sub(arena_offset) >= arena_bytes;
                    wrong | item & 7 | u32::from(is_outside)
                }) != 0
            }
            _ => {
                let mut wrong = 0;
                self.for_each_item(|item| {
                    let is_outside = item.wrapping_sub(arena_offset) >= arena_bytes;
                    wrong |= item & 7 | u64::from(is_outside);
                });
                wrong != 0
            }
        };
        if is_wrong { self.damaged_items(own_offset, arena_offset) } else { Items::Sound }
    }

    #[cold]
    fn damaged_items(&self, own_offset: u64, arena_offset: u64) -> Items {
        let is_sound =
            |item: &u64| item.is_multiple_of(8) && *item >= arena_offset && *item < own_offset;
        let sound = self.items().filter(is_sound).count();
        let lost = self.items().filter(|&item| item == 0).count();
        let all = self.items().len();
        let leading = self.items().take_while(is_sound).count();
        // A few items were overwritten, or lost in a page of zeros. An array of entries that is
        // taken for an entry has offsets and zeros, too, but far more of them.
        if sound > 0 && 2 * (sound + lost) >= all && all <= MAX_FIELDS {
            Items::Damaged { leading }
        } else {
            Items::Implausible { leading }
        }
    }

    /// The size of this entry, in bytes.
    pub(super) fn size(&self) -> usize {
        ENTRY_ITEMS_OFFSET + self.items.len()
    }

    /// The smallest size of an entry, in bytes.
    pub(super) fn smallest_size(layout: Layout) -> usize {
        ENTRY_ITEMS_OFFSET + layout.entry_item_bytes()
    }

    /// The size of this entry if it had only so many items.
    pub(super) fn size_with(&self, items: usize) -> usize {
        ENTRY_ITEMS_OFFSET + items * self.layout.entry_item_bytes()
    }
}

/// Whether an entry's items could be offsets of DATA objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Items {
    /// All of them.
    Sound,
    /// Enough of them to believe in the entry; `leading` are sound before the first that is not.
    Damaged { leading: usize },
    /// Too few; `leading` are sound before the first that is not.
    Implausible { leading: usize },
}

impl Items {
    /// How many items are sound before the first that is not; 0 where all are.
    pub(super) fn leading(self) -> usize {
        match self {
            Self::Sound => 0,
            Self::Damaged { leading } | Self::Implausible { leading } => leading,
        }
    }
}

/// The offset of the object after one that ends at `end`.
#[inline]
pub(super) fn align8(end: u64) -> u64 {
    end.saturating_add(7) & !7
}

/// A little-endian number at a fixed place; 0 where the bytes end before.
#[inline]
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let field = bytes.get(offset..offset + 8).and_then(|field| field.first_chunk());
    field.map_or(0, |field| u64::from_le_bytes(*field))
}

/// A little-endian number at a fixed place; 0 where the bytes end before.
#[inline]
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let field = bytes.get(offset..offset + 4).and_then(|field| field.first_chunk());
    field.map_or(0, |field| u32::from_le_bytes(*field))
}

/// An id at a fixed place; zeros where the bytes end before.
#[inline]
pub(super) fn id_at(bytes: &[u8], offset: usize) -> [u8; 16] {
    let field = bytes.get(offset..offset + 16).and_then(|field| field.first_chunk());
    field.copied().unwrap_or_default()
}

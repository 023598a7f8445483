//! The walk over a journal file's objects in file order.
//!
//! It follows no pointer, so broken hash chains and entry arrays do not matter to it. Where the
//! next object should begin and none does, it reports damage and searches forward, 8 bytes at a
//! time, for the next one: linear in the file's size, whatever the file contains.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;

use super::header::Header;
use super::late::LateEntry;
use super::marks::OffsetSet;
use super::object::{
    Compression, EntryView, Items, Kind, OBJECT_HEADER_BYTES, ObjectHeader, align8,
    reserved_is_zero,
};
use super::tail::Tail;
use super::window::{MAX_OBJECT_BYTES, Window, read_at};
use crate::source::{Damage, Progress};

/// A DATA object's payload: one field, `NAME=value`, perhaps compressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) compression: Option<Compression>,
}

/// Takes the objects of a file in their order.
pub(super) trait Visitor {
    /// Whether a payload has to be passed to `data` whole, judged by its first bytes.
    fn wants(&self, beginning: Payload<'_>) -> bool;

    /// A field. It comes before every entry that has it.
    fn data(&mut self, offset: u64, payload: Payload<'_>);

    /// An entry; each is visited once.
    fn entry(&mut self, offset: u64, entry: EntryView<'_>) -> ControlFlow<()>;

    /// Bytes that are not what they should be.
    fn damage(&mut self, damage: Damage);
}

/// How a walk went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walked {
    /// Entries visited.
    pub(super) entries: u64,
    /// Entries met that could not be read.
    pub(super) unreadable: u64,
    /// Whether bytes were passed over because no object was there.
    pub(super) damaged: bool,
}

/// A walk over one file.
pub(super) struct Walk<'a> {
    pub(super) file: &'a File,
    pub(super) header: &'a Header,
    /// Where the walk begins, and after it, what follows the last entry that was visited: from
    /// there it can go on when the file has grown.
    pub(super) start: u64,
    /// The first offset at which no object is looked for any more.
    pub(super) end: u64,
    /// The entries that were met.
    pub(super) seen: OffsetSet,
    /// Of these, the entries that are not visited yet because their number does not rise.
    pub(super) late: Vec<LateEntry>,
    /// The highest number of an entry that was visited.
    highest_seqnum: u64,
    pub(super) walked: Walked,
}

/// What the objects in one window led to.
enum Step {
    /// The next object begins at this offset.
    Next(u64),
    /// The object at this offset needs so many bytes.
    Load(u64, usize),
    /// No object is at this offset.
    Bad(u64),
    /// The visitor wants no more.
    Stop,
}

/// What became of an entry.
enum Visited {
    /// The next object follows after the size that the entry claims.
    Whole,
    /// The entry has only this size, in bytes.
    Shorter(usize),
    /// The visitor wants no more.
    Stop,
}

impl<'a> Walk<'a> {
    /// A walk up to and including the last entry of the trustworthy part, or to the end of a
    /// file in which that part is not known.
    pub(super) fn new(file: &'a File, header: &'a Header, tail: Tail) -> Self {
        let end = match tail {
            Tail::Empty => header.arena_offset,
            Tail::LastEntry(offset) => offset.saturating_add(1).min(header.facts.size_bytes),
            Tail::Broken { .. } => header.facts.size_bytes,
        };
        Self {
            file,
            header,
            start: header.arena_offset,
            end,
            seen: OffsetSet::default(),
            late: Vec::new(),
            highest_seqnum: 0,
            walked: Walked::default(),
        }
    }

    /// Visits all objects from `start` on. `Break`: the visitor wants no more.
    pub(super) fn run(
        &mut self,
        visitor: &mut impl Visitor,
        progress: &Progress,
    ) -> ControlFlow<()> {
        let mut window = Window::new(self.file);
        let mut offset = self.start;
        let mut wanted = OBJECT_HEADER_BYTES;
        let mut reported = if offset == self.header.arena_offset { 0 } else { offset };
        while offset < self.end {
            progress.add(offset.saturating_sub(reported));
            reported = reported.max(offset);
            let bytes = match window.load(offset, wanted) {
                // A file that shrinks meanwhile no longer has what its size promised.
                Ok(bytes) if bytes.len() >= wanted => bytes,
                ended => {
                    self.ended_early(offset, ended.map(<[u8]>::len), visitor);
                    break;
                }
            };
            wanted = OBJECT_HEADER_BYTES;
            match self.step(bytes, offset, visitor) {
                Step::Next(next) => offset = next,
                Step::Load(next, size) => (offset, wanted) = (next, size),
                Step::Bad(bad) => offset = self.resync(bad, &mut window, visitor),
                Step::Stop => return ControlFlow::Break(()),
            }
        }
        progress.add(self.header.facts.size_bytes.saturating_sub(reported));
        ControlFlow::Continue(())
    }

    /// Visits the objects that lie whole in `bytes`, the file's content from `base` on.
    fn step(&mut self, bytes: &[u8], base: u64, visitor: &mut impl Visitor) -> Step {
        let layout = self.header.layout;
        let file_end = self.header.facts.size_bytes;
        let mut rest = bytes;
        let mut offset = base;
        loop {
            if offset >= self.end {
                return Step::Next(offset);
            }
            let Some(head) = rest.first_chunk() else {
                return Step::Load(offset, OBJECT_HEADER_BYTES);
            };
            let Some(object) = ObjectHeader::parse(head, layout) else {
                return Step::Bad(offset);
            };
            if object.size_bytes > file_end - offset {
                return Step::Bad(offset);
            }
            let next = align8(offset + object.size_bytes);
            let size = usize::try_from(object.size_bytes).unwrap_or(usize::MAX);
            match object.kind {
                Kind::Data | Kind::Entry if size > rest.len() => {
                    return self.large(rest, offset, object, visitor);
                }
                Kind::Data => {
                    let payload = &rest[layout.data_payload_offset()..size];
                    let compression = object.compression;
                    visitor.data(offset, Payload { bytes: payload, compression });
                }
                Kind::Entry => match self.entry(&rest[..size], rest, offset, visitor) {
                    Visited::Whole => self.start = next,
                    Visited::Shorter(size) => {
                        self.start = align8(offset + size as u64);
                        return Step::Next(self.start);
                    }
                    Visited::Stop => return Step::Stop,
                },
                Kind::Field | Kind::HashTable | Kind::EntryArray | Kind::Tag => {}
            }
            match usize::try_from(next - offset).ok().and_then(|step| rest.get(step..)) {
                Some(after) => rest = after,
                None => return Step::Next(next),
            }
            offset = next;
        }
    }

    /// A DATA or ENTRY that reaches beyond the window: skipped if it does not matter, else loaded.
    fn large(
        &mut self,
        rest: &[u8],
        offset: u64,
        object: ObjectHeader,
        visitor: &mut impl Visitor,
    ) -> Step {
        /// Enough to see a field's name and the header of a compressed frame.
        const BEGINNING_BYTES: usize = 4 << 10;
        let size = usize::try_from(object.size_bytes).unwrap_or(usize::MAX);
        let next = align8(offset + object.size_bytes);
        let skipped = self.header.layout.data_payload_offset();
        if object.kind == Kind::Data {
            if rest.len() < BEGINNING_BYTES.min(size) {
                return Step::Load(offset, BEGINNING_BYTES.min(size));
            }
            let beginning = rest.get(skipped..).unwrap_or_default();
            let payload = Payload { bytes: beginning, compression: object.compression };
            if !visitor.wants(payload) {
                return Step::Next(next);
            }
        }
        if size <= MAX_OBJECT_BYTES {
            return Step::Load(offset, size);
        }
        let problem = format!(
            "an object of {size} bytes is larger than the {} MiB that are read",
            MAX_OBJECT_BYTES >> 20
        );
        visitor.damage(Damage { offset_bytes: offset, problem });
        if object.kind == Kind::Data {
            return Step::Next(next);
        }
        // No entry has this size, but one with a wrong size may be here.
        if rest.len() < BEGINNING_BYTES {
            return Step::Load(offset, BEGINNING_BYTES);
        }
        let bytes = &rest[..rest.len() / 16 * 16];
        match self.entry(bytes, rest, offset, visitor) {
            Visited::Whole => Step::Next(next),
            Visited::Shorter(size) => Step::Next(align8(offset + size as u64)),
            Visited::Stop => Step::Stop,
        }
    }

    /// Visits the entry in `bytes`; `rest` are the same bytes and those behind them.
    #[inline]
    fn entry(
        &mut self,
        bytes: &[u8],
        rest: &[u8],
        offset: u64,
        visitor: &mut impl Visitor,
    ) -> Visited {
        let Some(entry) = EntryView::parse(bytes, self.header.layout) else {
            return self.unreadable(offset, visitor);
        };
        match entry.check_items(offset, self.header.arena_offset) {
            Items::Sound => self.visit(entry, offset, visitor, Visited::Whole),
            items => self.damaged_entry(entry, items, rest, offset, visitor),
        }
    }

    /// Visits what is left of an entry of which not all items are sound.
    #[cold]
    fn damaged_entry(
        &mut self,
        entry: EntryView<'_>,
        items: Items,
        rest: &[u8],
        offset: u64,
        visitor: &mut impl Visitor,
    ) -> Visited {
        self.walked.damaged = true;
        let layout = self.header.layout;
        let mut report = |problem: &str| {
            visitor.damage(Damage { offset_bytes: offset, problem: problem.to_owned() });
        };
        // Where sound items end and an object follows at once, only the entry's size is wrong.
        let size = entry.size_with(items.leading());
        let next = align8(size as u64) as usize;
        let is_followed =
            rest.get(next..).is_some_and(|after| ObjectHeader::first_of(after, layout).is_some());
        let shorter = rest.get(..size).and_then(|bytes| EntryView::parse(bytes, layout));
        if let (Some(shorter), true) = (shorter, is_followed) {
            report("an entry's size is wrong");
            return self.visit(shorter, offset, visitor, Visited::Shorter(size));
        }
        match items {
            // The list of entries may know better (see `recover`).
            Items::Implausible { .. } => self.unreadable(offset, visitor),
            Items::Sound | Items::Damaged { .. } => {
                report("some fields of an entry are lost");
                self.visit(entry, offset, visitor, Visited::Whole)
            }
        }
    }

    #[inline]
    fn visit(
        &mut self,
        entry: EntryView<'_>,
        offset: u64,
        visitor: &mut impl Visitor,
        visited: Visited,
    ) -> Visited {
        if self.offer(offset, entry, visitor).is_break() { Visited::Stop } else { visited }
    }

    /// Visits an entry that was met, if its number is higher than all before it, as the numbers in
    /// a healthy file are; else it is put off (see `late`).
    #[inline]
    pub(super) fn offer(
        &mut self,
        offset: u64,
        entry: EntryView<'_>,
        visitor: &mut impl Visitor,
    ) -> ControlFlow<()> {
        self.seen.insert(offset);
        if entry.seqnum() <= self.highest_seqnum {
            self.late.push(LateEntry { offset, size_bytes: entry.size() });
            return ControlFlow::Continue(());
        }
        self.highest_seqnum = entry.seqnum();
        self.walked.entries += 1;
        visitor.entry(offset, entry)
    }

    #[cold]
    fn unreadable(&mut self, offset: u64, visitor: &mut impl Visitor) -> Visited {
        self.walked.unreadable += 1;
        self.walked.damaged = true;
        let problem = "an entry's time, number or list of fields is impossible".to_owned();
        visitor.damage(Damage { offset_bytes: offset, problem });
        Visited::Whole
    }

    fn ended_early(&mut self, offset: u64, ended: io::Result<usize>, visitor: &mut impl Visitor) {
        self.walked.damaged = true;
        let problem = match ended {
            Ok(_) => "the file ends in the middle of an object".to_owned(),
            Err(error) => format!("the file cannot be read on from here: {error}"),
        };
        visitor.damage(Damage { offset_bytes: offset, problem });
    }

    /// Reports that no object is at `bad`, and finds the next place where one is.
    fn resync(&mut self, bad: u64, window: &mut Window<'_>, visitor: &mut impl Visitor) -> u64 {
        self.walked.damaged = true;
        let mut offset = bad;
        let found = loop {
            offset = offset.saturating_add(8);
            if offset >= self.end {
                break self.end;
            }
            match window.load(offset, OBJECT_HEADER_BYTES) {
                Ok(bytes) if bytes.len() >= OBJECT_HEADER_BYTES => {
                    if self.begins_object(bytes, offset) {
                        break offset;
                    }
                }
                _ => break self.end,
            }
        };
        visitor.damage(Damage {
            offset_bytes: bad,
            problem: format!("{} bytes hold no readable object", found - bad),
        });
        found
    }

    /// Whether an object begins with these bytes, beyond what a walk asks for: the object after
    /// it must begin as one, too.
    fn begins_object(&self, bytes: &[u8], offset: u64) -> bool {
        let layout = self.header.layout;
        let Some(object) = ObjectHeader::first_of(bytes, layout) else { return false };
        if !reserved_is_zero(bytes) || object.size_bytes > self.header.facts.size_bytes - offset {
            return false;
        }
        let next = align8(offset + object.size_bytes);
        if next >= self.end {
            return next == self.end || object.kind == Kind::Entry;
        }
        let within = usize::try_from(next - offset).ok();
        match within.and_then(|step| bytes.get(step..)?.first_chunk()) {
            Some(head) => ObjectHeader::parse(head, layout).is_some(),
            None => {
                let mut head = [0; OBJECT_HEADER_BYTES];
                read_at(self.file, &mut head, next).is_ok_and(|read| read == head.len())
                    && ObjectHeader::parse(&head, layout).is_some()
            }
        }
    }
}

//! All fields of one entry, loaded when an event needs them: by far most entries never do.

use std::fs::File;

use super::header::Header;
use super::object::{EntryView, Kind, ObjectHeader};
use super::payload::Decompressor;
use super::window::{MAX_OBJECT_BYTES, read_at};
use crate::entry::Entry;
use crate::rules::Fields;

/// No real entry is larger, all its fields together.
const MAX_ENTRY_BYTES: usize = 32 << 20;

/// The fields of one entry, in the entry's order.
#[derive(Default)]
pub(super) struct EntryFields {
    /// The fields (`NAME=value`) one after another.
    bytes: Vec<u8>,
    /// Where each field ends in `bytes`.
    ends: Vec<usize>,
}

impl EntryFields {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Adds a field, `NAME=value`.
    pub(super) fn push(&mut self, field: &[u8]) {
        if self.bytes.len().saturating_add(field.len()) <= MAX_ENTRY_BYTES {
            self.bytes.extend_from_slice(field);
            self.ends.push(self.bytes.len());
        }
    }

    /// The fields as they stand in the entry, `NAME=value` each.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    /// The values of the field `name`.
    pub(super) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter_map(|field| field.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }

    /// Fills in what an [`Entry`] knows beside its time and message. `boot` is not a field here:
    /// every entry carries its own.
    pub(super) fn describe<'a>(&'a self, entry: &mut Entry<'a>) {
        let first = |name| self.values(name).next();
        entry.host = first("_HOSTNAME");
        entry.unit = first("_SYSTEMD_UNIT");
        entry.identifier = first("SYSLOG_IDENTIFIER");
        entry.pid = first("_PID").or_else(|| first("SYSLOG_PID"));
        entry.priority = match first("PRIORITY") {
            Some([digit @ b'0'..=b'7']) => Some(digit - b'0'),
            _ => None,
        };
    }
}

impl Fields for EntryFields {
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.values(name).any(test)
    }
}

/// Reads single DATA objects at known offsets.
pub(super) struct FieldReader<'a> {
    file: &'a File,
    header: &'a Header,
    object: Vec<u8>,
    decompressor: Decompressor,
}

impl<'a> FieldReader<'a> {
    pub(super) fn new(file: &'a File, header: &'a Header) -> Self {
        let decompressor = Decompressor::new(header.facts.size_bytes);
        Self { file, header, object: Vec::new(), decompressor }
    }

    /// The field (`NAME=value`) at `offset`; `None` where there is none that can be read.
    pub(super) fn read(&mut self, offset: u64) -> Option<&[u8]> {
        /// Holds nearly every field.
        const FIRST_READ_BYTES: usize = 512;
        if !offset.is_multiple_of(8) || offset < self.header.arena_offset {
            return None;
        }
        self.object.resize(FIRST_READ_BYTES.max(self.object.len()), 0);
        let mut filled = read_at(self.file, &mut self.object[..FIRST_READ_BYTES], offset).ok()?;
        let object = ObjectHeader::first_of(&self.object[..filled], self.header.layout)?;
        let size = usize::try_from(object.size_bytes).ok()?;
        let in_file = object.size_bytes <= self.header.facts.size_bytes.checked_sub(offset)?;
        if object.kind != Kind::Data || !in_file || size > MAX_OBJECT_BYTES {
            return None;
        }
        if size > filled {
            self.object.resize(size.max(self.object.len()), 0);
            let rest = &mut self.object[filled..size];
            filled += read_at(self.file, rest, offset + filled as u64).ok()?;
        }
        let payload =
            self.object.get(self.header.layout.data_payload_offset()..size.min(filled))?;
        match object.compression {
            None => Some(payload),
            Some(compression) => self.decompressor.decompress(compression, payload, |_| true).ok(),
        }
    }

    /// Loads all readable fields of `entry` into `fields`.
    pub(super) fn read_entry(&mut self, entry: EntryView<'_>, fields: &mut EntryFields) {
        fields.clear();
        for offset in entry.items() {
            if let Some(field) = self.read(offset) {
                fields.push(field);
            }
        }
    }
}

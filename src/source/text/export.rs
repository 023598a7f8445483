//! The Journal Export Format, which `journalctl -o export` writes.
//!
//! `NAME=value` lines, and for values with control characters the name alone on its line, then
//! the length as 64 bits little-endian, the value and a newline. A blank line ends the entry.
//! Source: <https://systemd.io/JOURNAL_EXPORT_FORMATS/>.

use std::ops::ControlFlow;
use std::path::Path;

use super::dump::{Fields, Slot, is_field_name};
use super::record::Recorder;
use super::window::{Line, Lines};

/// No field of a journal is longer (`DATA_SIZE_MAX` in journal-importer.h).
const MAX_FIELD_BYTES: u64 = 768 << 20;

/// Reads a dump in the export format to its end.
pub(super) fn read(lines: &mut Lines<'_>, recorder: &mut Recorder<'_>, path: &Path) {
    let fields = Fields::new(recorder.query().classifier.rules());
    let mut export = Export { lines, recorder, path, fields, first: None };
    while let Some(line) = export.lines.next_line() {
        if export.take(&line).is_break() {
            return;
        }
    }
    // At the end there is nothing left that a `Break` could end.
    let _ = export.end_entry();
}

struct Export<'r, 'a, 'q> {
    lines: &'r mut Lines<'a>,
    recorder: &'r mut Recorder<'q>,
    path: &'r Path,
    fields: Fields,
    /// The number of the current entry's first line, and its offset.
    first: Option<(u64, u64)>,
}

impl Export<'_, '_, '_> {
    fn take(&mut self, line: &Line) -> ControlFlow<()> {
        let offset = self.lines.offset_of(line.range.start);
        let text = self.lines.bytes().get(line.range.clone()).unwrap_or(&[]);
        if text.is_empty() {
            return self.end_entry();
        }
        self.first.get_or_insert((line.number, offset));
        let equals = memchr::memchr(b'=', text);
        let (name, value) = match equals {
            Some(at) => (text.get(..at).unwrap_or(&[]), text.get(at + 1..)),
            None => (text, None),
        };
        if !is_field_name(name) {
            self.recorder.damage(offset, "not a field of the journal export format");
            return ControlFlow::Continue(());
        }
        let slot = self.fields.wants(name);
        match (value, slot) {
            (Some(value), Some(slot)) => {
                self.fields.append(slot, value);
                if line.is_cut {
                    self.fields.set_cut();
                }
            }
            (Some(_), None) => {}
            (None, slot) => self.take_binary(slot, offset),
        }
        ControlFlow::Continue(())
    }

    fn take_binary(&mut self, slot: Option<Slot>, offset: u64) {
        let (mut length, mut count) = ([0; 8], 0);
        self.lines.read_bytes(8, &mut |bytes| {
            for (place, byte) in length.iter_mut().skip(count).zip(bytes) {
                *place = *byte;
            }
            count += bytes.len();
        });
        let length = u64::from_le_bytes(length);
        if count < 8 || length > MAX_FIELD_BYTES {
            self.recorder.damage(offset, "binary field without a possible length");
            return;
        }
        let fields = &mut self.fields;
        let is_whole = self.lines.read_bytes(length + 1, &mut |bytes| {
            if let Some(slot) = slot {
                fields.append(slot, bytes);
            }
        });
        if let Some(slot) = slot {
            fields.trim_newline(slot);
        }
        if !is_whole {
            self.recorder.damage(offset, "binary field cut off by the end of the dump");
        }
    }

    fn end_entry(&mut self) -> ControlFlow<()> {
        let Some((line, offset)) = self.first.take() else { return ControlFlow::Continue(()) };
        self.fields.record(self.recorder, self.path, line, offset)
    }
}

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
const NO_LENGTH: &str = "binary field without a possible length";

/// Reads a dump in the export format to its end.
pub(super) fn read(lines: &mut Lines<'_>, recorder: &mut Recorder<'_>, path: &Path) {
    let mut export = Export::new(recorder);
    if export.read_on(lines, recorder, path).is_continue() {
        export.end(recorder, path);
    }
}

/// What is known of a dump between two readings, if it grows.
pub(super) struct Export {
    fields: Fields,
    /// The number of the current entry's first line, and its offset.
    first: Option<(u64, u64)>,
    binary: Option<Binary>,
}

/// A field of which the value stands behind its length.
#[derive(Default)]
struct Binary {
    slot: Option<Slot>,
    /// Where the field begins.
    offset: u64,
    /// The length, of which so many bytes were read.
    length: [u8; 8],
    length_read: usize,
    /// So many bytes of the value and of the newline behind it are missing, once the length is
    /// known.
    missing: Option<u64>,
}

impl Export {
    pub(super) fn new(recorder: &Recorder<'_>) -> Self {
        let fields = Fields::new(recorder.query());
        Self { fields, first: None, binary: None }
    }

    /// Reads as far as the dump goes. `Break`: the sink wants no more.
    pub(super) fn read_on(
        &mut self,
        lines: &mut Lines<'_>,
        recorder: &mut Recorder<'_>,
        path: &Path,
    ) -> ControlFlow<()> {
        while self.take_binary(lines, recorder)
            && let Some(line) = lines.next_line()
        {
            self.take(lines, &line, recorder, path)?;
        }
        ControlFlow::Continue(())
    }

    /// Takes the end of the dump for that of its last entry.
    pub(super) fn end(&mut self, recorder: &mut Recorder<'_>, path: &Path) {
        match self.binary.take() {
            Some(binary) if binary.missing.is_some() => {
                recorder.damage(binary.offset, "binary field cut off by the end of the dump");
            }
            Some(binary) => recorder.damage(binary.offset, NO_LENGTH),
            None => {}
        }
        // At the end there is nothing left that a `Break` could end.
        let _ = self.end_entry(recorder, path);
    }

    fn take(
        &mut self,
        lines: &Lines<'_>,
        line: &Line,
        recorder: &mut Recorder<'_>,
        path: &Path,
    ) -> ControlFlow<()> {
        let offset = lines.offset_of(line.range.start);
        let text = lines.bytes().get(line.range.clone()).unwrap_or(&[]);
        if text.is_empty() {
            return self.end_entry(recorder, path);
        }
        self.first.get_or_insert((line.number, offset));
        let equals = memchr::memchr(b'=', text);
        let (name, value) = match equals {
            Some(at) => (text.get(..at).unwrap_or(&[]), text.get(at + 1..)),
            None => (text, None),
        };
        if !is_field_name(name) {
            recorder.damage(offset, "not a field of the journal export format");
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
            (None, slot) => self.binary = Some(Binary { slot, offset, ..Binary::default() }),
        }
        ControlFlow::Continue(())
    }

    /// Reads on in the value behind a name. Returns whether it is whole, or there is none.
    fn take_binary(&mut self, lines: &mut Lines<'_>, recorder: &mut Recorder<'_>) -> bool {
        let Some(binary) = &mut self.binary else { return true };
        let missing = if let Some(missing) = binary.missing {
            missing
        } else if binary.read_length(lines) {
            u64::from_le_bytes(binary.length).saturating_add(1)
        } else {
            return false;
        };
        if missing > MAX_FIELD_BYTES + 1 {
            recorder.damage(binary.offset, NO_LENGTH);
            self.binary = None;
            return true;
        }
        let (slot, fields) = (binary.slot, &mut self.fields);
        let mut left = missing;
        let is_whole = lines.read_bytes(missing, &mut |bytes| {
            left -= bytes.len() as u64;
            if let Some(slot) = slot {
                fields.append(slot, bytes);
            }
        });
        binary.missing = Some(left);
        if is_whole {
            if let Some(slot) = slot {
                fields.trim_newline(slot);
            }
            self.binary = None;
        }
        is_whole
    }

    fn end_entry(&mut self, recorder: &mut Recorder<'_>, path: &Path) -> ControlFlow<()> {
        let Some((line, offset)) = self.first.take() else { return ControlFlow::Continue(()) };
        self.fields.record(recorder, path, line, offset)
    }
}

impl Binary {
    /// Reads on in the length. Returns whether it is whole.
    fn read_length(&mut self, lines: &mut Lines<'_>) -> bool {
        let missing = self.length.len() - self.length_read;
        let (length, read) = (&mut self.length, &mut self.length_read);
        lines.read_bytes(missing as u64, &mut |bytes| {
            for (place, byte) in length.iter_mut().skip(*read).zip(bytes) {
                *place = *byte;
            }
            *read += bytes.len();
        })
    }
}

//! Dumps of `journalctl -o verbose`: a line with the time and the cursor of each entry, and its
//! fields on indented lines below.
//!
//! Lines that continue a value are indented to where it began. The time is taken from the cursor:
//! the one printed is that of the program that logged, where it sent one, and other dumps have the
//! journal's. Source: `output_verbose()` in systemd's logs-show.c.

use std::ops::ControlFlow;
use std::path::Path;

use super::dump::{Fields, REALTIME, Slot, is_field_name};
use super::record::Recorder;
use super::window::{Line, Lines};

/// The cursor in the first line of an entry, without its brackets.
pub(super) fn cursor(line: &[u8]) -> Option<&[u8]> {
    let inner = line.strip_suffix(b"]")?;
    let start = memchr::memmem::find(inner, b" [s=")?;
    inner.get(start + 2..)
}

/// Reads such a dump to its end.
pub(super) fn read(lines: &mut Lines<'_>, recorder: &mut Recorder<'_>, path: &Path) {
    let mut dump = Dump::new(recorder);
    if dump.read_on(lines, recorder, path).is_continue() {
        // At the end there is nothing left that a `Break` could end.
        let _ = dump.end_entry(recorder, path);
    }
}

/// What is known of a dump between two readings, if it grows.
pub(super) struct Dump {
    fields: Fields,
    field: Option<Field>,
    /// The number of the current entry's first line, and its offset.
    first: (u64, u64),
}

/// The field whose value the next line may continue.
#[derive(Clone, Copy)]
struct Field {
    slot: Option<Slot>,
    /// How far its continuation lines are indented.
    width: usize,
}

impl Dump {
    pub(super) fn new(recorder: &Recorder<'_>) -> Self {
        let fields = Fields::new(recorder.query());
        Self { fields, field: None, first: (0, 0) }
    }

    /// Whether the last entry may still go on.
    pub(super) fn is_open(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Reads as far as the dump goes. `Break`: the sink wants no more.
    pub(super) fn read_on(
        &mut self,
        lines: &mut Lines<'_>,
        recorder: &mut Recorder<'_>,
        path: &Path,
    ) -> ControlFlow<()> {
        while let Some(line) = lines.next_line() {
            self.take(lines, &line, recorder, path)?;
        }
        ControlFlow::Continue(())
    }

    fn take(
        &mut self,
        lines: &Lines<'_>,
        line: &Line,
        recorder: &mut Recorder<'_>,
        path: &Path,
    ) -> ControlFlow<()> {
        let text = lines.bytes().get(line.range.clone()).unwrap_or(&[]);
        if let Some(cursor) = cursor(text).filter(|_| text.first() != Some(&b' ')) {
            self.end_entry(recorder, path)?;
            self.first = (line.number, lines.offset_of(line.range.start));
            self.begin_entry(cursor);
        } else if let Some((name, value)) = field_of(text) {
            let slot = self.fields.wants(name);
            if let Some(slot) = slot {
                self.fields.append(slot, value);
            }
            self.field = Some(Field { slot, width: text.len() - value.len() });
        } else if let Some(field) = self.field
            && let Some(slot) = field.slot
        {
            let spaces = text.iter().take(field.width).take_while(|&&byte| byte == b' ').count();
            self.fields.append(slot, b"\n");
            self.fields.append(slot, text.get(spaces..).unwrap_or(&[]));
        }
        if line.is_cut {
            self.fields.set_cut();
        }
        ControlFlow::Continue(())
    }

    fn begin_entry(&mut self, cursor: &[u8]) {
        if let Some(slot) = self.fields.wants(b"__CURSOR") {
            self.fields.append(slot, cursor);
        }
        let realtime = cursor.split(|&byte| byte == b';').find_map(|part| {
            let digits = std::str::from_utf8(part.strip_prefix(b"t=")?).ok()?;
            u64::from_str_radix(digits, 16).ok()
        });
        if let Some(realtime) = realtime {
            self.fields.append(REALTIME, realtime.to_string().as_bytes());
        }
    }

    /// Takes what was read since the last cursor as a whole entry.
    pub(super) fn end_entry(
        &mut self,
        recorder: &mut Recorder<'_>,
        path: &Path,
    ) -> ControlFlow<()> {
        self.field = None;
        let (line, offset) = self.first;
        self.fields.record(recorder, path, line, offset)
    }
}

/// The name and the value on a line that begins a field.
fn field_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = line.strip_prefix(b"    ")?;
    let equals = memchr::memchr(b'=', inner)?;
    let (name, value) = (inner.get(..equals)?, inner.get(equals + 1..)?);
    is_field_name(name).then_some((name, value))
}

//! Dumps of `journalctl -o json`, `json-pretty`, `json-sse` and `json-seq`: an object an entry.
//!
//! A value is a string; an array of numbers where it is not UTF-8; an array of values where the
//! field occurs several times; `null` where it is too long (more than 4096 bytes without
//! `--all`). Source: <https://systemd.io/JOURNAL_EXPORT_FORMATS/>.

use std::ops::ControlFlow;
use std::path::Path;

use super::dump::{Fields, MESSAGE};
use super::json::{self, Value};
use super::record::Recorder;
use super::window::{Line, Lines, MAX_ENTRY_BYTES};

/// Reads such a dump to its end.
pub(super) fn read(lines: &mut Lines<'_>, recorder: &mut Recorder<'_>, path: &Path) {
    let mut dump = Dump::new(recorder);
    if dump.read_on(lines, recorder, path).is_continue() {
        dump.end(lines, recorder, path);
    }
}

/// What is known of a dump between two readings, if it grows.
pub(super) struct Dump {
    fields: Fields,
    scratch: Vec<u8>,
    /// The number of the first line of an object of several lines.
    first: Option<u64>,
    /// How many entries journalctl left the message out of, and the offset of the first.
    left_out: Option<(u64, u64)>,
}

/// Who takes the entries, and under which name.
struct Target<'r, 'q> {
    recorder: &'r mut Recorder<'q>,
    path: &'r Path,
}

impl Dump {
    pub(super) fn new(recorder: &Recorder<'_>) -> Self {
        let fields = Fields::new(recorder.query());
        Self { fields, scratch: Vec::new(), first: None, left_out: None }
    }

    /// Reads as far as the dump goes. `Break`: the sink wants no more.
    pub(super) fn read_on(
        &mut self,
        lines: &mut Lines<'_>,
        recorder: &mut Recorder<'_>,
        path: &Path,
    ) -> ControlFlow<()> {
        while let Some(line) = lines.next_line() {
            self.take(lines, &line, &mut Target { recorder, path })?;
        }
        ControlFlow::Continue(())
    }

    /// Reads an object that the end of the dump cut off as far as it goes.
    pub(super) fn end(&mut self, lines: &Lines<'_>, recorder: &mut Recorder<'_>, path: &Path) {
        if let (Some(number), Some(mark)) = (self.first, lines.mark()) {
            let offset = lines.offset_of(mark);
            recorder.damage(offset, "object cut off by the end of the dump");
            let object = lines.bytes().get(mark..).unwrap_or(&[]);
            // At the end there is nothing left that a `Break` could end.
            let _ = self.record(object, false, (number, offset), &mut Target { recorder, path });
        }
        self.tell_left_out(recorder);
    }

    fn take(
        &mut self,
        lines: &mut Lines<'_>,
        line: &Line,
        target: &mut Target<'_, '_>,
    ) -> ControlFlow<()> {
        let text = lines.bytes().get(line.range.clone()).unwrap_or(&[]);
        if let (Some(number), Some(mark)) = (self.first, lines.mark()) {
            let ends = text.first() == Some(&b'}');
            if ends || line.range.end - mark > MAX_ENTRY_BYTES {
                self.first = None;
                lines.set_mark(None);
                let offset = lines.offset_of(mark);
                let object = lines.bytes().get(mark..line.range.end).unwrap_or(&[]);
                return self.record(object, !ends, (number, offset), target);
            }
            return ControlFlow::Continue(());
        }
        let object = text.strip_prefix(b"data: ").unwrap_or(text);
        let object = object.strip_prefix(b"\x1e").unwrap_or(object);
        let start = line.range.end - object.len();
        match object {
            [b'{', .., b'}'] => {
                self.record(object, false, (line.number, lines.offset_of(start)), target)
            }
            [b'{', ..] if line.is_cut => {
                self.record(object, true, (line.number, lines.offset_of(start)), target)
            }
            [b'{', ..] => {
                self.first = Some(line.number);
                lines.set_mark(Some(start));
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// Takes the object that begins in this line and at this offset.
    fn record(
        &mut self,
        object: &[u8],
        is_cut: bool,
        (line, offset): (u64, u64),
        target: &mut Target<'_, '_>,
    ) -> ControlFlow<()> {
        for member in json::members(object) {
            let Some(slot) = self.fields.wants(member.key) else { continue };
            self.scratch.clear();
            if decode(member.value, &mut self.scratch) {
                self.fields.append(slot, &self.scratch);
            } else if slot == MESSAGE {
                let (_, count) = self.left_out.get_or_insert((offset, 0));
                *count += 1;
            }
        }
        if is_cut {
            self.fields.set_cut();
        }
        self.fields.record(target.recorder, target.path, line, offset)
    }

    fn tell_left_out(&self, recorder: &mut Recorder<'_>) {
        if let Some((offset, count)) = self.left_out {
            let problem = format!(
                "entries whose message journalctl left out, as longer than 4096 bytes: {count}; \
                 they count and are not classified; dump again with --all"
            );
            recorder.damage(offset, problem);
        }
    }
}

/// Appends the first of a field's values to `out`. Returns whether there is one.
fn decode(value: Value<'_>, out: &mut Vec<u8>) -> bool {
    match value {
        Value::String(escaped) => json::unescape(escaped, out),
        Value::Bare(b"null") => return false,
        Value::Bare(bare) => out.extend_from_slice(bare),
        Value::Nested(array) => match json::elements(array).next() {
            Some(Value::Bare(_)) => out.extend(json::elements(array).map_while(byte)),
            Some(first @ Value::String(_)) => return decode(first, out),
            Some(Value::Nested(inner)) => out.extend(json::elements(inner).map_while(byte)),
            None => {}
        },
    }
    true
}

fn byte(value: Value<'_>) -> Option<u8> {
    let Value::Bare(digits) = value else { return None };
    u8::try_from(json::number(digits)?).ok()
}

//! One entry of a journal dump, field by field: what `journalctl -o export`, `json` and `verbose`
//! have in common.

use std::ops::ControlFlow;
use std::path::Path;

use super::json;
use super::record::Recorder;
use super::window::MAX_ENTRY_BYTES;
use crate::entry::{Entry, Origin};
use crate::rules;
use crate::source::change::{FoundChange, manager};
use crate::source::statement::{JournaldId, Statement};
use crate::source::{Filter, Query, watch};
use crate::time::Timestamp;

/// The fields that every dump is read for; see systemd.journal-fields(7). The order is that of
/// the constants below.
const NAMES: [&str; 22] = [
    "MESSAGE",
    "__REALTIME_TIMESTAMP",
    "__CURSOR",
    "_SYSTEMD_UNIT",
    "SYSLOG_IDENTIFIER",
    "_HOSTNAME",
    "_BOOT_ID",
    "PRIORITY",
    "_PID",
    "SYSLOG_PID",
    "_UID",
    "MESSAGE_ID",
    "UNIT",
    "OBJECT_SYSTEMD_UNIT",
    "COREDUMP_UNIT",
    "_SYSTEMD_SLICE",
    "_TRANSPORT",
    "N_DROPPED",
    "USER_UNIT",
    "UNIT_RESULT",
    "COREDUMP_COMM",
    "_COMM",
];

/// The place of a field in [`Fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(usize);

pub(super) const MESSAGE: Slot = Slot(0);
pub(super) const REALTIME: Slot = Slot(1);
const CURSOR: Slot = Slot(2);
const SYSTEMD_UNIT: Slot = Slot(3);
const IDENTIFIER: Slot = Slot(4);
const HOSTNAME: Slot = Slot(5);
const BOOT_ID: Slot = Slot(6);
const PRIORITY: Slot = Slot(7);
const PID: Slot = Slot(8);
const SYSLOG_PID: Slot = Slot(9);
const UID: Slot = Slot(10);
const MESSAGE_ID: Slot = Slot(11);
const UNIT: Slot = Slot(12);
const OBJECT_UNIT: Slot = Slot(13);
const COREDUMP_UNIT: Slot = Slot(14);
const SLICE: Slot = Slot(15);
const TRANSPORT: Slot = Slot(16);
const DROPPED: Slot = Slot(17);

/// The message id of a core dump, from sd-messages.h.
const COREDUMP_ID: &[u8] = b"fc2e22bc6ee647b6b90729ab34a250b1";

/// The fields of the entry that is being read. Of a field that occurs several times, the first
/// value is kept, which is the one that journalctl shows.
pub(super) struct Fields {
    names: Vec<String>,
    values: Vec<Option<Vec<u8>>>,
    /// Buffers of earlier entries.
    spare: Vec<Vec<u8>>,
    /// Whether a value was longer than is kept.
    is_cut: bool,
}

impl Fields {
    /// Room for the fields that are always read, and those that the query needs.
    pub(super) fn new(query: &Query<'_>) -> Self {
        let mut names: Vec<String> = NAMES.iter().map(|&name| name.to_owned()).collect();
        let tested = query.classifier.rules().rules().iter().flat_map(|rule| &rule.fields);
        let watched = query.watch.map_or(&[][..], |_| &watch::FIELDS);
        for name in tested.map(|test| test.name.as_str()).chain(watched.iter().copied()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let values = vec![None; names.len()];
        Self { names, values, spare: Vec::new(), is_cut: false }
    }

    /// Forgets the entry.
    pub(super) fn clear(&mut self) {
        for value in &mut self.values {
            if let Some(mut buffer) = value.take() {
                buffer.clear();
                self.spare.push(buffer);
            }
        }
        self.is_cut = false;
    }

    /// Where a field is kept; `None` if nothing needs it, or if it has a value already.
    pub(super) fn wants(&self, name: &[u8]) -> Option<Slot> {
        let index = self.names.iter().position(|own| own.as_bytes() == name)?;
        self.values.get(index)?.is_none().then_some(Slot(index))
    }

    /// Appends to the value of a field.
    pub(super) fn append(&mut self, slot: Slot, bytes: &[u8]) {
        let Some(value) = self.values.get_mut(slot.0) else { return };
        let value = value.get_or_insert_with(|| self.spare.pop().unwrap_or_default());
        let free = MAX_ENTRY_BYTES.saturating_sub(value.len());
        self.is_cut |= bytes.len() > free;
        value.extend_from_slice(bytes.get(..free).unwrap_or(bytes));
    }

    /// Notes that a value went on beyond what is kept.
    pub(super) fn set_cut(&mut self) {
        self.is_cut = true;
    }

    /// Takes the newline off that ends a binary value.
    pub(super) fn trim_newline(&mut self, slot: Slot) {
        if let Some(Some(value)) = self.values.get_mut(slot.0)
            && value.last() == Some(&b'\n')
        {
            value.pop();
        }
    }

    /// The value of a field.
    pub(super) fn get(&self, slot: Slot) -> Option<&[u8]> {
        self.values.get(slot.0)?.as_deref()
    }

    /// Whether no field has a value.
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }

    /// Tests, counts and classifies the entry, which begins at `offset_bytes` in `line` of the
    /// dump, and forgets it.
    pub(super) fn record(
        &mut self,
        recorder: &mut Recorder<'_>,
        path: &Path,
        line: u64,
        offset_bytes: u64,
    ) -> ControlFlow<()> {
        let flow = if self.is_empty() {
            ControlFlow::Continue(())
        } else {
            if self.is_cut {
                recorder.damage(
                    offset_bytes,
                    "entry longer than 1 MiB: only its beginning was classified",
                );
            }
            self.record_entry(recorder, path, line, offset_bytes)
        };
        self.clear();
        flow
    }

    fn record_entry(
        &self,
        recorder: &mut Recorder<'_>,
        path: &Path,
        line: u64,
        offset_bytes: u64,
    ) -> ControlFlow<()> {
        let micros = self.get(REALTIME).and_then(json::number);
        let Some(at) = micros.and_then(Timestamp::from_micros) else {
            recorder.skip();
            recorder.damage(offset_bytes, "entry without a readable __REALTIME_TIMESTAMP");
            return ControlFlow::Continue(());
        };
        let origin = match self.get(CURSOR) {
            Some(cursor) => Origin::CursorText(cursor),
            None => Origin::Line { path, line },
        };
        let entry = Entry {
            at: Some(at),
            host: self.get(HOSTNAME),
            boot: self.get(BOOT_ID),
            unit: self.get(SYSTEMD_UNIT),
            identifier: self.get(IDENTIFIER),
            pid: self.get(PID).or(self.get(SYSLOG_PID)),
            priority: match self.get(PRIORITY) {
                Some([digit @ b'0'..=b'7']) => Some(digit - b'0'),
                _ => None,
            },
            message: self.get(MESSAGE).unwrap_or(&[]),
            origin,
        };
        if let Some(statement) = self.statement() {
            recorder.tell_dropped(&entry, statement);
        }
        if recorder.query().changes {
            recorder.tell_change(&entry, self, |at| self.change(at));
        }
        if recorder.accepts(&entry) || self.is_about_unit(recorder.query().filter, &entry) {
            return recorder.record_accepted(&entry, self);
        }
        ControlFlow::Continue(())
    }

    /// What the service manager or the kernel says in the entry.
    fn change(&self, at: Timestamp) -> Option<FoundChange> {
        let is_known = self.get(MESSAGE_ID).and_then(manager::by_id).is_some();
        let is_kernels = self.get(TRANSPORT) == Some(b"kernel");
        let get = |name: &str| self.value(name);
        if is_known || is_kernels { manager::of_fields(&get, at) } else { None }
    }

    /// The value of a field by its name.
    fn value(&self, name: &str) -> Option<&[u8]> {
        let index = self.names.iter().position(|own| own == name);
        index.and_then(|index| self.get(Slot(index)))
    }

    /// What journald says in the entry that it dropped. Only journald can write the transport
    /// `driver`; a dump of some fields only may lack it.
    fn statement(&self) -> Option<Statement> {
        let JournaldId::Dropped(kind) = JournaldId::of(self.get(MESSAGE_ID)?)? else { return None };
        if self.get(TRANSPORT).is_some_and(|transport| transport != b"driver") {
            return None;
        }
        let (message, unit) = (self.get(MESSAGE), self.get(OBJECT_UNIT));
        Statement::of_fields(kind, message, self.get(DROPPED), unit)
    }

    /// Whether the entry passes the filter by a unit that it is about, as journalctl's `-u` has it:
    /// `add_matches_for_unit()` in systemd's logs-show.c.
    fn is_about_unit(&self, filter: &Filter, entry: &Entry<'_>) -> bool {
        if filter.units.is_empty() {
            return false;
        }
        let by_manager = self.get(PID) == Some(b"1");
        let by_root = self.get(UID) == Some(b"0");
        let is_coredump = by_root && self.get(MESSAGE_ID) == Some(COREDUMP_ID);
        let about = [
            self.get(UNIT).filter(|_| by_manager),
            self.get(OBJECT_UNIT).filter(|_| by_root),
            self.get(COREDUMP_UNIT).filter(|_| is_coredump),
            self.get(SLICE),
        ];
        about
            .into_iter()
            .flatten()
            .any(|unit| filter.accepts(&Entry { unit: Some(unit), ..entry.clone() }))
    }
}

impl rules::Fields for Fields {
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.value(name).is_some_and(test)
    }
}

/// Whether `name` can be the name of a journal field: upper-case letters, digits and `_`.
pub(super) fn is_field_name(name: &[u8]) -> bool {
    let is_allowed =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    !name.is_empty() && name.len() <= 64 && name.iter().all(is_allowed)
}

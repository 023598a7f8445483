//! The fields of a journal by which changes are told, kept while a file is walked.
//!
//! Such fields are few and each distinct one is stored once, so an entry that tells a change is
//! understood without reading any of its fields again.

use std::collections::HashMap;

use super::marks::OffsetSet;
use super::object::EntryView;
use crate::source::change::{FoundChange, Happened};
use crate::source::change::{manager, words};
use crate::source::filter::Filter;
use crate::time::Timestamp;

/// The names of the fields that are kept.
const NAMES: [&str; 12] = [
    "UNIT",
    "USER_UNIT",
    "UNIT_RESULT",
    "COREDUMP_UNIT",
    "COREDUMP_COMM",
    "MESSAGE_ID",
    "_HOSTNAME",
    "_SYSTEMD_UNIT",
    "_TRANSPORT",
    "_PID",
    "_UID",
    "_COMM",
];

/// A file may be made of such fields: no more than this many are kept.
const MAX_KEPT: usize = 100_000;
/// Longer values are no names.
const MAX_VALUE_BYTES: usize = 256;
/// So many messages of a file may say that a connection was refused, and so many hosts may.
const MAX_REFUSALS: usize = 1_000_000;
const MAX_PEERS: usize = 1000;
/// So many units may have their first entry at once.
const MAX_PENDING: usize = 16;

/// What is known of the fields of one file.
#[derive(Default)]
pub(super) struct ChangeFields {
    kept: HashMap<u64, (&'static str, Box<[u8]>)>,
    /// The messages that say that a unit has done its work.
    finished: OffsetSet,
    /// The units that the next entry may be the first one of.
    pending: Vec<u64>,
    /// The messages that say who refused a connection, with the place of the name in `peers`.
    refusals: HashMap<u64, usize>,
    peers: Vec<String>,
}

impl ChangeFields {
    /// Takes a field that is no message. Returns whether the entries that have it may tell a change.
    pub(super) fn field(&mut self, offset: u64, field: &[u8]) -> bool {
        let Some((name, value)) = kept(field) else { return false };
        if self.kept.len() >= MAX_KEPT || value.len() > MAX_VALUE_BYTES {
            return false;
        }
        if name == "_SYSTEMD_UNIT" {
            let may_appear = std::str::from_utf8(value).is_ok_and(manager::may_appear);
            if !may_appear || self.pending.len() >= MAX_PENDING {
                return false;
            }
            self.pending.push(offset);
        }
        self.kept.insert(offset, (name, value.into()));
        name == "MESSAGE_ID"
    }

    /// Takes a message. Returns whether the entries that have it may tell a change.
    #[inline]
    pub(super) fn message(&mut self, offset: u64, message: &[u8]) -> bool {
        // Every message comes by here, and most begin otherwise.
        manager::may_be_kept(message) && self.kept_message(offset, message)
    }

    fn kept_message(&mut self, offset: u64, message: &[u8]) -> bool {
        let is_out_of_memory = manager::is_out_of_memory(message);
        if message.starts_with(manager::FINISHED) {
            self.finished.insert(offset);
        } else if is_out_of_memory && self.kept.len() < MAX_KEPT {
            let message = message.get(..MAX_VALUE_BYTES).unwrap_or(message);
            self.kept.insert(offset, ("MESSAGE", message.into()));
        }
        is_out_of_memory
    }

    /// Takes a message that may say that a connection was refused. Returns whether it does.
    pub(super) fn refusal(&mut self, offset: u64, message: &[u8]) -> bool {
        let Some(peer) = words::refused_by(message) else { return false };
        let known = self.peers.iter().rposition(|known| *known == peer);
        let Some(place) = known.or((self.peers.len() < MAX_PEERS).then_some(self.peers.len()))
        else {
            return false;
        };
        if known.is_none() {
            self.peers.push(peer);
        }
        if self.refusals.len() < MAX_REFUSALS {
            self.refusals.insert(offset, place);
        }
        self.refusals.contains_key(&offset)
    }

    /// Who refused a connection, as an entry says.
    pub(super) fn refused(&self, entry: EntryView<'_>, at: Timestamp) -> Option<FoundChange> {
        let place = entry.items().find_map(|item| self.refusals.get(&item))?;
        let mut change = words::refusal_by(self.peers.get(*place)?.clone(), at);
        change.host = self.host(entry);
        Some(change)
    }

    /// Whether the next entry may be a unit's first one in the file.
    #[inline]
    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The units whose first entry this is: a field is written right before the first entry that
    /// has it.
    pub(super) fn first_entries(
        &mut self,
        entry: EntryView<'_>,
        at: Timestamp,
        filter: &Filter,
    ) -> Vec<FoundChange> {
        let pending = std::mem::take(&mut self.pending);
        let host = self.host(entry);
        let own = pending.into_iter().filter(|offset| entry.items().any(|item| item == *offset));
        let units: Vec<String> = own
            .filter_map(|offset| {
                let (_, unit) = self.kept.remove(&offset)?;
                String::from_utf8(unit.into_vec()).ok()
            })
            .collect();
        let change = |unit| {
            let mut change = FoundChange::once(at, Happened::Seen, unit);
            change.host.clone_from(&host);
            change
        };
        let changes = units.into_iter().map(change);
        changes.filter(|change| manager::is_of_hosts(filter, change.host.as_deref())).collect()
    }

    /// The change that an entry tells. `message` reads its message, where that is not kept.
    pub(super) fn change(
        &self,
        entry: EntryView<'_>,
        at: Timestamp,
        message: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<FoundChange> {
        let get = |name: &str| self.value(entry, name);
        let read;
        let message = match get("MESSAGE") {
            Some(message) => Some(message),
            None if entry.items().any(|item| self.finished.contains(item)) => {
                Some(manager::FINISHED)
            }
            None if self.needs_message(entry) => {
                read = message();
                read.as_deref()
            }
            None => None,
        };
        manager::of_fields(&|name| if name == "MESSAGE" { message } else { get(name) }, at)
    }

    /// Whether the entry says only in its message how a unit failed: systemd before version 237.
    fn needs_message(&self, entry: EntryView<'_>) -> bool {
        let id = self.value(entry, "MESSAGE_ID");
        id.and_then(manager::by_id) == Some(Happened::Failed)
            && self.value(entry, "UNIT_RESULT").is_none()
    }

    /// The machine that an entry is of.
    pub(super) fn host(&self, entry: EntryView<'_>) -> Option<String> {
        let host = self.value(entry, "_HOSTNAME")?;
        Some(String::from_utf8_lossy(host).into_owned())
    }

    fn value(&self, entry: EntryView<'_>, name: &str) -> Option<&[u8]> {
        let field = |item| self.kept.get(&item).filter(|(own, _)| *own == name);
        entry.items().find_map(|item| field(item).map(|(_, value)| &**value))
    }
}

/// The name and the value of a field that is to be kept.
fn kept(field: &[u8]) -> Option<(&'static str, &[u8])> {
    let split = |name: &'static str| {
        let value = field.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some((name, value))
    };
    // Fields are many, and most begin otherwise.
    let (name, value) = match field.get(..4)? {
        b"UNIT" | b"USER" | b"CORE" | b"MESS" | b"_HOS" | b"_SYS" | b"_TRA" | b"_PID" | b"_COM"
        | b"_UID" => NAMES.iter().find_map(|name| split(name))?,
        _ => return None,
    };
    let is_wanted = match name {
        "MESSAGE_ID" => manager::by_id(value).is_some(),
        "_TRANSPORT" => value == b"kernel",
        "_PID" => value == b"1",
        "_UID" => value == b"0",
        "_COMM" => value == b"systemd",
        _ => true,
    };
    is_wanted.then_some((name, value))
}

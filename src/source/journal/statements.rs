//! Entries in which journald speaks of itself: what it dropped, that it started or stopped.

use super::course::CourseLog;
use super::decode_hex;
use super::entry_fields::EntryFields;
use crate::source::Filter;
use crate::source::not_logged::Dropped;
use crate::source::statement::{self, JournaldId};
use crate::time::Timestamp;

/// What journald says of itself.
pub(super) enum Statement {
    /// It dropped entries.
    Dropped(Dropped),
    /// It started or stopped, the one for the machine or the one for a namespace.
    Service { is_start: bool, namespace: Option<String> },
}

/// What the entry with these fields says; `None` where journald did not write it, and where it
/// concerns only units that were not asked about.
///
/// Only journald itself can write `_TRANSPORT=driver`: it takes no field from others whose name
/// begins with `_`.
pub(super) fn read(fields: &EntryFields, filter: &Filter, at: Timestamp) -> Option<Statement> {
    let first = |name| fields.values(name).next();
    if first("_TRANSPORT") != Some(b"driver") {
        return None;
    }
    let namespace = || first("_NAMESPACE").and_then(statement::name);
    let kind = match JournaldId::of(first("MESSAGE_ID")?)? {
        JournaldId::Started => {
            return Some(Statement::Service { is_start: true, namespace: namespace() });
        }
        JournaldId::Stopped => {
            return Some(Statement::Service { is_start: false, namespace: namespace() });
        }
        JournaldId::Dropped(kind) => kind,
    };
    let (message, counted) = (first("MESSAGE"), first("N_DROPPED"));
    let said =
        statement::Statement::of_fields(kind, message, counted, first("OBJECT_SYSTEMD_UNIT"))?;
    let (entries, sender) = (said.entries, said.sender);
    let host = first("_HOSTNAME").and_then(statement::name);
    let dropped = Dropped { at: Some(at), kind, entries, sender, host, is_from_journal: true };
    dropped.concerns(filter).then_some(Statement::Dropped(dropped))
}

/// Notes the machine of the boot that `course` has just met, by its first entry's fields, or
/// leaves the boot out: `is_other` says that it is not the boot that was asked for.
pub(super) fn describe_boot(
    course: &mut CourseLog,
    fields: &EntryFields,
    machine: [u8; 16],
    filter: &Filter,
    is_other: bool,
) {
    let first = |name| fields.values(name).next();
    let host = first("_HOSTNAME");
    let is_foreign = !filter.hosts.is_empty()
        && host.is_some_and(|host| !filter.hosts.iter().any(|pattern| pattern.accepts(host)));
    if is_other || is_foreign {
        return course.forget_boot();
    }
    let named = first("_MACHINE_ID").and_then(|id| decode_hex(std::str::from_utf8(id).ok()?));
    course.describe_boot(named.unwrap_or(machine), host.and_then(statement::name));
}

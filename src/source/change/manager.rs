//! What the service manager and the kernel say about units and processes: by the fields of a
//! journal's entry, and by the words in a text.
//!
//! The ids are those of systemd's `sd-messages.h`, the fields those of
//! systemd.journal-fields(7), the words those of `job.c`, `unit.c` and `service.c` in systemd and
//! of `mm/oom_kill.c` in Linux.

use super::{FoundChange, Happened};
use crate::source::filter::{Filter, Pattern, is_unit_name};
use crate::source::statement;
use crate::time::Timestamp;

/// What is called a change by its `MESSAGE_ID`; `None`: nothing that is told.
pub(in crate::source) fn by_id(id: &[u8]) -> Option<Happened> {
    Some(match id {
        b"39f53479d3a045ac8e11786248231fbf" => Happened::Started,
        b"9d1aaa27d60140bd96365438aad20286" => Happened::Stopped,
        b"7b05ebc668384222baa8881179cfda54" => Happened::Reloaded,
        b"be02cf6855d2428ba40df7e9d022f03d" => Happened::NotStarted,
        b"d9b373ed55a64feb8242e02dbe79a49c" => Happened::Failed,
        b"7ad2d189f7e94e70a38c781354912448" => Happened::Ended,
        b"5eb03494b6584870a536b337290809b3" => Happened::RestartScheduled,
        b"fe6faa94e7774663a0da52717891d8ef" | b"d989611b15e44c9dbf31e3c81256e4ed" => {
            Happened::UnitOutOfMemory
        }
        b"fc2e22bc6ee647b6b90729ab34a250b1" => Happened::Crashed,
        _ => return None,
    })
}

/// Whether the kernel says with this message that it killed a process for want of memory.
pub(in crate::source) fn is_out_of_memory(message: &[u8]) -> bool {
    let rest = message.strip_prefix(b"Memory cgroup out").or(message.strip_prefix(b"Out"));
    rest.is_some_and(|rest| rest.starts_with(b" of memory: Kill"))
}

/// How the message begins by which the manager says that a unit's work is done. It has the id of
/// a unit that was started.
pub(in crate::source) const FINISHED: &[u8] = b"Finished ";

/// Whether a message may begin with [`FINISHED`], or be that the kernel ran out of memory.
#[inline]
pub(in crate::source) fn may_be_kept(message: &[u8]) -> bool {
    matches!(message, [b'F' | b'M' | b'O', ..])
}

/// The change that an entry of a journal tells, by its fields.
///
/// Only the manager of the system has `_PID=1`, and only the kernel `_TRANSPORT=kernel`: a program
/// can claim neither. The manager of a user is believed by its name.
pub(in crate::source) fn of_fields<'a>(
    get: &dyn Fn(&str) -> Option<&'a [u8]>,
    at: Timestamp,
) -> Option<FoundChange> {
    let message = get("MESSAGE").unwrap_or_default();
    let mut change = match get("MESSAGE_ID").and_then(by_id) {
        Some(Happened::Crashed) => {
            let name = get("COREDUMP_COMM").filter(|_| get("_UID") == Some(b"0"))?;
            let mut change = FoundChange::once(at, Happened::Crashed, statement::name(name)?);
            change.detail = get("COREDUMP_UNIT").and_then(statement::name);
            change
        }
        Some(happened) => {
            let by_system = || get("UNIT").filter(|_| get("_PID") == Some(b"1"));
            let by_user = || get("USER_UNIT").filter(|_| get("_COMM") == Some(b"systemd"));
            let unit = by_system().or_else(by_user)?;
            let is_finished = happened == Happened::Started && message.starts_with(FINISHED);
            let happened = if is_finished { Happened::Finished } else { happened };
            let mut change = FoundChange::once(at, happened, statement::name(unit)?);
            if happened == Happened::Failed {
                let result = get("UNIT_RESULT").or_else(|| result(message));
                change.detail = result.and_then(statement::name);
            }
            change
        }
        None if get("_TRANSPORT") == Some(b"kernel") => of_kernel(message, at)?,
        None => return None,
    };
    change.host = get("_HOSTNAME").and_then(statement::name);
    is_telling(&change).then_some(change)
}

/// Substrings, one of which is in every line of a text that tells a change, but for deployments.
/// They are long, and so cost a search for the rules' literals next to nothing.
pub const CHANGE_LITERALS: [&[u8]; 5] = [
    b" systemd[1]: ",
    b"ut of memory: Kill",
    b"Linux version ",
    b"onnection refused",
    b" ECONNREFUSED",
];

/// The change that an entry of a text tells, if the manager of the system or the kernel wrote it.
pub(in crate::source) fn of_text(
    identifier: Option<&[u8]>,
    pid: Option<&[u8]>,
    message: &[u8],
    at: Timestamp,
) -> Option<FoundChange> {
    let change = match (identifier?, pid) {
        (b"systemd", Some(b"1")) => of_manager(message, at)?,
        (b"kernel", _) => of_kernel(without_uptime(message), at)?,
        _ => return None,
    };
    is_telling(&change).then_some(change)
}

/// `Started api.service - Orders.`, `api.service: Failed with result 'exit-code'.`
fn of_manager(message: &[u8], at: Timestamp) -> Option<FoundChange> {
    const VERBS: [(&[u8], Happened); 5] = [
        (b"Started ", Happened::Started),
        (FINISHED, Happened::Finished),
        (b"Stopped ", Happened::Stopped),
        (b"Reloaded ", Happened::Reloaded),
        (b"Failed to start ", Happened::NotStarted),
    ];
    let message = message.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let verb = VERBS.iter().find_map(|(verb, what)| Some((*what, message.strip_prefix(*verb)?)));
    if let Some((happened, described)) = verb {
        return Some(FoundChange::once(at, happened, statement::name(unit_of(described))?));
    }
    let place = memchr::memmem::find(message, b": ")?;
    let (unit, said) = (message.get(..place)?, message.get(place + 2..)?);
    let unit = statement::name(unit).filter(|unit| is_unit_name(unit))?;
    let happened = match said {
        b"Deactivated successfully." | b"Succeeded." => Happened::Ended,
        b"Unit entered failed state." => Happened::Failed,
        _ if result(said).is_some() => Happened::Failed,
        _ if said.starts_with(b"Scheduled restart job") => Happened::RestartScheduled,
        _ if said.ends_with(b" killed by the OOM killer.") => Happened::UnitOutOfMemory,
        _ => return None,
    };
    let mut change = FoundChange::once(at, happened, unit);
    change.detail = result(said).and_then(statement::name);
    Some(change)
}

/// `Out of memory: Killed process 4242 (python3) total-vm:…`, `Linux version 6.1.0-18-amd64 …`.
fn of_kernel(message: &[u8], at: Timestamp) -> Option<FoundChange> {
    if let Some(version) = message.strip_prefix(b"Linux version ") {
        let mut change = FoundChange::once(at, Happened::Booted, String::new());
        change.detail = version.split(|byte| *byte == b' ').next().and_then(statement::name);
        return Some(change);
    }
    if !is_out_of_memory(message) {
        return None;
    }
    let open = memchr::memchr(b'(', message)? + 1;
    let name = message.get(open..)?;
    let name = name.get(..memchr::memchr(b')', name)?)?;
    Some(FoundChange::once(at, Happened::OutOfMemory, statement::name(name)?))
}

/// The unit in `api.service - Orders.`; where the manager names no unit, the description.
fn unit_of(described: &[u8]) -> &[u8] {
    let described = described.strip_suffix(b".").unwrap_or(described);
    let first = described.split(|byte| *byte == b' ').next().unwrap_or(described);
    let is_unit = std::str::from_utf8(first).is_ok_and(is_unit_name);
    if is_unit { first } else { described }
}

/// The result in `… Failed with result 'exit-code'.`
fn result(message: &[u8]) -> Option<&[u8]> {
    let place = memchr::memmem::find(message, b"Failed with result '")?;
    let result = message.get(place + b"Failed with result '".len()..)?;
    result.get(..memchr::memchr(b'\'', result)?)
}

/// The message without the time since the boot that the kernel may write before it.
fn without_uptime(message: &[u8]) -> &[u8] {
    let inner = message.strip_prefix(b"[");
    let end = inner.and_then(|inner| memchr::memchr(b']', inner.get(..20).unwrap_or(inner)));
    end.map_or(message, |end| message.get(end + 2..).unwrap_or_default().trim_ascii_start())
}

/// Whether the change is of a unit whose coming and going tells something: no session of a
/// user, nothing that a program starts under a name of its own making, no device, no mount point.
fn is_telling(change: &FoundChange) -> bool {
    const PASSING: [&str; 8] = [
        "user@",
        "user-runtime-dir@",
        "session-",
        "run-",
        "Session ",
        "User Manager for UID ",
        "User Runtime Directory ",
        "/run/user/",
    ];
    let is_passing = || PASSING.iter().any(|name| change.subject.starts_with(name));
    let is_service = || change.subject.ends_with(".service") || !is_unit_name(&change.subject);
    match change.happened {
        Happened::OutOfMemory | Happened::Crashed | Happened::Booted => true,
        Happened::Failed | Happened::NotStarted | Happened::UnitOutOfMemory => {
            !change.subject.ends_with(".scope") && !is_passing()
        }
        _ => is_service() && !is_passing(),
    }
}

/// Whether the unit's first entry can tell something: systemd's own come and go as they are needed.
pub(in crate::source) fn may_appear(unit: &str) -> bool {
    let at = Timestamp::MIN;
    unit.ends_with(".service")
        && !unit.starts_with("systemd-")
        && is_telling(&FoundChange::once(at, Happened::Seen, unit.to_owned()))
}

/// Whether changes of this machine are asked for.
pub(in crate::source) fn is_of_hosts(filter: &Filter, host: Option<&str>) -> bool {
    let accepts = |pattern: &Pattern| host.is_some_and(|host| pattern.accepts(host.as_bytes()));
    filter.hosts.is_empty() || filter.hosts.iter().any(accepts)
}

//! Names to watch for: the entries that belong to a unit or to a process, whatever they say.
//!
//! Rules look at messages. Whether a unit or a process was ever there shows in the fields of
//! entries: what it logged itself, and what the service manager says about it. As in journalctl's
//! `-u`, an entry belongs to a unit that logged it, that process 1 names in `UNIT`, that root names
//! in `OBJECT_SYSTEMD_UNIT`, or that dumped core. Several names are looked for in one pass.

use std::ops::BitOrAssign;

use super::filter::is_unit_name;
use crate::entry::{Entry, Origin};
use crate::rules::Fields;
use crate::time::Timestamp;

/// The message id of a core dump, from sd-messages.h.
const COREDUMP: &[u8] = b"fc2e22bc6ee647b6b90729ab34a250b1";
/// The kernel keeps so many bytes of a process's name.
const COMM_BYTES: usize = 15;

/// Something whose entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A unit, with its suffix.
    Unit(String),
    /// A process, by the name of its program.
    Process(String),
}

/// All names that are watched for.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    names: Vec<Name>,
}

/// What the service manager says that a unit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitAct {
    /// It was started.
    Started,
    /// It was stopped.
    Stopped,
    /// It could not be started.
    StartFailed,
    /// It failed, at its start or later.
    Failed,
}

impl UnitAct {
    /// The meaning of a `MESSAGE_ID`; `None`: not one of these. The ids are those of sd-messages.h.
    fn of(id: &[u8]) -> Option<Self> {
        match id {
            b"39f53479d3a045ac8e11786248231fbf" => Some(Self::Started),
            b"9d1aaa27d60140bd96365438aad20286" => Some(Self::Stopped),
            b"be02cf6855d2428ba40df7e9d022f03d" => Some(Self::StartFailed),
            b"d9b373ed55a64feb8242e02dbe79a49c" => Some(Self::Failed),
            _ => None,
        }
    }

    /// The meaning of what the service manager wrote, for logs that keep no id.
    fn in_words(message: &[u8]) -> Option<Self> {
        let has = |words: &[u8]| memchr::memmem::find(message, words).is_some();
        match () {
            () if message.starts_with(b"Started ") => Some(Self::Started),
            () if message.starts_with(b"Stopped ") => Some(Self::Stopped),
            () if message.starts_with(b"Failed to start ") => Some(Self::StartFailed),
            () if has(b": Failed with result ") => Some(Self::Failed),
            () => None,
        }
    }
}

/// An entry that belongs to a name that is watched for.
#[derive(Debug)]
pub struct Sighting<'a> {
    /// The position of the name among those that are watched for.
    pub name: usize,
    /// When it was logged; `None` where the source does not say.
    pub at: Option<Timestamp>,
    /// Where the entry can be found again.
    pub origin: &'a Origin<'a>,
    /// What the service manager says in it that the unit did.
    pub act: Option<UnitAct>,
}

/// What fields of one entry say about the names: a bit for each name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// Logged by the unit or the process itself.
    own: u64,
    /// Named in `UNIT`, which counts if process 1 logged it.
    managed: u64,
    /// Named in `OBJECT_SYSTEMD_UNIT`, which counts if root logged it.
    object: u64,
    /// Named in `COREDUMP_UNIT`, which counts in root's entries about core dumps.
    dumped: u64,
    is_pid_1: bool,
    is_uid_0: bool,
    is_coredump: bool,
    act: Option<UnitAct>,
}

impl Signs {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The names that the entry belongs to, and what it says that they did.
    fn names(&self) -> (u64, Option<UnitAct>) {
        let managed = if self.is_pid_1 { self.managed } else { 0 };
        let object = if self.is_uid_0 { self.object } else { 0 };
        let dumped = if self.is_uid_0 && self.is_coredump { self.dumped } else { 0 };
        (self.own | managed | object | dumped, self.act.filter(|_| managed != 0))
    }

    /// Tells each name that the entry belongs to.
    pub fn tell<'a>(
        &self,
        at: Option<Timestamp>,
        origin: &'a Origin<'a>,
        mut tell: impl FnMut(&Sighting<'a>),
    ) {
        let (mut names, act) = self.names();
        while names != 0 {
            let name = names.trailing_zeros() as usize;
            let is_managed = self.managed >> name & 1 == 1;
            tell(&Sighting { name, at, origin, act: act.filter(|_| is_managed) });
            names &= names - 1;
        }
    }
}

impl BitOrAssign for Signs {
    fn bitor_assign(&mut self, other: Self) {
        self.own |= other.own;
        self.managed |= other.managed;
        self.object |= other.object;
        self.dumped |= other.dumped;
        self.is_pid_1 |= other.is_pid_1;
        self.is_uid_0 |= other.is_uid_0;
        self.is_coredump |= other.is_coredump;
        self.act = self.act.or(other.act);
    }
}

/// The fields that are looked at.
pub(super) const FIELDS: [&str; 10] = [
    "_SYSTEMD_UNIT",
    "_SYSTEMD_SLICE",
    "UNIT",
    "OBJECT_SYSTEMD_UNIT",
    "COREDUMP_UNIT",
    "_COMM",
    "_EXE",
    "SYSLOG_IDENTIFIER",
    "MESSAGE_ID",
    "_PID",
];
const UID: &str = "_UID";

impl Watch {
    /// So many names can be watched for at once.
    pub const MAX_NAMES: usize = 64;

    /// Watches for these names; those beyond [`MAX_NAMES`](Self::MAX_NAMES) are left out.
    pub fn new(mut names: Vec<Name>) -> Self {
        names.truncate(Self::MAX_NAMES);
        Self { names }
    }

    /// Whether a field can matter, judged by its first bytes (`NAME=` and the value's beginning).
    pub(super) fn may_matter(beginning: &[u8]) -> bool {
        let is_field = |name: &str| {
            beginning.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
        };
        FIELDS.into_iter().chain([UID]).any(is_field)
    }

    /// What a field (`NAME=value`) says.
    pub(super) fn signs_of_field(&self, field: &[u8]) -> Signs {
        let Some(at) = memchr::memchr(b'=', field.get(..32).unwrap_or(field)) else {
            return Signs::default();
        };
        self.signs_of(&field[..at], &field[at + 1..])
    }

    /// What the fields of an entry say together.
    pub(super) fn signs_of_fields(&self, fields: &dyn Fields) -> Signs {
        let mut signs = Signs::default();
        for name in FIELDS.into_iter().chain([UID]) {
            fields.any(name, &mut |value| {
                signs |= self.signs_of(name.as_bytes(), value);
                false
            });
        }
        signs
    }

    /// What a line of a text log says, which has no fields of its own: process 1 calls itself
    /// `systemd` there, and names the unit in the message.
    pub(super) fn signs_of_text(&self, entry: &Entry<'_>) -> Signs {
        let mut signs = self.signs_of_fields(entry);
        let is_managers = entry.identifier == Some(b"systemd") && entry.pid == Some(b"1");
        if is_managers {
            signs.is_pid_1 = true;
            signs.managed = self.units(|unit| names_unit(entry.message, unit.as_bytes()));
            signs.act = UnitAct::in_words(entry.message);
        }
        signs
    }

    fn signs_of(&self, field: &[u8], value: &[u8]) -> Signs {
        let none = Signs::default();
        let unit = || self.units(|unit| unit.as_bytes() == value);
        match field {
            b"_SYSTEMD_UNIT" => Signs { own: unit(), ..none },
            b"_SYSTEMD_SLICE" if value.ends_with(b".slice") => Signs { own: unit(), ..none },
            b"UNIT" => Signs { managed: unit(), ..none },
            b"OBJECT_SYSTEMD_UNIT" => Signs { object: unit(), ..none },
            b"COREDUMP_UNIT" => Signs { dumped: unit(), ..none },
            b"SYSLOG_IDENTIFIER" => Signs { own: self.processes(|name| name == value), ..none },
            b"_COMM" => {
                let cut = |name: &[u8]| name.get(..COMM_BYTES).unwrap_or(name) == value;
                Signs { own: self.processes(cut), ..none }
            }
            b"_EXE" => {
                let program = value.rsplit(|&byte| byte == b'/').next().unwrap_or(value);
                Signs { own: self.processes(|name| name == program), ..none }
            }
            b"_PID" => Signs { is_pid_1: value == b"1", ..none },
            b"_UID" => Signs { is_uid_0: value == b"0", ..none },
            b"MESSAGE_ID" if value == COREDUMP => Signs { is_coredump: true, ..none },
            b"MESSAGE_ID" => Signs { act: UnitAct::of(value), ..none },
            _ => none,
        }
    }

    fn units(&self, test: impl Fn(&str) -> bool) -> u64 {
        self.bits(|name| matches!(name, Name::Unit(unit) if test(unit)))
    }

    fn processes(&self, test: impl Fn(&[u8]) -> bool) -> u64 {
        self.bits(|name| matches!(name, Name::Process(process) if test(process.as_bytes())))
    }

    fn bits(&self, test: impl Fn(&Name) -> bool) -> u64 {
        let places = self.names.iter().enumerate().filter(|(_, name)| test(name));
        places.fold(0, |bits, (place, _)| bits | 1 << place)
    }
}

/// Whether a message names the unit as a word.
fn names_unit(message: &[u8], unit: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.@\\".contains(byte);
    memchr::memmem::find_iter(message, unit).any(|at| {
        let before = at.checked_sub(1).and_then(|before| message.get(before));
        let after = message.get(at + unit.len()..).unwrap_or_default();
        // A full stop after a name ends a sentence.
        let goes_on = after.first().is_some_and(|byte| is_part(byte) && *byte != b'.');
        !before.is_some_and(is_part) && !goes_on
    })
}

/// The name of a unit with its suffix: `.service` where it has none of a unit's.
pub fn unit_name(text: &str) -> String {
    if is_unit_name(text) { text.to_owned() } else { format!("{text}.service") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The position of a name, and what the unit did.
    type Told = (usize, Option<UnitAct>);

    /// The names that an entry with these fields belongs to.
    fn sighted(names: &[Name], fields: &[&str]) -> Vec<Told> {
        let watch = Watch::new(names.to_vec());
        let mut signs = Signs::default();
        for field in fields {
            assert!(Watch::may_matter(field.as_bytes()), "{field}");
            signs |= watch.signs_of_field(field.as_bytes());
        }
        told(signs)
    }

    fn told(signs: Signs) -> Vec<Told> {
        let mut told = Vec::new();
        let origin = Origin::CursorText(b"");
        signs.tell(None, &origin, |sighting| told.push((sighting.name, sighting.act)));
        told
    }

    fn unit(name: &str) -> Name {
        Name::Unit(name.to_owned())
    }

    const STARTED: &str = "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf";
    const DUMPED: &str = "MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1";

    #[test]
    fn an_entry_belongs_to_units_as_journalctl_has_it() {
        let names = [unit("api.service"), unit("db.service"), unit("user.slice")];
        let started = Some(UnitAct::Started);
        let cases: [(&[&str], Vec<Told>); 9] = [
            (&["_SYSTEMD_UNIT=api.service", STARTED], vec![(0, None)]),
            (&["UNIT=api.service", "_PID=1", STARTED], vec![(0, started)]),
            (&["UNIT=api.service", "_PID=7", STARTED], vec![]),
            (&["OBJECT_SYSTEMD_UNIT=db.service", "_UID=0"], vec![(1, None)]),
            (&["OBJECT_SYSTEMD_UNIT=db.service", "_UID=33"], vec![]),
            (&["COREDUMP_UNIT=db.service", "_UID=0"], vec![]),
            (&["COREDUMP_UNIT=db.service", "_UID=0", DUMPED], vec![(1, None)]),
            (
                &["_SYSTEMD_UNIT=db.service", "_SYSTEMD_SLICE=user.slice"],
                vec![(1, None), (2, None)],
            ),
            (&["_SYSTEMD_UNIT=api.service.d"], vec![]),
        ];
        for (fields, expected) in cases {
            assert_eq!(sighted(&names, fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_process_is_known_by_any_of_its_names() {
        let names = [Name::Process("postgres_exporter".to_owned())];
        for (field, is_its) in [
            ("_COMM=postgres_export", true),
            ("_COMM=postgres", false),
            ("_EXE=/usr/bin/postgres_exporter", true),
            ("_EXE=/usr/bin/postgres_exporter2", false),
            ("SYSLOG_IDENTIFIER=postgres_exporter", true),
        ] {
            assert_eq!(!sighted(&names, &[field]).is_empty(), is_its, "{field}");
        }
    }

    #[test]
    fn in_a_text_process_1_says_which_unit_it_speaks_of() {
        let watch = Watch::new(vec![unit("pg-replica.service")]);
        let of = |pid: &'static [u8], message: &str| {
            let mut entry = Entry::new(message.as_bytes(), Origin::CursorText(b""));
            (entry.identifier, entry.pid) = (Some(b"systemd".as_slice()), Some(pid));
            told(watch.signs_of_text(&entry))
        };
        let (started, failed) = (Some(UnitAct::Started), Some(UnitAct::Failed));
        assert_eq!(of(b"1", "pg-replica.service: Failed with result 'exit-code'."), [(0, failed)]);
        assert_eq!(of(b"1", "Started pg-replica.service."), [(0, started)]);
        assert_eq!(of(b"1", "Started old-pg-replica.service."), []);
        assert_eq!(of(b"812", "Started pg-replica.service."), [], "a user's manager spoke");
    }
}

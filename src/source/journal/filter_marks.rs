//! The filters of journalctl in terms of single fields: what each field of an entry contributes,
//! and which contributions together let an entry pass.
//!
//! `-u` asks more than the `_SYSTEMD_UNIT` field: as `add_matches_for_unit()` in systemd's
//! `logs-show.c` has it, an entry also belongs to a unit if its core dump was of that unit, if the
//! service manager logged it about the unit, or if a privileged daemon did.

use std::ops::{BitOr, BitOrAssign};

use crate::source::Filter;
use crate::source::filter::Pattern;
use crate::source::statement::JournaldId;

/// Why a field matters to the filters; a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldFacts(u16);

impl FieldFacts {
    /// `_SYSTEMD_UNIT` is one of the units.
    const OWN_UNIT: Self = Self(1 << 0);
    /// `UNIT`, which the service manager sets, is one of the units.
    const MANAGED_UNIT: Self = Self(1 << 1);
    /// `OBJECT_SYSTEMD_UNIT` is one of the units.
    const OBJECT_UNIT: Self = Self(1 << 2);
    /// `COREDUMP_UNIT` is one of the units.
    const COREDUMP_UNIT: Self = Self(1 << 3);
    /// `_SYSTEMD_SLICE` is a slice among the units.
    const SLICE: Self = Self(1 << 4);
    /// Logged by process 1, the service manager.
    const PID_1: Self = Self(1 << 5);
    /// Logged by root.
    const UID_0: Self = Self(1 << 6);
    /// `MESSAGE_ID` is that of a core dump.
    const COREDUMP: Self = Self(1 << 7);
    /// `SYSLOG_IDENTIFIER` is one of the identifiers.
    const IDENTIFIER: Self = Self(1 << 8);
    /// `_HOSTNAME` is one of the hosts.
    const HOST: Self = Self(1 << 9);
    /// `PRIORITY` is one of those wanted.
    const PRIORITY: Self = Self(1 << 10);
    /// `MESSAGE_ID` is one by which journald speaks of itself. No filter asks for it.
    const JOURNALD: Self = Self(1 << 11);
    /// The entry may tell a change by its fields. No filter asks for it.
    pub(super) const CHANGE: Self = Self(1 << 12);
    /// The entry may tell a change by the words of its message. No filter asks for it.
    pub(super) const WORDS: Self = Self(1 << 13);

    /// Nothing that matters.
    pub const NONE: Self = Self(0);

    /// Whether the entry may be a statement of journald about itself.
    #[inline]
    pub fn may_be_journalds(self) -> bool {
        self.has(Self::JOURNALD)
    }

    /// Whether the entry may tell a change.
    #[inline]
    pub(super) fn may_be_change(self) -> bool {
        self.0 & (Self::CHANGE.0 | Self::WORDS.0) != 0
    }

    /// Whether it may tell one by its message.
    pub(super) fn may_be_words(self) -> bool {
        self.has(Self::WORDS)
    }

    /// Whether the host is one of those asked for.
    pub(super) fn has_host(self) -> bool {
        self.has(Self::HOST)
    }

    fn has(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }
}

impl BitOr for FieldFacts {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for FieldFacts {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// A [`Filter`] taken apart into single fields. The boot is not among them: every entry has its
/// own.
#[derive(Debug, Clone, Copy)]
pub struct FieldFilter<'a> {
    filter: &'a Filter,
}

impl<'a> FieldFilter<'a> {
    /// The field conditions of `filter`.
    pub fn new(filter: &'a Filter) -> Self {
        Self { filter }
    }

    /// Whether any field matters.
    pub fn is_active(&self) -> bool {
        !(self.filter.units.is_empty()
            && self.filter.identifiers.is_empty()
            && self.filter.hosts.is_empty()
            && self.filter.priorities.is_none())
    }

    /// Whether a field can matter, judged by its first bytes (`NAME=` and the value's beginning).
    pub fn may_matter(&self, beginning: &[u8]) -> bool {
        const NAMES: [&[u8]; 11] = [
            b"_SYSTEMD_UNIT=",
            b"UNIT=",
            b"OBJECT_SYSTEMD_UNIT=",
            b"COREDUMP_UNIT=",
            b"_SYSTEMD_SLICE=",
            b"SYSLOG_IDENTIFIER=",
            b"_HOSTNAME=",
            b"PRIORITY=",
            b"_PID=",
            b"_UID=",
            b"MESSAGE_ID=",
        ];
        self.is_active() && NAMES.iter().any(|name| beginning.starts_with(name))
    }

    /// What a field (`NAME=value`) contributes to its entry.
    pub fn facts_of(&self, field: &[u8]) -> FieldFacts {
        let Some(at) = memchr::memchr(b'=', field.get(..32).unwrap_or(field)) else {
            return FieldFacts::NONE;
        };
        let (name, value) = (&field[..at], &field[at + 1..]);
        let units = &self.filter.units;
        let (holds, fact) = match name {
            b"_SYSTEMD_UNIT" => (any(units, value), FieldFacts::OWN_UNIT),
            b"UNIT" => (any(units, value), FieldFacts::MANAGED_UNIT),
            b"OBJECT_SYSTEMD_UNIT" => (any(units, value), FieldFacts::OBJECT_UNIT),
            b"COREDUMP_UNIT" => (any(units, value), FieldFacts::COREDUMP_UNIT),
            b"_SYSTEMD_SLICE" => {
                (value.ends_with(b".slice") && any(units, value), FieldFacts::SLICE)
            }
            b"_PID" => (value == b"1", FieldFacts::PID_1),
            b"_UID" => (value == b"0", FieldFacts::UID_0),
            b"MESSAGE_ID" if JournaldId::of(value).is_some() => (true, FieldFacts::JOURNALD),
            b"MESSAGE_ID" => (value == b"fc2e22bc6ee647b6b90729ab34a250b1", FieldFacts::COREDUMP),
            b"SYSLOG_IDENTIFIER" => (any(&self.filter.identifiers, value), FieldFacts::IDENTIFIER),
            b"_HOSTNAME" => (any(&self.filter.hosts, value), FieldFacts::HOST),
            b"PRIORITY" => (self.priority_passes(value), FieldFacts::PRIORITY),
            _ => return FieldFacts::NONE,
        };
        if holds { fact } else { FieldFacts::NONE }
    }

    /// Whether an entry passes whose fields contribute `facts`.
    pub fn accepts(&self, facts: FieldFacts) -> bool {
        let filter = self.filter;
        (filter.units.is_empty() || belongs_to_unit(facts))
            && (filter.identifiers.is_empty() || facts.has(FieldFacts::IDENTIFIER))
            && (filter.hosts.is_empty() || facts.has(FieldFacts::HOST))
            && (filter.priorities.is_none() || facts.has(FieldFacts::PRIORITY))
    }

    fn priority_passes(&self, value: &[u8]) -> bool {
        match (self.filter.priorities, value) {
            (Some(set), [digit @ b'0'..=b'7']) => set >> (digit - b'0') & 1 == 1,
            _ => false,
        }
    }
}

fn any(patterns: &[Pattern], value: &[u8]) -> bool {
    patterns.iter().any(|pattern| pattern.accepts(value))
}

fn belongs_to_unit(facts: FieldFacts) -> bool {
    const COREDUMP: FieldFacts =
        FieldFacts(FieldFacts::COREDUMP_UNIT.0 | FieldFacts::COREDUMP.0 | FieldFacts::UID_0.0);
    facts.has(FieldFacts::OWN_UNIT)
        || facts.has(FieldFacts::SLICE)
        || facts.has(FieldFacts::MANAGED_UNIT | FieldFacts::PID_1)
        || facts.has(FieldFacts::OBJECT_UNIT | FieldFacts::UID_0)
        || facts.has(COREDUMP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(fields: &[&str]) -> bool {
        let filter = Filter { units: vec![Pattern::unit("api").unwrap()], ..Filter::default() };
        let filter = FieldFilter::new(&filter);
        let facts = fields
            .iter()
            .fold(FieldFacts::NONE, |facts, field| facts | filter.facts_of(field.as_bytes()));
        filter.accepts(facts)
    }

    #[test]
    fn a_unit_owns_what_it_logs_and_what_the_service_manager_says_of_it() {
        assert!(passes(&["_SYSTEMD_UNIT=api.service"]));
        assert!(passes(&["UNIT=api.service", "_PID=1"]));
        assert!(!passes(&["UNIT=api.service", "_PID=17"]));
        assert!(!passes(&["_SYSTEMD_UNIT=web.service", "_UID=0"]));
    }

    #[test]
    fn only_root_speaks_for_other_units() {
        assert!(passes(&["OBJECT_SYSTEMD_UNIT=api.service", "_UID=0"]));
        assert!(!passes(&["OBJECT_SYSTEMD_UNIT=api.service", "_UID=1000"]));
        let dump = "MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1";
        assert!(passes(&["COREDUMP_UNIT=api.service", dump, "_UID=0"]));
        assert!(!passes(&["COREDUMP_UNIT=api.service", "_UID=0"]));
    }
}

//! Which entries count: the filters of journalctl (`-u`, `-t`, `-b`, `-p`, `--host`), as values
//! that every source understands.
//!
//! As in journalctl, several values of one option are alternatives, and options of different
//! kinds must all pass.

use globset::GlobMatcher;

use crate::entry::Entry;

/// The conditions that an entry must meet. The default lets everything pass.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Units, one of which the entry must belong to.
    pub units: Vec<Pattern>,
    /// Syslog identifiers, one of which the entry must have.
    pub identifiers: Vec<Pattern>,
    /// Host names, one of which the entry must have.
    pub hosts: Vec<Pattern>,
    /// The boot that the entry must be of, as 32 hexadecimal digits in lower case.
    pub boot: Option<String>,
    /// The priorities that pass, as a bit each: bit 0 is emerg, bit 7 debug.
    pub priorities: Option<u8>,
}

impl Filter {
    /// Whether there is no condition at all.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
            && self.identifiers.is_empty()
            && self.hosts.is_empty()
            && self.boot.is_none()
            && self.priorities.is_none()
    }

    /// Whether the entry's own fields meet all conditions. A field that is not known fails.
    pub fn accepts(&self, entry: &Entry<'_>) -> bool {
        one_of(&self.units, entry.unit)
            && one_of(&self.identifiers, entry.identifier)
            && one_of(&self.hosts, entry.host)
            && self.boot.as_ref().is_none_or(|boot| {
                entry.boot.is_some_and(|own| own.eq_ignore_ascii_case(boot.as_bytes()))
            })
            && self.priorities.is_none_or(|set| {
                entry.priority.is_some_and(|own| own < 8 && set & (1 << own) != 0)
            })
    }
}

fn one_of(patterns: &[Pattern], value: Option<&[u8]>) -> bool {
    patterns.is_empty()
        || value.is_some_and(|value| patterns.iter().any(|pattern| pattern.accepts(value)))
}

/// Whether `text` ends as the names of units do.
pub(super) fn is_unit_name(text: &str) -> bool {
    const SUFFIXES: [&str; 11] = [
        ".service",
        ".socket",
        ".target",
        ".timer",
        ".mount",
        ".slice",
        ".scope",
        ".path",
        ".device",
        ".swap",
        ".automount",
    ];
    SUFFIXES.iter().any(|suffix| text.ends_with(suffix))
}

/// A name, or a glob (`*`, `?`, `[…]`) that names must match whole.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Exactly this name.
    Name(String),
    /// Every name that this glob matches.
    Glob(GlobMatcher),
}

impl Pattern {
    /// A pattern for a name as given. Fails where the glob is malformed.
    pub fn new(text: &str) -> Result<Self, globset::Error> {
        if text.contains(['*', '?', '[']) {
            let glob = globset::GlobBuilder::new(text).backslash_escape(false).build()?;
            return Ok(Self::Glob(glob.compile_matcher()));
        }
        Ok(Self::Name(text.to_owned()))
    }

    /// A pattern for a unit: `.service` is implied where no unit suffix is given.
    pub fn unit(text: &str) -> Result<Self, globset::Error> {
        if is_unit_name(text) || text.ends_with('*') {
            return Self::new(text);
        }
        Self::new(&format!("{text}.service"))
    }

    /// Whether `value` is one of the names.
    pub fn accepts(&self, value: &[u8]) -> bool {
        match self {
            Self::Name(name) => name.as_bytes() == value,
            Self::Glob(glob) => std::str::from_utf8(value).is_ok_and(|value| glob.is_match(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_without_suffix_is_a_service() {
        assert!(Pattern::unit("api").unwrap().accepts(b"api.service"));
        assert!(!Pattern::unit("api").unwrap().accepts(b"api.socket"));
        assert!(Pattern::unit("api@*").unwrap().accepts(b"api@7.service"));
        assert!(Pattern::unit("user.slice").unwrap().accepts(b"user.slice"));
    }

    #[test]
    fn a_backslash_in_a_unit_name_is_a_backslash() {
        assert!(Pattern::unit(r"dev-disk\x2d*.device").unwrap().accepts(br"dev-disk\x2da.device"));
    }
}

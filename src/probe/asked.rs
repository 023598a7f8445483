//! What is asked about, and the words by which messages speak of it.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::rules::{RuleError, RuleSet};
use crate::source::watch::{self, Name};

/// Something that may be there, or may have been.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asked {
    /// A unit of systemd, with its suffix.
    Unit(String),
    /// A TCP or UDP port that something listens on.
    Port(u16),
    /// A file or directory, as an absolute path.
    Path(PathBuf),
    /// A process, by the name of its program.
    Process(String),
}

/// Names of units, files and programs are not longer.
const MAX_NAME_BYTES: usize = 255;

impl Asked {
    /// The unit with this name; `.service` is implied. Fails where no unit can have it.
    pub fn unit(text: &str) -> Result<Self, String> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
        if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(is_allowed) {
            return Err(format!(
                "--unit {text}: no unit can have this name.\nGive the name of one unit, \
                 without a glob, such as postgresql@16-main.service."
            ));
        }
        Ok(Self::Unit(watch::unit_name(text)))
    }

    /// The port with this number. Fails for 0, which nothing listens on.
    pub fn port(text: &str) -> Result<Self, String> {
        let port = text.parse().ok().filter(|port| *port > 0);
        port.map(Self::Port)
            .ok_or_else(|| format!("--port {text}: no port.\nGive a number from 1 to 65535."))
    }

    /// The file or directory at `path`, which `base` makes absolute.
    pub fn path(path: &Path, base: &Path) -> Result<Self, String> {
        if path.as_os_str().is_empty() {
            return Err("--path: no path.\nGive the path of a file or a directory.".to_owned());
        }
        let is_step = |part: &Component<'_>| !matches!(part, Component::CurDir);
        Ok(Self::Path(base.join(path).components().filter(is_step).collect()))
    }

    /// The process with this name.
    pub fn process(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > MAX_NAME_BYTES || text.contains('/') {
            return Err(format!(
                "--process {text}: no name of a program.\nGive it without its directory, such \
                 as postgres."
            ));
        }
        Ok(Self::Process(text.to_owned()))
    }

    /// The kind in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unit(_) => "unit",
            Self::Port(_) => "port",
            Self::Path(_) => "path",
            Self::Process(_) => "process",
        }
    }

    /// The name, number or path, as it was asked for. It may hold any character.
    pub fn name(&self) -> String {
        match self {
            Self::Unit(name) | Self::Process(name) => name.clone(),
            Self::Port(port) => port.to_string(),
            Self::Path(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// The name that entries of its own have in their fields; `None`: it logs nothing itself.
    pub(super) fn own_name(&self) -> Option<Name> {
        match self {
            Self::Unit(name) => Some(Name::Unit(name.clone())),
            Self::Process(name) => Some(Name::Process(name.clone())),
            Self::Port(_) | Self::Path(_) => None,
        }
    }

    /// An expression (the syntax of the `regex` crate, on bytes) that matches the messages that
    /// speak of it.
    pub(super) fn mention(&self) -> String {
        match self {
            Self::Unit(unit) => unit_mention(unit),
            Self::Port(port) => format!(
                r"(?:[^:]:|^:|\b[Pp][Oo][Rr][Tt][ =:#]{{1,3}}[^0-9A-Za-z]?|\b[Dd][Pp][Tt]=|\.s\.PGSQL\.|\b(?:tcp|udp)/){port}(?:$|[^0-9A-Za-z:.]|/(?:tcp|udp)|[:.](?:$|[^0-9A-Za-z]))"
            ),
            Self::Path(path) => as_word(&literal(path.as_os_str().as_bytes())),
            Self::Process(name) => as_word(&literal(name.as_bytes())),
        }
    }

    /// An expression that matches, of the messages that speak of it, those that say that it is
    /// there: a server that tells where it listens.
    pub(super) fn presence(&self) -> Option<String> {
        let Self::Port(_) = self else { return None };
        let mention = self.mention();
        Some(format!(
            r"(?i:\blisten(?:s|ing)? (?:on|at)\b).*?{mention}|(?i:\b(?:running|serving|bound) (?:on|at|to) )[^ ]*{mention}"
        ))
    }

    /// An expression that matches those of them that say or ask whether it is there at all.
    pub(super) fn denial(&self) -> Option<String> {
        let Self::Port(port) = self else { return None };
        Some(format!(r"(?i:(?:\bno\w*|n't)\b[^.;]*\blisten)|{port}[^0-9A-Za-z]?\?"))
    }
}

/// The full name of a unit; and the name alone where it is no word of everyday language, as people
/// write it after `systemctl`.
fn unit_mention(unit: &str) -> String {
    let full = literal(unit.as_bytes());
    let stem = unit.strip_suffix(".service").filter(|stem| stem.contains(['-', '_', '@']));
    match stem {
        Some(stem) => as_word(&format!(r"{}(?:\.service)?", literal(stem.as_bytes()))),
        None => as_word(&full),
    }
}

/// The expression, where it is not a part of a longer name. Before it there may be the end of a
/// colour's escape sequence, and after it a full stop.
fn as_word(expression: &str) -> String {
    let before = r"(?:^|[^0-9A-Za-z_.@-]|\x1b\[[0-9;]*m)";
    let after = r"(?:$|[^0-9A-Za-z_.@-]|\.(?:$|[^0-9A-Za-z]))";
    format!("{before}{expression}{after}")
}

/// An expression for exactly these bytes, of which every one that is no letter or digit is
/// written by its number: nothing of a name can be taken for syntax, of any language.
fn literal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut expression, &byte| {
        if byte.is_ascii_alphanumeric() {
            expression.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(expression, "\\x{byte:02x}");
        }
        expression
    })
}

/// Rules that match every message that speaks of something asked about. Which of them it speaks of
/// is for `history` to say: a message has one rule.
pub fn rules(asked: &[Asked]) -> Result<RuleSet, RuleError> {
    let mut text = String::new();
    for (number, asked) in asked.iter().enumerate() {
        let expression = asked.mention();
        let _ = write!(
            text,
            "[[rule]]\nid = 'asked-{number}'\nclass = 'asked'\npattern = '''{expression}'''\n"
        );
    }
    RuleSet::empty().with_file("what is asked", &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Classifier;

    fn speaks_of(asked: &Asked, message: &str) -> bool {
        let classifier = Classifier::new(rules(std::slice::from_ref(asked)).unwrap());
        classifier.classify(message.as_bytes(), &crate::rules::NoFields).is_some()
    }

    #[test]
    fn a_port_is_told_from_other_numbers() {
        let asked = Asked::port("5433").unwrap();
        for message in [
            "connection to server at \"127.0.0.1\", port 5433 failed: Connection refused",
            "dial tcp 10.0.0.7:5433: connect: connection refused",
            "listening on IPv4 address \"0.0.0.0\", port 5433",
            "listening on Unix socket \"/run/postgresql/.s.PGSQL.5433\"",
            "postgresql://ro@db1:5433/shop",
            "host=db1 port=5433",
            "Listening on [::]:5433",
            "no answer from :5433.",
            "ALLOW 5433/tcp, PORT: 5433",
            "allow tcp/5433",
            "[UFW BLOCK] PROTO=TCP SPT=44012 DPT=5433 WINDOW=1024",
        ] {
            assert!(speaks_of(&asked, message), "{message}");
        }
        for message in [
            "process 5433 exited",
            "at 12:54:33.5433",
            "port 54330",
            "port 15433",
            "10.0.0.7:54331",
            "fe80::5433:1",
            "sha256:5433ab",
            "report 5433",
            "SPT=5433 DPT=22",
        ] {
            assert!(!speaks_of(&asked, message), "{message}");
        }
    }

    #[test]
    fn a_path_is_a_whole_one() {
        let asked = Asked::path(Path::new("/data/pg+replica/."), Path::new("/")).unwrap();
        assert_eq!(asked.name(), "/data/pg+replica");
        for message in [
            "could not open directory \"/data/pg+replica\": No such file or directory",
            "/data/pg+replica/PG_VERSION is missing",
            "no such directory: /data/pg+replica.",
            "PGDATA=/data/pg+replica",
        ] {
            assert!(speaks_of(&asked, message), "{message}");
        }
        for message in [
            "/data/pg+replica2",
            "/data/pg+replica.old",
            "/mnt/data/pg+replica",
            "/data/pgg+replica",
        ] {
            assert!(!speaks_of(&asked, message), "{message}");
        }
    }

    #[test]
    fn a_unit_is_spoken_of_by_its_full_name_or_by_one_that_is_no_word() {
        let replica = Asked::unit("pg-replica").unwrap();
        assert_eq!(replica.name(), "pg-replica.service");
        assert!(speaks_of(&replica, "COMMAND=/usr/bin/systemctl start pg-replica"));
        assert!(speaks_of(&replica, "Started pg-replica.service - Replica."));
        assert!(!speaks_of(&replica, "old-pg-replica is gone"));
        assert!(!speaks_of(&replica, "pg-replica-2.service"));
        let cron = Asked::unit("cron").unwrap();
        assert!(!speaks_of(&cron, "the cron job ran") && speaks_of(&cron, "restart cron.service"));
    }

    #[test]
    fn a_name_is_never_taken_for_syntax() {
        let hostile = Asked::process("x'''\n[[rule]]\nid='y").unwrap();
        let rules = rules(&[hostile, Asked::process("a.*(b").unwrap()]).unwrap();
        assert_eq!(rules.rules().len(), 2);
        assert!(!speaks_of(&Asked::process("a.*b").unwrap(), "axxb"));
    }

    #[test]
    fn what_cannot_be_there_is_refused() {
        assert!(Asked::unit("../../etc/passwd").is_err() && Asked::unit("pg*").is_err());
        assert!(Asked::port("0").is_err() && Asked::port("65536").is_err());
        assert!(Asked::process("/usr/bin/postgres").is_err());
        assert!(Asked::path(Path::new(""), Path::new("/")).is_err());
        assert_eq!(Asked::path(Path::new("x/"), Path::new("/srv")).unwrap().name(), "/srv/x");
    }
}

//! What the machine says now.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::asked::Asked;
use super::place::Place;
use super::{bus, paths, ports, processes, unit_files};
use crate::time::Timestamp;

/// What is examined, and what is known of it before anything is asked.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its file system.
    pub place: Place,
    /// Whether what runs now is left out: the logs are another machine's.
    pub is_left_out: bool,
    /// How long systemd may take to answer.
    pub patience: Duration,
}

/// What is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Now {
    /// It is there.
    Present(Facts),
    /// It is not there.
    Absent(Traces),
    /// That cannot be told, for this reason: a clause without a full stop.
    Unknown(String),
    /// Nobody asked.
    NotAsked,
}

/// What is known of something that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts {
    /// Of a unit.
    Unit(UnitFacts),
    /// Who listens on a port; never empty.
    Port(Vec<Listener>),
    /// Of a file or directory.
    Path(PathFacts),
    /// The processes with the name; never empty.
    Process(Vec<Running>),
}

/// What is known of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitFacts {
    /// `loaded`, `masked`, `error` and so on, in systemd's words.
    pub load_state: String,
    /// `active`, `inactive`, `failed` and so on; `None`: no systemd runs that could say.
    pub active_state: Option<String>,
    /// `running`, `dead` and so on.
    pub sub_state: Option<String>,
    /// `enabled`, `disabled`, `static` and so on.
    pub file_state: Option<String>,
    /// Since when it is in this state.
    pub since: Option<Timestamp>,
    /// The unit's file.
    pub file: Option<PathBuf>,
    /// Its processes, where no systemd was asked.
    pub pids: Vec<i32>,
    /// Why systemd was not asked, as a clause; `None`: it was.
    pub why_no_systemd: Option<String>,
}

/// A socket that waits for connections or datagrams.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// Address and port.
    pub address: SocketAddr,
    /// The process that holds it, where this user may know: its id and name.
    pub process: Option<(i32, String)>,
}

/// What is known of a file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFacts {
    /// `directory`, `file`, `socket` and so on.
    pub kind: &'static str,
    /// The owner: a name where there is one, else a number.
    pub owner: String,
    /// When it was last modified.
    pub modified: Option<Timestamp>,
    /// Where it is when all links are followed, if that is elsewhere.
    pub leads_to: Option<PathBuf>,
    /// Whether a file system is mounted there.
    pub is_mount_point: bool,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub pid: i32,
    /// When it was started.
    pub since: Option<Timestamp>,
    /// Its program's file, where this user may know.
    pub program: Option<PathBuf>,
}

/// What was looked at in vain, and what is left of something that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traces {
    /// Where it was looked for: a clause such as `no unit file in /etc/systemd/system`.
    pub looked: String,
    /// What is left: files, links and directories that belonged to it.
    pub left: Vec<PathBuf>,
}

/// What the machine says of each thing asked, in that order.
pub fn ask(machine: &Machine, asked: &[Asked]) -> Vec<Now> {
    if machine.is_left_out {
        return vec![Now::NotAsked; asked.len()];
    }
    let units = asked.iter().filter_map(|asked| match asked {
        Asked::Unit(name) => Some(name.as_str()),
        _ => None,
    });
    let units: Vec<&str> = units.collect();
    let mut told = ask_units(machine, &units).into_iter();
    let of_one = |asked: &Asked| match asked {
        Asked::Unit(_) => told.next().unwrap_or(Now::NotAsked),
        Asked::Path(path) => paths::look(&machine.place, path),
        Asked::Port(_) | Asked::Process(_) if machine.place.is_image() => {
            let what = if matches!(asked, Asked::Port(_)) { "listens" } else { "runs" };
            Now::Unknown(format!("nothing {what} in an image"))
        }
        Asked::Port(port) => ports::look(*port),
        Asked::Process(name) => processes::look(name),
    };
    asked.iter().map(of_one).collect()
}

/// Asks systemd, or looks for unit files where there is none to ask.
fn ask_units(machine: &Machine, units: &[&str]) -> Vec<Now> {
    if units.is_empty() {
        return Vec::new();
    }
    let answers = if machine.place.is_image() {
        Err("an image runs no systemd".to_owned())
    } else if !is_booted_by_systemd() && std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS").is_none() {
        Err("no systemd runs here".to_owned())
    } else {
        bus::ask(units, machine.patience)
    };
    match answers {
        Ok(answers) => answers
            .into_iter()
            .zip(units)
            .map(|(answer, unit)| by_systemd(&machine.place, unit, answer))
            .collect(),
        Err(why) => units.iter().map(|unit| unit_files::look(&machine.place, unit, &why)).collect(),
    }
}

/// As `sd_booted(3)` has it.
fn is_booted_by_systemd() -> bool {
    std::fs::symlink_metadata("/run/systemd/system").is_ok_and(|metadata| metadata.is_dir())
}

/// systemd's answer. It knows nothing of what is left of a unit without a file.
fn by_systemd(place: &Place, unit: &str, answer: UnitFacts) -> Now {
    let is_gone = answer.load_state == "not-found"
        && answer.active_state.as_deref().is_none_or(|state| state == "inactive");
    if !is_gone {
        return Now::Present(Facts::Unit(answer));
    }
    let left = unit_files::left_of(place, unit);
    Now::Absent(Traces { looked: "systemd knows no such unit".to_owned(), left })
}

/// The name of a user of the examined system, or the number.
pub(super) fn owner(place: &Place, uid: u32) -> String {
    let accounts = place.text("/etc/passwd");
    let own = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    own.unwrap_or_else(|| uid.to_string())
}

/// The last part of a path, as text.
pub(super) fn base_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

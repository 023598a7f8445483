//! Unit files, for where no systemd runs that could be asked: systemd.unit(5), "Unit File Load
//! Path".

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::now::{Facts, Now, Traces, UnitFacts};
use super::place::{Looked, Place};
use super::processes;

/// Where units of the system are, those that win first.
const FOLDERS: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// What the files say of a unit. `why`: why systemd was not asked.
pub(super) fn look(place: &Place, unit: &str, why: &str) -> Now {
    let pids = if place.is_image() { Vec::new() } else { processes::of_unit(unit) };
    let found = match find(place, unit) {
        Ok(found) => found,
        Err(unknown) => return Now::Unknown(unknown),
    };
    let (load_state, file) = match found {
        Some(found) => found,
        None if pids.is_empty() => {
            let looked = format!("no unit file in /etc, /run, /usr or /lib/systemd ({why})");
            return Now::Absent(Traces { looked, left: left_of(place, unit) });
        }
        None => ("not-found", None),
    };
    Now::Present(Facts::Unit(UnitFacts {
        load_state: load_state.to_owned(),
        file_state: Some(file_state(place, unit, load_state).to_owned()),
        file,
        pids,
        why_no_systemd: Some(why.to_owned()),
        ..UnitFacts::default()
    }))
}

/// The file of a unit, or of its template, and the load state that it leads to.
fn find(place: &Place, unit: &str) -> Result<Option<(&'static str, Option<PathBuf>)>, String> {
    let names = std::iter::once(unit.to_owned()).chain(template(unit));
    for name in names {
        for folder in FOLDERS {
            let path = Path::new(folder).join(&name);
            match place.look(&path) {
                Looked::Found { metadata, .. } if metadata.is_file() && metadata.len() == 0 => {
                    return Ok(Some(("masked", Some(path))));
                }
                Looked::Found { metadata, .. } if metadata.is_file() => {
                    return Ok(Some(("loaded", Some(path))));
                }
                _ if place.link(&path).is_some_and(|to| to == Path::new("/dev/null")) => {
                    return Ok(Some(("masked", Some(path))));
                }
                Looked::Unknown { at, error } => {
                    return Err(format!("{}: {error}", at.display()));
                }
                Looked::Found { .. } | Looked::Missing { .. } => {}
            }
        }
    }
    let script = unit.strip_suffix(".service").map(|name| Path::new("/etc/init.d").join(name));
    Ok(script.filter(|script| place.find(script).is_some()).map(|script| ("loaded", Some(script))))
}

/// The template that an instance is made of: `postgresql@.service` for `postgresql@16.service`.
fn template(unit: &str) -> Option<String> {
    let (name, rest) = unit.split_once('@')?;
    let (instance, suffix) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{name}@.{suffix}"))
}

fn file_state(place: &Place, unit: &str, load_state: &str) -> &'static str {
    match load_state {
        "masked" => "masked",
        _ if !enabling_links(place, unit).is_empty() => "enabled",
        _ => "disabled",
    }
}

/// The links by which other units want this one.
fn enabling_links(place: &Place, unit: &str) -> Vec<PathBuf> {
    let mut links = Vec::new();
    for folder in ["/etc/systemd/system", "/run/systemd/system"].map(Path::new) {
        for name in place.list(folder) {
            let wants = Path::new(&name).extension();
            if !wants.is_some_and(|kind| kind == "wants" || kind == "requires") {
                continue;
            }
            let wanting = folder.join(&name);
            if place.list(&wanting).iter().any(|wanted| wanted == OsStr::new(unit)) {
                links.push(wanting.join(unit));
            }
        }
    }
    links
}

/// What is left of a unit without a file: the links that enabled it, links with its name that lead
/// to nothing, and directories for additions to it.
pub(super) fn left_of(place: &Place, unit: &str) -> Vec<PathBuf> {
    let mut left = enabling_links(place, unit);
    for folder in FOLDERS.map(Path::new) {
        let link = folder.join(unit);
        if place.link(&link).is_some() {
            left.push(link);
        }
        let additions = folder.join(format!("{unit}.d"));
        if place.find(&additions).is_some() {
            left.push(additions);
        }
    }
    left
}

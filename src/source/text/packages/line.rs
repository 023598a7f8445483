//! What the lines of package managers' logs say.
//!
//! | log | written by | a line |
//! |---|---|---|
//! | `dpkg.log` | dpkg, `log_message` in `lib/dpkg/log.c` | `2026-05-06 04:12:33 upgrade libpq5:amd64 15.6 15.7` |
//! | `apt/history.log` | apt, `LogStart` in `apt-pkg/deb/dpkgpm.cc` | `Upgrade: libpq5:amd64 (15.6, 15.7), …` |
//! | `dnf.rpm.log` | dnf 4, `dnf/yum/rpmtrans.py` | `2026-05-06T04:12:33+0000 SUBDEBUG Upgrade: libpq-15.7-1.el9.x86_64` |
//! | `yum.log` | yum 3 | `May 06 04:12:33 Updated: libpq-9.2.24-8.el7.x86_64` |
//! | `pacman.log` | libalpm, `lib/libalpm/add.c` | `[2026-05-06T04:12:33+0000] [ALPM] upgraded libpq (15.6-1 -> 15.7-1)` |

use crate::source::statement;

/// What was done with a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Handling {
    /// A newer version came in the place of an older one.
    Upgraded,
    /// An older version came in the place of a newer one.
    Downgraded,
    /// The package was not there before.
    Installed,
    /// The same version was installed again.
    Reinstalled,
    /// The package is gone.
    Removed,
    /// A version made room for another one, which another line names.
    Replaced,
}

/// What a line says of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) handling: Handling,
    /// Without the architecture.
    pub(super) name: String,
    /// The version before, where there was one and it is known.
    pub(super) from: Option<String>,
    /// The version after, where there is one and it is known.
    pub(super) to: Option<String>,
}

/// Whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::text) enum Manager {
    Dpkg,
    Apt,
    Dnf,
    Yum,
    Pacman,
}

impl Manager {
    pub(super) const ALL: [Self; 5] = [Self::Dpkg, Self::Apt, Self::Dnf, Self::Yum, Self::Pacman];

    /// Whether the manager writes such lines, of packages or not; `rest` is what stands behind the
    /// line's time, or all of a line without one.
    pub(super) fn writes(self, rest: &[u8], is_dated: bool) -> bool {
        match self {
            Self::Dpkg => is_dated && is_dpkgs(rest),
            Self::Apt => !is_dated && apt_key(rest).is_some(),
            Self::Dnf => is_dated && is_dnfs(rest.trim_ascii()),
            Self::Yum => is_dated && rpm_step(rest.trim_ascii()).is_some(),
            Self::Pacman => is_dated && is_pacmans(rest),
        }
    }

    /// Gives `tell` what the line says was done with packages.
    pub(super) fn steps(self, rest: &[u8], tell: &mut dyn FnMut(Step)) {
        let step = match self {
            Self::Dpkg => dpkg_step(rest),
            Self::Apt => return apt_steps(rest, tell),
            Self::Dnf => dnf_step(rest),
            Self::Yum => yum_step(rest.trim_ascii()),
            Self::Pacman => pacman_step(rest),
        };
        step.into_iter().for_each(tell);
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}

fn is_dpkgs(rest: &[u8]) -> bool {
    let mut words = words(rest);
    let Some(verb) = words.next() else { return false };
    let others = words.count();
    match verb {
        b"install" | b"upgrade" | b"remove" | b"purge" | b"configure" | b"trigproc" | b"status" => {
            others == 3
        }
        b"startup" | b"conffile" | b"disappear" => others >= 2,
        _ => false,
    }
}

fn dpkg_step(rest: &[u8]) -> Option<Step> {
    let mut words = words(rest.trim_ascii());
    let (verb, package) = (words.next()?, words.next()?);
    let mut version = || words.next().filter(|word| *word != b"<none>").and_then(statement::name);
    let (from, to) = (version(), version());
    let handling = match verb {
        b"upgrade" if from == to => Handling::Reinstalled,
        b"upgrade" => Handling::Upgraded,
        b"install" => Handling::Installed,
        b"remove" => Handling::Removed,
        _ => return None,
    };
    // The version of a package of which only the configuration was left is no version before.
    let from = from.filter(|_| handling != Handling::Installed);
    Some(Step { handling, name: without_architecture(package)?, from, to })
}

/// The name before `:amd64`.
fn without_architecture(package: &[u8]) -> Option<String> {
    statement::name(package.split(|byte| *byte == b':').next()?)
}

/// What apt writes a paragraph's line about, and the line's text.
pub(super) fn apt_key(line: &[u8]) -> Option<(&[u8], &[u8])> {
    const KEYS: [&[u8]; 12] = [
        b"Start-Date",
        b"Commandline",
        b"Requested-By",
        b"Install",
        b"Reinstall",
        b"Upgrade",
        b"Downgrade",
        b"Remove",
        b"Purge",
        b"Error",
        b"Comment",
        b"End-Date",
    ];
    let colon = memchr::memchr(b':', line)?;
    let (key, text) = (line.get(..colon)?, line.get(colon + 1..)?);
    KEYS.contains(&key).then_some((key, text.trim_ascii()))
}

/// `libpq5:amd64 (15.6, 15.7), libc6:amd64 (2.36-9, 2.36-10)`; new packages have one version and
/// may have `automatic` behind it.
fn apt_steps(line: &[u8], tell: &mut dyn FnMut(Step)) {
    let Some((key, text)) = apt_key(line) else { return };
    let handling = match key {
        b"Upgrade" => Handling::Upgraded,
        b"Downgrade" => Handling::Downgraded,
        b"Install" => Handling::Installed,
        b"Reinstall" => Handling::Reinstalled,
        b"Remove" | b"Purge" => Handling::Removed,
        _ => return,
    };
    for package in text.split(|byte| *byte == b')') {
        let package = package.trim_ascii_start();
        let package = package.strip_prefix(b",").unwrap_or(package).trim_ascii_start();
        let Some(open) = memchr::memmem::find(package, b" (") else { continue };
        let mut versions = package.get(open + 2..).unwrap_or_default().split(|byte| *byte == b',');
        let mut version = || versions.next().and_then(statement::name).filter(|v| v != "automatic");
        let (from, to) = match handling {
            Handling::Upgraded | Handling::Downgraded => (version(), version()),
            Handling::Removed => (version(), None),
            _ => (None, version()),
        };
        let name = package.get(..open).and_then(without_architecture);
        name.into_iter().for_each(|name| {
            tell(Step { handling, name, from: from.clone(), to: to.clone() });
        });
    }
}

/// Level of the lines by which dnf's transactions are logged, which no other program has.
const DNF_LEVEL: &[u8] = b"SUBDEBUG ";

fn is_dnfs(text: &[u8]) -> bool {
    text.starts_with(DNF_LEVEL) || text == b"INFO --- logging initialized ---"
}

fn dnf_step(rest: &[u8]) -> Option<Step> {
    rpm_step(rest.trim_ascii_start().strip_prefix(DNF_LEVEL)?)
}

/// `Upgrade: libpq-15.7-1.el9.x86_64`, in dnf's words: `Upgraded` is the version that goes.
fn rpm_step(text: &[u8]) -> Option<Step> {
    let colon = memchr::memmem::find(text, b": ")?;
    let handling = match text.get(..colon)? {
        b"Install" | b"Installed" => Handling::Installed,
        b"Upgrade" | b"Updated" => Handling::Upgraded,
        b"Downgrade" => Handling::Downgraded,
        b"Reinstall" => Handling::Reinstalled,
        b"Erase" | b"Erased" | b"Removed" | b"Obsoleted" => Handling::Removed,
        b"Upgraded" | b"Downgraded" | b"Reinstalled" | b"Cleanup" => Handling::Replaced,
        _ => return None,
    };
    let (name, version) = name_and_version(text.get(colon + 2..)?.trim_ascii())?;
    let is_gone = matches!(handling, Handling::Removed | Handling::Replaced);
    let (from, to) = if is_gone { (version, None) } else { (None, version) };
    Some(Step { handling, name, from, to })
}

/// The same in yum's words, where nothing says which version goes.
fn yum_step(text: &[u8]) -> Option<Step> {
    rpm_step(text).filter(|step| step.handling != Handling::Replaced)
}

/// Name and version of `libpq-15.7-1.el9.x86_64`, or of `1:libpq-…` with an epoch; a name alone is
/// a name.
fn name_and_version(package: &[u8]) -> Option<(String, Option<String>)> {
    let package = package.split(|byte| *byte == b' ').next()?;
    let epoch = package.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let package = package.get(epoch..)?.strip_prefix(b":").filter(|_| epoch > 0).unwrap_or(package);
    let whole = package;
    let dot = memchr::memrchr(b'.', package).unwrap_or(package.len());
    let package = package.get(..dot)?;
    let release = memchr::memrchr(b'-', package);
    let version = release.and_then(|release| memchr::memrchr(b'-', package.get(..release)?));
    match version {
        Some(version) => {
            let name = statement::name(package.get(..version)?)?;
            Some((name, statement::name(package.get(version + 1..)?)))
        }
        None => Some((statement::name(whole)?, None)),
    }
}

/// Whether the bracket that closes the time is followed by one with a name of pacman's.
fn is_pacmans(rest: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"[ALPM] ", b"[ALPM-SCRIPTLET] ", b"[PACMAN] "];
    let text = rest.strip_prefix(b"] ").unwrap_or_default();
    NAMES.iter().any(|name| text.starts_with(name))
}

/// `[ALPM] upgraded libpq (15.6-1 -> 15.7-1)`, behind the bracket that closes the time.
fn pacman_step(rest: &[u8]) -> Option<Step> {
    let text = rest.strip_prefix(b"] [ALPM] ")?;
    let mut words = text.splitn(3, |byte| *byte == b' ');
    let handling = match words.next()? {
        b"installed" => Handling::Installed,
        b"upgraded" => Handling::Upgraded,
        b"downgraded" => Handling::Downgraded,
        b"reinstalled" => Handling::Reinstalled,
        b"removed" => Handling::Removed,
        _ => return None,
    };
    let name = statement::name(words.next()?)?;
    let versions = words.next()?.trim_ascii().strip_prefix(b"(")?.strip_suffix(b")")?;
    let arrow = memchr::memmem::find(versions, b" -> ");
    let (from, to) = match arrow {
        Some(arrow) => {
            (statement::name(versions.get(..arrow)?), statement::name(versions.get(arrow + 4..)?))
        }
        None if handling == Handling::Removed => (statement::name(versions), None),
        None => (None, statement::name(versions)),
    };
    Some(Step { handling, name, from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(manager: Manager, rest: &str) -> Vec<String> {
        let mut said = Vec::new();
        manager.steps(rest.as_bytes(), &mut |Step { handling, name, from, to }| {
            let version = |version: Option<String>| version.unwrap_or("-".to_owned());
            said.push(format!("{handling:?} {name} {} {}", version(from), version(to)));
        });
        said
    }

    #[test]
    fn each_manager_is_understood() {
        let nothing: [&str; 0] = [];
        for (manager, line, steps) in [
            (Manager::Dpkg, " upgrade libpq5:amd64 15.6 15.7", &["Upgraded libpq5 15.6 15.7"][..]),
            (Manager::Dpkg, " upgrade tzdata:all 1 1", &["Reinstalled tzdata 1 1"]),
            (Manager::Dpkg, " install jq:amd64 <none> 1.6", &["Installed jq - 1.6"]),
            (Manager::Dpkg, " install jq:amd64 1.5 1.6", &["Installed jq - 1.6"]),
            (Manager::Dpkg, " remove jq:amd64 1.6 <none>", &["Removed jq 1.6 -"]),
            (Manager::Dpkg, " status installed jq:amd64 1.6", &nothing),
            (Manager::Dpkg, " startup archives unpack", &nothing),
            (Manager::Apt, "Commandline: apt install (x)", &nothing),
            (
                Manager::Apt,
                "Upgrade: libpq5:amd64 (15.6, 15.7), libc6:amd64 (2.36-9, 2.36-10)",
                &["Upgraded libpq5 15.6 15.7", "Upgraded libc6 2.36-9 2.36-10"],
            ),
            (
                Manager::Apt,
                "Install: jq:amd64 (1.6), libjq1:amd64 (1.6, automatic)",
                &["Installed jq - 1.6", "Installed libjq1 - 1.6"],
            ),
            (Manager::Apt, "Purge: jq:amd64 (1.6)", &["Removed jq 1.6 -"]),
            (
                Manager::Dnf,
                " SUBDEBUG Upgrade: openssl-libs-1:3.0.7-27.el9.x86_64",
                &["Upgraded openssl-libs - 1:3.0.7-27.el9"],
            ),
            (
                Manager::Dnf,
                " SUBDEBUG Upgraded: bash-5.1.8-6.el9.x86_64",
                &["Replaced bash 5.1.8-6.el9 -"],
            ),
            (Manager::Dnf, " INFO --- logging initialized ---", &nothing),
            (
                Manager::Yum,
                " Updated: 1:openssl-1.0.2k-26.el7_9.x86_64",
                &["Upgraded openssl - 1.0.2k-26.el7_9"],
            ),
            (Manager::Yum, " Erased: libpq", &["Removed libpq - -"]),
            (
                Manager::Pacman,
                "] [ALPM] upgraded libpq (15.6-1 -> 15.7-1)",
                &["Upgraded libpq 15.6-1 15.7-1"],
            ),
            (Manager::Pacman, "] [ALPM] removed jq (1.7-1)", &["Removed jq 1.7-1 -"]),
            (Manager::Pacman, "] [PACMAN] Running 'pacman -Syu'", &nothing),
        ] {
            assert_eq!(said(manager, line), steps, "{line}");
        }
    }

    #[test]
    fn a_program_that_logs_its_level_is_not_dnf() {
        for line in [" ERROR app.db: query failed", " INFO Installed: nothing", " DEBUG Erase: x"] {
            let is_any = Manager::ALL.iter().any(|manager| manager.writes(line.as_bytes(), true));
            assert!(!is_any, "{line}");
        }
    }

    #[test]
    fn a_program_that_says_status_is_not_dpkg() {
        for (line, is_dpkgs) in [
            (" status installed jq:amd64 1.6", true),
            (" status 503 for /api/orders after 30 s", false),
            (" upgrade requested", false),
            (" startup archives unpack", true),
        ] {
            assert_eq!(Manager::Dpkg.writes(line.as_bytes(), true), is_dpkgs, "{line}");
        }
    }
}

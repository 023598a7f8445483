//! Packages that were upgraded, installed and removed: what was done in one go is one change.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ChangeKind, seconds_between};
use crate::source::change::{FoundChange, Handling, Happened};
use crate::time::Timestamp;

/// Steps no more than so many seconds apart belong to one run of a package manager: large packages
/// take minutes.
const PAUSE_S: f64 = 300.0;

/// So many packages of a run are named.
const MAX_NAMED: usize = 3;

/// How the names of packages begin that explain a database's or a service's trouble, the more
/// telling ones first: databases and their clients, poolers, proxies and servers, runtimes, then what
/// everything else stands on.
const TELLING: [&str; 40] = [
    "postgresql",
    "libpq",
    "pgbouncer",
    "pgpool",
    "mariadb",
    "mysql",
    "libmariadb",
    "libmysqlclient",
    "redis",
    "valkey",
    "mongodb",
    "haproxy",
    "nginx",
    "apache2",
    "httpd",
    "envoy",
    "caddy",
    "python3-psycopg",
    "python3",
    "openjdk",
    "java-",
    "nodejs",
    "php",
    "ruby",
    "dotnet",
    "containerd",
    "docker",
    "podman",
    "kubelet",
    "linux-image",
    "kernel",
    "linux",
    "systemd",
    "libc6",
    "glibc",
    "openssl",
    "libssl",
    "ca-certificates",
    "openssh",
    "tzdata",
];

/// What was done with packages, a change for each run.
pub(super) fn of_runs(found: &[FoundChange]) -> Vec<Change> {
    let mut steps: Vec<(Handling, &FoundChange)> = found
        .iter()
        .filter_map(|found| match found.happened {
            Happened::Package(handling) => Some((handling, found)),
            _ => None,
        })
        .collect();
    steps.sort_by(|(_, one), (_, other)| (&one.host, one.at).cmp(&(&other.host, other.at)));
    let runs = steps.chunk_by(|(_, one), (_, next)| {
        one.host == next.host && seconds_between(one.last_at, next.at) <= PAUSE_S
    });
    runs.filter_map(change).collect()
}

fn change(run: &[(Handling, &FoundChange)]) -> Option<Change> {
    let (_, first) = run.first()?;
    let packages: Vec<String> = packages(run).into_iter().map(|(_, text)| text).collect();
    let what = match packages.as_slice() {
        // What a manager only cleans up was replaced before the log begins.
        [] => return None,
        few if few.len() <= MAX_NAMED => few.join(", "),
        // A narrow column shows only the beginning.
        [most_telling, others @ ..] => {
            let named: Vec<&str> = others.iter().take(MAX_NAMED - 1).map(String::as_str).collect();
            format!("{most_telling} and {} more packages: {}, …", others.len(), named.join(", "))
        }
    };
    let at: Timestamp = first.at;
    Some(Change { at, kind: ChangeKind::Package, what, host: first.host.clone() })
}

/// What is said of each package of a run, the most telling first; each once, though two logs have
/// it.
fn packages(run: &[(Handling, &FoundChange)]) -> BTreeSet<(usize, String)> {
    // rpm logs the version that comes and the version that goes in lines of their own.
    let replaced: BTreeMap<&str, &str> = run
        .iter()
        .filter(|(handling, _)| *handling == Handling::Replaced)
        .filter_map(|(_, found)| Some((found.subject.as_str(), found.detail.as_deref()?)))
        .collect();
    let mut packages = BTreeSet::new();
    for (handling, found) in run {
        let name = found.subject.as_str();
        let version = found.detail.as_deref().map(|version| format!(" {version}"));
        let version = version.unwrap_or_default();
        let from = replaced.get(name).filter(|_| !version.contains('→'));
        let text = match (handling, from) {
            (Handling::Replaced, _) => continue,
            (Handling::Upgraded | Handling::Downgraded, Some(from)) => {
                format!("{name} {from} →{version}")
            }
            (Handling::Upgraded, None) if version.contains('→') => format!("{name}{version}"),
            (Handling::Upgraded, None) => format!("{name}{version} upgraded"),
            (Handling::Downgraded, None) => format!("{name}{version} downgraded"),
            (Handling::Installed, _) => format!("{name}{version} installed"),
            (Handling::Reinstalled, _) => format!("{name}{version} reinstalled"),
            (Handling::Removed, _) => format!("{name}{version} removed"),
        };
        packages.insert((rank(name), text));
    }
    packages
}

fn rank(name: &str) -> usize {
    let place = TELLING.iter().position(|start| name.starts_with(start));
    place.unwrap_or(TELLING.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(second: i64, handling: Handling, name: &str, detail: &str) -> FoundChange {
        let at = Timestamp::from_micros(second * 1_000_000).unwrap();
        let happened = Happened::Package(handling);
        let found = FoundChange::once(at, happened, name.to_owned());
        FoundChange { detail: (!detail.is_empty()).then(|| detail.to_owned()), ..found }
    }

    fn told(found: &[FoundChange]) -> Vec<(i64, String)> {
        let changes = of_runs(found).into_iter();
        changes.map(|change| (change.at.micros() / 1_000_000, change.what)).collect()
    }

    #[test]
    fn a_run_is_one_change_that_names_what_tells_most() {
        let mut found: Vec<_> =
            (0..37).map(|n| step(n, Handling::Upgraded, &format!("lib{n}"), "1 → 2")).collect();
        found.push(step(300, Handling::Upgraded, "libpq5", "15.6 → 15.7"));
        found.push(step(301, Handling::Removed, "linux-image-6.1.0-17", "6.1.69-1"));
        found.push(step(302, Handling::Installed, "postgresql-15", "15.7"));
        // Another log has the same.
        found.push(step(0, Handling::Upgraded, "libpq5", "15.6 → 15.7"));
        let what = "postgresql-15 15.7 installed and 39 more packages: libpq5 15.6 → 15.7, \
                    linux-image-6.1.0-17 6.1.69-1 removed, …";
        assert_eq!(told(&found), [(0, what.to_owned())]);
    }

    #[test]
    fn a_pause_ends_a_run() {
        let found = [
            step(0, Handling::Upgraded, "jq", "1 → 2"),
            step(301, Handling::Reinstalled, "tzdata", "2026a"),
        ];
        let told = told(&found);
        assert_eq!(told[0], (0, "jq 1 → 2".to_owned()));
        assert_eq!(told[1], (301, "tzdata 2026a reinstalled".to_owned()));
    }

    #[test]
    fn the_two_lines_of_an_rpm_are_joined() {
        let found = [
            step(0, Handling::Upgraded, "libpq", "15.7-1.el9"),
            step(0, Handling::Upgraded, "jq", "1.6-2"),
            step(2, Handling::Replaced, "libpq", "15.6-1.el9"),
        ];
        let what = "libpq 15.6-1.el9 → 15.7-1.el9, jq 1.6-2 upgraded";
        assert_eq!(told(&found), [(0, what.to_owned())]);
        assert_eq!(told(&found[2..]), []);
    }
}

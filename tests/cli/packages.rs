//! Logs of package managers beside the logs of services.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Folder, pool_timeout_line};

/// A log of 2026-05-06 from 04:00 to 06:00.
fn folder_with_log() -> Folder {
    let folder = Folder::new();
    let log = ["04:00:00", "05:00:00", "06:00:00"]
        .map(|time| pool_timeout_line(&format!("2026-05-06 {time},000")));
    folder.write("app.log", log.concat());
    folder
}

/// Time and text of every change.
fn changes(document: &Value) -> Vec<(String, String)> {
    let buckets = document["buckets"].as_array().unwrap().iter();
    let changes = buckets.flat_map(|bucket| bucket["changes"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    changes.map(|change| (text(&change["at"]), text(&change["what"]))).collect()
}

fn change(time: &str, what: &str) -> (String, String) {
    (format!("2026-05-06T{time}+00:00"), what.to_owned())
}

const DPKG: &str = "\
2026-05-06 04:12:31 startup archives unpack
2026-05-06 04:12:33 upgrade libpq5:amd64 15.6-0+deb12u1 15.7-0+deb12u1
2026-05-06 04:12:33 status half-configured libpq5:amd64 15.6-0+deb12u1
2026-05-06 04:12:34 status unpacked libpq5:amd64 15.7-0+deb12u1
2026-05-06 04:12:40 upgrade vim:amd64 2:9.0.1378-2 2:9.0.1378-3
2026-05-06 04:12:41 startup packages configure
2026-05-06 04:12:41 configure libpq5:amd64 15.7-0+deb12u1 <none>
2026-05-06 04:12:42 status installed libpq5:amd64 15.7-0+deb12u1
";

#[test]
fn a_dpkg_log_gives_one_change_a_run_and_no_entries() {
    let folder = folder_with_log();
    folder.write("any-name", DPKG);
    let document = folder.timeline(&["app.log", "any-name", "--by", "hour"]);
    let what = "libpq5 15.6-0+deb12u1 → 15.7-0+deb12u1, vim 2:9.0.1378-2 → 2:9.0.1378-3";
    assert_eq!(changes(&document), [change("04:12:33", what)]);
    let entries: Vec<_> =
        document["buckets"].as_array().unwrap().iter().map(|b| &b["entries"]).collect();
    assert_eq!(entries, [1, 1, 1]);
    assert_eq!(document["sources"][1]["kind"], "package");
    assert_eq!(document["sources"][1]["entries"], 0);
    let table = folder.run(&["timeline", "app.log", "any-name", "--by", "hour"]).stdout;
    assert!(table.contains("libpq5"), "{table}");
    assert!(!table.contains("0 entries"), "{table}");
}

#[test]
fn apt_dnf_yum_and_pacman_logs_are_read_in_the_zone_asked_for() {
    for (log, told) in [
        (
            "Start-Date: 2026-05-06  06:12:31\nCommandline: /usr/bin/unattended-upgrade\n\
             Upgrade: libpq5:amd64 (15.6, 15.7), jq:amd64 (1.6, 1.7)\nEnd-Date: 2026-05-06  06:13:02\n",
            change("04:12:31", "libpq5 15.6 → 15.7, jq 1.6 → 1.7"),
        ),
        (
            "2026-05-06T04:12:30+0000 INFO --- logging initialized ---\n\
             2026-05-06T04:12:31+0000 SUBDEBUG Upgrade: libpq-15.7-1.el9.x86_64\n\
             2026-05-06T04:12:31+0000 SUBDEBUG Upgraded: libpq-15.6-1.el9.x86_64\n",
            change("04:12:31", "libpq 15.6-1.el9 → 15.7-1.el9"),
        ),
        (
            "May 06 06:12:31 Updated: libpq-9.2.24-8.el7.x86_64\n\
             May 06 06:12:32 Installed: jq-1.6-2.el7.x86_64\n",
            change("04:12:31", "libpq 9.2.24-8.el7 upgraded, jq 1.6-2.el7 installed"),
        ),
        (
            "[2026-05-06T06:12:30+0200] [PACMAN] Running 'pacman -Syu'\n\
             [2026-05-06T06:12:31+0200] [ALPM] upgraded postgresql-libs (15.6-1 -> 15.7-1)\n",
            change("04:12:31", "postgresql-libs 15.6-1 → 15.7-1"),
        ),
    ] {
        let folder = Folder::new();
        // 04:00 UTC is 06:00 in Berlin.
        folder.write("app.log", pool_timeout_line("2026-05-06T04:30:00+00:00"));
        let path = folder.write("packages", log);
        // The year of yum's lines is that of the file.
        let touch = Command::new("touch").args(["-d", "2026-06-01"]).arg(path).status().unwrap();
        assert!(touch.success());
        let words = ["app.log", "packages", "--tz", "Europe/Berlin", "--by", "day"];
        let mut document = folder.timeline(&words);
        for change in document["buckets"][0]["changes"].as_array_mut().unwrap() {
            let at = chrono::DateTime::parse_from_rfc3339(change["at"].as_str().unwrap()).unwrap();
            change["at"] = json!(at.to_utc().to_rfc3339());
        }
        assert_eq!(changes(&document), [told], "{log}");
    }
}

/// dpkg writes the log itself: in a folder that is a machine to it.
#[test]
fn what_dpkg_does_is_told() {
    let folder = Folder::new();
    for name in ["package/DEBIAN", "root/var/lib/dpkg/info", "root/var/lib/dpkg/updates"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    folder.write("root/var/lib/dpkg/status", "");
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        let run = command.args(words).current_dir(folder.path()).env("TZ", "UTC").output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    let log = format!("--log={}", folder.path().join("dpkg.log").display());
    let dpkg = |words: &[&str]| {
        run("dpkg", &[&["--force-not-root", "--root=root", &log], words].concat());
    };
    for version in ["15.6", "15.7"] {
        let control = "Package: libpq5\nArchitecture: all\nMaintainer: A <a@b>\nDescription: x\n";
        folder.write("package/DEBIAN/control", format!("{control}Version: {version}\n"));
        run("dpkg-deb", &["--build", "package", "libpq5.deb"]);
        dpkg(&["-i", "libpq5.deb"]);
    }
    dpkg(&["-r", "libpq5"]);
    let log = std::fs::read_to_string(folder.path().join("dpkg.log")).unwrap();
    folder.write("app.log", pool_timeout_line(&format!("{},999", &log[..19])));
    let document = folder.timeline(&["app.log", "dpkg.log"]);
    let told = changes(&document);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, "libpq5 15.6 installed, libpq5 15.6 → 15.7, libpq5 15.7 removed");
    let kinds: Vec<_> =
        document["sources"].as_array().unwrap().iter().map(|source| &source["kind"]).collect();
    assert_eq!(kinds, ["text", "package"]);
}

#[test]
fn package_logs_alone_are_no_log_of_a_service() {
    let folder = Folder::new();
    folder.write("dpkg.log", DPKG);
    let run = folder.run(&["timeline", "dpkg.log"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("can be read as a log"), "{}", run.stderr);
}

#[test]
fn a_follower_reads_a_package_log_as_it_grows() {
    let folder = folder_with_log();
    folder.write("dpkg.log", DPKG);
    let words = ["timeline", "-f", "-o", "json", "--until", "2026-05-06 07:00", "--by", "hour"];
    let run = folder.run(&[&words[..], &["app.log", "dpkg.log"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(changes(&document).len(), 1, "{}", run.stdout);
}

/// Runs where `/var/log` is a folder of the test's own.
#[test]
fn this_machines_package_logs_are_read_with_its_journal() {
    let folder = Folder::new();
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap();
    let sample = "sample-logs/outage-2026-05/journal/atlas.journal.xz";
    let sample = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(sample)).unwrap();
    folder.write(&format!("log/journal/{}/system.journal", machine.trim()), sample);
    folder.write("log/dpkg.log", "2026-05-06 11:32:33 upgrade libpq5:amd64 15.6 15.7\n");
    let root = Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0";
    let mut unshare = Command::new("unshare");
    if !root {
        unshare.arg("--map-root-user");
    }
    let view = "mount --bind log /var/log && exec \"$0\" timeline -o json --tz UTC";
    let run = unshare
        .args(["--mount", "sh", "-c", view, env!("CARGO_BIN_EXE_ebbline")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let document: Value = serde_json::from_slice(&run.stdout).unwrap();
    let told = changes(&document);
    let package = change("11:32:33", "libpq5 15.6 → 15.7");
    assert!(told.contains(&package), "{told:?}");
    assert_eq!(document["sources"][1]["path"], "/var/log/dpkg.log");
}

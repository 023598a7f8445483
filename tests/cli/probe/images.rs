//! `--root`: the file system of another machine, with its unit files and its journal.

use std::os::unix::fs::symlink;

use super::probe;
use crate::harness::Folder;
use crate::journals::{START_US, TestEntry, write_journal};

const MACHINE_ID: &str = "0123456789abcdef0123456789abcdef";

/// An image with a journal of one unit, and `units` as names and contents of unit files.
fn image(units: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    let journal = format!("root/var/log/journal/{MACHINE_ID}/system.journal");
    let journal = folder.write(&journal, "");
    std::fs::remove_file(&journal).unwrap();
    let entry = |second: u64| {
        TestEntry::new(START_US + second * 1_000_000, b"serving")
            .with("_SYSTEMD_UNIT", "gone.service")
            .with("_MACHINE_ID", MACHINE_ID)
            .with("_HOSTNAME", "db1")
    };
    write_journal(&journal, &[entry(0), entry(3600)]);
    folder.write("root/etc/machine-id", format!("{MACHINE_ID}\n"));
    for (name, content) in units {
        folder.write(&format!("root/{name}"), content);
    }
    folder
}

#[test]
fn the_journal_of_an_image_is_found_and_is_its_own() {
    let folder = image(&[]);
    let document = probe(&folder, 3, &["--root", "root", "--unit", "gone", "--unit", "never"]);
    assert_eq!(document["coverage"]["hosts"][0], "db1");
    assert_eq!(document["coverage"]["is_foreign"], false);
    assert_eq!(document["coverage"]["duration_s"], 3600.0);
    assert_eq!(document["findings"][0]["verdict"], "absent_but_seen");
    assert_eq!(document["findings"][1]["verdict"], "never");
}

#[test]
fn unit_files_tell_what_is_installed_enabled_and_masked() {
    let folder = image(&[
        ("usr/lib/systemd/system/plain.service", "[Service]\n"),
        ("usr/lib/systemd/system/pg@.service", "[Service]\n"),
        ("etc/systemd/system/empty.service", ""),
        ("etc/init.d/old", "#!/bin/sh\n"),
        ("usr/lib/systemd/system/hidden.service", "[Service]\n"),
    ]);
    let root = folder.path().join("root");
    let wants = root.join("etc/systemd/system/multi-user.target.wants");
    std::fs::create_dir_all(&wants).unwrap();
    symlink("/usr/lib/systemd/system/pg@.service", wants.join("pg@16.service")).unwrap();
    symlink("/dev/null", root.join("etc/systemd/system/hidden.service")).unwrap();
    for (unit, load_state, file_state) in [
        ("plain", "loaded", "disabled"),
        ("pg@16", "loaded", "enabled"),
        ("pg@15", "loaded", "disabled"),
        ("hidden", "masked", "masked"),
        ("empty", "masked", "masked"),
        ("old", "loaded", "disabled"),
    ] {
        let document = probe(&folder, 0, &["--root", "root", "--unit", unit]);
        let now = &document["findings"][0]["now"];
        assert_eq!(now["load_state"], load_state, "{unit}: {now}");
        assert_eq!(now["file_state"], file_state, "{unit}: {now}");
        assert_eq!(now["by"], "files");
    }
}

#[test]
fn a_link_that_enabled_a_unit_is_left_of_it() {
    let folder = image(&[("etc/systemd/system/pg-replica.service.d/x.conf", "[Service]\n")]);
    let wants = folder.path().join("root/etc/systemd/system/multi-user.target.wants");
    std::fs::create_dir_all(&wants).unwrap();
    symlink("/etc/systemd/system/pg-replica.service", wants.join("pg-replica.service")).unwrap();
    let document = probe(&folder, 3, &["--root", "root", "--unit", "pg-replica"]);
    let finding = &document["findings"][0];
    assert_eq!(finding["verdict"], "never");
    let left = serde_json::json!([
        "/etc/systemd/system/multi-user.target.wants/pg-replica.service",
        "/etc/systemd/system/pg-replica.service.d"
    ]);
    assert_eq!(finding["now"]["left"], left);
}

#[test]
fn paths_of_an_image_stay_in_it() {
    let folder = image(&[("srv/pg/PG_VERSION", "16")]);
    let root = folder.path().join("root");
    symlink("/srv/pg", root.join("data")).unwrap();
    symlink("/etc/passwd", root.join("outside")).unwrap();
    symlink("../../../../../../../../etc/passwd", root.join("above")).unwrap();
    let document = probe(&folder, 0, &["--root", "root", "--path", "/data"]);
    assert_eq!(document["findings"][0]["now"]["leads_to"], "/srv/pg");
    for path in ["/outside", "/above", "/../../etc/passwd"] {
        let document = probe(&folder, 3, &["--root", "root", "--path", path]);
        assert_eq!(document["findings"][0]["now"]["state"], "absent", "{path}");
    }
}

#[test]
fn a_file_system_that_is_not_mounted_hides_what_is_on_it() {
    let folder = image(&[("etc/fstab", "# disks\nUUID=1 / ext4\nUUID=2 /data ext4\n")]);
    let document = probe(&folder, 1, &["--root", "root", "--path", "/data/postgres-replica"]);
    let finding = &document["findings"][0];
    assert_eq!(finding["verdict"], "cannot_tell");
    assert!(finding["now"]["why"].as_str().unwrap().starts_with("/data is a file system"));
    let document = probe(&folder, 3, &["--root", "root", "--path", "/other"]);
    assert_eq!(document["findings"][0]["verdict"], "never");
}

#[test]
fn nothing_runs_in_an_image() {
    let folder = image(&[]);
    let words = ["--root", "root", "--port", "22", "--process", "init"];
    let document = probe(&folder, 1, &words);
    for finding in document["findings"].as_array().unwrap() {
        assert_eq!(finding["verdict"], "cannot_tell");
        assert!(finding["now"]["why"].as_str().unwrap().ends_with("in an image"), "{finding}");
    }
}

#[test]
fn an_image_without_a_journal_leaves_the_past_open() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("root")).unwrap();
    let document = probe(&folder, 1, &["--root", "root", "--unit", "x"]);
    assert_eq!(document["findings"][0]["verdict"], "cannot_tell");
    assert_eq!(document["coverage"], serde_json::Value::Null);
    let run = folder.run(&["probe", "--root", "missing", "--unit", "x"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("missing: No such file"), "{}", run.stderr);
}

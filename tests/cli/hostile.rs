//! Inputs that are no good log: each is told, and nothing of the rest is lost.

use std::io::{self, Read, Write};
use std::process::Stdio;

use crate::harness::{Folder, pool_timeout_line};

const GOOD: &str = "2026-05-06 04:49:00,000";

/// What stands beside each bad input and must be counted all the same.
fn with_good_log() -> Folder {
    let folder = Folder::new();
    folder.write("good.log", pool_timeout_line(GOOD));
    folder
}

fn pool_timeouts(folder: &Folder, words: &[&str]) -> u64 {
    folder.timeline(words)["totals"]["counts"]["pool_timeout"].as_u64().unwrap()
}

#[test]
fn an_empty_file_is_said_to_be_empty_and_is_no_error() {
    let folder = with_good_log();
    folder.write("empty.log", "");
    let run = folder.run(&["timeline", "empty.log", "good.log"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("empty.log: empty"), "{}", run.stderr);
    assert_eq!(pool_timeouts(&folder, &["empty.log", "good.log"]), 1);
    assert_eq!(folder.run(&["timeline", "empty.log"]).code, Some(0));
}

#[test]
fn a_directory_without_logs_is_an_error_that_names_it() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("nothing")).unwrap();
    let run = folder.run(&["timeline", "nothing"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("nothing: no journal and no log in it"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_missing_file_is_an_error_after_the_rest_was_counted() {
    let folder = with_good_log();
    let run = folder.run(&["timeline", "-o", "json", "missing.log", "good.log"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("missing.log: no such file"), "{}", run.stderr);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 1);
}

#[test]
fn a_file_without_permission_is_told_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = with_good_log();
    let secret = folder.write("secret.log", pool_timeout_line(GOOD));
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&secret, mode(0o000)).unwrap();
    std::fs::set_permissions(folder.path(), mode(0o755)).unwrap();
    let mut command = folder.command(&["timeline", "secret.log", "good.log"]);
    if std::fs::read(&secret).is_ok() {
        // Root reads everything; nobody does not.
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("secret.log: no permission to read it"), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("May 6"), "{stdout}");
}

#[test]
fn binary_garbage_is_told_and_counted_as_nothing() {
    let folder = with_good_log();
    let garbage: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    folder.write("garbage.bin", garbage);
    let run = folder.run(&["timeline", "garbage.bin", "good.log"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("garbage.bin: not text: nothing was read"), "{}", run.stderr);
    assert_eq!(pool_timeouts(&folder, &["garbage.bin", "good.log"]), 1);
    let alone = folder.run(&["timeline", "garbage.bin"]);
    assert_eq!(alone.code, Some(1));
    assert_eq!(alone.stdout, "");
}

#[test]
fn of_many_files_with_the_same_fault_a_few_are_named() {
    let folder = with_good_log();
    for number in 0..30 {
        folder.write(&format!("{number:02}.log"), "");
    }
    let run = folder.run(&["timeline", "."]);
    assert_eq!(run.stderr.lines().count(), 6, "{}", run.stderr);
    assert!(run.stderr.contains("25 more files like these (empty)"), "{}", run.stderr);
    let run = folder.run(&["timeline", ".", "--verbose"]);
    assert_eq!(run.stderr.matches(": empty").count(), 30, "{}", run.stderr);
    assert_eq!(folder.run(&["timeline", ".", "--quiet"]).stderr, "");
}

#[test]
fn what_is_no_log_in_a_directory_is_no_damage_even_where_damage_is_an_error() {
    let folder = with_good_log();
    folder.write("wtmp", [7, 0, 0, 0, 1, 2, 0, 0].repeat(48));
    std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.log")).unwrap();
    let run = folder.run(&["timeline", ".", "--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("wtmp: not text"), "{}", run.stderr);
}

#[test]
fn a_truncated_gzip_file_gives_what_is_left_of_it() {
    let folder = with_good_log();
    let text: String = (0..20_000)
        .map(|n| {
            let (minute, second) = (n / 60 % 60, n % 60);
            let at =
                format!("2026-05-06 {:02}:{minute:02}:{second:02},{:03}", n / 3600, n * 37 % 1000);
            pool_timeout_line(&at)
        })
        .collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    folder.write("torn.log.gz", &packed[..packed.len() / 2]);

    let document = folder.timeline(&["torn.log.gz", "good.log"]);

    let count = document["totals"]["counts"]["pool_timeout"].as_u64().unwrap();
    assert!((5_000..20_000).contains(&count), "{count} of 20,000");
    let damage = &document["sources"][0]["damage"][0];
    assert!(damage["problem"].as_str().unwrap().contains("gzip"), "{damage}");
    assert!(damage["offset"].as_u64().unwrap() > 0, "{damage}");
    assert_eq!(folder.run(&["timeline", "torn.log.gz", "--strict"]).code, Some(1));
}

#[test]
fn a_line_of_200_mb_is_read_in_bounded_memory_and_hides_nothing() {
    let folder = Folder::new();
    let mut child = folder
        .command(&["timeline", "-o", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || -> io::Result<()> {
        pipe.write_all(pool_timeout_line("2026-05-06 04:49:00,000").as_bytes())?;
        pipe.write_all(b"2026-05-06 04:49:01,000 INFO ")?;
        let block = vec![b'x'; 1 << 20];
        for _ in 0..200 {
            pipe.write_all(&block)?;
        }
        pipe.write_all(b"\n")?;
        pipe.write_all(pool_timeout_line("2026-05-06 04:50:00,000").as_bytes())
    });
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while !writer.is_finished() {
        let read = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = read.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak.unwrap_or(peak_kib);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    writer.join().unwrap().unwrap();
    let output = child.wait_with_output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 2);
    assert_eq!(document["totals"]["entries"], 3);
    assert!((1..80 << 10).contains(&peak_kib), "{peak_kib} KiB");
}

#[test]
fn invalid_utf8_and_nul_bytes_are_text_like_any_other() {
    let folder = Folder::new();
    let mut log =
        b"2026-05-06 04:49:00,000 ERROR \xff\xfe\0 couldn't get a connection after 30.00 sec\n"
            .to_vec();
    log.extend_from_slice(pool_timeout_line("2026-05-06 04:49:01,000").as_bytes());
    folder.write("odd.log", log);
    assert_eq!(pool_timeouts(&folder, &["odd.log"]), 2);
    let run = folder.run(&["events", "odd.log"]);
    assert_eq!(run.code, Some(0));
    assert!(!run.stdout.contains('\0'));
}

#[test]
fn control_characters_of_a_log_never_reach_the_terminal() {
    let folder = Folder::new();
    folder.write(
        "evil.log",
        "2026-05-06 04:49:00,000 ERROR \x1b]0;owned\x07\x1b[2J couldn't get a connection after 30.00 sec\n",
    );
    let run = folder.run(&["events", "evil.log"]);
    assert!(!run.stdout.contains('\x1b') && !run.stdout.contains('\x07'), "{:?}", run.stdout);
    assert!(run.stdout.contains("couldn't get a connection"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let many: String = (0..50_000).map(|_| pool_timeout_line(GOOD)).collect();
    folder.write("many.log", many);
    let mut child = folder
        .command(&["events", "-o", "ndjson", "many.log"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_file_without_timestamps_is_counted_under_no_date() {
    let folder = Folder::new();
    folder.write(
        "undated.log",
        "query failed: couldn't get a connection after 30.00 sec\nall is well\n",
    );
    let run = folder.run(&["timeline", "-o", "json", "undated.log"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("undated.log: no timestamps: 2 entries"), "{}", run.stderr);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["undated"]["entries"], 2);
    assert_eq!(document["undated"]["counts"]["pool_timeout"], 1);
    assert_eq!(document["totals"]["counts"]["pool_timeout"], 1);
    assert_eq!(document["buckets"].as_array().unwrap().len(), 0);
}

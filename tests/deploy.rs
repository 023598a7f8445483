//! What docs/deploy ships: the script is run with a stand-in for `ebbline` that ends as told and
//! with a `mail` that keeps what it is given, then with the real `ebbline`; systemd checks the
//! units.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn shipped(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/deploy").join(name)
}

/// A machine with the script's programs: `mail` writes its subject, addressee and text to files.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(machine.path("state")).unwrap();
        machine.program("mail", r#"printf '%s %s\n' "$2" "$3" >>"$MAILBOX"; cat >>"$MAILBOX""#);
        machine
    }

    /// A stand-in for `ebbline` that prints its arguments as the table and ends with `code`.
    fn with_stub(code: u8) -> Self {
        let machine = Self::new();
        machine.program(
            "ebbline",
            &format!(r#"echo "| table | $*"; [ {code} = 0 ] || echo "problem" >&2; exit {code}"#),
        );
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, body: &str) {
        fs::write(self.path(name), format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        let programs = self.folder.path().to_owned();
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(programs).chain(std::env::split_paths(&path));
        Command::new("sh")
            .arg(shipped("ebbline-daily"))
            .args(words)
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("STATE_DIRECTORY", self.path("state"))
            .env("MAILBOX", self.path("mailbox"))
            .env("EBBLINE_MAIL_TO", "oncall@example.org")
            .env("TZ", "America/Los_Angeles")
            .output()
            .unwrap()
    }

    fn mail(&self) -> Option<String> {
        fs::read_to_string(self.path("mailbox")).ok()
    }

    fn table(&self) -> String {
        fs::read_to_string(self.path("state").join(format!("{}.md", yesterday()))).unwrap()
    }
}

/// Yesterday's date in Los Angeles, as `date` says it.
fn yesterday() -> String {
    let output = Command::new("date")
        .args(["-d", "yesterday", "+%F"])
        .env("TZ", "America/Los_Angeles")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_quiet_day_is_written_and_not_mailed() {
    let machine = Machine::with_stub(0);
    let run = machine.run(&["-u", "api", "--fail-if", "http_503>100"]);
    assert_eq!(run.status.code(), Some(0));
    assert_eq!(
        machine.table(),
        "| table | timeline --since yesterday --until today --by hour --output markdown \
         -u api --fail-if http_503>100\n"
    );
    assert_eq!(machine.mail(), None);
}

#[test]
fn a_crossed_threshold_is_mailed_and_the_job_is_done() {
    let machine = Machine::with_stub(3);
    let run = machine.run(&["--fail-if", "http_503>100"]);
    assert_eq!(run.status.code(), Some(0));
    let mail = machine.mail().unwrap();
    assert!(mail.contains(&format!("threshold crossed on {}", yesterday())), "{mail}");
    assert!(mail.contains(" oncall@example.org\n| table |"), "{mail}");
}

#[test]
fn a_failure_is_mailed_with_what_ebbline_said_and_fails_the_job() {
    for code in [1, 2] {
        let machine = Machine::with_stub(code);
        let run = machine.run(&[]);
        assert_eq!(run.status.code(), Some(code.into()));
        let mail = machine.mail().unwrap();
        assert!(mail.contains(&format!("ebbline failed with exit code {code}")), "{mail}");
        assert!(mail.contains("\n    problem\n"), "{mail}");
    }
}

#[test]
fn writing_and_mailing_can_be_two_units() {
    let machine = Machine::with_stub(3);
    let run = machine.run(&["write", "--fail-if", "http_503>100"]);
    assert_eq!(run.status.code(), Some(3), "systemd starts OnFailure= by this");
    assert_eq!(machine.mail(), None);
    assert_eq!(machine.run(&["mail"]).status.code(), Some(0));
    assert!(machine.mail().unwrap().contains("threshold crossed on "));
}

#[test]
fn a_missing_directory_is_told_with_the_remedy() {
    let machine = Machine::with_stub(0);
    fs::remove_dir(machine.path("state")).unwrap();
    let run = machine.run(&[]);
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("cannot write to ") && said.contains("create it"), "{said}");
}

#[test]
fn the_script_asks_ebbline_for_what_it_understands() {
    let machine = Machine::new();
    let ebbline = env!("CARGO_BIN_EXE_ebbline");
    machine.program("ebbline", &format!(r#"exec "{ebbline}" "$@""#));
    let log = machine.path("access.log");
    let line = |time: &str| {
        format!("{}T{time}-07:00 api: 10.0.0.1 - - \"GET / HTTP/1.1\" 503 12\n", yesterday())
    };
    fs::write(&log, line("11:00:00") + &line("11:20:00")).unwrap();
    let words = |limit: &'static str| ["--fail-if", limit, log.to_str().unwrap()];
    let run = machine.run(&words("http_503>2"));
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(machine.mail(), None);
    machine.run(&words("http_503>1"));
    let mail = machine.mail().unwrap();
    assert!(mail.contains("threshold crossed") && mail.contains("| 503 responses |"), "{mail}");
}

#[test]
fn systemd_accepts_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("ebbline-daily");
    fs::copy(shipped("ebbline-daily"), &script).unwrap();
    let installed = "/usr/local/bin/ebbline-daily";
    let names = ["ebbline-daily.service", "ebbline-daily-mail.service", "ebbline-daily.timer"];
    let units: Vec<PathBuf> = names.iter().map(|name| folder.path().join(name)).collect();
    for (name, unit) in names.iter().zip(&units) {
        let text = fs::read_to_string(shipped(name)).unwrap();
        assert!(name.ends_with("timer") || text.contains(installed), "{name}");
        fs::write(unit, text.replace(installed, script.to_str().unwrap())).unwrap();
    }
    let run = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(&units)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
    assert!(run.status.success());
}

#[test]
fn the_crontab_runs_the_script_with_options_that_its_shell_keeps_whole() {
    let text = fs::read_to_string(shipped("crontab")).unwrap();
    let jobs: Vec<&str> =
        text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    let [job] = jobs[..] else { panic!("one job is expected: {text}") };
    // cron ends the command at a bare `%`.
    assert!(!job.contains('%'), "{job}");
    let (_, command) = job.split_once(" /usr/local/bin/").unwrap();
    let machine = Machine::with_stub(0);
    let words = Command::new("sh")
        .args(["-c", &format!("printf '%s\\n' {command}")])
        .current_dir(Path::new("/"))
        .output()
        .unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let words: Vec<&str> = words.lines().skip(1).collect();
    assert_eq!(machine.run(&words).status.code(), Some(0));
    assert!(machine.table().contains("--fail-if pool_timeout>10 --fail-if http_503>100"));
}

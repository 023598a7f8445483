//! A real rsyslog beside a real journald: each entry stands in the journal and, a little later, in
//! the text.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::following::{Following, numbered};
use crate::harness::Folder;
use crate::journald::{Journald, privileged};

/// rsyslogd, which writes what journald forwards into `syslog`.
struct Rsyslog {
    daemon: Child,
    pid_file: String,
}

impl Rsyslog {
    /// `socket`: where journald forwards to.
    fn start(socket: &Path, folder: &Path) -> Self {
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let config = format!(
            "module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{}\" CreatePath=\"on\")\n\
             $FileCreateMode 0644\n\
             *.* action(type=\"omfile\" file=\"{}\" template=\"RSYSLOG_FileFormat\")\n",
            socket.display(),
            path("syslog"),
        );
        std::fs::write(folder.join(".conf"), config).unwrap();
        let pid_file = path(".pid");
        let daemon = privileged("rsyslogd")
            .args(["-n", "-f", &path(".conf"), "-i", &pid_file])
            .env("TZ", "UTC")
            .spawn()
            .unwrap_or_else(|error| panic!("rsyslogd: {error}: install the package rsyslog"));
        let rsyslog = Self { daemon, pid_file };
        let start = Instant::now();
        while !socket.exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "rsyslogd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        rsyslog
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(&self.pid_file).unwrap_or_default();
        let _ = privileged("kill").args(["-9", pid.trim()]).status();
        let _ = self.daemon.wait();
    }
}

#[test]
fn what_rsyslog_repeats_of_journald_counts_once_while_both_are_followed() {
    let journald = Journald::configured("follow-both", "ForwardToSyslog=yes\n");
    let folder = Folder::new();
    journald.log(["the first entry".to_owned()]);
    let journal = journald.files()[0].parent().unwrap().to_str().unwrap().to_owned();
    // The folder has the machine's id and the instance's name.
    let (_, instance) = journal.rsplit_once("/").unwrap().1.split_once('.').unwrap();
    let socket = format!("/run/systemd/journal.{instance}/syslog");
    let _rsyslog = Rsyslog::start(Path::new(&socket), folder.path());
    let syslog = folder.path().join("syslog");
    let start = Instant::now();
    while !syslog.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "rsyslogd writes nothing");
        journald.log(["an entry that is no event".to_owned()]);
    }
    let start = |command: &[&str]| {
        let sources = ["-f", "--since=-1d", "syslog", &journal, "none.log"];
        let mut following = Following::start(&folder, &[command, &sources[..]].concat());
        let is_begun = |it: &Following| it.stderr().contains("none.log: no such file");
        following.wait_until("the first round", is_begun);
        following
    };
    let counting = start(&["timeline", "-o", "json"]);
    let mut following = start(&["events", "-o", "ndjson"]);
    let mut last = 0;
    // Bursts, and single entries that come in a round of their own.
    for count in [1, 50, 1, 1, 200, 1] {
        journald.send((last + 1..=last + count).map(numbered));
        last += count;
        following.wait_for_numbers(last);
    }
    journald.sync();
    // journald does not wait for the daemon: of a burst some lines may be missing in the text.
    following.wait_until("the last line", |_| {
        std::fs::read_to_string(&syslog).unwrap().contains(&format!("{}\n", numbered(last)))
    });
    following.end_with_numbers(last);
    let run = counting.end("INT");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["totals"]["counts"]["pool_timeout"], last, "{document}");
    assert!(run.stderr.contains("repeats events of other sources"), "{}", run.stderr);
}

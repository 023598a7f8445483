//! A real systemd-journald that a test starts for itself: an instance of its own namespace, with
//! its own sockets and files, beside whatever journald the machine runs.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const JOURNALD: &str = "/lib/systemd/systemd-journald";

/// Ends in a process that has the id of the shell: journald. `$0` is the test's folder, `$1` the
/// instance's name, `$2` the program.
const START: &str = r#"
    mkdir -p "/run/systemd/journal.$1"
    rm -f "/run/systemd/journal.$1/socket"
    echo $$ > "$0/pid"
    exec "$2" "$1""#;

/// The same in a view of the file system of its own, in which `/var/log` has only the test's
/// folder: the key of sealed journals is one for all journals of a machine.
const START_SEALED: &str = r#"
    set -e
    mount -t tmpfs tmpfs /var/log
    mkdir -p /var/log/journal "$0/journal/$(cat /etc/machine-id)"
    mount --bind "$0/journal" /var/log/journal
    journalctl --quiet --setup-keys --force --interval=1s > "$0/key" 2> "$0/setup-keys"
    chmod a+r "$0/key""#;

pub(crate) struct Journald {
    name: String,
    scratch: tempfile::TempDir,
    sealed: bool,
    running: Option<Child>,
}

impl Journald {
    /// Starts an instance; `purpose` keeps the tests' instances apart.
    pub(crate) fn start(purpose: &str) -> Self {
        Self::start_as(purpose, false)
    }

    /// Starts an instance that seals its files, once a second while it is being written to.
    pub(crate) fn start_sealed(purpose: &str) -> Self {
        Self::start_as(purpose, true)
    }

    fn start_as(purpose: &str, sealed: bool) -> Self {
        let name = format!("ebbline-{purpose}-{}", std::process::id());
        let scratch = tempfile::tempdir().unwrap();
        let mut journald = Self { name, scratch, sealed, running: None };
        journald.run();
        journald
    }

    /// The key with which `journalctl --verify-key` checks the files of a sealed instance.
    pub(crate) fn verification_key(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("key")).unwrap().trim().to_owned()
    }

    /// Starts the instance again after [`Self::kill`].
    pub(crate) fn run(&mut self) {
        // The process's own id goes to a file: with sudo, the child is not journald.
        let mut command = if self.sealed {
            let mut command = privileged("unshare");
            command.args(["--mount", "sh", "-c", &format!("{START_SEALED}\n{START}")]);
            command
        } else {
            let mut command = privileged("sh");
            command.args(["-c", START]);
            command
        };
        let child = command.arg(self.scratch.path()).args([&self.name, JOURNALD]).spawn().unwrap();
        self.running = Some(child);
        let socket = self.socket();
        self.wait_for("its socket", || UnixDatagram::unbound().unwrap().connect(&socket).is_ok());
    }

    /// Logs entries by journald's native protocol, and waits until they are in the file.
    pub(crate) fn log(&self, messages: impl IntoIterator<Item = String>) {
        self.send(messages);
        self.ask("--sync");
    }

    /// Makes it go on with a new file.
    pub(crate) fn rotate(&self) {
        self.ask("--rotate");
    }

    /// Has it do what this option of journalctl says.
    fn ask(&self, option: &str) {
        let namespace = format!("--namespace={}", self.name);
        let done = privileged("journalctl").args([&namespace, option]).status().unwrap();
        assert!(done.success(), "journalctl {option}: {done}");
    }

    /// Logs entries and returns at once. journald takes its file online again for them, which a
    /// sync took offline.
    pub(crate) fn send(&self, messages: impl IntoIterator<Item = String>) {
        let socket = UnixDatagram::unbound().unwrap();
        socket.connect(self.socket()).unwrap();
        for message in messages {
            let entry = format!("MESSAGE={message}\nPRIORITY=4\nSYSLOG_IDENTIFIER=ebbline-test\n");
            socket.send(entry.as_bytes()).unwrap();
        }
    }

    /// Kills the instance without giving it the time to close its file.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        let pid = std::fs::read_to_string(self.scratch.path().join("pid")).unwrap();
        privileged("kill").args(["-9", pid.trim()]).status().unwrap();
        child.wait().unwrap();
    }

    /// The journal files of this instance, by name, made readable.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let sealed = self.scratch.path().join("journal");
        for root in ["/var/log/journal".into(), "/run/log/journal".into(), sealed] {
            for folder in list(root) {
                if folder.to_string_lossy().ends_with(&format!(".{}", self.name)) {
                    privileged("chmod").args(["-R", "a+rX"]).arg(&folder).status().unwrap();
                    files.extend(list(folder));
                }
            }
        }
        files.sort();
        files
    }

    fn socket(&self) -> PathBuf {
        format!("/run/systemd/journal.{}/socket", self.name).into()
    }

    fn wait_for(&mut self, what: &str, mut is_there: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_there() {
            let ended = self.running.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "{JOURNALD} ended: {ended:?}; the tests need root or sudo");
            assert!(start.elapsed() < Duration::from_secs(30), "{JOURNALD}: {what} is missing");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Journald {
    fn drop(&mut self) {
        self.kill();
        let files = self.files();
        let folders = files.iter().filter_map(|file| file.parent()).map(PathBuf::from);
        let others = [
            format!("/run/systemd/journal.{}", self.name).into(),
            self.scratch.path().join("journal"),
        ];
        for folder in folders.chain(others) {
            privileged("rm").arg("-rf").arg(folder).status().unwrap();
        }
    }
}

fn list(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A command with the rights that journald needs: as root it is itself, else by sudo.
fn privileged(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout == b"0\n" {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

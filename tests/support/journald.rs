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
        Self::configured(purpose, "")
    }

    /// Starts an instance with these settings of journald.conf(5).
    pub(crate) fn configured(purpose: &str, settings: &str) -> Self {
        Self::start_as(purpose, settings, false)
    }

    /// Starts an instance that seals its files, once a second while it is being written to.
    pub(crate) fn start_sealed(purpose: &str) -> Self {
        Self::start_as(purpose, "", true)
    }

    fn start_as(purpose: &str, settings: &str, sealed: bool) -> Self {
        let name = format!("ebbline-{purpose}-{}", std::process::id());
        let scratch = tempfile::tempdir().unwrap();
        let mut journald = Self { name, scratch, sealed, running: None };
        let file = journald.scratch.path().join("conf");
        std::fs::write(&file, format!("[Journal]\n{settings}")).unwrap();
        privileged("install")
            .args(["-D", "-m", "644"])
            .args([file, journald.settings()])
            .status()
            .unwrap();
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
        self.sync();
    }

    /// Logs one entry with these fields.
    pub(crate) fn log_fields(&self, fields: &str) {
        let socket = UnixDatagram::unbound().unwrap();
        socket.connect(self.socket()).unwrap();
        socket.send(fields.as_bytes()).unwrap();
        self.sync();
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

    /// Logs lines from a process of the unit `name` until `is_enough`: `lines` at once, then a few
    /// each second. Returns with all of them in the file.
    pub(crate) fn log_from_unit(
        &self,
        name: &str,
        lines: &[String],
        is_enough: impl Fn(&Self) -> bool,
    ) {
        let input = self.scratch.path().join("input");
        std::fs::write(&input, lines.join("\n") + "\n").unwrap();
        // logger must live until journald has looked up its unit, so its input stays open.
        let script = r#"for root in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
                [ -e "$root/cgroup.procs" ] || continue
                mkdir -p "$root/system.slice/$1" && echo $$ > "$root/system.slice/$1/cgroup.procs"
            done
            { cat "$2"; while [ -e "$2" ]; do sleep 0.2; echo still here; done; } |
                logger --socket "$3/dev-log" --tag ebbline-unit"#;
        let folder = format!("/run/systemd/journal.{}", self.name);
        let mut sender = privileged("sh")
            .args(["-c", script, "sh", name])
            .arg(&input)
            .arg(folder)
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !is_enough(self) {
            assert!(start.elapsed() < Duration::from_secs(60), "journald did not say it");
            std::thread::sleep(Duration::from_millis(100));
            self.sync();
        }
        std::fs::remove_file(input).unwrap();
        sender.wait().unwrap();
        for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"] {
            let group = PathBuf::from(root).join("system.slice").join(name);
            if group.exists() {
                privileged("rmdir").arg(group).status().unwrap();
            }
        }
        self.sync();
    }

    /// Logs entries as the user with this id, and waits until they are in the file.
    pub(crate) fn log_as_user(&self, id: &str, count: usize) {
        let input = self.scratch.path().join("of-user");
        let lines: String = (0..count).map(|index| format!("of a user {index}\n")).collect();
        std::fs::write(&input, lines).unwrap();
        let script = r#"setpriv --reuid "$1" --regid "$1" --clear-groups \
            logger --socket "$2/dev-log" --tag ebbline-user < "$3""#;
        let folder = format!("/run/systemd/journal.{}", self.name);
        let sent =
            privileged("sh").args(["-c", script, "sh", id, &folder]).arg(input).status().unwrap();
        assert!(sent.success(), "logger as user {id}: {sent}");
        self.sync();
    }

    /// Waits until what was sent is in the file.
    pub(crate) fn sync(&self) {
        self.control("--sync");
    }

    /// Lets the instance begin new files.
    pub(crate) fn rotate(&self) {
        self.control("--rotate");
    }

    fn control(&self, what: &str) {
        let namespace = format!("--namespace={}", self.name);
        let done = privileged("journalctl").args([&namespace, what]).status().unwrap();
        assert!(done.success(), "journalctl {what}: {done}");
    }

    /// Removes one of the instance's files.
    pub(crate) fn remove(&self, file: &std::path::Path) {
        privileged("rm").arg(file).status().unwrap();
    }

    fn settings(&self) -> PathBuf {
        format!("/etc/systemd/journald@{}.conf", self.name).into()
    }

    /// Ends the instance as the service manager does.
    pub(crate) fn stop(&mut self) {
        self.end("-15");
    }

    /// Kills the instance without giving it the time to close its file.
    pub(crate) fn kill(&mut self) {
        self.end("-9");
    }

    fn end(&mut self, signal: &str) {
        let Some(mut child) = self.running.take() else { return };
        let pid = std::fs::read_to_string(self.scratch.path().join("pid")).unwrap();
        privileged("kill").args([signal, pid.trim()]).status().unwrap();
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
            self.settings(),
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
pub(crate) fn privileged(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout == b"0\n" {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

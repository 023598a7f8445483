//! One server process under the eye of a shell that ends it when the test ends, however the test
//! ends; and the small things that starting one needs: a user, a free port, a program.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long anything may take that a server does for a test.
const PATIENCE: Duration = Duration::from_secs(60);

/// `$0` is the signal that ends the server, the arguments are its command. The pipe of standard
/// input closes when the test drops it, or when the test's process is gone.
const WATCH: &str = r#"
    "$@" </dev/null >&2 &
    echo $!
    while read -r line; do :; done
    kill -s CONT $! 2>/dev/null
    kill -s "$0" $! 2>/dev/null
    wait $!
    true"#;

/// A server process and the shell that watches it.
pub(crate) struct Agent {
    shell: Child,
    pid: u32,
}

impl Agent {
    /// Starts `command`; what it writes goes to the end of `log`. `end_signal` ends it at once.
    pub(crate) fn start(folder: &Path, log: &Path, end_signal: &str, command: &[&str]) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut shell = as_server_user("sh")
            .args(["-c", WATCH, end_signal])
            .args(command)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let pid = line.trim().parse().unwrap_or_else(|_| panic!("no process id: {line:?}"));
        Self { shell, pid }
    }

    pub(crate) fn is_alive(&self) -> bool {
        state(self.pid).is_some_and(|state| state != 'Z')
    }

    /// Sends a signal to the server's first process only.
    pub(crate) fn signal(&self, signal: &str) {
        send(signal, &[self.pid]);
    }

    /// Stops all processes of the server. Their sockets stay open, and the kernel goes on
    /// accepting connections for them.
    pub(crate) fn freeze(&self) {
        // The first process first: while it stands still there are no new ones.
        send("STOP", &[self.pid]);
        wait_for("a stopped process", || state(self.pid) == Some('T'));
        let children = children(self.pid);
        send("STOP", &children);
        let stands = |pid: &u32| matches!(state(*pid), None | Some('T' | 'Z'));
        wait_for("stopped processes", || children.iter().all(stands));
    }

    pub(crate) fn thaw(&self) {
        send("CONT", &children(self.pid));
        send("CONT", &[self.pid]);
    }

    /// Kills all processes of the server: nobody is told anything.
    pub(crate) fn kill(self) {
        self.freeze();
        let mut all = children(self.pid);
        all.push(self.pid);
        send("KILL", &all);
        wait_for("killed processes", || {
            all.iter().all(|pid| state(*pid).is_none_or(|state| state == 'Z'))
        });
    }

    pub(crate) fn wait_until_it_ends(&self) {
        wait_for("the server to stop", || !self.is_alive());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.thaw();
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Polls until the condition holds, and fails when it never does.
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A command that runs as a user for whom the servers start: they refuse to be root.
pub(crate) fn as_server_user(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", program]);
    command
}

/// A new folder that belongs to the user of [`as_server_user`].
pub(crate) fn server_folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("ebbline-pool-").tempdir().unwrap();
    if is_root() {
        run(Command::new("chown").arg("postgres:postgres").arg(folder.path()));
    }
    folder
}

/// A program of PostgreSQL, of the newest version that is installed.
pub(crate) fn postgres_program(name: &str) -> String {
    let version = |folder: &PathBuf| -> Option<u32> {
        folder.file_name()?.to_str()?.split('.').next()?.parse().ok()
    };
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = installed.filter_map(|entry| Some(entry.ok()?.path())).max_by_key(version);
    let program = newest.unwrap_or_default().join("bin").join(name);
    assert!(program.exists(), "PostgreSQL's {name} is missing: run `.ci/setup test`");
    program.to_str().unwrap().to_owned()
}

/// Runs a command to its end and gives what it printed; fails with what it said.
pub(crate) fn run(command: &mut Command) -> String {
    let said = command.stdin(Stdio::null()).output();
    let said = said.unwrap_or_else(|error| {
        panic!("{command:?} does not start ({error}): run `.ci/setup test`")
    });
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{command:?} failed: {errors}");
    String::from_utf8(said.stdout).unwrap()
}

/// A loopback port that nobody listens on. It lies below those that the kernel gives to outgoing
/// connections, so that nobody takes it while its server is down.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    let first = 20_000 + (std::process::id() * 97 % 10_000) as u16;
    let mut candidates = (first..32_000).chain(20_000..first);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = candidates.find(|port| !given.contains(port) && is_free(port)).unwrap();
    given.insert(port);
    port
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    line.split_whitespace().nth(1) == Some("0")
}

/// Whether some process is not there any more is for the caller to see.
fn send(signal: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let pids = pids.iter().map(u32::to_string);
    let mut kill = Command::new("/bin/kill");
    kill.arg(format!("-{signal}")).args(pids).stderr(Stdio::null()).status().unwrap();
}

fn children(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap();
    let pids = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, of)| of == parent)).collect()
}

/// The state of a process as in ps(1); `None` when it is gone.
fn state(pid: u32) -> Option<char> {
    Some(stat(pid)?.0)
}

/// State and parent of a process. Its name stands in parentheses before them.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut words = after_name.split_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

//! A PostgreSQL server of a test's own, on a free loopback port and on a socket in its folder.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use super::agent::{
    Agent, as_server_user, free_port, postgres_program, run, server_folder, wait_for,
};

/// Roles in `with_password` must give their password, all others are trusted.
const HBA: &str = "\
local all all trust
local replication all trust
host all +with_password 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
";

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
shared_buffers = 16MB
dynamic_shared_memory_type = mmap
wal_keep_size = 64MB
wal_retrieve_retry_interval = 100ms
autovacuum = off
jit = off
";

/// The files of a server that has never run: made once, then copied.
struct Template(tempfile::TempDir);

/// A PostgreSQL server. It ends, and its files go, when this is dropped.
pub(crate) struct Server {
    agent: Option<Agent>,
    port: u16,
    folder: tempfile::TempDir,
    _template: Option<Arc<Template>>,
}

impl Server {
    /// A server with the superuser `postgres` and the database `postgres`, ready for connections.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with lines of postgresql.conf, such as `max_connections = 10`.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let template = template();
        let folder = server_folder();
        let data = folder.path().join("data");
        run(Command::new("cp").arg("-a").args([&template.0.path().join("data"), &data]));
        let mut server = Self::in_folder(folder, settings);
        server._template = Some(template);
        server
    }

    /// Starts a server whose files lie in the folder's `data`.
    pub(super) fn in_folder(folder: tempfile::TempDir, settings: &[&str]) -> Self {
        let port = free_port();
        let mut server = Self { agent: None, port, folder, _template: None };
        let socket = format!("unix_socket_directories = '{}'", server.socket_folder().display());
        server.configure(&[&format!("port = {port}"), &socket]);
        server.configure(settings);
        server.run();
        server
    }

    /// Adds lines to postgresql.conf, for the next [`Self::run`] or `pg_reload_conf()`.
    pub(crate) fn configure(&self, settings: &[&str]) {
        let file = self.data().join("postgresql.conf");
        let mut file = File::options().append(true).open(file).unwrap();
        writeln!(file, "{}", settings.join("\n")).unwrap();
    }

    /// Starts the server again after [`Self::stop`] or [`Self::kill`]: same port, same files.
    pub(crate) fn run(&mut self) {
        assert!(self.agent.is_none(), "the server runs already");
        let program = postgres_program("postgres");
        let data = self.data();
        let command = [program.as_str(), "-D", data.to_str().unwrap()];
        let agent = Agent::start(self.folder.path(), &self.log_file(), "QUIT", &command);
        wait_for("PostgreSQL to start", || {
            assert!(agent.is_alive(), "PostgreSQL ended: {}", self.log());
            self.try_psql("SELECT 1").is_some()
        });
        self.agent = Some(agent);
    }

    /// Stops the server in order: it says goodbye to its clients and refuses new ones.
    pub(crate) fn stop(&mut self) {
        let agent = self.agent.take().expect("the server runs");
        agent.signal("INT");
        agent.wait_until_it_ends();
    }

    /// Kills all its processes, so that connections break without a word.
    pub(crate) fn kill(&mut self) {
        self.agent.take().expect("the server runs").kill();
    }

    /// Stops all its processes where they are: connections are accepted, nothing is answered.
    pub(crate) fn freeze(&self) {
        self.agent.as_ref().expect("the server runs").freeze();
    }

    /// Ends [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        self.agent.as_ref().expect("the server runs").thaw();
    }

    /// For connections over TCP as the superuser.
    pub(crate) fn dsn(&self) -> String {
        self.dsn_as("postgres")
    }

    /// For connections as this user, or as `user:password`.
    pub(crate) fn dsn_as(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the Unix socket.
    pub(crate) fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a role that logs in only with its password.
    pub(crate) fn create_role_with_password(&self, name: &str, password: &str) {
        if self.psql("SELECT 1 FROM pg_roles WHERE rolname = 'with_password'").is_empty() {
            self.psql("CREATE ROLE with_password");
        }
        self.psql(&format!(
            "CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}' IN ROLE with_password"
        ));
    }

    /// Runs SQL as the superuser by psql, past every pool; gives its rows, fields parted by `|`.
    pub(crate) fn psql(&self, sql: &str) -> String {
        run(&mut self.psql_command(sql)).trim_end().to_owned()
    }

    /// The same for a server that may not answer.
    pub(crate) fn try_psql(&self, sql: &str) -> Option<String> {
        let said = self.psql_command(sql).output().unwrap();
        let rows = String::from_utf8_lossy(&said.stdout).trim_end().to_owned();
        said.status.success().then_some(rows)
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    fn psql_command(&self, sql: &str) -> Command {
        let mut command = as_server_user(&postgres_program("psql"));
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        command.args(["--set=ON_ERROR_STOP=1", "--username=postgres", "--dbname=postgres"]);
        command.arg("--host").arg(self.socket_folder()).arg(format!("--port={}", self.port));
        command.args(["--command", sql]).current_dir(self.folder.path());
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.agent = None;
        // A killed server leaves its block of shared memory behind; the lock file names it.
        let Ok(lock) = fs::read_to_string(self.data().join("postmaster.pid")) else { return };
        if let Some(block) = lock.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)) {
            let _ = as_server_user("ipcrm").args(["--shmem-id", block]).output();
        }
    }
}

/// The template, made by the first test and removed with the last server.
fn template() -> Arc<Template> {
    static MADE: Mutex<Weak<Template>> = Mutex::new(Weak::new());
    let mut made = MADE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(template) = made.upgrade() {
        return template;
    }
    let folder = server_folder();
    let mut initdb = as_server_user(&postgres_program("initdb"));
    initdb.args(["--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"]);
    initdb.args(["--encoding=UTF8", "--locale=C", "--pgdata", "data"]).current_dir(folder.path());
    run(&mut initdb);
    let data = folder.path().join("data");
    fs::write(data.join("pg_hba.conf"), HBA).unwrap();
    let conf = File::options().append(true).open(data.join("postgresql.conf"));
    conf.unwrap().write_all(SETTINGS.as_bytes()).unwrap();
    let template = Arc::new(Template(folder));
    *made = Arc::downgrade(&template);
    template
}

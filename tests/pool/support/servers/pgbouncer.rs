//! A PgBouncer in front of a test's server.

use std::fs;
use std::net::TcpStream;
use std::path::Path;

use super::agent::{Agent, free_port, server_folder, wait_for};
use super::server::Server;

/// For how long a client keeps a server connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// For as long as the client is connected.
    Session,
    /// For a transaction.
    Transaction,
}

/// A PgBouncer with at most two connections to its server for each user, so that clients share
/// them. It ends when this is dropped.
pub(crate) struct PgBouncer {
    _agent: Agent,
    port: u16,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// Knows the roles that the server has at this moment, and trusts them. As usual it is told
    /// to ignore `extra_float_digits`, which sqlx sends, and no other parameter.
    pub(crate) fn in_front_of(server: &Server, mode: Mode) -> Self {
        Self::with_settings(server, mode, "")
    }

    /// The same with lines of its `[pgbouncer]` section, of which the last counts.
    pub(crate) fn with_settings(server: &Server, mode: Mode, settings: &str) -> Self {
        const PROGRAM: &str = "/usr/sbin/pgbouncer";
        assert!(Path::new(PROGRAM).exists(), "PgBouncer is missing: run `.ci/setup test`");
        let folder = server_folder();
        let users = folder.path().join("users");
        let names = server.psql("SELECT format('\"%s\" \"\"', rolname) FROM pg_roles");
        fs::write(&users, names + "\n").unwrap();
        let (port, to_port) = (free_port(), server.port());
        let mode = match mode {
            Mode::Session => "session",
            Mode::Transaction => "transaction",
        };
        let file = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={to_port}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\nadmin_users = postgres\n\
             ignore_startup_parameters = extra_float_digits\n\
             pool_mode = {mode}\ndefault_pool_size = 2\nmax_client_conn = 100\n\
             {settings}\n",
            users.display()
        );
        fs::write(&file, text).unwrap();
        let log = folder.path().join("log");
        let command = [PROGRAM, file.to_str().unwrap()];
        let agent = Agent::start(folder.path(), &log, "TERM", &command);
        wait_for("PgBouncer to start", || {
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(agent.is_alive(), "PgBouncer ended: {}", said());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { _agent: agent, port, _folder: folder }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// For connections through it as the superuser.
    pub(crate) fn dsn(&self) -> String {
        self.dsn_as("postgres")
    }

    /// For connections through it as this user.
    pub(crate) fn dsn_as(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/postgres", self.port)
    }
}

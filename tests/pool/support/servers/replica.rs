//! A streaming replica of a test's server.

use std::ops::{Deref, DerefMut};

use super::agent::{as_server_user, postgres_program, run, server_folder, wait_for};
use super::server::Server;

/// A physical replica that follows its primary; all that a [`Server`] can do, it can do too.
pub(crate) struct Replica(Server);

impl Replica {
    /// A replica that streams from `primary` and is ready for connections.
    pub(crate) fn of(primary: &Server) -> Self {
        let folder = server_folder();
        let mut backup = as_server_user(&postgres_program("pg_basebackup"));
        backup.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        backup.args(["--wal-method=stream", "--username=postgres", "--pgdata", "data"]);
        backup.arg("--host").arg(primary.socket_folder());
        backup.arg(format!("--port={}", primary.port())).current_dir(folder.path());
        run(&mut backup);
        let replica = Self(Server::in_folder(folder, &[]));
        assert_eq!(replica.psql("SELECT pg_is_in_recovery()"), "t");
        replica.wait_until_streaming();
        replica
    }

    /// Waits until the replica receives what its primary writes.
    pub(crate) fn wait_until_streaming(&self) {
        wait_for("the replica to stream", || {
            self.psql("SELECT status FROM pg_stat_wal_receiver") == "streaming"
        });
    }

    /// Waits until the replica shows all that `primary` has written so far.
    pub(crate) fn catch_up(&self, primary: &Server) {
        let written = primary.psql("SELECT pg_current_wal_lsn()");
        let reached = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        wait_for("the replica to catch up", || self.psql(&reached) == "t");
    }

    /// Lets the replica fall behind: it receives, but does not apply.
    pub(crate) fn pause_replay(&self) {
        self.psql("SELECT pg_wal_replay_pause()");
        wait_for("the replay to pause", || {
            self.psql("SELECT pg_get_wal_replay_pause_state()") == "paused"
        });
    }

    /// Ends [`Self::pause_replay`].
    pub(crate) fn resume_replay(&self) {
        self.psql("SELECT pg_wal_replay_resume()");
    }
}

impl Deref for Replica {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for Replica {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}

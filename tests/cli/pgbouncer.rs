//! `ebbline pool` on what a real PgBouncer says of itself: `SHOW POOLS` as psql prints it, and the
//! `stats:` lines of its log.

use std::collections::HashMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::agent::{Agent, free_port, run, server_folder, wait_for};
use crate::harness::Folder;

const TIME: &str = "2026-05-06T04:49:07Z";

/// A PgBouncer in front of a server that takes connections and never says a word, and a client
/// that waits for it.
struct Busy {
    port: u16,
    folder: tempfile::TempDir,
    client: Child,
    _agent: Agent,
    _silent: TcpListener,
}

impl Busy {
    fn start() -> Self {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, to_port) = (free_port(), silent.local_addr().unwrap().port());
        let folder = server_folder();
        let users = folder.path().join("users");
        fs::write(&users, "\"pgbouncer\" \"\"\n").unwrap();
        let settings = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\nshop = host=127.0.0.1 port={to_port}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\nadmin_users = pgbouncer\nstats_period = 1\n",
            users.display()
        );
        fs::write(&settings, text).unwrap();
        let log = folder.path().join("log");
        let command = ["/usr/sbin/pgbouncer", settings.to_str().unwrap()];
        let agent = Agent::start(folder.path(), &log, "TERM", &command);
        wait_for("PgBouncer to start", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        let client = psql(port, "shop").args(["-c", "SELECT 1"]).stdin(Stdio::null()).spawn();
        let busy = Self { port, folder, client: client.unwrap(), _agent: agent, _silent: silent };
        wait_for("a client that waits", || busy.values()["cl_waiting"] == "1");
        busy
    }

    /// `SHOW POOLS` as psql prints it with these options.
    fn show_pools(&self, options: &[&str]) -> String {
        run(psql(self.port, "pgbouncer").args(options).args(["-c", "SHOW POOLS"]))
    }

    /// The row of the pool, by the names of the columns.
    fn values(&self) -> HashMap<String, String> {
        let text = self.show_pools(&["--no-align", "--pset=footer=off"]);
        let mut rows = text.lines().map(|row| row.split('|').map(str::to_owned));
        let names: Vec<String> = rows.next().unwrap().collect();
        let own = rows.map(|row| names.iter().cloned().zip(row).collect::<HashMap<_, _>>());
        own.into_iter()
            .find(|row| row["database"] == "shop")
            .unwrap_or_else(|| HashMap::from([("cl_waiting".to_owned(), "0".to_owned())]))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

fn psql(port: u16, database: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-h", "127.0.0.1", "-U", "pgbouncer", "-d", database]);
    psql.arg(format!("--port={port}")).stderr(Stdio::null());
    psql
}

/// The only point of the pool of the shop.
fn point(text: &str) -> Value {
    let folder = Folder::new();
    let file = folder.write("log", text.as_bytes());
    let run = folder.run(&["pool", "-o", "json", file.to_str().unwrap()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let series = document["series"].as_array().unwrap().clone();
    let shop = series.iter().find(|series| series["pool"] == "shop/pgbouncer");
    let points = shop.unwrap_or_else(|| panic!("no shop in {document}"))["points"].clone();
    assert_eq!(points.as_array().unwrap().len(), 1, "{text}");
    points[0].clone()
}

#[test]
fn the_table_of_pools_is_read_as_psql_prints_it() {
    let busy = Busy::start();
    let columns = busy.values();
    let count = |name: &str| columns[name].parse::<u64>().unwrap();
    let connections = columns.keys().filter(|name| name.starts_with("sv_"));
    let size: u64 = connections.map(|name| count(name)).sum();
    assert_eq!((count("cl_waiting"), size), (1, 1), "{columns:?}");
    for options in [&[][..], &["--no-align"]] {
        let table = busy.show_pools(options);
        let prefixed: Vec<String> =
            table.lines().map(|line| format!("{TIME} db1 pools[7]: {line}\n")).collect();
        for text in [format!("{TIME} pools of db1\n{table}"), prefixed.concat()] {
            let point = point(&text);
            assert_eq!(point["at"], "2026-05-06T04:49:07+00:00", "{text}");
            assert_eq!(point["waiting"], 1, "{text}");
            assert_eq!(point["size"], size, "{text}");
            assert_eq!(point["idle"], count("sv_idle"), "{text}");
            assert_eq!(point["in_use"], count("sv_active"), "{text}");
        }
    }
}

#[test]
fn each_line_of_statistics_in_its_log_is_a_snapshot() {
    let busy = Busy::start();
    let log = busy.folder.path().join("log");
    let lines = || fs::read_to_string(&log).unwrap().matches(" LOG stats: ").count();
    wait_for("two lines of statistics", || lines() >= 2);
    let text = fs::read_to_string(&log).unwrap();
    let folder = Folder::new();
    let file = folder.write("pgbouncer.log", text.as_bytes());
    let run = folder.run(&["pool", "-o", "json", file.to_str().unwrap()]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let series = document["series"].as_array().unwrap();
    assert_eq!(series.len(), 1, "{document}");
    assert_eq!(series[0]["format"], "pgbouncer-stats");
    let expected = text.matches(" LOG stats: ").count();
    assert_eq!(series[0]["points"].as_array().unwrap().len(), expected, "{text}");
}

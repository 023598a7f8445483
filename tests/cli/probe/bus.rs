//! systemd over D-Bus: a real dbus-daemon of the test's own, on which the test plays systemd.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use zbus::{Connection, MessageStream, OwnedObjectPath, Variant};

use super::{document, quiet_log};
use crate::harness::{Folder, Run};

/// A bus that ends with the test.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start(folder: &Folder) -> Self {
        let configuration = format!(
            "<busconfig><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth>\
             <policy context='default'><allow send_destination='*' eavesdrop='true'/>\
             <allow eavesdrop='true'/><allow own='*'/></policy></busconfig>",
            folder.path().display()
        );
        let configuration = folder.write("bus.conf", configuration);
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", configuration.display()))
            .args(["--print-address", "--nofork"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-daemon: {error}: install the package dbus"));
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { daemon, address: address.trim().to_owned() }
    }

    /// Plays systemd with one unit, `known.service`.
    fn play_systemd(&self) {
        let address = self.address.clone();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || zbus::block_on(systemd(&address, ready)));
        is_ready.recv().unwrap();
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Answers as systemd does: LoadUnit knows an object for every name, and the object's properties
/// say whether there is such a unit.
async fn systemd(address: &str, ready: std::sync::mpsc::Sender<()>) {
    let builder = zbus::connection::Builder::address(address).name("org.freedesktop.systemd1");
    let connection = builder.build().await.unwrap();
    let mut calls = MessageStream::from(&connection);
    ready.send(()).unwrap();
    while let Some(Ok(call)) = next(&mut calls).await {
        answer(&connection, &call).await;
    }
}

async fn next(calls: &mut MessageStream) -> Option<zbus::Result<zbus::Message>> {
    std::future::poll_fn(|context| {
        use zbus::export::futures_core::Stream;
        std::pin::Pin::new(&mut *calls).poll_next(context)
    })
    .await
}

async fn answer(connection: &Connection, call: &zbus::Message) {
    let header = call.header();
    match header.member().map(|member| member.to_string()).as_deref() {
        Some("LoadUnit") => {
            let unit: String = call.body().deserialize().unwrap();
            let known = if unit == "known.service" { "known" } else { "unknown" };
            let path = format!("/org/freedesktop/systemd1/unit/{known}");
            let path = OwnedObjectPath::try_from(path).unwrap();
            connection.reply(&header, &path).await.unwrap();
        }
        Some("GetAll") => {
            let is_known = header.path().unwrap().as_str().ends_with("/known");
            let mut properties: HashMap<&str, Variant<'_>> = HashMap::new();
            let states = if is_known {
                [("LoadState", "loaded"), ("ActiveState", "failed"), ("SubState", "failed")]
            } else {
                [("LoadState", "not-found"), ("ActiveState", "inactive"), ("SubState", "dead")]
            };
            properties.extend(states.map(|(name, state)| (name, Variant::from(state))));
            if is_known {
                properties.insert("UnitFileState", Variant::from("enabled"));
                properties.insert("FragmentPath", Variant::from("/etc/known.service"));
                properties.insert("StateChangeTimestamp", Variant::from(1_777_939_200_000_000_u64));
            }
            connection.reply(&header, &properties).await.unwrap();
        }
        _ => {}
    }
}

fn probe_on(bus: &str, folder: &Folder, code: i32, unit: &str) -> Value {
    let log = quiet_log(folder);
    let mut command = folder.command(&["probe", "-o", "json", "--unit", unit, log]);
    command.env("DBUS_SYSTEM_BUS_ADDRESS", bus);
    document(&Run::from(command.output().unwrap()), code)["findings"][0].clone()
}

#[test]
fn systemd_is_asked_for_a_units_state() {
    let folder = Folder::new();
    let bus = Bus::start(&folder);
    bus.play_systemd();
    let known = probe_on(&bus.address, &folder, 0, "known");
    assert_eq!(known["verdict"], "present");
    let now = &known["now"];
    assert_eq!(now["by"], "systemd");
    assert_eq!((&now["active_state"], &now["file_state"]), (&"failed".into(), &"enabled".into()));
    assert_eq!(now["since"], "2026-05-05T00:00:00+00:00");
    assert_eq!(now["file"], "/etc/known.service");
    let unknown = probe_on(&bus.address, &folder, 3, "pg-replica");
    assert_eq!(unknown["verdict"], "never");
    assert_eq!(unknown["now"]["looked"], "systemd knows no such unit");
}

#[test]
fn a_bus_without_systemd_leaves_the_unit_files() {
    let folder = Folder::new();
    let bus = Bus::start(&folder);
    let finding = probe_on(&bus.address, &folder, 3, "no-such-unit-x");
    let looked = finding["now"]["looked"].as_str().unwrap();
    assert!(looked.contains("no unit file") && looked.contains("systemd could not"), "{looked}");
}

#[test]
fn a_bus_that_hangs_does_not_hang_the_probe() {
    let folder = Folder::new();
    let path = folder.path().join("silent");
    // Connections wait in its queue, and nobody ever answers.
    let _silent = UnixListener::bind(&path).unwrap();
    let address = format!("unix:path={}", path.display());
    let finding = probe_on(&address, &folder, 3, "no-such-unit-x");
    let looked = finding["now"]["looked"].as_str().unwrap();
    assert!(looked.contains("systemd did not answer within 2 s"), "{looked}");
}

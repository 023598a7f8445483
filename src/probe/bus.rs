//! systemd over D-Bus: org.freedesktop.systemd1(5).
//!
//! A bus may hang, and so may systemd. It is asked in a thread of its own, which is left behind
//! when it takes too long.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use zbus::{OwnedObjectPath, OwnedVariant};

use super::now::UnitFacts;
use crate::time::Timestamp;

const SYSTEMD: &str = "org.freedesktop.systemd1";

/// What systemd says of each unit, in their order. Fails with a clause that says why it could not
/// be asked.
pub(super) fn ask(units: &[&str], patience: Duration) -> Result<Vec<UnitFacts>, String> {
    let units: Vec<String> = units.iter().map(|unit| (*unit).to_owned()).collect();
    let (sender, receiver) = mpsc::channel();
    let asking = std::thread::Builder::new().spawn(move || {
        // Nobody may be waiting any longer.
        let _ = sender.send(zbus::block_on(ask_all(&units, patience)));
    });
    asking.map_err(|error| format!("systemd could not be asked ({error})"))?;
    match receiver.recv_timeout(patience) {
        Ok(answers) => answers.map_err(|error| format!("systemd could not be asked ({error})")),
        Err(_) => Err(format!("systemd did not answer within {} s", patience.as_secs_f32())),
    }
}

async fn ask_all(units: &[String], patience: Duration) -> zbus::Result<Vec<UnitFacts>> {
    let bus = zbus::connection::Builder::system().method_timeout(patience).build().await?;
    let mut answers = Vec::new();
    for unit in units {
        answers.push(ask_one(&bus, unit).await?);
    }
    Ok(answers)
}

/// Loads the unit, which starts nothing and tells `not-found` for one that does not exist.
async fn ask_one(bus: &zbus::Connection, unit: &str) -> zbus::Result<UnitFacts> {
    let manager = Some("org.freedesktop.systemd1.Manager");
    let path = "/org/freedesktop/systemd1";
    let reply = bus.call_method(Some(SYSTEMD), path, manager, "LoadUnit", &(unit)).await?;
    let object: OwnedObjectPath = reply.body().deserialize()?;
    let properties = Some("org.freedesktop.DBus.Properties");
    let interface = "org.freedesktop.systemd1.Unit";
    let reply = bus.call_method(Some(SYSTEMD), &object, properties, "GetAll", &(interface)).await?;
    let properties: HashMap<String, OwnedVariant> = reply.body().deserialize()?;
    Ok(facts(&properties))
}

fn facts(properties: &HashMap<String, OwnedVariant>) -> UnitFacts {
    let text = |name: &str| {
        let text = properties.get(name).and_then(|value| <&str>::try_from(value).ok());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let since = properties.get("StateChangeTimestamp").and_then(|value| u64::try_from(value).ok());
    let since = since.filter(|since| *since > 0).and_then(|since| i64::try_from(since).ok());
    UnitFacts {
        load_state: text("LoadState").unwrap_or_else(|| "unknown".to_owned()),
        active_state: text("ActiveState"),
        sub_state: text("SubState"),
        file_state: text("UnitFileState"),
        since: since.and_then(Timestamp::from_micros),
        file: text("FragmentPath").map(PathBuf::from),
        pids: Vec::new(),
        why_no_systemd: None,
    }
}

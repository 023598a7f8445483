//! A journal entry with the fields that journald would give it, and the programs that log.

use std::io::{self, Write};

use super::calendar::{HOUR_US, april};

const MACHINE_ID: &str = "4f1d0c7be2a94b0f9d6e1c3a5b7f8091";
const FIRST_BOOT_ID: &str = "8c1f27d03b6e4f59a2d47e90c15ab6f3";
const SECOND_BOOT_ID: &str = "d35e9a4461b84c0c8f72a05be9134d87";
/// How long the host had been up when the sample begins, in microseconds: 20 days.
const UP_BEFORE_US: u64 = 20 * 24 * HOUR_US;

/// When the host came up again after its reboot.
pub(crate) fn reboot_us() -> u64 {
    april(28).at(3, 11, 24)
}

/// A program on the host, as the fields of its entries name it.
pub(crate) struct Program {
    pub(crate) identifier: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) comm: &'static str,
    pub(crate) uid: &'static str,
    pub(crate) transport: &'static str,
}

const fn program(
    identifier: &'static str,
    unit: &'static str,
    comm: &'static str,
    uid: &'static str,
    transport: &'static str,
) -> Program {
    Program { identifier, unit, comm, uid, transport }
}

/// The service that fails, as uvicorn prints its access lines.
pub(crate) const API_STDOUT: Program =
    program("scidex-api", "scidex-api.service", "uvicorn", "998", "stdout");
/// The same service, as its own loggers write to the journal's socket.
pub(crate) const API_LOGGER: Program =
    program("scidex-api", "scidex-api.service", "uvicorn", "998", "journal");
pub(crate) const ARTIFACTS: Program =
    program("artifact-store", "artifact-store.service", "artifact-store", "997", "stdout");
pub(crate) const DEPLOY: Program =
    program("scidex-deploy", "scidex-deploy.service", "scidex-deploy", "0", "stdout");
pub(crate) const SYSTEMD: Program = program("systemd", "init.scope", "systemd", "0", "journal");
pub(crate) const JOURNALD: Program =
    program("systemd-journald", "systemd-journald.service", "systemd-journal", "0", "driver");
pub(crate) const SSHD: Program = program("sshd", "ssh.service", "sshd", "0", "syslog");
pub(crate) const CRON: Program = program("CRON", "cron.service", "cron", "0", "syslog");
pub(crate) const POSTGRES: Program =
    program("postgres", "postgresql@16-main.service", "postgres", "108", "syslog");
pub(crate) const PGBOUNCER: Program =
    program("pgbouncer", "pgbouncer.service", "pgbouncer", "108", "syslog");
pub(crate) const KERNEL: Program = program("kernel", "", "", "", "kernel");

/// One entry of the journal.
pub(crate) struct Entry {
    /// When it was logged, in microseconds since the epoch.
    pub(crate) at_us: u64,
    /// Names and values; a value may have line breaks.
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl Entry {
    /// An entry of `program`, with the syslog priority (3 err, 4 warning, 5 notice, 6 info).
    pub(crate) fn new(
        at_us: u64,
        program: &Program,
        pid: u32,
        priority: u8,
        message: impl Into<String>,
    ) -> Self {
        let mut fields = vec![
            ("_MACHINE_ID", MACHINE_ID.to_owned()),
            ("_HOSTNAME", "atlas".to_owned()),
            ("_TRANSPORT", program.transport.to_owned()),
            ("PRIORITY", priority.to_string()),
            ("SYSLOG_IDENTIFIER", program.identifier.to_owned()),
        ];
        if program.transport != "kernel" {
            fields.push(("_PID", pid.to_string()));
            fields.push(("_UID", program.uid.to_owned()));
            fields.push(("_COMM", program.comm.to_owned()));
            fields.push(("_SYSTEMD_UNIT", program.unit.to_owned()));
        }
        fields.push(("MESSAGE", message.into()));
        Self { at_us, fields }
    }

    /// The same entry with one more field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Writes the entry as <https://systemd.io/JOURNAL_EXPORT_FORMATS/> says.
    pub(crate) fn export(&self, out: &mut impl Write) -> io::Result<()> {
        let (boot_id, boot_us) = self.boot();
        writeln!(out, "__REALTIME_TIMESTAMP={}", self.at_us)?;
        writeln!(out, "__MONOTONIC_TIMESTAMP={}", self.at_us - boot_us)?;
        writeln!(out, "_BOOT_ID={boot_id}")?;
        for (name, value) in &self.fields {
            if value.contains('\n') {
                writeln!(out, "{name}")?;
                out.write_all(&(value.len() as u64).to_le_bytes())?;
                writeln!(out, "{value}")?;
            } else {
                writeln!(out, "{name}={value}")?;
            }
        }
        writeln!(out)
    }

    /// The id of the entry's boot, and when that boot began.
    pub(crate) fn boot(&self) -> (&'static str, u64) {
        if self.at_us < reboot_us() {
            return (FIRST_BOOT_ID, april(19).at(0, 0, 0) - UP_BEFORE_US);
        }
        (SECOND_BOOT_ID, reboot_us())
    }
}

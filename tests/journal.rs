//! The journal readers against journals that systemd itself wrote, with journalctl as the oracle.
//!
//! Debian's and Ubuntu's packages `systemd` and `systemd-journal-remote` have the programs; the
//! tests that start a journald need root or sudo.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/journald.rs"]
mod journald;
#[path = "support/journals.rs"]
mod journals;
#[path = "support/oracle.rs"]
mod oracle;
#[cfg(feature = "systemd")]
#[path = "support/reader.rs"]
mod reader;
#[path = "support/writer.rs"]
mod writer;

#[path = "journal/backends.rs"]
mod backends;
#[path = "journal/beside_text.rs"]
mod beside_text;
#[cfg(feature = "systemd")]
#[path = "journal/bombs.rs"]
mod bombs;
#[path = "journal/command.rs"]
mod command;
#[cfg(feature = "systemd")]
#[path = "journal/damaged.rs"]
mod damaged;
#[path = "journal/healthy.rs"]
mod healthy;
#[cfg(feature = "systemd")]
#[path = "journal/lies.rs"]
mod lies;
#[path = "journal/not_logged.rs"]
mod not_logged;
#[cfg(feature = "systemd")]
#[path = "journal/patients.rs"]
mod patients;
#[path = "journal/properties.rs"]
mod properties;
#[path = "journal/real_gaps.rs"]
mod real_gaps;
#[path = "journal/real_journald.rs"]
mod real_journald;
#[path = "journal/shrinking.rs"]
mod shrinking;
#[path = "journal/together.rs"]
mod together;
#[path = "journal/under_load.rs"]
mod under_load;
#[path = "journal/variants.rs"]
mod variants;

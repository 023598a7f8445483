//! The journal readers against journals that systemd itself wrote, with journalctl as the oracle.
//!
//! Debian's and Ubuntu's packages `systemd` and `systemd-journal-remote` have the programs.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/journals.rs"]
mod journals;
#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/writer.rs"]
mod writer;

#[path = "journal/healthy.rs"]
mod healthy;
#[path = "journal/together.rs"]
mod together;
#[path = "journal/variants.rs"]
mod variants;

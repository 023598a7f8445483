//! Was it ever there? What this machine says now about a unit, a port, a path or a process, beside
//! what the journal says over the whole time that it covers.
//!
//! `now` asks the machine, or an image of one: systemd or the unit files, the sockets, the file
//! system, the processes. `history` takes from a scan of the logs who logged something, and who was
//! only spoken of. `verdict` puts both together, with the coverage that makes a "never" a proof and
//! what limits it. `text`, `markdown` and `json` write findings down.

pub mod asked;

pub mod place;

mod bus;

mod paths;

mod ports;

mod processes;

mod unit_files;

pub mod now;

pub mod kinds;

pub mod history;

pub mod verdict;

pub mod finding;

mod sentences;

pub mod text;

pub mod markdown;

pub mod json;

pub use asked::Asked;
pub use finding::{Coverage, Finding, Findings, Retention};
pub use history::{History, HistorySink};
pub use now::{Machine, Now};
pub use verdict::Verdict;

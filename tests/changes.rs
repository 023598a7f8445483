//! What changed: what journals and texts tell about units, processes, boots and deployments, and
//! how a timeline shows it.
#![allow(clippy::unwrap_used)]

#[path = "support/journals.rs"]
mod journals;

#[path = "changes/shown.rs"]
mod shown;

#[path = "changes/told.rs"]
mod told;

#[path = "changes/units.rs"]
mod units;

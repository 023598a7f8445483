//! What a message means: the rule catalogue and the classifier that applies it.
//!
//! A rule is a regular expression with the class of failure that it shows and with sample lines
//! that only it may match. Rules come from the catalogue in `builtin/` (one TOML file an
//! ecosystem) and from the user's own files. This module reads no file: it is given text.

mod beforehand;
mod borders;
mod builtin;
mod candidates;
mod catalogue;
mod classifier;
mod cover;
mod digits;
mod gate;
mod grams;
mod groups;
mod literals;
mod memo;
mod needles;
mod rarity;
mod rule;
mod selftest;

pub use catalogue::{ClassIndex, RuleIndex, RuleSet};
pub use classifier::{Classifier, Fields, NoFields, Verdict};
pub use gate::Places;
pub use memo::Memo;
pub use rule::{Reader, Rule, RuleError, SNAPSHOT_GROUPS};
pub use selftest::{Finding, self_test};

/// The class of a caller that did not get a database connection.
pub const POOL_TIMEOUT: &str = "pool_timeout";
/// The class of a request that this service answered with 503.
pub const HTTP_503: &str = "http_503";
/// The class of a deployment: a change, and no failure.
pub const DEPLOYMENT: &str = "deployment";
/// The class of a 503 that this process received from another service.
pub const UPSTREAM_503: &str = "upstream_503";
/// The class of a line that says how full a connection pool is. It is read as a point of a series
/// and counts as no event.
pub const POOL_SNAPSHOT: &str = "pool_snapshot";

//! What there is to tell about followed sources, beside what is read from them.

use std::path::PathBuf;

use crate::source::scan::Refusal;

/// Something to be told about a source, beside what is read from it.
#[derive(Debug)]
pub enum Notice {
    /// There is no such file: it is waited for.
    Missing(PathBuf),
    /// A new file is read from its beginning.
    Appeared(PathBuf),
    /// The file was cut, or written anew: it is read from its beginning.
    BegunAgain(PathBuf),
    /// The file says what another source says, too: such events are counted once.
    Repeats(PathBuf),
    /// A new file is left out, and why.
    PassedOver(PathBuf, &'static str),
    /// A file cannot be read, as yet; it was named by the user, or is in a directory.
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Refusal,
        /// Whether the user named it.
        named: bool,
    },
}

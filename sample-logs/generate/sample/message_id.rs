//! The ids by which systemd and journald mark what a message is about, from `sd-messages.h`.

pub(crate) const UNIT_STARTING: &str = "7d4958e842da4a758f6c1cdc7b36dcc5";
pub(crate) const UNIT_STARTED: &str = "39f53479d3a045ac8e11786248231fbf";
pub(crate) const UNIT_STOPPING: &str = "de5b426a63be47a7b6ac3eaac82e2f6f";
pub(crate) const UNIT_STOPPED: &str = "9d1aaa27d60140bd96365438aad20286";
pub(crate) const UNIT_DEACTIVATED: &str = "7ad2d189f7e94e70a38c781354912448";
pub(crate) const UNIT_FAILED: &str = "d9b373ed55a64feb8242e02dbe79a49c";
pub(crate) const JOURNAL_STARTED: &str = "f77379a8490b408bbe5f6940505a777b";
pub(crate) const JOURNAL_STOPPED: &str = "d93fb3c9c24d451a97cea615ce59c00b";
pub(crate) const STARTUP_FINISHED: &str = "b07a249cd024414a82dd00cd181378ff";

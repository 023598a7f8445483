//! The outage of 2026-05-06 on the host `atlas`, entry by entry, as its journal would hold it.
//!
//! Everything is drawn from fixed seeds, so the same program writes the same entries. The
//! numbers that a post-mortem must find again stand in one table, in `failures`.

mod calendar;
mod entry;
mod failures;
mod host;
mod lifecycle;
mod message_id;
mod random;
mod snapshots;
mod texts;
mod traffic;

pub(crate) use entry::Entry;

/// All entries in the order of their times, of which no two are equal.
pub(crate) fn entries() -> Vec<Entry> {
    let failures = failures::failures();
    let mut entries = traffic::entries();
    entries.extend(host::entries());
    entries.extend(lifecycle::entries());
    entries.extend(snapshots::entries(&failures));
    entries.extend(failures.iter().flat_map(failures::Failure::entries));
    entries.sort_by_key(|entry| entry.at_us);
    let mut last_us = 0;
    for entry in &mut entries {
        entry.at_us = entry.at_us.max(last_us + 1);
        last_us = entry.at_us;
    }
    entries
}

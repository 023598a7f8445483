//! PgBouncer's `SHOW POOLS` as psql prints it: columns by their heading, and where a row comes
//! without one, by how many there are. Columns differ by version (`admin.c` of PgBouncer 1.5 to
//! 1.24); the connections of a pool are all `sv_` columns together.

use std::borrow::Cow;

use crate::series::snapshot::{Snapshot, Values};

/// The names of a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    names: Vec<String>,
    separator: u8,
}

/// No version has half as many.
const MAX_COLUMNS: usize = 64;

const HEAD: [&str; 4] = ["database", "user", "cl_active", "cl_waiting"];

/// The columns of versions by how many there are, `pool_mode` included where they have it.
const KNOWN: [&[&str]; 7] = [
    // A query on `SHOW POOLS` that leaves out what is seldom above 0.
    &["sv_active", "sv_idle", "pool_mode"],
    // Up to 1.5.
    &["sv_active", "sv_idle", "sv_used", "sv_tested", "sv_login", "maxwait"],
    // 1.6, 1.7.
    &["sv_active", "sv_idle", "sv_used", "sv_tested", "sv_login", "maxwait", "pool_mode"],
    // 1.8 to 1.15.
    &[
        "sv_active",
        "sv_idle",
        "sv_used",
        "sv_tested",
        "sv_login",
        "maxwait",
        "maxwait_us",
        "pool_mode",
    ],
    // 1.16, 1.17.
    &[
        "cl_cancel_req",
        "sv_active",
        "sv_idle",
        "sv_used",
        "sv_tested",
        "sv_login",
        "maxwait",
        "maxwait_us",
        "pool_mode",
    ],
    // 1.18 to 1.23.
    &[
        "cl_active_cancel_req",
        "cl_waiting_cancel_req",
        "sv_active",
        "sv_active_cancel",
        "sv_being_canceled",
        "sv_idle",
        "sv_used",
        "sv_tested",
        "sv_login",
        "maxwait",
        "maxwait_us",
        "pool_mode",
    ],
    // From 1.24 on.
    &[
        "cl_active_cancel_req",
        "cl_waiting_cancel_req",
        "sv_active",
        "sv_active_cancel",
        "sv_being_canceled",
        "sv_idle",
        "sv_used",
        "sv_tested",
        "sv_login",
        "maxwait",
        "maxwait_us",
        "pool_mode",
        "load_balance_hosts",
    ],
];

/// The rows of the message. A heading in it is remembered in `columns`.
pub(super) fn read<'m>(message: &'m [u8], columns: &mut Option<Columns>) -> Vec<Snapshot<'m>> {
    let mut found = Vec::new();
    let mut record = Record::default();
    for line in message.split(|&byte| byte == b'\n') {
        if let Some(heading) = Columns::of_heading(line) {
            *columns = Some(heading);
        } else if let Some((name, value)) = expanded(line) {
            found.extend(record.take(name, value));
        } else {
            found.extend(row(line, columns.as_ref()));
        }
    }
    found.extend(record.finish());
    found
}

impl Columns {
    fn of_heading(line: &[u8]) -> Option<Self> {
        memchr::memmem::find(line, b"cl_waiting")?;
        let separator = if line.contains(&b'|') { b'|' } else { b',' };
        let names: Vec<String> = cells(line, separator)
            .take(MAX_COLUMNS)
            .map(|cell| String::from_utf8_lossy(last_word(cell)).into_owned())
            .collect();
        let is_heading = names.iter().take(2).eq(HEAD.iter().take(2));
        is_heading.then_some(Self { names, separator })
    }

    fn by_count(count: usize) -> Option<Self> {
        let known = KNOWN.iter().find(|rest| HEAD.len() + rest.len() == count)?;
        let names = HEAD.iter().chain(known.iter()).map(|name| (*name).to_owned()).collect();
        Some(Self { names, separator: b'|' })
    }
}

fn cells(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(&[separator]).unwrap_or(line);
    let line = line.strip_suffix(&[separator]).unwrap_or(line);
    line.split(move |&byte| byte == separator).map(|cell| {
        let cell = cell.trim_ascii();
        cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell)
    })
}

/// A cell without what a logger puts in front of the first one.
fn last_word(cell: &[u8]) -> &[u8] {
    let start = cell.iter().rposition(|byte| matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    cell.get(start..).unwrap_or(cell)
}

/// One row by its heading, or by how many columns it has.
fn row<'m>(line: &'m [u8], columns: Option<&Columns>) -> Option<Snapshot<'m>> {
    let separator = columns.map_or(b'|', |columns| columns.separator);
    let mut cells: Vec<&[u8]> = cells(line, separator).take(MAX_COLUMNS).collect();
    let known;
    let columns = match columns.filter(|columns| columns.names.len() == cells.len()) {
        Some(columns) => columns,
        None => {
            known = Columns::by_count(cells.len())?;
            &known
        }
    };
    if let Some(first) = cells.first_mut() {
        *first = last_word(first);
    }
    let mut record = Record::default();
    for (name, cell) in columns.names.iter().zip(cells) {
        record.set(name.as_bytes(), cell)?;
    }
    record.finish()
}

/// A line of psql's expanded display: `cl_waiting | 4`.
fn expanded(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|&byte| byte == b'|')?;
    let (name, value) = (line.get(..at)?.trim_ascii(), line.get(at + 1..)?.trim_ascii());
    let is_column = name.starts_with(b"cl_")
        || name.starts_with(b"sv_")
        || matches!(name, b"database" | b"user");
    (is_column && !value.contains(&b'|')).then_some((name, value))
}

/// A pool being put together.
#[derive(Default)]
struct Record<'m> {
    database: &'m [u8],
    user: &'m [u8],
    values: Values,
    servers: u64,
}

impl<'m> Record<'m> {
    /// Takes a value of the expanded display; gives back the pool before where another begins.
    fn take(&mut self, name: &[u8], value: &'m [u8]) -> Option<Snapshot<'m>> {
        let before = if name == b"database" { std::mem::take(self).finish() } else { None };
        self.set(name, value);
        before
    }

    /// `None` where a count is no number: it is no row of this table.
    fn set(&mut self, name: &[u8], value: &'m [u8]) -> Option<()> {
        match name {
            b"database" => self.database = value,
            b"user" => self.user = value,
            _ if name.starts_with(b"cl_") || name.starts_with(b"sv_") => {
                let count: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
                match name {
                    b"cl_waiting" => self.values.waiting = Some(count),
                    b"sv_active" => self.values.in_use = Some(count),
                    b"sv_idle" => self.values.idle = Some(count),
                    _ => {}
                }
                if name.starts_with(b"sv_") {
                    self.servers = self.servers.saturating_add(count);
                    self.values.size = Some(self.servers);
                }
            }
            _ => {}
        }
        Some(())
    }

    fn finish(self) -> Option<Snapshot<'m>> {
        let is_whole = self.values.waiting.is_some() && self.values.size.is_some();
        (is_whole && !self.database.is_empty()).then(|| Snapshot {
            pool: Some(Cow::Owned([self.database, b"/", self.user].concat())),
            values: self.values,
        })
    }
}

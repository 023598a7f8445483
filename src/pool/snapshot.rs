//! The snapshot line's grammar: logfmt, one line, versioned, every pool in it.
//!
//! docs/SNAPSHOTS.md describes each key with its unit. A later version may add keys; it never
//! drops one of this version's nor changes its meaning, so this reader passes over what it does
//! not know, and everything that it does know stays true.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// The word that a snapshot begins with.
pub const MARKER: &str = "pool_snapshot";

/// The version that this crate writes.
pub const VERSION: u32 = 1;

/// The keys of each pool, behind its name and a dot.
const POOL_KEYS: [&str; 9] = [
    "max",
    "size",
    "idle",
    "in_use",
    "waiting",
    "acquires",
    "timeouts",
    "peak_in_use",
    "peak_waiting",
];

/// A line with more pools than this is refused: a log line is not trusted to be small.
pub const MAX_POOLS: usize = 64;

/// Every pool of a process at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Where read-only work goes at that instant; `None` where the process has no such notion,
    /// or where a later version names a place that this one does not know.
    pub ro_routes_to: Option<ReadOnlyRoute>,
    pools: Vec<PoolState>,
}

/// One pool at one instant. Gauges and counters are read one after another, not under a lock, so
/// `idle + in_use` may differ from `size` by what happened in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolState {
    /// The pool's name, unique in its line.
    pub name: PoolName,
    /// Connections that the pool may open.
    pub max: u32,
    /// Connections open now.
    pub size: u32,
    /// Open connections that nobody holds.
    pub idle: u32,
    /// Connections held by callers.
    pub in_use: u32,
    /// Callers that wait for a connection now.
    pub waiting: u32,
    /// Connections handed out since the process started.
    pub acquires: u64,
    /// Callers that gave up waiting since the process started.
    pub timeouts: u64,
    /// The highest `in_use` since the line before this one.
    pub peak_in_use: u32,
    /// The highest `waiting` since the line before this one.
    pub peak_waiting: u32,
}

/// Where read-only work goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnlyRoute {
    /// To the replica.
    Replica,
    /// To the primary, through a read-only pool of its own.
    PrimaryFallthrough,
    /// Nowhere: it is refused.
    Disabled,
}

/// A pool's name: 1 to 63 lower-case ASCII letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolName(String);

/// Why a text is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotError {
    /// It does not have the words `pool_snapshot v=N`: it is some other line.
    NotASnapshot,
    /// It is cut off or damaged: the named key is missing, twice there, or has no valid value.
    /// Nothing of such a line can be relied on.
    Key(String),
    /// A name that is not a [`PoolName`].
    Name(String),
    /// More than [`MAX_POOLS`] pools.
    TooManyPools,
}

impl Snapshot {
    /// A snapshot of these pools. Fails where two have the same name, or there are too many.
    pub fn new(
        ro_routes_to: Option<ReadOnlyRoute>,
        pools: Vec<PoolState>,
    ) -> Result<Self, SnapshotError> {
        if pools.len() > MAX_POOLS {
            return Err(SnapshotError::TooManyPools);
        }
        for (index, pool) in pools.iter().enumerate() {
            if pools.iter().take(index).any(|other| other.name == pool.name) {
                return Err(SnapshotError::Key(format!("{}.max", pool.name)));
            }
        }
        Ok(Self { ro_routes_to, pools })
    }

    /// The pools, in the line's order.
    pub fn pools(&self) -> &[PoolState] {
        &self.pools
    }
}

impl PoolState {
    /// A pool of this name in which everything is 0.
    pub fn new(name: &str) -> Result<Self, SnapshotError> {
        Ok(Self {
            name: name.parse()?,
            max: 0,
            size: 0,
            idle: 0,
            in_use: 0,
            waiting: 0,
            acquires: 0,
            timeouts: 0,
            peak_in_use: 0,
            peak_waiting: 0,
        })
    }

    /// The keys with their values, in the order in which they are written.
    fn values(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let values = [
            self.max.into(),
            self.size.into(),
            self.idle.into(),
            self.in_use.into(),
            self.waiting.into(),
            self.acquires,
            self.timeouts,
            self.peak_in_use.into(),
            self.peak_waiting.into(),
        ];
        POOL_KEYS.into_iter().zip(values)
    }
}

impl ReadOnlyRoute {
    /// The route's name in the line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Replica => "replica",
            Self::PrimaryFallthrough => "primary_fallthrough",
            Self::Disabled => "primary_disabled",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Replica, Self::PrimaryFallthrough, Self::Disabled]
            .into_iter()
            .find(|route| route.name() == name)
    }
}

impl PoolName {
    /// One of this crate's own names, which are valid.
    #[cfg(feature = "pool")]
    pub(crate) fn known(name: &'static str) -> Self {
        debug_assert!(name.parse::<Self>().is_ok(), "{name}");
        Self(name.to_owned())
    }
}

impl FromStr for PoolName {
    type Err = SnapshotError;

    fn from_str(text: &str) -> Result<Self, SnapshotError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if (1..64).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(SnapshotError::Name(text.to_owned()))
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARKER} v={VERSION}")?;
        if let Some(route) = self.ro_routes_to {
            write!(f, " ro_routes_to={}", route.name())?;
        }
        for pool in &self.pools {
            for (key, value) in pool.values() {
                write!(f, " {}.{key}={value}", pool.name)?;
            }
        }
        Ok(())
    }
}

impl FromStr for Snapshot {
    type Err = SnapshotError;

    /// Reads a line. Loggers put a level and a name in front of it: what stands before the marker
    /// is passed over, and so is everything from a line break on.
    fn from_str(line: &str) -> Result<Self, SnapshotError> {
        let pairs = Pairs::after_marker(line)?;
        let version: u32 = pairs.number("v")?;
        let ro_routes_to = match pairs.by_key.get("ro_routes_to") {
            None => None,
            Some(name) => {
                let route = ReadOnlyRoute::from_name(name);
                if route.is_none() && version <= VERSION {
                    return Err(SnapshotError::Key("ro_routes_to".to_owned()));
                }
                route
            }
        };
        let mut pools = Vec::new();
        for (place, (key, _)) in pairs.in_order.iter().enumerate() {
            let Some(name) = key.strip_suffix(".max") else { continue };
            if pools.len() == MAX_POOLS {
                return Err(SnapshotError::TooManyPools);
            }
            pools.push(pairs.pool(name, place)?);
        }
        if version <= VERSION {
            pairs.no_pool_without_max()?;
        }
        Ok(Self { ro_routes_to, pools })
    }
}

/// The keys and values of a line, borrowed from it.
struct Pairs<'a> {
    in_order: Vec<(&'a str, &'a str)>,
    by_key: HashMap<&'a str, &'a str>,
}

impl<'a> Pairs<'a> {
    fn after_marker(line: &'a str) -> Result<Self, SnapshotError> {
        let mut rest = line.lines().find_map(after_marker).ok_or(SnapshotError::NotASnapshot)?;
        // A pair mostly takes twenty bytes.
        let by_key = HashMap::with_capacity(rest.len() / 16);
        let mut pairs = Self { in_order: Vec::with_capacity(by_key.capacity()), by_key };
        while let Some((token, after)) = next_token(rest) {
            rest = after;
            let Some((key, value)) = token.split_once('=') else { continue };
            let value = without_surroundings(value);
            if pairs.by_key.insert(key, value).is_some() {
                return Err(SnapshotError::Key(key.to_owned()));
            }
            pairs.in_order.push((key, value));
        }
        if pairs.in_order.first().is_none_or(|(key, _)| *key != "v") {
            return Err(SnapshotError::NotASnapshot);
        }
        Ok(pairs)
    }

    fn number<N: FromStr>(&self, key: &str) -> Result<N, SnapshotError> {
        let value = self.by_key.get(key).and_then(|value| value.parse().ok());
        value.ok_or_else(|| SnapshotError::Key(key.to_owned()))
    }

    /// A pool is known by its first key; one whose first key is lost would not be missed.
    fn no_pool_without_max(&self) -> Result<(), SnapshotError> {
        let mut before = None;
        for (name, key) in self.in_order.iter().filter_map(|(key, _)| key.rsplit_once('.')) {
            // A pool's keys usually stand together.
            if before == Some(name) || !POOL_KEYS.contains(&key) {
                continue;
            }
            before = Some(name);
            if key == "max" {
                continue;
            }
            let max = format!("{name}.max");
            if !self.by_key.contains_key(max.as_str()) {
                return Err(SnapshotError::Key(max));
            }
        }
        Ok(())
    }

    /// The pool whose first key stands at `place`.
    fn pool(&self, name: &str, place: usize) -> Result<PoolState, SnapshotError> {
        let mut keys = KeysOf { pairs: self, name, place };
        Ok(PoolState {
            name: name.parse()?,
            max: keys.number("max")?,
            size: keys.number("size")?,
            idle: keys.number("idle")?,
            in_use: keys.number("in_use")?,
            waiting: keys.number("waiting")?,
            acquires: keys.number("acquires")?,
            timeouts: keys.number("timeouts")?,
            peak_in_use: keys.number("peak_in_use")?,
            peak_waiting: keys.number("peak_waiting")?,
        })
    }
}

/// The keys of one pool.
struct KeysOf<'p, 'a> {
    pairs: &'p Pairs<'a>,
    name: &'p str,
    /// Where the next key stands, if the keys have the order in which they are written.
    place: usize,
}

impl KeysOf<'_, '_> {
    fn number<N: FromStr>(&mut self, key: &str) -> Result<N, SnapshotError> {
        let of_pool = |(full, _): &&(&str, &str)| {
            full.strip_prefix(self.name).and_then(|rest| rest.strip_prefix('.')) == Some(key)
        };
        if let Some((_, value)) = self.pairs.in_order.get(self.place).filter(of_pool)
            && let Ok(number) = value.parse()
        {
            self.place += 1;
            return Ok(number);
        }
        self.pairs.number(&format!("{}.{key}", self.name))
    }
}

/// What follows the marker, where the line has it as a word of its own.
fn after_marker(line: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(found) = line.get(from..)?.find(MARKER) {
        let (before, at_marker) = line.split_at(from + found);
        let rest = at_marker.get(MARKER.len()..)?;
        let before = without_escape_sequence(before);
        let starts_word = before.is_empty() || before.ends_with([' ', '\t', ':', ']', '"']);
        if starts_word && rest.starts_with(' ') {
            return Some(rest);
        }
        from += found + MARKER.len();
    }
    None
}

/// The text without the escape sequence that sets a colour at its end.
fn without_escape_sequence(text: &str) -> &str {
    let numbers = |character: char| character.is_ascii_digit() || character == ';';
    let sequence = text.strip_suffix('m').map(|text| text.trim_end_matches(numbers));
    sequence.and_then(|sequence| sequence.strip_suffix("\u{1b}[")).unwrap_or(text)
}

/// The value without what a logger puts behind the line: the end of a JSON string, a comma before
/// an event's fields, an escape sequence of the terminal. None of this version's values holds any.
fn without_surroundings(value: &str) -> &str {
    if value.starts_with('"') {
        return value;
    }
    value.split(['"', ',', '\u{1b}']).next().unwrap_or(value)
}

/// Splits off the next `key=value`; a value in double quotes may hold spaces.
fn next_token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let (mut quoted, mut escaped) = (false, false);
    let end = text.find(|character: char| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return true,
            _ => {}
        }
        false
    });
    (!text.is_empty()).then(|| text.split_at(end.unwrap_or(text.len())))
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASnapshot => write!(f, "no `{MARKER} v=…` in this line"),
            Self::Key(key) => write!(
                f,
                "`{key}` is missing, repeated or has no valid value: the line may be cut off; \
                 docs/SNAPSHOTS.md lists the keys"
            ),
            Self::Name(name) => write!(
                f,
                "`{name}` is no name of a pool: use 1 to 63 lower-case letters, digits and `_`"
            ),
            Self::TooManyPools => write!(f, "more than {MAX_POOLS} pools in one line"),
        }
    }
}

impl std::error::Error for SnapshotError {}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "pool_snapshot v=1 ro_routes_to=replica \
        primary.max=20 primary.size=18 primary.idle=3 primary.in_use=15 primary.waiting=2 \
        primary.acquires=90210 primary.timeouts=34 primary.peak_in_use=18 primary.peak_waiting=7 \
        ro.max=10 ro.size=0 ro.idle=0 ro.in_use=0 ro.waiting=0 \
        ro.acquires=0 ro.timeouts=0 ro.peak_in_use=0 ro.peak_waiting=1";

    fn snapshot() -> Snapshot {
        let primary = PoolState {
            max: 20,
            size: 18,
            idle: 3,
            in_use: 15,
            waiting: 2,
            acquires: 90_210,
            timeouts: 34,
            peak_in_use: 18,
            peak_waiting: 7,
            ..PoolState::new("primary").unwrap()
        };
        let ro = PoolState { max: 10, peak_waiting: 1, ..PoolState::new("ro").unwrap() };
        Snapshot::new(Some(ReadOnlyRoute::Replica), vec![primary, ro]).unwrap()
    }

    #[test]
    fn a_snapshot_is_written_and_read_back() {
        assert_eq!(snapshot().to_string(), LINE);
        assert_eq!(LINE.parse(), Ok(snapshot()));
        let largest = PoolState {
            max: u32::MAX,
            waiting: u32::MAX,
            acquires: u64::MAX,
            ..PoolState::new("a_1").unwrap()
        };
        for pools in [vec![], vec![largest]] {
            let whole = Snapshot::new(None, pools).unwrap();
            assert_eq!(whole.to_string().parse(), Ok(whole));
        }
    }

    #[test]
    fn what_a_logger_puts_around_the_line_is_passed_over() {
        for logged in [
            format!("INFO:app.pool_snapshots:{LINE}\nprimary.max=7 v=9"),
            format!(r#"{{"message":"{LINE}","level":"INFO","fields":{{"v":2}}}}"#),
            format!("\u{1b}[32m INFO\u{1b}[0m {LINE}\u{1b}[0m"),
            format!("INFO ebbline_pool::snapshot: {LINE}, pool_v: 1, pool_ro_max: 10"),
            format!("{LINE} pool_v=1 pool_ro_routes_to=\"replica\" pool_ro_max=10"),
        ] {
            assert_eq!(logged.parse(), Ok(snapshot()), "{logged}");
        }
    }

    #[test]
    fn a_line_of_a_later_version_gives_what_this_version_knows() {
        let later = LINE.replace("v=1", "v=2").replace("=replica", "=nearest_replica")
            + r#" primary.wait_ms="p50=1 p99=7 \" ro.max=3" build.rev=03f91a9 draining"#;
        assert_eq!(later.parse(), Ok(Snapshot { ro_routes_to: None, ..snapshot() }));
    }

    #[test]
    fn a_line_that_is_cut_off_or_contradicts_itself_gives_nothing() {
        let key = |key: &str| Err(SnapshotError::Key(key.to_owned()));
        let parse = |line: &str| line.parse::<Snapshot>();
        assert_eq!(parse(LINE.split_once(" ro.idle").unwrap().0), key("ro.idle"));
        assert_eq!(parse(&format!("{LINE} ro.max=11")), key("ro.max"));
        assert_eq!(parse(&LINE.replace("waiting=2", "waiting=-2")), key("primary.waiting"));
        assert_eq!(parse(&LINE.replace("=replica", "=moon")), key("ro_routes_to"));
        assert_eq!(parse(&LINE.replace("v=1", "v=one")), key("v"));
        let name = SnapshotError::Name("Ro".to_owned());
        assert_eq!(parse(&LINE.replace("ro.", "Ro.")), Err(name));
    }

    #[test]
    fn other_lines_are_no_snapshots() {
        for line in ["", "pool_snapshot", "pool_snapshot primary.max=20", "my_pool_snapshot v=1"] {
            assert_eq!(line.parse::<Snapshot>(), Err(SnapshotError::NotASnapshot), "{line}");
        }
    }

    #[test]
    fn the_number_of_pools_is_bounded_and_their_names_are_unique() {
        let pool = |index: usize| PoolState::new(&format!("p{index}")).unwrap();
        let too_many: Vec<_> = (0..=MAX_POOLS).map(pool).collect();
        let line = Snapshot { ro_routes_to: None, pools: too_many.clone() }.to_string();
        assert_eq!(line.parse::<Snapshot>(), Err(SnapshotError::TooManyPools));
        assert_eq!(Snapshot::new(None, too_many), Err(SnapshotError::TooManyPools));
        assert!(Snapshot::new(None, vec![pool(1), pool(1)]).is_err());
    }
}

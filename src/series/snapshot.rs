//! A snapshot: what one line says about one pool at one instant.

use std::borrow::Cow;

/// What one line says about one pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot<'m> {
    /// The pool's name as it stands in the line; `None`: the line does not say.
    pub pool: Option<Cow<'m, [u8]>>,
    /// What is known about it.
    pub values: Values,
}

/// The state of a pool. `None`: not said, which is not 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Values {
    /// Connections that the pool may open; Go's `database/sql` says 0 for no limit.
    pub max: Option<u64>,
    /// Connections open.
    pub size: Option<u64>,
    /// Connections open and held by nobody.
    pub idle: Option<u64>,
    /// Connections held by callers.
    pub in_use: Option<u64>,
    /// Callers that wait for a connection at this instant.
    pub waiting: Option<u64>,
    /// Callers that gave up since the process started: a counter.
    pub timeouts: Option<u64>,
    /// How long a caller waited for a connection, in microseconds, on average of the time since
    /// the line before.
    pub wait_us: Option<u64>,
}

/// One of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gauge {
    /// [`Values::max`].
    Max,
    /// [`Values::size`].
    Size,
    /// [`Values::idle`].
    Idle,
    /// [`Values::in_use`].
    InUse,
    /// [`Values::waiting`].
    Waiting,
    /// [`Values::timeouts`], which is a counter.
    Timeouts,
    /// [`Values::wait_us`].
    WaitUs,
}

impl Gauge {
    /// All of them, in the order in which tables and points have them.
    pub const ALL: [Self; 7] = [
        Self::Max,
        Self::Size,
        Self::Idle,
        Self::InUse,
        Self::Waiting,
        Self::Timeouts,
        Self::WaitUs,
    ];

    /// The name in rules, JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Size => "size",
            Self::Idle => "idle",
            Self::InUse => "in_use",
            Self::Waiting => "waiting",
            Self::Timeouts => "timeouts",
            Self::WaitUs => "wait_us",
        }
    }

    /// The value of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gauge| gauge.name() == name)
    }
}

impl Values {
    /// One of the values.
    pub fn get(&self, gauge: Gauge) -> Option<u64> {
        match gauge {
            Gauge::Max => self.max,
            Gauge::Size => self.size,
            Gauge::Idle => self.idle,
            Gauge::InUse => self.in_use,
            Gauge::Waiting => self.waiting,
            Gauge::Timeouts => self.timeouts,
            Gauge::WaitUs => self.wait_us,
        }
    }

    /// The place of one of the values.
    pub fn of_mut(&mut self, gauge: Gauge) -> &mut Option<u64> {
        match gauge {
            Gauge::Max => &mut self.max,
            Gauge::Size => &mut self.size,
            Gauge::Idle => &mut self.idle,
            Gauge::InUse => &mut self.in_use,
            Gauge::Waiting => &mut self.waiting,
            Gauge::Timeouts => &mut self.timeouts,
            Gauge::WaitUs => &mut self.wait_us,
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// With what follows from the rest: an open connection is either idle or in use.
    pub(super) fn completed(mut self) -> Self {
        if self.in_use.is_none() {
            self.in_use = self.size.zip(self.idle).and_then(|(size, idle)| size.checked_sub(idle));
        }
        if self.size.is_none() {
            self.size = self.in_use.zip(self.idle).and_then(|(used, idle)| used.checked_add(idle));
        }
        self
    }
}

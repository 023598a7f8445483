//! How the pools are set up: by the application's code, or from the environment.
//!
//! A connection string is read once, here, and from then on lives in a [`Dsn`], which shows
//! everything but its secrets. Nor do this file's errors repeat what they could not read: where
//! a password is misplaced is just where it would be repeated.

use std::env::{self, VarError};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// Where the pools connect to, how large they are and how patient.
///
/// ```
/// use ebbline_pool::{Config, Limits};
///
/// let config = Config {
///     replica: Some("postgres://shop:secret@replica.internal/shop".parse()?),
///     primary_limits: Limits { max: 20, min: 2 },
///     ..Config::new("postgres://shop:secret@db.internal/shop".parse()?)
/// };
/// assert!(!format!("{config:?}").contains("secret"));
/// # Ok::<(), ebbline_pool::DsnError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    /// The primary server, or a pooler in front of it.
    pub primary: Dsn,
    /// The replica, if there is one.
    pub replica: Option<Dsn>,
    /// Whether read-only work goes to the primary, through a read-only pool of its own, where
    /// there is no replica or it cannot be used. Without a replica and without this it is refused.
    pub fallthrough: bool,
    /// A login role that may only read, which the fall-through pool uses instead of the primary's.
    pub fallthrough_login: Option<Login>,
    /// How a read-only connection is kept from writing.
    pub arming: Arming,
    /// The primary pool's size.
    pub primary_limits: Limits,
    /// The replica pool's size.
    pub replica_limits: Limits,
    /// The fall-through pool's size.
    pub fallthrough_limits: Limits,
    /// How long a caller waits for a connection at most, the time to open one included.
    pub acquire_timeout: Duration,
    /// A connection is closed when nobody has used it for so long.
    pub idle_timeout: Option<Duration>,
    /// A connection is closed when it is so old.
    pub max_lifetime: Option<Duration>,
    /// How often the pool logger writes its line.
    pub log_interval: Duration,
    /// A checkout that is held for longer than this is logged with the place that took it.
    pub leak_threshold: Option<Duration>,
    /// A replica that has not replayed the primary's changes for longer than this is left alone.
    pub max_replica_lag: Duration,
    /// How often it is looked whether the replica can be used.
    pub replica_check_interval: Duration,
}

/// How many connections a pool opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At most so many.
    pub max: u32,
    /// It keeps so many open even if nobody needs them.
    pub min: u32,
}

/// How a read-only connection is kept from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arming {
    /// [`Arming::Session`], or [`Arming::Transaction`] where a pooler gives each transaction
    /// another session, so that a session's settings hold nothing.
    #[default]
    Auto,
    /// A setting of the session, renewed each time that a connection comes back. Where a pooler gives each transaction
    /// another session, checkouts are refused.
    Session,
    /// A read-only transaction for each statement, which is then rolled back. Two round trips to
    /// the server more for each statement; in return no statement can lift it.
    Transaction,
}

/// Who logs in, instead of the user in a connection string.
#[derive(Clone)]
pub struct Login {
    user: String,
    password: Option<String>,
}

/// A connection string (`postgres://user:password@host:port/database?parameters`) as it was
/// understood. It shows user, host, port and database, and nothing else.
#[derive(Clone)]
pub struct Dsn {
    options: PgConnectOptions,
}

/// Why a text is no connection string. It repeats nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DsnError {
    /// It does not begin as one.
    #[error(
        "it is no URL of PostgreSQL: write postgres://user:password@host:port/database, \
         and %XX for characters of the password that a URL gives a meaning to (@ is %40)"
    )]
    NotPostgres,
    /// It begins as one, but is none.
    #[error(
        "it begins as a URL of PostgreSQL but cannot be read as one: write %XX for characters \
         of user and password that a URL gives a meaning to (/ is %2F, # is %23, ? is %3F)"
    )]
    NotAUrl,
    /// It has a parameter that is not known.
    #[error(
        "parameter {number} behind its `?` is none that is known: use those of \
         https://docs.rs/sqlx/latest/sqlx/postgres/struct.PgConnectOptions.html, and write ? in a password as %3F"
    )]
    Parameter {
        /// The parameter's place, counted from 1.
        number: usize,
    },
    /// One of its parameters has a value that cannot be used.
    #[error("a parameter behind its `?` has a value that cannot be used: correct or leave it out")]
    Value,
}

/// Why the environment gives no [`Config`]. It repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable is missing without which there is nothing to connect to.
    #[error("{variable} is not set: set it to the primary's connection string")]
    Missing {
        /// Its name.
        variable: String,
    },
    /// A variable holds no connection string.
    #[error("the connection string in {variable} cannot be used: {problem}")]
    Dsn {
        /// Its name.
        variable: String,
        /// What is wrong with it.
        problem: DsnError,
    },
    /// A variable holds something else than what it is for.
    #[error("{variable} cannot be used: set it to {wanted}")]
    Value {
        /// Its name.
        variable: String,
        /// What it is for.
        wanted: &'static str,
    },
    /// A duration cannot be waited for.
    #[error("{name} is 0 or more than a century: correct it, or leave it to its default")]
    Duration {
        /// Which of the configuration's.
        name: &'static str,
    },
    /// The configuration contradicts itself.
    #[error("{pool} pool: {problem}")]
    Limits {
        /// Of this pool.
        pool: &'static str,
        /// What and the remedy.
        problem: &'static str,
    },
}

impl Config {
    /// The default for this primary: no replica, read-only work through the fall-through pool.
    pub fn new(primary: Dsn) -> Self {
        Self {
            primary,
            replica: None,
            fallthrough: true,
            fallthrough_login: None,
            arming: Arming::Auto,
            primary_limits: Limits::default(),
            replica_limits: Limits::default(),
            fallthrough_limits: Limits::default(),
            acquire_timeout: Duration::from_secs(30),
            idle_timeout: Some(Duration::from_secs(10 * 60)),
            max_lifetime: Some(Duration::from_secs(30 * 60)),
            log_interval: Duration::from_secs(60),
            leak_threshold: None,
            max_replica_lag: Duration::from_secs(10),
            replica_check_interval: Duration::from_secs(1),
        }
    }

    /// Reads the environment's variables that begin with `prefix` and `_`; docs/POOL.md lists them.
    /// An empty variable counts as one that is not set.
    pub fn from_env(prefix: &str) -> Result<Self, ConfigError> {
        Self::from_variables(prefix, |name| match env::var(name) {
            Ok(value) => Some(value),
            Err(VarError::NotPresent) => None,
            // It is none of the values that any variable may have.
            Err(VarError::NotUnicode(_)) => Some("\u{fffd}".to_owned()),
        })
    }

    /// The same from any other source of variables.
    pub fn from_variables(
        prefix: &str,
        value_of: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let variables = Variables { prefix, value_of };
        let Some(primary) = variables.dsn("DSN")? else {
            return Err(ConfigError::Missing { variable: variables.name("DSN") });
        };
        let default = Self::new(primary);
        let config = Self {
            replica: variables.dsn("RO_DSN")?,
            fallthrough: variables.switch("RO_FALLTHROUGH")?.unwrap_or(default.fallthrough),
            fallthrough_login: variables.login("RO_FALLTHROUGH_USER", "RO_FALLTHROUGH_PASSWORD")?,
            arming: variables.arming("RO_ARMING")?.unwrap_or(default.arming),
            primary_limits: variables.limits("POOL")?,
            replica_limits: variables.limits("RO_POOL")?,
            fallthrough_limits: variables.limits("RO_FALLTHROUGH_POOL")?,
            acquire_timeout: variables
                .seconds("POOL_ACQUIRE_TIMEOUT")?
                .unwrap_or(default.acquire_timeout),
            idle_timeout: variables.seconds("POOL_IDLE_TIMEOUT")?.or(default.idle_timeout),
            max_lifetime: variables.seconds("POOL_MAX_LIFETIME")?.or(default.max_lifetime),
            log_interval: variables.seconds("POOL_LOG_INTERVAL")?.unwrap_or(default.log_interval),
            leak_threshold: variables.seconds("POOL_LEAK_THRESHOLD")?,
            max_replica_lag: variables.seconds("RO_MAX_LAG")?.unwrap_or(default.max_replica_lag),
            replica_check_interval: variables
                .seconds("RO_CHECK_INTERVAL")?
                .unwrap_or(default.replica_check_interval),
            ..default
        };
        config.check()?;
        Ok(config)
    }

    /// Fails where the sizes contradict themselves.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let pools = [
            ("primary", self.primary_limits),
            ("replica", self.replica_limits),
            ("fall-through", self.fallthrough_limits),
        ];
        for (pool, Limits { max, min }) in pools {
            let problem = match (max, min) {
                (0, _) => "it may open no connection: set its maximum to 1 or more",
                (max, min) if min > max => "its minimum exceeds its maximum: lower the minimum",
                _ => continue,
            };
            return Err(ConfigError::Limits { pool, problem });
        }
        let durations = [
            ("acquire_timeout", Some(self.acquire_timeout)),
            ("idle_timeout", self.idle_timeout),
            ("max_lifetime", self.max_lifetime),
            ("log_interval", Some(self.log_interval)),
            ("leak_threshold", self.leak_threshold),
            ("max_replica_lag", Some(self.max_replica_lag)),
            ("replica_check_interval", Some(self.replica_check_interval)),
        ];
        match durations.into_iter().find(|(_, duration)| !duration.is_none_or(can_be_waited_for)) {
            Some((name, _)) => Err(ConfigError::Duration { name }),
            None => Ok(()),
        }
    }
}

impl Default for Limits {
    /// sqlx's own default.
    fn default() -> Self {
        Self { max: 10, min: 0 }
    }
}

impl Login {
    /// This user with this password.
    pub fn new(user: &str, password: Option<&str>) -> Self {
        Self { user: user.to_owned(), password: password.map(str::to_owned) }
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Dsn {
    /// How to connect. Formatted with `{:?}` it would show the password.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The same server and database for another login. The password is replaced also where the
    /// other login has none: it is another user's.
    pub(crate) fn with_login(&self, login: &Login) -> Self {
        let password = login.password.as_deref().unwrap_or_default();
        Self { options: self.options().username(&login.user).password(password) }
    }
}

impl FromStr for Dsn {
    type Err = DsnError;

    fn from_str(text: &str) -> Result<Self, DsnError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(DsnError::NotPostgres);
        }
        if splits_a_password(text) {
            return Err(DsnError::NotAUrl);
        }
        // sqlx writes what it does not know to the log, with its value.
        if let Some(number) = unknown_parameter(text) {
            return Err(DsnError::Parameter { number });
        }
        // Its errors may quote the text.
        text.parse().map(|options| Self { options }).map_err(|error| match error {
            sqlx::Error::Configuration(_) if text.contains('?') && without_query_parses(text) => {
                DsnError::Value
            }
            _ => DsnError::NotAUrl,
        })
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { options } = self;
        write!(f, "postgres://{}@", options.get_username())?;
        match options.get_socket() {
            Some(folder) => write!(f, "[{}]", folder.display())?,
            None => f.write_str(options.get_host())?,
        }
        write!(f, ":{}", options.get_port())?;
        options.get_database().map_or(Ok(()), |database| write!(f, "/{database}"))
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dsn({self})")
    }
}

/// The parameters that sqlx reads.
const PARAMETERS: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];

/// The place of the first parameter that sqlx would not read.
fn unknown_parameter(url: &str) -> Option<usize> {
    let (_, query) = url.split_once('?')?;
    let known = |pair: &str| {
        let key = pair.split('=').next().unwrap_or_default();
        let option = key.strip_prefix("options[").is_some_and(|rest| rest.ends_with(']'));
        pair.is_empty() || option || key == "options" || PARAMETERS.contains(&key)
    };
    query.split('&').position(|pair| !known(pair)).map(|index| index + 1)
}

/// Whether a `#` or `/` of a password ended what a URL takes for the server's address: the rest
/// would be shown as the database, or passed over.
fn splits_a_password(url: &str) -> bool {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let path = path.map_or("", |(_, path)| path.split('?').next().unwrap_or_default());
    url.contains('#') || path.contains('@')
}

fn without_query_parses(url: &str) -> bool {
    url.split('?').next().is_some_and(|url| url.parse::<PgConnectOptions>().is_ok())
}

/// Whether there is an instant so far away. sqlx would panic over one that is not.
fn can_be_waited_for(duration: Duration) -> bool {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    !duration.is_zero() && duration <= CENTURY
}

/// The variables of one prefix.
struct Variables<'a, F> {
    prefix: &'a str,
    value_of: F,
}

impl<F: Fn(&str) -> Option<String>> Variables<'_, F> {
    fn name(&self, suffix: &str) -> String {
        format!("{}_{suffix}", self.prefix)
    }

    fn value(&self, suffix: &str) -> Option<String> {
        (self.value_of)(&self.name(suffix)).filter(|value| !value.is_empty())
    }

    /// The variable as what it should be; `wanted` says what that is.
    fn read<T>(
        &self,
        suffix: &str,
        wanted: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.value(suffix) else { return Ok(None) };
        let refused = || ConfigError::Value { variable: self.name(suffix), wanted };
        read(&value).map(Some).ok_or_else(refused)
    }

    fn dsn(&self, suffix: &str) -> Result<Option<Dsn>, ConfigError> {
        let Some(value) = self.value(suffix) else { return Ok(None) };
        let variable = self.name(suffix);
        value.parse().map(Some).map_err(|problem| ConfigError::Dsn { variable, problem })
    }

    fn login(&self, user: &str, password: &str) -> Result<Option<Login>, ConfigError> {
        let text = |suffix| {
            self.read(suffix, "text in UTF-8", |text| {
                (!text.contains('\u{fffd}')).then(|| text.to_owned())
            })
        };
        match (text(user)?, text(password)?) {
            (Some(user), password) => Ok(Some(Login::new(&user, password.as_deref()))),
            (None, None) => Ok(None),
            (None, Some(_)) => {
                let wanted = "the user whose password is set";
                Err(ConfigError::Value { variable: self.name(user), wanted })
            }
        }
    }

    fn seconds(&self, suffix: &str) -> Result<Option<Duration>, ConfigError> {
        self.read(suffix, "a number of seconds above 0, such as 60 or 0.5", |value| {
            let duration = Duration::try_from_secs_f64(value.parse().ok()?).ok()?;
            can_be_waited_for(duration).then_some(duration)
        })
    }

    fn count(&self, suffix: &str) -> Result<Option<u32>, ConfigError> {
        self.read(suffix, "a number of connections", |value| value.parse().ok())
    }

    fn limits(&self, suffix: &str) -> Result<Limits, ConfigError> {
        let default = Limits::default();
        Ok(Limits {
            max: self.count(&format!("{suffix}_MAX"))?.unwrap_or(default.max),
            min: self.count(&format!("{suffix}_MIN"))?.unwrap_or(default.min),
        })
    }

    fn switch(&self, suffix: &str) -> Result<Option<bool>, ConfigError> {
        self.read(suffix, "`on` or `off`", |value| match value {
            "on" | "true" | "1" => Some(true),
            "off" | "false" | "0" => Some(false),
            _ => None,
        })
    }

    fn arming(&self, suffix: &str) -> Result<Option<Arming>, ConfigError> {
        self.read(suffix, "`auto`, `session` or `transaction`", |value| match value {
            "auto" => Some(Arming::Auto),
            "session" => Some(Arming::Session),
            "transaction" => Some(Arming::Transaction),
            _ => None,
        })
    }
}

//! Why a caller got no connection in time.
//!
//! sqlx gives one error for four troubles: all connections are held, the server refuses new ones,
//! it does not answer, it is full. The pool's books tell the first. For the others the server must
//! be asked, and within the caller's time: so when a caller has little of it left, the server is
//! examined beside the caller's waiting, by one task for all callers of a pool. As long as
//! connections come in time, nothing is asked.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{ConnectOptions, Connection};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::ledger::{HeldBy, Ledger};

/// For at most this long before its time is over, a caller has the server examined.
const LONGEST_EXAMINATION: Duration = Duration::from_secs(2);

/// This many of those who hold a connection are named.
const NAMED_HOLDERS: usize = 3;

/// Why a caller got no connection in time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeoutCause {
    /// Callers hold all connections.
    AllHeld {
        /// Those who hold one longest, the longest first.
        longest: Vec<HeldBy>,
    },
    /// New connections fail, and the server would have to be asked for more.
    Server(Trouble),
    /// New connections are opened, but cannot be made ready for use.
    NotArmed {
        /// What the server said to it.
        said: String,
    },
    /// The server answers and not all connections are held: it took too long to open one.
    Slow,
}

/// What is wrong with a server to which no connection can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Nobody listens there, or the server is starting up or shutting down.
    Refused {
        /// The words of the system or of the server.
        said: String,
    },
    /// It lets no one in with these credentials, or knows no such database.
    Login {
        /// The server's words.
        said: String,
    },
    /// It has no connection left to give.
    Full {
        /// The server's words.
        said: String,
    },
    /// It, or the way to it, is silent: connections are accepted and nothing is answered.
    Silent {
        /// For how long an answer was waited for.
        waited: Duration,
    },
}

/// Finds out for one pool why its callers wait.
pub(crate) struct Diagnosis {
    options: PgConnectOptions,
    ledger: Arc<Ledger>,
    /// How much of a caller's time is left when the server is examined.
    lead: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the examination that is under way began.
    begun: Option<Instant>,
    found: Option<(Instant, Result<(), Trouble>)>,
    /// The last time that a new connection could not be made ready, and what the server said.
    not_armed: Option<(Instant, String)>,
}

impl Diagnosis {
    /// For a pool whose callers wait for at most `acquire_timeout`.
    pub(crate) fn new(
        options: PgConnectOptions,
        ledger: Arc<Ledger>,
        acquire_timeout: Duration,
    ) -> Arc<Self> {
        let lead = (acquire_timeout / 2).min(LONGEST_EXAMINATION);
        Arc::new(Self { options, ledger, lead, state: Mutex::default() })
    }

    /// Waits for a connection as `acquire` does, and has the server examined when only little of
    /// the pool's `acquire_timeout` is left.
    pub(crate) async fn beside<T>(
        self: &Arc<Self>,
        acquire_timeout: Duration,
        acquire: impl Future<Output = T>,
    ) -> T {
        let mut acquire = pin!(acquire);
        let patience = acquire_timeout.saturating_sub(self.lead);
        match timeout(patience, acquire.as_mut()).await {
            Ok(done) => done,
            Err(_) => {
                self.examine();
                acquire.await
            }
        }
    }

    /// Notes that a new connection could not be made ready for use. sqlx tries again until the
    /// caller's time is over, and does not tell.
    pub(crate) fn could_not_arm(&self, error: &sqlx::Error) {
        self.state().not_armed = Some((Instant::now(), error.to_string()));
    }

    /// Why a caller whose time is over just now got no connection.
    pub(crate) fn explain(&self, pool: &PgPool) -> TimeoutCause {
        let counts = self.ledger.counts();
        let all_held = counts.in_use >= counts.max;
        let (server, not_armed) = self.findings();
        match (server, not_armed) {
            (Some(Err(Trouble::Full { .. })), _) if all_held => self.all_held(),
            (Some(Err(trouble)), _) => TimeoutCause::Server(trouble),
            (_, Some(said)) if !all_held => TimeoutCause::NotArmed { said },
            // Those that nobody holds are on their way from one caller to the next.
            _ if all_held || (counts.in_use > 0 && pool.size() >= counts.max) => self.all_held(),
            _ => TimeoutCause::Slow,
        }
    }

    fn all_held(&self) -> TimeoutCause {
        TimeoutCause::AllHeld { longest: self.ledger.longest_held(NAMED_HOLDERS) }
    }

    /// What is known of the server now, as far as it is fresh.
    fn findings(&self) -> (Option<Result<(), Trouble>>, Option<String>) {
        let state = self.state();
        let fresh = |at: Instant| at.elapsed() <= self.lead * 2;
        let silent_for = state.begun.map(|begun| begun.elapsed());
        let found = match silent_for.filter(|waited| *waited >= self.lead * 3 / 4) {
            Some(waited) => Some(Err(Trouble::Silent { waited })),
            None => state.found.clone().filter(|(at, _)| fresh(*at)).map(|(_, found)| found),
        };
        let not_armed = state.not_armed.clone().filter(|(at, _)| fresh(*at));
        (found, not_armed.map(|(_, said)| said))
    }

    /// Begins to examine the server, unless that is under way or has just been done.
    fn examine(self: &Arc<Self>) {
        {
            let mut state = self.state();
            let just_done = |(at, _): &(Instant, _)| at.elapsed() < self.lead / 2;
            if state.begun.is_some() || state.found.as_ref().is_some_and(just_done) {
                return;
            }
            state.begun = Some(Instant::now());
        }
        let under_way = UnderWay(Arc::clone(self));
        let counts = self.ledger.counts();
        tokio::spawn(async move {
            let diagnosis = Arc::clone(&under_way.0);
            let limit = diagnosis.lead * 2;
            // While all are held the pool opens no connection, and neither does this.
            let asked = async {
                if counts.in_use >= counts.max {
                    knock(&diagnosis.options).await
                } else {
                    visit(&diagnosis.options).await
                }
            };
            let silent = Err(Trouble::Silent { waited: limit });
            let found = timeout(limit, asked).await.unwrap_or(silent);
            diagnosis.state().found = Some((Instant::now(), found));
            drop(under_way);
        });
    }

    /// Every change is one assignment, so that a poisoned lock guards nothing half-done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An examination; however it ends, the next one may begin.
struct UnderWay(Arc<Diagnosis>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().begun = None;
    }
}

impl Trouble {
    /// What an error says of the server when it was met while a connection was opened or tested;
    /// `None` where it says nothing of it.
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Io(error) => Some(Self::of_io(error)),
            sqlx::Error::Database(error) => {
                let said = error.message().to_owned();
                Some(match error.code().as_deref().unwrap_or("") {
                    "53300" => Self::Full { said },
                    // Class 28: invalid authorization; 3D000: no such database; 42501: no right
                    // to connect to it.
                    "3D000" | "42501" => Self::Login { said },
                    code if code.starts_with("28") => Self::Login { said },
                    _ => Self::Refused { said },
                })
            }
            sqlx::Error::Tls(error) => Some(Self::Refused { said: error.to_string() }),
            _ => None,
        }
    }

    fn of_io(error: &io::Error) -> Self {
        Self::Refused { said: error.to_string() }
    }
}

/// Opens a connection as the pool does, and closes it.
async fn visit(options: &PgConnectOptions) -> Result<(), Trouble> {
    let visit = async {
        // The statements of an examination are none of the application's.
        let options = options.clone().disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await?;
        connection.ping().await?;
        connection.close().await
    };
    visit.await.or_else(|error| Trouble::of(&error).map_or(Ok(()), Err))
}

/// Asks the server whether it speaks TLS. It answers without a login, without a place among its
/// connections and without an entry in its log.
async fn knock(options: &PgConnectOptions) -> Result<(), Trouble> {
    let (host, port) = (options.get_host(), options.get_port());
    let socket = options.get_socket().cloned();
    let socket = socket.or_else(|| host.starts_with('/').then(|| PathBuf::from(host)));
    let answer = async {
        match socket {
            Some(folder) => {
                let socket = folder.join(format!(".s.PGSQL.{port}"));
                ask_for_tls(UnixStream::connect(socket).await?).await
            }
            None => ask_for_tls(TcpStream::connect((host, port)).await?).await,
        }
    };
    answer.await.map_err(|error| Trouble::of_io(&error))
}

/// The SSLRequest message: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
async fn ask_for_tls(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    stream.write_all(&SSL_REQUEST).await?;
    stream.read_u8().await.map(|_| ())
}

impl fmt::Display for TimeoutCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllHeld { longest } => {
                f.write_str("all connections are held")?;
                for (index, by) in longest.iter().enumerate() {
                    let before = if index == 0 { ", longest by" } else { "," };
                    write!(f, "{before} {}:{}", by.site.file(), by.site.line())?;
                    write!(f, " for {} ms", by.held_for.as_millis())?;
                }
                f.write_str("; give connections back sooner, or let the pool open more")
            }
            Self::Server(trouble) => trouble.fmt(f),
            Self::NotArmed { said } => write!(
                f,
                "new connections cannot be made ready ({said}); correct what the server allows \
                 this login"
            ),
            Self::Slow => f.write_str(
                "the server answers, but opening a connection takes too long; \
                 give callers more time, or keep more connections open",
            ),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { said } => write!(
                f,
                "the server refuses connections ({said}); look whether it runs and is reachable"
            ),
            Self::Login { said } => write!(
                f,
                "the server refuses the login ({said}); correct the connection string, or what \
                 the server allows"
            ),
            Self::Full { said } => {
                write!(f, "the server is full ({said}); open fewer connections, or raise its limit")
            }
            Self::Silent { waited } => write!(
                f,
                "the server does not answer (nothing for {} ms); look whether it is stuck, or the \
                 network",
                waited.as_millis()
            ),
        }
    }
}

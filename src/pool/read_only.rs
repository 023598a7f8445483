//! The two handles: one that may write, and one that may not. Each is a type of its own, so that
//! the compiler tells them apart.
//!
//! [`ReadWrite`] is a connection of sqlx and can be used as one. [`ReadOnly`] is not, and does
//! not give its connection away: all that goes to the server goes through a [`Reader`].

use std::fmt;
use std::ops::{Deref, DerefMut};

use async_stream::try_stream;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres,
};
use sqlx::{Connection, Describe, Either, Execute, Executor, SqlStr, Transaction};

use crate::arm::{self, Armed, Guard};
use crate::checkout::{Checkout, Parts};
use crate::error::WriteRefused;
use crate::ledger::Site;
use crate::snapshot::PoolName;
use crate::stats::Protection;
use crate::transaction::MayBeOpen;

/// A connection to the primary that may write. It can be used wherever sqlx wants a
/// [`PgConnection`]; dropped, it goes back to its pool.
pub struct ReadWrite(Checkout);

/// A connection that may only read. Dropped, it goes back to its pool.
///
/// ```
/// use ebbline_pool::{Pools, ReadOnly, ReadWrite};
///
/// async fn count_orders(read_only: &mut ReadOnly) -> sqlx::Result<i64> {
///     sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(read_only.reader()).await
/// }
///
/// async fn order(read_write: &mut ReadWrite, item: i32) -> sqlx::Result<()> {
///     let insert = sqlx::query("INSERT INTO orders VALUES ($1)").bind(item);
///     insert.execute(&mut **read_write).await.map(drop)
/// }
///
/// async fn run(pools: Pools) -> Result<(), Box<dyn std::error::Error>> {
///     order(&mut pools.read_write().await?, 7).await?;
///     count_orders(&mut pools.read_only().await?).await?;
///     Ok(())
/// }
/// ```
///
/// Each of these is refused by the compiler: what writes is not given a handle that only reads,
///
/// ```compile_fail
/// # use ebbline_pool::{Pools, ReadWrite};
/// # async fn order(read_write: &mut ReadWrite) {}
/// async fn run(pools: Pools) -> Result<(), Box<dyn std::error::Error>> {
///     order(&mut pools.read_only().await?).await;
///     Ok(())
/// }
/// ```
///
/// nor what only reads one that writes,
///
/// ```compile_fail
/// # use ebbline_pool::{Pools, ReadOnly};
/// # async fn count_orders(read_only: &mut ReadOnly) {}
/// async fn run(pools: Pools) -> Result<(), Box<dyn std::error::Error>> {
///     count_orders(&mut pools.read_write().await?).await;
///     Ok(())
/// }
/// ```
///
/// and a handle that only reads is neither a connection of sqlx nor becomes one: not as it is,
///
/// ```compile_fail
/// # async fn order(connection: &mut sqlx::PgConnection) {}
/// # use ebbline_pool::Pools;
/// async fn run(pools: Pools) -> Result<(), Box<dyn std::error::Error>> {
///     order(&mut pools.read_only().await?).await;
///     Ok(())
/// }
/// ```
///
/// not inside,
///
/// ```compile_fail
/// # use ebbline_pool::Pools;
/// async fn run(pools: Pools) -> Result<(), Box<dyn std::error::Error>> {
///     sqlx::query("SELECT 1").execute(&mut *pools.read_only().await?).await?;
///     Ok(())
/// }
/// ```
///
/// and not where any executor is wanted.
///
/// ```compile_fail
/// # async fn order<'e>(executor: impl sqlx::PgExecutor<'e>) {}
/// # use ebbline_pool::Pools;
/// async fn run(pools: Pools) -> Result<(), Box<dyn std::error::Error>> {
///     order(&mut pools.read_only().await?).await;
///     Ok(())
/// }
/// ```
///
/// There it takes [`ReadOnly::reader`], as whoever writes that can see.
pub struct ReadOnly(Checkout);

/// Runs statements on a [`ReadOnly`] or [`ReadOnlyTransaction`]: sqlx's queries take it as their
/// executor. A write that the server refuses is a [`WriteRefused`].
pub struct Reader<'c> {
    parts: Parts<'c>,
    scope: Scope,
}

/// A read-only transaction: all its statements see the same session, and with
/// [`ReadOnly::begin_repeatable`] the same data. `SET TRANSACTION READ WRITE` fails in it.
pub struct ReadOnlyTransaction<'c> {
    transaction: Transaction<'c, Postgres>,
    may_be_open: &'c mut MayBeOpen,
    scope: Scope,
    pool: &'c PoolName,
    site: Site,
}

/// What must be around a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Nothing: the session is read-only, or the transaction is.
    None,
    /// A transaction of its own.
    OwnTransaction,
    /// The transaction that was begun, which may have been left meanwhile.
    SameTransaction,
}

impl ReadWrite {
    pub(crate) fn new(checkout: Checkout) -> Self {
        Self(checkout)
    }
}

impl Deref for ReadWrite {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for ReadWrite {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

impl fmt::Debug for ReadWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, "ReadWrite", self.0.pool().name(), self.0.site())
    }
}

impl ReadOnly {
    pub(crate) fn new(checkout: Checkout) -> Self {
        Self(checkout)
    }

    /// What keeps this handle from writing.
    pub fn protection(&self) -> Protection {
        self.0.pool().guard().map_or(Protection::Session, Guard::protection)
    }

    /// What runs statements on this handle.
    pub fn reader(&mut self) -> Reader<'_> {
        let scope = match self.0.armed() {
            Some(Armed::Transaction) => Scope::OwnTransaction,
            _ => Scope::None,
        };
        Reader { parts: self.0.parts(), scope }
    }

    /// Begins a read-only transaction.
    pub async fn begin(&mut self) -> Result<ReadOnlyTransaction<'_>, sqlx::Error> {
        self.begin_with(arm::BEGIN_PINNED).await
    }

    /// Begins a read-only transaction in which all statements see the data of the moment when it
    /// began.
    pub async fn begin_repeatable(&mut self) -> Result<ReadOnlyTransaction<'_>, sqlx::Error> {
        self.begin_with(arm::BEGIN_PINNED_REPEATABLE).await
    }

    async fn begin_with(
        &mut self,
        statement: &'static str,
    ) -> Result<ReadOnlyTransaction<'_>, sqlx::Error> {
        let scope = match self.0.armed() {
            Some(Armed::Transaction) => Scope::SameTransaction,
            _ => Scope::None,
        };
        let Parts { connection, transaction: may_be_open, pool, site } = self.0.parts();
        *may_be_open = MayBeOpen::Yes;
        let transaction = connection.begin_with(statement).await?;
        Ok(ReadOnlyTransaction { transaction, may_be_open, scope, pool, site })
    }
}

impl fmt::Debug for ReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, "ReadOnly", self.0.pool().name(), self.0.site())
    }
}

impl ReadOnlyTransaction<'_> {
    /// What runs statements in this transaction.
    pub fn reader(&mut self) -> Reader<'_> {
        let Self { transaction, may_be_open, scope, pool, site } = self;
        let parts = Parts { connection: transaction, transaction: may_be_open, pool, site };
        Reader { parts, scope: *scope }
    }

    /// Ends the transaction. There is nothing to keep of it; dropped, it ends as well, but only
    /// when the connection is used again or given back.
    pub async fn end(self) -> Result<(), sqlx::Error> {
        self.transaction.rollback().await
    }
}

impl fmt::Debug for ReadOnlyTransaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, "ReadOnlyTransaction", self.pool, self.site)
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, "Reader", self.parts.pool, self.parts.site)
    }
}

fn shown(f: &mut fmt::Formatter<'_>, name: &str, pool: &PoolName, site: Site) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    shown.field("pool", &format_args!("{pool}")).field("site", &format_args!("{site}")).finish()
}

/// The results of a statement, one after another.
type Results<'e> = BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>;

impl<'c> Executor<'c> for Reader<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q, E>(self, query: E) -> Results<'e>
    where
        'c: 'e,
        E: Execute<'q, Postgres>,
        'q: 'e,
        E: 'q,
    {
        let Self { parts: Parts { connection, transaction, pool, site }, scope } = self;
        let statement = Statement::taken(query, scope);
        let sql = statement.sql.clone();
        if MayBeOpen::after(sql.as_str()) == MayBeOpen::Yes {
            *transaction = MayBeOpen::Yes;
        }
        let results = match scope {
            Scope::None => connection.fetch_many(statement),
            Scope::OwnTransaction => in_own_transaction(connection, statement),
            Scope::SameTransaction => in_same_transaction(connection, statement),
        };
        let named = move |error| WriteRefused::from_error(error, sql.as_str(), pool, site);
        results.map_err(named).boxed()
    }

    fn fetch_optional<'e, 'q, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: Execute<'q, Postgres>,
        'q: 'e,
        E: 'q,
    {
        // To the end, because an error may come behind the first row.
        let mut results = self.fetch_many(query);
        Box::pin(async move {
            let mut first = None;
            while let Some(result) = results.try_next().await? {
                if let Either::Right(row) = result {
                    first.get_or_insert(row);
                }
            }
            Ok(first)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        if self.scope != Scope::None {
            return Box::pin(async { Err(no_prepared_statements()) });
        }
        let Parts { connection, pool, site, .. } = self.parts;
        Box::pin(async move {
            let text = sql.clone();
            let prepared = connection.prepare_with(sql, parameters).await;
            prepared.map_err(|error| WriteRefused::from_error(error, text.as_str(), pool, site))
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        if self.scope != Scope::None {
            return Box::pin(async { Err(no_prepared_statements()) });
        }
        self.parts.connection.describe(sql)
    }
}

fn no_prepared_statements() -> sqlx::Error {
    sqlx::Error::Protocol(
        "each statement of this handle has a transaction of its own, and maybe another session: \
         nothing can be prepared for a later one; run the query without preparing it"
            .to_owned(),
    )
}

/// Runs one statement in a read-only transaction and rolls that back, so that nothing stays that
/// it did to the session.
fn in_own_transaction<'e>(connection: &'e mut PgConnection, statement: Statement) -> Results<'e> {
    let results = try_stream! {
        let mut transaction = connection.begin_with(arm::BEGIN_PINNED).await?;
        let failed = {
            let mut results = transaction.fetch_many(statement);
            loop {
                match results.next().await {
                    Some(Ok(result)) => yield result,
                    Some(Err(error)) => break Some(error),
                    None => break None,
                }
            }
        };
        let ended = transaction.rollback().await;
        match failed {
            Some(error) => Err(error)?,
            None => ended?,
        }
    };
    Box::pin(results)
}

/// Runs one statement in the transaction that was begun, if it is still in it.
fn in_same_transaction<'e>(connection: &'e mut PgConnection, statement: Statement) -> Results<'e> {
    let results = try_stream! {
        connection.execute(arm::STILL_PINNED).await?;
        let mut results = connection.fetch_many(statement);
        while let Some(result) = results.try_next().await? {
            yield result;
        }
    };
    Box::pin(results)
}

/// What sqlx's query types hold, taken apart.
struct Statement {
    sql: SqlStr,
    arguments: Option<Result<Option<PgArguments>, BoxDynError>>,
    prepared: Option<PgStatement>,
    persistent: bool,
}

impl Statement {
    fn taken<'q>(mut query: impl Execute<'q, Postgres>, scope: Scope) -> Self {
        let arguments = query.take_arguments();
        let (prepared, persistent) = (query.statement().cloned(), query.persistent());
        let sql = query.sql();
        if scope == Scope::None {
            return Self { sql, arguments: Some(arguments), prepared, persistent };
        }
        // Without arguments sqlx sends the text as it is, and it may hold several statements, of
        // which one leaves the transaction. With arguments, be there none, the server takes only
        // one. And a prepared statement would stay in a session that is none of ours.
        let arguments = Some(arguments.map(Option::unwrap_or_default).map(Some));
        Self { sql, arguments, prepared: None, persistent: false }
    }
}

impl Execute<'_, Postgres> for Statement {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.prepared.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.arguments.take().unwrap_or(Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

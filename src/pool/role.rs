//! A login role that cannot write: the SQL that makes one, and the questions that show whether a
//! role is one.
//!
//! A setting can be lifted, a missing privilege cannot. But a role writes also without a
//! privilege on a table: as a member of another role, through a function that runs as its owner,
//! through `dblink`. So the questions ask for every way that is known, and each answer that
//! should not be there comes with the SQL that takes it away.

use std::fmt;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

/// A login role that may only read.
///
/// ```
/// use ebbline_pool::ReadOnlyRole;
///
/// let sql = ReadOnlyRole::new("shop_reader").in_schemas(&["shop"]).to_sql();
/// assert!(sql.contains("SELECT ebbline_read_only_role('shop_reader', ARRAY['shop']);"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOnlyRole {
    name: String,
    schemas: Vec<String>,
}

/// A way in which a role may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayToWrite {
    /// What is in the way of its being read-only.
    pub what: String,
    /// SQL that takes it away. It may take it from others too: from a group, or from everybody.
    pub remedy: String,
}

impl fmt::Display for WayToWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// Makes a function that makes the role, or takes from it what it should not have.
const CREATE: &str = include_str!("role/create.sql");

/// The ways in which the role `{role}` may write.
const WAYS_TO_WRITE: &str = include_str!("role/ways_to_write.sql");

impl ReadOnlyRole {
    /// The role of this name, which reads the schema `public`.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), schemas: vec!["public".to_owned()] }
    }

    /// It reads these schemas instead.
    pub fn in_schemas(self, schemas: &[&str]) -> Self {
        Self { schemas: schemas.iter().map(|&schema| schema.to_owned()).collect(), ..self }
    }

    /// SQL for an administrator, to be run in the application's database by the owner of its
    /// tables or a superuser: it makes a function, and calls it for this role. It sets no
    /// password. It may be run again: for tables and schemas that came later.
    pub fn to_sql(&self) -> String {
        let schemas: Vec<String> = self.schemas.iter().map(|schema| literal(schema)).collect();
        let (name, schemas) = (literal(&self.name), schemas.join(", "));
        format!("{CREATE}\nSELECT ebbline_read_only_role({name}, ARRAY[{schemas}]);\n")
    }

    /// Asks the server how this role may write, in the database that the connection is to: none
    /// is what it should answer. Any role may ask; fails where there is no such role.
    pub async fn ways_to_write(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Vec<WayToWrite>, sqlx::Error> {
        ways_to_write(connection, Some(&self.name)).await
    }
}

/// How a role may write; without a name, the role that is logged in.
pub(crate) async fn ways_to_write(
    connection: &mut PgConnection,
    role: Option<&str>,
) -> Result<Vec<WayToWrite>, sqlx::Error> {
    // Not as a parameter: behind a pooler the server that gets its value may be another one than
    // that which was told of the statement.
    let role = role.map_or("SESSION_USER".to_owned(), literal);
    let query = WAYS_TO_WRITE.replace("{role}", &role);
    let rows = connection.fetch_all(AssertSqlSafe(query)).await?;
    let way = |row: &sqlx::postgres::PgRow| {
        Ok(WayToWrite { what: row.try_get(0)?, remedy: row.try_get(1)? })
    };
    rows.iter().map(way).collect()
}

/// A string as SQL writes it, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') {
        return format!("E'{}'", quoted.replace('\\', "\\\\"));
    }
    format!("'{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let sql = ReadOnlyRole::new("o'neill").in_schemas(&["a\\b", "c"]).to_sql();
        assert!(
            sql.ends_with("ebbline_read_only_role('o''neill', ARRAY[E'a\\\\b', 'c']);\n"),
            "{sql}"
        );
    }
}

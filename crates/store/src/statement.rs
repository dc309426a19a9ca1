//! A statement as data: its text, the values bound to it, and how many rows it must change.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use crate::StoreError;

/// A value as both engines know it. Times are [`Value::Integer`] seconds; JSON is [`Value::Text`].
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// `INTEGER` in SQLite, `BIGINT` in PostgreSQL.
    Integer(i64),
    /// `TEXT` in both.
    Text(String),
    /// `BLOB` in SQLite, `BYTEA` in PostgreSQL.
    Blob(Vec<u8>),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer(_) => "integer",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
        }
    }
}

/// Says of what kind the value is and never what it is: most of them are personal or secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

/// True is 1, false is 0: SQLite has no boolean of its own.
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

/// Whole seconds since 1970, the fraction cut off towards the past.
impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        let before = i64::from(value.subsec_nanosecond() < 0);
        Self::Integer(value.as_second() - before)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One SQL statement with its values.
///
/// The text is made of this program's own words and nothing else (a list of columns may be put in, a value never);
/// whatever varies is bound. Placeholders are `$1`, `$2`, … on both engines.
#[derive(Clone)]
pub struct Statement {
    sql: Cow<'static, str>,
    values: Vec<Value>,
    must_change: Option<u64>,
    locks: bool,
}

impl Statement {
    /// A statement written in the subset that both engines understand.
    #[must_use]
    pub fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self {
            sql: sql.into(),
            values: Vec::new(),
            must_change: None,
            locks: false,
        }
    }

    /// From here to the end of the batch nobody else writes to that table: who has begun to is waited for, who begins waits.
    /// For a condition on rows that are not there, which no row can be locked for. SQLite has one writer in any case.
    ///
    /// It comes first in its batch, so that nobody is waited for who waits for us.
    #[must_use]
    pub fn lock(table: &'static str) -> Self {
        // Not against readers, and of two who lock one waits.
        let lock = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        Self {
            locks: true,
            ..Self::new(lock)
        }
    }

    /// Binds the next placeholder: the first call is `$1`.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The whole batch is undone unless this statement changes (or, with `RETURNING`, gives) exactly `rows` rows.
    #[must_use]
    pub fn must_change(mut self, rows: u64) -> Self {
        self.must_change = Some(rows);
        self
    }

    /// What one engine would take and the other refuse, refused for both.
    pub(super) fn check(&self, index: usize) -> Result<(), StoreError> {
        let holds_zero = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
        if self.values.iter().any(holds_zero) {
            return Err(rejected(index, "a text with a zero byte"));
        }
        Ok(())
    }

    /// A read may be tried again and may run on a replica, so it must not write.
    pub(super) fn check_reads(&self) -> Result<(), StoreError> {
        let sql = self.sql.trim_start();
        if sql.starts_with("SELECT") || sql.starts_with("WITH") {
            return Ok(());
        }
        Err(rejected(0, "a read that is no SELECT"))
    }

    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(super) fn is_lock(&self) -> bool {
        self.locks
    }

    pub(super) fn is_conditional(&self) -> bool {
        self.must_change.is_some()
    }

    /// Whether the batch may be kept after this statement changed that many rows.
    pub(super) fn is_met_by(&self, changed: u64) -> bool {
        self.must_change.is_none_or(|wanted| wanted == changed)
    }
}

fn rejected(statement: usize, reason: &str) -> StoreError {
    StoreError::Rejected {
        statement,
        reason: reason.to_owned(),
    }
}

/// The text (ours) and the kinds of the values, never the values.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("sql", &self.sql)
            .field("values", &self.values)
            .field("must_change", &self.must_change)
            .field("locks", &self.locks)
            .finish()
    }
}

/// Rewrites `$n` to SQLite's `?n`. SQLite takes `$n` for a *name* and numbers names by first appearance, so
/// `VALUES ($2, $1)` would bind the wrong way round. Literals, quoted names and comments are left alone.
pub(super) fn numbered_for_sqlite(sql: &str) -> String {
    let mut rewritten = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            // A doubled quote inside a literal closes it and opens the next one at once: the same result.
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            '$' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                rewritten.push('?');
                rest = &rest[1..];
                continue;
            }
            other => other.len_utf8(),
        };
        let (kept, after) = rest.split_at(length);
        rewritten.push_str(kept);
        rest = after;
    }
    rewritten
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn placeholders_are_rewritten_and_text_is_left_alone() {
        for (written, expected) in [
            (
                "SELECT a FROM t WHERE b = $2 AND c=$1",
                "SELECT a FROM t WHERE b = ?2 AND c=?1",
            ),
            ("VALUES ($12,$1)", "VALUES (?12,?1)"),
            ("SELECT '$1', $1", "SELECT '$1', ?1"),
            ("SELECT 'it''s $1', $1", "SELECT 'it''s $1', ?1"),
            (r#"SELECT "$1" FROM t"#, r#"SELECT "$1" FROM t"#),
            ("SELECT 1 -- $1\n, $1", "SELECT 1 -- $1\n, ?1"),
            ("SELECT /* $1 */ $1", "SELECT /* $1 */ ?1"),
            ("SELECT '$.name', $1 - $2", "SELECT '$.name', ?1 - ?2"),
            ("SELECT 'é$1é' || $1", "SELECT 'é$1é' || ?1"),
            ("SELECT 'open", "SELECT 'open"),
            ("SELECT 'open é", "SELECT 'open é"),
            ("SELECT $", "SELECT $"),
        ] {
            assert_eq!(numbered_for_sqlite(written), expected);
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let statement =
            Statement::new("INSERT INTO people (name, born, photo) VALUES ($1, $2, $3)")
                .bind("Alex Morgan")
                .bind(19_800_101)
                .bind(b"JFIF".to_vec())
                .must_change(1);
        let shown = format!("{statement:?}");
        assert!(shown.contains("INSERT INTO people"));
        assert!(shown.contains("text") && shown.contains("integer") && shown.contains("blob"));
        assert!(!shown.contains("Alex") && !shown.contains("19800101") && !shown.contains("74"));
    }

    #[test]
    fn a_time_before_1970_is_cut_towards_the_past() {
        let value = Value::from(Timestamp::from_millisecond(-1500).unwrap());
        assert!(value == Value::Integer(-2));
        let value = Value::from(Timestamp::from_millisecond(1500).unwrap());
        assert!(value == Value::Integer(1));
    }
}

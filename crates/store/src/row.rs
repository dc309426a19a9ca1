//! What comes back: rows whose columns are asked for by name and kind.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::{StoreError, Value};

/// What one statement of a batch did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Rows changed; for a statement that gives rows (`RETURNING`, `SELECT`), how many it gave.
    pub changed: u64,
    /// The rows it gave.
    pub rows: Vec<Row>,
}

/// One row of a result.
#[derive(Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(super) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// A text that is never null.
    pub fn text(&self, column: &str) -> Result<&str, StoreError> {
        self.optional_text(column)?
            .ok_or_else(|| unlike(column, "text"))
    }

    /// A text, or `None` for null.
    pub fn optional_text(&self, column: &str) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(unlike(column, "text")),
        }
    }

    /// An integer that is never null.
    pub fn integer(&self, column: &str) -> Result<i64, StoreError> {
        self.optional_integer(column)?
            .ok_or_else(|| unlike(column, "integer"))
    }

    /// An integer, or `None` for null.
    pub fn optional_integer(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Integer(integer) => Ok(Some(*integer)),
            _ => Err(unlike(column, "integer")),
        }
    }

    /// A boolean, kept as 0 or 1.
    pub fn boolean(&self, column: &str) -> Result<bool, StoreError> {
        match self.integer(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(unlike(column, "0 or 1")),
        }
    }

    /// A time, kept as seconds since 1970.
    pub fn timestamp(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.optional_timestamp(column)?
            .ok_or_else(|| unlike(column, "time"))
    }

    /// A time, or `None` for null.
    pub fn optional_timestamp(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        self.optional_integer(column)?
            .map(|seconds| Timestamp::from_second(seconds).map_err(|_| unlike(column, "time")))
            .transpose()
    }

    /// Bytes that are never null.
    pub fn blob(&self, column: &str) -> Result<&[u8], StoreError> {
        self.optional_blob(column)?
            .ok_or_else(|| unlike(column, "blob"))
    }

    /// Bytes, or `None` for null.
    pub fn optional_blob(&self, column: &str) -> Result<Option<&[u8]>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Blob(blob) => Ok(Some(blob)),
            _ => Err(unlike(column, "blob")),
        }
    }

    /// The names of its columns, in order: for a view whose columns are not this program's.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    fn value(&self, column: &str) -> Result<&Value, StoreError> {
        self.columns
            .iter()
            .position(|name| name == column)
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| unlike(column, "present"))
    }
}

fn unlike(column: &str, wanted: &'static str) -> StoreError {
    StoreError::Column {
        column: column.to_owned(),
        wanted,
    }
}

/// The columns and the kinds of their values, never the values.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.columns.iter().zip(&self.values))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row() -> Row {
        Row::new(
            ["id", "version", "sealed", "ended_at"]
                .map(str::to_owned)
                .into(),
            vec![
                Value::Text("secret-id".to_owned()),
                Value::Integer(7),
                Value::Blob(vec![1, 2]),
                Value::Null,
            ],
        )
    }

    #[test]
    fn a_column_is_read_as_what_it_is_and_as_nothing_else() {
        let row = row();
        assert_eq!(row.text("id").unwrap(), "secret-id");
        assert_eq!(row.integer("version").unwrap(), 7);
        assert_eq!(row.timestamp("version").unwrap().as_second(), 7);
        assert_eq!(row.blob("sealed").unwrap(), [1, 2]);
        assert!(row.optional_timestamp("ended_at").unwrap().is_none());
        for wrong in [
            row.integer("id").unwrap_err(),
            row.boolean("version").unwrap_err(),
            row.text("ended_at").unwrap_err(),
            row.text("absent").unwrap_err(),
        ] {
            assert!(matches!(wrong, StoreError::Column { .. }));
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", row());
        assert!(shown.contains("\"id\": text"));
        assert!(!shown.contains("secret-id"));
    }
}

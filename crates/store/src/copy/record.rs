//! What a database says, record by record: the form in which it is handed from one engine to the other and in which a
//! backup holds it.
//!
//! ```text
//! histories, ( table, row*, end of table )*, end
//! ```

use std::io::Read;

use aws_lc_rs::digest::{SHA256, digest};

use super::CopyError;
use crate::Value;

/// No value of ours comes near; what claims to be larger is no record.
const LARGEST: u32 = 256 * 1024 * 1024;

/// One thing that a database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Which migrations have been applied. The first record.
    Histories(Vec<History>),
    /// The rows that follow are this table's.
    Table(Table),
    /// One row, its values in the order of the table's columns.
    Row(Vec<Value>),
    /// The table is complete.
    EndOfTable(Sum),
    /// The database is complete. The last record.
    End,
}

/// The migrations of one party, as its database remembers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The table that remembers.
    pub table: String,
    /// Number and name of each, in order.
    pub applied: Vec<(i64, String)>,
}

impl History {
    /// The number of the newest.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.applied.last().map_or(0, |(version, _)| *version)
    }
}

/// A table and those of its columns that hold something of their own, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Their names.
    pub columns: Vec<String>,
}

impl Table {
    /// Four columns, by which `refinery`'s table of applied migrations is known.
    pub(super) fn is_history(&self) -> bool {
        self.columns == ["applied_on", "checksum", "name", "version"]
    }

    pub(super) fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.column_list(), quoted(&self.name))
    }

    pub(super) fn column_list(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| quoted(column)).collect();
        columns.join(", ")
    }
}

/// A name as both engines write one that could be anything.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What a table holds, in short: its number of rows, and the sum of the SHA-256 of each, modulo 2^256. The order of the
/// rows does not count, since no order is the same on both engines.
///
/// It finds what was lost or damaged. Somebody who may write the table could make another with the same sum; against
/// them a backup is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// Its rows.
    pub rows: u64,
    digest: [u64; 4],
}

impl Sum {
    /// Counts a row.
    pub(super) fn add(&mut self, row: &[Value]) {
        let mut bytes = Vec::new();
        write_row(row, &mut bytes);
        let hash = digest(&SHA256, &bytes);
        let mut carry = 0_u64;
        for (limb, part) in self.digest.iter_mut().zip(hash.as_ref().chunks_exact(8)) {
            let part = part
                .iter()
                .rev()
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            let (sum, first) = limb.overflowing_add(part);
            let (sum, second) = sum.overflowing_add(carry);
            *limb = sum;
            carry = u64::from(first || second);
        }
        self.rows += 1;
    }

    /// The sum in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        let [lowest, low, high, highest] = self.digest;
        format!("{highest:016x}{high:016x}{low:016x}{lowest:016x}")
    }
}

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows, {}", self.rows, self.hash())
    }
}

impl Record {
    /// Appends the record's bytes.
    pub fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Histories(histories) => {
                to.push(b'H');
                write_length(histories.len(), to);
                for history in histories {
                    write_bytes(history.table.as_bytes(), to);
                    write_length(history.applied.len(), to);
                    for (version, name) in &history.applied {
                        to.extend(version.to_be_bytes());
                        write_bytes(name.as_bytes(), to);
                    }
                }
            }
            Self::Table(table) => {
                to.push(b'T');
                write_bytes(table.name.as_bytes(), to);
                write_length(table.columns.len(), to);
                for column in &table.columns {
                    write_bytes(column.as_bytes(), to);
                }
            }
            Self::Row(row) => {
                to.push(b'R');
                write_row(row, to);
            }
            Self::EndOfTable(sum) => {
                to.push(b'S');
                to.extend(sum.rows.to_be_bytes());
                for limb in sum.digest {
                    to.extend(limb.to_be_bytes());
                }
            }
            Self::End => to.push(b'E'),
        }
    }

    /// The next record of what [`Self::write`] wrote.
    pub fn read(from: &mut impl Read) -> Result<Self, CopyError> {
        Ok(match byte(from)? {
            b'H' => Self::Histories(many(from, |from| {
                Ok(History {
                    table: text(from)?,
                    applied: many(from, |from| Ok((integer(from)?, text(from)?)))?,
                })
            })?),
            b'T' => Self::Table(Table {
                name: text(from)?,
                columns: many(from, text)?,
            }),
            b'R' => Self::Row(many(from, |from| {
                Ok(match byte(from)? {
                    b'n' => Value::Null,
                    b'i' => Value::Integer(integer(from)?),
                    b't' => Value::Text(text(from)?),
                    b'b' => Value::Blob(bytes(from)?),
                    _ => return Err(CopyError::Unreadable),
                })
            })?),
            b'S' => Self::EndOfTable(Sum {
                rows: u64::from_be_bytes(array(from)?),
                digest: [
                    u64::from_be_bytes(array(from)?),
                    u64::from_be_bytes(array(from)?),
                    u64::from_be_bytes(array(from)?),
                    u64::from_be_bytes(array(from)?),
                ],
            }),
            b'E' => Self::End,
            _ => return Err(CopyError::Unreadable),
        })
    }
}

fn write_row(row: &[Value], to: &mut Vec<u8>) {
    write_length(row.len(), to);
    for value in row {
        match value {
            Value::Null => to.push(b'n'),
            Value::Integer(integer) => {
                to.push(b'i');
                to.extend(integer.to_be_bytes());
            }
            Value::Text(text) => {
                to.push(b't');
                write_bytes(text.as_bytes(), to);
            }
            Value::Blob(blob) => {
                to.push(b'b');
                write_bytes(blob, to);
            }
        }
    }
}

/// A length beyond 32 bits cannot be: both engines refuse such a value.
fn write_length(length: usize, to: &mut Vec<u8>) {
    to.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

fn write_bytes(bytes: &[u8], to: &mut Vec<u8>) {
    write_length(bytes.len(), to);
    to.extend(bytes);
}

fn array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], CopyError> {
    let mut array = [0; N];
    from.read_exact(&mut array).map_err(CopyError::reading)?;
    Ok(array)
}

fn byte(from: &mut impl Read) -> Result<u8, CopyError> {
    Ok(array::<1>(from)?[0])
}

fn integer(from: &mut impl Read) -> Result<i64, CopyError> {
    Ok(i64::from_be_bytes(array(from)?))
}

fn length(from: &mut impl Read) -> Result<u32, CopyError> {
    let length = u32::from_be_bytes(array(from)?);
    if length > LARGEST {
        return Err(CopyError::Unreadable);
    }
    Ok(length)
}

fn bytes(from: &mut impl Read) -> Result<Vec<u8>, CopyError> {
    let length = length(from)?;
    // What is there, not what is claimed, decides how much memory is taken.
    let mut bytes = Vec::new();
    let read = from.take(length.into()).read_to_end(&mut bytes);
    match read.map_err(CopyError::reading)? {
        read if read as u64 == u64::from(length) => Ok(bytes),
        _ => Err(CopyError::Incomplete),
    }
}

fn text(from: &mut impl Read) -> Result<String, CopyError> {
    String::from_utf8(bytes(from)?).map_err(|_| CopyError::Unreadable)
}

fn many<R: Read, T>(
    from: &mut R,
    one: impl Fn(&mut R) -> Result<T, CopyError>,
) -> Result<Vec<T>, CopyError> {
    (0..length(from)?).map(|_| one(from)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn records() -> Vec<Record> {
        let mut sum = Sum::default();
        let row = vec![
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Text("Zoë".to_owned()),
            Value::Blob(vec![0, 255]),
        ];
        sum.add(&row);
        let applied = vec![(1, "first".to_owned()), (2, "second".to_owned())];
        vec![
            Record::Histories(vec![History {
                table: "history".to_owned(),
                applied,
            }]),
            Record::Table(Table {
                name: "rows".to_owned(),
                columns: ["a", "b", "c", "d"].map(str::to_owned).into(),
            }),
            Record::Row(row),
            Record::EndOfTable(sum),
            Record::End,
        ]
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_half_of_one_is_none() {
        let mut bytes = Vec::new();
        for record in records() {
            record.write(&mut bytes);
        }
        let mut rest = bytes.as_slice();
        for record in records() {
            assert_eq!(Record::read(&mut rest).unwrap(), record);
        }
        assert!(rest.is_empty());
        for end in 0..bytes.len() {
            let mut rest = &bytes[..end];
            let read = std::iter::from_fn(|| Some(Record::read(&mut rest)));
            let refused = read.take(records().len()).find_map(Result::err);
            assert!(matches!(refused, Some(CopyError::Incomplete)), "{end}");
        }
        assert!(Record::read(&mut [b'R', 255, 255, 255, 255].as_slice()).is_err());
        assert!(Record::read(&mut [b'?'].as_slice()).is_err());
    }

    #[test]
    fn a_sum_knows_every_row_and_no_order() {
        let rows = [1_i64, 2, 2, 3].map(|number| vec![Value::Integer(number)]);
        let sum = |order: &[usize]| {
            let mut sum = Sum::default();
            for index in order {
                sum.add(&rows[*index]);
            }
            sum
        };
        assert_eq!(sum(&[0, 1, 2, 3]), sum(&[3, 2, 0, 1]));
        assert_ne!(
            sum(&[0, 1, 3]),
            sum(&[0, 1, 2, 3]),
            "one of two equal rows is gone"
        );
        assert_ne!(sum(&[0, 0, 1]), sum(&[0, 1, 1]));
        let mut text = Sum::default();
        text.add(&[Value::Text("1".to_owned())]);
        assert_ne!(text, sum(&[0]));
        assert_eq!(sum(&[0]).hash().len(), 64);
    }
}

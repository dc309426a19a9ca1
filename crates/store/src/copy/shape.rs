//! What tables a database has, in which order they may be filled, and whether two databases go together.

use std::collections::BTreeSet;

use super::{CopyError, Held, History, Record, Sum, Table};
use crate::Migrations;

/// The tables of a database.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Those that remember migrations.
    pub(super) histories: Vec<Table>,
    /// All others, each after those that it refers to.
    pub(super) tables: Vec<Table>,
}

impl Shape {
    /// `references` has pairs: a table, and another that its rows refer to.
    pub(super) fn new(found: Vec<Table>, references: &[(String, String)]) -> Self {
        let (histories, mut waiting): (Vec<_>, Vec<_>) =
            found.into_iter().partition(Table::is_history);
        let mut tables: Vec<Table> = Vec::with_capacity(waiting.len());
        let mut placed = BTreeSet::new();
        while !waiting.is_empty() {
            let (free, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|table| {
                references
                    .iter()
                    .filter(|(from, to)| *from == table.name && to != from)
                    .all(|(_, to)| placed.contains(to))
            });
            if free.is_empty() {
                // A circle: whatever order fails, and the engine says so.
                tables.extend(rest);
                break;
            }
            placed.extend(free.iter().map(|table| table.name.clone()));
            tables.extend(free);
            waiting = rest;
        }
        Self { histories, tables }
    }

    /// The table of that name, if it has the same columns.
    pub(super) fn same(&self, table: &Table) -> Result<&Table, CopyError> {
        let mut same = self.tables.iter();
        same.find(|own| *own == table)
            .ok_or_else(|| CopyError::OtherTable(table.name.clone()))
    }
}

/// The parties whose histories these are, each with the number of its newest migration. What this program does not know
/// is refused.
pub(super) fn known(
    histories: &[History],
    parties: &[Migrations],
) -> Result<Vec<(Migrations, i64)>, CopyError> {
    let newer = |history: &History, ours| CopyError::NewerSchema {
        history: history.table.clone(),
        theirs: history.version(),
        ours,
    };
    for history in histories {
        let known = parties
            .iter()
            .find(|party| party.history() == history.table);
        let migrations = known.ok_or_else(|| newer(history, 0))?.numbered();
        let ours = migrations.last().map_or(0, |(number, _)| *number);
        if history.version() > ours {
            return Err(newer(history, ours));
        }
        let of_that_version = migrations
            .iter()
            .filter(|(number, _)| *number <= history.version());
        if !of_that_version.eq(history.applied.iter()) {
            return Err(CopyError::OtherSchema {
                history: history.table.clone(),
                theirs: history.version(),
                ours,
            });
        }
    }
    let known = parties.iter().filter_map(|party| {
        let history = histories
            .iter()
            .find(|history| history.table == party.history())?;
        Some((*party, history.version()))
    });
    Ok(known.collect())
}

/// Whether a target that has tables already is of the same version.
pub(super) fn are_alike(source: &[History], target: &[History]) -> Result<(), CopyError> {
    for history in source.iter().chain(target) {
        let version = |all: &[History]| {
            let same = all.iter().find(|one| one.table == history.table);
            same.map_or(0, History::version)
        };
        let (theirs, ours) = (version(source), version(target));
        if theirs != ours {
            return Err(CopyError::OtherSchema {
                history: history.table.clone(),
                theirs,
                ours,
            });
        }
    }
    Ok(())
}

/// A target holds what the migrations themselves put into it, or nothing.
pub(super) fn is_empty(target: &[Held], fresh: &[Held]) -> Result<(), CopyError> {
    let first = target
        .iter()
        .find(|held| held.sum.rows > 0 && !fresh.contains(held));
    match first {
        Some(held) => Err(CopyError::NotEmpty(held.table.clone())),
        None => Ok(()),
    }
}

/// Compares what was announced with what has arrived.
pub(super) fn arrived(announced: &[Held], stored: &[Held]) -> Result<(), CopyError> {
    let differs = announced.iter().find(|held| !stored.contains(held));
    match differs {
        Some(held) => Err(CopyError::Differs(held.table.clone())),
        // A table that is there and was not announced must have nothing in it.
        None => stored
            .iter()
            .find(|held| held.sum.rows > 0 && !announced.contains(held))
            .map_or(Ok(()), |held| {
                Err(CopyError::OtherTable(held.table.clone()))
            }),
    }
}

/// Follows the records of a load: what comes when, and whether it adds up.
#[derive(Default)]
pub(super) struct Course {
    table: Option<(Table, Sum)>,
    pub(super) announced: Vec<Held>,
}

impl Course {
    /// A table begins.
    pub(super) fn begin(&mut self, table: &Table) -> Result<(), CopyError> {
        if self.table.is_some() {
            return Err(CopyError::Unreadable);
        }
        self.table = Some((table.clone(), Sum::default()));
        Ok(())
    }

    /// A row of it.
    pub(super) fn row(&mut self, row: &[crate::Value]) -> Result<(), CopyError> {
        match &mut self.table {
            Some((table, sum)) if table.columns.len() == row.len() => {
                sum.add(row);
                Ok(())
            }
            _ => Err(CopyError::Unreadable),
        }
    }

    /// It is complete: so must be what was read.
    pub(super) fn end(&mut self, announced: Sum) -> Result<(), CopyError> {
        let (table, sum) = self.table.take().ok_or(CopyError::Unreadable)?;
        if sum != announced {
            return Err(CopyError::Differs(table.name));
        }
        self.announced.push(Held {
            table: table.name,
            sum,
        });
        Ok(())
    }
}

/// The first record of every copy.
pub(super) fn histories(first: Option<Record>) -> Result<Vec<History>, CopyError> {
    match first {
        Some(Record::Histories(histories)) => Ok(histories),
        Some(_) => Err(CopyError::Unreadable),
        None => Err(CopyError::Incomplete),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_after_those_that_it_refers_to() {
        let table = |name: &str| Table {
            name: name.to_owned(),
            columns: vec!["id".to_owned()],
        };
        let refers = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let shape = Shape::new(
            ["a", "b", "c"].map(table).into(),
            &[refers("a", "b"), refers("b", "c"), refers("c", "c")],
        );
        let names: Vec<_> = shape.tables.iter().map(|table| &table.name).collect();
        assert_eq!(names, ["c", "b", "a"]);
        let circle = Shape::new(
            ["a", "b"].map(table).into(),
            &[refers("a", "b"), refers("b", "a")],
        );
        assert_eq!(circle.tables.len(), 2);
    }
}

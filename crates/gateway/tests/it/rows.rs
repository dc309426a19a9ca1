//! The rows of a whole database by whose they are: what somebody does to another tenant shows there, whatever it is answered.

use std::collections::{BTreeMap, BTreeSet};

use store::copy::{self, Others, Record};
use store::{DatabaseUrl, Value};

use crate::world::World;

/// Rows by their table.
pub(crate) type Rows = BTreeMap<String, BTreeSet<Vec<u8>>>;

/// What a database has in one moment.
pub(crate) struct ByWhose {
    /// What names the tenant, or anything of it.
    pub(crate) theirs: Rows,
    /// All else.
    pub(crate) others: Rows,
}

/// Every row of the database. A row is that organisation's if one of its values is the organisation, one of `things`, or an
/// interaction of it: some rows name their tenant by that only.
pub(crate) async fn by_whose(world: &World, organisation: &str, things: &[&str]) -> ByWhose {
    let url: DatabaseUrl = world.config.database_address().unwrap().parse().unwrap();
    let mut records = copy::dump(&url, Others::Allowed);
    let mut tables: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
    let (mut table, mut columns) = (String::new(), Vec::new());
    let things = things.iter().chain([&organisation]);
    let mut theirs: BTreeSet<String> = things.map(|thing| (*thing).to_owned()).collect();
    while let Some(lot) = records.recv().await {
        for record in lot.unwrap() {
            match record {
                Record::Table(begun) => (table, columns) = (begun.name, begun.columns),
                Record::Row(row) => {
                    let column = |name| columns.iter().position(|column| column == name);
                    let text = |at: usize| match &row[at] {
                        Value::Text(text) => Some(text.clone()),
                        _ => None,
                    };
                    if table == "interactions"
                        && text(column("organisation").unwrap()).as_deref() == Some(organisation)
                    {
                        theirs.extend(text(column("id").unwrap()));
                    }
                    tables.entry(table.clone()).or_default().push(row);
                }
                _ => {}
            }
        }
    }
    let is_theirs = |row: &[Value]| {
        let names = |value: &_| matches!(value, Value::Text(text) if theirs.contains(text));
        row.iter().any(names)
    };
    let mut all = ByWhose {
        theirs: Rows::new(),
        others: Rows::new(),
    };
    for (table, rows) in tables {
        for row in rows {
            let whose = if is_theirs(&row) {
                &mut all.theirs
            } else {
                &mut all.others
            };
            let mut bytes = Vec::new();
            Record::Row(row).write(&mut bytes);
            whose.entry(table.clone()).or_default().insert(bytes);
        }
    }
    all
}

/// The tables in which rows came, went or became others.
pub(crate) fn changed(before: &Rows, after: &Rows) -> BTreeSet<String> {
    let tables = before.keys().chain(after.keys());
    let changed = tables.filter(|table| before.get(*table) != after.get(*table));
    changed.cloned().collect()
}

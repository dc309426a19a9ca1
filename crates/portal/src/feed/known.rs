//! What the portal knows already, whoever said it.

use std::collections::HashMap;

use store::{Statement, StoreError};

use crate::app::App;
use crate::employees::{self, Employee};
use crate::records::{self, Record};

/// How rows say that they come from a feed.
pub(super) const SOURCE: &str = "feed";

/// Everybody and everything, by id.
pub(super) struct Known {
    pub(super) employees: HashMap<String, KnownEmployee>,
    pub(super) records: HashMap<String, KnownRecord>,
}

pub(super) struct KnownEmployee {
    pub(super) employee: Employee,
    /// Whether a feed brought them.
    pub(super) is_fed: bool,
    /// Whether they are no longer there.
    pub(super) has_left: bool,
}

pub(super) struct KnownRecord {
    pub(super) record: Record,
    pub(super) is_fed: bool,
}

pub(super) async fn load(app: &App) -> Result<Known, StoreError> {
    let sql = format!(
        "SELECT {}, source, left_at FROM portal_employees",
        employees::COLUMNS
    );
    let mut employees = HashMap::new();
    for row in app.store.read(Statement::new(sql)).await? {
        let employee = Employee::read(&row)?;
        let known = KnownEmployee {
            is_fed: row.optional_text("source")? == Some(SOURCE),
            has_left: row.optional_timestamp("left_at")?.is_some(),
            employee,
        };
        employees.insert(known.employee.id.clone(), known);
    }
    let sql = format!("SELECT {}, source FROM portal_records", records::COLUMNS);
    let mut records = HashMap::new();
    for row in app.store.read(Statement::new(sql)).await? {
        let record = Record::read(&row)?;
        let is_fed = row.optional_text("source")? == Some(SOURCE);
        records.insert(record.id.clone(), KnownRecord { record, is_fed });
    }
    Ok(Known { employees, records })
}

//! People and records from another system: a CSV file or a view of its database, taken in whole.
//!
//! The feed says how things are. What it no longer says is over: a record that changed, ended or vanished goes through
//! the desk in the same batch, so that its credential is revoked; what did not change does nothing.

mod change;
pub(crate) mod csv;
mod known;
mod layout;
mod source;

use std::fmt;

use store::StoreError;

pub(crate) use layout::FACT;
pub(crate) use source::{
    A_FIFTH, A_TENTH, Feed, keep_taking_in, look_at, take_in_file, take_in_now,
};

use crate::app::App;

/// One row: its place, and its values in the order of the columns.
#[derive(Clone)]
pub(crate) struct Row {
    /// The line of the file, or the number of the view's row, from 1.
    pub(crate) line: usize,
    pub(crate) values: Vec<String>,
}

/// What is wrong in which line. No value is repeated: it may be somebody's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line of the file, from 1; of a view, its row.
    pub line: usize,
    /// Column and reason.
    pub reason: String,
}

impl Fault {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// How many faults are told at once.
const MOST_FAULTS: usize = 20;

/// Why a feed was not taken in. Nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The file cannot be read.
    #[error("the file {file} cannot be read: {reason}")]
    File {
        /// Which.
        file: String,
        /// Why not.
        reason: String,
    },
    /// The other system's database.
    #[error("the view cannot be read: {0}")]
    View(StoreError),
    /// It does not say what it should.
    #[error("{}", listed(.0))]
    Layout(Vec<Fault>),
    /// So much would be gone that it looks like a mistake.
    #[error(
        "{gone} of {all} {what} would be removed, which is more than the share that `records.removals` allows: say \
         --accept-removals if it is meant"
    )]
    TooManyRemovals {
        /// `records` or `employees`.
        what: &'static str,
        /// How many would be gone.
        gone: usize,
        /// Of how many.
        all: usize,
    },
    /// So much would be changed or ended that it looks like a mistake.
    #[error(
        "{changed} of {all} {what} would be changed or ended at once, which is more than the share that `records.changes` \
         allows: say --accept-large-change if it is meant"
    )]
    LargeChange {
        /// `records` or `employees`.
        what: &'static str,
        /// How many would be changed, ended or gone.
        changed: usize,
        /// Of how many that the portal knows.
        all: usize,
    },
    /// Our own database. Where somebody else changed a record meanwhile, the next time will do.
    #[error("the portal's own database: {0}")]
    Store(#[from] StoreError),
}

fn listed(faults: &[Fault]) -> String {
    let mut lines: Vec<String> = faults
        .iter()
        .take(MOST_FAULTS)
        .map(Fault::to_string)
        .collect();
    if faults.len() > MOST_FAULTS {
        lines.push(format!("and {} more", faults.len() - MOST_FAULTS));
    }
    lines.join("; ")
}

impl FeedError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "feed-unreadable",
            Self::View(_) => "feed-view-unreadable",
            Self::Layout(_) => "feed-layout",
            Self::TooManyRemovals { .. } => "feed-too-many-removals",
            Self::LargeChange { .. } => "feed-large-change",
            Self::Store(_) => "store-failed",
        }
    }
}

/// What a feed changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// Employees who are new, or are there again.
    pub employees_added: usize,
    /// Employees of whom something is said otherwise.
    pub employees_changed: usize,
    /// Employees who are no longer in it.
    pub employees_left: usize,
    /// Records that are new, or are there again.
    pub records_added: usize,
    /// Records that say something else.
    pub records_changed: usize,
    /// Records that are no longer in it.
    pub records_removed: usize,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "employees: {} added, {} changed, {} left; records: {} added, {} changed, {} removed",
            self.employees_added,
            self.employees_changed,
            self.employees_left,
            self.records_added,
            self.records_changed,
            self.records_removed
        )
    }
}

/// What is taken in although it looks like a mistake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Accept {
    /// Nothing.
    #[default]
    Nothing,
    /// That more would be gone than the configuration allows.
    Removals,
    /// That, and that more would be changed or ended.
    LargeChange,
}

/// How much may be otherwise at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The share that may be gone.
    removals: Option<f64>,
    /// The share that may be changed, ended or gone.
    changes: Option<f64>,
}

/// So many may be changed whatever share that is: a ward that moves is no mistake.
const A_FEW: usize = 50;

impl Limits {
    fn new(removals: f64, changes: f64, accept: Accept) -> Self {
        Self {
            removals: (accept == Accept::Nothing).then_some(removals),
            changes: (accept != Accept::LargeChange).then_some(changes),
        }
    }

    fn check_removals(self, what: &'static str, gone: usize, all: usize) -> Result<(), FeedError> {
        match self.removals {
            Some(share) if is_more(gone, share, all) => {
                Err(FeedError::TooManyRemovals { what, gone, all })
            }
            _ => Ok(()),
        }
    }

    fn check_changes(
        self,
        what: &'static str,
        changed: usize,
        all: usize,
    ) -> Result<(), FeedError> {
        match self.changes {
            Some(share) if changed > A_FEW && is_more(changed, share, all) => {
                Err(FeedError::LargeChange { what, changed, all })
            }
            _ => Ok(()),
        }
    }
}

#[allow(clippy::cast_precision_loss)] // nobody has that many employees
fn is_more(some: usize, share: f64, all: usize) -> bool {
    some as f64 > share * all as f64
}

/// How often a feed is planned anew because somebody else wrote meanwhile.
const ATTEMPTS: usize = 4;

/// Takes it in, all or nothing. What somebody else took in at the same time is known when it is planned anew.
pub(crate) async fn take_in(
    app: &App,
    columns: &[String],
    rows: &[Row],
    limits: Limits,
) -> Result<Taken, FeedError> {
    for _ in 1..ATTEMPTS {
        match take_in_once(app, columns, rows, limits).await {
            Err(FeedError::Store(StoreError::Unmet { .. } | StoreError::Duplicate { .. })) => {}
            done => return done,
        }
    }
    take_in_once(app, columns, rows, limits).await
}

async fn take_in_once(
    app: &App,
    columns: &[String],
    rows: &[Row],
    limits: Limits,
) -> Result<Taken, FeedError> {
    let (batch, taken) = plan(app, columns, rows, limits).await?;
    if !batch.is_empty() {
        app.store.write(batch).await?;
        app.desk.wake();
    }
    Ok(taken)
}

/// What would be written, and what it comes to.
async fn plan(
    app: &App,
    columns: &[String],
    rows: &[Row],
    limits: Limits,
) -> Result<(Vec<store::Statement>, Taken), FeedError> {
    let facts = app.rules.facts();
    let people = layout::read(columns, rows, &facts).map_err(FeedError::Layout)?;
    let known = known::load(app).await?;
    change::plan(app, people, known, limits)
}

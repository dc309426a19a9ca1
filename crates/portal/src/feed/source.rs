//! Where a feed comes from: a file, or a view of the host's own database; once, or again and again.

use std::path::Path;
use std::time::Duration;

use store::{DatabaseUrl, Statement, StoreError};

use super::{Accept, FeedError, Limits, Row, Taken, csv, plan, take_in};
use crate::app::App;
use crate::config::{ConfigError, RecordsConfig, database_address};
use crate::token::digest_of;

/// A feed that the configuration names.
pub(crate) struct Feed {
    origin: Origin,
    every: Duration,
    removals: f64,
    changes: f64,
}

enum Origin {
    File(std::path::PathBuf),
    View { database: DatabaseUrl, view: String },
}

/// The rows under their columns, and what tells whether they are others than last time.
struct Read {
    columns: Vec<String>,
    rows: Vec<Row>,
    digest: String,
}

impl Feed {
    pub(crate) fn new(config: &RecordsConfig) -> Result<Self, ConfigError> {
        let wrong =
            |key: &str, reason: &str| Err(ConfigError::value(format!("records.{key}"), reason));
        let origin = match (&config.file, &config.database, &config.view) {
            (Some(file), None, None) => Origin::File(file.clone()),
            (None, Some(database), Some(view)) => {
                if !is_view(view) {
                    return wrong(
                        "view",
                        "it is the name of a view, such as hr.staff_passport",
                    );
                }
                let address = database_address("records.database", database)?;
                let database = address.parse();
                let database = database.map_err(|error: store::InvalidDatabaseUrl| {
                    ConfigError::value("records.database", error)
                })?;
                Origin::View {
                    database,
                    view: view.clone(),
                }
            }
            _ => return wrong("file", "say either file, or database and view"),
        };
        if config.every_minutes == 0 {
            return wrong("every_minutes", "it must be 1 at least");
        }
        for (key, share) in [("removals", config.removals), ("changes", config.changes)] {
            if !(0.0..=1.0).contains(&share) {
                return wrong(key, "it is a share, from 0 to 1");
            }
        }
        Ok(Self {
            origin,
            every: Duration::from_mins(config.every_minutes.into()),
            removals: config.removals,
            changes: config.changes,
        })
    }

    fn limits(&self, accept: Accept) -> Limits {
        Limits::new(self.removals, self.changes, accept)
    }

    async fn read(&self) -> Result<Read, FeedError> {
        match &self.origin {
            Origin::File(file) => read_file(file).await,
            Origin::View { database, view } => read_view(database, view).await,
        }
    }
}

/// One or two names, of which nothing but a view can be made.
fn is_view(text: &str) -> bool {
    let name = |text: &str| {
        let mut letters = text.chars();
        letters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut parts = text.split('.');
    parts.clone().count() <= 2 && parts.all(name)
}

async fn read_file(file: &Path) -> Result<Read, FeedError> {
    let unreadable = |reason: String| FeedError::File {
        file: file.display().to_string(),
        reason,
    };
    let text = tokio::fs::read_to_string(file);
    let text = text.await.map_err(|error| unreadable(error.to_string()))?;
    let (columns, rows) = csv::parse(&text).map_err(FeedError::Layout)?;
    Ok(Read {
        columns,
        rows,
        digest: digest_of(&text),
    })
}

/// Opened for this one look, to read: the other system is not kept waiting for us, and finds its database as it left it.
async fn read_view(database: &DatabaseUrl, view: &str) -> Result<Read, FeedError> {
    if let DatabaseUrl::Sqlite(file) = database
        && !file.is_file()
    {
        let reason = "there is no such database file".to_owned();
        let file = file.display().to_string();
        return Err(FeedError::File { file, reason });
    }
    let select = Statement::new(format!("SELECT * FROM {view}"));
    let read = store::read_elsewhere(database, select).await;
    let mut rows = Vec::new();
    let mut columns = Vec::new();
    let mut text = String::new();
    for (line, row) in (1..).zip(read.map_err(FeedError::View)?) {
        columns = row.columns().to_vec();
        let values = columns.iter().map(|column| as_text(&row, column));
        let values: Result<Vec<String>, StoreError> = values.collect();
        let values = values.map_err(FeedError::View)?;
        for value in &values {
            text.push_str(value);
            text.push('\0');
        }
        rows.push(Row { line, values });
    }
    Ok(Read {
        columns,
        rows,
        digest: digest_of(&text),
    })
}

/// A view says texts and numbers; nothing is an empty text.
fn as_text(row: &store::Row, column: &str) -> Result<String, StoreError> {
    if let Ok(text) = row.optional_text(column) {
        return Ok(text.unwrap_or_default().trim().to_owned());
    }
    let number = row.optional_integer(column)?;
    Ok(number.map_or_else(String::new, |number| number.to_string()))
}

/// Takes in a file once.
pub(crate) async fn take_in_file(
    app: &App,
    file: &Path,
    accept: Accept,
) -> Result<Taken, FeedError> {
    let read = read_file(file).await?;
    let limits = match &app.feed {
        Some(feed) => feed.limits(accept),
        None => Limits::new(A_TENTH, A_FIFTH, accept),
    };
    take_in(app, &read.columns, &read.rows, limits).await
}

/// What may vanish where the configuration does not say.
pub(crate) const A_TENTH: f64 = 0.1;
/// What may be changed where the configuration does not say.
pub(crate) const A_FIFTH: f64 = 0.2;

/// Takes in the configuration's feed, at once and then as often as it says, until the future is dropped.
pub(crate) async fn keep_taking_in(app: &App) {
    let Some(feed) = &app.feed else {
        return std::future::pending().await;
    };
    let mut last = String::new();
    loop {
        match look(app, feed, &last, Accept::Nothing).await {
            Ok(Some((digest, taken))) => {
                last = digest;
                if taken != Taken::default() {
                    tracing::info!(%taken, "the feed of people and records was taken in");
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(code = error.code(), %error, "the feed was not taken in: all stays as it is");
            }
        }
        tokio::time::sleep(feed.every).await;
    }
}

/// Nothing where the feed says what it said.
async fn look(
    app: &App,
    feed: &Feed,
    last: &str,
    accept: Accept,
) -> Result<Option<(String, Taken)>, FeedError> {
    let read = feed.read().await?;
    if read.digest == last {
        return Ok(None);
    }
    let taken = take_in(app, &read.columns, &read.rows, feed.limits(accept)).await?;
    Ok(Some((read.digest, taken)))
}

/// Once, as [`keep_taking_in`] does it.
pub(crate) async fn take_in_now(app: &App, accept: Accept) -> Result<Option<Taken>, FeedError> {
    match &app.feed {
        Some(feed) => {
            let taken = look(app, feed, "", accept).await?;
            Ok(taken.map(|(_, taken)| taken))
        }
        None => Ok(None),
    }
}

/// What [`take_in_now`] would do, without doing it.
pub(crate) async fn look_at(app: &App) -> Result<Option<Taken>, FeedError> {
    let Some(feed) = &app.feed else {
        return Ok(None);
    };
    let read = feed.read().await?;
    let planned = plan(app, &read.columns, &read.rows, feed.limits(Accept::Nothing)).await?;
    Ok(Some(planned.1))
}

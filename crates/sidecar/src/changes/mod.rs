//! `POST /v1/changes`: records changed, ended, or are gone. One of them, or a feed of millions as CSV or JSON lines.
//!
//! A feed is read as it comes, on a thread of its own, and applied some hundred lines at a time, each batch whole or not at
//! all. What a record says is compared by digest in the database, so a feed may name every record there is: those that say
//! what they said before cost a comparison and change nothing. Sent twice, it has one effect.

mod line;
mod read;

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::{Request, State};
use connector::desk::{Cause, Change, MOST_CHANGES};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use crate::app::{App, Parts};
use crate::problem::{Code, Problem, Problems};
use crate::told::media_type;

use line::Line;
use read::Format;

/// Lines in one batch.
const BATCH: usize = 500;
/// How many refused lines are told of one by one.
const MOST_TOLD: usize = 100;
/// Parts of a body that wait to be read, and batches that wait to be applied: what bounds the memory of a feed.
const WAITING: usize = 8;

/// A change of one record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Change)]
pub(crate) struct ChangeTold {
    change: Kind,
    /// The host's id of the record.
    #[schema(example = "r-77")]
    record: String,
    /// What `changed` needs: the type of the credential.
    #[serde(default)]
    #[schema(example = "FireSafety")]
    credential_type: Option<String>,
    /// What `changed` needs: everything that the credential would say now.
    #[serde(default)]
    claims: Option<BTreeMap<String, String>>,
    /// When the credential would end, if not with its type.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Why, in the words of the closed list that mails have sentences for. Without it: `changed` is `corrected`, `ended`
    /// is `ended-early`, `deleted` is `added-in-error`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "corrected")]
    cause: Option<Cause>,
}

/// What happened to a record.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// It says this now. What the credential does not show changes nothing.
    Changed,
    /// What it is about ended.
    Ended,
    /// It is gone.
    Deleted,
}

/// What came of a feed.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Applied {
    /// Changes that were read and applied.
    read: u64,
    /// Credentials that are to be revoked because of them, besides those on their way that are revoked when they arrive.
    revocations: u64,
    /// How many lines were not applied.
    refused_lines: u64,
    /// The first hundred of them, and why. Correct them and send them again; the others are done.
    refused: Vec<RefusedLine>,
}

/// A line that was not applied.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RefusedLine {
    /// Counted from 1; in CSV the header is line 1.
    line: u64,
    /// `body-unreadable` or `field-invalid`.
    code: &'static str,
    /// What is wrong. No value stands in it.
    detail: String,
}

/// Tell of changes
///
/// One change as JSON, or a feed: `application/x-ndjson` with a change on each line, or `text/csv` with the header
/// `change,record,credential_type,expires_at,cause` (any order; the first two are needed) and a column for each claim,
/// named like it; an empty cell is no claim. A feed is applied as it is read; a line that cannot be read is told and the
/// rest goes on.
#[utoipa::path(
    post,
    path = "/v1/changes",
    tag = "Records",
    request_body(content(
        (ChangeTold = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
    )),
    responses((status = 200, description = "Applied", body = Applied), Problems)
)]
pub(crate) async fn tell(
    State(app): State<App>,
    request: Request,
) -> Result<Json<Applied>, Problem> {
    let format = match media_type(&request) {
        Some("application/json") => Format::One,
        Some("application/x-ndjson") => Format::Lines,
        Some("text/csv") => Format::Csv,
        _ => {
            return Err(Problem::with(
                Code::UnsupportedMediaType,
                "This address reads application/json, application/x-ndjson and text/csv.",
            ));
        }
    };
    let (parts, body) = mpsc::channel(WAITING);
    let (batches, mut read) = mpsc::channel(WAITING);
    let reading = tokio::task::spawn_blocking(move || read::read(format, body, &batches));
    let mut stream = request.into_body().into_data_stream();
    let feeding = async move {
        while let Some(part) = stream.next().await {
            let broken = part.is_err();
            // Whoever reads has given up: it says why.
            if parts.send(part.ok()).await.is_err() || broken {
                return;
            }
        }
    };
    // What is read goes with it: when applying ends early, so does reading, and with that whoever feeds it.
    let applying = async move {
        let mut applied = Applied::default();
        while let Some(lines) = read.recv().await {
            app.apply(lines, &mut applied).await?;
        }
        Ok::<_, Problem>(applied)
    };
    let ((), applied) = tokio::join!(feeding, applying);
    let applied = applied?;
    reading.await.map_err(|_| Code::Internal)??;
    if let (Format::One, Some(refused)) = (format, applied.refused.first()) {
        let code = if refused.code == Code::FieldInvalid.code() {
            Code::FieldInvalid
        } else {
            Code::BodyUnreadable
        };
        return Err(Problem::with(code, refused.detail.clone()));
    }
    Ok(Json(applied))
}

impl Parts {
    async fn apply(&self, lines: Vec<Line>, applied: &mut Applied) -> Result<(), Problem> {
        // A record that stands twice in a batch says what it says last.
        let mut changes: Vec<Change> = Vec::with_capacity(lines.len());
        let mut places: HashMap<String, usize> = HashMap::with_capacity(lines.len());
        for line in lines {
            match line {
                Ok(change) => {
                    applied.read += 1;
                    if let Some(place) = places.get(&change.record) {
                        changes[*place] = change;
                    } else {
                        places.insert(change.record.clone(), changes.len());
                        changes.push(change);
                    }
                }
                Err(refused) => {
                    applied.refused_lines += 1;
                    if applied.refused.len() < MOST_TOLD {
                        applied.refused.push(refused);
                    }
                }
            }
        }
        debug_assert!(changes.len() <= MOST_CHANGES);
        if changes.is_empty() {
            return Ok(());
        }
        let told = Change::statement(
            &changes,
            // By record, as in the desk's own statements.
            "UPDATE sidecar_records SET told_at = $1, digest = \
             (SELECT n.digest FROM now_says n WHERE n.record = sidecar_records.record) \
             WHERE record IN (SELECT r.record FROM now_says CROSS JOIN sidecar_records r \
             WHERE r.record = now_says.record AND COALESCE(r.digest, '') <> COALESCE(now_says.digest, ''))",
            vec![Value::from(self.now())],
        );
        let mut batch = vec![told];
        batch.extend(self.desk.records_changed(&changes));
        let outcomes = self.store.write(batch).await?;
        let wanted = outcomes.last().map_or(0, |outcome| outcome.changed);
        applied.revocations += wanted;
        if wanted > 0 {
            self.desk.wake();
        }
        Ok(())
    }
}

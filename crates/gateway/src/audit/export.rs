//! The audit for somebody else: JSON lines that verify without this gateway, CSV for a spreadsheet, CEF for a log
//! collector.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use standards::jose::Jwk;
use store::{Statement, Store, StoreError};

use super::act::Act;
use super::chain::{self, Kept, Link, time};
use super::checkpoint::{self, Checkpoint};
use super::verify::{Report, Walk, digest_of};

/// How many entries are read at once.
const PAGE: i64 = 1000;

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AuditFormat)]
pub enum Format {
    /// JSON lines: a head, the entries with their digests, the checkpoints, an end. The only one that can be verified.
    Jsonl,
    /// RFC 4180, for a spreadsheet: nothing in it is taken for a formula.
    Csv,
    /// The Common Event Format of log collectors.
    Cef,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Cef => "text/plain; charset=utf-8",
        }
    }
}

/// A line of the exported JSON lines.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Line {
    Audit {
        issuer: String,
        position: i64,
        digest: String,
    },
    Entry(Kept),
    Checkpoint(Checkpoint),
    End {
        entries: u64,
        position: i64,
        digest: String,
    },
}

/// Why an export is no export.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Unreadable {
    line: usize,
    reason: &'static str,
}

/// Writes what happened from one time up to, and not including, another. Entries in between that are of another time,
/// since their batch came late, are among them: the chain has no gap. Of an organisation's operator `organisation` is
/// theirs; what they get then cannot be verified, since the others' entries are missing.
pub async fn export(
    store: &Store,
    issuer: &str,
    (from, to): (Timestamp, Timestamp),
    organisation: Option<&str>,
    format: Format,
    mut write: impl FnMut(String),
) -> Result<u64, StoreError> {
    let range = "SELECT MIN(position) AS first, MAX(position) AS last FROM audit_entries \
                 WHERE happened_at >= $1 AND happened_at < $2";
    let range = store
        .read_one(Statement::new(range).bind(from).bind(to))
        .await?;
    let bounds = match range {
        Some(row) => row
            .optional_integer("first")?
            .zip(row.optional_integer("last")?),
        None => None,
    };
    let (first, last) = bounds.unwrap_or((1, 0));
    let mut at = before(store, first).await?;
    if format == Format::Csv {
        write("position,at,actor,act,organisation,object,detail,reason,ticket,digest".to_owned());
    }
    let head = Line::Audit {
        issuer: issuer.to_owned(),
        position: at.position,
        digest: hex::encode(at.digest),
    };
    json_line(format, &head, &mut write);
    let mut entries = 0;
    loop {
        let sql = format!(
            "SELECT {} FROM audit_entries WHERE position > $1 AND position <= $2 ORDER BY position LIMIT {PAGE}",
            Kept::COLUMNS
        );
        let rows = store
            .read(Statement::new(sql).bind(at.position).bind(last))
            .await?;
        for row in &rows {
            let entry = Kept::read(row)?;
            let digest = entry
                .digest
                .as_deref()
                .and_then(digest_of)
                .unwrap_or(chain::START);
            at = Link {
                position: entry.position.unwrap_or_default(),
                digest,
            };
            if organisation.is_some() && entry.organisation.as_deref() != organisation {
                continue;
            }
            entries += 1;
            match format {
                Format::Jsonl => json_line(format, &Line::Entry(entry), &mut write),
                Format::Csv => write(csv(&entry)),
                Format::Cef => write(cef(&entry)),
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    if organisation.is_none() {
        let between = |checkpoint: &Checkpoint| (first..=last).contains(&checkpoint.position);
        for checkpoint in checkpoint::all(store).await?.into_iter().filter(between) {
            json_line(format, &Line::Checkpoint(checkpoint), &mut write);
        }
    }
    let end = Line::End {
        entries,
        position: at.position,
        digest: hex::encode(at.digest),
    };
    json_line(format, &end, &mut write);
    Ok(entries)
}

/// Checks an export of JSON lines by itself; with keys also the signatures of its checkpoints.
pub fn verify(text: &str, keys: Option<&[Jwk]>) -> Result<Report, Unreadable> {
    let fault = |line: usize, reason| Unreadable {
        line: line + 1,
        reason,
    };
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate();
    let lines: Vec<(usize, Line)> = lines
        .map(|(at, line)| {
            Ok((
                at,
                serde_json::from_str(line).map_err(|_| fault(at, "it is no line of an export"))?,
            ))
        })
        .collect::<Result<_, _>>()?;
    let mut lines = lines.into_iter();
    let Some((
        _,
        Line::Audit {
            issuer,
            position,
            digest,
        },
    )) = lines.next()
    else {
        return Err(fault(0, "the head is missing"));
    };
    let digest = digest_of(&digest).ok_or(fault(0, "its digest is no SHA-256"))?;
    let (mut entries, mut checkpoints, mut end) = (Vec::new(), Vec::new(), None);
    for (at, line) in lines {
        match line {
            _ if end.is_some() => return Err(fault(at, "nothing stands behind the end")),
            Line::Entry(entry) => entries.push(entry),
            Line::Checkpoint(checkpoint) => checkpoints.push(checkpoint),
            Line::End {
                entries,
                position,
                digest,
            } => end = Some((entries, position, digest)),
            Line::Audit { .. } => return Err(fault(at, "a second head")),
        }
    }
    let wanted = checkpoints
        .iter()
        .map(|checkpoint: &Checkpoint| checkpoint.position);
    let mut walk = Walk::from(Link { position, digest }, wanted);
    // In the order of the file: who puts two lines in another order is found.
    for entry in &entries {
        walk.step(entry);
    }
    walk.compare(&checkpoints, &issuer, keys);
    let last = walk.last();
    let whole = end.is_some_and(|(count, position, digest)| {
        count == entries.len() as u64
            && position == last.position
            && digest == hex::encode(last.digest)
    });
    if !whole {
        walk.fault(
            "cut-off",
            last.position + 1,
            "the export does not end where it was ended".to_owned(),
        );
    }
    Ok(walk.report)
}

/// What stands before that position.
async fn before(store: &Store, first: i64) -> Result<Link, StoreError> {
    let sql = "SELECT position, digest FROM audit_entries WHERE position = $1";
    let row = store.read_one(Statement::new(sql).bind(first - 1)).await?;
    match row {
        Some(row) => Ok(Link {
            position: first - 1,
            digest: row.blob("digest")?.try_into().unwrap_or(chain::START),
        }),
        None => chain::horizon(store).await,
    }
}

fn json_line(format: Format, line: &Line, write: &mut impl FnMut(String)) {
    if format == Format::Jsonl {
        // Texts and numbers only: it cannot fail.
        write(serde_json::to_string(line).unwrap_or_default());
    }
}

fn csv(entry: &Kept) -> String {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry
            .position
            .map(|position| position.to_string())
            .unwrap_or_default(),
        time(entry.at),
        entry.actor.clone(),
        entry.act.clone(),
        optional(&entry.organisation),
        entry.object.clone(),
        chain::canonical(&entry.detail),
        optional(&entry.reason),
        optional(&entry.ticket),
        optional(&entry.digest),
    ];
    cells
        .iter()
        .map(|cell| csv_cell(cell))
        .collect::<Vec<_>>()
        .join(",")
}

/// Quoted, and never a formula: a spreadsheet takes what begins so for one (SEC-35).
pub(crate) fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn cef(entry: &Kept) -> String {
    let act = Act::of_code(&entry.act);
    let head = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace(['\r', '\n'], " ")
    };
    let value = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('=', "\\=")
            .replace(['\r', '\n'], " ")
    };
    let mut line = format!(
        "CEF:0|Lanyard|gateway|{}|{}|{}|{}|rt={} suser={} duid={}",
        env!("CARGO_PKG_VERSION"),
        head(&entry.act),
        head(act.map_or(entry.act.as_str(), |act| act.title())),
        act.map_or(3, Act::severity),
        entry.at.saturating_mul(1000),
        value(&entry.actor),
        value(&entry.object),
    );
    let position = entry.position.map(|position| position.to_string());
    let detail = Some(chain::canonical(&entry.detail)).filter(|_| entry.detail != json!({}));
    let named = [
        ("cs1", "organisation", entry.organisation.as_deref()),
        ("cs2", "ticket", entry.ticket.as_deref()),
        ("cs3", "detail", detail.as_deref()),
        ("cs4", "digest", entry.digest.as_deref()),
        ("cn1", "position", position.as_deref()),
    ];
    for (name, label, text) in named {
        if let Some(text) = text {
            let _ = write!(line, " {name}Label={label} {name}={}", value(text));
        }
    }
    if let Some(reason) = &entry.reason {
        let _ = write!(line, " reason={}", value(reason));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(reason: &str) -> Kept {
        Kept {
            position: Some(7),
            at: 1_800_000_000,
            actor: "operator:a|b=c".to_owned(),
            act: "operator-removed".to_owned(),
            organisation: None,
            object: "operator:1".to_owned(),
            detail: json!({}),
            reason: Some(reason.to_owned()),
            ticket: None,
            digest: None,
        }
    }

    #[test]
    fn sec_35_no_cell_of_the_csv_is_a_formula_and_no_quote_ends_one() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert!(
                csv(&entry(formula)).contains(&format!("\"'{formula}\"")),
                "{formula}"
            );
        }
        assert!(csv(&entry("a\",\"=1")).contains(r#""a"",""=1""#));
    }

    #[test]
    fn sec_35_no_value_ends_its_field_of_the_cef() {
        let line = cef(&entry("x\nrt=0 \\ |"));
        assert!(line.starts_with("CEF:0|Lanyard|gateway|"), "{line}");
        assert!(line.contains("|operator-removed|An operator was removed|5|rt=1800000000000 suser=operator:a|b\\=c"), "{line}");
        assert!(line.ends_with("reason=x rt\\=0 \\\\ |"), "{line}");
    }
}

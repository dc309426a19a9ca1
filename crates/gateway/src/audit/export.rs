//! The audit for somebody else: JSON lines that verify without this gateway, CSV for a spreadsheet, CEF for a log
//! collector.

use std::fmt::Write as _;
use std::io::{self, BufRead};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use standards::jose::Jwk;
use store::{Statement, Store, StoreError};

use super::act::Act;
use super::chain::{self, Kept, Link, time};
use super::checkpoint::{self, Checkpoint};
use super::verify::{Report, Walk, digest_of};
use super::{Actor, Entry};

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

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error("the audit cannot be read: {0}")]
    Store(#[from] StoreError),
    /// There are other entries than when it began.
    #[error("entries went while they were exported; export again")]
    Changed,
}

/// What happened from one time up to, and not including, another. Entries in between that are of another time, since their
/// batch came late, are among them: the chain has no gap. It is handed out piece by piece, so that nobody holds a year of it
/// in memory: a piece is a thousand entries at most.
pub struct Export {
    store: Store,
    issuer: String,
    format: Format,
    /// Of an organisation's operator: theirs only. What they get cannot be verified, since the others' entries are missing.
    organisation: Option<String>,
    time: (Timestamp, Timestamp),
    /// The positions of the first entry and the last.
    bounds: (i64, i64),
    /// How many there are to hand out, as it began.
    counted: u64,
    entries: u64,
    at: Link,
    stage: Stage,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Entries,
    End,
    Nothing,
}

impl Export {
    /// Looks which entries there are. Nothing is handed out yet.
    pub async fn begin(
        store: &Store,
        issuer: &str,
        time: (Timestamp, Timestamp),
        organisation: Option<&str>,
        format: Format,
    ) -> Result<Self, StoreError> {
        let (from, to) = time;
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
        let count = "SELECT COUNT(*) AS entries FROM audit_entries WHERE position >= $1 AND position <= $2 \
                     AND (CAST($3 AS TEXT) IS NULL OR organisation = $3)";
        let count = Statement::new(count).bind(first).bind(last);
        let count = store.read_one(count.bind(organisation)).await?;
        let counted = count.map_or(Ok(0), |row| row.integer("entries"))?;
        Ok(Self {
            store: store.clone(),
            issuer: issuer.to_owned(),
            format,
            organisation: organisation.map(str::to_owned),
            time,
            bounds: (first, last),
            counted: counted.unsigned_abs(),
            entries: 0,
            at: before(store, first).await?,
            stage: Stage::Head,
        })
    }

    /// That it was made, for the audit itself. To be kept before anything is handed out: nobody has an export that nothing
    /// tells of.
    pub fn entry(&self, actor: Actor<'_>, now: Timestamp) -> Entry {
        let (from, to) = self.time;
        Entry::new(actor, Act::AuditExported, ("audit", "chain"), now)
            .organisation(self.organisation.as_deref())
            .number("from", from.as_second())
            .number("to", to.as_second())
            .number("entries", self.counted.try_into().unwrap_or(i64::MAX))
    }

    /// The next piece: whole lines, each with its end. `None` after the last. After an error what was handed out is no export.
    pub async fn next(&mut self) -> Result<Option<String>, ExportError> {
        let mut piece = String::new();
        // With the first page: where that cannot be read nothing was handed out yet.
        if self.stage == Stage::Head {
            self.head(&mut piece);
            self.page(&mut piece).await?;
        }
        while piece.is_empty() {
            match self.stage {
                Stage::Head | Stage::Entries => self.page(&mut piece).await?,
                Stage::End => self.end(&mut piece).await?,
                Stage::Nothing => return Ok(None),
            }
        }
        Ok(Some(piece))
    }

    fn head(&mut self, piece: &mut String) {
        if self.format == Format::Csv {
            piece.push_str(
                "position,at,actor,act,organisation,object,detail,reason,ticket,digest\n",
            );
        }
        let head = Line::Audit {
            issuer: self.issuer.clone(),
            position: self.at.position,
            digest: hex::encode(self.at.digest),
        };
        self.json_line(&head, piece);
        self.stage = Stage::Entries;
    }

    async fn page(&mut self, piece: &mut String) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {} FROM audit_entries WHERE position > $1 AND position <= $2 ORDER BY position LIMIT {PAGE}",
            Kept::COLUMNS
        );
        let select = Statement::new(sql)
            .bind(self.at.position)
            .bind(self.bounds.1);
        let rows = self.store.read(select).await?;
        for row in &rows {
            let entry = Kept::read(row)?;
            let digest = entry
                .digest
                .as_deref()
                .and_then(digest_of)
                .unwrap_or(chain::START);
            self.at = Link {
                position: entry.position.unwrap_or_default(),
                digest,
            };
            if self.organisation.is_some() && entry.organisation != self.organisation {
                continue;
            }
            self.entries += 1;
            match self.format {
                Format::Jsonl => self.json_line(&Line::Entry(entry), piece),
                Format::Csv => line(&csv(&entry), piece),
                Format::Cef => line(&cef(&entry), piece),
            }
        }
        if rows.is_empty() {
            self.stage = Stage::End;
        }
        Ok(())
    }

    async fn end(&mut self, piece: &mut String) -> Result<(), ExportError> {
        if self.entries != self.counted {
            return Err(ExportError::Changed);
        }
        if self.organisation.is_none() && self.format == Format::Jsonl {
            for checkpoint in checkpoint::between(&self.store, self.bounds).await? {
                self.json_line(&Line::Checkpoint(checkpoint), piece);
            }
        }
        let end = Line::End {
            entries: self.entries,
            position: self.at.position,
            digest: hex::encode(self.at.digest),
        };
        self.json_line(&end, piece);
        self.stage = Stage::Nothing;
        Ok(())
    }

    fn json_line(&self, of: &Line, piece: &mut String) {
        if self.format == Format::Jsonl {
            // Texts and numbers only: it cannot fail.
            line(&serde_json::to_string(of).unwrap_or_default(), piece);
        }
    }
}

fn line(text: &str, piece: &mut String) {
    piece.push_str(text);
    piece.push('\n');
}

/// Checks an export of JSON lines by itself; with keys also the signatures of its checkpoints.
pub fn verify(text: &str, keys: Option<&[Jwk]>) -> Result<Report, Unreadable> {
    verify_lines(|| Ok(text.as_bytes()), keys)
}

/// The same of a file that is not held in memory. It is opened twice: checkpoints stand behind the entries that they are
/// compared with.
pub fn verify_lines<R: BufRead>(
    mut open: impl FnMut() -> io::Result<R>,
    keys: Option<&[Jwk]>,
) -> Result<Report, Unreadable> {
    let mut all = lines(open());
    let head = all.next().transpose()?;
    let Some((
        _,
        Line::Audit {
            issuer,
            position,
            digest,
        },
    )) = head
    else {
        return Err(fault(0, "the head is missing"));
    };
    let digest = digest_of(&digest).ok_or(fault(0, "its digest is no SHA-256"))?;
    let (mut checkpoints, mut end) = (Vec::new(), None);
    for line in all {
        match line? {
            (at, _) if end.is_some() => return Err(fault(at, "nothing stands behind the end")),
            (at, Line::Audit { .. }) => return Err(fault(at, "a second head")),
            (_, Line::Entry(_)) => {}
            (_, Line::Checkpoint(checkpoint)) => checkpoints.push(checkpoint),
            (
                _,
                Line::End {
                    entries,
                    position,
                    digest,
                },
            ) => end = Some((entries, position, digest)),
        }
    }
    let wanted = checkpoints
        .iter()
        .map(|checkpoint: &Checkpoint| checkpoint.position);
    let mut walk = Walk::from(Link { position, digest }, wanted);
    // In the order of the file: who puts two lines in another order is found.
    for line in lines(open()) {
        if let (_, Line::Entry(entry)) = line? {
            walk.step(&entry);
        }
    }
    walk.compare(&checkpoints, &issuer, keys);
    let last = walk.last();
    let whole = end.is_some_and(|(count, position, digest)| {
        count == walk.report.entries
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

fn fault(line: usize, reason: &'static str) -> Unreadable {
    Unreadable {
        line: line + 1,
        reason,
    }
}

/// The lines that are not empty, each with its number among them.
fn lines<R: BufRead>(
    opened: io::Result<R>,
) -> impl Iterator<Item = Result<(usize, Line), Unreadable>> {
    let (lines, failed) = match opened {
        Ok(reader) => (Some(reader.lines()), None),
        Err(error) => (None, Some(Err(error))),
    };
    let lines = failed.into_iter().chain(lines.into_iter().flatten());
    let is_empty =
        |line: &io::Result<String>| line.as_ref().is_ok_and(|line| line.trim().is_empty());
    lines
        .filter(move |line| !is_empty(line))
        .enumerate()
        .map(|(at, line)| {
            let line = line.map_err(|_| fault(at, "it cannot be read"))?;
            let parsed = serde_json::from_str(&line);
            Ok((
                at,
                parsed.map_err(|_| fault(at, "it is no line of an export"))?,
            ))
        })
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

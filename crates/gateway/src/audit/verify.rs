//! Whether the audit is what was written: entry by entry against the chain, then the chain against its signed checkpoints.

use std::collections::HashMap;

use serde::Serialize;
use standards::jose::Jwk;
use store::{Statement, Store, StoreError};

use super::act::Act;
use super::chain::{self, Digest, Kept, Link};
use super::checkpoint::{self, Checkpoint};
use super::compromised::Reported;

/// How many entries are read at once.
const PAGE: i64 = 1000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditReport)]
pub struct Report {
    /// How many entries were checked.
    pub entries: u64,
    /// The position before the first of them.
    pub from: i64,
    /// The position of the last.
    pub to: i64,
    /// How many checkpoints were checked.
    pub checkpoints: u64,
    /// Entries that have no place yet: written within the last seconds, or while no gateway runs.
    pub waiting: u64,
    /// What is wrong; nothing, where all is as it was written.
    pub faults: Vec<Fault>,
    /// What to know of it although nothing is wrong: keys that were reported compromised, and what they signed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditFault)]
pub struct Fault {
    /// Which kind: `changed`, `removed`, `inserted`, `cut-off`, `checkpoint`, `horizon`, `key-compromised-since`; of a note
    /// `key-compromised`, `key-compromised-not-held`, `key-compromised-unknown`.
    pub code: &'static str,
    /// At which position.
    pub position: i64,
    /// The sentence.
    pub sentence: String,
}

/// Goes along the chain and writes down what does not fit.
pub(super) struct Walk {
    last: Link,
    /// Digests at the positions that somebody asks for later.
    wanted: HashMap<i64, Option<Digest>>,
    pruned: Vec<(i64, String)>,
    reported: Vec<Reported>,
    pub(super) report: Report,
}

impl Walk {
    /// From behind that place.
    pub(super) fn from(start: Link, wanted: impl Iterator<Item = i64>) -> Self {
        let mut wanted: HashMap<i64, Option<Digest>> =
            wanted.map(|position| (position, None)).collect();
        wanted.insert(start.position, Some(start.digest));
        Self {
            last: start,
            wanted,
            pruned: Vec::new(),
            reported: Vec::new(),
            report: Report {
                from: start.position,
                to: start.position,
                ..Report::default()
            },
        }
    }

    /// The next entry, in the order of positions.
    pub(super) fn step(&mut self, entry: &Kept) {
        self.report.entries += 1;
        let position = entry.position.unwrap_or_default();
        let expected = self.last.position + 1;
        if position < expected {
            let sentence =
                format!("an entry was inserted: position {position} is there more than once");
            return self.fault("inserted", position, sentence);
        }
        if position > expected {
            let sentence = match position - expected {
                1 => format!("the entry at position {expected} was removed"),
                _ => format!(
                    "the entries at positions {expected} to {} were removed",
                    position - 1
                ),
            };
            self.fault("removed", expected, sentence);
        }
        let kept = entry
            .digest
            .as_deref()
            .and_then(digest_of)
            .unwrap_or(chain::START);
        // Behind a gap the digest before is not known: the entry after it cannot be checked.
        if position == expected && entry.digest_after(&self.last.digest, position) != kept {
            let sentence = format!(
                "the entry at position {position} is not what was written there, or not in its place"
            );
            self.fault("changed", position, sentence);
        }
        self.hear_of_pruning(entry);
        self.reported.extend(Reported::hear(entry));
        // On with what stands there, so that one change is one fault.
        self.last = Link {
            position,
            digest: kept,
        };
        self.report.to = position;
        if let Some(wanted) = self.wanted.get_mut(&position) {
            *wanted = Some(kept);
        }
    }

    /// The checkpoints, when all entries have been seen. Without keys their signatures are not checked.
    pub(super) fn compare(
        &mut self,
        checkpoints: &[Checkpoint],
        issuer: &str,
        keys: Option<&[Jwk]>,
    ) {
        self.report.checkpoints = checkpoints.len() as u64;
        let before = self.report.faults.len();
        match keys {
            Some(keys) => {
                let reported = std::mem::take(&mut self.reported);
                self.weigh(checkpoints, issuer, keys, &reported);
            }
            None => {
                for checkpoint in checkpoints {
                    self.agrees(checkpoint);
                }
            }
        }
        if let Some(found) = self.report.faults.get_mut(before..) {
            found.sort_by_key(|fault| fault.position);
        }
    }

    /// Whether the chain is the one that was signed; a fault where it is not.
    pub(super) fn agrees(&mut self, checkpoint: &Checkpoint) -> bool {
        let Checkpoint { day, position, .. } = checkpoint;
        // What was there before the first entry that is left, nobody can say any more.
        if *position < self.report.from {
            return true;
        }
        let there = self
            .wanted
            .get(position)
            .copied()
            .flatten()
            .map(hex::encode);
        let agrees = there.as_deref() == Some(&checkpoint.digest);
        if !agrees {
            let sentence =
                format!("the chain at position {position} is not the one that was signed on {day}");
            self.fault("checkpoint", *position, sentence);
        }
        agrees
    }

    fn hear_of_pruning(&mut self, entry: &Kept) {
        if entry.act == Act::AuditPruned.code() {
            let position = entry.detail["position"].as_i64();
            let digest = entry.detail["digest"].as_str();
            self.pruned.extend(position.zip(digest.map(str::to_owned)));
        }
    }

    pub(super) fn last(&self) -> Link {
        self.last
    }

    pub(super) fn fault(&mut self, code: &'static str, position: i64, sentence: String) {
        self.report.faults.push(Fault {
            code,
            position,
            sentence,
        });
    }
}

/// Checks everything that is kept. `keys` are the public keys that sign or signed checkpoints.
pub async fn verify(store: &Store, issuer: &str, keys: &[Jwk]) -> Result<Report, StoreError> {
    loop {
        let horizon = chain::horizon(store).await?;
        let report = verify_from(store, horizon, issuer, keys).await?;
        // Retention may have removed something meanwhile; that is no fault.
        if chain::horizon(store).await? == horizon {
            return Ok(report);
        }
    }
}

async fn verify_from(
    store: &Store,
    horizon: Link,
    issuer: &str,
    keys: &[Jwk],
) -> Result<Report, StoreError> {
    let checkpoints = checkpoint::all(store).await?;
    // Read before the entries: what is added meanwhile lies behind it.
    let head = chain::head(store).await?;
    let positions = checkpoints.iter().map(|checkpoint| checkpoint.position);
    let mut walk = Walk::from(horizon, positions.chain([head.position]));
    let mut after = (horizon.position, -1);
    loop {
        let rows = store.read(page(after)).await?;
        for row in &rows {
            let entry = Kept::read(row)?;
            after = (entry.position.unwrap_or_default(), row.integer("number")?);
            walk.step(&entry);
        }
        if rows.is_empty() {
            break;
        }
    }
    if walk.last().position < head.position {
        let from = walk.last().position + 1;
        let sentence = format!(
            "the entries from position {from} to {} were cut off",
            head.position
        );
        walk.fault("cut-off", from, sentence);
    } else if walk.wanted.get(&head.position) != Some(&Some(head.digest)) {
        let sentence = "the head of the chain is not the digest of its entry".to_owned();
        walk.fault("changed", head.position, sentence);
    }
    let sql = format!(
        "SELECT {} FROM audit_entries WHERE position IS NULL",
        Kept::COLUMNS
    );
    let waiting = store.read(Statement::new(sql)).await?;
    for row in &waiting {
        walk.hear_of_pruning(&Kept::read(row)?);
    }
    if horizon.position > 0
        && !walk
            .pruned
            .contains(&(horizon.position, hex::encode(horizon.digest)))
    {
        let sentence = format!(
            "everything up to position {} is gone, and no entry says that retention removed it",
            horizon.position
        );
        walk.fault("horizon", horizon.position, sentence);
    }
    walk.compare(&checkpoints, issuer, Some(keys));
    walk.report.waiting = waiting.len() as u64;
    Ok(walk.report)
}

/// By position and then by number: two entries that claim the same place are both seen.
fn page((position, number): (i64, i64)) -> Statement {
    let sql = format!(
        "SELECT {} FROM audit_entries WHERE position > $1 OR (position = $1 AND number > $2 AND $2 >= 0) \
         ORDER BY position, number LIMIT {PAGE}",
        Kept::COLUMNS
    );
    Statement::new(sql).bind(position).bind(number)
}

pub(super) fn digest_of(text: &str) -> Option<Digest> {
    hex::decode(text).ok()?.try_into().ok()
}

//! Keys of the audit that somebody else may have: what each signed before that was reported, and what is left of it.
//!
//! Whoever has the key can sign any chain and any time. So a checkpoint of such a key counts only where it stands before the
//! report in the chain and a checkpoint of another key holds both: that one says that the report, and all before it, was
//! there when nobody else could sign. What the key signed later counts for nothing.

use serde_json::{Value, json};
use standards::jose::Jwk;
use store::{Statement, Store, StoreError};

use super::act::Act;
use super::chain::{Kept, time};
use super::checkpoint::{Checkpoint, Signed};
use super::verify::{Fault, Walk};

/// A key that was reported, as the chain says.
#[derive(Debug, Clone)]
pub(super) struct Reported {
    kid: String,
    /// Its public half, where the report has it. One of before has none: the key was destroyed with it.
    key: Option<Jwk>,
    position: i64,
    at: i64,
}

impl Reported {
    /// The report that an entry is, if it is one.
    pub(super) fn hear(entry: &Kept) -> Option<Self> {
        let is_report = entry.act == Act::SigningKeyChanged.code()
            && entry.detail["purpose"] == "audit"
            && entry.detail["state"] == "compromised";
        let kid = entry.object.strip_prefix("signing-key:");
        let kid = kid.filter(|_| is_report)?.to_owned();
        let [x, y] = ["x", "y"].map(|name| &entry.detail[name]);
        let key = Jwk::parse(&json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})).ok();
        // The id is the thumbprint: no entry can give a key another's name.
        let key = key.filter(|key| key.thumbprint() == kid);
        Some(Self {
            position: entry.position?,
            at: entry.at,
            kid,
            key,
        })
    }

    /// The report of that key, the first one if there are several. One that has no place in the chain yet comes behind all that
    /// have one.
    pub(super) async fn find(store: &Store, kid: &str) -> Result<Option<Self>, StoreError> {
        let sql = format!(
            "SELECT {} FROM audit_entries WHERE object = $1 AND act = $2 ORDER BY number",
            Kept::COLUMNS
        );
        let select = Statement::new(sql)
            .bind(format!("signing-key:{kid}"))
            .bind(Act::SigningKeyChanged.code());
        for row in store.read(select).await? {
            let mut entry = Kept::read(&row)?;
            entry.position.get_or_insert(i64::MAX);
            if let Some(report) = Self::hear(&entry) {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    /// Whether it signed that checkpoint for this gateway, before it was reported. Never, where its public half is not known.
    pub(super) fn signed_before(&self, checkpoint: &Checkpoint, issuer: &str) -> bool {
        let signed = checkpoint.signed(issuer, self.key.as_slice());
        signed.is_some_and(|Signed { at }| self.comes_after(checkpoint.position, at))
    }

    /// Whether what stands there, and says that it was signed then, was before the report.
    fn comes_after(&self, position: i64, at: i64) -> bool {
        position < self.position && at <= self.at
    }
}

/// What the entry of a report says of the key beside its id: after it nobody has its public half any more.
pub(crate) fn public_half(key: &Jwk) -> Option<(String, String)> {
    let value: Value = key.to_value();
    let member = |name: &str| value[name].as_str().map(str::to_owned);
    member("x").zip(member("y"))
}

/// What is left of the checkpoints of one key.
#[derive(Default)]
struct Left {
    counts: u64,
    waits: u64,
    unchecked: u64,
    anchor: Option<String>,
}

impl Walk {
    /// The checkpoints of keys that were reported, and those of the others. Of the newest first: what a checkpoint is held
    /// by comes after it.
    pub(super) fn weigh(
        &mut self,
        checkpoints: &[Checkpoint],
        issuer: &str,
        keys: &[Jwk],
        reported: &[Reported],
    ) {
        let mut left: Vec<Left> = reported.iter().map(|_| Left::default()).collect();
        // How far, and by which day, a checkpoint that counts holds the chain.
        let mut held: Option<(i64, String)> = None;
        let mut newest_first: Vec<&Checkpoint> = checkpoints.iter().collect();
        newest_first.sort_by_key(|one| std::cmp::Reverse((one.position, one.day.clone())));
        let honest: Vec<Jwk> = keys
            .iter()
            .filter(|key| !reported.iter().any(|one| key.thumbprint() == one.kid))
            .cloned()
            .collect();
        for checkpoint in newest_first {
            let (day, position) = (&checkpoint.day, checkpoint.position);
            if checkpoint.signed(issuer, &honest).is_some() {
                if self.agrees(checkpoint) {
                    held.get_or_insert((position, day.clone()));
                }
                continue;
            }
            let named = checkpoint.kid();
            let mut of_reported = reported.iter().zip(&mut left);
            let one = of_reported.find(|(key, _)| named.as_deref() == Some(&key.kid));
            let Some((key, left)) = one else {
                let sentence = format!("the checkpoint of {day} is not what was signed");
                self.fault("checkpoint", position, sentence);
                continue;
            };
            let Some(public) = &key.key else {
                left.unchecked += 1;
                continue;
            };
            let Some(Signed { at }) = checkpoint.signed(issuer, std::slice::from_ref(public))
            else {
                let sentence = format!("the checkpoint of {day} is not what was signed");
                self.fault("checkpoint", position, sentence);
                continue;
            };
            if !key.comes_after(position, at) {
                let sentence = format!(
                    "the checkpoint of {day} was signed with the key {} after it was reported compromised on {}: it counts for \
                     nothing",
                    key.kid,
                    time(key.at)
                );
                self.fault("key-compromised-since", position, sentence);
                continue;
            }
            if !self.agrees(checkpoint) {
                continue;
            }
            match &held {
                Some((far, by)) if *far >= key.position => {
                    left.counts += 1;
                    left.anchor = Some(by.clone());
                }
                _ => left.waits += 1,
            }
        }
        for (key, left) in reported.iter().zip(left) {
            self.tell(key, &left);
        }
    }

    fn tell(&mut self, key: &Reported, left: &Left) {
        let when = time(key.at);
        let begin = format!(
            "the audit's key {} was reported compromised on {when}",
            key.kid
        );
        let mut tell = |code, sentence| {
            self.report.notes.push(Fault {
                code,
                position: key.position,
                sentence,
            });
        };
        if left.unchecked > 0 {
            let sentence = format!(
                "{begin}, and its public half is not known any more: {} checkpoints of it cannot be checked and count for nothing",
                left.unchecked
            );
            tell("key-compromised-unknown", sentence);
        }
        if left.waits > 0 {
            let sentence = format!(
                "{begin}: {} checkpoints that it signed before are held by no checkpoint of another key yet, and count for nothing \
                 until the next day's is made",
                left.waits
            );
            tell("key-compromised-not-held", sentence);
        }
        if let Some(day) = &left.anchor {
            let sentence = format!(
                "{begin}: {} checkpoints that it signed before count still, since the checkpoint of {day}, by another key, holds \
                 them and the report",
                left.counts
            );
            tell("key-compromised", sentence);
        }
        if left.unchecked + left.waits + left.counts == 0 {
            tell(
                "key-compromised",
                format!("{begin}: no checkpoint rests on it"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever has the key signs what stands there since and says an earlier time, or signs later what stood there before.
    #[test]
    fn a_checkpoint_comes_before_a_report_only_in_the_chain_and_in_time() {
        let report = Reported {
            kid: "leaked".to_owned(),
            key: None,
            position: 10,
            at: 100,
        };
        for (position, at, is_before) in [
            (9, 100, true),
            (10, 100, false),
            (11, 99, false),
            (9, 101, false),
        ] {
            let found = report.comes_after(position, at);
            assert_eq!(found, is_before, "{position} at {at}");
        }
    }
}

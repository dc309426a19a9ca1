//! From rows to a timeline.

use jiff::Timestamp;

use super::causes::{self, Cause};
use super::{Step, Timeline};
use crate::interaction::rows::{purpose, read_stage};
use crate::interaction::steps::word;
use crate::interaction::{CODE_LIFETIME, LIFETIME, Outcome, Purpose, Refusal, Stage};
use store::{Row, StoreError};

/// What an interaction's row says about times.
struct Times {
    created: Timestamp,
    opened: Option<Timestamp>,
    scanned: Option<Timestamp>,
    answered: Option<Timestamp>,
    coded: Option<Timestamp>,
    expires: Timestamp,
}

/// Tells one interaction. `beside` are its rows in `interaction_steps`, by time.
pub(super) fn tell(row: &Row, beside: &[Row], now: Timestamp) -> Result<Timeline, StoreError> {
    let purpose = purpose(row)?;
    let stored = read_stage(row)?;
    let expires = row.timestamp("expires_at")?;
    let stage = stored.settled(row.boolean("released")?, expires, now);
    let is_opened = row.optional_text("browser_digest")?.is_some();
    let coded = row.optional_timestamp("code_expires_at")?;
    let times = Times {
        created: row.timestamp("created_at")?,
        opened: is_opened.then(|| expires - LIFETIME),
        scanned: row.optional_timestamp("scanned_at")?,
        answered: row.optional_timestamp("answered_at")?,
        coded: coded.map(|expires| expires - CODE_LIFETIME),
        expires,
    };
    let revoked = row.optional_timestamp("revoked_at")?;
    let revoked_for = row.optional_text("revocation_cause")?;
    let mut beside = beside
        .iter()
        .map(of_beside)
        .collect::<Result<Vec<_>, _>>()?;
    // What is known of the token comes after all that led to it.
    let token = beside
        .iter()
        .flatten()
        .filter(|step| step.step == word::TOKEN_REFUSED);
    let token: Vec<Step> = token.cloned().collect();
    beside.retain(|step| {
        step.as_ref()
            .is_some_and(|step| step.step != word::TOKEN_REFUSED)
    });
    let mut steps = of_opening(&times);
    steps.extend(beside.into_iter().flatten());
    steps.extend(of_wallet(purpose, &times));
    let end = of_end(stage, purpose, &times);
    let is_collected = matches!(stage, Stage::Collected { .. });
    steps.extend(end.clone().filter(|_| !is_collected));
    if let Some(at) = times.coded {
        let sentence = "the browser was sent back with a code";
        steps.push(step(at, "code", sentence));
    }
    steps.extend(token);
    steps.extend(end.filter(|_| is_collected));
    if let Some(at) = revoked {
        let sentence = revocation(revoked_for.unwrap_or_default());
        steps.push(step(at, "revoked", sentence));
    }
    // Within a second the order of a journey holds: sorting is stable.
    steps.sort_by_key(|step| step.at);
    let cause = cause(stage, &times, &steps, now);
    Ok(Timeline {
        reference: row.text("reference")?.to_owned(),
        organisation: row.text("organisation")?.to_owned(),
        client_id: row.text("client_id")?.to_owned(),
        purpose: purpose.name(),
        credential_types: row.text("credential_type")?.to_owned(),
        stage: stage.name(),
        outcome: stage.outcome().map(Outcome::name),
        serial_number: row.optional_text("serial_number")?.map(str::to_owned),
        steps,
        cause,
    })
}

fn step(at: Timestamp, step: &'static str, sentence: &'static str) -> Step {
    Step {
        at,
        step,
        sentence,
        cause: None,
    }
}

fn of_opening(times: &Times) -> Vec<Step> {
    let asked = "the external system's request came, and was kept";
    let mut steps = vec![step(times.created, "pushed", asked)];
    if let Some(at) = times.opened {
        let sentence = "a browser opened the page, which shows the code";
        steps.push(step(at, "opened", sentence));
    }
    steps
}

fn of_wallet(purpose: Purpose, times: &Times) -> Vec<Step> {
    let scanned = "a wallet retrieved the request";
    let (answered, sentence) = match purpose {
        Purpose::Issue => (
            "answered",
            "the wallet's request for the credential was answered",
        ),
        Purpose::Verify => (
            "presented",
            "the wallet answered, and what it presented was checked",
        ),
    };
    let steps = [
        times.scanned.map(|at| step(at, "scanned", scanned)),
        times.answered.map(|at| step(at, answered, sentence)),
    ];
    steps.into_iter().flatten().collect()
}

fn of_beside(row: &Row) -> Result<Option<Step>, StoreError> {
    let at = row.timestamp("at")?;
    let (name, sentence) = match row.text("step")? {
        word::SCANNED => (
            word::SCANNED,
            "a wallet retrieved the request (an earlier try)",
        ),
        word::REFUSED => (word::REFUSED, "the try was refused"),
        word::STARTED_AGAIN => (word::STARTED_AGAIN, "the person started again"),
        word::TOKEN_REFUSED => (
            word::TOKEN_REFUSED,
            "the external system asked for the token and was refused",
        ),
        // A newer program's word is none of ours.
        _ => return Ok(None),
    };
    let cause = causes::find(row.text("cause")?).map(|cause| cause.code);
    Ok(Some(Step {
        cause,
        ..step(at, name, sentence)
    }))
}

/// How it stands, or ended.
fn of_end(stage: Stage, purpose: Purpose, times: &Times) -> Option<Step> {
    match stage {
        Stage::Pushed | Stage::Waiting | Stage::Scanned { .. } | Stage::Issued { .. } => None,
        Stage::Collected { at, .. } => Some(step(
            at,
            "collected",
            "the external system collected its token",
        )),
        Stage::Finished { at, outcome } => {
            // A wiped row says when it was wiped: what ended it was earlier.
            let at = match (outcome, times.answered) {
                (Outcome::Refused(Refusal::Expired), _) => times.expires,
                (Outcome::Verified, Some(answered)) => answered,
                _ => at,
            };
            let sentence = match (outcome, purpose) {
                (Outcome::Verified, _) => "every check passed",
                (Outcome::Issued, _) => "the wallet kept the credential",
                (Outcome::Refused(_), _) => "it ended without what was asked for",
            };
            let cause = match outcome {
                Outcome::Refused(refusal) => Some(refusal.code()),
                _ => None,
            };
            Some(Step {
                cause,
                ..step(at, "finished", sentence)
            })
        }
    }
}

fn revocation(cause: &str) -> &'static str {
    match cause {
        "not-collected" => "the credential was revoked: no external system collected its token",
        "code-replayed" => "the credential was revoked: its code was used twice",
        "not-kept" => "the credential was revoked: the wallet did not keep it",
        "relying-party" => "the credential was revoked: the external system asked for it",
        _ => "the credential was revoked",
    }
}

/// The one cause to tell, if it came to nothing.
fn cause(stage: Stage, times: &Times, steps: &[Step], now: Timestamp) -> Option<&'static Cause> {
    let refused_token = || {
        let refused = steps
            .iter()
            .rev()
            .find(|step| step.step == word::TOKEN_REFUSED);
        refused.and_then(|step| step.cause).and_then(causes::find)
    };
    let code = match stage {
        Stage::Collected { .. } => return refused_token(),
        Stage::Finished { outcome, .. } => match outcome {
            Outcome::Refused(Refusal::Expired) if refused_token().is_some() => {
                return refused_token();
            }
            Outcome::Refused(Refusal::Expired) => lost(times),
            Outcome::Refused(refusal) => refusal.code(),
            Outcome::Verified | Outcome::Issued => {
                let is_over = now >= times.expires;
                match times.coded {
                    Some(_) if refused_token().is_some() => return refused_token(),
                    Some(coded) if now >= coded + CODE_LIFETIME => "token-not-collected",
                    None if is_over => "page-left",
                    _ => return None,
                }
            }
        },
        _ => return None,
    };
    causes::find(code)
}

/// How far it came before the half hour was over.
fn lost(times: &Times) -> &'static str {
    match times {
        Times { opened: None, .. } => "not-opened",
        Times { coded: Some(_), .. } => "token-not-collected",
        Times {
            answered: Some(_), ..
        } => "page-left",
        Times {
            scanned: Some(_), ..
        } => "wallet-no-response",
        Times { .. } => "not-scanned",
    }
}

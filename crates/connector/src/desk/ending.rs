//! How a credential's journey ended, as rows.

use jiff::{SignedDuration, Timestamp};
use store::{Statement, StoreError};

use super::come_back::Answer;
use super::journey::{Awaited, Journey};
use super::{Cause, Desk, reference_of};
use crate::{FinishError, Returned};

/// How a credential's journey ended, as far as is known.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// The gateway says that it is in the wallet, since then.
    Issued(Timestamp),
    /// The browser says that it is not, and the code of why. No more than that: nobody signs such a callback, and the
    /// gateway's page may be gone back to.
    NotIssued(&'static str),
    /// It may be in the wallet, and that cannot be learnt: it is settled behind the pages.
    Unknown,
}

impl Ending {
    pub(super) fn of(answer: Answer) -> Self {
        match answer {
            Answer::Heard(Ok(Returned::Issued(issued))) => Self::Issued(issued.at),
            Answer::Heard(Err(error)) => match error {
                FinishError::Declined(_) => Self::NotIssued("declined"),
                FinishError::NotAccepted(told) if told.says_too_late() => {
                    Self::NotIssued("timed-out")
                }
                FinishError::NotAccepted(_) => Self::NotIssued("not-accepted"),
                FinishError::GatewayFailed(_) => Self::NotIssued("gateway-failed"),
                FinishError::RequestRefused(_) => Self::NotIssued("refused"),
                // Among them a callback in the name of another gateway: it used the journey up and told nothing.
                _ => Self::Unknown,
            },
            Answer::Heard(Ok(Returned::Verified(_))) | Answer::NotAsked => Self::Unknown,
        }
    }
}

impl Desk {
    /// Ends the journey and keeps what it told of its credential.
    pub(super) async fn keep_ending(
        &self,
        journey: &Journey,
        awaited: &Awaited,
        ending: Ending,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let serial_number = awaited.serial_number.to_string();
        match ending {
            Ending::Issued(at) => self.keep_issued(&journey.employee, awaited, at, now).await,
            Ending::NotIssued(outcome) => {
                let not_issued = Statement::new(
                    "UPDATE connector_credentials SET stage = 'not-issued', outcome = $1, stage_at = $2 \
                     WHERE serial_number = $3 AND stage IN ('asked', 'checking')",
                )
                .bind(outcome)
                .bind(now)
                .bind(&serial_number);
                let look = look_when_over(&serial_number, self.0.options.journey_lasts, now);
                self.write([journey.put_back(), not_issued, look]).await
            }
            Ending::Unknown => {
                tracing::warn!(
                    code = "outcome-unknown",
                    reference = reference_of(&serial_number),
                    "it is not known whether a credential is in the wallet"
                );
                let checking = Statement::new(
                    "UPDATE connector_credentials SET stage = 'checking', stage_at = $1 \
                     WHERE serial_number = $2 AND stage IN ('asked', 'checking')",
                )
                .bind(now)
                .bind(serial_number);
                self.write([journey.end(now), checking]).await
            }
        }
    }

    /// The gateway says that it is in the wallet: by its answer to the code, or asked about it later.
    pub(super) async fn keep_issued(
        &self,
        employee: &str,
        awaited: &Awaited,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let serial_number = awaited.serial_number.to_string();
        // The journey first, as in a callback's claim: whoever takes that up at the same moment waits here.
        let end = Statement::new(
            "UPDATE connector_journeys SET ended_at = $1, pending = NULL \
             WHERE serial_number = $2 AND ended_at IS NULL",
        )
        .bind(now)
        .bind(&serial_number);
        // Then the employee, so that credentials of one employee that arrive at once wait for each other here, and the
        // later one sees the earlier ones.
        let in_turn =
            Statement::new("UPDATE connector_people SET employee = employee WHERE employee = $1")
                .bind(employee);
        let forget = Statement::new(
            "DELETE FROM connector_confirmations WHERE employee = $1 AND record = $2",
        )
        .bind(employee)
        .bind(&awaited.record);
        // Whoever took this exchange for dead may have asked the gateway before the credential was there: its answer
        // now is the newer one.
        let issued = |unchanged: &str| {
            Statement::new(format!(
                "UPDATE connector_credentials SET stage = 'issued', outcome = NULL, issued_at = $1, stage_at = $2 \
                 WHERE serial_number = $3 AND stage IN ('asked', 'checking', 'not-issued'){unchanged}"
            ))
            .bind(at)
            .bind(now)
            .bind(&serial_number)
            .must_change(1)
        };
        let known = no_question(&serial_number);
        let mut fresh = vec![
            end.clone(),
            in_turn.clone(),
            forget.clone(),
            issued(" AND changed_at IS NULL"),
            known.clone(),
        ];
        if self.0.options.supersede {
            fresh.push(replace_older(employee, awaited, now));
        }
        match self.write(fresh).await {
            Err(StoreError::Unmet { .. }) => {}
            decided => return decided,
        }
        // The record changed while the credential was on its way: it is in the wallet, and it is wrong.
        let stale = [
            end.clone(),
            in_turn,
            forget,
            issued(""),
            known.clone(),
            revoke_stale(awaited, now),
        ];
        match self.write(stale).await {
            Err(StoreError::Unmet { .. }) => {}
            decided => return decided,
        }
        // Whoever took this exchange for dead has settled it: it is revoked, or known to be issued.
        tracing::info!(
            code = "answer-too-late",
            reference = reference_of(&serial_number),
            "a credential was settled before the gateway's answer came"
        );
        self.write([end, known]).await
    }

    pub(super) async fn write(
        &self,
        batch: impl IntoIterator<Item = Statement>,
    ) -> Result<(), StoreError> {
        self.0.store.write(batch).await.map(|_| ())
    }
}

/// Nothing is left to be asked about this credential.
pub(super) fn no_question(serial_number: &str) -> Statement {
    Statement::new("DELETE FROM connector_questions WHERE serial_number = $1").bind(serial_number)
}

/// When the journey is certainly over, it is revoked, in case it came after all and nobody collected it. Nobody is told:
/// who said no knows, and the gateway's answer does not say whether a copy ever was in force.
fn look_when_over(serial_number: &str, journey_lasts: SignedDuration, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
         SELECT serial_number, CAST($1 AS TEXT), 0, CAST($2 AS BIGINT), 0, started_at + CAST($3 AS BIGINT) \
         FROM connector_credentials WHERE serial_number = $4 AND stage = 'not-issued' \
         ON CONFLICT (serial_number) DO NOTHING",
    )
    .bind(Cause::NotConfirmed.code())
    .bind(now)
    .bind(journey_lasts.as_secs())
    .bind(serial_number)
}

/// One credential of a record is in force: the older ones are to be revoked. Ones that are still on their way are
/// revoked when they arrive or are settled.
fn replace_older(employee: &str, awaited: &Awaited, now: Timestamp) -> Statement {
    // Whoever said that the old copy is gone needs no mail about it.
    let tell = !awaited.old_copy_answered;
    Statement::new(
        "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
         SELECT serial_number, CAST($7 AS TEXT), CAST($1 AS BIGINT), CAST($2 AS BIGINT), 0, CAST($3 AS BIGINT) \
         FROM connector_credentials \
         WHERE employee = $4 AND record = $5 AND serial_number <> $6 AND stage = 'issued' \
         ON CONFLICT (serial_number) DO NOTHING",
    )
    .bind(tell)
    .bind(now)
    .bind(now)
    .bind(employee)
    .bind(&awaited.record)
    .bind(awaited.serial_number.to_string())
    .bind(Cause::Replaced.code())
}

fn revoke_stale(awaited: &Awaited, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
         SELECT serial_number, COALESCE(reason, CAST($4 AS TEXT)), 1, CAST($1 AS BIGINT), 0, CAST($2 AS BIGINT) \
         FROM connector_credentials WHERE serial_number = $3 \
         ON CONFLICT (serial_number) DO NOTHING",
    )
    .bind(now)
    .bind(now)
    .bind(awaited.serial_number.to_string())
    .bind(Cause::Corrected.code())
}

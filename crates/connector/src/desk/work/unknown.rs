//! Credentials of which nobody knows whether they reached a wallet. The gateway is asked; what it cannot tell, or will not
//! keep, is settled by revoking (decision 0010).
//!
//! Asking changes nothing there, so a crash at any line repeats a question. What is written down of an answer holds only
//! if the credential still is what it was when the question was taken.

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use super::backlog::serial_number;
use super::{FOR_THE_GATEWAY, IN_A_ROW, pause};
use crate::desk::ending::no_question;
use crate::desk::journey::Awaited;
use crate::desk::{Cause, Desk, reference_of};
use crate::{About, DiscoverError, Ended, GatewayFault, Outcome};

/// For how long it is asked: as long as it is, the employee reads 'Checking' and cannot add the credential again.
const ASKED_FOR: SignedDuration = SignedDuration::from_hours(6);

/// Whose outcome nobody is going to learn any more: the browser never came back (`$1`: what began so long ago is over
/// at the gateway), the journey ended without an answer, or whoever waited for the answer died (`$2`).
const NOBODY_KNOWS: &str = "\
    FROM connector_credentials c \
    WHERE c.stage IN ('asked', 'checking') \
      AND ((c.stage = 'asked' AND c.stage_at <= $1) \
        OR (c.stage = 'checking' AND (c.stage_at <= $2 OR EXISTS ( \
             SELECT 1 FROM connector_journeys j \
             WHERE j.serial_number = c.serial_number AND j.ended_at IS NOT NULL)))) \
      AND NOT EXISTS (SELECT 1 FROM connector_questions q WHERE q.serial_number = c.serial_number) \
      AND NOT EXISTS (SELECT 1 FROM connector_revocations r WHERE r.serial_number = c.serial_number)";

/// A question that is due, with what the answer is written down with.
struct Question {
    awaited: Awaited,
    employee: String,
    /// Kept since the browser left; not there where it never did.
    state: Option<String>,
    stage: String,
    stage_at: i64,
    started_at: Timestamp,
    has_changed: bool,
    wanted_at: Timestamp,
    attempts: i64,
    next_at: i64,
}

impl Question {
    /// How lines about it name the credential.
    fn reference(&self) -> String {
        reference_of(&self.awaited.serial_number.to_string())
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            awaited: Awaited {
                serial_number: serial_number(row)?,
                record: row.text("record")?.to_owned(),
                old_copy_answered: row.boolean("old_copy_answered")?,
            },
            employee: row.text("employee")?.to_owned(),
            state: row.optional_text("state")?.map(str::to_owned),
            stage: row.text("stage")?.to_owned(),
            stage_at: row.integer("stage_at")?,
            started_at: row.timestamp("started_at")?,
            has_changed: row.optional_integer("changed_at")?.is_some(),
            wanted_at: row.timestamp("wanted_at")?,
            attempts: row.integer("attempts")?,
            next_at: row.integer("next_at")?,
        })
    }
}

/// What the gateway's answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is in the wallet, and the gateway leaves it there.
    Issued(Timestamp),
    /// Nothing left the gateway, and nothing will.
    NotIssued(&'static str),
    /// It may be in a wallet or come to be, and must not stay.
    Revoke,
}

impl Verdict {
    /// `own`: the serial number that the credential was asked for with; what the gateway says of another is nothing about
    /// this one. `is_over`: nothing can happen in that journey any more.
    fn of(outcome: Option<&Outcome>, own: Uuid, is_over: bool) -> Self {
        let Some(outcome) = outcome else {
            // Older than the gateway keeps, or never there: the revocation finds out.
            return Self::Revoke;
        };
        match (&outcome.ended, outcome.serial_number) {
            // [0006] What nobody collected the gateway itself revokes when the time is up. Whoever could collect it is
            // not there any more, so it is not left until then: the employee can add it again at once.
            (Some(Ended::Issued), Some(told))
                if told == own && outcome.collected && outcome.is_in_force() =>
            {
                Self::Issued(outcome.since)
            }
            // Before the time is up most refusals are followed by another try. What the wallet gave back is revoked, and
            // there is no copy to speak of.
            (Some(Ended::Refused { code, .. }), serial_number)
                if is_over && (serial_number.is_none() || outcome.was_not_kept()) =>
            {
                Self::NotIssued(match &**code {
                    "declined" | "cancelled" | "not-kept" => "declined",
                    "expired" | "request-expired" => "never-came-back",
                    _ => "not-accepted",
                })
            }
            _ => Self::Revoke,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    #[error(transparent)]
    Gateway(#[from] GatewayFault),
}

impl NoAnswer {
    /// A gateway that cannot be found can revoke nothing either: asking again is as good. One that is there and has no
    /// look-up will not have one next time.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Discover(_) => true,
            Self::Gateway(fault) => fault.is_temporary(),
        }
    }
}

/// The next question that is due.
pub(super) const NEXT_QUESTION: &str = "SELECT q.serial_number, q.wanted_at, q.attempts, q.next_at, c.employee, c.record, c.stage, c.stage_at, \
     c.started_at, c.changed_at, j.state, COALESCE(j.old_copy_answered, 0) AS old_copy_answered \
     FROM connector_questions q \
     JOIN connector_credentials c ON c.serial_number = q.serial_number \
     LEFT JOIN connector_journeys j ON j.serial_number = q.serial_number \
     WHERE q.next_at <= $1 ORDER BY q.next_at, q.wanted_at, q.serial_number LIMIT 1";

impl Desk {
    /// Asks the gateway about what nobody knows, and keeps what it says. True if something was settled.
    pub(super) async fn ask_about_what_is_unknown(&self) -> Result<bool, StoreError> {
        self.note_what_is_unknown().await?;
        let mut something = false;
        for _ in 0..IN_A_ROW {
            let Some(question) = self.next_question().await? else {
                break;
            };
            if !self.take_question(&question).await? {
                continue;
            }
            match self.ask(&question).await {
                Ok(outcome) => self.keep_verdict(&question, outcome.as_ref()).await?,
                Err(fault) if self.waits_for(&question, &fault) => {
                    self.keep_unanswered(&question, &fault).await?;
                    break;
                }
                Err(fault) => {
                    let reference = question.reference();
                    tracing::warn!(reference, %fault, "the gateway cannot be asked about a credential");
                    self.keep_verdict(&question, None).await?;
                }
            }
            something = true;
        }
        Ok(something)
    }

    async fn note_what_is_unknown(&self) -> Result<(), StoreError> {
        let now = self.now();
        let options = &self.0.options;
        let about = |sql: String| {
            Statement::new(sql)
                .bind(now - options.journey_lasts)
                .bind(now - options.answer_lasts)
        };
        // Looked at each second, and nearly always empty: a read costs less than a write.
        let look = about(format!("SELECT c.serial_number {NOBODY_KNOWS} LIMIT 1"));
        if self.0.store.read_one(look).await?.is_none() {
            return Ok(());
        }
        let note = about(format!(
            "INSERT INTO connector_questions (serial_number, wanted_at, attempts, next_at) \
             SELECT c.serial_number, CAST($3 AS BIGINT), 0, CAST($3 AS BIGINT) {NOBODY_KNOWS} \
             ON CONFLICT (serial_number) DO NOTHING"
        ));
        self.write([note.bind(now)]).await
    }

    async fn next_question(&self) -> Result<Option<Question>, StoreError> {
        let due = Statement::new(NEXT_QUESTION);
        let row = self.0.store.read_one(due.bind(self.now())).await?;
        row.as_ref().map(Question::read).transpose()
    }

    /// Whether it is this process that asks now. The try is counted before it is made.
    async fn take_question(&self, question: &Question) -> Result<bool, StoreError> {
        let take = Statement::new(
            "UPDATE connector_questions SET attempts = attempts + 1, next_at = $1 \
             WHERE serial_number = $2 AND next_at = $3 AND attempts = $4",
        )
        .bind(self.now() + self.0.options.answer_lasts)
        .bind(question.awaited.serial_number.to_string())
        .bind(question.next_at)
        .bind(question.attempts);
        let taken = self.0.store.write([take]).await?;
        Ok(taken.iter().any(|outcome| outcome.changed == 1))
    }

    async fn ask(&self, question: &Question) -> Result<Option<Outcome>, NoAnswer> {
        // Without a state no browser left with it.
        let Some(state) = &question.state else {
            return Ok(None);
        };
        let connector = self.0.gateway.connector().await?;
        Ok(connector.look_up(About::State(state)).await?)
    }

    /// What has changed is revoked whatever the answer is: nothing is to be waited for.
    fn waits_for(&self, question: &Question, fault: &NoAnswer) -> bool {
        let long_enough = self.now() >= question.wanted_at + ASKED_FOR;
        fault.is_temporary() && !question.has_changed && !long_enough
    }

    async fn keep_unanswered(
        &self,
        question: &Question,
        fault: &NoAnswer,
    ) -> Result<(), StoreError> {
        let serial_number = question.awaited.serial_number.to_string();
        let attempts = question.attempts + 1;
        let reference = question.reference();
        tracing::warn!(reference, attempts, %fault, "a question about a credential must wait");
        let later = Statement::new(
            "UPDATE connector_questions SET next_at = $1 WHERE serial_number = $2 AND attempts = $3",
        )
        .bind(self.now() + pause(&FOR_THE_GATEWAY, attempts))
        .bind(&serial_number)
        .bind(attempts);
        self.write([later]).await
    }

    async fn keep_verdict(
        &self,
        question: &Question,
        outcome: Option<&Outcome>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let serial_number = question.awaited.serial_number.to_string();
        let is_over = now >= question.started_at + self.0.options.journey_lasts;
        let verdict = Verdict::of(outcome, question.awaited.serial_number, is_over);
        let reference = question.reference();
        tracing::info!(
            reference,
            ?verdict,
            "the gateway was asked about a credential"
        );
        // Unless somebody has learnt something since the question was taken.
        let unmoved = "serial_number = $1 AND stage = $2 AND stage_at = $3";
        let about = |sql: String| {
            Statement::new(sql)
                .bind(&serial_number)
                .bind(&question.stage)
                .bind(question.stage_at)
                .bind(now)
        };
        let answered = no_question(&serial_number);
        match verdict {
            Verdict::Issued(at) => {
                self.keep_issued(&question.employee, &question.awaited, at, now)
                    .await
            }
            Verdict::NotIssued(outcome) => {
                let end = Statement::new(
                    "UPDATE connector_journeys SET ended_at = $1, pending = NULL \
                     WHERE serial_number = $2 AND ended_at IS NULL",
                )
                .bind(now)
                .bind(&serial_number);
                let not_issued = about(format!(
                    "UPDATE connector_credentials SET stage = 'not-issued', stage_at = $4, outcome = $5 WHERE {unmoved}"
                ))
                .bind(outcome)
                .must_change(1);
                match self.write([end, not_issued, answered.clone()]).await {
                    Err(StoreError::Unmet { .. }) => self.write([answered]).await,
                    decided => decided,
                }
            }
            Verdict::Revoke => {
                let want = about(format!(
                    "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
                     SELECT serial_number, COALESCE(reason, CAST($5 AS TEXT)), 1, CAST($4 AS BIGINT), 0, CAST($4 AS BIGINT) \
                     FROM connector_credentials WHERE {unmoved} ON CONFLICT (serial_number) DO NOTHING"
                ));
                let want = want.bind(Cause::NotConfirmed.code());
                self.write([want, answered]).await
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Revoked;

    const OWN: Uuid = Uuid::from_u128(1);

    fn outcome(ended: Option<Ended>, collected: bool, serial_number: bool) -> Outcome {
        let at = Timestamp::UNIX_EPOCH;
        Outcome {
            reference: "K7Q2-9MFD".to_owned(),
            ended,
            since: at,
            collected,
            serial_number: serial_number.then_some(OWN),
            revoked: None,
            began_at: at,
            expires_at: at,
        }
    }

    fn refused(code: &str) -> Ended {
        Ended::Refused {
            code: code.to_owned(),
            description: String::new(),
        }
    }

    #[test]
    fn only_what_was_collected_and_is_in_force_is_issued_and_all_else_that_may_be_there_is_revoked()
    {
        let issued = outcome(Some(Ended::Issued), true, true);
        let since = Verdict::Issued(issued.since);
        assert_eq!(Verdict::of(Some(&issued), OWN, false), since);
        let of_another = Verdict::of(Some(&issued), Uuid::from_u128(2), true);
        assert_eq!(of_another, Verdict::Revoke);
        let revoked = Outcome {
            revoked: Some(Revoked {
                at: issued.since,
                cause: "code-replayed".to_owned(),
            }),
            ..issued
        };
        let not_collected = outcome(Some(Ended::Issued), false, true);
        let on_its_way = outcome(None, false, true);
        let open = outcome(None, false, false);
        let no_more = outcome(Some(refused("expired")), false, true);
        let another_try = outcome(Some(refused("declined")), false, false);
        for (unclear, is_over) in [
            (&revoked, true),
            (&not_collected, true),
            (&on_its_way, true),
            (&open, true),
            (&no_more, true),
            (&another_try, false),
        ] {
            let verdict = Verdict::of(Some(unclear), OWN, is_over);
            assert_eq!(verdict, Verdict::Revoke, "{unclear:?}");
        }
        assert_eq!(Verdict::of(None, OWN, true), Verdict::Revoke);
    }

    #[test]
    fn a_refusal_that_is_the_last_word_says_why() {
        let given_back = Outcome {
            revoked: Some(Revoked {
                at: Timestamp::UNIX_EPOCH,
                cause: "not-kept".to_owned(),
            }),
            ..outcome(Some(refused("not-kept")), false, true)
        };
        let verdict = Verdict::of(Some(&given_back), OWN, true);
        assert_eq!(verdict, Verdict::NotIssued("declined"));
        for (code, outcome_of) in [
            ("declined", "declined"),
            ("cancelled", "declined"),
            ("expired", "never-came-back"),
            ("wallet-failed", "not-accepted"),
        ] {
            let told = outcome(Some(refused(code)), false, false);
            let verdict = Verdict::of(Some(&told), OWN, true);
            assert_eq!(verdict, Verdict::NotIssued(outcome_of), "{code}");
        }
    }
}

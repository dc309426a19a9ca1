//! The browser is back from the gateway.
//!
//! A callback is taken up once, in the batch that also marks its credential as *checking*; only then is its code
//! exchanged. A crash at any line after that leaves what is true: nobody knows yet.

use store::{Statement, StoreError};
use uuid::Uuid;

use super::ending::{Ending, no_question};
use super::identity::Judged;
use super::journey::{Awaited, Journey};
use super::{Desk, Person, Session, VerifyOutcome};
use crate::callback::CallbackAnswer;
use crate::{Callback, FinishError, Returned};

/// What the browser came back with. What was learnt is stored before this is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Return {
    /// An identity check ended.
    Verify {
        /// How.
        outcome: VerifyOutcome,
        /// What [`Desk::verify`] was told.
        return_to: Option<String>,
    },
    /// A credential's journey ended, or it is not known how: [`Desk::credentials`] tells.
    Issue {
        /// The host's id of the record.
        record: String,
        /// The credential's serial number.
        serial_number: Uuid,
        /// What [`Desk::issue_and_return_to`] was told.
        return_to: Option<String>,
    },
    /// The same callback is being worked on, or was cut off in the middle of it; ask [`Desk::credentials`] or
    /// [`Desk::standing`] in a moment.
    Unfinished {
        /// The record, where it is about a credential.
        record: Option<String>,
    },
    /// It belongs to no journey of this session: forged, replayed, or begun in another browser or by another employee.
    NotOurs,
}

/// What came of asking the gateway how a journey ended.
pub(super) enum Answer {
    /// It, or the callback itself, told.
    Heard(Result<Returned, FinishError>),
    /// It was not asked: it could not be found, or what to ask with could not be read.
    NotAsked,
}

impl Desk {
    /// Take the browser back. `query` is what stands behind the `?` of the callback's address. `person` is whom the
    /// host's record says to be logged in, now.
    pub async fn come_back(
        &self,
        session: Session<'_>,
        person: &Person,
        query: &str,
    ) -> Result<Return, StoreError> {
        let Ok(callback) = Callback::parse(query) else {
            return Ok(Return::NotOurs);
        };
        let Some(journey) = self.find_journey(session, callback.state()).await? else {
            return Ok(Return::NotOurs);
        };
        if journey.ended_at.is_some() {
            return Ok(Return::NotOurs);
        }
        if journey.used_at.is_some() {
            return self.come_back_again(&journey).await;
        }
        match self.claim(&journey, &callback).await {
            Ok(()) => {}
            Err(StoreError::Unmet { .. }) => return Ok(unfinished(&journey)),
            Err(error) => return Err(error),
        }
        let cut_off = unfinished(&journey);
        // What was begun is finished, even if the browser hangs up and the host drops its request.
        let (desk, person) = (self.clone(), person.clone());
        let learning = async move { desk.learn(journey, &person, callback).await };
        let learning = tokio::spawn(traces::carried(learning));
        learning.await.unwrap_or(Ok(cut_off))
    }

    /// A callback that was taken up and has not come to an end.
    async fn come_back_again(&self, journey: &Journey) -> Result<Return, StoreError> {
        let since = self.ago(self.0.options.answer_lasts);
        let cut_off = journey.used_at.is_some_and(|used_at| used_at <= since);
        if journey.credential.is_some() || !cut_off {
            // A credential whose journey was cut off is settled behind the pages.
            return Ok(unfinished(journey));
        }
        self.end_verify(journey, Judged::Not(VerifyOutcome::GatewayFailed))
            .await
    }

    /// Makes this callback ours, or answers [`StoreError::Unmet`] when another call was first.
    async fn claim(&self, journey: &Journey, callback: &Callback) -> Result<(), StoreError> {
        let now = self.now();
        let mut batch = vec![journey.use_up(now).must_change(1)];
        if let (Some(awaited), CallbackAnswer::Code(_)) = (&journey.credential, &callback.answer) {
            // Also one that was given up: with a code, it may be in the wallet after all.
            let checking = Statement::new(
                "UPDATE connector_credentials SET stage = 'checking', outcome = NULL, stage_at = $1 \
                 WHERE serial_number = $2 AND stage IN ('asked', 'not-issued')",
            )
            .bind(now)
            .bind(awaited.serial_number.to_string());
            // What was to be looked at later is being told now. One that somebody has taken up goes on.
            let look = Statement::new(
                "DELETE FROM connector_revocations \
                 WHERE serial_number = $1 AND reason = 'not-confirmed' AND attempts = 0 AND done_at IS NULL",
            )
            .bind(awaited.serial_number.to_string());
            // From here on there may be another copy, of which nothing was said yet.
            let answer = Statement::new(
                "UPDATE connector_confirmations SET old_copy = NULL, old_copy_at = NULL \
                 WHERE employee = $1 AND record = $2",
            )
            .bind(&journey.employee)
            .bind(&awaited.record);
            // And whoever asks the gateway about it just now is overtaken.
            let question = no_question(&awaited.serial_number.to_string());
            batch.extend([checking, look, answer, question]);
        }
        self.0.store.write(batch).await?;
        Ok(())
    }

    /// Asks the gateway what became of it, and keeps that.
    async fn learn(
        &self,
        mut journey: Journey,
        person: &Person,
        callback: Callback,
    ) -> Result<Return, StoreError> {
        let pending = journey.pending.take();
        let answer = match (pending, self.0.gateway.connector().await) {
            (Some(pending), Ok(connector)) => {
                Answer::Heard(connector.finish(pending, callback).await)
            }
            (None, _) => {
                tracing::error!(
                    code = "journey-unreadable",
                    "a stored journey cannot be read"
                );
                Answer::NotAsked
            }
            (_, Err(error)) => {
                tracing::warn!(code = "gateway-unavailable", %error, "a journey's end cannot be learnt");
                Answer::NotAsked
            }
        };
        if let Answer::Heard(Err(error)) = &answer {
            tracing::info!(%error, "a journey ended otherwise");
        }
        let Some(awaited) = journey.credential.clone() else {
            let judged = self.judge(answer, person, &journey).await?;
            return self.end_verify(&journey, judged).await;
        };
        self.keep_ending(&journey, &awaited, Ending::of(answer))
            .await?;
        self.wake();
        let Awaited {
            serial_number,
            record,
            ..
        } = awaited;
        Ok(Return::Issue {
            record,
            serial_number,
            return_to: journey.return_to.clone(),
        })
    }

    async fn end_verify(&self, journey: &Journey, judged: Judged) -> Result<Return, StoreError> {
        let kept = self.keep_identity(journey, judged).await?;
        Ok(kept.map_or(Return::NotOurs, |outcome| Return::Verify {
            outcome,
            return_to: journey.return_to.clone(),
        }))
    }
}

fn unfinished(journey: &Journey) -> Return {
    let record = journey.credential.as_ref();
    Return::Unfinished {
        record: record.map(|awaited| awaited.record.clone()),
    }
}

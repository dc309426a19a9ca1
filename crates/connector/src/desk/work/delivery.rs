//! What became of a mail that GOV.UK Notify accepted: told by its callback, or asked for.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use store::{Row, Statement, StoreError};

use super::{IN_A_ROW, pause};
use crate::desk::Desk;
use crate::desk::mail::Delivery;
use crate::secret::Secret;

/// How long to wait after each temporary failure before the mail is sent again; after the last, nobody tries.
const AGAIN_AFTER: [SignedDuration; 4] = [
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(24),
];
/// How long to wait between two questions about one mail. Notify's provider tries for up to 72 hours.
const LOOKS: [SignedDuration; 5] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
];
/// More than this is no callback of Notify's.
const LARGEST_CALLBACK: usize = 16 * 1024;

/// Why a callback was not taken. Whoever sent it hears no more than the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyCallbackError {
    /// No callback is expected: mails go another way, or no bearer token is set. Answer 404.
    #[error("no callback of GOV.UK Notify is expected here")]
    NotExpected,
    /// Another bearer token, or none. Answer 401.
    #[error("the bearer token is not the one that was agreed with GOV.UK Notify")]
    WrongToken,
    /// Not what Notify sends. Answer 400.
    #[error("this is no callback of GOV.UK Notify")]
    Malformed,
    /// A notification that is not known, or not yet: Notify sends it again after five minutes. Answer 404.
    #[error("this notification is not known here")]
    Unknown,
    /// The database cannot be reached; Notify sends it again. Answer 503.
    #[error("the callback cannot be kept now")]
    NotKept,
}

/// [Notify: callbacks] What is read of one; the recipient's address is not.
#[derive(Deserialize)]
struct Callback {
    id: uuid::Uuid,
    status: String,
    notification_type: String,
}

/// A mail of which nobody knows yet what became of it.
struct UnderWay {
    message_id: String,
    notification: String,
    looks: i64,
    look_at: i64,
}

impl UnderWay {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            message_id: row.text("message_id")?.to_owned(),
            notification: row.text("notification_id")?.to_owned(),
            looks: row.integer("looks")?,
            look_at: row.integer("look_at")?,
        })
    }
}

/// The next mail of which it is asked what became of it.
pub(super) const NEXT_UNDER_WAY: &str = "SELECT message_id, notification_id, looks, look_at FROM connector_mails \
     WHERE look_at <= $1 AND state = 'accepted' AND notification_id IS NOT NULL ORDER BY look_at, message_id LIMIT 1";

impl Desk {
    /// Takes a callback of GOV.UK Notify: `bearer` is what stands after `Bearer ` in its `Authorization`. The same one
    /// again changes nothing.
    pub async fn notify_callback(
        &self,
        bearer: &str,
        body: &[u8],
    ) -> Result<(), NotifyCallbackError> {
        let notify = self.0.mail.as_ref().and_then(|room| room.notify());
        let token = notify.and_then(|notify| notify.callback_token.as_ref());
        let token = token.ok_or(NotifyCallbackError::NotExpected)?;
        if !Secret::new(token.expose().to_owned()).matches(bearer) {
            return Err(NotifyCallbackError::WrongToken);
        }
        if body.len() > LARGEST_CALLBACK {
            return Err(NotifyCallbackError::Malformed);
        }
        let callback: Callback =
            serde_json::from_slice(body).map_err(|_| NotifyCallbackError::Malformed)?;
        let delivery = Delivery::parse(&callback.status);
        if callback.notification_type != "email" || delivery == Delivery::UnderWay {
            return Err(NotifyCallbackError::Malformed);
        }
        let id = callback.id.to_string();
        let not_kept = |error: StoreError| {
            tracing::warn!(%error, "a callback of GOV.UK Notify could not be kept");
            NotifyCallbackError::NotKept
        };
        let known =
            Statement::new("SELECT message_id FROM connector_mails WHERE notification_id = $1")
                .bind(&id);
        if self
            .0
            .store
            .read_one(known)
            .await
            .map_err(not_kept)?
            .is_none()
        {
            return Err(NotifyCallbackError::Unknown);
        }
        self.keep_delivery(&id, delivery).await.map_err(not_kept)
    }

    /// Asks about mails of which no callback told in time.
    pub(super) async fn look_what_became_of_mails(&self) -> Result<bool, StoreError> {
        let Some(room) = self.0.mail.as_ref().filter(|room| room.notify().is_some()) else {
            return Ok(false);
        };
        let mut something = false;
        for _ in 0..IN_A_ROW {
            let Some(mail) = self.next_under_way().await? else {
                break;
            };
            if !self.take_look(&mail).await? {
                continue;
            }
            match room.delivery(&mail.notification).await {
                Ok(Some(Delivery::UnderWay)) => {}
                Ok(Some(delivery)) => {
                    self.keep_delivery(&mail.notification, delivery).await?;
                    something = true;
                }
                Ok(None) => self.stop_looking(&mail).await?,
                Err(fault) => {
                    let message_id = &mail.message_id;
                    tracing::warn!(message_id, %fault, "it is not known what became of a mail");
                    break;
                }
            }
        }
        Ok(something)
    }

    async fn next_under_way(&self) -> Result<Option<UnderWay>, StoreError> {
        let due = Statement::new(NEXT_UNDER_WAY);
        let row = self.0.store.read_one(due.bind(self.now())).await?;
        row.as_ref().map(UnderWay::read).transpose()
    }

    /// Whether it is this process that asks now.
    async fn take_look(&self, mail: &UnderWay) -> Result<bool, StoreError> {
        let looks = mail.looks + 1;
        let take = Statement::new(
            "UPDATE connector_mails SET looks = $1, look_at = $2 \
             WHERE message_id = $3 AND look_at = $4 AND looks = $5 AND state = 'accepted'",
        )
        .bind(looks)
        .bind(self.now() + pause(&LOOKS, looks))
        .bind(&mail.message_id)
        .bind(mail.look_at)
        .bind(mail.looks);
        let taken = self.0.store.write([take]).await?;
        Ok(taken.iter().any(|outcome| outcome.changed == 1))
    }

    /// Notify has forgotten it: nobody is going to tell any more.
    async fn stop_looking(&self, mail: &UnderWay) -> Result<(), StoreError> {
        let stop =
            Statement::new("UPDATE connector_mails SET look_at = NULL WHERE message_id = $1")
                .bind(&mail.message_id);
        self.0.store.write([stop]).await.map(drop)
    }

    /// Keeps what became of a mail, once: of a state that is final nothing follows.
    async fn keep_delivery(
        &self,
        notification: &str,
        delivery: Delivery,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let batch = match delivery {
            Delivery::UnderWay => return Ok(()),
            Delivery::Delivered => vec![settle(notification, "delivered", None, now)],
            Delivery::PermanentFailure => {
                let fault = "mail-undeliverable: the address does not exist; reach the employee another way";
                vec![settle(notification, "permanent-failure", Some(fault), now)]
            }
            Delivery::TechnicalFailure => {
                tracing::error!(
                    code = "mail-technical-failure",
                    notification,
                    "GOV.UK Notify could not send a mail"
                );
                let fault = "mail-technical-failure: GOV.UK Notify could not send it; send it again when Notify works";
                vec![settle(notification, "technical-failure", Some(fault), now)]
            }
            Delivery::TemporaryFailure => send_again(notification, now),
        };
        let outcomes = self.0.store.write(batch).await?;
        if outcomes.iter().any(|outcome| outcome.changed > 0) {
            tracing::info!(notification, ?delivery, "it is known what became of a mail");
        }
        Ok(())
    }
}

fn settle(
    notification: &str,
    state: &'static str,
    fault: Option<&'static str>,
    now: Timestamp,
) -> Statement {
    let failed_at = fault.map(|_| now);
    Statement::new(
        "UPDATE connector_mails SET state = $1, state_at = $2, fault = $3, failed_at = $4, look_at = NULL \
         WHERE notification_id = $5 AND state = 'accepted'",
    )
    .bind(state)
    .bind(now)
    .bind(fault)
    .bind(failed_at)
    .bind(notification)
}

/// One statement for each time that it may fail, of which one fits: how often it did stands in the row.
fn send_again(notification: &str, now: Timestamp) -> Vec<Statement> {
    let fault = "mail-not-delivered: the mailbox does not take mail now";
    let mut batch = Vec::new();
    batch.push(
        Statement::new(
            "UPDATE connector_mails SET state = 'temporary-failure', state_at = $1, fault = $2, failed_at = $1, \
             bounces = bounces + 1, look_at = NULL \
             WHERE notification_id = $3 AND state = 'accepted' AND bounces >= $4",
        )
        .bind(now)
        .bind(fault)
        .bind(notification)
        .bind(i64::try_from(AGAIN_AFTER.len()).unwrap_or(i64::MAX)),
    );
    for (bounces, after) in (0_i64..).zip(AGAIN_AFTER) {
        batch.push(
            Statement::new(
                "UPDATE connector_mails SET state = 'temporary-failure', state_at = $1, fault = $2, sent_at = NULL, \
                 first_tried_at = NULL, bounces = bounces + 1, look_at = NULL, next_at = $3 \
                 WHERE notification_id = $4 AND state = 'accepted' AND bounces = $5",
            )
            .bind(now)
            .bind(fault)
            .bind(now + after)
            .bind(notification)
            .bind(bounces),
        );
    }
    batch
}

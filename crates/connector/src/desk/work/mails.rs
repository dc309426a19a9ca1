//! Sending the mails that are written: at least once, with one Message-ID each (ruling 21).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};

use super::{IN_A_ROW, pause};
use crate::desk::Desk;
use crate::desk::mail::{MailFault, MailOptions, Outgoing, Post};

/// How long to wait after a try that failed: soon at first, for a server that is being restarted.
const PAUSES: [SignedDuration; 6] = [
    SignedDuration::from_secs(15),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(24),
];
/// For how long a mail is tried.
const TRIED_FOR: SignedDuration = SignedDuration::from_hours(72);

/// A mail that is due.
struct Due {
    attempts: i64,
    next_at: i64,
    serial_number: String,
    mail: Outgoing,
}

impl Due {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            attempts: row.integer("attempts")?,
            next_at: row.integer("next_at")?,
            serial_number: row.text("serial_number")?.to_owned(),
            mail: Outgoing {
                message_id: row.text("message_id")?.to_owned(),
                recipient: row.text("recipient")?.to_owned(),
                subject: row.text("subject")?.to_owned(),
                body: row.text("body")?.to_owned(),
                written_at: row.timestamp("written_at")?,
            },
        })
    }
}

impl Desk {
    pub(super) async fn send_what_is_written(&self) -> Result<bool, StoreError> {
        let Some(options) = &self.0.options.mail else {
            return Ok(false);
        };
        let mut post = None;
        let sent = self.send_with(options, &mut post).await;
        if let Some(post) = post {
            let _ = tokio::time::timeout(Duration::from_secs(1), post.close()).await;
        }
        sent
    }

    /// Sends over one connection, which is opened for the first mail.
    async fn send_with(
        &self,
        options: &MailOptions,
        post: &mut Option<Post>,
    ) -> Result<bool, StoreError> {
        let mut something = false;
        for _ in 0..IN_A_ROW {
            let Some(due) = self.next_mail().await? else {
                break;
            };
            if !self.take_mail(&due).await? {
                continue;
            }
            match self.hand_over(options, post, &due.mail).await {
                Ok(()) => {
                    self.keep_sent(&due).await?;
                    something = true;
                }
                Err(fault) => {
                    // What the server still wants to say on this connection belongs to no other mail.
                    *post = None;
                    self.keep_mail_fault(&due, fault).await?;
                    if !fault.is_about_this_mail() {
                        break;
                    }
                }
            }
        }
        Ok(something)
    }

    /// Within the time after which another process may take the mail again.
    async fn hand_over(
        &self,
        options: &MailOptions,
        post: &mut Option<Post>,
        mail: &Outgoing,
    ) -> Result<(), MailFault> {
        let conversation = async {
            let open = match post.take() {
                Some(open) => open,
                None => Post::open(options).await?,
            };
            post.insert(open).send(mail).await
        };
        let patience = Duration::try_from(self.0.options.answer_lasts * 3 / 4).unwrap_or_default();
        match tokio::time::timeout(patience, conversation).await {
            Ok(answer) => answer,
            Err(_) => Err(MailFault::Silent),
        }
    }

    async fn next_mail(&self) -> Result<Option<Due>, StoreError> {
        let due = Statement::new(
            "SELECT message_id, serial_number, recipient, subject, body, written_at, attempts, next_at \
             FROM connector_mails \
             WHERE sent_at IS NULL AND failed_at IS NULL AND next_at <= $1 ORDER BY next_at LIMIT 1",
        );
        let row = self.0.store.read_one(due.bind(self.now())).await?;
        row.as_ref().map(Due::read).transpose()
    }

    /// Whether it is this process that tries now. The try is counted before it is made.
    async fn take_mail(&self, due: &Due) -> Result<bool, StoreError> {
        let take = Statement::new(
            "UPDATE connector_mails SET attempts = attempts + 1, next_at = $1 \
             WHERE message_id = $2 AND sent_at IS NULL AND failed_at IS NULL AND next_at = $3 AND attempts = $4",
        )
        .bind(self.now() + self.0.options.answer_lasts)
        .bind(&due.mail.message_id)
        .bind(due.next_at)
        .bind(due.attempts);
        let taken = self.0.store.write([take]).await?;
        Ok(taken.iter().any(|outcome| outcome.changed == 1))
    }

    async fn keep_sent(&self, due: &Due) -> Result<(), StoreError> {
        let keep = Statement::new(
            "UPDATE connector_mails SET sent_at = $1, fault = NULL WHERE message_id = $2 AND sent_at IS NULL",
        )
        .bind(self.now())
        .bind(&due.mail.message_id);
        self.0.store.write([keep]).await?;
        let (message_id, serial_number) = (&due.mail.message_id, &due.serial_number);
        tracing::info!(
            message_id,
            serial_number,
            "mail accepted by the mail server"
        );
        Ok(())
    }

    async fn keep_mail_fault(&self, due: &Due, fault: MailFault) -> Result<(), StoreError> {
        let now = self.now();
        let attempts = due.attempts + 1;
        let given_up = fault.is_for_good() || has_been_tried_long_enough(due, now);
        let (message_id, serial_number) = (&due.mail.message_id, &due.serial_number);
        tracing::warn!(message_id, serial_number, attempts, given_up, %fault, "mail not accepted");
        let keep = if given_up {
            Statement::new(
                "UPDATE connector_mails SET fault = $1, failed_at = $2 \
                 WHERE message_id = $3 AND attempts = $4 AND sent_at IS NULL",
            )
            .bind(fault.to_string())
            .bind(now)
        } else {
            Statement::new(
                "UPDATE connector_mails SET fault = $1, next_at = $2 \
                 WHERE message_id = $3 AND attempts = $4 AND sent_at IS NULL",
            )
            .bind(fault.to_string())
            .bind(now + pause(&PAUSES, attempts))
        };
        let keep = keep.bind(message_id).bind(attempts);
        self.0.store.write([keep]).await?;
        Ok(())
    }
}

fn has_been_tried_long_enough(due: &Due, now: Timestamp) -> bool {
    now >= due.mail.written_at + TRIED_FOR
}

//! Sending the mails that are written: at least once, with one Message-ID each (ruling 21).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};

use super::{IN_A_ROW, pause};
use crate::desk::mail::{Accepted, Language, MailFault, Mailroom, Outgoing, State};
use crate::desk::{Desk, reference_of};

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
/// How soon Notify is first asked what became of a mail, where nobody is going to tell.
const FIRST_LOOK: SignedDuration = SignedDuration::from_mins(1);
/// And where its callback should have come by then.
const FIRST_LOOK_AFTER_CALLBACKS: SignedDuration = SignedDuration::from_mins(30);

/// What nobody holds back.
const NOT_HELD: &str = "NOT EXISTS (SELECT 1 FROM connector_mail_holds h \
     WHERE (h.scope = 'credential' AND h.name = m.serial_number) \
        OR (h.scope = 'employee' AND h.name = (SELECT c.employee FROM connector_credentials c \
                                               WHERE c.serial_number = m.serial_number)))";

/// A mail that is due.
struct Due {
    attempts: i64,
    next_at: i64,
    first_tried_at: Option<Timestamp>,
    serial_number: String,
    /// By which Notify knew the last try, if that is known to have failed.
    notification: Option<String>,
    mail: Outgoing,
}

impl Due {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            attempts: row.integer("attempts")?,
            next_at: row.integer("next_at")?,
            first_tried_at: row.optional_timestamp("first_tried_at")?,
            serial_number: row.text("serial_number")?.to_owned(),
            notification: row.optional_text("notification_id")?.map(str::to_owned),
            mail: Outgoing {
                message_id: row.text("message_id")?.to_owned(),
                recipient: row.text("recipient")?.to_owned(),
                subject: row.text("subject")?.to_owned(),
                body: row.text("body")?.to_owned(),
                personalisation: row.text("personalisation")?.to_owned(),
                language: Language::parse(row.text("language")?).unwrap_or_default(),
                written_at: row.timestamp("written_at")?,
            },
        })
    }
}

/// The next mail that is due and not held back.
pub(super) fn the_next_mail() -> String {
    format!(
        "SELECT m.message_id, m.serial_number, m.recipient, m.subject, m.body, m.personalisation, m.language, \
         m.written_at, m.attempts, m.next_at, m.first_tried_at, m.notification_id \
         FROM connector_mails m \
         WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.next_at <= $1 AND {NOT_HELD} \
         ORDER BY m.next_at, m.written_at, m.message_id LIMIT 1"
    )
}

impl Desk {
    pub(super) async fn send_what_is_written(&self) -> Result<bool, StoreError> {
        let Some(room) = &self.0.mail else {
            return Ok(false);
        };
        let mut state = room.enter().await;
        let sent = self.send_with(room, &mut state).await;
        room.leave(&mut state).await;
        sent
    }

    /// Sends over one connection, which is opened for the first mail and kept for the next round.
    async fn send_with(&self, room: &Mailroom, state: &mut State) -> Result<bool, StoreError> {
        let mut something = false;
        for _ in 0..IN_A_ROW {
            if !room.may_hand_over(state) {
                break;
            }
            let Some(due) = self.next_mail().await? else {
                break;
            };
            if !self.take_mail(&due).await? {
                continue;
            }
            match self.hand_over(room, state, &due).await {
                Ok(accepted) => {
                    self.keep_accepted(room, &due, &accepted).await?;
                    something = true;
                }
                Err(fault) => {
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
        room: &Mailroom,
        state: &mut State,
        due: &Due,
    ) -> Result<Accepted, MailFault> {
        let known = due.notification.as_deref();
        let conversation = room.hand_over(state, &due.mail, due.attempts > 0, known);
        let patience = Duration::try_from(self.0.options.answer_lasts * 3 / 4).unwrap_or_default();
        match tokio::time::timeout(patience, conversation).await {
            Ok(answer) => answer,
            Err(_) => Err(MailFault::Silent),
        }
    }

    async fn next_mail(&self) -> Result<Option<Due>, StoreError> {
        let due = Statement::new(the_next_mail());
        let row = self.0.store.read_one(due.bind(self.now())).await?;
        row.as_ref().map(Due::read).transpose()
    }

    /// Whether it is this process that tries now. The try is counted before it is made.
    async fn take_mail(&self, due: &Due) -> Result<bool, StoreError> {
        let now = self.now();
        let take = Statement::new(
            "UPDATE connector_mails SET attempts = attempts + 1, next_at = $1, \
             first_tried_at = COALESCE(first_tried_at, CAST($2 AS BIGINT)) \
             WHERE message_id = $3 AND sent_at IS NULL AND failed_at IS NULL AND next_at = $4 AND attempts = $5",
        )
        .bind(now + self.0.options.answer_lasts)
        .bind(now)
        .bind(&due.mail.message_id)
        .bind(due.next_at)
        .bind(due.attempts);
        let taken = self.0.store.write([take]).await?;
        Ok(taken.iter().any(|outcome| outcome.changed == 1))
    }

    async fn keep_accepted(
        &self,
        room: &Mailroom,
        due: &Due,
        accepted: &Accepted,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let (channel, notification, look_at) = match accepted {
            Accepted::BySmtp => ("smtp", None, None),
            Accepted::ByNotify(id) => {
                let callbacks = room.notify().is_some_and(|it| it.callback_token.is_some());
                let first = if callbacks {
                    FIRST_LOOK_AFTER_CALLBACKS
                } else {
                    FIRST_LOOK
                };
                ("notify", Some(id.as_str()), Some(now + first))
            }
        };
        let keep = Statement::new(
            "UPDATE connector_mails SET state = 'accepted', state_at = $1, sent_at = $1, fault = NULL, channel = $2, \
             notification_id = $3, look_at = $4, looks = 0 WHERE message_id = $5 AND sent_at IS NULL",
        )
        .bind(now)
        .bind(channel)
        .bind(notification)
        .bind(look_at)
        .bind(&due.mail.message_id);
        self.0.store.write([keep]).await?;
        let message_id = &due.mail.message_id;
        let reference = reference_of(&due.serial_number);
        tracing::info!(message_id, reference, channel, "mail accepted");
        Ok(())
    }

    async fn keep_mail_fault(&self, due: &Due, fault: MailFault) -> Result<(), StoreError> {
        let now = self.now();
        let attempts = due.attempts + 1;
        let too_long = due
            .first_tried_at
            .is_some_and(|first| now >= first + TRIED_FOR);
        let given_up = fault.is_for_good() || too_long;
        let message_id = &due.mail.message_id;
        let reference = reference_of(&due.serial_number);
        if fault.is_an_alert() {
            tracing::error!(message_id, reference, attempts, given_up, %fault, "mail not accepted");
        } else {
            tracing::warn!(message_id, reference, attempts, given_up, %fault, "mail not accepted");
        }
        let keep = if given_up {
            let state = match fault {
                MailFault::NotifyBadRequest => "technical-failure",
                fault if fault.is_for_good() => "permanent-failure",
                _ => "temporary-failure",
            };
            Statement::new(
                "UPDATE connector_mails SET fault = $1, failed_at = $2, state = $3, state_at = $2 \
                 WHERE message_id = $4 AND attempts = $5 AND sent_at IS NULL",
            )
            .bind(fault.to_string())
            .bind(now)
            .bind(state)
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

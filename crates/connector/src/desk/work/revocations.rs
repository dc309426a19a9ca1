//! Doing the revocations that are wanted. The gateway takes each any number of times to one effect, so a crash at any
//! line repeats a call and nothing else.

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use super::backlog::serial_number;
use super::{FOR_THE_GATEWAY, IN_A_ROW, pause};
use crate::desk::mail::{self, Language, Mailroom};
use crate::desk::{Cause, Desk, reference_of};
use crate::{DiscoverError, GatewayFault, Revocation, RevokeError};

/// How long to wait after a refusal, which somebody has to look into.
const PAUSE_AFTER_REFUSAL: SignedDuration = SignedDuration::from_mins(15);

/// What the employee said no to stays what it is, 'not added': that it is revoked as well is for safety only.
const UNLESS_REFUSED: &str = " AND stage <> 'not-issued'";

/// A revocation that is due, with what a mail about it needs.
struct Wanted {
    serial_number: Uuid,
    cause: Cause,
    tell: bool,
    attempts: i64,
    next_at: i64,
    credential_type: String,
    label: String,
    stage: String,
    started_at: Timestamp,
    issued_at: Option<Timestamp>,
    first_name: String,
    email: Option<String>,
    language: Language,
}

impl Wanted {
    /// How lines about it name the credential.
    fn reference(&self) -> String {
        reference_of(&self.serial_number.to_string())
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        let no_cause = || StoreError::Column {
            column: "reason".to_owned(),
            wanted: "a cause",
        };
        Ok(Self {
            serial_number: serial_number(row)?,
            cause: Cause::parse(row.text("reason")?).ok_or_else(no_cause)?,
            tell: row.boolean("tell")?,
            attempts: row.integer("attempts")?,
            next_at: row.integer("next_at")?,
            credential_type: row.text("credential_type")?.to_owned(),
            label: row.text("label")?.to_owned(),
            stage: row.text("stage")?.to_owned(),
            started_at: row.timestamp("started_at")?,
            issued_at: row.optional_timestamp("issued_at")?,
            first_name: row
                .optional_text("first_name")?
                .unwrap_or_default()
                .to_owned(),
            email: row.optional_text("email")?.map(str::to_owned),
            language: row
                .optional_text("language")?
                .and_then(Language::parse)
                .unwrap_or_default(),
        })
    }

    /// The gateway said that it is in a wallet.
    fn is_issued(&self) -> bool {
        self.stage == "issued"
    }

    /// What is written about a credential that turned out not to exist.
    fn outcome_if_not_there(&self) -> &'static str {
        if self.stage == "asked" {
            "never-came-back"
        } else {
            "not-in-force"
        }
    }
}

/// Why the gateway did not revoke.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    #[error(transparent)]
    Revoke(#[from] RevokeError),
}

impl Fault {
    fn code(&self) -> &'static str {
        let fault = match self {
            Self::Revoke(RevokeError::NotFound) => return "no-such-credential",
            Self::Discover(DiscoverError::Gateway(fault))
            | Self::Revoke(RevokeError::Gateway(fault)) => fault,
            Self::Discover(_) => return "gateway-unusable",
        };
        match fault {
            GatewayFault::Unreachable { .. } => "gateway-unreachable",
            GatewayFault::Failing { .. } => "gateway-failing",
            GatewayFault::Refused { .. } => "gateway-refused",
            GatewayFault::AgainstContract { .. } => "gateway-against-contract",
        }
    }

    /// It says nothing against this revocation: no other needs to be tried now, and this one soon again.
    fn is_about_the_way(&self) -> bool {
        match self {
            Self::Discover(_) => true,
            Self::Revoke(error) => error.is_temporary(),
        }
    }
}

/// The next revocation that is due.
pub(super) const NEXT_REVOCATION: &str = "SELECT r.serial_number, r.reason, r.tell, r.attempts, r.next_at, \
     c.credential_type, c.label, c.stage, c.started_at, c.issued_at, p.first_name, p.email, p.language \
     FROM connector_revocations r \
     JOIN connector_credentials c ON c.serial_number = r.serial_number \
     LEFT JOIN connector_people p ON p.employee = c.employee \
     WHERE r.done_at IS NULL AND r.next_at <= $1 \
     ORDER BY r.next_at, r.wanted_at, r.serial_number LIMIT 1";

impl Desk {
    pub(super) async fn revoke_what_is_wanted(&self) -> Result<bool, StoreError> {
        let mut something = false;
        for _ in 0..IN_A_ROW {
            let Some(wanted) = self.next_revocation().await? else {
                break;
            };
            if !self.take_revocation(&wanted).await? {
                continue;
            }
            match self.ask_to_revoke(&wanted).await {
                Ok(()) => self.keep_revoked(&wanted).await?,
                Err(Fault::Revoke(RevokeError::NotFound)) if !wanted.is_issued() => {
                    self.keep_not_issued(&wanted).await?;
                }
                Err(fault) => {
                    self.keep_fault(&wanted, &fault).await?;
                    if fault.is_about_the_way() {
                        break;
                    }
                    continue;
                }
            }
            something = true;
        }
        Ok(something)
    }

    async fn next_revocation(&self) -> Result<Option<Wanted>, StoreError> {
        let due = Statement::new(NEXT_REVOCATION);
        let row = self.0.store.read_one(due.bind(self.now())).await?;
        row.as_ref().map(Wanted::read).transpose()
    }

    /// Whether it is this process that tries now. The try is counted before it is made.
    async fn take_revocation(&self, wanted: &Wanted) -> Result<bool, StoreError> {
        let take = Statement::new(
            "UPDATE connector_revocations SET attempts = attempts + 1, next_at = $1 \
             WHERE serial_number = $2 AND done_at IS NULL AND next_at = $3 AND attempts = $4",
        )
        .bind(self.now() + self.0.options.answer_lasts)
        .bind(wanted.serial_number.to_string())
        .bind(wanted.next_at)
        .bind(wanted.attempts);
        let taken = self.0.store.write([take]).await?;
        Ok(taken.iter().any(|outcome| outcome.changed == 1))
    }

    async fn ask_to_revoke(&self, wanted: &Wanted) -> Result<(), Fault> {
        let revocation = Revocation::new(
            &wanted.credential_type,
            wanted.serial_number,
            wanted.cause.for_the_gateway(),
        );
        let connector = self.0.gateway.connector().await?;
        Ok(connector.revoke(&revocation).await?)
    }

    /// The credential is revoked, and its employee is to be told: both or neither.
    async fn keep_revoked(&self, wanted: &Wanted) -> Result<(), StoreError> {
        let now = self.now();
        let serial_number = wanted.serial_number.to_string();
        let mut batch = vec![
            Statement::new(
                "UPDATE connector_revocations SET done_at = $1, fault = NULL \
                 WHERE serial_number = $2 AND done_at IS NULL",
            )
            .bind(now)
            .bind(&serial_number)
            .must_change(1),
            // Whatever comes back from there later comes too late. Before the credential, as in a callback's claim.
            Statement::new(
                "UPDATE connector_journeys SET ended_at = $1, pending = NULL \
                 WHERE serial_number = $2 AND ended_at IS NULL",
            )
            .bind(now)
            .bind(&serial_number),
            Statement::new(format!(
                "UPDATE connector_credentials \
                 SET stage = 'revoked', stage_at = $1, revoked_at = $1, reason = $2 WHERE serial_number = $3{}",
                if wanted.tell { "" } else { UNLESS_REFUSED }
            ))
            .bind(now)
            .bind(wanted.cause.code())
            .bind(&serial_number),
        ];
        batch.extend(self.mail_about(wanted, now));
        match self.0.store.write(batch).await {
            Ok(_) => {
                tracing::info!(
                    reference = wanted.reference(),
                    cause = wanted.cause.code(),
                    "credential revoked"
                );
                Ok(())
            }
            // Another process, which took this one for dead, was done first.
            Err(StoreError::Unmet { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The gateway has no such credential: nothing reached a wallet so far. That is the last word once the journey is
    /// certainly over; before, it is asked again then.
    async fn keep_not_issued(&self, wanted: &Wanted) -> Result<(), StoreError> {
        let now = self.now();
        let serial_number = wanted.serial_number.to_string();
        let settle = Statement::new(
            "UPDATE connector_credentials SET stage = 'not-issued', stage_at = $1, outcome = $2 \
             WHERE serial_number = $3 AND stage = $4 AND stage IN ('asked', 'checking')",
        )
        .bind(now)
        .bind(wanted.outcome_if_not_there())
        .bind(&serial_number)
        .bind(&wanted.stage);
        let over_at = wanted.started_at + self.0.options.journey_lasts;
        // Only if that is what it is now: if a browser came back in the meantime, the next try sees what it brought.
        let not_issued = "WHERE serial_number = $1 AND done_at IS NULL AND EXISTS ( \
            SELECT 1 FROM connector_credentials c WHERE c.serial_number = $1 AND c.stage = 'not-issued')";
        let then = if now < over_at {
            let again = "UPDATE connector_revocations SET next_at = $2, attempts = 0, fault = NULL";
            Statement::new(format!("{again} {not_issued}"))
                .bind(&serial_number)
                .bind(over_at)
        } else {
            Statement::new(format!("DELETE FROM connector_revocations {not_issued}"))
                .bind(&serial_number)
        };
        self.0.store.write([settle, then]).await?;
        let reference = wanted.reference();
        tracing::info!(reference, "the gateway issued no such credential");
        Ok(())
    }

    /// The credential stays as it was, and nobody is told anything [gateway contract B21].
    async fn keep_fault(&self, wanted: &Wanted, fault: &Fault) -> Result<(), StoreError> {
        let (serial_number, code) = (wanted.serial_number.to_string(), fault.code());
        let attempts = wanted.attempts + 1;
        let reference = wanted.reference();
        let after = if fault.is_about_the_way() {
            tracing::warn!(reference, code, attempts, %fault, "a revocation must wait");
            pause(&FOR_THE_GATEWAY, attempts)
        } else {
            tracing::error!(reference, code, attempts, %fault, "the gateway refuses a revocation");
            PAUSE_AFTER_REFUSAL
        };
        let keep = Statement::new(
            "UPDATE connector_revocations SET fault = $1, next_at = $2 \
             WHERE serial_number = $3 AND done_at IS NULL AND attempts = $4",
        )
        .bind(format!("{code}: {fault}"))
        .bind(self.now() + after)
        .bind(&serial_number)
        .bind(attempts);
        self.0.store.write([keep]).await?;
        Ok(())
    }

    /// The row of the mail, if there is somebody to write to and a way to do it. Pages say the same, always.
    fn mail_about(&self, wanted: &Wanted, now: Timestamp) -> Option<Statement> {
        if !wanted.tell {
            return None;
        }
        let reference = wanted.reference();
        let (Some(room), Some(email)) = (&self.0.mail, &wanted.email) else {
            tracing::info!(
                reference,
                "no mail about a revocation: no address, or mail is not set up"
            );
            return None;
        };
        let row = delete_credential_row(room, wanted, email, now);
        if row.is_none() {
            tracing::error!(reference, "a mail about a revocation could not be written");
        }
        row
    }
}

fn delete_credential_row(
    room: &Mailroom,
    wanted: &Wanted,
    email: &str,
    now: Timestamp,
) -> Option<Statement> {
    let revoked = mail::Revoked {
        first_name: &wanted.first_name,
        label: &wanted.label,
        cause: wanted.cause,
        at: now,
        issued_at: wanted.issued_at,
        language: wanted.language,
    };
    let letter = mail::delete_credential(&room.options, &room.texts, &revoked)?;
    let insert = Statement::new(
        "INSERT INTO connector_mails \
         (message_id, serial_number, template, recipient, subject, body, written_at, attempts, next_at, \
          personalisation, language) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $7, $8, $9) ON CONFLICT (serial_number, template) DO NOTHING",
    );
    Some(
        insert
            .bind(room.options.new_message_id().ok()?)
            .bind(wanted.serial_number.to_string())
            .bind(mail::DELETE_CREDENTIAL)
            .bind(email)
            .bind(letter.subject)
            .bind(letter.body)
            .bind(now)
            .bind(letter.personalisation)
            .bind(letter.language.code()),
    )
}

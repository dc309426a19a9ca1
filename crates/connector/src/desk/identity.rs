//! Step 6: who is at the desk. Once for each session, never carried to another one.
//!
//! An identity is the employee's, or it is not, or somebody who knows the employee has to look ([`super::review`]). Until
//! they have, nothing can be issued on it.

use jiff::Timestamp;
use store::{Statement, StoreError};
use url::Url;
use uuid::Uuid;

use super::come_back::Answer;
use super::journey::{Journey, sha256};
use super::review::Compared;
use super::{Decision, Desk, Person, Review, Session, StartFault};
use crate::finish::AuthorizationError;
use crate::matching::{MatchOutcome, OnRecord, compare};
use crate::{FinishError, IdentityError, Returned};

/// How a check of an identity ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// The identity is the employee's.
    Verified,
    /// It is somebody else's, as far as the host's record tells.
    Mismatch,
    /// It looks like the employee's and is written otherwise: somebody who knows them has to look. Until they have, it counts
    /// as little as somebody else's.
    Review,
    /// It has no unique identifier, or not in its form. Shown like a mismatch.
    NoUniqueIdentifier,
    /// The employee said no in the wallet, or the wallet holds none.
    Declined,
    /// The gateway did not accept it: expired, revoked, of an issuer that is not trusted.
    NotAccepted,
    /// Nobody answered in time.
    TimedOut,
    /// The gateway could not go on, or its answer is not to be believed.
    GatewayFailed,
}

impl VerifyOutcome {
    const ALL: [Self; 8] = [
        Self::Verified,
        Self::Mismatch,
        Self::Review,
        Self::NoUniqueIdentifier,
        Self::Declined,
        Self::NotAccepted,
        Self::TimedOut,
        Self::GatewayFailed,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Mismatch => "mismatch",
            Self::Review => "review",
            Self::NoUniqueIdentifier => "no-unique-identifier",
            Self::Declined => "declined",
            Self::NotAccepted => "not-accepted",
            Self::TimedOut => "timed-out",
            Self::GatewayFailed => "gateway-failed",
        }
    }

    fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// An identity was read and is not the employee's: one of the tries of this session. One to be looked at costs none,
    /// and each other one that is to be looked at does: see [`Desk::identity_row`].
    fn costs_a_try(self) -> bool {
        matches!(self, Self::Mismatch | Self::NoUniqueIdentifier)
    }

    /// The newest identity that was shown counts. Whoever shows one that is somebody else's, or not good, is no
    /// longer verified, whatever the session has seen before; whoever shows none, still is.
    fn ends_an_earlier_verification(self) -> bool {
        self.costs_a_try() || matches!(self, Self::NotAccepted | Self::Review)
    }
}

/// What a session knows of its employee's identity.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// When the identity was verified, if it was.
    pub verified_at: Option<Timestamp>,
    /// How the last check ended, and when.
    pub last: Option<(VerifyOutcome, Timestamp)>,
    /// What has to be looked at, where the last check ended in [`VerifyOutcome::Review`]; nothing any more once the record
    /// was corrected.
    pub review: Option<Review>,
    /// How many more identities may be tried that do not match.
    pub tries_left: u32,
}

/// What the gateway's answer says of who somebody is.
pub(super) enum Judged {
    /// The employee's identity.
    Theirs(Uuid),
    /// It may be theirs.
    InDoubt(Compared),
    /// Anything else.
    Not(VerifyOutcome),
}

impl Judged {
    fn outcome(&self) -> VerifyOutcome {
        match self {
            Self::Theirs(_) => VerifyOutcome::Verified,
            Self::InDoubt(_) => VerifyOutcome::Review,
            Self::Not(outcome) => *outcome,
        }
    }
}

impl Desk {
    /// Begin to check who is at the desk: the address for the browser. `return_to` is the host's word for where to go
    /// on afterwards; it comes back in [`super::Return`].
    pub async fn verify(
        &self,
        session: Session<'_>,
        return_to: Option<&str>,
    ) -> Result<Url, StartFault> {
        if self.standing(session).await?.tries_left == 0 {
            return Err(StartFault::NoMoreTries);
        }
        let connector = self.0.gateway.connector().await?;
        let started = connector.verify(&[&self.0.options.identity_type]).await?;
        self.begin_journey(session, &started.pending, return_to)
            .await?;
        Ok(started.url)
    }

    /// What this session knows.
    pub async fn standing(&self, session: Session<'_>) -> Result<Standing, StoreError> {
        let allowed = self.0.options.mismatches_allowed;
        let select = Statement::new(
            "SELECT mismatches, last_outcome, last_outcome_at, review, \
             CASE WHEN unique_identifier IS NOT NULL AND verified_at > $1 THEN verified_at END AS verified_at \
             FROM connector_identities WHERE session = $2 AND employee = $3",
        )
        .bind(self.ago(self.0.options.identity_lasts))
        .bind(sha256(session.id))
        .bind(session.employee);
        let Some(row) = self.0.store.read_one(select).await? else {
            return Ok(Standing {
                tries_left: allowed,
                ..Standing::default()
            });
        };
        let mismatches = u32::try_from(row.integer("mismatches")?).unwrap_or(u32::MAX);
        let last = row
            .optional_text("last_outcome")?
            .and_then(VerifyOutcome::parse);
        let review = match row.optional_text("review")? {
            Some(digest) if last == Some(VerifyOutcome::Review) => {
                self.review_of(session.employee, digest).await?
            }
            _ => None,
        };
        Ok(Standing {
            verified_at: row.optional_timestamp("verified_at")?,
            last: last.zip(row.optional_timestamp("last_outcome_at")?),
            review,
            tries_left: allowed.saturating_sub(mismatches),
        })
    }

    /// The session is over: what was verified in it is forgotten. To be called at log-out.
    pub async fn forget_session(&self, session_id: &str) -> Result<(), StoreError> {
        let session = sha256(session_id);
        let identity =
            Statement::new("DELETE FROM connector_identities WHERE session = $1").bind(&session);
        // An identity that is still on its way comes to nothing. A credential that is, is not forgotten: whoever is
        // collecting it goes on, and where nobody came back yet, nobody will.
        let checks = Statement::new(
            "DELETE FROM connector_journeys WHERE session = $1 AND serial_number IS NULL",
        )
        .bind(&session);
        let unused = Statement::new(
            "UPDATE connector_journeys SET ended_at = $1, pending = NULL \
             WHERE session = $2 AND used_at IS NULL AND ended_at IS NULL",
        )
        .bind(self.now())
        .bind(&session);
        // The identity last: one that is being kept just now is there by then, or finds no journey.
        self.0.store.write([checks, unused, identity]).await?;
        Ok(())
    }

    /// The host's record of who somebody is has changed: an identity that was compared with the old one no longer
    /// counts, nor does one that is on its way to be, and nobody has to look at it any more. For the host's own batch.
    pub fn identity_changed(&self, employee: &str) -> [Statement; 3] {
        let [journeys, identities] = Self::identity_ended(employee);
        let reviews = Statement::new("DELETE FROM connector_reviews WHERE employee = $1");
        [journeys, identities, reviews.bind(employee)]
    }

    /// What was verified of this employee no longer counts, nor does what is on its way to be.
    pub(super) fn identity_ended(employee: &str) -> [Statement; 2] {
        // In this order: one that is being kept just now is there by then, or finds no journey.
        [
            Statement::new(
                "DELETE FROM connector_journeys WHERE employee = $1 AND serial_number IS NULL",
            )
            .bind(employee),
            Statement::new(
                "UPDATE connector_identities SET unique_identifier = NULL, verified_at = NULL WHERE employee = $1",
            )
            .bind(employee),
        ]
    }

    /// The unique identifier of whoever was verified in this session, as long as that counts: what every credential of
    /// this session will say besides its record.
    pub async fn unique_identifier(
        &self,
        session: Session<'_>,
    ) -> Result<Option<String>, StoreError> {
        let select = Statement::new(
            "SELECT unique_identifier FROM connector_identities \
             WHERE session = $1 AND employee = $2 AND unique_identifier IS NOT NULL AND verified_at > $3",
        )
        .bind(sha256(session.id))
        .bind(session.employee)
        .bind(self.ago(self.0.options.identity_lasts));
        let row = self.0.store.read_one(select).await?;
        row.map(|row| row.text("unique_identifier").map(str::to_owned))
            .transpose()
    }

    /// Changes one row if this identity still counts in this session, and none otherwise.
    pub(super) fn still_identified(
        &self,
        session: Session<'_>,
        unique_identifier: &str,
    ) -> Statement {
        Statement::new(
            "UPDATE connector_identities SET verified_at = verified_at \
             WHERE session = $1 AND employee = $2 AND unique_identifier = $3 AND verified_at > $4",
        )
        .bind(sha256(session.id))
        .bind(session.employee)
        .bind(unique_identifier)
        .bind(self.ago(self.0.options.identity_lasts))
    }

    /// Whose identity the gateway's answer tells.
    pub(super) async fn judge(
        &self,
        answer: Answer,
        person: &Person,
        journey: &Journey,
    ) -> Result<Judged, StoreError> {
        let verified = match answer {
            Answer::Heard(Ok(Returned::Verified(verified))) => verified,
            Answer::Heard(Err(error)) => return Ok(Judged::Not(outcome_of(&error))),
            Answer::Heard(Ok(Returned::Issued(_))) | Answer::NotAsked => {
                return Ok(Judged::Not(VerifyOutcome::GatewayFailed));
            }
        };
        let identity = match verified.identity_of(&self.0.options.identity_type) {
            Ok(identity) => identity,
            Err(error) => return Ok(Judged::Not(unusable(&error))),
        };
        let on_record = OnRecord {
            first_names: &person.first_names,
            surname: &person.surname,
            known_as: person.known_as.as_deref(),
            date_of_birth: person.date_of_birth,
        };
        let comparison = compare(&on_record, &identity, self.0.options.policy);
        if comparison.is_match() {
            return Ok(Judged::Theirs(identity.unique_identifier));
        }
        let outcome = comparison.outcome;
        for reason in &comparison.why {
            tracing::info!(code = reason.code(), ?outcome, "an identity does not match");
        }
        if outcome != MatchOutcome::Review {
            return Ok(Judged::Not(VerifyOutcome::Mismatch));
        }
        let compared = Compared::new(person, &identity, comparison.why);
        let decision = self.decision_on(&journey.employee, &compared).await?;
        Ok(match decision {
            Some(Decision::Same) => Judged::Theirs(compared.unique_identifier),
            Some(Decision::NotSame) => Judged::Not(VerifyOutcome::Mismatch),
            None => Judged::InDoubt(compared),
        })
    }

    /// Ends the journey and keeps what it told. `None` when it ended before: by a log-out, or as one that was cut off.
    pub(super) async fn keep_identity(
        &self,
        journey: &Journey,
        judged: Judged,
    ) -> Result<Option<VerifyOutcome>, StoreError> {
        let write = async |judged: &Judged| {
            let now = self.now();
            // A host that gives one session's key to a second employee carries nothing over.
            let others = Statement::new(
                "DELETE FROM connector_identities WHERE session = $1 AND employee <> $2",
            )
            .bind(&journey.session)
            .bind(&journey.employee);
            let mut batch = vec![
                journey.end(now).must_change(1),
                others,
                self.identity_row(journey, judged, now),
            ];
            if let Judged::InDoubt(compared) = judged {
                batch.push(self.review_row(journey, compared, now));
            }
            self.0.store.write(batch).await
        };
        match write(&judged).await {
            Ok(_) => Ok(Some(judged.outcome())),
            Err(StoreError::Unmet { statement: 0 }) => Ok(None),
            // Journeys that began before the last try was used up do not add to the tries.
            Err(StoreError::Unmet { .. }) => {
                let outcome = VerifyOutcome::Mismatch;
                match write(&Judged::Not(outcome)).await {
                    Ok(_) => Ok(Some(outcome)),
                    Err(StoreError::Unmet { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// A second identity that is to be looked at costs a try: whoever has the wrong ones does not go through them all.
    fn identity_row(&self, journey: &Journey, judged: &Judged, now: Timestamp) -> Statement {
        let insert = "INSERT INTO connector_identities AS known \
            (session, employee, mismatches, last_outcome, last_outcome_at, unique_identifier, verified_at, expires_at, \
            review) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (session) DO UPDATE SET \
            mismatches = known.mismatches + CASE WHEN excluded.review <> known.review THEN 1 ELSE excluded.mismatches END, \
            review = COALESCE(excluded.review, known.review), \
            last_outcome = excluded.last_outcome, last_outcome_at = excluded.last_outcome_at, \
            expires_at = excluded.expires_at";
        let replaces =
            ", unique_identifier = excluded.unique_identifier, verified_at = excluded.verified_at";
        let outcome = judged.outcome();
        let (identifier, review) = match judged {
            Judged::Theirs(identifier) => (Some(identifier.to_string()), None),
            Judged::InDoubt(compared) => (None, Some(&compared.digest)),
            Judged::Not(_) => (None, None),
        };
        let is_theirs = identifier.is_some();
        let sql = if is_theirs {
            format!("{insert}{replaces} WHERE known.mismatches < $10")
        } else if outcome.ends_an_earlier_verification() {
            format!("{insert}{replaces}")
        } else {
            insert.to_owned()
        };
        let expires_at = now
            .saturating_add(self.0.options.identity_lasts)
            .unwrap_or(Timestamp::MAX);
        let statement = Statement::new(sql)
            .bind(&journey.session)
            .bind(&journey.employee)
            .bind(outcome.costs_a_try())
            .bind(outcome.code())
            .bind(now)
            .bind(identifier)
            .bind(is_theirs.then_some(now))
            .bind(expires_at)
            .bind(review);
        if is_theirs {
            statement
                .bind(self.0.options.mismatches_allowed)
                .must_change(1)
        } else {
            statement
        }
    }
}

/// What an identity that cannot be compared comes to.
fn unusable(error: &IdentityError) -> VerifyOutcome {
    match error {
        IdentityError::Missing("UniqueIdentifier")
        | IdentityError::Malformed("UniqueIdentifier") => VerifyOutcome::NoUniqueIdentifier,
        IdentityError::Missing(_) | IdentityError::Malformed(_) => {
            tracing::info!(code = "identity-incomplete", "an identity does not match");
            VerifyOutcome::Mismatch
        }
        IdentityError::NotAsked => VerifyOutcome::GatewayFailed,
    }
}

fn outcome_of(error: &FinishError) -> VerifyOutcome {
    match error {
        FinishError::Declined(_) => VerifyOutcome::Declined,
        FinishError::NotAccepted(told) if told.says_too_late() => VerifyOutcome::TimedOut,
        FinishError::NotAccepted(told) if told.says_none_held() => VerifyOutcome::Declined,
        FinishError::NotAccepted(_) => VerifyOutcome::NotAccepted,
        _ => VerifyOutcome::GatewayFailed,
    }
}

/// The contract has one code for all that the wallet's side can end with: the words beside it decide which page to
/// show, and nothing else.
impl AuthorizationError {
    pub(super) fn says_too_late(&self) -> bool {
        self.says("request expired") || self.says("answered too late")
    }

    fn says_none_held(&self) -> bool {
        self.says("the wallet has no credential")
    }

    fn says(&self, words: &str) -> bool {
        self.description
            .as_deref()
            .is_some_and(|text| text.to_ascii_lowercase().contains(words))
    }
}

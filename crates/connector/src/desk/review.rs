//! Identities that a comparison neither matched nor refused: somebody who knows the person looks, and decides.
//!
//! A decision verifies nobody (decision 0035). It says that one identity, as its credential writes it, and one record, as
//! it is written now, are of one person. Whoever shows that identity again is compared again, and found to be that person:
//! so an identity is still shown in each session, and none is carried from one session or employee to another.

use jiff::Timestamp;
use serde_json::json;
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use super::journey::{Journey, sha256};
use super::{Desk, Person};
use crate::Identity;
use crate::matching::Reason;

/// How many characters of a unique identifier are kept, by which its credential is found in a wallet.
const ENDING: usize = 4;

/// What somebody who knows the person found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Identity and record are of one person.
    Same,
    /// They are of two.
    NotSame,
}

impl Decision {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::NotSame => "not-same",
        }
    }

    /// The decision with this code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Same, Self::NotSame]
            .into_iter()
            .find(|known| known.code() == code)
    }
}

/// An identity that somebody should look at. Nothing of it can be read here but the end of its unique identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// By which it is decided.
    pub id: Uuid,
    /// The host's id of whoever showed it.
    pub employee: String,
    /// What the comparison found.
    pub why: Vec<Reason>,
    /// The last four characters of the identity's unique identifier.
    pub ends_with: String,
    /// When it was first shown.
    pub first_at: Timestamp,
    /// When it was last shown.
    pub last_at: Timestamp,
    /// What was found, and when; nothing as long as nobody has looked.
    pub decision: Option<(Decision, Timestamp)>,
}

/// An identity and a record that were compared, as they are kept.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) digest: String,
    pub(super) unique_identifier: Uuid,
    why: Vec<Reason>,
}

impl Compared {
    /// The digest is of both sides: once either is written otherwise, it is another comparison. The unique identifier in it
    /// is random, so that nobody finds the names by trying.
    pub(super) fn new(person: &Person, identity: &Identity, why: Vec<Reason>) -> Self {
        let both = json!([
            identity.unique_identifier.to_string(),
            identity.legal_first_name,
            identity.legal_surname,
            identity.birth_date.to_string(),
            person.first_names,
            person.surname,
            person.known_as,
            person.date_of_birth.map(|date| date.to_string()),
        ]);
        Self {
            digest: sha256(&both.to_string()),
            unique_identifier: identity.unique_identifier,
            why,
        }
    }

    fn ends_with(&self) -> String {
        let text = self.unique_identifier.to_string();
        text.chars().skip(text.len() - ENDING).collect()
    }
}

const COLUMNS: &str = "id, employee, why, ends_with, first_at, last_at, decision, decided_at";

impl Desk {
    /// Identities to be looked at, the longest first; behind them those of which was decided, as long as that counts. At
    /// most a thousand.
    pub async fn reviews(&self) -> Result<Vec<Review>, StoreError> {
        let select = Statement::new(format!(
            "SELECT {COLUMNS} FROM connector_reviews WHERE COALESCE(decided_at, last_at) > $1 \
             ORDER BY CASE WHEN decided_at IS NULL THEN 0 ELSE 1 END, first_at, id LIMIT 1000"
        ));
        let select = select.bind(self.ago(self.0.options.review_lasts));
        let rows = self.0.store.read(select).await?;
        rows.iter().map(read).collect()
    }

    /// The one with this id.
    pub async fn find_review(&self, id: Uuid) -> Result<Option<Review>, StoreError> {
        let select = Statement::new(format!(
            "SELECT {COLUMNS} FROM connector_reviews WHERE id = $1"
        ));
        let row = self.0.store.read_one(select.bind(id.to_string())).await?;
        row.as_ref().map(read).transpose()
    }

    /// Keep what somebody found who looked; `by` is the host's id of them. It may be decided anew. `false` where there is
    /// nothing to decide any more: the record was corrected, or the time is over.
    ///
    /// With [`Decision::Same`] the employee shows the identity once more and goes on. With [`Decision::NotSame`] it is a
    /// mismatch from now on, and whatever it verified before counts no longer.
    pub async fn decide(&self, id: Uuid, decision: Decision, by: &str) -> Result<bool, StoreError> {
        let Some(review) = self.find_review(id).await? else {
            return Ok(false);
        };
        match self
            .0
            .store
            .write(self.decided(&review, decision, by))
            .await
        {
            Ok(_) => Ok(true),
            Err(StoreError::Unmet { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What [`Desk::decide`] writes, for the host's own batch. [`StoreError::Unmet`] where it is gone by then.
    pub fn decided(&self, review: &Review, decision: Decision, by: &str) -> Vec<Statement> {
        // Before the review itself, as a callback has them.
        let mut batch = match decision {
            Decision::Same => Vec::new(),
            Decision::NotSame => Self::identity_ended(&review.employee).into(),
        };
        let decide = Statement::new(
            "UPDATE connector_reviews SET decision = $1, decided_at = $2, decided_by = $3 WHERE id = $4",
        )
        .bind(decision.code())
        .bind(self.now())
        .bind(by)
        .bind(review.id.to_string())
        .must_change(1);
        batch.push(decide);
        batch
    }

    /// What was found of this very identity and record, as long as it counts.
    pub(super) async fn decision_on(
        &self,
        employee: &str,
        compared: &Compared,
    ) -> Result<Option<Decision>, StoreError> {
        let select = Statement::new(
            "SELECT decision FROM connector_reviews WHERE employee = $1 AND compared = $2 AND decided_at > $3",
        )
        .bind(employee)
        .bind(&compared.digest)
        .bind(self.ago(self.0.options.review_lasts));
        let Some(row) = self.0.store.read_one(select).await? else {
            return Ok(None);
        };
        Ok(row.optional_text("decision")?.and_then(Decision::parse))
    }

    /// What this session was last told that somebody has to look at; nothing once the record was corrected.
    pub(super) async fn review_of(
        &self,
        employee: &str,
        digest: &str,
    ) -> Result<Option<Review>, StoreError> {
        let select = Statement::new(format!(
            "SELECT {COLUMNS} FROM connector_reviews WHERE employee = $1 AND compared = $2"
        ));
        let select = select.bind(employee).bind(digest);
        let row = self.0.store.read_one(select).await?;
        row.as_ref().map(read).transpose()
    }

    /// For the batch that keeps how a check ended. One row, however often the same is shown; a decision whose time is over
    /// is asked for anew.
    pub(super) fn review_row(
        &self,
        journey: &Journey,
        compared: &Compared,
        now: Timestamp,
    ) -> Statement {
        let why: Vec<&str> = compared.why.iter().map(|reason| reason.code()).collect();
        // One that was decided in this very moment stays so.
        Statement::new(
            "INSERT INTO connector_reviews AS known (id, employee, compared, ends_with, why, first_at, last_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (employee, compared) DO UPDATE SET \
             why = excluded.why, last_at = excluded.last_at, \
             decision = CASE WHEN known.decided_at > $7 THEN known.decision END, \
             decided_by = CASE WHEN known.decided_at > $7 THEN known.decided_by END, \
             decided_at = CASE WHEN known.decided_at > $7 THEN known.decided_at END",
        )
        .bind(Uuid::new_v4().to_string())
        .bind(&journey.employee)
        .bind(&compared.digest)
        .bind(compared.ends_with())
        .bind(why.join(" "))
        .bind(now)
        .bind(self.ago(self.0.options.review_lasts))
    }

    /// Those whose time is over.
    pub(super) fn old_reviews(&self) -> Statement {
        Statement::new("DELETE FROM connector_reviews WHERE COALESCE(decided_at, last_at) <= $1")
            .bind(self.ago(self.0.options.review_lasts))
    }
}

fn read(row: &Row) -> Result<Review, StoreError> {
    let unlike = |column: &str, wanted| StoreError::Column {
        column: column.to_owned(),
        wanted,
    };
    let decision = row.optional_text("decision")?.and_then(Decision::parse);
    Ok(Review {
        id: Uuid::try_parse(row.text("id")?).map_err(|_| unlike("id", "a UUID"))?,
        employee: row.text("employee")?.to_owned(),
        // What another version found and this one has no word for is left out.
        why: row
            .text("why")?
            .split(' ')
            .filter_map(Reason::parse)
            .collect(),
        ends_with: row.text("ends_with")?.to_owned(),
        first_at: row.timestamp("first_at")?,
        last_at: row.timestamp("last_at")?,
        decision: decision.zip(row.optional_timestamp("decided_at")?),
    })
}

//! What would be forgotten: steps of a try that the person began anew, and tokens that were refused. They are few, so
//! that a journey in which nothing goes wrong writes no row for them; everything else stands in the interaction's own
//! row.

use jiff::Timestamp;

use super::rows::Interactions;
use super::{Interaction, Outcome, Stage, Times};
use store::{Statement, StoreError};

/// Words for what happened.
pub mod word {
    /// A wallet retrieved the request object or offer.
    pub const SCANNED: &str = "scanned";
    /// The try ended with a refusal.
    pub const REFUSED: &str = "refused";
    /// The person started again.
    pub const STARTED_AGAIN: &str = "started-again";
    /// The relying party asked for the token and was refused.
    pub const TOKEN_REFUSED: &str = "token-refused";
}

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What, as a word of [`word`].
    pub word: &'static str,
    /// Why, as a code of the closed list of causes; empty where there is nothing to explain.
    pub cause: &'static str,
}

/// What a fresh start at `now` takes out of the interaction's row.
pub(super) fn past(interaction: &Interaction, now: Timestamp) -> Times {
    let step = |at, word, cause| Step { at, word, cause };
    let mut past = Vec::new();
    if let Some(at) = interaction.times.scanned {
        past.push(step(at, word::SCANNED, ""));
    }
    if let Stage::Finished {
        at,
        outcome: Outcome::Refused(refusal),
    } = interaction.stage
    {
        past.push(step(at, word::REFUSED, refusal.code()));
    }
    past.push(step(now, word::STARTED_AGAIN, ""));
    Times {
        past,
        ..Times::default()
    }
}

/// The statements that keep these steps of an interaction. The same thing in the same second is one.
pub(super) fn inserted(id: &str, steps: &[Step]) -> Vec<Statement> {
    let insert = |step: &Step| {
        Statement::new(
            "INSERT INTO interaction_steps (interaction, at, step, cause) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(step.at)
        .bind(step.word)
        .bind(step.cause)
    };
    steps.iter().map(insert).collect()
}

impl Interactions {
    /// Keeps that a token was refused, and why. Whoever can have this written has proved to be the relying party and
    /// holds a code of its own.
    pub async fn note_refused_token(
        &self,
        interaction: &Interaction,
        cause: &'static str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let step = Step {
            at,
            word: word::TOKEN_REFUSED,
            cause,
        };
        self.store
            .write(inserted(&interaction.id, &[step]))
            .await
            .map(drop)
    }
}

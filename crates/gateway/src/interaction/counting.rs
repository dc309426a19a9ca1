//! Figures of interactions: counted when a step is kept, and only then.

use std::time::Duration;

use jiff::Timestamp;

use super::overdue::Overdue;
use super::rows::Interactions;
use super::{Interaction, LIFETIME, Outcome, Purpose, Stage};
use crate::limits::Open;

impl Interactions {
    /// A new one is kept.
    pub(super) fn count_begun(&self, interaction: &Interaction) {
        self.count_stage(interaction);
    }

    /// A step is kept. What the row was before is still known.
    pub(super) fn count_step(&self, interaction: &Interaction) {
        let outcome = interaction.stage.outcome();
        if let Some(outcome) = outcome.filter(|_| outcome != interaction.recorded) {
            self.ended(interaction.purpose, &interaction.client_id, outcome);
            // A wallet that has what was asked for is no flood. A refusal is made by whoever likes to.
            if outcome == Outcome::Verified && !interaction.vouched {
                let began_at = interaction.created_at;
                self.limits
                    .remove_open(Open::Unpushed, &interaction.client_id, began_at);
            }
        }
        let stored = interaction.stored.as_ref();
        let before = stored.map(|stored| stored.stage());
        let came_before = stored.is_some_and(|stored| stored.wallet_came());
        if before == Some(interaction.stage.name()) {
            return;
        }
        self.count_stage(interaction);
        // Every stage that a wallet or a browser has brought on took its time. How long a wallet was waited for is known of
        // the first: a person who starts again spoils no average.
        let times = &interaction.times;
        let opened = interaction.expires_at - LIFETIME;
        let took = match (before, interaction.stage) {
            (Some("pushed"), Stage::Waiting) => Some((interaction.created_at, opened)),
            (Some("waiting"), Stage::Scanned { at, .. }) if !came_before => Some((opened, at)),
            (Some("scanned"), Stage::Issued { at } | Stage::Finished { at, .. }) => {
                times.scanned.map(|scanned| (scanned, at))
            }
            (Some("finished"), Stage::Collected { at, .. }) => {
                times.answered.map(|answered| (answered, at))
            }
            _ => None,
        };
        if let (Some(before), Some((from, to))) = (before, took) {
            let labels = [interaction.purpose.name(), before];
            self.metrics.stages.add(&labels, between(from, to));
        }
    }

    /// Time decided how it ended.
    pub(super) fn count_ended(&self, overdue: &Overdue, outcome: Outcome) {
        self.ended(overdue.purpose, &overdue.client_id, outcome);
    }

    /// It was wiped. `settled` is the outcome as it would have been told to whoever came in time.
    pub(super) fn count_wiped(&self, overdue: &Overdue, settled: Option<Outcome>, ended: Outcome) {
        if overdue.stage.outcome() != Some(ended) {
            self.count_ended(overdue, ended);
        }
        if matches!(settled, Some(Outcome::Verified | Outcome::Issued)) {
            let labels = [overdue.purpose.name(), overdue.client_id.as_str()];
            self.metrics.not_collected.add(&labels);
        }
    }

    fn count_stage(&self, interaction: &Interaction) {
        let stage = interaction.stage.name();
        let labels = [interaction.purpose.name(), &interaction.client_id, stage];
        self.metrics.steps.add(&labels);
    }

    fn ended(&self, purpose: Purpose, client_id: &str, outcome: Outcome) {
        let labels = [purpose.name(), client_id, outcome.name()];
        self.metrics.ended.add(&labels);
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

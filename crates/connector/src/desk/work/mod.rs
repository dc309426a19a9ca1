//! What is done behind the pages: revocations, outcomes that are not known, mails.
//!
//! Everything that is to be done is a row with the time of its next try. Whoever takes a row moves that time on first, in
//! one statement that only one process can win; whoever dies afterwards leaves the row to be taken again.

mod backlog;
mod delivery;
mod erasures;
mod holds;
mod mails;
mod may_still_hold;
mod revocations;
mod unknown;

use std::time::Duration;

use jiff::SignedDuration;
use store::StoreError;

use super::Desk;

pub use backlog::{Backlog, MailState, WaitingErasure, WaitingMail, WaitingRevocation};
pub use delivery::NotifyCallbackError;
pub use holds::{Hold, HoldReason, HoldScope};
pub use may_still_hold::{MayStillHold, NotTold};

/// How much of a kind is done before looking at the rest: mail servers count how much comes at a time.
const IN_A_ROW: usize = 10;

/// How often is looked for what is due.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks lie between two times of tidying.
const LOOKS_UNTIL_TIDY: u32 = 600;

impl Desk {
    /// There is new work: do not wait for the next look.
    pub fn wake(&self) {
        self.0.work.notify_one();
    }

    /// Do what is due now, once. True if something was done that may make more due.
    pub async fn work_once(&self) -> Result<bool, StoreError> {
        let at_the_gateway = async {
            let asked = self.ask_about_what_is_unknown().await;
            let revoked = self.revoke_what_is_wanted().await;
            Ok::<_, StoreError>(asked? | revoked?)
        };
        // Side by side: a gateway that does not answer holds up no mail, and the other way round.
        let (done, sent, told) = tokio::join!(
            at_the_gateway,
            self.send_what_is_written(),
            self.look_what_became_of_mails(),
        );
        let done = done? | sent? | told?;
        Ok(self.erase_who_is_to_be_erased().await? | done)
    }

    /// Do what is due, for ever. A failure is logged and tried again.
    pub async fn keep_working(&self) {
        let (mut looks, mut failures) = (0_u32, 0_u32);
        loop {
            if looks.is_multiple_of(LOOKS_UNTIL_TIDY)
                && let Err(error) = self.tidy().await
            {
                tracing::warn!(%error, "what has served its time could not be removed");
            }
            looks = looks.wrapping_add(1);
            match self.work_once().await {
                Ok(more) => {
                    failures = 0;
                    if more {
                        continue;
                    }
                    let _ = tokio::time::timeout(LOOK, self.0.work.notified()).await;
                }
                Err(error) => {
                    // The database's own failures last; one line a minute is enough.
                    if failures.is_multiple_of(60) {
                        tracing::error!(%error, "the desk cannot work: revocations and mails wait");
                    }
                    failures = failures.wrapping_add(1);
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }
}

/// How long to wait for the gateway after a failure that passes: a question or a revocation that it could not answer.
const FOR_THE_GATEWAY: [SignedDuration; 6] = [
    SignedDuration::from_secs(1),
    SignedDuration::from_secs(2),
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(15),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
];

/// How long to wait after so many tries; the last entry holds for all that follow.
fn pause(schedule: &[SignedDuration], attempts: i64) -> SignedDuration {
    let at = usize::try_from(attempts - 1).unwrap_or(0);
    let pause = schedule.get(at).or(schedule.last());
    pause.copied().unwrap_or_default()
}

#[cfg(test)]
mod queues_tests;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pause_holds_for_all_later_tries() {
        let schedule = [1, 5].map(SignedDuration::from_secs);
        let pauses = [0, 1, 2, 3, 400].map(|attempts| pause(&schedule, attempts).as_secs());
        assert_eq!(pauses, [1, 1, 5, 5, 5]);
    }
}

//! The short code: what a person types into a wallet that can read no QR code and take no link (screens 3.3).
//!
//! It leads where the QR code leads, and grants no more. It has only forty bits, so few of them live, and not for long:
//! one is made when the person asks for it, dies with the first wallet that comes, and at the latest with the
//! interaction. It is no part of the reference, which people read out to others.

use jiff::Timestamp;

use super::{Interaction, Stage, StepError};

impl Interaction {
    /// The person asks for a short code. Asked again, it is the same one.
    pub fn with_short_code(mut self, code: String, now: Timestamp) -> Result<Self, StepError> {
        match self.stage {
            Stage::Waiting if now < self.expires_at => {}
            Stage::Waiting => return Err(StepError::Expired),
            _ => return Err(StepError::OutOfOrder),
        }
        self.short_code.get_or_insert(code);
        Ok(self)
    }
}

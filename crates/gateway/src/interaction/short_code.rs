//! The short code: what a person types into a wallet that can read no QR code and take no link (screens 3.3).
//!
//! It leads where the QR code leads, and grants no more. It has only forty bits, so few of them live, and not for long:
//! one is made when the person asks for it, dies with the first wallet that comes, and at the latest with the
//! interaction. It is no part of the reference, which people read out to others.

use jiff::Timestamp;

use super::{Interaction, Stage, StepError};

/// Crockford's letters [base32, as people type it]: no I, L, O or U.
const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Reads what a person typed, in the form in which it is kept: `k7q2 9mfd` is `K7Q2-9MFD`, and what looks like a digit
/// is one.
pub fn parse(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|c| !matches!(c, '-' | ' '));
    let letters: String = letters
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let plain = letters.len() == 8 && letters.chars().all(|c| LETTERS.contains(c));
    plain.then(|| format!("{}-{}", &letters[..4], &letters[4..]))
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["K7Q2-9MFD", "k7q29mfd", " k7q2 9mfd ", "K-7-Q-2-9-M-F-D"] {
            assert_eq!(parse(typed).as_deref(), Some("K7Q2-9MFD"), "{typed}");
        }
        assert_eq!(parse("oil0-1111").as_deref(), Some("0110-1111"));
        for typed in [
            "",
            "K7Q2-9MF",
            "K7Q2-9MFDX",
            "K7Q2-9MFU",
            "K7Q2_9MFD",
            "ÄÖÜ",
        ] {
            assert_eq!(parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn what_is_drawn_is_what_is_read() {
        for seed in 0..100 {
            let drawn = Random::seeded(seed).reference();
            assert_eq!(parse(&drawn), Some(drawn));
        }
    }
}

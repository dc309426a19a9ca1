//! The transaction code of an issuing interaction: shown on the page of the browser that began, typed into the wallet.
//! [VCI 3.5, 6.1] On pages it is called a PIN.
//!
//! It keeps whoever has only seen or been sent the QR code from taking the credential (SEC-23). So it is in no link and
//! no offer, and three wrong guesses end the interaction.

use serde::{Deserialize, Serialize};
use standards::openid4vci::PreAuthorizedCode;

use super::Interaction;
use crate::random::Random;

/// How often a wallet may send a wrong one. With four digits, whoever guesses is right once in 3,333 times.
pub const WRONG_TRIES: u8 = 3;

/// The digits, and how often a wallet sent others.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct TransactionCode {
    digits: PreAuthorizedCode,
    wrong: u8,
}

/// What came of a wallet's try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// The digits are right.
    Right,
    /// They are not; others may be tried.
    Wrong,
    /// They are not, and that was the last try.
    WrongForGood,
}

impl TransactionCode {
    /// A new one of so many digits.
    pub fn draw(length: u8, random: &Random) -> Self {
        let digits = (0..length).map(|_| random.below(10).to_string());
        Self {
            digits: digits.collect::<String>().into(),
            wrong: 0,
        }
    }

    /// The digits, for the page.
    pub fn reveal(&self) -> &str {
        self.digits.reveal()
    }

    /// How many digits, which is no secret.
    pub fn length(&self) -> u8 {
        u8::try_from(self.reveal().len()).unwrap_or(u8::MAX)
    }

    /// Compares in constant time what a wallet sent, and counts it where it is wrong. The caller must have made the
    /// count durable before it answers, or many tries at once would all be the first.
    pub fn check(&mut self, sent: &PreAuthorizedCode) -> Tried {
        if self.wrong >= WRONG_TRIES {
            return Tried::WrongForGood;
        }
        if self.digits == *sent {
            return Tried::Right;
        }
        self.wrong += 1;
        if self.wrong < WRONG_TRIES {
            Tried::Wrong
        } else {
            Tried::WrongForGood
        }
    }
}

impl Interaction {
    /// What the person must type into the wallet, where they must.
    pub fn transaction_code(&self) -> Option<&TransactionCode> {
        self.private.as_ref()?.transaction_code.as_ref()
    }

    /// The same interaction with another transaction code, or without one.
    pub fn keep_transaction_code(&mut self, code: Option<TransactionCode>) {
        if let Some(private) = &mut self.private {
            private.transaction_code = code;
        }
    }
}

impl std::fmt::Debug for TransactionCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TransactionCode(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_has_as_many_digits_as_asked_for_and_is_never_printed() {
        let random = Random::seeded(5);
        for length in 4..=6 {
            for _ in 0..200 {
                let code = TransactionCode::draw(length, &random);
                assert_eq!(code.length(), length);
                assert!(code.reveal().bytes().all(|digit| digit.is_ascii_digit()));
                assert!(!format!("{code:?}").contains(code.reveal()));
            }
        }
    }

    /// SEC-23.
    #[test]
    fn sec_23_after_three_wrong_tries_the_right_one_comes_too_late() {
        let mut code = TransactionCode::draw(4, &Random::seeded(5));
        let right = code.reveal().to_owned();
        let mut check = |sent: &str| code.check(&sent.to_owned().into());
        assert_eq!(check("x"), Tried::Wrong);
        assert_eq!(check(&right), Tried::Right);
        assert_eq!(check(""), Tried::Wrong);
        assert_eq!(check(&format!("{right}0")), Tried::WrongForGood);
        assert_eq!(check(&right), Tried::WrongForGood);
    }

    #[test]
    fn the_count_is_kept_with_the_digits() {
        let mut code = TransactionCode::draw(6, &Random::seeded(5));
        code.check(&"x".to_owned().into());
        let kept = serde_json::to_string(&code).unwrap();
        assert_eq!(
            serde_json::from_str::<TransactionCode>(&kept).unwrap(),
            code
        );
    }
}

//! Random tokens, their digests, and references that a person can read out.

use aws_lc_rs::digest::{SHA256, digest};

/// No randomness is to be had: nothing may go on.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random values")]
pub(crate) struct NoRandomness;

/// 256 random bits, in hexadecimal.
pub(crate) fn random() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(hex::encode(bytes))
}

/// SHA-256, in hexadecimal: what is kept of a token or of a user name that was typed.
pub(crate) fn digest_of(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// Whether two tokens are the same, in a time that does not tell where they differ. Nothing equals nothing.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    !one.is_empty()
        && aws_lc_rs::constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes())
            .is_ok()
}

/// Digits and letters that nobody mistakes for one another [Crockford].
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The same for the same thing, so that a page loaded again shows it again; and the same that the desk's lines have.
pub(crate) use connector::desk::reference_of;

/// A reference of its own for something that has no other name.
pub(crate) fn fresh_reference() -> Result<String, NoRandomness> {
    random().map(|token| reference_of(&token))
}

/// Whether a text can be a reference.
pub(crate) fn is_reference(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 9
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 => *byte == b'-',
            _ => LETTERS.contains(byte),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_never_the_same_twice_and_equals_only_itself() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
        assert!(is_same(&one, &one));
        assert!(!is_same(&one, &other));
        assert!(!is_same("", ""));
    }

    #[test]
    fn a_reference_can_be_read_out_and_is_the_same_for_the_same_thing() {
        let reference = reference_of("one");
        assert!(is_reference(&reference), "{reference}");
        assert_eq!(reference, reference_of("one"));
        assert_ne!(reference, reference_of("other"));
        for text in ["", "K7Q29MFD", "K7Q2-9MF", "K7Q2-9MFI", "<b>2-9MFD"] {
            assert!(!is_reference(text), "{text}");
        }
    }
}

//! How lines of the log and pages name what they must not name: a serial number leads whoever has it to a person's
//! credential at the gateway.

use aws_lc_rs::digest::{SHA256, digest};

/// Digits and letters that nobody mistakes for one another [Crockford].
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `K7Q2-9MFD`: the same for the same thing, so that it is found again by whoever has the thing. It tells nothing of it.
///
/// The desk's lines about a credential carry that of its serial number (in lower case, with hyphens).
pub fn reference_of(thing: &str) -> String {
    let digest = digest(&SHA256, format!("reference:{thing}").as_bytes());
    let letters = digest.as_ref().iter().take(8);
    let mut text: String = letters
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    text.insert(4, '-');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As docs/operate/portal.md works it out in a shell.
    #[test]
    fn the_reference_of_a_serial_number_is_the_one_that_the_operators_page_works_out() {
        let serial_number = "7f1c3a52-9f0e-4c8d-8b61-0c5d2f9e4a10";
        assert_eq!(reference_of(serial_number), "T6BR-5RQF");
        assert_ne!(reference_of(""), reference_of(serial_number));
    }
}

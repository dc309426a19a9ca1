//! Codes of authenticator apps [RFC 6238], in the one form that all of them know: HMAC-SHA-1, six digits, thirty seconds.
//!
//! SHA-1 is no weakness here: what HMAC needs of it still holds [RFC 6238 B], and apps ignore another algorithm in the
//! address and make wrong codes.

use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::random::Random;

/// How long one code is the current one, in seconds [RFC 6238 5.2].
const STEP: i64 = 30;
/// How many steps a clock may be off, each way [RFC 6238 6].
const WINDOW: i64 = 1;
/// How many digits a code has.
const DIGITS: usize = 6;
/// 160 bits, as long as what SHA-1 gives [RFC 4226 4].
const LENGTH: usize = 20;

/// What an authenticator app and the gateway both know.
pub(crate) struct Totp(Zeroizing<Vec<u8>>);

impl Totp {
    /// A secret that nobody knows yet.
    pub(crate) fn new(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes::<LENGTH>().to_vec()))
    }

    /// One that was kept.
    pub(crate) fn of(secret: Zeroizing<Vec<u8>>) -> Self {
        Self(secret)
    }

    /// The bytes, to be sealed.
    pub(crate) fn secret(&self) -> &[u8] {
        &self.0
    }

    /// The secret as people type it over: Base32 without padding [RFC 4648 6].
    pub(crate) fn as_text(&self) -> String {
        base32(&self.0)
    }

    /// What the QR code holds: `otpauth://totp/ISSUER:NAME?secret=…&issuer=ISSUER`.
    pub(crate) fn address(&self, issuer: &str, name: &str) -> String {
        let encode = |text: &str| {
            let mut encoded = String::new();
            for byte in text.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    encoded.push(char::from(byte));
                } else {
                    // A `String` takes everything.
                    let _ = write!(encoded, "%{byte:02X}");
                }
            }
            encoded
        };
        let (issuer, name) = (encode(issuer), encode(name));
        format!(
            "otpauth://totp/{issuer}:{name}?secret={}&issuer={issuer}",
            self.as_text()
        )
    }

    /// The step of which this is the code: one about now, and later than `after`. All are looked at, whichever it is.
    pub(crate) fn step_of(&self, code: &str, now: Timestamp, after: i64) -> Option<i64> {
        let current = now.as_second().div_euclid(STEP);
        let mut found = None;
        for step in current - WINDOW..=current + WINDOW {
            let is_same = verify_slices_are_equal(self.code_at(step).as_bytes(), code.as_bytes());
            if is_same.is_ok() && step > after {
                found = Some(step);
            }
        }
        found
    }

    /// The code of one step [RFC 4226 5.3].
    fn code_at(&self, step: i64) -> String {
        code(&self.0, step, DIGITS)
    }

    /// The code of that moment, as an app would show it. For tests.
    #[must_use]
    pub(crate) fn code_now(&self, now: Timestamp) -> String {
        self.code_at(now.as_second().div_euclid(STEP))
    }
}

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Totp(…)")
    }
}

/// What an app shows at that moment for a secret as [`Totp::as_text`] writes it; nothing where it is none. For tests and for
/// programs that stand in for an app.
#[must_use]
pub fn code_of(text: &str, now: Timestamp) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(Totp::of(Zeroizing::new(bytes)).code_now(now))
}

fn code(secret: &[u8], step: i64, digits: usize) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let mut number = [0; 4];
    number.copy_from_slice(&tag[offset..offset + 4]);
    let number = u32::from_be_bytes(number) & 0x7fff_ffff;
    let text = format!("{number:010}");
    text[text.len() - digits..].to_owned()
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// [RFC 4648 6] without padding, which apps do not want.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut bits, mut held) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(BASE32[(bits >> held & 31) as usize]));
        }
    }
    if held > 0 {
        text.push(char::from(BASE32[(bits << (5 - held) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn known() -> Totp {
        Totp::of(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    /// [RFC 6238 B]
    #[test]
    fn the_codes_are_those_of_the_standard() {
        for (second, digits) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code(b"12345678901234567890", second / 30, 8), digits);
            assert_eq!(known().code_now(at(second)), digits[2..]);
        }
    }

    /// [RFC 4648 10]
    #[test]
    fn a_secret_is_written_as_the_standard_has_it() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        let totp = Totp::new(&Random::seeded(1));
        assert_eq!(totp.as_text().len(), 32);
        let now = at(1_800_000_000);
        assert_eq!(code_of(&totp.as_text(), now), Some(totp.code_now(now)));
        assert_eq!(code_of("not base32", now), None);
    }

    #[test]
    fn a_code_counts_for_a_step_before_and_after_and_no_step_twice() {
        let totp = known();
        let code = totp.code_now(at(900));
        for (second, counts) in [
            (869, false),
            (870, true),
            (900, true),
            (959, true),
            (960, false),
        ] {
            let found = totp.step_of(&code, at(second), i64::MIN);
            assert_eq!(found, counts.then_some(30), "{second}");
        }
        assert_eq!(totp.step_of(&code, at(900), 29), Some(30));
        assert_eq!(totp.step_of(&code, at(900), 30), None);
        for wrong in ["", "1", "000000", "0000000"] {
            assert_eq!(totp.step_of(wrong, at(900), i64::MIN), None, "{wrong}");
        }
    }

    #[test]
    fn the_address_is_the_one_that_apps_read_and_nothing_leaves_its_place() {
        let address = known().address("Lanyard gw.example", "ann&secret=A");
        assert_eq!(
            address,
            "otpauth://totp/Lanyard%20gw.example:ann%26secret%3DA?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Lanyard%20gw.example"
        );
        assert_eq!(format!("{:?}", known()), "Totp(…)");
    }
}

//! Signing what is posted to a receiver of events. [Standard Webhooks]

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The header with the event's id.
pub const ID: &str = "webhook-id";
/// The header with the time of the attempt.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// Each header that a receiver checks, and what it says: for descriptions.
pub const HEADERS: [(&str, &str); 3] = [
    (ID, "The event's id: the same one again is the same event."),
    (
        TIMESTAMP,
        "When this attempt was made, in seconds since 1970.",
    ),
    (
        SIGNATURE,
        "`v1,` and the HMAC-SHA256, in base64, of id, timestamp and body with full stops between; several with \
         spaces between while the secret changes.",
    ),
];

/// Begins a secret, so that everybody who meets one knows what it is.
const PREFIX: &str = "whsec_";
/// How long a secret may be [Standard Webhooks, symmetric keys].
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// During a change of secrets two sign; nobody needs more than three.
const MOST_SECRETS: usize = 3;

/// The secrets that sign for one receiver: one, or during a change two or three. Debug prints none.
pub struct SigningSecrets(Vec<hmac::Key>);

/// Why these are no secrets to sign with. Says nothing of what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningSecretsError {
    /// None, or more than anybody needs.
    #[error("name one secret, or during a change two or three")]
    Count,
    /// One of them was not generated as a secret.
    #[error("use whsec_ and the base64 of 24 to 64 random bytes")]
    Malformed,
}

impl SigningSecrets {
    /// Reads them as they are written: `whsec_` and base64.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, SigningSecretsError> {
        let keys = texts.into_iter().map(|text| {
            let bytes = decode(text).ok_or(SigningSecretsError::Malformed)?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        });
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() || keys.len() > MOST_SECRETS {
            return Err(SigningSecretsError::Count);
        }
        Ok(Self(keys))
    }

    /// The value of `webhook-signature`: one signature for each secret, for the receiver to find its own.
    #[must_use]
    pub fn signatures(&self, id: &str, timestamp: i64, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let signatures = self.0.iter().map(|secret| {
            let tag = hmac::sign(secret, signed.as_bytes());
            format!("v1,{}", STANDARD.encode(tag))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecrets(…)")
    }
}

/// The bytes of a secret as it is written.
#[must_use]
pub fn decode(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?);
    LENGTHS.contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(texts: &[&str]) -> Result<SigningSecrets, SigningSecretsError> {
        SigningSecrets::read(texts.iter().copied())
    }

    /// The specification's own example.
    #[test]
    fn a_signature_is_the_one_that_the_specification_gives() {
        let signatures = read(&[SECRET]).unwrap().signatures(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signatures,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn during_a_change_of_secrets_both_sign() {
        let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let both = read(&[SECRET, other]).unwrap().signatures("a", 1, "{}");
        let each = [SECRET, other].map(|one| read(&[one]).unwrap().signatures("a", 1, "{}"));
        assert_eq!(both, each.join(" "));
        assert_ne!(each[0], each[1]);
    }

    #[test]
    fn a_secret_that_nobody_generated_is_refused() {
        let short = format!("whsec_{}", STANDARD.encode("hunter2"));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for (secrets, why) in [
            (&[][..], SigningSecretsError::Count),
            (&[SECRET; 4], SigningSecretsError::Count),
            (&["hunter2"], SigningSecretsError::Malformed),
            (
                &["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                SigningSecretsError::Malformed,
            ),
            (&["whsec_"], SigningSecretsError::Malformed),
            (&["whsec_not base64"], SigningSecretsError::Malformed),
            (&[&short], SigningSecretsError::Malformed),
            (&[SECRET, &long], SigningSecretsError::Malformed),
        ] {
            assert_eq!(read(secrets).unwrap_err(), why, "{secrets:?}");
        }
    }
}

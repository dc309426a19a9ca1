//! Where a relying party is told of events, and the secrets that sign what it is told. [Standard Webhooks]

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use zeroize::Zeroizing;

use crate::config::{ConfigError, WebhookConfig};

/// Begins a secret, so that everybody who meets one knows what it is.
const PREFIX: &str = "whsec_";
/// How long a secret may be [Standard Webhooks, symmetric keys].
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// During a change of secrets two sign; nobody needs more than three.
const MOST_SECRETS: usize = 3;

/// A receiver of events.
pub struct Webhook {
    /// Where events are posted.
    pub url: Url,
    secrets: Vec<hmac::Key>,
}

impl Webhook {
    /// Checks what the configuration says; `fault` names the relying party.
    pub(super) fn load(
        entry: &WebhookConfig,
        fault: &impl Fn(&str, String) -> ConfigError,
    ) -> Result<Self, ConfigError> {
        let count = entry.secrets.len();
        if count == 0 || count > MOST_SECRETS {
            let reason = "name one secret, or during a change two or three";
            return Err(fault("webhook.secrets", reason.to_owned()));
        }
        let secrets = entry.secrets.iter().map(|secret| {
            let bytes = decode(&secret.read()?).ok_or_else(|| {
                let reason = "use whsec_ and the base64 of 24 to 64 random bytes";
                fault("webhook.secrets", reason.to_owned())
            })?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        });
        Ok(Self {
            url: entry.url.clone(),
            secrets: secrets.collect::<Result<_, ConfigError>>()?,
        })
    }

    /// The value of `webhook-signature`: one signature for each secret, for the receiver to find its own.
    pub fn signatures(&self, id: &str, timestamp: i64, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let signatures = self.secrets.iter().map(|secret| {
            let tag = hmac::sign(secret, signed.as_bytes());
            format!("v1,{}", STANDARD.encode(tag))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

/// The address may hold a word that only its receiver should know.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

/// The bytes of a secret as it is written.
pub(crate) fn decode(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?);
    LENGTHS.contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Secret;

    fn load(secrets: &[&str]) -> Result<Webhook, ConfigError> {
        let held = |text: &&str| Secret::Held(Zeroizing::new((*text).to_owned()));
        let entry = WebhookConfig {
            url: "https://portal.example/events".parse().unwrap(),
            secrets: secrets.iter().map(held).collect(),
        };
        Webhook::load(&entry, &|key, reason| ConfigError::value(key, reason))
    }

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The specification's own example.
    #[test]
    fn a_signature_is_the_one_that_the_specification_gives() {
        let signatures = load(&[SECRET]).unwrap().signatures(
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
        let both = load(&[SECRET, other]).unwrap().signatures("a", 1, "{}");
        let each = [SECRET, other].map(|one| load(&[one]).unwrap().signatures("a", 1, "{}"));
        assert_eq!(both, each.join(" "));
        assert_ne!(each[0], each[1]);
    }

    #[test]
    fn a_secret_that_nobody_generated_is_refused_and_not_quoted() {
        let short = format!("whsec_{}", STANDARD.encode("hunter2"));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for secrets in [
            &[][..],
            &["hunter2"],
            &["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            &["whsec_"],
            &["whsec_not base64"],
            &[&short],
            &[&long],
            &[SECRET; 4],
        ] {
            let refused = load(secrets).unwrap_err().to_string();
            assert!(refused.starts_with("webhook.secrets"), "{refused}");
            assert!(
                !refused.contains("hunter2") && !refused.contains("MfKQ"),
                "{refused}"
            );
        }
    }
}

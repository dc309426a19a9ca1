//! Where a relying party is told of events, and the secrets that sign what it is told. [Standard Webhooks]

use std::fmt;

use standards::webhook::SigningSecrets;
use url::Url;

use crate::config::{ConfigError, WebhookConfig};

/// A receiver of events.
pub struct Webhook {
    /// Where events are posted.
    pub url: Url,
    secrets: SigningSecrets,
}

impl Webhook {
    /// Checks what the configuration says; `fault` names the relying party.
    pub(super) fn load(
        entry: &WebhookConfig,
        fault: &impl Fn(&str, String) -> ConfigError,
    ) -> Result<Self, ConfigError> {
        let texts = entry.secrets.iter().map(crate::config::Secret::read);
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        let secrets = SigningSecrets::read(texts.iter().map(|text| text.as_str()))
            .map_err(|error| fault("webhook.secrets", error.to_string()))?;
        Ok(Self {
            url: entry.url.clone(),
            secrets,
        })
    }

    /// The value of `webhook-signature`: one signature for each secret, for the receiver to find its own.
    pub fn signatures(&self, id: &str, timestamp: i64, body: &str) -> String {
        self.secrets.signatures(id, timestamp, body)
    }
}

/// The address may hold a word that only its receiver should know.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use zeroize::Zeroizing;

    use super::*;
    use crate::config::Secret;

    #[test]
    fn a_secret_that_nobody_generated_is_refused_and_not_quoted() {
        for secrets in [&[][..], &["hunter2"], &["whsec_hunter2"]] {
            let held = |text: &&str| Secret::Held(Zeroizing::new((*text).to_owned()));
            let entry = WebhookConfig {
                url: "https://portal.example/events".parse().unwrap(),
                secrets: secrets.iter().map(held).collect(),
            };
            let loaded = Webhook::load(&entry, &|key, reason| ConfigError::value(key, reason));
            let refused = loaded.unwrap_err().to_string();
            assert!(refused.starts_with("webhook.secrets"), "{refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}

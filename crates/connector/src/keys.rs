//! The gateway's keys, kept between ID tokens.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use standards::jose::{Jwk, JwkSet};
use tokio::sync::Mutex;
use url::Url;

use crate::fault::{Endpoint, GatewayFault};
use crate::http::{Http, Request};

/// A key that the gateway has withdrawn is believed for this long at most.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

pub(crate) struct Keys {
    jwks_uri: Url,
    /// Held while fetching, so that many journeys at once make one request.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    set: JwkSet,
    fetched_at: Timestamp,
}

impl Keys {
    pub(crate) fn new(jwks_uri: Url) -> Self {
        Self {
            jwks_uri,
            kept: Mutex::new(None),
        }
    }

    /// The key of this id. An unknown id means that the gateway may have a new key since: the set
    /// is fetched once more, and only once [OIDC Core 10.1.1].
    pub(crate) async fn find(
        &self,
        http: &Http,
        kid: &str,
        now: Timestamp,
    ) -> Result<Option<Jwk>, GatewayFault> {
        let mut kept = self.kept.lock().await;
        let young = |kept: &Kept| {
            let age = now.duration_since(kept.fetched_at);
            !age.is_negative() && age < KEPT_FOR
        };
        if let Some(kept) = kept.as_ref().filter(|kept| young(kept))
            && let Some(key) = kept.set.find(kid)
        {
            return Ok(Some(key.clone()));
        }
        let set = self.fetch(http).await?;
        let key = set.find(kid).cloned();
        *kept = Some(Kept {
            set,
            fetched_at: now,
        });
        Ok(key)
    }

    async fn fetch(&self, http: &Http) -> Result<JwkSet, GatewayFault> {
        let endpoint = Endpoint::Keys;
        let document: Value = http
            .send(Request::fetch(self.jwks_uri.clone()))
            .await
            .map_err(|source| GatewayFault::Unreachable { endpoint, source })?
            .when(reqwest::StatusCode::OK, endpoint)?
            .json(endpoint)?;
        JwkSet::parse(&document).map_err(|_| GatewayFault::AgainstContract {
            endpoint,
            what: "it is not a set of public keys",
        })
    }
}

//! A relying party with keys of its own, and the assertions that it signs in with.

use std::sync::Arc;

use gateway::config::RelyingPartyConfig;
use gateway::organisation::dialect::Dialect;
use gateway::organisation::relying_party::AuthMethod;
use serde_json::{Map, Value, json};
use standards::jose::hmac_key::HmacKey;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, JwkSet, Signer, SoftwareKey};

use crate::world::{Answer, Form, Party, REDIRECT_URI, World};

pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client of `private_key_jwt`, as it stands in the configuration and as it behaves.
pub(crate) struct Keyed {
    pub(crate) client_id: &'static str,
    pub(crate) key: SoftwareKey,
}

impl Keyed {
    pub(crate) fn new(client_id: &'static str, algorithm: Algorithm) -> Self {
        let key = SoftwareKey::generate(algorithm).unwrap();
        Self { client_id, key }
    }

    /// Its public keys.
    pub(crate) fn jwks(&self) -> Value {
        JwkSet::new([self.key.public_jwk().clone()]).to_value()
    }

    /// As it is registered.
    pub(crate) fn registered(&self) -> RelyingPartyConfig {
        RelyingPartyConfig {
            token_endpoint_auth_method: Some(AuthMethod::PrivateKeyJwt),
            jwks: Some(self.jwks()),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            ..RelyingPartyConfig::new(self.client_id, self.client_id, Dialect::Plain)
        }
    }

    /// A world in which it is registered.
    pub(crate) async fn world(&self) -> World {
        World::start_changed(|config| {
            let organisation = &mut config.organisations[0];
            organisation.relying_parties.push(self.registered());
        })
        .await
    }

    /// The same client as the world's own parties are; it has no secret and no shared key.
    pub(crate) fn party(&self) -> Party {
        Party {
            client_id: self.client_id.to_owned(),
            secret: String::new(),
            signing_key: Arc::new(HmacKey::generate().unwrap()),
            organisation: "anytown",
            dialect: Dialect::Plain,
        }
    }

    /// Good claims of an assertion; `change` may spoil them.
    pub(crate) fn claims(
        &self,
        world: &World,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Map<String, Value> {
        let now = world.now().as_second();
        let claims = json!({
            "iss": self.client_id, "sub": self.client_id, "aud": world.url(""), "jti": uuid::Uuid::new_v4(),
            "iat": now, "exp": now + 60,
        });
        let mut claims = claims.as_object().unwrap().clone();
        change(&mut claims);
        claims
    }

    /// An assertion.
    pub(crate) fn assertion(
        &self,
        world: &World,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> String {
        let claims = self.claims(world, change);
        jws::sign_now(&self.key, ProtectedHeader::untyped(), &claims).unwrap()
    }

    /// Pushes a request with that assertion.
    pub(crate) async fn push(&self, world: &World, assertion: &str) -> Answer {
        world
            .push(&self.party(), |form| sign_in(form, assertion))
            .await
    }

    /// Calls the token endpoint with a fresh assertion.
    pub(crate) async fn token(&self, world: &World, change: impl FnOnce(&mut Form)) -> Answer {
        let assertion = self.assertion(world, |_| ());
        let change = |form: &mut Form| {
            sign_in(form, &assertion);
            change(form);
        };
        world.token(&self.party(), change).await
    }
}

/// Puts an assertion where a secret was.
pub(crate) fn sign_in(form: &mut Form, assertion: &str) {
    form.remove("client_secret");
    form.set("client_assertion_type", ASSERTION_TYPE);
    form.set("client_assertion", assertion);
}

/// A secret as a configuration has it.
pub(crate) fn digest(secret: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    hex::encode(digest)
}

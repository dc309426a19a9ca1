//! A system that may use the gateway: how it proves who it is, what checks its drafts, what its ID tokens are signed
//! with. What contradicts itself in the configuration stops the start.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use standards::jose::HmacKey;
use standards::oauth::RedirectUri;
use subtle::ConstantTimeEq;
use url::Url;

use super::client_keys::ClientKeys;
use super::dialect::{Dialect, Rules};
use super::webhook::Webhook;
use super::{ClientSecret, Organisation};
use crate::config::{CancelError, Config, ConfigError, RelyingPartyConfig, TransactionCodeRule};
use crate::limits::ClientLimits;

/// How a client authenticates, by its registered name. [OIDC Core 9]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Its secret, in the `Authorization` header.
    ClientSecretBasic,
    /// Its secret, in the form.
    ClientSecretPost,
    /// A JWT signed with a key of its own. [RFC 7523]
    PrivateKeyJwt,
}

/// What ID tokens can be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdTokenAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// A system that may use the gateway.
pub struct RelyingParty {
    /// What pages call it.
    pub name: String,
    /// OAuth client id.
    pub client_id: String,
    /// The organisation that it acts for.
    pub organisation: Arc<Organisation>,
    /// Which contract it speaks.
    pub dialect: Dialect,
    /// What it hears when the person said no.
    pub cancel_error: CancelError,
    /// What its ID tokens are signed with.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// What checks the signature of its drafts.
    pub draft_keys: DraftKeys,
    /// Where it is told of events, if it is.
    pub webhook: Option<Webhook>,
    /// Takes no authorization request but a pushed one [RFC 9126 6].
    pub pushes_only: bool,
    /// How much it may ask.
    pub limits: ClientLimits,
    /// How many digits the transaction code has that a wallet must send for what it issues; none where there is none.
    pub transaction_code: Option<u8>,
    auth_method: Option<AuthMethod>,
    redirect_uris: Vec<RedirectUri>,
    secrets: Vec<KnownSecret>,
}

/// A secret that this relying party may prove itself with.
struct KnownSecret {
    digest: [u8; 32],
    /// Of one that the gateway made.
    id: Option<String>,
    ends_at: Option<Timestamp>,
}

/// That somebody knew a live secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof<'a> {
    /// Which, where the gateway made it.
    pub secret: Option<&'a str>,
}

/// What checks the signature of a client's drafts. Each client has one way, so that a public key can never be taken
/// for a shared one (SEC-15).
pub enum DraftKeys {
    /// It only verifies.
    None,
    /// A key that client and gateway share.
    Shared(HmacKey),
    /// The client's own public keys; they check its client assertions, too.
    Own(ClientKeys),
}

impl RelyingParty {
    /// The rules of its dialect.
    pub fn rules(&self) -> &'static Rules {
        self.dialect.rules()
    }

    /// Whether it authenticates in this way.
    pub fn authenticates_with(&self, method: AuthMethod) -> bool {
        match self.auth_method {
            Some(registered) => registered == method,
            None => method != AuthMethod::PrivateKeyJwt,
        }
    }

    /// Its own public keys, if it has any.
    pub fn own_keys(&self) -> Option<&ClientKeys> {
        match &self.draft_keys {
            DraftKeys::Own(keys) => Some(keys),
            DraftKeys::None | DraftKeys::Shared(_) => None,
        }
    }

    /// Compares a secret with all that are registered, in constant time (rulings 23).
    pub fn knows(&self, secret: &str, now: Timestamp) -> Option<Proof<'_>> {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        let mut proof = None;
        for known in &self.secrets {
            let is_live = known.ends_at.is_none_or(|end| now < end);
            if bool::from(known.digest.ct_eq(digest.as_ref())) && is_live {
                proof = Some(Proof {
                    secret: known.id.as_deref(),
                });
            }
        }
        proof
    }

    /// Whether it proves itself by a secret.
    pub fn has_secrets(&self) -> bool {
        self.auth_method != Some(AuthMethod::PrivateKeyJwt)
    }

    /// Whether there is one that counts.
    pub fn has_live_secret(&self, now: Timestamp) -> bool {
        self.secrets
            .iter()
            .any(|known| known.ends_at.is_none_or(|end| now < end))
    }

    /// The registered redirect URIs, in the configuration's order.
    pub fn redirect_uris(&self) -> &[RedirectUri] {
        &self.redirect_uris
    }

    /// The registered redirect URI that is `sent`, byte for byte (SEC-02).
    pub fn redirect_uri(&self, sent: &str) -> Option<&RedirectUri> {
        self.redirect_uris
            .iter()
            .find(|registered| registered.as_str() == sent)
    }

    /// Checks what the configuration says of it.
    pub(super) fn load(
        organisation: &Arc<Organisation>,
        entry: &RelyingPartyConfig,
        made: &[ClientSecret],
        config: &Config,
    ) -> Result<Self, ConfigError> {
        let fault = |key: &str, reason: String| {
            ConfigError::value(format!("relying party {}: {key}", entry.client_id), reason)
        };
        let usable = |b: u8| b.is_ascii_graphic() && b != b':';
        if entry.client_id.is_empty() || !entry.client_id.bytes().all(usable) {
            let reason = "use printable ASCII without spaces and colons";
            return Err(fault("client_id", reason.into()));
        }
        if entry.cancel_error == CancelError::UserCancelled
            && !matches!(entry.dialect, Dialect::V1A | Dialect::V1B)
        {
            let reason =
                "user_cancelled is for the dialects v1-a and v1-b; others know access_denied";
            return Err(fault("cancel_error", reason.into()));
        }
        if entry.redirect_uris.is_empty() {
            return Err(fault("redirect_uris", "name at least one".into()));
        }
        let redirect_uris = entry.redirect_uris.iter().map(|uri| {
            RedirectUri::parse(uri)
                .map_err(|error| fault("redirect_uris", format!("{uri}: {error}")))
        });
        let secrets = entry.client_secret_sha256.iter().map(|digest| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(digest, &mut bytes)
                .map_err(|_| fault("client_secret_sha256", "use 64 hexadecimal digits".into()))?;
            Ok::<_, ConfigError>(KnownSecret {
                digest: bytes,
                id: None,
                ends_at: None,
            })
        });
        let made = made.iter().map(|made| {
            Ok(KnownSecret {
                digest: made.digest,
                id: Some(made.id.clone()),
                ends_at: made.ends_at,
            })
        });
        let draft_keys = draft_keys(entry, &config.public_url, &fault)?;
        let webhook = entry.webhook.as_ref();
        let webhook = webhook
            .map(|entry| Webhook::load(entry, &fault))
            .transpose()?;
        check_auth_method(entry, &draft_keys)
            .map_err(|(key, reason)| fault(key, reason.to_owned()))?;
        Ok(Self {
            name: entry.name.clone(),
            client_id: entry.client_id.clone(),
            organisation: organisation.clone(),
            dialect: entry.dialect,
            cancel_error: entry.cancel_error,
            id_token_algorithm: id_token_algorithm(entry)
                .map_err(|reason| fault("id_token_signed_response_alg", reason.to_owned()))?,
            draft_keys,
            webhook,
            pushes_only: entry.require_pushed_authorization_requests,
            limits: config.limits.client.with(&entry.limits),
            transaction_code: transaction_code(entry)
                .map_err(|reason| fault("transaction_code_length", reason.to_owned()))?,
            auth_method: entry.token_endpoint_auth_method,
            redirect_uris: redirect_uris.collect::<Result<_, _>>()?,
            secrets: secrets.chain(made).collect::<Result<_, _>>()?,
        })
    }
}

/// Fewer digits are guessed, more are a puzzle to type over [WCAG 3.3.8].
fn transaction_code(entry: &RelyingPartyConfig) -> Result<Option<u8>, &'static str> {
    let length = entry.transaction_code_length;
    if !(4..=6).contains(&length) {
        return Err("use 4, 5 or 6");
    }
    Ok(match entry.transaction_code {
        TransactionCodeRule::None => None,
        TransactionCodeRule::Page => Some(length),
    })
}

fn draft_keys(
    entry: &RelyingPartyConfig,
    public_url: &Url,
    fault: &impl Fn(&str, String) -> ConfigError,
) -> Result<DraftKeys, ConfigError> {
    let own = match (&entry.jwks, &entry.jwks_uri) {
        (None, None) => None,
        (Some(set), None) => {
            let keys = ClientKeys::registered(set);
            Some(keys.map_err(|error| fault("jwks", error.to_string()))?)
        }
        (None, Some(address)) => {
            check_address(address, public_url)
                .map_err(|reason| fault("jwks_uri", reason.to_owned()))?;
            Some(ClientKeys::published(address.clone()))
        }
        // [OIDC Registration 2] They must not be used together.
        (Some(_), Some(_)) => {
            return Err(fault("jwks_uri", "say jwks or jwks_uri, not both".into()));
        }
    };
    match (own, &entry.signing_key) {
        (None, None) => Ok(DraftKeys::None),
        (None, Some(secret)) => HmacKey::parse(&secret.read()?)
            .map(DraftKeys::Shared)
            .map_err(|error| fault("signing_key", error.to_string())),
        (Some(_), None) if entry.dialect.rules().legacy => {
            let reason =
                "the older contracts sign drafts with a signing_key; clients with keys are plain";
            Err(fault("jwks", reason.into()))
        }
        (Some(keys), None) => Ok(DraftKeys::Own(keys)),
        (Some(_), Some(_)) => {
            let reason = "a client signs its drafts in one way: signing_key, or the keys of jwks or jwks_uri";
            Err(fault("signing_key", reason.into()))
        }
    }
}

fn check_address(address: &Url, public_url: &Url) -> Result<(), &'static str> {
    // A gateway at http is a sandbox; what may be fetched over http there, the outbound client knows (rulings 15).
    let allowed = match address.scheme() {
        "https" => true,
        "http" => public_url.scheme() == "http",
        _ => false,
    };
    if !allowed {
        return Err("it must begin with https://");
    }
    let named = !address.username().is_empty() || address.password().is_some();
    if named || address.fragment().is_some() {
        return Err("leave out user name, password and fragment");
    }
    Ok(())
}

fn check_auth_method(
    entry: &RelyingPartyConfig,
    draft_keys: &DraftKeys,
) -> Result<(), (&'static str, &'static str)> {
    const METHOD: &str = "token_endpoint_auth_method";
    const SECRET: &str = "client_secret_sha256";
    let method = entry.token_endpoint_auth_method;
    let has_secret = !entry.client_secret_sha256.is_empty();
    // The gateway makes its secrets, now or later.
    let may_have_one = has_secret || entry.registered;
    match method {
        Some(AuthMethod::ClientSecretBasic | AuthMethod::PrivateKeyJwt)
            if entry.dialect.rules().legacy =>
        {
            Err((METHOD, "the older contracts know client_secret_post only"))
        }
        Some(AuthMethod::PrivateKeyJwt) if has_secret => Err((
            SECRET,
            "a client with private_key_jwt has no secret: leave it out",
        )),
        Some(AuthMethod::PrivateKeyJwt) if !matches!(draft_keys, DraftKeys::Own(_)) => Err((
            METHOD,
            "private_key_jwt needs the client's public keys: jwks or jwks_uri",
        )),
        Some(AuthMethod::PrivateKeyJwt) => Ok(()),
        Some(_) | None if may_have_one => Ok(()),
        Some(_) => Err((SECRET, "this way to authenticate needs a secret")),
        None => Err((
            SECRET,
            "name a secret, or say token_endpoint_auth_method = \"private_key_jwt\" and the client's keys",
        )),
    }
}

fn id_token_algorithm(entry: &RelyingPartyConfig) -> Result<IdTokenAlgorithm, &'static str> {
    match (
        entry.dialect.rules().legacy,
        entry.id_token_signed_response_alg,
    ) {
        (true, None | Some(IdTokenAlgorithm::RS256)) => Ok(IdTokenAlgorithm::RS256),
        (true, Some(_)) => Err("the older contracts know RS256 only"),
        (false, None) => Ok(IdTokenAlgorithm::ES256),
        (false, Some(algorithm)) => Ok(algorithm),
    }
}

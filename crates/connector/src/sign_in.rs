//! Logging employees in at their organisation's own OpenID provider: authorization code, PKCE, state and nonce, with the
//! same checks as a journey at the gateway.
//!
//! It is for the host's log-in and has nothing to do with the gateway: another provider, another client, another
//! redirect URI. That each provider has a redirect URI of its own is a defence against mix-up [RFC 9700 4.4.2].

use std::fmt;

use aws_lc_rs::error::Unspecified;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use standards::jose::Algorithm;
use standards::oauth::CodeVerifier;
use tokio::sync::OnceCell;
use url::Url;

use crate::callback::{Callback, CallbackAnswer};
use crate::discovery::{self, Authentication, DiscoverError, Fetched};
use crate::fault::{Endpoint, GatewayFault};
use crate::finish::{
    AuthorizationError, FinishError, Tokens, check_callback, ended, verified_claims,
};
use crate::http::{Http, HttpOptions};
use crate::id_token::{self, Expected};
use crate::keys::Keys;
use crate::secret::Secret;
use crate::verify::post_authenticated;
use crate::{ClientSecret, Clock, FetchError};

/// Who the host is to the organisation's provider, and what it asks for there.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// The provider's issuer, letter by letter as its discovery document has it.
    pub issuer: String,
    /// The host's id there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: ClientSecret,
    /// Where the provider sends the browser back to; not the gateway's.
    pub redirect_uri: Url,
    /// What is asked for besides `openid`, e.g. `profile` and `email`.
    pub scopes: Vec<String>,
    /// The authentication context classes that will do, the best first; empty where any does [OIDC Core 2, `acr`].
    pub acr: Vec<String>,
    /// The methods that must all have been used; empty where any will do [RFC 8176].
    pub amr: Vec<String>,
}

/// Logs people in at one provider. The provider is asked when it is first needed: it may be down before.
pub struct SignIn {
    settings: SignInSettings,
    http: Http,
    clock: Clock,
    provider: OnceCell<Provider>,
}

struct Provider {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    end_session_endpoint: Option<Url>,
    keys: Keys,
    algorithms: Vec<Algorithm>,
    authentication: Authentication,
    names_issuer_in_callback: bool,
}

/// The first half of a log-in is done.
#[derive(Debug)]
pub struct SignInStarted {
    /// Where to send the browser.
    pub url: Url,
    /// What to keep for this browser until it is back.
    pub pending: SignInPending,
}

/// A log-in that waits for its browser: to be used once, and only by the browser that began it. Its serialised form
/// holds secrets.
#[derive(Debug, Serialize, Deserialize)]
pub struct SignInPending {
    state: Secret,
    nonce: Secret,
    code_verifier: Secret,
    started_at: Timestamp,
}

/// Somebody whom the provider knows. Debug prints nothing of them.
pub struct SignedIn {
    claims: Map<String, Value>,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The provider could not be found, or is not the one that the settings mean.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The machine gave no random numbers.
    #[error("the machine has no random numbers to give")]
    NoRandomness,
    /// The person, or the provider for them, said no.
    #[error("the provider logged nobody in: {0}")]
    Declined(AuthorizationError),
    /// The callback, the code or the ID token is not to be believed.
    #[error(transparent)]
    Finish(FinishError),
    /// The person did not prove who they are in a way that the settings demand.
    #[error("the provider did not check the person as it was asked to: {0} does not say so")]
    TooWeak(&'static str),
}

impl SignInError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            _ if self.is_temporary() => "provider-unavailable",
            Self::NoRandomness => "no-randomness",
            Self::Declined(_) => "log-in-declined",
            Self::TooWeak(_) => "log-in-too-weak",
            Self::Finish(FinishError::NotOurs(_)) => "callback-not-ours",
            Self::Finish(FinishError::IdToken(_)) => "id-token-refused",
            Self::Discover(_) | Self::Finish(_) => "provider-unusable",
        }
    }

    /// Whether trying again later can help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Discover(DiscoverError::Gateway(fault))
            | Self::Finish(FinishError::Gateway(fault)) => fault.is_temporary(),
            Self::Finish(FinishError::GatewayFailed(_)) => true,
            _ => false,
        }
    }
}

impl From<FinishError> for SignInError {
    fn from(error: FinishError) -> Self {
        match error {
            FinishError::Declined(error) | FinishError::NotAccepted(error) => Self::Declined(error),
            error => Self::Finish(error),
        }
    }
}

impl SignIn {
    /// For this provider.
    pub fn new(
        settings: SignInSettings,
        http: HttpOptions,
        clock: Clock,
    ) -> Result<Self, FetchError> {
        Ok(Self {
            settings,
            http: Http::new(http)?,
            clock,
            provider: OnceCell::new(),
        })
    }

    /// What the provider says of itself; a failure is not kept.
    async fn provider(&self) -> Result<&Provider, DiscoverError> {
        let discover = || async {
            // [OIDC Discovery 4] A slash at the issuer's end is removed before this is appended.
            let base = self.settings.issuer.trim_end_matches('/');
            let address = format!("{base}/.well-known/openid-configuration");
            let issuer = self.settings.issuer.clone();
            let Fetched { document, terms } =
                discovery::fetch_document(&self.http, &address, issuer).await?;
            if let Some(address) = &document.end_session_endpoint {
                discovery::check_address("end_session_endpoint", address)?;
            }
            Ok(Provider {
                issuer: document.issuer,
                authorization_endpoint: document.authorization_endpoint,
                token_endpoint: document.token_endpoint,
                end_session_endpoint: document.end_session_endpoint,
                keys: Keys::new(document.jwks_uri),
                algorithms: terms.id_token_algorithms,
                authentication: terms.authentication,
                names_issuer_in_callback: document.authorization_response_iss_parameter_supported,
            })
        };
        self.provider.get_or_try_init(discover).await
    }

    /// Begins a log-in.
    pub async fn start(&self) -> Result<SignInStarted, SignInError> {
        let provider = self.provider().await?;
        let now = (self.clock)();
        let (pending, challenge) =
            SignInPending::new(now).map_err(|Unspecified| SignInError::NoRandomness)?;
        let scopes =
            std::iter::once("openid").chain(self.settings.scopes.iter().map(String::as_str));
        let scope: Vec<&str> = scopes.collect();
        let mut url = provider.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.settings.redirect_uri.as_str())
            .append_pair("scope", &scope.join(" "))
            .append_pair("state", pending.state.expose())
            .append_pair("nonce", pending.nonce.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if !self.settings.acr.is_empty() {
            url.query_pairs_mut()
                .append_pair("acr_values", &self.settings.acr.join(" "));
        }
        Ok(SignInStarted { url, pending })
    }

    /// Takes the browser back: the callback must answer this log-in, the code is exchanged, the ID token checked.
    /// `pending` is used up whatever the result.
    pub async fn finish(
        &self,
        pending: SignInPending,
        callback: Callback,
    ) -> Result<SignedIn, SignInError> {
        let provider = self.provider().await?;
        let from = (provider.issuer.as_str(), provider.names_issuer_in_callback);
        check_callback(&pending.state, &callback, from).map_err(FinishError::NotOurs)?;
        let code = match callback.answer {
            CallbackAnswer::Code(code) => code,
            CallbackAnswer::Error { code, description } => {
                return Err(ended(AuthorizationError { code, description }).into());
            }
        };
        let id_token = self.exchange(provider, &pending, &code).await?;
        let now = (self.clock)();
        let claims = verified_claims(
            &self.http,
            &provider.keys,
            &provider.algorithms,
            &id_token,
            now,
        )
        .await?;
        let expected = Expected {
            issuer: &provider.issuer,
            client_id: &self.settings.client_id,
            nonce: &pending.nonce,
            started_at: pending.started_at,
        };
        id_token::check(&claims, &expected, now).map_err(FinishError::IdToken)?;
        self.check_strength(&claims)?;
        Ok(SignedIn { claims })
    }

    /// [RFC 6749 4.1.3] The code for the tokens. Only the ID token is wanted.
    async fn exchange(
        &self,
        provider: &Provider,
        pending: &SignInPending,
        code: &Secret,
    ) -> Result<String, FinishError> {
        let endpoint = Endpoint::Token;
        let redirect_uri = self.settings.redirect_uri.as_str();
        let parameters = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.expose().to_owned()),
            ("redirect_uri", redirect_uri.to_owned()),
            ("code_verifier", pending.code_verifier.expose().to_owned()),
        ];
        let who = (
            self.settings.client_id.as_str(),
            &self.settings.client_secret,
        );
        let address = provider.token_endpoint.clone();
        let answer = post_authenticated(
            &self.http,
            provider.authentication,
            who,
            ("exchange a code", address),
            parameters,
        );
        let tokens: Tokens = answer
            .await
            .map_err(|source| GatewayFault::Unreachable { endpoint, source })?
            .when(reqwest::StatusCode::OK, endpoint)?
            .json(endpoint)?;
        Ok(tokens.id_token)
    }

    /// [OIDC Core 3.1.3.7, 12] `acr_values` is a wish only: whoever needs it looks whether it was fulfilled.
    fn check_strength(&self, claims: &Map<String, Value>) -> Result<(), SignInError> {
        let SignInSettings { acr, amr, .. } = &self.settings;
        if !acr.is_empty() {
            let says = claims.get("acr").and_then(Value::as_str);
            if !acr.iter().any(|wanted| Some(wanted.as_str()) == says) {
                return Err(SignInError::TooWeak("acr"));
            }
        }
        let used = claims.get("amr").and_then(Value::as_array);
        let was_used = |wanted: &String| {
            let mut used = used.into_iter().flatten();
            used.any(|used| used.as_str() == Some(wanted))
        };
        if amr.iter().all(was_used) {
            Ok(())
        } else {
            Err(SignInError::TooWeak("amr"))
        }
    }

    /// Where a browser ends its session at the provider too, to come back to `then`; nothing where the provider does
    /// not offer it, or cannot be asked now [OIDC RP-Initiated Logout 2]. Who logs out is not said in the address: the
    /// provider asks.
    pub async fn log_out_address(&self, then: &Url) -> Option<Url> {
        let provider = self.provider().await.ok()?;
        let mut url = provider.end_session_endpoint.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", then.as_str());
        Some(url)
    }
}

impl SignInPending {
    fn new(started_at: Timestamp) -> Result<(Self, String), Unspecified> {
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random)?;
        let verifier = CodeVerifier::from_random(random);
        let pending = Self {
            state: Secret::random()?,
            nonce: Secret::random()?,
            code_verifier: Secret::new(verifier.reveal().to_owned()),
            started_at,
        };
        Ok((pending, verifier.challenge().to_text()))
    }

    /// The `state` that the callback will carry: the key to find this again by.
    pub fn state(&self) -> &str {
        self.state.expose()
    }
}

impl SignedIn {
    /// A claim that is a text, as the provider says it. An address that the provider does not say to be proven is none
    /// [OIDC Core 5.1, `email_verified`]: elsewhere people write any they like.
    pub fn find(&self, claim: &str) -> Option<&str> {
        if claim == "email" {
            // Some providers write truth as a text.
            match self.claims.get("email_verified") {
                Some(Value::Bool(true)) => {}
                Some(Value::String(text)) if text == "true" => {}
                _ => return None,
            }
        }
        let text = self.claims.get(claim)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedIn(…)")
    }
}

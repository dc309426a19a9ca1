//! Reading the gateway's discovery document [OIDC Discovery 4].

use serde::Deserialize;
use standards::jose::Algorithm;
use url::Url;

use crate::fault::{Endpoint, GatewayFault};
use crate::http::{Http, Request, is_secure};
use crate::settings::Settings;

/// Why the gateway cannot be used with these settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// The document could not be read.
    #[error(transparent)]
    Gateway(#[from] GatewayFault),
    /// The settings' gateway address makes no address of a document.
    #[error("the gateway's address cannot be completed to a discovery document's address")]
    Address,
    /// The document speaks for another issuer [OIDC Discovery 4.3].
    #[error("the discovery document names the issuer {found}, where {expected} was expected")]
    OtherIssuer {
        /// The issuer that this dialect has.
        expected: String,
        /// The issuer that the document names.
        found: String,
    },
    /// An endpoint's address is not https, nor http on this machine.
    #[error("the discovery document's {0} is not a secure address")]
    InsecureEndpoint(&'static str),
    /// The gateway cannot do what this connector needs.
    #[error("the gateway does not offer {0}")]
    Lacks(&'static str),
}

/// What the connector uses of a discovery document.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer, compared to ID tokens letter by letter.
    pub issuer: String,
    /// Where requests are pushed.
    pub pushed_authorization_request_endpoint: Url,
    /// Where the browser goes.
    pub authorization_endpoint: Url,
    /// Where codes are exchanged.
    pub token_endpoint: Url,
    /// Where the ID tokens' keys are.
    pub jwks_uri: Url,
    /// The algorithms of ID tokens that both sides know.
    pub id_token_algorithms: Vec<Algorithm>,
    /// How the relying party shows who it is.
    pub(crate) authentication: Authentication,
    /// Whether every callback names its issuer [RFC 9207 3].
    pub(crate) names_issuer_in_callback: bool,
}

/// How the client secret travels [RFC 6749 2.3.1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    Basic,
    Post,
}

#[derive(Deserialize)]
pub(crate) struct Document {
    pub(crate) issuer: String,
    pushed_authorization_request_endpoint: Option<Url>,
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    /// Where a browser ends its session there [OIDC RP-Initiated Logout 2.1].
    pub(crate) end_session_endpoint: Option<Url>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    response_types_supported: Vec<String>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// The algorithms that an ID token may be signed with: signatures only, no shared secrets.
const ID_TOKEN_ALGORITHMS: [(&str, Algorithm); 5] = [
    ("RS256", Algorithm::RS256),
    ("PS256", Algorithm::PS256),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

pub(crate) async fn fetch(http: &Http, settings: &Settings) -> Result<Metadata, DiscoverError> {
    let (address, issuer) = settings.dialect.discovery(&settings.gateway);
    let Fetched { document, terms } = fetch_document(http, &address, issuer).await?;
    let pushed_authorization_request_endpoint = document
        .pushed_authorization_request_endpoint
        .ok_or(DiscoverError::Lacks("pushed authorization requests"))?;
    check_address(
        "pushed_authorization_request_endpoint",
        &pushed_authorization_request_endpoint,
    )?;
    Ok(Metadata {
        issuer: document.issuer,
        pushed_authorization_request_endpoint,
        authorization_endpoint: document.authorization_endpoint,
        token_endpoint: document.token_endpoint,
        jwks_uri: document.jwks_uri,
        id_token_algorithms: terms.id_token_algorithms,
        authentication: terms.authentication,
        names_issuer_in_callback: document.authorization_response_iss_parameter_supported,
    })
}

/// A document of the issuer that was expected, and what it and this connector agree on.
pub(crate) struct Fetched {
    pub(crate) document: Document,
    pub(crate) terms: Terms,
}

/// How a provider and this connector can speak.
pub(crate) struct Terms {
    pub(crate) id_token_algorithms: Vec<Algorithm>,
    pub(crate) authentication: Authentication,
}

/// Fetches the document at this address and checks what every provider must say in it.
pub(crate) async fn fetch_document(
    http: &Http,
    address: &str,
    issuer: String,
) -> Result<Fetched, DiscoverError> {
    let address = Url::parse(address).map_err(|_| DiscoverError::Address)?;
    let endpoint = Endpoint::Discovery;
    let document: Document = http
        .send(Request::fetch(address))
        .await
        .map_err(|source| GatewayFault::Unreachable { endpoint, source })?
        .when(reqwest::StatusCode::OK, endpoint)?
        .json(endpoint)?;
    let terms = check(&document, issuer)?;
    Ok(Fetched { document, terms })
}

/// Nothing is sent to, and nobody is led to, an address that others can read or change on the way.
pub(crate) fn check_address(name: &'static str, address: &Url) -> Result<(), DiscoverError> {
    if is_secure(address) {
        Ok(())
    } else {
        Err(DiscoverError::InsecureEndpoint(name))
    }
}

fn check(document: &Document, expected: String) -> Result<Terms, DiscoverError> {
    if document.issuer != expected {
        return Err(DiscoverError::OtherIssuer {
            expected,
            found: crate::fault::shown(&document.issuer),
        });
    }
    if !document
        .response_types_supported
        .iter()
        .any(|offered| offered == "code")
    {
        return Err(DiscoverError::Lacks("the authorization code flow"));
    }
    for (name, address) in [
        ("authorization_endpoint", &document.authorization_endpoint),
        ("token_endpoint", &document.token_endpoint),
        ("jwks_uri", &document.jwks_uri),
    ] {
        check_address(name, address)?;
    }
    let offered = &document.id_token_signing_alg_values_supported;
    let id_token_algorithms: Vec<Algorithm> = ID_TOKEN_ALGORITHMS
        .into_iter()
        .filter(|(name, _)| offered.iter().any(|offered| offered == name))
        .map(|(_, algorithm)| algorithm)
        .collect();
    if id_token_algorithms.is_empty() {
        return Err(DiscoverError::Lacks(
            "an ID token algorithm that this connector accepts",
        ));
    }
    // [OIDC Discovery 3] A document that says nothing means client_secret_basic.
    let methods = &document.token_endpoint_auth_methods_supported;
    let offers = |wanted: &str| methods.iter().flatten().any(|method| method == wanted);
    let authentication = if methods.is_none() || offers("client_secret_basic") {
        Authentication::Basic
    } else if offers("client_secret_post") {
        Authentication::Post
    } else {
        return Err(DiscoverError::Lacks("authentication by client secret"));
    };
    Ok(Terms {
        id_token_algorithms,
        authentication,
    })
}

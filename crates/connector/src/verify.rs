//! First half of verifying: the request, pushed or in the address, and the browser's address.
//! What issuing shares of that stands here too.

use serde::Deserialize;
use standards::oauth::CodeChallenge;
use url::Url;

use crate::Connector;
use crate::discovery::Authentication;
use crate::fault::{Endpoint, GatewayFault};
use crate::http::{Http, Request};
use crate::issue::DraftError;
use crate::pending::{Pending, Purpose, Started};
use crate::settings::{ClientSecret, Push};

/// Why a journey could not begin. Nothing has happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The gateway did not accept the request, or could not be asked.
    #[error(transparent)]
    Gateway(#[from] GatewayFault),
    /// No credential type was named.
    #[error("no credential type was asked for")]
    NoCredentialType,
    /// A credential type's name cannot be part of a scope [RFC 6749 3.3].
    #[error("{0:?} cannot be the name of a credential type")]
    CredentialTypeName(String),
    /// The draft of a credential cannot be sent.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The machine gave no random numbers.
    #[error("the machine has no random numbers to give")]
    NoRandomness,
}

#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

impl Connector {
    /// Begin checking credentials of these types, e.g. `&["Identity"]`.
    pub async fn verify(&self, credential_types: &[&str]) -> Result<Started, StartError> {
        if credential_types.is_empty() {
            return Err(StartError::NoCredentialType);
        }
        for name in credential_types {
            check_credential_type(name)?;
        }
        let purpose = Purpose::Verify {
            credential_types: credential_types
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
        };
        let (pending, challenge) =
            Pending::new(purpose, self.now()).map_err(|_| StartError::NoRandomness)?;
        let scope = format!("openid {}", credential_types.join(" "));
        let parameters = self.request_parameters(&pending, &challenge, scope);
        let url = match self.settings.push {
            Push::Always => self.push(parameters).await?,
            Push::WhenIssuing => self.address_with(&parameters)?,
        };
        Ok(Started { url, pending })
    }

    /// The parameters of an authorization request that verifying and issuing share.
    pub(crate) fn request_parameters(
        &self,
        pending: &Pending,
        challenge: &CodeChallenge,
        scope: String,
    ) -> Vec<(&'static str, String)> {
        vec![
            ("client_id", self.settings.client_id.clone()),
            ("response_type", "code".to_owned()),
            ("response_mode", "query".to_owned()),
            (
                "redirect_uri",
                self.settings.redirect_uri.as_str().to_owned(),
            ),
            ("scope", scope),
            ("state", pending.state.expose().to_owned()),
            ("nonce", pending.nonce.expose().to_owned()),
            ("code_challenge", challenge.to_text()),
            ("code_challenge_method", "S256".to_owned()),
        ]
    }

    /// Push the request [RFC 9126 2.1]; the address for the browser then names only the client
    /// and the request [RFC 9126 4].
    pub(crate) async fn push(
        &self,
        parameters: Vec<(&'static str, String)>,
    ) -> Result<Url, StartError> {
        let endpoint = Endpoint::PushedRequest;
        let address = self.metadata.pushed_authorization_request_endpoint.clone();
        let pushed: Pushed = self
            .post_authenticated(("push a request", address), parameters)
            .await
            .map_err(|source| GatewayFault::Unreachable { endpoint, source })?
            // [RFC 9126 2.2] 201 exactly.
            .when(reqwest::StatusCode::CREATED, endpoint)?
            .json(endpoint)?;
        if pushed.request_uri.is_empty() {
            let what = "the request_uri is empty";
            return Err(GatewayFault::AgainstContract { endpoint, what }.into());
        }
        let mut url = self.metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("request_uri", &pushed.request_uri);
        Ok(url)
    }

    fn address_with(&self, parameters: &[(&'static str, String)]) -> Result<Url, StartError> {
        // The first contract has a separate address for requests that were not pushed; its
        // discovery document does not name it.
        let mut url = if self.settings.dialect.is_v1() {
            Url::parse(&format!("{}/authorizev1", self.metadata.issuer)).map_err(|_| {
                GatewayFault::AgainstContract {
                    endpoint: Endpoint::Discovery,
                    what: "the issuer is not an address",
                }
            })?
        } else {
            self.metadata.authorization_endpoint.clone()
        };
        url.query_pairs_mut().extend_pairs(parameters);
        Ok(url)
    }

    /// Post a form as this relying party, by the way of authentication that the gateway offers. What it is for, and to
    /// which address.
    pub(crate) async fn post_authenticated(
        &self,
        to: (&'static str, Url),
        parameters: Vec<(&'static str, String)>,
    ) -> Result<crate::http::Answer, crate::FetchError> {
        let Self {
            settings, metadata, ..
        } = self;
        let who = (settings.client_id.as_str(), &settings.client_secret);
        post_authenticated(&self.http, metadata.authentication, who, to, parameters).await
    }
}

/// Post a form as this client: its id and its secret, by the way of authentication that the provider offers. What it is
/// for, and to which address.
pub(crate) async fn post_authenticated(
    http: &Http,
    authentication: Authentication,
    (client_id, client_secret): (&str, &ClientSecret),
    (name, address): (&'static str, Url),
    parameters: Vec<(&'static str, String)>,
) -> Result<crate::http::Answer, crate::FetchError> {
    let mut pairs: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let secret = client_secret.expose();
    let request = match authentication {
        Authentication::Post => {
            if !pairs.iter().any(|(name, _)| *name == "client_id") {
                pairs.push(("client_id", client_id));
            }
            pairs.push(("client_secret", secret));
            Request::post_form(address, &pairs)
        }
        Authentication::Basic => Request::post_form(address, &pairs)
            .with_header("authorization", basic(client_id, secret)),
    };
    http.send(request.called(name)).await
}

/// [RFC 6749 2.3.1] Both parts are form-encoded before they are joined.
fn basic(client_id: &str, client_secret: &str) -> String {
    use base64::Engine as _;
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let joined = format!("{}:{}", encoded(client_id), encoded(client_secret));
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(joined)
    )
}

/// A type's name travels inside a scope and as a prefix of claims, so it has no space, no dot and
/// nothing outside ASCII.
pub(crate) fn check_credential_type(name: &str) -> Result<(), StartError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name == "openid" || !name.chars().all(fits) {
        return Err(StartError::CredentialTypeName(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded_before_they_are_joined() {
        use base64::Engine as _;
        let header = basic("a:b", "s p+c");
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(header.strip_prefix("Basic ").unwrap())
            .unwrap();
        assert_eq!(decoded, b"a%3Ab:s+p%2Bc");
    }

    #[test]
    fn a_credential_types_name_cannot_smuggle_another_scope() {
        assert!(check_credential_type("TrainingProgramme").is_ok());
        for name in [
            "",
            "openid",
            "Identity issue.Identity",
            "issue.Identity",
            "Identité",
        ] {
            assert!(check_credential_type(name).is_err(), "{name:?}");
        }
    }
}

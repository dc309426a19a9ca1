//! The credential offer and the link that carries it [VCI 4.1].

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::metadata::well_known_url;
use super::token::PreAuthorizedCode;
use crate::oauth::Form;

/// What an issuer offers to a wallet. Never holds personal data or the transaction code [VCI-08].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialOffer {
    /// The credential issuer's identifier.
    pub credential_issuer: String,
    /// Keys of `credential_configurations_supported`.
    pub credential_configuration_ids: Vec<String>,
    /// How the wallet gets its token; absent means it finds out from the metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Grants>,
}

/// The grants of an offer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Grants {
    /// The authorization code flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<AuthorizationCodeGrant>,
    /// The pre-authorized code flow.
    #[serde(
        default,
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized_code: Option<PreAuthorizedCodeGrant>,
}

/// [VCI-06] The authorization code flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCodeGrant {
    /// Echoed by the wallet in its authorization request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_state: Option<String>,
    /// Which authorization server, when the metadata names several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
}

/// [VCI-06] The pre-authorized code flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreAuthorizedCodeGrant {
    /// The code.
    #[serde(rename = "pre-authorized_code")]
    pub pre_authorized_code: PreAuthorizedCode,
    /// Present when the wallet must send a transaction code, even if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCode>,
    /// Which authorization server, when the metadata names several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
}

/// What a wallet tells its person about the transaction code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxCode {
    /// Digits or any text; digits when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_mode: Option<InputMode>,
    /// Its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Where the person finds it, at most 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The characters of a transaction code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Digits.
    Numeric,
    /// Any characters.
    Text,
}

/// Why an offer or its link is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Not JSON, or not of the standard's shape.
    #[error("the credential offer is not well formed: {0}")]
    Shape(String),
    /// No configuration offered, or one twice.
    #[error("the credential offer must name at least one credential configuration, and none twice")]
    Configurations,
    /// The issuer's identifier is no URL without query and fragment.
    #[error("the credential offer's issuer is not an https URL without query and fragment")]
    Issuer,
    /// A description longer than 300 characters.
    #[error("the transaction code's description is longer than 300 characters")]
    Description,
    /// Not a link that carries an offer.
    #[error("this is not a credential offer link")]
    Link,
    /// [VCI 4.1] A link has either the offer or a reference to it.
    #[error(
        "a credential offer link must have exactly one of credential_offer and credential_offer_uri"
    )]
    ExactlyOne,
    /// `credential_offer_uri` is no http(s) URL.
    #[error("credential_offer_uri is not an https URL")]
    Reference,
}

/// A link as a QR code carries it, read.
#[derive(Debug, Clone, PartialEq)]
pub enum OfferLink {
    /// `credential_offer`: the offer itself.
    ByValue(CredentialOffer),
    /// `credential_offer_uri`: where the offer is.
    ByReference(Url),
}

impl CredentialOffer {
    /// An offer of one configuration for a pre-authorized code, without transaction code.
    pub fn pre_authorized(issuer: &str, configuration_id: &str, code: PreAuthorizedCode) -> Self {
        let grant = PreAuthorizedCodeGrant {
            pre_authorized_code: code,
            tx_code: None,
            authorization_server: None,
        };
        Self {
            credential_issuer: issuer.to_owned(),
            credential_configuration_ids: vec![configuration_id.to_owned()],
            grants: Some(Grants {
                authorization_code: None,
                pre_authorized_code: Some(grant),
            }),
        }
    }

    /// Reads an offer.
    pub fn parse(body: &[u8]) -> Result<Self, OfferError> {
        let value =
            crate::json::parse(body).map_err(|error| OfferError::Shape(error.to_string()))?;
        let offer =
            Self::deserialize(value).map_err(|error| OfferError::Shape(error.to_string()))?;
        let ids = &offer.credential_configuration_ids;
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        if ids.is_empty() || unique.len() != ids.len() {
            return Err(OfferError::Configurations);
        }
        well_known_url(
            &offer.credential_issuer,
            super::CREDENTIAL_ISSUER_WELL_KNOWN,
        )
        .map_err(|_| OfferError::Issuer)?;
        let description = offer
            .pre_authorized_code()
            .and_then(|g| g.tx_code.as_ref())
            .and_then(|tx| tx.description.as_ref());
        if description.is_some_and(|text| text.chars().count() > 300) {
            return Err(OfferError::Description);
        }
        Ok(offer)
    }

    /// The pre-authorized code grant, if offered.
    pub fn pre_authorized_code(&self) -> Option<&PreAuthorizedCodeGrant> {
        self.grants.as_ref()?.pre_authorized_code.as_ref()
    }

    /// The offer as JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The link that carries the offer itself.
    pub fn link(&self) -> String {
        link("credential_offer", &self.to_value().to_string())
    }
}

impl OfferLink {
    /// Reads a link of any scheme that a wallet may register, or an https address with the parameters.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        let (scheme, rest) = text.trim().split_once(':').ok_or(OfferError::Link)?;
        let scheme = scheme.to_ascii_lowercase();
        if !["openid-credential-offer", "haip-vci", "https", "http"].contains(&scheme.as_str()) {
            return Err(OfferError::Link);
        }
        let query = rest
            .split_once('?')
            .map(|(_, query)| query)
            .ok_or(OfferError::Link)?;
        let query = query.split('#').next().unwrap_or_default();
        let form =
            Form::parse(query.as_bytes()).map_err(|error| OfferError::Shape(error.to_string()))?;
        match (
            form.find("credential_offer"),
            form.find("credential_offer_uri"),
        ) {
            (Some(offer), None) => CredentialOffer::parse(offer.as_bytes()).map(Self::ByValue),
            (None, Some(uri)) => {
                let uri = Url::parse(uri).map_err(|_| OfferError::Reference)?;
                let web = matches!(uri.scheme(), "https" | "http");
                if web && uri.username().is_empty() && uri.password().is_none() {
                    Ok(Self::ByReference(uri))
                } else {
                    Err(OfferError::Reference)
                }
            }
            (None, None) => Err(OfferError::Link),
            (Some(_), Some(_)) => Err(OfferError::ExactlyOne),
        }
    }

    /// The link that carries a reference to an offer.
    pub fn by_reference(uri: &str) -> String {
        link("credential_offer_uri", uri)
    }
}

impl fmt::Display for OfferLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::ByValue(offer) => offer.link(),
            Self::ByReference(uri) => Self::by_reference(uri.as_str()),
        })
    }
}

fn link(name: &str, value: &str) -> String {
    // A space must be %20 here: a custom scheme's query is a URI query to some readers, not a form.
    let query = crate::oauth::form::encode([(name, value)]).replace('+', "%20");
    format!("openid-credential-offer://?{query}")
}

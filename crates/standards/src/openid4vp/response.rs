//! What a wallet posts to the response URI, and what the verifier answers [VP 8].

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::client_metadata::{ClientMetadata, ClientMetadataError};
use super::request::ResponseMode;
use crate::jose::jwe::{self, ContentEncryption, DecryptionKey, JweError};
use crate::oauth::{Form, form};

/// The body that arrived, before any decryption.
#[derive(Clone, PartialEq)]
pub enum ResponseBody {
    /// `direct_post`, or an error, which may come in the clear in either mode.
    Plain(AuthorizationResponse),
    /// `direct_post.jwt`: a JWE.
    Encrypted(String),
}

/// The answer.
#[derive(Clone, PartialEq)]
pub enum AuthorizationResponse {
    /// Presentations.
    Presented {
        /// By credential query id.
        vp_token: VpToken,
        /// As in the request.
        state: Option<String>,
    },
    /// The wallet's error.
    Refused(ErrorAnswer),
}

/// `vp_token`: credential query id to presentations in a text format [VP-10]. Debug prints the ids only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct VpToken(BTreeMap<String, Vec<String>>);

/// A wallet's error answer [VP 8.5].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// The code; one that we do not know is kept apart.
    pub error: WalletErrorCode,
    /// Text from the wallet: hostile input, for logs at most.
    pub error_description: Option<String>,
    /// As in the request.
    pub state: Option<String>,
}

/// [VP-14] Why a wallet did not present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WalletErrorCode {
    /// The request is wrong.
    InvalidRequest,
    /// The person declined, or has nothing that fits.
    AccessDenied,
    /// No format in common.
    VpFormatsNotSupported,
    /// `request_uri_method` is neither get nor post.
    InvalidRequestUriMethod,
    /// Transaction data not understood.
    InvalidTransactionData,
    /// No wallet there.
    WalletUnavailable,
    /// Trouble with the client's metadata.
    InvalidClient,
    /// A scope not understood.
    InvalidScope,
    /// The wallet failed.
    ServerError,
    /// A code that the standards do not have.
    Unknown,
}

impl WalletErrorCode {
    const ALL: [Self; 9] = [
        Self::InvalidRequest,
        Self::AccessDenied,
        Self::VpFormatsNotSupported,
        Self::InvalidRequestUriMethod,
        Self::InvalidTransactionData,
        Self::WalletUnavailable,
        Self::InvalidClient,
        Self::InvalidScope,
        Self::ServerError,
    ];

    /// The code as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::AccessDenied => "access_denied",
            Self::VpFormatsNotSupported => "vp_formats_not_supported",
            Self::InvalidRequestUriMethod => "invalid_request_uri_method",
            Self::InvalidTransactionData => "invalid_transaction_data",
            Self::WalletUnavailable => "wallet_unavailable",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError | Self::Unknown => "server_error",
        }
    }

    fn parse(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|code| code.as_str() == name)
            .unwrap_or(Self::Unknown)
    }
}

/// Why an answer is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Neither presentations nor an error nor an encrypted answer, or more than one of them.
    #[error("the response must have exactly one of vp_token, error and response")]
    ExactlyOne,
    /// `vp_token` is no object of non-empty arrays.
    #[error("vp_token must be a JSON object of non-empty arrays of presentations")]
    VpToken,
    /// A presentation that is no text: a format that was not asked for.
    #[error("a presentation in vp_token is not in one of the formats asked for")]
    Presentation,
    /// A member of the wrong JSON type, or no JSON.
    #[error("the response is malformed at {0}")]
    Malformed(&'static str),
    /// Presentations in the clear where encryption was asked for, or the other way round.
    #[error("the response does not come by {}", .0.as_str())]
    Mode(ResponseMode),
    /// The encrypted answer cannot be read.
    #[error("the encrypted response: {0}")]
    Jwe(#[from] JweError),
}

impl ResponseBody {
    /// Reads the form that was posted.
    pub fn parse(form: &Form) -> Result<Self, ResponseError> {
        let state = form.find("state").map(str::to_owned);
        match (
            form.find("vp_token"),
            form.find("error"),
            form.find("response"),
        ) {
            (Some(vp_token), None, None) => {
                let value =
                    crate::json::parse(vp_token.as_bytes()).map_err(|_| ResponseError::VpToken)?;
                let vp_token = VpToken::parse(&value)?;
                Ok(Self::Plain(AuthorizationResponse::Presented {
                    vp_token,
                    state,
                }))
            }
            (None, Some(error), None) => {
                Ok(Self::Plain(AuthorizationResponse::Refused(ErrorAnswer {
                    error: WalletErrorCode::parse(error),
                    error_description: form.find("error_description").map(str::to_owned),
                    state,
                })))
            }
            (None, None, Some(response)) => Ok(Self::Encrypted(response.to_owned())),
            _ => Err(ResponseError::ExactlyOne),
        }
    }

    /// Which of the verifier's ephemeral keys the answer was encrypted to [VP-08]; a plain one to none.
    pub fn kid(&self) -> Result<Option<String>, ResponseError> {
        match self {
            Self::Plain(_) => Ok(None),
            Self::Encrypted(text) => Ok(jwe::peek_kid(text)?),
        }
    }

    /// The answer, decrypted if need be, and refused if it did not come in the mode that was asked for. An
    /// error may come in the clear in either mode [VP 8.3.1].
    pub fn open(
        &self,
        mode: ResponseMode,
        key: Option<&DecryptionKey>,
    ) -> Result<AuthorizationResponse, ResponseError> {
        match (self, mode, key) {
            (Self::Plain(refused @ AuthorizationResponse::Refused(_)), _, _) => Ok(refused.clone()),
            (Self::Plain(presented), ResponseMode::DirectPost, _) => Ok(presented.clone()),
            (Self::Encrypted(text), ResponseMode::DirectPostJwt, Some(key)) => {
                let payload = jwe::decrypt(text, key, ContentEncryption::ALL)?;
                AuthorizationResponse::parse_payload(&payload)
            }
            _ => Err(ResponseError::Mode(mode)),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(response) => response.fmt(f),
            Self::Encrypted(_) => f.write_str("Encrypted(…)"),
        }
    }
}

impl AuthorizationResponse {
    /// Reads the payload of an encrypted answer.
    pub fn parse_payload(payload: &[u8]) -> Result<Self, ResponseError> {
        let members = crate::json::parse_object(payload)
            .map_err(|_| ResponseError::Malformed("the payload"))?;
        let state = text(&members, "state")?;
        match (members.get("vp_token"), text(&members, "error")?) {
            (Some(vp_token), None) => Ok(Self::Presented {
                vp_token: VpToken::parse(vp_token)?,
                state,
            }),
            (None, Some(error)) => Ok(Self::Refused(ErrorAnswer {
                error: WalletErrorCode::parse(&error),
                error_description: text(&members, "error_description")?,
                state,
            })),
            _ => Err(ResponseError::ExactlyOne),
        }
    }

    /// As in the request.
    pub fn state(&self) -> Option<&str> {
        match self {
            Self::Presented { state, .. } | Self::Refused(ErrorAnswer { state, .. }) => {
                state.as_deref()
            }
        }
    }

    /// Wallet: the form for `direct_post`.
    pub fn to_form(&self) -> String {
        let pairs: Vec<(String, String)> = self
            .members()
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(text) => (name, text),
                other => (name, other.to_string()),
            })
            .collect();
        form::encode(
            pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }

    /// Wallet: the form for `direct_post.jwt`, encrypted as the verifier's metadata says.
    pub fn to_encrypted_form(&self, metadata: &ClientMetadata) -> Result<String, EncryptError> {
        let (key, enc) = metadata.encryption()?;
        let payload = Value::Object(self.members()).to_string();
        let jwe = jwe::encrypt(payload.as_bytes(), key, enc, &jwe::Options::default())?;
        Ok(form::encode([("response", jwe.as_str())]))
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        match self {
            Self::Presented { vp_token, .. } => {
                members.insert("vp_token".into(), vp_token.to_value());
            }
            Self::Refused(answer) => {
                members.insert("error".into(), json!(answer.error.as_str()));
                if let Some(description) = &answer.error_description {
                    members.insert("error_description".into(), json!(description));
                }
            }
        }
        if let Some(state) = self.state() {
            members.insert("state".into(), json!(state));
        }
        members
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presented { vp_token, .. } => vp_token.fmt(f),
            Self::Refused(answer) => write!(f, "Refused({})", answer.error.as_str()),
        }
    }
}

/// Why a wallet cannot encrypt its answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// The verifier's metadata has no key for it.
    #[error(transparent)]
    Metadata(#[from] ClientMetadataError),
    /// The encryption failed.
    #[error(transparent)]
    Jwe(#[from] JweError),
}

impl VpToken {
    /// A token with one presentation.
    pub fn one(id: &str, presentation: String) -> Self {
        Self(BTreeMap::from([(id.to_owned(), vec![presentation])]))
    }

    /// Reads the object.
    pub fn parse(value: &Value) -> Result<Self, ResponseError> {
        let entries = value
            .as_object()
            .filter(|entries| !entries.is_empty())
            .ok_or(ResponseError::VpToken)?;
        let list = |value: &Value| {
            let list = value
                .as_array()
                .filter(|list| !list.is_empty())
                .ok_or(ResponseError::VpToken)?;
            let texts: Option<Vec<String>> = list
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect();
            texts.ok_or(ResponseError::Presentation)
        };
        let entries = entries
            .iter()
            .map(|(id, value)| Ok((id.clone(), list(value)?)));
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// The object.
    pub fn to_value(&self) -> Value {
        json!(self.0)
    }

    /// Adds a presentation.
    pub fn insert(&mut self, id: &str, presentation: String) {
        self.0.entry(id.to_owned()).or_default().push(presentation);
    }

    /// The presentations by credential query id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(id, list)| (id.as_str(), list.as_slice()))
    }
}

impl fmt::Debug for VpToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(id, list)| (id, list.len())))
            .finish()
    }
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ResponseError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ResponseError::Malformed(name)),
    }
}

/// The verifier's answer to the wallet, status 200 [VP 8.2].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierAnswer {
    /// Where the wallet sends the browser on this device; holds the response code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
}

impl VerifierAnswer {
    /// Reads the answer; an empty body counts as an answer without redirect.
    pub fn parse(body: &[u8]) -> Result<Self, ResponseError> {
        let malformed = ResponseError::Malformed("the verifier's answer");
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let value = crate::json::parse(body).map_err(|_| malformed.clone())?;
        Self::deserialize(value).map_err(|_| malformed)
    }
}

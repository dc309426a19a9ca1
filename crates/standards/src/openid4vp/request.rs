//! The request object: what a verifier signs and a wallet checks [VP 5].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use url::Url;

use super::client_id::{ClientId, ClientIdError, Signing};
use super::client_metadata::{ClientMetadata, ClientMetadataError};
use super::response::WalletErrorCode;
use super::{REQUEST_OBJECT_TYP, SELF_ISSUED};
use crate::claims::{self, ClaimError};
use crate::dcql::{Query, QueryError};
use crate::jose::jws::{self, ParseError, Parsed, ProtectedHeader, VerifyError};
use crate::jose::{Algorithm, Jwk, SignError, Signer, Typ};
use crate::oauth::Form;

/// A request for a presentation, answered by `direct_post` or `direct_post.jwt`.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestObject {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub response_uri: Url,
    /// Whether the answer is encrypted.
    pub response_mode: ResponseMode,
    /// At least 128 fresh bits; every presentation must be bound to it [VP-02].
    pub nonce: String,
    /// Comes back with the answer.
    pub state: Option<String>,
    /// What is asked for.
    pub dcql_query: Query,
    /// Formats, and the key for the answer.
    pub client_metadata: Option<ClientMetadata>,
    /// The wallet's own nonce, when it posted one.
    pub wallet_nonce: Option<String>,
    /// When the request was made.
    pub issued_at: Option<Timestamp>,
    /// Until when it may be used.
    pub expires_at: Option<Timestamp>,
}

/// How the answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// As a form.
    DirectPost,
    /// As a form with one parameter, an encrypted JWT.
    DirectPostJwt,
}

impl ResponseMode {
    /// The mode on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DirectPost => "direct_post",
            Self::DirectPostJwt => "direct_post.jwt",
        }
    }
}

impl RequestObject {
    /// The claims to sign.
    pub fn to_claims(&self) -> Value {
        let mut claims = Map::new();
        // [VP 5] `iss` says nothing that `client_id` does not, and wallets have to ignore it. Some compare it with
        // the DID that signs, which `client_id` is only behind its prefix: so it is left out.
        claims.insert("aud".into(), json!(SELF_ISSUED));
        claims.insert("client_id".into(), json!(self.client_id.to_string()));
        claims.insert("response_type".into(), json!("vp_token"));
        claims.insert("response_mode".into(), json!(self.response_mode.as_str()));
        claims.insert("response_uri".into(), json!(self.response_uri.as_str()));
        claims.insert("nonce".into(), json!(self.nonce));
        claims.insert("dcql_query".into(), self.dcql_query.to_value());
        let optional = [
            ("state", self.state.as_ref().map(|text| json!(text))),
            (
                "client_metadata",
                self.client_metadata.as_ref().map(ClientMetadata::to_value),
            ),
            (
                "wallet_nonce",
                self.wallet_nonce.as_ref().map(|text| json!(text)),
            ),
            ("iat", self.issued_at.map(|at| json!(at.as_second()))),
            ("exp", self.expires_at.map(|at| json!(at.as_second()))),
        ];
        claims.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        Value::Object(claims)
    }

    /// Verifier: signs the request object. `kid` names the key as the client identifier's prefix wants it
    /// (for a DID, the verification method's id).
    pub async fn sign(&self, signer: &dyn Signer, kid: &str) -> Result<String, SignError> {
        jws::sign(
            signer,
            ProtectedHeader::typ(REQUEST_OBJECT_TYP).kid(kid),
            &self.to_claims(),
        )
        .await
    }

    fn from_claims(claims: &Map<String, Value>) -> Result<Self, RequestError> {
        // [VP 5.1, VP-03] Exactly one of the two; this house knows no scope that stands for a query.
        let dcql_query = match (claims.get("dcql_query"), claims.get("scope")) {
            (Some(query), None) => Query::parse(query)?,
            _ => return Err(RequestError::Query),
        };
        if claims::required_text(claims, "response_type")? != "vp_token" {
            return Err(RequestError::ResponseType);
        }
        let response_mode = match claims::text(claims, "response_mode")? {
            Some("direct_post") => ResponseMode::DirectPost,
            Some("direct_post.jwt") => ResponseMode::DirectPostJwt,
            _ => return Err(RequestError::ResponseMode),
        };
        // [VP 8.2] With direct_post the answer has one way to go.
        if claims.contains_key("redirect_uri") {
            return Err(RequestError::RedirectUri);
        }
        let response_uri = Url::parse(claims::required_text(claims, "response_uri")?)
            .map_err(|_| RequestError::ResponseUri)?;
        if !matches!(response_uri.scheme(), "https" | "http") || response_uri.fragment().is_some() {
            return Err(RequestError::ResponseUri);
        }
        let nonce = claims::required_text(claims, "nonce")?;
        if !nonce
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        {
            return Err(RequestError::Nonce);
        }
        // [VP 5.1, VP-15] One type of transaction data that a wallet does not know refuses the request.
        if claims.contains_key("transaction_data") {
            return Err(RequestError::TransactionData);
        }
        let client_metadata = claims
            .get("client_metadata")
            .map(ClientMetadata::parse)
            .transpose()?;
        if response_mode == ResponseMode::DirectPostJwt {
            client_metadata
                .as_ref()
                .ok_or(ClientMetadataError::NoEncryptionKey)?
                .encryption()?;
        }
        Ok(Self {
            client_id: ClientId::parse(claims::required_text(claims, "client_id")?)?,
            response_uri,
            response_mode,
            nonce: nonce.to_owned(),
            state: claims::text(claims, "state")?.map(str::to_owned),
            dcql_query,
            client_metadata,
            wallet_nonce: claims::text(claims, "wallet_nonce")?.map(str::to_owned),
            issued_at: claims::instant(claims, "iat")?,
            expires_at: claims::instant(claims, "exp")?,
        })
    }
}

/// A request object, read but not checked: enough of it to find the key.
#[derive(Clone)]
pub struct SignedRequestObject {
    jwt: Parsed,
    client_id: ClientId,
}

/// What a wallet holds a request object against.
#[derive(Debug, Clone, Copy)]
pub struct WalletExpectation<'a> {
    /// From the link.
    pub client_id: &'a ClientId,
    /// The nonce that the wallet posted, if it did.
    pub wallet_nonce: Option<&'a str>,
    /// Signature algorithms that the wallet takes.
    pub algorithms: &'a [Algorithm],
    /// The time of receipt.
    pub now: Timestamp,
    /// How far the clocks may differ.
    pub skew: SignedDuration,
}

/// Why a wallet refuses a request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// Not a JWT that we read.
    #[error("the request object is no JWT: {0}")]
    Jwt(#[from] ParseError),
    /// Wrong type, algorithm or signature.
    #[error("the request object does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A claim is missing or malformed.
    #[error("the request object: {0}")]
    Claim(#[from] ClaimError),
    /// The client identifier is refused.
    #[error("the request object: {0}")]
    ClientId(#[from] ClientIdError),
    /// Signed in the name of a client that must not sign.
    #[error("a request of this client_id prefix must not be signed")]
    MustNotBeSigned,
    /// The link and the request object name different clients.
    #[error("the request object names another client_id than the link")]
    OtherClient,
    /// Meant for somebody else.
    #[error("the request object's aud is not {SELF_ISSUED}")]
    Audience,
    /// Our nonce is not in it.
    #[error("the request object does not hold the wallet_nonce that was posted")]
    WalletNonce,
    /// No longer valid.
    #[error("the request object has expired")]
    Expired,
    /// Made after now.
    #[error("the request object is from the future")]
    FromTheFuture,
    /// Neither or both of `dcql_query` and `scope`, or a scope.
    #[error("the request must have a dcql_query and no scope")]
    Query,
    /// The query breaks a rule.
    #[error(transparent)]
    Dcql(#[from] QueryError),
    /// Not `vp_token`.
    #[error("the response_type must be vp_token")]
    ResponseType,
    /// Neither `direct_post` nor `direct_post.jwt`.
    #[error("the response_mode must be direct_post or direct_post.jwt")]
    ResponseMode,
    /// `redirect_uri` beside `response_uri`.
    #[error("the request must not have a redirect_uri with this response_mode")]
    RedirectUri,
    /// No http(s) URL.
    #[error("the response_uri is not an https URL")]
    ResponseUri,
    /// Characters outside the URL-safe ones.
    #[error("the nonce has characters that are not URL-safe")]
    Nonce,
    /// Transaction data of no type that we know.
    #[error("the request has transaction data, which is not supported")]
    TransactionData,
    /// The metadata is malformed or lacks what the response mode needs.
    #[error(transparent)]
    ClientMetadata(#[from] ClientMetadataError),
}

impl RequestError {
    /// What the verifier is told, where a wallet tells it anything.
    pub fn code(&self) -> WalletErrorCode {
        match self {
            Self::TransactionData => WalletErrorCode::InvalidTransactionData,
            _ => WalletErrorCode::InvalidRequest,
        }
    }
}

impl SignedRequestObject {
    /// Reads a request object as fetched.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let jwt = jws::parse(text.trim())?;
        let client_id =
            ClientId::parse(claims::required_text(jwt.unverified_claims(), "client_id")?)?;
        if client_id.signing() == Signing::MustNot {
            return Err(RequestError::MustNotBeSigned);
        }
        Ok(Self { jwt, client_id })
    }

    /// Who says to be asking. Unverified.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Which key is said to have signed.
    pub fn kid(&self) -> Option<&str> {
        self.jwt.header().kid()
    }

    /// Checks the signature with the key that the client identifier vouches for, and everything else that
    /// needs no storage. What comes out is the request; nothing in the link counts beside it [VP 5.10.1].
    pub fn check(
        &self,
        key: &Jwk,
        expected: &WalletExpectation<'_>,
    ) -> Result<RequestObject, RequestError> {
        let verified = self
            .jwt
            .verify(key, expected.algorithms, Typ::Is(REQUEST_OBJECT_TYP))?;
        let claims = verified.claims();
        if self.client_id != *expected.client_id {
            return Err(RequestError::OtherClient);
        }
        if !claims::audience_is(claims, SELF_ISSUED)? {
            return Err(RequestError::Audience);
        }
        let request = RequestObject::from_claims(claims)?;
        if expected.wallet_nonce.is_some()
            && request.wallet_nonce.as_deref() != expected.wallet_nonce
        {
            return Err(RequestError::WalletNonce);
        }
        if request
            .expires_at
            .is_some_and(|at| expected.now.duration_since(at) >= expected.skew)
        {
            return Err(RequestError::Expired);
        }
        if request
            .issued_at
            .is_some_and(|at| at.duration_since(expected.now) > expected.skew)
        {
            return Err(RequestError::FromTheFuture);
        }
        Ok(request)
    }
}

impl fmt::Debug for SignedRequestObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequestObject")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// What a wallet posts to the request URI [VP 5.10]; both members are optional, unknown ones ignored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestUriPost {
    /// What the wallet can do.
    pub wallet_metadata: Option<Map<String, Value>>,
    /// To be repeated in the request object.
    pub wallet_nonce: Option<String>,
}

impl RequestUriPost {
    /// Reads the form.
    pub fn parse(form: &Form) -> Result<Self, ClaimError> {
        let metadata = form
            .find("wallet_metadata")
            .map(|text| crate::json::parse_object(text.as_bytes()));
        let nonce = form.find("wallet_nonce");
        if nonce.is_some_and(|nonce| nonce.len() > 512) {
            return Err(ClaimError::Malformed("wallet_nonce"));
        }
        Ok(Self {
            wallet_metadata: metadata
                .transpose()
                .map_err(|_| ClaimError::Malformed("wallet_metadata"))?,
            wallet_nonce: nonce.map(str::to_owned),
        })
    }

    /// The form.
    pub fn to_form(&self) -> String {
        let metadata = self
            .wallet_metadata
            .clone()
            .map(|members| Value::Object(members).to_string());
        let pairs = [
            ("wallet_metadata", metadata.as_deref()),
            ("wallet_nonce", self.wallet_nonce.as_deref()),
        ];
        crate::oauth::form::encode(
            pairs
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        )
    }
}

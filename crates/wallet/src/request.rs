//! What a verifier asks: OpenID4VP 1.0, by a request object that its DID's key signed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use standards::did::Relationship;
use standards::jose::Algorithm;
use standards::openid4vp::{
    self, ClientId, REQUEST_OBJECT_MEDIA_TYPE, RequestLink, RequestObject, RequestSource,
    RequestUriMethod, RequestUriPost, SignedRequestObject, WalletExpectation,
};
use url::Url;

use crate::keys::{self, KeyError};
use crate::network::{self, NetworkError};
use crate::proof::{ProofError, random_id};
use crate::wallet::Wallet;

/// How far two clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// How long a request without `exp` is taken to be good.
const REQUEST_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Why a request is not shown to the holder at all.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The link.
    #[error(transparent)]
    Link(#[from] openid4vp::LinkError),
    /// The request object cannot be fetched, or its answer would leave the machine in the clear.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The request object breaks its standard, is not signed as it should be, or is not for this wallet.
    #[error(transparent)]
    Request(#[from] openid4vp::RequestError),
    /// The verifier's key.
    #[error("the verifier's key: {0}")]
    Key(#[from] KeyError),
    /// The verifier is named in a way that this wallet cannot check.
    #[error(
        "the client id {0} is not of the kind decentralized_identifier, the only one this wallet checks"
    )]
    ClientIdPrefix(ClientId),
    /// The request object names no key.
    #[error("the request object does not say which key signed it (kid)")]
    NoKid,
    /// No random nonce.
    #[error(transparent)]
    Random(#[from] ProofError),
}

/// A request that was checked: by whom, for what, and where the answer goes.
#[derive(Debug)]
pub struct Requested {
    pub(crate) object: RequestObject,
    expires_at: Timestamp,
}

impl Requested {
    /// With its prefix: the audience of every presentation [VP 14.7].
    pub(crate) fn audience(&self) -> String {
        self.object.client_id.to_string()
    }

    /// The verifier's own word on its name; nothing vouches for it.
    pub(crate) fn verifier_name(&self) -> Option<String> {
        self.text_of("client_name")
    }

    /// The verifier's own word on why it asks.
    pub(crate) fn purpose(&self) -> Option<String> {
        self.text_of("client_purpose")
    }

    fn text_of(&self, name: &str) -> Option<String> {
        let metadata = self.object.client_metadata.as_ref()?;
        metadata.other.get(name)?.as_str().map(str::to_owned)
    }

    pub(crate) fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// [VP 5.7, 5.10] Fetches the request object that a link names, and checks it.
pub(crate) async fn read_request(wallet: &Wallet, link: &Url) -> Result<Requested, RequestError> {
    let link = RequestLink::parse(link.as_str())?;
    let mut wallet_nonce = None;
    let text = match &link.source {
        RequestSource::Value(text) => text.clone(),
        RequestSource::Reference { uri, method } => {
            let answer = match method {
                RequestUriMethod::Get => {
                    wallet
                        .network()
                        .fetch(uri, REQUEST_OBJECT_MEDIA_TYPE)
                        .await?
                }
                RequestUriMethod::Post => {
                    let nonce = random_id()?;
                    wallet_nonce = Some(nonce.clone());
                    let post = RequestUriPost {
                        wallet_metadata: Some(wallet_metadata()),
                        wallet_nonce: Some(nonce),
                    };
                    wallet
                        .network()
                        .post_form(uri, post.to_form(), REQUEST_OBJECT_MEDIA_TYPE)
                        .await?
                }
            };
            answer.accepted()?.text()?.to_owned()
        }
    };
    let signed = SignedRequestObject::parse(&text)?;

    // [VP 5.9.3] The key comes from the DID in the link's client id, nowhere else.
    let ClientId::DecentralizedIdentifier(did) = &link.client_id else {
        return Err(RequestError::ClientIdPrefix(link.client_id));
    };
    let kid = signed.kid().ok_or(RequestError::NoKid)?;
    let document = keys::fetch_document(wallet.network(), did).await?;
    let key = document
        .find(kid, Relationship::Authentication)
        .map_err(KeyError::from)?;
    let now = wallet.now();
    let object = signed.check(
        key,
        &WalletExpectation {
            client_id: &link.client_id,
            wallet_nonce: wallet_nonce.as_deref(),
            algorithms: Algorithm::ASYMMETRIC,
            now,
            skew: SKEW,
        },
    )?;
    network::check(&object.response_uri)?;
    let assumed = || now.saturating_add(REQUEST_LIFE).unwrap_or(Timestamp::MAX);
    let expires_at = object.expires_at.unwrap_or_else(assumed);
    Ok(Requested { object, expires_at })
}

/// [VP 5.10, 10.1] What the wallet says of itself when it fetches by POST.
fn wallet_metadata() -> Map<String, Value> {
    let metadata = json!({
        "vp_formats_supported": {
            "jwt_vc_json": {"alg_values": ["ES256", "ES384", "EdDSA", "RS256"]},
            "dc+sd-jwt": {
                "sd-jwt_alg_values": ["ES256", "ES384", "EdDSA", "RS256"],
                "kb-jwt_alg_values": ["ES256"],
            },
        },
        "client_id_prefixes_supported": ["decentralized_identifier"],
        "response_types_supported": ["vp_token"],
        "response_modes_supported": ["direct_post", "direct_post.jwt"],
        "request_object_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "RS256", "PS256"],
        "authorization_encryption_alg_values_supported": ["ECDH-ES"],
        "authorization_encryption_enc_values_supported": ["A128GCM", "A256GCM"],
    });
    match metadata {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

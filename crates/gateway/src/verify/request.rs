//! `GET|POST /r/{link}`: the signed request object. [VP 5.7, 5.10, VP-01 to VP-06]
//!
//! The first retrieval binds the interaction; the same one repeated within a minute gets the same object
//! (rulings 6).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standards::base64url;
use standards::did::Did;
use standards::jose::jwe::DecryptionKey;
use standards::oauth::Form;
use standards::openid4vp::{
    ClientId, ClientMetadata, REQUEST_OBJECT_MEDIA_TYPE, RequestObject, RequestUriPost,
    ResponseMode,
};

use super::answer::Refused;
use super::check::ALGORITHMS;
use super::query::{questions, together};
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Interaction, Purpose, RETRIEVAL_LIFETIME, Via};
use crate::keys::KeyPurpose;
use store::StoreError;

/// How often a step is tried again when another request took one at the same time.
pub(super) const ATTEMPTS: usize = 4;

/// What the verifier remembers between request and answer, sealed with the interaction.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// What the presentation must be bound to.
    pub(super) nonce: String,
    /// What must come back with it.
    pub(super) state: String,
    /// Opens the answer; made for this request alone.
    key: String,
    /// The wallet's own nonce, if it posted one.
    wallet_nonce: Option<String>,
    /// The signed object, to be given again as it is.
    object: String,
}

impl Kept {
    /// Reads what was kept.
    pub(super) fn parse(value: &Value) -> Result<Self, StoreError> {
        let unreadable = |_| {
            StoreError::Corrupt("an interaction holds no request that this version can read".into())
        };
        Self::deserialize(value).map_err(unreadable)
    }

    /// The key that opens the answer.
    pub(super) fn decryption_key(&self) -> Option<DecryptionKey> {
        DecryptionKey::from_scalar(&base64url::decode(&self.key).ok()?).ok()
    }
}

/// `request_uri_method` `get`.
pub(super) async fn answer(
    State(app): State<App>,
    Path(link): Path<String>,
) -> Result<Response, Refused> {
    retrieve(&app, &link, None).await
}

/// `request_uri_method` `post`. The wallet's metadata changes nothing here: what is asked for does not depend
/// on the wallet.
pub(super) async fn answer_post(
    State(app): State<App>,
    Path(link): Path<String>,
    body: Bytes,
) -> Result<Response, Refused> {
    let form =
        Form::parse(&body).map_err(|error| Refused::new("form-invalid", error.to_string()))?;
    let post = RequestUriPost::parse(&form)
        .map_err(|error| Refused::new("form-invalid", error.to_string()))?;
    retrieve(&app, &link, post.wallet_nonce).await
}

/// Answers a HEAD request, which must not bind anything: a link preview is not a wallet.
pub(super) async fn answer_head() {}

async fn retrieve(
    app: &Parts,
    link: &str,
    wallet_nonce: Option<String>,
) -> Result<Response, Refused> {
    for _ in 0..ATTEMPTS {
        let now = app.now();
        let (interaction, via) = find(app, link).await?;
        if let Ok(kept) = interaction.repeatable(via, now) {
            let kept = Kept::parse(kept)?;
            // Another wallet nonce is another retrieval, and the first one has bound the interaction.
            if kept.wallet_nonce == wallet_nonce {
                return Ok(object(kept.object));
            }
        }
        // Whether there is anything to retrieve comes before the work of making it.
        let mut scanned = interaction
            .scanned(via, Value::Null, now)
            .map_err(Refused::link)?;
        let kept = make(app, &scanned, link, wallet_nonce.clone(), now).await?;
        scanned.keep_for_wallet(serde_json::to_value(&kept).unwrap_or_default());
        match app.interactions.advance(&mut scanned, Vec::new()).await {
            Ok(()) => return Ok(object(kept.object)),
            Err(AdvanceError::Overtaken) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refused::unavailable())
}

/// The verifying interaction with that link.
pub(super) async fn find(app: &Parts, link: &str) -> Result<(Interaction, Via), Refused> {
    let interaction = app
        .interactions
        .find_by_link(link)
        .await?
        .filter(|found| found.purpose == Purpose::Verify);
    let interaction = interaction.ok_or_else(Refused::unknown)?;
    let via = interaction.via(link).ok_or_else(Refused::unknown)?;
    Ok((interaction, via))
}

/// A fresh request object, its values and its key.
async fn make(
    app: &Parts,
    interaction: &Interaction,
    link: &str,
    wallet_nonce: Option<String>,
    now: Timestamp,
) -> Result<Kept, Refused> {
    let failed = |what: &str| {
        tracing::error!(
            reference = interaction.reference,
            what,
            "a request object could not be made"
        );
        Refused::unavailable()
    };
    let organisation = app
        .organisations
        .find(&interaction.organisation)
        .ok_or_else(|| failed("its organisation"))?;
    let questions = questions(&app.organisations, &interaction.credential_types, &app.base)
        .map_err(|_| failed("its types"))?;

    let relying_party = app
        .organisations
        .relying_party(&interaction.client_id)
        .ok_or_else(|| failed("its relying party"))?;

    let key = DecryptionKey::generate().map_err(|_| failed("its key"))?;
    let scalar = key.to_scalar().map_err(|_| failed("its key"))?;
    let mut metadata =
        ClientMetadata::new(Some(key.public_jwk(&app.random.token_128())), ALGORITHMS);
    // [SEC-28, VP-09] Who asks and why, under the organisation's signature: whoever is shown somebody else's code
    // can see in the wallet that it is not theirs. The standard names no place for the purpose; this is the one
    // that wallets of the earlier drafts show.
    let types = interaction.credential_types.iter();
    let labels: Vec<&str> = types
        .filter_map(|name| app.organisations.credential_type(name))
        .map(|kind| kind.label.as_str())
        .collect();
    let what = match labels.as_slice() {
        [_] => "this credential",
        _ => "these credentials",
    };
    let purpose = format!(
        "{} asks to check {what}: {}",
        relying_party.name,
        labels.join(", ")
    );
    let who = [
        ("client_name", organisation.name.clone()),
        ("client_purpose", purpose),
    ];
    metadata
        .other
        .extend(who.map(|(name, text)| (name.to_owned(), text.into())));

    let (nonce, state) = (app.random.token_256(), app.random.token_256());
    let request = RequestObject {
        client_id: ClientId::DecentralizedIdentifier(
            Did::parse(&organisation.did).map_err(|_| failed("its DID"))?,
        ),
        response_uri: app
            .url(&format!("/r/{link}/response"))
            .parse()
            .map_err(|_| failed("its address"))?,
        response_mode: ResponseMode::DirectPostJwt,
        nonce: nonce.clone(),
        state: Some(state.clone()),
        dcql_query: together(&questions).map_err(|_| failed("its query"))?,
        client_metadata: Some(metadata),
        wallet_nonce: wallet_nonce.clone(),
        issued_at: Some(now),
        expires_at: Some(now + RETRIEVAL_LIFETIME),
    };
    let signer = app.keys.active(KeyPurpose::Requests, &organisation.id);
    let signer = signer.map_err(|_| failed("its key for requests"))?;
    let object = request
        .sign(signer.as_ref(), &organisation.key_id(signer))
        .await
        .map_err(|_| failed("its signature"))?;
    Ok(Kept {
        nonce,
        state,
        key: base64url::encode(scalar.as_slice()),
        wallet_nonce,
        object,
    })
}

fn object(object: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, REQUEST_OBJECT_MEDIA_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, object).into_response()
}

//! The signed lists, cacheable by anyone: `GET /issuers/{organisation}/status/{list}` as a status list token, and below
//! it `/revocation` and `/suspension` as a credential of the W3C's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use standards::jose::{SignError, Signer};
use standards::status_list::{
    self, BitstringCredential, Purpose, Status, StatusList, StatusListToken,
};

use super::entries::EntriesError;
use crate::app::{App, Parts};
use crate::flight::Flights;
use crate::keys::{KeyPurpose, NoKey};
use crate::live::Live;
use crate::organisation::Organisation;
use crate::organisation::certificates::Chain;
use store::StoreError;

/// How long others may keep a list before they ask again: the promise that a revocation is seen within a
/// minute rests on it.
const TTL: SignedDuration = SignedDuration::from_secs(30);
/// The same for HTTP.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=30");
/// How long a signed list may be believed at all.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// A list without news is signed again after so many seconds, in every process at the same moment.
const RENEWAL: i64 = 5 * 60;
/// Signed lists that are held, at some twenty kilobytes each; with more, all are made anew.
const MOST_HELD: usize = 3 * 2048;

/// The routes of this slice.
pub fn router() -> Router<Live> {
    let form = |form: Form| {
        get(
            async move |State(app): State<App>,
                        Path((organisation, list)): Path<(String, i64)>,
                        RawQuery(query): RawQuery,
                        headers: HeaderMap| {
                if form == Form::Token && query.is_some_and(|query| names_a_time(&query)) {
                    return not_of_another_time();
                }
                answer(&app, &organisation, list, form, &headers).await
            },
        )
    };
    let revocation = form(Form::Bitstring(Purpose::Revocation));
    let suspension = form(Form::Bitstring(Purpose::Suspension));
    Router::new()
        .route("/issuers/{organisation}/status/{list}", form(Form::Token))
        .route(
            "/issuers/{organisation}/status/{list}/revocation",
            revocation,
        )
        .route(
            "/issuers/{organisation}/status/{list}/suspension",
            suspension,
        )
}

/// How a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    Token,
    Bitstring(Purpose),
}

impl Form {
    const fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Token => status_list::MEDIA_TYPE,
            Self::Bitstring(_) => status_list::BITSTRING_MEDIA_TYPE,
        })
    }
}

/// One list in one form. The organisation stands before it, so that no tenant can meet another's.
type Place = (i64, Form);

/// Signed lists.
#[derive(Default)]
pub(super) struct Cache {
    lists: Mutex<HashMap<String, HashMap<Place, Arc<Published>>>>,
    signing: Flights<(String, i64, Form)>,
}

/// A signed list, as it was last sent.
struct Published {
    stand: Stand,
    body: Bytes,
    etag: HeaderValue,
}

/// Of which moment a signed list is; two of one moment say the same, whichever process signed them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stand {
    revision: i64,
    /// The number of the span of [`RENEWAL`] that it was signed in.
    span: i64,
    key_id: String,
    /// When the certificates of the key end, where it has some: a list is signed again when they are others.
    certified_until: Option<i64>,
}

impl Stand {
    fn new(
        revision: i64,
        (key_id, chain): (String, Option<&Chain>),
        list: i64,
        now: Timestamp,
    ) -> Self {
        // Lists take their turns: not all of them are signed in one moment.
        let turn = list.wrapping_mul(37).rem_euclid(RENEWAL);
        Self {
            revision,
            span: (now.as_second() + turn).div_euclid(RENEWAL),
            key_id,
            certified_until: chain.map(|chain| chain.ends.as_second()),
        }
    }

    /// Weak, since two signatures of the same are not the same bytes. [RFC 9110 8.8.1]
    fn etag(&self) -> Option<HeaderValue> {
        // The end of the thumbprint: whoever has a list by a key that is used no more fetches it anew.
        let key = self.key_id.get(self.key_id.len().saturating_sub(6)..)?;
        let until = self.certified_until;
        let until = until.map_or(String::new(), |until| format!("-{until:x}"));
        let etag = format!("W/\"{}-{}-{key}{until}\"", self.revision, self.span);
        HeaderValue::from_str(&etag).ok()
    }
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashMap<Place, Arc<Published>>>> {
        // A panic while the map was held cannot have left half an entry.
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, organisation: &str, place: Place, stand: &Stand) -> Option<Arc<Published>> {
        let lists = self.lock();
        let published = lists.get(organisation)?.get(&place)?;
        (published.stand == *stand).then(|| Arc::clone(published))
    }

    fn keep(&self, organisation: &str, place: Place, published: Arc<Published>) {
        let mut lists = self.lock();
        if lists.values().map(HashMap::len).sum::<usize>() >= MOST_HELD {
            lists.clear();
        }
        let own = lists.entry(organisation.to_owned()).or_default();
        own.insert(place, published);
    }
}

/// [Token Status List 8.4]
fn names_a_time(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "time")
}

/// How a list stood is not kept, and how it stands now would be a wrong answer to that.
fn not_of_another_time() -> Response {
    let for_everybody = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    let sentence =
        "status-time-not-kept: only the list as it stands now is to be had; leave `time` out\n";
    (StatusCode::NOT_IMPLEMENTED, for_everybody, sentence).into_response()
}

async fn answer(
    app: &Parts,
    organisation: &str,
    list: i64,
    form: Form,
    headers: &HeaderMap,
) -> Response {
    match publish(app, organisation, (list, form)).await {
        Ok(Some(published)) => {
            let caching = [
                (header::ETAG, published.etag.clone()),
                (header::CACHE_CONTROL, CACHE_CONTROL),
                (
                    header::ACCESS_CONTROL_ALLOW_ORIGIN,
                    HeaderValue::from_static("*"),
                ),
            ];
            if is_known(headers, &published.etag) {
                return (StatusCode::NOT_MODIFIED, caching).into_response();
            }
            let media_type = [(header::CONTENT_TYPE, form.media_type())];
            (caching, media_type, published.body.clone()).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, organisation, list, "a status list could not be published");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// [RFC 9110 13.1.2] Any of the tags named, compared weakly. A cache between may have made a tag strong or weak.
fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let own = etag.to_str().map(bare).unwrap_or_default();
    let named = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut named = named.filter_map(|value| value.to_str().ok());
    named.any(|value| value.split(',').any(|tag| bare(tag) == own))
}

/// Why a list could not be made.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Entries(#[from] EntriesError),
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("the list could not be signed: {0}")]
    Sign(#[from] SignError),
    #[error("the list's key has no name")]
    Key,
}

/// Makes a list as a request for it would. The error is a sentence for the operator.
pub(super) async fn make(app: &App, organisation: &str, list: i64) -> Result<(), String> {
    match publish(app, organisation, (list, Form::Token)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

async fn publish(
    app: &Parts,
    organisation: &str,
    place: Place,
) -> Result<Option<Arc<Published>>, PublishError> {
    let Some(organisation) = app.organisations.find(organisation) else {
        return Ok(None);
    };
    let (lists, now) = (&app.lists, app.now());
    let (id, (list, form)) = (organisation.id.as_str(), place);
    let Some(revision) = lists.revisions.find(&app.store, (id, list), now).await? else {
        return Ok(None);
    };
    // A list signed with another key than the current one is signed again: that key may be compromised.
    let key = app.keys.active(KeyPurpose::Status, id)?;
    let chain = organisation.chain_of(&key.public_jwk().thumbprint(), now);
    let stand = Stand::new(revision, (organisation.key_id(key), chain), list, now);
    if let Some(published) = lists.cache.find(id, place, &stand) {
        return Ok(Some(published));
    }
    // After a revocation everybody asks at once: one of them has the list made. [SEC-26]
    let _turn = lists.cache.signing.turn(&(id.to_owned(), list, form)).await;
    if let Some(published) = lists.cache.find(id, place, &stand) {
        return Ok(Some(published));
    }
    let ground = &lists.ground;
    let entries = ground
        .entries(&app.store, &lists.seal, id, list, now)
        .await?;
    let signed = sign(app, organisation, key, place, entries, now).await?;
    let published = Arc::new(Published {
        etag: stand.etag().ok_or(PublishError::Key)?,
        stand,
        body: signed.into(),
    });
    lists.cache.keep(id, place, Arc::clone(&published));
    Ok(Some(published))
}

async fn sign(
    app: &Parts,
    organisation: &Organisation,
    key: &Arc<dyn Signer>,
    (list, form): Place,
    entries: StatusList,
    now: Timestamp,
) -> Result<String, SignError> {
    let key_id = organisation.key_id(key);
    let purpose = match form {
        Form::Token => {
            let token = StatusListToken {
                uri: app.lists.uri(organisation, list),
                issuer: Some(organisation.did.clone()),
                issued_at: now,
                expires_at: Some(now + LIFETIME),
                ttl: Some(TTL.as_secs().unsigned_abs()),
                list: entries,
            };
            // [HA-07]
            let chain = organisation.chain_of(&key.public_jwk().thumbprint(), now);
            let x5c = chain.map_or(&[][..], Chain::x5c);
            return status_list::sign_certified(key.as_ref(), (&key_id, x5c), &token).await;
        }
        Form::Bitstring(purpose) => purpose,
    };
    let status = match purpose {
        Purpose::Revocation => Status::Invalid,
        Purpose::Suspension => Status::Suspended,
    };
    let credential = BitstringCredential {
        uri: app.lists.bitstring_uri(organisation, list, purpose),
        issuer: organisation.did.clone(),
        purpose,
        valid_from: now,
        valid_until: Some(now + LIFETIME),
        ttl: Some(
            TTL.as_millis()
                .unsigned_abs()
                .try_into()
                .unwrap_or(u64::MAX),
        ),
        list: entries.bitstring_of(status),
    };
    credential.sign(key.as_ref(), &key_id).await
}

//! `GET /issuers/{organisation}/status/{list}`: the signed list, cacheable by anyone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use standards::status_list::{self, StatusList, StatusListToken};

use super::LIST_SIZE;
use crate::app::App;
use crate::flight::Flights;
use crate::keys::{KeyPurpose, NoKey};
use crate::live::Live;
use store::{Statement, StoreError};

/// How long others may keep a list before they ask again: the promise that a revocation is seen within a
/// minute rests on it.
const TTL: SignedDuration = SignedDuration::from_secs(30);
/// How long a signed list may be believed at all.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// A list without news is signed again after this long.
const RENEWAL: SignedDuration = SignedDuration::from_mins(5);

/// The routes of this slice.
pub fn router() -> Router<Live> {
    Router::new().route("/issuers/{organisation}/status/{list}", get(answer))
}

/// Signed lists by address. An address names gateway, organisation and list, so no tenant can meet another's.
#[derive(Default)]
pub(super) struct Cache {
    lists: Mutex<HashMap<String, Arc<Published>>>,
    signing: Flights<String>,
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Published>>> {
        // A panic while the map was held cannot have left half an entry.
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A signed list, as it was last sent.
struct Published {
    revision: i64,
    kid: String,
    at: Timestamp,
    token: String,
    etag: String,
}

async fn answer(
    State(app): State<App>,
    Path((organisation, list)): Path<(String, i64)>,
    headers: HeaderMap,
) -> Response {
    match publish(&app, &organisation, list).await {
        Ok(Some(published)) => {
            let known = headers
                .get(header::IF_NONE_MATCH)
                .and_then(|value| value.to_str().ok());
            let caching = [
                (header::ETAG, published.etag.clone()),
                (
                    header::CACHE_CONTROL,
                    format!("public, max-age={}", TTL.as_secs()),
                ),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
            ];
            if known == Some(published.etag.as_str()) {
                return (StatusCode::NOT_MODIFIED, caching).into_response();
            }
            (
                caching,
                [(header::CONTENT_TYPE, status_list::MEDIA_TYPE)],
                published.token.clone(),
            )
                .into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, organisation, list, "a status list could not be published");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Why a list could not be made.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("the list could not be encoded or signed: {0}")]
    Sign(String),
}

async fn publish(
    app: &App,
    organisation: &str,
    list: i64,
) -> Result<Option<Arc<Published>>, PublishError> {
    let Some(organisation) = app.organisations.find(organisation) else {
        return Ok(None);
    };
    let select =
        Statement::new("SELECT revision FROM status_lists WHERE organisation = $1 AND list = $2");
    let Some(row) = app
        .store
        .read_one(select.bind(organisation.id.as_str()).bind(list))
        .await?
    else {
        return Ok(None);
    };
    let (revision, now, uri) = (
        row.integer("revision")?,
        app.now(),
        app.lists.uri(organisation, list),
    );
    let key = app.keys.active(KeyPurpose::Status, &organisation.id)?;
    let kid = organisation.key_id(key);
    // A list signed with another key than the current one is signed again: that key may be compromised.
    let fresh = |published: &Arc<Published>| {
        published.revision == revision
            && published.kid == kid
            && now < published.at + RENEWAL
            && published.at <= now
    };
    let find = || {
        let lists = app.lists.cache.lock();
        let published = lists.get(&uri).filter(|published| fresh(published));
        published.cloned()
    };
    if let Some(published) = find() {
        return Ok(Some(published));
    }
    // After a revocation everybody asks at once: one of them has the list made. [SEC-26]
    let _turn = app.lists.cache.signing.turn(&uri).await;
    if let Some(published) = find() {
        return Ok(Some(published));
    }

    let select = Statement::new(
        "SELECT list_index FROM credentials WHERE organisation = $1 AND list = $2 AND revoked_at IS NOT NULL",
    );
    let revoked = app
        .store
        .read(select.bind(organisation.id.as_str()).bind(list))
        .await?;
    let mut entries = StatusList::new(
        status_list::Bits::One,
        usize::try_from(LIST_SIZE).unwrap_or(0),
    );
    for row in revoked {
        let index = u64::try_from(row.integer("list_index")?).unwrap_or(u64::MAX);
        entries
            .set(index, status_list::Status::Invalid)
            .map_err(|error| PublishError::Sign(error.to_string()))?;
    }
    let list = StatusListToken {
        uri: uri.clone(),
        issuer: Some(organisation.did.clone()),
        issued_at: now,
        expires_at: Some(now + LIFETIME),
        ttl: Some(TTL.as_secs().unsigned_abs()),
        list: entries,
    };
    let signed = status_list::sign(key.as_ref(), &kid, &list).await;
    let token = signed.map_err(|error| PublishError::Sign(error.to_string()))?;
    let short: String = key
        .public_jwk()
        .kid()
        .unwrap_or_default()
        .chars()
        .take(8)
        .collect();
    let etag = format!("\"{revision}-{}-{short}\"", now.as_second());
    let published = Arc::new(Published {
        revision,
        kid,
        at: now,
        token,
        etag,
    });
    app.lists.cache.lock().insert(uri, published.clone());
    Ok(Some(published))
}

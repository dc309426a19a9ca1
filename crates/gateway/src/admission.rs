//! Who is let in: the first that happens to every request, before any slice sees it (SEC-34).
//!
//! In order: the length of the address, the budget of the caller's network, the body (its size, its time, its
//! memory), a place among the requests under way. What a relying party may ask is counted later, when it has proved
//! who it is ([`Parts::admit`](crate::app::Parts::admit)).

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::limits::{Kind, LONGEST_BODY, LONGEST_URL, TooMany};
use crate::{client, oidc};

/// Middleware around all routes.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let kind = Kind::of(route.map(MatchedPath::as_str));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(address)| address.ip());
    let header = app.limits.address_header.as_ref();
    let from = ui::caller::network(peer, header, request.headers());
    let (request, _place) = match enter(&app, kind, from, request).await {
        Ok(entered) => entered,
        Err(refused) => return refused.answer(&app, kind),
    };
    let response = next.run(request).await;
    if let Some(from) = from {
        app.limits
            .charge_failure(kind, from, response.status(), app.now());
    }
    response
}

/// The request with all of its body, and its place among those under way.
async fn enter(
    app: &App,
    kind: Kind,
    from: Option<IpAddr>,
    request: Request,
) -> Result<(Request, Option<OwnedSemaphorePermit>), Refused> {
    let length = request
        .uri()
        .path_and_query()
        .map_or(0, |it| it.as_str().len());
    if length > LONGEST_URL {
        return Err(Refused::LongUrl);
    }
    if let Some(from) = from {
        app.limits.charge_address(kind, from, app.now())?;
    }
    let request = if matches!(*request.method(), Method::GET | Method::HEAD) {
        request
    } else {
        received(app, kind, from, request).await?
    };
    // Whoever waits for news of a wallet takes nobody's place.
    let place = match kind {
        Kind::Page => None,
        _ => Some(app.limits.enter(app.now())?),
    };
    Ok((request, place))
}

/// The same request with its body read. A body is small here, and nobody waits long for it.
async fn received(
    app: &App,
    kind: Kind,
    from: Option<IpAddr>,
    request: Request,
) -> Result<Request, Refused> {
    let (parts, body) = request.into_parts();
    let _place = app.limits.receive(from)?;
    let read = tokio::time::timeout(LONGEST_BODY, read(app, kind, body));
    let (body, reserved) = read.await.map_err(|_| Refused::SlowBody)??;
    let mut request = Request::from_parts(parts, Body::from(body));
    // The memory is in use until the request is answered.
    request
        .extensions_mut()
        .insert(std::sync::Arc::new(reserved));
    Ok(request)
}

type Reserved = Option<OwnedSemaphorePermit>;

async fn read(app: &App, kind: Kind, mut body: Body) -> Result<(Bytes, Reserved), Refused> {
    let most = kind.largest_body();
    // Whoever says beforehand that it is too large need not send it.
    if body.size_hint().lower() > most as u64 {
        return Err(Refused::LargeBody);
    }
    let mut whole = Vec::new();
    let mut reserved: Reserved = None;
    let mut room = 0;
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let data = match frame {
            None => return Ok((whole.into(), reserved)),
            Some(Err(_)) => return Err(Refused::BrokenBody),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_) => continue,
            },
        };
        let length = whole.len() + data.len();
        if length > most {
            return Err(Refused::LargeBody);
        }
        if length > room {
            let more = app.limits.reserve(length - room)?;
            room = length.next_multiple_of(1024);
            match &mut reserved {
                Some(reserved) => reserved.merge(more),
                None => reserved = Some(more),
            }
        }
        whole.extend_from_slice(&data);
    }
}

/// Why a request is not let in.
enum Refused {
    LongUrl,
    LargeBody,
    SlowBody,
    BrokenBody,
    TooMany(TooMany),
}

impl From<TooMany> for Refused {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

impl Refused {
    fn answer(self, app: &App, kind: Kind) -> Response {
        let (status, sentence) = match self {
            Self::TooMany(many) if kind.is_for_people() => {
                return client::answer_later(oidc::too_many(app, many.status()), &many);
            }
            Self::TooMany(many) => return client::answer_too_many(&many),
            Self::LongUrl => (StatusCode::URI_TOO_LONG, "the address is too long"),
            Self::LargeBody => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            ),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, "the body did not arrive whole"),
        };
        if kind.is_for_people() {
            oidc::bad_request(app, status, sentence)
        } else {
            client::answer_error(status, "invalid_request", sentence)
        }
    }
}

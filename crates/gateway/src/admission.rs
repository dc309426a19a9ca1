//! Who is let in: the first that happens to every request, before any slice sees it (SEC-34).
//!
//! In order: the budget of the caller's network, the length of the address, pages of other sites, the body (its size,
//! its time, its memory), a place among the requests under way. What a relying party may ask is counted later, when it
//! has proved who it is ([`Parts::admit`](crate::app::Parts::admit)).

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::limits::{Kind, LONGEST_BODY, LONGEST_URL, Memory, TooMany, watched};
use crate::metrics::{self, Refused};
use crate::{client, oidc};
use traces::Attribute;

/// Middleware around all routes: lets in, and counts what was answered.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let kind = Kind::of(route);
    let span = app.tracer.as_ref().map(|tracer| {
        let span = tracer.asked(request.headers(), request.method());
        span.at(route).with(Attribute::Asker(kind.asker()))
    });
    let admitted = admit_kind(&app, kind, route, request, next);
    let response = match &span {
        Some(span) => span.around(admitted).await,
        None => admitted.await,
    };
    let metrics = &app.metrics;
    metrics.answered(route, response.status(), began.elapsed());
    let refused = response.extensions().get::<metrics::Refused>();
    if let Some(Refused(code)) = refused {
        metrics.refused.add(&[kind.asker(), code]);
    }
    if let Some(span) = span {
        span.answered(response.status(), refused.map(|refused| refused.0));
    }
    response
}

async fn admit_kind(
    app: &App,
    kind: Kind,
    route: Option<&str>,
    request: Request,
    next: Next,
) -> Response {
    let from = app.limits.caller(&request);
    let redeems = kind == Kind::Token && route != Some("/userinfo");
    // Somebody may have typed what a wallet would follow.
    let is_read = kind.is_for_people() || kind.is_a_link() && oidc::takes_html(request.headers());
    // What is refused here does not come to where pages are put into a language.
    let asked = is_read.then(|| oidc::Asked::of(app, &request));
    let (request, _place) = match enter(app, kind, from, request).await {
        Ok(entered) => entered,
        Err(refused) => {
            let answer = refused.answer(app, is_read);
            return match asked {
                Some(asked) => asked.finish(app, answer),
                None => answer,
            };
        }
    };
    let answer = watched(next.run(request));
    let answer = tokio::time::timeout(app.longest_request, answer).await;
    let Ok((response, is_proved)) = answer else {
        let answer = too_slow(app, kind, redeems, is_read);
        return match asked {
            Some(asked) => asked.finish(app, answer),
            None => answer,
        };
    };
    if let Some(from) = from {
        if is_proved {
            app.limits.forgive_address(kind, from);
        }
        app.limits
            .charge_failure(kind, from, response.status(), app.now());
    }
    response
}

/// Nobody waits any longer, and nobody knows what will have been done. So no program is told to send it again.
fn too_slow(app: &App, kind: Kind, redeems: bool, is_read: bool) -> Response {
    if is_read {
        return oidc::too_slow(app);
    }
    tracing::error!(asker = kind.asker(), "a request took too long");
    if redeems {
        oidc::json_uncertain()
    } else {
        oidc::json_too_slow()
    }
}

/// The request with all of its body, and its place among those under way.
async fn enter(
    app: &App,
    kind: Kind,
    from: Option<IpAddr>,
    request: Request,
) -> Result<(Request, Option<OwnedSemaphorePermit>), NotAdmitted> {
    if let Some(from) = from {
        app.limits.charge_address(kind, from, app.now())?;
    }
    let length = request
        .uri()
        .path_and_query()
        .map_or(0, |it| it.as_str().len());
    if length > LONGEST_URL {
        return Err(NotAdmitted::LongUrl);
    }
    if kind.is_for_programs() && is_of_anothers_page(&request) {
        return Err(NotAdmitted::OtherSite);
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
) -> Result<Request, NotAdmitted> {
    let (parts, body) = request.into_parts();
    let _place = app.limits.receive(from)?;
    let read = tokio::time::timeout(LONGEST_BODY, read(app, kind, from, body));
    let (body, memory) = read.await.map_err(|_| NotAdmitted::SlowBody)??;
    let mut request = Request::from_parts(parts, Body::from(body));
    // The memory is in use until the request is answered.
    request.extensions_mut().insert(std::sync::Arc::new(memory));
    Ok(request)
}

async fn read(
    app: &App,
    kind: Kind,
    from: Option<IpAddr>,
    mut body: Body,
) -> Result<(Bytes, Vec<Memory>), NotAdmitted> {
    let most = kind.largest_body();
    // Whoever says beforehand that it is too large need not send it.
    if body.size_hint().lower() > most as u64 {
        return Err(NotAdmitted::LargeBody);
    }
    let mut whole = Vec::new();
    let mut memory = Vec::new();
    let mut room = 0;
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let data = match frame {
            None => return Ok((whole.into(), memory)),
            Some(Err(_)) => return Err(NotAdmitted::BrokenBody),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_) => continue,
            },
        };
        let length = whole.len() + data.len();
        if length > most {
            return Err(NotAdmitted::LargeBody);
        }
        if length > room {
            memory.push(app.limits.reserve(from, length - room)?);
            room = length.next_multiple_of(1024);
        }
        whole.extend_from_slice(&data);
    }
}

/// Whether a browser says that another site's page made it send this, and that it is no link which a person followed
/// [Fetch Metadata 2.1, 2.3]. A page full of such pictures would use up what its readers' networks may get wrong.
fn is_of_anothers_page(request: &Request) -> bool {
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let is_elsewhere =
        header("sec-fetch-site").is_some_and(|site| !matches!(site, b"same-origin" | b"none"));
    let is_link = *request.method() == Method::GET
        && header("sec-fetch-dest") == Some(b"document".as_slice());
    is_elsewhere && !is_link
}

/// Why a request is not let in.
enum NotAdmitted {
    OtherSite,
    LongUrl,
    LargeBody,
    SlowBody,
    BrokenBody,
    TooMany(TooMany),
}

impl From<TooMany> for NotAdmitted {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

impl NotAdmitted {
    fn answer(self, app: &App, is_read: bool) -> Response {
        let (status, sentence) = match self {
            Self::TooMany(many) if is_read => {
                return client::answer_later(oidc::too_many(app, many.status()), &many);
            }
            Self::TooMany(many) => return client::answer_too_many(&many),
            Self::OtherSite => (
                StatusCode::FORBIDDEN,
                "a page of another site may not send this",
            ),
            Self::LongUrl => (StatusCode::URI_TOO_LONG, "the address is too long"),
            Self::LargeBody => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            ),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, "the body did not arrive whole"),
        };
        if is_read {
            oidc::bad_request_of(app, status, sentence)
        } else {
            client::answer_error(status, "invalid_request", sentence)
        }
    }
}

//! Who is asking: an operator, by a token of 256 bits of which the database has the SHA-256 (rulings 23).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest as _, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use store::Statement;

use super::problem::{Code, Problem};
use super::read::check_address;
use super::role::{Right, Role};
use super::routes::{Door, LARGEST_BODY};
use crate::app::App;
use crate::audit::{Act, Actor, Entry};
use crate::live::Live;
use crate::random::Random;

/// Begins a token, so that everybody who meets one knows what it is.
const PREFIX: &str = "lyo_";
/// The same of a session's.
const SESSION_PREFIX: &str = "lys_";
/// The longest token that is looked for, in bytes.
const LONGEST: usize = 64;
/// How exactly it is remembered when a token was last used.
const LAST_USED: SignedDuration = SignedDuration::from_mins(1);
/// How long a session is in force when nothing is asked with it. That something was is remembered to the minute.
pub(crate) const IDLE: SignedDuration = SignedDuration::from_mins(15);

/// How long a body may take to arrive.
const LONGEST_BODY: Duration = Duration::from_secs(5);
/// How long a stranger waits for a place.
const TURN: Duration = Duration::from_secs(2);

/// The operator who asks, as the database had them when the request began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The person: itself, another account of theirs, or who answers for a program. Two operators of one person are no two
    /// persons.
    pub person: String,
    /// Whether it is a program.
    pub program: bool,
    /// Whether it is the account for emergencies.
    pub break_glass: bool,
    /// The token that was sent.
    pub token: String,
    /// Whether that is a session's.
    pub session: bool,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    organisation: Option<String>,
}

impl Operator {
    /// The organisation that it is confined to; `None`: the whole gateway. Belongs in the condition of every statement:
    /// `(CAST($n AS TEXT) IS NULL OR organisation = $n)`.
    #[must_use]
    pub fn organisation(&self) -> Option<&str> {
        self.organisation.as_deref()
    }

    /// Whether what is that organisation's (`None`: the whole gateway's) is theirs to see.
    #[must_use]
    pub fn sees(&self, organisation: Option<&str>) -> bool {
        self.organisation()
            .is_none_or(|own| organisation == Some(own))
    }

    /// Whether the role has that right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.role.may(right)
    }

    /// The same as a problem.
    pub fn must(&self, right: Right) -> Result<(), Problem> {
        self.may(right).then_some(()).ok_or(Code::Forbidden.into())
    }

    /// Who the audit says it was.
    #[must_use]
    pub fn actor(&self) -> Actor<'_> {
        Actor::Operator(&self.id)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Code::Unauthorized.into())
    }
}

/// A token that nobody has yet.
pub(crate) fn new_token(random: &Random) -> String {
    format!("{PREFIX}{}", random.token_256())
}

/// The same for a session.
pub(crate) fn new_session(random: &Random) -> String {
    format!("{SESSION_PREFIX}{}", random.token_256())
}

/// What the database keeps of a token.
pub(crate) fn digest_of(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

/// Middleware: nobody passes but an operator, who stands in the request from then on.
pub(super) async fn required(
    State((live, door)): State<(Live, Arc<Door>)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let app = live.now();
    let now = app.now();
    let place = door.places.try_acquire();
    let place = place.map_err(|_| Problem::from(Code::Busy).after(1))?;
    let found = match token_in(request.headers()) {
        Some(token) => find(&app, token, now).await?,
        None => None,
    };
    drop(place);
    let Some(operator) = found else {
        // Whoever has the right token is never refused for somebody else's wrong ones.
        let refused = app
            .limits
            .charge_operator_failure(address(&app, &request), now);
        return Err(match refused {
            Err(too_many) => Problem::from(Code::TooManyFailures).after(too_many.seconds()),
            Ok(()) => Code::Unauthorized.into(),
        });
    };
    if operator.break_glass {
        door.break_glass_uses.fetch_add(1, Ordering::Relaxed);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        alarm(&app, &operator, (method.as_str(), uri.path()), now).await?;
    }
    let from = Address(address(&app, &request));
    request.extensions_mut().insert(from);
    request.extensions_mut().insert(operator);
    // What has no length, or a large one, is read where it is looked at: only whoever has a token comes so far.
    let length = request.body().size_hint().upper();
    if length.is_some_and(|length| length > 0 && length <= LARGEST_BODY as u64) {
        request = with_its_body(request).await?;
    }
    check_address(request.uri())?;
    let Ok(_place) = door.places.try_acquire() else {
        return Err(Problem::from(Code::Busy).after(1));
    };
    Ok(next.run(request).await)
}

/// The same request with its body in memory: nobody holds a place while a body trickles in.
async fn with_its_body(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let reading = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let Ok(read) = tokio::time::timeout(LONGEST_BODY, reading).await else {
        return Err(Problem::from(Code::TooSlow).after(1));
    };
    let body = read.map_err(|rejection| match rejection.status().as_u16() {
        413 => Problem::from(Code::BodyTooLarge),
        _ => Problem::with(Code::BodyUnreadable, "The body did not arrive whole."),
    })?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Middleware of what needs no token: signing in is how one comes by one.
pub(super) async fn open(
    State((live, door)): State<(Live, Arc<Door>)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let mut request = with_its_body(request).await?;
    // In the order in which they come, so that whoever asks most does not have them all.
    let place = tokio::time::timeout(TURN, door.strangers_places.acquire());
    let Ok(Ok(_place)) = place.await else {
        return Err(Problem::from(Code::Busy).after(1));
    };
    let from = Address(address(&live.now(), &request));
    request.extensions_mut().insert(from);
    Ok(next.run(request).await)
}

/// Where a request comes from, as far as that tells one caller from another.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let known = parts.extensions.get::<Self>().copied();
        known.ok_or(Code::Internal.into())
    }
}

/// A use of the account for emergencies is never quiet: without its entry nothing is done.
async fn alarm(
    app: &App,
    operator: &Operator,
    (method, path): (&str, &str),
    now: Timestamp,
) -> Result<(), Problem> {
    tracing::error!(
        operator = operator.id,
        method,
        path,
        "the account for emergencies is used"
    );
    let entry = Entry::new(
        operator.actor(),
        Act::BreakGlassUsed,
        ("operator", &operator.id),
        now,
    )
    .organisation(operator.organisation())
    .id("method", method)
    .path("path", path)
    .id("token", &operator.token);
    app.store.write([entry.into()]).await?;
    Ok(())
}

/// This machine where the network is not known. Of wrong tokens those are one caller's, since the right one passes anyway; wrong
/// passwords are not counted by it, since the right one would not (`operator/attempts.rs`).
fn address(app: &App, request: &Request) -> IpAddr {
    let known = app.limits.caller(request);
    known.unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// The token in the one `Authorization` header [RFC 6750 2.1]. Nowhere else is one read.
fn token_in(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let known = token.starts_with(PREFIX) || token.starts_with(SESSION_PREFIX);
    let is_ours = scheme.eq_ignore_ascii_case("bearer") && known;
    (is_ours && token.len() <= LONGEST).then_some(token)
}

/// The operator whose token this is, if both are in force.
async fn find(app: &App, token: &str, now: Timestamp) -> Result<Option<Operator>, Problem> {
    // By digest: what the database compares is no secret, and says nothing of one that nearly fits.
    let sql = "SELECT o.id, o.name, o.role, o.organisation, o.person, o.program, o.break_glass, t.id AS token, t.last_used_at, \
               t.kind, t.expires_at FROM operator_tokens t JOIN operators o ON o.id = t.operator \
               WHERE t.digest = $1 AND t.expires_at > $2 AND t.revoked_at IS NULL AND o.removed_at IS NULL \
               AND (t.kind = 'token' OR t.kind = 'session' AND COALESCE(t.last_used_at, t.made_at) > $3)";
    let idle = now.saturating_sub(IDLE).unwrap_or(Timestamp::MIN);
    let statement = Statement::new(sql)
        .bind(digest_of(token))
        .bind(now)
        .bind(idle);
    let Some(row) = app.store.read_one(statement).await? else {
        return Ok(None);
    };
    // A role of a newer version has no rights here.
    let Some(role) = Role::of_name(row.text("role")?) else {
        return Ok(None);
    };
    let operator = Operator {
        id: row.text("id")?.to_owned(),
        name: row.text("name")?.to_owned(),
        role,
        person: row.text("person")?.to_owned(),
        program: row.boolean("program")?,
        break_glass: row.boolean("break_glass")?,
        token: row.text("token")?.to_owned(),
        session: row.text("kind")? == "session",
        expires_at: row.timestamp("expires_at")?,
        organisation: row.optional_text("organisation")?.map(str::to_owned),
    };
    let last = row.optional_timestamp("last_used_at")?;
    if last.is_none_or(|last| now.duration_since(last) >= LAST_USED) {
        let used = Statement::new("UPDATE operator_tokens SET last_used_at = $1 WHERE id = $2");
        app.store
            .write([used.bind(now).bind(&operator.token)])
            .await?;
    }
    Ok(Some(operator))
}

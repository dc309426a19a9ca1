//! The same POST twice has one effect and one answer: `Idempotency-Key` [draft-ietf-httpapi-idempotency-key-header].
//!
//! A key is remembered for a day, under a hash of who called, what for, and the key. The body is not kept but hashed as it
//! passes, so that a body of any size may bear a key. An answer that says that something failed here is not remembered:
//! trying again is then the right thing.
//!
//! While a request is worked on, whoever works on it says again and again that it lives: a feed may take longer than any
//! time that is right for taking somebody for dead.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use jiff::SignedDuration;
use store::{Statement, StoreError};
use uuid::Uuid;

use crate::app::{App, Parts};
use crate::key::{Caller, sha256_of};
use crate::problem::{Code, Problem};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long an answer is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// How long nothing may be heard of whoever works on a request before they are taken for dead.
const WORKED_ON: SignedDuration = SignedDuration::from_secs(60);
/// How often they are heard of: often enough that a store which does not answer for a while costs nobody their key.
const HEARD_OF: Duration = Duration::from_secs(2);
/// The largest answer to any POST.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// An answer that was given before.
struct Remembered {
    body_digest: String,
    status: StatusCode,
    content_type: Option<String>,
    body: String,
}

/// What a key stands for at this moment.
enum Held {
    /// Nothing: it is this request's now.
    Ours,
    /// An answer.
    Answered(Remembered),
}

/// Answers again what was answered before, and remembers what is answered now.
pub(crate) async fn once(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let Some(key) = request.headers().get(KEY) else {
        return Ok(next.run(request).await);
    };
    let key = Key {
        digest: place(&request, read(key)?),
        owner: Uuid::new_v4().to_string(),
    };
    match app.reserve(&key).await? {
        Held::Answered(remembered) => answer_again(request, remembered).await,
        // What was begun is finished and remembered, even if the caller hangs up.
        Held::Ours => tokio::spawn(traces::carried(async move {
            let answered = tokio::select! {
                biased;
                answered = answer(&app, &key, request, next) => answered,
                () = app.keep_reserved(&key) => return Err(Code::IdempotencyKeyInUse.into()),
            };
            if answered.is_err() {
                app.release(&key).await?;
            }
            answered
        }))
        .await
        .unwrap_or_else(|_| Err(Code::Internal.into())),
    }
}

/// A key, and which of the requests that bear it this is.
struct Key {
    digest: String,
    owner: String,
}

fn read(value: &HeaderValue) -> Result<&str, Problem> {
    let text = value.to_str().map_err(|_| Code::IdempotencyKeyInvalid)?;
    let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if text.is_empty() || text.len() > 255 || !printable {
        return Err(Code::IdempotencyKeyInvalid.into());
    }
    Ok(text)
}

/// One caller's key for one address is not another's.
fn place(request: &Request, key: &str) -> String {
    let caller = request.extensions().get::<Caller>();
    let caller = caller.map_or("", |caller| caller.0.as_str());
    sha256_of(&format!("{caller}\n{}\n{key}", request.uri().path()))
}

async fn answer(app: &Parts, key: &Key, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (body, passed) = hashed(body);
    let response = next.run(Request::from_parts(parts, body)).await;
    if response.status().is_server_error() {
        app.release(key).await?;
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, LARGEST_ANSWER)
        .await
        .map_err(|_| Code::Internal)?;
    let Some(body_digest) = passed.digest() else {
        // It was refused before all of it was read: nothing to compare a second one with.
        app.release(key).await?;
        return Ok(Response::from_parts(head, Body::from(body)));
    };
    let remembered = Remembered {
        body_digest,
        status: head.status,
        content_type: head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    // What was done stays done, even if that cannot be remembered: the caller hears of it.
    if let Err(error) = app.remember(key, &remembered).await {
        tracing::warn!(%error, "an answer could not be remembered under its Idempotency-Key");
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

async fn answer_again(request: Request, remembered: Remembered) -> Result<Response, Problem> {
    let (body, passed) = hashed(request.into_body());
    let mut stream = body.into_data_stream();
    while let Some(part) = stream.next().await {
        part.map_err(|_| Problem::with(Code::BodyUnreadable, "The body did not arrive whole."))?;
    }
    if passed.digest().as_ref() != Some(&remembered.body_digest) {
        return Err(Code::IdempotencyKeyReused.into());
    }
    let mut response = Response::new(Body::from(remembered.body));
    *response.status_mut() = remembered.status;
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    let content_type = remembered.content_type.as_deref();
    if let Some(Ok(value)) = content_type.map(HeaderValue::from_str) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    Ok(response)
}

/// What has passed of a body, and whether it was all.
#[derive(Clone)]
struct Passed(Arc<Mutex<(Context, bool)>>);

impl Passed {
    fn digest(&self) -> Option<String> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.1.then(|| hex::encode(held.0.clone().finish()))
    }
}

fn hashed(body: Body) -> (Body, Passed) {
    let passed = Passed(Arc::new(Mutex::new((Context::new(&SHA256), false))));
    let (on_part, on_end) = (passed.clone(), passed.clone());
    let parts = body.into_data_stream().inspect(move |part| {
        if let Ok(bytes) = part {
            let mut held = on_part.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.0.update(bytes);
        }
    });
    let end = futures_util::stream::once(async move {
        on_end.0.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        Ok(axum::body::Bytes::new())
    });
    (Body::from_stream(parts.chain(end)), passed)
}

impl Parts {
    /// Makes the key this request's, or says what it stands for.
    async fn reserve(&self, key: &Key) -> Result<Held, Problem> {
        let now = self.now();
        let reserve = Statement::new(
            "INSERT INTO sidecar_answers AS known (key_digest, owner, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (key_digest) DO UPDATE SET owner = excluded.owner, body_digest = NULL, status = NULL, \
             content_type = NULL, body = NULL, expires_at = excluded.expires_at WHERE known.expires_at <= $4",
        )
        .bind(&key.digest)
        .bind(&key.owner)
        .bind(self.ahead(WORKED_ON))
        .bind(now)
        .must_change(1);
        match self.store.write([reserve]).await {
            Ok(_) => return Ok(Held::Ours),
            Err(StoreError::Unmet { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let select = Statement::new(
            "SELECT body_digest, status, content_type, body FROM sidecar_answers \
             WHERE key_digest = $1 AND status IS NOT NULL",
        );
        let Some(row) = self.store.read_one(select.bind(&key.digest)).await? else {
            return Err(Code::IdempotencyKeyInUse.into());
        };
        let status = u16::try_from(row.integer("status")?).ok();
        Ok(Held::Answered(Remembered {
            body_digest: row.text("body_digest")?.to_owned(),
            status: status
                .and_then(|status| StatusCode::from_u16(status).ok())
                .ok_or(Code::Internal)?,
            content_type: row.optional_text("content_type")?.map(str::to_owned),
            body: row.text("body")?.to_owned(),
        }))
    }

    /// Says that this request is being worked on, for as long as the future is not dropped. It ends when the key is another
    /// request's by now: this process was taken for dead, and what it does must not go on beside that one's.
    async fn keep_reserved(&self, key: &Key) {
        loop {
            tokio::time::sleep(HEARD_OF).await;
            let renew = Statement::new(
                // An answer that is remembered by now stays so for its own time.
                "UPDATE sidecar_answers SET expires_at = CASE WHEN status IS NULL THEN $1 ELSE expires_at END \
                 WHERE key_digest = $2 AND owner = $3",
            )
            .bind(self.ahead(WORKED_ON))
            .bind(&key.digest)
            .bind(&key.owner)
            .must_change(1);
            match self.store.write([renew]).await {
                Ok(_) => {}
                Err(StoreError::Unmet { .. }) => {
                    tracing::warn!(
                        "a request lost its Idempotency-Key to another one, and was stopped"
                    );
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "an Idempotency-Key could not be held on to");
                }
            }
        }
    }

    async fn remember(&self, key: &Key, answer: &Remembered) -> Result<(), StoreError> {
        let keep = Statement::new(
            "UPDATE sidecar_answers SET body_digest = $1, status = $2, content_type = $3, body = $4, expires_at = $5 \
             WHERE key_digest = $6 AND owner = $7",
        )
        .bind(&answer.body_digest)
        .bind(u32::from(answer.status.as_u16()))
        .bind(answer.content_type.as_ref())
        .bind(&answer.body)
        .bind(self.ahead(REMEMBERED))
        .bind(&key.digest)
        .bind(&key.owner);
        self.store.write([keep]).await.map(drop)
    }

    /// Nothing is remembered: the same may be tried again at once.
    async fn release(&self, key: &Key) -> Result<(), StoreError> {
        let forget =
            Statement::new("DELETE FROM sidecar_answers WHERE key_digest = $1 AND owner = $2");
        let forget = forget.bind(&key.digest).bind(&key.owner);
        self.store.write([forget]).await.map(drop)
    }
}

//! `/admin/v1/sessions`: signing in by password and authenticator, and signing out.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Statement, StoreError};
use utoipa::ToSchema;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::attempts::{Allowed, Attempt, WINDOW};
use super::sign_in::{self, Kept, NewSession, Second};
use crate::admin::{Address, Code, Operator, Problem, Problems, Right, Routes, Told, field};
use crate::app::App;
use crate::audit::{Act, Actor, Entry};

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .open(routes!(sign_in))
        .with(Right::Own, routes!(end))
        .with(Right::Own, routes!(emergency))
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Attempted {
    /// The operator's name.
    #[schema(example = "j.bloggs")]
    name: String,
    /// Its organisation, if it is confined to one.
    #[serde(default)]
    #[schema(nullable = false)]
    organisation: Option<String>,
    /// The password.
    password: String,
    /// The six digits that the authenticator app shows, or a recovery code.
    #[schema(example = "492039")]
    code: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// What its requests send as their token: shown now, and never again.
    #[schema(example = "lys_…")]
    token: String,
    /// Its id.
    #[schema(example = "tk-3n8c-71vw")]
    id: String,
    /// When it ends at the latest; sooner where nothing is asked with it for 15 minutes.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<NewSession> for Session {
    fn from(new: NewSession) -> Self {
        Self {
            token: new.token.to_string(),
            id: new.id,
            expires_at: new.expires_at,
        }
    }
}

/// Sign in: begin a session by password and authenticator. No token is needed
#[utoipa::path(
    post,
    path = "/admin/v1/sessions",
    tag = "Signing in",
    request_body = Attempted,
    responses((status = 201, description = "A session", body = Session), Problems)
)]
async fn sign_in(
    State(app): State<App>,
    Address(from): Address,
    Told(attempted): Told<Attempted>,
) -> Result<(StatusCode, Json<Session>), Problem> {
    let Attempted {
        name,
        organisation,
        password,
        code,
    } = attempted;
    let password = Zeroizing::new(password);
    field("name", &name)?;
    let organisation = organisation.filter(|id| !id.is_empty());
    let attempt = Attempt::new(&name, organisation.as_deref(), from);
    let kept = Kept::of_name(&app, &name, organisation.as_deref()).await?;
    let refused = |why| refusal(kept.as_ref(), why, app.now());
    match attempt.count(&app).await? {
        Allowed::Yes => {}
        Allowed::No { first, wait } => {
            if first && let Some(entry) = refused("too-many-attempts") {
                app.store.write([entry]).await?;
            }
            return Err(too_many().after(wait.as_secs().unsigned_abs()));
        }
    }
    // Looked at in any case, so that the time it takes tells nobody which of the three was wrong.
    let hash = kept.as_ref().map(|kept| kept.password_hash.clone());
    let is_right = sign_in::is_right(&app, password, hash).await?;
    let now = app.now();
    let second = match &kept {
        Some(kept) => Second::of(kept, &kept.totp(&app)?, &code, now),
        None => None,
    };
    if let (true, Some(kept), Some(second)) = (is_right, &kept, second) {
        let session = NewSession::new(&app.random, now);
        let mut batch = second.use_up(&kept.operator, now);
        batch.push(session.insert(&kept.operator, now));
        batch.extend(attempt.forget());
        let entry = entry(
            &kept.operator,
            kept.organisation.as_deref(),
            Act::OperatorSignedIn,
            now,
        );
        batch.push(
            entry
                .id("session", &session.id)
                .with("by", second.name())
                .into(),
        );
        match app.store.write(batch).await {
            Ok(_) => return Ok((StatusCode::CREATED, Json(session.into()))),
            // The code was used before, by whoever it was.
            Err(StoreError::Unmet { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let told = refused("wrong").into_iter();
    app.store.write(told.chain([attempt.touch()])).await?;
    tracing::warn!(code = Code::SignInRefused.code(), "a sign-in was refused");
    Err(Code::SignInRefused.into())
}

/// An entry about somebody who has set up a sign-in. Nobody proved to be them: it is the gateway that refused.
pub(super) fn refusal(kept: Option<&Kept>, why: &'static str, now: Timestamp) -> Option<Statement> {
    let kept = kept?;
    let object = ("operator", kept.operator.as_str());
    let entry = Entry::new(Actor::Gateway, Act::OperatorSignInRefused, object, now);
    let entry = entry.organisation(kept.organisation.as_deref());
    Some(entry.with("why", why).into())
}

pub(super) fn entry(operator: &str, organisation: Option<&str>, act: Act, now: Timestamp) -> Entry {
    let actor = Actor::Operator(operator);
    Entry::new(actor, act, ("operator", operator), now).organisation(organisation)
}

pub(super) fn too_many() -> Problem {
    Problem::from(Code::TooManySignIns).after(WINDOW.as_secs().unsigned_abs())
}

/// Sign out: end the session whose token is sent, and the tokens that it made
#[utoipa::path(
    post,
    path = "/admin/v1/sessions/end",
    tag = "Signing in",
    responses((status = 204, description = "It opens nothing any more"), Problems)
)]
async fn end(State(app): State<App>, by: Operator) -> Result<StatusCode, Problem> {
    if !by.session {
        return Err(Code::NotFound.into());
    }
    let now = app.now();
    let entry = entry(&by.id, by.organisation(), Act::OperatorSignedOut, now);
    let ended = super::rows::revoke_token(&by.token, false, now).into_iter();
    let entry = entry.id("session", &by.token).into();
    app.store.write(ended.chain([entry])).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A session of the account for emergencies, by its token: it ends with that one
#[utoipa::path(
    post,
    path = "/admin/v1/sessions/emergency",
    tag = "Signing in",
    responses((status = 201, description = "A session; each request in it raises the alarm as well", body = Session), Problems)
)]
async fn emergency(
    State(app): State<App>,
    by: Operator,
) -> Result<(StatusCode, Json<Session>), Problem> {
    if !by.break_glass || by.session {
        return Err(Code::NotFound.into());
    }
    let now = app.now();
    let session = NewSession::new(&app.random, now).by_token(&by);
    let told = entry(&by.id, by.organisation(), Act::OperatorSignedIn, now);
    let told = told.id("session", &session.id).with("by", "token");
    app.store
        .write([session.insert(&by.id, now), told.into()])
        .await?;
    Ok((StatusCode::CREATED, Json(session.into())))
}

//! `/admin/v1/whoami`, `/admin/v1/operators`, `/admin/v1/tokens`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::desk::new_id;
use super::rows::{self, Known, Token};
use super::set_up_routes::{Current, must_be_a_person, prove};
use super::{MOST_TOKEN_DAYS, TOKEN_DAYS, visible};
use crate::admin::{
    Address, Code, Once, Operator, Problem, Problems, Right, Role, Routes, Told, Why, digest_of,
    new_token,
};
use crate::app::App;
use crate::audit::{Act, Entry};

/// The routes of this slice.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .with(Right::Own, routes!(who_am_i))
        .with(Right::Own, routes!(own_tokens, new_own_token))
        .with(Right::Own, routes!(revoke))
        .with(Right::OperatorsRead, routes!(list))
        .with(Right::OperatorsRead, routes!(look))
        .with(Right::OperatorsChange, routes!(remove))
        .and(super::sign_in_routes::routes())
        .and(super::set_up_routes::routes())
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct Whoami {
    /// Its id.
    #[schema(example = "op-k7q2-9mfd")]
    id: String,
    /// Its name.
    #[schema(example = "j.bloggs")]
    name: String,
    /// Its role.
    role: Role,
    /// What the role may do: rights, by code.
    rights: Vec<&'static str>,
    /// The organisation to which it is confined; absent: the whole gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// Whether it is the account for emergencies.
    break_glass: bool,
    /// The token that was sent, by its id.
    token: String,
    /// Whether that is a session's: somebody signed in by password, or by the token of the account for emergencies.
    session: bool,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Who am I?
#[utoipa::path(
    get,
    path = "/admin/v1/whoami",
    tag = "Operators",
    responses((status = 200, description = "The operator whose token it is", body = Whoami), Problems)
)]
async fn who_am_i(operator: Operator) -> Json<Whoami> {
    let rights = Right::ALL.into_iter().filter(|right| operator.may(*right));
    Json(Whoami {
        rights: rights.map(Right::code).collect(),
        organisation: operator.organisation().map(str::to_owned),
        id: operator.id,
        name: operator.name,
        role: operator.role,
        break_glass: operator.break_glass,
        token: operator.token,
        session: operator.session,
        expires_at: operator.expires_at,
    })
}

/// Operators.
#[derive(Serialize, ToSchema)]
struct Operators {
    /// By organisation and name; removed ones as well.
    operators: Vec<Known>,
}

/// An operator and its tokens.
#[derive(Serialize, ToSchema)]
struct WithTokens {
    #[serde(flatten)]
    operator: Known,
    /// Newest first.
    tokens: Vec<Token>,
}

/// Who the operators are
#[utoipa::path(
    get,
    path = "/admin/v1/operators",
    tag = "Operators",
    responses((status = 200, description = "All that one may see", body = Operators), Problems)
)]
async fn list(State(app): State<App>, operator: Operator) -> Result<Json<Operators>, Problem> {
    let operators = rows::all(&app.store, operator.organisation()).await?;
    Ok(Json(Operators { operators }))
}

/// One operator
#[utoipa::path(
    get,
    path = "/admin/v1/operators/{operator}",
    tag = "Operators",
    params(("operator" = String, Path, description = "Its id")),
    responses((status = 200, description = "It, with its tokens", body = WithTokens), Problems)
)]
async fn look(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
) -> Result<Json<WithTokens>, Problem> {
    let operator = visible(&app, &by, &id).await?;
    let tokens = rows::tokens_of(&app.store, &id).await?;
    Ok(Json(WithTokens { operator, tokens }))
}

/// Remove an operator, its tokens and the programs that it answers for. At once, by one person
#[utoipa::path(
    post,
    path = "/admin/v1/operators/{operator}/remove",
    tag = "Operators",
    params(("operator" = String, Path, description = "Its id")),
    request_body = Why,
    responses((status = 204, description = "It is removed, and what it proposed is declined"), Problems)
)]
async fn remove(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
    Told(why): Told<Why>,
) -> Result<StatusCode, Problem> {
    why.check()?;
    let known = visible(&app, &by, &id).await?;
    let now = app.now();
    let entry = Entry::new(by.actor(), Act::OperatorRemoved, ("operator", &id), now)
        .organisation(known.organisation.as_deref());
    let mut batch = rows::remove(&id, now);
    batch.push(why.told(entry).into());
    app.store.write(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tokens.
#[derive(Serialize, ToSchema)]
struct Tokens {
    /// Newest first.
    tokens: Vec<Token>,
}

/// One's own tokens
#[utoipa::path(
    get,
    path = "/admin/v1/tokens",
    tag = "Operators",
    responses((status = 200, description = "All of them, without what opens anything", body = Tokens), Problems)
)]
async fn own_tokens(State(app): State<App>, operator: Operator) -> Result<Json<Tokens>, Problem> {
    let tokens = rows::tokens_of(&app.store, &operator.id).await?;
    Ok(Json(Tokens { tokens }))
}

/// For how long, and by whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskedToken {
    /// 1 to 400; 90 if left out.
    #[serde(default)]
    #[schema(example = 90, nullable = false)]
    days: Option<u32>,
    /// Needed in a session: a screen left alone makes nobody a token.
    #[serde(default)]
    #[schema(nullable = false)]
    current: Option<Current>,
    /// A mark of your choice: sent again, nothing is made again. 16 to 64 letters, digits, hyphens and underscores.
    #[serde(default)]
    #[schema(nullable = false)]
    once: Option<String>,
}

/// A new token.
#[derive(Serialize, ToSchema)]
struct NewToken {
    /// The token: shown now, and never again.
    #[schema(example = "lyo_…")]
    token: String,
    /// Its id.
    #[schema(example = "tk-3n8c-71vw")]
    id: String,
    /// Until when it is in force: not longer than the token that made it.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// One more token for oneself. It is revoked with the token or session that made it, and ends no later
#[utoipa::path(
    post,
    path = "/admin/v1/tokens",
    tag = "Operators",
    request_body = AskedToken,
    responses((status = 201, description = "It is shown this once", body = NewToken), Problems)
)]
async fn new_own_token(
    State(app): State<App>,
    operator: Operator,
    Address(from): Address,
    Told(asked): Told<AskedToken>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    let days = asked.days.unwrap_or(TOKEN_DAYS);
    if !(1..=MOST_TOKEN_DAYS).contains(&days) {
        return Err(Problem::field("days", "it is a number from 1 to 400"));
    }
    let once = Once::said(asked.once.as_deref(), &operator)?;
    once.check(&app.store).await?;
    if operator.session {
        must_be_a_person(&operator)?;
        prove(&app, &operator, from, asked.current).await?;
    }
    let now = app.now();
    let (id, token) = (new_id("tk", &app.random), new_token(&app.random));
    let holder = (operator.id.as_str(), operator.token.as_str());
    let insert = rows::insert_own_token(&id, holder, digest_of(&token), now, days);
    let entry = Entry::new(
        operator.actor(),
        Act::OperatorTokenMade,
        ("operator", &operator.id),
        now,
    )
    .organisation(operator.organisation())
    .id("token", &id);
    let batch = once.spend(now).into_iter().chain([insert, entry.into()]);
    let written = app.store.write(batch).await;
    written.map_err(|error| once.refused(error))?;
    let made = rows::tokens_of(&app.store, &operator.id).await?;
    let made = made.into_iter().find(|one| one.id == id);
    let expires_at = made.ok_or(Code::NotFound)?.expires_at;
    Ok((
        StatusCode::CREATED,
        Json(NewToken {
            token,
            id,
            expires_at,
        }),
    ))
}

/// Revoke a token and all that was made with it, and the sign-in that was set up with it: one's own, or with `operators-change` anybody's that one may see
#[utoipa::path(
    post,
    path = "/admin/v1/tokens/{token}/revoke",
    tag = "Operators",
    params(("token" = String, Path, description = "Its id")),
    request_body = Why,
    responses((status = 204, description = "It opens nothing any more"), Problems)
)]
async fn revoke(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
    Told(why): Told<Why>,
) -> Result<StatusCode, Problem> {
    why.check()?;
    let owner = rows::owner_of(&app.store, &id)
        .await?
        .ok_or(Code::NotFound)?;
    let may = owner.id == by.id
        || by.may(Right::OperatorsChange) && by.sees(owner.organisation.as_deref());
    if !may {
        return Err(Code::NotFound.into());
    }
    let now = app.now();
    let entry = Entry::new(
        by.actor(),
        Act::OperatorTokenRevoked,
        ("operator", &owner.id),
        now,
    )
    .organisation(owner.organisation.as_deref())
    .id("token", &id);
    let ends_sign_in = rows::has_set_up(&app.store, &id).await?;
    let entry = rows::tells_of_sign_in(entry, ends_sign_in);
    let revoked = rows::revoke_token(&id, ends_sign_in, now).into_iter();
    let batch = revoked.chain([why.told(entry).into()]);
    app.store.write(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

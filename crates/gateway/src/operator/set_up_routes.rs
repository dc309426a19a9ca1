//! `/admin/v1/sign-in`: by what one signs in, and setting it up.
//!
//! The first set-up asks for a token of the operator: whoever has it is them already, as long as it is not revoked. Until they have
//! shown another token of theirs, the sign-in rests on that one and ends with it (decision 0043). A later set-up asks for the password and a
//! code as well, with a session or a token, so that neither a screen left alone nor a token that was found gives anybody the
//! account for longer than they last. The account for emergencies and programs have no password: they have their token.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Statement, StoreError};
use utoipa::ToSchema;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::attempts::{Allowed, Attempt};
use super::sign_in::{
    self, Kept, NewSession, SET_UP, SET_UP_ATTEMPTS, Second, end_sessions, new_recovery_codes,
    place, set_up_place,
};
use super::sign_in_routes::{Session, entry, refusal, too_many};
use super::totp::Totp;
use crate::admin::{Address, Code, Operator, Problem, Problems, Right, Routes, Told, digest_of};
use crate::app::App;
use crate::audit::Act;

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .open(routes!(confirm))
        .with(Right::Own, routes!(state, set_up))
        .with(Right::Own, routes!(change_password))
}

/// How one signs in.
#[derive(Serialize, ToSchema)]
struct SignInState {
    /// Since when one may; absent: it is not set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    set_up_at: Option<Timestamp>,
    /// When one last did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// How many recovery codes are left.
    recovery_codes: i64,
    /// The token on which it rests, since nothing else was shown: whoever revokes that one, or what it was made with, ends the
    /// sign-in, too. Set it up anew with another token that was not made with this one, and it stands by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tk-3n8c-71vw")]
    set_up_with: Option<String>,
}

/// How one signs in
#[utoipa::path(
    get,
    path = "/admin/v1/sign-in",
    tag = "Signing in",
    responses((status = 200, description = "Without what opens anything", body = SignInState), Problems)
)]
async fn state(State(app): State<App>, by: Operator) -> Result<Json<SignInState>, Problem> {
    let kept = Kept::of(&app, &by.id).await?;
    let sql = "SELECT COUNT(*) AS count FROM operator_recovery_codes WHERE operator = $1 AND used_at IS NULL";
    let left = app.store.read_one(Statement::new(sql).bind(&by.id)).await?;
    let left = left.map(|row| row.integer("count")).transpose()?;
    Ok(Json(SignInState {
        set_up_at: kept.as_ref().map(|kept| kept.set_up_at),
        last_used_at: kept.as_ref().and_then(|kept| kept.last_used_at),
        set_up_with: kept.and_then(|kept| kept.set_up_with),
        recovery_codes: left.unwrap_or(0),
    }))
}

/// By what somebody signs in until now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Current {
    /// The password.
    password: String,
    /// The six digits that the authenticator app shows, or a recovery code.
    code: String,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetUp {
    /// 12 to 200 characters.
    #[schema(example = "correct horse battery staple")]
    password: String,
    /// Needed where a sign-in is there already. Whoever lost it has it reset on the gateway's machine.
    #[serde(default)]
    #[schema(nullable = false)]
    current: Option<Current>,
}

/// A set-up that waits for a code.
#[derive(Serialize, ToSchema)]
struct SetUpBegun {
    /// What confirms it, together with a code.
    set_up: String,
    /// The authenticator's secret, to be typed over: Base32.
    secret: String,
    /// The same as authenticator apps read it from a QR code.
    #[schema(example = "otpauth://totp/…")]
    address: String,
    /// Until when it can be confirmed.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Set up signing in, for the first time or anew: a password, and an authenticator that is then confirmed
#[utoipa::path(
    post,
    path = "/admin/v1/sign-in",
    tag = "Signing in",
    request_body = SetUp,
    responses((status = 201, description = "It waits for a code", body = SetUpBegun), Problems)
)]
async fn set_up(
    State(app): State<App>,
    by: Operator,
    Address(from): Address,
    Told(asked): Told<SetUp>,
) -> Result<(StatusCode, Json<SetUpBegun>), Problem> {
    must_be_a_person(&by)?;
    let password = sign_in::checked(asked.password, &by.name)?;
    let proved = Kept::of(&app, &by.id).await?.is_some();
    if proved {
        prove(&app, &by, from, asked.current).await?;
    }
    let now = app.now();
    let totp = Totp::new(&app.random);
    let handle = app.random.token_256();
    let sql = "INSERT INTO operator_set_ups (operator, digest, token, password_hash, totp_secret, attempts, expires_at, proved) \
               VALUES ($1, $2, $3, $4, $5, 0, $6, $7) ON CONFLICT (operator) DO UPDATE SET digest = excluded.digest, \
               token = excluded.token, password_hash = excluded.password_hash, totp_secret = excluded.totp_secret, \
               attempts = 0, expires_at = excluded.expires_at, proved = excluded.proved";
    let insert = Statement::new(sql)
        .bind(&by.id)
        .bind(digest_of(&handle))
        .bind(&by.token)
        .bind(sign_in::hash(&app, password).await?)
        .bind(sign_in::seal(&app, &set_up_place(&by.id), &totp)?)
        .bind(now + SET_UP)
        .bind(proved);
    app.store.write([insert]).await?;
    let host = app.base.split("://").last().unwrap_or_default();
    let begun = SetUpBegun {
        address: totp.address(&format!("Lanyard {host}"), &by.name),
        secret: totp.as_text(),
        set_up: handle,
        expires_at: now + SET_UP,
    };
    Ok((StatusCode::CREATED, Json(begun)))
}

pub(super) fn must_be_a_person(by: &Operator) -> Result<(), Problem> {
    let is_one = !by.break_glass && !by.program;
    is_one.then_some(()).ok_or(Code::NoSignIn.into())
}

/// Whoever asks shows that it is still them, and uses up the code.
pub(super) async fn prove(
    app: &App,
    by: &Operator,
    from: IpAddr,
    current: Option<Current>,
) -> Result<(), Problem> {
    let reason = "say the password and a code by which you sign in until now";
    let current = current.ok_or_else(|| Problem::field("current", reason))?;
    let attempt = Attempt::new(&by.name, by.organisation(), from);
    if let Allowed::No { .. } = attempt.count(app).await? {
        return Err(too_many());
    }
    let kept = Kept::of(app, &by.id).await?.ok_or(Code::NoSignIn)?;
    let hash = Some(kept.password_hash.clone());
    let is_right = sign_in::is_right(app, Zeroizing::new(current.password), hash).await?;
    let now = app.now();
    let second = Second::of(&kept, &kept.totp(app)?, &current.code, now);
    if let Some(second) = second.filter(|_| is_right) {
        let used = second.use_up(&by.id, now).into_iter();
        let used = used.chain([sign_in::stands_by_itself(by)]);
        match app.store.write(used.chain(attempt.forget())).await {
            Ok(_) => return Ok(()),
            // The code was used before, by whoever it was.
            Err(StoreError::Unmet { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    app.store.write(refusal(Some(&kept), "wrong", now)).await?;
    let reason = "the password or the code is wrong, or the code was used before";
    Err(Problem::field("current", reason))
}

/// What confirms a set-up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// What the set-up answered.
    set_up: String,
    /// The six digits that the new authenticator shows.
    #[schema(example = "492039")]
    code: String,
}

/// A sign-in that is set up.
#[derive(Serialize, ToSchema)]
struct Confirmed {
    /// Each takes the place of one code, once: shown now, and never again.
    recovery_codes: Vec<String>,
    /// The first session.
    session: Session,
}

/// Confirm a set-up by a code of the new authenticator. What the set-up answered is needed, and no token
#[utoipa::path(
    post,
    path = "/admin/v1/sign-in/confirm",
    tag = "Signing in",
    request_body = Confirmation,
    responses((status = 201, description = "It is set up, and every session before is ended", body = Confirmed), Problems)
)]
async fn confirm(
    State(app): State<App>,
    Told(asked): Told<Confirmation>,
) -> Result<(StatusCode, Json<Confirmed>), Problem> {
    let now = app.now();
    let digest = digest_of(&asked.set_up);
    let sql = "UPDATE operator_set_ups SET attempts = attempts + 1 \
               WHERE digest = $1 AND attempts < $2 AND expires_at > $3";
    let counted = Statement::new(sql)
        .bind(digest)
        .bind(SET_UP_ATTEMPTS)
        .bind(now);
    let over = |error| match error {
        StoreError::Unmet { .. } => Code::SetUpOver.into(),
        error => Problem::from(error),
    };
    app.store
        .write([counted.must_change(1)])
        .await
        .map_err(over)?;
    let sql = "SELECT s.operator, s.token, s.password_hash, s.totp_secret, o.organisation \
               FROM operator_set_ups s JOIN operators o ON o.id = s.operator WHERE s.digest = $1";
    let row = app.store.read_one(Statement::new(sql).bind(digest)).await?;
    let row = row.ok_or(Code::SetUpOver)?;
    let operator = row.text("operator")?;
    let totp = sign_in::open(&app, &set_up_place(operator), row.blob("totp_secret")?)?;
    let typed: String = asked.code.split(' ').collect();
    let step = totp.step_of(&typed, now, i64::MIN);
    let reason = "it is not the code that the authenticator shows now";
    let step = step.ok_or_else(|| Problem::field("code", reason))?;
    let session = NewSession::new(&app.random, now);
    let (recovery_codes, codes) = new_recovery_codes(&app.random, operator);
    // The token's row is held: whoever revoked it meanwhile revoked this with it, and whoever is about to finds it. And a sign-in that came meanwhile is not taken by what was begun
    // before there was one.
    let held = "UPDATE operator_tokens SET made_at = made_at WHERE id = $1 AND revoked_at IS NULL";
    let done = "DELETE FROM operator_set_ups WHERE digest = $1 AND EXISTS (SELECT 1 FROM operator_tokens t \
                JOIN operators o ON o.id = t.operator WHERE t.id = operator_set_ups.token AND t.revoked_at IS NULL \
                AND o.removed_at IS NULL) AND (proved = 1 OR NOT EXISTS \
                (SELECT 1 FROM operator_sign_ins s WHERE s.operator = operator_set_ups.operator))";
    // A later one rests on what the first one did, unless `prove` has found otherwise.
    let kept = "INSERT INTO operator_sign_ins (operator, password_hash, totp_secret, last_step, set_up_at, set_up_with) \
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (operator) DO UPDATE SET password_hash = excluded.password_hash, \
                totp_secret = excluded.totp_secret, last_step = excluded.last_step, set_up_at = excluded.set_up_at, \
                last_used_at = NULL";
    let kept = Statement::new(kept)
        .bind(operator)
        .bind(row.text("password_hash")?)
        .bind(sign_in::seal(&app, &place(operator), &totp)?)
        .bind(step)
        .bind(now)
        .bind(row.text("token")?);
    let told = entry(
        operator,
        row.optional_text("organisation")?,
        Act::OperatorSignInSetUp,
        now,
    );
    let held = Statement::new(held).bind(row.text("token")?).must_change(1);
    let done = Statement::new(done).bind(digest).must_change(1);
    let mut batch = vec![held, done, kept];
    batch.extend(codes);
    batch.push(end_sessions(operator, None, now));
    batch.push(session.insert(operator, now));
    batch.push(told.id("session", &session.id).into());
    app.store.write(batch).await.map_err(over)?;
    let session = session.into();
    Ok((
        StatusCode::CREATED,
        Json(Confirmed {
            recovery_codes,
            session,
        }),
    ))
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// 12 to 200 characters.
    #[schema(example = "correct horse battery staple")]
    password: String,
    /// By what one signs in until now.
    current: Current,
}

/// Change one's password. Every other session is ended, and every token that a session made
#[utoipa::path(
    post,
    path = "/admin/v1/sign-in/password",
    tag = "Signing in",
    request_body = PasswordChange,
    responses((status = 204, description = "It is the new one"), Problems)
)]
async fn change_password(
    State(app): State<App>,
    by: Operator,
    Address(from): Address,
    Told(asked): Told<PasswordChange>,
) -> Result<StatusCode, Problem> {
    must_be_a_person(&by)?;
    let password = sign_in::checked(asked.password, &by.name)?;
    prove(&app, &by, from, Some(asked.current)).await?;
    let now = app.now();
    let sql = "UPDATE operator_sign_ins SET password_hash = $1 WHERE operator = $2";
    let hash = sign_in::hash(&app, password).await?;
    let told = entry(&by.id, by.organisation(), Act::OperatorPasswordChanged, now);
    let batch = [
        Statement::new(sql).bind(hash).bind(&by.id).must_change(1),
        end_sessions(&by.id, Some(&by.token), now),
        told.into(),
    ];
    app.store.write(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

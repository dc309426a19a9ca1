//! Signing in to the console: what is kept of an operator's password, authenticator and recovery codes, and the sessions that
//! come of it. A session is a token of another kind (decision 0031).

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};
use zeroize::Zeroizing;

use super::desk::new_id;
use super::totp::Totp;
use crate::admin::{Code, Operator, Problem, digest_of, new_session};
use crate::app::App;
use crate::random::Random;

/// How long a session is in force, whatever is done with it.
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(8);
/// How long somebody may take between the two steps of the set-up.
pub(super) const SET_UP: SignedDuration = SignedDuration::from_mins(15);
/// How many codes may be tried for one set-up.
pub(super) const SET_UP_ATTEMPTS: u32 = 5;
/// How many recovery codes somebody gets.
const RECOVERY_CODES: usize = 8;
/// The shortest and the longest password, in characters.
const PASSWORD: std::ops::RangeInclusive<usize> = 12..=200;

/// What is kept of somebody who may sign in.
pub(super) struct Kept {
    pub(super) operator: String,
    pub(super) organisation: Option<String>,
    pub(super) password_hash: String,
    sealed: Vec<u8>,
    pub(super) last_step: i64,
    pub(super) set_up_at: Timestamp,
    pub(super) last_used_at: Option<Timestamp>,
    /// The token on which it rests: it ends when that one is revoked.
    pub(super) set_up_with: Option<String>,
}

const KEPT: &str = "SELECT o.id, o.organisation, s.password_hash, s.totp_secret, s.last_step, s.set_up_at, s.last_used_at, s.set_up_with \
                    FROM operator_sign_ins s JOIN operators o ON o.id = s.operator \
                    WHERE o.removed_at IS NULL AND o.break_glass = 0";

impl Kept {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            operator: row.text("id")?.to_owned(),
            organisation: row.optional_text("organisation")?.map(str::to_owned),
            password_hash: row.text("password_hash")?.to_owned(),
            sealed: row.blob("totp_secret")?.to_vec(),
            last_step: row.integer("last_step")?,
            set_up_at: row.timestamp("set_up_at")?,
            last_used_at: row.optional_timestamp("last_used_at")?,
            set_up_with: row.optional_text("set_up_with")?.map(str::to_owned),
        })
    }

    /// Of the operator with that name.
    pub(super) async fn of_name(
        app: &App,
        name: &str,
        organisation: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        let sql = format!("{KEPT} AND o.name = $1 AND COALESCE(o.organisation, '') = $2");
        let statement = Statement::new(sql).bind(name);
        let statement = statement.bind(organisation.unwrap_or_default());
        let row = app.store.read_one(statement).await?;
        row.as_ref().map(Self::read).transpose()
    }

    /// Of the operator with that id.
    pub(super) async fn of(app: &App, operator: &str) -> Result<Option<Self>, StoreError> {
        let statement = Statement::new(format!("{KEPT} AND o.id = $1")).bind(operator);
        let row = app.store.read_one(statement).await?;
        row.as_ref().map(Self::read).transpose()
    }

    /// What its authenticator knows, too.
    pub(super) fn totp(&self, app: &App) -> Result<Totp, Problem> {
        open(app, &place(&self.operator), &self.sealed)
    }
}

/// How somebody proved to be there beside their password.
pub(super) enum Second {
    /// A code of the authenticator, of that step.
    Step(i64),
    /// A recovery code, by its digest.
    Recovery([u8; 32]),
}

impl Second {
    /// What this looks like; nothing where it cannot be right. Nothing is used up.
    pub(super) fn of(kept: &Kept, totp: &Totp, typed: &str, now: Timestamp) -> Option<Self> {
        let typed: String = typed.split([' ', '-']).collect();
        if typed.len() == 16 {
            return Some(Self::Recovery(recovery_digest(&kept.operator, &typed)));
        }
        let step = totp.step_of(&typed, now, kept.last_step);
        step.map(Self::Step)
    }

    /// Uses it up; the first of a batch, with the condition that nobody did before.
    pub(super) fn use_up(&self, operator: &str, now: Timestamp) -> Vec<Statement> {
        let used = |sql| Statement::new(sql).bind(now);
        let touched = used("UPDATE operator_sign_ins SET last_used_at = $1 WHERE operator = $2");
        match self {
            Self::Step(step) => {
                let sql = "UPDATE operator_sign_ins SET last_used_at = $1, last_step = $2 \
                           WHERE operator = $3 AND last_step < $2";
                vec![used(sql).bind(*step).bind(operator).must_change(1)]
            }
            Self::Recovery(digest) => {
                let sql = "UPDATE operator_recovery_codes SET used_at = $1 \
                           WHERE operator = $2 AND digest = $3 AND used_at IS NULL";
                vec![
                    used(sql).bind(operator).bind(*digest).must_change(1),
                    touched.bind(operator),
                ]
            }
        }
    }

    /// The word of the audit.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Step(_) => "authenticator",
            Self::Recovery(_) => "recovery-code",
        }
    }
}

/// A session that is about to begin.
pub(super) struct NewSession {
    pub(super) token: Zeroizing<String>,
    pub(super) id: String,
    pub(super) expires_at: Timestamp,
    made_with: Option<String>,
}

impl NewSession {
    pub(super) fn new(random: &Random, now: Timestamp) -> Self {
        Self {
            token: Zeroizing::new(new_session(random)),
            id: new_id("tk", random),
            expires_at: now + LONGEST_SESSION,
            made_with: None,
        }
    }

    /// Of whoever begins it by their token alone: it ends with that, however that ends.
    pub(super) fn by_token(self, by: &Operator) -> Self {
        Self {
            expires_at: self.expires_at.min(by.expires_at),
            made_with: Some(by.token.clone()),
            ..self
        }
    }

    /// Its row. Its operator must be there. Where the sign-in rests on a token, so does the session: both end with that one.
    pub(super) fn insert(&self, operator: &str, now: Timestamp) -> Statement {
        let sql = "INSERT INTO operator_tokens (id, operator, digest, made_at, expires_at, kind, made_with) \
                   SELECT $1, id, $2, $3, $4, 'session', COALESCE(CAST($6 AS TEXT), \
                   (SELECT s.set_up_with FROM operator_sign_ins s WHERE s.operator = operators.id)) \
                   FROM operators WHERE id = $5 AND removed_at IS NULL \
                   AND (CAST($6 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM operator_tokens t WHERE t.id = CAST($6 AS TEXT) AND t.revoked_at IS NULL))";
        Statement::new(sql)
            .bind(&self.id)
            .bind(digest_of(&self.token))
            .bind(now)
            .bind(self.expires_at)
            .bind(operator)
            .bind(self.made_with.as_deref())
            .must_change(1)
    }
}

/// Where whoever shows their password and a code also has a token that was not made with the one on which their sign-in rests, nor
/// that one with it, nor both with a third: two things that nobody finds together. From then on it stands by itself.
pub(super) fn stands_by_itself(by: &Operator) -> Statement {
    let sql = "UPDATE operator_sign_ins SET set_up_with = NULL WHERE operator = $1 AND set_up_with IS NOT NULL AND NOT EXISTS \
               (WITH RECURSIVE theirs (id) AS (SELECT CAST($2 AS TEXT) UNION SELECT t.made_with FROM operator_tokens t \
               JOIN theirs ON t.id = theirs.id WHERE t.made_with IS NOT NULL), \
               first (id) AS (SELECT set_up_with FROM operator_sign_ins WHERE operator = $1 UNION SELECT t.made_with \
               FROM operator_tokens t JOIN first ON t.id = first.id WHERE t.made_with IS NOT NULL) \
               SELECT 1 FROM theirs JOIN first ON theirs.id = first.id)";
    Statement::new(sql).bind(&by.id).bind(&by.token)
}

/// Ends the sessions of an operator, but for one where that is named, and every token that any of them made: whoever was in a
/// session for a moment is out, whatever they took along.
pub(super) fn end_sessions(operator: &str, but: Option<&str>, now: Timestamp) -> Statement {
    let sql = "UPDATE operator_tokens SET revoked_at = $1 WHERE revoked_at IS NULL AND id <> $3 AND id IN \
               (WITH RECURSIVE made (id) AS (SELECT id FROM operator_tokens WHERE operator = $2 AND kind = 'session' \
               UNION SELECT t.id FROM operator_tokens t JOIN made ON t.made_with = made.id) SELECT id FROM made)";
    Statement::new(sql)
        .bind(now)
        .bind(operator)
        .bind(but.unwrap_or_default())
}

/// Everything by which an operator could sign in, and every session that came of it.
pub(super) fn forget(operator: &str, now: Timestamp) -> Vec<Statement> {
    let tables = [
        "operator_sign_ins",
        "operator_set_ups",
        "operator_recovery_codes",
    ];
    let delete = |table| {
        let sql = format!("DELETE FROM {table} WHERE operator = $1");
        Statement::new(sql).bind(operator)
    };
    let deleted = tables.into_iter().map(delete);
    deleted.chain([end_sessions(operator, None, now)]).collect()
}

/// Recovery codes as people keep them, and their rows in the place of those before.
pub(super) fn new_recovery_codes(random: &Random, operator: &str) -> (Vec<String>, Vec<Statement>) {
    let of_before = Statement::new("DELETE FROM operator_recovery_codes WHERE operator = $1");
    let mut batch = vec![of_before.bind(operator)];
    let mut codes = Vec::new();
    for _ in 0..RECOVERY_CODES {
        // Eighty bits: whoever has the digests cannot try them all.
        let code = format!("{}-{}", random.reference(), random.reference());
        let typed: String = code.split('-').collect();
        let sql = "INSERT INTO operator_recovery_codes (operator, digest) VALUES ($1, $2)";
        batch.push(
            Statement::new(sql)
                .bind(operator)
                .bind(recovery_digest(operator, &typed)),
        );
        codes.push(code.to_ascii_lowercase());
    }
    (codes, batch)
}

fn recovery_digest(operator: &str, typed: &str) -> [u8; 32] {
    digest_of(&format!(
        "recovery:{operator}:{}",
        typed.to_ascii_uppercase()
    ))
}

/// A password that somebody chose: long enough, and not what everybody would try first.
pub(super) fn checked(password: String, name: &str) -> Result<Zeroizing<String>, Problem> {
    let password = Zeroizing::new(password);
    let fault = |reason| Err(Problem::field("password", reason));
    if !PASSWORD.contains(&password.chars().count()) {
        return fault("it has 12 to 200 characters");
    }
    let lower = Zeroizing::new(password.to_lowercase());
    let different: std::collections::BTreeSet<char> = lower.chars().collect();
    if different.len() < 5 {
        return fault("it has at least five different characters");
    }
    if name.len() > 2 && lower.replace(name, "").chars().count() < *PASSWORD.start() / 2 {
        return fault("it is more than your name");
    }
    Ok(password)
}

/// Where a secret is sealed for.
pub(super) fn place(operator: &str) -> String {
    format!("operator_sign_ins/{operator}")
}

/// The same of one that is not confirmed.
pub(super) fn set_up_place(operator: &str) -> String {
    format!("operator_set_ups/{operator}")
}

pub(super) fn seal(app: &App, place: &str, totp: &Totp) -> Result<Vec<u8>, Problem> {
    app.seal.seal(place, totp.secret()).map_err(|error| {
        tracing::error!(%error, "an operator's secret could not be kept");
        Code::Internal.into()
    })
}

pub(super) fn open(app: &App, place: &str, sealed: &[u8]) -> Result<Totp, Problem> {
    app.seal.open(place, sealed).map(Totp::of).map_err(|error| {
        tracing::error!(%error, "an operator's secret does not open: reset the sign-in");
        Code::Internal.into()
    })
}

/// Whether that is the password; for nobody's as slow as for somebody's.
pub(super) async fn is_right(
    app: &App,
    password: Zeroizing<String>,
    hash: Option<String>,
) -> Result<bool, Problem> {
    let passwords = app.passwords.get_or_try_init(passwords::Passwords::new);
    let passwords = passwords.await.map_err(cannot_hash)?;
    passwords
        .is_right(password, hash)
        .await
        .map_err(cannot_hash)
}

/// What is kept of a password.
pub(super) async fn hash(app: &App, password: Zeroizing<String>) -> Result<String, Problem> {
    let passwords = app.passwords.get_or_try_init(passwords::Passwords::new);
    let passwords = passwords.await.map_err(cannot_hash)?;
    passwords.hash(password).await.map_err(cannot_hash)
}

#[allow(clippy::needless_pass_by_value)] // `map_err` gives it away
fn cannot_hash(error: passwords::CannotHash) -> Problem {
    tracing::error!(%error, "a fault of this machine");
    Code::Internal.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_everybody_would_try_is_refused() {
        let refused = |password: &str| checked(password.to_owned(), "j.bloggs").is_err();
        for password in [
            "",
            "short",
            "aaaaaaaaaaaaaaaa",
            "abababababab",
            "J.Bloggs12345",
            &"long enough ".repeat(20),
        ] {
            assert!(refused(password), "{password}");
        }
        for password in [
            "correct horse battery",
            "påssord på norsk",
            "J.Bloggs likes rain",
        ] {
            assert!(!refused(password), "{password}");
        }
    }

    #[test]
    fn recovery_codes_are_each_their_own_and_typed_as_one_likes() {
        let (codes, batch) = new_recovery_codes(&Random::seeded(4), "op-1");
        assert_eq!((codes.len(), batch.len()), (8, 9));
        let different: std::collections::BTreeSet<_> = codes.iter().collect();
        assert_eq!(different.len(), 8);
        assert_eq!(codes[0].len(), 19);
        let typed: String = codes[0].split('-').collect();
        assert_eq!(
            recovery_digest("op-1", &typed),
            recovery_digest("op-1", &typed.to_uppercase())
        );
        assert_ne!(
            recovery_digest("op-1", &typed),
            recovery_digest("op-2", &typed)
        );
    }
}

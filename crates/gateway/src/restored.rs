//! A database that was restored from a backup: what follows in the same transaction, and what somebody must have seen before
//! a gateway serves from it.
//!
//! A restore goes back in time, and whatever was *ended* since the backup is in force again: a compromised key signs, a removed
//! operator's token opens, a secret that was found works. Nobody can tell from the database what that was. So a restore
//! leaves a mark in the audit's chain, which is never deleted; a gateway does not serve while there is one that nobody has
//! accepted, and whoever accepts says the word of the list that they were shown ([`in_force`], [`accept`]).

use aws_lc_rs::digest::{Context, SHA256};
use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, Store, StoreError};

use crate::audit::{Act, Actor, Entry};
use crate::{event, status};

/// Where a database came from.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The moment of the database that is in it.
    pub taken_at: Timestamp,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
}

/// Begins the name of a mark: what follows are the first letters of the backup's digest and the second of the restore.
const RESTORED: &str = "restored:";
/// The same of one that was accepted.
const ACCEPTED: &str = "accepted:";

/// What belongs into the transaction of a restore, in its order, on tables of this version. No status list of before gives a
/// place, and no event a number that one had; operators' sessions are ended and what they had begun to set up is gone; open proposals are declined, since nobody
/// knows what became of them. The entry `restored` is the first of what follows in the audit.
#[must_use]
pub fn statements(backup: &Backup, account: &str, now: Timestamp) -> Vec<Statement> {
    let digest = hex::encode(backup.digest);
    let mark = "INSERT INTO audit_chain (name, position, digest) SELECT $1, position, $2 FROM audit_chain WHERE name = 'head'";
    let mark = Statement::new(mark)
        .bind(format!("{RESTORED}{}:{}", &digest[..16], now.as_second()))
        .bind(backup.digest)
        .must_change(1);
    let entry = Entry::new(
        Actor::Command(account),
        Act::Restored,
        ("backup", &digest),
        now,
    )
    .id("taken-at", &whole(backup.taken_at));
    let at = |sql: &'static str| Statement::new(sql).bind(now);
    let mut all = vec![entry.into(), mark];
    all.extend(status::restored(now));
    all.extend(event::restored(now));
    all.extend([
        at("UPDATE operator_tokens SET revoked_at = $1 WHERE kind = 'session' AND revoked_at IS NULL"),
        Statement::new("DELETE FROM operator_set_ups"),
        at("UPDATE proposals SET state = 'declined', decided_at = $1, decision_reason = 'restored from a backup' \
            WHERE state = 'open'"),
    ]);
    all
}

/// Something that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// `key`, `operator`, `sign-in`, `token` or `secret`.
    pub kind: &'static str,
    /// Which, and whose.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
}

/// What is in force in a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// In the order of kinds.
    pub things: Vec<Thing>,
}

impl InForce {
    /// The word by which somebody says that they have seen this list. Another list has another word.
    #[must_use]
    pub fn word(&self) -> String {
        hex::encode(&self.digest()[..4])
    }

    fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        for thing in &self.things {
            let line = format!("{}\t{}\t{}\n", thing.kind, thing.what, thing.since);
            context.update(line.as_bytes());
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}

impl Thing {
    /// As a line, with its age.
    #[must_use]
    pub fn line(&self, now: Timestamp) -> String {
        let days = now
            .duration_since(self.since)
            .max(SignedDuration::ZERO)
            .as_hours()
            / 24;
        let (kind, what, since) = (self.kind, &self.what, whole(self.since));
        format!("{kind:8}  {what}, since {since} ({days} days)")
    }
}

/// Why a restore was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// There is nothing to accept.
    #[error("nothing-restored: no restore waits for being accepted in this database")]
    Nothing,
    /// Another list was seen.
    #[error(
        "restore-changed: what is in force is not what you have seen: look at the list again, and say its word, {0}"
    )]
    Changed(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A gateway was about to serve from a database that was restored, and nobody has looked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "restore-not-accepted: this database was restored from a backup, and what was ended since the backup is in force again, \
     perhaps a compromised key; see what is: lanyard restore accept --config FILE"
)]
pub struct NotAccepted;

/// Whether every restore of this database was accepted.
pub async fn check(store: &Store) -> Result<Result<(), NotAccepted>, StoreError> {
    let waiting = waiting(store).await?;
    Ok(if waiting.is_empty() {
        Ok(())
    } else {
        Err(NotAccepted)
    })
}

/// The marks that nobody has accepted, without what they begin with.
async fn waiting(store: &Store) -> Result<Vec<String>, StoreError> {
    let rows = store
        .read(Statement::new("SELECT name FROM audit_chain ORDER BY name"))
        .await?;
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row.text("name"))
        .collect::<Result<_, _>>()?;
    let marks = names.iter().filter_map(|name| name.strip_prefix(RESTORED));
    let of = |prefix: &str| {
        let of = names.iter().filter_map(|name| name.strip_prefix(prefix));
        of.map(str::to_owned).collect::<Vec<_>>()
    };
    let accepted = of(ACCEPTED);
    Ok(marks
        .filter(|mark| !accepted.iter().any(|one| one == mark))
        .map(str::to_owned)
        .collect())
}

/// Keys, operators, how they sign in, their tokens, and relying parties' secrets that the gateway made: those in force.
/// What the configuration file and declarations say is not among them.
pub async fn in_force(store: &Store, now: Timestamp) -> Result<InForce, StoreError> {
    let mut things = Vec::new();
    let keys = "SELECT kid, owner, purpose, state, COALESCE(activated_at, created_at) AS since FROM signing_keys \
                WHERE state IN ('next', 'active', 'verify-only') ORDER BY owner, purpose, kid";
    read(store, Statement::new(keys), "key", &mut things, |row| {
        let owner = Some(row.text("owner")?).filter(|owner| !owner.is_empty());
        let owner = owner.unwrap_or("the gateway");
        let (purpose, state) = (row.text("purpose")?, row.text("state")?);
        Ok(format!(
            "{} of {owner} for {purpose}: {state}",
            row.text("kid")?
        ))
    })
    .await?;
    let of = |row: &Row| -> Result<String, StoreError> {
        let name = row.text("name")?;
        Ok(match row.optional_text("organisation")? {
            Some(organisation) => format!("{name} of {organisation}"),
            None => name.to_owned(),
        })
    };
    let operators = "SELECT name, organisation, role, break_glass, added_at AS since FROM operators \
                     WHERE removed_at IS NULL ORDER BY COALESCE(organisation, ''), name";
    read(
        store,
        Statement::new(operators),
        "operator",
        &mut things,
        |row| {
            let emergencies = if row.boolean("break_glass")? {
                ", for emergencies"
            } else {
                ""
            };
            Ok(format!("{}, {}{emergencies}", of(row)?, row.text("role")?))
        },
    )
    .await?;
    let sign_ins = "SELECT o.name, o.organisation, s.set_up_at AS since, (SELECT COUNT(*) FROM operator_recovery_codes c \
                    WHERE c.operator = o.id AND c.used_at IS NULL) AS codes FROM operator_sign_ins s \
                    JOIN operators o ON o.id = s.operator WHERE o.removed_at IS NULL \
                    ORDER BY COALESCE(o.organisation, ''), o.name";
    read(
        store,
        Statement::new(sign_ins),
        "sign-in",
        &mut things,
        |row| {
            let codes = row.integer("codes")?;
            Ok(format!(
                "{}, with {codes} recovery codes not used",
                of(row)?
            ))
        },
    )
    .await?;
    let tokens = "SELECT t.id, o.name, o.organisation, t.made_at AS since FROM operator_tokens t \
                  JOIN operators o ON o.id = t.operator WHERE o.removed_at IS NULL AND t.kind = 'token' \
                  AND t.revoked_at IS NULL AND t.expires_at > $1 ORDER BY COALESCE(o.organisation, ''), o.name, t.id";
    read(
        store,
        Statement::new(tokens).bind(now),
        "token",
        &mut things,
        |row| Ok(format!("{} of {}", row.text("id")?, of(row)?)),
    )
    .await?;
    let secrets = "SELECT id, client_id, created_at AS since FROM client_secrets WHERE ends_at IS NULL OR ends_at > $1 \
                   ORDER BY client_id, id";
    read(
        store,
        Statement::new(secrets).bind(now),
        "secret",
        &mut things,
        |row| Ok(format!("{} of {}", row.text("id")?, row.text("client_id")?)),
    )
    .await?;
    Ok(InForce { things })
}

async fn read(
    store: &Store,
    select: Statement,
    kind: &'static str,
    things: &mut Vec<Thing>,
    what: impl Fn(&Row) -> Result<String, StoreError>,
) -> Result<(), StoreError> {
    for row in store.read(select).await? {
        let since = row.timestamp("since")?;
        let what = what(&row)?;
        things.push(Thing { kind, what, since });
    }
    Ok(())
}

/// Writes down that somebody has seen the list of that word: from then on a gateway serves.
pub async fn accept(
    store: &Store,
    word: &str,
    account: &str,
    now: Timestamp,
) -> Result<(), AcceptError> {
    let waiting = waiting(store).await?;
    if waiting.is_empty() {
        return Err(AcceptError::Nothing);
    }
    let in_force = in_force(store, now).await?;
    if word != in_force.word() {
        return Err(AcceptError::Changed(in_force.word()));
    }
    let digest = in_force.digest();
    let entry = Entry::new(
        Actor::Command(account),
        Act::RestoreAccepted,
        ("list", &hex::encode(digest)),
        now,
    )
    .number(
        "in-force",
        in_force.things.len().try_into().unwrap_or(i64::MAX),
    );
    let mut batch: Vec<Statement> = vec![entry.into()];
    for mark in &waiting {
        let accepted = "INSERT INTO audit_chain (name, position, digest) SELECT $1, position, $2 FROM audit_chain WHERE name = $3";
        let accepted = Statement::new(accepted)
            .bind(format!("{ACCEPTED}{mark}"))
            .bind(digest)
            .bind(format!("{RESTORED}{mark}"));
        batch.push(accepted.must_change(1));
    }
    store.write(batch).await?;
    Ok(())
}

/// Without the fraction.
fn whole(at: Timestamp) -> String {
    let second = Timestamp::from_second(at.as_second()).unwrap_or(at);
    second.to_string()
}

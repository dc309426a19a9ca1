//! What a relying party is told of its own accord: written down in the same batch as the step that it reports, so that
//! no step is ever made without its event, and none is reported that was not made.
//!
//! Each client that is told has a *stream*: a row that counts. A number is allotted and its event inserted in one batch
//! that holds the stream's row, so that numbers rise without gaps on both engines, and a receiver that misses one knows
//! it. A client without an active stream is told nothing. The row is held even so, for a stream that is turned on between
//! number and event would give the number of an earlier one; one that begins there has no number to give. Numbers begin at
//! one, and after a restore where [`restored`] says.
//!
//! Nothing personal is in an event, and no text of anybody's choosing: words of closed lists, names of the catalogue,
//! ids and times (SEC-35).

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use standards::base64url;
use uuid::Uuid;

use store::{Statement, Store, StoreError};

/// How long an event is offered before it is parked.
pub const OFFERED: SignedDuration = SignedDuration::from_hours(72);

/// Each kind with its name and what it says on one line, so that there is none that the description does not have.
macro_rules! kinds {
    ($($kind:ident => $name:literal, $says:literal;)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $(#[doc = $says] $kind,)* }

        impl Kind {
            /// Every kind, for the description.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Its name on the wire and in the table.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// What it says, for whoever is told.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$kind => $says,)* }
            }
        }
    };
}

kinds! {
    CredentialIssued => "credential.issued", "A wallet has a credential, as far as the gateway can know";
    CredentialRevoked => "credential.revoked", "A credential counts no more; `cause` says why";
    InteractionFailed => "interaction.failed", "An interaction ended without what was asked for; `refusal` says why";
    KeyCompromised => "key.compromised", "Somebody else may have a signing key of the gateway's: it counts no more";
}

/// The interaction that an event is about.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// Whose it is.
    pub client_id: &'a str,
    /// `verify` or `issue`.
    pub purpose: &'static str,
    /// The credential types asked for, with a space between, or the one issued.
    pub credential_types: String,
    /// What the employee reads out.
    pub reference: &'a str,
    /// Digest of what the relying party pushed.
    pub request_digest: &'a str,
    /// The credential that left the gateway, if one did.
    pub serial_number: Option<Uuid>,
}

/// Turns the streams of these clients on, and finds all that are. Their numbers go on from where they were.
///
/// A stream is never turned off: a process that starts with an older configuration would take from a client what
/// another process is there to tell it. A client that is in no configuration any more is told nothing, since nobody
/// delivers; what becomes due for it is deleted with its time.
pub async fn listeners(
    store: &Store,
    configured: HashSet<String>,
) -> Result<HashSet<String>, StoreError> {
    store.write(streams(&configured)).await?;
    let active = Statement::new("SELECT client_id FROM event_streams WHERE active = 1");
    let rows = store.read(active).await?;
    rows.iter()
        .map(|row| Ok(row.text("client_id")?.to_owned()))
        .collect()
}

fn streams(clients: &HashSet<String>) -> Vec<Statement> {
    let on = clients.iter().map(|client| {
        Statement::new(
            "INSERT INTO event_streams (client_id, active, last_sequence, failures, due_at, leased_until) \
             VALUES ($1, 1, COALESCE((SELECT last_sequence FROM event_streams WHERE client_id = ''), 0), 0, 0, 0) \
             ON CONFLICT (client_id) DO UPDATE SET active = 1",
        )
        .bind(client)
    });
    on.collect()
}

/// After a restore no number is given twice: the database knows nothing of those that were given since the backup, and a
/// receiver drops what has a number that it knows. So every stream goes on from the time of the restore in milliseconds, which
/// no stream has reached by counting: it would have told a client of a thousand events in every second since 1970, or since the
/// restore before. Written for no client, too, since one that had no stream then may have had one since; a new stream begins
/// there.
///
/// Events of before keep their numbers: one that is delivered again is the same event.
pub(crate) fn restored(now: Timestamp) -> [Statement; 2] {
    let floor = "INSERT INTO event_streams (client_id, active, last_sequence, failures, due_at, leased_until) \
                 SELECT '', 0, CASE WHEN COALESCE(MAX(last_sequence), 0) >= $1 THEN MAX(last_sequence) ELSE $1 END, 0, 0, 0 \
                 FROM event_streams WHERE 1 = 1 \
                 ON CONFLICT (client_id) DO UPDATE SET last_sequence = excluded.last_sequence";
    let each = "UPDATE event_streams SET last_sequence = \
                (SELECT f.last_sequence FROM event_streams f WHERE f.client_id = '') WHERE client_id <> ''";
    [
        Statement::new(floor).bind(now.as_millisecond()),
        Statement::new(each),
    ]
}

/// A credential was issued, and its wallet kept it or said nothing for five seconds.
pub fn issued(about: &About<'_>, serial_number: Uuid, at: Timestamp) -> Vec<Statement> {
    let kind = Kind::CredentialIssued;
    let id = id(kind, &serial_number.to_string());
    told(about, kind, &id, None, at)
}

/// An interaction ended with this refusal. `step` is its id and the version that it ends with: after a fresh start it may
/// end again.
pub fn failed(
    about: &About<'_>,
    step: (&str, i64),
    refusal: &'static str,
    at: Timestamp,
) -> Vec<Statement> {
    let kind = Kind::InteractionFailed;
    let id = id(kind, &format!("{}/{}", step.0, step.1));
    told(about, kind, &id, Some(refusal), at)
}

/// A credential is about to be revoked: belongs before the statement that does it and behind one that holds the
/// credential's row, for otherwise two batches could both find it in force.
pub fn revoked(
    organisation: &str,
    serial_number: Uuid,
    cause: &'static str,
    at: Timestamp,
) -> [Statement; 2] {
    let kind = Kind::CredentialRevoked;
    let serial = serial_number.to_string();
    let number = Statement::new(
        "UPDATE event_streams SET last_sequence = last_sequence + active WHERE client_id = \
         (SELECT client_id FROM credentials WHERE serial_number = $1 AND organisation = $2 AND revoked_at IS NULL)",
    );
    // The interaction may be forgotten already, the credential is not.
    let insert = Statement::new(
        "INSERT INTO events (client_id, sequence, id, kind, happened_at, purpose, credential_type, reference, \
         request_digest, serial_number, cause, delivery, attempts, offered_at) \
         SELECT s.client_id, s.last_sequence, $1, $2, $3, 'issue', c.credential_type, i.reference, \
         i.request_digest, c.serial_number, $4, 'due', 0, $5 \
         FROM credentials c JOIN event_streams s ON s.client_id = c.client_id \
         LEFT JOIN interactions i ON i.id = c.interaction \
         WHERE s.active = 1 AND s.last_sequence > COALESCE((SELECT f.last_sequence FROM event_streams f WHERE f.client_id = ''), 0) \
         AND c.serial_number = $6 AND c.organisation = $7 AND c.revoked_at IS NULL",
    );
    [
        number.bind(serial.as_str()).bind(organisation),
        insert
            .bind(id(kind, &serial))
            .bind(kind.name())
            .bind(at)
            .bind(cause)
            .bind(at)
            .bind(serial.as_str())
            .bind(organisation),
    ]
}

/// A signing key is compromised: what one client is told of it. `key` is its id and its purpose.
pub fn key_compromised(
    client_id: &str,
    key: (&str, &'static str),
    at: Timestamp,
) -> [Statement; 2] {
    let kind = Kind::KeyCompromised;
    let number = Statement::new(
        "UPDATE event_streams SET last_sequence = last_sequence + active WHERE client_id = $1",
    );
    // It is about no interaction and no type.
    let insert = Statement::new(
        "INSERT INTO events (client_id, sequence, id, kind, happened_at, purpose, credential_type, signing_key, key_purpose, \
         delivery, attempts, offered_at) \
         SELECT client_id, last_sequence, $1, $2, $3, '', '', $4, $5, 'due', 0, $6 \
         FROM event_streams WHERE client_id = $7 AND active = 1 \
         AND last_sequence > COALESCE((SELECT f.last_sequence FROM event_streams f WHERE f.client_id = ''), 0)",
    );
    [
        number.bind(client_id),
        insert
            .bind(id(kind, &format!("{}/{client_id}", key.0)))
            .bind(kind.name())
            .bind(at)
            .bind(key.0)
            .bind(key.1)
            .bind(at)
            .bind(client_id),
    ]
}

/// How many events are yet to be delivered, and when the oldest of them was first, or again, offered.
pub async fn due(store: &Store) -> Result<(i64, Option<Timestamp>), StoreError> {
    let select = Statement::new(
        "SELECT COUNT(*) AS count, MIN(offered_at) AS oldest FROM events WHERE delivery = 'due'",
    );
    match store.read_one(select).await? {
        Some(row) => Ok((row.integer("count")?, row.optional_timestamp("oldest")?)),
        None => Ok((0, None)),
    }
}

fn told(
    about: &About<'_>,
    kind: Kind,
    id: &str,
    refusal: Option<&str>,
    at: Timestamp,
) -> Vec<Statement> {
    let number = Statement::new(
        "UPDATE event_streams SET last_sequence = last_sequence + active WHERE client_id = $1",
    );
    let insert = Statement::new(
        "INSERT INTO events (client_id, sequence, id, kind, happened_at, purpose, credential_type, reference, \
         request_digest, serial_number, refusal, delivery, attempts, offered_at) \
         SELECT client_id, last_sequence, $1, $2, $3, $4, $5, $6, $7, $8, $9, 'due', 0, $10 \
         FROM event_streams WHERE client_id = $11 AND active = 1 \
         AND last_sequence > COALESCE((SELECT f.last_sequence FROM event_streams f WHERE f.client_id = ''), 0)",
    );
    vec![
        number.bind(about.client_id),
        insert
            .bind(id)
            .bind(kind.name())
            .bind(at)
            .bind(about.purpose)
            .bind(about.credential_types.as_str())
            .bind(about.reference)
            .bind(about.request_digest)
            .bind(about.serial_number.map(|serial| serial.to_string()))
            .bind(refusal)
            .bind(at)
            .bind(about.client_id),
    ]
}

/// An event's id is made of the fact that it reports: one fact cannot be told under two ids, not even by a database that
/// was put back to an earlier day.
fn id(kind: Kind, fact: &str) -> String {
    let text = format!("{} {fact}", kind.name());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    format!("evt_{}", base64url::encode(digest.as_ref()))
}

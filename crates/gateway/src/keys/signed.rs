//! What a key signed. There may be many millions: an index on whose they are, the key and the list leads to them, and whoever
//! does something with all of them goes list by list ([`LIST_SIZE`](crate::status::LIST_SIZE) at most, decision 0051).

use jiff::Timestamp;
use store::{Statement, Store, StoreError};

use super::KeyPurpose;
use super::rows::KeyRow;

/// How many of the newest credentials are looked at where a rough number is enough.
const LOOKED_AT: i64 = 10_000;

/// Neither revoked nor at their end by the time `$3`.
const IN_FORCE: &str = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)";

/// How many credentials of one type a key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The type.
    pub credential_type: String,
    /// All of them.
    pub issued: i64,
    /// Neither revoked nor at their end.
    pub in_force: i64,
}

/// A number that may be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rough {
    /// So many.
    pub number: i64,
    /// Whether there are, or may be, more.
    pub or_more: bool,
}

/// How the table says that a key signed a credential; for the first key of an organisation, also that no key is said: before
/// the column there was one key for each organisation, and it was adopted.
fn marks(key: &KeyRow) -> &'static [&'static str] {
    if key.adopted && key.place.purpose == KeyPurpose::Credentials {
        &["kid = $2", "kid IS NULL"]
    } else {
        &["kid = $2"]
    }
}

/// The credentials that a key signed and for which a condition holds, as a table. One part for each mark: with OR between them
/// neither engine would always take the index.
fn those_signed(key: &KeyRow, columns: &str, and: &str) -> String {
    let parts = marks(key).iter().map(|mark| {
        format!(
            "SELECT * FROM (SELECT {columns} FROM credentials WHERE organisation = $1 AND {mark} {and}) AS part"
        )
    });
    let parts: Vec<String> = parts.collect();
    format!("({}) AS signed", parts.join(" UNION ALL "))
}

/// The newest of them: one more than are looked at tells that there are more.
fn newest_signed(key: &KeyRow, columns: &str, and: &str) -> String {
    let most = LOOKED_AT + 1;
    let of_each = format!("{and} ORDER BY list DESC LIMIT {most}");
    let of_all = those_signed(key, columns, &of_each);
    format!("(SELECT * FROM {of_all} LIMIT {most}) AS newest")
}

fn bound(sql: String, key: &KeyRow) -> Statement {
    let statement = Statement::new(sql).bind(key.place.owner.as_str());
    statement.bind(key.kid.as_str())
}

/// What counting by type reads.
const OF_TYPE: &str = "credential_type, revoked_at, expires_at";

fn by_type(table: &str) -> String {
    format!(
        "SELECT credential_type, COUNT(*) AS issued, COUNT(CASE WHEN {IN_FORCE} THEN 1 END) AS in_force FROM {table} \
         GROUP BY credential_type ORDER BY credential_type"
    )
}

async fn read_by_type(store: &Store, select: Statement) -> Result<Vec<Signed>, StoreError> {
    let rows = store.read(select).await?;
    let signed = rows.iter().map(|row| {
        Ok(Signed {
            credential_type: row.text("credential_type")?.to_owned(),
            issued: row.integer("issued")?,
            in_force: row.integer("in_force")?,
        })
    });
    signed.collect()
}

/// What a key signed, by type: counts all of it.
pub async fn find_signed(
    store: &Store,
    key: &KeyRow,
    now: Timestamp,
) -> Result<Vec<Signed>, StoreError> {
    read_by_type(store, bound(all_by_type(key), key).bind(now)).await
}

/// What a key signed last, by type, and whether it signed more than that: as quick for ten million as for ten thousand.
pub async fn find_newest_signed(
    store: &Store,
    key: &KeyRow,
    now: Timestamp,
) -> Result<(Vec<Signed>, bool), StoreError> {
    let signed = read_by_type(store, bound(newest_by_type(key), key).bind(now)).await?;
    let looked_at: i64 = signed.iter().map(|of_type| of_type.issued).sum();
    Ok((signed, looked_at > LOOKED_AT))
}

fn newest_by_type(key: &KeyRow) -> String {
    by_type(&newest_signed(key, OF_TYPE, ""))
}

fn all_by_type(key: &KeyRow) -> String {
    by_type(&those_signed(key, OF_TYPE, ""))
}

/// How many credentials in force a key signed, cut off at ten thousand.
pub async fn count_in_force(
    store: &Store,
    key: &KeyRow,
    now: Timestamp,
) -> Result<Rough, StoreError> {
    let row = store.read_one(bound(in_force(key), key).bind(now)).await?;
    let number = row.map_or(Ok(0), |row| row.integer("number"))?;
    Ok(Rough {
        number: number.min(LOOKED_AT),
        or_more: number > LOOKED_AT,
    })
}

fn in_force(key: &KeyRow) -> String {
    let table = newest_signed(key, "list", &format!("AND {IN_FORCE}"));
    format!("SELECT COUNT(*) AS number FROM {table}")
}

/// The first list behind that one on which a credential stands that the key signed.
async fn next_list(store: &Store, key: &KeyRow, after: i64) -> Result<Option<i64>, StoreError> {
    let row = store
        .read_one(bound(list_after(key), key).bind(after))
        .await?;
    row.map_or(Ok(None), |row| row.optional_integer("list"))
}

fn list_after(key: &KeyRow) -> String {
    let table = those_signed(key, "list", "AND list > $3 ORDER BY list LIMIT 1");
    format!("SELECT MIN(list) AS list FROM {table}")
}

/// The serial numbers of credentials in force that a key signed, of the first list behind that one, with that list's number;
/// `None` when there are no more lists.
pub async fn find_serial_numbers(
    store: &Store,
    key: &KeyRow,
    after: i64,
    now: Timestamp,
) -> Result<Option<(i64, Vec<String>)>, StoreError> {
    let Some(list) = next_list(store, key, after).await? else {
        return Ok(None);
    };
    let table = those_signed(key, "serial_number", &on_list());
    let select = format!("SELECT serial_number FROM {table} ORDER BY serial_number");
    let rows = store.read(bound(select, key).bind(now).bind(list)).await?;
    let numbers = rows.iter();
    let numbers = numbers.map(|row| Ok(row.text("serial_number")?.to_owned()));
    Ok(Some((list, numbers.collect::<Result<_, StoreError>>()?)))
}

fn on_list() -> String {
    format!("AND list = $4 AND {IN_FORCE}")
}

/// The credentials of one list that a key signed and that are in force, as lines of a job. Those that are there stay.
fn lines(key: &KeyRow) -> String {
    // In one order, so that two who write the same wait for each other in the same order.
    let table = those_signed(key, "organisation, serial_number", &on_list());
    format!(
        "INSERT INTO revocation_job_lines (job, organisation, serial_number) \
         SELECT CAST($5 AS TEXT), organisation, serial_number FROM {table} WHERE 1 = 1 ORDER BY serial_number \
         ON CONFLICT DO NOTHING"
    )
}

/// Writes the credentials in force that a key signed down as lines of a job, a list at a time, and tells how many lines there
/// are. Whoever was interrupted does it again: what is there stays.
pub(crate) async fn write_lines(
    store: &Store,
    key: &KeyRow,
    job: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let mut after = 0;
    while let Some(list) = next_list(store, key, after).await? {
        let lines = bound(lines(key), key).bind(now).bind(list).bind(job);
        store.write([lines]).await?;
        after = list;
    }
    let count = "SELECT COUNT(*) AS lines FROM revocation_job_lines WHERE job = $1";
    let row = store.read_one(Statement::new(count).bind(job)).await?;
    row.map_or(Ok(0), |row| row.integer("lines"))
}

#[cfg(test)]
#[path = "signed_tests.rs"]
mod tests;

//! Entries as a person looks at them: newest first, a page at a time.

use jiff::Timestamp;
use store::{Row, Statement, Store, StoreError};

use super::Act;
use super::chain::Kept;

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct Question<'a> {
    /// Of this organisation only: what an operator of one may see.
    pub organisation: Option<&'a str>,
    /// Of this actor only.
    pub actor: Option<&'a str>,
    /// Of this act only, by code.
    pub act: Option<&'a str>,
    /// About this object only.
    pub object: Option<&'a str>,
    /// Older than the one with this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// The entries, and the number to go on before, where there are more.
pub async fn list(
    store: &Store,
    question: &Question<'_>,
) -> Result<(Vec<Kept>, Option<i64>), StoreError> {
    let sql = format!(
        "SELECT {} FROM audit_entries \
         WHERE (CAST($1 AS TEXT) IS NULL OR organisation = $1) AND (CAST($2 AS TEXT) IS NULL OR actor = $2) \
         AND (CAST($3 AS TEXT) IS NULL OR act = $3) AND (CAST($4 AS TEXT) IS NULL OR object = $4) \
         AND number < $5 ORDER BY number DESC LIMIT $6",
        Kept::COLUMNS
    );
    let wanted = i64::from(question.limit);
    let statement = Statement::new(sql)
        .bind(question.organisation)
        .bind(question.actor)
        .bind(question.act)
        .bind(question.object)
        .bind(question.before.unwrap_or(i64::MAX))
        .bind(wanted + 1);
    let rows = store.read(statement).await?;
    let shown = rows.iter().take(question.limit as usize);
    let entries = shown.map(Kept::read).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > entries.len();
    let next = rows[..entries.len()]
        .last()
        .map(|row| row.integer("number"))
        .transpose()?;
    Ok((entries, next.filter(|_| more)))
}

/// The entries of one act in that time, the oldest first, and the last one before it.
pub async fn of_act(
    store: &Store,
    act: Act,
    (from, to): (Timestamp, Timestamp),
) -> Result<(Option<Kept>, Vec<Kept>), StoreError> {
    let entries = async |condition: &str, values: &[Timestamp]| -> Result<Vec<Kept>, StoreError> {
        let sql = format!(
            "SELECT {} FROM audit_entries WHERE act = $1 AND {condition}",
            Kept::COLUMNS
        );
        let select = Statement::new(sql).bind(act.code());
        let select = values.iter().fold(select, |select, at| select.bind(*at));
        let rows: Vec<Row> = store.read(select).await?;
        rows.iter().map(Kept::read).collect()
    };
    let before = "happened_at < $2 ORDER BY number DESC LIMIT 1";
    let before = entries(before, &[from]).await?.pop();
    let within = "happened_at >= $2 AND happened_at < $3 ORDER BY number";
    Ok((before, entries(within, &[from, to]).await?))
}

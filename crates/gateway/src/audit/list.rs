//! Entries as a person looks at them: newest first, a page at a time.

use store::{Statement, Store, StoreError};

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

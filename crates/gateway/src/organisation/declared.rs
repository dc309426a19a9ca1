//! Whether what issues is declared still, as the database says in the moment in which a credential is written down: a
//! process that has not heard of a removal must not issue for who is gone.

use store::{Statement, Store, StoreError};

use super::Organisation;
use super::catalogue::CredentialType;

/// A condition on two placeholders, bound by [`bind`].
pub fn condition(organisation: &str, credential_type: &str) -> String {
    let is_there = |kind: &str, name: &str| {
        format!(
            "(CAST({name} AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM registry WHERE kind = '{kind}' AND name = {name}))"
        )
    };
    let organisation = is_there("organisation", organisation);
    let credential_type = is_there("credential-type", credential_type);
    format!("{organisation} AND {credential_type}")
}

/// Binds both: their names where they stand in the registry, nothing where they stand in a file.
pub fn bind(
    statement: Statement,
    organisation: &Organisation,
    credential_type: &CredentialType,
) -> Statement {
    let of_registry = credential_type.version.is_some();
    statement
        .bind(organisation.registered.then_some(organisation.id.as_str()))
        .bind(of_registry.then_some(credential_type.name.as_str()))
}

/// Changes nothing, and is the condition of a batch that gives something to what is declared of an organisation: it is there,
/// and stays until the batch is kept. Nothing of an organisation in a file, which no running gateway loses.
pub fn must_be_declared(
    organisation: &Organisation,
    kind: &'static str,
    name: &str,
) -> Option<Statement> {
    let there =
        "UPDATE registry SET version = version WHERE kind = $1 AND name = $2 AND organisation = $3";
    let there = Statement::new(there).bind(kind).bind(name);
    let there = there.bind(organisation.id.as_str()).must_change(1);
    organisation.registered.then_some(there)
}

/// Whether both are there still.
pub async fn are_declared(
    store: &Store,
    organisation: &Organisation,
    credential_type: &CredentialType,
) -> Result<bool, StoreError> {
    let select = format!("SELECT 1 AS there WHERE {}", condition("$1", "$2"));
    let select = bind(Statement::new(select), organisation, credential_type);
    Ok(store.read_one(select).await?.is_some())
}

//! The admin API put together: every slice's routes and two-person acts, in one place.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::{Extension, Router};
use jiff::Timestamp;
use standards::jose::Jwk;
use store::Store;

use crate::audit::export::{Export, Format};
use crate::audit::verify::{Report, verify};
use crate::audit::{Actor, Entry, checkpoint};
use crate::config::{Config, ConfigError};
use crate::tables::open_as_it_is;
use crate::{
    ComposeError, Gateway, admin, base, checklist, custody, operator, registry, seal, watching,
};

impl Gateway {
    /// What operators and their programs call. For a listener of its own, never for the public one (SEC-13).
    pub fn admin_router(&self) -> Router {
        let routes = admin::Routes::new()
            .and(operator::routes())
            .and(admin::proposal_routes())
            .and(admin::audit_routes())
            .and(registry::routes())
            .and(custody::routes(self))
            .and(watching::admin_routes())
            .and(checklist::routes());
        let acts = operator::acts(admin::Acts::default());
        let acts = custody::acts(registry::acts(acts, self), self);
        let router = Arc::clone(&self.door).router(&self.live, routes, acts);
        // What is changed through the registry needs what requests do not: the configuration file, the holder of keys.
        router
            .layer(Extension(self.clone()))
            .layer(Extension(Arc::clone(&self.watch)))
    }

    /// How often the account for emergencies was used since this process began.
    pub fn break_glass_uses(&self) -> u64 {
        self.door.break_glass_uses.load(Ordering::Relaxed)
    }
}

/// Checks the audit of the database that the configuration names, which may belong to a running gateway. Nothing is
/// changed, tables included.
pub async fn verify_audit(config: &Config) -> Result<Report, ComposeError> {
    let store = open_as_it_is(&config.database_address()?).await?;
    Ok(verify(&store, issuer(config), &audit_keys(config)?).await?)
}

/// Begins an export of the audit of the database that the configuration names. The export is an entry itself, by that account.
pub async fn export_audit(
    config: &Config,
    account: &str,
    time: (Timestamp, Timestamp),
    format: Format,
) -> Result<Export, ComposeError> {
    let store = open_as_it_is(&config.database_address()?).await?;
    let export = Export::begin(&store, issuer(config), time, None, format).await?;
    let now = crate::clock::Clock::system().now();
    let told = export.entry(Actor::Command(account), now);
    store.write([told.into()]).await?;
    Ok(export)
}

/// Writes what somebody did at the machine, beside a gateway, into the audit of its database. Its tables stay as they are.
pub async fn note_in_audit(config: &Config, entry: Entry) -> Result<(), ComposeError> {
    let store = open_as_it_is(&config.database_address()?).await?;
    let written = store.write([entry.into()]).await;
    store.close().await;
    written?;
    Ok(())
}

/// The public keys that sign or signed the checkpoints of the audit.
pub fn audit_keys(config: &Config) -> Result<Vec<Jwk>, ConfigError> {
    // Nothing is signed here: a sandbox's key may check what a sandbox signed.
    let keys = base::key_store(config, true)?;
    // The first, and those that came after it.
    let first = checkpoint::KEY.to_owned();
    let later = format!("{first}.");
    let names = keys.names()?.into_iter();
    let names = names.filter(|name| *name == first || name.starts_with(&later));
    names
        .map(|name| Ok(keys.find(&name)?.public_jwk().clone()))
        .collect()
}

/// The ids of all organisations: those of the configuration file and those that are declared in its database.
pub async fn organisation_ids(store: &Store, config: &Config) -> Result<Vec<String>, ComposeError> {
    let known = base::Known::read(store, &seal(config)?).await?;
    let organisations = known.registered.complete(config)?.organisations;
    Ok(organisations.into_iter().map(|one| one.id).collect())
}

fn issuer(config: &Config) -> &str {
    config.public_url.as_str().trim_end_matches('/')
}

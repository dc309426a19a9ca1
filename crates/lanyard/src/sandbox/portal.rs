//! The sandbox's staff portal: that of Anytown NHS Trust, for the relying party "Anytown Staff Services".

use std::sync::Arc;

use ::portal::Portal;
use ::portal::config::{AuditConfig, Config, IdentityConfig};
use connector::Policy;
use gateway::clock::Clock;

use super::secrets::Secrets;
use super::{Options, PORTAL, parties, records, settings};
use crate::sandbox_file::Urls;

/// Composes it, and lets it know everybody.
pub async fn compose(
    options: &Options,
    urls: &Urls,
    secrets: &Secrets,
    clock: &Clock,
) -> anyhow::Result<Portal> {
    let clock = clock.clone();
    let surroundings = ::portal::Surroundings {
        clock: Arc::new(move || clock.now()),
        sandbox: true,
        ..::portal::Surroundings::production()
    };
    let portal = Portal::compose(&config(options, urls, secrets)?, surroundings).await?;
    if options.fresh {
        portal.forget_everything().await?;
    }
    portal.import(&records::staff(&secrets.passwords)?).await?;
    Ok(portal)
}

fn config(options: &Options, urls: &Urls, secrets: &Secrets) -> anyhow::Result<Config> {
    let party = &secrets.parties[parties::STAFF_SERVICES];
    // Its own file, or its own tables beside the gateway's.
    let database = options
        .database
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", options.data.join("portal.db").display()));
    Ok(Config {
        public_url: urls.portal.clone(),
        listen: ([127, 0, 0, 1], options.port(PORTAL)?).into(),
        database,
        organisation: "Anytown NHS Trust".to_owned(),
        gateway: settings::gateway(options, urls, party),
        identity: IdentityConfig {
            policy: Policy::Exact,
        },
        supersede: true,
        mail: Some(settings::mail(options, "staff-services")?),
        log_in: None,
        records: None,
        applies: Vec::new(),
        audit: AuditConfig::default(),
        staff: None,
        brand: None,
        catalogue: None,
        hr_page: true,
        // Mary is of HR, besides: she looks at identities, and tells people.
        hr_staff: vec!["mary".to_owned()],
        address_header: None,
        idle_minutes: 30,
        session_hours: 12,
        traces: traces::TracesConfig::default(),
        tls_certificate: None,
        tls_key: None,
    })
}

//! First start: HR gives every employee an identity credential, through the gateway's own front door.
//!
//! Nothing here reaches around the protocol. The expired credential is issued with the clock set back, the
//! revoked one is revoked through the revocation endpoint, the untrusted one comes from an organisation that
//! no trust list names.

use anyhow::{Context, bail};
use connector::{
    Callback, Connector, Dialect, Draft, Http, HttpOptions, Push, Returned, Revocation, Settings,
    SigningKey,
};
use gateway::clock::{Clock, Shift};
use jiff::SignedDuration;
use url::Url;
use uuid::Uuid;
use wallet::{Outcome, Scan, Wallet};

use super::people::{EVERYONE, IdentityState, Person};
use super::secrets::Secrets;
use super::{Options, parties};
use crate::browser::{Arrived, Browser};

/// How far back the expired credential was issued: longer than an identity lives.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24 * 365 * 4);

/// What seeding works with.
pub struct World<'a> {
    pub options: &'a Options,
    pub clock: &'a Clock,
    pub shift: &'a Shift,
    pub wallet: &'a Wallet,
    pub secrets: &'a Secrets,
    pub public_url: &'a Url,
    pub redirect_uri: Url,
}

/// Seeds a sandbox that has not been seeded. A start that was cut off seeds those who are still without.
pub async fn first_start(world: &World<'_>) -> anyhow::Result<()> {
    let done = world.options.data.join("seeded");
    if done.exists() {
        return Ok(());
    }
    let trusted = connector(world, parties::HR, parties::ANYTOWN).await?;
    let untrusted = connector(world, parties::ELSEWHERE_HR, parties::ELSEWHERE).await?;
    for person in &EVERYONE {
        let Some(identity) = person.identity else {
            continue;
        };
        if !world.wallet.credentials(person.id).await?.is_empty() {
            continue;
        }
        let hr = if identity.state == IdentityState::Untrusted {
            &untrusted
        } else {
            &trusted
        };
        if identity.state == IdentityState::Expired {
            world.shift.set(-LONG_AGO);
        }
        let issued = issue(world, hr, person)
            .await
            .with_context(|| format!("no identity credential for {}", person.id));
        world.shift.set(SignedDuration::ZERO);
        let serial_number = issued?;
        if identity.state == IdentityState::Revoked {
            hr.revoke(&Revocation {
                credential_type: "Identity".to_owned(),
                serial_number,
                reason: "Sandbox: a revoked identity".to_owned(),
            })
            .await?;
        }
    }
    std::fs::write(&done, b"")?;
    Ok(())
}

async fn connector(
    world: &World<'_>,
    party: &str,
    organisation: &str,
) -> anyhow::Result<Connector> {
    let secrets = &world.secrets.parties[party];
    let settings = Settings {
        gateway: world.public_url.clone(),
        dialect: Dialect::V2,
        push: Push::Always,
        client_id: secrets.client_id.clone(),
        client_secret: connector::ClientSecret::new(secrets.client_secret.as_str()),
        signing_key: Some(SigningKey::from_base64(&secrets.signing_key)?),
        organisation_id: organisation.to_owned(),
        redirect_uri: world.redirect_uri.clone(),
    };
    let certificate_authority = world
        .options
        .tls_cert
        .as_ref()
        .map(std::fs::read)
        .transpose()?;
    let http = Http::new(HttpOptions {
        certificate_authority,
        ..HttpOptions::default()
    })?;
    let clock = world.clock.clone();
    Ok(
        Connector::discover_with_clock(settings, http, std::sync::Arc::new(move || clock.now()))
            .await?,
    )
}

async fn issue(world: &World<'_>, hr: &Connector, person: &Person) -> anyhow::Result<Uuid> {
    let Some(identity) = person.identity else {
        bail!("this person holds no identity")
    };
    let draft = Draft::new("Identity")
        .claim("ID-LegalFirstName", identity.says.first_names)
        .claim("ID-LegalSurname", identity.says.surname)
        .claim("ID-BirthDate", identity.says.date_of_birth)
        .claim("UniqueIdentifier", person.unique_identifier);
    let started = hr.issue(draft).await?;
    let certificate_authority = world
        .options
        .tls_cert
        .as_ref()
        .map(std::fs::read)
        .transpose()?;
    let browser = Browser::new(
        world.redirect_uri.clone(),
        certificate_authority.as_deref(),
        None,
    )?;
    let Arrived::Page(page) = browser.open(&started.url).await? else {
        bail!("the gateway shows no page")
    };
    let link = page
        .href("open-wallet")
        .with_context(|| format!("{} has no wallet link", page.name()))?;
    let scanned = world
        .wallet
        .scan(
            person.id,
            Scan {
                link,
                consent: true,
                choose: Vec::new(),
            },
        )
        .await?;
    if scanned.outcome != Outcome::Received {
        bail!(
            "the wallet did not receive it: {}",
            scanned.reason.unwrap_or_default()
        );
    }
    let Arrived::Back(query) = browser.reload(&page).await? else {
        bail!("the page does not lead back")
    };
    let callback = Callback::parse(&query)?;
    match hr.finish(started.pending, callback).await? {
        Returned::Issued(issued) => Ok(issued.serial_number),
        Returned::Verified(_) => bail!("the gateway verified instead of issuing"),
    }
}

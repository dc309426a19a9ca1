//! First start: HR gives every employee an identity credential, through the gateway's own front door.
//!
//! Nothing here reaches around the protocol. The expired credential is issued with the clock set back, the
//! revoked one is revoked through the revocation endpoint, the untrusted one comes from an organisation that
//! no trust list names.
//!
//! Each credential's serial number is written down before the wallet hears of it, as any relying party should: a
//! start that is cut off in the middle of one leaves a number by which the next start revokes it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use connector::{
    Callback, Connector, Dialect, Draft, Http, HttpOptions, Push, Returned, Revocation,
    RevokeError, Settings, SigningKey,
};
use gateway::clock::{Clock, Shift};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;
use wallet::{Outcome, Scan, Wallet};

use super::people::{EVERYONE, IdentityState, Person};
use super::secrets::{Secrets, write_private};
use super::{Options, parties, records};
use crate::browser::{Arrived, Browser};

/// How far back the expired credential was issued: longer than an identity lives.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24 * 365 * 4);
/// Stands in the sandbox's folder once everybody is seeded.
pub const DONE: &str = "seeded";
/// Says which address and database the folder belongs to.
pub const MADE_FOR: &str = "made-for";
/// Says how far seeding has come until then.
pub const IN_PROGRESS: &str = "seeding.json";

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

/// How far a first start has come.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    /// Who has the credential of their case.
    done: Vec<String>,
    /// Whose credential is on its way, and its serial number.
    begun: Option<(String, Uuid)>,
    #[serde(skip)]
    file: PathBuf,
}

impl Progress {
    fn read(world: &World<'_>) -> anyhow::Result<Self> {
        let file = world.options.data.join(IN_PROGRESS);
        let read = match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!("{} cannot be read; --fresh begins anew", file.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { file, ..read })
    }

    fn write(&self) -> anyhow::Result<()> {
        write_private(&self.file, &serde_json::to_vec(self)?)
    }
}

/// Seeds a sandbox that has not been seeded. A start that was cut off seeds those who are still without.
pub async fn first_start(world: &World<'_>) -> anyhow::Result<()> {
    let done = world.options.data.join(DONE);
    if done.exists() {
        return Ok(());
    }
    let made_for = made_for(world.options, world.public_url);
    write_private(&world.options.data.join(MADE_FOR), made_for.as_bytes())?;
    let trusted = connector(world, parties::HR, parties::ANYTOWN).await?;
    let untrusted = connector(world, parties::ELSEWHERE_HR, parties::ELSEWHERE).await?;
    let mut progress = Progress::read(world)?;
    for step in steps() {
        if progress.done.contains(&step.name) {
            continue;
        }
        let hr = if step.state == IdentityState::Untrusted {
            &untrusted
        } else {
            &trusted
        };
        withdraw_begun(world, hr, &step, &progress).await?;
        if step.state == IdentityState::Expired {
            world.shift.set(-LONG_AGO);
        }
        let issued = issue(world, hr, &step, &mut progress)
            .await
            .with_context(|| {
                format!(
                    "no {} credential for {}",
                    step.draft.credential_type, step.holder
                )
            });
        world.shift.set(SignedDuration::ZERO);
        let serial_number = issued?;
        if step.state == IdentityState::Revoked {
            let (credential_type, reason) =
                (&step.draft.credential_type, "Sandbox: a revoked identity");
            hr.revoke(&Revocation::new(credential_type, serial_number, reason))
                .await?;
        }
        progress.begun = None;
        progress.done.push(step.name);
        progress.write()?;
    }
    std::fs::write(&done, b"")?;
    super::remove(&progress.file)
}

/// Refuses to start a folder under another address or on another database than it was made for: the
/// credentials in the wallet name their issuer by its address, and only that database knows them.
pub fn check_made_for(options: &Options, public_url: &Url) -> anyhow::Result<()> {
    let Ok(found) = std::fs::read_to_string(options.data.join(MADE_FOR)) else {
        return Ok(());
    };
    if found == made_for(options, public_url) {
        return Ok(());
    }
    let address = found.lines().next().unwrap_or_default();
    bail!(
        "{} was made for {address} and its database; with another address or database use another --data, or --fresh",
        options.data.display()
    )
}

/// The address, and a digest of the database's (it may hold a password).
fn made_for(options: &Options, public_url: &Url) -> String {
    let database = options.database_address();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, database.as_bytes());
    format!("{public_url}\n{}\n", hex::encode(digest))
}

/// One credential to seed.
struct Step {
    name: String,
    holder: &'static str,
    draft: Draft,
    state: IdentityState,
}

/// Everybody's identity, and one credential of another type, so that a wallet told to send the wrong type has one.
fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = EVERYONE
        .iter()
        .filter_map(|person| {
            let identity = person.identity?;
            let draft = Draft::new("Identity")
                .claim("ID-LegalFirstName", identity.says.first_names)
                .claim("ID-LegalSurname", identity.says.surname)
                .claim("ID-BirthDate", identity.says.date_of_birth)
                .claim("UniqueIdentifier", person.unique_identifier);
            let (name, state) = (person.id.to_owned(), identity.state);
            Some(Step {
                name,
                holder: person.id,
                draft,
                state,
            })
        })
        .collect();
    let spare = EVERYONE
        .iter()
        .find(|person| !records::is_applicable(person));
    steps.extend(spare.map(|person| Step {
        name: format!("{}: fire safety", person.id),
        holder: person.id,
        draft: fire_safety(person),
        state: IdentityState::Good,
    }));
    steps
}

fn fire_safety(person: &Person) -> Draft {
    let draft = Draft::new("FireSafety").claim("UniqueIdentifier", person.unique_identifier);
    records::fire_safety()
        .into_iter()
        .fold(draft, |draft, (name, value)| draft.claim(name, value))
}

/// What an earlier start left half-done of this step: revoked at the gateway, gone from the wallet.
async fn withdraw_begun(
    world: &World<'_>,
    hr: &Connector,
    step: &Step,
    progress: &Progress,
) -> anyhow::Result<()> {
    if let Some((_, serial_number)) = progress
        .begun
        .as_ref()
        .filter(|(name, _)| *name == step.name)
    {
        let reason = "Sandbox: its first start was cut off";
        let withdrawn = Revocation::new(&step.draft.credential_type, *serial_number, reason);
        match hr.revoke(&withdrawn).await {
            // It was not issued yet.
            Ok(()) | Err(RevokeError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for held in world.wallet.credentials(step.holder).await? {
        if held.credential_type == step.draft.credential_type {
            world.wallet.delete(step.holder, &held.id).await?;
        }
    }
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

async fn issue(
    world: &World<'_>,
    hr: &Connector,
    step: &Step,
    progress: &mut Progress,
) -> anyhow::Result<Uuid> {
    let started = hr.issue(step.draft.clone()).await?;
    progress.begun = started
        .pending
        .serial_number()
        .map(|serial_number| (step.name.clone(), serial_number));
    progress.write()?;
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
            step.holder,
            Scan {
                link,
                consent: true,
                choose: Vec::new(),
                transaction_code: None,
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

//! What is asked of certificate chains when they are declared, and what becomes of those that are there.

use jiff::Timestamp;
use standards::jose::Jwk;

use crate::Gateway;
use crate::app::{App, Parts};
use crate::config::ConfigError;
use crate::keys::KeyPurpose;
use crate::organisation::Organisation;
use crate::organisation::certificates::{Chain, ChainError};
use crate::registry::{Kind, Plan, Registered, RegistryError};

/// A chain that comes with a plan is of a key that issues for its organisation, and holds. What is there already stays as it
/// is: its key may be gone and its time over, and that must not stand in the way of another change.
pub(super) fn check(app: &App, before: &Registered, plan: &Plan) -> Result<(), RegistryError> {
    for change in &plan.changes {
        let (Kind::Organisation, Some(to)) = (change.key.0, &change.to) else {
            continue;
        };
        let id = change.key.1.as_str();
        let fault = |at: usize, error: &ChainError| {
            let key = format!("organisations.{id}.certificate_chains ({})", at + 1);
            ConfigError::value(key, error.to_string())
        };
        let known = before.find(Kind::Organisation, id);
        let known = known.map_or(
            &serde_json::Value::Null,
            |known| &known.body["certificate_chains"],
        );
        let known = known.as_array().map_or(&[][..], Vec::as_slice);
        let listed = to.body["certificate_chains"].as_array();
        for (at, text) in listed.into_iter().flatten().enumerate() {
            if known.contains(text) {
                continue;
            }
            let chain = Chain::parse(text.as_str().unwrap_or_default());
            let checked = chain.and_then(|chain| chain.check_for(issuing(app, id), app.now()));
            checked.map_err(|error| fault(at, &error))?;
        }
    }
    Ok(())
}

/// The published keys that sign what others verify with a certificate.
fn issuing<'a>(app: &'a Parts, organisation: &'a str) -> impl Iterator<Item = &'a Jwk> {
    [KeyPurpose::Credentials, KeyPurpose::Status]
        .into_iter()
        .flat_map(move |purpose| app.keys.published(purpose, organisation))
}

/// A chain that is declared, and how it stands.
pub struct ChainStands {
    /// The organisation.
    pub organisation: String,
    /// The key that it is of.
    pub kid: String,
    /// When it ends.
    pub ends: Timestamp,
    /// Whole days that it holds; less than nothing where it has ended.
    pub days_left: i64,
    /// Why it is not used now, if it is not.
    pub fault: Option<ChainError>,
}

impl ChainStands {
    /// Whether its key is published: somebody would miss it.
    pub(crate) fn is_wanted(&self) -> bool {
        !matches!(self.fault, Some(ChainError::AnotherKey(_)))
    }
}

impl Gateway {
    /// How the certificate chains of every organisation stand. Of several of one key the one that lasts longest is told;
    /// one whose key is gone is told as long as it is declared.
    pub fn certificate_chains(&self) -> Vec<ChainStands> {
        certificate_chains(&self.live.now())
    }
}

/// The same.
pub(crate) fn certificate_chains(app: &Parts) -> Vec<ChainStands> {
    let now = app.now();
    let organisations = app.organisations.iter();
    organisations
        .flat_map(|one| latest(one).map(|chain| stands(app, one, chain, now)))
        .collect()
}

fn latest(organisation: &Organisation) -> impl Iterator<Item = &Chain> {
    let chains = organisation.chains().iter();
    chains.filter(|chain| organisation.latest_chain_of(&chain.kid) == Some(*chain))
}

fn stands(app: &Parts, organisation: &Organisation, chain: &Chain, now: Timestamp) -> ChainStands {
    ChainStands {
        organisation: organisation.id.clone(),
        kid: chain.kid.clone(),
        ends: chain.ends,
        days_left: chain.days_left(now),
        fault: fault(app, &organisation.id, chain, now),
    }
}

/// Why a chain of an organisation is not used now, if it is not.
pub(crate) fn fault(
    app: &Parts,
    organisation: &str,
    chain: &Chain,
    now: Timestamp,
) -> Option<ChainError> {
    chain.check_for(issuing(app, organisation), now).err()
}

//! What is declared, in the configuration file or in the registry: organisations, what each issues and trusts, the systems that
//! use the gateway in its name.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use store::StoreError;

use super::{Findings, OLD, SOON, counted, listed};
use crate::Gateway;
use crate::app::Parts;
use crate::operate::ChainStands;
use crate::organisation::certificates::ChainError;
use crate::organisation::{Organisation, RelyingParty};
use crate::registry::onboarding::{self, Item};
use crate::registry::secrets::{self, ClientSecret};

/// Looks at everything that is declared.
pub async fn of_registered(gateway: &Gateway, findings: &mut Findings) {
    judge_chains(gateway.certificate_chains(), findings);
    if let Err(error) = look_at_organisations(gateway, findings).await {
        findings.bad("database", error.to_string(), "look at the database");
    }
}

async fn look_at_organisations(
    gateway: &Gateway,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let app = gateway.app();
    let made = secrets::read(&app.store).await?;
    let settled = onboarding::count_settled(&app.store).await?;
    let mut parties: BTreeMap<&str, Vec<&RelyingParty>> = BTreeMap::new();
    for party in app.organisations.relying_parties() {
        let id = party.organisation.id.as_str();
        parties.entry(id).or_default().push(party);
    }
    let mut count = 0;
    for organisation in app.organisations.iter() {
        count += 1;
        look_at_types(organisation, findings);
        look_at_trust(&app, organisation, findings);
        let id = organisation.id.as_str();
        let Some(mut parties) = parties.remove(id) else {
            findings
                .look(
                    "relying-parties",
                    "no system uses the gateway in its name",
                    "declare one: Relying parties in the console, or lanyard apply (docs/operate/registry.md)",
                )
                .of(id);
            continue;
        };
        parties.sort_by(|one, other| one.client_id.cmp(&other.client_id));
        look_at_secrets(id, &parties, &made, app.now(), findings);
        look_at_settled(id, &parties, &settled, findings);
    }
    if count == 0 {
        findings.look(
            "organisations",
            "there is no organisation yet: nobody can use this gateway",
            "declare one: Organisations in the console, or lanyard apply (docs/operate/registry.md)",
        );
    } else {
        findings.good("organisations", counted(count, "organisation"));
    }
    Ok(())
}

fn look_at_types(organisation: &Organisation, findings: &mut Findings) {
    let types = organisation.issued_types();
    let says = if types.is_empty() {
        "issues nothing and only verifies".to_owned()
    } else {
        format!("issues {}", listed(&types))
    };
    findings.good("credential-types", says).of(&organisation.id);
}

/// Default deny: who trusts nobody verifies nobody.
fn look_at_trust(app: &Parts, organisation: &Organisation, findings: &mut Findings) {
    let code = "trust-list";
    let id = organisation.id.as_str();
    let list = organisation.trust_list();
    if list.is_empty() {
        findings
            .look(
                code,
                "it trusts no issuer: its relying parties can verify nobody",
                "say whose credentials count: its trust list in the console, or lanyard apply (docs/operate/registry.md)",
            )
            .of(id);
        return;
    }
    // What an organisation of this gateway is called begins like what this one is.
    let own = [&organisation.path_did, &organisation.credential_issuer];
    let own = own.map(|name| name.strip_suffix(id).unwrap_or(name));
    let gone: Vec<&str> = list
        .values()
        .flatten()
        .copied()
        .filter(|issuer| own.iter().any(|begin| issuer.starts_with(begin)))
        .filter(|issuer| app.organisations.find_issuer(issuer).is_none())
        .collect();
    if gone.is_empty() {
        let (types, issuers) = (list.len(), list.values().flatten().count());
        let says = format!(
            "{} trusted for {}",
            counted(issuers.try_into().unwrap_or(i64::MAX), "name"),
            counted(types.try_into().unwrap_or(i64::MAX), "credential type")
        );
        findings.good(code, says).of(id);
    } else {
        findings
            .look(
                code,
                format!(
                    "it trusts what is no organisation of this gateway: {}",
                    listed(&gone)
                ),
                "take it out of the trust list, or write it as the issuer is called",
            )
            .of(id);
    }
}

/// Client secrets that nobody has, or that are old.
fn look_at_secrets(
    organisation: &str,
    parties: &[&RelyingParty],
    made: &HashMap<String, Vec<ClientSecret>>,
    now: Timestamp,
    findings: &mut Findings,
) {
    let code = "client-secrets";
    let year = SignedDuration::from_hours(24 * OLD);
    let (mut none, mut old) = (Vec::new(), Vec::new());
    for party in parties.iter().filter(|party| party.has_secrets()) {
        let client_id = party.client_id.as_str();
        if !party.has_live_secret(now) {
            none.push(client_id);
        }
        let mut secrets = made.get(client_id).into_iter().flatten();
        if secrets.any(|one| one.is_live(now) && now.duration_since(one.created_at) > year) {
            old.push(client_id);
        }
    }
    if !none.is_empty() {
        findings
            .look(
                code,
                format!(
                    "without a secret, so that they cannot use the gateway: {}",
                    listed(&none)
                ),
                "lanyard client secret new, or the relying party's page in the console",
            )
            .of(organisation);
    }
    if !old.is_empty() {
        findings
            .look(
                code,
                format!("with secrets older than a year: {}", listed(&old)),
                "lanyard client secret rotate, or the relying party's page in the console",
            )
            .of(organisation);
    }
    if none.is_empty() && old.is_empty() {
        let count = parties.len().try_into().unwrap_or(i64::MAX);
        let says = format!("{} can prove who it is", counted(count, "relying party"));
        let says = match count {
            1 => says,
            _ => format!("{count} relying parties can prove who they are"),
        };
        findings.good(code, says).of(organisation);
    }
}

/// What was to be settled before they went live.
fn look_at_settled(
    organisation: &str,
    parties: &[&RelyingParty],
    settled: &HashMap<String, i64>,
    findings: &mut Findings,
) {
    let all = i64::try_from(Item::ALL.len()).unwrap_or(i64::MAX);
    let count = |party: &RelyingParty| settled.get(&party.client_id).copied().unwrap_or(0);
    let open: Vec<String> = parties
        .iter()
        .filter(|party| count(party) < all)
        .map(|party| format!("{} ({} of {all})", party.client_id, count(party)))
        .collect();
    if open.is_empty() {
        findings
            .good("onboarding", "everything is settled")
            .of(organisation);
    } else {
        findings
            .look(
                "onboarding",
                format!("not everything is settled: {}", listed(&open)),
                "settle it, with its evidence: the checklist of the relying party in the console",
            )
            .of(organisation);
    }
}

/// The certificate chains of keys that issue: one that does not hold is left out of what is signed.
fn judge_chains(chains: Vec<ChainStands>, findings: &mut Findings) {
    let code = "certificate-chains";
    let mut good: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for chain in chains {
        let says = format!("the chain for the key {}", chain.kid);
        let days = chain.days_left;
        let finding = match chain.fault {
            Some(fault @ ChainError::AnotherKey(_)) => findings.look(
                code,
                format!("{says} is not used: {fault}"),
                "take it out if its key is gone",
            ),
            Some(fault) => findings.bad(
                code,
                format!("{says} is left out: {fault}"),
                "have the key certified again",
            ),
            None if days < SOON => findings.look(
                code,
                format!("{says} ends in {}", counted(days, "day")),
                "declare the next one beside it",
            ),
            None => {
                good.entry(chain.organisation).or_default().push(days);
                continue;
            }
        };
        finding.of(&chain.organisation);
    }
    for (organisation, days) in good {
        let least = days.iter().min().copied().unwrap_or_default();
        let says = format!(
            "{} hold, the first of them for {}",
            days.len(),
            counted(least, "day")
        );
        findings.good(code, says).of(&organisation);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::State;
    use super::*;

    fn chain(days_left: i64, fault: Option<ChainError>) -> ChainStands {
        ChainStands {
            organisation: "anytown".to_owned(),
            kid: "NzbL".to_owned(),
            ends: Timestamp::UNIX_EPOCH,
            days_left,
            fault,
        }
    }

    fn told(chains: Vec<ChainStands>) -> Vec<(State, String)> {
        let mut findings = Findings::default();
        judge_chains(chains, &mut findings);
        let told = findings.iter().inspect(|one| {
            assert_eq!(one.organisation.as_deref(), Some("anytown"));
        });
        told.map(|one| (one.state, one.says.clone())).collect()
    }

    #[test]
    fn a_chain_that_ends_soon_is_told_before_it_is_left_out_and_one_of_a_key_that_is_gone_is_no_fault()
     {
        assert_eq!(told(Vec::new()), []);
        assert_eq!(
            told(vec![chain(40, None), chain(21, None)]),
            [(
                State::Good,
                "2 hold, the first of them for 21 days".to_owned()
            )]
        );
        assert_eq!(
            told(vec![chain(20, None)]),
            [(
                State::Look,
                "the chain for the key NzbL ends in 20 days".to_owned()
            )]
        );
        let another = ChainError::AnotherKey("NzbL".to_owned());
        assert_eq!(told(vec![chain(40, Some(another))])[0].0, State::Look);
        let over = ChainError::Over(Timestamp::UNIX_EPOCH);
        let (state, says) = told(vec![chain(-1, Some(over))]).remove(0);
        assert_eq!(state, State::Bad);
        assert!(says.contains("is left out"), "{says}");
    }
}

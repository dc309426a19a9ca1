//! What a sandbox tells: `sandbox.json` for programs, a few lines for people.

use gateway::organisation::catalogue::Catalogue;
use url::Url;

use super::parties::PARTIES;
use super::people::EVERYONE;
use super::secrets::Secrets;
use crate::sandbox_file::{CredentialType, Employee, RelyingParty, SandboxFile, Urls};

/// The content of `sandbox.json`.
pub fn sandbox_file(gateway: &Url, wallet: &Url, portal: &Url, secrets: &Secrets) -> SandboxFile {
    let parties = PARTIES.iter().filter(|party| party.shown).map(|party| {
        let own = secrets.parties[party.name].clone();
        RelyingParty {
            name: party.name.to_owned(),
            dialect: party.dialect,
            organisation_id: party.organisation.to_owned(),
            client_id: own.client_id,
            client_secret: own.client_secret,
            signing_key: own.signing_key,
            redirect_uris: party.redirect_uris(portal),
        }
    });
    let employees = EVERYONE.iter().map(|person| Employee {
        id: person.id.to_owned(),
        holder: person.id.to_owned(),
        case: person.case.to_owned(),
        username: person.id.to_owned(),
        password: secrets.passwords[person.id].clone(),
        first_names: person.record.first_names.to_owned(),
        surname: person.record.surname.to_owned(),
        date_of_birth: person.record.date_of_birth.to_owned(),
        unique_identifier: person.unique_identifier.to_owned(),
    });
    let types = Catalogue::built_in().map(|catalogue| {
        let named = |kind: &gateway::organisation::catalogue::CredentialType| CredentialType { name: kind.name.clone(), scope: format!("issue.{}", kind.name) };
        catalogue.iter().map(named).collect()
    });
    SandboxFile {
        urls: Urls { gateway: gateway.clone(), portal: None, wallet: wallet.clone(), mail: None },
        relying_parties: parties.collect(),
        employees: employees.collect(),
        credential_types: types.unwrap_or_default(),
    }
}

/// Six lines for the person at the terminal.
pub fn lines(file: &SandboxFile, sandbox_json: &std::path::Path) -> [String; 6] {
    let good = file.employees.iter().find(|employee| employee.case == "match").map(|employee| employee.id.as_str()).unwrap_or_default();
    let others = file.employees.iter().filter(|employee| employee.id != good).map(|employee| employee.id.as_str()).collect::<Vec<_>>();
    [
        format!("Gateway      {}   (discovery: {}.well-known/openid-configuration)", file.urls.gateway, file.urls.gateway),
        format!("Test wallet  {}   (open it: 12 holders, their credentials, scan and consent)", file.urls.wallet),
        format!("Employees    {good} has a good identity credential; {} are the difficult cases", others.join(", ")),
        format!("For programs {}   (client ids, secrets, signing keys, people)", sandbox_json.display()),
        format!("Do this next lanyard journey --data {}   (plays verify, issue, present, revoke and prints every exchange)", sandbox_json.parent().unwrap_or(sandbox_json).display()),
        "Ctrl-C stops it; starting again keeps everything; --fresh begins anew.".to_owned(),
    ]
}

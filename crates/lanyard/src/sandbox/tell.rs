//! What a sandbox tells: `sandbox.json` for programs, a few lines for people.

use gateway::organisation::catalogue::Catalogue;

use super::parties::{PARTIES, Returns};
use super::people::EVERYONE;
use super::secrets::Secrets;
use crate::sandbox_file::{
    CredentialType, Employee, FILE_NAME, RelyingParty, SandboxFile, SidecarPlace, Urls,
};

/// The content of `sandbox.json`.
pub fn sandbox_file(
    urls: Urls,
    sidecar: SidecarPlace,
    returns: &Returns,
    secrets: &Secrets,
) -> anyhow::Result<SandboxFile> {
    let parties = PARTIES.iter().filter(|party| party.shown).map(|party| {
        let own = secrets.parties[party.name].clone();
        // Who has a key of its own has no secrets that count.
        let shared = |secret: String| if party.keyed { String::new() } else { secret };
        RelyingParty {
            name: party.name.to_owned(),
            dialect: party.connector_dialect(),
            organisation_id: party.organisation.to_owned(),
            client_id: own.client_id,
            client_secret: shared(own.client_secret),
            signing_key: shared(own.signing_key),
            private_key: own.private_key,
            redirect_uris: party.redirect_uris(returns),
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
    let types = Catalogue::built_in()?;
    let types = types.iter().map(|kind| CredentialType {
        name: kind.name.clone(),
        scope: kind.name.clone(),
    });
    Ok(SandboxFile {
        relying_parties: parties.collect(),
        employees: employees.collect(),
        credential_types: types.collect(),
        sidecar,
        urls,
    })
}

/// A few lines for the person at the terminal.
pub fn lines(file: &SandboxFile, data: &std::path::Path) -> Vec<String> {
    let (good, others): (Vec<_>, Vec<_>) = file
        .employees
        .iter()
        .partition(|employee| employee.case == "match");
    let named = |people: &[&Employee]| {
        let named = people
            .iter()
            .map(|employee| format!("{} ({})", employee.id, employee.case));
        named.collect::<Vec<_>>().join(", ")
    };
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "lanyard".to_owned());
    let login = good.first().map_or_else(String::new, |employee| {
        format!(
            "   (log in as {} with {})",
            employee.username, employee.password
        )
    });
    let Urls {
        gateway,
        portal,
        wallet,
        mail,
    } = &file.urls;
    vec![
        format!("Staff portal {portal}{login}"),
        format!("Test wallet  {wallet}   (whoever logs in there has a wallet here)"),
        format!("Mail         {mail}   (what employees are told)"),
        format!("HR           {portal}hr   (change, end or delete a record)"),
        format!("Gateway      {gateway}"),
        format!(
            "Connector    {}   (an HTTP API for a portal in any language)",
            file.sidecar.url
        ),
        format!("Employees    {}, {}", named(&good), named(&others)),
        format!(
            "Programs     read {}: addresses, client ids, secrets, signing keys, people",
            data.join(FILE_NAME).display()
        ),
        format!(
            "Do this next {program} journey --data {}   (plays the standard's sequences, prints each exchange)",
            data.display()
        ),
        "Ctrl-C stops it; starting again keeps everything; --fresh begins anew.".to_owned(),
    ]
}

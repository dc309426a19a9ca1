//! The files that the processes of [`crate::portal_processes`] are started with, as docs/operate and docs/integrate explain
//! them, with the short times of a test.

use std::fmt::Write as _;
use std::path::Path;

use crate::database::Database;
use crate::operated::{CLIENT_ID, ORGANISATION, Operated, REDIRECT_URI};
use crate::portal_processes::Plan;
use crate::said::NOBODY;

/// Everybody's, since nobody is to guess it.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// What the record says at first, and what HR makes of it.
pub(crate) const PROGRAMME: &str = "Cardiology";
pub(crate) const OTHER_PROGRAMME: &str = "Neurology";

/// The other claims of the record.
const CLAIMS: [(&str, &str); 10] = [
    ("TPR-ProgrammeStartDate", "2025-08-06"),
    ("TPR-ProgrammeEndDate", "2031-08-05"),
    ("TPR-Origin", "Anytown NHS Trust"),
    (
        "TPR-AssurancePolicy",
        "Postgraduate doctor trainee programme assessment",
    ),
    (
        "TPR-AssuranceOutcome",
        "Postgraduate doctor trainee programme registration",
    ),
    ("TPR-Provider", "Anytown NHS Trust"),
    ("TPR-Verifier", "Origin"),
    ("TPR-VerificationMethod", "Record Verification"),
    ("TPR-Pedigree", "Authoritative"),
    ("TPR-LastRefresh", "2026-11-01"),
];

/// What a record of this programme says.
pub(crate) fn claims(programme: &str) -> impl Iterator<Item = (&'static str, String)> {
    let others = CLAIMS.map(|(name, value)| (name, value.to_owned()));
    std::iter::once(("TPR-Name", programme.to_owned())).chain(others)
}

/// A name that nobody else has, in letters.
pub(crate) fn surname(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("Walker{}{}", letter(number / 26), letter(number))
}

const PARTIES: &str = "[[organisations.relying_parties]]";

/// The gateway's configuration: the portal comes back to its own address, and may ask for identities. HR is the client `hr`,
/// with the same secrets.
pub(crate) fn with_portal(config: &str, base: &str, portal_url: &str, hr: &str) -> String {
    let uris = format!("redirect_uris = [\"{REDIRECT_URI}\"");
    let more = format!("{uris}, \"{portal_url}/callback\"");
    let with_uri = config.replace(&uris, &more);
    assert_ne!(with_uri, config, "the portal is not in the configuration");
    let trust = format!(
        "[[organisations.trust]]\ncredential_type = \"Identity\"\nissuers = [\"{base}/issuers/{ORGANISATION}\"]\n\n"
    );
    let mut config = with_uri.replacen(PARTIES, &format!("{trust}{PARTIES}"), 1);
    if hr != CLIENT_ID {
        let (_, party) = config.split_once(PARTIES).unwrap();
        let party = party.split("\n\n").next().unwrap();
        let party = party.replace(CLIENT_ID, hr).replace("Staff Services", "HR");
        write!(config, "\n{PARTIES}{party}\n").unwrap();
    }
    config
}

/// Where an external system stands, and with what.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) gateway: &'a Operated,
    pub(crate) database: &'a Database,
    pub(crate) port: u16,
    pub(crate) plan: Plan,
    /// How mails go out, as [`by_smtp`] or a stand-in for GOV.UK Notify writes it.
    pub(crate) way_of_mails: String,
}

/// The lines of `[mail]` for the catcher's SMTP.
pub(crate) fn by_smtp(port: u16) -> String {
    format!("host = \"localhost\"\nport = {port}\nsecurity = \"loopback\"\n")
}

/// The portal's, as docs/operate/portal.md explains it.
pub(crate) fn portal_config(place: &Place<'_>) -> String {
    let (folder, port) = (place.folder.display(), place.port);
    let (kept, address) = (place.gateway.folder.display(), place.database.address());
    let common = common(place);
    format!(
        r#"public_url = "https://localhost:{port}"
listen = "127.0.0.1:{port}"
database = "{address}"
organisation = "Anytown NHS Trust"
staff = "{folder}/staff.toml"
hr_page = true
tls_certificate = "{kept}/chain.pem"
tls_key = "{kept}/tls-key.pem"

{common}"#
    )
}

/// The sidecar's, as docs/integrate/sidecar.md explains it.
pub(crate) fn sidecar_config(place: &Place<'_>, key_sha256: &str) -> String {
    let (port, address, common) = (place.port, place.database.address(), common(place));
    format!(
        r#"listen = "127.0.0.1:{port}"
database = "{address}"
organisation = "Anytown NHS Trust"
redirect_uri = "{REDIRECT_URI}"
api_keys = [{{ name = "host", sha256 = "{key_sha256}" }}]

{common}"#
    )
}

/// What every external system says of the gateway and of its mails.
fn common(place: &Place<'_>) -> String {
    let (folder, base) = (place.folder.display(), &place.gateway.base);
    let (kept, way_of_mails) = (place.gateway.folder.display(), &place.way_of_mails);
    let Plan {
        journey_seconds,
        answer_seconds,
        mails_a_minute,
        ..
    } = place.plan;
    format!(
        r#"[gateway]
url = "{base}"
dialect = "plain"
client_id = "{CLIENT_ID}"
client_secret = {{ file = "{folder}/client-secret" }}
signing_key = {{ file = "{kept}/signing-key" }}
organisation_id = "{ORGANISATION}"
certificate_authority = "{folder}/authority.pem"
journey_seconds = {journey_seconds}
answer_seconds = {answer_seconds}

[mail]
from = "Anytown NHS Trust <staff-services@anytown.example>"
contact = "hr@anytown.example, 01234 567890"
most_a_minute = {mails_a_minute}
{way_of_mails}

[traces]
otlp_endpoint = "{NOBODY}"
"#
    )
}

/// The staff file.
pub(crate) fn staff(folder: &Path, employees: usize) -> String {
    let (mut file, place) = (String::new(), folder.display());
    for number in 0..employees {
        let surname = surname(number);
        write!(
            file,
            r#"[[employees]]
id = "e{number}"
username = "e{number}"
password = {{ file = "{place}/password" }}
first_names = "Employee"
surname = "{surname}"
date_of_birth = "1990-01-31"
email = "e{number}@anytown.example"

[[employees.records]]
id = "e{number}-programme"
credential_type = "TrainingProgramme"

[employees.records.claims]
"#
        )
        .unwrap();
        for (name, value) in claims(PROGRAMME) {
            writeln!(file, "{name} = \"{value}\"").unwrap();
        }
        file.push('\n');
    }
    file
}

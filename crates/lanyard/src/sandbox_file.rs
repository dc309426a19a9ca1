//! `sandbox.json`: what a running sandbox tells outside programs. Names and shapes are fixed.

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use connector::Dialect;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// The file's name in the sandbox's folder.
pub const FILE_NAME: &str = "sandbox.json";

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
pub struct SandboxFile {
    /// Where everything is.
    pub urls: Urls,
    /// Whom the gateway knows.
    pub relying_parties: Vec<RelyingParty>,
    /// The test employees.
    pub employees: Vec<Employee>,
    /// What can be issued and asked for.
    pub credential_types: Vec<CredentialType>,
    /// The connector as a process of its own, for an external system in any language.
    pub sidecar: SidecarPlace,
}

/// Where the sidecar is, and what its external system needs.
#[derive(Clone, Serialize, Deserialize)]
pub struct SidecarPlace {
    /// Its API.
    #[serde(serialize_with = "without_slash")]
    pub url: Url,
    /// The key to call it with: made for this sandbox, worth nothing elsewhere.
    pub api_key: String,
    /// Where the gateway sends the external system's browsers back to.
    pub redirect_uri: Url,
}

/// Addresses, without a closing slash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Urls {
    /// The credential gateway.
    #[serde(serialize_with = "without_slash")]
    pub gateway: Url,
    /// The staff portal.
    #[serde(serialize_with = "without_slash")]
    pub portal: Url,
    /// The test wallet.
    #[serde(serialize_with = "without_slash")]
    pub wallet: Url,
    /// The mail catcher.
    #[serde(serialize_with = "without_slash")]
    pub mail: Url,
}

/// A relying party with its secrets: made for this sandbox, worth nothing elsewhere.
#[derive(Clone, Serialize, Deserialize)]
pub struct RelyingParty {
    /// Its name.
    pub name: String,
    /// The contract that it speaks.
    pub dialect: Dialect,
    /// Its organisation.
    pub organisation_id: String,
    /// Its id.
    pub client_id: String,
    /// Its secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_secret: String,
    /// Its signing key, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signing_key: String,
    /// Its own key in PEM, in the place of both: for `private_key_jwt` and for drafts (ES256). Its ID tokens are signed
    /// with `EdDSA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// Where its browsers come back to.
    pub redirect_uris: Vec<String>,
}

/// A test employee as the employer's record has them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Employee {
    /// The staff record's id.
    pub id: String,
    /// The holder's id in the test wallet.
    pub holder: String,
    /// What this employee is a case of, e.g. `match` or `revoked-identity`.
    pub case: String,
    /// The name to log in with at the staff portal.
    pub username: String,
    /// The password to it.
    pub password: String,
    /// First names, as the record has them.
    pub first_names: String,
    /// Surname, as the record has it.
    pub surname: String,
    /// Date of birth, as the record has it: `YYYY-MM-DD`.
    pub date_of_birth: String,
    /// The staff passport's own identifier of this person.
    pub unique_identifier: String,
}

/// A type of credential.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialType {
    /// Its name, e.g. `TrainingProgramme`.
    pub name: String,
    /// The scope that asks for it when verifying.
    pub scope: String,
}

/// A program that joins `/path` to an address must not come out with two slashes.
fn without_slash<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str().trim_end_matches('/'))
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelyingParty")
            .field("name", &self.name)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SidecarPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SidecarPlace")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee")
            .field("id", &self.id)
            .field("case", &self.case)
            .finish_non_exhaustive()
    }
}

impl SandboxFile {
    /// Read the file of the sandbox whose folder this is.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = place(folder);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "no sandbox runs in {}: its {FILE_NAME} is not there",
                folder.display()
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is not as this version writes it", path.display()))
    }

    /// Write the file, complete or not at all, readable by its owner only. The last thing that a
    /// starting sandbox does.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let unfinished = folder.join(".sandbox.json.new");
        let write = || {
            let mut text = serde_json::to_vec_pretty(self)?;
            text.push(b'\n');
            let mut file = private(&unfinished)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&unfinished, place(folder))
        };
        write().with_context(|| format!("{FILE_NAME} cannot be written in {}", folder.display()))
    }

    /// Remove the file of an earlier start, if there is one. The first thing that a starting sandbox does.
    pub fn remove(folder: &Path) -> anyhow::Result<()> {
        match std::fs::remove_file(place(folder)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| {
                format!(
                    "the old {FILE_NAME} cannot be removed in {}",
                    folder.display()
                )
            }),
            _ => Ok(()),
        }
    }

    /// The first relying party that speaks this contract.
    pub fn relying_party(&self, dialect: Dialect) -> Option<&RelyingParty> {
        self.relying_parties
            .iter()
            .find(|party| party.dialect == dialect)
    }

    /// The first employee of this case.
    pub fn employee(&self, case: &str) -> Option<&Employee> {
        self.employees.iter().find(|employee| employee.case == case)
    }
}

fn place(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

fn private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file() -> serde_json::Value {
        json!({
            "urls": {
                "gateway": "http://localhost:8400", "portal": "http://localhost:8401",
                "wallet": "http://localhost:8402", "mail": "http://localhost:8403"
            },
            "relying_parties": [{
                "name": "Portal", "dialect": "v1-a", "organisation_id": "anytown", "client_id": "c-1",
                "client_secret": "s-3cret", "signing_key": "a2V5", "redirect_uris": ["http://localhost:8499/callback"]
            }],
            "employees": [{
                "id": "e1", "holder": "h1", "case": "match", "username": "amina", "password": "pa55",
                "first_names": "Amina", "surname": "Okafor", "date_of_birth": "1990-02-03",
                "unique_identifier": "7e1f4d3a-53c5-4a0e-9b4e-0d6f1c2a3b4c"
            }],
            "credential_types": [{"name": "Identity", "scope": "Identity"}],
            "sidecar": {
                "url": "http://localhost:8404", "api_key": "s1decar-key",
                "redirect_uri": "http://localhost:8405/callback"
            }
        })
    }

    #[test]
    fn the_file_has_the_fixed_names_and_comes_back_as_it_was_written() {
        let folder = std::env::temp_dir().join(format!("lanyard-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let read: SandboxFile = serde_json::from_value(file()).unwrap();
        assert_eq!(read.relying_party(Dialect::V1A).unwrap().client_id, "c-1");
        assert_eq!(read.employee("match").unwrap().holder, "h1");
        read.write(&folder).unwrap();
        let again = SandboxFile::read(&folder).unwrap();
        assert_eq!(serde_json::to_value(again).unwrap(), file());
        SandboxFile::remove(&folder).unwrap();
        SandboxFile::remove(&folder).unwrap();
        let said = format!("{:#}", SandboxFile::read(&folder).unwrap_err());
        assert!(said.starts_with("no sandbox runs"), "{said}");
        assert!(said.ends_with("is not there"), "{said}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn printing_the_file_shows_no_secret_and_no_person() {
        let read: SandboxFile = serde_json::from_value(file()).unwrap();
        let printed = format!("{read:?}");
        for text in ["s-3cret", "a2V5", "pa55", "Okafor", "1990", "s1decar-key"] {
            assert!(!printed.contains(text), "{text} in {printed}");
        }
    }
}

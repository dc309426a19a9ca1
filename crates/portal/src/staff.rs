//! Employees and their records, as a file or the sandbox hands them to the portal.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use connector::SecretSource;
use connector::desk::Language;
use jiff::civil::Date;
use serde::Deserialize;

use crate::config::{ConfigError, read_toml};

/// Everybody that the portal is to know.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// Each once.
    #[serde(default)]
    pub employees: Vec<StaffMember>,
}

/// One employee. Debug prints nothing personal.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffMember {
    /// The key, for ever: lower-case letters, digits and hyphens.
    pub id: String,
    /// What they log in with.
    pub username: String,
    /// What they prove it with. Kept as an argon2id hash. Whoever has none can log in at the provider only.
    #[serde(default)]
    pub password: Option<SecretSource>,
    /// All first names.
    pub first_names: String,
    /// Surname.
    pub surname: String,
    /// A name that they go by, if it is on record. It counts as a first name.
    #[serde(default)]
    pub known_as: Option<String>,
    /// Date of birth, if it is on record.
    #[serde(default)]
    pub date_of_birth: Option<Date>,
    /// Where to write to.
    #[serde(default)]
    pub email: Option<String>,
    /// The language in which they wish to be written and spoken to: `en` or `cy`.
    #[serde(default)]
    pub language: Option<Language>,
    /// Whether the staff passport applies to them. If not, nothing of it is there for them.
    #[serde(default = "yes")]
    pub applicable: bool,
    /// What else is known of them, for rules about `person.…`.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// What is known of them that can become a credential.
    #[serde(default)]
    pub records: Vec<StaffRecord>,
}

fn yes() -> bool {
    true
}

impl fmt::Debug for StaffMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaffMember")
            .field("id", &self.id)
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

/// One record of an employee. Debug prints no value.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffRecord {
    /// The key, for ever, among the records of all: lower-case letters, digits and hyphens.
    pub id: String,
    /// The type of the credential, e.g. `FireSafety`.
    pub credential_type: String,
    /// What pages call it, where the type's own name is not enough.
    #[serde(default)]
    pub label: Option<String>,
    /// What it says, by claim. What is missing of the type makes the record incomplete.
    pub claims: BTreeMap<String, String>,
}

impl fmt::Debug for StaffRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaffRecord")
            .field("id", &self.id)
            .field("credential_type", &self.credential_type)
            .finish_non_exhaustive()
    }
}

impl Staff {
    /// Reads and parses a file.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        read_toml(file)
    }
}

//! The sandbox's own secrets: made at first start, kept in `secrets.json`, refused by any real gateway.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use standards::jose::hmac_key::HmacKey;
use standards::oauth::pkce::CodeVerifier;

use super::own_key;
use super::parties::Party;

/// What a relying party is given at onboarding.
#[derive(Clone, Serialize, Deserialize)]
pub struct PartySecrets {
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
    /// Base64 of the key that signs drafts.
    pub signing_key: String,
    /// The key of its own, where it uses one in the place of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
}

/// Every secret of one sandbox.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    /// Encrypts personal values in the database.
    pub storage_secret: String,
    /// What employees log in to the staff portal with, by employee id.
    pub passwords: BTreeMap<String, String>,
    /// By the party's name.
    pub parties: BTreeMap<String, PartySecrets>,
    /// Who may call the sidecar.
    #[serde(default)]
    pub sidecar_key: String,
}

impl Secrets {
    /// Reads the secrets, or makes them. What a newer version needs besides is added.
    pub fn keep(file: &Path, parties: &[Party], employees: &[&str]) -> anyhow::Result<Self> {
        let mut secrets = match std::fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!("{} cannot be read; --fresh begins anew", file.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self {
                storage_secret: fresh()?,
                passwords: BTreeMap::new(),
                parties: BTreeMap::new(),
                sidecar_key: String::new(),
            },
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be opened", file.display()));
            }
        };
        if secrets.sidecar_key.is_empty() {
            secrets.sidecar_key = fresh()?;
        }
        for party in parties {
            if !secrets.parties.contains_key(party.name) {
                let own = PartySecrets {
                    client_id: uuid::Uuid::new_v4().to_string(),
                    client_secret: fresh()?,
                    signing_key: signing_key()?,
                    private_key: party.keyed.then(own_key::fresh).transpose()?,
                };
                secrets.parties.insert(party.name.to_owned(), own);
            }
        }
        for employee in employees {
            secrets
                .passwords
                .entry((*employee).to_owned())
                .or_insert_with(|| format!("{employee}-at-anytown"));
        }
        write_private(file, &serde_json::to_vec_pretty(&secrets)?)?;
        Ok(secrets)
    }
}

/// 256 random bits behind the mark that every sandbox secret bears.
fn fresh() -> anyhow::Result<String> {
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    Ok(format!(
        "{}{}",
        gateway::SANDBOX_SECRET_PREFIX,
        CodeVerifier::from_random(random).reveal()
    ))
}

/// 192 random bits behind the same mark: 32 bytes, which every client signs with HS256.
fn signing_key() -> anyhow::Result<String> {
    let mut key = [0; 32];
    let (mark, random) = key.split_at_mut(gateway::SANDBOX_SECRET_PREFIX.len());
    mark.copy_from_slice(gateway::SANDBOX_SECRET_PREFIX.as_bytes());
    aws_lc_rs::rand::fill(random)
        .map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    Ok(HmacKey::from_bytes(&key)?.to_base64().to_string())
}

/// Writes a file that only its owner reads, whole or not at all.
pub fn write_private(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", file.display());
    let beside = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&beside).with_context(cannot)?;
    open.write_all(content).with_context(cannot)?;
    open.sync_all().with_context(cannot)?;
    std::fs::rename(&beside, file).with_context(cannot)
}

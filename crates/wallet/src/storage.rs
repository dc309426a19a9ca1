//! The holders on disk: one JSON file each, replaced atomically, keys included, readable by the owner only.
//!
//! One process at a time: the folder carries a lock file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// Stands first in every file, so that nobody takes it for a safe place.
const WARNING: &str =
    "Test wallet, not for real people: this file holds private keys in the clear.";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process has the folder open.
    #[error("another process is using the wallet in {0}")]
    InUse(PathBuf),
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A holder's file is not what this program writes.
    #[error("{path} is not a holder of a test wallet: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: serde_json::Error,
    },
    /// A holder's id is a file name: letters, digits, `-` and `_`.
    #[error("{0:?} cannot be a holder's id: use 1 to 64 letters, digits, - and _")]
    BadId(String),
}

/// One holder with everything the wallet knows of them.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct HolderRecord {
    warning: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) credentials: Vec<HeldCredential>,
    /// The `vp_token` last sent to a verifier, for the fault `replay`.
    #[serde(default)]
    pub(crate) last_vp_token: Option<Map<String, Value>>,
}

impl HolderRecord {
    pub(crate) fn new(id: &str, name: &str) -> Self {
        Self {
            warning: WARNING.to_owned(),
            id: id.to_owned(),
            name: name.to_owned(),
            credentials: Vec::new(),
            last_vp_token: None,
        }
    }
}

/// A credential as it was received, with the key that it is bound to.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct HeldCredential {
    pub(crate) id: String,
    pub(crate) format: String,
    pub(crate) credential: String,
    /// PKCS #8, base64url. Every credential has a key of its own, so that verifiers cannot link them.
    pub(crate) key: String,
    pub(crate) issuer_name: Option<String>,
    /// The issuer's words for the claims, by their names.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) received_at: Timestamp,
    pub(crate) notification: Option<Notification>,
}

/// What it takes to tell the issuer later that the credential was deleted ([VCI 11]).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Notification {
    pub(crate) endpoint: Url,
    pub(crate) id: String,
    pub(crate) access_token: String,
    pub(crate) token_expires_at: Timestamp,
}

/// The folder, locked.
pub(crate) struct Storage {
    dir: PathBuf,
    _lock: File,
}

impl Storage {
    /// Takes the folder, makes it if need be, and reads every holder in it.
    pub(crate) fn open(dir: &Path) -> Result<(Self, BTreeMap<String, HolderRecord>), StorageError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| StorageError::Io { path, source }
        };
        fs::create_dir_all(dir).map_err(at(dir))?;
        owner_only(dir, 0o700).map_err(at(dir))?;
        let lock_path = dir.join("wallet.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StorageError::InUse(dir.to_owned())),
            Err(fs::TryLockError::Error(source)) => return Err(at(&lock_path)(source)),
        }
        let mut holders = BTreeMap::new();
        for entry in fs::read_dir(dir).map_err(at(dir))? {
            let path = entry.map_err(at(dir))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = fs::read(&path).map_err(at(&path))?;
            let record: HolderRecord = serde_json::from_slice(&bytes)
                .map_err(|source| StorageError::Unreadable { path, source })?;
            holders.insert(record.id.clone(), record);
        }
        Ok((
            Self {
                dir: dir.to_owned(),
                _lock: lock,
            },
            holders,
        ))
    }

    /// Writes a holder's file beside the old one, forces it to disk, and puts it in the old one's place.
    pub(crate) fn save(&self, record: &HolderRecord) -> Result<(), StorageError> {
        check_id(&record.id)?;
        let path = self.dir.join(format!("{}.json", record.id));
        let temporary = self.dir.join(format!("{}.json.new", record.id));
        self.replace(&path, &temporary, record)
            .map_err(|source| StorageError::Io { path, source })
    }

    fn replace(&self, path: &Path, temporary: &Path, record: &HolderRecord) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(record)?;
        let mut file = File::create(temporary)?;
        owner_only(temporary, 0o600)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(temporary, path)?;
        // The rename itself lives in the folder.
        File::open(&self.dir)?.sync_all()
    }
}

/// A holder's id becomes a file name and a path segment.
pub(crate) fn check_id(id: &str) -> Result<(), StorageError> {
    let fine = (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fine {
        Ok(())
    } else {
        Err(StorageError::BadId(id.to_owned()))
    }
}

#[cfg(unix)]
fn owner_only(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn owner_only(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("lanyard-wallet-{}", uuid::Uuid::new_v4()))
    }

    #[test]
    fn a_saved_holder_is_there_when_the_folder_is_opened_again() {
        let dir = folder();
        {
            let (storage, holders) = Storage::open(&dir).unwrap();
            assert!(holders.is_empty());
            storage
                .save(&HolderRecord::new("amira", "Amira Nasser"))
                .unwrap();
            storage
                .save(&HolderRecord::new("amira", "Amira Nasser-Jones"))
                .unwrap();
        }
        let (_storage, holders) = Storage::open(&dir).unwrap();
        assert_eq!(holders["amira"].name, "Amira Nasser-Jones");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_second_process_is_told_that_the_folder_is_in_use() {
        let dir = folder();
        let first = Storage::open(&dir).unwrap();
        assert!(matches!(Storage::open(&dir), Err(StorageError::InUse(_))));
        drop(first);
        assert!(Storage::open(&dir).is_ok());
        fs::remove_dir_all(dir).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn files_with_keys_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = folder();
        let (storage, _) = Storage::open(&dir).unwrap();
        storage.save(&HolderRecord::new("amira", "Amira")).unwrap();
        let mode = fs::metadata(dir.join("amira.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn an_id_that_could_leave_the_folder_is_refused() {
        for bad in ["", "../x", "a/b", "a.b", "é", &"x".repeat(65)] {
            assert!(check_id(bad).is_err(), "{bad}");
        }
    }
}

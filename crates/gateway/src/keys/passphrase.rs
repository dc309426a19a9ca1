//! A change of the passphrase: every key file that an earlier one closed is closed with the one in use, beside gateways that run.
//!
//! Each file changes at once, so a crash leaves each under the one or the other, and both open it as long as both are named. Begun
//! again it finds less to do.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{KeyError, KeyStore, file};

/// Walks through the folder until one finds nothing to do: a gateway that was not started anew yet may make a key meanwhile.
const MOST_WALKS: usize = 10;
/// A draft is written within a moment. One that is older was left by a crash; it may be closed with an earlier passphrase.
const LEFT_BEHIND: Duration = Duration::from_hours(1);

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Key files that are there.
    pub files: u64,
    /// Those that an earlier passphrase had closed, and the one in use closes now.
    pub rewritten: u64,
    /// What crashes had left half made, and is deleted.
    pub drafts: u64,
    /// Files named like keys that are no encrypted keys. They stay as they are.
    pub others: Vec<PathBuf>,
}

/// Why the passphrase was not changed, each with its stable code.
#[derive(Debug, thiserror::Error)]
pub enum Unchanged {
    /// None of the passphrases opens it. Nothing was changed.
    #[error(
        "key-passphrase-wrong: {} opens neither with key_passphrase nor with one of earlier_key_passphrases, and nothing was \
         changed: name the passphrase that closed it in earlier_key_passphrases, or take the file out of the folder, and run \
         this again",
        .0.display()
    )]
    Wrong(PathBuf),
    /// A file cannot be read or written. What was closed anew stays so.
    #[error("key-file-unusable: {0}; what was closed anew stays so, and the same command goes on")]
    File(KeyError),
    /// Somebody closes keys with an earlier passphrase all the while.
    #[error(
        "key-passphrase-still-used: a process goes on making keys with an earlier passphrase: start it anew with key_passphrase \
         as it is here, and run this again"
    )]
    Unsettled,
}

impl From<KeyError> for Unchanged {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Passphrase(path) | KeyError::SandboxKey(path) => Self::Wrong(path),
            error => Self::File(error),
        }
    }
}

impl KeyStore {
    /// Closes each key file with the passphrase in use that one of the earlier ones closed. What lies in a token has no part in
    /// it. It writes and waits for the disk: not on a thread that serves others. How many files it wrote is counted in `rewritten`
    /// as it goes: what was closed anew stays so, also where it fails further on.
    ///
    /// # Errors
    ///
    /// Nothing is changed where one file opens with none of the passphrases: all are opened before the first is written.
    pub fn change_passphrase(
        &self,
        now: SystemTime,
        rewritten: &mut u64,
    ) -> Result<Changed, Unchanged> {
        self.walk(None)?;
        for _ in 0..MOST_WALKS {
            let (mut changed, early) = self.walk(Some(&mut *rewritten))?;
            // Not by what was written: a file that another process changed in that moment was not.
            if early == 0 {
                changed.rewritten = *rewritten;
                changed.drafts = file::remove_drafts(&self.folder, now, LEFT_BEHIND)?;
                return Ok(changed);
            }
        }
        Err(Unchanged::Unsettled)
    }

    /// Opens each file once, and writes those that an earlier passphrase closed, if it is to count what it writes. Tells how many
    /// it found so, too.
    fn walk(&self, mut rewritten: Option<&mut u64>) -> Result<(Changed, u64), KeyError> {
        let (mut changed, mut early) = (Changed::default(), 0);
        for path in file::paths(&self.folder)? {
            let text = match file::read(&path) {
                // Removed since the folder was read.
                Err(KeyError::Missing(_)) => continue,
                read => read?,
            };
            let opened = match self.opened(&path, &text) {
                Err(KeyError::Format(path)) => {
                    changed.others.push(path);
                    continue;
                }
                opened => opened?,
            };
            changed.files += 1;
            if !opened.early {
                continue;
            }
            early += 1;
            let Some(rewritten) = rewritten.as_deref_mut() else {
                continue;
            };
            let anew = self.closed(&opened.key)?;
            let again = self.opened(&path, &anew)?;
            if again.early || again.key != opened.key {
                return Err(KeyError::Unmade("closed anew it is another".to_owned()));
            }
            if file::replace(&path, &text, anew.as_bytes())? {
                *rewritten += 1;
            }
        }
        Ok((changed, early))
    }
}

//! The messages on disk: one `.eml` file each, named in the order of their arrival.
//!
//! One process at a time: the folder carries a lock file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::kept::Kept;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the folder open.
    #[error("another process is catching mail in {0}")]
    InUse(PathBuf),
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what this program writes.
    #[error("{0} is not a message of a mail catcher; move it out of the folder")]
    Foreign(PathBuf),
}

/// The folder, locked.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder, makes it if need be, and reads every message in it.
    pub(crate) fn open(path: &Path) -> Result<(Self, BTreeMap<u64, Arc<Kept>>), OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        fs::create_dir_all(path).map_err(at(path))?;
        owner_only(path).map_err(at(path))?;
        let lock_path = path.join("mail.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(source)) => return Err(at(&lock_path)(source)),
        }
        let mut messages = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(at(path))? {
            let file = entry.map_err(at(path))?.path();
            match file.extension().and_then(|extension| extension.to_str()) {
                // Nobody was told that it had arrived.
                Some("part") => fs::remove_file(&file).map_err(at(&file))?,
                Some("eml") => {
                    let foreign = || OpenError::Foreign(file.clone());
                    let number = number(&file).ok_or_else(foreign)?;
                    let kept = Kept::parse(fs::read(&file).map_err(at(&file))?);
                    messages.insert(number, Arc::new(kept.ok_or_else(foreign)?));
                }
                _ => {}
            }
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        Ok((folder, messages))
    }

    /// Returns once the message outlives the machine's power.
    pub(crate) fn insert(&self, number: u64, message: &Kept) -> io::Result<()> {
        let part = self.path.join(format!("{}.part", id(number)));
        let written = write(&part, message.file()).and_then(|()| {
            fs::rename(&part, self.file(number))?;
            self.sync()
        });
        if written.is_err() {
            // Neither whole nor acknowledged: it must not come back when the folder is opened again.
            let _ = fs::remove_file(&part);
            let _ = fs::remove_file(self.file(number));
        }
        written
    }

    pub(crate) fn delete(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.file(number))
    }

    /// The names in the folder outlive the machine's power, too.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn file(&self, number: u64) -> PathBuf {
        self.path.join(format!("{}.eml", id(number)))
    }
}

/// How a message is called, in its address and as a file.
pub(crate) fn id(number: u64) -> String {
    format!("{number:08}")
}

fn number(file: &Path) -> Option<u64> {
    let stem = file.file_stem()?.to_str()?;
    let number = stem.parse().ok()?;
    (id(number) == stem).then_some(number)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(unix)]
fn owner_only(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn owner_only(_: &Path) -> io::Result<()> {
    Ok(())
}

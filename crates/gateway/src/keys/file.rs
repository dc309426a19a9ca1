//! Key files: for their owner only, never half written, never overwritten.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use zeroize::Zeroizing;

use super::KeyError;

pub(super) const EXTENSION: &str = "pem";
/// An encrypted RSA key of 4096 bits has some 3.5 kB.
const LARGEST: u64 = 64 * 1024;

/// Makes the folder, for its owner only.
pub(super) fn create_folder(folder: &Path) -> Result<(), KeyError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(fault(folder))
}

/// Reads a file that nobody else can.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let file = fs::File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => KeyError::Missing(path.to_owned()),
        _ => fault(path)(source),
    })?;
    check_mode(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST)
        .read_to_string(&mut text)
        .map_err(|source| match source.kind() {
            ErrorKind::InvalidData => KeyError::Format(path.to_owned()),
            _ => fault(path)(source),
        })?;
    Ok(text)
}

/// Of the file that is open, not of the name: the name may lead elsewhere a moment later.
#[cfg(unix)]
fn check_mode(path: &Path, file: &fs::File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(fault(path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Mode {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::File) -> Result<(), KeyError> {
    Ok(())
}

/// Writes a new file whole; `false` if there is one already, which then stays as it is.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<bool, KeyError> {
    let draft = draft_beside(path);
    let result = write_draft(&draft, bytes).and_then(|()| publish(&draft, path));
    let _ = fs::remove_file(&draft);
    result.map_err(fault(path))
}

fn draft_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", Uuid::new_v4().simple()));
    name.into()
}

fn write_draft(draft: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A second name for the finished file, which fails where that name is taken.
fn publish(draft: &Path, path: &Path) -> std::io::Result<bool> {
    match fs::hard_link(draft, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        // Some network file systems know no second names.
        Err(_) if !path.exists() => fs::rename(draft, path)?,
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        // The name is on disk when its folder is.
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(true)
}

/// Deletes a file. What a disk keeps of a deleted file is encrypted.
pub(super) fn remove(path: &Path) -> Result<(), KeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.map_err(fault(path)),
    }
}

/// The key files of a folder, without their extension.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, KeyError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault(folder))? {
        let path = entry.map_err(fault(folder))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == EXTENSION)
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn fault(path: &Path) -> impl Fn(std::io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::File {
        path: path.clone(),
        source,
    }
}

//! Key files: for their owner only, never half written. A key is never overwritten; the same key closed anew takes the place of
//! its file whole.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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

/// Writes a new file whole, for whoever has the folder's keys; `false` if there is one already, which then stays as it is.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<bool, KeyError> {
    create_for(path, bytes, change_owner)
}

/// The same, where that changes the owner of a file.
pub(super) fn create_for(
    path: &Path,
    bytes: &[u8],
    change_owner: impl Fn(&Path, Owner) -> std::io::Result<()>,
) -> Result<bool, KeyError> {
    let draft = draft_beside(path);
    let result = write_draft(&draft, bytes)
        .map_err(fault(path))
        .and_then(|()| give_to_the_service(path, &draft, change_owner))
        .and_then(|()| publish(&draft, path).map_err(fault(path)));
    let _ = fs::remove_file(&draft);
    result
}

/// A user and a group, by their numbers.
pub(super) type Owner = (u32, u32);

/// Who makes a key may be another user than the gateway, which must be able to read it. The gateway's user has the folder; where
/// none of the keys in it is that user's, it is whoever has these: the folder may be a volume that the system made.
///
/// Where the file cannot be given away it stays with its maker only if there is no key yet, so that no gateway is left without.
fn give_to_the_service(
    path: &Path,
    draft: &Path,
    change_owner: impl Fn(&Path, Owner) -> std::io::Result<()>,
) -> Result<(), KeyError> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let keys = paths(folder)?;
    let mut owners = Vec::new();
    for key in &keys {
        match owner(key) {
            Ok(found) => owners.extend(found),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(fault(key)(error)),
        }
    }
    let of_folder = owner(folder).map_err(fault(folder))?;
    let owns = |(user, _): &Owner| owners.iter().any(|(other, _)| other == user);
    let service = match of_folder {
        Some(of_folder) if owns(&of_folder) || owners.is_empty() => Some(of_folder),
        _ => owners.first().copied(),
    };
    let own = owner(draft).map_err(fault(draft))?;
    let (Some(service), Some(own)) = (service, own) else {
        return Ok(());
    };
    if service.0 == own.0 || change_owner(draft, service).is_ok() || owners.is_empty() {
        return Ok(());
    }
    Err(KeyError::Owner(folder.to_owned()))
}

#[cfg(unix)]
pub(super) fn owner(path: &Path) -> std::io::Result<Option<Owner>> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path)?;
    Ok(Some((found.uid(), found.gid())))
}

#[cfg(unix)]
pub(super) fn change_owner(path: &Path, (user, group): Owner) -> std::io::Result<()> {
    std::os::unix::fs::chown(path, Some(user), Some(group))
}

#[cfg(not(unix))]
fn owner(_: &Path) -> std::io::Result<Option<Owner>> {
    Ok(None)
}

#[cfg(not(unix))]
fn change_owner(_: &Path, _: Owner) -> std::io::Result<()> {
    Ok(())
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
    sync_folder(path)?;
    Ok(true)
}

/// The name is on disk when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Deletes a file. What a disk keeps of a deleted file is encrypted.
pub(super) fn remove(path: &Path) -> Result<(), KeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.map_err(fault(path)),
    }
}

/// Puts another text into the place of a file at once: whoever reads it sees the one or the other. `false`, and nothing is done,
/// where the file is not as it was read any more: somebody may have destroyed the key meanwhile.
pub(super) fn replace(path: &Path, from: &str, to: &[u8]) -> Result<bool, KeyError> {
    // What a link leads to is what must not stay as it is.
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        found => found.map_err(fault(path))?,
    };
    let draft = draft_beside(&path);
    let result = write_draft(&draft, to)
        .and_then(|()| give_to_the_owner(&path, &draft))
        .map_err(fault(&path))
        .and_then(|()| match read(&path) {
            Ok(text) if *text == from => {
                #[cfg(debug_assertions)]
                let step = store::point::before("RENAME key file");
                fs::rename(&draft, &path)
                    .and_then(|()| sync_folder(&path))
                    .map_err(fault(&path))?;
                #[cfg(debug_assertions)]
                step.after();
                Ok(true)
            }
            Ok(_) | Err(KeyError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        });
    let _ = fs::remove_file(&draft);
    result
}

/// The operator may be another user than the gateway, which must be able to read it as before.
fn give_to_the_owner(path: &Path, draft: &Path) -> std::io::Result<()> {
    match (owner(path)?, owner(draft)?) {
        (Some(before), now) if now != Some(before) => change_owner(draft, before)?,
        _ => {}
    }
    fs::set_permissions(draft, fs::metadata(path)?.permissions())
}

/// Deletes drafts that a crash left behind, which nobody has touched for so long; tells how many.
pub(super) fn remove_drafts(
    folder: &Path,
    now: SystemTime,
    older: Duration,
) -> Result<u64, KeyError> {
    let mut removed = 0;
    for path in all(folder)? {
        let changed = fs::metadata(&path).and_then(|found| found.modified());
        let age = changed.ok().and_then(|at| now.duration_since(at).ok());
        if is_draft(&path) && age.is_some_and(|age| age > older) {
            remove(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// What [`draft_beside`] names.
fn is_draft(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let of_a_key = path.file_stem().is_some_and(|stem| is_key(Path::new(stem)));
    of_a_key && extension.is_some_and(|name| Uuid::try_parse(name).is_ok())
}

fn is_key(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == EXTENSION)
}

/// Everything in the folder, in order.
fn all(folder: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let entries = fs::read_dir(folder).map_err(fault(folder))?;
    let paths = entries.map(|entry| Ok(entry.map_err(fault(folder))?.path()));
    let mut paths = paths.collect::<Result<Vec<_>, KeyError>>()?;
    paths.sort();
    Ok(paths)
}

/// The key files of a folder.
pub(super) fn paths(folder: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let mut paths = all(folder)?;
    paths.retain(|path| is_key(path));
    Ok(paths)
}

/// The key files of a folder, without their extension.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, KeyError> {
    let paths = paths(folder)?;
    let stems = paths.iter().filter_map(|path| path.file_stem()?.to_str());
    let mut names: Vec<String> = stems.map(str::to_owned).collect();
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

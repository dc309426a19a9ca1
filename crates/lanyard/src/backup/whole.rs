//! A file that has its name when it is whole, and not before.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::BackupError;

/// A file that is being written beside its place, for its owner only. What was written goes with it if it never is whole; a
/// process that is killed leaves it lying, as `NAME.draft-…`.
pub(crate) struct WholeFile {
    place: PathBuf,
    draft: PathBuf,
    to: BufWriter<File>,
    is_whole: bool,
}

impl WholeFile {
    /// One of that name, which nothing may have.
    pub(crate) fn begin(place: &Path) -> Result<Self, BackupError> {
        must_be_free(place)?;
        let draft = beside(place, "draft");
        let file = create_private(&draft)?;
        Ok(Self {
            place: place.to_owned(),
            draft,
            to: BufWriter::with_capacity(256 * 1024, file),
            is_whole: false,
        })
    }

    /// Gives it its name: it is whole, and there after a power cut, too.
    pub(crate) fn finish(mut self) -> Result<(), BackupError> {
        self.to.flush()?;
        self.to.get_ref().sync_all()?;
        // It took its time, in which somebody else may have made one.
        must_be_free(&self.place)?;
        std::fs::rename(&self.draft, &self.place)?;
        self.is_whole = true;
        sync_folder(&self.place)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = std::fs::remove_file(&self.draft);
        }
    }
}

pub(super) fn must_be_free(place: &Path) -> Result<(), BackupError> {
    // A link that leads nowhere is something, too.
    match std::fs::symlink_metadata(place) {
        Ok(_) => Err(BackupError::Exists(place.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BackupError::File(place.to_owned(), error)),
    }
}

/// A name beside that one that nobody else has.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}-{}", uuid::Uuid::new_v4()));
    name.into()
}

pub(super) fn create_private(path: &Path) -> Result<File, BackupError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let created = options.open(path);
    created.map_err(|error| BackupError::File(path.to_owned(), error))
}

/// A new name is there after a power cut, too.
pub(super) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = File::open(parent.unwrap_or(Path::new(".")))?;
    Ok(folder.sync_all()?)
}

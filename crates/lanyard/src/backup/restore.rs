//! Restoring a backup: into a folder and a database that were not there, or were empty.

use std::io::{BufReader, Read as _};
use std::path::{Component, Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use gateway::restored::{self, Backup};
use jiff::Timestamp;
use store::copy::{self, CopyError, Held, Record};
use toml::Table;

use super::age::{self, Opener};
use super::content::{self, Kind, Manifest, Name, Part};
use super::{BackupError, CONFIG, places, whole};

/// Parts that wait for the database; they bound the memory of a restore.
const LOTS: usize = 4;
const ROWS: usize = 256;

/// Where a backup is restored to.
pub(super) struct Target {
    /// The folder that is made; its name appears when all is in it.
    pub(super) folder: PathBuf,
    /// The address of the database; `None` for a file in the folder.
    pub(super) database: Option<String>,
    /// Who restores, as the audit says it, and when.
    pub(super) account: String,
    pub(super) now: Timestamp,
}

/// What was restored.
pub(super) struct Restored {
    pub(super) manifest: Manifest,
    pub(super) held: Vec<Held>,
    pub(super) files: usize,
    /// The configuration, adapted.
    pub(super) config: PathBuf,
    /// The file's SHA-256, as the audit has it.
    pub(super) digest: [u8; 32],
    /// The address of the database, with what it was said to hold.
    pub(super) database: String,
}

impl Restored {
    /// One line about what was in it.
    pub(super) fn told(&self) -> String {
        let manifest = &self.manifest;
        format!(
            "{} files; taken of {} at {} by version {}",
            self.files, manifest.public_url, manifest.begun_at, manifest.program
        )
    }
}

/// Restores all of it or nothing. The file is read twice: whole, to see that it is, and then to take it in.
pub(super) async fn restore(
    file: &Path,
    opener: Opener,
    target: Target,
) -> Result<Restored, BackupError> {
    whole::must_be_free(&target.folder)?;
    let folder = std::path::absolute(&target.folder)?;
    let draft = whole::beside(&folder, "restoring");
    let restored = restore_into(&draft, &folder, file, opener, &target).await;
    let renamed = restored.and_then(|restored| {
        std::fs::rename(&draft, &folder)?;
        whole::sync_folder(&folder)?;
        Ok(restored)
    });
    if renamed.is_err() {
        let _ = std::fs::remove_dir_all(&draft);
    }
    renamed
}

async fn restore_into(
    draft: &Path,
    folder: &Path,
    file: &Path,
    opener: Opener,
    target: &Target,
) -> Result<Restored, BackupError> {
    let (file, place) = (file.to_owned(), draft.to_owned());
    let checked = tokio::task::spawn_blocking(move || {
        let (manifest, _) = follow(&file, &opener, |_| Ok(()))?;
        let digest = digest_of(&file)?;
        super::create_folder(&place)?;
        Ok((file, opener, manifest, digest))
    });
    let checked = checked.await.unwrap_or(Err(BackupError::Unreadable))?;
    let (file, opener, manifest, digest) = checked;
    let taken_at = manifest.begun_at.parse();
    let taken_at = taken_at.map_err(|_| BackupError::Unreadable)?;
    let then = restored::statements(&Backup { taken_at, digest }, &target.account, target.now);
    let at_rest = format!("sqlite:{}", folder.join("gateway.db").display());
    // Where it is written, where it is then, and how the configuration says that.
    let (address, at_rest, written) = if let Some(written) = &target.database {
        let address = super::resolved(written)?;
        (address.clone(), address, written.clone())
    } else {
        let draft = format!("sqlite:{}", draft.join("gateway.db").display());
        (draft, at_rest.clone(), at_rest)
    };
    let database = super::database(&address)?;
    let (sender, records) = tokio::sync::mpsc::channel(LOTS);
    let (draft, folder) = (draft.to_owned(), folder.to_owned());
    let reading = tokio::task::spawn_blocking(move || {
        let (mut lot, mut files) = (Vec::new(), Files::new(&draft, &folder));
        let send = |lot: Vec<Record>| {
            let sent = sender.blocking_send(Ok(lot));
            // Whoever does not listen has said why.
            sent.map_err(|_| BackupError::Copy(CopyError::Incomplete))
        };
        let taken = follow(&file, &opener, |part| {
            match part {
                // The last record is handed over below.
                Part::Record(Record::End) | Part::Manifest(_) | Part::End => {}
                Part::Record(record) => {
                    lot.push(record);
                    if lot.len() >= ROWS {
                        send(std::mem::take(&mut lot))?;
                    }
                }
                Part::File(name, content) => files.write(&name, &content)?,
            }
            Ok(())
        })?;
        let config = files.finish(&written)?;
        // It took its time, in which somebody else may have made one.
        whole::must_be_free(&folder)?;
        // Whoever has the last record commits: by now nothing but that can fail.
        lot.push(Record::End);
        send(lot)?;
        Ok((taken, config))
    });
    let loaded = copy::restore(&database, &super::PARTIES, records, then).await;
    let read = reading.await.unwrap_or(Err(BackupError::Unreadable));
    let (held, ((manifest, files), config)) = match (loaded, read) {
        (Ok(held), Ok(read)) => (held, read),
        // The database says only that nothing more came; the reader knows why.
        (Err(CopyError::Incomplete) | Ok(_), Err(error)) => return Err(error),
        (Err(error), _) => return Err(BackupError::Copy(error)),
    };
    Ok(Restored {
        manifest,
        held,
        files,
        config,
        digest,
        database: at_rest,
    })
}

/// SHA-256 of a file, as the audit has it.
pub(super) fn digest_of(file: &Path) -> Result<[u8; 32], BackupError> {
    let opened = std::fs::File::open(file);
    let mut from = opened.map_err(|error| BackupError::File(file.to_owned(), error))?;
    let (mut context, mut lot) = (Context::new(&SHA256), vec![0; 64 * 1024]);
    loop {
        match from.read(&mut lot)? {
            0 => break,
            length => context.update(&lot[..length]),
        }
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// Every part in order, to the end, which must be there. Tells what the backup is and how many files are in it.
fn follow(
    file: &Path,
    opener: &Opener,
    mut each: impl FnMut(Part) -> Result<(), BackupError>,
) -> Result<(Manifest, usize), BackupError> {
    let opened = std::fs::File::open(file);
    let opened = opened.map_err(|error| BackupError::File(file.to_owned(), error))?;
    let mut from = BufReader::new(age::open(opened, opener)?);
    content::begun(&mut from)?;
    let Part::Manifest(manifest) = content::next(&mut from)? else {
        return Err(BackupError::Unreadable);
    };
    let (mut files, mut last) = (0, None);
    loop {
        let part = content::next(&mut from)?;
        match &part {
            Part::End if last == Some(Record::End) => return Ok((manifest, files)),
            Part::End | Part::Manifest(_) => return Err(BackupError::Unreadable),
            Part::Record(Record::End) => last = Some(Record::End),
            Part::Record(_) => {}
            Part::File(..) => files += 1,
        }
        each(part)?;
    }
}

/// The files of a backup, and the configuration that says where they are now.
struct Files<'a> {
    draft: &'a Path,
    folder: &'a Path,
    config: Option<Table>,
    /// Secrets and other files, until the configuration is there.
    moved: Vec<(Name, PathBuf)>,
}

impl<'a> Files<'a> {
    fn new(draft: &'a Path, folder: &'a Path) -> Self {
        Self {
            draft,
            folder,
            config: None,
            moved: Vec::new(),
        }
    }

    fn write(&mut self, name: &Name, content: &[u8]) -> Result<(), BackupError> {
        let inside = match name.kind {
            Kind::Config => {
                let text = std::str::from_utf8(content).map_err(|_| BackupError::Unreadable)?;
                self.config = Some(text.parse().map_err(|_| BackupError::Unreadable)?);
                PathBuf::from(format!("{CONFIG}.original"))
            }
            Kind::Key => Path::new("keys").join(&name.name),
            Kind::CredentialType => Path::new("credential-types").join(&name.name),
            Kind::Named => PathBuf::from(name.name.replace('_', "-")),
            Kind::Secret => Path::new("secrets").join(&name.name),
        };
        // The file is sealed, and still no name in it leads out of the folder.
        if !inside
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(BackupError::Unreadable);
        }
        let path = self.draft.join(&inside);
        if let Some(parent) = path.parent() {
            super::create_folder(parent)?;
        }
        super::write_private(&path, content)?;
        if matches!(name.kind, Kind::Named | Kind::Secret) {
            self.moved.push((name.clone(), self.folder.join(inside)));
        }
        Ok(())
    }

    /// Writes the configuration with the places of today.
    fn finish(self, database: &str) -> Result<PathBuf, BackupError> {
        let mut config = self.config.ok_or(BackupError::Unreadable)?;
        let now = |name: &str| self.folder.join(name).display().to_string();
        places::set(&mut config, "database", database);
        places::set(&mut config, "keys", &now("keys"));
        if places::folder(&config, "credential_types").is_some() {
            places::set(&mut config, "credential_types", &now("credential-types"));
        }
        for (name, path) in &self.moved {
            places::set_file(&mut config, &name.name, path)?;
        }
        let text = toml::to_string(&config).map_err(|_| BackupError::Unreadable)?;
        super::write_private(&self.draft.join(CONFIG), text.as_bytes())?;
        Ok(self.folder.join(CONFIG))
    }
}

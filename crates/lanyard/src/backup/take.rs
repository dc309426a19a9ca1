//! Taking a backup, while the gateway runs.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use gateway::Config;
use jiff::Timestamp;
use store::DatabaseUrl;
use store::copy::{self, Held, Others, Record};
use toml::Table;

use super::age::{self, Sealer};
use super::content::{self, Kind, Manifest, Name};
use super::{BackupError, places, random, read};

/// What is to be backed up.
pub(super) struct Source {
    config: Config,
    text: String,
    table: Table,
    database: DatabaseUrl,
}

impl Source {
    /// What that configuration names.
    pub(super) fn open(file: &Path) -> Result<Self, BackupError> {
        let config = Config::read(file).map_err(|error| BackupError::Config(error.to_string()))?;
        let text = std::fs::read_to_string(file)?;
        let table = text.parse().map_err(|_| BackupError::Unreadable)?;
        let address = config.database_address();
        let address = address.map_err(|error| BackupError::Config(error.to_string()))?;
        let database = super::database(&address)?;
        Ok(Self {
            config,
            text,
            table,
            database,
        })
    }

    /// The configuration that names it.
    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// Writes the backup to a file beside `out`, which takes its name when it is whole.
    pub(super) async fn back_up(
        self,
        out: &Path,
        sealer: Sealer,
        with_secrets: bool,
        now: Timestamp,
    ) -> Result<Vec<Held>, BackupError> {
        if out.exists() {
            return Err(BackupError::Exists(out.to_owned()));
        }
        let draft = super::beside(out, "draft");
        // Of one moment, which is now; before the keys are read, so that none is missing which a row names.
        let records = copy::dump(&self.database, Others::Allowed);
        let manifest = Manifest {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            begun_at: now.to_string(),
            public_url: self.config.public_url.to_string(),
            with_secrets,
        };
        let (target, name) = (draft.clone(), out.to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let held = self.write(&target, &sealer, &manifest, records)?;
            std::fs::rename(&target, &name)?;
            super::sync_folder(&name)?;
            Ok(held)
        });
        let written = written.await.unwrap_or(Err(BackupError::Unreadable));
        if written.is_err() {
            let _ = std::fs::remove_file(draft);
        }
        written
    }

    fn write(
        &self,
        file: &Path,
        sealer: &Sealer,
        manifest: &Manifest,
        mut records: copy::Records,
    ) -> Result<Vec<Held>, BackupError> {
        let file = super::create_private(file)?;
        let to = std::io::BufWriter::with_capacity(256 * 1024, file);
        let mut to = age::seal(to, sealer, &mut random)?;
        content::begin(&mut to, manifest)?;
        let (mut held, mut table, mut is_whole) = (Vec::new(), String::new(), false);
        while let Some(lot) = records.blocking_recv() {
            for record in lot.map_err(BackupError::Copy)? {
                content::write_record(&mut to, &record)?;
                match record {
                    Record::Table(begun) => table = begun.name,
                    Record::EndOfTable(sum) => held.push(Held {
                        table: std::mem::take(&mut table),
                        sum,
                    }),
                    Record::End => is_whole = true,
                    Record::Histories(_) | Record::Row(_) => {}
                }
            }
        }
        if !is_whole {
            return Err(BackupError::Copy(copy::CopyError::Incomplete));
        }
        self.write_files(&mut to, manifest.with_secrets)?;
        content::end(&mut to)?;
        to.fill();
        let file = to
            .finish()?
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        File::sync_all(&file)?;
        Ok(held)
    }

    fn write_files(&self, to: &mut impl Write, with_secrets: bool) -> Result<(), BackupError> {
        let config = Name {
            kind: Kind::Config,
            name: super::CONFIG.to_owned(),
        };
        content::write_file(to, &config, self.text.as_bytes())?;
        write_folder(to, Kind::Key, &self.config.keys)?;
        if let Some(folder) = &self.config.credential_types {
            write_folder(to, Kind::CredentialType, folder)?;
        }
        for (key, path) in places::named(&self.table) {
            let name = Name {
                kind: Kind::Named,
                name: key.to_owned(),
            };
            content::write_file(to, &name, &read(&path)?)?;
        }
        if with_secrets {
            for (name, place) in places::secrets(&self.table) {
                let secret = place.read()?;
                content::write_file(
                    to,
                    &Name {
                        kind: Kind::Secret,
                        name,
                    },
                    &secret,
                )?;
            }
        }
        Ok(())
    }
}

/// Every file of a folder, and of those in it.
fn write_folder(to: &mut impl Write, kind: Kind, folder: &Path) -> Result<(), BackupError> {
    let mut waiting = vec![PathBuf::new()];
    while let Some(inside) = waiting.pop() {
        let entries = std::fs::read_dir(folder.join(&inside))
            .map_err(|error| BackupError::File(folder.join(&inside), error))?;
        for entry in entries {
            let entry = entry?;
            let inside = inside.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                waiting.push(inside);
                continue;
            }
            let Some(name) = inside.to_str() else {
                return Err(BackupError::Name(entry.path()));
            };
            let name = Name {
                kind,
                name: name.to_owned(),
            };
            match read(&entry.path()) {
                Ok(content) => content::write_file(to, &name, &content)?,
                // A draft of a file, gone since the folder was read.
                Err(BackupError::File(_, error))
                    if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

//! Taking a backup, while the gateway runs.

use std::io::Write;
use std::path::{Path, PathBuf};

use gateway::Config;
use jiff::Timestamp;
use store::DatabaseUrl;
use store::copy::{self, Held, Others, Record};
use toml::Table;

use super::age::{self, Sealer};
use super::content::{self, Kind, Manifest, Name};
use super::{BackupError, WholeFile, places, random, read};

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
        let file = WholeFile::begin(out)?;
        // Of one moment, which is now; before the keys are read, so that none is missing which a row names.
        let records = copy::dump(&self.database, Others::Allowed);
        let manifest = Manifest {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            begun_at: now.to_string(),
            public_url: self.config.public_url.to_string(),
            with_secrets,
        };
        let write = move || self.write(file, &sealer, &manifest, records);
        let written = tokio::task::spawn_blocking(write).await;
        written.unwrap_or(Err(BackupError::Unreadable))
    }

    fn write(
        &self,
        file: WholeFile,
        sealer: &Sealer,
        manifest: &Manifest,
        mut records: copy::Records,
    ) -> Result<Vec<Held>, BackupError> {
        let mut to = age::seal(file, sealer, &mut random)?;
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
        to.finish()?.finish()?;
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
        for (name, path) in places::named(&self.table) {
            let name = Name {
                kind: Kind::Named,
                name,
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

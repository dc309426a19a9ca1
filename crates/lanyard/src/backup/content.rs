//! What is in a backup, once it is open: the database, and files. One after the other, since neither side can go back.
//!
//! ```text
//! "lanyard backup 1\n", manifest, database (see `store::copy::Record`), file*, end, zeros to the end of a chunk
//! ```

use std::io::{BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use store::copy::{CopyError, Record};
use zeroize::Zeroizing;

use super::BackupError;

const FIRST: &[u8] = b"lanyard backup 1\n";
/// Configuration, keys, types: none comes near.
const LARGEST: u32 = 64 * 1024 * 1024;

/// What a backup says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of the program that made it.
    pub(super) program: String,
    /// When it was begun [RFC 3339].
    pub(super) begun_at: String,
    /// The gateway's address.
    pub(super) public_url: String,
    /// Whether the secrets are in it.
    pub(super) with_secrets: bool,
}

/// What a file is for: where it goes when it is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// The configuration as its operator wrote it.
    Config,
    /// Something of the folder of keys, encrypted as it is there.
    Key,
    /// Something of the folder of credential types.
    CredentialType,
    /// A file that the configuration names: the brand, a certificate, a logo. Its name is the place that names it.
    Named,
    /// A secret. Its name is the place in the configuration that says where it is.
    Secret,
}

/// A file, by its name within its kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Name {
    pub(super) kind: Kind,
    pub(super) name: String,
}

/// One thing in a backup.
pub(super) enum Part {
    Manifest(Manifest),
    Record(Record),
    File(Name, Zeroizing<Vec<u8>>),
    End,
}

/// Writes the first bytes.
pub(super) fn begin(to: &mut impl Write, manifest: &Manifest) -> Result<(), BackupError> {
    to.write_all(FIRST)?;
    to.write_all(b"M")?;
    write_bytes(
        to,
        &serde_json::to_vec(manifest).map_err(|_| BackupError::Unreadable)?,
    )
}

pub(super) fn write_record(to: &mut impl Write, record: &Record) -> Result<(), BackupError> {
    let mut bytes = vec![b'D'];
    record.write(&mut bytes);
    Ok(to.write_all(&bytes)?)
}

pub(super) fn write_file(
    to: &mut impl Write,
    name: &Name,
    content: &[u8],
) -> Result<(), BackupError> {
    to.write_all(b"F")?;
    write_bytes(
        to,
        &serde_json::to_vec(name).map_err(|_| BackupError::Unreadable)?,
    )?;
    write_bytes(to, content)
}

pub(super) fn end(to: &mut impl Write) -> Result<(), BackupError> {
    Ok(to.write_all(b"Z")?)
}

/// Reads the first bytes.
pub(super) fn begun(from: &mut impl BufRead) -> Result<(), BackupError> {
    let mut first = [0; FIRST.len()];
    from.read_exact(&mut first)?;
    match &first {
        first if *first == FIRST => Ok(()),
        first if first.starts_with(b"lanyard backup ") => Err(BackupError::Newer),
        _ => Err(BackupError::Unreadable),
    }
}

/// The next part. After the end nothing may follow.
pub(super) fn next(from: &mut impl BufRead) -> Result<Part, BackupError> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).map_err(|_| BackupError::Unreadable);
    Ok(match kind[0] {
        b'M' => {
            let bytes = read_bytes(from)?;
            Part::Manifest(serde_json::from_slice(&bytes).map_err(|_| BackupError::Unreadable)?)
        }
        b'D' => Part::Record(Record::read(from).map_err(|error| match error {
            CopyError::Read(error) => error.into(),
            other => BackupError::Copy(other),
        })?),
        b'F' => Part::File(json(&read_bytes(from)?)?, read_bytes(from)?),
        b'Z' if only_zeros_follow(from)? => Part::End,
        _ => return Err(BackupError::Unreadable),
    })
}

fn only_zeros_follow(from: &mut impl BufRead) -> Result<bool, BackupError> {
    loop {
        let rest = from.fill_buf()?;
        if rest.is_empty() {
            return Ok(true);
        }
        if rest.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        let length = rest.len();
        from.consume(length);
    }
}

fn write_bytes(to: &mut impl Write, bytes: &[u8]) -> Result<(), BackupError> {
    let length = u32::try_from(bytes.len()).ok();
    let length = length
        .filter(|length| *length <= LARGEST)
        .ok_or(BackupError::TooLarge)?;
    to.write_all(&length.to_be_bytes())?;
    Ok(to.write_all(bytes)?)
}

fn read_bytes(from: &mut impl Read) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LARGEST {
        return Err(BackupError::Unreadable);
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = from.take(length.into()).read_to_end(&mut bytes)?;
    if read as u64 == u64::from(length) {
        Ok(bytes)
    } else {
        Err(BackupError::Unreadable)
    }
}

//! The payload: chunks of 64 KiB, each sealed under its number; the last one is marked as the last.

use std::io::{Error, ErrorKind, Read, Write};

use aws_lc_rs::aead::{LessSafeKey, NONCE_LEN};

use super::{SealError, aead, decrypt, encrypt};

const CHUNK: usize = 64 * 1024;
/// With its tag.
pub(super) const SEALED_CHUNK: usize = CHUNK + 16;

/// The fault as readers and writers tell it.
pub(super) fn error(fault: SealError) -> Error {
    Error::new(ErrorKind::InvalidData, fault)
}

/// Eleven bytes of counting and one that says whether it is the last.
fn nonce(number: u64, is_last: bool) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}

/// Seals what is written to it. Without [`Self::finish`] the file is not whole.
pub(in crate::backup) struct Writer<W> {
    to: W,
    key: LessSafeKey,
    number: u64,
    chunk: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W, key: &[u8; 32]) -> std::io::Result<Self> {
        Ok(Self {
            to,
            key: aead(key).map_err(error)?,
            number: 0,
            chunk: Vec::with_capacity(SEALED_CHUNK),
        })
    }

    fn write_chunk(&mut self, is_last: bool) -> std::io::Result<()> {
        let nonce = nonce(self.number, is_last);
        encrypt(&self.key, nonce, &mut self.chunk).map_err(error)?;
        self.to.write_all(&self.chunk)?;
        self.chunk.clear();
        self.number += 1;
        Ok(())
    }

    /// Fills the chunk with zeros. If the last one is full, a reader can tell a file that was cut off from one that was
    /// changed at its end.
    pub(in crate::backup) fn fill(&mut self) {
        self.chunk.resize(CHUNK, 0);
    }

    /// Seals the last chunk, and gives back what was written to.
    pub(in crate::backup) fn finish(mut self) -> std::io::Result<W> {
        self.write_chunk(true)?;
        self.to.flush()?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A full chunk waits for more to come: the last one may be full, too.
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.write_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Opens what is read through it; gives out nothing of a chunk that was not checked.
pub(in crate::backup) struct Reader<R> {
    from: R,
    key: LessSafeKey,
    number: u64,
    chunk: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R, key: &[u8; 32]) -> std::io::Result<Self> {
        Ok(Self {
            from,
            key: aead(key).map_err(error)?,
            number: 0,
            chunk: Vec::with_capacity(SEALED_CHUNK),
            given: 0,
            is_over: false,
        })
    }

    fn read_chunk(&mut self) -> std::io::Result<()> {
        let mut sealed = Vec::with_capacity(SEALED_CHUNK);
        let limit = SEALED_CHUNK as u64;
        self.from.by_ref().take(limit).read_to_end(&mut sealed)?;
        let mut plain = sealed.clone();
        if decrypt(&self.key, nonce(self.number, false), &mut plain).is_some() {
            if plain.len() < CHUNK {
                return Err(error(SealError::Damaged));
            }
        } else {
            plain.clone_from(&sealed);
            if decrypt(&self.key, nonce(self.number, true), &mut plain).is_none() {
                // A full chunk that does not open was changed; one that is cut short may have been just that.
                let fault = if sealed.len() == SEALED_CHUNK {
                    SealError::Damaged
                } else {
                    SealError::Truncated
                };
                return Err(error(fault));
            }
            let empty_last = plain.is_empty() && self.number > 0;
            if empty_last || self.from.read(&mut [0])? > 0 {
                return Err(error(SealError::Damaged));
            }
            self.is_over = true;
        }
        self.chunk = plain;
        self.given = 0;
        self.number += 1;
        Ok(())
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.chunk.len() && !self.is_over {
            self.read_chunk()?;
        }
        let rest = &self.chunk[self.given..];
        let taken = rest.len().min(into.len());
        into[..taken].copy_from_slice(&rest[..taken]);
        self.given += taken;
        Ok(taken)
    }
}

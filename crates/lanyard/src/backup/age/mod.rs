//! The age file format, version 1 (age-encryption.org/v1): what seals a backup, so that `age` opens it, too, in ten years
//! and without us. The primitives are aws-lc-rs's; scrypt is the crate that opens key files.
//!
//! A file has a header, which holds the file's key wrapped for whoever may open it, and a payload of chunks, each of them
//! authenticated and numbered, the last one marked: what is cut off or changed anywhere is refused.

mod bech32;
mod header;
mod key;
mod stream;
#[cfg(test)]
mod tests;

pub(super) use self::header::{open, seal};
pub(super) use self::key::{Identity, Opener, Passphrase, Recipient, Sealer};

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

/// Why a file cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum SealError {
    #[error("this is no sealed file of age's format")]
    NotSealed,
    #[error("neither the passphrase nor the key opens this file: it was sealed for another")]
    Locked,
    #[error("the file ends too early: take it from where it was made once more")]
    Truncated,
    #[error("the file was changed after it was sealed")]
    Damaged,
    #[error("the file asks for more work to open it than is sensible")]
    TooMuchWork,
    #[error("this is no recipient (`age1…`) or no key (`AGE-SECRET-KEY-1…`)")]
    NotAKey,
    #[error("the machine gave no random bytes, or refused to compute")]
    Crypto,
}

/// Random bytes, which the caller brings.
pub(super) type Random<'a> = &'a mut dyn FnMut(&mut [u8]) -> Result<(), SealError>;

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// 32 bytes derived from a secret [RFC 5869].
fn derived(secret: &[u8], salt: &[u8], info: &str) -> Result<[u8; 32], SealError> {
    let mut key = [0; 32];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    let info = [info.as_bytes()];
    let expanded = extracted.expand(&info, Length(32));
    let filled = expanded.and_then(|expanded| expanded.fill(&mut key));
    filled.map_err(|_| SealError::Crypto)?;
    Ok(key)
}

/// A key of ChaCha20-Poly1305 [RFC 8439].
fn aead(key: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| SealError::Crypto)?;
    Ok(LessSafeKey::new(key))
}

fn encrypt(key: &LessSafeKey, nonce: [u8; NONCE_LEN], text: &mut Vec<u8>) -> Result<(), SealError> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let sealed = key.seal_in_place_append_tag(nonce, Aad::empty(), text);
    sealed.map_err(|_| SealError::Crypto)
}

/// `None` if it was not this key, this nonce, or these bytes.
fn decrypt(key: &LessSafeKey, nonce: [u8; NONCE_LEN], text: &mut Vec<u8>) -> Option<()> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = key.open_in_place(nonce, Aad::empty(), text).ok()?.len();
    text.truncate(length);
    Some(())
}

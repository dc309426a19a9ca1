//! Opening and closing key files with a passphrase that is stretched once in a process, not once for each key and command.
//!
//! Stretching is slow on purpose, and its result depends on the passphrase, the salt and the number of rounds only. Keys that
//! are made in one folder share their salt, so that a gateway of three hundred keys starts in the time of one. One passphrase
//! opens all of them: who guesses it for one file has guessed it for all, whether their salts differ or not. Each file has an
//! initialisation vector of its own.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{self, Kdf, Pbkdf2Prf};
use zeroize::Zeroizing;

type Key = Zeroizing<[u8; 32]>;
/// The one who asks first stretches, and the others wait for that.
type Stretched = HashMap<[u8; 32], Arc<OnceLock<Key>>>;

/// By a digest of what it is made from.
static STRETCHED: Mutex<Option<Stretched>> = Mutex::new(None);

/// How a key of ours is closed: salt, rounds and initialisation vector. `None` for any other way.
fn ours(scheme: &EncryptionScheme) -> Option<(&[u8], NonZeroU32, [u8; 16])> {
    let EncryptionScheme::Pbes2(pbes2::Parameters { kdf, encryption }) = scheme else {
        return None;
    };
    let (Kdf::Pbkdf2(kdf), pbes2::EncryptionScheme::Aes256Cbc { iv }) = (kdf, encryption) else {
        return None;
    };
    let is_ours =
        kdf.prf == Pbkdf2Prf::HmacWithSha256 && kdf.key_length.is_none_or(|length| length == 32);
    let rounds = NonZeroU32::new(kdf.iteration_count).filter(|_| is_ours)?;
    Some((kdf.salt.as_ref(), rounds, *iv))
}

/// The salt of a file that was closed our way with so many rounds.
pub(super) fn salt_of(scheme: &EncryptionScheme, rounds: u32) -> Option<[u8; 16]> {
    let (salt, found, _) = ours(scheme)?;
    salt.try_into().ok().filter(|_| found.get() == rounds)
}

/// What is in the file; `None` where the passphrase does not open it.
pub(super) fn open(
    scheme: &EncryptionScheme,
    passphrase: &[u8],
    closed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let Some((salt, rounds, iv)) = ours(scheme) else {
        // An operator's own tools may have closed it in another way, scrypt for one.
        return scheme.decrypt(passphrase, closed).ok().map(Zeroizing::new);
    };
    let stretched = stretch(passphrase, salt, rounds);
    let key = UnboundCipherKey::new(&AES_256, stretched.get()?.as_slice()).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let mut bytes = Zeroizing::new(closed.to_vec());
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let length = key.decrypt(&mut bytes, context).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// The same way back; `None` where the cipher fails, which it has no reason to.
pub(super) fn close(
    parameters: &pbes2::Parameters,
    passphrase: &[u8],
    open: &[u8],
) -> Option<Vec<u8>> {
    let scheme = EncryptionScheme::Pbes2(parameters.clone());
    let (salt, rounds, iv) = ours(&scheme)?;
    let stretched = stretch(passphrase, salt, rounds);
    let key = UnboundCipherKey::new(&AES_256, stretched.get()?.as_slice()).ok()?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
    let mut bytes = Zeroizing::new(open.to_vec());
    let context = EncryptionContext::Iv128(FixedLength::from(iv));
    key.less_safe_encrypt(&mut *bytes, context).ok()?;
    Some(bytes.to_vec())
}

fn stretch(passphrase: &[u8], salt: &[u8], rounds: NonZeroU32) -> Arc<OnceLock<Key>> {
    let mut made_from = Context::new(&SHA256);
    for part in [salt, &rounds.get().to_be_bytes(), passphrase] {
        made_from.update(&part.len().to_be_bytes());
        made_from.update(part);
    }
    let mut name = [0; 32];
    name.copy_from_slice(made_from.finish().as_ref());
    let stretched = {
        // Nothing is done while it is held but to look: others stretch meanwhile.
        let mut known = STRETCHED.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.get_or_insert_default().entry(name).or_default())
    };
    stretched.get_or_init(|| {
        #[cfg(test)]
        TIMES.with(|times| times.set(times.get() + 1));
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(
            PBKDF2_HMAC_SHA256,
            rounds,
            salt,
            passphrase,
            key.as_mut_slice(),
        );
        key
    });
    stretched
}

#[cfg(test)]
thread_local! {
    /// How often this thread stretched a passphrase.
    pub(super) static TIMES: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

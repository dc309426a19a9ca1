//! Encrypts what is personal or secret in the database, so that a copy of it alone tells nothing. (SEC-37)
//!
//! AES-256-GCM. Each value gets 24 random bytes: half go into the derivation of a key of its own, half are the
//! nonce. One key with 12 random bytes of nonce would have to be retired after some 2^32 values; this way neither
//! repeats in any number of values that a gateway can write (the construction of XAES-256-GCM, with HKDF).
//!
//! The place of a value (table and row) is authenticated with it: a value copied into another row does not open.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// The form of a sealed value, its first byte.
const FORM: u8 = 1;
/// Bytes that make a value's key its own, after the first byte.
const KEY_PART: usize = 12;
/// Bytes of nonce, after those.
const NONCE: usize = 12;
/// What is put before the ciphertext.
const PREFIX: usize = 1 + KEY_PART + NONCE;
/// The shortest secret: 32 characters of base64 hold 192 bits, of hexadecimal 128.
const SHORTEST: usize = 32;

/// Seals and opens values; cheap to clone.
#[derive(Clone)]
pub struct Seal(Arc<Keys>);

/// A key that stays when the secret that gave it goes.
pub(crate) type KeptKey = Zeroizing<[u8; 32]>;

/// The names of those keys, in the order in which they are kept.
pub(crate) const KEPT: [&str; 3] = ["pairwise", "chosen", "decoys"];

struct Keys {
    /// The one in use, then those that were.
    storage: Vec<hkdf::Prk>,
    kept: [KeptKey; 3],
    pairwise: hmac::Key,
    chosen: hmac::Key,
    decoys: hmac::Key,
}

/// Why the storage secret cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidSecret {
    /// Too short to be a generated secret.
    #[error(
        "it has fewer than 32 characters: generate one, for example with `openssl rand -base64 32`"
    )]
    Short,
    /// Long, and made of a few characters only.
    #[error(
        "it repeats a few characters: generate one, for example with `openssl rand -base64 32`"
    )]
    Repetitive,
    /// The library could not derive a key.
    #[error("no key can be derived from it")]
    Underivable,
}

/// Why a value was not sealed.
#[derive(Debug, thiserror::Error)]
#[error("the value could not be encrypted")]
pub struct Unsealable;

/// Why a sealed value does not open: changed, in another place, or sealed with a secret no longer listed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the sealed value does not open here with the storage secrets in use")]
pub struct Unopenable;

impl Seal {
    /// Seals with `current`; opens also what was sealed with an earlier secret. The last of `earlier` is the oldest.
    pub fn new<'a>(
        current: &'a str,
        earlier: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidSecret> {
        let secrets: Vec<&str> = std::iter::once(current).chain(earlier).collect();
        let storage: Vec<hkdf::Prk> = secrets
            .iter()
            .map(|secret| extract(secret))
            .collect::<Result<_, _>>()?;
        // The oldest: a relying party must know the same person by the same subject after a change of secrets.
        let oldest = storage.last().ok_or(InvalidSecret::Underivable)?;
        let derived = |info: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            let filled = oldest
                .expand(&[info], Bytes)
                .and_then(|okm| okm.fill(&mut *key));
            filled.map_err(|_| InvalidSecret::Underivable)?;
            Ok(key)
        };
        // The oldest for the others as well: a decoy stays one.
        let kept = [
            derived(b"lanyard pairwise subject")?,
            derived(b"lanyard chosen value")?,
            derived(b"lanyard status list decoys")?,
        ];
        Ok(Self::of(storage, kept))
    }

    fn of(storage: Vec<hkdf::Prk>, kept: [KeptKey; 3]) -> Self {
        let [pairwise, chosen, decoys] =
            [0, 1, 2].map(|at: usize| hmac::Key::new(hmac::HMAC_SHA256, &*kept[at]));
        Self(Arc::new(Keys {
            storage,
            kept,
            pairwise,
            chosen,
            decoys,
        }))
    }

    /// The keys that stay when the secret that gave them goes.
    pub(crate) fn kept(&self) -> &[KeptKey; 3] {
        &self.0.kept
    }

    /// The same secrets, with keys that were kept in the place of those that the oldest secret gives.
    pub(crate) fn with_kept(&self, kept: [KeptKey; 3]) -> Self {
        Self::of(self.0.storage.clone(), kept)
    }

    /// Whether there is no earlier secret: then nobody need know which of several was the first.
    pub(crate) fn is_of_one_secret(&self) -> bool {
        self.0.storage.len() == 1
    }

    /// What an earlier secret sealed, sealed with the one in use; nothing where that is so already.
    pub(crate) fn renew(&self, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Unopenable> {
        let current = self.0.storage.get(..1).ok_or(Unopenable)?;
        if open_with(current, place, sealed).is_ok() {
            return Ok(None);
        }
        let value = self.open(place, sealed)?;
        self.seal(place, &value).map(Some).map_err(|_| Unopenable)
    }

    /// Encrypts for one place, `table/row`.
    pub fn seal(&self, place: &str, value: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let mut random = [0; PREFIX - 1];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Unsealable)?;
        let secret = self.0.storage.first().ok_or(Unsealable)?;
        let (key, nonce) = key_and_nonce(secret, &random).ok_or(Unsealable)?;
        let mut sealed = Vec::with_capacity(PREFIX + value.len() + AES_256_GCM.tag_len());
        sealed.push(FORM);
        sealed.extend_from_slice(&random);
        sealed.extend_from_slice(value);
        let tag = key
            .seal_in_place_separate_tag(nonce, Aad::from(place), &mut sealed[PREFIX..])
            .map_err(|_| Unsealable)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Decrypts what was sealed for the same place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        open_with(&self.0.storage, place, sealed)
    }

    /// The subject by which one relying party knows one person; no two of them can compare theirs. [OIDC 8.1]
    #[must_use]
    pub fn pairwise(&self, client_id: &str, subject: &str) -> String {
        for_client(&self.0.pairwise, client_id, subject)
    }

    /// A digest of a value that one relying party chose, by which the value is found again. Such a value may be short
    /// or always the same, so that without a key anybody could try them all.
    #[must_use]
    pub fn digest_of_chosen(&self, client_id: &str, value: &str) -> String {
        for_client(&self.0.chosen, client_id, value)
    }

    /// A block of the bytes that say which places of a status list are decoys.
    #[must_use]
    pub fn decoys(&self, organisation: &str, list: i64, block: u32) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0.decoys);
        // What follows the name has one length always, so that no two run together.
        context.update(organisation.as_bytes());
        context.update(&list.to_be_bytes());
        context.update(&block.to_be_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        bytes
    }
}

/// Tries secrets in their order.
fn open_with(
    secrets: &[hkdf::Prk],
    place: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
    let (prefix, ciphertext) = sealed.split_at_checked(PREFIX).ok_or(Unopenable)?;
    if prefix[0] != FORM {
        return Err(Unopenable);
    }
    for secret in secrets {
        let (key, nonce) = key_and_nonce(secret, &prefix[1..]).ok_or(Unopenable)?;
        let mut value = Zeroizing::new(ciphertext.to_vec());
        if let Ok(plain) = key.open_in_place(nonce, Aad::from(place), &mut value) {
            let length = plain.len();
            value.truncate(length);
            return Ok(value);
        }
    }
    Err(Unopenable)
}

/// As many bytes as a key of HMAC with SHA-256 has.
struct Bytes;

impl hkdf::KeyType for Bytes {
    fn len(&self) -> usize {
        32
    }
}

/// The length stands first, so that no two pairs run together.
fn for_client(key: &hmac::Key, client_id: &str, value: &str) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(&(client_id.len() as u64).to_be_bytes());
    context.update(client_id.as_bytes());
    context.update(value.as_bytes());
    URL_SAFE_NO_PAD.encode(context.sign())
}

fn extract(secret: &str) -> Result<hkdf::Prk, InvalidSecret> {
    if secret.len() < SHORTEST {
        return Err(InvalidSecret::Short);
    }
    let mut different: Vec<u8> = secret.bytes().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 8 {
        return Err(InvalidSecret::Repetitive);
    }
    // [RFC 5869 2.2] HKDF-Extract, which the library would do again for each value that is sealed or opened.
    let salt = hmac::Key::new(hmac::HMAC_SHA256, b"lanyard storage");
    let extracted = hmac::sign(&salt, secret.as_bytes());
    Ok(hkdf::Prk::new_less_safe(
        hkdf::HKDF_SHA256,
        extracted.as_ref(),
    ))
}

fn key_and_nonce(secret: &hkdf::Prk, random: &[u8]) -> Option<(LessSafeKey, Nonce)> {
    let (key_part, nonce) = random.split_at_checked(KEY_PART)?;
    let info: [&[u8]; 2] = [b"lanyard sealed value", key_part];
    let key = UnboundKey::from(secret.expand(&info, &AES_256_GCM).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    Some((LessSafeKey::new(key), nonce))
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OLD: &str = "Zm9yIHRlc3RzIG9ubHksIHRoZSBvbGRlciBvbmUu";
    const NEW: &str = "Zm9yIHRlc3RzIG9ubHksIHRoZSBuZXdlciBvbmUu";

    fn seal(secret: &str) -> Seal {
        Seal::new(secret, []).unwrap()
    }

    #[test]
    fn a_value_opens_in_its_place_and_nowhere_else() {
        let seal = seal(NEW);
        for value in [&b""[..], b"Alex Morgan", &[7; 10_000]] {
            let sealed = seal.seal("interactions/a", value).unwrap();
            assert_eq!(&**seal.open("interactions/a", &sealed).unwrap(), value);
            assert_eq!(seal.open("interactions/b", &sealed), Err(Unopenable));
            assert_eq!(seal.open("credentials/a", &sealed), Err(Unopenable));
        }
    }

    /// SEC-37.
    #[test]
    fn a_sealed_value_neither_repeats_nor_shows_what_it_holds() {
        let seal = seal(NEW);
        let first = seal.seal("t/r", b"Alex Morgan").unwrap();
        let second = seal.seal("t/r", b"Alex Morgan").unwrap();
        assert_ne!(first[1..PREFIX], second[1..PREFIX]);
        assert_ne!(first[PREFIX..], second[PREFIX..]);
        assert!(!first.windows(4).any(|window| window == b"Alex"));
    }

    #[test]
    fn a_value_that_was_changed_anywhere_does_not_open() {
        let seal = seal(NEW);
        let sealed = seal.seal("t/r", b"Alex Morgan").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(seal.open("t/r", &changed), Err(Unopenable), "byte {index}");
        }
        for length in 0..sealed.len() {
            assert_eq!(seal.open("t/r", &sealed[..length]), Err(Unopenable));
        }
    }

    #[test]
    fn after_a_change_of_secrets_old_values_open_while_the_old_one_is_listed() {
        let old = seal(OLD);
        let both = Seal::new(NEW, [OLD]).unwrap();
        let sealed = old.seal("t/r", b"value").unwrap();
        assert_eq!(&**both.open("t/r", &sealed).unwrap(), b"value");
        assert_eq!(seal(NEW).open("t/r", &sealed), Err(Unopenable));
        let renewed = both.seal("t/r", b"value").unwrap();
        assert_eq!(old.open("t/r", &renewed), Err(Unopenable));
        assert_eq!(old.pairwise("rp", "person"), both.pairwise("rp", "person"));
    }

    /// What was derived before these keys could be kept is derived as it was.
    #[test]
    fn kept_keys_are_those_that_the_oldest_secret_gives() {
        let old = seal(OLD);
        let given = extract(OLD).unwrap();
        let info: [&[u8]; 1] = [b"lanyard pairwise subject"];
        let key = given
            .expand(&info, hmac::HMAC_SHA256)
            .map(hmac::Key::from)
            .unwrap();
        assert_eq!(
            for_client(&key, "rp", "person"),
            old.pairwise("rp", "person")
        );
        // With them, and without the old secret, everybody is who they were.
        let new = seal(NEW).with_kept(old.kept().clone());
        assert_eq!(old.pairwise("rp", "person"), new.pairwise("rp", "person"));
        assert_eq!(
            old.digest_of_chosen("rp", "s"),
            new.digest_of_chosen("rp", "s")
        );
        assert_eq!(old.decoys("anytown", 1, 2), new.decoys("anytown", 1, 2));
        assert_ne!(
            seal(NEW).pairwise("rp", "person"),
            new.pairwise("rp", "person")
        );
    }

    #[test]
    fn what_is_sealed_with_the_secret_in_use_is_not_sealed_anew() {
        let both = Seal::new(NEW, [OLD]).unwrap();
        let sealed = seal(OLD).seal("t/r", b"value").unwrap();
        let renewed = both.renew("t/r", &sealed).unwrap().unwrap();
        assert_eq!(&**seal(NEW).open("t/r", &renewed).unwrap(), b"value");
        assert_eq!(both.renew("t/r", &renewed), Ok(None));
        assert_eq!(seal(NEW).renew("t/r", &sealed), Err(Unopenable));
        assert_eq!(both.renew("other/place", &sealed), Err(Unopenable));
    }

    #[test]
    fn keys_are_expanded_from_what_hkdf_extract_gives() {
        let library = hkdf::Salt::new(hkdf::HKDF_SHA256, b"lanyard storage");
        let [ours, theirs] = [extract(NEW).unwrap(), library.extract(NEW.as_bytes())].map(|key| {
            let mut bytes = [0; 32];
            let info: [&[u8]; 2] = [b"lanyard sealed value", b"of one value"];
            key.expand(&info, Bytes).unwrap().fill(&mut bytes).unwrap();
            bytes
        });
        assert_eq!(ours, theirs);
    }

    #[test]
    fn two_relying_parties_know_one_person_by_two_subjects() {
        let seal = seal(NEW);
        assert_eq!(seal.pairwise("rp-a", "1"), seal.pairwise("rp-a", "1"));
        assert_ne!(seal.pairwise("rp-a", "1"), seal.pairwise("rp-b", "1"));
        assert_ne!(seal.pairwise("rp", "a1"), seal.pairwise("rpa", "1"));
        assert_eq!(seal.pairwise("rp-a", "1").len(), 43);
    }

    #[test]
    fn a_chosen_value_has_another_digest_with_each_client_each_gateway_and_each_use() {
        let own = seal(NEW).digest_of_chosen("rp-a", "state");
        assert_eq!(own, seal(NEW).digest_of_chosen("rp-a", "state"));
        assert_ne!(own, seal(NEW).digest_of_chosen("rp-b", "state"));
        assert_ne!(own, seal(OLD).digest_of_chosen("rp-a", "state"));
        assert_ne!(own, seal(NEW).pairwise("rp-a", "state"));
    }

    /// SEC-37.
    #[test]
    fn a_secret_that_nobody_generated_is_refused() {
        let refused = |secret: &str| Seal::new(secret, []).err();
        assert_eq!(refused("changeme"), Some(InvalidSecret::Short));
        assert_eq!(refused(&"abc".repeat(20)), Some(InvalidSecret::Repetitive));
        assert_eq!(Seal::new(NEW, ["short"]).err(), Some(InvalidSecret::Short));
        assert_eq!(format!("{:?}", seal(NEW)), "Seal(…)");
    }
}

//! The floor under a journey: the cryptography and the drawing that no implementation of these standards is spared.
//!
//! Both sides are in it, since relying party, wallet and gateway share a machine here. It is the bare operations of
//! the libraries that gateway and wallet use, on inputs of the size that they have, without parsing, encoding,
//! copying, HTTP or disk. What the gateway does beyond the standards (sealing what it stores) is not in it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey as Agreed};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, Signature, UnparsedPublicKey,
};
use aws_lc_rs::{error::Unspecified, hmac};
use serde_json::{Value, json};

/// What is signed, in bytes: about as long as the signing inputs of the journey.
const REQUEST_OBJECT: usize = 2_600;
const CREDENTIAL: usize = 1_700;
const PRESENTATION: usize = 3_000;
const PROOF: usize = 700;
const ID_TOKEN: usize = 900;
const DRAFT: usize = 1_100;
/// The encrypted answer: the presentation in base64, and its state.
const ANSWER: usize = 4_200;
/// Secrets that are kept or compared by their digest: cookies, codes, client secrets, challenges, links.
const DIGESTS: usize = 24;

/// Runs whole journeys' worth of it on so many threads, and tells how many a second.
pub fn measure(algorithm: &str, threads: usize, time: Duration) -> anyhow::Result<Value> {
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let algorithm = algorithm.to_owned();
            thread::spawn(move || {
                let floor =
                    Floor::new(&algorithm).context("no key could be made for that algorithm")?;
                floor.journey().context("the floor broke")?;
                let (began, mut journeys) = (Instant::now(), 0_u32);
                while began.elapsed() < time {
                    floor.journey().context("the floor broke")?;
                    journeys += 1;
                }
                anyhow::Ok(f64::from(journeys) / began.elapsed().as_secs_f64())
            })
        })
        .collect();
    let mut a_second = 0.0;
    for worker in workers {
        a_second += worker
            .join()
            .map_err(|_| anyhow::anyhow!("a thread died"))??;
    }
    Ok(json!({ "threads": threads, "journeys_a_second": a_second }))
}

struct Floor {
    holder: EcdsaKeyPair,
    /// The signature of the credential that is presented, made long ago.
    held: Signature,
    id_token: IdTokenKey,
    draft: hmac::Key,
    random: SystemRandom,
}

enum IdTokenKey {
    Es256,
    Rs256(RsaKeyPair),
}

impl Floor {
    fn new(algorithm: &str) -> Option<Self> {
        let random = SystemRandom::new();
        let holder = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        let held = holder.sign(&random, &[7; CREDENTIAL]).ok()?;
        Some(Self {
            holder,
            held,
            id_token: match algorithm {
                "ES256" => IdTokenKey::Es256,
                "RS256" => IdTokenKey::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).ok()?),
                _ => return None,
            },
            draft: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]),
            random,
        })
    }

    fn journey(&self) -> Result<(), Unspecified> {
        // Verify: the gateway signs its request, the wallet checks it and answers, the gateway checks the answer.
        draw("https://gateway.bench.example/w/AAAAAAAAAAAAAAAAAAAAAA")?;
        self.signed_and_checked(REQUEST_OBJECT)?;
        self.signed_and_checked(PRESENTATION)?;
        self.checked(&[7; CREDENTIAL], &self.held)?;
        Self::agreed_and_encrypted()?;
        self.id_token()?;
        // Issue: draft, the wallet's new key and its proof, the credential, which the wallet checks.
        draw("https://gateway.bench.example/w/BBBBBBBBBBBBBBBBBBBBBB")?;
        let tag = hmac::sign(&self.draft, &[7; DRAFT]);
        hmac::verify(&self.draft, &[7; DRAFT], tag.as_ref())?;
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        self.signed_and_checked(PROOF)?;
        self.signed_and_checked(CREDENTIAL)?;
        self.id_token()?;
        for secret in 0..DIGESTS {
            std::hint::black_box(digest(&SHA256, &[secret.to_le_bytes()[0]; 43]));
        }
        Ok(())
    }

    fn signed_and_checked(&self, length: usize) -> Result<(), Unspecified> {
        let message = vec![7; length];
        self.checked(&message, &self.holder.sign(&self.random, &message)?)
    }

    fn checked(&self, message: &[u8], signature: &Signature) -> Result<(), Unspecified> {
        let public = self.holder.public_key().as_ref();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message, signature.as_ref())
    }

    fn id_token(&self) -> Result<(), Unspecified> {
        match &self.id_token {
            IdTokenKey::Es256 => self.signed_and_checked(ID_TOKEN),
            IdTokenKey::Rs256(key) => {
                let message = [7; ID_TOKEN];
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &self.random, &message, &mut signature)?;
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
                    .verify(&message, &signature)
            }
        }
    }

    /// The gateway's key for one answer and the wallet's; both agree, one encrypts, the other decrypts.
    fn agreed_and_encrypted() -> Result<(), Unspecified> {
        let random = SystemRandom::new();
        let gateway = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
        let wallet = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
        let (of_gateway, of_wallet) = (gateway.compute_public_key()?, wallet.compute_public_key()?);
        let mut text = vec![7; ANSWER];
        for (own, theirs, encrypts) in [(wallet, of_gateway, true), (gateway, of_wallet, false)] {
            let theirs = Agreed::new(&ECDH_P256, theirs.as_ref());
            agreement::agree_ephemeral(own, theirs, Unspecified, |secret| {
                let key = digest(&SHA256, secret);
                let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key.as_ref()[..16])?);
                let nonce = Nonce::assume_unique_for_key([0; 12]);
                if encrypts {
                    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut text)
                } else {
                    key.open_in_place(nonce, Aad::empty(), &mut text).map(drop)
                }
            })?;
        }
        Ok(())
    }
}

fn draw(link: &str) -> Result<(), Unspecified> {
    ui::qr::svg(link, "QR code")
        .map(|svg| drop(std::hint::black_box(svg)))
        .map_err(|_| Unspecified)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_journeys_worth_runs_with_either_algorithm() {
        for algorithm in ["ES256", "RS256"] {
            let floor = Floor::new(algorithm).unwrap();
            floor.journey().unwrap();
        }
    }
}

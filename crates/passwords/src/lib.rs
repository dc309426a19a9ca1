//! People's passwords: argon2id, never on the threads that answer, and no more at once than the machine can bear. For whoever
//! lets people in by one: the staff portal, and the gateway its operators.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Each takes 19 MiB and a core for some hundredths of a second [OWASP password storage].
const AT_ONCE: usize = 4;

/// The machine could not hash.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed")]
pub struct CannotHash;

/// Hashes passwords and compares them; cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of a password that nobody knows: comparing with it costs the same.
    nobodys: Arc<str>,
}

impl Passwords {
    /// Ready to compare: takes as long as hashing once.
    pub async fn new() -> Result<Self, CannotHash> {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut unknown = [0_u8; 32];
        aws_lc_rs::rand::fill(&mut unknown).map_err(|_| CannotHash)?;
        let nobodys = in_turn(&turns, move || hash(&unknown)).await??;
        Ok(Self {
            turns,
            nobodys: nobodys.into(),
        })
    }

    /// What is kept of a password.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, CannotHash> {
        in_turn(&self.turns, move || hash(password.as_bytes())).await?
    }

    /// Whether this is the password of that hash. Without a hash it is not, which takes just as long.
    pub async fn is_right(
        &self,
        password: Zeroizing<String>,
        of: Option<String>,
    ) -> Result<bool, CannotHash> {
        let is_somebodys = of.is_some();
        let of = of.unwrap_or_else(|| self.nobodys.to_string());
        let fits = in_turn(&self.turns, move || fits(password.as_bytes(), &of)).await?;
        Ok(fits && is_somebodys)
    }
}

async fn in_turn<T: Send + 'static>(
    turns: &Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CannotHash> {
    let _turn = turns.acquire().await.map_err(|_| CannotHash)?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| CannotHash)
}

fn hash(password: &[u8]) -> Result<String, CannotHash> {
    let mut salt = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| CannotHash)?;
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password, &salt)
        .map_err(|_| CannotHash)?;
    Ok(hash.to_string())
}

fn fits(password: &[u8], hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, Instant};

    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_the_hash_is_argon2id_as_owasp_has_it() {
        let passwords = Passwords::new().await.unwrap();
        let hash = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let mut is_right = Vec::new();
        for typed in ["correct horse", "Correct horse", ""] {
            let hash = Some(hash.clone());
            is_right.push(passwords.is_right(secret(typed), hash).await.unwrap());
        }
        assert_eq!(is_right, [true, false, false]);
        assert!(!passwords.is_right(secret("any"), None).await.unwrap());
    }

    /// SEC-34: a name that nobody has is not told apart by the time that the answer takes.
    #[tokio::test]
    async fn sec_34_a_name_that_nobody_has_costs_as_much_as_one_that_somebody_has() {
        let passwords = Passwords::new().await.unwrap();
        let hash = passwords.hash(secret("correct horse")).await.unwrap();
        let mut took = [Duration::MAX; 2];
        for _ in 0..5 {
            for (at, of) in [(0, Some(hash.clone())), (1, None)] {
                let began = Instant::now();
                passwords.is_right(secret("wrong"), of).await.unwrap();
                took[at] = took[at].min(began.elapsed());
            }
        }
        assert!(took[1] * 3 > took[0], "{took:?}");
    }
}

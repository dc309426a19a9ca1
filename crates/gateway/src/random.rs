//! The one source of random values, and the forms in which they are given out.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Crockford's letters for values that people read out: no I, L, O or U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Gives random values; cheap to clone.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<Seeded>>),
}

struct Seeded {
    seed: u64,
    block: u64,
}

impl Random {
    /// The operating system's.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same values in the same order for the same seed. For tests: whoever knows the seed knows every value.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let seeded = Seeded { seed, block: 0 };
        Self(Source::Seeded(Arc::new(Mutex::new(seeded))))
    }

    /// Fills the slice.
    ///
    /// Panics when the operating system gives no random bytes: no answer made without them would be safe.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Source::System => {
                aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
            }
            Source::Seeded(seeded) => {
                let mut seeded = seeded.lock().unwrap_or_else(PoisonError::into_inner);
                for chunk in bytes.chunks_mut(32) {
                    let counter = [seeded.seed.to_be_bytes(), seeded.block.to_be_bytes()].concat();
                    chunk.copy_from_slice(&digest(&SHA256, &counter).as_ref()[..chunk.len()]);
                    seeded.block += 1;
                }
            }
        }
    }

    /// Bytes, as many as the caller's array has.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// 128 bits in 22 characters of base64url: ids, links.
    #[must_use]
    pub fn token_128(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<16>())
    }

    /// 256 bits in 43 characters of base64url: codes, tokens, cookies.
    #[must_use]
    pub fn token_256(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// A UUID version 4: serial numbers. [RFC 9562 5.4]
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// Forty bits that a person can read out, such as `K7Q2-9MFD`. By itself that is no secret: who draws one says what it
    /// opens, for how long, and how often somebody may guess.
    #[must_use]
    pub fn reference(&self) -> String {
        let letters = self
            .bytes::<8>()
            .map(|byte| char::from(CROCKFORD[usize::from(byte % 32)]));
        let (first, second) = letters.split_at(4);
        first.iter().chain(['-'].iter()).chain(second).collect()
    }

    /// A number from 0 up to, but not including, `end`; each as likely as the others. 0 where there is none.
    #[must_use]
    pub fn below(&self, end: i64) -> i64 {
        let Some(end) = u64::try_from(end).ok().filter(|end| *end > 0) else {
            return 0;
        };
        // Draws from the incomplete last round would favour the low numbers: draw again.
        let limit = u64::MAX - u64::MAX % end;
        loop {
            let drawn = u64::from_be_bytes(self.bytes());
            if drawn < limit {
                return i64::try_from(drawn % end).unwrap_or(0);
            }
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Random(system)",
            Source::Seeded(_) => "Random(seeded)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_its_shape() {
        for random in [Random::system(), Random::seeded(1)] {
            assert_eq!(random.token_128().len(), 22);
            assert_eq!(random.token_256().len(), 43);
            assert_eq!(random.uuid().get_version_num(), 4);
            let reference = random.reference();
            assert_eq!((reference.len(), &reference[4..5]), (9, "-"));
            assert!(
                reference
                    .bytes()
                    .all(|byte| byte == b'-' || CROCKFORD.contains(&byte))
            );
        }
    }

    #[test]
    fn the_system_never_repeats_and_a_seed_always_does() {
        assert_ne!(Random::system().token_256(), Random::system().token_256());
        let (one, same, other) = (Random::seeded(7), Random::seeded(7), Random::seeded(8));
        let first = one.token_256();
        assert_eq!(first, same.token_256());
        assert_ne!(first, other.token_256());
        assert_ne!(first, one.token_256());
        assert_ne!(one.clone().bytes::<64>()[..32], one.bytes::<64>()[32..]);
    }

    #[test]
    fn a_number_stays_below_its_end_and_meets_all_before_it() {
        let random = Random::seeded(3);
        let mut met = [0; 5];
        for _ in 0..1000 {
            met[usize::try_from(random.below(5)).unwrap_or(usize::MAX)] += 1;
        }
        assert!(
            met.iter().all(|count| (150..250).contains(count)),
            "{met:?}"
        );
        assert_eq!(
            (random.below(1), random.below(0), random.below(-4)),
            (0, 0, 0)
        );
    }
}

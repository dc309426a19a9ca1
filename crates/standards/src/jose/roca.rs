//! The fingerprint of RSA keys from the faulty generator of CVE-2017-15361 ("ROCA").
//!
//! Those primes have the form `k * M + (65537^a mod M)` with `M` a product of the first primes, so
//! that the modulus is a power of 65537 modulo each of them. A random modulus passes all of these
//! tests with a probability of about one in 2^27.

/// The odd primes that divide `M` for every key length.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether this big-endian modulus is a power of 65537 modulo every one of the primes.
pub(super) fn fingerprint_matches(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let residue = modulus
            .iter()
            .fold(0, |sum, byte| (sum * 256 + u32::from(*byte)) % prime);
        is_power_of_65537(residue, *prime)
    })
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 1..prime {
        if power == residue {
            return true;
        }
        power = power * (65537 % prime) % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_65537_are_told_from_other_residues() {
        // Modulo 11, 65537 is 10, whose powers are 1 and 10.
        assert!(is_power_of_65537(1, 11) && is_power_of_65537(10, 11));
        assert!((2..10).all(|residue| !is_power_of_65537(residue, 11)));
        assert!(!is_power_of_65537(0, 11));
    }

    #[test]
    fn a_power_of_65537_has_the_fingerprint_and_its_neighbour_has_not() {
        assert!(fingerprint_matches(&[1, 0, 1]));
        assert!(!fingerprint_matches(&[1, 0, 3]));
    }
}

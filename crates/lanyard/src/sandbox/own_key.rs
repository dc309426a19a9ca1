//! A relying party's own key, as the sandbox keeps it and tells it: PKCS #8 in PEM, not encrypted, since the whole
//! folder is its owner's and the key is worth nothing elsewhere.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use standards::jose::{Algorithm, SoftwareKey};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Characters in a line [RFC 7468 2].
const LINE: usize = 64;

/// A new key for ES256.
pub fn fresh() -> anyhow::Result<String> {
    let der = SoftwareKey::generate(Algorithm::ES256)?.to_pkcs8_der()?;
    let text = STANDARD.encode(der.as_slice());
    let mut pem = format!("{BEGIN}\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(END);
    Ok(pem)
}

/// The key that was kept.
pub fn read(pem: &str) -> anyhow::Result<SoftwareKey> {
    let text: String = pem
        .trim()
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END))
        .context("a relying party's key is no PEM; --fresh begins anew")?
        .split_whitespace()
        .collect();
    Ok(SoftwareKey::from_pkcs8_der(&STANDARD.decode(text)?)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use standards::jose::Signer as _;

    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was_kept_and_keeps_its_name() {
        let pem = fresh().unwrap();
        assert!(pem.lines().all(|line| line.len() <= LINE));
        let (one, again) = (read(&pem).unwrap(), read(&pem).unwrap());
        assert_eq!(one.public_jwk(), again.public_jwk());
        assert!(one.public_jwk().kid().is_some());
        assert!(read("no key").is_err());
    }
}

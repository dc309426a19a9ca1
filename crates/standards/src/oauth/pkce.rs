//! Proof key for code exchange (RFC 7636), method S256 only [SEC-08].

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The hash that the client sends first. Holding one proves that the method was S256.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeChallenge([u8; 32]);

/// The secret that the client sends afterwards. Debug does not print it.
#[derive(Clone)]
pub struct CodeVerifier(Zeroizing<String>);

/// Why a challenge or verifier is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// `plain`, an unknown method, or none where the default would be `plain`.
    #[error("code_challenge_method must be S256")]
    Method,
    /// A method without a challenge.
    #[error("code_challenge is missing")]
    ChallengeMissing,
    /// Not a base64url SHA-256.
    #[error("code_challenge must be 43 base64url characters")]
    Challenge,
    /// RFC 7636, 4.1.
    #[error("code_verifier must be 43 to 128 letters, digits, or - . _ ~")]
    Verifier,
}

impl CodeChallenge {
    /// Reads the two request parameters; neither sent means no PKCE, which is `Ok(None)`.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Option<Self>, PkceError> {
        Self::parse_with(challenge, method, Self::exact)
    }

    /// As [`parse`](Self::parse), but one trailing `=` is tolerated: a legacy client sends 44 characters.
    pub fn parse_padded(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, PkceError> {
        Self::parse_with(challenge, method, |text| {
            Self::exact(if text.len() == 44 {
                text.strip_suffix('=').unwrap_or(text)
            } else {
                text
            })
        })
    }

    fn parse_with(
        challenge: Option<&str>,
        method: Option<&str>,
        read: impl Fn(&str) -> Result<Self, PkceError>,
    ) -> Result<Option<Self>, PkceError> {
        match (challenge, method) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(PkceError::ChallengeMissing),
            // [RFC 7636 4.3] An absent method means `plain`, which protects nothing.
            (Some(challenge), Some("S256")) => read(challenge).map(Some),
            (Some(_), _) => Err(PkceError::Method),
        }
    }

    fn exact(text: &str) -> Result<Self, PkceError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| PkceError::Challenge)?;
        bytes.try_into().map(Self).map_err(|_| PkceError::Challenge)
    }

    /// Reads a stored challenge back (the text that [`to_text`](Self::to_text) gave).
    pub fn from_text(text: &str) -> Result<Self, PkceError> {
        Self::exact(text)
    }

    /// The challenge as it travels and is stored: 43 characters.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// [RFC 7636 4.6] Whether the verifier hashes to this challenge, in constant time.
    pub fn matches(&self, verifier: &CodeVerifier) -> bool {
        self.0.ct_eq(&verifier.challenge().0).into()
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeChallenge({})", self.to_text())
    }
}

impl CodeVerifier {
    /// Reads the token request's parameter.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err(PkceError::Verifier);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// A client's fresh verifier from 32 random bytes.
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(random)))
    }

    /// The secret itself, for the token request and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The S256 challenge of this verifier.
    pub fn challenge(&self) -> CodeChallenge {
        let hash = digest::digest(&digest::SHA256, self.0.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        CodeChallenge(bytes)
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_rfc_7636_example_matches_and_another_verifier_does_not() {
        let challenge = CodeChallenge::parse(Some(CHALLENGE), Some("S256"))
            .unwrap()
            .unwrap();
        assert!(challenge.matches(&CodeVerifier::parse(VERIFIER).unwrap()));
        assert!(!challenge.matches(&CodeVerifier::from_random([7; 32])));
        assert_eq!(challenge.to_text(), CHALLENGE);
    }

    #[test]
    fn sec_08_plain_and_an_absent_method_are_refused() {
        assert_eq!(
            CodeChallenge::parse(Some(CHALLENGE), Some("plain")),
            Err(PkceError::Method)
        );
        assert_eq!(
            CodeChallenge::parse(Some(CHALLENGE), None),
            Err(PkceError::Method)
        );
        assert_eq!(
            CodeChallenge::parse(None, Some("S256")),
            Err(PkceError::ChallengeMissing)
        );
        assert_eq!(CodeChallenge::parse(None, None), Ok(None));
    }

    #[test]
    fn a_padded_challenge_is_only_understood_by_the_legacy_reader() {
        let padded = format!("{CHALLENGE}=");
        assert_eq!(
            CodeChallenge::parse(Some(&padded), Some("S256")),
            Err(PkceError::Challenge)
        );
        let read = CodeChallenge::parse_padded(Some(&padded), Some("S256"))
            .unwrap()
            .unwrap();
        assert!(read.matches(&CodeVerifier::parse(VERIFIER).unwrap()));
        let twice = format!("{CHALLENGE}==");
        assert_eq!(
            CodeChallenge::parse_padded(Some(&twice), Some("S256")),
            Err(PkceError::Challenge)
        );
    }

    #[test]
    fn a_verifier_outside_the_alphabet_or_length_is_refused() {
        for text in [
            &VERIFIER[1..],
            &VERIFIER.replace('-', "+"),
            &"a".repeat(129),
            "",
        ] {
            assert_eq!(
                CodeVerifier::parse(text).err(),
                Some(PkceError::Verifier),
                "{text}"
            );
        }
    }

    #[test]
    fn printing_a_verifier_shows_nothing() {
        assert_eq!(
            format!("{:?}", CodeVerifier::parse(VERIFIER).unwrap()),
            "CodeVerifier(…)"
        );
    }
}

//! Certificate chains for keys that issue: whoever trusts a certificate authority then needs no document of ours to
//! believe a signature. [RFC 7515 4.1.6, HA-04, HA-07]
//!
//! An organisation may have one for each of its keys, since a key that takes another's place needs a certificate of its
//! own. Which chain is of which key says its first certificate. What a chain says by itself is checked wherever it is read;
//! whether its key is one that issues, and its dates, when it is declared and whenever it is used: a gateway starts
//! with a chain that has ended, and leaves it out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use standards::base64url;
use standards::jose::Jwk;
use x509_parser::oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_SIG_ED25519};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::Organisation;
use crate::config::ConfigError;
use crate::config::place::{Place, Placed};

/// The longest file.
const LONGEST: usize = 64 * 1024;
/// As many certificates as others read in a header.
const MOST: usize = 10;
/// The most chains of one organisation: one each for keys that sign, come next, and verify only, and their renewals.
const MOST_CHAINS: usize = 16;

/// Why certificates are no chain for a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Too much.
    #[error("at most {MOST} certificates in {LONGEST} bytes")]
    TooLong,
    /// The file holds a private key.
    #[error(
        "there is a private key in it: take it out, and give the key up if others could read the file"
    )]
    PrivateKey,
    /// It is not PEM, or not certificates.
    #[error("it is no PEM of certificates (`-----BEGIN CERTIFICATE-----`)")]
    Format,
    /// One of them cannot be read.
    #[error("certificate {0} cannot be read")]
    Certificate(usize),
    /// The end of the chain is among it. [HA-04]
    #[error(
        "certificate {0} is signed by itself: leave the authority's root out, and have the key's own signed by an authority"
    )]
    SelfSigned(usize),
    /// They do not stand one behind the other.
    #[error(
        "certificate {0} is not signed by the one behind it: the key's own comes first, then whoever signed it, and so on"
    )]
    Order(usize),
    /// A certificate of a key stands where an authority's must.
    #[error("certificate {0} is no authority's")]
    NoAuthority(usize),
    /// An authority's stands first.
    #[error("the first certificate is an authority's, and not the key's own")]
    Authority,
    /// It may not sign.
    #[error("the first certificate is not for digital signatures")]
    Usage,
    /// No key of ours could be that.
    #[error("the key of the first certificate is of no kind that issues here")]
    Kind,
    /// It is another key.
    #[error(
        "the first certificate is of a key that does not issue here ({0}): have the published key of the credentials or of \
         the status lists certified"
    )]
    AnotherKey(String),
    /// Its time has not come.
    #[error("it does not hold before {0}")]
    NotYet(Timestamp),
    /// Its time is over.
    #[error("it ended on {0}")]
    Over(Timestamp),
}

/// Certificates from a key's own up to, and without, the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The id of the key: its thumbprint.
    pub kid: String,
    /// When the last of them begins to hold.
    pub begins: Timestamp,
    /// When the first of them ends.
    pub ends: Timestamp,
    x5c: Vec<String>,
}

impl Chain {
    /// Reads PEM, and checks what the certificates say by themselves.
    pub fn parse(text: &str) -> Result<Self, ChainError> {
        if text.len() > LONGEST {
            return Err(ChainError::TooLong);
        }
        // First of all, so that it is told whatever else is wrong; and by the words alone, since a reader of PEM passes over a
        // damaged frame and what stands in it.
        if text.contains("PRIVATE KEY") {
            return Err(ChainError::PrivateKey);
        }
        let mut ders = Vec::new();
        for pem in Pem::iter_from_buffer(text.as_bytes()) {
            let pem = pem.map_err(|_| ChainError::Format)?;
            if pem.label != "CERTIFICATE" {
                return Err(ChainError::Format);
            }
            ders.push(pem.contents);
        }
        if ders.is_empty() {
            return Err(ChainError::Format);
        }
        if ders.len() > MOST {
            return Err(ChainError::TooLong);
        }
        Self::check(&ders)
    }

    fn check(ders: &[Vec<u8>]) -> Result<Self, ChainError> {
        let mut certificates = Vec::new();
        for (at, der) in ders.iter().enumerate() {
            let unread = ChainError::Certificate(at + 1);
            match X509Certificate::from_der(der) {
                Ok(([], certificate)) => certificates.push(certificate),
                _ => return Err(unread),
            }
        }
        let (mut begins, mut ends) = (i64::MIN, i64::MAX);
        for (at, certificate) in certificates.iter().enumerate() {
            // [HA-04] No trust anchor: who believes it has it already.
            if certificate.subject().as_raw() == certificate.issuer().as_raw() {
                return Err(ChainError::SelfSigned(at + 1));
            }
            match (at, certificate.is_ca()) {
                (0, true) => return Err(ChainError::Authority),
                (0, false) | (_, true) => {}
                (_, false) => return Err(ChainError::NoAuthority(at + 1)),
            }
            if let Some(above) = certificates.get(at + 1) {
                let named = certificate.issuer().as_raw() == above.subject().as_raw();
                let signed = certificate.verify_signature(Some(above.public_key()));
                if !named || signed.is_err() {
                    return Err(ChainError::Order(at + 1));
                }
            }
            begins = begins.max(certificate.validity().not_before.timestamp());
            ends = ends.min(certificate.validity().not_after.timestamp());
        }
        let own = certificates.first().ok_or(ChainError::Format)?;
        let usage = own.key_usage().map_err(|_| ChainError::Certificate(1))?;
        if usage.is_some_and(|usage| !usage.value.digital_signature()) {
            return Err(ChainError::Usage);
        }
        let at = |second| Timestamp::from_second(second).map_err(|_| ChainError::Certificate(1));
        Ok(Self {
            kid: key_of(own).ok_or(ChainError::Kind)?.thumbprint(),
            begins: at(begins)?,
            ends: at(ends)?,
            x5c: ders.iter().map(|der| STANDARD.encode(der)).collect(),
        })
    }

    /// Whether it is of one of these keys and holds now: what is asked of a chain that is declared.
    pub fn check_for<'a>(
        &self,
        mut keys: impl Iterator<Item = &'a Jwk>,
        now: Timestamp,
    ) -> Result<(), ChainError> {
        if !keys.any(|key| key.thumbprint() == self.kid) {
            return Err(ChainError::AnotherKey(self.kid.clone()));
        }
        if now < self.begins {
            return Err(ChainError::NotYet(self.begins));
        }
        if now >= self.ends {
            return Err(ChainError::Over(self.ends));
        }
        Ok(())
    }

    /// Whether it holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.begins <= now && now < self.ends
    }

    /// How many whole days it holds from now on; less than nothing where it has ended.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.ends.as_second() - now.as_second()).div_euclid(86_400)
    }

    /// As headers and keys carry it: DER in base64 with padding, the key's own first. [RFC 7515 4.1.6, RFC 7517 4.7]
    pub fn x5c(&self) -> &[String] {
        &self.x5c
    }
}

impl Placed for Chain {
    const SAID: &'static str = "{ file = … } or certificates as PEM";
    const LARGEST: u64 = LONGEST as u64;

    fn of_file(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| ChainError::Format.to_string())?;
        Self::of_text(text)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    /// The certificates and nothing else of the file: a private key that somebody left in it goes nowhere.
    fn to_text(&self) -> String {
        let mut pem = String::new();
        for certificate in &self.x5c {
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            let mut rest = certificate.as_str();
            while !rest.is_empty() {
                let (line, more) = rest.split_at(rest.len().min(64));
                pem.push_str(line);
                pem.push('\n');
                rest = more;
            }
            pem.push_str("-----END CERTIFICATE-----\n");
        }
        pem
    }
}

/// The key that a certificate is of, if it is of a kind that could be ours.
fn key_of(certificate: &X509Certificate<'_>) -> Option<Jwk> {
    let info = certificate.public_key();
    let bits = info.subject_public_key.data.as_ref();
    let value = if info.algorithm.algorithm == OID_SIG_ED25519 {
        json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(bits)})
    } else {
        match info.parsed().ok()? {
            PublicKey::EC(_) => {
                let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
                let curve = match curve {
                    curve if curve == OID_EC_P256 => "P-256",
                    curve if curve == OID_NIST_EC_P384 => "P-384",
                    _ => return None,
                };
                // [RFC 5480 2.2] A compressed point is none of ours.
                let (&4, point) = bits.split_first()? else {
                    return None;
                };
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": curve, "x": base64url::encode(x), "y": base64url::encode(y)})
            }
            PublicKey::RSA(key) => {
                let number = |bytes: &[u8]| {
                    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                    base64url::encode(bytes.get(zeros..).unwrap_or_default())
                };
                json!({"kty": "RSA", "n": number(key.modulus), "e": number(key.exponent)})
            }
            _ => return None,
        }
    };
    Jwk::parse(&value).ok()
}

/// Reads the chains that are declared of an organisation.
pub(super) fn load(id: &str, places: &[Place<Chain>]) -> Result<Vec<Chain>, ConfigError> {
    let fault = |at: usize, reason: String| {
        let key = format!("organisations.{id}.certificate_chains ({})", at + 1);
        ConfigError::value(key, reason)
    };
    if places.len() > MOST_CHAINS {
        return Err(fault(
            MOST_CHAINS,
            format!("at most {MOST_CHAINS}: take out those that have ended"),
        ));
    }
    let chains = places.iter().enumerate();
    chains
        .map(|(at, place)| place.read().map_err(|reason| fault(at, reason)))
        .collect()
}

impl Organisation {
    /// Every chain that is declared of it, whether it holds or not.
    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }

    /// The chain of a key, by its id: of several that hold, the one that holds longest. `None` where there is none, or
    /// none that holds: whoever is shown a certificate that has ended believes nothing.
    pub fn chain_of(&self, kid: &str, now: Timestamp) -> Option<&Chain> {
        let of_key = self.chains.iter().filter(|chain| chain.kid == kid);
        of_key
            .filter(|chain| chain.holds(now))
            .max_by_key(|chain| chain.ends)
    }

    /// The chain of a key that lasts longest, whether it holds or not: what an operator must know of.
    pub fn latest_chain_of(&self, kid: &str) -> Option<&Chain> {
        let of_key = self.chains.iter().filter(|chain| chain.kid == kid);
        of_key.max_by_key(|chain| chain.ends)
    }

    /// A key as it is published, with its chain where it has one. [RFC 7517 4.7]
    pub fn published(&self, key: &Jwk, named: &Jwk, now: Timestamp) -> Value {
        let mut value = named.to_value();
        if let Some(chain) = self.chain_of(&key.thumbprint(), now) {
            value["x5c"] = json!(chain.x5c());
        }
        value
    }
}

//! When a TLS certificate ends: the one thing that is read of it here, for the figures.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The end of the first certificate in this file (PEM): the server's own.
pub fn end(file: &Path) -> anyhow::Result<Timestamp> {
    let certificate = CertificateDer::from_pem_file(file)
        .with_context(|| format!("{} holds no certificate", file.display()))?;
    end_of(&certificate).with_context(|| format!("{} says no end that can be read", file.display()))
}

/// [RFC 5280 4.1] `Certificate { tbsCertificate { [0] version, serialNumber, signature, issuer, validity { notBefore,
/// notAfter } …`. The library that serves TLS reads all of it and does not tell this.
fn end_of(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(der)?;
    let (_, mut to_be_signed, _) = element(certificate)?;
    let (tag, _, after_first) = element(to_be_signed)?;
    if tag == 0xa0 {
        to_be_signed = after_first;
    }
    for _ in 0..3 {
        (_, _, to_be_signed) = element(to_be_signed)?;
    }
    let (_, validity, _) = element(to_be_signed)?;
    let (_, _, after_begin) = element(validity)?;
    let (tag, end, _) = element(after_begin)?;
    let text = std::str::from_utf8(end).ok()?;
    // [RFC 5280 4.1.2.5] UTCTime until 2049, GeneralizedTime from then on; both in UTC.
    let text = match tag {
        0x17 if text.get(..2)? < "50" => format!("20{text}"),
        0x17 => format!("19{text}"),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|at| at.timestamp())
}

/// The tag and content of the first element, and what is behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_forms_of_time() {
        for year in [2031, 2077] {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            wanted.not_after = rcgen::date_time_ymd(year, 5, 6);
            let made = wanted.self_signed(&key).unwrap();
            let end = end_of(made.der()).unwrap();
            assert_eq!(end.to_string(), format!("{year}-05-06T00:00:00Z"));
            for cut in 0..made.der().len() {
                let _ = end_of(&made.der()[..cut]);
            }
        }
    }
}

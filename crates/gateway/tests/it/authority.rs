//! A certificate authority for a test: a root, an authority below it, and certificates for keys that are not its own.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SignatureAlgorithm,
};
use serde_json::Value;
use standards::base64url;
use standards::jose::Jwk;

pub(crate) struct Authority {
    pub(crate) root: String,
    pub(crate) middle: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The public half of a P-256 key of ours.
struct Point(Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Point {
    fn of(key: &Jwk) -> Self {
        let value: Value = key.to_value();
        let mut point = vec![4];
        for name in ["x", "y"] {
            point.extend(base64url::decode(value[name].as_str().unwrap()).unwrap());
        }
        Self(point)
    }
}

fn named(name: &str, is_ca: bool) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    }
    params
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::unlike("An authority", |_| ())
    }

    /// One that signs under that name, and whose own certificate is altered.
    pub(crate) fn unlike(signs_as: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (root_key, middle_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root = named("A root", true);
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let root = Issuer::new(root, root_key);
        let mut middle = named("An authority", true);
        change(&mut middle);
        let middle_pem = middle.signed_by(&middle_key, &root).unwrap().pem();
        Self {
            root: root_pem,
            middle: middle_pem,
            issuer: Issuer::new(named(signs_as, true), middle_key),
        }
    }

    /// The certificate of a key, from the day before yesterday until so many days from now.
    pub(crate) fn certificate(&self, key: &Jwk, days: i64, now: Timestamp) -> String {
        self.certificate_with(key, (-2, days), now, |_| ())
    }

    pub(crate) fn certificate_with(
        &self,
        key: &Jwk,
        (from, to): (i64, i64),
        now: Timestamp,
        change: impl FnOnce(&mut CertificateParams),
    ) -> String {
        let day = |days: i64| {
            let at = now + SignedDuration::from_hours(24 * days);
            let date = at.to_zoned(TimeZone::UTC).date();
            let part = |number: i8| number.unsigned_abs();
            rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
        };
        let mut params = named("Anytown NHS Trust", false);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        (params.not_before, params.not_after) = (day(from), day(to));
        change(&mut params);
        params
            .signed_by(&Point::of(key), &self.issuer)
            .unwrap()
            .pem()
    }

    /// The same with the authority's behind it.
    pub(crate) fn chain(&self, key: &Jwk, days: i64, now: Timestamp) -> String {
        format!("{}{}", self.certificate(key, days, now), self.middle)
    }
}

//! The world's relying parties: what they were given, and what they send.

use std::sync::Arc;

use gateway::organisation::dialect::Dialect;
use serde_json::{Map, Value, json};
use standards::jose::hmac_key::HmacKey;
use standards::jose::{Algorithm, jws};
use standards::oauth::pkce::CodeVerifier;

use super::{REDIRECT_URI, UNIQUE_IDENTIFIER};

/// A relying party with what it was given.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) signing_key: Arc<HmacKey>,
    pub(crate) organisation: &'static str,
    pub(crate) dialect: Dialect,
}

impl Party {
    pub(crate) fn par(&self) -> &'static str {
        match self.dialect {
            Dialect::V1A | Dialect::V1B => "/oidc/par",
            Dialect::V2 => "/v2.0/oidc/par",
            Dialect::Plain => "/par",
        }
    }

    pub(crate) fn authorize(&self) -> &'static str {
        match self.dialect {
            Dialect::V1A | Dialect::V1B => "/oidc/authorize",
            Dialect::V2 => "/v2.0/oidc/authorize",
            Dialect::Plain => "/authorize",
        }
    }

    pub(crate) fn token(&self) -> &'static str {
        match self.dialect {
            Dialect::V1A | Dialect::V1B => "/oidc/token",
            Dialect::V2 => "/v2.0/oidc/token",
            Dialect::Plain => "/token",
        }
    }
}

/// Parameters in order.
pub(crate) struct Form(pub(crate) Vec<(String, String)>);

impl Form {
    /// A good request to verify an identity, as that party sends it.
    pub(crate) fn new(party: &Party) -> Self {
        let mut form = Self(Vec::new());
        let fixed = [
            ("client_id", party.client_id.as_str()),
            ("client_secret", &party.secret),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("scope", "openid Identity"),
            ("nonce", "7d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31"),
            ("state", "9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5"),
        ];
        for (name, value) in fixed {
            form.set(name, value);
        }
        if party.dialect.rules().pkce == gateway::organisation::dialect::Pkce::Required {
            form.set(
                "code_challenge",
                &CodeVerifier::parse(&verifier())
                    .unwrap()
                    .challenge()
                    .to_text(),
            );
            form.set("code_challenge_method", "S256");
        }
        form
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Makes it a request to issue.
    pub(crate) fn issue(&mut self, credential_type: &str, hint: &str) {
        self.set("scope", &format!("openid issue.{credential_type}"));
        self.set("id_token_hint", hint);
    }

    pub(crate) fn code(&mut self, code: &str) {
        self.set("code", code);
    }

    /// As a query; `+` for a space, colons and slashes raw, as the deployed clients write it.
    pub(crate) fn query(&self) -> String {
        let pairs = self.0.iter().filter(|(name, _)| name != "client_secret");
        pairs
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+")))
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// The code verifier of every flow in these tests.
pub(crate) fn verifier() -> String {
    "Zm9yIHRlc3RzIG9ubHksIDQzIGNoYXJhY3RlcnMgbG9uZw"
        .chars()
        .take(43)
        .collect()
}

pub(crate) fn sign(key: &HmacKey, claims: &Map<String, Value>) -> String {
    jws::sign_hmac(
        key,
        Algorithm::HS256,
        jws::ProtectedHeader::typ("JWT"),
        claims,
    )
    .unwrap()
}

pub(crate) fn identity() -> Map<String, Value> {
    let claims = json!({
        "ID-LegalFirstName": "Anna", "ID-LegalSurname": "Taylor", "ID-BirthDate": "1990-04-12",
        "UniqueIdentifier": UNIQUE_IDENTIFIER,
    });
    claims.as_object().unwrap().clone()
}

pub(crate) fn fire_safety() -> Map<String, Value> {
    let claims = json!({
        "FS-StatMandSubject": "Fire safety", "FS-Level": "1", "FS-AttainmentStatus": "ACHIEVED",
        "FS-CompetencyFramework": "CSTF", "FS-CompetencyName": "NHS|CSTF|Fire Safety",
        "FS-LastDateAwarded": "2026-05-01T09:30:00.1234567+01:00", "FS-RenewalPeriod": "1", "FS-Units": "Year",
        "FS-LearningMethod": "elearning", "FS-DateTo": "2027-05-01T09:30:00.1234567+01:00",
        "FS-Origin": "elfh Hub", "FS-AssurancePolicy": "Core Skills Training Framework (CSTF)",
        "FS-AssuranceOutcome": "Evidence of completion of topic", "FS-Provider": "NHS England TEL",
        "FS-Verifier": "NHS England TEL", "FS-VerificationMethod": "elearning completion",
        "FS-LastRefresh": "2026-11-01T00:00:00.0000000+00:00", "UniqueIdentifier": UNIQUE_IDENTIFIER,
    });
    claims.as_object().unwrap().clone()
}

pub(crate) fn programme() -> Map<String, Value> {
    let claims = json!({
        "TPR-Name": "Cardiology", "TPR-ProgrammeStartDate": "2026-08-05", "TPR-ProgrammeEndDate": "2028-08-01",
        "TPR-Origin": "NHS England", "TPR-AssurancePolicy": "Postgraduate doctor trainee programme assessment",
        "TPR-AssuranceOutcome": "Postgraduate doctor trainee programme registration", "TPR-Provider": "NHS England",
        "TPR-Verifier": "Origin", "TPR-VerificationMethod": "Record Verification", "TPR-Pedigree": "Authoritative",
        "TPR-LastRefresh": "2026-11-01", "UniqueIdentifier": UNIQUE_IDENTIFIER,
    });
    claims.as_object().unwrap().clone()
}

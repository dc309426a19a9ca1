//! The sandbox's organisations and relying parties, as the gateway's configuration has them.

use gateway::config::{Config, OrganisationConfig, RelyingPartyConfig, Secret, TrustConfig};
use gateway::limits::LimitsConfig;
use gateway::organisation::dialect::Dialect;
use gateway::organisation::relying_party::{AuthMethod, IdTokenAlgorithm};
use standards::jose::{JwkSet, Signer as _};
use url::Url;
use zeroize::Zeroizing;

use super::Options;
use super::own_key;
use super::secrets::{PartySecrets, Secrets};

/// The organisation that everyone in the sandbox belongs to.
pub const ANYTOWN: &str = "anytown";
/// An organisation that no trust list names.
pub const ELSEWHERE: &str = "elsewhere";
/// Where outside programs wait for the browser, whatever the base port.
const OUTSIDE: &str = "http://localhost:8499/callback";

/// A relying party before it has its secrets.
pub struct Party {
    /// Its name, also on pages.
    pub name: &'static str,
    /// Its organisation.
    pub organisation: &'static str,
    /// Its dialect.
    pub dialect: Dialect,
    /// Whether `sandbox.json` tells outside programs about it.
    pub shown: bool,
    /// Whether it signs in and signs its drafts with a key of its own, in the place of shared secrets.
    pub keyed: bool,
}

/// The name of the relying party that is the staff portal.
pub const STAFF_SERVICES: &str = "Anytown Staff Services";
/// The name of the relying party that gives employees their identity credential.
pub const HR: &str = "Anytown HR";
/// The same in the organisation that nobody trusts.
pub const ELSEWHERE_HR: &str = "Elsewhere HR";

/// The name of the relying party that an external system is through the sidecar.
pub const LEARNING_PORTAL: &str = "Anytown Learning Portal";

/// Every relying party of the sandbox.
#[rustfmt::skip]
pub const PARTIES: [Party; 8] = [
    Party { name: STAFF_SERVICES, organisation: ANYTOWN, dialect: Dialect::V2, shown: true, keyed: false },
    Party { name: HR, organisation: ANYTOWN, dialect: Dialect::V2, shown: true, keyed: false },
    Party { name: "Trainee Records", organisation: ANYTOWN, dialect: Dialect::V1A, shown: true, keyed: false },
    Party { name: "Learning Records", organisation: ANYTOWN, dialect: Dialect::V1B, shown: true, keyed: false },
    Party { name: "Any OpenID Connect client", organisation: ANYTOWN, dialect: Dialect::Plain, shown: true, keyed: false },
    Party { name: "OpenID Connect client with its own key", organisation: ANYTOWN, dialect: Dialect::Plain, shown: true, keyed: true },
    Party { name: LEARNING_PORTAL, organisation: ANYTOWN, dialect: Dialect::V2, shown: false, keyed: false },
    Party { name: ELSEWHERE_HR, organisation: ELSEWHERE, dialect: Dialect::V2, shown: false, keyed: false },
];

impl Party {
    /// Its dialect, as the connector names it.
    pub fn connector_dialect(&self) -> connector::Dialect {
        match self.dialect {
            Dialect::V1A => connector::Dialect::V1A,
            Dialect::V1B => connector::Dialect::V1B,
            Dialect::V2 => connector::Dialect::V2,
            Dialect::Plain => connector::Dialect::Plain,
        }
    }

    /// Where its browsers may be sent back to.
    pub fn redirect_uris(&self, returns: &Returns) -> Vec<String> {
        match self.dialect {
            _ if self.name == LEARNING_PORTAL => vec![returns.sidecar.to_string()],
            Dialect::V2 => vec![returns.portal.to_string(), OUTSIDE.to_owned()],
            _ => vec![OUTSIDE.to_owned()],
        }
    }
}

/// Where the sandbox's own relying parties expect their browsers back.
pub struct Returns {
    /// The staff portal.
    pub portal: Url,
    /// Whoever uses the sidecar.
    pub sidecar: Url,
}

/// The gateway's configuration in this sandbox.
pub fn gateway_config(
    options: &Options,
    public_url: Url,
    returns: &Returns,
    secrets: &Secrets,
) -> anyhow::Result<Config> {
    let anytown_did = gateway::organisation::did_of(&public_url, ANYTOWN)?;
    let types = [
        "Identity",
        "TrainingProgramme",
        "TrainingPlacement",
        "FireSafety",
    ]
    .map(str::to_owned);
    let trust = types.clone().map(|credential_type| TrustConfig {
        credential_type,
        issuers: vec![anytown_did.clone()],
    });
    let organisation = |id: &str, name: &str, trust: Vec<TrustConfig>| {
        let parties = PARTIES.iter().filter(|party| party.organisation == id);
        anyhow::Ok(OrganisationConfig {
            id: id.to_owned(),
            name: name.to_owned(),
            did: None,
            brand: None,
            certificate_chains: Vec::new(),
            fetch_hosts: None,
            registered: false,
            issues: types.to_vec(),
            trust,
            relying_parties: parties
                .map(|party| registered(party, returns, secrets))
                .collect::<Result<_, _>>()?,
        })
    };
    Ok(Config {
        listen: ([127, 0, 0, 1], options.base_port).into(),
        database: options.database_address(),
        tls_certificate: options.tls_cert.clone(),
        tls_key: options.tls_key.clone(),
        limits: LimitsConfig::sandbox(),
        organisations: vec![
            organisation(ANYTOWN, "Anytown NHS Trust", trust.to_vec())?,
            organisation(ELSEWHERE, "Elsewhere Agency", Vec::new())?,
        ],
        ..Config::sandboxed(public_url, &options.data, &secrets.storage_secret)
    })
}

fn registered(
    party: &Party,
    returns: &Returns,
    secrets: &Secrets,
) -> anyhow::Result<RelyingPartyConfig> {
    let PartySecrets {
        client_id,
        client_secret,
        signing_key,
        private_key,
    } = secrets.parties[party.name].clone();
    if let Some(key) = private_key {
        let keys = JwkSet::new([own_key::read(&key)?.public_jwk().clone()]);
        return Ok(RelyingPartyConfig {
            token_endpoint_auth_method: Some(AuthMethod::PrivateKeyJwt),
            jwks: Some(keys.to_value()),
            id_token_signed_response_alg: Some(IdTokenAlgorithm::EdDSA),
            redirect_uris: party.redirect_uris(returns),
            ..RelyingPartyConfig::new(client_id, party.name, party.dialect)
        });
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, client_secret.as_bytes());
    Ok(RelyingPartyConfig {
        client_secret_sha256: vec![hex::encode(digest)],
        signing_key: Some(held(&signing_key)),
        redirect_uris: party.redirect_uris(returns),
        ..RelyingPartyConfig::new(client_id, party.name, party.dialect)
    })
}

fn held(secret: &str) -> Secret {
    Secret::Held(Zeroizing::new(secret.to_owned()))
}

//! What others see of the gateway: its name, its certificate, what it publishes. Asked by its public address, as a
//! wallet asks; what stands between is part of it.

use std::path::Path;
use std::time::Duration;

use gateway::{Config, Gateway};
use serde_json::Value;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Findings;

/// A certificate that ends sooner should have been renewed.
const SOON: i64 = 21;

/// Behind a proxy, the caller's address comes in a header, or everybody is one address.
pub(super) fn look_at_proxy(config: &Config, findings: &mut Findings) {
    let ends_tls = config.tls_certificate.is_some();
    match (ends_tls, &config.address_header) {
        (false, None) => findings.look(
            "proxy",
            "a proxy ends TLS, and no address_header is named: everybody counts as one address, or as none",
        ),
        (true, Some(header)) => findings.look(
            "proxy",
            format!("the gateway ends TLS itself, and believes whatever a caller writes into {header}: take address_header out, or say where TLS ends"),
        ),
        (false, Some(header)) => findings.good("proxy", format!("a proxy ends TLS; the last value of {header} is the caller's address")),
        (true, None) => findings.good("proxy", "the gateway ends TLS itself; the caller's address is the connection's"),
    }
}

/// DNS, TLS, and every published document.
pub(super) async fn look_from_outside(
    gateway: &Gateway,
    config: &Config,
    authority: Option<&Path>,
    findings: &mut Findings,
) {
    let url = &config.public_url;
    let (Some(host), port) = (url.host_str(), url.port_or_known_default().unwrap_or(443)) else {
        return findings.bad("dns", "public_url has no host");
    };
    match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => {
            let all: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
            findings.good("dns", format!("{host} is {}", all.join(", ")));
        }
        Err(error) => {
            return findings.bad(
                "dns",
                format!("{host} has no address here ({error}): enter it in DNS"),
            );
        }
    }
    let client = match client(authority) {
        Ok(client) => client,
        Err(error) => return findings.bad("tls", format!("{error:#}")),
    };
    let alive = match client
        .get(format!("{}/healthz", gateway.app().base))
        .send()
        .await
    {
        Ok(answer) => answer,
        Err(error) => {
            let error = anyhow::Error::from(error);
            return findings.bad(
                "reach",
                format!("{url} does not answer ({error:#}): is the gateway running, and is the certificate one that wallets trust?"),
            );
        }
    };
    look_at_certificate(&alive, findings);
    if alive.status().is_success() {
        findings.good("reach", format!("{url} answers"));
    } else {
        findings.bad(
            "reach",
            format!(
                "{url}/healthz answers {}: does the proxy lead here?",
                alive.status()
            ),
        );
    }
    look_at_documents(gateway, &client, findings).await;
}

fn client(authority: Option<&Path>) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .tls_info(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10));
    if let Some(file) = authority {
        let pem = std::fs::read(file)?;
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem)?);
    }
    Ok(builder.build()?)
}

fn look_at_certificate(answer: &reqwest::Response, findings: &mut Findings) {
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>();
    let ends = info
        .and_then(|info| info.peer_certificate())
        .and_then(|der| X509Certificate::from_der(der).ok())
        .map(|(_, certificate)| certificate.validity().not_after.timestamp());
    let Some(ends) = ends else {
        return findings.look("certificate", "when the certificate ends could not be read");
    };
    let days = (ends - jiff::Timestamp::now().as_second()) / 86_400;
    if days < SOON {
        findings.look(
            "certificate",
            format!("the certificate ends in {days} days: see that it is renewed"),
        );
    } else {
        findings.good(
            "certificate",
            format!("the certificate is good for {days} days"),
        );
    }
}

/// What wallets and relying parties read before anything else must be this gateway's own words.
async fn look_at_documents(gateway: &Gateway, client: &reqwest::Client, findings: &mut Findings) {
    let app = gateway.app();
    let base = &app.base;
    let mut wanted = vec![(
        format!("{base}/.well-known/openid-configuration"),
        "issuer",
        base.clone(),
    )];
    for organisation in app.organisations.iter() {
        let id = &organisation.id;
        wanted.push((
            format!("{base}/.well-known/openid-credential-issuer/issuers/{id}"),
            "credential_issuer",
            organisation.credential_issuer.clone(),
        ));
        let document = standards::did::Did::parse(&organisation.did)
            .and_then(|did| standards::did::web::document_url(&did))
            .and_then(|url| url.with_scheme("https"));
        if let Ok(url) = document {
            wanted.push((url.to_string(), "id", organisation.did.clone()));
        }
    }
    let count = wanted.len();
    let mut wrong = Vec::new();
    for (address, member, expected) in wanted {
        let says = match client.get(&address).send().await {
            Ok(answer) => answer.json::<Value>().await.ok(),
            Err(_) => None,
        };
        let says = says.and_then(|document| Some(document.get(member)?.as_str()?.to_owned()));
        if says.as_deref() != Some(expected.as_str()) {
            wrong.push(address);
        }
    }
    if wrong.is_empty() {
        findings.good(
            "documents",
            format!("{count} published documents are this gateway's"),
        );
    } else {
        findings.bad(
            "documents",
            format!(
                "not what this gateway publishes: {}; does the proxy lead every path here?",
                wrong.join(", ")
            ),
        );
    }
}

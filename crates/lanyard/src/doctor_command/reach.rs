//! Who asks the gateway's public addresses from here: whoever has this machine, who may ask any network, and may trust an
//! authority of their own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gateway::checklist::{Asks, Handshake, Knocks, Seen, Unseen};
use reqwest::header::HeaderMap;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// How long each address may take.
const LONGEST: Duration = Duration::from_secs(10);
/// As much as is read of an answer: DID documents and metadata are far below it.
const LARGEST: usize = 1024 * 1024;

/// The client, and what begins a TLS connection as it does.
#[derive(Clone)]
pub(super) struct Here {
    client: reqwest::Client,
    tls: TlsConnector,
}

impl Here {
    pub(super) fn new(authority: Option<&Path>) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder()
            .tls_info(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(LONGEST);
        let mut roots = Vec::new();
        if let Some(file) = authority {
            let pem = std::fs::read(file)?;
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem)?);
            let found = CertificateDer::pem_slice_iter(&pem);
            roots = found.collect::<Result<_, _>>()?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            client: builder.build()?,
            tls: TlsConnector::from(Arc::new(tls)),
        })
    }

    async fn begin_tls(&self, url: &Url) -> anyhow::Result<Handshake> {
        let host = url.host().context("no host")?;
        let port = url.port_or_known_default().context("no port")?;
        let name = match &host {
            Host::Domain(name) => ServerName::try_from((*name).to_owned())?,
            Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(*address)),
            Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(*address)),
        };
        let stream = match &host {
            Host::Domain(name) => TcpStream::connect((*name, port)).await?,
            Host::Ipv4(address) => TcpStream::connect((*address, port)).await?,
            Host::Ipv6(address) => TcpStream::connect((*address, port)).await?,
        };
        let stream = self.tls.connect(name, stream).await?;
        let (_, begun) = stream.get_ref();
        let version = match begun.protocol_version().context("no version")? {
            rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
            rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
            other => format!("{other:?}"),
        };
        let chain = begun.peer_certificates().unwrap_or_default();
        let chain = chain.iter().map(|one| one.to_vec()).collect();
        Ok(Handshake { version, chain })
    }
}

impl Asks for Here {
    async fn ask(&self, url: Url) -> Result<Seen, Unseen> {
        let asked = self.knock(url, HeaderMap::new()).await;
        asked.map(|(seen, _)| seen)
    }
}

impl Knocks for Here {
    async fn knock(&self, url: Url, headers: HeaderMap) -> Result<(Seen, HeaderMap), Unseen> {
        let failed = |error: reqwest::Error| {
            let error = anyhow::Error::from(error);
            Unseen::NoAnswer(format!("{error:#}"))
        };
        let asked = self.client.get(url).headers(headers);
        let mut answer = asked.send().await.map_err(failed)?;
        let heard = answer.headers().clone();
        let tls = answer.extensions().get::<reqwest::tls::TlsInfo>();
        let certificate = tls
            .and_then(|tls| tls.peer_certificate())
            .map(<[u8]>::to_vec);
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Unseen::NoAnswer("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let seen = Seen {
            status,
            body,
            certificate,
        };
        Ok((seen, heard))
    }

    async fn shake_hands(&self, url: &Url) -> Result<Handshake, Unseen> {
        let begun = tokio::time::timeout(LONGEST, self.begin_tls(url)).await;
        match begun {
            Ok(Ok(handshake)) => Ok(handshake),
            Ok(Err(error)) => Err(Unseen::NoAnswer(format!("{error:#}"))),
            Err(_) => Err(Unseen::NoAnswer("nothing came in time".to_owned())),
        }
    }
}

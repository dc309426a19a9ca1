//! Who asks the gateway's public addresses from here: whoever has this machine, who may ask any network, and may trust an
//! authority of their own.

use std::path::Path;
use std::time::Duration;

use gateway::checklist::{Asks, Seen, Unseen};
use url::Url;

/// How long each address may take.
const LONGEST: Duration = Duration::from_secs(10);
/// As much as is read of an answer: DID documents and metadata are far below it.
const LARGEST: usize = 1024 * 1024;

/// The client.
#[derive(Clone)]
pub(super) struct Here(reqwest::Client);

impl Here {
    pub(super) fn new(authority: Option<&Path>) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder()
            .tls_info(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(LONGEST);
        if let Some(file) = authority {
            let pem = std::fs::read(file)?;
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem)?);
        }
        Ok(Self(builder.build()?))
    }
}

impl Asks for Here {
    async fn ask(&self, url: Url) -> Result<Seen, Unseen> {
        let failed = |error: reqwest::Error| {
            let error = anyhow::Error::from(error);
            Unseen::NoAnswer(format!("{error:#}"))
        };
        let mut answer = self.0.get(url).send().await.map_err(failed)?;
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
        Ok(Seen {
            status,
            body,
            certificate,
        })
    }
}

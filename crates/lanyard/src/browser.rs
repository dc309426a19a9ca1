//! A browser without JavaScript, for programs that play an employee: it keeps cookies, follows
//! redirects one by one, and finds links by their `id`.
//!
//! It stops where the relying party's redirect URI begins, since nobody need listen there.

mod html;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use connector::{Exchange, Observer};
use reqwest::header;
use url::Url;

pub use html::{Form, Tag, form, href, tags, title};

/// More redirects in a row than any journey has.
const MOST_REDIRECTS: usize = 10;
/// The largest page read.
const LARGEST_PAGE: usize = 2 << 20;

/// One browser: one person, one set of cookies.
pub struct Browser {
    client: reqwest::Client,
    observer: Option<Arc<dyn Observer>>,
    redirect_uri: Url,
}

/// Where a browser ended up.
#[derive(Debug)]
pub enum Arrived {
    /// On a page.
    Page(Page),
    /// Back at the relying party, with this query.
    Back(String),
}

/// A page as it was loaded.
#[derive(Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Its HTTP status.
    pub status: u16,
    /// Its text.
    pub html: String,
}

impl Page {
    /// The `href` of the element with this id, as it is written.
    pub fn href(&self, id: &str) -> Option<String> {
        href(&self.html, id)
    }

    /// What it is called and how it was answered, for messages.
    pub fn name(&self) -> String {
        let title = title(&self.html).unwrap_or_else(|| "no title".to_owned());
        format!("{:?} (HTTP status {})", title, self.status)
    }
}

impl Browser {
    /// A new browser, on its way to come back to `redirect_uri`.
    ///
    /// `certificate_authority` is one to trust besides the machine's own, as PEM.
    pub fn new(
        redirect_uri: Url,
        certificate_authority: Option<&[u8]>,
        observer: Option<Arc<dyn Observer>>,
    ) -> anyhow::Result<Self> {
        let client = plain_client(true, certificate_authority)?;
        Ok(Self {
            client,
            observer,
            redirect_uri,
        })
    }

    /// Open an address and follow where it leads.
    pub async fn open(&self, address: &Url) -> anyhow::Result<Arrived> {
        let mut address = address.clone();
        for _ in 0..MOST_REDIRECTS {
            if let Some(query) = self.came_back(&address) {
                return Ok(Arrived::Back(query));
            }
            ensure!(
                matches!(address.scheme(), "http" | "https"),
                "a browser cannot open {}:",
                address.scheme()
            );
            let request = self
                .client
                .get(address.clone())
                .header(header::ACCEPT, "text/html");
            let answer = exchange(&self.client, request.build()?, self.observer.as_deref()).await?;
            let location = answer.headers.iter().find(|(name, _)| name == "location");
            match location {
                Some((_, location)) if (300..400).contains(&answer.status) => {
                    address = address
                        .join(location)
                        .context("a redirect leads to no address")?;
                }
                _ => {
                    return Ok(Arrived::Page(Page {
                        url: address,
                        status: answer.status,
                        html: answer.body,
                    }));
                }
            }
        }
        bail!("more than {MOST_REDIRECTS} redirects in a row")
    }

    /// Load a page again, as a person does who is told to.
    pub async fn reload(&self, page: &Page) -> anyhow::Result<Arrived> {
        self.open(&page.url).await
    }

    /// Follow the link with this id.
    pub async fn follow(&self, page: &Page, id: &str) -> anyhow::Result<Arrived> {
        let target = page
            .href(id)
            .with_context(|| format!("{} has no link #{id}", page.name()))?;
        let target = page
            .url
            .join(&target)
            .with_context(|| format!("the link #{id} leads to no address"))?;
        self.open(&target).await
    }

    /// The query, if this address is the relying party's redirect URI.
    fn came_back(&self, address: &Url) -> Option<String> {
        let same = address.origin() == self.redirect_uri.origin()
            && address.path() == self.redirect_uri.path();
        same.then(|| address.query().unwrap_or_default().to_owned())
    }
}

/// An answer, read to its end.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

/// A client that follows no redirects and asks no proxy.
pub fn plain_client(
    cookies: bool,
    certificate_authority: Option<&[u8]>,
) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .cookie_store(cookies)
        // A wallet's scan may take ten seconds by itself.
        .timeout(Duration::from_secs(20));
    if let Some(pem) = certificate_authority {
        let authority =
            reqwest::Certificate::from_pem(pem).context("that is no certificate authority")?;
        builder = builder.tls_certs_merge([authority]);
    }
    builder
        .build()
        .context("the HTTP client could not be set up")
}

/// Send one request, and let the observer see it.
pub async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    observer: Option<&dyn Observer>,
) -> anyhow::Result<Answer> {
    let began = Instant::now();
    let mut seen = Exchange {
        method: request.method().to_string(),
        url: request.url().clone(),
        request_headers: texts(request.headers()),
        request_body: request
            .body()
            .and_then(reqwest::Body::as_bytes)
            .map(|body| String::from_utf8_lossy(body).into_owned())
            .unwrap_or_default(),
        status: Err("no answer".to_owned()),
        answer_headers: Vec::new(),
        answer_body: String::new(),
        took: Duration::ZERO,
    };
    let place = seen.url.origin().ascii_serialization();
    let answer = read(client.execute(request))
        .await
        .with_context(|| format!("{place} does not answer"));
    seen.took = began.elapsed();
    match &answer {
        Ok(answer) => {
            seen.status = Ok(answer.status);
            seen.answer_headers.clone_from(&answer.headers);
            seen.answer_body.clone_from(&answer.body);
        }
        Err(error) => seen.status = Err(format!("{error:#}")),
    }
    if let Some(observer) = observer {
        observer.exchanged(&seen);
    }
    answer
}

async fn read(
    response: impl Future<Output = reqwest::Result<reqwest::Response>>,
) -> anyhow::Result<Answer> {
    let mut response = response.await.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(reqwest::Error::without_url)?
    {
        ensure!(
            body.len() + chunk.len() <= LARGEST_PAGE,
            "the answer is too large"
        );
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status().as_u16(),
        headers: texts(response.headers()),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn texts(headers: &header::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

//! The world's browsers, and answers read to their end.

use std::time::Duration;

use base64::Engine;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::REDIRECT_URI;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.unwrap();
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
            json,
        }
    }

    /// The OAuth error code.
    pub(crate) fn error(&self) -> &str {
        self.json["error"].as_str().unwrap_or("")
    }

    /// The sentence beside it.
    pub(crate) fn description(&self) -> &str {
        self.json["error_description"].as_str().unwrap_or("")
    }

    /// The claims of the ID token, unverified: other tests verify its signature.
    pub(crate) fn id_token(&self) -> Value {
        let token = self.json["id_token"].as_str().unwrap();
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(payload)
                .unwrap(),
        )
        .unwrap()
    }
}

thread_local! {
    /// Making one costs more than most requests: it reads the machine's certificate authorities. Each thread has its own,
    /// since a test's runtime ends with the test, and each request its own connection, as of a client of its own.
    static CLIENT: Client = builder().pool_max_idle_per_host(0).build().unwrap();
}

/// A client without cookies and redirects.
pub(crate) fn client() -> Client {
    CLIENT.with(Client::clone)
}

/// The cookie of a browser that keeps it, another one each time: a header for [`client`].
pub(crate) fn a_cookie() -> String {
    let secret = format!("{0}{0}", uuid::Uuid::new_v4().simple());
    format!("lanyard-gateway={}", &secret[..43])
}

fn builder() -> reqwest::ClientBuilder {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // Everything here is http: the system's certificates need not be read each time.
        .tls_certs_only([])
        .timeout(Duration::from_secs(20))
}

/// One browser: its cookies, and no script.
pub(crate) struct Browser(Client);

/// Where it is: a page of the gateway's, or back at the relying party.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self(builder().cookie_store(true).build().unwrap())
    }

    /// Opens an address and follows redirects until a page, or until they leave the gateway.
    pub(crate) async fn open(&self, address: &str) -> Page {
        let mut url: Url = address.parse().unwrap();
        for _ in 0..5 {
            if url.as_str().starts_with(REDIRECT_URI) {
                return Page {
                    url: url.to_string(),
                    status: StatusCode::SEE_OTHER,
                    html: String::new(),
                };
            }
            let response = self.0.get(url.clone()).send().await.unwrap();
            let Some(location) = response
                .headers()
                .get("location")
                .map(|value| value.to_str().unwrap().to_owned())
            else {
                let status = response.status();
                return Page {
                    url: url.to_string(),
                    status,
                    html: response.text().await.unwrap(),
                };
            };
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            url = url.join(&location).unwrap();
        }
        panic!("too many redirects");
    }

    /// What one address answers, redirects not followed.
    pub(crate) async fn answer(&self, address: &str) -> Answer {
        Answer::read(self.0.get(address).send().await.unwrap()).await
    }

    /// Sends HEAD, as something that only looks does.
    pub(crate) async fn look(&self, address: &str) {
        self.0.head(address).send().await.unwrap();
    }

    /// Submits the form of a page whose action ends so.
    pub(crate) async fn submit(&self, page: &Page, action: &str) -> Page {
        self.submit_with(page, action, &[]).await
    }

    /// The same with headers of one's own.
    pub(crate) async fn submit_with(
        &self,
        page: &Page,
        action: &str,
        headers: &[(&str, &str)],
    ) -> Page {
        let csrf = attribute_after(&page.html, "name=\"csrf\"", "value").unwrap_or_default();
        let request = self.0.post(format!("{}/{action}", page.url));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = request.form(&[("csrf", csrf)]).send().await.unwrap();
        let location = response
            .headers()
            .get("location")
            .map(|value| value.to_str().unwrap().to_owned());
        match location {
            Some(location) => {
                let target = page.url.parse::<Url>().unwrap().join(&location).unwrap();
                self.open(target.as_str()).await
            }
            None => Page {
                url: page.url.clone(),
                status: response.status(),
                html: response.text().await.unwrap(),
            },
        }
    }

    pub(crate) async fn status(&self, page: &Page) -> Answer {
        Answer::read(
            self.0
                .get(format!("{}/status", page.url))
                .send()
                .await
                .unwrap(),
        )
        .await
    }
}

impl Page {
    /// The `href` of the element with that id.
    pub(crate) fn link(&self, id: &str) -> String {
        self.find_link(id)
            .unwrap_or_else(|| panic!("no #{id} on {} ({})\n{}", self.url, self.status, self.html))
    }

    pub(crate) fn find_link(&self, id: &str) -> Option<String> {
        let marked = format!("id=\"{id}\"");
        let tag = self.html.split('<').find(|tag| tag.contains(&marked))?;
        attribute_after(tag, "", "href")
    }

    /// A parameter with which the browser came back to the relying party.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        assert!(
            self.url.starts_with(REDIRECT_URI),
            "not back at the relying party but on {}\n{}",
            self.url,
            self.html
        );
        let url: Url = self.url.parse().unwrap();
        url.query_pairs()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn code(&self) -> String {
        self.parameter("code")
            .unwrap_or_else(|| panic!("no code in {}", self.url))
    }
}

fn attribute_after(html: &str, mark: &str, name: &str) -> Option<String> {
    let rest = &html[html.find(mark)?..];
    let value = rest.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
    Some(value.replace("&amp;", "&").replace("&#38;", "&"))
}

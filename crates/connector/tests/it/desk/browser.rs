//! A browser without script: its cookies, and what it reads on a page.

use reqwest::{Client, StatusCode};
use url::Url;

use super::world::REDIRECT_URI;

pub(crate) struct Browser(Client);

/// Where it is: a page of the gateway's, or back at the host.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .cookie_store(true)
            .no_proxy();
        Self(client.build().unwrap())
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
            let location = response.headers().get("location").cloned();
            let Some(location) = location else {
                return Page {
                    url: url.to_string(),
                    status: response.status(),
                    html: response.text().await.unwrap(),
                };
            };
            url = url.join(location.to_str().unwrap()).unwrap();
        }
        panic!("too many redirects");
    }

    /// Goes on from a page where somebody waited: by itself when all went well, by `Go back` otherwise. The query of
    /// the callback.
    pub(crate) async fn back_from(&self, page: &Page) -> String {
        let page = self.open(&page.url).await;
        let back = if page.url.starts_with(REDIRECT_URI) {
            page.url
        } else {
            page.link("go-back")
        };
        assert!(back.starts_with(REDIRECT_URI), "not back but at {back}");
        let url: Url = back.parse().unwrap();
        url.query().unwrap().to_owned()
    }
}

impl Page {
    /// The `href` of the element with that id.
    pub(crate) fn link(&self, id: &str) -> String {
        let marked = format!("id=\"{id}\"");
        let tag = self.html.split('<').find(|tag| tag.contains(&marked));
        let href = tag
            .and_then(|tag| tag.split_once("href=\""))
            .and_then(|(_, rest)| rest.split_once('"'));
        let (href, _) = href
            .unwrap_or_else(|| panic!("no #{id} on {} ({})\n{}", self.url, self.status, self.html));
        href.replace("&amp;", "&").replace("&#38;", "&")
    }
}

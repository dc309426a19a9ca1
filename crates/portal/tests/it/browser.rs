//! A browser without script: its cookies, its forms, and what it reads on a page.

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, StatusCode};
use url::Url;

pub(crate) struct Browser {
    client: Client,
    base: String,
}

/// Where it is.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new(base: &str) -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .cookie_store(true)
            .no_proxy();
        Self {
            client: client.build().unwrap(),
            base: base.to_owned(),
        }
    }

    fn address(&self, path: &str) -> Url {
        Url::parse(&self.base).unwrap().join(path).unwrap()
    }

    async fn read(response: reqwest::Response) -> Page {
        Page {
            url: response.url().to_string(),
            status: response.status(),
            headers: response.headers().clone(),
            html: response.text().await.unwrap(),
        }
    }

    /// One request, no redirect followed.
    pub(crate) async fn fetch(&self, path: &str) -> Page {
        Self::read(self.client.get(self.address(path)).send().await.unwrap()).await
    }

    /// One request with a header more.
    pub(crate) async fn fetch_with(&self, path: &str, (name, value): (&'static str, &str)) -> Page {
        let request = self.client.get(self.address(path));
        Self::read(request.header(name, value).send().await.unwrap()).await
    }

    /// One form, no redirect followed.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.client.post(self.address(path)).form(fields);
        Self::read(request.send().await.unwrap()).await
    }

    /// One form with a header more.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        (name, value): (&'static str, &str),
    ) -> Page {
        let request = self.client.post(self.address(path)).form(fields);
        Self::read(request.header(name, value).send().await.unwrap()).await
    }

    /// Opens an address and follows redirects, wherever they lead.
    pub(crate) async fn open(&self, path: &str) -> Page {
        self.follow(self.fetch(path).await).await
    }

    /// Sends a form of this page and follows redirects.
    pub(crate) async fn send(&self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.submit(page, action, fields).await;
        self.follow(answer).await
    }

    /// Sends a form of this page.
    pub(crate) async fn submit(&self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        assert!(
            page.html.contains(&format!("action=\"{action}\"")),
            "no form to {action} on {} ({})\n{}",
            page.url,
            page.status,
            page.html
        );
        let csrf = page.field("csrf");
        let all: Vec<(&str, &str)> = fields
            .iter()
            .copied()
            .chain([("csrf", csrf.as_str())])
            .collect();
        self.post(action, &all).await
    }

    async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..8 {
            let Some(location) = page.headers.get(LOCATION) else {
                return page;
            };
            let next = Url::parse(&page.url).unwrap();
            let next = next.join(location.to_str().unwrap()).unwrap();
            page = Self::read(self.client.get(next).send().await.unwrap()).await;
        }
        panic!("too many redirects at {}", page.url);
    }

    /// Logs in, and is at the page that follows.
    pub(crate) async fn log_in(&self, username: &str, password: &str) -> Page {
        let page = self.open("/login").await;
        let fields = [("username", username), ("password", password)];
        self.send(&page, "/login", &fields).await
    }

    pub(crate) async fn log_out(&self) -> Page {
        let page = self.open("/").await;
        self.send(&page, "/logout", &[]).await
    }

    /// Confirms what the page to confirm shows; leads on.
    pub(crate) async fn confirm(&self, record: &str) -> Page {
        let path = format!("/credentials/{record}/confirm");
        let page = self.open(&path).await;
        let shown = page.field("shown");
        self.send(&page, &path, &[("shown", &shown)]).await
    }
}

impl Page {
    /// Its path on its own origin.
    pub(crate) fn path(&self) -> String {
        Url::parse(&self.url).unwrap().path().to_owned()
    }

    /// Where it redirects to.
    pub(crate) fn location(&self) -> &str {
        let location = self.headers.get(LOCATION);
        location.map_or("", |location| location.to_str().unwrap())
    }

    /// The start tag of the element with that id.
    fn tag(&self, id: &str) -> Option<&str> {
        let marked = format!("id=\"{id}\"");
        self.html.split('<').find(|tag| tag.contains(&marked))
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.tag(id).is_some()
    }

    /// The `href` of the element with that id.
    pub(crate) fn link(&self, id: &str) -> String {
        let href = self.tag(id).and_then(|tag| attribute(tag, "href"));
        href.unwrap_or_else(|| panic!("no #{id} on {} ({})\n{}", self.url, self.status, self.html))
    }

    /// The value of the first field of that name.
    pub(crate) fn field(&self, name: &str) -> String {
        let marked = format!("name=\"{name}\"");
        let tag = self.html.split('<').find(|tag| tag.contains(&marked));
        let value = tag.and_then(|tag| attribute(tag, "value"));
        value
            .unwrap_or_else(|| panic!("no {name} on {} ({})\n{}", self.url, self.status, self.html))
    }

    /// The word for the state of a record, in the list or on its own page.
    pub(crate) fn state_of(&self, record: &str) -> Option<String> {
        let marked = format!("id=\"credential-{record}\"");
        let row = self
            .html
            .split("<li")
            .find(|row| row.contains(&marked) && row.contains("data-state"))?;
        attribute(row, "data-state")
    }

    pub(crate) fn heading(&self) -> String {
        let h1 = self.html.split("<h1").nth(1).unwrap_or_default();
        let h1 = h1.split_once('>').map_or("", |(_, rest)| rest);
        let h1 = h1.split("</h1>").next().unwrap_or_default();
        h1.rsplit('>').next().unwrap_or_default().trim().to_owned()
    }

    /// What is read: the page without its tags.
    pub(crate) fn text(&self) -> String {
        let parts = self.html.split('<').map(|part| {
            let text = part.split_once('>').map_or(part, |(_, text)| text);
            unescape(text.trim())
        });
        parts
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The rows of the page's summary lists.
    pub(crate) fn rows(&self) -> Vec<(String, String)> {
        let text_in = |part: &str, end: &str| {
            let text = part.split_once('>').map_or("", |(_, rest)| rest);
            unescape(text.split(end).next().unwrap_or_default().trim())
        };
        let rows = self.html.split("<dt").skip(1);
        rows.map(|row| {
            let value = row.split("<dd").nth(1).unwrap_or_default();
            (text_in(row, "</dt>"), text_in(value, "</dd>"))
        })
        .collect()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescape(value))
}

fn unescape(text: &str) -> String {
    text.replace("&#38;", "&")
        .replace("&amp;", "&")
        .replace("&#39;", "'")
        .replace("&#34;", "\"")
}

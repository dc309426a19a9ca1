//! The browser: keeps cookies, follows what it is told to, finds links on a page.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Context as _;
use hyper::Method;
use hyper::header::COOKIE;

use crate::http::{Answer, Connection};
use crate::plan::Server;
use crate::record::{Endpoint, Record};

/// One browser with its own connection.
pub struct Browser {
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A browser that has not been anywhere.
    pub fn new(server: &Server) -> anyhow::Result<Self> {
        Ok(Self {
            connection: Connection::new(&server.addresses, &server.origin)?,
            cookies: BTreeMap::new(),
        })
    }

    /// Stays with the process that answered last.
    pub fn settle(&mut self) {
        self.connection.settle();
    }

    /// Forgets every cookie: from now on it is another person's. The connection stays open.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Opens an address.
    pub async fn open(
        &mut self,
        record: &mut Record,
        endpoint: Endpoint,
        place: &str,
    ) -> anyhow::Result<Answer> {
        let cookies = self.cookies.iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let headers = [(COOKIE, cookies.as_str())];
        let headers = if cookies.is_empty() {
            &[]
        } else {
            headers.as_slice()
        };
        let began = Instant::now();
        let answer = self
            .connection
            .send(Method::GET, place, headers, String::new())
            .await?;
        record.request(endpoint, began);
        for (name, value) in answer.cookies() {
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// The address of the link with that id on a page.
pub fn link(page: &[u8], id: &str) -> anyhow::Result<String> {
    let page = std::str::from_utf8(page)?;
    let missing = || format!("the page has no link {id}");
    let at = page.find(&format!("id=\"{id}\"")).with_context(missing)?;
    let begins = page[..at].rfind('<').with_context(missing)?;
    let tag = page[begins..].split('>').next().unwrap_or_default();
    let href = tag.split_once("href=\"").with_context(missing)?.1;
    let href = href.split('"').next().unwrap_or_default();
    Ok(href.replace("&#38;", "&").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_is_found_by_its_id_wherever_its_address_stands_in_the_tag() {
        for page in [
            r#"<p><a href="x:y?a&#38;b" class="c" id="open-wallet">go</a><a href="other">"#,
            r#"<a href="other"></a><a id="open-wallet" href="x:y?a&amp;b">go</a>"#,
        ] {
            assert_eq!(link(page.as_bytes(), "open-wallet").unwrap(), "x:y?a&b");
        }
        assert!(link(b"<a href=\"x\">", "open-wallet").is_err());
    }
}

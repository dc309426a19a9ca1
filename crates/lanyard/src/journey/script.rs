//! The demonstration script: every exchange, numbered and readable.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use connector::{Exchange, Observer};
use serde_json::Value;
use url::Url;

use super::mask;
use crate::browser;

/// Headers worth a line.
const SHOWN_HEADERS: [&str; 4] = ["authorization", "location", "set-cookie", "cache-control"];
/// Links of the waiting page worth a line.
const SHOWN_LINKS: [&str; 3] = ["open-wallet", "open-wallet-here", "go-back"];
/// A line longer than this is cut.
const LONGEST_LINE: usize = 1500;

/// Where the script is written to; to nowhere for a caller who wants only the result.
pub(super) struct Script {
    inner: Mutex<Inner>,
}

struct Inner {
    exchanges: usize,
    out: Option<Box<dyn Write + Send>>,
}

impl Script {
    /// A script written to `out`.
    pub(super) fn new(out: Option<Box<dyn Write + Send>>) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner { exchanges: 0, out }),
        })
    }

    /// A heading.
    pub(super) fn heading(&self, text: &str) {
        self.write(|_| format!("\n{text}\n{}\n", "=".repeat(text.chars().count())));
    }

    /// A sentence between exchanges.
    pub(super) fn say(&self, text: &str) {
        self.write(|_| format!("\n{text}\n"));
    }

    /// A line of a table.
    pub(super) fn line(&self, text: &str) {
        self.write(|_| format!("{text}\n"));
    }

    /// An observer for the exchanges of `who` with `whom`.
    pub(super) fn between(
        self: &Arc<Self>,
        who: &'static str,
        whom: &'static str,
    ) -> Arc<dyn Observer> {
        Arc::new(Between {
            script: Arc::clone(self),
            who,
            whom,
        })
    }

    fn write(&self, text: impl FnOnce(&mut usize) -> String) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        if let Some(out) = &mut inner.out {
            let text = text(&mut inner.exchanges);
            // Whoever closed the pipe does not want to read on; the journey goes on all the same.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}

struct Between {
    script: Arc<Script>,
    who: &'static str,
    whom: &'static str,
}

impl Observer for Between {
    fn exchanged(&self, exchange: &Exchange) {
        self.script.write(|exchanges| {
            *exchanges += 1;
            shown(*exchanges, self.who, self.whom, exchange)
        });
    }
}

fn shown(number: usize, who: &str, whom: &str, exchange: &Exchange) -> String {
    let mut lines = vec![format!(
        "\n[{number}] {who} to {whom}: {} {}",
        exchange.method,
        mask::address(&exchange.url)
    )];
    lines.extend(headers(&exchange.request_headers, &exchange.url));
    lines.extend(body(&exchange.request_headers, &exchange.request_body));
    let took = exchange.took.as_millis();
    match &exchange.status {
        Ok(status) => {
            lines.push(format!("    answer {status} after {took} ms"));
            lines.extend(headers(&exchange.answer_headers, &exchange.url));
            lines.extend(body(&exchange.answer_headers, &exchange.answer_body));
        }
        Err(why) => lines.push(format!("    no answer after {took} ms: {why}")),
    }
    let mut text = String::new();
    for line in lines {
        text.extend(line.chars().take(LONGEST_LINE));
        if line.chars().count() > LONGEST_LINE {
            text.push('…');
        }
        text.push('\n');
    }
    text
}

fn headers(headers: &[(String, String)], base: &Url) -> Vec<String> {
    let shown = headers
        .iter()
        .filter(|(name, _)| SHOWN_HEADERS.contains(&name.as_str()));
    let line = |(name, value): &(String, String)| {
        let value = match (name.as_str(), base.join(value)) {
            ("location", Ok(url)) => mask::address(&url),
            ("set-cookie", _) => cookie(value),
            _ => mask::named(name, value),
        };
        format!("      {name}: {value}")
    };
    shown.map(line).collect()
}

/// A cookie's name and attributes are of interest; its value is not.
fn cookie(header: &str) -> String {
    let (pair, attributes) = header.split_once(';').unwrap_or((header, ""));
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    format!("{name}={};{attributes}", mask::named("cookie", value))
}

fn body(headers: &[(String, String)], body: &str) -> Vec<String> {
    let content_type = headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or("", |(_, value)| value);
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let line = |name: &str, value: String| format!("      {name} = {value}");
    if body.is_empty() {
        return Vec::new();
    }
    if media_type == "application/x-www-form-urlencoded" {
        let pairs = url::form_urlencoded::parse(body.as_bytes());
        return pairs
            .map(|(name, value)| line(&name, mask::named(&name, &value)))
            .collect();
    }
    if media_type == "text/html" {
        let title = browser::title(body).unwrap_or_default();
        let links = SHOWN_LINKS
            .iter()
            .filter_map(|id| Some((id, browser::href(body, id)?)));
        let links = links.map(|(id, href)| line(&format!("#{id}"), mask::named("link", &href)));
        return std::iter::once(line("page", format!("{title:?}")))
            .chain(links)
            .collect();
    }
    if media_type.ends_with("json") {
        return match serde_json::from_str(body) {
            Ok(Value::Object(members)) => members
                .iter()
                .map(|(name, value)| line(name, mask::json(name, value)))
                .collect(),
            Ok(other) => vec![line("body", mask::json("", &other))],
            Err(_) => vec![line("body", "not the JSON that it says it is".to_owned())],
        };
    }
    vec![line(
        "body",
        format!("{} bytes of {media_type}", body.len()),
    )]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECRET: &str = "mZ8x1pQ0bC3dE4fG5hI6jK7lM8nO9pQrStUvWxYz012";

    fn exchange(request_body: &str, answer_type: &str, answer_body: &str) -> Option<Exchange> {
        let headers = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        Some(Exchange {
            method: "POST".to_owned(),
            url: Url::parse("http://localhost:8400/oidc/token").ok()?,
            request_headers: headers(&[
                ("content-type", "application/x-www-form-urlencoded"),
                ("authorization", &format!("Basic {SECRET}")),
            ]),
            request_body: request_body.to_owned(),
            status: Ok(200),
            answer_headers: headers(&[
                ("content-type", answer_type),
                ("set-cookie", &format!("session={SECRET}; Path=/")),
                (
                    "location",
                    &format!("/callback?code={SECRET}&state={SECRET}"),
                ),
            ]),
            answer_body: answer_body.to_owned(),
            took: Duration::from_millis(7),
        })
    }

    #[test]
    fn an_exchange_is_shown_readable_and_without_its_secrets() {
        let sent = format!(
            "grant_type=authorization_code&code={SECRET}&code_verifier={SECRET}&client_secret={SECRET}"
        );
        let answered = format!(
            r#"{{"access_token":"{SECRET}","token_type":"Bearer","keys":[{{"n":"{SECRET}"}}]}}"#
        );
        let Some(exchange) = exchange(&sent, "application/json; charset=utf-8", &answered) else {
            unreachable!()
        };
        let text = shown(3, "relying party", "gateway", &exchange);
        assert!(!text.contains(&SECRET[..8]), "{text}");
        for line in [
            "[3] relying party to gateway: POST http://localhost:8400/oidc/token",
            "      grant_type = authorization_code",
            "      code = mZ8x…",
            "      client_secret = (secret)",
            "    answer 200 after 7 ms",
            "      set-cookie: session=mZ8x…; Path=/",
            "      location: http://localhost:8400/callback?code=mZ8x…&state=mZ8x…",
            "      token_type = Bearer",
        ] {
            assert!(
                text.lines().any(|shown| shown == line),
                "{line:?} in {text}"
            );
        }
    }

    #[test]
    fn a_page_is_shown_by_its_title_and_its_links() {
        let page = format!(
            r#"<title>Scan</title><a id="open-wallet" href="http://localhost:8400/w/{SECRET}">"#
        );
        let Some(exchange) = exchange("", "text/html; charset=utf-8", &page) else {
            unreachable!()
        };
        let text = shown(1, "browser", "gateway", &exchange);
        assert!(
            text.contains("page = \"Scan\"\n      #open-wallet = http://localhost:8400/w/mZ8x…\n"),
            "{text}"
        );
    }

    #[test]
    fn bodies_that_are_not_what_they_say_show_nothing_of_themselves() {
        for (kind, content) in [
            ("application/json", SECRET),
            ("text/plain", SECRET),
            ("", SECRET),
        ] {
            let Some(exchange) = exchange("", kind, content) else {
                unreachable!()
            };
            assert!(
                !shown(1, "a", "b", &exchange).contains(&SECRET[..8]),
                "{kind}"
            );
        }
    }
}

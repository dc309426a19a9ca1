//! Where a person may be led on to: addresses of the portal itself and nothing else (SEC-12).

use url::Url;

use crate::app::Parts;

/// The text as path and query of this portal's own page, or nothing.
pub(crate) fn parse(parts: &Parts, text: &str) -> Option<String> {
    on(&parts.public_url, text)
}

fn on(origin: &Url, text: &str) -> Option<String> {
    // What a browser reads as a host, or skips over on its way to one, never begins a path.
    let plain = |c: char| !c.is_control() && c != '\\';
    if !text.starts_with('/') || text.starts_with("//") || !text.chars().all(plain) {
        return None;
    }
    let url = origin.join(text).ok()?;
    if url.origin() != origin.origin() || url.path().starts_with("//") {
        return None;
    }
    let page = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    // These are no pages to go on at.
    let is_page = !["/login", "/logout", "/session", "/callback"]
        .iter()
        .any(|start| url.path().starts_with(start));
    is_page.then_some(page)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// SEC-12.
    #[test]
    fn sec_12_only_pages_of_the_portal_are_led_on_to() {
        let origin: Url = "https://staff.example/".parse().unwrap();
        for (text, page) in [
            ("/", "/"),
            ("/credentials/tp-1?x=1", "/credentials/tp-1?x=1"),
            ("/a/../credentials", "/credentials"),
        ] {
            assert_eq!(on(&origin, text).as_deref(), Some(page), "{text}");
        }
        for text in [
            "",
            "credentials",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/.//evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/logout",
            "/login?return_to=/",
            "/callback?code=1",
        ] {
            assert_eq!(on(&origin, text), None, "{text}");
        }
    }
}

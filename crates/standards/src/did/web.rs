//! `did:web`: an identifier that a web server answers for. [did:web method specification]

use url::{Host, Url};

use super::{Did, DidError};

/// Where the document of a `did:web` is. The scheme is the caller's policy: https, and http for
/// nothing but its own loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentUrl {
    host: String,
    port: Option<u16>,
    path: String,
}

impl DocumentUrl {
    /// The host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if the DID names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path, ending in `/did.json`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host and port as a URL writes them.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The whole address, under this scheme.
    pub fn with_scheme(&self, scheme: &str) -> Result<Url, DidError> {
        Url::parse(&format!("{scheme}://{}{}", self.authority(), self.path))
            .map_err(|_| DidError::WebAddress)
    }
}

/// The DID of a base address and path segments: `https://example.org:8400/a` and `b` give
/// `did:web:example.org%3A8400:a:b`.
pub fn from_base_url(base: &Url, segments: &[&str]) -> Result<Did, DidError> {
    if !matches!(base.host(), Some(Host::Domain(_)))
        || !base.username().is_empty()
        || base.password().is_some()
        || base.query().is_some()
        || base.fragment().is_some()
    {
        return Err(DidError::WebAddress);
    }
    let mut did = format!("did:web:{}", base.host_str().ok_or(DidError::WebAddress)?);
    if let Some(port) = base.port() {
        did += "%3A";
        did += &port.to_string();
    }
    let of_base: Vec<&str> = base
        .path_segments()
        .map(|split| split.filter(|s| !s.is_empty()).collect())
        .unwrap_or_default();
    for segment in of_base {
        // A URL's path is percent-encoded already.
        did.push(':');
        did.push_str(&encoded(segment, true)?);
    }
    for segment in segments {
        did.push(':');
        did.push_str(&encoded(segment, false)?);
    }
    Did::parse(&did)
}

/// The address of the DID's document. [did:web 3.2]
pub fn document_url(did: &Did) -> Result<DocumentUrl, DidError> {
    let id = did.of_method("web")?;
    let mut parts = id.split(':');
    let (host, port) = authority(parts.next().unwrap_or_default())?;
    let mut path = String::new();
    for segment in parts {
        // What is decoded must stay one segment, and not climb.
        let decoded = percent_decoded(segment)?;
        if decoded.is_empty()
            || decoded == "."
            || decoded == ".."
            || decoded.contains(['/', '\\', '?', '#'])
        {
            return Err(DidError::WebAddress);
        }
        path.push('/');
        path.push_str(segment);
    }
    let path = if path.is_empty() {
        "/.well-known/did.json".to_owned()
    } else {
        path + "/did.json"
    };
    Ok(DocumentUrl { host, port, path })
}

/// Host and port of `example.org%3A8400`.
fn authority(text: &str) -> Result<(String, Option<u16>), DidError> {
    let decoded = percent_decoded(text)?;
    let (host, port) = match decoded.split_once(':') {
        None => (decoded.as_str(), None),
        Some((host, port)) => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port
                .parse()
                .ok()
                .filter(|port| digits && *port != 0)
                .ok_or(DidError::WebAddress)?;
            (host, Some(port))
        }
    };
    let labels_are_sound = host.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    // [did:web 3.1] No IP addresses; the URL parser knows their many spellings (decimal, hex, short).
    match Host::parse(host) {
        Ok(Host::Domain(domain)) if labels_are_sound => Ok((domain, port)),
        _ => Err(DidError::WebAddress),
    }
}

fn percent_decoded(text: &str) -> Result<String, DidError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let hex = tail
                .get(..2)
                .and_then(|hex| std::str::from_utf8(hex).ok())
                .ok_or(DidError::WebAddress)?;
            bytes.push(u8::from_str_radix(hex, 16).map_err(|_| DidError::WebAddress)?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| DidError::WebAddress)
}

/// A segment as a DID may hold it.
fn encoded(segment: &str, already_encoded: bool) -> Result<String, DidError> {
    if segment.is_empty() || segment == "." || segment == ".." {
        return Err(DidError::WebAddress);
    }
    let mut text = String::new();
    for byte in segment.bytes() {
        match byte {
            b'.' | b'-' | b'_' => text.push(char::from(byte)),
            b'%' if already_encoded => text.push('%'),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            byte => text.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]),
        }
    }
    Ok(text)
}

/// A digit of percent-encoding, in upper case as RFC 3986, section 2.1, prefers.
fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url_of(did: &str) -> Result<String, DidError> {
        let url = document_url(&Did::parse(did).unwrap())?;
        Ok(url.with_scheme("https").unwrap().to_string())
    }

    #[test]
    fn the_examples_of_the_method_specification_lead_to_their_documents() {
        assert_eq!(
            url_of("did:web:w3c-ccg.github.io").unwrap(),
            "https://w3c-ccg.github.io/.well-known/did.json"
        );
        assert_eq!(
            url_of("did:web:w3c-ccg.github.io:user:alice").unwrap(),
            "https://w3c-ccg.github.io/user/alice/did.json"
        );
        assert_eq!(
            url_of("did:web:example.com%3A3000:user:alice").unwrap(),
            "https://example.com:3000/user/alice/did.json"
        );
    }

    #[test]
    fn a_base_address_becomes_a_did_that_leads_back_to_it() {
        let cases = [
            ("https://example.org", vec![], "did:web:example.org"),
            (
                "https://example.org:443/",
                vec!["a"],
                "did:web:example.org:a",
            ),
            (
                "http://localhost:8400",
                vec!["issuers", "trust-1"],
                "did:web:localhost%3A8400:issuers:trust-1",
            ),
            (
                "https://example.org/base/",
                vec!["x y", "é"],
                "did:web:example.org:base:x%20y:%C3%A9",
            ),
            (
                "https://example.org/x%20y",
                vec![],
                "did:web:example.org:x%20y",
            ),
        ];
        for (base, segments, did) in cases {
            assert_eq!(
                from_base_url(&Url::parse(base).unwrap(), &segments)
                    .unwrap()
                    .as_str(),
                did
            );
            document_url(&Did::parse(did).unwrap()).unwrap();
        }
        let local = document_url(&Did::parse("did:web:localhost%3A8400:a").unwrap()).unwrap();
        assert_eq!(
            (local.host(), local.port(), local.path()),
            ("localhost", Some(8400), "/a/did.json")
        );
        assert_eq!(
            local.with_scheme("http").unwrap().as_str(),
            "http://localhost:8400/a/did.json"
        );
    }

    #[test]
    fn a_did_cannot_name_an_ip_address_a_user_or_climb_out_of_its_path() {
        for did in [
            "did:web:127.0.0.1",
            "did:web:2130706433",
            "did:web:0x7f.1",
            "did:web:127.1",
            "did:web:%5B%3A%3A1%5D",
            "did:web:a%40b.org",
            "did:web:a.org%2Fx",
            "did:web:a.org%3A",
            "did:web:a.org%3A0",
            "did:web:a.org%3A99999",
            "did:web:a.org%3A80%3A81",
            "did:web:a.org%3A+80",
            "did:web:a.org%3A%2B80",
            "did:web:a..org",
            "did:web:a%7Eb.org",
            "did:web:%C3%A9.org",
            "did:web:a.org:..",
            "did:web:a.org:%2e%2E:x",
            "did:web:a.org:.",
            "did:web:a.org::x",
            "did:web:a.org:x%2Fy",
            "did:web:a.org:x%3Fy",
            "did:web:a.org:x%23y",
            "did:web:a.org:x%5Cy",
            "did:web:a.org:%FF",
            "did:web:%20a.org",
            "did:web:a.org%00",
        ] {
            let refused = Did::parse(did).and_then(|did| document_url(&did)).is_err();
            assert!(refused, "{did}");
        }
        assert_eq!(
            document_url(&Did::parse("did:jwk:abc").unwrap()),
            Err(DidError::Method)
        );
    }

    #[test]
    fn an_address_with_an_ip_a_user_or_a_query_gets_no_did() {
        for base in [
            "http://127.0.0.1:8400",
            "https://[::1]",
            "https://u@a.org",
            "https://a.org?x",
            "https://a.org#x",
        ] {
            assert_eq!(
                from_base_url(&Url::parse(base).unwrap(), &[]),
                Err(DidError::WebAddress),
                "{base}"
            );
        }
        assert_eq!(
            from_base_url(&Url::parse("https://a.org").unwrap(), &[".."]),
            Err(DidError::WebAddress)
        );
        assert_eq!(
            from_base_url(&Url::parse("https://a.org").unwrap(), &[""]),
            Err(DidError::WebAddress)
        );
    }
}

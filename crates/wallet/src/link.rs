//! The links a wallet is handed: pasted, decoded from a QR code, or found behind a short web address.

use url::Url;

/// What a link asks of the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// [VCI 4.1] A credential offer, by value or by reference.
    Offer(Url),
    /// [VP 5] An authorization request of a verifier.
    Request(Url),
    /// A web address that answers with a redirect to one of the other two.
    Short(Url),
}

/// Why a text is not a link that this wallet can follow.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LinkError {
    /// The text is not a URL at all.
    #[error("that is not a link")]
    NotALink,
    /// The scheme is none that this wallet registers for.
    #[error("this wallet does not open {0}: links")]
    Scheme(String),
    /// The short address answered without a link for a wallet.
    #[error("{0} did not answer with a link for a wallet")]
    NoWalletLink(String),
    /// A query parameter came twice, so that two readers could see two different requests.
    #[error("the link carries {0} twice")]
    Twice(String),
}

/// Reads a link as a person pastes it: white space around it does not count.
pub(crate) fn parse(text: &str) -> Result<Link, LinkError> {
    let text = text.trim();
    let typed = typed_address(text);
    let url = Url::parse(typed.as_deref().unwrap_or(text)).map_err(|_| LinkError::NotALink)?;
    let names = parameter_names(&url)?;
    let has = |name: &str| names.iter().any(|n| n == name);
    match url.scheme() {
        "openid-credential-offer" | "haip-vci" => Ok(Link::Offer(url)),
        "openid4vp" | "haip-vp" => Ok(Link::Request(url)),
        "https" | "http" if has("credential_offer") || has("credential_offer_uri") => {
            Ok(Link::Offer(url))
        }
        "https" | "http" if has("client_id") && (has("request_uri") || has("request")) => {
            Ok(Link::Request(url))
        }
        "https" | "http" => Ok(Link::Short(url)),
        other => Err(LinkError::Scheme(other.to_owned())),
    }
}

/// An address as a person types it, without its scheme: `credentials.example/c/K7Q2-9MFD`.
fn typed_address(text: &str) -> Option<String> {
    let (host, path) = text.split_once('/')?;
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    // A scheme without slashes has no number behind its colon.
    let is_typed = !name.is_empty()
        && name.chars().all(is_name)
        && port.parse::<u16>().is_ok()
        && !path.starts_with('/');
    let scheme = if name == "localhost" { "http" } else { "https" };
    is_typed.then(|| format!("{scheme}://{text}"))
}

/// Reads the `Location` of a short address's redirect. One hop: it must be a wallet link, not a further address.
pub(crate) fn parse_location(from: &Url, location: &str) -> Result<Link, LinkError> {
    match parse(location) {
        Ok(link @ (Link::Offer(_) | Link::Request(_))) => Ok(link),
        Ok(Link::Short(_)) | Err(_) => Err(LinkError::NoWalletLink(origin(from))),
    }
}

/// The address without its path and query, to name it in a message.
pub(crate) fn origin(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

fn parameter_names(url: &Url) -> Result<Vec<String>, LinkError> {
    let mut names = Vec::new();
    for (name, _) in url.query_pairs() {
        if names.iter().any(|n| *n == name) {
            return Err(LinkError::Twice(name.into_owned()));
        }
        names.push(name.into_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pasted_link_is_read_with_the_spaces_around_it() {
        let link = parse(" \n openid4vp://?client_id=x&request_uri=http%3A%2F%2Flocalhost%2Fr\t ")
            .unwrap();
        assert!(matches!(link, Link::Request(url) if url.query_pairs().count() == 2));
    }

    #[test]
    fn a_web_address_is_an_offer_a_request_or_a_short_link_by_what_it_carries() {
        let offer =
            parse("https://wallet.example/?credential_offer_uri=https%3A%2F%2Fi.example%2Fo")
                .unwrap();
        assert!(matches!(offer, Link::Offer(_)));
        let request = parse("https://wallet.example/?client_id=x&request_uri=y").unwrap();
        assert!(matches!(request, Link::Request(_)));
        assert!(matches!(
            parse("http://localhost:8400/w/abc").unwrap(),
            Link::Short(_)
        ));
    }

    #[test]
    fn an_address_is_typed_without_its_scheme() {
        for (typed, address) in [
            (
                "localhost:8400/c/K7Q2-9MFD",
                "http://localhost:8400/c/K7Q2-9MFD",
            ),
            (
                " Credentials.example/c/k7q29mfd ",
                "https://credentials.example/c/k7q29mfd",
            ),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(parse(typed), Ok(Link::Short(url)));
        }
        assert_eq!(parse("K7Q2-9MFD"), Err(LinkError::NotALink));
        let scheme_only = "openid4vp:?client_id=x&request_uri=https://v.example/r";
        assert!(matches!(parse(scheme_only), Ok(Link::Request(_))));
    }

    #[test]
    fn other_schemes_and_plain_text_are_refused_by_name() {
        assert_eq!(
            parse("mailto:a@b.example"),
            Err(LinkError::Scheme("mailto".into()))
        );
        assert_eq!(parse("hello"), Err(LinkError::NotALink));
    }

    #[test]
    fn a_link_that_names_a_parameter_twice_is_refused() {
        let twice = parse("openid4vp://?client_id=a&request_uri=u&client_id=b");
        assert_eq!(twice, Err(LinkError::Twice("client_id".into())));
    }

    #[test]
    fn a_short_link_leads_to_a_wallet_link_in_one_hop_or_nowhere() {
        let from = Url::parse("http://localhost:8400/w/abc").unwrap();
        assert!(parse_location(&from, "openid4vp://?client_id=x&request_uri=y").is_ok());
        assert_eq!(
            parse_location(&from, "http://localhost:8400/w/def"),
            Err(LinkError::NoWalletLink("localhost:8400".into()))
        );
    }
}

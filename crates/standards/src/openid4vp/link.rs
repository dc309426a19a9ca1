//! The link that opens a wallet with a request [VP 5.7, 9; VP-06].

use std::fmt;

use url::Url;

use super::client_id::{ClientId, ClientIdError};
use crate::oauth::{Form, FormError};

/// A request as a link carries it.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestLink {
    /// Who asks. The request object must name the same.
    pub client_id: ClientId,
    /// Where the signed request is.
    pub source: RequestSource,
}

/// Where the signed request is.
#[derive(Clone, PartialEq)]
pub enum RequestSource {
    /// `request_uri`: to be fetched.
    Reference {
        /// The address.
        uri: Url,
        /// How to fetch it.
        method: RequestUriMethod,
    },
    /// `request`: in the link itself.
    Value(String),
}

impl fmt::Debug for RequestSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference { uri, method } => write!(f, "Reference({method} {uri})"),
            Self::Value(_) => f.write_str("Value(…)"),
        }
    }
}

/// How a wallet fetches the request object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestUriMethod {
    /// As RFC 9101 has it; the default.
    #[default]
    Get,
    /// With the wallet's metadata and nonce in a form [VP 5.10].
    Post,
}

impl fmt::Display for RequestUriMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::Post => "post",
        })
    }
}

/// Why a link is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a link that carries a presentation request.
    #[error("this is not a presentation request link")]
    NotOurs,
    /// The query is no form, or a parameter is missing or repeated.
    #[error("the presentation request link: {0}")]
    Form(#[from] FormError),
    /// The client identifier is refused.
    #[error("the presentation request link: {0}")]
    ClientId(#[from] ClientIdError),
    /// Both `request` and `request_uri` [RFC 9101 5].
    #[error("the link has both request and request_uri")]
    Both,
    /// The parameters themselves in the link: nobody signed them.
    #[error("the request is not signed")]
    Unsigned,
    /// `request_uri` is no http(s) URL.
    #[error("request_uri is not an https URL")]
    RequestUri,
    /// `request_uri_method` is neither `get` nor `post`, or comes without `request_uri`.
    #[error("request_uri_method must be get or post, and needs request_uri")]
    Method,
}

impl RequestLink {
    /// A link to a request object that is fetched from there.
    pub fn by_reference(client_id: ClientId, request_uri: Url, method: RequestUriMethod) -> Self {
        Self {
            client_id,
            source: RequestSource::Reference {
                uri: request_uri,
                method,
            },
        }
    }

    /// Reads a link of any scheme that a wallet may register, or an https address with the parameters.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let (scheme, rest) = text.trim().split_once(':').ok_or(LinkError::NotOurs)?;
        let scheme = scheme.to_ascii_lowercase();
        if !["openid4vp", "haip-vp", "https", "http"].contains(&scheme.as_str()) {
            return Err(LinkError::NotOurs);
        }
        let query = rest
            .split_once('?')
            .map(|(_, query)| query)
            .ok_or(LinkError::NotOurs)?;
        let form = Form::parse(query.split('#').next().unwrap_or_default().as_bytes())?;
        let Some(client_id) = form.find("client_id") else {
            return Err(if scheme.starts_with("http") {
                LinkError::NotOurs
            } else {
                form_missing()
            });
        };
        let client_id = ClientId::parse(client_id)?;
        let method = form.find("request_uri_method");
        let source = match (form.find("request_uri"), form.find("request")) {
            (Some(_), Some(_)) => return Err(LinkError::Both),
            (None, _) if method.is_some() => return Err(LinkError::Method),
            (None, Some(request)) => RequestSource::Value(request.to_owned()),
            (None, None) => return Err(LinkError::Unsigned),
            (Some(uri), None) => {
                let uri = Url::parse(uri).map_err(|_| LinkError::RequestUri)?;
                let anonymous = uri.username().is_empty() && uri.password().is_none();
                if !matches!(uri.scheme(), "https" | "http") || !anonymous {
                    return Err(LinkError::RequestUri);
                }
                let method = match method {
                    None | Some("get") => RequestUriMethod::Get,
                    Some("post") => RequestUriMethod::Post,
                    Some(_) => return Err(LinkError::Method),
                };
                RequestSource::Reference { uri, method }
            }
        };
        Ok(Self { client_id, source })
    }
}

impl fmt::Display for RequestLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client_id = self.client_id.to_string();
        let mut pairs = vec![("client_id", client_id.as_str())];
        match &self.source {
            RequestSource::Value(request) => pairs.push(("request", request)),
            RequestSource::Reference { uri, method } => {
                pairs.push(("request_uri", uri.as_str()));
                if *method == RequestUriMethod::Post {
                    pairs.push(("request_uri_method", "post"));
                }
            }
        }
        write!(
            f,
            "openid4vp://?{}",
            crate::oauth::form::encode(pairs).replace('+', "%20")
        )
    }
}

fn form_missing() -> LinkError {
    LinkError::Form(FormError::Missing { name: "client_id" })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_by_reference_reads_back_as_it_was_written() {
        let link = RequestLink::by_reference(
            ClientId::parse("decentralized_identifier:did:web:localhost%3A8400").unwrap(),
            Url::parse("http://localhost:8400/p/abc").unwrap(),
            RequestUriMethod::Post,
        );
        let text = link.to_string();
        assert!(text.starts_with(
            "openid4vp://?client_id=decentralized_identifier%3Adid%3Aweb%3Alocalhost%253A8400&"
        ));
        assert_eq!(RequestLink::parse(&format!("  {text}\n")).unwrap(), link);
    }

    #[test]
    fn the_specifications_universal_link_is_understood() {
        let text = "https://wallet.example.com?client_id=https%3A%2F%2Fclient.example.org%2Fcb\
                    &request_uri=https%3A%2F%2Fclient.example.org%2F567545564";
        let link = RequestLink::parse(text).unwrap();
        assert!(matches!(
            link.source,
            RequestSource::Reference {
                method: RequestUriMethod::Get,
                ..
            }
        ));
    }

    #[test]
    fn links_that_are_none_or_contradict_themselves_are_refused() {
        let id = "client_id=x";
        for (query, error) in [
            (
                "openid4vp://?request_uri=https://a".to_owned(),
                form_missing(),
            ),
            (
                format!("openid4vp://?{id}&request_uri=https://a&request=x"),
                LinkError::Both,
            ),
            (
                format!("openid4vp://?{id}&response_type=vp_token&nonce=n"),
                LinkError::Unsigned,
            ),
            (
                format!("openid4vp://?{id}&request_uri=javascript:x"),
                LinkError::RequestUri,
            ),
            (
                format!("openid4vp://?{id}&request_uri=https://:p@a.example/"),
                LinkError::RequestUri,
            ),
            (
                format!("openid4vp://?{id}&request_uri=https://a&request_uri_method=POST"),
                LinkError::Method,
            ),
            (
                format!("openid4vp://?{id}&request=x&request_uri_method=post"),
                LinkError::Method,
            ),
            (
                "openid4vp://?client_id=origin:https://a&request=x".to_owned(),
                ClientIdError::Origin.into(),
            ),
            ("https://shop.example/?a=b".to_owned(), LinkError::NotOurs),
            (
                "mailto:a@b.example?client_id=x".to_owned(),
                LinkError::NotOurs,
            ),
            ("hello".to_owned(), LinkError::NotOurs),
        ] {
            assert_eq!(RequestLink::parse(&query), Err(error), "{query}");
        }
        let twice = format!("openid4vp://?{id}&{id}&request=x");
        assert!(matches!(
            RequestLink::parse(&twice),
            Err(LinkError::Form(FormError::Duplicate { .. }))
        ));
    }
}

//! Redirect URIs: what may be registered, and what a request must equal [SEC-02].

use std::fmt;

use url::{Host, Url};

/// A redirect URI fit for registration. A request matches it byte for byte or not at all.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RedirectUri(String);

/// Why a redirect URI cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute URI that survives parsing unchanged in scheme, host and path.
    #[error("the redirect URI is not an absolute URI in its plain form")]
    Malformed,
    /// Only https, and http on loopback, carry a code.
    #[error("the redirect URI must be https (http only on a loopback host)")]
    Scheme,
    /// RFC 6749, 3.1.2.
    #[error("the redirect URI must not have a fragment")]
    Fragment,
    /// `https://trusted.example@attacker.example/`
    #[error("the redirect URI must not have a user name or password")]
    UserInfo,
    /// Wildcards invite open redirection.
    #[error("the redirect URI must not have a wildcard")]
    Wildcard,
    /// Backslashes, dot segments, `;`, control characters: parsers disagree about them.
    #[error("the redirect URI has a character or path segment that parsers read differently")]
    Ambiguous,
    /// The query already names a parameter of the answer.
    #[error("the redirect URI's query must not have code, state, iss or an error of its own")]
    AnswerParameter,
}

impl RedirectUri {
    /// Checks a URI for registration.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        if text.contains('*') || text.to_ascii_lowercase().contains("%2a") {
            return Err(RedirectUriError::Wildcard);
        }
        // What every parser must read alike is what a URI of RFC 3986 may hold at all.
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte))
        {
            return Err(RedirectUriError::Ambiguous);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
            return Err(RedirectUriError::UserInfo);
        }
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(RedirectUriError::Malformed),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(RedirectUriError::Scheme),
        }
        let path = path_of(text);
        let lower = path.to_ascii_lowercase();
        let odd = lower.contains(';')
            || lower.contains("%2e")
            || lower.contains("%2f")
            || lower.contains("%5c");
        if odd || path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(RedirectUriError::Ambiguous);
        }
        // The parser must not have repaired anything: `https:/host`, tabs, an upper-case host, `:443`.
        if url.as_str() != text && url.as_str() != format!("{text}/") {
            return Err(RedirectUriError::Malformed);
        }
        if url
            .query_pairs()
            .any(|(name, _)| ANSWER_PARAMETERS.contains(&name.as_ref()))
        {
            return Err(RedirectUriError::AnswerParameter);
        }
        Ok(Self(text.to_owned()))
    }

    /// [SEC-02] Whether a request names exactly this URI, byte for byte.
    pub fn matches(&self, requested: &str) -> bool {
        self.0 == requested
    }

    /// The URI with the answer's parameters added to its query.
    pub fn with_answer<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> String {
        // Only the first `?` begins the query; a later one belongs to a value.
        let joint = match self.0.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{joint}{}", self.0, super::form::encode(parameters))
    }

    /// The URI as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The registered URI that a request names; none means: do not redirect at all [SEC-03].
pub fn find<'a>(registered: &'a [RedirectUri], requested: &str) -> Option<&'a RedirectUri> {
    registered.iter().find(|uri| uri.matches(requested))
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

fn path_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split('?').next().unwrap_or_default()
}

const ANSWER_PARAMETERS: [&str; 6] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "response",
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_http_may_be_registered() {
        for text in [
            "https://portal.example/callback",
            "https://portal.example:8443/a/b?tenant=7",
            "http://localhost:8499/callback",
            "http://127.0.0.1:9/cb",
            "http://[::1]:9/cb",
            "https://portal.example",
        ] {
            assert!(RedirectUri::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn sec_02_what_invites_open_redirection_cannot_be_registered() {
        use RedirectUriError::{
            Ambiguous, AnswerParameter, Fragment, Malformed, Scheme, UserInfo, Wildcard,
        };
        for (text, cause) in [
            ("https://portal.example/cb#x", Fragment),
            ("https://*.example/cb", Wildcard),
            ("https://portal.example/%2A", Wildcard),
            ("https://portal.example@evil.example/cb", UserInfo),
            ("https://@evil.example/cb", UserInfo),
            ("https://portal.example/..;/admin", Ambiguous),
            ("https://portal.example/a/../b", Ambiguous),
            ("https://portal.example/%2e%2e/b", Ambiguous),
            ("https://portal.example/cb;jsessionid=1", Ambiguous),
            ("https://portal.example/c%2Eb", Ambiguous),
            ("https://portal.example/c%2Fb", Ambiguous),
            ("https://portal.example/c%5Cb", Ambiguous),
            ("https://portal.example\\@evil.example/", Ambiguous),
            ("https://portal.example/c\nb", Ambiguous),
            ("https://portal.example/é", Ambiguous),
            ("http://portal.example/cb", Scheme),
            ("http://localhost.evil.example/cb", Scheme),
            ("javascript://localhost/%0aalert(1)", Scheme),
            ("data:text/html,x", Malformed),
            ("/cb", Malformed),
            ("https:/portal.example/cb", Malformed),
            ("https://PORTAL.example/cb", Malformed),
            ("https://portal.example:443/cb", Malformed),
            ("https://portal.example/cb?code=1", AnswerParameter),
            ("https://portal.example/cb?a=1&st%61te=1", AnswerParameter),
        ] {
            assert_eq!(RedirectUri::parse(text), Err(cause), "{text}");
        }
    }

    #[test]
    fn sec_02_a_request_must_name_the_registered_bytes() {
        let registered = [RedirectUri::parse("https://portal.example/cb").unwrap()];
        assert!(find(&registered, "https://portal.example/cb").is_some());
        for other in [
            "https://portal.example/cb/",
            "https://portal.example/CB",
            "https://portal.example/cb?",
            "",
        ] {
            assert!(find(&registered, other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_answer_joins_a_query_that_is_there_already() {
        let plain = RedirectUri::parse("https://p.example/cb").unwrap();
        assert_eq!(
            plain.with_answer([("code", "a b"), ("state", "x")]),
            "https://p.example/cb?code=a+b&state=x"
        );
        let tenant = RedirectUri::parse("https://p.example:8443/cb?t=1").unwrap();
        assert_eq!(
            tenant.with_answer([("code", "x")]),
            "https://p.example:8443/cb?t=1&code=x"
        );
    }

    #[test]
    fn the_answer_stands_apart_from_a_value_that_ends_in_a_question_mark() {
        for (registered, answer) in [
            ("https://p.example/cb?", "https://p.example/cb?code=x"),
            (
                "https://p.example/cb?t=1&",
                "https://p.example/cb?t=1&code=x",
            ),
            (
                "https://p.example/cb?t=why?",
                "https://p.example/cb?t=why?&code=x",
            ),
        ] {
            let uri = RedirectUri::parse(registered).unwrap();
            assert_eq!(uri.with_answer([("code", "x")]), answer);
        }
    }
}

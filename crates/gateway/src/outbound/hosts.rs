//! Which hosts an organisation may name for what the gateway fetches and posts.

use std::fmt;

use url::{Host, Url};

/// The hosts that an organisation may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    /// That one.
    This(Host<String>),
    /// Every name below that one, and not itself.
    Below(String),
}

/// It names no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host: write its name alone, such as hooks.trust.example, or *.trust.example for all below"
)]
pub struct NoHost(pub String);

impl Hosts {
    /// Reads them: names or addresses, without scheme, port and path; `*.` before a name stands for all names below it.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NoHost> {
        let hosts = texts.into_iter().map(|text| {
            let fault = || NoHost(text.to_owned());
            let (below, name) = match text.strip_prefix("*.") {
                Some(name) => (true, name),
                None => (false, text),
            };
            if name.contains('*') {
                return Err(fault());
            }
            let host = Host::parse(name).map_err(|_| fault())?;
            match host {
                // What the parser makes of it is what addresses are compared with: another form would never fit.
                _ if host.to_string() != name || name.ends_with('.') => Err(fault()),
                Host::Domain(name) if below => {
                    // Below a whole top-level domain is nearly everybody.
                    name.contains('.')
                        .then_some(Allowed::Below(format!(".{name}")))
                        .ok_or_else(fault)
                }
                _ if below => Err(fault()),
                host => Ok(Allowed::This(host)),
            }
        });
        Ok(Self(hosts.collect::<Result<_, _>>()?))
    }

    /// Whether an address is at one of them, at whatever port.
    pub fn admit(&self, url: &Url) -> bool {
        let Some(host) = url.host() else {
            return false;
        };
        self.0.iter().any(|allowed| match (allowed, &host) {
            (Allowed::This(allowed), host) => allowed.to_string() == host.to_string(),
            (Allowed::Below(suffix), Host::Domain(name)) => {
                name.len() > suffix.len() && name.ends_with(suffix.as_str())
            }
            (Allowed::Below(_), _) => false,
        })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, allowed) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            match allowed {
                Allowed::This(host) => write!(f, "{comma}{host}")?,
                Allowed::Below(suffix) => write!(f, "{comma}*{suffix}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sec_04_a_host_is_admitted_by_its_whole_name_and_a_star_stands_for_names_below() {
        let hosts =
            Hosts::parse(["hooks.trust.example", "*.partner.example", "203.0.113.7"]).unwrap();
        let admitted = |text: &str| hosts.admit(&text.parse().unwrap());
        for text in [
            "https://hooks.trust.example/a",
            "https://HOOKS.trust.example:8443/",
            "https://a.partner.example/",
            "https://a.b.partner.example/",
            "https://203.0.113.7/",
        ] {
            assert!(admitted(text), "{text}");
        }
        for text in [
            "https://trust.example/",
            "https://a.hooks.trust.example/",
            "https://hooks.trust.example.evil.example/",
            "https://evil.example/hooks.trust.example",
            "https://hooks.trust.example@evil.example/",
            "https://evilhooks.trust.example/",
            "https://partner.example/",
            "https://.partner.example/",
            "https://evilpartner.example/",
            "https://203.0.113.8/",
            "data:text/plain,hooks.trust.example",
        ] {
            assert!(!admitted(text), "{text}");
        }
        assert!(
            !Hosts::parse([])
                .unwrap()
                .admit(&"https://a.example/".parse().unwrap())
        );
    }

    #[test]
    fn what_could_never_fit_or_fits_nearly_everybody_is_no_host() {
        for text in [
            "",
            "*",
            "*.",
            "*.example",
            "*.203.0.113.7",
            "https://a.example",
            "a.example/",
            "a.example:443",
            "A.example",
            "a.example.",
            "a b",
            "user@a.example",
            "**.a.example",
            "a.*.example",
        ] {
            assert_eq!(Hosts::parse([text]), Err(NoHost(text.to_owned())), "{text}");
        }
    }
}

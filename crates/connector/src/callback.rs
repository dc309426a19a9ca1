//! The query with which the browser comes back [RFC 6749 4.1.2, RFC 9207 2].

use std::fmt;

use standards::oauth::{Form, FormError};

use crate::fault::shown;
use crate::secret::Secret;

/// Why a query is no callback.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallbackError {
    /// It is no form, or one with a parameter that comes twice [RFC 6749 3.1].
    #[error("the callback is not well-formed: {0}")]
    Form(#[from] FormError),
    /// Without it nobody knows whose callback this is.
    #[error("the callback has no state")]
    NoState,
    /// Neither success nor failure.
    #[error("the callback has neither a code nor an error")]
    Neither,
    /// Both at once: someone put two callbacks together.
    #[error("the callback has a code and an error")]
    Both,
}

/// A well-formed callback, not yet known to be ours.
pub struct Callback {
    pub(crate) state: String,
    pub(crate) issuer: Option<String>,
    pub(crate) answer: CallbackAnswer,
}

pub(crate) enum CallbackAnswer {
    Code(Secret),
    Error {
        code: String,
        description: Option<String>,
    },
}

impl Callback {
    /// Parse the query of the address that the browser called, without its `?`.
    pub fn parse(query: &str) -> Result<Self, CallbackError> {
        let form = Form::parse(query.strip_prefix('?').unwrap_or(query).as_bytes())?;
        let state = form.find("state").ok_or(CallbackError::NoState)?.to_owned();
        let answer = match (form.find("code"), form.find("error")) {
            (Some(_), Some(_)) => return Err(CallbackError::Both),
            (None, None) => return Err(CallbackError::Neither),
            (Some(code), None) => CallbackAnswer::Code(Secret::new(code.to_owned())),
            (None, Some(error)) => CallbackAnswer::Error {
                code: shown(error),
                description: form.find("error_description").map(shown),
            },
        };
        Ok(Self {
            state,
            issuer: form.find("iss").map(str::to_owned),
            answer,
        })
    }

    /// The `state`, to find the pending journey by. [`Connector::finish`](crate::Connector::finish)
    /// compares it again.
    pub fn state(&self) -> &str {
        &self.state
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match &self.answer {
            CallbackAnswer::Code(_) => "code",
            CallbackAnswer::Error { code, .. } => code,
        };
        f.debug_struct("Callback")
            .field("answer", &answer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(query: &str) -> CallbackError {
        Callback::parse(query).map(|_| ()).unwrap_err()
    }

    #[test]
    fn a_callback_has_a_state_and_either_a_code_or_an_error() {
        assert!(matches!(
            Callback::parse("?code=c&state=s").unwrap().answer,
            CallbackAnswer::Code(code) if code.expose() == "c"
        ));
        assert!(matches!(
            Callback::parse("error=access_denied&error_description=user+cancelled&state=s")
                .unwrap()
                .answer,
            CallbackAnswer::Error { code, description: Some(told) }
                if code == "access_denied" && told == "user cancelled"
        ));
        assert_eq!(refused("code=c"), CallbackError::NoState);
        assert_eq!(refused("code=c&state="), CallbackError::NoState);
        assert_eq!(refused("state=s"), CallbackError::Neither);
        assert_eq!(refused("code=&state=s"), CallbackError::Neither);
        assert_eq!(
            refused("code=c&error=server_error&state=s"),
            CallbackError::Both
        );
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        let twice = |name: &str| {
            CallbackError::Form(FormError::Duplicate {
                name: name.to_owned(),
            })
        };
        assert_eq!(refused("code=a&code=b&state=s"), twice("code"));
        assert_eq!(refused("code=a&state=s&state=s"), twice("state"));
        assert_eq!(refused("code=a&state=s&iss=x&iss=x"), twice("iss"));
    }

    #[test]
    fn a_callback_does_not_print_its_code() {
        let printed = format!("{:?}", Callback::parse("code=hush&state=quiet").unwrap());
        assert!(
            !printed.contains("hush") && !printed.contains("quiet"),
            "{printed}"
        );
    }
}

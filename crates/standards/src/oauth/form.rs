//! `application/x-www-form-urlencoded`, as a body or as a query string.
//!
//! A parameter may occur once (RFC 6749, 3.1), so a second one is refused here and no later code can read
//! 'the first' where another read 'the last'. Clients that do not escape `:` or `/` are understood.

use std::collections::BTreeMap;
use std::fmt;

/// A form with at most one value for each name. Its Debug shows the names only: forms carry secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    values: BTreeMap<String, String>,
}

/// Why a form is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// RFC 6749, 3.1: parameters must not be repeated.
    #[error("the parameter {name} occurs more than once")]
    Duplicate {
        /// The repeated name.
        name: String,
    },
    /// A mandatory parameter is absent, or present without a value.
    #[error("the parameter {name} is missing")]
    Missing {
        /// The absent name.
        name: &'static str,
    },
    /// A `%` that two hexadecimal digits do not follow.
    #[error("the form has an escape that is not % and two hexadecimal digits")]
    Escape,
    /// The bytes are not UTF-8 once unescaped.
    #[error("the form is not UTF-8")]
    Encoding,
    /// More parameters than any request of ours has.
    #[error("the form has more than {} parameters", MOST_PARAMETERS)]
    TooMany,
}

impl Form {
    /// Reads a body or a query string (without its `?`).
    pub fn parse(text: &[u8]) -> Result<Self, FormError> {
        let mut values = BTreeMap::new();
        for pair in text
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = unescape(halves.next().unwrap_or_default())?;
            let value = unescape(halves.next().unwrap_or_default())?;
            if values.len() == MOST_PARAMETERS {
                return Err(FormError::TooMany);
            }
            if values.contains_key(&name) {
                return Err(FormError::Duplicate {
                    name: printable(&name),
                });
            }
            values.insert(name, value);
        }
        Ok(Self { values })
    }

    /// The parameter's value. One sent without a value counts as not sent (RFC 6749, 3.1).
    pub fn find(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The names of all parameters, also of those without a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Every parameter, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// Writes a form from names and values.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn unescape(raw: &[u8]) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest
                    .next()
                    .copied()
                    .and_then(nibble)
                    .ok_or(FormError::Escape)?;
                let low = rest
                    .next()
                    .copied()
                    .and_then(nibble)
                    .ok_or(FormError::Escape)?;
                high << 4 | low
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::Encoding)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// A name as it may be repeated in an error description.
fn printable(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(64)
        .collect()
}

const MOST_PARAMETERS: usize = 64;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused_even_when_one_spelling_is_escaped() {
        assert_eq!(
            Form::parse(b"scope=a&sc%6Fpe=b"),
            Err(FormError::Duplicate {
                name: "scope".into()
            })
        );
    }

    #[test]
    fn unescaped_colons_and_slashes_and_a_plus_for_space_are_understood() {
        let form =
            Form::parse(b"redirect_uri=https://portal.example/back&scope=openid+Identity").unwrap();
        assert_eq!(
            form.find("redirect_uri"),
            Some("https://portal.example/back")
        );
        assert_eq!(form.find("scope"), Some("openid Identity"));
    }

    #[test]
    fn a_parameter_without_a_value_counts_as_not_sent() {
        let form = Form::parse(b"code_verifier&code=x&state=").unwrap();
        assert_eq!(
            (form.find("code_verifier"), form.find("state")),
            (None, None)
        );
        assert_eq!(form.names().count(), 3);
    }

    #[test]
    fn broken_escapes_and_broken_utf8_are_refused() {
        assert_eq!(Form::parse(b"a=%"), Err(FormError::Escape));
        assert_eq!(Form::parse(b"a=%2"), Err(FormError::Escape));
        assert_eq!(Form::parse(b"a=%zz"), Err(FormError::Escape));
        assert_eq!(Form::parse(b"a=%+1"), Err(FormError::Escape));
        assert_eq!(Form::parse(b"a=%ff"), Err(FormError::Encoding));
    }

    #[test]
    fn a_form_of_thousands_of_parameters_is_refused() {
        let many: Vec<u8> = (0..5000)
            .flat_map(|n| format!("p{n}=1&").into_bytes())
            .collect();
        assert_eq!(Form::parse(&many), Err(FormError::TooMany));
    }

    #[test]
    fn printing_a_form_shows_no_value() {
        let form = Form::parse(b"client_secret=hunter2").unwrap();
        assert!(!format!("{form:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_encoded_parses_to_the_same() {
        let text = encode([("a", "x y&z=1"), ("b", "é/:?")]);
        let form = Form::parse(text.as_bytes()).unwrap();
        assert_eq!(
            form.iter().collect::<Vec<_>>(),
            [("a", "x y&z=1"), ("b", "é/:?")]
        );
    }
}

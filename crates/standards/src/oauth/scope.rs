//! Scope values (RFC 6749, 3.3).

use std::fmt;

/// A list of scope tokens in the order of sending, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(Vec<String>);

/// Why a scope is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No token at all.
    #[error("scope is empty")]
    Empty,
    /// A character outside the token alphabet of RFC 6749, 3.3.
    #[error("scope has a character that scope tokens cannot have")]
    Character,
    /// More tokens than any request of ours has.
    #[error("scope has more than {} tokens", MOST_TOKENS)]
    TooMany,
}

impl Scope {
    /// Reads the space-separated tokens; a token repeated is kept once.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let mut tokens: Vec<String> = Vec::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            // %x21 / %x23-5B / %x5D-7E
            if !token
                .bytes()
                .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
            {
                return Err(ScopeError::Character);
            }
            if !tokens.iter().any(|known| known == token) {
                if tokens.len() == MOST_TOKENS {
                    return Err(ScopeError::TooMany);
                }
                tokens.push(token.to_owned());
            }
        }
        if tokens.is_empty() {
            Err(ScopeError::Empty)
        } else {
            Ok(Self(tokens))
        }
    }

    /// Whether the token was sent (tokens are case-sensitive).
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|known| known == token)
    }

    /// The tokens in the order of sending.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

const MOST_TOKENS: usize = 32;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_keep_their_order_and_a_repeated_one_counts_once() {
        let scope = Scope::parse("openid Identity  openid").unwrap();
        assert_eq!(scope.to_string(), "openid Identity");
        assert!(scope.contains("Identity") && !scope.contains("identity"));
    }

    #[test]
    fn an_empty_scope_and_foreign_characters_are_refused() {
        assert_eq!(Scope::parse("  "), Err(ScopeError::Empty));
        for text in ["a\"b", "a\\b", "a\tb", "é", "a\nb"] {
            assert_eq!(Scope::parse(text), Err(ScopeError::Character), "{text:?}");
        }
    }
}

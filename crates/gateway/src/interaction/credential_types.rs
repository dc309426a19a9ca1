//! Which credential types one interaction is about.

use std::fmt;

/// The names of credential types: at least one, none twice, in the order of asking. Issuing has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialTypes {
    first: String,
    others: Vec<String>,
}

impl CredentialTypes {
    /// A single one.
    pub fn one(name: &str) -> Self {
        Self {
            first: name.to_owned(),
            others: Vec::new(),
        }
    }

    /// These, unless there are none.
    pub fn new(names: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut names = names.into_iter();
        Some(Self {
            first: names.next()?,
            others: names.collect(),
        })
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::new(
            text.split(' ')
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        )
    }

    /// The first; when issuing, the only one.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first)
            .chain(&self.others)
            .map(String::as_str)
    }
}

/// As a scope names them: with a space between. No name has one.
impl fmt::Display for CredentialTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        self.others.iter().try_for_each(|name| write!(f, " {name}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_back_in_order() {
        for text in ["Identity", "Identity FireSafety TrainingProgramme"] {
            let types = CredentialTypes::parse(text).unwrap();
            assert_eq!(types.to_string(), text);
            assert_eq!(types.iter().collect::<Vec<_>>().join(" "), text);
            assert_eq!(types.first(), "Identity");
            assert_eq!(types.are_several(), text.contains(' '));
        }
        assert_eq!(CredentialTypes::parse(""), None);
    }
}

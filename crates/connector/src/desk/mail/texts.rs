//! The texts of mails as files: ours, and the operator's own in their place.
//!
//! A file is `<name>.txt` (English) or `<name>.<language>.txt`; its first line is the subject, then an empty line, then
//! the text, with `{placeholders}`. A text is checked when the desk is opened: a mail must not turn out to be wrong on
//! the day when somebody has to be told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Language;
use super::words::PLACEHOLDERS;

/// The name under which a mail of these words is kept: one for each credential.
pub(in crate::desk) const DELETE_CREDENTIAL: &str = "delete-credential";

const OURS: &str = include_str!("texts/delete-credential.txt");
/// Ours in Welsh is a draft. It is not sent unless an operator takes it over.
#[cfg(test)]
pub(super) const DRAFT_IN_WELSH: &str = include_str!("texts/delete-credential.cy.txt");

/// More than this is no mail.
const LARGEST: u64 = 16 * 1024;

/// What is wrong with an operator's text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The folder or a file in it cannot be read.
    #[error("{path} cannot be read: {reason}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why, in the system's words.
        reason: String,
    },
    /// A file that no mail is made of.
    #[error(
        "there is no mail for {}; the names are delete-credential.txt and delete-credential.cy.txt",
        path.display()
    )]
    NoSuchMail {
        /// The file.
        path: PathBuf,
    },
    /// It does not begin with a subject and an empty line.
    #[error("{}: the first line is the subject, without placeholders, and the second is empty", path.display())]
    Subject {
        /// The file.
        path: PathBuf,
    },
    /// A placeholder for which there is no value.
    #[error("{}: there is no placeholder {{{name}}}; there are {known}", path.display(), known = PLACEHOLDERS.join(", "))]
    UnknownPlaceholder {
        /// The file.
        path: PathBuf,
        /// What stands in its braces.
        name: String,
    },
    /// A placeholder without which the employee does not learn what they need.
    #[error("{}: the placeholder {{{name}}} is missing", path.display())]
    MissingPlaceholder {
        /// The file.
        path: PathBuf,
        /// Its name.
        name: &'static str,
    },
}

/// A subject, and a body with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) subject: String,
    body: String,
}

/// The text of a mail in each language that there is.
#[derive(Clone, Debug)]
pub(in crate::desk) struct Texts(BTreeMap<Language, Text>);

impl Texts {
    /// Ours, and in their place what the operator's folder has.
    pub(in crate::desk) fn load(folder: Option<&Path>) -> Result<Self, TextError> {
        let ours = Text::parse(Path::new("delete-credential.txt"), OURS)?;
        let mut texts = BTreeMap::from([(Language::English, ours)]);
        let Some(folder) = folder else {
            return Ok(Self(texts));
        };
        let unreadable = |path: &Path, error: std::io::Error| TextError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            if path.extension().is_none_or(|ending| ending != "txt") {
                continue;
            }
            let language = language_of(&path)?;
            let size = std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
            if size.len() > LARGEST {
                let reason = format!("it is larger than {LARGEST} bytes");
                return Err(TextError::Unreadable { path, reason });
            }
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            texts.insert(language, Text::parse(&path, &text)?);
        }
        Ok(Self(texts))
    }

    /// In this language, or in English.
    pub(super) fn in_language(&self, wanted: Language) -> (Language, Option<&Text>) {
        match self.0.get(&wanted) {
            Some(text) => (wanted, Some(text)),
            None => (Language::English, self.0.get(&Language::English)),
        }
    }
}

fn language_of(path: &Path) -> Result<Language, TextError> {
    let no_such_mail = || TextError::NoSuchMail {
        path: path.to_owned(),
    };
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let rest = stem.and_then(|stem| stem.strip_prefix(DELETE_CREDENTIAL));
    match rest.ok_or_else(no_such_mail)? {
        "" => Ok(Language::English),
        code => code
            .strip_prefix('.')
            .and_then(Language::parse)
            .filter(|language| *language != Language::English)
            .ok_or_else(no_such_mail),
    }
}

impl Text {
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, TextError> {
        let path = || path.to_owned();
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let (subject, body) = text
            .split_once("\n\n")
            .ok_or_else(|| TextError::Subject { path: path() })?;
        let subject_fits = !subject.trim().is_empty()
            && !subject.contains(['{', '}'])
            && !subject.chars().any(char::is_control);
        if !subject_fits {
            return Err(TextError::Subject { path: path() });
        }
        let names = names(body).map_err(|name| TextError::UnknownPlaceholder {
            path: path(),
            name: name.to_owned(),
        })?;
        if let Some(name) = names.iter().find(|name| !PLACEHOLDERS.contains(name)) {
            return Err(TextError::UnknownPlaceholder {
                path: path(),
                name: (*name).to_owned(),
            });
        }
        if let Some(name) = PLACEHOLDERS.iter().find(|name| !names.contains(name)) {
            return Err(TextError::MissingPlaceholder { path: path(), name });
        }
        Ok(Self {
            subject: subject.trim().to_owned(),
            body: body.to_owned(),
        })
    }

    /// Puts values in the places of their names. What a value contains is never read as a name.
    pub(super) fn fill(&self, values: &[(&'static str, String)]) -> String {
        let mut filled = String::with_capacity(self.body.len() * 2);
        let mut rest = self.body.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            // Every name was looked up when the text was parsed.
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let value = values.iter().find(|(known, _)| *known == name);
            filled.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

/// The names in braces; `Err` with what follows a brace that is never closed.
fn names(body: &str) -> Result<Vec<&str>, &str> {
    let mut names = Vec::new();
    let mut rest = body;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Err(after.lines().next().unwrap_or_default());
        };
        names.push(name);
        rest = after;
    }
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "letters_tests.rs"]
mod tests;

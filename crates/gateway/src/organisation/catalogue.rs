//! Credential types: data files, read and checked when the gateway starts.
//!
//! A type says which attributes a credential has, which formats it comes in and when it ends. A draft
//! that does not fit its type is refused with the attribute named (DW-68, DW-70).

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::expiry::{ExpiryFrom, date, date_time};
use crate::config::place::read_text;

/// The most bytes of a credential type's file.
const LARGEST: u64 = 1024 * 1024;

/// The attribute of every issued credential that ties it to its holder's staff passport (DW-69).
pub const UNIQUE_IDENTIFIER: &str = "UniqueIdentifier";
/// Scopes that OpenID Connect Core (5.4, 11) defines and this gateway does not have. No credential type is called so.
pub const SCOPES_OF_OPENID_CONNECT: [&str; 5] =
    ["profile", "email", "address", "phone", "offline_access"];
/// Longest value of an attribute in characters, unless its type says less.
pub(super) const LONGEST: usize = 1_000;

/// The types that come in the box.
const BUILT_IN: [&str; 4] = [
    include_str!("../../credential-types/Identity.toml"),
    include_str!("../../credential-types/TrainingProgramme.toml"),
    include_str!("../../credential-types/TrainingPlacement.toml"),
    include_str!("../../credential-types/FireSafety.toml"),
];

/// A format in which a credential is issued and accepted, by its name in OpenID4VCI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Format {
    /// W3C Verifiable Credential, signed as a JWT.
    #[serde(rename = "jwt_vc_json")]
    JwtVcJson,
    /// SD-JWT VC.
    #[serde(rename = "dc+sd-jwt")]
    SdJwtVc,
}

impl Format {
    /// The format's identifier in OpenID4VCI and OpenID4VP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JwtVcJson => "jwt_vc_json",
            Self::SdJwtVc => "dc+sd-jwt",
        }
    }

    /// Appended to a type's name to make its credential configuration id.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::JwtVcJson => "jwt-vc",
            Self::SdJwtVc => "sd-jwt",
        }
    }
}

/// What an attribute's text must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Any text without control characters.
    Text,
    /// `YYYY-MM-DD`.
    Date,
    /// `YYYY-MM-DD`, or an RFC 3339 date and time as one of the deployed clients sends.
    DateOrDateTime,
    /// A whole number of at least 0.
    Number,
    /// A UUID.
    Uuid,
}

/// Where we know an attribute's name from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Seen in the code of a deployed client.
    Wire,
    /// Seen on a screen only; the name is derived from its label.
    Label,
    /// Our own choice.
    Assumed,
}

/// One attribute of a credential type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Claim name.
    pub name: String,
    /// What pages call it.
    pub label: String,
    /// What its text must look like.
    pub kind: Kind,
    /// A draft without it is refused.
    #[serde(default)]
    pub mandatory: bool,
    /// The only values allowed, when not empty.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Where the name comes from.
    pub source: Source,
}

/// What an organisation may issue, and what a relying party may ask for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialType {
    /// The name in scopes, claims and the revocation call.
    pub name: String,
    /// What pages and wallets call it.
    pub label: String,
    /// Formats in order of preference (rulings 13).
    pub formats: Vec<Format>,
    /// The attribute whose date ends the credential, where there is one.
    #[serde(default)]
    pub expires_with: Option<String>,
    /// Where a credential's end comes from, instead of what the relying party's dialect says.
    #[serde(default)]
    pub expiry_from: Option<ExpiryFrom>,
    /// The longest that a credential may be valid, in days.
    pub valid_for_days: u32,
    /// Attributes in the order in which pages show them.
    pub attributes: Vec<Attribute>,
    /// Its version in the registry; none of one in the box.
    #[serde(skip)]
    pub version: Option<i64>,
}

/// A credential type's file does not hold together; the gateway does not start.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML, or not of this shape.
    #[error("the credential type file {file} cannot be read: {source}")]
    Unreadable {
        file: String,
        source: Box<toml::de::Error>,
    },
    /// The folder or file could not be opened.
    #[error("the credential types in {folder} cannot be opened: {source}")]
    Folder {
        folder: String,
        source: std::io::Error,
    },
    /// A rule of the file's own is broken.
    #[error("the credential type {name}: {reason}")]
    Inconsistent { name: String, reason: String },
}

/// A draft that does not fit its type.
#[allow(missing_docs)]
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// An attribute that the type does not have.
    #[error("{0} is not an attribute of this credential type")]
    Unknown(String),
    /// A mandatory attribute is absent or empty.
    #[error("{0} is missing")]
    Missing(String),
    /// A value that is not a text.
    #[error("{0} must be a text")]
    NotText(String),
    /// A value of the wrong shape.
    #[error("{field} must be {expected}")]
    Malformed {
        field: String,
        expected: &'static str,
    },
}

impl CredentialType {
    /// The id of this type in one format, as OpenID4VCI metadata names it.
    pub fn configuration_id(&self, format: Format) -> String {
        format!("{}-{}", self.name, format.suffix())
    }

    /// The `vct` of this type: the address of its metadata, below the gateway's.
    pub fn vct(&self, base: &str) -> String {
        format!("{base}/credential-types/{}", self.name)
    }

    /// Checks the attributes of a draft: each known, of its shape, nothing mandatory missing. An empty
    /// optional attribute counts as absent. The error names the first attribute at fault and never
    /// repeats its value.
    pub fn check(&self, draft: &Map<String, Value>) -> Result<Map<String, Value>, DraftError> {
        if let Some(unknown) = draft
            .keys()
            .find(|name| !self.attributes.iter().any(|a| &a.name == *name))
        {
            // What an error may say [RFC 6749 5.2].
            let plain = |c: &char| matches!(c, ' '..='~') && *c != '"' && *c != '\\';
            return Err(DraftError::Unknown(
                unknown.chars().filter(plain).take(60).collect(),
            ));
        }
        let mut checked = Map::new();
        for attribute in &self.attributes {
            match draft.get(&attribute.name) {
                None | Some(Value::Null) if attribute.mandatory => {
                    return Err(DraftError::Missing(attribute.name.clone()));
                }
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.is_empty() && attribute.mandatory => {
                    return Err(DraftError::Missing(attribute.name.clone()));
                }
                Some(Value::String(text)) if text.is_empty() => {}
                Some(Value::String(text)) => {
                    attribute.check(text)?;
                    checked.insert(attribute.name.clone(), Value::String(text.clone()));
                }
                Some(_) => return Err(DraftError::NotText(attribute.name.clone())),
            }
        }
        Ok(checked)
    }

    /// Whether what somebody else issued has the shape of this type: each attribute that is there is one, with no text
    /// that could deceive whoever reads it (SEC-35). Which of its values a type lists is its issuer's business.
    pub fn fits(&self, claims: &Map<String, Value>) -> bool {
        self.attributes
            .iter()
            .all(|attribute| match claims.get(&attribute.name) {
                None => true,
                Some(Value::String(text)) if text.is_empty() => !attribute.mandatory,
                Some(Value::String(text)) => attribute.check_shape(text).is_ok(),
                Some(_) => false,
            })
    }

    fn check_self(&self) -> Result<(), CatalogueError> {
        let fault = |reason: String| CatalogueError::Inconsistent {
            name: self.name.clone(),
            reason,
        };
        let plain = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let is_scope = ["openid", "external"].contains(&self.name.as_str())
            || SCOPES_OF_OPENID_CONNECT.contains(&self.name.as_str());
        if !plain(&self.name) || is_scope {
            return Err(fault(
                "the name must be letters, digits and hyphens, and not a scope of its own".into(),
            ));
        }
        if self.formats.is_empty()
            || self.formats.iter().collect::<HashSet<_>>().len() != self.formats.len()
        {
            return Err(fault(
                "formats must name each format at most once and at least one".into(),
            ));
        }
        if self.valid_for_days == 0 || self.valid_for_days > 36_500 {
            return Err(fault("valid_for_days must be between 1 and 36500".into()));
        }
        let mut names = HashSet::new();
        for attribute in &self.attributes {
            if !plain(&attribute.name) || !names.insert(attribute.name.as_str()) {
                return Err(fault(format!(
                    "the attribute name {} is not plain or stands twice",
                    attribute.name
                )));
            }
            if RESERVED.contains(&attribute.name.as_str()) {
                return Err(fault(format!(
                    "the attribute name {} is the gateway's own",
                    attribute.name
                )));
            }
        }
        let unique = self.attributes.iter().find(|a| a.name == UNIQUE_IDENTIFIER);
        if !unique.is_some_and(|a| a.mandatory && a.kind == Kind::Uuid) {
            return Err(fault(
                "UniqueIdentifier must be a mandatory attribute of the kind uuid".into(),
            ));
        }
        if let Some(end) = &self.expires_with {
            let dated = self
                .attributes
                .iter()
                .any(|a| &a.name == end && matches!(a.kind, Kind::Date | Kind::DateOrDateTime));
            if !dated {
                return Err(fault(format!(
                    "expires_with names {end}, which is not a date of this type"
                )));
            }
            if self.expiry_from == Some(ExpiryFrom::TypeAlone) {
                return Err(fault(
                    "expires_with ends a credential with its own date; expiry_from = \"none\" says that nothing does"
                        .into(),
                ));
            }
        }
        Ok(())
    }
}

/// Names that claims of tokens and credentials use for themselves.
const RESERVED: [&str; 15] = [
    // [VCDM 1.1 4.4] Who the credential is about: the holder.
    "id",
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "cnf",
    "vct",
    "status",
    "vc",
    "SerialNumber",
    "ExpiresAt",
];

impl Attribute {
    fn check(&self, text: &str) -> Result<(), DraftError> {
        self.check_shape(text)?;
        if !self.one_of.is_empty() && !self.one_of.iter().any(|allowed| allowed == text) {
            return Err(self.malformed("one of the values that the type lists"));
        }
        Ok(())
    }

    fn malformed(&self, expected: &'static str) -> DraftError {
        DraftError::Malformed {
            field: self.name.clone(),
            expected,
        }
    }

    fn check_shape(&self, text: &str) -> Result<(), DraftError> {
        let malformed = |expected| self.malformed(expected);
        if text.chars().count() > LONGEST {
            return Err(malformed("at most 1000 characters"));
        }
        if text.chars().any(|c| c.is_control() || is_bidi_control(c)) {
            return Err(malformed("a text without control characters"));
        }
        match self.kind {
            Kind::Text => Ok(()),
            Kind::Date if date(text).is_some() => Ok(()),
            Kind::Date => Err(malformed("a date as YYYY-MM-DD")),
            Kind::DateOrDateTime if date(text).is_some() || date_time(text).is_some() => Ok(()),
            Kind::DateOrDateTime => Err(malformed(
                "a date as YYYY-MM-DD, or an RFC 3339 date and time with its offset",
            )),
            Kind::Number if text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
            Kind::Number => Err(malformed("a whole number")),
            Kind::Uuid if text.len() == 36 && uuid::Uuid::try_parse(text).is_ok() => Ok(()),
            Kind::Uuid => Err(malformed("a UUID")),
        }
    }
}

/// Characters that make a text read in another order than it is stored (SEC-35).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

/// All credential types, by name.
#[derive(Debug, Clone)]
pub struct Catalogue(BTreeMap<String, CredentialType>);

impl Catalogue {
    /// The types that come in the box.
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::parse(
            BUILT_IN
                .into_iter()
                .map(|text| ("(built in)".to_owned(), text.to_owned())),
        )
    }

    /// Reads every `.toml` file of a folder.
    pub fn open(folder: &std::path::Path) -> Result<Self, CatalogueError> {
        let fault = |source| CatalogueError::Folder {
            folder: folder.display().to_string(),
            source,
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push((
                    path.display().to_string(),
                    read_text(&path, LARGEST).map_err(fault)?.to_string(),
                ));
            }
        }
        Self::parse(files.into_iter())
    }

    fn parse(files: impl Iterator<Item = (String, String)>) -> Result<Self, CatalogueError> {
        let mut types = BTreeMap::new();
        for (file, text) in files {
            let read: CredentialType =
                toml::from_str(&text).map_err(|source| CatalogueError::Unreadable {
                    file,
                    source: Box::new(source),
                })?;
            insert(&mut types, read, "stands in two files")?;
        }
        Ok(Self(types))
    }

    /// These types, and others that are registered. A registered type takes the place of one in the box that has its
    /// very name.
    pub fn with(
        &self,
        registered: impl IntoIterator<Item = CredentialType>,
    ) -> Result<Self, CatalogueError> {
        let mut types = self.0.clone();
        for one in registered {
            types.remove(&one.name);
            insert(&mut types, one, "is there already, in other letters")?;
        }
        Ok(Self(types))
    }

    /// The type of that name.
    pub fn find(&self, name: &str) -> Option<&CredentialType> {
        self.0.get(name)
    }

    /// All types, by name.
    pub fn iter(&self) -> impl Iterator<Item = &CredentialType> {
        self.0.values()
    }
}

/// Addresses and query ids do not tell capitals from small letters.
fn insert(
    types: &mut BTreeMap<String, CredentialType>,
    one: CredentialType,
    twice: &str,
) -> Result<(), CatalogueError> {
    one.check_self()?;
    let name = one.name.clone();
    if types.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Err(CatalogueError::Inconsistent {
            name,
            reason: twice.to_owned(),
        });
    }
    types.insert(name, one);
    Ok(())
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;

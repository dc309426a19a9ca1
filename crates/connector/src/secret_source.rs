//! Where a host of the connector keeps a secret: in a file or in the environment, never in its configuration.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Where a secret is kept. In a configuration file: `{ file = "PATH" }` or `{ env = "NAME" }`. Its Debug names the
/// place and never the secret.
#[derive(Clone)]
pub enum SecretSource {
    /// In a file; a line end at its end does not count.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
    /// Held by the program. A configuration file cannot say this.
    Held(Zeroizing<String>),
}

/// A secret is not where its source says.
#[derive(Debug, thiserror::Error)]
#[error("the secret ({place}) cannot be read: {reason}")]
pub struct SecretSourceError {
    /// The place, as the configuration names it.
    pub place: String,
    /// Why.
    pub reason: String,
}

impl SecretSource {
    /// A secret that the program holds.
    pub fn held(secret: impl Into<String>) -> Self {
        Self::Held(Zeroizing::new(secret.into()))
    }

    /// The secret's text.
    pub fn read(&self) -> Result<Zeroizing<String>, SecretSourceError> {
        let fault = |reason: String| SecretSourceError {
            place: self.to_string(),
            reason,
        };
        let text = match self {
            Self::File(path) => Zeroizing::new(
                std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?,
            ),
            Self::Env(name) => {
                Zeroizing::new(std::env::var(name).map_err(|error| fault(error.to_string()))?)
            }
            Self::Held(text) => text.clone(),
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(fault("it is empty".to_owned()));
        }
        Ok(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Held(_) => f.write_str("held by the program"),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSource({self})")
    }
}

/// What a configuration file may say: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    file: Option<PathBuf>,
    env: Option<String>,
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceVisitor;

        impl<'de> Visitor<'de> for PlaceVisitor {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ file = … } or { env = … }")
            }

            /// A secret written where its place should be must not be quoted in the refusal.
            fn visit_str<E: Error>(self, _: &str) -> Result<Place, E> {
                Err(E::custom(
                    "no secret stands in this file: say { file = … } or { env = … }",
                ))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Place, A::Error> {
                Place::deserialize(MapAccessDeserializer::new(map))
            }
        }

        match deserializer.deserialize_any(PlaceVisitor)? {
            Place {
                file: Some(path),
                env: None,
            } => Ok(Self::File(path)),
            Place {
                file: None,
                env: Some(name),
            } => Ok(Self::Env(name)),
            _ => Err(D::Error::custom(
                "a secret has one place: say { file = … } or { env = … }",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn a_secret_is_named_by_its_place_and_never_stands_in_the_file() {
        let read = |value: Value| from_value::<SecretSource>(value).map(|read| read.to_string());
        assert_eq!(read(json!({"file": "a"})).unwrap(), "file a");
        assert_eq!(read(json!({"env": "B"})).unwrap(), "environment variable B");
        for value in [
            json!("hunter2"),
            json!({"held": "hunter2"}),
            json!({"file": "a", "env": "hunter2"}),
            json!({}),
        ] {
            let refused = read(value).unwrap_err().to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn a_line_end_is_no_part_of_a_secret_and_nothing_is_none() {
        assert_eq!(&**SecretSource::held("pass\r\n").read().unwrap(), "pass");
        assert!(SecretSource::held("\n").read().is_err());
        let held = format!("{:?}", SecretSource::held("hunter2"));
        assert!(!held.contains("hunter2"), "{held}");
    }
}

//! Where secrets are kept: never in the configuration file itself.

use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::ConfigError;
use super::place::read_text;

/// The most bytes of a secret's file: a private key with its certificates has a tenth of that.
const LARGEST: u64 = 64 * 1024;

/// Where a secret is kept.
#[derive(Clone)]
pub enum Secret {
    /// In a file; a line end at its end does not count.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
    /// Held by the program that composes the gateway. A file cannot say this.
    Held(Zeroizing<String>),
}

/// What a configuration file may say about a secret: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    file: Option<PathBuf>,
    env: Option<String>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceVisitor;

        impl<'de> Visitor<'de> for PlaceVisitor {
            type Value = Place;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "Secret(file {})", path.display()),
            Self::Env(name) => write!(f, "Secret(env {name})"),
            Self::Held(_) => f.write_str("Secret(…)"),
        }
    }
}

impl Secret {
    /// The secret's text.
    pub fn read(&self) -> Result<Zeroizing<String>, ConfigError> {
        let fault = |reason: String| ConfigError::Secret {
            place: format!("{self:?}"),
            reason,
        };
        let text = match self {
            Self::File(path) => {
                read_text(path, LARGEST).map_err(|error| fault(error.to_string()))?
            }
            Self::Env(name) => {
                Zeroizing::new(std::env::var(name).map_err(|error| fault(error.to_string()))?)
            }
            Self::Held(text) => text.clone(),
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(fault("it is empty".into()));
        }
        Ok(Zeroizing::new(text.to_owned()))
    }
}

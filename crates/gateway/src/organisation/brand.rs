//! How a tenant's own people see the gateway's pages: its name, its colour, its logo, and who helps.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{Error as _, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ui::{Brand, Logo, Tenant};

use crate::config::ConfigError;

/// A tenant's brand as it is declared. What it leaves out is the gateway's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrandConfig {
    /// What the header calls it, where that is not its name.
    pub name: Option<String>,
    /// Background of the header, `#rrggbb`: white text on it must have a contrast of 4.5 to 1.
    pub colour: Option<String>,
    /// Who helps its people: a mail address, an https address, or plain words such as a telephone number.
    pub support_contact: Option<String>,
    /// A PNG of at most 32 KiB: `{ file = … }`, read once, or `data:image/png;base64,…`.
    pub logo: Option<LogoPlace>,
}

/// Where a logo is.
#[derive(Debug, Clone)]
pub enum LogoPlace {
    /// In a file of this machine.
    File(PathBuf),
    /// Here.
    Held(Logo),
}

impl LogoPlace {
    fn read(&self) -> Result<Logo, String> {
        match self {
            Self::Held(logo) => Ok(logo.clone()),
            Self::File(path) => {
                let bytes = read_file(path);
                let bytes = bytes.map_err(|error| format!("{}: {error}", path.display()))?;
                Logo::parse(&bytes).map_err(|error| error.to_string())
            }
        }
    }
}

/// More bytes than a logo may have.
const ENOUGH: u64 = 64 * 1024;

/// As much of it as shows that it is too much. A device or a pipe has no end, or waits for one: only a file is read.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(ENOUGH).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl<'de> Deserialize<'de> for LogoPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceVisitor;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Place {
            file: PathBuf,
        }

        impl<'de> serde::de::Visitor<'de> for PlaceVisitor {
            type Value = LogoPlace;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("{ file = … } or data:image/png;base64,…")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<LogoPlace, E> {
                Logo::parse_text(text)
                    .map(LogoPlace::Held)
                    .map_err(E::custom)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<LogoPlace, A::Error> {
                let place = Place::deserialize(MapAccessDeserializer::new(map));
                place
                    .map(|place| LogoPlace::File(place.file))
                    .map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(PlaceVisitor)
    }
}

/// What is kept is the logo itself: the file is read once.
impl Serialize for LogoPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let logo = self.read().map_err(serde::ser::Error::custom)?;
        serializer.collect_str(&logo)
    }
}

impl BrandConfig {
    /// The brand of the pages of its people, beside the gateway's own.
    pub(super) fn load(
        &self,
        organisation: (&str, &str),
        gateway: &Brand,
    ) -> Result<Arc<Brand>, ConfigError> {
        let (id, name) = organisation;
        let fault = |key: &str, reason: String| {
            ConfigError::value(format!("organisations.{id}.brand.{key}"), reason)
        };
        let name = self.name.as_deref().unwrap_or(name);
        for (key, text) in [
            ("name", Some(name)),
            ("support_contact", self.support_contact.as_deref()),
        ] {
            let Some(text) = text else { continue };
            let length = text.trim().chars().count();
            if length == 0 || length > 120 || text.chars().any(char::is_control) {
                return Err(fault(
                    key,
                    "use one line of at most 120 characters".to_owned(),
                ));
            }
        }
        let logo = self.logo.as_ref().map(LogoPlace::read).transpose();
        let logo = logo.map_err(|reason| fault("logo", reason))?;
        let tenant = Tenant {
            name,
            colour: self.colour.as_deref(),
            support_contact: self.support_contact.as_deref(),
            logo: logo.as_ref(),
        };
        let brand = gateway.of_tenant(&tenant);
        brand
            .map(Arc::new)
            .map_err(|error| fault("colour", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn sec_37_a_logo_is_read_from_a_file_of_its_size_and_from_nothing_without_an_end() {
        let endless = LogoPlace::File("/dev/zero".into()).read().err().unwrap();
        assert_eq!(endless, "/dev/zero: it is no file");
        let folder = LogoPlace::File("/".into()).read().err().unwrap();
        assert_eq!(folder, "/: it is no file");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(
            LogoPlace::File(file.into())
                .read()
                .unwrap_err()
                .contains("PNG")
        );
    }
}

//! How a tenant's own people see the gateway's pages: its name, its colour, its logo, and who helps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ui::{Brand, Logo, Tenant};

use crate::config::ConfigError;
use crate::config::place::{Place, Placed};

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
    pub logo: Option<Place<Logo>>,
}

impl Placed for Logo {
    const SAID: &'static str = "{ file = … } or data:image/png;base64,…";
    const LARGEST: u64 = ui::LARGEST_LOGO as u64;

    fn of_file(bytes: &[u8]) -> Result<Self, String> {
        Self::parse(bytes).map_err(|error| error.to_string())
    }

    fn of_text(text: &str) -> Result<Self, String> {
        Self::parse_text(text).map_err(|error| error.to_string())
    }

    fn check(text: &str) -> Result<(), String> {
        Self::of_text(text).map(drop)
    }

    fn to_text(&self) -> String {
        self.to_string()
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
        let logo = self.logo.as_ref().map(Place::read).transpose();
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

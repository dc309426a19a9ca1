//! Who runs the service, and its colours. Neutral unless the operator's brand file says otherwise.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use crate::assets::{CSS, File, PNG, Set};
use crate::logo::Logo;

/// The brand file as it is written. [`Brand`] is what came through the checks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrandFile {
    /// The name of the service, in the header and in every title.
    pub service_name: String,
    /// Who runs it.
    pub organisation_name: Option<String>,
    /// Who helps: a mail address, an https address, or plain words such as a telephone number.
    pub support_contact: Option<String>,
    /// What people do who cannot use a wallet or a camera, in a sentence or two: a desk to go to, a form on paper.
    pub assisted_route: Option<String>,
    /// Background of the header, `#rrggbb`; white text stands on it.
    pub header_colour: String,
    /// Colour of links on the white page, `#rrggbb`.
    pub link_colour: String,
    /// Links in the footer besides Help.
    pub footer_links: Vec<FooterLink>,
}

/// One link in the footer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FooterLink {
    /// What the person reads.
    pub text: String,
    /// Where it leads: an https address, or a path on this origin.
    pub href: String,
}

impl Default for BrandFile {
    fn default() -> Self {
        Self {
            service_name: NEUTRAL_NAME.to_owned(),
            organisation_name: None,
            support_contact: None,
            assisted_route: None,
            header_colour: NEUTRAL_HEADER.to_string(),
            link_colour: NEUTRAL_LINK.to_string(),
            footer_links: Vec::new(),
        }
    }
}

const NEUTRAL_NAME: &str = "Staff credentials";
const NEUTRAL_HEADER: Colour = Colour {
    red: 0x1d,
    green: 0x3b,
    blue: 0x4f,
};
const NEUTRAL_LINK: Colour = Colour {
    red: 0x00,
    green: 0x5e,
    blue: 0xb8,
};
const WHITE: Colour = Colour {
    red: 0xff,
    green: 0xff,
    blue: 0xff,
};
/// [WCAG 1.4.3] Least contrast of text with what is behind it.
const LEAST_CONTRAST: f64 = 4.5;

/// A brand whose colours can be read and whose links lead somewhere safe.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "BrandFile")]
pub struct Brand {
    service_name: String,
    organisation_name: Option<String>,
    support_contact: Option<SupportContact>,
    assisted_route: Option<String>,
    header_colour: Colour,
    footer_links: Vec<FooterLink>,
    link_colour: Colour,
    logo: Option<(u32, u32)>,
    assets: Set,
}

/// What a tenant says of itself on the pages of its own people. What it leaves out is as everybody's.
#[derive(Debug, Clone)]
pub struct Tenant<'a> {
    /// Its name, in the header and at the foot.
    pub name: &'a str,
    /// Background of the header, `#rrggbb`; white text stands on it.
    pub colour: Option<&'a str>,
    /// Who helps its people.
    pub support_contact: Option<&'a str>,
    /// Its logo, beside the name.
    pub logo: Option<&'a Logo>,
}

/// Who helps, and how to reach them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportContact {
    text: String,
    href: Option<String>,
}

/// Why a brand file is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BrandError {
    /// Not of the form `#rrggbb`.
    #[error("{key} is {value:?}: write a colour as #rrggbb")]
    Colour {
        /// The key in the file.
        key: &'static str,
        /// What it says.
        value: String,
    },
    /// People could not read the text.
    #[error("{key} has a contrast of {contrast:.2} to 1 with white; people need at least 4.5 to 1")]
    Contrast {
        /// The key in the file.
        key: &'static str,
        /// The contrast with white.
        contrast: f64,
    },
    /// A link in the footer leads neither to an https address nor to a path here.
    #[error(
        "the footer link {text:?} must lead to an https address or to a path that begins with /"
    )]
    FooterLink {
        /// What the link says.
        text: String,
    },
    /// A service without a name cannot title its pages.
    #[error("service_name is empty")]
    NoServiceName,
}

impl Default for Brand {
    fn default() -> Self {
        Self::neutral(NEUTRAL_NAME)
    }
}

impl Brand {
    /// The neutral brand under another service name.
    pub fn neutral(service_name: &str) -> Self {
        Self {
            service_name: service_name.to_owned(),
            organisation_name: None,
            support_contact: None,
            assisted_route: None,
            header_colour: NEUTRAL_HEADER,
            footer_links: Vec::new(),
            link_colour: NEUTRAL_LINK,
            logo: None,
            assets: sheet(NEUTRAL_HEADER, NEUTRAL_LINK, None),
        }
    }

    /// This brand as a tenant's people see it: under the tenant's name, with its colour and its logo.
    pub fn of_tenant(&self, tenant: &Tenant<'_>) -> Result<Self, BrandError> {
        let colour = tenant.colour.map(|colour| readable("colour", colour));
        let header_colour = colour.transpose()?.unwrap_or(self.header_colour);
        let contact = tenant.support_contact.map(str::to_owned);
        Ok(Self {
            organisation_name: Some(tenant.name.to_owned()),
            support_contact: contact
                .map(SupportContact::parse)
                .or_else(|| self.support_contact.clone()),
            header_colour,
            logo: tenant.logo.map(Logo::sides),
            assets: sheet(header_colour, self.link_colour, tenant.logo),
            ..self.clone()
        })
    }

    /// Address, width and height of the logo, where there is one.
    pub fn logo(&self) -> Option<(String, u32, u32)> {
        let (width, height) = self.logo?;
        Some((self.assets.href(LOGO), width, height))
    }

    /// The name of the service.
    pub fn service_name(&self) -> &str {
        &self.service_name
    }

    /// Who runs it.
    pub fn organisation_name(&self) -> Option<&str> {
        self.organisation_name.as_deref()
    }

    /// Who helps.
    pub fn support_contact(&self) -> Option<&SupportContact> {
        self.support_contact.as_ref()
    }

    /// What people do who cannot use a wallet or a camera, in the operator's words.
    pub fn assisted_route(&self) -> Option<&str> {
        self.assisted_route.as_deref()
    }

    /// The same brand with these words for who helps, where it names nobody.
    #[must_use]
    pub fn or_support_contact(mut self, text: impl Into<String>) -> Self {
        self.support_contact
            .get_or_insert_with(|| SupportContact::parse(text.into()));
        self
    }

    /// Background of the header.
    pub fn header_colour(&self) -> Colour {
        self.header_colour
    }

    /// Links in the footer besides Help.
    pub fn footer_links(&self) -> &[FooterLink] {
        &self.footer_links
    }

    /// The brand's own files: the sheet with its colours.
    pub fn assets(&self) -> &Set {
        &self.assets
    }

    /// Address of the sheet with the brand's colours.
    pub fn stylesheet(&self) -> String {
        self.assets.href(SHEET)
    }
}

/// Why a brand cannot be taken from a file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not there, or not for us to read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not say what a brand file may say.
    #[error("{path}: {source}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: toml::de::Error,
    },
}

impl Brand {
    /// Reads and checks a brand file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| OpenError::Read {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| OpenError::Content {
            path: path.to_owned(),
            source,
        })
    }
}

impl TryFrom<BrandFile> for Brand {
    type Error = BrandError;

    fn try_from(file: BrandFile) -> Result<Self, BrandError> {
        if file.service_name.trim().is_empty() {
            return Err(BrandError::NoServiceName);
        }
        let header_colour = readable("header_colour", &file.header_colour)?;
        let link_colour = readable("link_colour", &file.link_colour)?;
        for link in &file.footer_links {
            if !leads_somewhere_safe(&link.href) {
                return Err(BrandError::FooterLink {
                    text: link.text.clone(),
                });
            }
        }
        Ok(Self {
            service_name: file.service_name,
            organisation_name: file.organisation_name,
            support_contact: file.support_contact.map(SupportContact::parse),
            assisted_route: file.assisted_route.filter(|words| !words.trim().is_empty()),
            header_colour,
            footer_links: file.footer_links,
            link_colour,
            logo: None,
            assets: sheet(header_colour, link_colour, None),
        })
    }
}

impl SupportContact {
    /// A mail address and an https address become links; anything else stays words.
    fn parse(text: String) -> Self {
        let bare = !text.contains(char::is_whitespace);
        let href = if bare && text.starts_with("https://") && Url::parse(&text).is_ok() {
            Some(text.clone())
        } else if bare && is_mail_address(&text) {
            Some(format!("mailto:{text}"))
        } else {
            None
        };
        Self { text, href }
    }

    /// What the person reads.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it leads, when it is an address.
    pub fn href(&self) -> Option<&str> {
        self.href.as_deref()
    }
}

fn is_mail_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "@.-_+'".contains(c))
    })
}

/// `//host` is an address on another origin, not a path here.
fn leads_somewhere_safe(href: &str) -> bool {
    (href.starts_with('/') && !href.starts_with("//"))
        || Url::parse(href).is_ok_and(|url| url.scheme() == "https")
}

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0_u8; 3];
        hex::decode_to_slice(text.strip_prefix('#')?, &mut bytes).ok()?;
        let [red, green, blue] = bytes;
        Some(Self { red, green, blue })
    }

    /// [WCAG 2.2, relative luminance]
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// [WCAG 2.2, contrast ratio] Between 1 and 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

fn readable(key: &'static str, value: &str) -> Result<Colour, BrandError> {
    let colour = Colour::parse(value).ok_or_else(|| BrandError::Colour {
        key,
        value: value.to_owned(),
    })?;
    let contrast = colour.contrast(WHITE);
    if contrast < LEAST_CONTRAST {
        return Err(BrandError::Contrast { key, contrast });
    }
    Ok(colour)
}

const SHEET: &str = "brand.css";
const LOGO: &str = "logo.png";

/// The vendored sheet's own custom properties are never read by it, so a brand's colours are rules of their own.
fn sheet(header: Colour, link: Colour, logo: Option<&Logo>) -> Set {
    let mut css = String::new();
    if header != NEUTRAL_HEADER {
        let _ = writeln!(
            css,
            ".nhsuk-header,.nhsuk-header__container{{background-color:{header};border-color:{header}}}"
        );
    }
    if link != NEUTRAL_LINK {
        let _ = writeln!(
            css,
            ".nhsuk-main-wrapper a:link:not(.nhsuk-button):not(:hover):not(:focus):not(:active),\
             .nhsuk-details__summary-text{{color:{link}}}"
        );
    }
    // White behind it: a logo that is made for paper must be seen on any colour.
    if logo.is_some() {
        css.push_str(
            ".lanyard-logo{align-self:center;display:block;background-color:#fff;padding:4px;border-radius:4px}",
        );
    }
    let sheet = File {
        name: SHEET,
        media_type: CSS,
        content: css.into_bytes().into(),
    };
    let logo = logo.map(|logo| File {
        name: LOGO,
        media_type: PNG,
        content: logo.bytes().to_vec().into(),
    });
    Set::new([sheet].into_iter().chain(logo))
}

#[cfg(test)]
#[path = "brand_tests.rs"]
mod tests;

//! The languages of mails, and the sentences that vary, in each. A closed list: nothing here can tell of a dismissal, a
//! failed check or health.

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use crate::desk::Cause;

/// The rule of Europe/London since 1996, so that a machine without a time zone database says the same.
const LONDON: &str = "GMT0BST,M3.5.0/1,M10.5.0";

const WELSH_MONTHS: [&str; 12] = [
    "Ionawr",
    "Chwefror",
    "Mawrth",
    "Ebrill",
    "Mai",
    "Mehefin",
    "Gorffennaf",
    "Awst",
    "Medi",
    "Hydref",
    "Tachwedd",
    "Rhagfyr",
];

/// A language that mails are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Welsh. Our sentences are a draft: an operator who writes in Welsh has them read first.
    #[serde(rename = "cy")]
    Welsh,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Welsh];

    /// Its code [ISO 639-1]: `en` or `cy`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Welsh => "cy",
        }
    }

    pub(in crate::desk) fn parse(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.code() == code)
    }

    /// What stands for a first name that is not there, or not fit for a mail.
    pub(super) fn no_name(self) -> &'static str {
        match self {
            Self::English => "colleague",
            Self::Welsh => "gydweithiwr",
        }
    }

    /// `18 November 2026`, in London.
    pub(super) fn date(self, at: Timestamp) -> String {
        static ZONE: LazyLock<TimeZone> =
            LazyLock::new(|| TimeZone::posix(LONDON).unwrap_or(TimeZone::UTC));
        let at = at.to_zoned(ZONE.clone());
        match self {
            Self::English => at.strftime("%-d %B %Y").to_string(),
            Self::Welsh => {
                let month = usize::try_from(at.month() - 1).unwrap_or_default();
                format!("{} {} {}", at.day(), WELSH_MONTHS[month], at.year())
            }
        }
    }

    pub(super) fn because(self, cause: Cause) -> &'static str {
        match (self, cause) {
            (Self::English, Cause::Corrected) => "your record was corrected",
            (Self::English, Cause::EndedEarly) => "it ended early",
            (Self::English, Cause::AddedInError) => "it was added in error",
            (Self::English, Cause::Replaced) => "it was replaced by a newer one",
            (Self::English, Cause::NotConfirmed) => {
                "we could not confirm that it reached your wallet"
            }
            (Self::English, Cause::WalletLost) => "the wallet that held it was reported lost",
            (Self::English, Cause::RevokedAtGateway) => {
                "the service that issues it had already cancelled it"
            }
            (Self::Welsh, Cause::Corrected) => "i'ch cofnod gael ei gywiro",
            (Self::Welsh, Cause::EndedEarly) => "iddo ddod i ben yn gynnar",
            (Self::Welsh, Cause::AddedInError) => "iddo gael ei ychwanegu mewn camgymeriad",
            (Self::Welsh, Cause::Replaced) => "i un mwy newydd gymryd ei le",
            (Self::Welsh, Cause::NotConfirmed) => {
                "na allem gadarnhau ei fod wedi cyrraedd eich waled"
            }
            (Self::Welsh, Cause::WalletLost) => "i'r waled oedd yn ei ddal gael ei cholli",
            (Self::Welsh, Cause::RevokedAtGateway) => {
                "i'r gwasanaeth sy'n ei ddyroddi ei ganslo eisoes"
            }
        }
    }

    /// What is said of the copy, how to find it, and to delete it.
    pub(super) fn copy(
        self,
        label: &str,
        cause: Cause,
        issued_at: Option<Timestamp>,
    ) -> [String; 3] {
        let texts = match (self, issued_at) {
            (Self::English, Some(at)) if cause == Cause::WalletLost => (
                "The copy in that wallet no longer works.",
                format!(
                    "If it is the one that was lost, find the {label} credential added on {}.",
                    self.date(at)
                ),
                "Delete it.",
            ),
            (Self::Welsh, Some(at)) if cause == Cause::WalletLost => (
                "Nid yw'r copi yn y waled honno yn gweithio mwyach.",
                format!(
                    "Os mai hi yw'r un a gollwyd, dewch o hyd i'r tystlythyr {label} a ychwanegwyd ar {}.",
                    self.date(at)
                ),
                "Dilëwch ef.",
            ),
            (Self::English, Some(at)) => (
                "The copy in your wallet no longer works.",
                format!("Find the {label} credential added on {}.", self.date(at)),
                "Delete it.",
            ),
            (Self::English, None) => (
                "If there is a copy in your wallet, it does not work.",
                format!("Look for the {label} credential."),
                "If it is there, delete it.",
            ),
            (Self::Welsh, Some(at)) => (
                "Nid yw'r copi yn eich waled yn gweithio mwyach.",
                format!(
                    "Dewch o hyd i'r tystlythyr {label} a ychwanegwyd ar {}.",
                    self.date(at)
                ),
                "Dilëwch ef.",
            ),
            (Self::Welsh, None) => (
                "Os oes copi yn eich waled, nid yw'n gweithio.",
                format!("Chwiliwch am y tystlythyr {label}."),
                "Os yw yno, dilëwch ef.",
            ),
        };
        [texts.0.to_owned(), texts.1, texts.2.to_owned()]
    }

    pub(super) fn what_next(self, cause: Cause, home: Option<&Url>) -> String {
        let there_is_none = matches!(cause, Cause::EndedEarly | Cause::AddedInError);
        let at = Here(home);
        match self {
            Self::English => {
                let link = match home {
                    Some(_) => {
                        " You can type this address into your browser instead of following the link."
                    }
                    None => "",
                };
                if cause == Cause::Replaced {
                    "Your newer credential is not affected.".to_owned()
                } else if there_is_none {
                    format!(
                        "There is no new one to add. You can see your records in your staff account{}.{link}",
                        at.after(" at ")
                    )
                } else {
                    format!(
                        "If you still need it, log in to your staff account{} and add the new one.{link}",
                        at.after(" at ")
                    )
                }
            }
            Self::Welsh => {
                let link = match home {
                    Some(_) => {
                        " Gallwch deipio'r cyfeiriad hwn yn eich porwr yn lle dilyn y ddolen."
                    }
                    None => "",
                };
                if cause == Cause::Replaced {
                    "Nid yw hyn yn effeithio ar eich tystlythyr mwy newydd.".to_owned()
                } else if there_is_none {
                    format!(
                        "Nid oes un newydd i'w ychwanegu. Gallwch weld eich cofnodion yn eich cyfrif staff{}.{link}",
                        at.after(" yn ")
                    )
                } else {
                    format!(
                        "Os oes ei angen arnoch o hyd, mewngofnodwch i'ch cyfrif staff{} ac ychwanegwch yr un newydd.{link}",
                        at.after(" yn ")
                    )
                }
            }
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The portal's address, if mails name it.
struct Here<'a>(Option<&'a Url>);

impl Here<'_> {
    fn after(&self, word: &str) -> String {
        self.0
            .map(|home| format!("{word}{home}"))
            .unwrap_or_default()
    }
}

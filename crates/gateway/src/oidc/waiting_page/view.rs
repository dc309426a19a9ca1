//! What the person sees while a wallet acts, and when it does not work: plain data in, a page out.
//!
//! Every text of these pages is written here or in the templates beside this file; nothing that a wallet or a
//! relying party sent in a request is shown. The relying party's name is the registered one.

use std::sync::{Arc, LazyLock};

use askama::Template;
use jiff::Timestamp;
use ui::assets::{File, JAVASCRIPT, Set};
use ui::qr::Svg;
use ui::{Brand, Page};

/// What the relying party wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The employee shares a credential.
    Verify,
    /// A credential goes into the employee's wallet.
    Issue,
}

/// Whom and what the pages are about.
#[derive(Debug, Clone)]
pub struct About {
    /// What is done.
    pub purpose: Purpose,
    /// Registered name of the relying party that asks.
    pub relying_party: String,
    /// Name of the organisation: who issues, or for whom is checked.
    pub organisation: String,
    /// The credential type's label, such as `Staff identity`.
    pub credential: String,
    /// What the person reads out to support, such as `K7Q2-9MFD`.
    pub reference: String,
}

/// How far an interaction is that has not failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The code waits for a wallet.
    Waiting,
    /// A wallet has taken the request or offer.
    Scanned,
    /// The answer is being checked, or the credential is on its way.
    Checking,
    /// A wallet on this device has answered; the browser that it opens is to come back.
    Returning,
    /// Done: the browser goes back to the relying party.
    Done,
}

impl Progress {
    /// The word in the status document and in the page's `data-state`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Scanned => "scanned",
            Self::Checking => "checking",
            Self::Returning => "returning",
            Self::Done => "done",
        }
    }
}

/// The two links to a wallet, and the code.
#[derive(Debug, Clone)]
pub struct Code {
    /// What the QR code says (rulings 7).
    pub link: String,
    /// The link for a wallet on this device.
    pub link_here: String,
    /// The code, drawn.
    pub svg: Svg,
    /// The page with only the code.
    pub larger: String,
}

/// Everything the live page shows.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Whom and what it is about.
    pub about: About,
    /// How far it is.
    pub progress: Progress,
    /// Rises with every change; the same number as in the status document.
    pub version: i64,
    /// The labels of what is shared or added, in order.
    pub contents: Vec<String>,
    /// The code; none once it is used.
    pub code: Option<Code>,
    /// When the person's time is up.
    pub deadline: Timestamp,
    /// Address of this page.
    pub here: String,
    /// Address of the status document, `{"state", "version"}`.
    pub status_url: String,
    /// Where `Start again` is posted.
    pub restart_action: String,
    /// Where `Cancel` is posted.
    pub cancel_action: String,
    /// The token both forms carry.
    pub csrf: String,
    /// Where `Continue` leads once it is done.
    pub continue_url: String,
}

/// The page that shows the code and then follows what the wallet does.
#[derive(Template)]
#[template(path = "oidc/waiting_page/waiting.html")]
pub struct WaitingPage {
    page: Page,
    view: Waiting,
}

impl WaitingPage {
    /// The page under this brand.
    pub fn new(brand: &Arc<Brand>, view: Waiting) -> Self {
        let heading = view.heading(view.progress);
        let page = Page::new(brand, heading).with_script(script());
        Self { page, view }
    }

    /// What the tab says in another state; the script sets it then.
    fn title_when(&self, progress: Progress) -> String {
        let service = self.page.brand().service_name();
        format!("{} – {service}", self.view.tab(progress))
    }
}

impl Waiting {
    fn heading(&self, progress: Progress) -> String {
        let about = &self.about;
        match (progress, about.purpose) {
            (Progress::Waiting, Purpose::Verify) => {
                format!("Scan the QR code to share your {}", about.in_sentence())
            }
            (Progress::Waiting, Purpose::Issue) => {
                format!(
                    "Scan the QR code to add {} to your wallet",
                    about.credential
                )
            }
            (Progress::Returning, _) => "Your wallet has answered".to_owned(),
            (Progress::Done, _) => "Finished".to_owned(),
            _ => "QR code scanned".to_owned(),
        }
    }

    fn tab(&self, progress: Progress) -> String {
        match progress {
            Progress::Checking => self.status_text(progress),
            _ => self.heading(progress),
        }
    }

    /// What the status line says; a screen reader reads it out when it changes.
    fn status_text(&self, progress: Progress) -> String {
        let about = &self.about;
        match (progress, about.purpose) {
            (Progress::Waiting, _) => {
                let until = ui::time::clock(self.deadline);
                format!("Waiting for you to scan. You have until {until}.")
            }
            (Progress::Scanned, Purpose::Verify) => {
                "Scanned. Follow the instructions in your wallet. Select ‘Share’.".to_owned()
            }
            (Progress::Scanned, Purpose::Issue) => {
                "Scanned. Follow the instructions in your wallet. Select ‘Add’.".to_owned()
            }
            (Progress::Checking, Purpose::Verify) => {
                format!("Checking your {}.", about.in_sentence())
            }
            (Progress::Checking, Purpose::Issue) => "Adding the credential.".to_owned(),
            (Progress::Returning, _) => "Go on in the page that your wallet opened.".to_owned(),
            (Progress::Done, _) => format!("Finished. Taking you back to {}.", about.relying_party),
        }
    }

    fn current_status(&self) -> String {
        self.status_text(self.progress)
    }

    fn is(&self, states: &str) -> bool {
        states.split(' ').any(|state| state == self.progress.word())
    }

    fn verifies(&self) -> bool {
        self.about.purpose == Purpose::Verify
    }
}

impl About {
    /// The label as it stands inside a sentence: `staff identity`, but `NHS induction`.
    fn in_sentence(&self) -> String {
        let mut letters = self.credential.chars();
        match (letters.next(), letters.next()) {
            (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
                let rest = &self.credential[first.len_utf8()..];
                first.to_lowercase().chain(rest.chars()).collect()
            }
            _ => self.credential.clone(),
        }
    }

    /// What a screen reader says of the code: its purpose, not its content [WCAG 1.1.1].
    pub fn code_label(&self) -> String {
        let purpose = match self.purpose {
            Purpose::Verify => format!("share your {}", self.in_sentence()),
            Purpose::Issue => format!("add {} to your wallet", self.credential),
        };
        format!("QR code to {purpose}. If you cannot scan it, use the other ways on this page.")
    }
}

/// Why a credential that was shown properly cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// Its issuer has cancelled it.
    Revoked,
    /// Its issuer has suspended it.
    Suspended,
    /// The organisation does not rely on its issuer for this type.
    NotTrusted,
}

/// How an interaction ended without what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Half an hour is over.
    Expired,
    /// The person said no, or the wallet did not keep the credential.
    Declined,
    /// Another credential, another wallet or another try may do.
    WalletProblem,
    /// Only the issuer can help.
    CredentialUnusable(Unusable),
    /// Nothing the person did.
    ServiceProblem,
}

impl Ending {
    /// The word in the status document.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Declined => "declined",
            Self::WalletProblem => "wallet-problem",
            Self::CredentialUnusable(_) => "credential-unusable",
            Self::ServiceProblem => "service-problem",
        }
    }
}

/// Everything the page of a failed interaction shows.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Whom and what it is about.
    pub about: About,
    /// How it ended.
    pub ending: Ending,
    /// Where `Try again` is posted, and its form token; none when trying again cannot help.
    pub try_again: Option<(String, String)>,
    /// The way back to the relying party, with its error.
    pub go_back: String,
}

/// The page of an interaction that ended without what was asked for.
#[derive(Template)]
#[template(path = "oidc/waiting_page/ended.html")]
pub struct EndedPage {
    page: Page,
    view: Ended,
}

impl EndedPage {
    /// The page under this brand.
    pub fn new(brand: &Arc<Brand>, view: Ended) -> Self {
        let page = Page::new(brand, view.heading()).with_script(script());
        Self { page, view }
    }
}

impl Ended {
    fn heading(&self) -> String {
        let about = &self.about;
        let text = match (self.ending, about.purpose) {
            (Ending::Expired, _) => "You took too long",
            (Ending::Declined, Purpose::Verify) => "You did not share your credential",
            (Ending::Declined, Purpose::Issue) => "The credential was not added to your wallet",
            (Ending::WalletProblem, Purpose::Verify) => "We could not use that credential",
            (Ending::WalletProblem, Purpose::Issue) => "Your wallet could not add the credential",
            (Ending::CredentialUnusable(_), _) => {
                return format!("Your {} credential cannot be used", about.in_sentence());
            }
            (Ending::ServiceProblem, _) => "There is a problem with the service",
        };
        text.to_owned()
    }

    /// The explanation, a sentence or two for each paragraph.
    fn paragraphs(&self) -> Vec<String> {
        let about = &self.about;
        let nothing = match about.purpose {
            Purpose::Verify => "Nothing was shared.",
            Purpose::Issue => "Nothing was added to your wallet.",
        };
        let texts = match (self.ending, about.purpose) {
            (Ending::Expired, _) => ["Go back and start again.", nothing].map(String::from),
            // A wallet answers the same whether the person said no or it holds nothing to share.
            (Ending::Declined, Purpose::Verify) => [
                format!(
                    "Your wallet did not share your {} credential.",
                    about.in_sentence()
                ),
                "It comes from your employer. If you do not have it, contact their HR team."
                    .to_owned(),
            ],
            (Ending::Declined, Purpose::Issue) => [
                "You cancelled or did not accept it in your wallet.",
                nothing,
            ]
            .map(String::from),
            (Ending::WalletProblem, Purpose::Verify) => [
                format!("Choose your {} credential.", about.in_sentence()),
                "It comes from your employer. If you do not have it, contact their HR team."
                    .to_owned(),
            ],
            (Ending::WalletProblem, Purpose::Issue) => [
                nothing.to_owned(),
                "Check that your wallet is up to date, then try again.".to_owned(),
            ],
            (Ending::CredentialUnusable(why), _) => {
                [why.text().to_owned(), why.next_step().to_owned()]
            }
            (Ending::ServiceProblem, _) => [
                "Your information is safe. This is not because of anything you did.".to_owned(),
                "Try again in a few minutes. If it still does not work, ask for help.".to_owned(),
            ],
        };
        texts.into()
    }
}

impl Unusable {
    const fn text(self) -> &'static str {
        match self {
            Self::Expired => "It has expired.",
            Self::NotYetValid => "It is not valid yet.",
            Self::Revoked => "The organisation that gave it to you has cancelled it.",
            Self::Suspended => "The organisation that gave it to you has suspended it.",
            Self::NotTrusted => "It does not come from an organisation that this service accepts.",
        }
    }

    const fn next_step(self) -> &'static str {
        match self {
            Self::Expired | Self::Revoked => {
                "Delete it from your wallet and ask your employer for a new one."
            }
            Self::NotYetValid => "Check the date it starts, or ask your employer.",
            Self::Suspended => "Ask your employer why.",
            Self::NotTrusted => "Ask your employer for one that you can use here.",
        }
    }
}

/// The page with nothing but the code, as large as the window.
#[derive(Template)]
#[template(path = "oidc/waiting_page/large_code.html")]
pub struct LargeCodePage {
    page: Page,
    /// The code, drawn.
    svg: Svg,
    /// The waiting page.
    back: String,
    status_url: String,
    version: i64,
}

impl LargeCodePage {
    /// The page under this brand. `back` is the waiting page; `version` and `status_url` are as there.
    pub fn new(
        brand: &Arc<Brand>,
        svg: Svg,
        back: String,
        status_url: String,
        version: i64,
    ) -> Self {
        let page = Page::new(brand, "QR code for your wallet").with_script(script());
        Self {
            page,
            svg,
            back,
            status_url,
            version,
        }
    }
}

/// The body of the short link's answer, for a browser that does not follow to a wallet.
#[derive(Template)]
#[template(path = "oidc/waiting_page/short_link.html")]
pub struct ShortLinkPage {
    page: Page,
    link: String,
}

impl ShortLinkPage {
    /// The page under this brand. `link` is the standard's own link.
    pub fn new(brand: &Arc<Brand>, link: String) -> Self {
        let page = Page::new(brand, "Open this in your digital wallet");
        Self { page, link }
    }
}

/// What a page without an interaction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The relying party's request is at fault, and its address cannot be trusted.
    CannotContinue,
    /// The link was used, or the browser is not the one that began.
    AlreadyUsed,
    /// A wallet sent the person to another browser than the one that began.
    OtherBrowser,
    /// Nothing the person did.
    ServiceProblem,
    /// Nothing the person did either: others use the same network.
    TooMany,
}

/// A page without an interaction, hence without forms.
#[derive(Template)]
#[template(path = "oidc/waiting_page/notice.html")]
pub struct NoticePage {
    page: Page,
    notice: Notice,
    reference: Option<String>,
    relying_party: Option<String>,
}

impl NoticePage {
    /// The page under this brand. `relying_party` is the registered name, where it is known for sure.
    pub fn new(
        brand: &Arc<Brand>,
        notice: Notice,
        reference: Option<String>,
        relying_party: Option<String>,
    ) -> Self {
        let heading = match notice {
            Notice::CannotContinue => "We cannot continue",
            Notice::AlreadyUsed => "This page has already been used",
            Notice::OtherBrowser => "Go back to the page where you started",
            Notice::ServiceProblem => "There is a problem with the service",
            Notice::TooMany => "The service is busy",
        };
        let page = Page::new(brand, heading);
        Self {
            page,
            notice,
            reference,
            relying_party,
        }
    }
}

/// The script of these pages. Its router belongs beside the pages' own.
pub fn assets() -> &'static Set {
    static ASSETS: LazyLock<Set> = LazyLock::new(|| {
        Set::new([File::embedded(
            SCRIPT,
            JAVASCRIPT,
            include_bytes!("waiting.js"),
        )])
    });
    &ASSETS
}

const SCRIPT: &str = "waiting.js";

fn script() -> String {
    assets().href(SCRIPT)
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;

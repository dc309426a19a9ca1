//! What the person sees while a wallet acts, and when it does not work: plain data in, a page out.
//!
//! Every text of these pages stands in the catalogue `words/`, and is chosen in [`says`](super::says) or in the
//! templates beside this file; nothing that a wallet or a relying party sent in a request is shown. The relying
//! party's name is the registered one.

use std::sync::LazyLock;

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use ui::assets::{File, JAVASCRIPT, Set};
use ui::qr::Svg;
use ui::{Language, Page};

use super::super::look::Look;
use super::says::{self, Marked};

/// What the relying party wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The employee shares a credential, or several.
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
    /// The credential types' labels, such as `Staff identity`; one when issuing.
    pub credentials: Vec<String>,
    /// What the person reads out to support, such as `K7Q2-9MFD`.
    pub reference: String,
}

/// How far an interaction is that has not failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The code waits for a wallet.
    Waiting,
    /// A wallet has taken the request or offer, through the code.
    Scanned,
    /// The wallet on this device has: nothing was scanned.
    Opened,
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
            Self::Opened => "opened",
            Self::Checking => "checking",
            Self::Returning => "returning",
            Self::Done => "done",
        }
    }
}

/// The ways to a wallet: two links, and the code.
#[derive(Debug, Clone)]
pub struct Code {
    /// What the QR code says (rulings 7).
    pub link: String,
    /// The link for a wallet on this device.
    pub link_here: String,
    /// The code, drawn.
    pub svg: Svg,
    /// How long the links are good for it, where they end before the person's time does: the page then comes anew.
    pub lasts: Option<SignedDuration>,
    /// The page with only the code.
    pub larger: String,
    /// The address with the short code, as a person types it: what stands before the code, and the code. None until
    /// it is asked for.
    pub typed: Option<(String, String)>,
    /// Where `Show a short code` is posted.
    pub short_code_action: String,
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
    /// What the person types into the wallet, where it asks for that.
    pub pin: Option<String>,
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
    look: Look,
    view: Waiting,
}

impl WaitingPage {
    /// The page in this look.
    pub fn new(look: &Look, view: Waiting) -> Self {
        let page = look.page(says::heading(look, &view.about, view.progress));
        let page = match view.progress {
            // The heading is that of the page before.
            Progress::Checking => page.with_tab(says::status(
                look,
                &view.about,
                view.progress,
                view.deadline,
            )),
            _ => page,
        };
        Self {
            page: page
                .with_script(script())
                .with_language_choice(view.here.clone()),
            look: look.clone(),
            view,
        }
    }

    fn heading(&self, progress: Progress) -> String {
        says::heading(&self.look, &self.view.about, progress)
    }

    /// The same for the heading itself.
    fn heading_marked(&self, progress: Progress) -> Marked {
        self.mark(says::heading_key(&self.view.about, progress))
    }

    /// The heading where the wallet is probably on this device; the script sets it.
    fn touch_heading(&self) -> String {
        self.say(says::touch_key(&self.view.about))
    }

    fn touch_title(&self) -> String {
        let service = self.page.brand().service_name();
        format!("{} – {service}", self.touch_heading())
    }

    fn touch_status(&self) -> String {
        says::touch_status(&self.look, self.view.deadline)
    }

    fn status(&self, progress: Progress) -> String {
        says::status(&self.look, &self.view.about, progress, self.view.deadline)
    }

    fn current_status(&self) -> String {
        self.status(self.view.progress)
    }

    /// What the tab says in another state; the script sets it then.
    fn title_when(&self, progress: Progress) -> String {
        let service = self.page.brand().service_name();
        let says = match progress {
            Progress::Checking => self.status(progress),
            _ => self.heading(progress),
        };
        format!("{says} – {service}")
    }

    fn say(&self, key: &str) -> String {
        says::about(&self.look, &self.view.about, key)
    }

    fn mark(&self, key: &str) -> Marked {
        says::marked(&self.look, &self.view.about, key)
    }

    fn is(&self, states: &str) -> bool {
        states
            .split(' ')
            .any(|state| state == self.view.progress.word())
    }

    fn verifies(&self) -> bool {
        self.view.about.purpose == Purpose::Verify
    }

    /// Labels are set up in English only.
    fn labels_are_foreign(&self) -> bool {
        self.look.language() != Language::English
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
    /// The person said no in the wallet, or it had nothing to share.
    Declined,
    /// The person pressed Cancel on the page.
    Cancelled,
    /// The wallet did not keep the credential, which is revoked now.
    NotKept,
    /// Another credential in the wallet may do.
    WrongCredential,
    /// The wallet holds no credential that was asked for.
    CredentialMissing,
    /// The wallet answered after its five minutes.
    TooLate,
    /// The wallet reported a problem, or sent what cannot be read.
    WalletFault,
    /// The wallet sent a wrong PIN too often.
    PinWrong,
    /// What was shown together was issued to different people.
    DifferentPeople,
    /// Only the issuer can help.
    CredentialUnusable(Unusable),
    /// Nothing the person did, and trying again with the same draft cannot help.
    SerialNumberTaken,
    /// Nothing the person did.
    ServiceProblem,
}

impl Ending {
    /// The word in the status document.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Declined | Self::Cancelled | Self::NotKept => "declined",
            Self::WrongCredential
            | Self::CredentialMissing
            | Self::TooLate
            | Self::WalletFault
            | Self::PinWrong
            | Self::DifferentPeople => "wallet-problem",
            Self::CredentialUnusable(_) => "credential-unusable",
            Self::SerialNumberTaken | Self::ServiceProblem => "service-problem",
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
    /// Address of this page.
    pub here: String,
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
    heading: Marked,
    paragraphs: Vec<Marked>,
    view: Ended,
}

impl EndedPage {
    /// The page in this look.
    pub fn new(look: &Look, view: Ended) -> Self {
        let heading = says::ended(look, &view.about, view.ending);
        let why = says::why(&view.about, view.ending);
        let mark = |key: &&str| says::marked(look, &view.about, key);
        let page = look.page(heading.as_str()).with_script(script());
        let page = match view.ending {
            // Why, too, or five pages would have the same name.
            Ending::CredentialUnusable(_) => {
                let reason = says::about(look, &view.about, why[0]);
                page.with_tab(format!("{heading}. {reason}"))
            }
            _ => page,
        };
        Self {
            page: page.with_language_choice(view.here.clone()),
            heading: says::ended_marked(look, &view.about, view.ending),
            paragraphs: why.iter().map(mark).collect(),
            view,
        }
    }
}

/// The page with nothing but the code, as large as the window.
#[derive(Template)]
#[template(path = "oidc/waiting_page/large_code.html")]
pub struct LargeCodePage {
    page: Page,
    code: Code,
    /// The waiting page.
    back: String,
    status_url: String,
    version: i64,
}

impl LargeCodePage {
    /// The page in this look. `back` is the waiting page; `version` and `status_url` are as there.
    pub fn new(look: &Look, code: Code, back: String, status_url: String, version: i64) -> Self {
        let page = look.page_of("large-code-title").with_script(script());
        Self {
            page: page.with_language_choice(format!("{back}/code")),
            code,
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
    view: ShortLink,
}

/// Everything that page shows. Not for whom: whoever guesses an address learns no more than its link.
#[derive(Debug, Clone)]
pub struct ShortLink {
    /// What is done.
    pub purpose: Purpose,
    /// The standard's own link.
    pub link: String,
    /// Address of this page.
    pub here: String,
    /// Whether a person typed the address, and has no code to scan.
    pub was_typed: bool,
}

impl ShortLinkPage {
    /// The page in this look.
    pub fn new(look: &Look, view: ShortLink) -> Self {
        let page = look.page_of("short-link-title");
        let page = page.with_language_choice(view.here.clone());
        Self { page, view }
    }
}

/// How a page without an interaction can be had again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// At this address.
    At(String),
    /// Where it stands: the address has a query, and the page repeats nothing that somebody wrote into one.
    Unsaid,
    /// Not: it answers a form.
    Never,
}

/// What a page without an interaction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The relying party's request is at fault, and its address cannot be trusted. Its developer finds the reason in
    /// the log under the page's reference.
    CannotContinue,
    /// The link was used, or the browser is not the one that began. The relying party's registered name, where it is
    /// known for sure.
    AlreadyUsed(Option<String>),
    /// No code of ours is written like that, or it is over.
    UnknownCode,
    /// A wallet sent the person to another browser than the one that began.
    OtherBrowser,
    /// The browser keeps no cookie, and would not be known again.
    NoCookie,
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
    reference: String,
    again: Again,
}

impl NoticePage {
    /// The page in this look. The log has the `reference`, too.
    pub fn new(look: &Look, notice: Notice, reference: String, again: Again) -> Self {
        let page = look.page_of(match notice {
            Notice::CannotContinue => "cannot-continue-title",
            Notice::UnknownCode => "unknown-code-title",
            Notice::AlreadyUsed(_) => "used-title",
            Notice::OtherBrowser => "other-browser-title",
            Notice::NoCookie => "no-cookie-title",
            Notice::ServiceProblem => "problem-title",
            Notice::TooMany => "too-many-title",
        });
        let page = match &again {
            Again::At(address) => page.with_language_choice(address.clone()),
            Again::Unsaid => page.with_language_choice_in_place(),
            Again::Never => page,
        };
        Self {
            page,
            notice,
            reference,
            again,
        }
    }

    /// Whether loading the page again may help.
    fn may_help(&self) -> bool {
        let may = matches!(
            self.notice,
            Notice::NoCookie | Notice::ServiceProblem | Notice::TooMany
        );
        may && self.again != Again::Never
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

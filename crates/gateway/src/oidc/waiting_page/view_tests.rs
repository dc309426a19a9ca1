#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use ui::{Brand, Language};

use super::*;

fn look() -> Look {
    Look::new(&Arc::new(Brand::default()), Language::English)
}

fn about(purpose: Purpose) -> About {
    About {
        purpose,
        relying_party: "Anytown Staff Services".to_owned(),
        organisation: "Anytown NHS Trust".to_owned(),
        credentials: vec!["Staff identity".to_owned()],
        reference: "K7Q2-9MFD".to_owned(),
    }
}

fn waiting(purpose: Purpose, progress: Progress) -> Waiting {
    let link = "http://localhost:8400/w/AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let about = about(purpose);
    Waiting {
        code: (progress == Progress::Waiting).then(|| Code {
            svg: ui::qr::svg(&link, &says::code_label(&look(), &about)).unwrap(),
            link,
            link_here: "openid4vp://?client_id=a&request_uri=b".to_owned(),
            lasts: None,
            larger: "/interaction/i/code".to_owned(),
            typed: None,
            short_code_action: "/interaction/i/short-code".to_owned(),
        }),
        about,
        pin: None,
        progress,
        version: 7,
        contents: vec!["First name".to_owned(), "Surname".to_owned()],
        deadline: "2026-11-22T14:35:00Z".parse().unwrap(),
        here: "/interaction/i".to_owned(),
        status_url: "/interaction/i/status".to_owned(),
        restart_action: "/interaction/i/restart".to_owned(),
        cancel_action: "/interaction/i/cancel".to_owned(),
        csrf: "form-token".to_owned(),
        continue_url: "/interaction/i".to_owned(),
    }
}

fn html(purpose: Purpose, progress: Progress) -> String {
    let page = WaitingPage::new(&look(), waiting(purpose, progress));
    page.render().unwrap()
}

fn ended(purpose: Purpose, ending: Ending) -> String {
    let view = Ended {
        about: about(purpose),
        ending,
        here: "/interaction/i".to_owned(),
        try_again: None,
        go_back: "https://portal.example/callback?error=access_denied&state=1".to_owned(),
    };
    EndedPage::new(&look(), view).render().unwrap()
}

/// The start tag that holds this text.
fn tag<'a>(html: &'a str, holds: &str) -> &'a str {
    let at = html.find(holds).unwrap_or_else(|| panic!("no {holds}"));
    let start = html[..at].rfind('<').unwrap();
    &html[start..=at + html[at..].find('>').unwrap()]
}

#[test]
fn the_links_to_a_wallet_are_found_by_their_ids() {
    let html = html(Purpose::Verify, Progress::Waiting);
    let link = "href=\"http://localhost:8400/w/AAAAAAAAAAAAAAAAAAAAAA\"";
    assert!(tag(&html, "id=\"open-wallet\"").contains(link));
    let here = tag(&html, "id=\"open-wallet-here\"");
    assert!(
        here.contains("href=\"openid4vp://?client_id=a&#38;request_uri=b\""),
        "{here}"
    );
}

/// A wallet answers the same to a no as when it holds nothing: the page says only what is known.
#[test]
fn whoever_shared_nothing_is_not_told_that_they_refused() {
    let html = ended(Purpose::Verify, Ending::Declined);
    assert!(
        html.contains("Your staff identity was not shared"),
        "{html}"
    );
    assert!(html.contains("contact the HR team"));
    assert!(!html.contains("You cancelled"));
    assert!(ended(Purpose::Issue, Ending::Declined).contains("You cancelled or did not accept"));
}

#[test]
fn the_way_back_is_found_by_its_id_on_every_failed_page() {
    for ending in [
        Ending::Expired,
        Ending::Declined,
        Ending::WrongCredential,
        Ending::CredentialMissing,
        Ending::TooLate,
        Ending::WalletFault,
        Ending::CredentialUnusable(Unusable::Revoked),
        Ending::ServiceProblem,
    ] {
        let html = ended(Purpose::Verify, ending);
        let back = tag(&html, "id=\"go-back\"");
        assert!(
            back.contains(
                "href=\"https://portal.example/callback?error=access_denied&#38;state=1\""
            )
        );
    }
}

#[test]
fn a_used_code_is_not_on_the_page_any_more() {
    for progress in [
        Progress::Scanned,
        Progress::Opened,
        Progress::Checking,
        Progress::Returning,
        Progress::Done,
    ] {
        let html = html(Purpose::Issue, progress);
        assert!(
            !html.contains("<svg") && !html.contains("open-wallet"),
            "{progress:?}"
        );
    }
}

#[test]
fn one_status_line_says_how_far_it_is_and_knows_what_comes_next() {
    let html = html(Purpose::Verify, Progress::Waiting);
    assert_eq!(html.matches("role=\"status\"").count(), 1);
    assert!(html.contains(">Waiting for you to scan. You have until 2:35pm.</div>"));
    let status = tag(&html, "role=\"status\"");
    assert!(
        status.contains("data-text-done=\"Finished. Taking you back to Anytown Staff Services.\"")
    );
    assert!(status.contains("data-title-scanned=\"QR code scanned – Staff credentials\""));
}

#[test]
fn without_a_script_the_page_shows_its_state_and_works_by_links_and_forms() {
    let waiting = html(Purpose::Verify, Progress::Waiting);
    assert!(
        !waiting.contains("http-equiv"),
        "no refresh behind the person's back"
    );
    assert!(tag(&waiting, "id=\"finished\"").contains("href=\"/interaction/i\""));
    for action in ["/interaction/i/restart", "/interaction/i/cancel"] {
        assert!(tag(&waiting, &format!("action=\"{action}\"")).contains("method=\"post\""));
    }
    assert_eq!(
        waiting
            .matches("name=\"csrf\" value=\"form-token\"")
            .count(),
        3
    );

    let done = html(Purpose::Verify, Progress::Done);
    assert!(!tag(&done, "data-when=\"done\"").contains("hidden"));
    assert!(tag(&waiting, "data-when=\"done\"").contains("hidden"));
}

#[test]
fn names_cannot_become_markup() {
    let mut view = waiting(Purpose::Issue, Progress::Waiting);
    view.about.relying_party = "<script>alert(1)</script>".to_owned();
    view.about.credentials = vec!["\" onload=\"alert(1)".to_owned()];
    let html = WaitingPage::new(&look(), view).render().unwrap();
    assert!(!html.contains("<script>alert") && !html.contains("\" onload="));
}

#[test]
fn a_page_without_an_interaction_has_no_form_and_no_way_out_by_itself_but_a_reference() {
    for notice in [
        Notice::CannotContinue,
        Notice::UnknownCode,
        Notice::AlreadyUsed(None),
        Notice::AlreadyUsed(Some("Anytown".to_owned())),
        Notice::OtherBrowser,
        Notice::NoCookie,
        Notice::ServiceProblem,
        Notice::TooMany,
    ] {
        let again = Again::At("/c/AAAA".to_owned());
        let page = NoticePage::new(&look(), notice.clone(), "K7Q2-9MFD".to_owned(), again);
        let html = page.render().unwrap();
        assert!(!html.contains("<form") && !html.contains("go-back"));
        assert!(html.contains("K7Q2-9MFD"), "{notice:?}");
        assert!(html.contains("href=\"/c/AAAA?lang=cy\""), "{notice:?}");
        let may_help = matches!(
            notice,
            Notice::NoCookie | Notice::ServiceProblem | Notice::TooMany
        );
        assert_eq!(html.contains("id=\"try-again\""), may_help, "{notice:?}");
    }
}

/// Screens 2.3: whoever can do something about it is told what, and that nothing has left the wallet.
#[test]
fn each_end_of_a_share_names_its_cause_and_says_that_nothing_was_shared() {
    for (ending, words) in [
        (Ending::WrongCredential, "We could not use that credential"),
        (
            Ending::CredentialMissing,
            "Your wallet does not have your staff identity credential",
        ),
        (Ending::TooLate, "Your wallet took too long"),
        (
            Ending::WalletFault,
            "Your wallet could not share the credential",
        ),
        (Ending::DifferentPeople, "belong to different people"),
        (Ending::Declined, "Your staff identity was not shared"),
        (Ending::Cancelled, "You cancelled"),
        (Ending::Expired, "You took too long"),
    ] {
        let html = ended(Purpose::Verify, ending);
        assert!(html.contains(words), "{ending:?}");
        let nothing = "Nothing was shared with Anytown Staff Services.";
        assert!(html.contains(nothing), "{ending:?}");
    }
}

/// [WCAG 3.1.2]
#[test]
fn what_a_credential_is_called_in_english_says_so_on_a_page_in_welsh() {
    let look = Look::new(&Arc::new(Brand::default()), Language::Welsh);
    let mut view = waiting(Purpose::Verify, Progress::Waiting);
    view.about.credentials = vec!["<b>".to_owned()];
    let html = WaitingPage::new(&look, view).render().unwrap();
    assert!(
        html.contains("<span lang=\"en\">&#60;b&#62;</span>"),
        "{html}"
    );
    assert!(html.contains("<ul class=\"nhsuk-list nhsuk-list--bullet\" lang=\"en\">"));
    assert!(!html.contains('\u{e000}') && !html.contains('\u{e001}'));
}

#[test]
fn whoever_cannot_scan_is_told_every_other_way_and_the_operators_own() {
    let html = html(Purpose::Verify, Progress::Waiting);
    let field = tag(&html, "id=\"code-link\"");
    assert!(field.contains("readonly") && field.contains("/w/AAAAAAAAAAAAAAAAAAAAAA"));
    // The button to copy it needs a script, which shows it.
    assert!(tag(&html, "id=\"copy-link\"").contains("hidden"));
    assert!(tag(&html, "/interaction/i/short-code").contains("method=\"post\""));
    assert!(html.contains("open Anytown Staff Services on it"));
    assert!(tag(&html, "id=\"open-wallet\"").contains("/w/AAAA"));
    assert!(html.contains("ask the HR team of your employer"));

    let brand = ui::BrandFile {
        assisted_route: Some("Come to the HR desk in Ward 3.".to_owned()),
        ..ui::BrandFile::default()
    };
    let look = Look::new(&Arc::new(brand.try_into().unwrap()), Language::English);
    let view = waiting(Purpose::Verify, Progress::Waiting);
    let html = WaitingPage::new(&look, view).render().unwrap();
    assert!(html.contains("there is another way: Come to the HR desk in Ward 3."));
    assert!(!html.contains("ask the HR team of your employer"));
}

#[test]
fn a_pin_is_shown_as_long_as_the_wallet_may_ask_for_it() {
    let with_pin = |progress| {
        let view = Waiting {
            pin: Some("048213".to_owned()),
            ..waiting(Purpose::Issue, progress)
        };
        WaitingPage::new(&look(), view).render().unwrap()
    };
    for progress in [Progress::Waiting, Progress::Scanned] {
        let html = with_pin(progress);
        assert!(html.contains("id=\"pin\">048213<"));
        assert!(!tag(&html, "id=\"pin-for-wallet\"").contains("hidden"));
    }
    // The script goes from one state to the next without loading the page again.
    assert!(tag(&with_pin(Progress::Done), "id=\"pin-for-wallet\"").contains("hidden"));
}

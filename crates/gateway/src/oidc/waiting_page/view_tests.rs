#![allow(clippy::unwrap_used)]

use super::*;

fn about(purpose: Purpose) -> About {
    About {
        purpose,
        relying_party: "Anytown Staff Services".to_owned(),
        organisation: "Anytown NHS Trust".to_owned(),
        credential: "Staff identity".to_owned(),
        reference: "K7Q2-9MFD".to_owned(),
    }
}

fn waiting(purpose: Purpose, progress: Progress) -> Waiting {
    let link = "http://localhost:8400/w/AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let about = about(purpose);
    Waiting {
        code: (progress == Progress::Waiting).then(|| Code {
            svg: ui::qr::svg(&link, &about.code_label()).unwrap(),
            link,
            link_here: "openid4vp://?client_id=a&request_uri=b".to_owned(),
            larger: "/interaction/i/code".to_owned(),
        }),
        about,
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
    let page = WaitingPage::new(&Arc::new(Brand::default()), waiting(purpose, progress));
    page.render().unwrap()
}

fn ended(purpose: Purpose, ending: Ending) -> String {
    let view = Ended {
        about: about(purpose),
        ending,
        try_again: None,
        go_back: "https://portal.example/callback?error=access_denied&state=1".to_owned(),
    };
    EndedPage::new(&Arc::new(Brand::default()), view)
        .render()
        .unwrap()
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
    assert!(html.contains("Your wallet did not share your "), "{html}");
    assert!(html.contains("contact their HR team"));
    assert!(!html.contains("You cancelled"));
    assert!(ended(Purpose::Issue, Ending::Declined).contains("You cancelled or did not accept"));
}

#[test]
fn the_way_back_is_found_by_its_id_on_every_failed_page() {
    for ending in [
        Ending::Expired,
        Ending::Declined,
        Ending::WalletProblem,
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
        2
    );

    let done = html(Purpose::Verify, Progress::Done);
    assert!(!tag(&done, "data-when=\"done\"").contains("hidden"));
    assert!(tag(&waiting, "data-when=\"done\"").contains("hidden"));
}

#[test]
fn the_label_of_a_type_stands_in_a_sentence_as_people_write_it() {
    let say = |label: &str| {
        About {
            credential: label.to_owned(),
            ..about(Purpose::Verify)
        }
        .in_sentence()
    };
    assert_eq!(say("Staff identity"), "staff identity");
    assert_eq!(say("NHS induction"), "NHS induction");
    assert_eq!(say("Évaluation"), "évaluation");
    assert_eq!(say(""), "");
}

#[test]
fn names_cannot_become_markup() {
    let mut view = waiting(Purpose::Issue, Progress::Waiting);
    view.about.relying_party = "<script>alert(1)</script>".to_owned();
    view.about.credential = "\" onload=\"alert(1)".to_owned();
    let html = WaitingPage::new(&Arc::new(Brand::default()), view)
        .render()
        .unwrap();
    assert!(!html.contains("<script>alert") && !html.contains("\" onload="));
}

#[test]
fn a_page_without_an_interaction_has_no_form_and_no_way_out_by_itself() {
    for notice in [
        Notice::CannotContinue,
        Notice::AlreadyUsed,
        Notice::OtherBrowser,
        Notice::ServiceProblem,
        Notice::TooMany,
    ] {
        let page = NoticePage::new(
            &Arc::new(Brand::default()),
            notice,
            Some("K7Q2-9MFD".to_owned()),
            None,
        );
        let html = page.render().unwrap();
        assert!(!html.contains("<form") && !html.contains("go-back"));
        assert!(html.contains("K7Q2-9MFD"));
    }
}

//! What holds of every page in every state.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt as _;
use ui::Brand;

struct Shown {
    name: &'static str,
    status: StatusCode,
    headers: HeaderMap,
    html: String,
}

async fn fetch(path: &str) -> (StatusCode, HeaderMap, String) {
    let router = portal::states::router(&Arc::new(Brand::default()));
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (parts.status, parts.headers, text)
}

async fn show(name: &'static str) -> Shown {
    let (status, headers, html) = fetch(&format!("/__states/{name}")).await;
    Shown {
        name,
        status,
        headers,
        html,
    }
}

async fn every_page() -> Vec<Shown> {
    let mut pages = Vec::new();
    for name in portal::states::NAMES {
        pages.push(show(name).await);
    }
    pages
}

impl Shown {
    /// What stands between two marks, each time.
    fn between(&self, open: &str, close: &str) -> Vec<&str> {
        let parts = self.html.split(open).skip(1);
        parts
            .map(|part| part.split(close).next().unwrap())
            .collect()
    }

    fn ids(&self) -> Vec<&str> {
        self.between(" id=\"", "\"")
    }
}

#[tokio::test]
async fn every_text_is_there_with_everything_in_its_places() {
    for page in every_page().await {
        assert!(
            !page.html.contains(['{', '}']),
            "{}: {}",
            page.name,
            page.html
        );
    }
}

#[tokio::test]
async fn every_page_has_one_heading_which_is_its_title() {
    for page in every_page().await {
        let [title] = page.between("<title>", "</title>")[..] else {
            panic!("{}", page.name);
        };
        let headings = page.between("<h1", "</h1>");
        assert_eq!(headings.len(), 1, "{}", page.name);
        let (about, service) = title.rsplit_once(" – ").unwrap();
        assert_eq!(service, "Staff credentials");
        let heading = about.trim_start_matches("Error: ");
        // Whose it is, and where, tells one from the employee's own page.
        let heading = heading.trim_end_matches(" – HR office");
        let heading = heading.trim_end_matches(": Anthony Hughes");
        assert!(headings[0].contains(heading), "{}: {title}", page.name);
    }
}

/// A title is one page's. Its states are one page still, and begin with its name here.
#[tokio::test]
async fn no_two_pages_have_the_same_title() {
    // The longer name first, where one begins with another.
    const PAGES: [&str; 24] = [
        "login",
        "home",
        "to-tell",
        "to-look-at",
        // The warning stands on the first page.
        "session",
        "not-applicable",
        "list",
        "lost-phone",
        "credential",
        "again",
        "confirm",
        "problem-service",
        "problem-page-too-old",
        "problem-not-found",
        "identity-done",
        "identity-looked-at",
        "identity-mismatch",
        "identity-too-long",
        "identity-unusable",
        "added-stale",
        "added-checking",
        "hr-record",
        "hr-person",
        "hr",
    ];
    let mut told = BTreeMap::new();
    for page in every_page().await {
        let title = page.between("<title>", "</title>")[0];
        let title = title.trim_start_matches("Error: ").to_owned();
        let own = PAGES.into_iter().find(|own| page.name.starts_with(own));
        let own = match own.unwrap_or(page.name) {
            "session" => "home",
            "added-too-long" => "added-not",
            own => own,
        };
        let first = *told.entry(title.clone()).or_insert(own);
        assert_eq!(first, own, "{}: {title}", page.name);
    }
}

#[tokio::test]
async fn an_id_stands_once_on_a_page() {
    for page in every_page().await {
        let mut counts = BTreeMap::new();
        for id in page.ids() {
            *counts.entry(id).or_insert(0) += 1;
        }
        counts.retain(|_, count| *count > 1);
        assert!(counts.is_empty(), "{}: {counts:?}", page.name);
    }
}

/// SEC-12: nothing of a page is kept, nothing comes from elsewhere, and no script or style stands in it.
#[tokio::test]
async fn sec_12_every_page_keeps_to_itself() {
    for page in every_page().await {
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        let policy = page.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        for inline in [
            "<script>",
            " style=",
            " onclick=",
            "javascript:",
            "http-equiv",
        ] {
            assert!(!page.html.contains(inline), "{}: {inline}", page.name);
        }
    }
}

#[tokio::test]
async fn every_form_that_changes_something_carries_its_token() {
    let mut forms = 0;
    for page in every_page().await {
        for form in page.between("<form", "</form>") {
            assert!(form.contains("method=\"post\""), "{}: {form}", page.name);
            assert!(
                form.contains("name=\"csrf\" value=\"sample\""),
                "{}: {form}",
                page.name
            );
            forms += 1;
        }
    }
    assert!(forms > 50, "{forms}");
}

#[tokio::test]
async fn there_is_a_way_back_everywhere_but_where_something_is_done() {
    const ENDS: [&str; 4] = ["login", "home", "session", "finishing"];
    for page in every_page().await {
        let is_end = ENDS.iter().any(|end| page.name.starts_with(end));
        let is_success = ["added", "lost-phone-done"].contains(&page.name)
            || page.name.starts_with("identity-done");
        let has_way_back = page.html.contains("class=\"nhsuk-back-link\"");
        assert_eq!(has_way_back, !is_end && !is_success, "{}", page.name);
    }
}

#[tokio::test]
async fn a_problem_is_never_told_as_a_fault_of_the_person_and_its_page_is_never_a_500() {
    for page in every_page().await {
        assert_ne!(
            page.status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{}",
            page.name
        );
    }
    assert_eq!(show("not-applicable").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        show("problem-service").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        show("login-too-often").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn the_log_in_form_has_the_names_that_programs_look_for() {
    let page = show("login").await;
    let labels = page.between("<label class=\"nhsuk-label\" for=\"", "</label>");
    let labels: Vec<String> = labels
        .iter()
        .map(|label| label.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(labels, ["username\"> Username", "password\"> Password"]);
    assert!(page.html.contains("autocomplete=\"username\""));
    assert!(page.html.contains("autocomplete=\"current-password\""));
    assert!(
        page.html
            .contains("<form method=\"post\" action=\"/login\"")
    );
}

/// Where the staff passport does not apply, no page offers it.
#[tokio::test]
async fn nothing_of_the_staff_passport_is_on_the_page_of_somebody_it_does_not_apply_to() {
    for name in ["home-not-applicable", "not-applicable"] {
        let html = show(name).await.html;
        assert!(!html.contains("/credentials"), "{name}");
        assert!(!html.contains("Add "), "{name}");
    }
}

/// The list says in words and in a tag whether a credential was added.
#[tokio::test]
async fn the_list_tells_the_nine_states_apart() {
    let page = show("list").await;
    let states = page.between("data-state=\"", "\"");
    assert_eq!(
        states,
        [
            "not-added",
            "in-progress",
            "added",
            "changed",
            "cancelled",
            "checking",
            "expired",
            "cannot-add-yet",
            "ended"
        ]
    );
    for said in [
        "Valid until 20 November 2027",
        "You started adding this at 2:31pm.",
        "Added to your wallet on 3 November 2026 at 10:42am.",
        "This has changed. Delete the one in your wallet and add the new one.",
        "Cancelled on 18 November 2026. Delete it from your wallet.",
        "We are checking if this reached your wallet.",
        "This ended on 1 November 2026. Delete it from your wallet.",
        "You cannot add this because your record is not complete.",
        "You cannot add this because it ended on 31 July 2026.",
    ] {
        assert!(page.html.contains(said), "{said}");
    }
    assert!(
        page.html
            .contains("id=\"credential-7\" href=\"/credentials/7\"")
    );
    assert!(!page.html.contains("href=\"/credentials/8\""));
}

/// The prompt tells the person to delete the old one from the wallet.
#[tokio::test]
async fn whoever_adds_a_credential_again_is_asked_to_delete_the_old_one_first() {
    let page = show("again").await;
    assert!(page.html.contains("Delete the old credential first"));
    assert_eq!(
        page.between("type=\"radio\" value=\"", "\""),
        ["yes", "not-there", "no"]
    );
    let asked_again = show("again-unanswered").await;
    assert!(asked_again.html.contains("<title>Error: "));
    assert!(asked_again.html.contains("href=\"#deleted\""));
}

/// Every value is shown, also what is empty, with an explicit control.
#[tokio::test]
async fn what_will_be_in_the_credential_is_shown_and_confirmed() {
    let page = show("confirm").await;
    assert!(
        page.html
            .contains("This is exactly what the credential will say.")
    );
    assert!(page.html.contains("Not held"));
    assert!(page.html.contains("Added after you share your identity"));
    assert!(page.ids().contains(&"confirm"));
    let changed = show("confirm-changed").await;
    assert!(
        changed
            .html
            .contains("This information changed at 2:20pm. Check it again.")
    );
}

/// A mismatch says so, and not in what.
#[tokio::test]
async fn a_mismatch_shows_nothing_of_the_identity_that_was_shared() {
    let page = show("identity-mismatch").await;
    assert!(page.html.contains("We could not match your identity"));
    assert!(page.ids().contains(&"try-again"));
    let last = show("identity-mismatch-last").await;
    assert!(!last.ids().contains(&"try-again"));
    assert!(last.html.contains("K7Q2-9MFD"));
}

/// A wallet that shares nothing does not say why: neither does the page.
#[tokio::test]
async fn whoever_shared_no_identity_is_not_told_that_they_refused() {
    let page = show("identity-not-shared").await;
    assert!(
        page.html
            .contains("Your wallet did not share an identity credential.")
    );
    assert!(page.html.contains("contact the HR team at your employer"));
    assert!(!page.html.contains("You said no"));
    assert!(page.ids().contains(&"try-again"));
}

/// Only an answer of the gateway makes the page of success.
#[tokio::test]
async fn a_page_that_does_not_know_does_not_say_that_it_was_added() {
    assert!(show("added").await.html.contains("nhsuk-panel"));
    for name in [
        "added-not",
        "added-too-long",
        "added-stale",
        "added-stale-cancelled",
        "added-checking",
    ] {
        let html = show(name).await.html;
        assert!(!html.contains("nhsuk-panel"), "{name}");
        assert!(!html.contains("Added on"), "{name}");
    }
}

/// The copy in the wallet stays until the person deletes it, and no page says otherwise.
#[tokio::test]
async fn a_cancelled_credential_is_not_said_to_be_gone() {
    let html = show("credential-cancelled").await.html;
    assert!(html.contains("stays there until you delete it"));
    assert!(html.contains("Delete it from your wallet."));
}

#[tokio::test]
async fn programs_find_the_buttons_of_the_journey_by_id() {
    for (name, id) in [
        ("home", "staff-passport"),
        ("credential-not-added", "add-to-wallet"),
        ("credential-added", "add-to-wallet"),
        ("confirm", "confirm"),
        ("identity", "verify-identity"),
        ("identity-done", "add-to-wallet"),
        ("identity-done-earlier", "add-to-wallet"),
        ("added-not", "add-to-wallet"),
        ("added-stale", "add-to-wallet"),
        ("hr-record", "save"),
        ("hr-record", "end"),
        ("hr-record", "delete"),
    ] {
        assert!(show(name).await.ids().contains(&id), "{name}: {id}");
    }
    for name in ["credential-checking", "credential-expired"] {
        assert!(!show(name).await.ids().contains(&"add-to-wallet"), "{name}");
    }
}

#[tokio::test]
async fn the_hr_office_sees_on_a_record_how_far_its_credential_is() {
    for (name, state) in [("hr-record", "added"), ("hr-record-ended", "changed")] {
        let page = show(name).await;
        assert_eq!(page.between("data-state=\"", "\""), [state], "{name}");
    }
}

#[tokio::test]
async fn what_the_pages_ask_for_is_served_beside_them() {
    for name in ["login", "home", "finishing"] {
        let page = show(name).await;
        for address in page.between("\"/assets/", "\"") {
            let (status, ..) = fetch(&format!("/assets/{address}")).await;
            assert_eq!(status, StatusCode::OK, "{name}: {address}");
        }
    }
}

//! Certificate chains of an organisation's keys, by its pages.

use axum::body::Body;
use axum::http::{Method, Request};
use gateway::admin::Role;
use gateway::keys::KeyPurpose;
use standards::jose::Jwk;

use crate::authority::Authority;
use crate::database::{Database, on_both_engines};
use crate::desk::{Browser, Desk};
use crate::registry::newtown;

on_both_engines!(a_certificate_chain_is_uploaded_looked_at_renewed_and_taken_away_by_pages);

const PATH: &str = "/console/organisations/newtown/certificates";

fn key(desk: &Desk, purpose: KeyPurpose) -> Jwk {
    let app = desk.gateway.app();
    app.keys
        .active(purpose, "newtown")
        .unwrap()
        .public_jwk()
        .clone()
}

/// How many certificates go with what newtown's keys sign, by key.
fn in_use(desk: &Desk, key: &Jwk) -> Option<usize> {
    let app = desk.gateway.app();
    let newtown = app.organisations.find("newtown").unwrap();
    let chain = newtown.chain_of(&key.thumbprint(), app.now());
    chain.map(|chain| chain.x5c().len())
}

/// Adds what is in a file, from the page that is open.
async fn upload(browser: &mut Browser, file: &str) {
    let fields = ["csrf", "version"].map(|name| {
        let value = browser.page.value(name);
        format!("--xyz\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let file = format!(
        "--xyz\r\ncontent-disposition: form-data; name=\"chain\"; filename=\"a.pem\"\r\n\
         content-type: application/x-pem-file\r\n\r\n{file}\r\n--xyz--\r\n"
    );
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{PATH}/add"))
        .header("host", "127.0.0.1:8410")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "multipart/form-data; boundary=xyz")
        .body(Body::from(fields.concat() + &file))
        .unwrap();
    browser.send(request).await;
}

async fn a_certificate_chain_is_uploaded_looked_at_renewed_and_taken_away_by_pages(
    database: Database,
) {
    let desk = Desk::start(database).await;
    let authority = Authority::new();
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    newtown(&mut ann).await;
    let browser = &mut ann.browser;
    let (issues, lists) = (
        key(&desk, KeyPurpose::Credentials),
        key(&desk, KeyPurpose::Status),
    );
    let now = desk.gateway.app().now();
    browser
        .get("/console/organisations/newtown")
        .await
        .says(PATH);
    let page = browser.get(PATH).await.expect(200);
    page.says("None of its keys has a certificate");
    assert!(!page.html.contains("Take a certificate chain away"));

    // One in a file, one as text, one that outlasts the first.
    upload(browser, &authority.chain(&issues, 30, now)).await;
    assert_eq!(
        browser.page.leads_to(),
        format!("{PATH}?done=organisation-certified")
    );
    assert_eq!(in_use(&desk, &issues), Some(2));
    browser.get(PATH).await.expect(200).says("days left: 29");
    for chain in [
        authority.chain(&lists, 40, now),
        authority.chain(&issues, 50, now),
    ] {
        let version = browser.page.value("version");
        let typed = [("version", version.as_str()), ("text", &chain)];
        browser
            .post(&format!("{PATH}/add"), &typed)
            .await
            .expect(303);
        browser.get(PATH).await.expect(200);
    }
    assert_eq!(in_use(&desk, &lists), Some(2));
    let page = browser.page.clone();
    page.says("days left: 39")
        .says("days left: 49")
        .says("another of the same key lasts longer")
        .says(&format!("/console/keys/{}", issues.thumbprint()));
    assert_eq!(page.html.matches("In use").count(), 2, "{}", page.html);

    // What is no chain of such a key is said, and a private key is not shown again.
    let private =
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END PRIVATE KEY-----\n";
    for (file, reason) in [
        (private, "there is a private key in it"),
        ("nothing", "no PEM of certificates"),
        (" ", "Choose a file"),
        (authority.root.as_str(), "signed by itself"),
    ] {
        upload(browser, file).await;
        browser
            .page
            .expect(422)
            .says(reason)
            .says("href=\"#chain\"");
        assert!(!browser.page.html.contains("MIGHAgEAMBMGByqGSM49AgEG"));
    }
    // What somebody else changed meanwhile is not undone, whichever number the chain has by then.
    let seen = browser.page.value("version");
    let earlier = (seen.parse::<i64>().unwrap() - 1).to_string();
    let gone = |version: &str| {
        [
            ("version".to_owned(), version.to_owned()),
            ("gone".to_owned(), "0".to_owned()),
        ]
    };
    let remove = format!("{PATH}/remove");
    for version in [earlier.as_str(), "", "x"] {
        let typed = gone(version);
        let typed: Vec<_> = typed
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        browser.post(&remove, &typed).await.expect(422);
    }
    let typed = [("version", seen.as_str()), ("gone", "3")];
    browser.post(&remove, &typed).await.expect(404);
    browser.get(PATH).await.says("days left: 29");
    let typed = [("version", seen.as_str()), ("gone", "0")];
    browser.post(&remove, &typed).await.expect(303);
    let left = browser.get(PATH).await.expect(200);
    assert!(!left.html.contains("days left: 29"));
    left.says("days left: 39").says("days left: 49");
    assert_eq!(in_use(&desk, &issues), Some(2));

    // Another organisation's people see none of it, and whoever only looks has no form.
    let mut vic = desk.person("vic", Role::Viewer, None).await.browser;
    let shown = vic.get(PATH).await.expect(200);
    shown.says("days left: 39");
    assert!(!shown.html.contains("name=\"chain\""));
    let others = desk.person("olga", Role::Administrator, Some("anytown"));
    others.await.browser.get(PATH).await.expect(404);
}

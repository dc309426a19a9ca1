//! What somebody tries against the operators' pages: from another site, with another's session, at the forms.

use axum::body::Body;
use axum::http::Request;
use gateway::admin::Role;
use jiff::SignedDuration;
use store::Statement;

use crate::database::Database;
use crate::desk::{Desk, PASSWORD};

/// SEC-12: a form of another site, or one that was loaded by another browser, does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_12_a_form_counts_from_a_page_of_this_browsers_session_alone() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut ben = desk.person("ben", Role::Administrator, None).await;
    let path = format!("/console/operators/{}/remove", ben.id);
    ben.browser.get("/console/account").await;
    let bens = ben.browser.page.value("csrf");
    ann.browser.get(&path).await.expect(200);
    let own = ann.browser.page.value("csrf");
    assert!(own.len() == 43 && own != bens);
    for csrf in ["", "x", &bens, &own[1..]] {
        let typed = [("typed", "ben"), ("csrf", csrf)];
        ann.browser
            .post(&path, &typed)
            .await
            .expect(403)
            .says("This form is out of date");
    }
    let right = format!("typed=ben&csrf={own}");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let request = Request::post(&path)
            .header("host", "127.0.0.1:8410")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value)
            .body(Body::from(right.clone()))
            .unwrap();
        ann.browser.send(request).await.expect(403);
    }
    // An address alone does nothing.
    let request = Request::get(format!("{path}?{right}"))
        .body(Body::empty())
        .unwrap();
    ann.browser.send(request).await.expect(200);
    ben.browser.get("/console").await.expect(200);
    ann.browser.get(&path).await;
    ann.browser
        .post(&path, &[("typed", "ben")])
        .await
        .expect(303);
    ben.browser.get("/console").await.expect(303);
}

/// A browser that another one planted its cookie in logs nobody in for that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_12_whoever_logs_in_has_a_session_that_nobody_knew_before() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut mallory = desk.person("mallory", Role::Viewer, None).await;
    let planted = mallory.browser.cookies.clone();
    ann.browser.cookies.extend(planted);
    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    ann.browser.log_in("ann", PASSWORD, &code).await.expect(303);
    ann.browser.get("/console/operators").await.expect(200);
    // The one that was planted has ended.
    mallory.browser.get("/console/operators").await.expect(303);
    // What the page was loaded with before is no session's.
    let mut browser = desk.browser();
    browser.get("/console/log-in").await;
    let form = browser.cookies["lanyard-console-form"].clone();
    browser.cookies.insert("lanyard-console".to_owned(), form);
    browser.get("/console").await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_12_the_sessions_cookie_is_the_hosts_alone_and_opens_no_api() {
    let desk = Desk::start_over(Database::sqlite(), true).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let names: Vec<&str> = ann.browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["__Host-lanyard-console", "__Host-lanyard-console-form"]
    );
    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    let page = ann.browser.log_in("ann", PASSWORD, &code).await.expect(303);
    let set: Vec<&str> = page
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(set.len(), 2);
    for cookie in set {
        assert!(
            cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"),
            "{cookie}"
        );
    }
    assert!(page.headers.contains_key("strict-transport-security"));
    // The API takes a bearer's token, and no cookie.
    ann.browser.get("/admin/v1/whoami").await.expect(401);
    ann.browser.get("/console").await.expect(200);
    let session = ann.browser.cookies["__Host-lanyard-console"].clone();
    assert!(!ann.browser.page.html.contains(&session));
}

/// SEC-34: the console takes no limit of the API's away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_who_tries_passwords_at_the_page_is_told_to_wait() {
    let desk = Desk::start(Database::sqlite()).await;
    let ann = desk.person("ann", Role::Administrator, None).await;
    desk.later(SignedDuration::from_secs(60));
    for _ in 0..5 {
        desk.browser()
            .log_in("ann", "wrong horse battery", "000000")
            .await
            .expect(422);
    }
    let code = desk.code(&ann.secret);
    let mut browser = desk.browser();
    browser
        .log_in("ann", PASSWORD, &code)
        .await
        .expect(429)
        .says("Try again in 15 minutes");
    assert!(!browser.page.html.contains(PASSWORD));
    desk.later(SignedDuration::from_mins(15));
    let code = desk.code(&ann.secret);
    browser.log_in("ann", PASSWORD, &code).await.expect(303);
}

/// SEC-35: what somebody wrote is text on every page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_35_what_an_operator_wrote_is_text_on_every_page() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut ben = desk.person("ben", Role::Administrator, None).await;
    let path = format!("/console/operators/{}/role", ben.id);
    let evil = "<script>alert(1)</script>\"'><img src=x>";
    ann.browser.get(&path).await;
    ann.browser
        .post(&path, &[("role", "desk"), ("reason", evil)])
        .await;
    let proposal = ann.browser.page.leads_to();
    for path in [proposal.as_str(), "/console/audit", "/console/proposals"] {
        let page = ben.browser.get(path).await.expect(200);
        assert!(
            !page.html.contains("<script>alert") && !page.html.contains("<img"),
            "{}",
            page.html
        );
    }
    for path in [
        "/console/log-in?to=%22%3E%3Cimg%3E&why=%3Cimg%3E",
        "/console/audit?actor=%22%3E%3Cimg%20src=x%3E",
    ] {
        let page = ann.browser.get(path).await.expect(200);
        assert!(!page.html.contains("<img"), "{}", page.html);
    }
    let large = "x".repeat(70_000);
    ann.browser.get(&path).await;
    ann.browser
        .post(&path, &[("reason", &large)])
        .await
        .expect(413);
}

/// Two persons, at the pages too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_is_approved_by_another_person_alone_and_with_their_reason() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut ben = desk.person("ben", Role::Administrator, None).await;
    ann.browser.get("/console/operators/add").await.expect(200);
    ann.browser
        .post("/console/operators/add", &[("kind", "account")])
        .await
        .expect(422)
        .says("Enter a name")
        .says("Choose a role")
        .says("Enter whose account it is");
    let typed = [("name", "New One"), ("role", "desk"), ("kind", "person")];
    ann.browser
        .post("/console/operators/add", &typed)
        .await
        .expect(422)
        .says("Name: 1 to 64 lower-case letters");
    let typed = [
        ("name", "new.one"),
        ("role", "desk"),
        ("kind", "person"),
        ("ticket", "INC-7"),
    ];
    ann.browser.post("/console/operators/add", &typed).await;
    let proposal = ann.browser.page.leads_to();
    let path = proposal.split('?').next().unwrap().to_owned();
    ann.browser
        .get(&proposal)
        .await
        .expect(200)
        .says("This waits for a second person now")
        .says("You proposed this");
    assert!(
        !ann.browser
            .page
            .html
            .contains("formaction=\"/console/proposals/x/approve")
    );
    ann.browser
        .post(&format!("{path}/approve"), &[])
        .await
        .expect(422)
        .says("another person must approve it");
    ben.browser
        .get("/console")
        .await
        .expect(200)
        .says("1 proposed by others");
    ben.browser
        .get(&path)
        .await
        .expect(200)
        .says("new.one")
        .says("a person of its own, who can approve what others propose")
        .says("INC-7");
    ben.browser
        .post(&format!("{path}/approve"), &[("reason", "I asked her")])
        .await
        .expect(303);
    ben.browser
        .get(&path)
        .await
        .says("Approved")
        .says("I asked her");
    ben.browser
        .post(&format!("{path}/approve"), &[])
        .await
        .expect(422)
        .says("This proposal is decided");
    ben.browser.get("/console/operators").await.says("new.one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_is_searched_checked_and_exported() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Auditor, None).await;
    for _ in 0..55 {
        desk.operator(gateway::operator::NewOperator {
            name: &format!("x{}", uuid::Uuid::new_v4().simple()),
            role: Role::Viewer,
            organisation: None,
            person: None,
            break_glass: false,
        })
        .await;
    }
    let app = desk.gateway.app();
    gateway::audit::chain::round(&app.store).await.unwrap();
    let page = ann
        .browser
        .get("/console/audit?act=operator-added")
        .await
        .expect(200);
    assert_eq!(page.html.matches("<tr").count(), 51);
    let more = page
        .html
        .split("id=\"more\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let more = more.replace("&#38;", "&");
    let page = ann.browser.get(&more).await.expect(200);
    assert_eq!(page.html.matches("<tr").count(), 1 + 6);
    assert!(!page.html.contains("id=\"more\""));
    ann.browser
        .get("/console/audit/verification")
        .await
        .expect(200)
        .says("All is as it was written");
    ann.browser
        .get("/console/audit/export?from=yesterday&to=")
        .await
        .expect(422)
        .says("Enter a day such as 2026-11-01");
    let page = ann
        .browser
        .get("/console/audit/export?from=2026-01-01&to=2027-02-01&format=csv")
        .await
        .expect(200);
    assert_eq!(
        page.headers["content-disposition"],
        "attachment; filename=\"audit-2026-01-01-2027-02-01.csv\""
    );
    assert!(page.html.lines().count() > 55);
    assert_eq!(desk.entries("audit-exported").await, 1);
}

/// It is loaded all day: it asks for the end of the chain, and whoever wants all of it checked opens the page behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_page_tells_how_the_chain_stands_at_its_end_and_does_not_read_all_of_it() {
    use gateway::keys::{GATEWAY, KeyPurpose};
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Auditor, None).await;
    let app = desk.gateway.app();
    gateway::audit::chain::round(&app.store).await.unwrap();
    let start = ann.browser.get("/console").await;
    start.expect(200).says("No checkpoint was signed yet");
    let key = app.keys.active(KeyPurpose::Audit, GATEWAY).unwrap();
    let signed = gateway::audit::checkpoint::round(&app.store, &app.base, key.as_ref(), app.now());
    signed.await.unwrap();
    let start = ann.browser.get("/console").await;
    start.expect(200).says("places in the chain, signed on");
    // An entry far from the end is another.
    let changed = [
        "DROP TRIGGER audit_entries_stay",
        "UPDATE audit_entries SET actor = 'gateway-x' WHERE position = 1",
    ];
    app.store.write(changed.map(Statement::new)).await.unwrap();
    let start = ann.browser.get("/console").await;
    start.expect(200).says("places in the chain, signed on");
    assert!(!start.html.contains("Not as it was written"));
    let all = ann.browser.get("/console/audit/verification").await;
    all.expect(200).says("not what was written there");
    // The last checkpoint is none of this gateway's.
    let forged = [
        "DROP TRIGGER audit_checkpoints_stay",
        "UPDATE audit_checkpoints SET jws = 'x'",
    ];
    app.store.write(forged.map(Statement::new)).await.unwrap();
    let start = ann.browser.get("/console").await;
    start.expect(200).says("Not as it was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_account_changes_password_authenticator_and_tokens() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Viewer, None).await;
    ann.browser
        .get("/console/account")
        .await
        .expect(200)
        .says("(this one)");
    // A screen left alone makes nobody a token.
    ann.browser
        .post("/console/account/tokens", &[("days", "3")])
        .await
        .expect(422)
        .says("Enter your password");
    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    let typed = [
        ("days", "3"),
        ("current", PASSWORD),
        ("code", code.as_str()),
    ];
    let page = ann.browser.post("/console/account/tokens", &typed).await;
    assert!(page.expect(200).html.contains("lyo_"));
    // Nor does a token take the log-in that is there.
    let mut other = desk.browser();
    other.get("/console/set-up").await;
    let typed = [
        ("token", ann.token.as_str()),
        ("password", "another horse"),
        ("again", "another horse"),
    ];
    other
        .post("/console/set-up", &typed)
        .await
        .expect(422)
        .says("You have set this up already");
    ann.browser.get("/console/account").await;
    ann.browser
        .post("/console/account/tokens", &[("days", "many")])
        .await
        .expect(422);
    ann.browser.get("/console/account").await;
    ann.browser
        .post("/console/account/tokens", &[("days", "500")])
        .await
        .expect(422);

    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    let new = "another horse battery staple";
    ann.browser
        .get("/console/account/password")
        .await
        .expect(200);
    let typed = [
        ("current", PASSWORD),
        ("code", code.as_str()),
        ("password", new),
        ("again", "other"),
    ];
    ann.browser
        .post("/console/account/password", &typed)
        .await
        .expect(422)
        .says("Enter the same new password twice");
    let typed = [
        ("current", "wrong"),
        ("code", code.as_str()),
        ("password", new),
        ("again", new),
    ];
    ann.browser
        .post("/console/account/password", &typed)
        .await
        .expect(422);
    let typed = [
        ("current", PASSWORD),
        ("code", code.as_str()),
        ("password", new),
        ("again", new),
    ];
    ann.browser
        .post("/console/account/password", &typed)
        .await
        .expect(303);

    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    ann.browser.get("/console/account/set-up").await.expect(200);
    let typed = [
        ("current", new),
        ("code", code.as_str()),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    ann.browser
        .post("/console/account/set-up", &typed)
        .await
        .expect(200)
        .says("Add your authenticator");
    let secret = ann.browser.page.secret();
    assert_ne!(secret, ann.secret);
    let other = desk.code(&ann.secret);
    ann.browser
        .post("/console/account/set-up/confirm", &[("code", &other)])
        .await
        .expect(422);
    let code = desk.code(&secret);
    ann.browser
        .post("/console/account/set-up/confirm", &[("code", &code)])
        .await
        .expect(200)
        .says("Keep your recovery codes");
    ann.browser.get("/console/account").await.expect(200);
    assert_eq!(desk.entries("operator-password-changed").await, 1);
}

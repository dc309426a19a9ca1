//! Logging in at the organisation's own OpenID provider: what it must prove, and what nobody gets in by.

use jiff::SignedDuration;
use portal::config::Config;
use reqwest::StatusCode;
use serde_json::json;
use store::Statement;

use crate::browser::{Browser, Page};
use crate::database::{Database, on_both_engines};
use crate::openid::{OpenId, Signature};
use crate::staff::PASSWORD;
use crate::world::{CONTACT, World};

on_both_engines!(
    dw_10_an_employee_logs_in_at_their_organisations_provider_and_goes_on_where_they_wanted_to,
    a_callback_counts_once_in_the_browser_that_began_the_log_in_and_not_for_ever,
    whoever_does_not_come_back_leaves_nothing_and_a_log_in_that_succeeded_does_not_succeed_again,
    an_address_beyond_ascii_names_the_same_person_on_each_engine,
);

async fn world_on(database: Database, change: impl FnOnce(&mut Config)) -> (World, OpenId) {
    let openid = OpenId::start().await;
    let world = World::start_with(database, |config| {
        config.log_in = Some(openid.config());
        change(config);
    })
    .await;
    openid.dates_tokens_by(world.clock());
    (world, openid)
}

async fn world() -> (World, OpenId) {
    world_on(Database::sqlite(), |_| ()).await
}

/// Up to the provider's page and back; the redirect that answers the callback.
async fn back_from(openid: &OpenId, browser: &Browser, start: &str) -> Page {
    let away = browser.fetch(start).await;
    browser.fetch(&openid.comes_back(away.location())).await
}

async fn try_to_log_in(openid: &OpenId, browser: &Browser) -> Page {
    let answer = back_from(openid, browser, "/login/organisation").await;
    browser.open(answer.location()).await
}

/// Nobody is logged in, and the page says this.
async fn is_out(browser: &Browser, page: &Page, says: &str) {
    assert_eq!(
        (page.status, page.path().as_str()),
        (StatusCode::OK, "/login")
    );
    assert!(page.text().contains(says), "{}", page.text());
    assert_eq!(browser.open("/").await.path(), "/login");
}

async fn dw_10_an_employee_logs_in_at_their_organisations_provider_and_goes_on_where_they_wanted_to(
    database: Database,
) {
    let (world, openid) = world_on(database, |_| ()).await;
    let browser = world.browser();
    let page = browser.open("/credentials/anna-fire?from=a%20mail").await;
    assert!(
        page.text().contains("Log in with Anytown"),
        "{}",
        page.text()
    );
    let answer = back_from(&openid, &browser, &page.link("log-in-with-provider")).await;
    assert_eq!(answer.location(), "/credentials/anna-fire?from=a%20mail");
    assert!(browser.open("/").await.text().contains("Anna Taylor"));

    // The password is there too.
    let other = world.browser();
    assert_eq!(other.log_in("anna", PASSWORD).await.path(), "/");

    // Logging out ends the session here; the one there is the person's to end.
    let page = browser.log_out().await;
    let there = page.link("end-at-provider");
    assert!(
        there.starts_with(&format!("{}/end?client_id=portal&", openid.base)),
        "{there}"
    );
    assert!(there.contains("post_logout_redirect_uri="), "{there}");
    assert!(page.text().contains("Log out of Anytown too"));
    is_out(&browser, &page, "You have logged out here").await;
    assert!(!other.log_out().await.has("end-at-provider"));
}

async fn a_callback_counts_once_in_the_browser_that_began_the_log_in_and_not_for_ever(
    database: Database,
) {
    let (world, openid) = world_on(database, |_| ()).await;
    // Somebody else's callback, planted in this browser, logs it in as nobody (log-in CSRF).
    let (attacker, victim) = (world.browser(), world.browser());
    let away = attacker.fetch("/login/organisation").await;
    let back = openid.comes_back(away.location());
    for with in ["", "/login/organisation"] {
        if !with.is_empty() {
            victim.fetch(with).await;
        }
        let page = victim.open(&back).await;
        is_out(&victim, &page, "not finished in this browser").await;
    }
    // Where it began it counts, and once.
    assert_eq!(attacker.open(&back).await.path(), "/");
    attacker.log_out().await;
    let page = attacker.open(&back).await;
    is_out(&attacker, &page, "not finished in this browser").await;

    // In several tabs at once each answers its own.
    let tabs = world.browser();
    let first = tabs.fetch("/login/organisation").await;
    let second = tabs.fetch("/login/organisation").await;
    let first = openid.comes_back(first.location());
    assert_eq!(
        tabs.open(&openid.comes_back(second.location()))
            .await
            .path(),
        "/"
    );
    assert_eq!(tabs.open(&first).await.path(), "/");

    let late = world.browser();
    let away = late.fetch("/login/organisation").await;
    world.later(SignedDuration::from_mins(15));
    let page = late.open(&openid.comes_back(away.location())).await;
    is_out(&late, &page, "took too long").await;
}

async fn whoever_does_not_come_back_leaves_nothing_and_a_log_in_that_succeeded_does_not_succeed_again(
    database: Database,
) {
    let (world, openid) = world_on(database, |_| ()).await;
    let store = world.database.open().await;
    let rows = async || {
        let count = Statement::new("SELECT COUNT(*) AS rows FROM portal_finished_log_ins");
        let row = store.read_one(count).await.unwrap();
        row.unwrap().integer("rows").unwrap()
    };
    for _ in 0..20 {
        let away = world.browser().fetch("/login/organisation").await;
        assert!(away.location().starts_with(&openid.base));
    }
    assert_eq!(rows().await, 0);

    // Neither the code nor the cookie is taken away from whoever can copy both.
    openid.takes_codes_again(true);
    let away = world.browser().fetch("/login/organisation").await;
    let cookie = away.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Max-Age=900"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    let back = openid.comes_back(away.location());
    let replay = async || {
        let browser = world.browser();
        browser.fetch_with(&back, ("cookie", cookie)).await
    };
    let answers = futures_util::future::join_all((0..4).map(|_| replay())).await;
    let entered = answers.iter().filter(|answer| answer.location() == "/");
    assert_eq!(entered.count(), 1);
    assert_eq!(rows().await, 1);
    world.later(SignedDuration::from_mins(14));
    assert_eq!(replay().await.location(), "/login?why=start-again");
    store.close().await;
}

async fn an_address_beyond_ascii_names_the_same_person_on_each_engine(database: Database) {
    let (mut world, openid) = world_on(database, |_| ()).await;
    let logs_in = async |world: &World, email: &str| {
        openid.claims(&json!({"email": email}));
        let page = try_to_log_in(&openid, &world.browser()).await;
        page.path() == "/"
    };
    let write = async |world: &World, address: &str| {
        let hr = world.browser();
        let page = hr.open("/hr/employees/anna").await;
        let fields = [("email", address)];
        hr.submit(&page, "/hr/employees/anna", &fields).await;
    };
    write(&world, "\u{c9}va.T@anytown.example").await;
    assert!(logs_in(&world, "\u{e9}VA.t@Anytown.example").await);
    assert!(!logs_in(&world, "eva.t@anytown.example").await);
    // The Kelvin sign is no k: whoever has that mailbox is somebody else.
    write(&world, "kate@anytown.example").await;
    assert!(!logs_in(&world, "\u{212a}ate@anytown.example").await);
    assert!(logs_in(&world, "Kate@anytown.example").await);

    // What an earlier version wrote is folded when the portal starts.
    let store = world.database.open().await;
    let before = Statement::new("UPDATE portal_employees SET email_folded = NULL");
    store.write([before]).await.unwrap();
    store.close().await;
    world.restart().await;
    assert!(logs_in(&world, "KATE@anytown.example").await);
}

#[tokio::test]
async fn sec_15_an_id_token_that_is_corrupted_in_any_way_logs_nobody_in() {
    let (world, openid) = world().await;
    let says = "something is not set up correctly";
    for signature in [
        Signature::Broken,
        Signature::None,
        Signature::HmacWithPublicKey,
        Signature::OtherKeySameKid,
        Signature::EmbeddedKey,
        Signature::UnknownKid,
        Signature::OtherType,
    ] {
        openid.signs(signature);
        let browser = world.browser();
        let page = try_to_log_in(&openid, &browser).await;
        // Nobody but whoever looks after it can help, and this is who.
        assert!(page.text().contains(CONTACT), "{}", page.text());
        is_out(&browser, &page, says).await;
    }
    openid.signs(Signature::Good);
    let now = world.clock().now().as_second();
    for claims in [
        json!({"iss": "https://evil.example"}),
        json!({"iss": format!("{}/", openid.base)}),
        json!({"iss": null}),
        json!({"aud": "another"}),
        json!({"aud": ["portal", "another"]}),
        json!({"aud": null}),
        json!({"azp": "another"}),
        json!({"exp": now - 31}),
        json!({"exp": null}),
        json!({"iat": now + 60}),
        json!({"iat": now - 3600}),
        json!({"nbf": now + 60}),
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"sub": null}),
    ] {
        openid.claims(&claims);
        let browser = world.browser();
        let page = try_to_log_in(&openid, &browser).await;
        is_out(&browser, &page, says).await;
    }
    openid.claims(&json!({}));
    let browser = world.browser();
    assert_eq!(try_to_log_in(&openid, &browser).await.path(), "/");
}

#[tokio::test]
async fn whoever_the_portal_does_not_know_is_told_so_kindly_and_nothing_of_others() {
    let (world, openid) = world().await;
    let mut shared = crate::staff::everybody();
    shared.employees.truncate(1);
    let twin = &mut shared.employees[0];
    (twin.id, twin.username) = ("e-twin".to_owned(), "twin".to_owned());
    twin.email = Some("ben@anytown.example".to_owned());
    twin.password = None;
    twin.records.clear();
    world.portal.import(&shared).await.unwrap();
    for claims in [
        json!({"email": "nobody@anytown.example"}),
        json!({"email": null}),
        json!({"email": ""}),
        json!({"email": "nul\u{0}@anytown.example"}),
        json!({"email": ["anna@anytown.example"]}),
        // Who shares an address with another is not taken for either.
        json!({"email": "ben@anytown.example"}),
        // The provider knows that it is not proven.
        json!({"email_verified": null}),
        json!({"email_verified": false}),
        json!({"email_verified": "false"}),
    ] {
        openid.claims(&claims);
        let browser = world.browser();
        let page = try_to_log_in(&openid, &browser).await;
        is_out(&browser, &page, "could not find a staff account").await;
        let text = page.text();
        // No address but that of whoever helps.
        let text = text.replace("hr@anytown.example", "").replace(CONTACT, "");
        assert!(
            text.contains("Ask your HR team") && !text.contains('@'),
            "{text}"
        );
    }
    // Nobody has the password that an employee without one has.
    for password in ["", " ", "password"] {
        let page = world.browser().log_in("twin", password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn a_provider_that_is_down_or_refuses_is_told_in_words_and_may_be_up_again() {
    let (world, openid) = world().await;
    let browser = world.browser();
    openid.answers(false);
    let page = browser
        .open("/login/organisation?return_to=%2Fcredentials")
        .await;
    is_out(&browser, &page, "at the moment. Try again later").await;
    assert_eq!(page.field("return_to"), "/credentials");
    openid.answers(true);

    for (status, says) in [(500, "Try again later"), (400, "not set up correctly")] {
        openid.token_answers(Some(status));
        let page = try_to_log_in(&openid, &browser).await;
        is_out(&browser, &page, says).await;
    }
    openid.token_answers(None);

    let away = browser.fetch("/login/organisation").await;
    let back = openid.comes_back(away.location());
    let denied = back.replace("code=code-", "error=access_denied&other=");
    let page = browser.open(&denied).await;
    is_out(
        &browser,
        &page,
        "You stopped, or Anytown did not let you in",
    )
    .await;
    // What it denied cannot be had by the code all the same.
    let page = browser.open(&back).await;
    is_out(&browser, &page, "Start again").await;

    for query in [
        "",
        "?code=1",
        "?state=1",
        "?code=1&error=2&state=3",
        "?code=1&code=2&state=3",
    ] {
        let page = browser.open(&format!("/login/callback{query}")).await;
        is_out(&browser, &page, "Start again").await;
    }
    assert_eq!(try_to_log_in(&openid, &browser).await.path(), "/");
}

#[tokio::test]
async fn a_provider_that_describes_another_is_not_used() {
    for document in [
        json!({"issuer": "https://evil.example"}),
        json!({"token_endpoint": "http://evil.example/token"}),
        json!({"end_session_endpoint": "http://evil.example/end"}),
        json!({"id_token_signing_alg_values_supported": ["none", "HS256"]}),
    ] {
        let (world, openid) = world().await;
        openid.describes(&document);
        let browser = world.browser();
        let page = browser.open("/login/organisation").await;
        is_out(&browser, &page, "not set up correctly").await;
    }
}

/// [RFC 9207] A provider that says that it names itself in every callback must, and no other may.
#[tokio::test]
async fn an_answer_that_is_mixed_up_between_providers_is_refused() {
    let (world, openid) = world().await;
    openid.describes(&json!({"authorization_response_iss_parameter_supported": true}));
    let browser = world.browser();
    for (issuer, path) in [
        (None, "/login"),
        (Some("https://evil.example"), "/login"),
        (Some(openid.base.as_str()), "/"),
    ] {
        let away = browser.fetch("/login/organisation").await;
        let mut back = url::Url::parse(&openid.comes_back(away.location())).unwrap();
        if let Some(issuer) = issuer {
            back.query_pairs_mut().append_pair("iss", issuer);
        }
        assert_eq!(browser.open(back.as_str()).await.path(), path, "{issuer:?}");
    }
}

#[tokio::test]
async fn whoever_did_not_prove_enough_at_the_provider_is_sent_back_to_it() {
    let (world, openid) = world_on(Database::sqlite(), |config| {
        let log_in = config.log_in.as_mut().unwrap();
        log_in.acr = vec!["gold".to_owned(), "silver".to_owned()];
        log_in.amr = vec!["mfa".to_owned(), "hwk".to_owned()];
    })
    .await;
    let browser = world.browser();
    let away = browser.fetch("/login/organisation").await;
    assert!(away.location().contains("acr_values=gold+silver"));
    for claims in [
        json!({}),
        json!({"acr": "bronze", "amr": ["mfa", "hwk"]}),
        json!({"acr": "gold silver", "amr": ["mfa", "hwk"]}),
        json!({"acr": "silver"}),
        json!({"acr": "silver", "amr": ["mfa"]}),
        json!({"acr": "silver", "amr": "mfa hwk"}),
    ] {
        openid.claims(&claims);
        let page = try_to_log_in(&openid, &browser).await;
        is_out(&browser, &page, "use your second step").await;
    }
    openid.claims(&json!({"acr": "silver", "amr": ["pwd", "hwk", "mfa"]}));
    assert_eq!(try_to_log_in(&openid, &browser).await.path(), "/");
}

/// SEC-12, and a session whose cookie somebody planted.
#[tokio::test]
async fn sec_12_a_log_in_at_the_provider_leads_to_pages_of_the_portal_and_into_a_session_of_its_own()
 {
    let (world, openid) = world().await;
    for evil in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/logout",
    ] {
        let browser = world.browser();
        let to: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let start = format!("/login/organisation?return_to={to}");
        assert_eq!(
            back_from(&openid, &browser, &start).await.location(),
            "/",
            "{evil}"
        );
    }
    let browser = world.logged_in("ben").await;
    let old = browser.open("/").await.field("csrf");
    assert_eq!(try_to_log_in(&openid, &browser).await.path(), "/");
    let page = browser.open("/").await;
    assert!(page.text().contains("Anna Taylor"));
    assert_ne!(page.field("csrf"), old);
    // Another site does not begin a log-in.
    let page = browser
        .fetch_with("/login/organisation", ("sec-fetch-site", "cross-site"))
        .await;
    assert_eq!(page.location(), "/login");
}

#[tokio::test]
async fn where_the_provider_takes_the_place_of_passwords_none_is_taken() {
    let (world, openid) = world_on(Database::sqlite(), |config| {
        config.log_in.as_mut().unwrap().passwords = false;
    })
    .await;
    let browser = world.browser();
    let page = browser.open("/login").await;
    assert!(!page.has("password") && page.has("log-in-with-provider"));
    let fields = [("username", "anna"), ("password", PASSWORD), ("csrf", "")];
    assert_ne!(
        browser.post("/login", &fields).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(try_to_log_in(&openid, &browser).await.path(), "/");
}

#[tokio::test]
async fn a_portal_without_a_provider_has_no_such_addresses() {
    let world = World::start().await;
    let browser = world.browser();
    for path in ["/login/organisation", "/login/callback?code=1&state=2"] {
        assert_eq!(browser.fetch(path).await.status, StatusCode::NOT_FOUND);
    }
    assert!(!browser.open("/login").await.has("log-in-with-provider"));
}

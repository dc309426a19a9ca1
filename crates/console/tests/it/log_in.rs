//! Setting up, logging in and out, and what ends a session.

use gateway::admin::Role;
use gateway::operator::NewOperator;
use gateway::random::Random;
use jiff::SignedDuration;

use crate::database::{Database, on_both_engines};
use crate::desk::{Desk, PASSWORD};

on_both_engines!(
    an_operator_sets_up_with_their_token_and_logs_in_by_password_and_code,
    a_session_ends_when_it_is_idle_and_after_eight_hours_in_any_case,
);

async fn an_operator_sets_up_with_their_token_and_logs_in_by_password_and_code(database: Database) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    assert_eq!(ann.recovery_codes.len(), 8);
    ann.browser
        .get("/console")
        .await
        .expect(200)
        .says("Nothing waits for you.")
        .says("Administrator");
    // Out, and nothing of it is left in the browser.
    ann.browser.post("/console/log-out", &[]).await;
    assert_eq!(ann.browser.page.leads_to(), "/console/log-in?why=out");
    ann.browser.get("/console/operators").await;
    let wanted = "/console/log-in?to=%2Fconsole%2Foperators";
    assert_eq!(ann.browser.page.leads_to(), wanted);

    // The code of the set-up is used up, and the next one leads where they wanted to go.
    let code = desk.code(&ann.secret);
    ann.browser.get(wanted).await.expect(200);
    let typed = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("code", code.as_str()),
    ];
    ann.browser
        .post("/console/log-in", &typed)
        .await
        .expect(422)
        .says("Check your name, password and code");
    desk.later(SignedDuration::from_secs(30));
    let code = desk.code(&ann.secret);
    let typed = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("code", code.as_str()),
    ];
    ann.browser.post("/console/log-in", &typed).await;
    assert_eq!(ann.browser.page.leads_to(), "/console/operators");
    ann.browser
        .get("/console/operators")
        .await
        .expect(200)
        .says("ann");
    assert_eq!(desk.entries("operator-sign-in-set-up").await, 1);
    assert_eq!(desk.entries("operator-signed-in").await, 1);
    assert_eq!(desk.entries("operator-signed-out").await, 1);
    assert_eq!(desk.entries("operator-sign-in-refused").await, 1);
}

async fn a_session_ends_when_it_is_idle_and_after_eight_hours_in_any_case(database: Database) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Viewer, None).await;
    desk.later(SignedDuration::from_mins(14));
    ann.browser.get("/console").await.expect(200);
    desk.later(SignedDuration::from_mins(15));
    assert_eq!(
        ann.browser.get("/console").await.leads_to(),
        "/console/log-in"
    );
    let code = desk.code(&ann.secret);
    ann.browser.log_in("ann", PASSWORD, &code).await.expect(303);
    for _ in 0..34 {
        ann.browser.get("/console").await.expect(200);
        desk.later(SignedDuration::from_mins(14));
    }
    ann.browser.get("/console").await.expect(200);
    desk.later(SignedDuration::from_mins(5));
    ann.browser.get("/console").await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_13_whoever_logs_in_over_somebody_else_ends_their_session() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let ben = desk.person("ben", Role::Desk, None).await;
    ann.browser.get("/console").await.expect(200);
    let of_ann = ann.browser.cookies.clone();
    desk.later(SignedDuration::from_mins(1));
    let code = desk.code(&ben.secret);
    ann.browser
        .log_in("ben", PASSWORD, "000000")
        .await
        .expect(422);
    ann.browser.get("/console").await.expect(200);
    ann.browser.log_in("ben", PASSWORD, &code).await.expect(303);
    ann.browser.get("/console").await.expect(200);
    let mut copied = desk.browser();
    copied.cookies = of_ann;
    copied.get("/console").await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_code_takes_the_place_of_one_code_once() {
    let desk = Desk::start(Database::sqlite()).await;
    let ann = desk.person("ann", Role::Viewer, None).await;
    let code = ann.recovery_codes[3].to_uppercase();
    desk.browser()
        .log_in("ann", PASSWORD, &code)
        .await
        .expect(303);
    desk.browser()
        .log_in("ann", PASSWORD, &code)
        .await
        .expect(422);
    desk.browser()
        .log_in("ann", PASSWORD, &ann.recovery_codes[4].replace('-', " "))
        .await
        .expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_for_emergencies_comes_in_by_its_token_and_is_loud() {
    let desk = Desk::start(Database::sqlite()).await;
    let new = NewOperator {
        name: "break-glass",
        role: Role::Administrator,
        organisation: None,
        person: None,
        break_glass: true,
    };
    let (_, token) = desk.operator(new).await;
    let ann = desk.person("ann", Role::Administrator, None).await;
    let mut browser = desk.browser();
    browser.get("/console/set-up").await;
    let typed = [
        ("token", token.as_str()),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    browser
        .post("/console/set-up", &typed)
        .await
        .expect(422)
        .says("There is no password here");
    browser.get("/console/emergency").await;
    browser
        .post("/console/emergency", &[("token", &ann.token)])
        .await
        .expect(422);
    browser
        .post("/console/emergency", &[("token", &token)])
        .await
        .expect(303);
    let before = desk.gateway.break_glass_uses();
    browser
        .get("/console/operators")
        .await
        .expect(200)
        .says("everything you do raises an alarm");
    assert!(desk.gateway.break_glass_uses() > before);
    assert!(desk.entries("break-glass-used").await >= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_whose_phone_is_gone_is_let_in_again_by_two_others_and_pages_alone() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut ben = desk.person("ben", Role::Administrator, None).await;
    let mut cat = desk.person("cat", Role::Desk, None).await;
    let own = format!("/console/operators/{}", ann.id);
    let page = ann.browser.get(&own).await.expect(200);
    assert!(!page.html.contains("Let them set up anew"), "{}", page.html);
    let page = ann.browser.get(&format!("{own}/sign-in")).await;
    page.expect(200);
    let refused = ann.browser.post(&format!("{own}/sign-in"), &[]).await;
    refused.expect(403).says("You may not do this");

    let path = format!("/console/operators/{}", cat.id);
    let page = ann.browser.get(&path).await.expect(200);
    page.says("Let them set up anew");
    let path = format!("{path}/sign-in");
    ann.browser.get(&path).await.expect(200).says("cat sets up");
    let wrong = [("token_sha256", "lyo_the-token-itself")];
    ann.browser.post(&path, &wrong).await.expect(422);
    let (token, digest) = gateway::operator::made_token(&Random::system());
    let typed = [("token_sha256", digest.as_str()), ("reason", "lost phone")];
    let there = ann.browser.post(&path, &typed).await.leads_to();
    let proposal = there.split('?').next().unwrap().to_owned();
    let page = ben.browser.get(&proposal).await.expect(200);
    page.says("ask cat yourself").says("Let an operator set up");
    let approve = format!("{proposal}/approve");
    ben.browser.post(&approve, &[]).await.expect(303);
    cat.browser.get("/console").await.expect(303);
    assert_eq!(desk.entries("operator-sign-in-reset").await, 1);

    let mut anew = desk.browser();
    anew.get("/console/set-up").await.expect(200);
    let another = "another horse battery staple";
    let typed = [
        ("token", token.as_str()),
        ("password", another),
        ("again", another),
    ];
    let page = anew.post("/console/set-up", &typed).await.expect(200);
    let code = desk.code(&page.secret());
    let confirm = "/console/set-up/confirm";
    anew.post(confirm, &[("code", &code)]).await.expect(200);
    anew.get("/console").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_reset_or_removed_is_out_at_once() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut ben = desk.person("ben", Role::Desk, None).await;
    ben.browser.get("/console").await.expect(200);
    desk.reset("ben").await;
    ben.browser.get("/console").await.expect(303);
    desk.later(SignedDuration::from_mins(1));
    let code = desk.code(&ben.secret);
    ben.browser.log_in("ben", PASSWORD, &code).await.expect(422);
    // Their token is still theirs, and leads to a new set-up.
    let mut cat = desk.person("cat", Role::Desk, None).await;
    let path = format!("/console/operators/{}/remove", cat.id);
    ann.browser.get(&path).await.expect(200).says("Remove cat");
    ann.browser
        .post(&path, &[("typed", "ben")])
        .await
        .expect(422);
    ann.browser
        .post(&path, &[("typed", "cat"), ("reason", "left")])
        .await;
    assert_eq!(
        ann.browser.page.leads_to(),
        "/console/operators?done=removed"
    );
    cat.browser.get("/console").await.expect(303);
}

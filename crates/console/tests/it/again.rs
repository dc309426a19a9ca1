//! A form that is sent again – a page that is loaded again, a button that is pressed twice – makes no second secret; and what is
//! shown once stands in no form.

use gateway::admin::Role;
use jiff::SignedDuration;

use crate::database::{Database, on_both_engines};
use crate::desk::{Desk, PASSWORD, Person};

on_both_engines!(
    a_page_with_a_new_token_that_is_loaded_again_makes_no_other,
    a_page_with_a_new_secret_that_is_loaded_again_makes_no_other,
);

const TOKENS: &str = "/console/account/tokens";
const PARTY: &str = "/console/relying-parties/anytown-staff";

/// Sends a form to make a token, with a code of this minute.
async fn make_token(desk: &Desk, ann: &mut Person, once: &str) -> u16 {
    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    let typed = [
        ("current", PASSWORD),
        ("code", code.as_str()),
        ("once", once),
    ];
    ann.browser.post(TOKENS, &typed).await.status.as_u16()
}

async fn a_page_with_a_new_token_that_is_loaded_again_makes_no_other(database: Database) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Viewer, None).await;
    let once = ann.browser.get("/console/account").await.value("once");
    assert_eq!(once.len(), 43);
    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    let csrf = ann.browser.page.value("csrf");
    let sent = [
        ("csrf", csrf.as_str()),
        ("current", PASSWORD),
        ("code", code.as_str()),
        ("once", once.as_str()),
    ];
    let made = ann.browser.post(TOKENS, &sent).await.expect(200).clone();
    assert!(made.html.contains("lyo_"));
    // Loaded again: the very same form, and once more with a code that would count.
    let again = ann.browser.post(TOKENS, &sent).await.expect(422);
    again.says("This form was sent before, and the token was made then");
    assert!(!again.html.contains("lyo_"));
    assert_eq!(make_token(&desk, &mut ann, &once).await, 422);
    assert_eq!(desk.entries("operator-token-made").await, 1);
    // Nobody was wrong, so that nobody is slowed down.
    assert_eq!(desk.entries("operator-sign-in-refused").await, 0);
    // Without a mark nothing is made, and the page that tells so has a fresh one.
    assert_eq!(make_token(&desk, &mut ann, "").await, 422);
    let fresh = ann.browser.page.value("once");
    assert_ne!(fresh, once);
    assert_eq!(make_token(&desk, &mut ann, &fresh).await, 200);
    assert_eq!(desk.entries("operator-token-made").await, 2);
    // A mark is whose it is: somebody else's is not spent with it.
    let mut ben = desk.person("ben", Role::Viewer, None).await;
    ben.browser.get("/console/account").await;
    assert_eq!(make_token(&desk, &mut ben, &once).await, 200);
}

async fn a_page_with_a_new_secret_that_is_loaded_again_makes_no_other(database: Database) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let secrets = format!("{PARTY}/secrets");
    let live = async || {
        let secrets = desk.gateway.client_secrets("anytown-staff").await.unwrap();
        let now = desk.gateway.now();
        let month = now + SignedDuration::from_hours(24 * 30);
        let at = |when| secrets.iter().filter(|one| one.is_live(when)).count();
        (at(now), at(month))
    };
    ann.browser.get(PARTY).await.expect(200);
    ann.browser.post(&secrets, &[]).await.expect(200);
    assert_eq!(live().await, (1, 1));
    let shown = ann.browser.get(PARTY).await.expect(200);
    let (once, csrf) = (shown.value("once"), shown.value("csrf"));
    let sent = [
        ("csrf", csrf.as_str()),
        ("once", once.as_str()),
        ("rotate", "yes"),
        ("overlap_days", "14"),
    ];
    ann.browser.post(&secrets, &sent).await.expect(200);
    assert_eq!(live().await, (2, 1), "the first one ends in 14 days");
    desk.later(SignedDuration::from_mins(1));
    let again = ann.browser.post(&secrets, &sent).await.expect(422);
    again.says("This form was sent before, and the secret was made then");
    assert_eq!(live().await, (2, 1));
    // A button that is pressed twice.
    let shown = ann.browser.get(PARTY).await.expect(200);
    let (once, csrf) = (shown.value("once"), shown.value("csrf"));
    let sent = [("csrf", csrf.as_str()), ("once", once.as_str())];
    let mut other = desk.browser();
    other.cookies.clone_from(&ann.browser.cookies);
    let (one, two) = tokio::join!(
        ann.browser.post(&secrets, &sent),
        other.post(&secrets, &sent)
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    assert_eq!(live().await, (3, 2));
    assert_eq!(desk.entries("client-secret-made").await, 3);
}

/// SEC-37: an authenticator's secret is on one page, to be scanned or typed over, and in no field that a browser keeps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_an_authenticators_secret_stands_in_no_form_and_is_shown_once() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Viewer, None).await;
    desk.later(SignedDuration::from_secs(60));
    let code = desk.code(&ann.secret);
    ann.browser.get("/console/account/set-up").await.expect(200);
    let typed = [
        ("current", PASSWORD),
        ("code", code.as_str()),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    let begun = ann.browser.post("/console/account/set-up", &typed).await;
    let begun = begun.expect(200).clone();
    let secret = begun.secret();
    assert_eq!(secret.len(), 32, "{}", begun.html);
    let form = begun
        .html
        .split("<form")
        .find(|form| form.contains("name=\"set_up\""));
    let form = form.unwrap().split("</form>").next().unwrap();
    assert!(
        !form.contains(&secret) && !form.contains("otpauth"),
        "{form}"
    );
    assert!(!begun.html.contains(&secret), "in groups, to be read");
    let confirm = "/console/account/set-up/confirm";
    let wrong = ann.browser.post(confirm, &[("code", "000000")]).await;
    let wrong = wrong
        .expect(422)
        .says("What you scanned is shown once")
        .clone();
    assert_eq!(wrong.secret(), "");
    assert!(!wrong.html.contains("lanyard-qr-box") && !wrong.html.contains(&secret[..4]));
    // The page after a wrong code goes on all the same.
    let code = desk.code(&secret);
    let done = ann.browser.post(confirm, &[("code", &code)]).await;
    done.expect(200).says("Keep your recovery codes");
}

/// By the pages: what a log-in rests on, and how it stands by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_tells_on_which_token_it_rests_until_another_is_shown() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Viewer, None).await;
    let page = ann.browser.get("/console/account").await.expect(200);
    page.says("and have shown no other since");
    let anew = async |ann: &mut Person, token: &str| {
        desk.later(SignedDuration::from_secs(60));
        let code = desk.code(&ann.secret);
        ann.browser.get("/console/account/set-up").await.expect(200);
        let typed = [
            ("current", PASSWORD),
            ("code", code.as_str()),
            ("password", PASSWORD),
            ("again", PASSWORD),
            ("token", token),
        ];
        let page = ann.browser.post("/console/account/set-up", &typed).await;
        page.clone()
    };
    anew(&mut ann, "lyo_wrong")
        .await
        .expect(422)
        .says("This is not a token that is in force");
    let token = desk.token_of("ann").await;
    let begun = anew(&mut ann, &token).await.expect(200).clone();
    let code = desk.code(&begun.secret());
    let confirm = "/console/account/set-up/confirm";
    ann.browser
        .post(confirm, &[("code", &code)])
        .await
        .expect(200);
    let page = ann.browser.get("/console/account").await.expect(200);
    assert!(!page.html.contains("and have shown no other since"));
}

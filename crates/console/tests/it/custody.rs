//! Keys, credentials, holds, interactions and figures as pages, in a browser without JavaScript.

use axum::body::Body;
use axum::http::{Method, Request};
use gateway::admin::Role;
use gateway::keys::KeyPurpose;
use gateway::timeline::causes;
use jiff::SignedDuration;
use store::Statement;

use crate::database::{Database, on_both_engines};
use crate::desk::{Browser, Desk};

on_both_engines!(
    a_custodian_changes_a_key_and_sees_what_a_leak_means_before_saying_so,
    many_are_counted_agreed_on_and_watched_while_they_are_revoked,
);

/// Credentials of an organisation, as if they had been issued with its key.
pub(crate) async fn credentials<const N: usize>(desk: &Desk, organisation: &str) -> [String; N] {
    let app = desk.gateway.app();
    let list = "INSERT INTO status_lists (organisation, list, revision) VALUES ($1, 1, 0)";
    let mut batch = vec![Statement::new(list).bind(organisation)];
    let serials = [(); N].map(|()| uuid::Uuid::new_v4().to_string());
    for (index, serial) in (0_i64..).zip(&serials) {
        let insert = Statement::new(
            "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
             list, list_index, issued_at, kid) VALUES ($1, $2, 'rp', 'FireSafety', 'jwt_vc_json', 'none', 1, $3, $4, $5)",
        );
        let insert = insert.bind(serial).bind(organisation).bind(index);
        batch.push(insert.bind(app.now()).bind(key_of(desk, organisation)));
    }
    app.store.write(batch).await.unwrap();
    desk.keep_unsaid("a serial number", &serials);
    serials
}

/// The key that signs an organisation's credentials.
pub(crate) fn key_of(desk: &Desk, organisation: &str) -> String {
    let app = desk.gateway.app();
    let key = app.keys.active(KeyPurpose::Credentials, organisation);
    key.unwrap().public_jwk().kid().unwrap().to_owned()
}

/// A revocation of many that an organisation's operator uploaded.
pub(crate) async fn job_of(desk: &Desk, organisation: &str) -> String {
    let mut uploader = desk
        .person("uploader", Role::Operator, Some(organisation))
        .await
        .browser;
    uploader.get("/console/bulk").await.expect(200);
    let fields = [
        ("organisation", organisation),
        ("reason", "left-employment"),
        ("ticket", "INC-9"),
        ("pace", "2"),
    ];
    let unknown = format!("serial_number\n{}\n", uuid::Uuid::new_v4());
    upload(&mut uploader, &unknown, &fields).await;
    let address = uploader.page.leads_to();
    let job = address.strip_prefix("/console/bulk/").unwrap();
    job.replace("?done=bulk-counted", "")
}

/// The reference of an interaction of an organisation's, straight in the database.
pub(crate) async fn interaction_of(desk: &Desk, organisation: &str) -> String {
    const REFERENCE: &str = "Q2K7-FD9M";
    let app = desk.gateway.app();
    let interaction = Statement::new(
        "INSERT INTO interactions (id, version, organisation, client_id, purpose, credential_type, reference, stage, stage_at, \
         outcome, request_digest, browser_digest, released, created_at, expires_at) \
         VALUES ('i', 1, $1, 'rp', 'verify', 'FireSafety', $2, 'finished', $3, 'declined', 'd', 'b', 1, $3, $3)",
    );
    let interaction = interaction.bind(organisation).bind(REFERENCE);
    app.store
        .write([interaction.bind(app.now())])
        .await
        .unwrap();
    REFERENCE.to_owned()
}

async fn a_custodian_changes_a_key_and_sees_what_a_leak_means_before_saying_so(database: Database) {
    let desk = Desk::start(database).await;
    let _: [String; 2] = credentials(&desk, "anytown").await;
    let leaked = key_of(&desk, "anytown");
    let mut kim = desk.person("kim", Role::KeyCustodian, None).await.browser;
    kim.get("/console/keys")
        .await
        .expect(200)
        .says("anytown.credentials");
    kim.post("/console/keys/create", &[("place", "nowhere.status")])
        .await;
    kim.page.expect(422).says("There is no such place");
    kim.post("/console/keys/create", &[("place", "anytown.credentials")])
        .await;
    assert_eq!(kim.page.leads_to(), "/console/keys?done=key-made");
    kim.get("/console/keys?done=key-made")
        .await
        .expect(200)
        .says("The key is made.");
    let next = kim.page.html.split("Activate it from").count();
    assert_eq!(next, 2, "one key waits");

    let path = format!("/console/keys/{leaked}");
    kim.get(&path)
        .await
        .expect(200)
        .says("did.json")
        .says("See what that would mean");
    kim.post(&format!("{path}/verify-only"), &[("ticket", "INC-1")])
        .await;
    kim.page.expect(422).says("may sign from");
    let plan = format!("{path}/compromise");
    kim.get(&plan)
        .await
        .expect(200)
        .says("2 credentials in force are refused");
    let seen = kim.page.value("plan");
    kim.post(&plan, &[("plan", &seen)]).await.expect(422);
    let seen = kim.page.value("plan");
    kim.post(&plan, &[("plan", &seen), ("ticket", "INC-2")])
        .await;
    // A custodian does not see credentials: two others revoke them.
    assert_eq!(kim.page.leads_to(), format!("{path}?done=key-compromised"));
    kim.get(&path).await.expect(200).says("Compromised");
    desk.gateway.follow_once().await.unwrap();
    assert_ne!(key_of(&desk, "anytown"), leaked);

    let mut vic = desk.person("vic", Role::Viewer, None).await.browser;
    let page = vic.get("/console/keys").await.expect(200);
    assert!(!page.html.contains("Make the next key"));
    vic.post("/console/keys/create", &[("place", "anytown.status")])
        .await
        .expect(403);
}

/// The form of the page that is open, with a file.
async fn upload(browser: &mut Browser, file: &str, fields: &[(&str, &str)]) {
    let csrf = browser.page.value("csrf");
    let fields = fields.iter().copied().chain([("csrf", csrf.as_str())]);
    let parts = fields.map(|(name, value)| {
        format!("--xyz\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let file = format!(
        "--xyz\r\ncontent-disposition: form-data; name=\"serial_numbers\"; filename=\"a.csv\"\r\n\
         content-type: text/csv\r\n\r\n{file}\r\n--xyz--\r\n"
    );
    let body: String = parts.chain([file]).collect();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/console/bulk/upload")
        .header("host", "127.0.0.1:8410")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "multipart/form-data; boundary=xyz")
        .body(Body::from(body))
        .unwrap();
    browser.send(request).await;
}

async fn many_are_counted_agreed_on_and_watched_while_they_are_revoked(database: Database) {
    let desk = Desk::start(database).await;
    let serials: [String; 3] = credentials(&desk, "anytown").await;
    let mut ann = desk.person("ann", Role::Operator, None).await.browser;
    let mut ben = desk.person("ben", Role::Operator, None).await.browser;

    ann.get("/console/credentials").await.expect(200);
    ann.post("/console/credentials", &[("serial_number", "nothing")])
        .await;
    ann.page.expect(422).says("there is no such credential");
    ann.post("/console/credentials", &[("serial_number", &serials[0])])
        .await;
    let path = format!("/console/credentials/{}", serials[0]);
    assert_eq!(ann.page.leads_to(), path);
    ann.get(&path)
        .await
        .expect(200)
        .says("FireSafety")
        .says("In force");
    ann.post(&format!("{path}/suspend"), &[])
        .await
        .expect(422)
        .says("Choose a reason");
    ann.post(&format!("{path}/suspend"), &[("reason", "under-review")])
        .await
        .expect(303);
    ann.get(&path)
        .await
        .expect(200)
        .says("It is in doubt")
        .says("Put in force again");
    ann.post(&format!("{path}/reinstate"), &[("reason", "other")])
        .await
        .expect(303);

    ann.get("/console/bulk").await.expect(200);
    let file = format!("serial_number\n{}\n", serials.join("\n"));
    let fields = [
        ("organisation", "anytown"),
        ("reason", "left-employment"),
        ("ticket", "INC-3"),
        ("pace", "2"),
    ];
    upload(&mut ann, &file, &fields[..2]).await;
    ann.page.expect(422).says("Ticket");
    upload(&mut ann, "not a number", &fields).await;
    ann.page.expect(422).says("File of serial numbers");
    upload(&mut ann, &file, &fields).await;
    let job = ann.page.leads_to().replace("?done=bulk-counted", "");
    ann.get(&job)
        .await
        .expect(200)
        .says("In force: these would be revoked");
    ann.post(&format!("{job}/propose"), &[("ticket", "INC-3")])
        .await;
    let proposal = ann.page.leads_to().replace("?done=proposed", "");
    ben.get(&proposal)
        .await
        .expect(200)
        .says("Revoke many credentials")
        .says("in_force");
    ben.post(&format!("{proposal}/approve"), &[])
        .await
        .expect(303);
    desk.later(SignedDuration::from_secs(2));
    desk.gateway.revoke_once().await.unwrap();
    ann.get(&job)
        .await
        .expect(200)
        .says("<progress")
        .says("Pause");
    ann.post(&format!("{job}/pause"), &[]).await.expect(303);
    ann.get(&job).await.expect(200).says("Paused");
    ann.post(&format!("{job}/pace"), &[("pace", "x")])
        .await
        .expect(422);
    ann.post(&format!("{job}/resume"), &[]).await.expect(303);
    for _ in 0..2 {
        desk.later(SignedDuration::from_secs(2));
        desk.gateway.revoke_once().await.unwrap();
    }
    ann.get(&job).await.expect(200).says("Finished");
    ann.get(&path)
        .await
        .expect(200)
        .says("Revoked")
        .says("The employee has left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_interactions_and_figures_are_pages_and_the_start_page_draws() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await.browser;
    ann.get("/console/holds")
        .await
        .expect(200)
        .says("Nothing is held.");
    let hold = [
        ("kind", "organisation"),
        ("subject", "anytown"),
        ("reason", "inquiry 17"),
    ];
    ann.post("/console/holds", &hold).await.expect(303);
    ann.get("/console/holds")
        .await
        .expect(200)
        .says("inquiry 17")
        .says("personal values");
    ann.post("/console/holds/lift", &hold).await.expect(303);
    ann.get("/console/holds").await.expect(200);
    ann.post("/console/holds/lift", &hold)
        .await
        .expect(422)
        .says("nothing of it is held");

    ann.get("/console/interactions")
        .await
        .expect(200)
        .says("Nothing failed.");
    ann.post("/console/interactions", &[("interaction", "K7Q2-9MFD")])
        .await;
    ann.page.expect(422).says("Nothing is known by that");
    let both = [("interaction", "K7Q2-9MFD"), ("state", "x")];
    ann.post("/console/interactions", &both)
        .await
        .expect(422)
        .says("and not both");

    ann.get("/console/figures")
        .await
        .expect(200)
        .says("<svg")
        .says("Ages of keys and secrets");
    ann.get("/console")
        .await
        .expect(200)
        .says("<svg")
        .says("Interactions of the last 24 hours");
    // Whoever is confined to one organisation sees no rule of the whole gateway's.
    let mut own = desk
        .person("own", Role::Administrator, Some("anytown"))
        .await
        .browser;
    own.get("/console/holds")
        .await
        .expect(200)
        .says("Only whoever looks after the whole gateway");
}

/// What a desk does with the reference that somebody reads out to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_is_found_by_its_reference_with_its_steps_its_cause_in_three_voices_and_its_credential()
 {
    let desk = Desk::start(Database::sqlite()).await;
    let [serial]: [String; 1] = credentials(&desk, "anytown").await;
    let reference = interaction_of(&desk, "anytown").await;
    // Its credential reached the wallet; then the external system asked twice for its token.
    let app = desk.gateway.app();
    let issued = "UPDATE interactions SET purpose = 'issue', outcome = 'issued', serial_number = $1, scanned_at = $2, \
         answered_at = $3, code_expires_at = $4, expires_at = $5 WHERE id = 'i'";
    let issued = Statement::new(issued).bind(&serial);
    let issued = issued.bind(app.now()).bind(app.now());
    let issued = issued.bind(app.now() + SignedDuration::from_mins(1));
    let issued = issued.bind(app.now() + SignedDuration::from_mins(30));
    let refused = "INSERT INTO interaction_steps (interaction, at, step, cause) \
         VALUES ('i', $1, 'token-refused', 'code-replayed')";
    let refused = Statement::new(refused).bind(app.now());
    app.store.write([issued, refused]).await.unwrap();

    let who = desk.person("dee", Role::Desk, Some("anytown")).await;
    let mut dee = who.browser;
    dee.get("/console/interactions").await.expect(200);
    let heard = reference.to_lowercase().replace('-', " ");
    dee.post("/console/interactions", &[("interaction", &heard)])
        .await;
    let by_form = dee.page.clone();
    let by_address = format!("/console/interactions/{reference}");
    dee.get(&by_address).await;
    let cause = causes::find("code-replayed").unwrap();
    for page in [&by_form, &dee.page] {
        page.expect(200).says(&format!(">{reference}</h2>"));
        for (label, voice) in [
            ("Tell the person", cause.person),
            ("For the service desk", cause.desk),
            ("For the developer", cause.developer),
        ] {
            page.says(&format!(
                "<dt class=\"nhsuk-summary-list__key\">{label}</dt><dd class=\"nhsuk-summary-list__value\">{voice}"
            ));
        }
        let steps = page.html.split("<tr").filter(|row| row.contains("<td"));
        let steps: Vec<&str> = steps.collect();
        assert_eq!(steps.len(), 7, "{steps:?}");
        assert!(steps[2].contains("a wallet retrieved the request"));
        let refused = steps.iter().find(|row| row.contains("code-replayed"));
        let refused = refused.expect("the step has its cause");
        assert!(refused.contains("asked for the token and was refused"));
        page.says(&format!("<a href=\"/console/credentials/{serial}\">"));
    }
    dee.get(&format!("/console/credentials/{serial}"))
        .await
        .expect(200)
        .says("In force");

    // Whoever works for another organisation reads nothing of it.
    let who = desk.person("eve", Role::Desk, Some("elsewhere")).await;
    let mut eve = who.browser;
    eve.get("/console/interactions").await.expect(200);
    eve.post("/console/interactions", &[("interaction", &reference)])
        .await
        .expect(422)
        .says("Nothing is known by that");
}

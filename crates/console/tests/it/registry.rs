//! Who may use the gateway, by its pages: organisations, relying parties and their secrets, checklists, credential types.

use gateway::admin::Role;

use crate::database::{Database, on_both_engines};
use crate::desk::{Desk, Person};

on_both_engines!(
    an_organisation_and_its_system_are_onboarded_by_pages_alone,
    sec_13_what_a_live_system_proves_itself_by_changes_when_another_has_seen_what_differs,
    a_credential_type_is_looked_at_before_it_is_published,
    sec_33_the_pages_of_one_organisation_show_nothing_of_others,
);

const TYPE: &str = "name = 'ManualHandling'\nlabel = 'Manual handling training'\nformats = ['jwt_vc_json']\nvalid_for_days = 365\n\
                    [[attributes]]\nname = 'MH-Level'\nlabel = 'Level'\nkind = 'number'\nsource = 'assumed'\n\
                    [[attributes]]\nname = 'UniqueIdentifier'\nlabel = 'Staff passport unique identifier'\nkind = 'uuid'\n\
                    mandatory = true\nsource = 'wire'\n";

const CALLBACK: &str = "https://staff.newtown.example/callback";

/// Newtown with one system, declared on the pages.
pub(crate) async fn newtown(ann: &mut Person) {
    let browser = &mut ann.browser;
    browser.get("/console/new/organisation").await.expect(200);
    let typed = [
        ("name", "Newtown NHS Trust"),
        ("id", "newtown"),
        ("issues", "FireSafety"),
    ];
    let there = browser
        .post("/console/new/organisation/add", &typed)
        .await
        .leads_to();
    assert_eq!(
        there,
        "/console/organisations/newtown?done=organisation-added"
    );
    browser
        .get(&there)
        .await
        .expect(200)
        .says("did:web:localhost%3A8400:issuers:newtown");
    browser
        .get("/console/new/relying-party?organisation=newtown")
        .await
        .expect(200);
    let typed = [
        ("organisation", "newtown"),
        ("name", "Newtown staff services"),
        ("client_id", "newtown-staff"),
        ("redirect_uris", CALLBACK),
        ("dialect", "plain"),
    ];
    let there = browser
        .post("/console/new/relying-party/add", &typed)
        .await
        .leads_to();
    browser
        .get(&there)
        .await
        .expect(200)
        .says("Make its first secret")
        .says("Not live");
}

async fn an_organisation_and_its_system_are_onboarded_by_pages_alone(database: Database) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut bob = desk.person("bob", Role::Operator, None).await;
    newtown(&mut ann).await;
    let page = "/console/relying-parties/newtown-staff";
    let browser = &mut ann.browser;
    let made = browser
        .post(&format!("{page}/secrets"), &[])
        .await
        .expect(200)
        .clone();
    let secret = made.html.split("id=\"secret\"").nth(1).unwrap();
    let secret = secret
        .split("value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(secret.len() >= 40, "{secret}");
    made.says(&format!("OIDC_CLIENT_SECRET=&#39;{secret}&#39;"))
        .says("http://localhost:8400/par");
    assert_eq!(
        made.html.matches(secret).count(),
        2,
        "the first call holds none"
    );
    assert_eq!(made.headers["cache-control"], "no-store");
    let shown = browser.get(page).await.expect(200).says("Live").clone();
    assert!(!shown.html.contains(secret), "it is shown once");
    let app = desk.gateway.app();
    let party = app.organisations.relying_party("newtown-staff").unwrap();
    assert!(party.knows(secret, app.now()).is_some());

    // The last one stays; a wrong overlap is told beside its field.
    let id = shown
        .html
        .split("/secrets/")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    browser
        .post(&format!("{page}/secrets/{id}/end"), &[])
        .await
        .expect(422)
        .says("no other live secret");
    let typed = [("rotate", "yes"), ("overlap_days", "never")];
    browser
        .post(&format!("{page}/secrets"), &typed)
        .await
        .expect(422)
        .says("Days of overlap: it is a number");

    // Somebody relies on its address: a second person must say so, too.
    let typed = [
        (
            "redirect_uris",
            "https://b.example/cb\nhttps://c.example/cb",
        ),
        ("ticket", "INC-7"),
    ];
    let there = browser
        .post(&format!("{page}/redirects"), &typed)
        .await
        .leads_to();
    browser
        .get(&there)
        .await
        .expect(200)
        .says("This waits for a second person now.")
        .says("https://c.example/cb");
    let proposal = there
        .split(['/', '?'])
        .find(|step| step.starts_with("pr-"))
        .unwrap();
    let approve = format!("/console/proposals/{proposal}/approve");
    bob.browser
        .get(&format!("/console/proposals/{proposal}"))
        .await
        .expect(200);
    bob.browser.post(&approve, &[]).await.expect(303);
    bob.browser
        .get(page)
        .await
        .expect(200)
        .says("https://c.example/cb");

    let item = format!("{page}/onboarding/penetration-test");
    browser.get(&item).await.expect(200);
    let typed = [("evidence", "report PT-117"), ("settled_on", "last week")];
    browser
        .post(&format!("{item}/settle"), &typed)
        .await
        .expect(422)
        .says("write a day such as");
    let typed = [("evidence", "report PT-117"), ("settled_on", "2026-11-20")];
    let there = browser
        .post(&format!("{item}/settle"), &typed)
        .await
        .leads_to();
    browser
        .get(&there)
        .await
        .expect(200)
        .says("1 of 11 settled")
        .says("2026-11-20: report PT-117");
    let sheet = browser
        .get(&format!("{page}/onboarding?form=csv"))
        .await
        .expect(200);
    assert!(sheet.html.contains("\"report PT-117\""));

    let version = browser
        .get("/console/organisations/newtown")
        .await
        .expect(200)
        .value("version");
    let typed = [
        ("name", "Newtown Hospitals"),
        ("version", &version),
        ("issues", "FireSafety"),
        ("colour", "#ffb81c"),
    ];
    let change = "/console/organisations/newtown/change";
    browser
        .post(change, &typed)
        .await
        .expect(422)
        .says("a contrast of 1.");
    let typed = [
        ("name", "Newtown Hospitals"),
        ("version", &version),
        ("issues", "FireSafety"),
        ("colour", "#7c2855"),
    ];
    browser.post(change, &typed).await.expect(303);
    let page = browser
        .get("/console/organisations/newtown")
        .await
        .expect(200);
    page.says("Newtown Hospitals")
        .says("brand")
        .says("name: Newtown NHS Trust → Newtown Hospitals");
}

async fn sec_13_what_a_live_system_proves_itself_by_changes_when_another_has_seen_what_differs(
    database: Database,
) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut bob = desk.person("bob", Role::Operator, None).await;
    newtown(&mut ann).await;
    let page = "/console/relying-parties/newtown-staff";
    let (proof, change) = (format!("{page}/proof"), format!("{page}/proof/change"));
    let browser = &mut ann.browser;
    let (first, second) = ("A".repeat(43) + "=", "Q".repeat(43) + "=");
    let version = browser.get(&proof).await.expect(200).value("version");
    // Nobody relies on it yet: one person does it.
    let typed = [("version", version.as_str()), ("signing_key", &first)];
    let there = browser.post(&change, &typed).await.leads_to();
    assert_eq!(there, format!("{page}?done=relying-party-changed"));
    browser.get(page).await.expect(200);
    browser
        .post(&format!("{page}/secrets"), &[])
        .await
        .expect(200);
    let shown = browser.get(&proof).await.expect(200);
    shown.says("A key that it shares with the gateway");
    let newer = shown.value("version");
    assert_ne!(newer, version);
    let typed = [("version", newer.as_str())];
    browser
        .post(&change, &typed)
        .await
        .expect(422)
        .says("nothing differs from what is declared");
    let typed = [("version", newer.as_str()), ("jwks", "{ no")];
    browser
        .post(&change, &typed)
        .await
        .expect(422)
        .says("Its own public keys: this is not JSON");
    let typed = [
        ("version", version.as_str()),
        ("signing_key", &second),
        ("webhook_url", "https://staff.newtown.example/events"),
        (
            "webhook_secrets",
            "whsec_Zm9yIHRlc3RzIG9ubHksIHRoZSBvbGRlciBvbmU=",
        ),
        ("token_endpoint_auth_method", "client_secret_post"),
        ("ticket", "INC-8"),
    ];
    // Somebody else changed it since this page was looked at.
    let late = browser.post(&change, &typed).await.expect(422);
    late.says("no longer as it was");
    assert!(!late.html.contains(&second), "a secret is typed anew");
    let mut typed = typed;
    typed[0].1 = &newer;
    let there = browser.post(&change, &typed).await.leads_to();
    let proposed = browser.get(&there).await.expect(200).clone();
    assert!(
        proposed
            .html
            .contains("This waits for a second person now.")
    );
    let proposal = there
        .split(['/', '?'])
        .find(|step| step.starts_with("pr-"))
        .unwrap();
    let proposal = format!("/console/proposals/{proposal}");
    // What differs stands there for the second person, and nothing that is secret.
    let seen = bob.browser.get(&proposal).await.expect(200).clone();
    for line in [
        "<li>token_endpoint_auth_method: client_secret_post</li>",
        "<li>webhook: url &#34;https://staff.newtown.example/events&#34;</li>",
        "<li>signing_key: another one</li>",
        "kept sealed, and shown to nobody",
    ] {
        assert!(seen.html.contains(line), "{line}: {}", seen.html);
    }
    assert!(!seen.html.contains(&second) && !seen.html.contains("whsec_"));
    bob.browser
        .post(&format!("{proposal}/approve"), &[("ticket", "INC-8")])
        .await
        .expect(303);
    let now = ann.browser.get(&proof).await.expect(200);
    now.says("https://staff.newtown.example/events");
    assert!(now.html.contains("value=\"client_secret_post\" selected"));
}

async fn a_credential_type_is_looked_at_before_it_is_published(database: Database) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let browser = &mut ann.browser;
    browser
        .get("/console/new/credential-type")
        .await
        .expect(200);
    let preview = "/console/new/credential-type/preview";
    browser
        .post(preview, &[("text", "name = ")])
        .await
        .expect(422)
        .says("This is neither TOML nor JSON");
    let wrong = TYPE.replace("'number'", "'colour'");
    browser
        .post(preview, &[("text", &wrong)])
        .await
        .expect(422)
        .says("unknown variant");
    let page = browser.post(preview, &[("text", TYPE)]).await.expect(200);
    page.says("Manual handling training")
        .says("Assumed")
        .says("Level")
        .says("it is new");
    let plan = page.value("plan");
    assert!(
        desk.gateway
            .app()
            .organisations
            .credential_type("ManualHandling")
            .is_none()
    );
    let publish = "/console/new/credential-type/publish";
    let other = TYPE.replace("'Level'", "'Grade'");
    browser
        .post(publish, &[("text", &other), ("plan", &plan)])
        .await
        .expect(422)
        .says("Grade");
    let there = browser
        .post(publish, &[("text", TYPE), ("plan", &plan)])
        .await
        .leads_to();
    browser
        .get(&there)
        .await
        .expect(200)
        .says("/credential-types/ManualHandling/versions/1/schema");
    // What a new version changes is told by its lines.
    browser.get("/console/new/credential-type").await;
    let page = browser.post(preview, &[("text", &other)]).await.expect(200);
    page.says("attributes.MH-Level.label")
        .says("<del>Level</del>")
        .says("<ins>Grade</ins>");
    assert_eq!(desk.entries("registry-changed").await, 1);
}

async fn sec_33_the_pages_of_one_organisation_show_nothing_of_others(database: Database) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    newtown(&mut ann).await;
    let mut tom = desk
        .person("tom", Role::Administrator, Some("anytown"))
        .await;
    for path in [
        "/console/organisations",
        "/console/relying-parties",
        "/console/credential-types",
        "/console/new/relying-party",
    ] {
        let page = tom.browser.get(path).await.expect(200);
        assert!(
            !page.html.contains("newtown") && !page.html.contains("Newtown"),
            "{path}"
        );
    }
    for path in [
        "organisations/newtown",
        "relying-parties/newtown-staff",
        "relying-parties/newtown-staff/onboarding",
        "credential-types/Identity",
    ] {
        tom.browser
            .get(&format!("/console/{path}"))
            .await
            .expect(404);
    }
    let mut vic = desk.person("vic", Role::Viewer, None).await;
    let page = vic
        .browser
        .get("/console/relying-parties/newtown-staff")
        .await
        .expect(200);
    assert!(!page.html.contains("Make a secret") && !page.html.contains("/remove"));
    vic.browser
        .get("/console/new/relying-party")
        .await
        .expect(403);
}

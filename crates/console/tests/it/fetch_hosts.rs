//! Which hosts an organisation may name, by the organisation's page (decision 0044).

use gateway::admin::Role;

use crate::database::{Database, on_both_engines};
use crate::desk::Desk;

on_both_engines!(sec_04_which_hosts_an_organisation_may_name_is_said_and_shown_by_pages);

async fn sec_04_which_hosts_an_organisation_may_name_is_said_and_shown_by_pages(
    database: Database,
) {
    let desk = Desk::start(database).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let browser = &mut ann.browser;
    // When it is made: what is written counts only where it is chosen, and is refused as the API refuses it.
    let (form, add) = ("/console/new/organisation", "/console/new/organisation/add");
    browser
        .get(form)
        .await
        .expect(200)
        .says("Hosts it may name");
    for (chosen, listed, wrong) in [
        ("any", "hooks.newtown.example", "choose ‘Only these’"),
        ("these", " ", "write at least one"),
        (
            "these",
            "https://a.example/x",
            "`https://a.example/x` is no host",
        ),
    ] {
        let typed = [
            ("name", "Newtown NHS Trust"),
            ("id", "newtown"),
            ("hosts", chosen),
            ("fetch_hosts", listed),
        ];
        let page = browser.post(add, &typed).await.expect(422);
        page.says(wrong)
            .says("href=\"#fetch_hosts\"")
            .says(listed.trim());
        page.says(&format!("value=\"{chosen}\" checked"));
    }
    let typed = [
        ("name", "Newtown NHS Trust"),
        ("id", "newtown"),
        ("hosts", "these"),
        (
            "fetch_hosts",
            "hooks.newtown.example\r\n\r\n *.partner.example ",
        ),
    ];
    let there = browser.post(add, &typed).await.leads_to();
    let page = browser.get(&there).await.expect(200);
    page.says("hooks.newtown.example, *.partner.example")
        .says("value=\"these\" checked")
        .says("hooks.newtown.example\n*.partner.example</textarea>");
    let trust = [
        ("credential_type", "Identity"),
        ("issuer", "did:web:evil.example"),
    ];
    browser
        .post("/console/organisations/newtown/trust", &trust)
        .await
        .expect(422)
        .says("href=\"#issuer\"")
        .says("fetch_hosts");

    // When it is changed. Whoever changes something else leaves them as they are.
    let page = "/console/organisations/newtown";
    let change = format!("{page}/change");
    let listed = "hooks.newtown.example\n*.partner.example";
    for (chosen, listed, shown) in [
        ("", "", "hooks.newtown.example, *.partner.example"),
        ("these", "other.example", "other.example"),
        ("none", "other.example", "value=\"none\" checked"),
        ("these", listed, "hooks.newtown.example, *.partner.example"),
        ("any", listed, "value=\"any\" checked"),
    ] {
        let version = browser.get(page).await.expect(200).value("version");
        let mut typed = vec![("name", "Newtown NHS Trust"), ("version", &version)];
        if chosen.is_empty() {
            typed[0].1 = "Newtown Hospitals";
        } else {
            typed.extend([("hosts", chosen), ("fetch_hosts", listed)]);
        }
        browser.post(&change, &typed).await.expect(303);
        browser.get(page).await.expect(200).says(shown);
    }
    // Not narrowed while something stands outside.
    let trust = [
        ("credential_type", "Identity"),
        ("issuer", "did:web:other.example"),
    ];
    browser
        .post(&format!("{page}/trust"), &trust)
        .await
        .expect(303);
    let version = browser.get(page).await.expect(200).value("version");
    let typed = [
        ("name", "Newtown NHS Trust"),
        ("version", &version),
        ("hosts", "none"),
        ("fetch_hosts", ""),
    ];
    browser
        .post(&change, &typed)
        .await
        .expect(422)
        .says("href=\"#fetch_hosts\"")
        .says("did:web:other.example");

    // A tenant's own operators see it and have no field for it.
    let mut tom = desk
        .person("tom", Role::Administrator, Some("newtown"))
        .await;
    let shown = tom.browser.get(page).await.expect(200).clone();
    shown.says("Any on the public internet");
    assert!(!shown.html.contains("name=\"fetch_hosts\""));
    let version = shown.value("version");
    let typed = [
        ("name", "Newtown"),
        ("version", version.as_str()),
        ("hosts", "none"),
    ];
    tom.browser.post(&change, &typed).await.expect(303);
    tom.browser
        .get(page)
        .await
        .says("Any on the public internet");
}

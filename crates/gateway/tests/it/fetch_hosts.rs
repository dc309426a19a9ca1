//! Which hosts an organisation may name for what the gateway fetches and posts: who says so, what is refused when it is declared,
//! and what is refused when it is fetched. (SEC-04) And how much its systems may ask, which the same operators say.

use gateway::admin::Role;
use gateway::outbound::{FetchError, Hosts, Outbound};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::abroad::Abroad;
use crate::admin_registry::{Scene, party};
use crate::database::{Database, on_both_engines};
use crate::raw_wallet::refusal;
use crate::receiver::{Receiver, SECRETS};
use crate::world::{Caller, Reply};

on_both_engines!(
    sec_04_a_tenant_names_the_hosts_that_an_operator_of_the_whole_gateway_said,
    sec_34_a_tenant_asks_as_much_as_an_operator_of_the_whole_gateway_said,
);

const OWN: &str = "/organisations/newtown";

async fn patch(scene: &Scene, by: &Caller, path: &str, change: Value) -> Reply {
    let body = json!({ "change": change });
    scene.send(by, "PATCH", path, &body).await
}

async fn sec_04_a_tenant_names_the_hosts_that_an_operator_of_the_whole_gateway_said(
    database: Database,
) {
    let scene = Scene::with_newtown(database).await;
    let world = &scene.admin.world;
    let own = gateway::organisation::did_of(&world.config.public_url, "anytown").unwrap();
    let tom = Role::Administrator;
    let tom = scene.admin.operator("tom", tom, Some("newtown")).await;
    let party = "/relying-parties/newtown-staff";
    let events = |host: &str| json!({ "webhook": { "url": format!("https://{host}/events"), "secrets": SECRETS } });
    let keys = |host: &str| json!({ "jwks_uri": format!("https://{host}/jwks") });
    let trust =
        |issuer: &str| json!({ "trust": [{ "credential_type": "Identity", "issuers": [issuer] }] });
    // Nothing said: any.
    patch(&scene, &tom, party, events("any.example"))
        .await
        .expect(200);

    // Only an operator of the whole gateway says which; and not while something else stands there.
    let hosts = json!({ "fetch_hosts": ["hooks.newtown.example", "*.partner.example"] });
    let refused = patch(&scene, &tom, OWN, hosts.clone()).await.expect(400);
    assert!(
        refused
            .refused("field-invalid")
            .text
            .contains("an operator of the whole gateway")
    );
    let standing = patch(&scene, &scene.ann, OWN, hosts.clone())
        .await
        .expect(400);
    let standing = standing.refused("host-not-allowed").text;
    assert!(
        standing.contains("relying party newtown-staff: webhook.url"),
        "{standing}"
    );
    patch(&scene, &tom, party, json!({ "webhook": null }))
        .await
        .expect(200);
    patch(&scene, &scene.ann, OWN, hosts.clone())
        .await
        .expect(200);
    let opened = [
        json!({ "fetch_hosts": null }),
        json!({ "fetch_hosts": ["evil.example"] }),
    ];
    for more in opened {
        patch(&scene, &tom, OWN, more)
            .await
            .expect(400)
            .refused("field-invalid");
    }
    let whole = json!({ "declaration": { "organisations": [{
        "id": "newtown", "name": "Newtown NHS Trust", "issues": ["FireSafety"], "relying_parties": [],
    }] } });
    let planned = scene.send(&tom, "POST", "/registry/plan", &whole).await;
    planned.expect(400).refused("field-invalid");

    // At those hosts, and nowhere else.
    let elsewhere = [
        (party, events("evil.example")),
        (party, events("newtown.example")),
        (party, events("partner.example")),
        (party, events("hooks.newtown.example.evil.example")),
        (party, keys("evil.example")),
        (OWN, trust("did:web:evil.example:issuers:one")),
        (OWN, trust("https://evil.example/issuers/one")),
    ];
    for (path, change) in elsewhere {
        for by in [&tom, &scene.ann] {
            let refused = patch(&scene, by, path, change.clone()).await.expect(400);
            let refused = refused.refused("host-not-allowed").text;
            assert!(refused.contains("fetch_hosts"), "{change}: {refused}");
        }
    }
    let trusted =
        json!({ "credential_type": "Identity", "issuer": "did:web:evil.example", "trusted": true });
    let refused = scene
        .send(&tom, "POST", "/organisations/newtown/trust", &trusted)
        .await;
    refused.expect(400).refused("host-not-allowed");
    for (path, change) in [
        (party, events("hooks.newtown.example")),
        (party, keys("a.b.partner.example")),
        (OWN, trust("did:web:ids.partner.example")),
        // Its own gateway's keys are at hand.
        (OWN, trust(&own)),
    ] {
        let change_of = change.clone();
        let done = patch(&scene, &tom, path, change).await;
        assert_eq!(done.status, 200, "{change_of}: {}", done.text);
    }
    // None at all is a list, too, and what is no host is said.
    let none = json!({ "fetch_hosts": [] });
    patch(&scene, &scene.ann, OWN, none)
        .await
        .expect(400)
        .refused("host-not-allowed");
    let wrong = json!({ "fetch_hosts": ["https://a.example"] });
    let wrong = patch(&scene, &scene.ann, OWN, wrong).await.expect(400);
    assert!(
        wrong
            .refused("declaration-invalid")
            .text
            .contains("is no host")
    );
    patch(&scene, &scene.ann, OWN, json!({ "fetch_hosts": null }))
        .await
        .expect(200);
    patch(&scene, &tom, party, events("any.example"))
        .await
        .expect(200);
}

async fn sec_34_a_tenant_asks_as_much_as_an_operator_of_the_whole_gateway_said(database: Database) {
    let scene = Scene::with_newtown(database).await;
    let tom = Role::Administrator;
    let tom = scene.admin.operator("tom", tom, Some("newtown")).await;
    let path = "/relying-parties/newtown-staff";
    let limits = json!({ "limits": { "pushes": 1_000_000, "at_once": 1_000_000 } });
    let mut second = party("newtown", "newtown-second");
    second["declared"]["limits"] = limits["limits"].clone();
    let mut whole =
        json!({ "id": "newtown", "name": "Newtown NHS Trust", "issues": ["FireSafety"] });
    whole["relying_parties"] = json!([second["declared"]]);
    let whole = json!({ "declaration": { "organisations": [whole] } });
    let change = json!({ "relying_party": "newtown-staff", "change": limits });
    let proposed = json!({ "act": "relying-party-change", "detail": change });
    let refused = async |by: &Caller, method: &str, path: &str, body: &Value| {
        let refused = scene.send(by, method, path, body).await.expect(400);
        let refused = refused.refused("field-invalid").text;
        let told = "`limits`: an operator of the whole gateway says this";
        assert!(refused.contains(told), "{method} {path}: {refused}");
    };
    refused(&tom, "POST", "/relying-parties", &second).await;
    refused(&tom, "PATCH", path, &json!({ "change": limits })).await;
    refused(&tom, "POST", "/registry/plan", &whole).await;
    refused(&tom, "POST", "/proposals", &proposed).await;

    patch(&scene, &scene.ann, path, limits).await.expect(200);
    // Whatever else is theirs to change, and what was said stays.
    let name = json!({ "name": "Newtown" });
    let changed = patch(&scene, &tom, path, name).await.expect(200).json;
    assert_eq!(changed["declared"]["limits"]["pushes"], 1_000_000);
    let none = json!({ "change": { "limits": null } });
    refused(&tom, "PATCH", path, &none).await;
}

fn bounded(config: &mut gateway::Config) {
    config.organisations[0].fetch_hosts = Some(vec!["localhost".to_owned()]);
}

/// Where a list is and where keys are says the issuer, and nobody when anything is declared.
#[tokio::test]
async fn sec_04_what_a_trusted_issuer_names_elsewhere_is_not_fetched_for_that_tenant() {
    let mut abroad = Abroad::start_changed(bounded).await;
    let here = abroad.present(&abroad.credential(1).await).await;
    assert_eq!(here.status, 200, "{}", here.body);
    let fetched = abroad.fetches();
    abroad.list = abroad.list.replace("localhost", "127.0.0.1");
    abroad.publish_list(&abroad.key, |_| ()).await;
    let elsewhere = abroad.present(&abroad.credential(1).await).await;
    let unknown = (503, "temporarily_unavailable", "status-unknown");
    assert_eq!(refusal(&elsewhere), unknown);
    assert_eq!(abroad.fetches(), fetched, "nobody was asked");

    // The same issuer, the same list, and a tenant that may name any host.
    let mut free = Abroad::start().await;
    free.list = free.list.replace("localhost", "127.0.0.1");
    free.publish_list(&free.key, |_| ()).await;
    let answer = free.present(&free.credential(1).await).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn sec_04_whatever_is_registered_no_other_host_is_called() {
    let receiver = Receiver::up().await;
    let outbound = Outbound::new(std::slice::from_ref(&receiver.url)).unwrap();
    let hosts = |text| Arc::new(Hosts::parse([text]).unwrap());
    let (others, its) = (hosts("hooks.example"), hosts("127.0.0.1"));
    let bounded = outbound.only(Some(&others));
    let refused = bounded
        .post(&receiver.url, HeaderMap::new(), "{}".to_owned())
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused, FetchError::HostNotAllowed(Arc::clone(&others)));
    assert_eq!(refused.code(), "fetch-host-not-allowed");
    let fetched = bounded.fetch(&receiver.url, "*/*").await;
    assert_eq!(fetched.unwrap_err(), refused);
    let asked = bounded
        .ask(&receiver.url, HeaderMap::new(), "{}".to_owned())
        .await;
    assert_eq!(asked.unwrap_err(), refused);
    // Named, and still by every other rule.
    let bounded = outbound.only(Some(&its));
    assert_eq!(bounded.check(&receiver.url), Ok(()));
    let inside = "https://127.0.0.1/".parse().unwrap();
    assert_eq!(bounded.check(&inside), Err(FetchError::PrivateAddress));
}

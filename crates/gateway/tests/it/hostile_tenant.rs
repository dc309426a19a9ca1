//! What one organisation's client or wallet tries with the ids, codes, links and tokens of another organisation of the
//! same gateway.

use std::collections::BTreeSet;

use gateway::keys::KeyPurpose;
use reqwest::StatusCode;
use serde_json::json;

use crate::raw_wallet::{
    RawWallet, Waiting, credential, nonce, notify, offer, read, refusal, token,
};
use crate::scenes::{CONFIGURATION, TYPE, Walk};
use crate::world::{Browser, World, client};

/// SEC-33: the relying party's door.
#[tokio::test]
async fn a_client_of_another_organisation_gets_nothing_at_the_door() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let (own, stranger) = (world.party("v2"), world.party("stranger"));

    let pushed = world.pushed(&own, |_| ()).await;
    let theirs = pushed.replace("client_id=v2", "client_id=stranger");
    let page = Browser::new().open(&theirs).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let browser = Browser::new();
    let page = browser.open(&pushed).await;
    assert_eq!(page.status, StatusCode::OK, "their try used nothing up");

    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    let stolen = world.token(&stranger, |form| form.code(&code)).await;
    let unknown = world.token(&stranger, |form| form.code("unknown")).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        stolen.json, unknown.json,
        "which of the two is told to nobody"
    );
    let token = world.token(&own, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);

    // A draft counts only from the client whose key signed it, in whoever's name it is sent.
    let hint = world.hint(&own, |_| ());
    let forged = world.hint(&stranger, |claims| {
        claims.insert("iss".into(), own.client_id.clone().into());
    });
    for (sender, hint) in [(&stranger, &hint), (&own, &forged)] {
        let answer = world.push(sender, |form| form.issue(TYPE, hint)).await;
        assert_eq!(answer.error(), "invalid_request", "{}", answer.body);
    }
}

/// SEC-33: the wallet's face, by the addresses of the other organisation's issuer.
#[tokio::test]
async fn what_one_issuer_gave_out_works_at_no_other() {
    let walk = Walk::start().await;
    let world = &walk.world;
    let own = walk.offered.issuer.clone();
    let theirs = world.url("/issuers/elsewhere");
    let other = offer(&Waiting::to_issue(world, "stranger").await.link()).await;
    assert_eq!(other.issuer, theirs);
    let given = token(&theirs, &other.code).await;
    let their_token = given.json["access_token"].as_str().unwrap().to_owned();

    let open = offer(&Waiting::to_issue(world, "v2").await.link()).await;
    let said = refusal(&token(&theirs, &open.code).await).2.to_owned();
    assert_eq!(said, "code-invalid");
    let wallet = RawWallet::new();
    let crossed = [
        (&theirs, &walk.token, &theirs, "token-invalid"),
        (&own, &their_token, &own, "token-invalid"),
        // The right token with a proof that was made for the other issuer, or with its nonce.
        (&own, &walk.token, &theirs, "proof-invalid"),
    ];
    for (issuer, bearer, proof_for, code) in crossed {
        let body = wallet.request(proof_for, CONFIGURATION, world.now()).await;
        let answer = credential(issuer, bearer, &body).await;
        assert_eq!(refusal(&answer).2, code, "{}", answer.body);
    }
    let foreign = nonce(&theirs).await;
    let proof = wallet.proof(&own, &foreign, world.now()).await;
    let body = json!({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}});
    assert_eq!(refusal(&walk.ask(&body).await).2, "nonce-invalid");
    assert!(walk.rows().await.is_empty());

    let issued = walk.issued().await;
    let id = issued.json["notification_id"].as_str().unwrap();
    let deleted = json!({"notification_id": id, "event": "credential_deleted"});
    for (issuer, bearer, code) in [
        (&theirs, &their_token, "notification-id-unknown"),
        (&theirs, &walk.token, "notification-id-unknown"),
        (&own, &their_token, "token-invalid"),
    ] {
        let answer = notify(issuer, bearer, &deleted).await;
        assert_eq!(refusal(&answer).2, code, "{}", answer.body);
    }
    assert!(!walk.is_revoked().await);
}

/// SEC-33: revoking, and the published lists with their cache.
#[tokio::test]
async fn revoking_and_status_lists_stay_within_the_organisation() {
    let world = World::start().await;
    let wallet = RawWallet::new();
    for party in ["v2", "stranger"] {
        let waiting = Waiting::to_issue(&world, party).await;
        wallet.receive(&world, &waiting.link(), "jwt-vc").await;
    }
    let list = async |organisation: &str| {
        let address = world.url(&format!("/issuers/{organisation}/status/1"));
        read(client().get(address)).await.body
    };
    let before = (list("anytown").await, list("elsewhere").await);
    let read_list = |text: &str, organisation: &str| {
        let app = world.gateway.app();
        let uri = world.url(&format!("/issuers/{organisation}/status/1"));
        let parsed = standards::status_list::ParsedStatusListToken::parse(text).unwrap();
        let skew = jiff::SignedDuration::from_secs(60);
        let key = app
            .keys
            .active(KeyPurpose::Status, organisation)
            .unwrap()
            .public_jwk();
        let algorithms = [standards::jose::Algorithm::ES256];
        parsed
            .verify(key, &algorithms, &uri, world.now(), skew)
            .is_ok()
    };
    assert!(read_list(&before.0, "anytown") && read_list(&before.1, "elsewhere"));
    assert!(!read_list(&before.0, "elsewhere") && !read_list(&before.1, "anytown"));

    let select = store::Statement::new(
        "SELECT serial_number FROM credentials WHERE organisation = 'anytown'",
    );
    let row = world.gateway.app().store.read_one(select).await.unwrap();
    let serial = row.unwrap().text("serial_number").unwrap().to_owned();
    let stranger = world.party("stranger");
    for organisation in ["elsewhere", "anytown"] {
        let answer = world.revoke(&stranger, &serial, |body| {
            body.insert("OrganisationId".into(), organisation.into());
        });
        assert_eq!(answer.await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(list("anytown").await, before.0);
    let answer = world.revoke(&world.party("v2"), &serial, |_| ()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    assert_ne!(list("anytown").await, before.0);
    assert_eq!(list("elsewhere").await, before.1);
}

/// SEC-33, DW-37: one person is another subject to each client, so that no two can compare.
#[tokio::test]
async fn one_person_is_another_subject_at_each_client() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let mut subjects = BTreeSet::new();
    for name in ["v2", "plain", "plain"] {
        let party = world.party(name);
        let browser = Browser::new();
        let page = browser.open(&world.pushed(&party, |_| ()).await).await;
        world.scan("anna", &page.link("open-wallet"), true).await;
        let code = browser.open(&page.url).await.code();
        let token = world.token(&party, |form| form.code(&code)).await;
        subjects.insert(token.id_token()["sub"].as_str().unwrap().to_owned());
    }
    assert_eq!(subjects.len(), 2);
}

/// SEC-33: a table that holds what belongs to somebody says to whom.
#[tokio::test]
async fn every_table_names_its_tenant() {
    /// Nobody's: digests of nonces that are sealed for one organisation, digests of a client's id and the `jti` of its
    /// assertion, and the migrations that ran; numbers of changes; the processes' heartbeats; how much retention removed. The operator's: legal holds,
    /// keys that a change of the storage secret leaves, the chain of the audit, tokens of operators and how they sign in, who may use
    /// the gateway, and the keys of everybody by their owner.
    /// An interaction's steps are found through their interaction only, which names its tenant.
    const NOBODYS: [&str; 19] = [
        "used_nonces",
        "used_assertions",
        "refinery_schema_history",
        "revisions",
        "heartbeats",
        "legal_holds",
        "interaction_steps",
        "signing_keys",
        "audit_chain",
        "audit_checkpoints",
        "operator_tokens",
        "operator_sign_ins",
        "operator_set_ups",
        "operator_recovery_codes",
        "operator_attempts",
        "registry_history",
        "kept_keys",
        "spent_marks",
        "retention_removals",
    ];
    let world = World::start().await;
    let read = async |sql: String| {
        let statement = store::Statement::new(sql);
        let rows = world.gateway.app().store.read(statement).await.unwrap();
        let names = rows.iter().map(|row| row.text("name").unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables = read(tables.to_owned()).await;
    assert!(tables.len() >= 5, "{tables:?}");
    for table in tables {
        let columns = read(format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let named = ["organisation", "client_id"];
        let has_tenant = columns
            .iter()
            .any(|column| named.contains(&column.as_str()));
        assert!(
            has_tenant || NOBODYS.contains(&table.as_str()),
            "{table} has neither organisation nor client_id, and is not known to be nobody's: {columns:?}"
        );
    }
}

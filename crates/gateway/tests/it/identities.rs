//! An organisation's DID in three ways: a path, a part of one domain for all, a domain of its own. Its documents are found by
//! the Host name of the request, and everything that it signs bears it.

use gateway::config::ConfigError;
use gateway::keys::{KeyPurpose, State};
use gateway::registry::RegistryError;
use gateway::{ComposeError, Config, Gateway, Surroundings};
use serde_json::Value;
use standards::did::{Did, Document, Relationship};
use standards::jose::{Algorithm, Jwk, Typ, jws};

use crate::key_stage::{brought, claims_of, desk, kid};
use crate::raw_wallet::{RawWallet, Waiting, read, refusal, request};
use crate::world::{Answer, World, client};

/// Asks the gateway in the way that a proxy does which passes the Host name on.
async fn at(world: &World, host: &str, path: &str) -> Answer {
    read(client().get(world.url(path)).header("host", host)).await
}

async fn document(world: &World, host: &str, did: &str) -> Document {
    let answer = at(world, host, "/.well-known/did.json").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    Document::parse(answer.body.as_bytes(), &Did::parse(did).unwrap()).unwrap()
}

fn verifies(text: &str, key: &Jwk, typ: Typ<'_>) -> bool {
    let parsed = jws::parse(text).unwrap();
    parsed.verify(key, &[Algorithm::ES256], typ).is_ok()
}

/// A world in which Anytown has that DID.
async fn world_with(did: &str, change: impl FnOnce(&mut Config)) -> World {
    let world = World::start_changed(change).await;
    let app = world.gateway.app();
    assert_eq!(app.organisations.find("anytown").unwrap().did, did);
    world
}

/// Everything that Anytown signs bears its DID, and its document has the keys.
async fn everything_bears(world: &World, host: &str, did: &str) {
    let wallet = RawWallet::new();
    let link = Waiting::to_issue(world, "v2").await.link();
    let card = wallet.receive(world, &link, "jwt-vc").await;
    assert_eq!(claims_of(&card)["iss"], did);
    let header = |text: &str| jws::parse(text).unwrap().header().kid().unwrap().to_owned();
    let found = document(world, host, did).await;
    let key = found.find(&header(&card), Relationship::AssertionMethod);
    assert!(verifies(&card, key.unwrap(), Typ::Is("JWT")));

    let list = claims_of(&card)["status"]["status_list"]["uri"].clone();
    let list = read(client().get(list.as_str().unwrap())).await.body;
    assert_eq!(claims_of(&list)["iss"], did);
    let key = found.find(&header(&list), Relationship::AssertionMethod);
    assert!(verifies(&list, key.unwrap(), Typ::Is("statuslist+jwt")));

    let waiting = Waiting::to_verify(world, "TrainingProgramme").await;
    let requested = request(&waiting.link()).await;
    assert_eq!(
        requested.text_of("client_id"),
        format!("decentralized_identifier:{did}")
    );
    let key = found.find(&header(&requested.text), Relationship::Authentication);
    assert!(verifies(
        &requested.text,
        key.unwrap(),
        Typ::Is("oauth-authz-req+jwt")
    ));
    let presented = wallet.present_w3c(&card, &requested, world.now()).await;
    let answer = requested.post(requested.answer(presented)).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);

    // The path stays: what was issued under it is verified as before.
    let path = world
        .gateway
        .app()
        .organisations
        .find("anytown")
        .unwrap()
        .path_did
        .clone();
    let answer = read(client().get(world.url("/issuers/anytown/did.json"))).await;
    let by_path = Document::parse(answer.body.as_bytes(), &Did::parse(&path).unwrap()).unwrap();
    let own = kid(&world.key(KeyPurpose::Credentials));
    let key = by_path.find(&format!("#{own}"), Relationship::AssertionMethod);
    assert!(verifies(&card, key.unwrap(), Typ::Is("JWT")));
    assert!(by_path.also_known_as().contains(&did.to_owned()));
    assert!(found.also_known_as().contains(&path));
    let set = read(client().get(world.url("/.well-known/jwt-vc-issuer/issuers/anytown"))).await;
    let set = standards::jose::JwkSet::parse(&set.json["jwks"]).unwrap();
    assert!(set.find(&header(&list)).is_some());
}

#[tokio::test]
async fn dw_88_an_organisation_is_a_part_of_a_domain_and_its_document_is_found_by_host_name() {
    let did = "did:web:anytown.trusts.example";
    let world = world_with(did, |config| {
        config.did_domain = Some("trusts.example".into());
    })
    .await;
    everything_bears(&world, "anytown.trusts.example", did).await;
    // The other organisation has its own part, and no key of the first.
    let other = document(
        &world,
        "elsewhere.trusts.example",
        "did:web:elsewhere.trusts.example",
    )
    .await;
    let own = kid(&world.key(KeyPurpose::Credentials));
    assert!(
        other
            .find(&format!("#{own}"), Relationship::AssertionMethod)
            .is_err()
    );
    // Whoever has retired keys still lists them, and a next one already.
    let desk = desk(&world).await;
    let next = brought(
        &desk.rotate("anytown.credentials", true).await.unwrap(),
        State::Active,
    );
    world.gateway.follow_once().await.unwrap();
    let found = document(&world, "anytown.trusts.example", did).await;
    for kid in [&own, &next] {
        assert!(
            found
                .find(&format!("#{kid}"), Relationship::AssertionMethod)
                .is_ok()
        );
    }
}

#[tokio::test]
async fn dw_88_an_organisation_has_a_domain_of_its_own_beside_others_that_have_none() {
    let did = "did:web:staff.trust.example";
    let mut earlier = None;
    let world = world_with(did, |config| {
        earlier = Some(config.organisations[0].trust[0].issuers[0].clone());
        config.organisations[0].did = Some(did.into());
        // The trust list still names the path.
    })
    .await;
    everything_bears(&world, "staff.trust.example", did).await;
    let app = world.gateway.app();
    let anytown = app.organisations.find("anytown").unwrap();
    assert_eq!(earlier.as_ref(), Some(&anytown.path_did));
    assert!(anytown.trusts("Identity", did) && anytown.trusts("Identity", &anytown.path_did));
    let elsewhere = app.organisations.find("elsewhere").unwrap();
    assert_eq!(elsewhere.did, elsewhere.path_did);
}

#[tokio::test]
async fn dw_88_a_host_name_decides_among_the_configured_ones_only() {
    let world = World::start_changed(|config| {
        config.organisations[0].did = Some("did:web:staff.trust.example%3A8443".into());
    })
    .await;
    for path in [
        "/.well-known/did.json",
        "/.well-known/did-configuration.json",
    ] {
        for host in [
            "attacker.example",
            "staff.trust.example",
            "staff.trust.example:8444",
            "anytown",
            "..",
            "%",
        ] {
            let answer = at(&world, host, path).await;
            assert_eq!(
                refusal(&answer),
                (404, "invalid_request", "issuer-unknown"),
                "{host}"
            );
            assert!(
                !answer.body.contains(host) || host == "anytown",
                "{}",
                answer.body
            );
        }
        let said = client()
            .get(world.url(path))
            .header("host", "attacker.example");
        let said = said.header("x-forwarded-host", "staff.trust.example:8443");
        assert_eq!(read(said).await.status.as_u16(), 404);
        let answer = at(&world, "STAFF.trust.example:8443", path).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    }
    // A Host name is used for nothing else.
    let answer = at(
        &world,
        "attacker.example",
        "/.well-known/openid-configuration",
    )
    .await;
    assert_eq!(answer.json["issuer"], world.base.as_str());
}

/// [Well Known DID Configuration]
#[tokio::test]
async fn dw_88_each_domain_says_which_dids_are_its_own_signed_by_their_keys() {
    let did = "did:web:staff.trust.example";
    let world = world_with(did, |config| config.organisations[0].did = Some(did.into())).await;
    let base = world.base.strip_prefix("http://").unwrap();
    let path_did = gateway::organisation::did_of(&world.config.public_url, "elsewhere").unwrap();
    let path = "/.well-known/did-configuration.json";
    let context = "https://identity.foundation/.well-known/did-configuration/v1";
    for (host, origin, did) in [
        ("staff.trust.example", "http://staff.trust.example", did),
        (base, world.base.as_str(), path_did.as_str()),
    ] {
        let answer = at(&world, host, path).await;
        assert_eq!(answer.json["@context"], context);
        let linked = answer.json["linked_dids"].as_array().unwrap();
        assert_eq!(linked.len(), 1, "{}", answer.body);
        let jwt = linked[0].as_str().unwrap();
        let parsed = jws::parse(jwt).unwrap();
        let kid = parsed.header().kid().unwrap();
        let document = if host == base {
            let answer = read(client().get(world.url("/issuers/elsewhere/did.json"))).await;
            let service = &answer.json["service"][0];
            assert_eq!(service["type"], "LinkedDomains");
            assert_eq!(service["serviceEndpoint"]["origins"][0], origin);
            Document::from_value(&answer.json, &Did::parse(did).unwrap()).unwrap()
        } else {
            document(&world, host, did).await
        };
        let key = document.find(kid, Relationship::AssertionMethod).unwrap();
        assert!(verifies(jwt, key, Typ::AbsentOr(&[])), "{host}");
        let claims = claims_of(jwt);
        assert_eq!((&claims["iss"], &claims["sub"]), (&did.into(), &did.into()));
        let credential = &claims["vc"];
        assert_eq!(credential["credentialSubject"]["id"], did);
        assert_eq!(credential["credentialSubject"]["origin"], origin);
        assert_eq!(credential["type"][1], "DomainLinkageCredential");
        assert!(credential.get("id").is_none());
        let now = world.now().as_second();
        assert!(claims["nbf"].as_i64().unwrap() <= now);
        assert!(claims["exp"].as_i64().unwrap() > now + 86_400);
        // It is no credential that a wallet holds: our own verifier does not take it for one.
        assert_eq!(claims.get("status"), None::<&Value>);
        let again = at(&world, host, path).await;
        assert_eq!(
            again.json, answer.json,
            "it is not signed for each who asks"
        );
    }
    // With a key that is gone it is not shown for a moment longer.
    let before = at(&world, "staff.trust.example", path).await;
    let desk = desk(&world).await;
    desk.compromised(&kid(&world.key(KeyPurpose::Credentials)))
        .await
        .unwrap();
    world.gateway.follow_once().await.unwrap();
    let after = at(&world, "staff.trust.example", path).await;
    assert_ne!(after.json, before.json);
}

#[tokio::test]
async fn dw_88_a_did_that_is_no_whole_domain_or_is_anothers_stops_the_start() {
    let world = World::start().await;
    let start = async |change: &dyn Fn(&mut Config)| {
        let mut config = world.config.clone();
        change(&mut config);
        let surroundings = Surroundings {
            sandbox: true,
            ..Surroundings::production()
        };
        match Gateway::compose(&config, surroundings).await {
            Err(ComposeError::Registry(RegistryError::Declared(ConfigError::Value {
                key,
                ..
            }))) => key,
            Err(other) => panic!("{other}"),
            Ok(_) => "started".to_owned(),
        }
    };
    for did in [
        "did:web:trust.example:staff",
        "did:web:Trust.example",
        "did:web:127.0.0.1",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "https://trust.example",
        "did:web:trust.example#key",
        "did:web:",
    ] {
        let key = start(&|config| config.organisations[1].did = Some(did.into())).await;
        assert_eq!(key, "organisations.elsewhere.did", "{did}");
    }
    for domain in [
        "Trusts.example",
        "trusts.example/staff",
        "",
        "10.0.0.1",
        "a..b",
    ] {
        let key = start(&|config| config.did_domain = Some(domain.into())).await;
        assert_eq!(key, "did_domain", "{domain}");
    }
    let shared = |config: &mut Config| {
        for one in &mut config.organisations {
            one.did = Some("did:web:staff.trust.example".into());
        }
    };
    assert_eq!(start(&shared).await, "organisations.elsewhere.did");
    let good = |config: &mut Config| config.did_domain = Some("trusts.example".into());
    assert_eq!(start(&good).await, "started");
}

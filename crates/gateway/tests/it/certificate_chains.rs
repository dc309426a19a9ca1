//! An organisation's keys have certificates: they are published, and travel with what is signed; and what is no chain of
//! such a key is refused when it is declared.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::admin::Role;
use gateway::config::place::Place;
use gateway::keys::{KeyPurpose, KeyStore, SANDBOX_PASSPHRASE};
use gateway::organisation::certificates::{Chain, ChainError};
use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use standards::jose::{Algorithm, Jwk, Signer as _, SoftwareKey, jws};
use zeroize::Zeroizing;

use crate::admin_registry::Scene;
use crate::authority::Authority;
use crate::database::{Database, on_both_engines};
use crate::raw_wallet::{RawWallet, Waiting, read};
use crate::world::{World, client};

on_both_engines!(a_chain_is_declared_renewed_and_told_of_and_what_is_none_is_refused);

/// The first certificate of a header or a key.
fn leaf(value: &Value) -> Vec<u8> {
    let first = value["x5c"][0].as_str().unwrap();
    STANDARD.decode(first).unwrap()
}

fn header(token: &str) -> Value {
    let parsed = jws::parse(token.split('~').next().unwrap()).unwrap();
    Value::Object(parsed.header().members().clone())
}

/// Anytown's keys are certified from the start, those of credentials and those of status lists.
async fn certified_world(days: i64) -> (World, Authority) {
    let authority = Authority::new();
    let world = World::start_changed(|config| {
        gateway::create_keys(config, true).unwrap();
        let passphrase = Zeroizing::new(SANDBOX_PASSPHRASE.to_owned());
        let keys = KeyStore::open(&config.keys, passphrase, false).unwrap();
        let chains = ["anytown.credentials", "anytown.status"].map(|name| {
            let key = keys.signing_key(name).unwrap();
            let chain = authority.chain(key.public_jwk(), days, Timestamp::now());
            let file = config.keys.join(format!("../{name}.chain"));
            std::fs::write(&file, chain).unwrap();
            Place::file(file)
        });
        config.organisations[0].certificate_chains = chains.to_vec();
    })
    .await;
    (world, authority)
}

async fn published(world: &World, path: &str) -> Value {
    read(client().get(world.url(path))).await.json
}

#[tokio::test]
async fn ha_04_ha_07_a_chain_stands_in_what_its_key_signs_and_beside_the_key() {
    let (world, _) = certified_world(30).await;
    let wallet = RawWallet::new();
    let link = Waiting::to_issue(&world, "v2").await.link();
    let card = wallet.receive(&world, &link, "sd-jwt").await;
    let of_card = header(&card);
    assert_eq!(of_card["x5c"].as_array().unwrap().len(), 2);
    assert!(of_card["kid"].is_string(), "{of_card}");

    let set = published(&world, "/.well-known/jwt-vc-issuer/issuers/anytown").await;
    let keys = set["jwks"]["keys"].as_array().unwrap();
    let own = keys.iter().find(|key| key["kid"] == of_card["kid"]);
    assert_eq!(leaf(own.unwrap()), leaf(&of_card));
    // Others read a set with certificates as they read one without.
    for key in keys {
        assert!(key["x5c"].is_array(), "{key}");
        Jwk::parse(key).unwrap();
    }
    let document = published(&world, "/issuers/anytown/did.json").await;
    for method in document["verificationMethod"].as_array().unwrap() {
        let is_requests = method["id"]
            .as_str()
            .unwrap()
            .ends_with(world.key(KeyPurpose::Requests).public_jwk().kid().unwrap());
        let key = &method["publicKeyJwk"];
        assert_eq!(key["x5c"].is_array(), !is_requests, "{method}");
    }

    let claims = jws::parse(card.split('~').next().unwrap()).unwrap();
    let uri = claims.unverified_claims()["status"]["status_list"]["uri"].clone();
    let list = read(client().get(uri.as_str().unwrap())).await.body;
    let of_list = header(&list);
    assert_ne!(leaf(&of_list), leaf(&of_card), "each key has its own");
    assert!(of_list["kid"].as_str().unwrap().starts_with("did:web:"));
    // The W3C's form has its key in the DID document, and no standard asks for more.
    let link = Waiting::to_issue(&world, "v2").await.link();
    let w3c = header(&wallet.receive(&world, &link, "jwt-vc").await);
    assert!(w3c.get("x5c").is_none(), "{w3c}");
}

#[tokio::test]
async fn a_chain_that_ends_is_left_out_and_everything_goes_on() {
    let (world, _) = certified_world(3).await;
    let uri = "/issuers/anytown/status/1";
    let wallet = RawWallet::new();
    let link = Waiting::to_issue(&world, "v2").await.link();
    wallet.receive(&world, &link, "sd-jwt").await;
    let list = read(client().get(world.url(uri))).await;
    let stands = world.gateway.certificate_chains();
    assert_eq!(stands.len(), 2);
    assert!(stands.iter().all(|one| one.fault.is_none()));

    world.later(SignedDuration::from_hours(24 * 4));
    let link = Waiting::to_issue(&world, "v2").await.link();
    let card = header(&wallet.receive(&world, &link, "sd-jwt").await);
    assert!(card.get("x5c").is_none(), "{card}");
    let document = published(&world, "/issuers/anytown/did.json").await;
    assert!(!document.to_string().contains("x5c"));
    let without = read(client().get(world.url(uri))).await;
    assert!(header(&list.body).get("x5c").is_some());
    assert!(header(&without.body).get("x5c").is_none());
    let stands = world.gateway.certificate_chains();
    assert!(
        stands
            .iter()
            .all(|one| one.days_left < 0 && matches!(one.fault, Some(ChainError::Over(_))))
    );
    // A process that starts now starts, and leaves it out, too.
    let second = world.second_process().await;
    assert_eq!(second.certificate_chains().len(), 2);
}

async fn a_chain_is_declared_renewed_and_told_of_and_what_is_none_is_refused(database: Database) {
    let scene = Scene::with_newtown(database).await;
    let (world, authority) = (&scene.admin.world, Authority::new());
    let (app, now) = (world.gateway.app(), world.now());
    let key = |purpose, of: &str| {
        let key = app.keys.active(purpose, of).unwrap();
        key.public_jwk().clone()
    };
    let own = key(KeyPurpose::Credentials, "newtown");
    let chain = authority.chain(&own, 30, now);
    let asked = |chains: Value| json!({ "change": { "certificate_chains": chains } });
    let patch = async |chains: Value| {
        let path = "/organisations/newtown";
        scene.send(&scene.ann, "PATCH", path, &asked(chains)).await
    };
    let over = authority.certificate_with(&own, (-9, -1), now, |_| ());
    let not_yet = authority.certificate_with(&own, (2, 9), now, |_| ());
    let refused = [
        (
            authority.chain(&key(KeyPurpose::Credentials, "anytown"), 30, now),
            "does not issue here",
        ),
        (
            authority.chain(&key(KeyPurpose::Requests, "newtown"), 30, now),
            "does not issue here",
        ),
        (over, "it ended on"),
        (not_yet, "it does not hold before"),
        (
            format!("{chain}{}", KeyPair::generate().unwrap().serialize_pem()),
            "there is a private key in it",
        ),
        (
            format!("----EC PRIVATE KEY----\nAAAA\n{chain}"),
            "there is a private key in it",
        ),
        (
            format!("{chain}{}", authority.root),
            "leave the authority's root out",
        ),
    ];
    for (chains, says) in refused {
        let reply = patch(json!([chains])).await;
        assert!(reply.text.contains(says), "{says}: {}", reply.text);
        assert!(reply.status.is_client_error(), "{}", reply.status);
        assert!(!reply.text.contains("BEGIN"), "{}", reply.text);
    }
    let file = json!([{ "file": "/etc/ssl/chain.pem" }]);
    let reply = patch(file).await;
    assert!(
        reply.text.contains("send the certificates"),
        "{}",
        reply.text
    );

    patch(json!([chain])).await.expect(200);
    let status = authority.chain(&key(KeyPurpose::Status, "newtown"), 60, now);
    let renewed = authority.chain(&own, 90, now);
    patch(json!([chain, status])).await.expect(200);
    patch(json!([chain, status, renewed])).await.expect(200);
    let kim = scene.admin.operator("kim", Role::KeyCustodian, None).await;
    let path = format!("/admin/v1/keys/{}", own.kid().unwrap());
    let told = scene.admin.get(&kim, &path).await.expect(200).json;
    let days = told["certificate_days_left"].as_i64().unwrap();
    assert!((88..=90).contains(&days), "{told}");
    assert!(told["certificate_ends_at"].is_string());

    // Of two that hold what is signed bears the one that holds longer.
    let known = world.gateway.app();
    let newtown = known.organisations.find("newtown").unwrap();
    let used = newtown.chain_of(own.kid().unwrap(), now).unwrap();
    assert!(used.days_left(now) >= 88, "{} days", used.days_left(now));

    // What has ended meanwhile does not stand in the way of another change.
    world.later(SignedDuration::from_hours(24 * 100));
    let lee = scene.admin.operator("lee", Role::Administrator, None).await;
    let renamed = json!({ "change": { "name": "Newtown Hospitals" } });
    scene
        .send(&lee, "PATCH", "/organisations/newtown", &renamed)
        .await
        .expect(200);
    let known = world.gateway.app();
    let newtown = known.organisations.find("newtown").unwrap();
    assert!(newtown.chain_of(own.kid().unwrap(), known.now()).is_none());
    assert_eq!(newtown.chains().len(), 3);
}

#[test]
fn what_is_no_chain_is_told_apart() {
    let (authority, other, now) = (Authority::new(), Authority::new(), Timestamp::now());
    let software = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let key = software.public_jwk();
    let own = authority.certificate(key, 30, now);
    let Authority { root, middle, .. } = &authority;
    let with = |change: fn(&mut rcgen::CertificateParams)| {
        authority.certificate_with(key, (-1, 9), now, change)
    };
    let rows = [
        (String::new(), ChainError::Format),
        ("x".repeat(70_000), ChainError::TooLong),
        (own.repeat(11), ChainError::TooLong),
        (own.replace("CERTIFICATE", "PUBLIC KEY"), ChainError::Format),
        (own.replace("MII", "AAA"), ChainError::Certificate(1)),
        (root.clone(), ChainError::SelfSigned(1)),
        (format!("{own}{middle}{root}"), ChainError::SelfSigned(3)),
        (middle.clone(), ChainError::Authority),
        (format!("{own}{own}"), ChainError::Order(1)),
        // An authority of the same name, whose key is another.
        (format!("{own}{}", other.middle), ChainError::Order(1)),
        (
            with(|of| of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            ChainError::Authority,
        ),
        (
            with(|of| of.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
            ChainError::Usage,
        ),
    ];
    // The right key under another name, and one of whom no authority says that it is one.
    let renamed = Authority::unlike("Another authority", |_| ());
    let no_authority = Authority::unlike("An authority", |of| of.is_ca = IsCa::NoCa);
    let of_others = [
        (renamed.chain(key, 30, now), ChainError::Order(1)),
        (no_authority.chain(key, 30, now), ChainError::NoAuthority(2)),
    ];
    for (text, expected) in rows.into_iter().chain(of_others) {
        assert_eq!(Chain::parse(&text), Err(expected), "{text:.200}");
    }
    let whole = format!("# Anytown\n{own}{middle}");
    let chain = Chain::parse(&whole).unwrap();
    assert_eq!(chain.kid, key.thumbprint());
    assert_eq!(chain.x5c().len(), 2);
    // It holds as long as all of it does, and from when on all of it does.
    let year = |year| rcgen::date_time_ymd(year, 5, 1);
    let short = Authority::unlike("An authority", |of| {
        (of.not_before, of.not_after) = (year(2030), year(2031));
    });
    let own_dates = short.certificate_with(key, (-9, 9_000), now, |_| ());
    let chain = Chain::parse(&format!("{own_dates}{}", short.middle)).unwrap();
    let days = [chain.begins, chain.ends].map(|at| at.to_string()[..10].to_owned());
    assert_eq!(days, ["2030-05-01", "2031-05-01"]);
    let long = Authority::unlike("An authority", |of| {
        (of.not_before, of.not_after) = (year(1990), year(2090));
    });
    let chain = Chain::parse(&long.chain(key, 30, now)).unwrap();
    assert!(chain.holds(now) && (29..=30).contains(&chain.days_left(now)));
    // One certificate is a chain where an authority signed it that others have.
    assert_eq!(Chain::parse(&own).unwrap().x5c().len(), 1);
}

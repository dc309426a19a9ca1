//! What an issuer says of itself to everyone: each document is what its standard says, and all agree.

use gateway::keys::KeyPurpose;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::did::document::DocumentError;
use standards::did::{Did, Document, Relationship};
use standards::jose::JwkSet;
use standards::oauth::metadata::{AuthorizationServerMetadata, well_known_url};
use standards::openid4vci::{IssuerMetadata, PRE_AUTHORIZED_CODE};

use crate::raw_wallet::{read, refusal};
use crate::world::{Answer, World, client};

async fn public(address: &str) -> Answer {
    let answer = read(client().get(address)).await;
    assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.body);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/json")
    );
    answer
}

#[tokio::test]
async fn vci_01_to_04_the_issuers_metadata_names_every_type_in_every_format_with_its_looks() {
    let world = World::start().await;
    let issuer = world.url("/issuers/anytown");
    let address = world.url("/.well-known/openid-credential-issuer/issuers/anytown");
    let metadata = IssuerMetadata::parse(public(&address).await.body.as_bytes(), &issuer).unwrap();
    assert_eq!(
        well_known_url(&issuer, "openid-credential-issuer")
            .unwrap()
            .as_str(),
        address
    );
    let catalogue = &world.gateway.app().organisations.catalogue;
    let formats: usize = catalogue.iter().map(|known| known.formats.len()).sum();
    assert_eq!(metadata.credential_configurations_supported.len(), formats);
    for (id, configuration) in &metadata.credential_configurations_supported {
        let looks = configuration.credential_metadata.as_ref().unwrap();
        assert!(looks.display.as_ref().unwrap()[0].name.is_some(), "{id}");
        assert!(!looks.claims.as_ref().unwrap().is_empty(), "{id}");
        assert!(
            configuration
                .proof_types_supported
                .as_ref()
                .unwrap()
                .contains_key("jwt"),
            "{id}"
        );
    }
    let identity = &metadata.credential_configurations_supported["Identity-sd-jwt"];
    let vct = identity.vct.clone().unwrap();
    let described = public(&vct).await.json;
    assert_eq!(
        (&described["vct"], &described["name"]),
        (&json!(vct), &json!("Staff identity"))
    );
    assert_eq!(described["claims"][0]["path"], json!(["ID-LegalFirstName"]));

    let address = world.url("/.well-known/oauth-authorization-server/issuers/anytown");
    let server =
        AuthorizationServerMetadata::parse(public(&address).await.body.as_bytes(), &issuer)
            .unwrap();
    assert_eq!(
        server.grant_types_supported,
        Some(vec![PRE_AUTHORIZED_CODE.to_owned()])
    );
    assert_eq!(server.token_endpoint, Some(format!("{issuer}/token")));
    assert_eq!(
        server.pre_authorized_grant_anonymous_access_supported,
        Some(true)
    );
}

#[tokio::test]
async fn an_organisations_did_and_its_issuer_address_lead_to_the_same_key_for_credentials() {
    let world = World::start().await;
    let organisation = world
        .gateway
        .app()
        .organisations
        .find("anytown")
        .unwrap()
        .clone();
    let did = Did::parse(&organisation.did).unwrap();
    let place = standards::did::web::document_url(&did)
        .unwrap()
        .with_scheme("http")
        .unwrap();
    let document = Document::parse(public(place.as_str()).await.body.as_bytes(), &did).unwrap();
    assert_eq!(
        document.also_known_as(),
        std::slice::from_ref(&organisation.credential_issuer)
    );
    let keys = [
        KeyPurpose::Credentials,
        KeyPurpose::Status,
        KeyPurpose::Requests,
    ];
    let [credentials, status, requests] = keys.map(|purpose| world.key(purpose));
    // SEC-14: each key speaks in one way only, and a request's key never for a credential.
    let (issuing, presenting) = (Relationship::AssertionMethod, Relationship::Authentication);
    for (key, for_this, not_for_that) in [
        (&credentials, issuing, presenting),
        (&status, issuing, presenting),
        (&requests, presenting, issuing),
    ] {
        let id = organisation.key_id(key);
        let found = document.find(&id, for_this).unwrap();
        assert!(found.same_key(key.public_jwk()));
        assert_eq!(
            document.find(&id, not_for_that).unwrap_err(),
            DocumentError::NotForThis(not_for_that)
        );
    }
    let metadata: Value = public(&world.url("/.well-known/jwt-vc-issuer/issuers/anytown"))
        .await
        .json;
    assert_eq!(metadata["issuer"], organisation.credential_issuer.as_str());
    let set = JwkSet::parse(&metadata["jwks"]).unwrap();
    let credentials = credentials.public_jwk();
    assert!(
        set.find(credentials.kid().unwrap())
            .unwrap()
            .same_key(credentials)
    );
    let list_key_id = organisation.key_id(&status);
    assert!(
        set.find(&list_key_id)
            .unwrap()
            .same_key(status.public_jwk()),
        "a list's kid is found where the credential's was"
    );
    assert!(set.find(requests.public_jwk().kid().unwrap()).is_none());
}

#[tokio::test]
async fn nobody_elses_documents_are_here() {
    let world = World::start().await;
    for name in [
        "openid-credential-issuer",
        "oauth-authorization-server",
        "jwt-vc-issuer",
    ] {
        let answer =
            read(client().get(world.url(&format!("/.well-known/{name}/issuers/nobody")))).await;
        assert_eq!(refusal(&answer), (404, "invalid_request", "issuer-unknown"));
    }
    let answer = read(client().get(world.url("/issuers/nobody/did.json"))).await;
    assert_eq!(refusal(&answer), (404, "invalid_request", "issuer-unknown"));
    let answer = read(client().get(world.url("/credential-types/Nothing"))).await;
    assert_eq!(
        refusal(&answer),
        (404, "invalid_request", "credential-type-unknown")
    );
}

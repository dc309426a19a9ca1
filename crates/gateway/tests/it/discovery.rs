//! The discovery documents and key sets, each as the clients of its contract know it.

use serde_json::json;

use crate::world::{Answer, World, client};

/// Rulings 1: the old documents stay literally as they were; the modern one is a provider's.
/// SEC-10.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_names_what_each_contract_names() {
    let world = World::start().await;
    let document = async |path: &str| {
        Answer::read(client().get(world.url(path)).send().await.unwrap())
            .await
            .json
    };
    let old = |endpoints: &str, keys: &str| {
        json!({
            "pushed_authorization_request_endpoint": world.url(&format!("{endpoints}/par")),
            "authorization_endpoint": world.url(&format!("{endpoints}/authorize")),
            "token_endpoint": world.url(&format!("{endpoints}/token")),
            "jwks_uri": world.url(keys),
            "response_modes_supported": ["query"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        })
    };
    let mut v1 = old("/oidc", "/oidc/.well-known/openid-configuration/jwks");
    v1["issuer"] = world.url("/oidc").into();
    v1["require_pushed_authorization_requests"] = true.into();
    let mut v2 = old("/v2.0/oidc", "/v2.0/.well-known/openid-configuration/jwks");
    v2["issuer"] = world.base.as_str().into();
    v2["require_pushed_authorization_requests"] = false.into();
    v2["subject_types_supported"] = json!(["public"]);
    v2["request_parameter_supported"] = false.into();
    for (path, whole) in [
        ("/oidc/.well-known/openid-configuration", v1),
        ("/v2.0/.well-known/openid-configuration", v2),
    ] {
        assert_eq!(document(path).await, whole, "{path}");
    }
    let modern = document("/.well-known/openid-configuration").await;
    assert_eq!(modern["jwks_uri"], world.url("/jwks"));

    let shouted = document("/.Well-Known/OpenID-Configuration").await;
    assert_eq!(shouted, modern);

    for path in [
        "/.well-known/openid-configuration/JWKS",
        "/oidc/.well-known/openid-configuration/jwks",
        "/v2.0/.well-known/openid-configuration/jwks",
        "/jwks",
    ] {
        let keys = document(path).await;
        for key in keys["keys"].as_array().unwrap() {
            assert!(path == "/jwks" || key["kty"] == "RSA");
            assert!(key.get("d").is_none() && key.get("k").is_none());
            let kid = key["kid"].as_str().unwrap();
            assert!(!kid.ends_with("RS256") && !kid.ends_with("ES256"));
        }
    }
}

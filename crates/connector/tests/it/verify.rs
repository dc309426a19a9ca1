//! Checking an employee's identity.

use std::sync::{Arc, Mutex};

use connector::{
    Callback, Connector, Dialect, Exchange, Http, HttpOptions, IdTokenError, Observer, Pending,
    Push, Returned, StartError, Verified,
};
use jiff::{SignedDuration, Timestamp};
use standards::oauth::Form;

use crate::provider::{Fault, Provider, REDIRECT_URI, http};

async fn verified(provider: &Provider, connector: &Connector) -> Verified {
    let started = connector.verify(&["Identity"]).await.unwrap();
    let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
    match connector.finish(started.pending, callback).await.unwrap() {
        Returned::Verified(verified) => verified,
        Returned::Issued(_) => panic!("nothing was to be issued"),
    }
}

/// DW-38.
#[tokio::test]
async fn dw_31_a_verification_yields_the_identity_in_every_dialect() {
    let provider = Provider::start().await;
    for dialect in [Dialect::V1A, Dialect::V1B, Dialect::V2, Dialect::Plain] {
        let connector = provider.connector(dialect).await;
        let identity = verified(&provider, &connector).await.identity().unwrap();
        assert_eq!(identity.legal_first_name, "Amina");
        assert_eq!(identity.legal_surname, "Okafor");
        assert_eq!(identity.birth_date.to_string(), "1990-02-03");
    }
    let paths: Vec<String> = provider.calls().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths[..2], ["/oidc/par", "/oidc/token"]);
    assert_eq!(paths[4..6], ["/v2.0/oidc/par", "/v2.0/oidc/token"]);
}

#[tokio::test]
async fn dw_31_a_request_has_everything_that_the_standard_asks_for() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    let started = connector.verify(&["Identity"]).await.unwrap();
    let (_, body) = provider.calls().pop().unwrap();
    let form = Form::parse(body.as_bytes()).unwrap();
    for (name, value) in [
        ("response_type", "code"),
        ("response_mode", "query"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid Identity"),
        ("code_challenge_method", "S256"),
        ("state", started.pending.state()),
    ] {
        assert_eq!(form.find(name), Some(value), "{name}");
    }
    assert_eq!(form.find("state").unwrap().len(), 43, "256 random bits");
    assert_eq!(form.find("nonce").unwrap().len(), 43);
    let address = started.url.as_str();
    assert!(
        !address.contains(started.pending.state()),
        "only the request's name is in the address"
    );
}

#[tokio::test]
async fn without_pushing_the_first_contract_has_its_own_address() {
    let provider = Provider::start().await;
    for (dialect, path) in [
        (Dialect::V1A, "/oidc/authorizev1"),
        (Dialect::V2, "/v2.0/oidc/authorize"),
        (Dialect::Plain, "/oidc/authorize"),
    ] {
        let mut settings = provider.settings(dialect);
        settings.push = Push::WhenIssuing;
        let connector = Connector::discover(settings, http()).await.unwrap();
        let started = connector.verify(&["Identity"]).await.unwrap();
        assert_eq!(started.url.path(), path);
        assert!(
            started
                .url
                .query()
                .unwrap()
                .contains("scope=openid+Identity")
        );
        let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
        assert!(connector.finish(started.pending, callback).await.is_ok());
    }
}

#[tokio::test]
async fn a_pending_journey_survives_being_stored_and_does_not_print_its_secrets() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::Plain).await;
    let started = connector.verify(&["Identity"]).await.unwrap();
    let query = provider.comes_back(&started.url);
    let printed = format!("{:?}", started.pending);
    assert!(!printed.contains(started.pending.state()), "{printed}");
    let stored = serde_json::to_string(&started.pending).unwrap();
    drop((started, connector));
    let connector = provider.connector(Dialect::Plain).await;
    let pending: Pending = serde_json::from_str(&stored).unwrap();
    assert!(
        connector
            .finish(pending, Callback::parse(&query).unwrap())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_keys_are_fetched_once_and_again_when_the_gateway_has_a_new_one() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::Plain).await;
    verified(&provider, &connector).await;
    verified(&provider, &connector).await;
    assert_eq!(provider.key_fetches(), 1);
    provider.breaks(Fault::IdTokenNewKid);
    verified(&provider, &connector).await;
    assert_eq!(provider.key_fetches(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_is_believed_for_an_hour_at_most() {
    let provider = Provider::start().await;
    let time = Arc::new(Mutex::new(Timestamp::now()));
    let clock = {
        let time = time.clone();
        Arc::new(move || *time.lock().unwrap())
    };
    let settings = provider.settings(Dialect::Plain);
    let connector = Connector::discover_with_clock(settings, http(), clock)
        .await
        .unwrap();
    verified(&provider, &connector).await;
    let later = *time.lock().unwrap() + SignedDuration::from_mins(61);
    *time.lock().unwrap() = later;
    provider.dates_tokens(later);
    verified(&provider, &connector).await;
    assert_eq!(provider.key_fetches(), 2);
}

#[tokio::test]
async fn an_es256_id_token_is_believed_only_where_the_gateway_announces_it() {
    let provider = Provider::start().await;
    provider.breaks(Fault::IdTokenEs256);
    verified(&provider, &provider.connector(Dialect::Plain).await).await;
    let connector = provider.connector(Dialect::V2).await;
    let started = connector.verify(&["Identity"]).await.unwrap();
    let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
    let error = connector
        .finish(started.pending, callback)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), IdTokenError::Algorithm.to_string());
}

#[tokio::test]
async fn a_request_for_nothing_or_for_an_impossible_type_is_not_sent() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::Plain).await;
    assert!(matches!(
        connector.verify(&[]).await,
        Err(StartError::NoCredentialType)
    ));
    let smuggled = connector.verify(&["Identity issue.Identity"]).await;
    assert!(matches!(smuggled, Err(StartError::CredentialTypeName(_))));
    assert!(provider.calls().is_empty());
}

#[tokio::test]
async fn an_observer_sees_each_exchange_once_with_its_headers_and_bodies() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<Exchange>>);
    impl Observer for Seen {
        fn exchanged(&self, exchange: &Exchange) {
            self.0.lock().unwrap().push(exchange.clone());
        }
    }
    let provider = Provider::start().await;
    let seen = Arc::new(Seen::default());
    let options = HttpOptions {
        observer: Some(seen.clone()),
        ..HttpOptions::default()
    };
    let settings = provider.settings(Dialect::V2);
    let connector = Connector::discover(settings, Http::new(options).unwrap())
        .await
        .unwrap();
    verified(&provider, &connector).await;
    let seen = seen.0.lock().unwrap();
    let steps: Vec<_> = seen
        .iter()
        .map(|e| (e.method.as_str(), e.url.path(), e.status.clone()))
        .collect();
    assert_eq!(
        steps,
        [
            ("GET", "/v2.0/.well-known/openid-configuration", Ok(200)),
            ("POST", "/v2.0/oidc/par", Ok(201)),
            ("POST", "/v2.0/oidc/token", Ok(200)),
            ("GET", "/jwks", Ok(200)),
        ]
    );
    assert!(seen[1].request_body.contains("scope=openid+Identity"));
    assert!(seen[2].answer_body.contains("id_token"));
    assert!(
        seen[1]
            .answer_headers
            .iter()
            .any(|(name, _)| name == "content-type")
    );
    assert!(
        !format!("{:?}", seen[2]).contains("id_token"),
        "printing it shows no secret"
    );
}

//! `oidc-provider`, which requires pushed requests and PKCE: whole journeys, and what it does not let pass.

use connector::{
    Callback, ClientSecret, Connector, Endpoint, FinishError, GatewayFault, Pending, Push, Refusal,
    Returned, StartError, Started,
};
use serde_json::{Value, json};

use super::{Independent, comes_back, http};
use crate::provider::{CLIENT_ID, CLIENT_SECRET, REDIRECT_URI};

const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

fn provider(auth_method: &str) -> Option<Independent> {
    let environment = [
        ("AUTH_METHOD", auth_method),
        ("CLIENT_ID", CLIENT_ID),
        ("CLIENT_SECRET", CLIENT_SECRET),
        ("REDIRECT_URI", REDIRECT_URI),
    ];
    Independent::start("provider", "oidc-provider", &environment)
}

/// A journey begun, and the browser back from it.
async fn half_way(connector: &Connector) -> (Started, String) {
    let started = connector.verify(&["Identity"]).await.unwrap();
    let query = comes_back(&started).await;
    (started, query)
}

async fn finish(
    connector: &Connector,
    pending: Pending,
    query: &str,
) -> Result<Returned, FinishError> {
    connector
        .finish(pending, Callback::parse(query).unwrap())
        .await
}

fn assert_identity(returned: &Returned) {
    let Returned::Verified(verified) = returned else {
        panic!("nothing was to be issued")
    };
    assert_eq!(verified.subject, "holder-1");
    let identity = verified.identity().unwrap();
    assert_eq!(identity.legal_first_name, "Amina");
    assert_eq!(identity.legal_surname, "Okafor");
    assert_eq!(identity.birth_date.to_string(), "1990-02-03");
    let identifier = identity.unique_identifier.to_string();
    assert_eq!(identifier, "7e1f4d3a-53c5-4a0e-9b4e-0d6f1c2a3b4c");
}

/// The stored form of a journey, so that it can be finished twice or changed.
fn stored(pending: &Pending) -> Value {
    serde_json::to_value(pending).unwrap()
}

fn restored(pending: &Value) -> Pending {
    serde_json::from_value(pending.clone()).unwrap()
}

fn assert_refused(fault: &GatewayFault, at: Endpoint, wanted: &str) {
    let GatewayFault::Refused { endpoint, refusal } = fault else {
        panic!("{fault:?}")
    };
    let Refusal { code, .. } = refusal;
    assert_eq!((*endpoint, code.as_str()), (at, wanted), "{refusal:?}");
}

fn assert_token_refused(result: Result<Returned, FinishError>, wanted: &str) {
    match result {
        Err(FinishError::Gateway(fault)) => assert_refused(&fault, Endpoint::Token, wanted),
        other => panic!("{other:?}"),
    }
}

/// The secret travels in the header or in the form; its `+`, `/` and space arrive either way.
#[tokio::test]
async fn dw_31_an_independent_provider_verifies_whichever_way_the_secret_travels() {
    for method in METHODS {
        let Some(provider) = provider(method) else {
            return;
        };
        let connector = provider.connector().await;
        let (started, query) = half_way(&connector).await;
        let address = started.url.as_str();
        assert!(address.contains("request_uri=urn"), "pushed: {address}");
        assert!(query.contains("iss="), "names itself: {query}");
        assert_identity(&finish(&connector, started.pending, &query).await.unwrap());
    }
}

#[tokio::test]
async fn dw_40_an_independent_provider_is_believed_in_every_algorithm_it_signs_with() {
    let Some(provider) = provider(METHODS[0]) else {
        return;
    };
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let mut settings = provider.settings();
        settings.client_id = format!("{CLIENT_ID}-{algorithm}");
        let connector = Connector::discover(settings, http()).await.unwrap();
        let (started, query) = half_way(&connector).await;
        let returned = finish(&connector, started.pending, &query).await;
        assert_identity(&returned.unwrap_or_else(|error| panic!("{algorithm}: {error:?}")));
    }
}

#[tokio::test]
async fn a_request_that_is_not_pushed_comes_back_from_an_independent_provider_as_refused() {
    let Some(provider) = provider(METHODS[0]) else {
        return;
    };
    let mut settings = provider.settings();
    settings.push = Push::WhenIssuing;
    let connector = Connector::discover(settings, http()).await.unwrap();
    let (started, query) = half_way(&connector).await;
    let error = finish(&connector, started.pending, &query)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, FinishError::RequestRefused(told) if told.code == "invalid_request"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_an_independent_provider_at_both_endpoints() {
    for method in METHODS {
        let Some(provider) = provider(method) else {
            return;
        };
        let connector = provider.connector().await;
        let mut settings = provider.settings();
        settings.client_secret = ClientSecret::new("another secret");
        let stranger = Connector::discover(settings, http()).await.unwrap();

        match stranger.verify(&["Identity"]).await {
            Err(StartError::Gateway(fault)) => {
                assert_refused(&fault, Endpoint::PushedRequest, "invalid_client");
            }
            other => panic!("{other:?}"),
        }
        let (started, query) = half_way(&connector).await;
        let result = finish(&stranger, started.pending, &query).await;
        assert_token_refused(result, "invalid_client");
    }
}

#[tokio::test]
async fn dw_41_a_code_buys_one_token_from_an_independent_provider() {
    let Some(provider) = provider(METHODS[0]) else {
        return;
    };
    let connector = provider.connector().await;
    let (started, query) = half_way(&connector).await;
    let pending = stored(&started.pending);
    assert_identity(&finish(&connector, started.pending, &query).await.unwrap());
    let again = finish(&connector, restored(&pending), &query).await;
    assert_token_refused(again, "invalid_grant");
}

#[tokio::test]
async fn dw_41_a_code_with_another_verifier_buys_nothing_from_an_independent_provider() {
    let Some(provider) = provider(METHODS[0]) else {
        return;
    };
    let connector = provider.connector().await;
    let (started, query) = half_way(&connector).await;
    let mut pending = stored(&started.pending);
    pending["code_verifier"] = json!("another-verifier-that-is-long-enough-for-the-rule");
    let result = finish(&connector, restored(&pending), &query).await;
    assert_token_refused(result, "invalid_grant");
}

/// Someone puts the code of their own journey into the callback of another's.
#[tokio::test]
async fn dw_41_a_code_of_another_journey_buys_nothing_from_an_independent_provider() {
    let Some(provider) = provider(METHODS[0]) else {
        return;
    };
    let connector = provider.connector().await;
    let (mine, my_query) = half_way(&connector).await;
    let (theirs, their_query) = half_way(&connector).await;
    let swapped = their_query.replace(theirs.pending.state(), mine.pending.state());
    assert_ne!(swapped, my_query);
    let result = finish(&connector, mine.pending, &swapped).await;
    assert_token_refused(result, "invalid_grant");
}

//! A gateway that is broken, slow or not what it says it is.

use connector::{
    Callback, Connector, Dialect, DiscoverError, FetchError, FinishError, GatewayFault, StartError,
};
use url::Url;

use crate::provider::{Fault, Provider, http};

async fn finish_with(fault: Fault) -> GatewayFault {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    provider.breaks(fault);
    let started = connector.verify(&["Identity"]).await.unwrap();
    let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
    match connector
        .finish(started.pending, callback)
        .await
        .unwrap_err()
    {
        FinishError::Gateway(fault) => fault,
        other => panic!("{fault:?}: {other:?}"),
    }
}

#[tokio::test]
async fn a_failing_token_endpoint_can_be_tried_again_and_a_refusing_one_cannot() {
    assert!(finish_with(Fault::TokenAnswers(500)).await.is_temporary());
    assert!(finish_with(Fault::TokenAnswers(503)).await.is_temporary());
    assert!(!finish_with(Fault::TokenAnswers(400)).await.is_temporary());
    assert!(finish_with(Fault::KeysAnswer(500)).await.is_temporary());
}

#[tokio::test]
async fn a_slow_token_endpoint_is_given_up() {
    let fault = finish_with(Fault::TokenIsSlow).await;
    assert!(
        matches!(
            &fault,
            GatewayFault::Unreachable {
                source: FetchError::TimedOut,
                ..
            }
        ),
        "{fault:?}"
    );
    assert!(fault.may_have_happened());
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let fault = finish_with(Fault::TokenIsHuge).await;
    assert!(matches!(
        fault,
        GatewayFault::Unreachable {
            source: FetchError::TooLarge,
            ..
        }
    ));
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_secrets_in_hand() {
    let fault = finish_with(Fault::TokenRedirects).await;
    assert!(
        matches!(fault, GatewayFault::AgainstContract { .. }),
        "{fault:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_against_the_contract() {
    let fault = finish_with(Fault::TokenIsNoJson).await;
    assert!(
        matches!(fault, GatewayFault::AgainstContract { .. }),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_pushed_request_that_is_not_answered_with_201_is_no_start() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    provider.breaks(Fault::PushAnswers(200));
    let error = connector.verify(&["Identity"]).await.unwrap_err();
    assert!(matches!(
        error,
        StartError::Gateway(GatewayFault::AgainstContract { .. })
    ));
}

#[tokio::test]
async fn a_discovery_document_that_does_not_fit_stops_the_start() {
    let provider = Provider::start().await;
    let discover = || Connector::discover(provider.settings(Dialect::V2), http());
    provider.breaks(Fault::DiscoveryIssuer);
    assert!(matches!(
        discover().await.err(),
        Some(DiscoverError::OtherIssuer { .. })
    ));
    provider.breaks(Fault::DiscoveryClearText);
    assert!(matches!(
        discover().await.err(),
        Some(DiscoverError::InsecureEndpoint("token_endpoint"))
    ));
    provider.breaks(Fault::DiscoveryNoPush);
    assert!(matches!(
        discover().await.err(),
        Some(DiscoverError::Lacks(_))
    ));
}

#[tokio::test]
async fn a_gateway_elsewhere_is_not_spoken_to_in_clear() {
    let provider = Provider::start().await;
    let mut settings = provider.settings(Dialect::V2);
    settings.gateway = Url::parse("http://gateway.example").unwrap();
    let error = Connector::discover(settings, http()).await.err().unwrap();
    assert!(matches!(
        error,
        DiscoverError::Gateway(GatewayFault::Unreachable {
            source: FetchError::NotSecure,
            ..
        })
    ));
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_a_temporary_fault_and_nothing_has_happened() {
    let provider = Provider::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut settings = provider.settings(Dialect::V2);
    settings.gateway = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let Err(DiscoverError::Gateway(fault)) = Connector::discover(settings, http()).await else {
        panic!("nobody was there")
    };
    assert!(
        fault.is_temporary() && !fault.may_have_happened(),
        "{fault:?}"
    );
}

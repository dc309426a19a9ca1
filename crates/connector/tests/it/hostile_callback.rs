//! DW-41: a callback that is forged, replayed or mixed up ends nowhere.

use connector::{
    Callback, CallbackError, Dialect, FinishError, GatewayFault, NotOurs, Pending, Started,
};

use crate::provider::{Provider, http};

async fn begun() -> (Provider, connector::Connector, Started) {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    let started = connector.verify(&["Identity"]).await.unwrap();
    (provider, connector, started)
}

#[tokio::test]
async fn dw_41_a_callback_with_another_sessions_state_is_refused_before_its_code_is_used() {
    let (provider, connector, mine) = begun().await;
    let theirs = connector.verify(&["Identity"]).await.unwrap();
    let callback = Callback::parse(&provider.comes_back(&theirs.url)).unwrap();
    let before = provider.calls().len();
    let error = connector.finish(mine.pending, callback).await.unwrap_err();
    assert!(
        matches!(error, FinishError::NotOurs(NotOurs::State)),
        "{error:?}"
    );
    assert_eq!(
        provider.calls().len(),
        before,
        "the token endpoint was not called"
    );
}

#[tokio::test]
async fn dw_41_another_persons_code_under_ones_own_state_is_refused() {
    let (provider, connector, mine) = begun().await;
    let theirs = connector.verify(&["Identity"]).await.unwrap();
    let query = provider.comes_back(&theirs.url);
    let swapped = query.replace(theirs.pending.state(), mine.pending.state());
    let callback = Callback::parse(&swapped).unwrap();
    let error = connector.finish(mine.pending, callback).await.unwrap_err();
    // PKCE: the verifier of this journey does not fit the challenge of the other.
    assert!(
        matches!(
            &error,
            FinishError::Gateway(GatewayFault::Refused { refusal, .. })
                if refusal.code == "invalid_grant"
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn dw_41_a_replayed_callback_is_refused() {
    let (provider, connector, started) = begun().await;
    let query = provider.comes_back(&started.url);
    // A portal that forgot to delete what it kept.
    let stored = serde_json::to_string(&started.pending).unwrap();
    let first = Callback::parse(&query).unwrap();
    connector.finish(started.pending, first).await.unwrap();
    let pending: Pending = serde_json::from_str(&stored).unwrap();
    let error = connector
        .finish(pending, Callback::parse(&query).unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(error, FinishError::Gateway(GatewayFault::Refused { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn dw_41_a_callback_with_code_and_error_is_refused() {
    let (provider, _, started) = begun().await;
    let mixed = format!("{}&error=access_denied", provider.comes_back(&started.url));
    assert_eq!(Callback::parse(&mixed).unwrap_err(), CallbackError::Both);
}

#[tokio::test]
async fn a_callback_from_another_issuer_is_refused() {
    let (provider, connector, started) = begun().await;
    let query = format!(
        "{}&iss=https%3A%2F%2Fother.example",
        provider.comes_back(&started.url)
    );
    let error = connector
        .finish(started.pending, Callback::parse(&query).unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(error, FinishError::NotOurs(NotOurs::Issuer)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_callback_that_names_the_right_issuer_is_taken() {
    let (provider, connector, started) = begun().await;
    let iss = standards::oauth::form::encode([("iss", provider.base.as_str())]);
    let query = format!("{}&{iss}", provider.comes_back(&started.url));
    assert!(
        connector
            .finish(started.pending, Callback::parse(&query).unwrap())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_the_gateway_says_instead_of_a_code_is_sorted_by_what_can_be_done() {
    let provider = Provider::start().await;
    let connector = connector::Connector::discover(provider.settings(Dialect::V2), http())
        .await
        .unwrap();
    for (error, description, expected) in [
        ("access_denied", "user cancelled in the wallet", "Declined"),
        ("access_denied", "User Cancelled", "Declined"),
        ("access_denied", "", "Declined"),
        ("user_cancelled", "", "Declined"),
        ("access_denied", "the credential was revoked", "NotAccepted"),
        ("access_denied", "request expired", "NotAccepted"),
        ("server_error", "", "GatewayFailed"),
        ("temporarily_unavailable", "", "GatewayFailed"),
        ("invalid_scope", "", "RequestRefused"),
    ] {
        let started = connector.verify(&["Identity"]).await.unwrap();
        let query = standards::oauth::form::encode([
            ("error", error),
            ("error_description", description),
            ("state", started.pending.state()),
        ]);
        let callback = Callback::parse(&query).unwrap();
        let ended = connector
            .finish(started.pending, callback)
            .await
            .unwrap_err();
        let printed = format!("{ended:?}");
        assert!(
            printed.starts_with(expected),
            "{error} {description}: {printed}"
        );
    }
}

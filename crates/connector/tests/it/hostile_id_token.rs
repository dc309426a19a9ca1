//! DW-40: an ID token with any one thing wrong is never taken for a success.

use connector::{Callback, Connector, Dialect, FinishError, IdTokenError};

use crate::provider::{Fault, Provider};

async fn refused(provider: &Provider, connector: &Connector, fault: Fault) -> FinishError {
    provider.breaks(fault);
    let started = connector.verify(&["Identity"]).await.unwrap();
    let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
    connector
        .finish(started.pending, callback)
        .await
        .unwrap_err()
}

async fn each_is_refused(cases: &[(Fault, IdTokenError)]) {
    let provider = Provider::start().await;
    for dialect in [Dialect::V2, Dialect::Plain] {
        let connector = provider.connector(dialect).await;
        for (fault, expected) in cases {
            match refused(&provider, &connector, *fault).await {
                FinishError::IdToken(error) => assert_eq!(error, *expected, "{fault:?}"),
                other => panic!("{fault:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn dw_40_a_token_that_the_gateway_did_not_sign_is_refused() {
    each_is_refused(&[
        (Fault::IdTokenBadSignature, IdTokenError::Signature),
        (Fault::IdTokenAlgNone, IdTokenError::Unreadable),
        (Fault::IdTokenHmacWithPublicKey, IdTokenError::Algorithm),
        (Fault::IdTokenOtherKeySameKid, IdTokenError::Signature),
        (Fault::IdTokenEmbeddedKey, IdTokenError::Signature),
        (Fault::IdTokenNoKid, IdTokenError::NoKeyId),
        (Fault::IdTokenUnknownKid, IdTokenError::UnknownKey),
        (Fault::IdTokenOtherTyp, IdTokenError::Type),
    ])
    .await;
}

#[tokio::test]
async fn dw_40_a_token_for_others_or_of_another_time_is_refused() {
    each_is_refused(&[
        (
            Fault::IdTokenClaim("iss", r#""https://other.example""#),
            IdTokenError::Issuer,
        ),
        (
            Fault::IdTokenClaim("aud", r#""other""#),
            IdTokenError::Audience,
        ),
        (
            Fault::IdTokenClaim("aud", r#"["portal:1","other"]"#),
            IdTokenError::Audience,
        ),
        (
            Fault::IdTokenClaim("azp", r#""other""#),
            IdTokenError::AuthorizedParty,
        ),
        (
            Fault::IdTokenClaim("exp", "1600000000"),
            IdTokenError::Expired,
        ),
        (Fault::IdTokenClaim("iat", "1600000000"), IdTokenError::Old),
        (
            Fault::IdTokenClaim("iat", "4000000000"),
            IdTokenError::Early,
        ),
        (Fault::IdTokenWithout("exp"), IdTokenError::Claim("exp")),
        (Fault::IdTokenWithout("iat"), IdTokenError::Claim("iat")),
        (Fault::IdTokenWithout("aud"), IdTokenError::Claim("aud")),
        (Fault::IdTokenWithout("sub"), IdTokenError::Claim("sub")),
    ])
    .await;
}

#[tokio::test]
async fn dw_40_a_token_with_another_nonce_or_none_is_refused() {
    each_is_refused(&[
        (
            Fault::IdTokenClaim("nonce", r#""another""#),
            IdTokenError::Nonce,
        ),
        (
            Fault::IdTokenClaim("nonce", "null"),
            IdTokenError::Claim("nonce"),
        ),
        (Fault::IdTokenWithout("nonce"), IdTokenError::Claim("nonce")),
    ])
    .await;
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_more_and_only_once() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::Plain).await;
    refused(&provider, &connector, Fault::IdTokenBadSignature).await;
    assert_eq!(provider.key_fetches(), 1);
    refused(&provider, &connector, Fault::IdTokenUnknownKid).await;
    assert_eq!(provider.key_fetches(), 2);
}

#[tokio::test]
async fn dw_46_an_identity_without_its_unique_identifier_identifies_nobody() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    provider.breaks(Fault::IdTokenWithout("Identity.UniqueIdentifier"));
    let started = connector.verify(&["Identity"]).await.unwrap();
    let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
    let returned = connector.finish(started.pending, callback).await.unwrap();
    let connector::Returned::Verified(verified) = returned else {
        panic!("{returned:?}")
    };
    assert!(verified.identity().is_err());
}

#[tokio::test]
async fn a_credential_that_was_asked_for_and_is_not_in_the_token_is_an_error() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    let started = connector
        .verify(&["Identity", "RightToWork"])
        .await
        .unwrap();
    let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
    let error = connector
        .finish(started.pending, callback)
        .await
        .unwrap_err();
    assert!(matches!(error, FinishError::CredentialMissing(name) if name == "RightToWork"));
}

#![allow(clippy::unwrap_used)]

use std::process::Command;

use standards::jose::{Typ, jws};

use super::*;
use crate::keys::SANDBOX_PASSPHRASE;

#[path = "../../tests/it/softhsm.rs"]
mod softhsm;

use softhsm::{LABEL, PIN};

/// A token with nothing in it, in this process alone: the module reads its settings where the environment says, so the test
/// starts itself anew with one.
fn in_a_process_with_a_token(test: &str) -> Option<PathBuf> {
    let library = softhsm::library()?;
    if std::env::var_os("LANYARD_TEST_TOKEN").is_some() {
        return Some(library);
    }
    let folder = std::env::temp_dir().join(format!("lanyard-token-{}", uuid::Uuid::new_v4()));
    let settings = softhsm::make_token(&folder);
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(softhsm::SETTINGS, &settings)
        .env("LANYARD_TEST_TOKEN", folder.as_os_str())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(said.contains("1 passed"), "{said}");
    None
}

fn open(library: &Path, pin: &str) -> Result<TokenStore, KeyError> {
    let folder: PathBuf = std::env::var_os("LANYARD_TEST_TOKEN").unwrap().into();
    let passphrase = Zeroizing::new(SANDBOX_PASSPHRASE.to_owned());
    let files = KeyStore::open(&folder.join("keys"), passphrase, false)?;
    TokenStore::open(library, LABEL, &Zeroizing::new(pin.to_owned()), files)
}

/// SEC-37, SEC-15.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_a_key_in_a_token_signs_and_never_leaves_it() {
    let test = "keys::token::tests::sec_37_a_key_in_a_token_signs_and_never_leaves_it";
    let Some(library) = in_a_process_with_a_token(test) else {
        return;
    };
    let wrong = open(&library, "4321").unwrap_err();
    assert!(
        matches!(wrong, KeyError::Token(_)) && !wrong.to_string().contains("4321"),
        "{wrong}"
    );
    let keys = open(&library, PIN).unwrap();
    assert!(!format!("{keys:?}").contains(PIN));

    for (name, algorithm) in [
        ("one.credentials", Algorithm::ES256),
        ("id-token-rs256", Algorithm::RS256),
    ] {
        assert!(keys.create(name, algorithm).unwrap());
        assert!(!keys.create(name, algorithm).unwrap(), "made once");
        // The same whenever it is opened, and by whomever.
        let signer = keys.find(name).unwrap();
        let again = open(&library, PIN).unwrap().find(name).unwrap();
        assert_eq!(signer.algorithm(), algorithm);
        let public = signer.public_jwk();
        assert!(public.same_key(again.public_jwk()));
        assert_eq!(public.kid(), Some(public.thumbprint().as_str()));
        // Many at once, each right.
        let signing = (0..8).map(|number| {
            let signer = signer.clone();
            tokio::spawn(async move {
                let header = jws::ProtectedHeader::typ("JWT");
                jws::sign(signer.as_ref(), header, &json!({"number": number}))
                    .await
                    .unwrap()
            })
        });
        for (number, signing) in signing.collect::<Vec<_>>().into_iter().enumerate() {
            let token = signing.await.unwrap();
            let parsed = jws::parse(&token).unwrap();
            let verified = parsed.verify(public, &[algorithm], Typ::Is("JWT")).unwrap();
            assert_eq!(verified.claims()["number"], number);
        }
        // The module was told to give the private half to nobody, and does not.
        let private = keys
            .token
            .find(Some(name), ObjectClass::PRIVATE_KEY)
            .unwrap()[0];
        let secret = [AttributeType::Value, AttributeType::PrivateExponent];
        let told = [
            AttributeType::Sensitive,
            AttributeType::Extractable,
            AttributeType::NeverExtractable,
        ];
        let (secret, told) = keys
            .token
            .with(|session| {
                Ok((
                    session.get_attributes(private, &secret)?,
                    session.get_attributes(private, &told)?,
                ))
            })
            .unwrap();
        assert_eq!(secret, []);
        let expected = [
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::NeverExtractable(true),
        ];
        assert_eq!(told, expected);
    }
    // What no token makes is a file, and what was a file before stays one.
    assert!(keys.create("id-token-eddsa", Algorithm::EdDSA).unwrap());
    assert!(
        keys.files
            .create("old.credentials", Algorithm::ES256)
            .unwrap()
    );
    assert!(!keys.create("old.credentials", Algorithm::ES256).unwrap());
    assert!(keys.find("old.credentials").is_ok());
    let names = [
        "id-token-eddsa",
        "id-token-rs256",
        "old.credentials",
        "one.credentials",
    ];
    assert_eq!(keys.names().unwrap(), names);
    for name in names {
        keys.destroy(name).unwrap();
        keys.destroy(name).unwrap();
        assert!(matches!(keys.find(name), Err(KeyError::Missing(_))));
    }
    assert_eq!(keys.names().unwrap(), [""; 0]);
    assert!(matches!(
        TokenStore::open(
            &library,
            "another",
            &Zeroizing::new(PIN.to_owned()),
            keys.files
        ),
        Err(KeyError::Token(_))
    ));
}

/// SEC-37: the key of the audit may be in the token like every other, and a report of it takes nothing away that it signed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_a_key_of_the_audit_in_a_token_signs_checkpoints_that_outlast_it() {
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use crate::audit::{Actor, chain, checkpoint, verify};
    use crate::keys::acts::Acts;
    use crate::keys::{GATEWAY, KeyPurpose, Place, Ring, adopt};

    const ISSUER: &str = "https://gateway.example";
    let test = "keys::token::tests::sec_37_a_key_of_the_audit_in_a_token_signs_checkpoints_that_outlast_it";
    let Some(library) = in_a_process_with_a_token(test) else {
        return;
    };
    let holder: Arc<dyn KeyHolder> = Arc::new(open(&library, PIN).unwrap());
    let folder: PathBuf = std::env::var_os("LANYARD_TEST_TOKEN").unwrap().into();
    let database = format!("sqlite:{}", folder.join("test.db").display());
    let store = crate::open_store(&database).await.unwrap();
    let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
    let place = Place {
        owner: GATEWAY.to_owned(),
        purpose: KeyPurpose::Audit,
    };
    holder.create("audit", Algorithm::ES256).unwrap();
    adopt(&store, &holder, [place], now).await.unwrap();
    chain::round(&store).await.unwrap();
    let sign = async |at: Timestamp| {
        let ring = Ring::load(&store, &holder).await.unwrap();
        let key = ring.active(KeyPurpose::Audit, GATEWAY).unwrap().clone();
        checkpoint::round(&store, ISSUER, key.as_ref(), at)
            .await
            .unwrap();
        key.public_jwk().clone()
    };
    let leaked = sign(now).await;
    let acts = Acts::read(&store, &holder, now).await.unwrap();
    let act = acts.compromised(&leaked.thumbprint()).await.unwrap();
    let changes = act.changes().iter();
    let entries: Vec<_> = changes
        .map(|change| change.entry(Actor::Command("ina").into(), now).into())
        .collect();
    act.keep(&store, &holder, entries).await.unwrap();
    assert!(!holder.names().unwrap().contains(&"audit".to_owned()));
    chain::round(&store).await.unwrap();
    let next = sign(now + SignedDuration::from_hours(24)).await;
    assert_ne!(next.thumbprint(), leaked.thumbprint());
    let report = verify::verify(&store, ISSUER, &[next]).await.unwrap();
    assert_eq!(report.faults, [], "{report:?}");
    assert_eq!(report.checkpoints, 2);
    let notes: Vec<_> = report.notes.iter().map(|note| note.code).collect();
    assert_eq!(notes, ["key-compromised"]);
    store.close().await;
}

/// DW-83: the names of keys are the same in both environments, so a token says itself for which its keys are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_83_keys_in_a_token_of_development_are_taken_over_by_no_gateway_of_production() {
    use std::os::unix::fs::PermissionsExt as _;

    let test = "keys::token::tests::dw_83_keys_in_a_token_of_development_are_taken_over_by_no_gateway_of_production";
    let Some(library) = in_a_process_with_a_token(test) else {
        return;
    };
    let folder: PathBuf = std::env::var_os("LANYARD_TEST_TOKEN").unwrap().into();
    let secret = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        json!({ "file": file })
    };
    // Nothing is shared but the token: each has a folder of keys and a database of its own.
    let gateway = |environment: &str| -> crate::Config {
        let of = folder.join(environment);
        std::fs::create_dir_all(&of).unwrap();
        serde_json::from_value(json!({
            "public_url": "https://credentials.example",
            "environment": environment,
            "listen": "127.0.0.1:0",
            "database": format!("sqlite:{}", of.join("gateway.db").display()),
            "keys": of.join("keys"),
            "key_passphrase": secret("passphrase", "a passphrase for the files beside a token"),
            "storage_secret": secret("storage", "Zm9yIHRlc3RzIG9ubHksIGEgc3RvcmFnZSBzZWNyZXQu"),
            "pkcs11": { "module": library, "token": LABEL, "pin": secret("pin", PIN) },
        }))
        .unwrap()
    };
    let start = async |config: &crate::Config| {
        let gateway = crate::Gateway::compose(config, crate::Surroundings::production()).await;
        gateway.map(drop).map_err(|error| error.to_string())
    };
    let (development, production) = (gateway("development"), gateway("production"));
    let made = crate::create_keys(&development, false).unwrap();
    assert_eq!(made.len(), 4, "{made:?}");
    start(&development).await.unwrap();
    start(&development).await.unwrap();

    let reason = "pkcs11: the keys in the token lanyard are for development, and this gateway's environment is production";
    let told = crate::create_keys(&production, false).map_err(|error| error.to_string());
    assert_eq!(told.unwrap_err(), reason);
    assert_eq!(start(&production).await.unwrap_err(), reason);
    assert_eq!(
        crate::create_keys(&development, false).unwrap(),
        [""; 0],
        "the mark is no key, and takes none away"
    );
}

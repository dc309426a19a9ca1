//! What an attacker tries with encrypted answers.
#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value, json};
use standards::base64url;
use standards::jose::jwe::{self, ContentEncryption, DecryptionKey, JweError, Options};
use standards::jose::jwk::JwkError;
use standards::jose::{Algorithm, Signer, SoftwareKey};

const ALL: &[ContentEncryption] = ContentEncryption::ALL;

fn message(key: &DecryptionKey, enc: ContentEncryption) -> String {
    let options = Options {
        apu: Some(b"wallet".to_vec()),
        apv: Some(b"nonce".to_vec()),
        ..Options::default()
    };
    jwe::encrypt(b"{\"vp_token\":{}}", &key.public_jwk("k1"), enc, &options).unwrap()
}

/// The message with its header changed; whatever depended on the header no longer fits.
fn with_header(message: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let (header, rest) = message.split_once('.').unwrap();
    let Value::Object(mut header) =
        serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap()
    else {
        panic!("a header is an object")
    };
    change(&mut header);
    format!(
        "{}.{rest}",
        base64url::encode(Value::Object(header).to_string())
    )
}

fn with_parts(message: &str, change: impl FnOnce(&mut Vec<String>)) -> String {
    let mut parts: Vec<String> = message.split('.').map(str::to_owned).collect();
    change(&mut parts);
    parts.join(".")
}

#[test]
fn an_honest_message_is_read_by_its_recipient_alone() {
    let (key, other) = (
        DecryptionKey::generate().unwrap(),
        DecryptionKey::generate().unwrap(),
    );
    for enc in ALL {
        let message = message(&key, *enc);
        assert_eq!(jwe::peek_kid(&message).unwrap().as_deref(), Some("k1"));
        assert_eq!(
            jwe::decrypt(&message, &key, ALL).unwrap(),
            b"{\"vp_token\":{}}"
        );
        assert_eq!(
            jwe::decrypt(&message, &other, ALL),
            Err(JweError::Decryption)
        );
    }
    // Writing the header again without change keeps the message: the changes below are what is refused.
    let message = message(&key, ContentEncryption::A128GCM);
    assert_eq!(with_header(&message, |_| ()), message);
}

#[test]
fn every_part_is_protected() {
    let key = DecryptionKey::generate().unwrap();
    let message = message(&key, ContentEncryption::A256GCM);
    for part in 2..5 {
        let changed = with_parts(&message, |parts| {
            let mut bytes = base64url::decode(&parts[part]).unwrap();
            bytes[0] ^= 1;
            parts[part] = base64url::encode(bytes);
        });
        assert_eq!(
            jwe::decrypt(&changed, &key, ALL),
            Err(JweError::Decryption),
            "part {part}"
        );
    }
    for name in ["apu", "apv", "kid", "anything"] {
        let changed = with_header(&message, |header| {
            header.insert(name.to_owned(), json!("b3RoZXI"));
        });
        assert_eq!(
            jwe::decrypt(&changed, &key, ALL),
            Err(JweError::Decryption),
            "{name}"
        );
    }
}

#[test]
fn other_algorithms_and_extensions_are_refused() {
    let key = DecryptionKey::generate().unwrap();
    let message = message(&key, ContentEncryption::A128GCM);
    let set = |name: &str, value: Value| {
        jwe::decrypt(
            &with_header(&message, |header| {
                header.insert(name.to_owned(), value);
            }),
            &key,
            ALL,
        )
        .unwrap_err()
    };
    for alg in ["ECDH-ES+A128KW", "dir", "RSA-OAEP-256", "none", "ecdh-es"] {
        assert_eq!(set("alg", json!(alg)), JweError::UnsupportedAlgorithm);
    }
    for enc in ["A128CBC-HS256", "A192GCM", "none", "a128gcm"] {
        assert_eq!(set("enc", json!(enc)), JweError::UnsupportedEncryption);
    }
    assert_eq!(set("zip", json!("DEF")), JweError::Extension("zip"));
    assert_eq!(set("crit", json!(["exp"])), JweError::Extension("crit"));
    assert_eq!(
        set("apu", json!("not base64url!")),
        JweError::Parameter("apu")
    );
    assert_eq!(set("alg", json!(1)), JweError::Parameter("alg"));
    let only = [ContentEncryption::A256GCM];
    assert_eq!(
        jwe::decrypt(&message, &key, &only),
        Err(JweError::UnsupportedEncryption)
    );
}

#[test]
fn an_ephemeral_key_off_the_curve_of_another_curve_or_with_its_secret_is_refused() {
    let key = DecryptionKey::generate().unwrap();
    let message = message(&key, ContentEncryption::A128GCM);
    let epk = |change: &dyn Fn(&mut Value)| {
        let changed = with_header(&message, |header| change(header.get_mut("epk").unwrap()));
        jwe::decrypt(&changed, &key, ALL).unwrap_err()
    };
    assert_eq!(
        epk(&|epk| epk["y"] = epk["x"].clone()),
        JweError::EphemeralKey(JwkError::Point)
    );
    assert_eq!(
        epk(&|epk| epk["d"] = json!("AA")),
        JweError::EphemeralKey(JwkError::Secret("d"))
    );
    let p384 = SoftwareKey::generate(Algorithm::ES384)
        .unwrap()
        .public_jwk()
        .bare_key()
        .to_value();
    assert_eq!(
        epk(&|epk| *epk = p384.clone()),
        JweError::EphemeralKey(JwkError::Unsupported)
    );
    // The point of RFC 7516's security considerations: on another curve that shares P-256's arithmetic.
    assert_eq!(
        epk(&|epk| {
            epk["x"] = json!("gTli65eTQ7z-Bh147ff8K3m7k2UiDiG2LpYkWAaFJCc");
            epk["y"] = json!("cLAnjKa4bzjD7DJVPwa9EPrRzMG7rONgsiUD-kf30Fs");
        }),
        JweError::EphemeralKey(JwkError::Point)
    );
    let without = with_header(&message, |header| drop(header.remove("epk")));
    assert_eq!(
        jwe::decrypt(&without, &key, ALL),
        Err(JweError::Parameter("epk"))
    );
}

#[test]
fn another_form_is_refused() {
    let key = DecryptionKey::generate().unwrap();
    let message = message(&key, ContentEncryption::A128GCM);
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        jwe::decrypt(&with_parts(&message, change), &key, ALL).unwrap_err()
    };
    assert_eq!(
        changed(&|parts| parts[1] = "AAAA".to_owned()),
        JweError::Form,
        "an encrypted key"
    );
    assert_eq!(
        changed(&|parts| parts[2].push_str("AAAA")),
        JweError::Form,
        "a longer IV"
    );
    assert_eq!(
        changed(&|parts| parts[4].truncate(16)),
        JweError::Form,
        "a shorter tag"
    );
    assert_eq!(changed(&|parts| parts[4].clear()), JweError::Form, "no tag");
    assert_eq!(
        changed(&|parts| parts[3].push('=')),
        JweError::Form,
        "padding"
    );
    assert_eq!(
        changed(&|parts| parts.push(String::new())),
        JweError::Form,
        "six parts"
    );
    assert_eq!(
        changed(&|parts| drop(parts.pop())),
        JweError::Form,
        "four parts"
    );
    assert!(matches!(
        changed(&|parts| parts[0] = base64url::encode("{\"a\":1,\"a\":1}")),
        JweError::Header(_)
    ));
    let long = "A".repeat(jwe::MAX_LENGTH + 1);
    assert_eq!(jwe::decrypt(&long, &key, ALL), Err(JweError::TooLong));
    assert_eq!(jwe::peek_kid(&long), Err(JweError::TooLong));
}

#[test]
fn nothing_is_encrypted_to_a_key_that_is_not_for_it() {
    let signing = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let p384 = SoftwareKey::generate(Algorithm::ES384).unwrap();
    let bare = signing.public_jwk().bare_key();
    let encrypt =
        |key: &_| jwe::encrypt(b"x", key, ContentEncryption::A128GCM, &Options::default());
    assert!(encrypt(&bare).is_ok());
    for key in [
        signing.public_jwk().clone(),
        bare.clone().with_use("sig"),
        p384.public_jwk().bare_key(),
    ] {
        assert_eq!(encrypt(&key), Err(JweError::RecipientKey));
    }
}

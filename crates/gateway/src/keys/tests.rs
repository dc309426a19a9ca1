#![allow(clippy::unwrap_used)]
use standards::jose::Signer;

use super::*;

pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let name = format!("lanyard-keys-{}", uuid::Uuid::new_v4());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn open(&self, passphrase: &str, refuse: bool) -> Result<KeyStore, KeyError> {
        KeyStore::open(&self.0, Zeroizing::new(passphrase.to_owned()), refuse)
    }

    fn sandbox(&self) -> KeyStore {
        self.open(SANDBOX_PASSPHRASE, false).unwrap()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.pem"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
pub(super) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_is_made_once_and_is_the_same_whenever_it_is_read() {
    let folder = Folder::new();
    let keys = folder.sandbox();
    for (name, algorithm) in [
        ("org.credentials", Algorithm::ES256),
        ("org.long", Algorithm::ES384),
        ("org.short", Algorithm::EdDSA),
        ("id-token-rs256", Algorithm::RS256),
    ] {
        assert!(keys.create_missing(name, algorithm).unwrap());
        assert!(!keys.create_missing(name, algorithm).unwrap());
        let (first, again) = (
            keys.signing_key(name).unwrap(),
            folder.sandbox().signing_key(name).unwrap(),
        );
        assert_eq!(first.algorithm(), algorithm);
        let public = first.public_jwk();
        assert!(public.same_key(again.public_jwk()));
        assert_eq!(public.kid(), Some(public.thumbprint().as_str()));
    }
    let names = ["id-token-rs256", "org.credentials", "org.long", "org.short"];
    assert_eq!(keys.names().unwrap(), names);
}

#[test]
fn of_many_who_make_a_key_at_once_one_does() {
    let folder = Folder::new();
    let keys = folder.sandbox();
    let made: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| keys.create_missing("one", Algorithm::ES256).unwrap()))
            .collect();
        tries
            .into_iter()
            .map(|made| usize::from(made.join().unwrap()))
            .sum()
    });
    assert_eq!(made, 1);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
}

/// SEC-37.
#[test]
fn the_file_is_standard_and_shows_nothing_of_the_key() {
    let folder = Folder::new();
    let keys = folder.sandbox();
    keys.create_missing("one", Algorithm::ES256).unwrap();
    let text = std::fs::read_to_string(folder.file("one")).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert!(!format!("{keys:?}").contains(SANDBOX_PASSPHRASE));
}

#[test]
fn sec_37_sandbox_keys_are_refused_in_real_use() {
    let folder = Folder::new();
    folder
        .sandbox()
        .create_missing("one", Algorithm::ES256)
        .unwrap();
    let refused = folder.open(SANDBOX_PASSPHRASE, true);
    assert!(matches!(refused, Err(KeyError::SandboxPassphrase)));
    let real = folder.open("a passphrase of our own", true).unwrap();
    let refused = real.signing_key("one").unwrap_err();
    assert!(matches!(refused, KeyError::SandboxKey(_)), "{refused}");
    assert!(refused.to_string().contains("one.pem is a sandbox key"));
}

#[test]
fn a_key_opens_with_its_own_passphrase_only() {
    let folder = Folder::new();
    let own = folder.open("a passphrase of our own", true).unwrap();
    own.create_missing("one", Algorithm::ES256).unwrap();
    assert!(own.signing_key("one").is_ok());
    for wrong in ["another passphrase", SANDBOX_PASSPHRASE] {
        let other = folder.open(wrong, false).unwrap();
        assert!(matches!(
            other.signing_key("one"),
            Err(KeyError::Passphrase(_))
        ));
    }
    assert!(matches!(
        folder.open("", false),
        Err(KeyError::EmptyPassphrase)
    ));
}

#[cfg(unix)]
#[test]
fn sec_37_a_key_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let keys = folder.sandbox();
    keys.create_missing("one", Algorithm::ES256).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.file("one")), mode(&folder.0)), (0o600, 0o700));
    for open in [0o640, 0o604, 0o620, 0o644, 0o666] {
        set_mode(&folder.file("one"), open);
        let refused = keys.signing_key("one").unwrap_err();
        assert!(
            matches!(refused, KeyError::Mode { mode, .. } if mode == open),
            "{refused}"
        );
    }
    set_mode(&folder.file("one"), 0o400);
    assert!(keys.signing_key("one").is_ok());
}

#[test]
fn a_name_is_no_path() {
    let folder = Folder::new();
    let keys = folder.sandbox();
    let long = "a".repeat(129);
    for name in [
        "",
        "..",
        ".one",
        "../one",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "One",
        "é",
        "a\0b",
        &long,
    ] {
        let refused = keys.create_missing(name, Algorithm::ES256);
        assert!(matches!(refused, Err(KeyError::Name(_))), "{name:?}");
        assert!(
            matches!(keys.signing_key(name), Err(KeyError::Name(_))),
            "{name:?}"
        );
    }
    assert!(matches!(
        keys.signing_key("absent"),
        Err(KeyError::Missing(_))
    ));
}

#[cfg(unix)]
#[test]
fn what_is_no_encrypted_key_is_refused() {
    let folder = Folder::new();
    let keys = folder.sandbox();
    let key = SoftwareKey::generate(Algorithm::ES256)
        .unwrap()
        .to_pkcs8_der()
        .unwrap();
    let plain = SecretDocument::try_from(key.as_slice()).unwrap();
    let plain = plain.to_pem("PRIVATE KEY", LineEnding::LF).unwrap();
    let mislabelled = plain.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for text in ["", "no key", &plain, &mislabelled] {
        std::fs::write(folder.file("one"), text).unwrap();
        set_mode(&folder.file("one"), 0o600);
        assert!(matches!(keys.signing_key("one"), Err(KeyError::Format(_))));
    }
    std::fs::write(folder.file("one"), [0xff; 9]).unwrap();
    assert!(matches!(keys.signing_key("one"), Err(KeyError::Format(_))));
}

#[test]
fn a_passphrase_is_stretched_once_however_many_keys_it_opens() {
    let folder = Folder::new();
    let own = folder.open("a passphrase of our own", true).unwrap();
    for name in ["one", "two", "three"] {
        own.create_missing(name, Algorithm::ES256).unwrap();
    }
    let again = folder.open("a passphrase of our own", true).unwrap();
    for name in ["one", "two", "three"] {
        again.signing_key(name).unwrap();
    }
    let texts = ["one", "two", "three"].map(|name| std::fs::read(folder.file(name)).unwrap());
    assert_ne!(texts[0], texts[1]);
    assert_eq!(derived::TIMES.get(), 1);
}

/// A command at the machine is often root's, and the gateway is not.
#[cfg(unix)]
#[test]
fn a_key_is_for_the_user_who_has_the_keys_whoever_makes_it() {
    let folder = Folder::new();
    let keys = folder.sandbox();
    let (service, other) = ((65_533, 65_533), (65_532, 65_532));
    if let Err(error) = file::change_owner(&folder.0, service) {
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        println!("skipped: only root makes files of other users");
        return;
    }
    let made = |name: &str| {
        assert!(keys.create_missing(name, Algorithm::ES256).unwrap());
        file::read(&folder.file(name)).unwrap();
        file::owner(&folder.file(name)).unwrap().unwrap()
    };
    assert_eq!(made("first"), service, "the folder's");
    file::change_owner(&folder.file("first"), other).unwrap();
    assert_eq!(made("second"), other, "the folder's user has none of them");
    file::change_owner(&folder.file("second"), service).unwrap();
    assert_eq!(made("third"), service, "the folder's user has one of them");
}

/// Nothing is committed that names a key which the gateway cannot read.
#[cfg(unix)]
#[test]
fn a_key_that_would_be_its_makers_alone_is_not_made_beside_those_of_another() {
    let folder = Folder::new();
    let keys = folder.sandbox();
    if file::change_owner(&folder.0, (65_533, 65_533)).is_err() {
        println!("skipped: only root makes files of other users");
        return;
    }
    let refuse = |_: &Path, _: file::Owner| Err(std::io::ErrorKind::PermissionDenied.into());
    let make = |name: &str| file::create_for(&folder.file(name), b"a key", refuse);
    // No gateway has a key here yet, and who begins may be the gateway.
    assert!(make("first").unwrap());
    let own = file::owner(&folder.file("first")).unwrap().unwrap();
    assert!(make("second").unwrap(), "the keys are their maker's");
    for name in ["first", "second"] {
        file::change_owner(&folder.file(name), (65_533, 65_533)).unwrap();
    }
    assert_ne!(own.0, 65_533);
    let refused = make("third").unwrap_err();
    assert!(matches!(&refused, KeyError::Owner(place) if *place == folder.0));
    assert_eq!(keys.names().unwrap(), ["first", "second"]);
    assert_eq!(
        std::fs::read_dir(&folder.0).unwrap().count(),
        2,
        "no draft stays"
    );
}

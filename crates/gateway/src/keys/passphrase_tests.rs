//! A change of the passphrase, file by file.
#![allow(clippy::unwrap_used)]
use std::time::{Duration, SystemTime};

use standards::jose::Signer;

use super::passphrase::{Changed, Unchanged};
use super::tests::{Folder, set_mode};
use super::*;

const OLD: &str = "a passphrase from before";
const NEW: &str = "a passphrase of today";
const NAMES: [&str; 3] = ["audit", "org.credentials", "org.status"];

/// Keys that the old passphrase closes.
fn closed_with_the_old_one() -> Folder {
    let folder = Folder::new();
    let keys = folder.open(OLD, true).unwrap();
    for name in NAMES {
        keys.create_missing(name, Algorithm::ES256).unwrap();
    }
    folder
}

fn both(folder: &Folder) -> KeyStore {
    let keys = folder.open(NEW, true).unwrap();
    keys.opening_with([Zeroizing::new(OLD.to_owned())]).unwrap()
}

fn kids(keys: &KeyStore) -> [String; 3] {
    NAMES.map(|name| keys.signing_key(name).unwrap().public_jwk().thumbprint())
}

fn texts(folder: &Folder) -> [Vec<u8>; 3] {
    NAMES.map(|name| std::fs::read(folder.file(name)).unwrap())
}

/// SEC-37
#[test]
fn sec_37_a_change_of_the_passphrase_closes_every_file_anew_and_leaves_the_keys_as_they_are() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = closed_with_the_old_one();
    let before = kids(&folder.open(OLD, true).unwrap());
    set_mode(&folder.file("audit"), 0o400);
    // An operator's file of another kind, named like a key.
    std::fs::write(folder.file("Notes"), "none of the gateway's").unwrap();
    set_mode(&folder.file("Notes"), 0o600);

    let keys = both(&folder);
    assert_eq!(kids(&keys), before);
    let changed = keys.change_passphrase(SystemTime::now(), &mut 0).unwrap();
    let expected = Changed {
        files: 3,
        rewritten: 3,
        drafts: 0,
        others: vec![folder.file("Notes")],
    };
    assert_eq!(changed, expected);
    assert_eq!(kids(&folder.open(NEW, true).unwrap()), before);
    let old = folder.open(OLD, true).unwrap();
    for name in NAMES {
        let opened = old.signing_key(name);
        assert!(matches!(opened, Err(KeyError::Passphrase(_))), "{name}");
    }
    let mode = std::fs::metadata(folder.file("audit"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o400);
    // Nothing is left to do, and nothing is done.
    let texts_before = texts(&folder);
    let again = keys.change_passphrase(SystemTime::now(), &mut 0).unwrap();
    assert_eq!((again.files, again.rewritten), (3, 0));
    assert_eq!(texts(&folder), texts_before);
    // What is made meanwhile is closed with the one in use.
    keys.create_missing("later", Algorithm::ES256).unwrap();
    folder
        .open(NEW, true)
        .unwrap()
        .signing_key("later")
        .unwrap();
}

#[test]
fn where_one_file_opens_with_no_passphrase_none_is_changed() {
    let folder = closed_with_the_old_one();
    let another = folder.open("another passphrase altogether", true).unwrap();
    another.create_missing("zz.last", Algorithm::ES256).unwrap();
    let before = texts(&folder);
    let refused = both(&folder).change_passphrase(SystemTime::now(), &mut 0);
    let Err(Unchanged::Wrong(path)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(path, folder.file("zz.last"));
    assert_eq!(texts(&folder), before);
    let said = Unchanged::Wrong(path).to_string();
    assert!(said.starts_with("key-passphrase-wrong: "), "{said}");
    // The sandbox's is nobody's earlier one.
    let sandbox = Zeroizing::new(SANDBOX_PASSPHRASE.to_owned());
    let refused = folder.open(NEW, true).unwrap().opening_with([sandbox]);
    assert!(matches!(refused, Err(KeyError::SandboxPassphrase)));
}

#[test]
fn a_change_that_was_broken_off_goes_on_and_what_a_crash_left_half_made_is_deleted() {
    let folder = closed_with_the_old_one();
    let before = kids(&folder.open(OLD, true).unwrap());
    // As after a crash behind the first file: the next one's draft is there, and one of a crash long ago.
    let keys = both(&folder);
    let first = file::read(&folder.file(NAMES[0])).unwrap();
    let opened = keys.opened(&folder.file(NAMES[0]), &first).unwrap();
    let anew = keys.closed(&opened.key).unwrap();
    assert!(file::replace(&folder.file(NAMES[0]), &first, anew.as_bytes()).unwrap());
    let draft = |id: &str| folder.0.join(format!("org.status.pem.{id}"));
    let (young, left) = (draft(&"0a".repeat(16)), draft(&"0b".repeat(16)));
    let now = SystemTime::now();
    for (path, hours) in [(&young, 0), (&left, 2), (&folder.0.join("notes"), 2)] {
        std::fs::write(path, "half").unwrap();
        let written = std::fs::File::options().write(true).open(path).unwrap();
        let at = now - Duration::from_hours(hours);
        written.set_modified(at).unwrap();
    }
    let changed = keys.change_passphrase(now, &mut 0).unwrap();
    assert_eq!(
        (changed.files, changed.rewritten, changed.drafts),
        (3, 2, 1)
    );
    assert_eq!(kids(&folder.open(NEW, true).unwrap()), before);
    assert!(young.exists() && !left.exists() && folder.0.join("notes").exists());
}

#[test]
fn a_key_that_is_destroyed_or_made_anew_meanwhile_is_not_overwritten() {
    let folder = closed_with_the_old_one();
    let path = folder.file(NAMES[0]);
    let read = file::read(&path).unwrap();
    std::fs::write(&path, "another").unwrap();
    assert!(!file::replace(&path, &read, b"closed anew").unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), b"another");
    std::fs::remove_file(&path).unwrap();
    assert!(!file::replace(&path, &read, b"closed anew").unwrap());
    assert!(!path.exists());
    // And no draft stays.
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 2);
}

/// Where a folder's files are links, what they lead to must not stay closed with the old one.
#[test]
fn a_file_that_is_a_link_stays_one_and_what_it_leads_to_is_closed_anew() {
    let folder = closed_with_the_old_one();
    let elsewhere = folder.0.join("elsewhere");
    std::fs::rename(folder.file("audit"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, folder.file("audit")).unwrap();
    let before = std::fs::read(&elsewhere).unwrap();
    let changed = both(&folder)
        .change_passphrase(SystemTime::now(), &mut 0)
        .unwrap();
    assert_eq!(changed.rewritten, 3);
    assert!(folder.file("audit").is_symlink());
    assert_ne!(std::fs::read(&elsewhere).unwrap(), before);
}

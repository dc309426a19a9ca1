#![allow(clippy::unwrap_used)]
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::*;

fn random(bytes: &mut [u8]) -> Result<(), SealError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| SealError::Crypto)
}

fn identity() -> Identity {
    Identity::generate(&mut random).unwrap()
}

fn sealed(content: &[u8], sealer: &Sealer) -> Vec<u8> {
    let mut writer = seal(Vec::new(), sealer, &mut random).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

/// And for somebody else.
fn for_one(key: &Identity) -> Sealer {
    let both = [&identity(), key].map(|key| key.recipient().unwrap());
    Sealer::Recipients(both.into())
}

fn opened(file: &[u8], opener: &Opener) -> Result<Vec<u8>, SealError> {
    let mut content = Vec::new();
    let read = open(file, opener).and_then(|mut reader| reader.read_to_end(&mut content));
    match read {
        Ok(_) => Ok(content),
        Err(error) => Err(*error
            .get_ref()
            .unwrap()
            .downcast_ref::<SealError>()
            .unwrap()),
    }
}

fn with(identity: Identity) -> Opener {
    Opener::Identities(vec![self::identity(), identity])
}

fn bytes(length: usize) -> Vec<u8> {
    (0..251).cycle().take(length).collect()
}

#[test]
fn sec_37_a_file_of_any_length_is_opened_by_its_key_and_by_no_other() {
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let (content, key) = (bytes(length), identity());
        let file = sealed(&content, &for_one(&key));
        assert_eq!(opened(&file, &with(identity())), Err(SealError::Locked));
        assert_eq!(opened(&file, &with(key)).unwrap(), content, "{length}");
    }
}

#[test]
fn sec_37_a_file_is_opened_by_its_passphrase_and_by_no_other() {
    let passphrase = |text: &str| Zeroizing::new(text.to_owned());
    let file = sealed(b"content", &Sealer::Passphrase(passphrase("correct horse")));
    let opener = |text| Opener::Passphrase(Passphrase::new(passphrase(text)));
    let right = opener("correct horse");
    assert_eq!(opened(&file, &right).unwrap(), b"content");
    let wrong = opener("correct Horse");
    assert_eq!(opened(&file, &wrong), Err(SealError::Locked));
    assert_eq!(opened(&file, &with(identity())), Err(SealError::Locked));
    let text = String::from_utf8_lossy(&file).replacen(" 17\n", " 30\n", 1);
    assert_eq!(opened(text.as_bytes(), &right), Err(SealError::TooMuchWork));
}

/// At every byte, but for the middle of the payload, where one is like the other.
#[test]
fn sec_37_a_file_that_was_cut_off_or_changed_anywhere_is_refused() {
    let key = identity();
    let file = sealed(&bytes(150_000), &for_one(&key));
    let opener = with(key);
    let (head, tail) = (600, file.len() - 40);
    let places = (0..head)
        .chain((head..tail).step_by(9_973))
        .chain(tail..file.len());
    for place in places {
        let cut = opened(&file[..place], &opener);
        assert_eq!(cut, Err(SealError::Truncated), "cut at {place}");
        let mut changed = file.clone();
        changed[place] ^= 1;
        assert!(opened(&changed, &opener).is_err(), "changed at {place}");
    }
    // Cut where a chunk ends, or with its chunks in another order.
    let payload = file.len() - (150_000 + 3 * 16);
    let chunk = 65_536 + 16;
    for end in [payload, payload + chunk, payload + 2 * chunk] {
        assert_eq!(opened(&file[..end], &opener), Err(SealError::Truncated));
    }
    let mut turned = file.clone();
    turned[payload..].rotate_left(chunk);
    assert_eq!(opened(&turned, &opener), Err(SealError::Damaged));
    let longer = [&file[..], b"x"].concat();
    assert!(opened(&longer, &opener).is_err());
    assert_eq!(opened(b"PK\x03\x04", &opener), Err(SealError::NotSealed));
}

#[test]
fn keys_are_read_as_they_are_written_and_a_slip_is_noticed() {
    let key = identity();
    let text = format!("# made today\n\n{}\n", key.reveal().as_str());
    let read = Identity::parse_file(&text).unwrap();
    assert_eq!(read[0].recipient().unwrap(), key.recipient().unwrap());
    let recipient = key.recipient().unwrap().to_string();
    assert_eq!(recipient.parse(), Ok(key.recipient().unwrap()));
    for place in 0..recipient.len() {
        let mut slip = recipient.clone().into_bytes();
        slip[place] = if slip[place] == b'q' { b'p' } else { b'q' };
        let slip = String::from_utf8(slip).unwrap();
        assert_eq!(slip.parse::<Recipient>(), Err(SealError::NotAKey), "{slip}");
    }
    assert!(Identity::parse_file("# nothing\n").is_err());
    assert!(!format!("{key:?}").contains("AGE"));
}

fn tool(name: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut process = Command::new(name);
    process
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let Ok(mut process) = process.spawn() else {
        println!("skipped: `{name}` is not on this machine");
        return None;
    };
    process.stdin.take().unwrap().write_all(input).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}");
    Some(output.stdout)
}

#[test]
fn the_tool_of_that_name_opens_our_files_and_we_open_its() {
    let Some(made) = tool("age-keygen", &[], b"") else {
        return;
    };
    let keys = || Identity::parse_file(std::str::from_utf8(&made).unwrap()).unwrap();
    let recipient = keys()[0].recipient().unwrap();
    let named = format!("# public key: {recipient}\n");
    assert!(String::from_utf8_lossy(&made).contains(&named));

    let folder = std::env::temp_dir().join(format!("lanyard-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("key");
    std::fs::write(&file, &made).unwrap();
    let content = bytes(150_000);
    let ours = sealed(&content, &Sealer::Recipients(vec![recipient]));
    let key = file.display().to_string();
    assert_eq!(
        tool("age", &["--decrypt", "--identity", &key], &ours).unwrap(),
        content
    );
    let theirs = tool("age", &["--recipient", &recipient.to_string()], &content).unwrap();
    assert_eq!(
        opened(&theirs, &Opener::Identities(keys())).unwrap(),
        content
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

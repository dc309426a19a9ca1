//! Files that operators upload or set up, which others may have written.

use gateway::organisation::certificates::Chain;
use gateway::revoke::serials::Serials;
use ui::{Logo, Words};

use crate::scene::now;

/// The most certificates that a chain has.
const MOST: usize = 10;

/// HA-04, HA-07. What is published of an accepted chain are certificates that another reading accepts as the same chain, and
/// no private key that stood beside them.
pub(super) fn certificates(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let as_pem = |encoded: &[String]| {
        let wrapped = encoded.iter().map(|one| {
            let bytes = one.as_bytes().chunks(64);
            let lines = bytes.map(|line| String::from_utf8_lossy(line).into_owned());
            let lines = lines.collect::<Vec<_>>().join("\n");
            format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
        });
        wrapped.collect::<String>()
    };
    // As a file, and as the DER of the key's own certificate.
    let der = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, data);
    for text in [text.into_owned(), as_pem(&[der])] {
        let Ok(chain) = Chain::parse(&text) else {
            continue;
        };
        assert!(!text.contains("PRIVATE KEY"), "a private key was taken");
        assert!((1..=MOST).contains(&chain.x5c().len()));
        if chain.holds(now()) {
            assert!(chain.days_left(now()) >= 0);
        }
        let again = Chain::parse(&as_pem(chain.x5c()));
        assert_eq!(
            again.as_ref(),
            Ok(&chain),
            "another chain when it is read again"
        );
    }
}

/// SEC-35. An accepted logo is the bytes that were sent, a PNG, and has room on a page.
pub(super) fn logo(data: &[u8]) {
    let of_text = std::str::from_utf8(data).ok();
    let of_text = of_text.and_then(|text| Logo::parse_text(text).ok());
    let of_bytes = Logo::parse(data).ok();
    if let Some(logo) = &of_bytes {
        assert_eq!(logo.bytes(), data);
    }
    for logo in [of_bytes, of_text].into_iter().flatten() {
        assert!(logo.bytes().starts_with(b"\x89PNG\r\n\x1a\n"));
        let (width, height) = logo.sides();
        assert!(
            (1..=160).contains(&width) && height == 40,
            "{width} × {height}"
        );
        let kept = Logo::parse_text(&logo.to_string());
        assert_eq!(kept, Ok(logo), "another logo when it is read again");
    }
}

/// Whoever is revoked stood in the file, each once.
pub(super) fn serials(data: &[u8]) {
    let Ok(serials) = Serials::parse(data) else {
        return;
    };
    let text = String::from_utf8_lossy(data).to_ascii_lowercase();
    let plain: String = text.chars().filter(|c| *c != '-').collect();
    for number in &serials.numbers {
        let written = number.simple().to_string();
        assert!(plain.contains(&written), "{number} did not stand there");
    }
    let lines = text.split(['\n', '\r']).count();
    assert!(serials.numbers.len() + serials.repeated <= lines);
    let list = serials.numbers.iter().map(|number| format!("{number}\n"));
    let again = Serials::parse(list.collect::<String>().as_bytes()).expect("a list of numbers");
    assert_eq!((again.numbers, again.repeated), (serials.numbers, 0));
}

/// Every text of an accepted catalogue can be said, with and without what stands in its places; and a catalogue does not
/// differ from itself.
pub(super) fn catalogue(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(words) = Words::parse("cy", text) else {
        return;
    };
    for key in words.keys() {
        let _ = words.say(key);
        let _ = words.say_with(key, &[("when", "<b>"), ("until", "{$when}")]);
    }
    assert_eq!(words.differences(&words), Vec::<String>::new());
}

//! The words, letter by letter.

use super::*;
use crate::desk::{Smtp, SmtpSecurity};

fn options() -> MailOptions {
    MailOptions {
        smtp: Smtp {
            host: "localhost".to_owned(),
            port: 2525,
            security: SmtpSecurity::Loopback,
            login: None,
        },
        from: "Anytown NHS Trust <staff-services@anytown.example>".to_owned(),
        organisation: "Anytown NHS Trust".to_owned(),
        home: Some("https://staff.example/".parse().unwrap()),
        contact: "hr@anytown.example, 01234 567890".to_owned(),
    }
}

fn revoked(cause: Cause) -> Revoked<'static> {
    Revoked {
        first_name: "Sam",
        label: "Employment assignment",
        cause,
        at: "2026-11-18T11:00:00Z".parse().unwrap(),
        issued_at: (cause != Cause::NotConfirmed).then(|| "2026-11-03T09:30:00Z".parse().unwrap()),
    }
}

fn body(revoked: &Revoked<'_>) -> String {
    delete_credential(&options(), revoked).unwrap().body
}

#[test]
fn the_words_for_each_cause_are_those_of_its_file() {
    for (cause, expected) in [
        (Cause::Corrected, include_str!("letters/corrected.txt")),
        (Cause::EndedEarly, include_str!("letters/ended-early.txt")),
        (
            Cause::AddedInError,
            include_str!("letters/added-in-error.txt"),
        ),
        (Cause::Replaced, include_str!("letters/replaced.txt")),
        (
            Cause::NotConfirmed,
            include_str!("letters/not-confirmed.txt"),
        ),
        (Cause::WalletLost, include_str!("letters/wallet-lost.txt")),
    ] {
        let letter = delete_credential(&options(), &revoked(cause)).unwrap();
        assert_eq!(
            letter.subject,
            "Delete a credential from your digital wallet"
        );
        assert_eq!(letter.body, expected, "{cause:?}");
    }
}

#[test]
fn sec_31_there_is_one_link_at_most_and_it_is_the_portals_bare_address() {
    let corrected = revoked(Cause::Corrected);
    assert_eq!(body(&corrected).matches("://").count(), 1);
    let no_link = MailOptions {
        home: None,
        ..options()
    };
    let letter = delete_credential(&no_link, &corrected).unwrap();
    assert!(!letter.body.contains("://"));
    assert!(letter.body.contains("log in to your staff account and add"));
}

#[test]
fn sec_35_a_name_adds_no_line_no_link_and_no_other_direction_of_writing() {
    for (name, greeting) in [
        ("Sam\r\nBcc: all@anytown.example", "Dear colleague,"),
        (
            "Sam\r\n\r\nDo call this number",
            "Dear Sam Do call this number,",
        ),
        ("www.evil.example", "Dear colleague,"),
        ("https://evil.example/", "Dear colleague,"),
        ("\u{202e}maS\u{2066}", "Dear maS,"),
        ("Sam\u{2028}Ann", "Dear Sam Ann,"),
        ("Sam\0\u{7}", "Dear Sam,"),
        ("J. R.", "Dear J. R.,"),
        ("{label}", "Dear {label},"),
        ("Zoë-Ann O’Hara", "Dear Zoë-Ann O’Hara,"),
        ("", "Dear colleague,"),
        (" \u{200f} ", "Dear colleague,"),
    ] {
        let letter = body(&Revoked {
            first_name: name,
            ..revoked(Cause::Corrected)
        });
        assert_eq!(letter.lines().next(), Some(greeting), "{name:?}");
        assert_eq!(letter.lines().count(), 16, "{name:?}");
    }
    let long = "S".repeat(10_000);
    let letter = body(&Revoked {
        label: &long,
        ..revoked(Cause::Corrected)
    });
    assert!(letter.len() < 1_000);
}

#[test]
fn a_date_is_londons() {
    let before_midnight: Timestamp = "2026-07-01T23:30:00Z".parse().unwrap();
    assert_eq!(date(before_midnight), "2 July 2026");
    let in_winter: Timestamp = "2026-12-01T23:30:00Z".parse().unwrap();
    assert_eq!(date(in_winter), "1 December 2026");
}

#[test]
fn a_template_that_names_something_unknown_makes_no_mail() {
    assert_eq!(
        fill("Dear {nobody}", &[("name", "Sam")]),
        Err(UnknownPlaceholder("nobody".to_owned()))
    );
    assert!(fill("Dear {name", &[("name", "Sam")]).is_err());
    assert_eq!(fill("{a}{b}", &[("a", "{b}"), ("b", "2")]).unwrap(), "{b}2");
}

//! The words, letter by letter.

use super::super::texts::DRAFT_IN_WELSH;
use super::*;
use crate::desk::{Channel, Smtp, SmtpSecurity};

fn options() -> MailOptions {
    MailOptions {
        channel: Channel::Smtp(Smtp {
            host: "localhost".to_owned(),
            port: 2525,
            security: SmtpSecurity::Loopback,
            login: None,
            certificate_authority: None,
        }),
        from: "Anytown NHS Trust <staff-services@anytown.example>".to_owned(),
        organisation: "Anytown NHS Trust".to_owned(),
        home: Some("https://staff.example/".parse().unwrap()),
        contact: "hr@anytown.example, 01234 567890".to_owned(),
        texts: None,
        most_a_minute: None,
    }
}

fn revoked(cause: Cause) -> Revoked<'static> {
    Revoked {
        first_name: "Sam",
        label: "Employment assignment",
        cause,
        at: "2026-11-18T11:00:00Z".parse().unwrap(),
        issued_at: (cause != Cause::NotConfirmed).then(|| "2026-11-03T09:30:00Z".parse().unwrap()),
        language: Language::English,
    }
}

fn ours() -> Texts {
    Texts::load(None).unwrap()
}

fn body(revoked: &Revoked<'_>) -> String {
    delete_credential(&options(), &ours(), revoked)
        .unwrap()
        .body
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
        (
            Cause::RevokedAtGateway,
            include_str!("letters/revoked-at-gateway.txt"),
        ),
    ] {
        let letter = delete_credential(&options(), &ours(), &revoked(cause)).unwrap();
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
    let letter = delete_credential(&no_link, &ours(), &corrected).unwrap();
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
fn a_date_is_londons_and_in_the_mails_language() {
    let before_midnight: Timestamp = "2026-07-01T23:30:00Z".parse().unwrap();
    assert_eq!(Language::English.date(before_midnight), "2 July 2026");
    assert_eq!(Language::Welsh.date(before_midnight), "2 Gorffennaf 2026");
    let in_winter: Timestamp = "2026-12-01T23:30:00Z".parse().unwrap();
    assert_eq!(Language::English.date(in_winter), "1 December 2026");
    assert_eq!(Language::Welsh.date(in_winter), "1 Rhagfyr 2026");
}

/// A folder of texts that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("lanyard-texts-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        for (name, text) in files {
            std::fs::write(path.join(name), text).unwrap();
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_welsh_draft_for_each_cause_is_that_of_its_file_and_is_sent_only_where_it_was_taken_over() {
    let folder = Folder::with(&[("delete-credential.cy.txt", DRAFT_IN_WELSH)]);
    let taken_over = Texts::load(Some(&folder.0)).unwrap();
    for (cause, expected) in [
        (Cause::Corrected, include_str!("letters/corrected.cy.txt")),
        (
            Cause::EndedEarly,
            include_str!("letters/ended-early.cy.txt"),
        ),
        (
            Cause::AddedInError,
            include_str!("letters/added-in-error.cy.txt"),
        ),
        (Cause::Replaced, include_str!("letters/replaced.cy.txt")),
        (
            Cause::NotConfirmed,
            include_str!("letters/not-confirmed.cy.txt"),
        ),
        (
            Cause::WalletLost,
            include_str!("letters/wallet-lost.cy.txt"),
        ),
        (
            Cause::RevokedAtGateway,
            include_str!("letters/revoked-at-gateway.cy.txt"),
        ),
    ] {
        let in_welsh = || Revoked {
            language: Language::Welsh,
            ..revoked(cause)
        };
        let letter = delete_credential(&options(), &taken_over, &in_welsh()).unwrap();
        assert_eq!(letter.body, expected, "{cause:?}");
        assert_eq!(letter.subject, "Dilëwch dystlythyr o'ch waled ddigidol");
        assert_eq!(letter.language, Language::Welsh);
        let letter = delete_credential(&options(), &ours(), &in_welsh()).unwrap();
        assert_eq!(letter.language, Language::English);
        assert!(letter.body.starts_with("Dear Sam,"));
    }
}

#[test]
fn sec_40_a_template_kept_elsewhere_is_sent_the_same_words_and_no_others() {
    let letter = delete_credential(&options(), &ours(), &revoked(Cause::Corrected)).unwrap();
    let values: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&letter.personalisation).unwrap();
    let mut names: Vec<&str> = values.keys().map(String::as_str).collect();
    let mut known = PLACEHOLDERS;
    names.sort_unstable();
    known.sort_unstable();
    assert_eq!(names, known);
    for (name, value) in values {
        assert!(letter.body.contains(value.as_str().unwrap()), "{name}");
    }
}

#[test]
fn sec_35_no_value_from_a_record_makes_a_link_or_a_placeholder_at_notify() {
    let letter = body(&Revoked {
        first_name: "Sam [here](evil",
        label: "Fire ((safety)) [click](x) <b>",
        ..revoked(Cause::Corrected)
    });
    assert!(letter.starts_with("Dear Sam here(evil,"), "{letter}");
    assert!(
        letter.contains("your Fire (safety) click(x) b credential"),
        "{letter}"
    );
}

#[test]
fn the_operators_text_stands_in_place_of_ours() {
    let own = include_str!("texts/delete-credential.txt")
        .replace("Delete a credential from your digital wallet", "Please act")
        .replace("Dear {first_name}", "Hello {first_name}")
        .replace('\n', "\r\n");
    let folder = Folder::with(&[
        ("delete-credential.txt", own.as_str()),
        ("notes.md", "ours"),
    ]);
    let texts = Texts::load(Some(&folder.0)).unwrap();
    let letter = delete_credential(&options(), &texts, &revoked(Cause::Corrected)).unwrap();
    assert_eq!(letter.subject, "Please act");
    assert!(
        letter.body.starts_with("Hello Sam,\n\nOn 18 November"),
        "{}",
        letter.body
    );
}

#[test]
fn an_operators_text_that_would_not_do_is_refused_and_the_placeholder_is_named() {
    let ours = include_str!("texts/delete-credential.txt");
    let name = "delete-credential.txt";
    for (file, text, wanted) in [
        (
            name,
            ours.replace("{find_it}", "Find it"),
            "{find_it} is missing",
        ),
        (
            name,
            ours.replace("{contact}", "{phone}"),
            "no placeholder {phone}",
        ),
        (
            name,
            ours.replace("{contact}", "{contact"),
            "no placeholder {contact.",
        ),
        (
            name,
            ours.replacen("\n\n", "\n", 1),
            "the first line is the subject",
        ),
        (
            name,
            ours.replacen("wallet", "{label}", 1),
            "the first line is the subject",
        ),
        (name, String::new(), "the first line is the subject"),
        (name, "x".repeat(20_000), "larger than"),
        (
            "delete-credential.fr.txt",
            ours.to_owned(),
            "there is no mail for",
        ),
        (
            "delete-credential.en.txt",
            ours.to_owned(),
            "there is no mail for",
        ),
        (
            "remove-credential.txt",
            ours.to_owned(),
            "there is no mail for",
        ),
    ] {
        let folder = Folder::with(&[(file, text.as_str())]);
        let refused = Texts::load(Some(&folder.0)).unwrap_err().to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
    let nowhere = std::path::Path::new("/nowhere/at/all");
    assert!(Texts::load(Some(nowhere)).is_err());
}

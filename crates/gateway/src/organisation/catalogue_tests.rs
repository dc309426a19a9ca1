#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::json;

fn identity() -> Map<String, Value> {
    let draft = json!({
        "ID-LegalFirstName": "Anna", "ID-LegalSurname": "Jones", "ID-BirthDate": "1990-02-03",
        "UniqueIdentifier": "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
    });
    draft.as_object().unwrap().clone()
}

fn checked(change: impl FnOnce(&mut Map<String, Value>)) -> Result<Map<String, Value>, DraftError> {
    let mut draft = identity();
    change(&mut draft);
    Catalogue::built_in()
        .unwrap()
        .find("Identity")
        .unwrap()
        .check(&draft)
}

#[test]
fn a_draft_that_fits_is_kept_as_it_is() {
    assert_eq!(checked(|_| ()).unwrap(), identity());
}

#[test]
fn a_draft_off_its_type_is_refused_with_the_attribute_named_and_its_value_unsaid() {
    let field = |error: DraftError| error.to_string();
    assert_eq!(
        field(checked(|d| drop(d.insert("Extra".into(), json!("x")))).unwrap_err()),
        "Extra is not an attribute of this credential type"
    );
    let strange = "ID-\u{2d2}\"Sur\\name\u{7}\u{202e}";
    assert_eq!(
        field(checked(|d| drop(d.insert(strange.into(), json!("x")))).unwrap_err()),
        "ID-Surname is not an attribute of this credential type"
    );
    assert_eq!(
        field(checked(|d| drop(d.remove("ID-BirthDate"))).unwrap_err()),
        "ID-BirthDate is missing"
    );
    assert_eq!(
        field(checked(|d| drop(d.insert("ID-LegalSurname".into(), json!("")))).unwrap_err()),
        "ID-LegalSurname is missing"
    );
    assert_eq!(
        field(checked(|d| drop(d.insert("ID-LegalSurname".into(), json!(7)))).unwrap_err()),
        "ID-LegalSurname must be a text"
    );
    for bad in [
        "03/02/1990",
        "1990-2-3",
        "1990-02-30",
        "1990-02-03T00:00:00Z",
    ] {
        let error =
            field(checked(|d| drop(d.insert("ID-BirthDate".into(), json!(bad)))).unwrap_err());
        assert_eq!(error, "ID-BirthDate must be a date as YYYY-MM-DD");
    }
    let error =
        field(checked(|d| drop(d.insert("UniqueIdentifier".into(), json!("me")))).unwrap_err());
    assert_eq!(error, "UniqueIdentifier must be a UUID");
}

#[test]
fn text_that_would_change_how_other_text_reads_is_refused() {
    for bad in ["a\nb", "a\u{202E}b", "\u{2066}x", "a\0"] {
        assert!(checked(|d| drop(d.insert("ID-LegalSurname".into(), json!(bad)))).is_err());
    }
}

#[test]
fn a_type_file_with_an_unknown_key_stops_the_start() {
    let text = format!("colour = \"red\"\n{}", BUILT_IN[0]);
    assert!(matches!(
        Catalogue::parse([("x".to_owned(), text)].into_iter()),
        Err(CatalogueError::Unreadable { .. })
    ));
}

/// One of the types in the box with lines added at its top.
fn with(lines: &str) -> Result<Catalogue, CatalogueError> {
    let text = format!("{lines}\n{}", BUILT_IN[3]);
    Catalogue::parse([("x".to_owned(), text)].into_iter())
}

#[test]
fn a_type_says_where_the_end_of_its_credentials_comes_from() {
    for (written, meant) in [
        ("hint_exp", ExpiryFrom::HintExp),
        ("attribute", ExpiryFrom::Attribute),
    ] {
        let catalogue = with(&format!("expiry_from = \"{written}\"")).unwrap();
        let found = catalogue.find("FireSafety").unwrap();
        assert_eq!(found.expiry_from(ExpiryFrom::TypeAlone), meant);
    }
    let silent = with("").unwrap();
    let silent = silent.find("FireSafety").unwrap();
    assert_eq!(silent.expiry_from(ExpiryFrom::HintExp), ExpiryFrom::HintExp);
    // It has a date of its own.
    let contradiction = with("expiry_from = \"none\"").unwrap_err().to_string();
    assert!(contradiction.contains("expires_with"), "{contradiction}");
    assert!(with("expiry_from = \"exp\"").is_err());
}

#[test]
fn two_types_differ_in_more_than_capitals() {
    let other = BUILT_IN[0].replace("\"Identity\"", "\"IDENTITY\"");
    let files = [
        ("a".to_owned(), BUILT_IN[0].to_owned()),
        ("b".to_owned(), other),
    ];
    assert!(matches!(
        Catalogue::parse(files.into_iter()),
        Err(CatalogueError::Inconsistent { .. })
    ));
}

#[test]
fn a_scope_of_openid_connect_is_no_name_for_a_type() {
    for name in ["openid", "external", "profile", "offline_access"] {
        let text = BUILT_IN[0].replace("name = \"Identity\"", &format!("name = \"{name}\""));
        assert!(
            Catalogue::parse([("x".to_owned(), text)].into_iter()).is_err(),
            "{name}"
        );
    }
}

#[test]
fn a_date_time_as_dotnet_writes_it_is_a_date_time() {
    let catalogue = Catalogue::built_in().unwrap();
    let fire = catalogue.find("FireSafety").unwrap();
    let awarded = fire
        .attributes
        .iter()
        .find(|a| a.name == "FS-LastDateAwarded")
        .unwrap();
    for good in [
        "2026-05-01T09:30:00.1234567+01:00",
        "2026-05-01T09:30:00.0000000Z",
        "2026-05-01",
    ] {
        assert_eq!(awarded.check(good), Ok(()), "{good}");
    }
    let refused = awarded
        .check("2026-05-01T09:30:00.1234567")
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("FS-LastDateAwarded") && !refused.contains("09:30"),
        "{refused}"
    );
}

/// What an operator copies from the page is a type.
#[test]
fn the_example_of_the_operators_page_is_a_type() {
    let page = include_str!("../../../../docs/operate/gateway.md");
    let after = page.split("### Credential types").nth(1).unwrap();
    let example = after.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let file = ("FireSafety.toml".to_owned(), example.to_owned());
    let types = Catalogue::parse([file].into_iter());
    assert!(types.is_ok(), "{}", types.err().unwrap());
}

/// By its `vct` a credential is known as one of this type and of no other.
#[test]
fn each_type_has_an_address_of_its_own() {
    let catalogue = Catalogue::built_in().unwrap();
    for kind in catalogue.iter() {
        let address = format!("https://gateway.example/credential-types/{}", kind.name);
        assert_eq!(kind.vct("https://gateway.example"), address);
    }
}

/// The type of fire safety, with one text of its file for another.
fn changed(from: &str, to: &str) -> Result<Catalogue, CatalogueError> {
    assert!(BUILT_IN[3].contains(from), "{from}");
    let text = BUILT_IN[3].replacen(from, to, 1);
    Catalogue::parse([("x".to_owned(), text)].into_iter())
}

#[test]
fn a_type_that_does_not_hold_together_is_refused_and_says_why() {
    const FORMATS: &str = "[\"jwt_vc_json\", \"dc+sd-jwt\"]";
    for (from, to, why) in [
        ("\"FireSafety\"", "\"\"", "the name must be"),
        ("\"FireSafety\"", "\"Fire safety\"", "the name must be"),
        ("\"FireSafety\"", "\"Fire_Safety\"", "the name must be"),
        (FORMATS, "[]", "formats must"),
        (FORMATS, "[\"dc+sd-jwt\", \"dc+sd-jwt\"]", "formats must"),
        ("= 3650", "= 0", "valid_for_days must"),
        ("= 3650", "= 36501", "valid_for_days must"),
        (
            "\"FS-Level\"",
            "\"FS Level\"",
            "the attribute name FS Level",
        ),
        (
            "\"FS-Level\"",
            "\"FS-Origin\"",
            "the attribute name FS-Origin",
        ),
        (
            "\"FS-Level\"",
            "\"SerialNumber\"",
            "SerialNumber is the gateway's own",
        ),
        ("\"FS-Level\"", "\"id\"", "id is the gateway's own"),
        (
            "\"UniqueIdentifier\"",
            "\"Unique\"",
            "UniqueIdentifier must",
        ),
        (
            "kind = \"uuid\"",
            "kind = \"text\"",
            "UniqueIdentifier must",
        ),
        (
            "kind = \"uuid\"\nmandatory = true",
            "kind = \"uuid\"\nmandatory = false",
            "UniqueIdentifier must",
        ),
        (
            "= \"FS-DateTo\"",
            "= \"FS-Until\"",
            "expires_with names FS-Until",
        ),
        (
            "= \"FS-DateTo\"",
            "= \"FS-Origin\"",
            "expires_with names FS-Origin",
        ),
    ] {
        let refused = changed(from, to).unwrap_err().to_string();
        assert!(refused.contains(why), "{to}: {refused}");
    }
    for (from, to) in [
        ("\"FireSafety\"", "\"Fire-Safety-2\""),
        (FORMATS, "[\"dc+sd-jwt\"]"),
        ("= 3650", "= 36500"),
        ("= 3650", "= 1"),
    ] {
        assert!(changed(from, to).is_ok(), "{to}");
    }
}

#[test]
fn a_value_has_the_shape_of_its_kind_and_is_one_that_the_type_lists() {
    let catalogue = Catalogue::built_in().unwrap();
    let fire = &catalogue.find("FireSafety").unwrap().attributes;
    let longest = "\u{e9}".repeat(LONGEST);
    let longer = format!("{longest}x");
    for (name, text, fits) in [
        ("FS-Origin", longest.as_str(), true),
        ("FS-Origin", longer.as_str(), false),
        ("FS-Level", "0", true),
        ("FS-Level", "123456789012345678", true),
        ("FS-Level", "1234567890123456789", false),
        ("FS-Level", "-1", false),
        ("FS-Level", "two", false),
        ("FS-Units", "Month", true),
        ("FS-Units", "month", false),
        (
            "UniqueIdentifier",
            "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
            true,
        ),
        (
            "UniqueIdentifier",
            "3f0c1c1e52f44b6f9b2f6f3a0a9f8d10",
            false,
        ),
        (
            "UniqueIdentifier",
            "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d1g",
            false,
        ),
    ] {
        let attribute = fire.iter().find(|one| one.name == name).unwrap();
        assert_eq!(attribute.check(text).is_ok(), fits, "{name}: {text}");
    }
}

#[test]
fn an_optional_attribute_may_be_absent_and_an_empty_one_is() {
    let catalogue = changed("mandatory = true", "mandatory = false").unwrap();
    let fire = catalogue.find("FireSafety").unwrap();
    let optional = &fire.attributes[0].name;
    let mut draft = Map::new();
    for attribute in fire.attributes.iter().filter(|one| one.mandatory) {
        let text = match attribute.kind {
            _ if !attribute.one_of.is_empty() => attribute.one_of[0].as_str(),
            Kind::Text => "x",
            Kind::Date | Kind::DateOrDateTime => "2026-05-01",
            Kind::Number => "1",
            Kind::Uuid => "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
        };
        draft.insert(attribute.name.clone(), json!(text));
    }
    assert_eq!(fire.check(&draft), Ok(draft.clone()));
    for absent in [json!(""), json!(null)] {
        let mut sent = draft.clone();
        sent.insert(optional.clone(), absent);
        assert_eq!(fire.check(&sent), Ok(draft.clone()));
    }
    draft.insert("FS-Level".into(), json!(null));
    assert_eq!(
        fire.check(&draft),
        Err(DraftError::Missing("FS-Level".into()))
    );
}

/// SEC-35: what another issuer signed is shown to people as well.
#[test]
fn sec_35_what_somebody_else_issued_has_the_shape_of_its_type() {
    let catalogue = Catalogue::built_in().unwrap();
    let fire = catalogue.find("FireSafety").unwrap();
    for (name, value, fits) in [
        ("FS-Origin", json!("Anytown"), true),
        ("FS-Origin", json!("a\u{202e}b"), false),
        ("FS-Origin", json!(7), false),
        ("FS-Origin", json!(null), false),
        // Mandatory, and nothing is said.
        ("FS-Origin", json!(""), false),
        ("FS-Pedigree", json!(""), true),
        ("FS-Level", json!("high"), false),
        // Which values there are is the issuer's business.
        ("FS-Units", json!("Decade"), true),
        ("Another", json!(7), true),
    ] {
        let claims = json!({ name: value });
        assert_eq!(fire.fits(claims.as_object().unwrap()), fits, "{claims}");
    }
}

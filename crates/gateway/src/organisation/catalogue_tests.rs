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

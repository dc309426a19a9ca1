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
fn a_credential_ends_with_its_own_date_at_the_end_of_that_day() {
    let catalogue = Catalogue::built_in().unwrap();
    let programme = catalogue.find("TrainingProgramme").unwrap();
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let draft = json!({ "TPR-ProgrammeEndDate": "2027-08-03" });
    let end = programme.expiry(draft.as_object().unwrap(), None, now);
    assert_eq!(end.to_string(), "2027-08-03T23:59:59Z");
}

#[test]
fn no_credential_outlives_what_its_type_allows() {
    let catalogue = Catalogue::built_in().unwrap();
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let end = catalogue.find("Identity").unwrap().expiry(
        &Map::new(),
        Some("2999-01-01T00:00:00Z".parse().unwrap()),
        now,
    );
    assert_eq!(end, now + SignedDuration::from_hours(24 * 1095));
}

#[test]
fn a_type_file_with_an_unknown_key_stops_the_start() {
    let text = format!("colour = \"red\"\n{}", BUILT_IN[0]);
    assert!(matches!(
        Catalogue::parse([("x".to_owned(), text)].into_iter()),
        Err(CatalogueError::Unreadable { .. })
    ));
}

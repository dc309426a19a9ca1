//! What the employer's records say of the test employees: the same few for everybody whom the portal serves, so that
//! a case differs from another in the person and nothing else.
//!
//! The dates are fixed: what is in force stays so for years, what has ended ended before anybody's first start.

use std::collections::BTreeMap;

use ::portal::staff::{Staff, StaffMember, StaffRecord};
use connector::SecretSource;

use super::people::{EVERYONE, Person};

/// The case of the employee who cannot use a wallet: no records, no section on the portal's pages.
const NOT_APPLICABLE: &str = "not-applicable";
/// The case of the employee who has a record in every state that a record can be in by itself.
const EVERY_STATE: &str = "match";

/// What a record says, name by name, but for the unique identifier, which the employer does not know.
type Says = Vec<(&'static str, &'static str)>;

/// Whether an employee can use a wallet at all.
pub fn is_applicable(person: &Person) -> bool {
    person.case != NOT_APPLICABLE
}

/// Everybody as the portal knows them; `passwords` by employee id.
pub fn staff(passwords: &BTreeMap<String, String>) -> anyhow::Result<Staff> {
    let employees = EVERYONE.iter().map(|person| {
        Ok(StaffMember {
            id: person.id.to_owned(),
            username: person.id.to_owned(),
            password: Some(SecretSource::held(passwords[person.id].as_str())),
            first_names: person.record.first_names.to_owned(),
            known_as: None,
            language: None,
            surname: person.record.surname.to_owned(),
            date_of_birth: Some(person.record.date_of_birth.parse()?),
            email: Some(format!("{}@anytown.example", person.id)),
            applicable: is_applicable(person),
            facts: BTreeMap::new(),
            records: records(person),
        })
    });
    Ok(Staff {
        employees: employees.collect::<anyhow::Result<_>>()?,
    })
}

fn records(person: &Person) -> Vec<StaffRecord> {
    if !is_applicable(person) {
        return Vec::new();
    }
    let placed = placement("Cardiology", "2026-08-05", "2031-08-05");
    let mut records = vec![
        record(person, "programme", "TrainingProgramme", programme()),
        record(person, "placement", "TrainingPlacement", placed),
        record(person, "fire-safety", "FireSafety", fire_safety()),
    ];
    if person.case == EVERY_STATE {
        let ended = placement("Acute internal medicine", "2025-08-06", "2026-07-31");
        // Nobody has written down yet where it will be, or until when.
        let mut planned = placement("Intensive care medicine", "2031-08-06", "");
        planned.retain(|(name, value)| *name != "TPL-Site" && !value.is_empty());
        records.push(StaffRecord {
            label: Some("Training placement (earlier)".to_owned()),
            ..record(person, "earlier-placement", "TrainingPlacement", ended)
        });
        records.push(StaffRecord {
            label: Some("Training placement (next)".to_owned()),
            ..record(person, "next-placement", "TrainingPlacement", planned)
        });
    }
    records
}

fn record(person: &Person, name: &str, credential_type: &str, says: Says) -> StaffRecord {
    let claims = says.into_iter();
    StaffRecord {
        id: format!("{}-{name}", person.id),
        credential_type: credential_type.to_owned(),
        label: None,
        claims: claims
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

#[rustfmt::skip]
fn programme() -> Says {
    vec![
        ("TPR-Name", "Cardiology"),
        ("TPR-ProgrammeStartDate", "2025-08-06"),
        ("TPR-ProgrammeEndDate", "2031-08-05"),
        ("TPR-Origin", "Anytown NHS Trust"),
        ("TPR-AssurancePolicy", "Postgraduate doctor trainee programme assessment"),
        ("TPR-AssuranceOutcome", "Postgraduate doctor trainee programme registration"),
        ("TPR-Provider", "Anytown NHS Trust"),
        ("TPR-Verifier", "Origin"),
        ("TPR-VerificationMethod", "Record Verification"),
        ("TPR-Pedigree", "Authoritative"),
        ("TPR-LastRefresh", "2026-11-01"),
    ]
}

#[rustfmt::skip]
fn placement(specialty: &'static str, begins: &'static str, ends: &'static str) -> Says {
    vec![
        ("TPL-Specialty", specialty),
        ("TPL-Grade", "ST4"),
        ("TPL-PlacementNPN", "ANY/RXX01/021/STR/003"),
        ("TPL-EmployingBodyOfPost", "Anytown NHS Trust"),
        ("TPL-Site", "Anytown General Hospital"),
        ("TPL-PlacementStartDate", begins),
        ("TPL-PlacementEndDate", ends),
        ("TPL-Origin", "Anytown NHS Trust"),
        ("TPL-AssurancePolicy", "Postgraduate doctor trainee placement assessment"),
        ("TPL-AssuranceOutcome", "Postgraduate doctor trainee placement registration"),
        ("TPL-Provider", "Anytown NHS Trust"),
        ("TPL-Verifier", "Origin"),
        ("TPL-VerificationMethod", "Record Verification"),
        ("TPL-Pedigree", "Authoritative"),
        ("TPL-LastRefresh", "2026-11-01"),
    ]
}

/// Also what the wallet of the employee without records holds from elsewhere.
#[rustfmt::skip]
pub fn fire_safety() -> Says {
    vec![
        ("FS-StatMandSubject", "Fire safety"),
        ("FS-Level", "1"),
        ("FS-AttainmentStatus", "ACHIEVED"),
        ("FS-CompetencyFramework", "CSTF"),
        ("FS-CompetencyName", "Fire safety level 1"),
        ("FS-LastDateAwarded", "2026-11-01"),
        ("FS-RenewalPeriod", "10"),
        ("FS-Units", "Year"),
        ("FS-LearningMethod", "elearning"),
        ("FS-DateTo", "2036-11-01"),
        ("FS-Origin", "Anytown NHS Trust"),
        ("FS-AssurancePolicy", "Core Skills Training Framework (CSTF)"),
        ("FS-AssuranceOutcome", "Evidence of completion of topic"),
        ("FS-Provider", "Anytown NHS Trust"),
        ("FS-Verifier", "Provider"),
        ("FS-VerificationMethod", "elearning completion"),
        ("FS-LastRefresh", "2026-11-01"),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use gateway::organisation::catalogue::Catalogue;

    use super::*;

    fn everybody() -> Vec<StaffMember> {
        let password = |person: &Person| (person.id.to_owned(), "a password".to_owned());
        let passwords = EVERYONE.iter().map(password).collect();
        staff(&passwords).unwrap().employees
    }

    #[test]
    fn a_record_says_what_its_type_asks_for_and_only_the_next_placement_not_all_of_it() {
        let catalogue = Catalogue::built_in().unwrap();
        for record in everybody().into_iter().flat_map(|one| one.records) {
            let mut kinds = catalogue.iter();
            let kind = kinds.find(|kind| kind.name == record.credential_type);
            let attributes = &kind.unwrap().attributes;
            let is_known = |name: &str| attributes.iter().any(|one| one.name == name);
            for name in record.claims.keys() {
                assert!(is_known(name), "{name} of {}", record.id);
            }
            let says_all = attributes.iter().all(|attribute| {
                !attribute.mandatory
                    || attribute.name == "UniqueIdentifier"
                    || record.claims.contains_key(&attribute.name)
            });
            assert_eq!(
                says_all,
                record.id != "anna-next-placement",
                "{}",
                record.id
            );
        }
    }

    #[test]
    fn everybody_whom_the_portal_serves_has_the_same_records_in_force() {
        let mut ids = BTreeSet::new();
        for (person, employee) in EVERYONE.iter().zip(everybody()) {
            let wanted = match person.case {
                "not-applicable" => 0,
                "match" => 5,
                _ => 3,
            };
            assert_eq!(employee.records.len(), wanted, "{}", person.case);
            for record in employee.records {
                assert!(ids.insert(record.id.clone()), "{} twice", record.id);
            }
        }
    }
}

//! What the employer's records say of the test employees: the same few for everybody whom the portal serves, so that
//! a case differs from another in the person and nothing else.
//!
//! The dates are fixed: what is in force stays so for years, what has ended ended before anybody's first start.

use std::collections::BTreeMap;

use super::people::{EVERYONE, Person};

/// The case of the employee who cannot use a wallet: no records, no section on the portal's pages.
const NOT_APPLICABLE: &str = "not-applicable";
/// The case of the employee who has a record in every state that a record can be in by itself.
const EVERY_STATE: &str = "match";

/// What a record says, name by name.
type Says = Vec<(&'static str, &'static str)>;

/// A record of one employee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id, also in addresses.
    pub id: String,
    /// Whose it is.
    pub employee: &'static str,
    /// What is made of it.
    pub credential_type: &'static str,
    /// What pages and mails call it.
    pub label: &'static str,
    /// What it says, but for the unique identifier, which the employer does not know.
    pub claims: BTreeMap<String, String>,
    /// Whether everything that it must say is known.
    pub complete: bool,
}

/// Whether an employee can use a wallet at all.
pub fn is_applicable(person: &Person) -> bool {
    person.case != NOT_APPLICABLE
}

/// Every record of every employee.
pub fn all() -> Vec<Record> {
    let people = EVERYONE.iter().filter(|person| is_applicable(person));
    people.flat_map(of).collect()
}

fn of(person: &Person) -> Vec<Record> {
    let placed = placement("Cardiology", "2026-08-05", "2031-08-05");
    let mut records = vec![
        record(
            person,
            "programme",
            "TrainingProgramme",
            "Training programme",
            programme(),
        ),
        record(
            person,
            "placement",
            "TrainingPlacement",
            "Training placement",
            placed,
        ),
        record(
            person,
            "fire-safety",
            "FireSafety",
            "Fire safety",
            fire_safety(),
        ),
    ];
    if person.case == EVERY_STATE {
        let ended = placement("Acute internal medicine", "2025-08-06", "2026-07-31");
        let label = "Training placement (earlier)";
        records.push(record(
            person,
            "earlier-placement",
            "TrainingPlacement",
            label,
            ended,
        ));
        // Nobody has written down yet where it will be, or until when.
        let mut planned = placement("Intensive care medicine", "2031-08-06", "");
        planned.retain(|(name, value)| *name != "TPL-Site" && !value.is_empty());
        let label = "Training placement (next)";
        let planned = record(
            person,
            "next-placement",
            "TrainingPlacement",
            label,
            planned,
        );
        records.push(Record {
            complete: false,
            ..planned
        });
    }
    records
}

fn record(
    person: &Person,
    name: &str,
    credential_type: &'static str,
    label: &'static str,
    says: Says,
) -> Record {
    let claims = says.into_iter();
    Record {
        id: format!("{}-{name}", person.id),
        employee: person.id,
        credential_type,
        label,
        claims: claims
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        complete: true,
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

    #[test]
    fn a_complete_record_says_what_its_type_asks_for_and_an_incomplete_one_does_not() {
        let catalogue = Catalogue::built_in().unwrap();
        for record in all() {
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
            assert_eq!(says_all, record.complete, "{}", record.id);
        }
    }

    #[test]
    fn everybody_whom_the_portal_serves_has_the_same_records_in_force() {
        let records = all();
        let ids: BTreeSet<_> = records.iter().map(|record| &record.id).collect();
        assert_eq!(ids.len(), records.len());
        for person in &EVERYONE {
            let own = records.iter().filter(|record| record.employee == person.id);
            let wanted = match person.case {
                "not-applicable" => 0,
                "match" => 5,
                _ => 3,
            };
            assert_eq!(own.count(), wanted, "{}", person.case);
        }
    }
}

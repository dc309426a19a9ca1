//! The world's employees and their records.

use std::collections::BTreeMap;

use connector::SecretSource;
use portal::staff::{Staff, StaffMember, StaffRecord};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// Anna's unique identifier, as her identity credential has it.
pub(crate) const ANNAS: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
/// Ben's.
pub(crate) const BENS: &str = "a7c6e1b2-9d3f-4c5a-8e7b-1f2d3c4b5a69";

/// What a claim says that is about the credential itself, whatever its type.
const ABOUT: [(&str, &str); 8] = [
    ("Origin", "NHS England"),
    ("AssurancePolicy", "Assessment of the programme"),
    ("AssuranceOutcome", "Registration on the programme"),
    ("Provider", "NHS England Workforce"),
    ("Verifier", "Origin"),
    ("VerificationMethod", "Record verification"),
    ("Pedigree", "Authoritative"),
    ("LastRefresh", "2026-11-01"),
];

fn claims(prefix: &str, facts: &[(&str, &str)]) -> BTreeMap<String, String> {
    let all = facts.iter().chain(&ABOUT);
    all.map(|(name, value)| (format!("{prefix}-{name}"), (*value).to_owned()))
        .collect()
}

fn record(id: &str, credential_type: &str, claims: BTreeMap<String, String>) -> StaffRecord {
    StaffRecord {
        id: id.to_owned(),
        credential_type: credential_type.to_owned(),
        label: None,
        claims,
    }
}

pub(crate) fn programme(id: &str) -> StaffRecord {
    let facts = [
        ("Name", "Cardiology"),
        ("ProgrammeStartDate", "2026-08-05"),
        ("ProgrammeEndDate", "2031-08-01"),
    ];
    record(id, "TrainingProgramme", claims("TPR", &facts))
}

fn fire_safety(id: &str) -> StaffRecord {
    let facts = [
        ("StatMandSubject", "Fire safety"),
        ("Level", "1"),
        ("AttainmentStatus", "Achieved"),
        ("CompetencyFramework", "Core skills"),
        ("CompetencyName", "Fire safety level 1"),
        ("LastDateAwarded", "2026-11-03"),
        ("RenewalPeriod", "5"),
        ("Units", "Year"),
        ("LearningMethod", "E-learning"),
        ("DateTo", "2031-11-02"),
    ];
    let mut record = record(id, "FireSafety", claims("FS", &facts));
    // A claim that need not be held.
    record.claims.remove("FS-Pedigree");
    record
}

fn placement(id: &str, end: &str) -> StaffRecord {
    let facts = [
        ("Specialty", "Cardiology"),
        ("Grade", "ST3"),
        ("EmployingBodyOfPost", "Anytown NHS Trust"),
        ("Site", "Anytown General"),
        ("PlacementStartDate", "2020-08-05"),
        ("PlacementEndDate", end),
    ];
    record(id, "TrainingPlacement", claims("TPL", &facts))
}

fn member(id: &str, names: (&str, &str), born: &str, records: Vec<StaffRecord>) -> StaffMember {
    StaffMember {
        id: format!("e-{id}"),
        username: id.to_owned(),
        password: Some(SecretSource::held(PASSWORD)),
        first_names: names.0.to_owned(),
        surname: names.1.to_owned(),
        known_as: None,
        language: None,
        date_of_birth: Some(born.parse().unwrap()),
        email: Some(format!("{id}@anytown.example")),
        applicable: true,
        facts: BTreeMap::new(),
        records,
    }
}

pub(crate) fn everybody() -> Staff {
    let mut incomplete = placement("anna-incomplete", "2031-08-01");
    incomplete.claims.remove("TPL-Site");
    let annas = vec![
        programme("anna-programme"),
        fire_safety("anna-fire"),
        placement("anna-ended", "2022-07-31"),
        incomplete,
    ];
    let bens = vec![programme("ben-programme")];
    let neds = vec![programme("ned-programme")];
    let mut ned = member("ned", ("Kim", "Patel"), "1979-01-30", neds);
    ned.applicable = false;
    Staff {
        employees: vec![
            member("anna", ("Anna", "Taylor"), "1990-04-12", annas),
            member("ben", ("Ben", "Osei"), "1985-11-02", bens),
            ned,
        ],
    }
}

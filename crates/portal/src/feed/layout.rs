//! What the columns mean: one row for each record, with what is known of its person in front; a person without records
//! has one row whose `record` is empty.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use connector::desk::Language;
use jiff::civil::Date;

use super::{Fault, Row};
use crate::credential_type::{self, CredentialType};
use crate::employees;
use crate::import::{as_typed, is_id};

/// Somebody, as the feed has them.
pub(super) struct Person {
    /// The first line about them.
    pub(super) line: usize,
    pub(super) id: String,
    pub(super) username: String,
    pub(super) first_names: String,
    pub(super) surname: String,
    pub(super) known_as: Option<String>,
    pub(super) date_of_birth: Option<Date>,
    pub(super) email: Option<String>,
    pub(super) language: Option<Language>,
    pub(super) applicable: bool,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) records: Vec<Record>,
}

/// A record, as the feed has it.
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) id: String,
    pub(super) credential_type: &'static CredentialType,
    pub(super) label: String,
    pub(super) claims: BTreeMap<String, String>,
}

/// What a column is about.
enum Meaning {
    Person(&'static str),
    /// `person.…`: something else that is known of a person, where a rule asks for it.
    Fact(Option<String>),
    Record(&'static str),
    Claim(String),
}

const PERSON: [&str; 9] = [
    "employee",
    "username",
    "first_names",
    "surname",
    "known_as",
    "date_of_birth",
    "email",
    "language",
    "applicable",
];
const MANDATORY: [&str; 4] = ["employee", "username", "first_names", "surname"];
const RECORD: [&str; 3] = ["record", "credential_type", "label"];
/// How the name of a column begins that holds something else about a person.
pub(crate) const FACT: &str = "person.";
/// The longest text about a person.
const LONGEST: usize = 200;

fn meanings(columns: &[String], facts: &BTreeSet<&str>) -> Result<Vec<Meaning>, Vec<Fault>> {
    let (mut faults, mut seen) = (Vec::new(), HashSet::new());
    let mut meanings = Vec::new();
    for column in columns {
        let name = column.as_str();
        let is_claim = || {
            let mut all = credential_type::all()
                .iter()
                .flat_map(CredentialType::attributes);
            all.any(|attribute| attribute.name == name)
        };
        if !seen.insert(name) {
            faults.push(Fault::new(1, format!("the column {name:?} is there twice")));
        } else if let Some(known) = PERSON.into_iter().find(|known| *known == name) {
            meanings.push(Meaning::Person(known));
        } else if let Some(known) = RECORD.into_iter().find(|known| *known == name) {
            meanings.push(Meaning::Record(known));
        } else if let Some(fact) = name.strip_prefix(FACT).filter(|fact| !fact.is_empty()) {
            // What nobody asks for is not kept.
            let is_asked_for = facts.contains(fact);
            meanings.push(Meaning::Fact(is_asked_for.then(|| fact.to_owned())));
        } else if is_claim() {
            meanings.push(Meaning::Claim(name.to_owned()));
        } else {
            let reason = format!(
                "there is no column {name:?}; what else is known of a person is called person.…"
            );
            faults.push(Fault::new(1, reason));
        }
    }
    for missing in MANDATORY.into_iter().filter(|name| !seen.contains(name)) {
        faults.push(Fault::new(1, format!("the column {missing} is missing")));
    }
    let is_missing = |fact: &&&str| !seen.contains(format!("{FACT}{fact}").as_str());
    for missing in facts.iter().filter(is_missing) {
        let reason =
            format!("the column {FACT}{missing}, which a rule of [[applies]] asks for, is missing");
        faults.push(Fault::new(1, reason));
    }
    if faults.is_empty() {
        Ok(meanings)
    } else {
        Err(faults)
    }
}

/// Everybody, or every fault.
pub(super) fn read(
    columns: &[String],
    rows: &[Row],
    facts: &BTreeSet<&str>,
) -> Result<Vec<Person>, Vec<Fault>> {
    let meanings = meanings(columns, facts)?;
    let mut reader = Reader::default();
    for row in rows {
        if let Err(reason) = reader.read(&meanings, row) {
            reader.faults.push(Fault::new(row.line, reason));
        }
    }
    reader.check_usernames();
    if reader.faults.is_empty() {
        Ok(reader.people)
    } else {
        reader.faults.sort_by_key(|fault| fault.line);
        Err(reader.faults)
    }
}

#[derive(Default)]
struct Reader {
    people: Vec<Person>,
    by_id: HashMap<String, usize>,
    /// In which line a record's id was first.
    records: HashMap<String, usize>,
    faults: Vec<Fault>,
}

impl Reader {
    fn read(&mut self, meanings: &[Meaning], row: &Row) -> Result<(), String> {
        let (mut person, mut record) = (HashMap::new(), HashMap::new());
        let (mut facts, mut claims) = (BTreeMap::new(), BTreeMap::new());
        for (meaning, value) in meanings.iter().zip(&row.values) {
            match meaning {
                Meaning::Person(name) => drop(person.insert(*name, value.as_str())),
                Meaning::Record(name) => drop(record.insert(*name, value.as_str())),
                // What is not held is left out, as in the staff file.
                Meaning::Fact(None) => {}
                Meaning::Claim(_) | Meaning::Fact(_) if value.is_empty() => {}
                Meaning::Fact(Some(name)) => drop(facts.insert(name.clone(), value.clone())),
                Meaning::Claim(name) => drop(claims.insert(name.clone(), value.clone())),
            }
        }
        let mut person = read_person(row.line, &person, facts)?;
        let record = self.read_record(row.line, &record, claims)?;
        if let Some(&at) = self.by_id.get(&person.id) {
            let before = &mut self.people[at];
            if !is_same(before, &person) {
                let first = before.line;
                return Err(format!(
                    "of this employee something else is said in line {first}"
                ));
            }
            before.records.extend(record);
        } else {
            person.records.extend(record);
            self.by_id.insert(person.id.clone(), self.people.len());
            self.people.push(person);
        }
        Ok(())
    }

    fn read_record(
        &mut self,
        line: usize,
        says: &HashMap<&str, &str>,
        claims: BTreeMap<String, String>,
    ) -> Result<Option<Record>, String> {
        let value = |name: &str| says.get(name).copied().unwrap_or_default();
        let (id, name, label) = (value("record"), value("credential_type"), value("label"));
        if id.is_empty() {
            return if name.is_empty() && label.is_empty() && claims.is_empty() {
                Ok(None)
            } else {
                Err("record: it is empty, and something is said about a record".to_owned())
            };
        }
        if !is_id(id) {
            return Err(
                "record: an id consists of lower-case letters, digits and hyphens".to_owned(),
            );
        }
        let credential_type =
            credential_type::find(name).ok_or("credential_type: there is no such type")?;
        if label.len() > LONGEST || label.chars().any(char::is_control) {
            return Err(format!("label: it has at most {LONGEST} characters"));
        }
        for (name, value) in &claims {
            let mut attributes = credential_type.attributes();
            let attribute = attributes.find(|one| one.name == *name);
            let attribute =
                attribute.ok_or_else(|| format!("{name}: it is no claim of this type"))?;
            attribute
                .check(value)
                .map_err(|wrong| format!("{name}: {wrong}"))?;
        }
        if let Some(first) = self.records.insert(id.to_owned(), line) {
            return Err(format!("record: the id is taken in line {first}"));
        }
        let label = if label.is_empty() {
            &credential_type.label
        } else {
            label
        };
        Ok(Some(Record {
            line,
            id: id.to_owned(),
            credential_type,
            label: label.to_owned(),
            claims,
        }))
    }

    fn check_usernames(&mut self) {
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for person in &self.people {
            if let Some(first) = lines.insert(&person.username, person.line) {
                let reason = format!("username: another employee has it in line {first}");
                self.faults.push(Fault::new(person.line, reason));
            }
        }
    }
}

fn read_person(
    line: usize,
    says: &HashMap<&str, &str>,
    facts: BTreeMap<String, String>,
) -> Result<Person, String> {
    let value = |name: &str| says.get(name).copied().unwrap_or_default();
    let own = says.iter().map(|(name, value)| (*name, *value));
    let others = facts
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain(others) {
        if value.chars().count() > LONGEST || value.chars().any(char::is_control) {
            return Err(format!(
                "{name}: it has at most {LONGEST} characters, none of which is a control character"
            ));
        }
    }
    let id = value("employee");
    if !is_id(id) {
        return Err(
            "employee: an id consists of lower-case letters, digits and hyphens".to_owned(),
        );
    }
    for name in ["username", "first_names", "surname"] {
        if value(name).is_empty() {
            return Err(format!("{name}: it is empty"));
        }
    }
    let date_of_birth = match value("date_of_birth") {
        "" => None,
        date if date.len() == 10 => Some(date.parse().map_err(|_| WRONG_DATE)?),
        _ => return Err(WRONG_DATE.to_owned()),
    };
    let held = |name: &str| Some(value(name).to_owned()).filter(|value| !value.is_empty());
    let email = value("email");
    if !email.is_empty() && !email.contains('@') {
        return Err("email: it is no address".to_owned());
    }
    let language = match value("language") {
        "" => None,
        code => Some(employees::language(code).ok_or("language: it is en or cy")?),
    };
    let applicable = match value("applicable") {
        "" | "yes" | "true" | "1" => true,
        "no" | "false" | "0" => false,
        _ => return Err("applicable: it is yes or no".to_owned()),
    };
    Ok(Person {
        line,
        id: id.to_owned(),
        username: as_typed(value("username")),
        first_names: value("first_names").to_owned(),
        surname: value("surname").to_owned(),
        known_as: held("known_as"),
        date_of_birth,
        email: held("email"),
        language,
        applicable,
        facts,
        records: Vec::new(),
    })
}

const WRONG_DATE: &str = "date_of_birth: a date is written as 2026-11-03";

fn is_same(one: &Person, other: &Person) -> bool {
    let says = |one: &Person| {
        let names = [&one.username, &one.first_names, &one.surname].map(Clone::clone);
        (
            names,
            one.known_as.clone(),
            one.date_of_birth,
            one.email.clone(),
            one.language,
            one.applicable,
            one.facts.clone(),
        )
    };
    says(one) == says(other)
}

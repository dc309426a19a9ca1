//! Taking in the staff file: what is not there yet is added, what is there stays as it is.

use std::collections::HashSet;

use connector::SecretSource;
use connector::desk::Language;
use store::Statement;

use crate::app::App;
use crate::applies::Rules;
use crate::compose::ComposeError;
use crate::config::ConfigError;
use crate::credential_type;
use crate::employees::folded;
use crate::records::claims_text;
use crate::staff::{Staff, StaffMember, StaffRecord};

/// What is kept of the password of whoever has none.
const NO_PASSWORD: &str = "";

/// Takes everybody in, in one batch.
pub(crate) async fn take_in(app: &App, staff: &Staff) -> Result<(), ComposeError> {
    check(staff)?;
    let now = app.now();
    let known = app.employees().await?;
    let known: HashSet<&str> = known.iter().map(|one| one.id.as_str()).collect();

    // Hashing is slow on purpose: only for whom it is new, and as many at once as have a turn.
    let newcomers = staff
        .employees
        .iter()
        .filter(|member| !known.contains(member.id.as_str()));
    let mut hashing = Vec::new();
    for member in newcomers {
        let key = format!("staff: {}: password", member.id);
        let password = member.password.as_ref().map(SecretSource::read).transpose();
        let password = password.map_err(|error| ConfigError::value(key, error))?;
        let passwords = app.passwords.clone();
        let hash = tokio::spawn(async move {
            match password {
                Some(password) => passwords.hash(password).await,
                None => Ok(NO_PASSWORD.to_owned()),
            }
        });
        hashing.push((member, hash));
    }
    let mut batch = Vec::new();
    for (member, hash) in hashing {
        let hash = hash.await.map_err(|_| ComposeError::Passwords)?;
        let hash = hash.map_err(|_| ComposeError::Passwords)?;
        batch.push(insert_employee(member, &hash));
    }
    for member in &staff.employees {
        for (place, record) in (0_i64..).zip(&member.records) {
            batch.push(insert_record(member, place, record).bind(now));
        }
    }
    app.store.write(batch).await?;
    Ok(())
}

fn insert_employee(member: &StaffMember, password_hash: &str) -> Statement {
    Statement::new(
        "INSERT INTO portal_employees \
             (id, username, password_hash, first_names, surname, date_of_birth, email, email_folded, \
             applicable, facts, known_as, language) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&member.id)
    .bind(as_typed(&member.username))
    .bind(password_hash)
    .bind(&member.first_names)
    .bind(&member.surname)
    .bind(member.date_of_birth.map(|date| date.to_string()))
    .bind(member.email.as_ref())
    .bind(member.email.as_deref().map(folded))
    .bind(member.applicable)
    .bind(claims_text(&member.facts))
    .bind(member.known_as.as_ref())
    .bind(member.language.map(Language::code))
}

fn insert_record(member: &StaffMember, place: i64, record: &StaffRecord) -> Statement {
    let label = record.label.clone().or_else(|| {
        let credential_type = credential_type::find(&record.credential_type);
        credential_type.map(|found| found.label.clone())
    });
    Statement::new(
        "INSERT INTO portal_records \
             (id, employee, place, credential_type, label, claims, version, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&record.id)
    .bind(&member.id)
    .bind(place)
    .bind(&record.credential_type)
    .bind(label.unwrap_or_else(|| record.credential_type.clone()))
    .bind(claims_text(&record.claims))
}

/// Nobody would be let in by a rule about something that nobody has: a slip.
pub(crate) fn check_facts(staff: &Staff, rules: &Rules) -> Result<(), ConfigError> {
    let has = |fact: &str| {
        let mut members = staff.employees.iter();
        members.any(|member| member.facts.contains_key(fact))
    };
    match rules.facts().into_iter().find(|fact| !has(fact)) {
        Some(fact) => {
            let reason = format!("no employee of the staff file has the fact {fact:?}");
            Err(ConfigError::value("applies", reason))
        }
        None => Ok(()),
    }
}

/// A user name as it is kept and looked for: nobody knows whether theirs has a capital.
pub(crate) fn as_typed(username: &str) -> String {
    username.trim().to_lowercase()
}

fn check(staff: &Staff) -> Result<(), ConfigError> {
    let (mut ids, mut usernames, mut records) = (HashSet::new(), HashSet::new(), HashSet::new());
    for member in &staff.employees {
        let fault = |reason: &str| Err(ConfigError::value(format!("staff: {}", member.id), reason));
        if !is_id(&member.id) {
            return fault("an id consists of lower-case letters, digits and hyphens");
        }
        if !ids.insert(member.id.as_str()) {
            return fault("the id is taken twice");
        }
        let username = as_typed(&member.username);
        if username.is_empty() || !usernames.insert(username) {
            return fault("the username is empty or taken twice");
        }
        for record in &member.records {
            check_record(record)?;
            if !records.insert(record.id.as_str()) {
                let reason = "the id is taken twice";
                return Err(ConfigError::value(format!("staff: {}", record.id), reason));
            }
        }
    }
    Ok(())
}

fn check_record(record: &StaffRecord) -> Result<(), ConfigError> {
    let key = format!("staff: {}", record.id);
    if !is_id(&record.id) {
        let reason = "an id consists of lower-case letters, digits and hyphens";
        return Err(ConfigError::value(key, reason));
    }
    let Some(credential_type) = credential_type::find(&record.credential_type) else {
        return Err(ConfigError::value(key, "there is no such credential type"));
    };
    for (name, value) in &record.claims {
        let attribute = credential_type.attributes().find(|one| one.name == *name);
        let Some(attribute) = attribute else {
            let reason = format!("{name} is no claim of this type");
            return Err(ConfigError::value(key, reason));
        };
        attribute
            .check(value)
            .map_err(|wrong| ConfigError::value(format!("{key}: {name}"), wrong))?;
    }
    Ok(())
}

pub(crate) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(plain)
}

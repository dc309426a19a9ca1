//! What a feed changes: one batch, in which each record stands beside the revocations that follow from it.

use std::collections::HashMap;

use connector::desk::{Cause, Language};
use jiff::Timestamp;
use store::Statement;

use super::known::{Known, KnownEmployee, KnownRecord, SOURCE};
use super::layout::{self, Person};
use super::{Fault, FeedError, Limits, Taken};
use crate::app::App;
use crate::audit::{Act, FEED, Kind};
use crate::credential_type::day_of;
use crate::employees::{Employee, folded};
use crate::records::{Record, claims_text};

/// The statements, and what they come to.
pub(super) fn plan(
    app: &App,
    people: Vec<Person>,
    known: Known,
    limits: Limits,
) -> Result<(Vec<Statement>, Taken), FeedError> {
    check_against(&people, &known).map_err(FeedError::Layout)?;
    let mut plan = Plan {
        app,
        now: app.now(),
        batch: Vec::new(),
        taken: Taken::default(),
    };
    let Known {
        mut employees,
        mut records,
    } = known;
    let fed = [
        (
            "employees",
            employees
                .values()
                .filter(|one| one.is_fed && !one.has_left)
                .count(),
        ),
        (
            "records",
            records.values().filter(|one| is_there(one)).count(),
        ),
    ];
    // What the staff file brought counts, too: a feed that says it otherwise revokes it all the same.
    let there = [
        employees.values().filter(|one| !one.has_left).count(),
        records
            .values()
            .filter(|one| one.record.deleted_at.is_none())
            .count(),
    ];
    plan.free_usernames(&people, &employees);
    for person in people {
        plan.person(&person, employees.remove(&person.id).as_ref());
        for (place, record) in (0_i64..).zip(person.records) {
            let before = records.remove(&record.id);
            plan.record(&person.id, place, record, before);
        }
    }
    for left in employees
        .into_values()
        .filter(|one| one.is_fed && !one.has_left)
    {
        plan.left(&left.employee);
    }
    for gone in records.into_values().filter(is_there) {
        plan.removed(&gone.record);
    }
    let taken = plan.taken;
    let gone = [taken.employees_left, taken.records_removed];
    let changed = [taken.employees_changed, taken.records_changed];
    for (at, (what, fed)) in fed.into_iter().enumerate() {
        limits.check_removals(what, gone[at], fed)?;
        limits.check_changes(what, gone[at] + changed[at], there[at])?;
    }
    Ok((plan.batch, plan.taken))
}

fn is_there(one: &KnownRecord) -> bool {
    one.is_fed && one.record.deleted_at.is_none()
}

/// What only the portal's own rows show to be wrong.
fn check_against(people: &[Person], known: &Known) -> Result<(), Vec<Fault>> {
    let fed: HashMap<&str, &Person> = people.iter().map(|one| (one.id.as_str(), one)).collect();
    // Whom a feed brought and this one does not name leaves, or has left: their name is free.
    let kept = known
        .employees
        .values()
        .filter(|one| !one.is_fed && !fed.contains_key(one.employee.id.as_str()));
    let taken: HashMap<&str, &str> = kept
        .map(|one| (one.employee.username.as_str(), one.employee.id.as_str()))
        .collect();
    let mut faults = Vec::new();
    for person in people {
        if taken.contains_key(person.username.as_str()) {
            let reason = "username: an employee who is not in this feed has it";
            faults.push(Fault::new(person.line, reason));
        }
        for record in &person.records {
            let before = known.records.get(&record.id);
            if before.is_some_and(|before| before.record.employee != person.id) {
                let reason = "record: the portal knows it as another employee's";
                faults.push(Fault::new(record.line, reason));
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

struct Plan<'a> {
    app: &'a App,
    now: Timestamp,
    batch: Vec<Statement>,
    taken: Taken,
}

impl Plan<'_> {
    /// Whoever gets another user name gives the old one back first: two may swap theirs. And so does whoever has left,
    /// where somebody else has it now.
    fn free_usernames(&mut self, people: &[Person], employees: &HashMap<String, KnownEmployee>) {
        let wanted: HashMap<&str, &str> = people
            .iter()
            .map(|person| (person.username.as_str(), person.id.as_str()))
            .collect();
        let named: HashMap<&str, &str> = wanted.iter().map(|(name, id)| (*id, *name)).collect();
        for known in employees.values() {
            let employee = &known.employee;
            let gives_back = match named.get(employee.id.as_str()) {
                Some(username) => employee.username != *username,
                None => known.is_fed && wanted.contains_key(employee.username.as_str()),
            };
            if gives_back {
                let free =
                    Statement::new("UPDATE portal_employees SET username = $1 WHERE id = $2");
                // No user name that anybody can type: those are trimmed.
                self.batch
                    .push(free.bind(format!(" {}", employee.id)).bind(&employee.id));
            }
        }
    }

    fn person(&mut self, person: &Person, before: Option<&KnownEmployee>) {
        let now_is = Employee {
            id: person.id.clone(),
            username: person.username.clone(),
            first_names: person.first_names.clone(),
            surname: person.surname.clone(),
            known_as: person.known_as.clone(),
            date_of_birth: person.date_of_birth,
            email: person.email.clone(),
            language: person.language,
            applicable: person.applicable,
            facts: person.facts.clone(),
            chosen: None,
        };
        let Some(before) = before else {
            self.taken.employees_added += 1;
            self.batch.push(insert(&now_is));
            return;
        };
        if before.has_left {
            self.taken.employees_added += 1;
        } else if !before.employee.says_the_same_as(&now_is) {
            self.taken.employees_changed += 1;
        } else if before.is_fed {
            return;
        }
        self.batch.push(update(&now_is));
        if !before.employee.says_the_same_as(&now_is) {
            self.act(Act::by(FEED, Kind::PersonChanged).about(&now_is.id));
        }
        // Whom to write to is the desk's to know.
        self.batch.extend(now_is.at_desk(&self.app.desk));
        if !now_is.is_same_person_as(&before.employee) {
            self.batch
                .extend(self.app.desk.identity_changed(&now_is.id));
        }
    }

    fn act(&mut self, act: Act<'_>) {
        self.batch.push(act.statement(self.now));
    }

    /// They cannot log in any more, and what a session of theirs verified counts no longer.
    fn left(&mut self, employee: &Employee) {
        self.taken.employees_left += 1;
        let left = Statement::new("UPDATE portal_employees SET left_at = $1 WHERE id = $2");
        self.batch.push(left.bind(self.now).bind(&employee.id));
        self.act(Act::by(FEED, Kind::PersonLeft).about(&employee.id));
        self.batch
            .extend(self.app.desk.identity_changed(&employee.id));
    }

    fn record(
        &mut self,
        employee: &str,
        place: i64,
        record: layout::Record,
        before: Option<KnownRecord>,
    ) {
        let now_says = Record {
            id: record.id,
            employee: employee.to_owned(),
            credential_type: record.credential_type,
            label: record.label,
            claims: record.claims,
            version: before.as_ref().map_or(1, |before| before.record.version),
            changed_at: self.now,
            deleted_at: None,
        };
        let Some(KnownRecord {
            record: before,
            is_fed,
        }) = before
        else {
            self.taken.records_added += 1;
            let insert = insert_record(&now_says, place);
            self.batch.push(insert);
            return;
        };
        let is_there_again = before.deleted_at.is_some();
        let is_changed = before.credential_type.name != now_says.credential_type.name
            || before.label != now_says.label
            || before.claims != now_says.claims;
        if is_there_again {
            self.taken.records_added += 1;
        } else if is_changed {
            self.taken.records_changed += 1;
        } else if is_fed {
            return;
        }
        self.batch.push(update_record(&now_says, place));
        if is_changed && !is_there_again {
            let ends = now_says.ended_on(self.now).is_some() && before.ended_on(self.now).is_none();
            let cause = if ends {
                Cause::EndedEarly
            } else {
                Cause::Corrected
            };
            let says = now_says.for_desk();
            let follows = self
                .app
                .desk
                .record_changed(&now_says.id, Some(&says), cause);
            self.batch.extend(follows);
            let kind = if ends {
                Kind::RecordEnded
            } else {
                Kind::RecordChanged
            };
            let act = Act::by(FEED, kind).about(employee).of(&now_says.id);
            self.act(act.with(cause.code()));
        }
    }

    /// Why it is gone the feed does not say: what it was about is over. What has expired anyway is left to it.
    fn removed(&mut self, record: &Record) {
        self.taken.records_removed += 1;
        self.batch.push(record.delete(self.now));
        let act = Act::by(FEED, Kind::RecordDeleted).about(&record.employee);
        self.act(act.of(&record.id).with(Cause::EndedEarly.code()));
        let last_day = record.ended_on(self.now);
        if last_day.is_none_or(|day| day >= day_of(self.now)) {
            let follows = self
                .app
                .desk
                .record_changed(&record.id, None, Cause::EndedEarly);
            self.batch.extend(follows);
        }
    }
}

fn insert(employee: &Employee) -> Statement {
    let insert = Statement::new(
        "INSERT INTO portal_employees (username, first_names, surname, date_of_birth, email, \
             email_folded, applicable, facts, source, known_as, language, id, password_hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '')",
    );
    bind(insert, employee)
}

/// The password stays: a feed has none.
fn update(employee: &Employee) -> Statement {
    let update = Statement::new(
        "UPDATE portal_employees SET username = $1, first_names = $2, surname = $3, \
             date_of_birth = $4, email = $5, email_folded = $6, applicable = $7, facts = $8, source = $9, \
             known_as = $10, language = $11, left_at = NULL WHERE id = $12",
    );
    bind(update, employee).must_change(1)
}

fn bind(statement: Statement, employee: &Employee) -> Statement {
    statement
        .bind(&employee.username)
        .bind(&employee.first_names)
        .bind(&employee.surname)
        .bind(employee.date_of_birth.map(|date| date.to_string()))
        .bind(employee.email.as_ref())
        .bind(employee.email.as_deref().map(folded))
        .bind(employee.applicable)
        .bind(claims_text(&employee.facts))
        .bind(SOURCE)
        .bind(employee.known_as.as_ref())
        .bind(employee.language.map(Language::code))
        .bind(&employee.id)
}

fn insert_record(record: &Record, place: i64) -> Statement {
    let insert = Statement::new(
        "INSERT INTO portal_records (credential_type, label, claims, changed_at, place, source, id, \
             version, employee) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    bind_record(insert, record, place).bind(&record.employee)
}

/// Over the version that was read: whoever changed it meanwhile is not written over.
fn update_record(record: &Record, place: i64) -> Statement {
    let update = Statement::new(
        "UPDATE portal_records SET credential_type = $1, label = $2, claims = $3, changed_at = $4, \
             place = $5, source = $6, deleted_at = NULL, version = version + 1 \
         WHERE id = $7 AND version = $8",
    );
    bind_record(update, record, place).must_change(1)
}

fn bind_record(statement: Statement, record: &Record, place: i64) -> Statement {
    statement
        .bind(&record.credential_type.name)
        .bind(&record.label)
        .bind(claims_text(&record.claims))
        .bind(record.changed_at)
        .bind(place)
        .bind(SOURCE)
        .bind(&record.id)
        .bind(record.version)
}

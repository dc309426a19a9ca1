//! The employees, as HR has them.

use std::collections::BTreeMap;
use std::fmt;

use connector::desk::{Desk, Language, Person};
use jiff::Timestamp;
use jiff::civil::Date;
use store::{Row, Statement, StoreError};

use crate::app::{Parts, can_be_kept};
use crate::config::PersonColumn;
use crate::import::as_typed;

/// An employee. Debug prints nothing personal.
#[derive(Clone)]
pub(crate) struct Employee {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) first_names: String,
    pub(crate) surname: String,
    /// A name that they go by, if HR holds one.
    pub(crate) known_as: Option<String>,
    pub(crate) date_of_birth: Option<Date>,
    pub(crate) email: Option<String>,
    /// The language in which they wish to be written and spoken to, if HR holds one.
    pub(crate) language: Option<Language>,
    /// Whether the staff passport applies to them.
    pub(crate) applicable: bool,
    /// What else is known of them, for the rules about whom the staff passport applies to.
    pub(crate) facts: BTreeMap<String, String>,
    /// The record that they are about to add, and since when: who has to log in again goes on with it.
    pub(crate) chosen: Option<(String, Timestamp)>,
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

pub(crate) const COLUMNS: &str = "id, username, first_names, surname, known_as, date_of_birth, email, \
                                  language, applicable, facts, chosen, chosen_at";

impl Employee {
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column| row.text(column).map(str::to_owned);
        Ok(Self {
            id: text("id")?,
            username: text("username")?,
            first_names: text("first_names")?,
            surname: text("surname")?,
            known_as: row.optional_text("known_as")?.map(str::to_owned),
            // Nothing but a date is ever written.
            date_of_birth: row
                .optional_text("date_of_birth")?
                .and_then(|date| date.parse().ok()),
            email: row.optional_text("email")?.map(str::to_owned),
            // Nothing but a language's code is ever written.
            language: row.optional_text("language")?.and_then(language),
            applicable: row.boolean("applicable")?,
            facts: match row.optional_text("facts")? {
                Some(facts) => serde_json::from_str(facts).map_err(|_| StoreError::Column {
                    column: "facts".to_owned(),
                    wanted: "a JSON object of texts",
                })?,
                None => BTreeMap::new(),
            },
            chosen: {
                let record = row.optional_text("chosen")?.map(str::to_owned);
                record.zip(row.optional_timestamp("chosen_at")?)
            },
        })
    }

    /// As pages greet them.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first_names, self.surname)
    }

    /// As the desk compares and writes to them.
    pub(crate) fn person(&self) -> Person {
        Person {
            employee: self.id.clone(),
            first_names: self.first_names.clone(),
            surname: self.surname.clone(),
            known_as: self.known_as.clone(),
            date_of_birth: self.date_of_birth,
            email: self.email.clone(),
        }
    }

    /// What the desk is to know of them: whom it writes to, and in which language.
    pub(crate) fn at_desk(&self, desk: &Desk) -> [Statement; 2] {
        let language = self.language.unwrap_or_default();
        [
            desk.person(&self.person()),
            desk.person_language(&self.id, language),
        ]
    }

    /// Whether an identity that was compared with that one would be judged alike.
    pub(crate) fn is_same_person_as(&self, other: &Self) -> bool {
        let compared = |one: &Self| {
            let names = [one.first_names.clone(), one.surname.clone()];
            (names, one.known_as.clone(), one.date_of_birth)
        };
        compared(self) == compared(other)
    }

    /// Whether a feed has nothing new about them.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let says = |one: &Self| {
            let texts = [one.username.clone(), one.email.clone().unwrap_or_default()];
            (texts, one.language, one.applicable, one.facts.clone())
        };
        self.is_same_person_as(other) && says(self) == says(other)
    }

    /// Writes what can be changed about them.
    pub(crate) fn update(&self) -> Statement {
        Statement::new(
            "UPDATE portal_employees SET first_names = $1, surname = $2, date_of_birth = $3, email = $4, \
             email_folded = $5, known_as = $6 WHERE id = $7",
        )
        .bind(&self.first_names)
        .bind(&self.surname)
        .bind(self.date_of_birth.map(|date| date.to_string()))
        .bind(self.email.as_ref())
        .bind(self.email.as_deref().map(folded))
        .bind(self.known_as.as_ref())
        .bind(&self.id)
        .must_change(1)
    }
}

/// The language of that code.
pub(crate) fn language(code: &str) -> Option<Language> {
    Language::ALL.into_iter().find(|one| one.code() == code)
}

/// An address as it is looked for: nobody knows whether theirs has a capital. Here and not in a statement, since each
/// engine folds other letters.
///
/// No letter becomes one of ASCII that was none (the Kelvin sign a `k`): another mailbox may have it.
pub(crate) fn folded(address: &str) -> String {
    let fold = |letter: char| {
        let becomes_ascii = || letter.to_lowercase().any(|lower| lower.is_ascii());
        if !letter.is_ascii() && becomes_ascii() {
            letter.to_string()
        } else {
            letter.to_lowercase().to_string()
        }
    };
    address.trim().chars().map(fold).collect()
}

impl Parts {
    /// Folds the addresses that were written by an earlier version.
    pub(crate) async fn fold_addresses(&self) -> Result<(), StoreError> {
        let unfolded = Statement::new(
            "SELECT id, email FROM portal_employees \
             WHERE email IS NOT NULL AND email_folded IS NULL",
        );
        let mut batch = Vec::new();
        for row in self.store.read(unfolded).await? {
            let email = row.text("email")?;
            // As long as it is the address that was read.
            let fold = Statement::new(
                "UPDATE portal_employees SET email_folded = $1 WHERE id = $2 AND email = $3",
            );
            batch.push(fold.bind(folded(email)).bind(row.text("id")?).bind(email));
        }
        self.store.write(batch).await.map(drop)
    }

    /// Keeps what the person is about to add.
    pub(crate) async fn choose(&self, employee: &Employee, record: &str) -> Result<(), StoreError> {
        let update =
            Statement::new("UPDATE portal_employees SET chosen = $1, chosen_at = $2 WHERE id = $3");
        let update = update.bind(record).bind(self.now()).bind(&employee.id);
        self.store.write([update]).await.map(drop)
    }

    /// The employee of this id.
    pub(crate) async fn find_employee(&self, id: &str) -> Result<Option<Employee>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM portal_employees WHERE id = $1 AND left_at IS NULL");
        let row = self.store.read_one(Statement::new(sql).bind(id)).await?;
        row.as_ref().map(Employee::read).transpose()
    }

    /// The one employee whom this column names: nobody, where it names several.
    pub(crate) async fn find_only(
        &self,
        column: PersonColumn,
        value: &str,
    ) -> Result<Option<Employee>, StoreError> {
        if !can_be_kept(value) {
            return Ok(None);
        }
        let (named, value) = match column {
            PersonColumn::Id => ("id", value.to_owned()),
            PersonColumn::Username => ("username", as_typed(value)),
            PersonColumn::Email => ("email_folded", folded(value)),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM portal_employees WHERE {named} = $1 \
             AND left_at IS NULL LIMIT 2"
        );
        let rows = self.store.read(Statement::new(sql).bind(value)).await?;
        match rows.as_slice() {
            [row] => Employee::read(row).map(Some),
            _ => Ok(None),
        }
    }

    /// Everybody, by user name.
    pub(crate) async fn employees(&self) -> Result<Vec<Employee>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM portal_employees WHERE left_at IS NULL \
             ORDER BY username"
        );
        let rows = self.store.read(Statement::new(sql)).await?;
        rows.iter().map(Employee::read).collect()
    }

    /// The employee of this user name, and what is kept of their password.
    pub(crate) async fn find_login(
        &self,
        username: &str,
    ) -> Result<Option<(Employee, Option<String>)>, StoreError> {
        if !can_be_kept(username) {
            return Ok(None);
        }
        let sql = format!(
            "SELECT {COLUMNS}, password_hash FROM portal_employees WHERE username = $1 \
             AND left_at IS NULL"
        );
        let row = self
            .store
            .read_one(Statement::new(sql).bind(username))
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        // Whoever has no password has an empty text here, which is taken as that of a name that nobody has.
        let hash = row.text("password_hash")?.to_owned();
        let hash = (!hash.is_empty()).then_some(hash);
        Ok(Some((Employee::read(&row)?, hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_folded_beyond_ascii_and_never_into_it() {
        for (address, looked_for) in [
            (" Anna@Anytown.Example ", "anna@anytown.example"),
            (
                "\u{c9}VA@\u{d6}rtchen.example",
                "\u{e9}va@\u{f6}rtchen.example",
            ),
            ("\u{212a}ate@anytown.example", "\u{212a}ate@anytown.example"),
            ("\u{130}@anytown.example", "\u{130}@anytown.example"),
        ] {
            assert_eq!(folded(address), looked_for);
        }
    }
}

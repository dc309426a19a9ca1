//! An employee as the host last told of them, kept for as long as an identity may be compared with it.

use connector::desk::Person;
use jiff::civil::Date;
use store::{Row, Statement, StoreError};

use crate::app::Parts;
use crate::told::EmployeeTold;

impl Parts {
    /// Keeps who this is and whom to write to. Where names or date of birth are others than before, an identity that was
    /// compared with those no longer counts.
    pub(crate) async fn keep_person(&self, told: &EmployeeTold) -> Result<(), StoreError> {
        let person = person_of(told);
        let known = self.find_person(&told.id).await?;
        let is_another = known.is_some_and(|known| {
            let compared = |one: &Person| {
                let names = [&one.first_names, &one.surname].map(Clone::clone);
                (names, one.known_as.clone(), one.date_of_birth)
            };
            compared(&known) != compared(&person)
        });
        let keep = Statement::new(
            "INSERT INTO sidecar_people (employee, first_names, surname, date_of_birth, email, told_at, known_as) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (employee) DO UPDATE SET \
             first_names = excluded.first_names, surname = excluded.surname, known_as = excluded.known_as, \
             date_of_birth = excluded.date_of_birth, email = excluded.email, told_at = excluded.told_at",
        )
        .bind(&person.employee)
        .bind(&person.first_names)
        .bind(&person.surname)
        .bind(person.date_of_birth.map(|date| date.to_string()))
        .bind(person.email.as_ref())
        .bind(self.now())
        .bind(person.known_as.as_ref());
        let mut batch = vec![keep, self.desk.person(&person)];
        if let Some(language) = told.language {
            batch.push(self.desk.person_language(&told.id, language.into()));
        }
        if is_another {
            batch.extend(self.desk.identity_changed(&person.employee));
        }
        self.store.write(batch).await.map(drop)
    }

    pub(crate) async fn find_person(&self, employee: &str) -> Result<Option<Person>, StoreError> {
        let select = Statement::new(
            "SELECT employee, first_names, surname, known_as, date_of_birth, email FROM sidecar_people WHERE employee = $1",
        );
        let row = self.store.read_one(select.bind(employee)).await?;
        row.as_ref().map(read).transpose()
    }
}

fn person_of(told: &EmployeeTold) -> Person {
    Person {
        employee: told.id.clone(),
        first_names: told.first_names.clone(),
        surname: told.surname.clone(),
        known_as: told.known_as.clone(),
        date_of_birth: told.date_of_birth,
        email: told.email.clone(),
    }
}

fn read(row: &Row) -> Result<Person, StoreError> {
    let date = row.optional_text("date_of_birth")?;
    Ok(Person {
        employee: row.text("employee")?.to_owned(),
        first_names: row.text("first_names")?.to_owned(),
        surname: row.text("surname")?.to_owned(),
        known_as: row.optional_text("known_as")?.map(str::to_owned),
        date_of_birth: date.map(read_date).transpose()?,
        email: row.optional_text("email")?.map(str::to_owned),
    })
}

fn read_date(text: &str) -> Result<Date, StoreError> {
    text.parse().map_err(|_| StoreError::Column {
        column: "date_of_birth".to_owned(),
        wanted: "a date",
    })
}

//! What HR has to see to, in the sandbox and behind the log-in: what has not arrived, and who may not know that a credential
//! is cancelled.

use std::collections::HashMap;

use connector::desk::{self, Backlog, NotTold};
use jiff::Timestamp;
use ui::component::Row;
use uuid::Uuid;

use crate::look::Look;

/// Something that should have reached the gateway or a mailbox.
#[derive(Clone)]
pub(crate) struct NotArrived {
    /// What it is.
    pub(crate) kind: Delivery,
    /// The credential that it is about.
    pub(crate) title: String,
    /// Whose credential it is.
    pub(crate) employee: String,
    /// Since when it waits.
    pub(crate) since: Timestamp,
    /// How often it was tried; nothing where that is not counted.
    pub(crate) tries: Option<u32>,
    /// What comes next.
    pub(crate) next: Next,
}

/// A cancelled credential whose holder is not known to have been told: somebody has to reach them another way.
#[derive(Clone)]
pub(crate) struct MayStillHold {
    /// What the credential is called.
    pub(crate) title: String,
    /// Whose it is.
    pub(crate) employee: String,
    /// When it was cancelled.
    pub(crate) revoked_at: Timestamp,
    /// Why they have not been told.
    pub(crate) why: NotTold,
}

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// A revocation, to the gateway.
    Revocation,
    /// A mail, to the employee.
    Mail,
    /// Of a person, whom nothing may stand against.
    Erasure,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is tried again.
    Try {
        /// When.
        at: Timestamp,
    },
    /// It is tried again, and something stands against it until then.
    Wait {
        /// Its stable code.
        code: &'static str,
    },
    /// It is not tried again.
    GivenUp {
        /// The refusal's stable code.
        code: String,
        /// The credential that it is about.
        serial_number: Uuid,
    },
}

/// As the desk says it. `names` are those of employees, by their ids.
pub(crate) fn may_still_hold(
    one: desk::MayStillHold,
    names: &HashMap<String, String>,
) -> MayStillHold {
    MayStillHold {
        title: one.label,
        employee: named(one.employee, names),
        revoked_at: one.revoked_at,
        why: one.why,
    }
}

fn named(employee: String, names: &HashMap<String, String>) -> String {
    names.get(&employee).cloned().unwrap_or(employee)
}

/// As the desk says it. `names` are those of employees, by their ids.
pub(crate) fn not_arrived(backlog: Backlog, names: &HashMap<String, String>) -> Vec<NotArrived> {
    let revocations = backlog.revocations.into_iter().map(|waiting| NotArrived {
        kind: Delivery::Revocation,
        title: waiting.label,
        employee: named(waiting.employee, names),
        since: waiting.wanted_at,
        tries: Some(waiting.attempts),
        next: Next::Try {
            at: waiting.next_at,
        },
    });
    let mails = backlog.mails.into_iter().map(|waiting| {
        // A fault is a code, a colon and words.
        let fault = waiting.fault.unwrap_or_default();
        let code = fault.split(':').next().unwrap_or_default();
        NotArrived {
            kind: Delivery::Mail,
            title: waiting.label,
            employee: named(waiting.employee, names),
            since: waiting.written_at,
            tries: Some(waiting.attempts),
            next: if waiting.given_up {
                Next::GivenUp {
                    code: code.to_owned(),
                    serial_number: waiting.serial_number,
                }
            } else {
                Next::Try {
                    at: waiting.next_at,
                }
            },
        }
    });
    let erasures = backlog.erasures.into_iter().map(|waiting| NotArrived {
        kind: Delivery::Erasure,
        title: String::new(),
        employee: named(waiting.employee, names),
        since: waiting.wanted_at,
        tries: None,
        next: match waiting.waits_for {
            Some(code) => Next::Wait { code },
            None => Next::Try {
                at: waiting.next_at,
            },
        },
    });
    revocations.chain(mails).chain(erasures).collect()
}

impl NotArrived {
    pub(crate) fn card(&self, look: &Look) -> (String, Vec<Row>) {
        let title = &[("title", self.title.as_str())];
        let heading = match self.kind {
            Delivery::Revocation => look.say_with("hr-revocation-of", title),
            Delivery::Mail => look.say_with("hr-mail-about", title),
            Delivery::Erasure => look.say("hr-erasure"),
        };
        let next = match &self.next {
            Next::Try { at } => Row::new(look.say("hr-next-try"), ui::time::date_and_clock(*at)),
            Next::Wait { code } => {
                let what = match *code {
                    "credential-in-force" => look.say("hr-waits-for-in-force"),
                    "credential-on-its-way" => look.say("hr-waits-for-on-its-way"),
                    "revocation-waiting" => look.say("hr-waits-for-revocation"),
                    "mail-waiting" => look.say("hr-waits-for-mail"),
                    // What came since: better its code than nothing.
                    other => other.to_owned(),
                };
                Row::new(look.say("hr-waits-for"), what)
            }
            Next::GivenUp { code, .. } => {
                let why = match code.as_str() {
                    "mail-address" | "mail-refused" | "mail-undeliverable" | "notify-refused" => {
                        look.say("hr-given-up-address")
                    }
                    // Nothing about the employee: whoever looks after the portal finds the code in its log.
                    code => look.say_with("hr-given-up-service", &[("code", code)]),
                };
                Row::new(look.say("hr-given-up"), why)
            }
        };
        let tries = self
            .tries
            .map(|tries| Row::new(look.say("hr-tries"), tries.to_string()));
        let rows = [
            Row::new(look.say("hr-employee"), self.employee.as_str()),
            Row::new(look.say("hr-since"), ui::time::date_and_clock(self.since)),
        ];
        (
            heading,
            rows.into_iter().chain(tries).chain([next]).collect(),
        )
    }
}

impl MayStillHold {
    /// Under the credential's name.
    pub(crate) fn card(&self, look: &Look) -> (String, Vec<Row>) {
        let employee = Row::new(look.say("hr-employee"), self.employee.as_str());
        (self.title.clone(), self.rows(look, employee))
    }

    /// Under the person's name: whoever has to reach them looks for that.
    pub(crate) fn card_of_person(&self, look: &Look) -> (String, Vec<Row>) {
        let title = Row::new(look.say("to-tell-credential"), self.title.as_str());
        (self.employee.clone(), self.rows(look, title))
    }

    fn rows(&self, look: &Look, first: Row) -> Vec<Row> {
        let why = match self.why {
            NotTold::NoMail => "hr-not-told-no-mail",
            NotTold::AddressFailed => "hr-not-told-address",
            NotTold::Held(_) => "hr-not-told-held",
            NotTold::NotDelivered => "hr-not-told-not-delivered",
            // And whatever a later desk may know.
            _ => "hr-not-told-given-up",
        };
        vec![
            first,
            Row::new(
                look.say("hr-cancelled"),
                ui::time::date_and_clock(self.revoked_at),
            ),
            Row::new(look.say("hr-not-told-because"), look.say(why)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connector::desk::EraseError;
    use jiff::Timestamp;
    use ui::Brand;

    use super::{Delivery, Next, NotArrived};
    use crate::look::{Limits, Look};

    fn last_row(next: Next) -> (String, String) {
        let one = NotArrived {
            kind: Delivery::Mail,
            title: "Fire safety".to_owned(),
            employee: "Anthony Hughes".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            tries: None,
            next,
        };
        let look = Look::new(Arc::new(Brand::default()), Limits::default());
        let (_, mut rows) = one.card(&look);
        let row = rows.pop().map(|row| (row.key, row.value));
        row.unwrap_or_default()
    }

    #[test]
    fn what_an_erasure_waits_for_is_said_in_words() {
        for error in [
            EraseError::InForce,
            EraseError::OnItsWay,
            EraseError::RevocationWaiting,
            EraseError::MailWaiting,
        ] {
            let code = error.code();
            let (_, said) = last_row(Next::Wait { code });
            assert!(!said.contains(code) && !said.contains('{'), "{said}");
        }
    }

    #[test]
    fn why_a_mail_was_given_up_is_about_the_address_or_names_what_to_ask_for() {
        let given_up = |code: &str| {
            let code = code.to_owned();
            last_row(Next::GivenUp {
                code,
                serial_number: uuid::Uuid::nil(),
            })
            .1
        };
        assert_eq!(
            given_up("mail-undeliverable"),
            "The address does not take emails"
        );
        let said = given_up("mail-server-unreachable");
        assert!(said.contains("‘mail-server-unreachable’"), "{said}");
    }
}

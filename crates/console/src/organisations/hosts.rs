//! Which hosts an organisation may name for what the gateway calls on its behalf: any, some or none.

use serde_json::{Value, json};
use ui::component::Choice;

use super::Organisation;
use crate::api::Address;
use crate::fields::Fields;
use crate::problem::{FormErrors, Problem};
use crate::relying_parties::lines;
use crate::visit::Visit;

/// The field in which they are listed, by the API's name.
pub(super) const LISTED: &str = "fetch_hosts";
/// The field that says which of the three it is.
const CHOSEN: &str = "hosts";
const ANY: &str = "any";
const THESE: &str = "these";
const NONE: &str = "none";

/// What is declared, and the fields of a form about it.
pub(super) struct Hosts {
    pub(super) choices: Vec<Choice>,
    /// One on each line.
    pub(super) listed: String,
}

impl Hosts {
    /// The fields as they were sent, or else as it is declared.
    pub(super) fn of(visit: &Visit, declared: &Value, sent: Option<&Fields>) -> Self {
        let hosts = listed(declared);
        let (chosen, listed) = match sent.and_then(|sent| Some((sent.optional(CHOSEN)?, sent))) {
            Some((chosen, sent)) => (chosen, sent.text(LISTED).to_owned()),
            None => match &hosts {
                None => (ANY, String::new()),
                Some(hosts) if hosts.is_empty() => (NONE, String::new()),
                Some(hosts) => (THESE, hosts.join("\n")),
            },
        };
        let choices = [
            (ANY, visit.say("hosts-any")),
            (THESE, visit.say("hosts-these")),
            (NONE, visit.say("hosts-none")),
        ];
        let choices = choices.map(|(value, text)| Choice::new(value, text).chosen(value == chosen));
        Self {
            choices: choices.into(),
            listed,
        }
    }

    /// In words, for whoever looks.
    pub(super) fn told(visit: &Visit, declared: &Value) -> String {
        match listed(declared) {
            None => visit.say("hosts-any"),
            Some(hosts) if hosts.is_empty() => visit.say("hosts-none"),
            Some(hosts) => hosts.join(", "),
        }
    }
}

fn listed(declared: &Value) -> Option<Vec<&str>> {
    let hosts = declared[LISTED].as_array()?;
    Some(hosts.iter().filter_map(Value::as_str).collect())
}

/// What a form declares: nothing where it says nothing about hosts. A list that is not chosen is told: without a script nothing
/// hides the field, and whoever fills it in means it.
pub(super) async fn declare(
    visit: &Visit,
    fields: &Fields,
    organisation: Option<&str>,
) -> Result<Result<Option<Value>, FormErrors>, Problem> {
    let wrong = |key: &str| Ok(Err(FormErrors::one(LISTED, visit.say(key))));
    let listed = lines(fields.text(LISTED));
    let value = match fields.text(CHOSEN) {
        THESE if listed.is_empty() => return wrong("hosts-empty"),
        THESE => return Ok(Ok(Some(json!(listed)))),
        NONE => json!([]),
        ANY => Value::Null,
        _ => return Ok(Ok(None)),
    };
    if !listed.is_empty() {
        // As it was shown: whoever chooses another of the three need not empty the field.
        let shown = match organisation {
            Some(id) => {
                let one = visit.api.get(Address::new(&["organisations", id]));
                one.await.map(|one: Organisation| one.declared)?
            }
            None => Value::Null,
        };
        if shown[LISTED] != json!(listed) {
            return wrong("hosts-not-chosen");
        }
    }
    Ok(Ok(Some(value)))
}

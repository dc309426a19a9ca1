//! Who looked at what is an employee's: an entry of the audit, as an act is (assurance and operations 2.6).

use jiff::SignedDuration;
use store::Statement;

use super::caller::Operator;
use super::problem::Problem;
use crate::app::App;
use crate::audit::{Act, Entry};

/// What somebody looks at again within so long is looked at once: a page asks for the same thing more than once, and is asked for
/// again after each act.
const ONE_LOOK: SignedDuration = SignedDuration::from_mins(1);

/// Writes down that the operator is shown this, before it is: without the entry there is no answer.
pub(crate) async fn viewed(
    app: &App,
    operator: &Operator,
    act: Act,
    object: (&'static str, &str),
    organisation: &str,
) -> Result<(), Problem> {
    let now = app.now();
    let before = Statement::new(
        "SELECT number FROM audit_entries WHERE object = $1 AND act = $2 AND actor = $3 AND happened_at > $4 LIMIT 1",
    );
    let before = before
        .bind(format!("{}:{}", object.0, object.1))
        .bind(act.code())
        .bind(operator.actor().to_string())
        .bind(now - ONE_LOOK);
    if app.store.read_one(before).await?.is_none() {
        let entry = Entry::new(operator.actor(), act, object, now);
        let entry = entry.organisation(Some(organisation));
        app.store.write([entry.into()]).await?;
    }
    Ok(())
}

//! What is due at the same moment is done in the order in which it was wanted, whatever order the rows lie in.

use connector::desk::{Cause, Record};
use jiff::SignedDuration;
use store::Statement;

use super::world::{ANNA, RECORD, Working};
use crate::database::{Database, on_both_engines};
use crate::desk::world::programme;

on_both_engines!(
    dw_72_revocations_that_are_due_at_once_are_done_in_the_order_in_which_they_were_wanted,
    dw_77_mails_that_are_due_at_once_are_sent_in_the_order_in_which_they_were_written,
);

const FIRST: &str = "Fire drill";
const SECOND: &str = "Training programme";

/// Two credentials are out. Their rows come in the other order than that in which the first is named.
async fn two_out(it: &Working) {
    let person = it.log_in().await;
    let first = Record {
        label: FIRST.to_owned(),
        ..programme("another")
    };
    for record in [programme(RECORD), first] {
        it.download(ANNA, &person, "anna", &record).await;
    }
    it.desk
        .revoke_all(ANNA.employee, Cause::EndedEarly)
        .await
        .unwrap();
}

/// All are due now; the one whose label is [`FIRST`] since the longer time, and its row is written last.
async fn are_due_at_once(it: &Working, table: &str, wanted_at: &str) {
    let now = it.now();
    for (label, ago) in [(SECOND, 5), (FIRST, 10)] {
        let due = Statement::new(format!(
            "UPDATE connector_{table} SET next_at = $1, attempts = 0, {wanted_at} = $2 WHERE serial_number IN \
             (SELECT serial_number FROM connector_credentials WHERE label = $3)"
        ));
        let since = now - SignedDuration::from_secs(ago);
        let due = due.bind(now).bind(since).bind(label).must_change(1);
        it.store.write([due]).await.unwrap();
    }
}

async fn dw_72_revocations_that_are_due_at_once_are_done_in_the_order_in_which_they_were_wanted(
    database: Database,
) {
    let it = Working::start(database).await;
    two_out(&it).await;
    are_due_at_once(&it, "revocations", "wanted_at").await;
    it.work().await;
    let credentials = it.desk.credentials(ANNA.employee).await.unwrap();
    let told = it.revocations();
    let labels = told.iter().map(|serial_number| {
        let mut known = credentials.iter();
        let one = known.find(|one| one.serial_number.to_string() == *serial_number);
        one.unwrap().label.as_str()
    });
    assert_eq!(labels.collect::<Vec<_>>(), [FIRST, SECOND]);
}

async fn dw_77_mails_that_are_due_at_once_are_sent_in_the_order_in_which_they_were_written(
    database: Database,
) {
    let mut it = Working::start(database).await;
    it.stop_mail().await;
    two_out(&it).await;
    it.work().await;
    assert_eq!(it.revocations().len(), 2);
    assert!(it.mails().is_empty());
    it.start_mail();
    it.later(SignedDuration::from_hours(1));
    are_due_at_once(&it, "mails", "written_at").await;
    it.work().await;
    let mails = it.raw_mails();
    let labels = mails.iter().map(|mail| {
        let labels = [FIRST, SECOND];
        labels
            .into_iter()
            .find(|label| mail.contains(label))
            .unwrap()
    });
    assert_eq!(labels.collect::<Vec<_>>(), [FIRST, SECOND]);
}

//! The addresses that GOV.UK Notify itself has for trying it out, as an operator uses them on the first day.

use connector::desk::{Cause, MailState, NotTold};
use jiff::SignedDuration;

use super::by_notify::ByNotify;
use super::world::corrected;
use crate::database::{Database, on_both_engines};

on_both_engines!(
    dw_78_the_simulated_full_mailbox_is_tried_again,
    dw_78_the_simulated_lack_of_a_mailbox_is_for_a_person,
    dw_78_a_smoke_address_is_written_to_once_and_never_counts_as_reached,
);

/// Anna's credential is revoked, and the mail about it goes to this address.
async fn revoked_and_told_at(it: &ByNotify, address: &str) {
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    let mut person = crate::desk::world::anna();
    person.email = Some(address.to_owned());
    it.keep_person(&person).await;
    it.work().await;
}

async fn dw_78_the_simulated_full_mailbox_is_tried_again(database: Database) {
    let it = ByNotify::start(database).await;
    revoked_and_told_at(&it, "temp-fail@simulator.notify").await;
    // No callback is set up: it is asked for.
    it.service.deliver().await;
    it.work_after(SignedDuration::from_mins(1)).await;
    assert_eq!(it.state().await, "temporary-failure");
    assert!(it.why().await.is_empty(), "it is tried again");
}

async fn dw_78_the_simulated_lack_of_a_mailbox_is_for_a_person(database: Database) {
    let it = ByNotify::start(database).await;
    revoked_and_told_at(&it, "perm-fail@simulator.notify").await;
    it.service.deliver().await;
    it.work_after(SignedDuration::from_mins(1)).await;
    let waiting = it.waiting().await;
    assert_eq!(waiting.state, MailState::PermanentFailure);
    assert!(waiting.given_up);
    assert_eq!(it.why().await, [NotTold::AddressFailed]);
}

async fn dw_78_a_smoke_address_is_written_to_once_and_never_counts_as_reached(database: Database) {
    let it = ByNotify::start(database).await;
    revoked_and_told_at(&it, "simulate-delivered@notifications.service.gov.uk").await;
    let (state, id, failed) = it.row().await;
    assert_eq!(
        (state.as_str(), id.is_some(), failed),
        ("accepted", true, false)
    );
    // Its id means nothing to Notify: nobody is ever going to say that it arrived, and nobody claims it.
    it.work_after(SignedDuration::from_hours(100)).await;
    assert_eq!(it.state().await, "accepted");
    assert_eq!(
        it.service.taken(),
        0,
        "Notify keeps nothing of it, and it is not sent again"
    );
    assert_eq!(it.why().await, [NotTold::NotDelivered]);
}

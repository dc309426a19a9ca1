//! Revoking, and what becomes known of it: the serial number is kept, the gateway is told, then the person.

use jiff::SignedDuration;
use wallet::CredentialStatus;

use super::reading::{RECORD, plain};
use super::wire::{Exchange, Party};
use crate::browser::Browser;
use crate::database::{Database, on_both_engines};
use crate::door::Jam;
use crate::staff::ANNAS;
use crate::world::World;

on_both_engines!(
    dw_62_the_serial_number_outlives_the_portals_process,
    dw_63_success_is_told_after_the_gateway_told_it,
    dw_72_a_record_that_is_changed_ended_or_deleted_revokes_its_credential,
    dw_73_a_change_that_the_credential_does_not_show_revokes_nothing,
    dw_77_the_person_is_written_to_once_it_is_revoked,
    dw_78_the_mail_comes_once_says_no_value_and_its_failure_is_seen,
    dw_79_nobody_is_told_that_the_copy_is_gone,
    dw_80_a_change_while_it_is_being_added_is_not_lost,
);

const PROGRAMME: &str = "TrainingProgramme";

/// The way is walked, and the credential is in the wallet.
async fn added(world: &World) -> (Browser, String) {
    let anna = world.anna().await;
    world.add(&anna, RECORD).await;
    let serial = serial_of(world, PROGRAMME).await;
    world.wire.forget();
    (anna, serial)
}

async fn serial_of(world: &World, credential_type: &str) -> String {
    let held = world.held("anna", credential_type).await;
    held.last().unwrap().serial_number.clone().unwrap()
}

/// The serial numbers that the gateway was told to revoke.
fn revoked(world: &World) -> Vec<String> {
    let asked = world.wire.revocations();
    asked
        .iter()
        .map(|one| one["SerialNumber"].as_str().unwrap().to_owned())
        .collect()
}

/// Long enough for whatever is done behind the pages to be done.
async fn settle(world: &World) {
    for _ in 0..3 {
        world.later(SignedDuration::from_secs(90));
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    }
}

async fn wait_for_mails(world: &World, count: usize) {
    for _ in 0..200 {
        if world.catcher.messages().len() >= count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} mails came", world.catcher.messages().len());
}

async fn dw_62_the_serial_number_outlives_the_portals_process(database: Database) {
    let mut world = World::start_on(database).await;
    let (anna, serial) = added(&world).await;
    world.restart().await;
    world
        .change_record(RECORD, &[("TPR-Name", "Oncology")])
        .await;
    world.until(&anna, RECORD, "cancelled").await;
    assert_eq!(revoked(&world), [serial]);
}

async fn dw_63_success_is_told_after_the_gateway_told_it(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    let page = world.add(&anna, RECORD).await;
    let when = page.text();
    let when = when.lines().find(|line| line.starts_with("Added on "));
    let when = when.unwrap().trim_start_matches("Added on ").to_owned();

    let exchanges = world.wire.exchanges();
    let told = exchanges.iter().rposition(Exchange::is_token_call).unwrap();
    assert_eq!(exchanges[told].status, 200);
    for one in &exchanges[..told] {
        let says = one.party == Party::Portal && one.answer.contains("added to your wallet");
        assert!(!says, "{} said it before", one.path);
    }
    let list = anna.open("/credentials").await.text();
    assert!(list.contains(&format!("Added to your wallet on {when}")));
}

async fn dw_72_a_record_that_is_changed_ended_or_deleted_revokes_its_credential(
    database: Database,
) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world
        .change_record("anna-incomplete", &[("TPL-Site", "Anytown General")])
        .await;
    let kinds = [
        (RECORD, PROGRAMME),
        ("anna-fire", "FireSafety"),
        ("anna-incomplete", "TrainingPlacement"),
    ];
    let mut serials = Vec::new();
    for (record, credential_type) in kinds {
        world.add(&anna, record).await;
        serials.push(serial_of(&world, credential_type).await);
    }
    world
        .change_record(RECORD, &[("TPR-Name", "Oncology")])
        .await;
    world.until(&anna, RECORD, "cancelled").await;
    assert_eq!(revoked(&world), serials[..1], "and no other record's");
    world.press_at_hr("anna-fire", "end").await;
    world.until(&anna, "anna-fire", "cancelled").await;
    world.press_at_hr("anna-incomplete", "delete").await;
    world.until(&anna, "anna-incomplete", "cancelled").await;
    assert_eq!(revoked(&world), serials);
    for (_, credential_type) in kinds {
        let held = world.held("anna", credential_type).await;
        assert_eq!(held[0].status, CredentialStatus::Revoked);
    }
}

async fn dw_73_a_change_that_the_credential_does_not_show_revokes_nothing(database: Database) {
    let world = World::start_on(database).await;
    let (anna, _) = added(&world).await;
    world
        .change_employee("anna", &[("email", "anna.taylor@anytown.example")])
        .await;
    // Saved as it is; and another record of hers.
    world
        .change_record(RECORD, &[("TPR-Name", "Cardiology")])
        .await;
    world.change_record("anna-fire", &[("FS-Level", "2")]).await;
    settle(&world).await;
    assert!(revoked(&world).is_empty());
    assert!(world.catcher.messages().is_empty());
    let list = anna.open("/credentials").await;
    assert_eq!(list.state_of(RECORD).as_deref(), Some("added"));
}

async fn dw_77_the_person_is_written_to_once_it_is_revoked(database: Database) {
    let world = World::start_on(database).await;
    let (anna, _) = added(&world).await;
    world.door.jam("/revokecredential", Jam::Refuse(503));
    world
        .change_record(RECORD, &[("TPR-Name", "Oncology")])
        .await;
    settle(&world).await;
    assert!(world.catcher.messages().is_empty(), "it is not revoked yet");
    let office = world.browser().open("/hr").await.text();
    assert!(office.contains("Revocation of Training programme"));

    world.door.free();
    world.later(SignedDuration::from_mins(15));
    world.until(&anna, RECORD, "cancelled").await;
    wait_for_mails(&world, 1).await;
    let mail = world.catcher.messages().remove(0);
    assert_eq!(mail.to, "anna@anytown.example");
    assert!(mail.text.contains("Training programme"), "{}", mail.text);
    assert!(mail.text.contains("your wallet") && mail.text.contains("Delete it"));
}

async fn dw_78_the_mail_comes_once_says_no_value_and_its_failure_is_seen(database: Database) {
    let world = World::start_on(database).await;
    let (anna, serial) = added(&world).await;
    world
        .catcher
        .misbehave(Some(mail_catcher::Fault::RefuseTemporarily));
    let values = world.wallet.credentials("anna").await.unwrap();
    world
        .change_record(RECORD, &[("TPR-Name", "Oncology")])
        .await;
    world.until(&anna, RECORD, "cancelled").await;
    let mut office = String::new();
    for _ in 0..100 {
        office = world.browser().open("/hr").await.text();
        if office.contains("Email about Training programme") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(
        office.contains("Email about Training programme"),
        "{office}"
    );
    assert!(world.catcher.messages().is_empty());

    world.catcher.misbehave(None);
    world.later(SignedDuration::from_mins(2));
    wait_for_mails(&world, 1).await;
    // The same event once more, and time for all that could follow.
    world
        .change_record(RECORD, &[("TPR-Name", "Paediatrics")])
        .await;
    world.press_at_hr(RECORD, "delete").await;
    settle(&world).await;
    let mails = world.catcher.messages();
    assert_eq!(mails.len(), 1, "one event, one mail");
    let said = format!("{}\n{}", mails[0].subject, mails[0].text);
    for value in [ANNAS, &serial, "Oncology", "Paediatrics"] {
        assert!(!said.contains(value), "{said}");
    }
    let mut programmes = values;
    programmes.retain(|one| one.credential_type == PROGRAMME);
    for (name, value) in &programmes[0].claims {
        // The organisation's name is the sender's, too.
        let value = value.as_str().map(plain).unwrap_or_default();
        assert!(value.len() < 4 || !said.contains(&value), "{name}: {said}");
    }
    let office = world.browser().open("/hr").await.text();
    assert!(office.contains("Everything has arrived."), "{office}");
}

async fn dw_79_nobody_is_told_that_the_copy_is_gone(database: Database) {
    let world = World::start_on(database).await;
    let (anna, _) = added(&world).await;
    world
        .change_record(RECORD, &[("TPR-Name", "Oncology")])
        .await;
    let list = world.until(&anna, RECORD, "cancelled").await.text();
    let own = anna.open("/credentials/anna-programme").await.text();
    assert!(list.contains("Delete it from your wallet."), "{list}");
    assert!(own.contains("stays there until you delete it"), "{own}");
    wait_for_mails(&world, 1).await;
    let mail = world.catcher.messages().remove(0).text;
    assert!(mail.contains("We cannot delete it for you."), "{mail}");
    for text in [list, own, mail] {
        let text = text.to_lowercase();
        for claim in [
            "we deleted",
            "we have deleted",
            "we removed",
            "has been removed",
            "was removed",
            "has been deleted",
        ] {
            assert!(!text.contains(claim), "{claim}: {text}");
        }
    }
}

async fn dw_80_a_change_while_it_is_being_added_is_not_lost(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.anna().await;
    world.verify(&anna, "anna").await;
    let page = anna.confirm(RECORD).await;
    let page = anna
        .send(&page, "/credentials/anna-programme/add", &[])
        .await;
    assert!(page.has("open-wallet"), "the code is on the screen");
    world
        .change_record(RECORD, &[("TPR-Name", "Oncology")])
        .await;
    let page = world.scan_and_return(&anna, &page, "anna", true).await;
    assert_eq!(
        page.heading(),
        "The information changed while you were adding it"
    );
    assert!(!page.has("added-when"));
    world.until(&anna, RECORD, "cancelled").await;
    let held = world.held("anna", PROGRAMME).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].status, CredentialStatus::Revoked);
    assert_eq!(revoked(&world), [serial_of(&world, PROGRAMME).await]);
}

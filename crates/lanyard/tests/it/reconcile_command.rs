//! `lanyard connector reconcile` beside a sidecar that runs, and `lanyard portal reconcile` beside a portal: its registry, a
//! gateway as its operator runs it, the list that is published, and credentials that are in wallets.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Statement;
use uuid::Uuid;

use crate::database::Database;
use crate::point_walker::PointWalker as _;
use crate::portal_processes::{Plan, Processes, System};
use crate::revoke_command;
use crate::sidecar_host::HostedPerson;

/// HR is no client of the external system's: what it issues is not that system's to know.
const PORTAL: Plan = Plan {
    hr: "anytown-hr",
    ..Plan::PORTAL
};
const SIDECAR: Plan = Plan {
    system: System::Sidecar,
    ..PORTAL
};
/// What the employee is told of a credential that the gateway revoked.
const TOLD: &str = "credential because the service that issues it had already cancelled it.";
/// How long what is done behind the command may take, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Its lines, and the status with which it ended.
fn reconcile(world: &Processes, more: &[&str]) -> (Vec<Value>, i32) {
    let system = match world.plan.system {
        System::Portal => "portal",
        System::Sidecar => "connector",
    };
    let output = world.beside(&[system, "reconcile"], more);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), output.status.code().unwrap())
}

/// The last line, where one list was read.
fn sums(compared: usize, differences: usize) -> Value {
    json!({ "summary": { "compared": compared, "waiting": 0, "lists": 1, "differences": differences } })
}

/// The programme credential of an employee, as their wallet has it.
async fn in_wallet(world: &Processes, number: usize) -> (String, String) {
    let held = world.walk(number).held().await.unwrap();
    let mut held = held.into_iter();
    let own = held.find(|one| one.credential_type == "TrainingProgramme");
    let own = own.unwrap();
    (own.serial_number.unwrap(), own.status)
}

/// Waits until a verifier would see that it is: lists are signed anew about once a second.
async fn is_seen_to_be_revoked(world: &Processes, number: usize) {
    let began = Instant::now();
    while in_wallet(world, number).await.1 != "revoked" {
        assert!(began.elapsed() < PATIENCE, "{number} is still good");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The gateway's operator revokes it.
fn revoke_at_the_gateway(world: &Processes, serial_number: &str) {
    let revoke = ["revoke", serial_number, "--reason=lost-device"];
    let (content, said) = revoke_command::run(&world.gateway, &revoke);
    assert!(content, "{said}");
}

/// One registry lost a serial number, another one a revocation, the third the news that it was issued.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_62_dw_64_what_registry_and_gateway_do_not_agree_about_is_printed_and_repaired_or_left_to_be_looked_at()
 {
    let world = Processes::start_as(SIDECAR, Database::sqlite(), 3).await;
    let mut serial_numbers = Vec::new();
    for number in 0..3 {
        HostedPerson::new(&world, number).add().await.unwrap();
        serial_numbers.push(in_wallet(&world, number).await.0);
    }
    let [lost, revoked, unheard] = &serial_numbers[..] else {
        unreachable!()
    };
    assert_eq!(reconcile(&world, &[]), (vec![sums(3, 0)], 0));

    // A number that nobody issued stands where the real one did.
    let made_up = Uuid::new_v4().to_string();
    let other = "UPDATE connector_credentials SET serial_number = $1 WHERE serial_number = $2";
    let other = Statement::new(other).bind(&made_up).bind(lost);
    world.write_to_portal(other).await;
    let found = [
        json!({
            "code": "issued-here-unknown-there",
            "serial_number": made_up,
            "credential_type": "TrainingProgramme",
        }),
        json!({
            "code": "in-force-there-unknown-here",
            "serial_number": lost,
            "credential_type": "TrainingProgramme",
        }),
        sums(3, 2),
    ];
    assert_eq!(reconcile(&world, &[]), (found.to_vec(), 1));
    // Neither is for a program to decide about.
    let nothing = json!({ "repaired": 0 });
    let told = [&found[..], &[nothing]].concat();
    assert_eq!(reconcile(&world, &["--repair"]), (told, 1));
    assert_eq!(in_wallet(&world, 0).await.1, "valid");
    let remove = "DELETE FROM connector_credentials WHERE serial_number = $1";
    let remove = Statement::new(remove).bind(&made_up);
    world.write_to_portal(remove).await;
    revoke_at_the_gateway(&world, lost);
    assert_eq!(reconcile(&world, &[]), (vec![sums(2, 0)], 0));
    is_seen_to_be_revoked(&world, 0).await;

    revoke_at_the_gateway(&world, revoked);
    let not_heard = "UPDATE connector_credentials SET stage = 'not-issued', outcome = 'declined', issued_at = NULL \
        WHERE serial_number = $1";
    let not_heard = Statement::new(not_heard).bind(unheard);
    world.write_to_portal(not_heard).await;
    let mut found = vec![
        json!({
            "code": "revoked-there-not-here",
            "serial_number": revoked,
            "credential_type": "TrainingProgramme",
            "cause": "operator",
        }),
        json!({
            "code": "not-issued-here-in-force-there",
            "serial_number": unheard,
            "credential_type": "TrainingProgramme",
        }),
    ];
    // They come in the order of their numbers.
    found.sort_by_key(|one| one["serial_number"].to_string());
    found.push(sums(2, 2));
    assert_eq!(reconcile(&world, &[]), (found.clone(), 1));
    assert_eq!(in_wallet(&world, 2).await.1, "valid");
    found.push(json!({ "repaired": 2 }));
    assert_eq!(reconcile(&world, &["--repair"]), (found, 0));

    agrees(&world, 2).await;
    is_seen_to_be_revoked(&world, 2).await;
    is_told(&world, 1).await;
}

/// Waits until whoever runs has done what was stored, and all is said and done.
async fn agrees(world: &Processes, compared: usize) {
    let began = Instant::now();
    while reconcile(world, &[]) != (vec![sums(compared, 0)], 0) {
        assert!(began.elapsed() < PATIENCE, "it is not done");
        tokio::time::sleep(PAUSE).await;
    }
}

/// One mail goes out, to this employee, and says whose doing it was.
async fn is_told(world: &Processes, number: usize) {
    let mails = world.walk(number).wait_for_mails(1).await.unwrap();
    let to: Vec<&str> = mails.iter().map(|mail| &*mail.to).collect();
    assert_eq!(to, [format!("e{number}@anytown.example")]);
    let text: Vec<&str> = mails[0].text.split_whitespace().collect();
    assert!(text.join(" ").contains(TOLD), "{}", mails[0].text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_77_what_the_gateway_revoked_is_found_beside_a_portal_too_and_its_page_and_its_mail_say_so()
 {
    let world = Processes::start_as(PORTAL, Database::sqlite(), 1).await;
    let mut walk = world.walk(0);
    walk.log_in().await.unwrap();
    walk.confirm().await.unwrap();
    walk.verify().await.unwrap();
    let serial_number = walk.add().await.unwrap();
    assert_eq!(reconcile(&world, &[]), (vec![sums(1, 0)], 0));

    revoke_at_the_gateway(&world, &serial_number);
    let found = json!({
        "code": "revoked-there-not-here",
        "serial_number": serial_number,
        "credential_type": "TrainingProgramme",
        "cause": "operator",
    });
    let mut found = vec![found, sums(1, 1)];
    assert_eq!(reconcile(&world, &[]), (found.clone(), 1));
    assert_eq!(
        walk.state().await.unwrap(),
        "added",
        "comparing changes nothing"
    );
    found.push(json!({ "repaired": 1 }));
    assert_eq!(reconcile(&world, &["--repair"]), (found, 0));
    walk.wait_for_state(&["cancelled"]).await.unwrap();
    agrees(&world, 1).await;
    is_told(&world, 0).await;
}

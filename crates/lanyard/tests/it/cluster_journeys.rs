//! Page on one process, wallet on another, token on a third: no request of a journey needs to reach the same process.
//! Quick enough for every run.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;

use crate::by_hand::{Journey, Step, revoke, send};
use crate::cluster::{Cluster, NAMES, haproxy, has_haproxy};
use crate::database::Database;
use crate::events;
use crate::holder::{Format, Holder};
use crate::kill::{in_force, is_refused_as_revoked};
use crate::operated::{Operated, new_folder, write_private};

async fn cluster() -> Option<Cluster> {
    if !has_haproxy() {
        return None;
    }
    let database = Database::postgres().await?;
    Some(Cluster::started(database).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_requests_of_one_journey_are_served_by_three_processes() {
    let Some(cluster) = cluster().await else {
        return;
    };
    let (gateway, mut holder) = (&cluster.gateway, Holder::new(Format::W3c));
    let mut issuing = Journey::to_issue();
    for journey in [&mut issuing, &mut Journey::to_verify()] {
        let before = cluster.served(0).len();
        for step in journey.steps() {
            journey.take(*step, gateway, &mut holder).await;
            if *step != Step::Push && *step != Step::Token && *step != Step::Authorize {
                every_process_tells_the_page_the_same(gateway, journey).await;
            }
        }
        let served = cluster.served(before);
        let by: BTreeSet<_> = served.iter().map(String::as_str).collect();
        assert_eq!(by, BTreeSet::from(NAMES), "{served:?}");
    }
    let serial_number = issuing.serial_number;
    assert_eq!(in_force(gateway, serial_number).await, [true]);
    revoke(gateway, serial_number).await;
    // The list is another process's to serve, and its copy is not older than the revocation.
    for _ in NAMES {
        is_refused_as_revoked(gateway, &mut holder).await;
    }
    events::add_up(gateway).await;
}

/// The page asks every few seconds, and whichever process it reaches says what has just happened at another: nobody
/// waits for a message between them.
async fn every_process_tells_the_page_the_same(gateway: &Operated, journey: &Journey) {
    let mut told = BTreeSet::new();
    for _ in NAMES {
        let client = gateway.client(&journey.cookies);
        let status = client
            .get(format!("{}/status", journey.page))
            .build()
            .unwrap();
        told.insert(send(&client, status).await.body);
    }
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_processes_is_killed_after_each_step_and_nobody_notices() {
    let Some(mut cluster) = cluster().await else {
        return;
    };
    let mut holder = Holder::new(Format::SdJwt);
    let mut killed = 0;
    for mut journey in [Journey::to_issue(), Journey::to_verify()] {
        for step in journey.steps() {
            journey.take(*step, &cluster.gateway, &mut holder).await;
            cluster.kill(killed % NAMES.len());
            // At once, when HAProxy has not noticed yet: it asks the next.
            for _ in NAMES {
                let client = cluster.gateway.client(&Arc::default());
                let health = client.get(cluster.gateway.url("/help")).build().unwrap();
                assert!(send(&client, health).await.status.is_success());
            }
            cluster.start(killed % NAMES.len()).await;
            killed += 1;
        }
        if journey.issues {
            assert_eq!(
                in_force(&cluster.gateway, journey.serial_number).await,
                [true]
            );
        }
    }
    events::add_up(&cluster.gateway).await;
}

#[test]
fn haproxy_accepts_the_file_that_we_hand_out() {
    if !has_haproxy() {
        return;
    }
    let gateway = Operated::prepare(Database::sqlite());
    let folder = new_folder();
    let read = |name: &str| std::fs::read_to_string(gateway.folder.join(name)).unwrap();
    let pem = ["chain.pem", "tls-key.pem"].map(read).concat();
    write_private(&folder.join("haproxy.pem"), &pem);
    let mut check = haproxy(&folder, 20_000);
    let output = check.arg("-c").stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && !said.contains("WARNING"),
        "{said}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

//! The database goes away and comes back, or another takes its place, while people come and go through three processes.
//! Nothing that was acknowledged is lost, and nothing happens twice. With `LANYARD_LONG` only.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use store::Statement;

use crate::cluster::{Cluster, has_haproxy};
use crate::cluster_load::{Told, come_and_go, is_true};
use crate::database::Database;
use crate::ports::Ports;
use crate::postgres_server::{Folder, Server, programs};

const PEOPLE: usize = 6;

fn is_asked_for() -> bool {
    let asked = std::env::var_os("LANYARD_LONG").is_some();
    if !asked {
        println!("skipped: LANYARD_LONG is not set");
    }
    asked && has_haproxy()
}

async fn create_database(port: u16) {
    let admin = Database::at(format!("postgres://lanyard@127.0.0.1:{port}/postgres"));
    let store = admin.open().await;
    store
        .write([Statement::new("CREATE DATABASE gateway")])
        .await
        .unwrap();
    store.close().await;
}

/// Waits for so many more credentials in wallets.
async fn until_more(told: &Mutex<Told>, more: usize) {
    let (began, wanted) = (Instant::now(), told.lock().unwrap().issued.len() + more);
    while told.lock().unwrap().issued.len() < wanted {
        assert!(began.elapsed() < Duration::from_mins(2), "nothing goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_stops_and_crashes_under_load_and_what_was_acknowledged_is_there() {
    let Some(programs) = programs().filter(|_| is_asked_for()) else {
        return;
    };
    let (ports, folder) = (Ports::claim(), Folder::new());
    let server = Arc::new(Server::new(&programs, &folder, ports.first));
    create_database(server.port).await;
    let address = format!("postgres://lanyard@127.0.0.1:{}/gateway", server.port);
    let cluster = Cluster::started(Database::at(address)).await;
    let (told, is_over) = (Mutex::new(Told::default()), AtomicBool::new(false));
    let breaking = async {
        for mode in ["fast", "immediate", "fast", "immediate"] {
            until_more(&told, 10).await;
            let server = Arc::clone(&server);
            // Beside the people, who go on asking.
            let broken = tokio::task::spawn_blocking(move || {
                server.stop(mode);
                std::thread::sleep(Duration::from_secs(2));
                server.start();
            });
            broken.await.unwrap();
        }
        until_more(&told, 10).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let people = (0..PEOPLE).map(|_| come_and_go(&cluster.gateway, &told, &is_over));
    tokio::join!(breaking, futures(people));
    let told = told.into_inner().unwrap();
    is_true(&cluster.gateway, &told).await;
    assert!(told.broken > 0, "nobody noticed: nothing was shown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_takes_over_under_load_and_what_was_acknowledged_is_there() {
    let Some(programs) = programs().filter(|_| is_asked_for()) else {
        return;
    };
    let (ports, folder) = (Ports::claim(), Folder::new());
    let primary = Arc::new(Server::new(&programs, &folder, ports.first));
    create_database(primary.port).await;
    let standby = Arc::new(Server::standby_of(&primary, &folder, ports.first + 1));
    let address = format!(
        "postgres://lanyard@127.0.0.1:{},127.0.0.1:{}/gateway?target_session_attrs=read-write",
        primary.port, standby.port
    );
    let cluster = Cluster::started(Database::at(address)).await;
    let (told, is_over) = (Mutex::new(Told::default()), AtomicBool::new(false));
    let mut took = Duration::ZERO;
    let breaking = async {
        until_more(&told, 20).await;
        let began = Instant::now();
        let (dying, next) = (Arc::clone(&primary), Arc::clone(&standby));
        let broken = tokio::task::spawn_blocking(move || {
            dying.stop("immediate");
            next.promote();
        });
        broken.await.unwrap();
        until_more(&told, 1).await;
        took = began.elapsed();
        until_more(&told, 20).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let people = (0..PEOPLE).map(|_| come_and_go(&cluster.gateway, &told, &is_over));
    tokio::join!(breaking, futures(people));
    println!("the next credential was complete {took:?} after the primary's death");
    let told = told.into_inner().unwrap();
    is_true(&cluster.gateway, &told).await;
    assert!(told.broken > 0, "nobody noticed: nothing was shown");
}

/// All of them, side by side.
async fn futures(people: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut people: Vec<_> = people.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        people.retain_mut(|person| person.as_mut().poll(context).is_pending());
        if people.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

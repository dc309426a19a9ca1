//! How many durable inserts a second the store makes here, alone and with many tasks at once.
//!
//! `cargo run --release -p gateway --example store_rate [DATABASE]`; without an address, a new SQLite file.

use std::time::{Duration, Instant};

use store::{DatabaseUrl, Statement, Store};

const RUN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = format!("lanyard-rate-{}.db", std::process::id());
    let file = std::env::temp_dir().join(file);
    let url: DatabaseUrl = match std::env::args().nth(1) {
        Some(address) => address.parse()?,
        None => DatabaseUrl::Sqlite(file.clone()),
    };
    let store = Store::open(&url, &[]).await?;
    println!("{url}");
    store
        .write([
            Statement::new("DROP TABLE IF EXISTS store_rate"),
            Statement::new("CREATE TABLE store_rate (id TEXT PRIMARY KEY, body TEXT NOT NULL)"),
        ])
        .await?;
    for tasks in [1, 8, 32, 128] {
        report(&store, tasks).await?;
    }
    store
        .write([Statement::new("DROP TABLE store_rate")])
        .await?;
    store.close().await;
    let _ = std::fs::remove_file(file);
    Ok(())
}

async fn report(store: &Store, tasks: usize) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let body = "x".repeat(600);
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let (store, body) = (store.clone(), body.clone());
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while began.elapsed() < RUN {
                    let insert =
                        Statement::new("INSERT INTO store_rate (id, body) VALUES ($1, $2)");
                    let id = format!("{tasks}-{task}-{}", waits.len());
                    let sent = Instant::now();
                    store.write([insert.bind(id).bind(body.as_str())]).await?;
                    waits.push(sent.elapsed());
                }
                Ok::<_, store::StoreError>(waits)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in running {
        waits.extend(task.await??);
    }
    let seconds = began.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |share: usize| {
        waits
            .get(waits.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{tasks:>4} tasks: {:>8.0} inserts/s, median {:?}, 99 of 100 within {:?}",
        f64::from(u32::try_from(waits.len())?) / seconds,
        at(50),
        at(99),
    );
    Ok(())
}

//! A gateway whose database is reached through pgbouncer in transaction mode: each transaction gets another connection.

use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::cluster_load::{Told, come_and_go, is_true};
use crate::database::Database;
use crate::operated::Operated;
use crate::ports::Ports;
use crate::postgres_server::{Folder, unprivileged};

struct Bouncer(Child);

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journeys_run_side_by_side_over_three_connections_of_pgbouncer() {
    if !std::path::Path::new("/usr/sbin/pgbouncer").is_file() {
        println!("skipped: pgbouncer is not on this machine");
        return;
    }
    let Some(database) = Database::postgres().await else {
        return;
    };
    let (ports, folder) = (Ports::claim(), Folder::new());
    let behind: url::Url = database.address().parse().unwrap();
    let name = behind.path().trim_start_matches('/');
    let password = behind
        .password()
        .map(|password| format!(" password={password}"));
    let password = password.unwrap_or_default();
    let settings = format!(
        "[databases]\n{name} = host={} port={} user={}{password}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {}\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nunix_socket_dir =\n",
        behind.host_str().unwrap(),
        behind.port().unwrap(),
        behind.username(),
        ports.first,
    );
    let file = folder.path().join("pgbouncer.ini");
    std::fs::write(&file, settings).unwrap();
    let mut command = unprivileged("/usr/sbin/pgbouncer");
    command
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _bouncer = Bouncer(command.spawn().unwrap());
    while std::net::TcpStream::connect(("127.0.0.1", ports.first)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let address = format!("postgres://lanyard@127.0.0.1:{}/{name}", ports.first);
    let gateway = Operated::started(Database::at(address));
    let (told, is_over) = (Mutex::new(Told::default()), AtomicBool::new(false));
    let enough = async {
        while told.lock().unwrap().issued.len() < 12 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let people = || come_and_go(&gateway, &told, &is_over);
    tokio::join!(
        enough,
        people(),
        people(),
        people(),
        people(),
        people(),
        people()
    );
    let told = told.into_inner().unwrap();
    assert_eq!((told.broken, told.begun_again), (0, 0));
    is_true(&gateway, &told).await;
}

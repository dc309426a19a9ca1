//! Three gateway processes on one PostgreSQL, HAProxy in front with the file that we hand out, and journeys through them.

use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::operated::{LANYARD, Operated, terminate, watched, write_private};
use crate::said::{EVERYTHING, figures_at};

/// The names of the processes in HAProxy's file.
pub(crate) const NAMES: [&str; 3] = ["one", "two", "three"];
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether HAProxy is here, with a word about it if not.
pub(crate) fn has_haproxy() -> bool {
    let found = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].iter();
    let found = found
        .copied()
        .find(|path| Path::new(path).is_file())
        .is_some();
    if !found {
        println!("skipped: haproxy is not on this machine");
    }
    found
}

/// HAProxy's file, as it is handed out.
pub(crate) fn haproxy_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/haproxy.cfg")
}

/// The same configuration of a gateway that listens there, behind a proxy that ends TLS.
pub(crate) fn behind_a_proxy(config: &str, listen: &str) -> String {
    let lines = config.lines().filter(|line| !line.starts_with("tls_"));
    let lines = lines.map(|line| {
        if line.starts_with("listen = ") {
            format!("listen = \"{listen}\"\naddress_header = \"x-forwarded-for\"")
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Three processes behind one address; what one operator keeps for them.
pub(crate) struct Cluster {
    pub(crate) gateway: Operated,
    processes: [Option<Child>; 3],
    /// What each of them runs.
    programs: [PathBuf; 3],
    haproxy: Child,
}

impl Cluster {
    pub(crate) async fn started(database: Database) -> Self {
        Self::started_with(Path::new(LANYARD), database).await
    }

    /// All three run that program.
    pub(crate) async fn started_with(program: &Path, database: Database) -> Self {
        let gateway = Operated::prepare(database);
        gateway.write_keys();
        let (folder, first) = (&gateway.folder, gateway.ports.first);
        for (number, name) in NAMES.iter().enumerate() {
            let own = format!("127.0.0.1:{}", port(first, number));
            let text = behind_a_proxy(&gateway.config, &own);
            let text = watched(text, metrics_port(first, number));
            std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
        }
        let pem = ["chain.pem", "tls-key.pem"]
            .map(|file| std::fs::read_to_string(folder.join(file)).unwrap())
            .concat();
        write_private(&folder.join("haproxy.pem"), &pem);
        let log = File::create(folder.join("haproxy-log")).unwrap();
        let haproxy = haproxy(folder, first).stdout(log).spawn().unwrap();
        let mut cluster = Self {
            gateway,
            processes: [None, None, None],
            programs: [(); 3].map(|()| program.to_owned()),
            haproxy,
        };
        // At once, as a scheduler does it.
        for number in 0..NAMES.len() {
            cluster.spawn(number);
        }
        for number in 0..NAMES.len() {
            cluster.until_it_listens(port(first, number));
        }
        cluster.until_it_listens(first);
        for number in 0..NAMES.len() {
            cluster.until_it_serves(number).await;
        }
        cluster
    }

    fn spawn(&mut self, number: usize) {
        let folder = &self.gateway.folder;
        let mut command = Command::new(&self.programs[number]);
        command
            .args(["gateway", "--config"])
            .arg(folder.join(format!("{}.toml", NAMES[number])))
            .env("RUST_LOG", EVERYTHING)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.gateway.log_to_write());
        self.processes[number] = Some(command.spawn().unwrap());
    }

    fn until_it_listens(&self, port: u16) {
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(
                began.elapsed() < PATIENCE,
                "nobody listens: {}",
                self.gateway.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// HAProxy looks several times a second whether a process is back.
    async fn until_it_serves(&self, number: usize) {
        let (began, before) = (Instant::now(), self.served(0).len());
        while !self.served(before).iter().any(|name| name == NAMES[number]) {
            assert!(
                began.elapsed() < PATIENCE,
                "{} gets nothing to do",
                NAMES[number]
            );
            let asking = self
                .gateway
                .client(&Arc::default())
                .get(self.gateway.url("/healthz"));
            let _ = asking.send().await;
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, number: usize) {
        let mut process = self.processes[number].take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// SIGTERM, and the program under test in its place.
    pub(crate) async fn replace(&mut self, number: usize) {
        let figures = self.figures(number);
        let mut process = self.processes[number].take().expect("it runs");
        assert!(terminate(&mut process).success());
        self.gateway.unsaid().is_nowhere_among(Some(&figures));
        self.programs[number] = LANYARD.into();
        self.start(number).await;
    }

    /// What a process that runs has on its metrics page.
    fn figures(&self, number: usize) -> String {
        let port = metrics_port(self.gateway.ports.first, number);
        figures_at(port).unwrap_or_else(|| format!("{} has no metrics page", NAMES[number]))
    }

    pub(crate) async fn start(&mut self, number: usize) {
        self.spawn(number);
        self.until_it_listens(port(self.gateway.ports.first, number));
        self.until_it_serves(number).await;
    }

    /// Which process served each request since `from`, and how many lines there are.
    pub(crate) fn served(&self, from: usize) -> Vec<String> {
        let log = std::fs::read_to_string(self.gateway.folder.join("haproxy-log")).unwrap();
        let lines = log.lines().filter_map(|line| line.split(' ').next());
        let lines = lines.filter(|name| NAMES.contains(name)).map(str::to_owned);
        lines.skip(from).collect()
    }
}

fn port(first: u16, number: usize) -> u16 {
    first + 1 + u16::try_from(number).unwrap()
}

fn metrics_port(first: u16, number: usize) -> u16 {
    port(first, number + NAMES.len())
}

/// HAProxy with the file that is handed out and an environment of the test's.
pub(crate) fn haproxy(folder: &Path, first: u16) -> Command {
    haproxy_at(&haproxy_file(), folder, first)
}

/// The same with another file.
pub(crate) fn haproxy_at(file: &Path, folder: &Path, first: u16) -> Command {
    let mut command = Command::new("/usr/sbin/haproxy");
    command.args(["-db", "-f"]).arg(file);
    command.env("LANYARD_BIND", format!("127.0.0.1:{first}"));
    command.env("LANYARD_CERTIFICATE", folder.join("haproxy.pem"));
    for (number, name) in ["LANYARD_ONE", "LANYARD_TWO", "LANYARD_THREE"]
        .iter()
        .enumerate()
    {
        command.env(name, format!("127.0.0.1:{}", port(first, number)));
    }
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let may_look = !std::thread::panicking();
        let running = |number: &usize| may_look && self.processes[*number].is_some();
        let running = (0..NAMES.len()).filter(running);
        let figures: Vec<String> = running.map(|number| self.figures(number)).collect();
        let processes = self.processes.iter_mut().flatten();
        for process in processes.chain([&mut self.haproxy]) {
            let _ = process.kill();
            let _ = process.wait();
        }
        let unsaid = self.gateway.unsaid();
        for figures in &figures {
            unsaid.is_nowhere_among(Some(figures));
        }
    }
}

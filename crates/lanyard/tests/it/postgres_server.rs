//! PostgreSQL servers of a test's own, which it may stop, crash and replace.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server, and its files.
pub(crate) struct Server {
    folder: PathBuf,
    pub(crate) port: u16,
    programs: PathBuf,
}

/// A folder that the user owns whom PostgreSQL runs as, gone when the test is.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Path::new("/tmp").join(format!("lanyard-pg-{}", uuid::Uuid::new_v4()));
        run("mkdir", &[folder.to_str().unwrap()]);
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where PostgreSQL's programs are, if they are here and a user to run them as.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let bins = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    let found = bins.filter(|bin| bin.join("initdb").is_file()).max();
    if found.is_none() {
        println!("skipped: PostgreSQL's programs are not on this machine");
    }
    found
}

impl Server {
    /// A new server, which keeps what it acknowledged.
    pub(crate) fn new(programs: &Path, folder: &Folder, port: u16) -> Self {
        let server = Self {
            folder: folder.0.join(format!("data-{port}")),
            port,
            programs: programs.to_owned(),
        };
        let data = server.folder.to_str().unwrap();
        let more = [
            "--username=lanyard",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        ];
        let arguments = [&["--no-sync", "--pgdata", data][..], &more].concat();
        run(server.program("initdb").to_str().unwrap(), &arguments);
        server.set("listen_addresses = '127.0.0.1'\nmax_connections = 200\n");
        server.set(&format!(
            "unix_socket_directories = '{}'\n",
            folder.0.display()
        ));
        server.set(&format!("port = {port}\n"));
        server.start();
        server
    }

    /// A standby of that one, without which it acknowledges nothing any more.
    pub(crate) fn standby_of(primary: &Self, folder: &Folder, port: u16) -> Self {
        let server = Self {
            folder: folder.0.join(format!("data-{port}")),
            port,
            programs: primary.programs.clone(),
        };
        let from = format!(
            "postgres://lanyard@127.0.0.1:{}/?application_name=standby",
            primary.port
        );
        let data = server.folder.to_str().unwrap();
        let arguments = [
            "--pgdata",
            data,
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--dbname",
            &from,
        ];
        run(
            server.program("pg_basebackup").to_str().unwrap(),
            &arguments,
        );
        server.set(&format!("port = {port}\n"));
        server.start();
        primary.set("synchronous_standby_names = '*'\n");
        primary.control(&["reload"]);
        server
    }

    pub(crate) fn start(&self) {
        let log = self.folder.join("log");
        self.control(&["--wait", "--log", log.to_str().unwrap(), "start"]);
    }

    /// `fast` ends connections, `immediate` is a crash.
    pub(crate) fn stop(&self, mode: &str) {
        self.control(&["--wait", "--mode", mode, "stop"]);
    }

    pub(crate) fn promote(&self) {
        self.control(&["--wait", "promote"]);
    }

    fn control(&self, arguments: &[&str]) {
        let data = ["--pgdata", self.folder.to_str().unwrap()];
        run(
            self.program("pg_ctl").to_str().unwrap(),
            &[arguments, &data].concat(),
        );
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn set(&self, lines: &str) {
        let file = self.folder.join("postgresql.conf");
        let text = std::fs::read_to_string(&file).unwrap() + lines;
        std::fs::write(file, text).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.to_str().unwrap();
        let program = self.program("pg_ctl");
        let mut stop = unprivileged(program.to_str().unwrap());
        stop.args(["--mode", "immediate", "--pgdata", data, "stop"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// PostgreSQL refuses to run as root.
pub(crate) fn unprivileged(program: &str) -> Command {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    if id(&["-u"]) != "0" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let (user, group) = (id(&["-u", "postgres"]), id(&["-g", "postgres"]));
    command.args([&format!("--reuid={user}"), &format!("--regid={group}")]);
    command
        .args(["--clear-groups", program])
        .current_dir("/tmp")
        .env_remove("HOME");
    command
}

fn run(program: &str, arguments: &[&str]) {
    let mut command = unprivileged(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let status = command.status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

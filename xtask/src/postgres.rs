//! A throw-away PostgreSQL server for one test run.
//!
//! The server is kept by a small shell script that waits on a pipe from us. However we end (well, by Ctrl-C,
//! killed), the pipe closes, and the script stops the server and removes its files.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::cargo::output_of;

/// The environment variable that names the server to the tests. Each test makes its own database there.
pub(crate) const VARIABLE: &str = "LANYARD_TEST_POSTGRES";

/// PostgreSQL refuses to run as root: these users are tried, in this order, in its place.
const UNPRIVILEGED_USERS: [&str; 2] = ["postgres", "nobody"];

const KEEPER: &str = r#"
set -eu
trap '' HUP INT TERM
programs=$1 port=$2 durable=$3
folder=$(mktemp -d "${TMPDIR:-/tmp}/lanyard-postgres.XXXXXX")
clean() {
    "$programs/pg_ctl" --pgdata="$folder/data" --mode=immediate --wait stop >/dev/null 2>&1 || :
    rm -rf "$folder"
}
trap clean EXIT
fail() { cat "$folder/log" >&2; exit 1; }
read -r password
umask 077
printf '%s\n' "$password" >"$folder/password"
"$programs/initdb" --pgdata="$folder/data" --username=lanyard --pwfile="$folder/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$folder/log" 2>&1 || fail
cat >>"$folder/data/postgresql.conf" <<SETTINGS
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$folder'
max_connections = 300
SETTINGS
# What tests write does not outlive the run, so nothing waits for the disk. What is measured does wait.
[ "$durable" = yes ] || cat >>"$folder/data/postgresql.conf" <<SETTINGS
fsync = off
full_page_writes = off
synchronous_commit = off
SETTINGS
"$programs/pg_ctl" --pgdata="$folder/data" --log="$folder/log" --wait --timeout=60 start >/dev/null 2>&1 || fail
echo "$folder"
cat >/dev/null
"#;

/// A running server. Dropping it stops the server and removes its files.
pub(crate) struct Postgres {
    keeper: Child,
    url: String,
    folder: PathBuf,
}

impl Postgres {
    /// Makes and starts a server that only this run knows the password of.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_if_durable(false)
    }

    /// One that keeps what it acknowledged, as in real use: for measuring.
    pub(crate) fn start_durable() -> anyhow::Result<Self> {
        Self::start_if_durable(true)
    }

    fn start_if_durable(durable: bool) -> anyhow::Result<Self> {
        let programs =
            programs().context("PostgreSQL's programs (initdb, pg_ctl) are not on this machine")?;
        // Another program may take the free port between our look and the server's start.
        let mut last = None;
        for _ in 0..3 {
            match Self::start_on(&programs, free_port()?, durable) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no attempt was made")))
    }

    fn start_on(programs: &Path, port: u16, durable: bool) -> anyhow::Result<Self> {
        let password = random_password()?;
        let mut command = as_unprivileged_user()?;
        command
            .args(["sh", "-c", KEEPER, "sh"])
            .arg(programs)
            .arg(port.to_string())
            .arg(if durable { "yes" } else { "no" });
        // A group of its own: the terminal's Ctrl-C must not reach the one who cleans up.
        let mut keeper = command
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("could not start the PostgreSQL keeper")?;
        let mut folder = String::new();
        if let (Some(input), Some(output)) = (keeper.stdin.as_mut(), keeper.stdout.as_mut()) {
            // A keeper that died early shows as an empty answer below.
            let _ = writeln!(input, "{password}");
            BufReader::new(output).read_line(&mut folder)?;
        }
        let server = Self {
            keeper,
            url: format!("postgres://lanyard:{password}@127.0.0.1:{port}/postgres"),
            folder: folder.trim().into(),
        };
        anyhow::ensure!(
            !folder.is_empty(),
            "the throw-away PostgreSQL did not start (its own words are above)"
        );
        Ok(server)
    }

    /// What to connect to: a superuser, since tests make databases.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where the server keeps its files while it runs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The folder of `initdb` and its companions: Debian keeps them out of the search path, one folder for each version.
pub(crate) fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|version| {
            let number: u32 = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        });
    let newest = debian
        .filter(|(_, folder)| is_complete(folder))
        .max_by_key(|(number, _)| *number);
    newest.map(|(_, folder)| folder).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| is_complete(folder))
    })
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn random_password() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn as_unprivileged_user() -> anyhow::Result<Command> {
    if output_of("id", &["-u"]).as_deref() != Some("0") {
        return Ok(Command::new("env"));
    }
    let user = UNPRIVILEGED_USERS
        .into_iter()
        .find(|user| output_of("id", &["-u", user]).is_some());
    let user = user.context(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`",
    )?;
    let group = output_of("id", &["-g", user]).context("could not learn the user's group")?;
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={user}"))
        .arg(format!("--regid={group}"))
        .arg("--clear-groups");
    // Root's own temporary folder may be closed to others.
    command.env("TMPDIR", "/tmp").env_remove("HOME");
    Ok(command)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_server_answers_while_it_is_held_and_leaves_nothing_behind() {
        let Some(programs) = programs() else {
            eprintln!("skipped: PostgreSQL is not installed");
            return;
        };
        let server = Postgres::start().unwrap();
        let ask = |url: &str| {
            Command::new(programs.join("psql"))
                .args([url, "-tAc", "SELECT 40 + 2"])
                .output()
                .unwrap()
        };
        assert_eq!(
            String::from_utf8_lossy(&ask(server.url()).stdout).trim(),
            "42"
        );

        let guessed = server.url().replacen("lanyard:", "lanyard:x", 1);
        assert!(
            !ask(&guessed).status.success(),
            "a wrong password must not be let in"
        );

        let (url, folder) = (server.url().to_owned(), server.folder().to_owned());
        assert!(folder.exists());
        drop(server);
        assert!(!folder.exists());
        assert!(!ask(&url).status.success());
    }
}

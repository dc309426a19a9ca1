//! What the examples of docs/integrate are run on: a sandbox in this process, and the real program beside it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lanyard::sandbox::{self, Running};
use url::Url;

use crate::ports::Ports;
use crate::sandbox_folder::Folder;

/// How long a program may take to listen, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the example is written in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Language {
    Python,
    Node,
}

impl Language {
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::Node => "node",
        }
    }

    pub(crate) fn portal(self) -> PathBuf {
        examples().join(match self {
            Self::Python => "portal.py",
            Self::Node => "portal.mjs",
        })
    }
}

/// The folder of the examples.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/integrate/examples")
}

/// Whether these programs are there; says which is not.
pub(crate) fn are_there(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_missing = |program: &&&str| {
        !std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    let missing: Vec<_> = programs.iter().filter(is_missing).collect();
    if !missing.is_empty() {
        eprintln!("skipped: missing for an example: {missing:?}");
    }
    missing.is_empty()
}

/// A sandbox of its own, in this process; its folder is to be kept until it has stopped.
pub(crate) async fn sandbox(ports: &Ports) -> (Running, Folder) {
    let mut folder = Folder::new();
    let options = sandbox::Options {
        data: folder.data(),
        base_port: ports.first,
        database: None,
        public_url: None,
        tls_cert: None,
        tls_key: None,
        fresh: false,
        page_states: false,
    };
    let sandbox = sandbox::start(&options).await.unwrap();
    folder.keep_secret(&sandbox.file, &sandbox.gateway);
    (sandbox, folder)
}

/// A portal that runs beside a sandbox.
pub(crate) struct Portal {
    process: Child,
    pub(crate) base: Url,
}

impl Portal {
    pub(crate) fn start(language: Language, sandbox: &Running) -> Self {
        let base = sandbox.file.sidecar.redirect_uri.join("/").unwrap();
        let process = Command::new(language.program())
            .arg(language.portal())
            .env("LANYARD_SANDBOX", sandbox.data.join("sandbox.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let mut portal = Self {
            process: process.unwrap(),
            base,
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", portal.base.port().unwrap())).is_err() {
            let ended = portal.process.try_wait().unwrap();
            assert!(ended.is_none(), "{language:?} ended: {ended:?}");
            assert!(began.elapsed() < PATIENCE, "{language:?} does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        portal
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

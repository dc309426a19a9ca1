//! The folder of a sandbox, and what of it is said nowhere: what a sandbox in the test's own process said is searched when
//! the folder goes (SEC-40).

use std::path::{Path, PathBuf};

use gateway::Gateway;
use lanyard::sandbox_file::SandboxFile;

use crate::said::{self, Unsaid};

pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    unsaid: Unsaid,
    /// Whose figures are looked through as well.
    gateway: Option<Gateway>,
}

impl Folder {
    /// From here on everything is heard that is said in this process.
    pub(crate) fn new() -> Self {
        said::listen();
        let name = format!("lanyard-sandbox-{}", uuid::Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self {
            path,
            unsaid: Unsaid::of_everybody(),
            gateway: None,
        }
    }

    /// Where the sandbox keeps everything.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Everybody's and everything's of the sandbox that runs here.
    pub(crate) fn keep_secret(&mut self, file: &SandboxFile, gateway: &Gateway) {
        add(&mut self.unsaid, file);
        self.gateway = Some(gateway.clone());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.unsaid.add_wallet(&self.data().join("wallet"));
        if let Some(gateway) = &self.gateway {
            self.unsaid.is_in_no_figure(gateway.metrics_router());
        }
        let _ = std::fs::remove_dir_all(&self.path);
        self.unsaid.was_not_said();
    }
}

/// Who a sandbox knows, and what opens something there.
pub(crate) fn add(unsaid: &mut Unsaid, file: &SandboxFile) {
    for employee in &file.employees {
        unsaid.add("a name", &*employee.surname);
        unsaid.add("a birth date", &*employee.date_of_birth);
        unsaid.add("an identifier", &*employee.unique_identifier);
        unsaid.add("a password", &*employee.password);
    }
    for party in &file.relying_parties {
        unsaid.add("a client secret", &*party.client_secret);
        unsaid.add("a signing key", &*party.signing_key);
    }
    unsaid.add("an API key", &*file.sidecar.api_key);
}

/// The sandbox of a process wrote this; its folder is there still.
pub(crate) fn search(log: &str, data: &Path, files: &[SandboxFile]) {
    let mut unsaid = Unsaid::of_everybody();
    for file in files {
        add(&mut unsaid, file);
    }
    unsaid.add_wallet(&data.join("wallet"));
    unsaid.is_nowhere_in(log);
}

//! The folder of a sandbox, and what of it is said nowhere: what a sandbox in the test's own process said is searched when
//! the folder goes (SEC-40).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gateway::Gateway;
use lanyard::sandbox::people::EVERYONE;
use lanyard::sandbox_file::SandboxFile;

use crate::said::{self, Unsaid};

pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    unsaid: Mutex<Unsaid>,
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
            unsaid: Mutex::new(Unsaid::of_everybody()),
            gateway: None,
        }
    }

    /// Where the sandbox keeps everything.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Everybody's and everything's of the sandbox that runs here.
    pub(crate) fn keep_secret(&mut self, file: &SandboxFile, gateway: &Gateway) {
        add(self.unsaid.get_mut().unwrap(), file);
        self.watch(gateway);
    }

    /// The figures of a gateway that runs here are looked through when the folder goes.
    pub(crate) fn watch(&mut self, gateway: &Gateway) {
        self.gateway = Some(gateway.clone());
    }

    /// And this is said nowhere.
    pub(crate) fn keep_unsaid(&self, what: &'static str, secret: &str) {
        self.unsaid.lock().unwrap().add(what, secret);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let wallet = self.data().join("wallet");
        let unsaid = self.unsaid.get_mut();
        let unsaid = unsaid.unwrap_or_else(PoisonError::into_inner);
        unsaid.add_wallet(&wallet);
        if let Some(gateway) = &self.gateway {
            unsaid.is_in_no_figure(gateway.metrics_router());
        }
        let _ = std::fs::remove_dir_all(&self.path);
        unsaid.was_not_said();
    }
}

/// Who a sandbox knows, and what opens something there.
pub(crate) fn add(unsaid: &mut Unsaid, file: &SandboxFile) {
    // The employer's record, and what the credentials in the wallets say: they differ where a case is about that.
    for employee in &file.employees {
        unsaid.add("a name", &*employee.first_names);
        unsaid.add("a name", &*employee.surname);
        unsaid.add("a birth date", &*employee.date_of_birth);
        unsaid.add("an identifier", &*employee.unique_identifier);
        unsaid.add("a password", &*employee.password);
    }
    for identity in EVERYONE.iter().filter_map(|person| person.identity) {
        unsaid.add("a name", identity.says.first_names);
        unsaid.add("a name", identity.says.surname);
        unsaid.add("a birth date", identity.says.date_of_birth);
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

//! What the processes of one gateway have said in all their folders, and what none of them may say (SEC-40).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::said::Unsaid;

#[derive(Default)]
pub(crate) struct Overheard {
    /// What opens something or says that it is somebody, in whatever folder it was found.
    secrets: Mutex<BTreeSet<(&'static str, String)>>,
    /// Every file that a process has written its log to, by device and number. They can be read to the end even where the
    /// gateway has another folder by now, and where theirs is gone.
    logs: Mutex<BTreeMap<(u64, u64), File>>,
}

impl Overheard {
    /// From here on nobody may say it, nor have said it.
    pub(crate) fn keep(&self, what: &'static str, secret: impl Into<String>) {
        self.secrets.lock().unwrap().insert((what, secret.into()));
    }

    /// The same of every secret that a gateway has in this folder now: in the files that its configuration names, and in
    /// those that `lanyard init` and an operator put beside it.
    pub(crate) fn keep_secrets_of(&self, folder: &Path, config: &Path) {
        let config = fs::read_to_string(config).unwrap_or_default();
        let named = config.split("file = \"").skip(1);
        let named = named.filter_map(|rest| rest.split('"').next());
        let beside = fs::read_dir(folder.join("secrets"));
        let beside = beside
            .into_iter()
            .flatten()
            .map(|file| file.unwrap().path());
        for file in named.map(PathBuf::from).chain(beside) {
            // Where one is missing, that is for the gateway to say.
            let text = fs::read_to_string(file).unwrap_or_default();
            self.keep("a secret", text.trim());
        }
    }

    pub(crate) fn add_to(&self, unsaid: &mut Unsaid) {
        for (what, secret) in self.secrets.lock().unwrap().iter() {
            unsaid.add(what, secret);
        }
    }

    /// The log of a folder, for a process to write to.
    pub(crate) fn log_in(&self, folder: &Path) -> File {
        let path = folder.join("log");
        let mut options = File::options();
        let log = options.create(true).append(true).open(&path).unwrap();
        let about = log.metadata().unwrap();
        let mut logs = self.logs.lock().unwrap();
        let read = || File::open(&path).unwrap();
        logs.entry((about.dev(), about.ino())).or_insert_with(read);
        log
    }

    /// At the end, when nobody writes any more: none of it is in any of the logs.
    pub(crate) fn look_through(&self, unsaid: &Unsaid) {
        for log in self.logs.lock().unwrap().values_mut() {
            let mut said = Vec::new();
            log.read_to_end(&mut said).unwrap();
            assert!(!said.is_empty(), "a gateway wrote nothing into its log");
            unsaid.is_nowhere_in(&String::from_utf8_lossy(&said));
        }
    }
}

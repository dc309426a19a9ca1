//! The folder of an assurance file: written beside its place, named when it is whole, with a manifest of digests.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The list of what is in the folder.
const MANIFEST: &str = "manifest.json";

/// A folder that is not whole yet; what was written goes with it if it never is.
pub(super) struct Folder {
    place: PathBuf,
    draft: PathBuf,
    files: Vec<(String, Vec<u8>)>,
}

impl Folder {
    /// One of that name, which must not be there.
    pub(super) fn begin(place: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !place.exists(),
            "already-exists: {} is there already: name another",
            place.display()
        );
        let mut draft = place.as_os_str().to_owned();
        draft.push(".unfinished");
        Ok(Self {
            place: place.to_owned(),
            draft: draft.into(),
            files: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.files.iter().any(|(known, _)| known == name),
            "{name} is there twice"
        );
        self.files.push((name.to_owned(), text.as_bytes().to_vec()));
        Ok(())
    }

    pub(super) fn add_json(&mut self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        self.add(name, &text)
    }

    /// A secret of the gateway's in one of the files is a fault of this program, and must not leave it.
    pub(super) fn refuse_secrets(&self, secrets: &[Zeroizing<String>]) -> anyhow::Result<()> {
        for (name, content) in &self.files {
            let text = String::from_utf8_lossy(content);
            let shows = secrets.iter().any(|secret| text.contains(secret.as_str()));
            anyhow::ensure!(
                !shows,
                "evidence-holds-a-secret: {name} would show one; nothing was written"
            );
        }
        Ok(())
    }

    /// Writes everything and the manifest, and gives the folder its name. Tells how many files there are.
    pub(super) fn finish(self, about: &Value) -> anyhow::Result<usize> {
        let written = self.write(about);
        if written.is_err() {
            let _ = fs::remove_dir_all(&self.draft);
        }
        written
    }

    fn write(&self, about: &Value) -> anyhow::Result<usize> {
        create(&self.draft)?;
        let mut listed = Vec::new();
        for (name, content) in &self.files {
            let path = self.draft.join(name);
            if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
                create(parent)?;
            }
            fs::write(&path, content).with_context(|| path.display().to_string())?;
            listed.push(json!({
                "name": name,
                "bytes": content.len(),
                "sha256": hex::encode(digest(&SHA256, content)),
            }));
        }
        let mut manifest = about.clone();
        manifest["files"] = listed.into();
        let text = serde_json::to_string_pretty(&manifest)?;
        fs::write(self.draft.join(MANIFEST), text + "\n")?;
        fs::rename(&self.draft, &self.place)
            .with_context(|| format!("{} cannot be made", self.place.display()))?;
        Ok(self.files.len())
    }
}

/// For its owner only: it names operators, and what they did.
fn create(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .with_context(|| folder.display().to_string())
}

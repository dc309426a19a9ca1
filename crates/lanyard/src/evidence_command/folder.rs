//! The folder of an assurance file: written beside its place, named when it is whole, with a manifest of digests.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{self, SHA256};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The list of what is in the folder.
const MANIFEST: &str = "manifest.json";

/// A folder that is not whole yet; what was written goes with it if it never is.
pub(super) struct Folder {
    place: PathBuf,
    draft: PathBuf,
    /// What must not stand in any file.
    secrets: Vec<Zeroizing<String>>,
    /// What is in it: name, bytes and digest.
    files: Vec<Value>,
    is_whole: bool,
}

/// A file that is being written. Its digest is made on the way: it may be larger than what memory holds.
pub(super) struct Piecewise<'a> {
    folder: &'a mut Folder,
    name: String,
    file: File,
    digest: digest::Context,
    bytes: u64,
}

impl Folder {
    /// One of that name, which must not be there, in which none of these secrets may stand.
    pub(super) fn begin(place: &Path, secrets: Vec<Zeroizing<String>>) -> anyhow::Result<Self> {
        let mut draft = place.as_os_str().to_owned();
        draft.push(".unfinished");
        let draft = PathBuf::from(draft);
        anyhow::ensure!(
            !place.exists(),
            "already-exists: {} is there already: name another",
            place.display()
        );
        anyhow::ensure!(
            !draft.exists(),
            "already-exists: {} was left by a run that was broken off, unless one is under way: delete it and run this again",
            draft.display()
        );
        create(&draft)?;
        Ok(Self {
            place: place.to_owned(),
            draft,
            secrets,
            files: Vec::new(),
            is_whole: false,
        })
    }

    pub(super) fn add(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        let mut file = self.file(name)?;
        file.write(text)?;
        file.finish();
        Ok(())
    }

    pub(super) fn add_json(&mut self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        self.add(name, &text)
    }

    /// A file that comes in pieces.
    pub(super) fn file(&mut self, name: &str) -> anyhow::Result<Piecewise<'_>> {
        anyhow::ensure!(
            !self.files.iter().any(|known| known["name"] == name),
            "{name} is there twice"
        );
        let path = self.draft(name);
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            create(parent)?;
        }
        let file = File::create_new(&path).with_context(|| path.display().to_string())?;
        Ok(Piecewise {
            folder: self,
            name: name.to_owned(),
            file,
            digest: digest::Context::new(&SHA256),
            bytes: 0,
        })
    }

    /// Where a file is while the folder is not whole.
    pub(super) fn draft(&self, name: &str) -> PathBuf {
        self.draft.join(name)
    }

    /// Writes the manifest, and gives the folder its name. Tells how many files there are.
    pub(super) fn finish(mut self, about: &Value) -> anyhow::Result<usize> {
        let mut manifest = about.clone();
        manifest["files"] = self.files.clone().into();
        let text = serde_json::to_string_pretty(&manifest)?;
        fs::write(self.draft.join(MANIFEST), text + "\n")?;
        fs::rename(&self.draft, &self.place)
            .with_context(|| format!("{} cannot be made", self.place.display()))?;
        self.is_whole = true;
        Ok(self.files.len())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = fs::remove_dir_all(&self.draft);
        }
    }
}

impl Piecewise<'_> {
    /// Whole lines. A secret of the gateway's in one of them is a fault of this program, and must not leave it.
    pub(super) fn write(&mut self, lines: &str) -> anyhow::Result<()> {
        let mut secrets = self.folder.secrets.iter();
        anyhow::ensure!(
            !secrets.any(|secret| lines.contains(secret.as_str())),
            "evidence-holds-a-secret: {} would show one; nothing is kept of this run",
            self.name
        );
        self.digest.update(lines.as_bytes());
        self.bytes += lines.len() as u64;
        let written = self.file.write_all(lines.as_bytes());
        written.with_context(|| self.folder.draft(&self.name).display().to_string())
    }

    /// It is whole, and stands in the manifest.
    pub(super) fn finish(self) {
        self.folder.files.push(json!({
            "name": self.name,
            "bytes": self.bytes,
            "sha256": hex::encode(self.digest.finish()),
        }));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_ends_the_run_and_keeps_nothing_and_what_a_killed_run_left_may_be_deleted() {
        let around = std::env::temp_dir().join(format!("lanyard-folder-{}", uuid::Uuid::new_v4()));
        create(&around).unwrap();
        let place = around.join("evidence");
        let draft = around.join("evidence.unfinished");
        let begin = || Folder::begin(&place, vec![Zeroizing::new("opens-everything".to_owned())]);

        let mut folder = begin().unwrap();
        folder.add("well.txt", "nothing to hide\n").unwrap();
        assert!(draft.join("well.txt").exists());
        let refused = folder.add("ill.txt", "it opens-everything\n").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "evidence-holds-a-secret: ill.txt would show one; nothing is kept of this run"
        );
        drop(folder);
        assert_eq!(fs::read_dir(&around).unwrap().count(), 0);

        // A run that is killed drops nothing.
        std::mem::forget(begin().unwrap());
        let refused = begin().err().unwrap().to_string();
        let says = format!(
            "already-exists: {} was left by a run that was broken off",
            draft.display()
        );
        assert!(refused.starts_with(&says), "{refused}");
        fs::remove_dir(&draft).unwrap();
        assert_eq!(begin().unwrap().finish(&json!({})).unwrap(), 0);
        let refused = begin().err().unwrap().to_string();
        assert!(refused.ends_with("name another"), "{refused}");
        fs::remove_dir_all(&around).unwrap();
    }
}

//! The files of the workspace: how long they may be, and where tests stand.

use std::path::Path;

use super::Breach;

/// A file reaches this many lines only by doing two things.
const TOO_LONG: usize = 500;

/// What people write by hand and others read from top to bottom.
const MEASURED: [&str; 5] = ["rs", "mjs", "js", "html", "sql"];

/// What is read at all.
const TEXT: [&str; 11] = [
    "rs", "mjs", "js", "html", "sql", "toml", "md", "json", "sh", "yaml", "css",
];

/// Folders that hold nothing of ours, whatever their depth.
const FOREIGN: [&str; 4] = ["target", "node_modules", "vendor", "vectors"];

/// Hidden folders that do hold something of ours.
const OURS_THOUGH_HIDDEN: [&str; 3] = [".ci", ".cargo", ".config"];

/// One text file, its path as seen from the workspace's folder with `/` between the parts.
pub(super) struct TextFile {
    pub(super) path: String,
    pub(super) text: String,
}

impl TextFile {
    pub(super) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    pub(super) fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    pub(super) fn check(&self) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let lines = self.text.lines().count();
        if MEASURED.contains(&self.extension()) && !self.path.contains(".min.") && lines >= TOO_LONG
        {
            breaches.push(Breach::new(
                &self.path,
                None,
                format!("{lines} lines: a file stays under {TOO_LONG}"),
            ));
        }
        if self.is_stray_test() {
            breaches.push(Breach::new(
                &self.path,
                None,
                "each binary of tests costs a link: put this under tests/it/ as a module",
            ));
        }
        breaches
    }

    /// `crates/X/tests/anything.rs` is a test binary of its own; one for each crate is enough (`tests/it/main.rs`).
    fn is_stray_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        match parts.as_slice() {
            ["crates", _, "tests", _file] => self.is_rust(),
            ["crates", _, "tests", folder, "main.rs"] => *folder != "it",
            _ => false,
        }
    }
}

/// Reads every text file of ours.
pub(super) fn read(root: &Path) -> anyhow::Result<Vec<TextFile>> {
    let mut files = Vec::new();
    read_folder(root, "", &mut files)?;
    Ok(files)
}

fn read_folder(folder: &Path, below: &str, files: &mut Vec<TextFile>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        if entry.file_type()?.is_dir() {
            let is_ours = if name.starts_with('.') {
                OURS_THOUGH_HIDDEN.contains(&name.as_str())
            } else {
                !FOREIGN.contains(&name.as_str())
            };
            if is_ours {
                read_folder(&entry.path(), &format!("{path}/"), files)?;
            }
            continue;
        }
        let mut file = TextFile {
            path,
            text: String::new(),
        };
        let is_text = TEXT.contains(&file.extension()) || below == ".ci/" || !name.contains('.');
        // What is not text after all (a picture without an ending) has no words to check.
        if let (true, Ok(text)) = (is_text, std::fs::read_to_string(entry.path())) {
            file.text = text;
            files.push(file);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> TextFile {
        TextFile {
            path: path.into(),
            text: "x\n".repeat(lines),
        }
    }

    #[test]
    fn a_file_of_five_hundred_lines_is_too_long() {
        assert_eq!(file("crates/gateway/src/a.rs", 499).check(), []);
        assert_eq!(file("crates/gateway/src/a.rs", 500).check().len(), 1);
        assert_eq!(file("docs/architecture.md", 900).check(), []);
    }

    #[test]
    fn a_second_test_binary_is_reported() {
        assert_eq!(file("crates/gateway/tests/it/main.rs", 1).check(), []);
        assert_eq!(file("crates/gateway/tests/par.rs", 1).check().len(), 1);
        assert_eq!(
            file("crates/gateway/tests/other/main.rs", 1).check().len(),
            1
        );
    }
}

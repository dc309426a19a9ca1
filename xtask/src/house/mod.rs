//! `cargo xtask house`: the rules that keep the house as `docs/architecture.md` draws it.
//!
//! Each rule is data at the top of its file, and is seen to fail in a test against something deliberately broken.

mod banned;
mod crates;
mod files;
mod migrations;
mod names;
mod points;
mod slices;
mod source;
mod supply;
mod words;

use std::fmt;
use std::path::Path;

use files::TextFile;

/// One place where the house is not as it should be.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Breach {
    /// The file, as seen from the workspace's folder.
    file: String,
    /// The line, where there is one.
    line: Option<usize>,
    what: String,
}

impl Breach {
    fn new(file: &str, line: impl Into<Option<usize>>, what: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: line.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "{}:{line}: {}", self.file, self.what),
            None => write!(out, "{}: {}", self.file, self.what),
        }
    }
}

/// Checks the workspace and prints what is wrong; says whether nothing is.
pub(crate) fn run(root: &Path) -> anyhow::Result<bool> {
    let breaches = check(root)?;
    for breach in &breaches {
        println!("{breach}");
    }
    match breaches.len() {
        0 => println!("The house stands."),
        1 => println!("\n1 rule of the house is broken."),
        many => println!("\nThe rules of the house are broken in {many} places."),
    }
    Ok(breaches.is_empty())
}

fn check(root: &Path) -> anyhow::Result<Vec<Breach>> {
    let mut breaches = crates::check(&crates::read(root)?);
    breaches.extend(banned::check(&banned::read(root)?));
    breaches.extend(supply::check(&supply::read(root)?));
    let files = files::read(root)?;
    breaches.extend(files.iter().flat_map(TextFile::check));
    breaches.extend(files.iter().flat_map(migrations::check));
    breaches.extend(words::check(&files, root));
    breaches.extend(points::check(&files));
    for file in files.iter().filter(|file| file.is_rust()) {
        match source::parse(&file.text) {
            Ok(source) => {
                breaches.extend(names::check(&file.path, &source));
                breaches.extend(slices::check(&file.path, &source));
            }
            Err(error) => breaches.push(Breach::new(
                &file.path,
                None,
                format!("could not be read as Rust: {error}"),
            )),
        }
    }
    breaches.sort();
    Ok(breaches)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn this_workspace_keeps_its_own_rules() {
        let root = crate::cargo::workspace_root().unwrap();
        let breaches: Vec<String> = super::check(&root)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
    }
}

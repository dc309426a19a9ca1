//! Points inside a process at which it can be told to die (decision 0023), as a test sees them: by the file that
//! `LANYARD_POINTS` names.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A point, when it is reached for that time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    time: usize,
    name: String,
}

impl Point {
    /// Somebody else has heard and answered, and the answer is not kept yet.
    pub(crate) fn loses_an_answer(&self) -> bool {
        self.name.starts_with("after POST") || self.name == "after SMTP content"
    }

    /// A question whose answer a process keeps in its memory as long as it lives.
    pub(crate) fn is_asked_once(&self) -> bool {
        self.name.contains(" GET ")
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.time, self.name)
    }
}

/// The file of one process.
pub(crate) struct Points {
    file: PathBuf,
}

impl Points {
    pub(crate) fn at(file: PathBuf) -> Self {
        Self { file }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// From now on the process says which points it reaches, and dies at this one.
    pub(crate) fn begin(&self, death: Option<&Point>) {
        let first = death.map(ToString::to_string).unwrap_or_default();
        let whole = self.file.with_extension("whole");
        fs::write(&whole, format!("{first}\n")).unwrap();
        fs::rename(whole, &self.file).unwrap();
    }

    /// What was reached since then, in this order.
    pub(crate) fn reached(&self) -> Vec<Point> {
        let text = fs::read_to_string(&self.file).unwrap();
        let mut reached: Vec<Point> = Vec::new();
        for name in text.lines().skip(1) {
            let before = reached.iter().filter(|point| point.name == name).count();
            reached.push(Point {
                time: before + 1,
                name: name.to_owned(),
            });
        }
        reached
    }

    /// Points are passed over again.
    pub(crate) fn end(&self) {
        fs::remove_file(&self.file).unwrap();
    }
}

/// How many different names these points have.
pub(crate) fn names(points: &[Point]) -> usize {
    let names: BTreeSet<&str> = points.iter().map(|point| point.name.as_str()).collect();
    names.len()
}

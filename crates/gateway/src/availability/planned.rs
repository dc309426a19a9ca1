//! Planned work: a small file that the operator writes, read again whenever somebody looks.

use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use crate::config::place::read_text;

/// The most bytes of the file: work of some thousand evenings.
const LARGEST: u64 = 1024 * 1024;

/// What is planned, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedWork {
    /// `[[work]]`.
    #[serde(default)]
    pub work: Vec<Work>,
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// What people read, in English.
    pub text: String,
    /// What people read in Welsh; left out: the English.
    #[serde(default)]
    pub text_cy: Option<String>,
}

/// Why the file cannot be used. The sentence names it.
#[derive(Debug, thiserror::Error)]
pub enum PlannedError {
    /// It could not be read.
    #[error("the file of planned work {file} cannot be read: {reason}")]
    File {
        /// Which.
        file: String,
        /// Why.
        reason: String,
    },
    /// It does not say what it should.
    #[error("the file of planned work {file}: {reason}")]
    Format {
        /// Which.
        file: String,
        /// Why.
        reason: String,
    },
}

impl PlannedWork {
    /// Reads the file. Nothing is planned where there is none to read.
    pub fn read(file: Option<&Path>) -> Result<Self, PlannedError> {
        let Some(path) = file else {
            return Ok(Self::default());
        };
        let file = || path.display().to_string();
        let text = read_text(path, LARGEST).map_err(|error| PlannedError::File {
            file: file(),
            reason: error.to_string(),
        })?;
        let planned: Self = toml::from_str(&text).map_err(|error| PlannedError::Format {
            file: file(),
            reason: error.message().to_owned(),
        })?;
        if planned.work.iter().any(|work| work.to <= work.from) {
            return Err(PlannedError::Format {
                file: file(),
                reason: "work must end after it begins".to_owned(),
            });
        }
        Ok(planned)
    }

    /// Whether work is planned for that time.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.work.iter().any(|work| work.from <= at && at < work.to)
    }
}

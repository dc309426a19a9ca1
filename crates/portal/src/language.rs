//! In which language pages speak to whom: English, and besides it the language of the operator's own catalogue.
//!
//! An employee is spoken to in the language that their record says; whoever is not known yet, or of whom no language is
//! known, in the one that their browser wants. What there is no catalogue for is said in English.

use std::cell::Cell;
use std::path::Path;

use axum::extract::Request;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::middleware::Next;
use axum::response::Response;
use ui::{Language, Words};

use crate::config::ConfigError;
use crate::employees::Employee;

tokio::task_local! {
    /// That of the request which this task answers. Every text of every page is said by way of the look, which all
    /// requests share: it asks here, instead of each of its callers being handed a language to hand on.
    static SPOKEN: Cell<Language>;
}

/// The largest catalogue, in bytes: ten times ours.
const LARGEST: u64 = 256 * 1024;
/// How many of a catalogue's faults are named.
const NAMED: usize = 5;

/// Answers in what the browser wants, until it is known who asks. For `axum::middleware::from_fn`.
pub(crate) async fn hear(request: Request, next: Next) -> Response {
    let wants = request.headers().get(ACCEPT_LANGUAGE);
    let wants = wants.and_then(|header| header.to_str().ok());
    let language = wants.and_then(Language::accepted).unwrap_or_default();
    SPOKEN.scope(Cell::new(language), next.run(request)).await
}

/// From here on the request is this employee's.
pub(crate) fn speak_to(employee: &Employee) {
    if let Some(language) = employee.language {
        let language = Language::parse(language.code()).unwrap_or_default();
        // Outside of a request nobody is spoken to.
        let _ = SPOKEN.try_with(|spoken| spoken.set(language));
    }
}

/// The language of this request's page.
pub(crate) fn spoken() -> Language {
    SPOKEN.try_with(Cell::get).unwrap_or_default()
}

/// An operator's catalogue: `cy.ftl`, with all texts of ours (`words/en.ftl`) and their places.
pub(crate) fn open(file: &Path, ours: &Words) -> Result<(Language, Words), ConfigError> {
    let wrong = |reason: String| ConfigError::value("catalogue", reason);
    let unreadable = |error: std::io::Error| ConfigError::File {
        file: file.display().to_string(),
        reason: error.to_string(),
    };
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let language = stem
        .and_then(Language::parse)
        .filter(|language| *language != Language::English)
        .ok_or_else(|| wrong("the file is called after its language: cy.ftl".to_owned()))?;
    if std::fs::metadata(file).map_err(unreadable)?.len() > LARGEST {
        return Err(wrong(format!("it is larger than {LARGEST} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let words = Words::parse(language.tag(), &text).map_err(|error| wrong(error.to_string()))?;
    let differs = ours.differences(&words);
    if differs.is_empty() {
        return Ok((language, words));
    }
    let named = differs.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let reason = format!(
        "{} texts differ in their keys or places from words/en.ftl: {}",
        differs.len(),
        named.join("; ")
    );
    Err(wrong(reason))
}

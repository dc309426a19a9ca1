//! What is committed is what the recorded sources make.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    packages: BTreeMap<String, String>,
    sources: BTreeMap<String, String>,
    made: BTreeMap<String, String>,
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn recorded() -> Record {
    let text = fs::read_to_string(here().join("vendor/SOURCES.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_vendored_files_are_those_that_their_sources_make() {
    let recorded = recorded();
    for (path, hash) in recorded.made.iter().chain(&recorded.sources) {
        let content = fs::read(here().join(path)).unwrap();
        let actual = hex::encode(digest(&SHA256, &content));
        assert_eq!(
            &actual, hash,
            "{path} changed: run `cargo xtask vendor-frontend` and commit what it makes"
        );
    }
    assert_eq!(recorded.packages["nhsuk-frontend"], "10.6.1");
}

#[test]
fn no_font_and_no_mark_comes_from_elsewhere() {
    let css = fs::read_to_string(here().join("assets/nhsuk.css")).unwrap();
    assert!(
        !css.contains("assets.nhs.uk") && !css.contains("Frutiger") && !css.contains("@font-face")
    );
    for (start, _) in css.match_indices("url(") {
        let name = css[start + 4..]
            .split(')')
            .next()
            .unwrap()
            .trim_matches('"');
        assert!(ui::assets::vendored().contains(name), "{name}");
    }
}

#[test]
fn the_licence_travels_with_the_files() {
    let text = fs::read_to_string(here().join("assets/LICENSE-nhsuk-frontend.txt")).unwrap();
    assert!(text.contains("MIT License") && text.contains("nhsuk-frontend 10.6.1"));
}

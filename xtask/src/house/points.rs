//! Points at which a process can be told to die (decision 0023) are in no release build: their module, each call of it and
//! the variable's name stand behind `#[cfg(debug_assertions)]`. What calls them without it would not compile there, and
//! nobody would notice before a release does.

use super::Breach;
use super::files::TextFile;

/// Where the module is declared, and the file that it is.
const DECLARED_IN: &str = "crates/store/src/lib.rs";
const MODULE: &str = "crates/store/src/point.rs";

/// What stands behind the condition, wherever it stands.
const GUARDED: [&str; 2] = ["mod point;", "point::before("];
const CONDITION: &str = "#[cfg(debug_assertions)]";
/// The variable, in no other file of what is shipped.
const VARIABLE: &str = concat!("LANYARD_", "POINTS");

pub(super) fn check(files: &[TextFile]) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = files.iter().flat_map(check_file).collect();
    let declares = |file: &TextFile| file.path == DECLARED_IN && file.text.contains(GUARDED[0]);
    if !files.iter().any(declares) {
        let what = "`mod point;` is not here: say in this rule where it went";
        breaches.push(Breach::new(DECLARED_IN, None, what));
    }
    breaches
}

fn check_file(file: &TextFile) -> Vec<Breach> {
    if file.path == "Cargo.toml" {
        return check_profile(file);
    }
    let is_shipped = file.path.starts_with("crates/") && file.path.contains("/src/");
    if !is_shipped || !file.is_rust() || file.path == MODULE {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    let mut before = "";
    for (number, line) in (1..).zip(file.text.lines().map(str::trim)) {
        if GUARDED.iter().any(|guarded| line.contains(guarded)) && before != CONDITION {
            let what =
                format!("a point in a release build: `{CONDITION}` belongs on the line before");
            breaches.push(Breach::new(&file.path, number, what));
        }
        if line.contains(VARIABLE) {
            let what = format!("`{VARIABLE}` is read in {MODULE} and nowhere else");
            breaches.push(Breach::new(&file.path, number, what));
        }
        before = line;
    }
    breaches
}

/// The release profile has no debug assertions.
fn check_profile(file: &TextFile) -> Vec<Breach> {
    let mut section = "";
    for (number, line) in (1..).zip(file.text.lines().map(str::trim)) {
        if line.starts_with('[') {
            section = line;
        } else if section == "[profile.release]" && line.starts_with("debug-assertions") {
            let what = "a release has no debug assertions, and with them no point to die at";
            return vec![Breach::new(&file.path, number, what)];
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        let file = TextFile {
            path: path.into(),
            text: text.into(),
        };
        check_file(&file).len()
    }

    #[test]
    fn a_point_without_its_condition_is_reported() {
        let path = "crates/connector/src/http.rs";
        let call = "let step = store::point::before(name);";
        assert_eq!(count(path, &format!("{CONDITION}\n    {call}")), 0);
        assert_eq!(count(path, call), 1);
        assert_eq!(count(path, &format!("{CONDITION}\nlet x = 1;\n{call}")), 1);
        assert_eq!(count(DECLARED_IN, "pub mod point;"), 1);
        assert_eq!(count("crates/connector/tests/it/main.rs", call), 0);
    }

    #[test]
    fn the_variable_in_another_file_is_reported() {
        let read = format!("std::env::var(\"{VARIABLE}\")");
        assert_eq!(count("crates/lanyard/src/main.rs", &read), 1);
        assert_eq!(count(MODULE, &read), 0);
    }

    #[test]
    fn a_release_profile_with_debug_assertions_is_reported() {
        let with =
            |section: &str| format!("{section}\ncodegen-units = 16\ndebug-assertions = true\n");
        assert_eq!(count("Cargo.toml", &with("[profile.release]")), 1);
        assert_eq!(count("Cargo.toml", &with("[profile.fuzz]")), 0);
    }

    #[test]
    fn a_module_that_moved_is_reported() {
        assert_eq!(check(&[]).len(), 1);
    }
}

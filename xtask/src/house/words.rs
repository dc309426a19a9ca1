//! Words and links: nothing unfinished by its own words, nothing that is true on one machine only, no link to nowhere.

use std::path::Path;

use super::Breach;
use super::files::TextFile;

/// A word that says that work is left, and the kinds of file in which it says so.
const UNFINISHED: &[(&str, &[&str])] = &[
    (
        concat!("TO", "DO"),
        &["rs", "mjs", "js", "html", "sql", "toml", "sh"],
    ),
    (
        concat!("FIX", "ME"),
        &["rs", "mjs", "js", "html", "sql", "toml", "sh"],
    ),
    (concat!("unimplemented", "!("), &["rs"]),
    // A test that does not run looks like one that passes.
    (concat!("#[", "ignore"), &["rs"]),
    (concat!("test.", "skip("), &["mjs", "js"]),
    (concat!("test.", "only("), &["mjs", "js"]),
];

/// A lock file that names a registry's host ties everybody to that host.
const HOST_IN_LOCK_FILE: &str = "\"resolved\": \"http";

pub(super) fn check(files: &[TextFile], root: &Path) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = files
        .iter()
        .flat_map(|file| check_file(file, root))
        .collect();
    for file in files.iter().filter(|file| file.extension() == "md") {
        breaches.extend(check_links(file, |target| root.join(target).exists()));
    }
    breaches
}

fn check_file(file: &TextFile, root: &Path) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let checkout = checkout_path(root);
    for (number, line) in (1..).zip(file.text.lines()) {
        for (word, kinds) in UNFINISHED {
            if kinds.contains(&file.extension()) && line.contains(word) {
                breaches.push(Breach::new(
                    &file.path,
                    number,
                    format!("`{word}`: finish it or leave it out"),
                ));
            }
        }
        if checkout
            .as_deref()
            .is_some_and(|checkout| line.contains(checkout))
        {
            breaches.push(Breach::new(
                &file.path,
                number,
                "names the folder of one machine's checkout",
            ));
        }
        if file.path.ends_with("package-lock.json") && line.contains(HOST_IN_LOCK_FILE) {
            breaches.push(Breach::new(&file.path, number, "a lock file names no host: set `omit-lockfile-registry-resolved=true` in .npmrc beside it and make it anew"));
        }
    }
    breaches
}

/// The folder we are in, where it is telling: `/app` may stand in any text.
fn checkout_path(root: &Path) -> Option<String> {
    (root.components().count() > 2).then(|| root.display().to_string())
}

/// Each relative link of a Markdown file must lead to something.
fn check_links(file: &TextFile, exists: impl Fn(&str) -> bool) -> Vec<Breach> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut breaches = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(file.text.lines()) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', ' ']).next())
        {
            let target = target.split('#').next().unwrap_or_default();
            let is_relative = !target.is_empty() && !target.contains(':');
            if is_relative && !exists(&join(folder, target)) {
                breaches.push(Breach::new(
                    &file.path,
                    number,
                    format!("the link to `{target}` leads nowhere"),
                ));
            }
        }
    }
    breaches
}

fn join(folder: &str, target: &str) -> String {
    if folder.is_empty() {
        target.to_owned()
    } else {
        format!("{folder}/{target}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile {
            path: path.into(),
            text: text.into(),
        }
    }

    fn count(path: &str, text: &str) -> usize {
        check_file(&file(path, text), Path::new("/srv/checkouts/lanyard")).len()
    }

    #[test]
    fn what_is_unfinished_by_its_own_words_is_reported() {
        assert_eq!(count("a.rs", concat!("// TO", "DO: later")), 1);
        assert_eq!(count("a.rs", concat!("#[", "ignore]\n", "fn f() {}")), 1);
        assert_eq!(count("a.md", concat!("the TO", "DO list")), 0);
    }

    #[test]
    fn the_place_of_a_checkout_is_reported() {
        assert_eq!(count("a.toml", "dir = \"/srv/checkouts/lanyard/x\""), 1);
        assert_eq!(count("a.toml", "dir = \"/srv/lanyard\""), 0);
    }

    #[test]
    fn a_host_in_a_lock_file_is_reported() {
        assert_eq!(
            count(
                "tests/interop/package-lock.json",
                concat!("  \"resolved\": \"http", "s://example.org/x.tgz\"")
            ),
            1
        );
        assert_eq!(
            count(
                "tests/interop/package-lock.json",
                "  \"integrity\": \"sha512-AA\""
            ),
            0
        );
    }

    #[test]
    fn a_link_to_nowhere_is_reported() {
        let text = "[a](there.md#part) [b](https://example.org) [c](#here)\n```\n[d](in-code.md)\n```\n[e](gone.md)";
        let breaches = check_links(&file("docs/x.md", text), |target| target == "docs/there.md");
        assert_eq!(breaches.len(), 1);
        assert_eq!(
            breaches[0].to_string(),
            "docs/x.md:5: the link to `gone.md` leads nowhere"
        );
    }
}

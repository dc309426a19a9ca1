//! Tests of the npm folders: what stands above a `test(…)` or in its title names the rules, as with Rust tests.

use std::path::Path;

/// One `test("title", …)`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// The title's fixed parts, in order: a title with `${…}` in it stands for several tests.
    title: Vec<String>,
    /// The title and the comments right above it.
    pub(super) text: String,
}

impl Test {
    /// Whether a test of the report is this one: its own title is the last part of its whole name.
    pub(super) fn is(&self, whole_name: &str) -> bool {
        let name = whole_name.rsplit("::").next().unwrap_or(whole_name);
        let [first, middle @ .., last] = self.title.as_slice() else {
            return self.title.first().is_some_and(|title| title == name);
        };
        let Some(mut rest) = name
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        middle
            .iter()
            .all(|part| match rest.split_once(part.as_str()) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            })
    }

    /// How a row names it when the run has no such test.
    pub(super) fn title(&self) -> String {
        self.title.join("…")
    }
}

/// The tests below `tests/`, each with the npm folder it belongs to.
pub(super) fn read(root: &Path) -> anyhow::Result<Vec<(String, Test)>> {
    let mut tests = Vec::new();
    let folder = root.join("tests");
    if folder.is_dir() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                let name = entry.file_name().to_string_lossy().into_owned();
                read_folder(&entry.path(), &name, &mut tests)?;
            }
        }
    }
    Ok(tests)
}

fn read_folder(folder: &Path, name: &str, tests: &mut Vec<(String, Test)>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|own| own != "node_modules") {
                read_folder(&path, name, tests)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "mjs") {
            let text = std::fs::read_to_string(&path)?;
            tests.extend(parse(&text).into_iter().map(|test| (name.to_owned(), test)));
        }
    }
    Ok(())
}

fn parse(text: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut above = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("//") {
            above.push_str(line);
            above.push('\n');
            continue;
        }
        let call = line
            .strip_prefix("test(")
            .or_else(|| line.strip_prefix("it("));
        let title = call.and_then(|rest| {
            let quote = rest
                .chars()
                .next()
                .filter(|first| "\"'`".contains(*first))?;
            Some((quote, rest[1..].split(quote).next()?))
        });
        if let Some((quote, title)) = title {
            tests.push(Test {
                title: if quote == '`' {
                    fixed_parts(title)
                } else {
                    vec![title.to_owned()]
                },
                text: format!("{above}{title}"),
            });
        }
        above.clear();
    }
    tests
}

fn fixed_parts(template: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((fixed, after)) = rest.split_once("${") {
        parts.push(fixed.to_owned());
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    parts.push(rest.to_owned());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_with_values_in_it_stands_for_each_of_its_tests() {
        let tests = parse(
            "// VCI-05: above\n  test(`a ${kind.format} credential for ${naming} is received`, async () => {\n\
             // not above\nlet x;\ntest(\"a \\\\ plain title\", () => {});\nlatest(\"no\");",
        );
        assert_eq!(tests.len(), 2);
        assert!(tests[0].text.contains("VCI-05") && !tests[1].text.contains("not above"));
        assert!(
            tests[0].is("interop::over http::wallet::a dc+sd-jwt credential for did is received")
        );
        assert!(!tests[0].is("interop::a dc+sd-jwt credential is received"));
        assert!(
            tests[1].is("interop::a \\\\ plain title") && !tests[1].is("interop::a plain title")
        );
        assert_eq!(tests[0].title(), "a … credential for … is received");
    }
}

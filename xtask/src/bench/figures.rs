//! Puts figures where they are published: between two marks of a page of `docs/reference/`.

use std::path::Path;

use anyhow::Context as _;

use super::machine::Machine;
use super::report::Report;

/// Where the figures of a benchmark stand.
fn page_of(name: &str) -> &'static str {
    match name {
        "matching" => "docs/reference/matching.md",
        _ => "docs/reference/performance.md",
    }
}

pub(super) fn write(root: &Path, report: &Report, machine: &Machine) -> anyhow::Result<()> {
    let named = page_of(&report.name);
    let file = root.join(named);
    let page = std::fs::read_to_string(&file).with_context(|| named.to_owned())?;
    let page = replaced(&page, &report.name, &report.text(machine))?;
    Ok(std::fs::write(file, page)?)
}

fn replaced(page: &str, name: &str, text: &str) -> anyhow::Result<String> {
    let begin = format!("<!-- figures: {name} -->\n");
    let end = format!("<!-- end of figures: {name} -->");
    let missing = || format!("{} has no place for the figures of {name}", page_of(name));
    let (before, rest) = page.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{before}{begin}\n{text}\n\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn figures_replace_figures_and_nothing_else() {
        let page = "a\n<!-- figures: x -->\nold\n<!-- end of figures: x -->\nb\n";
        let once = replaced(page, "x", "new").unwrap();
        assert_eq!(
            once,
            "a\n<!-- figures: x -->\n\nnew\n\n<!-- end of figures: x -->\nb\n"
        );
        assert_eq!(replaced(&once, "x", "new").unwrap(), once);
        assert!(replaced(page, "y", "new").is_err());
    }
}

//! Tests that did not run. The runner counts them as passed: Rust's harness has no word for a test that finds out by itself that
//! it cannot run, so each says `skipped` and why. What a run provides itself nobody may pass over.

use crate::generate::report;

/// When a reason is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// In any run.
    Always,
    /// Unless the run is long, and has what the long tests need.
    Short,
}

/// Every reason for which a test may leave itself out, by how its line begins and ends.
const ALLOWED: [(&str, &str, When); 7] = [
    ("skipped: LANYARD_LONG is not set", "", When::Short),
    (
        "skipped on PostgreSQL: run `cargo xtask test --long`",
        "",
        When::Short,
    ),
    ("skipped: `age` is not on this machine", "", When::Short),
    (
        "skipped: `age-keygen` is not on this machine",
        "",
        When::Short,
    ),
    // A second opinion about the examples' style.
    (
        "skipped: shellcheck is not on this machine",
        "",
        When::Always,
    ),
    // Where the tests are not root's.
    (
        "skipped: only root makes files of other users",
        "",
        When::Always,
    ),
    // Others' files, which are not ours to give away: they lie beside the repository or do not.
    (
        "skipped: the schema ",
        " is not on this machine",
        When::Always,
    ),
];

/// Looks at one report: tells what was left out, and whether all of it may be.
pub(crate) fn look_at(xml: &str, long: bool) -> bool {
    let skips = report::skips(xml);
    let wrong: Vec<_> = skips.iter().filter(|(_, said)| !may(said, long)).collect();
    for (name, said) in &wrong {
        println!("not run, though this run provides what it needs: {name}: {said}");
    }
    if skips.len() > wrong.len() {
        let count = skips.len() - wrong.len();
        println!("{count} tests left out, for reasons on the list of xtask/src/skipped.rs.");
    }
    wrong.is_empty()
}

/// Whether that is a reason in such a run.
fn may(said: &str, long: bool) -> bool {
    ALLOWED.iter().any(|(begins, ends, when)| {
        let rest = said.strip_prefix(begins);
        let fits = match *ends {
            "" => rest == Some(""),
            ends => rest.is_some_and(|rest| rest.ends_with(ends)),
        };
        fits && (*when == When::Always || !long)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn report(says: &str) -> String {
        let says = says.replace('<', "&lt;");
        format!(
            "<testsuites><testsuite name=\"lanyard::it\"><testcase name=\"ran\"><system-out>ok</system-out></testcase>\
             <testcase name=\"a\" time=\"0.1\"><system-out>\nrunning 1 test\n{says}\ntest a ... ok\n</system-out></testcase>\
             </testsuite></testsuites>"
        )
    }

    #[test]
    fn a_test_that_did_not_run_though_the_run_provides_what_it_needs_fails_the_run() {
        for says in [
            "skipped: missing for an example: [&quot;python3&quot;]",
            "skipped: there is no Node",
            "skipped: oidc-provider is not installed in tests/interop",
            "skipped on PostgreSQL: LANYARD_TEST_POSTGRES is not set",
            "skipped: PostgreSQL's programs are not on this machine",
            "skipped: SoftHSM is not there (Debian: softhsm2)",
            "skipped: haproxy is not on this machine",
            "skipped: promtool is not on this machine (Debian: prometheus)",
            "SKIPPED, no browser",
            "skipped: LANYARD_LONG is not set, and the moon is full",
            "test a ... skipped",
        ] {
            assert!(!look_at(&report(says), false), "{says}");
        }
        let node = "<testsuites><testcase name=\"x\"><skipped type=\"skipped\" message=\"skipped: LANYARD_PYTHON names no \
                    Python with Authlib\"/></testcase></testsuites>";
        assert!(!look_at(node, false));
        assert_eq!(
            report::skips(node),
            [(
                "x".to_owned(),
                "skipped: LANYARD_PYTHON names no Python with Authlib".to_owned()
            )]
        );
    }

    #[test]
    fn a_short_run_leaves_out_what_a_long_one_must_not() {
        for says in [
            "skipped: LANYARD_LONG is not set",
            "skipped on PostgreSQL: run `cargo xtask test --long`",
            "test a ... skipped: `age` is not on this machine",
        ] {
            assert!(look_at(&report(says), false), "{says}");
            assert!(!look_at(&report(says), true), "{says}");
        }
        let schema = "skipped: the schema offer.json is not on this machine";
        assert!(look_at(&report(schema), false) && look_at(&report(schema), true));
        assert!(look_at(&report("nothing was skipped"), true));
    }

    /// Nobody finds a list of sentences that no test says any more.
    #[test]
    fn every_reason_on_the_list_is_said_by_some_test() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        let mut texts = String::new();
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    texts.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        for (begins, _, _) in ALLOWED {
            let begins = begins.split("`age").next().unwrap();
            assert!(texts.contains(begins), "{begins}");
        }
    }
}

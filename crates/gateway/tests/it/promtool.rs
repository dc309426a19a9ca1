//! The rules and the dashboard in `deploy/`, as Prometheus itself reads them, and what each alert is for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::watching::{busy_world_tells, deployed, families, rules};

/// Cases of every alert, beside the rules: whoever changes the rules runs them too.
const CASES: &str = "prometheus/lanyard.rules.test.yml";

/// Whether it is there and what it said. Nothing where it is not installed: then the test says so.
fn promtool(words: &[&str], file: &Path) -> Option<(bool, String)> {
    let Ok(done) = Command::new("promtool").args(words).arg(file).output() else {
        println!("skipped: promtool is not on this machine (Debian: prometheus)");
        return None;
    };
    let said = [done.stdout, done.stderr].concat();
    Some((done.status.success(), String::from_utf8(said).unwrap()))
}

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(name)
}

#[test]
fn prometheus_takes_the_rules_as_they_are_handed_out() {
    let rules = file("prometheus/lanyard.rules.yml");
    let words = ["check", "rules", "--lint=all", "--lint-fatal"];
    if let Some((is_taken, said)) = promtool(&words, &rules) {
        assert!(is_taken, "{said}");
    }
}

#[test]
fn every_alert_begins_at_its_time_and_not_for_less() {
    if let Some((holds, said)) = promtool(&["test", "rules"], &file(CASES)) {
        assert!(holds, "{said}");
    }
}

/// Its cases are lines of a few shapes, as the rules are.
#[test]
fn every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_never_does() {
    // Of each group of series and each alert: where it fires, where it does not.
    let mut cases: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    let mut within: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let text = deployed(CASES);
    let lines = text.lines().chain(["  - name: the end"]);
    let mut begun = None;
    for line in lines {
        if line.starts_with("  - name: ") {
            for (alert, counted) in std::mem::take(&mut within) {
                cases.entry(alert).or_default().push(counted);
            }
        }
        if let Some((_, rest)) = line.split_once("alertname: ") {
            let end = rest.find(',').unwrap_or(rest.len());
            let alert = rest[..end].to_owned();
            let counted = within.entry(alert.clone()).or_default();
            match rest.split_once("exp_alerts: ") {
                Some((_, "[]}")) => counted.1 += 1,
                Some((_, alias)) if alias.starts_with('*') => counted.0 += 1,
                Some((_, other)) => panic!("{other}"),
                None => begun = Some(alert),
            }
        } else if line.trim_start().starts_with("exp_alerts:") {
            within.get_mut(&begun.take().unwrap()).unwrap().0 += 1;
        }
    }
    assert!(begun.is_none(), "{begun:?} expects nothing");
    let rules = rules(&deployed("prometheus/lanyard.rules.yml"));
    let known: BTreeSet<&str> = rules.iter().map(|(alert, _)| alert.as_str()).collect();
    let told: BTreeSet<&str> = cases.keys().map(String::as_str).collect();
    assert_eq!(told, known);
    for (alert, groups) in &cases {
        let begins = |(fires, not): &(usize, usize)| *fires > 0 && *not > 0;
        assert!(groups.iter().any(begins), "{alert} is never seen to begin");
        let misses = |(fires, not): &(usize, usize)| *fires == 0 && *not > 0;
        assert!(groups.iter().any(misses), "{alert} has no near miss");
    }
}

/// The expressions of the dashboard, as Grafana asks them: what it puts in is put in.
fn asked() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&deployed("grafana/lanyard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| target["expr"].as_str().unwrap().to_owned())
    });
    let mut asked: Vec<String> = targets.collect();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    for expression in &mut asked {
        for time in ["$__rate_interval", "$__interval", "$__range"] {
            *expression = expression.replace(time, "5m");
        }
        for variable in variables {
            let name = variable["name"].as_str().unwrap();
            *expression = expression.replace(&format!("${{{name}}}"), "any");
            *expression = expression.replace(&format!("${name}"), "any");
        }
        assert!(!expression.contains('$'), "of no variable: {expression}");
    }
    asked
}

#[test]
fn prometheus_takes_every_expression_of_the_dashboard() {
    let rules: Vec<Value> = asked()
        .iter()
        .enumerate()
        .map(|(number, expression)| json!({ "record": format!("panel:{number}"), "expr": expression }))
        .collect();
    assert!(rules.len() >= 12, "{rules:?}");
    // YAML takes JSON.
    let file = std::env::temp_dir().join(format!("dashboard-{}.yml", uuid::Uuid::new_v4()));
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    std::fs::write(&file, groups.to_string()).unwrap();
    let checked = promtool(&["check", "rules"], &file);
    std::fs::remove_file(file).unwrap();
    if let Some((is_taken, said)) = checked {
        assert!(is_taken, "{said}");
        assert!(
            said.contains(&format!("{} rules found", rules.len())),
            "{said}"
        );
    }
}

/// A case about series that no gateway tells would prove nothing, nor one about a panel that there is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_alerts_are_tried_with_is_what_a_gateway_tells() {
    let text = busy_world_tells().await;
    let families = families(&text);
    let labels = |sample: &str| -> Option<BTreeSet<String>> {
        let (_, labels) = sample.split_once('{')?;
        let names = labels
            .split("=\"")
            .map(|before| before.rsplit(['"', ',', '{']).next());
        let mut names: Vec<String> = names.flatten().map(str::to_owned).collect();
        names.pop();
        Some(names.into_iter().collect())
    };
    let told = deployed(CASES);
    let (mut tried, mut compared) = (0, 0);
    for line in told.lines() {
        let line = line.trim();
        let begins = ["- {expr: ", "- expr: "].map(|begin| line.strip_prefix(begin));
        if let Some(expression) = begins.into_iter().flatten().next() {
            let expression = expression.split(", eval_time").next().unwrap();
            let expression = expression.trim_matches('\'');
            assert!(asked().iter().any(|one| one == expression), "{expression}");
        }
        let Some((_, series)) = line.split_once("series: '") else {
            continue;
        };
        let series = series.split('\'').next().unwrap();
        let name = series.split('{').next().unwrap();
        assert!(families.contains(name), "no metric {name}");
        tried += 1;
        let begins = |line: &&str| line.split(['{', ' ']).next() == Some(name);
        // Some are counted for the first time by what no journey does.
        let Some(sample) = text.lines().find(begins) else {
            continue;
        };
        let mut expected = labels(sample).unwrap_or_default();
        // Which process it was Prometheus adds.
        expected.insert("instance".to_owned());
        assert_eq!(labels(series), Some(expected), "{series}\n{sample}");
        compared += 1;
    }
    assert!(tried > 50 && compared > 40, "{tried} {compared}");
}

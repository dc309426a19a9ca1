//! What is watched of a gateway: probes, figures, and the files in `deploy/` that read them.

use std::collections::BTreeSet;

use gateway::Gateway;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::Value;
use store::Statement;

use crate::database::Database;
use crate::raw_wallet::{Waiting, request};
use crate::scenes::{Stage, TYPE};
use crate::world::{Browser, World, client};

/// Serves what only the operator sees, and asks it for a path.
pub(crate) async fn ask_metrics(gateway: &Gateway, path: &str) -> (StatusCode, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}{path}", listener.local_addr().unwrap());
    let router = gateway.metrics_router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let answer = client().get(address).send().await.unwrap();
    let answered = (answer.status(), answer.text().await.unwrap());
    server.abort();
    answered
}

/// The value of the one sample that begins so.
pub(crate) fn sample(text: &str, begin: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(begin))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

async fn public(world: &World, path: &str) -> (StatusCode, String) {
    let answer = client().get(world.url(path)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_is_told_ready_or_not_and_the_operator_why() {
    let world = World::start().await;
    assert_eq!(
        public(&world, "/healthz").await,
        (StatusCode::OK, "ok\n".into())
    );
    assert_eq!(
        public(&world, "/readyz").await,
        (StatusCode::OK, "ready\n".into())
    );
    let (status, full) = ask_metrics(&world.gateway, "/readyz").await;
    assert_eq!(status, StatusCode::OK);
    let full: Value = serde_json::from_str(&full).unwrap();
    let codes: Vec<&str> = full["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            assert_eq!(check["ok"], true, "{check}");
            check["code"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        codes,
        [
            "database",
            "keys",
            "following",
            "clock",
            "outbox",
            "retention",
            "status-lists",
            "audit"
        ]
    );
    // Figures are not for the public.
    assert_eq!(public(&world, "/metrics").await.0, StatusCode::NOT_FOUND);

    // Told to stop, it goes on answering and says that it should be asked no more.
    world.gateway.stop_being_ready();
    let not_ready = (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned());
    assert_eq!(public(&world, "/readyz").await, not_ready);
    assert_eq!(public(&world, "/healthz").await.0, StatusCode::OK);
    world.issue_identity("anna").await;
    let (status, full) = ask_metrics(&world.gateway, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(full.contains("\"stopping\""), "{full}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_whose_database_is_gone_is_not_ready_and_says_so_within_its_bound() {
    let world = World::start().await;
    world.gateway.close().await;
    let began = std::time::Instant::now();
    let (status, full) = ask_metrics(&world.gateway, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{full}");
    assert!(full.contains("the database is closed"), "{full}");
    assert!(began.elapsed().as_secs() < 5);
    // Figures go on without what the database knows.
    let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
    assert_eq!(sample(&figures, "lanyard_ready "), Some(0.0));
    assert_eq!(
        sample(&figures, "lanyard_ready_check{check=\"database\"}"),
        Some(0.0)
    );
    let (status, page) = public(&world, "/status").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("The service has a problem"), "{page}");
}

/// A world in which a bit of everything has happened.
async fn busy_world() -> World {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let browser = Browser::new();
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    world.token(&party, |form| form.code(&code)).await;
    // One that is declined, one that is left open, a secret that is wrong, a route that is none.
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    world.scan("anna", &page.link("open-wallet"), false).await;
    browser.open(&world.pushed(&party, |_| ()).await).await;
    let wrong = world
        .push(&party, |form| form.set("client_secret", "wrong"))
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    public(&world, "/nothing/Marguerite").await;
    world
}

/// The figures of such a world, which ends TLS itself.
pub(crate) async fn busy_world_tells() -> String {
    let world = busy_world().await;
    world.gateway.tell_certificate_end(world.now());
    ask_metrics(&world.gateway, "/metrics").await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_count_requests_by_route_and_interactions_by_outcome_and_client() {
    let world = busy_world().await;
    let (status, text) = ask_metrics(&world.gateway, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for (begin, value) in [
        ("lanyard_requests_total{route=\"/par\",class=\"2xx\"}", 3.0),
        ("lanyard_requests_total{route=\"/par\",class=\"4xx\"}", 1.0),
        ("lanyard_requests_total{route=\"none\",class=\"4xx\"}", 1.0),
        (
            "lanyard_refused_total{by=\"client\",code=\"invalid_client\"}",
            1.0,
        ),
        (
            "lanyard_interactions_ended_total{purpose=\"verify\",client=\"plain\",outcome=\"verified\"}",
            1.0,
        ),
        (
            "lanyard_interactions_ended_total{purpose=\"verify\",client=\"plain\",outcome=\"declined\"}",
            1.0,
        ),
        (
            "lanyard_interactions_ended_total{purpose=\"issue\",client=\"v2\",outcome=\"issued\"}",
            1.0,
        ),
        (
            "lanyard_interaction_steps_total{purpose=\"verify\",client=\"plain\",stage=\"pushed\"}",
            3.0,
        ),
        (
            "lanyard_interaction_steps_total{purpose=\"verify\",client=\"plain\",stage=\"scanned\"}",
            2.0,
        ),
        (
            "lanyard_interaction_steps_total{purpose=\"verify\",client=\"plain\",stage=\"collected\"}",
            1.0,
        ),
        (
            "lanyard_interaction_stage_seconds_count{purpose=\"verify\",stage=\"waiting\"}",
            2.0,
        ),
        (
            "lanyard_interaction_stage_seconds_count{purpose=\"verify\",stage=\"scanned\"}",
            2.0,
        ),
        (
            "lanyard_interaction_stage_seconds_count{purpose=\"verify\",stage=\"finished\"}",
            1.0,
        ),
        (
            "lanyard_open_interactions{purpose=\"verify\",stage=\"waiting\"}",
            1.0,
        ),
        ("lanyard_limit_refusals_total{limit=\"busy\"}", 0.0),
        ("lanyard_ready ", 1.0),
    ] {
        assert_eq!(sample(&text, begin), Some(value), "{begin}\n{text}");
    }
    for begin in [
        "lanyard_database_seconds_count{operation=\"write\"}",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(
            sample(&text, begin).is_some_and(|value| value > 0.0),
            "{begin}"
        );
    }
    // Paths that somebody asked for are no labels.
    assert!(!text.contains("Marguerite"), "{text}");

    // Nobody collects what is open: time ends it, and the figures have it.
    world.later(SignedDuration::from_mins(40));
    world.gateway.tidy_once().await.unwrap();
    let (_, text) = ask_metrics(&world.gateway, "/metrics").await;
    let expired =
        "lanyard_interactions_ended_total{purpose=\"verify\",client=\"plain\",outcome=\"expired\"}";
    assert_eq!(sample(&text, expired), Some(1.0), "{text}");
}

/// Every family that the text has: a name, and for histograms its three.
pub(crate) fn families(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(names.insert(name.to_owned()), "{name} twice");
        if kind == "histogram" {
            names.extend(["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")));
        }
    }
    names
}

/// The metrics that an expression names.
fn named(expression: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c| !is_name(c));
    let ours = words.filter(|word| word.starts_with("lanyard_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

pub(crate) fn deployed(file: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

/// The rules are YAML of one shape; a reader of that shape is enough, and finds what is not of it.
pub(crate) fn rules(text: &str) -> Vec<(String, String)> {
    let mut rules: Vec<(String, String)> = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        assert!(!line.contains('\t'), "{line}");
        if let Some(name) = line.strip_prefix("      - alert: ") {
            rules.push((name.to_owned(), String::new()));
        } else if let Some(expression) = line.strip_prefix("        expr: ") {
            expression.clone_into(&mut rules.last_mut().unwrap().1);
        } else {
            let known = [
                "groups:",
                "  - name: ",
                "    rules:",
                "        for: ",
                "        labels:",
                "          severity: ",
                "        annotations:",
                "          summary: ",
                "          description: ",
            ];
            let is_known =
                line.trim().is_empty() || known.iter().any(|known| line.starts_with(known));
            assert!(is_known, "{line}");
        }
    }
    rules
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_that_an_alert_or_the_dashboard_names_is_one_of_the_figures() {
    let text = busy_world_tells().await;
    let families = families(&text);

    let rules = rules(&deployed("prometheus/lanyard.rules.yml"));
    assert!(rules.len() >= 10, "{rules:?}");
    for (alert, expression) in &rules {
        let named = named(expression);
        assert!(!named.is_empty(), "{alert}");
        for name in named {
            assert!(families.contains(&name), "{alert}: no metric {name}");
        }
    }
    let dashboard: Value = serde_json::from_str(&deployed("grafana/lanyard.json")).unwrap();
    let mut panels = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            for name in named(target["expr"].as_str().unwrap()) {
                assert!(
                    families.contains(&name),
                    "{}: no metric {name}",
                    panel["title"]
                );
            }
            panels += 1;
        }
    }
    assert!(panels >= 12, "{panels}");
    // And every family is in the table of the page for operators.
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate/watch.md");
    let page = std::fs::read_to_string(page).unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(
            page.contains(&format!("`{name}")),
            "docs/operate/watch.md lacks {name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_40_a_plan_of_retention_counts_what_a_run_deletes_on_sqlite() {
    holds(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_40_a_plan_of_retention_counts_what_a_run_deletes_on_postgresql() {
    if let Some(database) = Database::postgres().await {
        holds(database).await;
    }
}

async fn holds(database: Database) {
    use gateway::retention::{Due, holds, plan};
    let world = World::start_on(database).await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let browser = Browser::new();
    for _ in 0..2 {
        browser.open(&world.pushed(&party, |_| ()).await).await;
    }
    let store = &world.gateway.app().store;
    let due = async |rule: &str| -> (i64, i64) {
        let plan: Vec<Due> = plan(store, world.now(), world.config.kept_for())
            .await
            .unwrap();
        let due = plan.iter().find(|due| due.rule == rule).unwrap();
        (due.rows, due.held)
    };
    assert_eq!(due("personal-values").await, (0, 0));
    world.later(SignedDuration::from_mins(40));
    // Planning changes nothing.
    assert_eq!(due("personal-values").await, (2, 0));
    assert_eq!(due("personal-values").await, (2, 0));
    assert_eq!(world.gateway.tidy_once().await.unwrap().wiped, 2);

    world.later(SignedDuration::from_hours(24 * 31));
    assert_eq!(due("interactions").await, (3, 0));
    let held = holds::Subject::Organisation("anytown".to_owned());
    let placer = holds::Placer {
        actor: "command:test",
        within: None,
    };
    let now = world.now();
    store
        .write([holds::place(&held, "an inquiry", placer, now)])
        .await
        .unwrap();
    assert_eq!(
        holds::find(store, None).await.unwrap()[0].reason,
        "an inquiry"
    );
    assert_eq!(due("interactions").await, (0, 3));
    assert_eq!(
        world
            .gateway
            .tidy_once()
            .await
            .unwrap()
            .rows("interactions"),
        0
    );
    store.write([holds::lift(&held, None)]).await.unwrap();
    assert_eq!(due("interactions").await, (3, 0));
    assert_eq!(
        world
            .gateway
            .tidy_once()
            .await
            .unwrap()
            .rows("interactions"),
        3
    );
    assert_eq!(due("interactions").await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_and_its_count_are_kept_together_on_sqlite() {
    goes_with_its_count(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_and_its_count_are_kept_together_on_postgresql() {
    if let Some(database) = Database::postgres().await {
        goes_with_its_count(database).await;
    }
}

/// Where the count cannot be kept nothing goes, and several at once count each row once.
async fn goes_with_its_count(database: Database) {
    use gateway::retention::removals;
    let world = World::start_on(database).await;
    let party = world.party("plain");
    let browser = Browser::new();
    for _ in 0..3 {
        browser.open(&world.pushed(&party, |_| ()).await).await;
    }
    let store = &world.gateway.app().store;
    let rows = async |which: &str| -> i64 {
        let sql = format!("SELECT COUNT(*) AS count FROM interactions WHERE {which}");
        let row = store.read_one(Statement::new(sql)).await.unwrap().unwrap();
        row.integer("count").unwrap()
    };
    let rename = async |from: &str, to: &str| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        store.write([Statement::new(sql)]).await.unwrap();
    };
    let round = async || world.gateway.tidy_once().await;
    for (later, rule, which) in [
        (
            SignedDuration::from_mins(40),
            removals::PERSONAL_VALUES,
            "sealed IS NOT NULL",
        ),
        (SignedDuration::from_hours(24 * 31), "interactions", "1 = 1"),
    ] {
        world.later(later);
        rename("retention_removals", "elsewhere").await;
        assert!(round().await.is_err());
        assert_eq!(rows(which).await, 3, "{rule} went, and no count is kept");
        rename("elsewhere", "retention_removals").await;
        let at_once = futures_util::future::join_all((0..4).map(|_| round())).await;
        assert!(at_once.iter().all(Result::is_ok), "{at_once:?}");
        assert_eq!(rows(which).await, 0);
        let time = (
            world.now() - SignedDuration::from_hours(24),
            world.now() + SignedDuration::from_hours(24),
        );
        let removed = removals::find(store, time).await.unwrap();
        let of_rule: Vec<_> = removed.iter().filter(|one| one.rule == rule).collect();
        assert_eq!(
            of_rule.iter().map(|one| one.removed).sum::<i64>(),
            3,
            "{removed:?}"
        );
        assert!(of_rule.iter().all(|one| one.rounds <= 3), "{removed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_starts_again_is_not_counted_as_waiting_twice() {
    let stage = Stage::set().await;
    let world = &stage.world;
    let waiting = Waiting::to_verify(world, TYPE).await;
    world.later(SignedDuration::from_mins(1));
    request(&waiting.link()).await;
    let page = waiting.again().await;
    let again = waiting.browser.submit(&page, "restart").await;
    world.later(SignedDuration::from_mins(11));
    request(&again.link("open-wallet")).await;
    let (_, text) = ask_metrics(&world.gateway, "/metrics").await;
    let waited = |what: &str| {
        let labels = "{purpose=\"verify\",stage=\"waiting\"}";
        sample(
            &text,
            &format!("lanyard_interaction_stage_seconds_{what}{labels}"),
        )
    };
    assert_eq!(waited("count"), Some(1.0), "{text}");
    let seconds = waited("sum").unwrap();
    assert!((60.0..90.0).contains(&seconds), "{text}");
}

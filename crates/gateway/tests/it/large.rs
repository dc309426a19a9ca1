//! What holds where there are millions of rows: nothing is held in memory whole, nobody waits for all of it, and what is
//! interrupted says so or goes on.

use axum::body::Body;
use axum::http::Request;
use gateway::admin::Role;
use gateway::audit::chain;
use gateway::audit::export::{Export, Format};
use gateway::retention::removals;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::{Statement, Store};
use tokio_postgres::NoTls;
use tower::ServiceExt as _;

use crate::custody::{credentials, uploaded};
use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Browser, World};

on_both_engines!(
    what_is_past_goes_slice_by_slice_and_a_rule_that_is_outrun_leaves_the_rest,
    a_wipe_that_loses_its_race_is_not_counted,
    an_upload_that_goes_in_two_rounds_is_proposed_by_nobody_meanwhile,
    an_export_has_every_line_however_many_pages_it_is_read_in,
    an_export_whose_entries_go_meanwhile_is_none,
    lines_of_a_compromised_key_that_a_crash_left_become_the_job_when_it_is_said_again,
);

async fn run(store: &Store, sql: impl Into<String>) {
    store.write([Statement::new(sql.into())]).await.unwrap();
}

async fn count(store: &Store, of: &str) -> i64 {
    let select = Statement::new(format!("SELECT COUNT(*) AS count FROM {of}"));
    let row = store.read_one(select).await.unwrap().unwrap();
    row.integer("count").unwrap()
}

/// Rows for which a condition holds are passed over by what would change them, as if somebody else were always quicker.
async fn outrun(store: &Store, what: &str, table: &str, condition: &str) {
    let statements = match store.engine() {
        "sqlite" => vec![format!(
            "CREATE TRIGGER quicker BEFORE {what} ON {table} WHEN {condition} BEGIN SELECT RAISE(IGNORE); END"
        )],
        _ => vec![
            "CREATE FUNCTION quicker() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
                .to_owned(),
            format!(
                "CREATE TRIGGER quicker BEFORE {what} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION quicker()"
            ),
        ],
    };
    store
        .write(statements.into_iter().map(Statement::new))
        .await
        .unwrap();
}

async fn no_longer(store: &Store, table: &str) {
    let drop = match store.engine() {
        "sqlite" => "DROP TRIGGER quicker".to_owned(),
        _ => format!("DROP TRIGGER quicker ON {table}"),
    };
    run(store, drop).await;
}

/// How much of a rule is counted, and in how many rounds.
async fn counted(world: &World, rule: &str) -> (i64, i64) {
    let day = SignedDuration::from_hours(24);
    let time = (world.now() - day, world.now() + day);
    let removed = removals::find(&world.gateway.app().store, time)
        .await
        .unwrap();
    let of_rule = removed.iter().filter(|one| one.rule == rule);
    of_rule.fold((0, 0), |(removed, rounds), one| {
        (removed + one.removed, rounds + one.rounds)
    })
}

async fn what_is_past_goes_slice_by_slice_and_a_rule_that_is_outrun_leaves_the_rest(
    database: Database,
) {
    let world = World::start_on(database).await;
    let store = &world.gateway.app().store;
    let nonces = "INSERT INTO used_nonces (digest, expires_at) \
                  WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500) \
                  SELECT 'nonce-' || n, n FROM numbers";
    run(store, nonces).await;
    // An interaction that is past, with a step of it.
    let ended = "INSERT INTO interactions (id, version, organisation, client_id, purpose, credential_type, reference, stage, \
                 stage_at, request_digest, released, created_at, expires_at) \
                 VALUES ('old', 1, 'anytown', 'plain', 'verify', 'Identity', 'AAAA-BBBB', 'finished', 1, 'x', 1, 1, 1)";
    run(store, ended).await;
    let step =
        "INSERT INTO interaction_steps (interaction, at, step, cause) VALUES ('old', 1, 'x', 'y')";
    run(store, step).await;

    // Somebody else is quicker with the last nonce, at each attempt: the slices before it go, and the round is no failure.
    outrun(store, "DELETE", "used_nonces", "OLD.expires_at = 2500").await;
    let round = world.gateway.tidy_once().await.unwrap();
    assert_eq!(round.rows("used_nonces"), 2000);
    assert_eq!(round.unfinished, ["used_nonces"]);
    assert_eq!(count(store, "used_nonces").await, 500);
    assert_eq!(counted(&world, "used_nonces").await, (2000, 1));
    assert_eq!(
        count(store, "interactions").await,
        0,
        "the other rules go on"
    );
    no_longer(store, "used_nonces").await;
    let round = world.gateway.tidy_once().await.unwrap();
    assert_eq!(round.rows("used_nonces"), 500);
    assert_eq!(round.unfinished, [""; 0]);
    assert_eq!(counted(&world, "used_nonces").await, (2500, 2));

    // What belongs to a row goes before it, or the row stays: nobody would find it afterwards.
    run(store, ended).await;
    run(store, step).await;
    let name = "interaction_steps";
    if store.engine() == "sqlite" {
        outrun(store, "DELETE", name, "OLD.at = 1").await;
    } else {
        let trigger = "CREATE TRIGGER quicker BEFORE DELETE ON interaction_steps FOR EACH ROW EXECUTE FUNCTION quicker()";
        run(store, trigger).await;
    }
    let round = world.gateway.tidy_once().await.unwrap();
    assert_eq!(round.unfinished, ["interaction-steps", "interactions"]);
    assert_eq!(
        (count(store, name).await, count(store, "interactions").await),
        (1, 1)
    );
    no_longer(store, name).await;
    world.gateway.tidy_once().await.unwrap();
    assert_eq!(
        (count(store, name).await, count(store, "interactions").await),
        (0, 0)
    );
}

async fn a_wipe_that_loses_its_race_is_not_counted(database: Database) {
    let world = World::start_on(database).await;
    let store = &world.gateway.app().store;
    let (party, browser) = (world.party("plain"), Browser::new());
    browser.open(&world.pushed(&party, |_| ()).await).await;
    world.later(SignedDuration::from_mins(40));
    // As where the token is collected between the look and the wipe: the row has another version then.
    outrun(store, "UPDATE", "interactions", "NEW.sealed IS NULL").await;
    let round = world.gateway.tidy_once().await.unwrap();
    assert_eq!(round.wiped, 0);
    assert_eq!(counted(&world, removals::PERSONAL_VALUES).await, (0, 0));
    no_longer(store, "interactions").await;
    assert_eq!(world.gateway.tidy_once().await.unwrap().wiped, 1);
    assert_eq!(counted(&world, removals::PERSONAL_VALUES).await, (1, 1));
}

async fn an_upload_that_goes_in_two_rounds_is_proposed_by_nobody_meanwhile(database: Database) {
    let admin = Admin::start(database).await;
    let up = admin.operator("up", Role::Operator, None).await;
    let serials = credentials(&admin, "anytown", "none", 1).await;
    let job = uploaded(&admin, &up, "anytown", &serials).await;
    let store = &admin.world.gateway.app().store;
    let lines = format!(
        "INSERT INTO revocation_job_lines (job, organisation, serial_number) \
         WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100500) \
         SELECT '{job}', 'anytown', 'serial-' || n FROM numbers"
    );
    run(store, lines).await;
    admin.world.later(SignedDuration::from_hours(24 * 7 + 1));
    let again = admin.operator("again", Role::Operator, None).await;
    let left = async || {
        admin.world.gateway.tidy_once().await.unwrap();
        let lines = count(store, "revocation_job_lines").await;
        (lines, count(store, "revocation_jobs").await)
    };
    assert_eq!(left().await, (501, 1));
    // Two persons would agree to what is left of it.
    let detail = json!({ "job": job });
    let body =
        json!({ "act": "bulk-revocation", "detail": detail, "reason": "late", "ticket": "INC-7" });
    let refused = admin.post(&again, "/admin/v1/proposals", &body).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(left().await, (0, 0));
}

/// So many entries that have their place already, with the actor of one of them as said.
async fn entries(store: &Store, many: i64, odd: (i64, &str)) {
    let digest = match store.engine() {
        "sqlite" => "zeroblob(32)",
        _ => "decode(repeat('00', 32), 'hex')",
    };
    let (number, actor) = odd;
    let insert = format!(
        "INSERT INTO audit_entries (happened_at, actor, act, object, detail, position, digest) \
         WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {many}) \
         SELECT 1000 + n, CASE WHEN n = {number} THEN {actor} ELSE 'gateway' END, 'operator-removed', 'operator:' || n, '{{}}', \
         n + (SELECT position FROM audit_chain WHERE name = 'head'), {digest} FROM numbers"
    );
    run(store, insert).await;
    let head = format!("UPDATE audit_chain SET position = position + {many} WHERE name = 'head'");
    run(store, head).await;
}

/// How many exports the audit tells of, whose chain a test's own entries have no part in.
async fn exports(store: &Store) -> i64 {
    chain::round(store).await.unwrap();
    count(store, "audit_entries WHERE act = 'audit-exported'").await
}

const RANGE: &str = "from=1970-01-01T00:00:00Z&to=1970-01-02T00:00:00Z";

async fn an_export_has_every_line_however_many_pages_it_is_read_in(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Auditor, None).await;
    let store = &admin.world.gateway.app().store;
    chain::round(store).await.unwrap();
    let before = count(store, "audit_entries").await;
    entries(store, 2500, (1, "'gateway'")).await;
    let export = async |format: &str| {
        let path = format!("/admin/v1/audit/export?{RANGE}&format={format}");
        admin.get(&ann, &path).await.expect(200).text
    };
    let text = export("jsonl").await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1 + 2500 + 1);
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["position"]),
        (&json!("audit"), &json!(before))
    );
    for (number, line) in (1..).zip(&lines[1..=2500]) {
        assert_eq!(line["kind"], "entry");
        assert_eq!(line["position"], before + number);
        assert_eq!(line["object"], format!("operator:{number}"));
    }
    let end = json!({ "kind": "end", "entries": 2500, "position": before + 2500, "digest": "00".repeat(32) });
    assert_eq!(lines[2501], end);
    assert!(text.ends_with("}\n") && !text.contains("\n\n"));
    let text = export("csv").await;
    assert!(
        text.starts_with(
            "position,at,actor,act,organisation,object,detail,reason,ticket,digest\n\""
        )
    );
    assert_eq!((text.lines().count(), text.ends_with("\"\n")), (2501, true));
    let text = export("cef").await;
    assert!(text.lines().all(|line| line.starts_with("CEF:0|Lanyard|")));
    assert_eq!(text.lines().count(), 2500);
    // Each is an entry itself, which says how many there were.
    assert_eq!(exports(store).await, 3);
    let told = admin.get(&ann, "/admin/v1/audit?act=audit-exported").await;
    assert_eq!(told.json["entries"][0]["detail"]["entries"], 2500);
}

async fn an_export_whose_entries_go_meanwhile_is_none(database: Database) {
    let admin = Admin::start(database).await;
    let store = &admin.world.gateway.app().store;
    chain::round(store).await.unwrap();
    entries(store, 1500, (1, "'gateway'")).await;
    let time = (
        "1970-01-01T00:00:00Z".parse().unwrap(),
        "1970-01-02T00:00:00Z".parse().unwrap(),
    );
    let export = Export::begin(store, "https://gateway.example", time, None, Format::Csv).await;
    let mut export = export.unwrap();
    let first = export.next().await.unwrap().unwrap();
    assert_eq!(first.lines().count(), 1 + 1000, "a page and the head");
    let drop = match store.engine() {
        "sqlite" => "DROP TRIGGER audit_entries_are_kept",
        _ => "DROP TRIGGER audit_entries_are_kept ON audit_entries",
    };
    run(store, drop).await;
    run(
        store,
        "DELETE FROM audit_entries WHERE object = 'operator:1400'",
    )
    .await;
    let second = export.next().await.unwrap().unwrap();
    assert_eq!(second.lines().count(), 499);
    let refused = export.next().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "entries went while they were exported; export again"
    );
}

/// On SQLite only: PostgreSQL lets nobody write what it could not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_receives_an_export_that_breaks_off_is_not_told_that_it_is_whole() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Auditor, None).await;
    let store = &admin.world.gateway.app().store;
    chain::round(store).await.unwrap();
    entries(store, 1500, (1200, "CAST(x'ff' AS TEXT)")).await;
    let path = format!("/admin/v1/audit/export?{RANGE}&format=csv");
    let asked = crate::world::client()
        .get(format!("{}{path}", admin.url))
        .bearer_auth(&ann.token);
    // The end may come before the head was read: either way nobody has a whole answer.
    let received = async { asked.send().await?.text().await };
    assert!(received.await.is_err(), "it looks whole");
    // What cannot be read from its beginning is refused, and no export.
    let later = "from=1970-01-01T00:36:40Z&to=1970-01-02T00:00:00Z";
    let path = format!("/admin/v1/audit/export?{later}");
    let refused = admin.get(&ann, &path).await;
    assert!(refused.status.is_server_error(), "{}", refused.status);
    assert_eq!(exports(store).await, 1);
}

async fn lines_of_a_compromised_key_that_a_crash_left_become_the_job_when_it_is_said_again(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::KeyCustodian, None).await;
    let store = &admin.world.gateway.app().store;
    let select = "SELECT kid FROM signing_keys WHERE owner = 'anytown' AND purpose = 'credentials'";
    let row = store
        .read_one(Statement::new(select))
        .await
        .unwrap()
        .unwrap();
    let kid = row.text("kid").unwrap().to_owned();
    let serials = credentials(&admin, "anytown", &kid, 5).await;
    run(
        store,
        format!(
            "UPDATE credentials SET list = 7 WHERE serial_number = '{}'",
            serials[4]
        ),
    )
    .await;
    let path = format!("/admin/v1/keys/{kid}/compromise");
    let compromise = async || {
        let plan = admin.get(&ann, &path).await.expect(200).json;
        let body = json!({ "plan": plan["plan"], "ticket": "INC-1" });
        admin.post(&ann, &path, &body).await
    };
    // The second list cannot be written: the key is out, some lines are there, and no job has them.
    let trigger = if store.engine() == "sqlite" {
        format!(
            "CREATE TRIGGER full BEFORE INSERT ON revocation_job_lines WHEN NEW.serial_number = '{}' \
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
            serials[4]
        )
    } else {
        format!(
            "ALTER TABLE revocation_job_lines ADD CONSTRAINT full_disk CHECK (serial_number <> '{}')",
            serials[4]
        )
    };
    run(store, trigger).await;
    assert!(compromise().await.status.is_server_error());
    assert_eq!(count(store, "revocation_job_lines").await, 4);
    assert_eq!(count(store, "revocation_jobs").await, 0);
    let mend = if store.engine() == "sqlite" {
        "DROP TRIGGER full"
    } else {
        "ALTER TABLE revocation_job_lines DROP CONSTRAINT full_disk"
    };
    run(store, mend).await;
    let said = compromise().await.expect(200).json;
    let job = said["job"].as_str().unwrap();
    assert_eq!(
        count(store, &format!("revocation_job_lines WHERE job = '{job}'")).await,
        5
    );
    let again = compromise().await.expect(200).json;
    assert_eq!(again["job"], job);
    assert_eq!(count(store, "revocation_job_lines").await, 5);
    let told = "/admin/v1/audit?act=bulk-revocation-counted";
    let ann = admin.operator("eve", Role::Auditor, None).await;
    let told = admin.get(&ann, told).await.expect(200).json;
    assert_eq!(told["entries"][0]["detail"]["serial-numbers"], 5);
}

/// On PostgreSQL only: SQLite's reads wait for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_of_figures_is_kept_although_whoever_began_it_hung_up() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let address = database.address();
    let admin = Admin::start(database).await;
    let all = admin.operator("all", Role::Viewer, None).await;
    let router = admin.world.gateway.admin_router();
    let ask = || {
        let request = Request::get("/admin/v1/figures")
            .header("authorization", format!("Bearer {}", all.token));
        router.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let (other, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
    tokio::spawn(connection);
    other
        .batch_execute("BEGIN; LOCK TABLE credentials IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let began = admin.world.now();
    let first = tokio::spawn(ask());
    // The count is under way, and waits for the table.
    let waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'credentials'::regclass";
    while other.query(waits, &[]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    admin.world.later(SignedDuration::from_secs(100));
    other.batch_execute("COMMIT").await.unwrap();
    let answer = ask().await.unwrap();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    let figures: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    let counted_at: jiff::Timestamp = figures["counted_at"].as_str().unwrap().parse().unwrap();
    let after = counted_at.duration_since(began);
    assert!(
        after < SignedDuration::from_secs(100),
        "counted anew: {after:?}"
    );
}

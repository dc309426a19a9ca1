//! The audit through the admin API.

use gateway::admin::Role;
use serde_json::json;

use crate::database::{Database, on_both_engines};
use crate::world::Admin;

on_both_engines!(
    the_audit_is_read_page_by_page_and_checked,
    sec_33_an_operator_of_one_organisation_reads_and_exports_its_own_entries,
);

async fn the_audit_is_read_page_by_page_and_checked(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    for _ in 0..5 {
        admin
            .post(&ann, "/admin/v1/tokens", &json!({}))
            .await
            .expect(201);
    }
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = admin
            .get(&ann, &format!("/admin/v1/audit?limit=2{before}"))
            .await
            .expect(200);
        seen.extend(page.json["entries"].as_array().unwrap().clone());
        let Some(next) = page.json["next"].as_i64() else {
            break;
        };
        before = format!("&before={next}");
    }
    let acts: Vec<_> = seen
        .iter()
        .map(|entry| entry["act"].as_str().unwrap())
        .collect();
    // The keys of the gateway and of two organisations were taken over at the start.
    let keys = ["signing-key-changed"; 10];
    assert_eq!(
        acts,
        [
            ["operator-token-made"; 5].as_slice(),
            &["operator-added"],
            &keys
        ]
        .concat()
    );
    assert_eq!(seen[0]["actor"], format!("operator:{}", ann.id));
    assert_eq!(seen[5]["actor"], "command:test");
    let one = admin
        .get(&ann, "/admin/v1/audit?act=operator-added")
        .await
        .expect(200);
    assert_eq!(one.json["entries"].as_array().unwrap().len(), 1);

    gateway::audit::chain::round(&admin.world.gateway.app().store)
        .await
        .unwrap();
    let report = admin
        .get(&ann, "/admin/v1/audit/verification")
        .await
        .expect(200);
    assert_eq!(
        (&report.json["entries"], &report.json["faults"]),
        (&json!(16), &json!([]))
    );
    // The chain is everybody's: how much the others did is not one organisation's to know.
    let bob = admin.operator("bob", Role::Auditor, Some("anytown")).await;
    for path in ["verification", "standing"] {
        let path = format!("/admin/v1/audit/{path}");
        admin
            .get(&bob, &path)
            .await
            .expect(404)
            .refused("not-found");
    }
    let standing = admin
        .get(&ann, "/admin/v1/audit/standing")
        .await
        .expect(200);
    assert_eq!(standing.json["says"], "no checkpoint was signed yet");
    let path = "/admin/v1/audit/export?from=2020-01-01T00:00:00Z&to=2020-06-01T00:00:00Z";
    assert_eq!(
        admin.get(&ann, path).await.expect(200).text.lines().count(),
        2
    );
    let too_long = "/admin/v1/audit/export?from=2020-01-01T00:00:00Z&to=2022-06-01T00:00:00Z";
    admin
        .get(&ann, too_long)
        .await
        .expect(400)
        .refused("field-invalid");
    assert_eq!(admin.entries("audit-exported").await, 1);
}

async fn sec_33_an_operator_of_one_organisation_reads_and_exports_its_own_entries(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let all = admin.operator("all", Role::Auditor, None).await;
    let ours = admin.operator("ours", Role::Auditor, Some("anytown")).await;
    let theirs = admin
        .operator("theirs", Role::Auditor, Some("elsewhere"))
        .await;
    gateway::audit::chain::round(&admin.world.gateway.app().store)
        .await
        .unwrap();
    let now = admin.world.now();
    let (from, to) = (
        now - jiff::SignedDuration::from_hours(1),
        now + jiff::SignedDuration::from_hours(1),
    );
    for format in ["jsonl", "csv", "cef"] {
        let path = format!("/admin/v1/audit/export?from={from}&to={to}&format={format}");
        let text = admin.get(&ours, &path).await.expect(200).text;
        assert!(
            text.contains(&ours.id) && !text.contains(&theirs.id) && !text.contains(&all.id),
            "{text}"
        );
        let text = admin.get(&all, &path).await.expect(200).text;
        assert!(
            text.contains(&ours.id) && text.contains(&theirs.id),
            "{text}"
        );
    }
    let listed = admin.get(&ours, "/admin/v1/audit").await.expect(200).text;
    assert!(
        listed.contains(&ours.id) && !listed.contains(&theirs.id),
        "{listed}"
    );
    // No token stands in an entry.
    let whole = admin.get(&all, "/admin/v1/audit").await.expect(200).text;
    for caller in [&all, &ours, &theirs] {
        assert!(!whole.contains(&caller.token[4..]));
    }
}

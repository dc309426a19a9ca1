//! `lanyard audit export --out`: a file that is whole, or none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use store::Statement;

use crate::admin_command::{Scene, lanyard};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_has_its_name_when_it_is_whole_and_takes_nobody_elses() {
    let scene = Scene::start();
    scene.operator("ann", "auditor");
    // Now each entry has its place.
    scene.verified();
    let folder = scene.gateway.folder.join("exports");
    fs::create_dir(&folder).unwrap();
    let export = |name: &str| {
        let out = folder.join(name).display().to_string();
        let config = ["audit", "export", "--config", &scene.config, "--out", &out];
        lanyard(&[&config[..], &["--from", "2020-01-01", "--to", "2100-01-01"]].concat())
    };
    let names = || {
        let entries = fs::read_dir(&folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    };
    let store = scene.gateway.database.open().await;
    let exports = async || {
        let count = "SELECT COUNT(*) AS count FROM audit_entries WHERE act = 'audit-exported'";
        let row = store.read_one(Statement::new(count)).await.unwrap();
        row.unwrap().integer("count").unwrap()
    };

    let (content, said) = export("november.jsonl");
    assert!(content && said.is_empty(), "{said}");
    let november = folder.join("november.jsonl");
    let mode = fs::metadata(&november).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (content, said) = lanyard(&["audit", "verify", "--file", november.to_str().unwrap()]);
    assert!(
        content && said.contains("everything is as it was written"),
        "{said}"
    );
    let whole = fs::read_to_string(&november).unwrap();
    assert_eq!(exports().await, 1);

    // What is there stays, and the audit tells of no export that nobody has.
    let (content, said) = export("november.jsonl");
    assert!(
        !content && said.contains("already-exists: ") && said.contains("name another"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&november).unwrap(), whole);
    let (content, said) = export("no-such-folder/november.jsonl");
    assert!(!content && said.contains("file-unusable: "), "{said}");
    assert_eq!(exports().await, 1);

    // Retention takes an entry when the export has begun: that comes to light after all others were handed out.
    let goes = "CREATE TRIGGER goes AFTER INSERT ON audit_entries WHEN NEW.act = 'audit-exported' BEGIN \
                UPDATE audit_chain SET position = 1, digest = (SELECT digest FROM audit_entries WHERE position = 1) \
                WHERE name = 'horizon'; DELETE FROM audit_entries WHERE position <= 1; END";
    store.write([Statement::new(goes)]).await.unwrap();
    let (content, said) = export("december.jsonl");
    assert!(
        !content && said.contains("entries went while they were exported"),
        "{said}"
    );
    assert_eq!(names(), ["november.jsonl"]);
    assert_eq!(fs::read_to_string(&november).unwrap(), whole);
}

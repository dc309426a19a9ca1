#![allow(clippy::unwrap_used)]

use store::{DatabaseUrl, Store};

use super::{delivery, mails, revocations, unknown};

/// After a change of a whole year's records everything is due at one moment: whoever takes the next of ten thousand must not
/// sort the rest each time.
#[tokio::test]
async fn the_next_of_many_is_found_without_sorting_the_others() {
    let folder = std::env::temp_dir().join(format!("lanyard-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("test.db");
    let store = Store::open(
        &DatabaseUrl::Sqlite(file.clone()),
        &[crate::desk::MIGRATIONS],
    )
    .await
    .unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    for (next, index) in [
        (
            revocations::NEXT_REVOCATION.to_owned(),
            "connector_revocations_due",
        ),
        (mails::the_next_mail(), "connector_mails_due"),
        (
            delivery::NEXT_UNDER_WAY.to_owned(),
            "connector_mails_to_look_at",
        ),
        (unknown::NEXT_QUESTION.to_owned(), "connector_questions_due"),
    ] {
        let plan: Vec<String> = database
            .prepare(&format!("EXPLAIN QUERY PLAN {next}"))
            .unwrap()
            .query_map([1_i64], |row| row.get("detail"))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(plan[0].contains(index), "{plan:?}");
        assert!(
            !plan.iter().any(|step| step.contains("TEMP B-TREE")),
            "{plan:?}"
        );
    }
    drop((store, database));
    let _ = std::fs::remove_dir_all(&folder);
}

//! Whether what is told and what was done are the same, however often the gateway was killed.

use std::collections::{BTreeSet, HashMap};

use store::{Row, Statement};

use crate::operated::{CLIENT_ID, Operated};

/// Every step that is to be told has its event, once, under the next number, which after a restore goes on from its time.
/// (Nobody is at the receiver's address: what arrives there is tested with the gateway alone.)
///
/// Tells which kinds there are.
pub(crate) async fn add_up(gateway: &Operated) -> BTreeSet<String> {
    let events = rows(
        gateway,
        "SELECT sequence, id, kind, serial_number, client_id FROM events ORDER BY sequence",
    )
    .await;
    let numbers: Vec<i64> = events
        .iter()
        .map(|row| row.integer("sequence").unwrap())
        .collect();
    let streams = "SELECT last_sequence FROM event_streams ORDER BY client_id DESC";
    let streams = rows(gateway, streams).await;
    let number = |row: &Row| row.integer("last_sequence").unwrap();
    let (last, floor) = (number(&streams[0]), streams.get(1).map_or(0, number));
    let before = numbers.partition_point(|number| *number <= floor);
    let before = i64::try_from(before).unwrap();
    let expected: Vec<i64> = (1..=before).chain(floor + 1..=last).collect();
    assert_eq!(numbers, expected, "numbers have gaps");

    let mut told: HashMap<(&str, &str), u32> = HashMap::new();
    for event in &events {
        assert_eq!(event.text("client_id").unwrap(), CLIENT_ID);
        let about = event.optional_text("serial_number").unwrap();
        if let Some(serial_number) = about {
            let kind = event.text("kind").unwrap();
            *told.entry((kind, serial_number)).or_default() += 1;
        }
    }
    let credentials = rows(
        gateway,
        "SELECT c.serial_number, c.revoked_at, i.outcome FROM credentials c LEFT JOIN interactions i ON i.id = c.interaction",
    )
    .await;
    for credential in &credentials {
        let serial_number = credential.text("serial_number").unwrap();
        let told = |kind| told.get(&(kind, serial_number)).copied().unwrap_or(0);
        let is_revoked = credential.optional_integer("revoked_at").unwrap().is_some();
        assert_eq!(
            told("credential.revoked"),
            u32::from(is_revoked),
            "{serial_number}"
        );
        let is_issued = credential.optional_text("outcome").unwrap() == Some("issued");
        assert_eq!(
            told("credential.issued"),
            u32::from(is_issued),
            "{serial_number}"
        );
    }
    told.keys().map(|(kind, _)| (*kind).to_owned()).collect()
}

async fn rows(gateway: &Operated, sql: &'static str) -> Vec<Row> {
    gateway.rows(Statement::new(sql)).await
}

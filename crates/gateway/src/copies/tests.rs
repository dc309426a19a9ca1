#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// What a fetch brings at that time, or nothing.
async fn fetched(
    copies: &Copies<u16, u8>,
    key: u16,
    now: i64,
    brings: Option<(u8, i64)>,
) -> Option<u8> {
    let fetch = async { brings.map(|(value, until)| (value, at(until))).ok_or(()) };
    copies
        .find_or_fetch(key, at(now), |_, _| true, fetch)
        .await
        .ok()
}

#[tokio::test]
async fn sec_26_a_copy_is_used_until_its_end_and_not_a_second_longer() {
    let copies = Copies::default();
    assert_eq!(fetched(&copies, 1, 100, Some((7, 160))).await, Some(7));
    assert_eq!(fetched(&copies, 1, 159, Some((8, 999))).await, Some(7));
    // Stale is worth nothing, not even when there is nothing else.
    assert_eq!(fetched(&copies, 1, 160, None).await, None);
    assert_eq!(fetched(&copies, 1, 170, Some((8, 230))).await, Some(8));
    // From before the clock was set back.
    assert_eq!(fetched(&copies, 1, 99, Some((9, 230))).await, Some(9));
    // Whoever came before the fetch and waited for it has it.
    assert_eq!(fetched(&copies, 1, 98, None).await, Some(9));
    assert_eq!(fetched(&copies, 2, 120, None).await, None);
}

#[tokio::test]
async fn sec_26_what_could_not_be_had_is_asked_for_again_ten_seconds_later() {
    let copies = Copies::default();
    assert_eq!(fetched(&copies, 1, 100, None).await, None);
    assert_eq!(fetched(&copies, 1, 109, Some((7, 999))).await, None);
    assert_eq!(fetched(&copies, 2, 109, Some((5, 999))).await, Some(5));
    assert_eq!(fetched(&copies, 1, 110, Some((7, 999))).await, Some(7));
}

#[tokio::test]
async fn a_copy_that_does_not_serve_stays_for_whom_it_serves_when_a_newer_one_cannot_be_had() {
    let copies = Copies::default();
    assert_eq!(fetched(&copies, 1, 100, Some((7, 400))).await, Some(7));
    let newer = copies.find_or_fetch(1, at(200), |value, _| *value == 8, async { Err(()) });
    assert!(matches!(newer.await, Err(Missing::Failed(()))));
    assert_eq!(fetched(&copies, 1, 201, None).await, Some(7));
}

#[tokio::test]
async fn sec_26_many_who_need_the_same_thing_at_once_fetch_it_once() {
    for brings in [Ok((7, at(200))), Err(())] {
        let (copies, fetches) = (
            Arc::new(Copies::<u16, u8>::default()),
            Arc::new(AtomicUsize::new(0)),
        );
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let (copies, fetches) = (copies.clone(), fetches.clone());
                tokio::spawn(async move {
                    let fetch = async {
                        fetches.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        brings
                    };
                    let found = copies.find_or_fetch(1, at(100), |_, _| true, fetch).await;
                    found.ok()
                })
            })
            .collect();
        for one in waiting {
            assert_eq!(one.await.unwrap(), brings.ok().map(|(value, _)| value));
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn whoever_gives_up_while_fetching_does_not_keep_the_others_waiting() {
    let copies = Copies::<u16, u8>::default();
    let never = copies.find_or_fetch(1, at(100), |_, _| true, async {
        std::future::pending::<Result<(u8, Timestamp), ()>>().await
    });
    assert!(
        tokio::time::timeout(Duration::from_millis(20), never)
            .await
            .is_err()
    );
    assert_eq!(fetched(&copies, 1, 100, Some((7, 200))).await, Some(7));
}

#[tokio::test]
async fn copies_never_outgrow_their_bound() {
    let copies = Copies::default();
    let most = u16::try_from(MOST).unwrap();
    for key in 0..most + 10 {
        let brings = (key % 2 == 0).then_some((1, 1000 + i64::from(key)));
        fetched(&copies, key, 10, brings).await;
    }
    assert_eq!(copies.lock().len(), MOST);
}

#[tokio::test]
async fn what_was_forgotten_is_fetched_anew() {
    let copies = Copies::default();
    assert_eq!(fetched(&copies, 1, 100, Some((7, 999))).await, Some(7));
    assert_eq!(fetched(&copies, 2, 100, Some((5, 999))).await, Some(5));
    copies.forget(&1);
    assert_eq!(fetched(&copies, 1, 101, Some((8, 999))).await, Some(8));
    assert_eq!(fetched(&copies, 2, 101, None).await, Some(5));
}

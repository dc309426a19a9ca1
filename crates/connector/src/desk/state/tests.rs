//! All nine states, and what decides between two of them.
#![allow(clippy::unwrap_used)]

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::{CredentialState, OnFile, WayIn};
use crate::desk::{Credential, Stage};

const RECORD: &str = "record-1";

fn now() -> Timestamp {
    "2026-11-20T14:35:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// A complete record without an end.
const fn on_file() -> OnFile<'static> {
    OnFile {
        record: RECORD,
        is_deleted: false,
        is_complete: true,
        last_day: None,
        expires_at: None,
    }
}

fn credential(stage: Stage, started_at: Timestamp) -> Credential {
    let was_added = matches!(stage, Stage::Issued | Stage::Revoked);
    Credential {
        serial_number: Uuid::from_u128(1),
        record: RECORD.to_owned(),
        credential_type: "FireSafety".to_owned(),
        label: "Fire safety".to_owned(),
        digest: String::new(),
        stage,
        outcome: None,
        started_at,
        changed_at: None,
        issued_at: was_added.then(|| started_at + SignedDuration::from_mins(2)),
        expires_at: None,
        revoked_at: (stage == Stage::Revoked).then(|| started_at + SignedDuration::from_mins(9)),
        reason: None,
        revoking: false,
    }
}

fn state(credentials: &[Credential]) -> CredentialState {
    CredentialState::of(&on_file(), credentials, now()).unwrap()
}

#[test]
fn a_record_that_lacks_something_cannot_be_added_yet() {
    let incomplete = OnFile {
        is_complete: false,
        ..on_file()
    };
    let state = CredentialState::of(&incomplete, &[], now()).unwrap();
    assert_eq!(state, CredentialState::CannotAddYet);
    assert!(!incomplete.can_be_added(now()) && !state.can_be_opened());
}

#[test]
fn a_record_whose_last_day_has_come_has_ended_whether_it_is_complete_or_not() {
    let last_day = date(2026, 11, 20);
    for is_complete in [true, false] {
        let ended = OnFile {
            last_day: Some(last_day),
            is_complete,
            ..on_file()
        };
        let state = CredentialState::of(&ended, &[], now()).unwrap();
        assert_eq!(state, CredentialState::Ended { on: last_day });
        assert!(!ended.can_be_added(now()) && !state.can_be_opened());
    }
}

#[test]
fn a_complete_record_is_not_added_and_says_until_when_it_would_be_valid() {
    let cases = [
        (None, None, None),
        (Some(date(2026, 11, 21)), None, Some(date(2026, 11, 21))),
        // Where there is no last day, the credential's own end tells it.
        (None, Some("2027-02-03T23:59:59Z"), Some(date(2027, 2, 3))),
    ];
    for (last_day, expires_at, valid_until) in cases {
        let on_file = OnFile {
            last_day,
            expires_at: expires_at.map(|at| at.parse().unwrap()),
            ..on_file()
        };
        let state = CredentialState::of(&on_file, &[], now()).unwrap();
        assert_eq!(state, CredentialState::NotAdded { valid_until });
        assert_eq!(state.way_in(), WayIn::First);
        assert!(on_file.can_be_added(now()));
    }
}

#[test]
fn what_is_on_its_way_is_in_progress_and_says_whether_a_copy_was_added_before() {
    let asked = credential(Stage::Asked, ago(4));
    let first = state(std::slice::from_ref(&asked));
    let in_progress = |added_before| CredentialState::InProgress {
        since: ago(4),
        added_before,
    };
    assert_eq!(first, in_progress(false));
    assert_eq!(first.way_in(), WayIn::First);
    let again = state(&[asked, credential(Stage::Issued, ago(900))]);
    assert_eq!(again, in_progress(true));
    assert_eq!(again.way_in(), WayIn::Again);
}

#[test]
fn what_another_tab_asked_for_says_nothing_of_what_was_added_since() {
    let added = state(&[
        credential(Stage::Asked, ago(4)),
        credential(Stage::Issued, ago(5)),
    ]);
    assert_eq!(added, CredentialState::Added { at: ago(3) });
}

#[test]
fn what_the_gateway_said_is_in_the_wallet_is_added() {
    let added = state(&[credential(Stage::Issued, ago(60))]);
    assert_eq!(added, CredentialState::Added { at: ago(58) });
    assert_eq!(added.way_in(), WayIn::Again);
}

#[test]
fn what_is_going_to_be_revoked_has_changed() {
    let revoking = Credential {
        revoking: true,
        ..credential(Stage::Issued, ago(60))
    };
    let changed = state(&[revoking]);
    assert_eq!(changed, CredentialState::Changed);
    assert_eq!(changed.way_in(), WayIn::Again);
}

#[test]
fn what_is_revoked_is_cancelled_unless_an_older_copy_is_in_force() {
    let revoked = credential(Stage::Revoked, ago(60));
    let cancelled = state(std::slice::from_ref(&revoked));
    assert_eq!(cancelled, CredentialState::Cancelled { at: ago(51) });
    assert_eq!(cancelled.way_in(), WayIn::Again);
    let older = credential(Stage::Issued, ago(900));
    let added = state(&[revoked, older]);
    assert_eq!(added, CredentialState::Added { at: ago(898) });
}

#[test]
fn what_nobody_knows_yet_is_being_checked_and_cannot_be_added() {
    let checking = state(&[
        credential(Stage::Checking, ago(1)),
        credential(Stage::Issued, ago(900)),
    ]);
    assert_eq!(checking, CredentialState::Checking);
    assert_eq!(checking.way_in(), WayIn::None);
}

#[test]
fn a_credential_whose_time_is_over_is_expired_from_that_second_on() {
    let until = |expires_at| Credential {
        expires_at: Some(expires_at),
        ..credential(Stage::Issued, ago(900))
    };
    let expired = state(&[until(now())]);
    assert_eq!(
        expired,
        CredentialState::Expired {
            on: date(2026, 11, 20)
        }
    );
    assert_eq!(expired.way_in(), WayIn::None);
    let a_second = SignedDuration::from_secs(1);
    assert_eq!(state(&[until(now() + a_second)]).word(), "added");
}

#[test]
fn what_came_to_nothing_leaves_the_state_as_it_was() {
    let nothing = credential(Stage::NotIssued, ago(3));
    assert_eq!(state(std::slice::from_ref(&nothing)).word(), "not-added");
    let older = credential(Stage::Issued, ago(900));
    assert_eq!(state(&[nothing, older]).word(), "added");
}

#[test]
fn a_credential_of_another_record_decides_nothing() {
    let others = Credential {
        record: "record-2".to_owned(),
        ..credential(Stage::Issued, ago(60))
    };
    assert_eq!(state(&[others]).word(), "not-added");
}

#[test]
fn a_deleted_record_is_shown_as_long_as_a_credential_of_it_was_out() {
    let deleted = OnFile {
        is_deleted: true,
        ..on_file()
    };
    assert_eq!(CredentialState::of(&deleted, &[], now()), None);
    let nothing = credential(Stage::NotIssued, ago(3));
    assert_eq!(CredentialState::of(&deleted, &[nothing], now()), None);
    let revoked = credential(Stage::Revoked, ago(60));
    let cancelled = CredentialState::of(&deleted, &[revoked], now()).unwrap();
    assert_eq!(cancelled.word(), "cancelled");
    assert!(!deleted.can_be_added(now()));
}

#[test]
fn as_json_a_state_is_its_word_with_times_and_days_in_their_standard_form() {
    let (at, on) = (ago(0), date(2026, 11, 20));
    let time = "2026-11-20T14:35:00Z";
    let all = [
        (
            CredentialState::CannotAddYet,
            json!({"state": "cannot-add-yet"}),
        ),
        (
            CredentialState::Ended { on },
            json!({"state": "ended", "on": "2026-11-20"}),
        ),
        (
            CredentialState::NotAdded { valid_until: None },
            json!({"state": "not-added", "valid_until": null}),
        ),
        (
            CredentialState::InProgress {
                since: at,
                added_before: true,
            },
            json!({"state": "in-progress", "since": time, "added_before": true}),
        ),
        (
            CredentialState::Added { at },
            json!({"state": "added", "at": time}),
        ),
        (CredentialState::Changed, json!({"state": "changed"})),
        (
            CredentialState::Cancelled { at },
            json!({"state": "cancelled", "at": time}),
        ),
        (CredentialState::Checking, json!({"state": "checking"})),
        (
            CredentialState::Expired { on },
            json!({"state": "expired", "on": "2026-11-20"}),
        ),
    ];
    for (state, expected) in all {
        assert_eq!(expected["state"], state.word());
        let written = serde_json::to_value(&state).unwrap();
        assert_eq!(written, expected);
        let read: CredentialState = serde_json::from_value(written).unwrap();
        assert_eq!(read, state);
    }
}

#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn pushed() -> Interaction {
    Interaction {
        id: "page".into(),
        version: 0,
        recorded: None,
        stored: None,
        organisation: "anytown".into(),
        client_id: "portal".into(),
        purpose: Purpose::Verify,
        credential_types: CredentialTypes::parse("Identity").unwrap(),
        reference: "K7Q2-9MFD".into(),
        stage: Stage::Pushed,
        link: "code".into(),
        link_here: "button".into(),
        short_code: None,
        vouched: true,
        wallet_came: false,
        request_digest: Digest::of("request"),
        browser: None,
        response: None,
        released: true,
        code: None,
        serial_number: None,
        times: Times::default(),
        created_at: at(0),
        expires_at: at(600),
        private: Some(Private {
            request: Request {
                redirect_uri: "https://rp.example/cb".into(),
                scope: "openid Identity".into(),
                state: None,
                nonce: None,
                code_challenge: None,
                ui_locales: None,
            },
            draft: None,
            wallet: None,
            transaction_code: None,
            claims: Map::new(),
            at_fault: None,
            trace: None,
        }),
    }
}

fn waiting() -> Interaction {
    pushed().opened(Digest::of("cookie"), at(1)).unwrap()
}

fn scanned() -> Interaction {
    waiting()
        .scanned(Via::AnotherDevice, json!({"nonce": "n"}), at(10))
        .unwrap()
}

#[test]
fn a_pushed_request_opens_once_and_within_ten_minutes() {
    assert_eq!(
        waiting().opened(Digest::of("other"), at(2)).unwrap_err(),
        StepError::AlreadyUsed
    );
    assert_eq!(
        pushed().opened(Digest::of("cookie"), at(600)).unwrap_err(),
        StepError::Expired
    );
}

#[test]
fn the_employee_has_half_an_hour_from_the_opening_of_the_page() {
    assert!(matches!(waiting().settled(at(1800)).stage, Stage::Waiting));
    let late = waiting().settled(at(1801));
    assert!(matches!(
        late.stage,
        Stage::Finished {
            outcome: Outcome::Refused(Refusal::Expired),
            ..
        }
    ));
}

#[test]
fn the_first_wallet_that_retrieves_binds_the_interaction() {
    let bound = scanned();
    assert_eq!(
        bound
            .clone()
            .scanned(Via::ThisDevice, json!({}), at(11))
            .unwrap_err(),
        StepError::AlreadyUsed
    );
    assert_eq!(
        bound.repeatable(Via::ThisDevice, at(11)).unwrap_err(),
        StepError::AlreadyUsed
    );
    assert_eq!(
        bound.answerable(Via::ThisDevice, at(11)).unwrap_err(),
        StepError::OutOfOrder
    );
}

#[test]
fn an_answer_whose_browser_never_comes_can_be_started_again_and_expires() {
    let shown = json!({"surname": "Taylor"}).as_object().unwrap().clone();
    let answered = scanned()
        .verified(shown, Some(Digest::of("response code")), at(20))
        .unwrap();
    assert!(answered.awaits_its_browser());
    assert!(answered.clone().coded(Digest::of("code"), at(21)).is_err());
    let late = answered.clone().settled(at(1801));
    assert!(matches!(
        late.stage,
        Stage::Finished {
            outcome: Outcome::Refused(Refusal::Expired),
            ..
        }
    ));
    let again = answered
        .clone()
        .restarted("new code".into(), "new button".into(), at(30))
        .unwrap();
    assert!(again.response.is_none() && again.private.unwrap().claims.is_empty());

    // Once its browser has come, the answer stands.
    let released = answered.released();
    assert!(!released.awaits_its_browser());
    assert!(
        released
            .restarted("new code".into(), "new button".into(), at(30))
            .is_err()
    );
}

#[test]
fn the_same_retrieval_is_repeated_for_a_minute_and_no_longer() {
    assert_eq!(
        scanned().repeatable(Via::AnotherDevice, at(69)).unwrap(),
        &json!({"nonce": "n"})
    );
    assert_eq!(
        scanned()
            .repeatable(Via::AnotherDevice, at(70))
            .unwrap_err(),
        StepError::AlreadyUsed
    );
}

#[test]
fn a_request_object_can_be_answered_for_five_minutes() {
    assert!(scanned().answerable(Via::AnotherDevice, at(309)).is_ok());
    assert_eq!(
        scanned()
            .answerable(Via::AnotherDevice, at(310))
            .unwrap_err(),
        StepError::Expired
    );
}

#[test]
fn starting_again_kills_the_old_links_and_needs_a_credential_still_in_the_gateway() {
    let again = scanned()
        .restarted("new".into(), "new-here".into(), at(20))
        .unwrap();
    assert_eq!(
        (again.via("code"), again.via("new")),
        (None, Some(Via::AnotherDevice))
    );
    let out = scanned().issued(Uuid::nil(), Map::new(), at(20)).unwrap();
    assert_eq!(
        out.restarted("new".into(), "new-here".into(), at(21))
            .unwrap_err(),
        StepError::OutOfOrder
    );
}

#[test]
fn a_wallet_that_says_nothing_for_five_seconds_has_kept_the_credential() {
    let out = scanned().issued(Uuid::nil(), Map::new(), at(20)).unwrap();
    assert!(matches!(
        out.clone().settled(at(24)).stage,
        Stage::Issued { .. }
    ));
    assert!(matches!(
        out.settled(at(25)).stage,
        Stage::Finished {
            outcome: Outcome::Issued,
            ..
        }
    ));
}

#[test]
fn a_code_exists_only_after_success_and_only_for_a_released_result() {
    assert_eq!(
        scanned().coded(Digest::of("c"), at(20)).unwrap_err(),
        StepError::OutOfOrder
    );
    let refused = scanned()
        .refused(Refusal::CredentialRevoked, at(20))
        .unwrap();
    assert_eq!(
        refused.coded(Digest::of("c"), at(21)).unwrap_err(),
        StepError::OutOfOrder
    );
    let held = scanned()
        .verified(Map::new(), Some(Digest::of("response")), at(20))
        .unwrap();
    assert_eq!(
        held.clone().coded(Digest::of("c"), at(21)).unwrap_err(),
        StepError::OutOfOrder
    );
    assert!(held.released().coded(Digest::of("c"), at(21)).is_ok());
}

#[test]
fn collecting_the_token_takes_the_personal_values_away_and_works_once() {
    let done = scanned()
        .verified(Map::new(), None, at(20))
        .unwrap()
        .coded(Digest::of("c"), at(21))
        .unwrap();
    let (collected, _) = done.collected(at(22)).unwrap();
    assert!(collected.private.is_none());
    assert_eq!(
        collected.collected(at(23)).unwrap_err(),
        StepError::AlreadyUsed
    );
}

#[test]
fn a_refusal_takes_back_a_code_that_was_not_redeemed() {
    let out = scanned()
        .issued(Uuid::nil(), Map::new(), at(20))
        .unwrap()
        .accepted(at(21))
        .unwrap();
    let coded = out.coded(Digest::of("c"), at(22)).unwrap();
    assert_eq!(coded.refused(Refusal::NotKept, at(23)).unwrap().code, None);
}

/// SEC-34: forty bits are few, so none lives longer than the page that it is for.
#[test]
fn sec_34_a_short_code_is_made_once_and_only_while_the_page_waits() {
    let made = waiting().with_short_code("A".into(), at(2)).unwrap();
    assert_eq!(made.short_code.as_deref(), Some("A"));
    let again = made.with_short_code("B".into(), at(3)).unwrap();
    assert_eq!(again.short_code.as_deref(), Some("A"));
    let end = waiting().expires_at;
    let late = waiting().with_short_code("A".into(), end).unwrap_err();
    assert_eq!(late, StepError::Expired);
    let scanned = scanned().with_short_code("A".into(), at(11)).unwrap_err();
    assert_eq!(scanned, StepError::OutOfOrder);
}

#[test]
fn a_wallet_comes_while_the_page_waits_and_is_told_why_it_may_not() {
    let come = |to: Interaction, now| to.scanned(Via::ThisDevice, json!({}), now).map(drop);
    assert_eq!(come(waiting(), at(1800)), Ok(()));
    assert_eq!(come(waiting(), at(1801)), Err(StepError::Expired));
    assert_eq!(come(pushed(), at(1)), Err(StepError::OutOfOrder));
    assert_eq!(come(scanned(), at(11)), Err(StepError::AlreadyUsed));
    let issue = |from: Interaction| from.issued(Uuid::nil(), Map::new(), at(20)).map(drop);
    assert_eq!(issue(waiting()), Err(StepError::OutOfOrder));
    assert_eq!(issue(pushed()), Err(StepError::OutOfOrder));
    assert_eq!(issue(scanned()), Ok(()));
    let issued = scanned().issued(Uuid::nil(), Map::new(), at(20)).unwrap();
    assert_eq!(issue(issued), Err(StepError::AlreadyUsed));
}

#[test]
fn an_answer_comes_before_the_half_hour_is_over_and_once() {
    let late = waiting()
        .scanned(Via::AnotherDevice, json!({}), at(1700))
        .unwrap();
    let answer = |to: &Interaction, now| to.answerable(Via::AnotherDevice, now).map(drop);
    assert_eq!(answer(&late, at(1800)), Ok(()));
    assert_eq!(answer(&late, at(1801)), Err(StepError::Expired));
    assert_eq!(answer(&waiting(), at(2)), Err(StepError::OutOfOrder));
    let issued = scanned().issued(Uuid::nil(), Map::new(), at(20)).unwrap();
    let refused = scanned().refused(Refusal::Declined, at(20)).unwrap();
    let (collected, _) = scanned()
        .verified(Map::new(), None, at(20))
        .unwrap()
        .collected(at(21))
        .unwrap();
    for done in [issued, refused, collected] {
        assert_eq!(answer(&done, at(22)), Err(StepError::AlreadyUsed));
    }
}

#[test]
fn only_what_another_try_can_mend_is_started_again_and_only_in_time() {
    let again = |from: Interaction, now| {
        let restarted = from.restarted("new".into(), "new-here".into(), now);
        restarted.map(drop)
    };
    let refused = |refusal| scanned().refused(refusal, at(20)).unwrap();
    assert_eq!(again(waiting(), at(1800)), Ok(()));
    assert_eq!(again(waiting(), at(1801)), Err(StepError::Expired));
    assert_eq!(again(refused(Refusal::Declined), at(21)), Ok(()));
    for refusal in [Refusal::CredentialRevoked, Refusal::SerialNumberTaken] {
        assert_eq!(again(refused(refusal), at(21)), Err(StepError::OutOfOrder));
    }
    assert_eq!(again(pushed(), at(1)), Err(StepError::OutOfOrder));
    // A credential has left the gateway: whatever became of it, there is no second one.
    let left = scanned().issued(Uuid::nil(), Map::new(), at(20)).unwrap();
    let left = left.refused(Refusal::NotKept, at(21)).unwrap();
    assert_eq!(again(left, at(22)), Err(StepError::OutOfOrder));
}

#[test]
fn a_code_is_made_until_the_grace_after_the_half_hour_and_lives_a_minute() {
    let done = || scanned().verified(Map::new(), None, at(20)).unwrap();
    let code = |now| done().coded(Digest::of("c"), now);
    let last = code(at(2100)).unwrap().code.unwrap();
    assert_eq!(last.expires_at, at(2160));
    assert_eq!(code(at(2101)).unwrap_err(), StepError::Expired);
    let (collected, _) = done().collected(at(21)).unwrap();
    let again = collected.coded(Digest::of("c"), at(22));
    assert_eq!(again.unwrap_err(), StepError::AlreadyUsed);
}

#[test]
fn a_result_that_the_browser_may_have_is_not_ended_by_time() {
    let done = scanned().verified(Map::new(), None, at(20)).unwrap();
    for now in [21, 1801] {
        assert_eq!(done.clone().settled(at(now)).stage, done.stage, "{now}");
    }
    let held = scanned()
        .verified(Map::new(), Some(Digest::of("response")), at(20))
        .unwrap();
    assert_eq!(held.clone().settled(at(1800)).stage, held.stage);
    let out = scanned().issued(Uuid::nil(), Map::new(), at(20)).unwrap();
    let kept = Stage::Finished {
        at: at(25),
        outcome: Outcome::Issued,
    };
    assert_eq!(out.settled(at(1900)).stage, kept);
}

#[test]
fn a_glance_says_when_time_alone_has_moved_an_interaction_on() {
    for (now, moved) in [(1800, false), (1801, true)] {
        let glance = rows::Glance(waiting());
        assert_eq!(glance.is_overtaken_by_time(at(now)), moved, "{now}");
    }
}

#[test]
fn only_what_can_be_an_id_of_ours_is_looked_up() {
    for text in ["AZaz09-_AZaz09-_AZaz09", "----------------------"] {
        assert!(rows::is_token(text), "{text}");
    }
    for text in [
        "",
        "AZaz09-_AZaz09-_AZaz0",
        "AZaz09-_AZaz09-_AZaz091",
        "AZaz09-_AZaz09-_AZaz0+",
        "AZaz09-_AZaz09-_AZaz0\0",
        "AZaz09-_AZaz09-_AZaz\u{e9}",
    ] {
        assert!(!rows::is_token(text), "{text:?}");
    }
}

/// SEC-37: whoever can write the database cannot put one person's values into another's interaction.
#[test]
fn sec_37_sealed_values_belong_to_one_interaction() {
    assert_eq!(rows::place("a"), "interactions/a");
    assert_eq!(rows::place("b"), "interactions/b");
}

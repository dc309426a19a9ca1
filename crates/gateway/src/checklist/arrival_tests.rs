#![allow(clippy::unwrap_used)]

use axum::body::Body;

use super::super::State;
use super::*;
use crate::limits::LimitsConfig;

fn arrival() -> Arrival {
    Arrival {
        asked_at: 0,
        host: Some("credentials.example".to_owned()),
        scheme: Some("https".to_owned()),
        has_address: true,
        forwarded: vec!["x-forwarded-for".to_owned()],
        from: Some("198.51.100.7".parse().unwrap()),
        peer: Some("10.0.0.2".parse().unwrap()),
    }
}

fn told(named: Option<&str>, arrival: &Arrival) -> Vec<(State, String)> {
    let public = "https://credentials.example".parse().unwrap();
    let mut findings = Findings::default();
    judge_arrival(&public, named, arrival, &mut findings);
    let told = findings.iter().inspect(|one| {
        assert_eq!(one.code, "arrival");
        assert_eq!(one.remedy.is_none(), one.state == State::Good, "{one:?}");
    });
    told.map(|one| (one.state, one.says.clone())).collect()
}

#[track_caller]
fn says_only(told: &[(State, String)], state: State, words: &str) {
    let [(found, says)] = told else {
        panic!("{told:?}")
    };
    assert!(*found == state && says.contains(words), "{told:?}");
}

#[test]
fn what_a_proxy_lets_callers_write_or_does_not_write_itself_is_told() {
    let named = Some("x-forwarded-for");
    says_only(
        &told(named, &arrival()),
        State::Good,
        "counts as 198.51.100.7",
    );
    let believed = Arrival {
        from: Some(NOBODYS.parse().unwrap()),
        ..arrival()
    };
    says_only(&told(named, &believed), State::Bad, "is believed");
    let without = Arrival {
        has_address: false,
        from: Some("10.0.0.2".parse().unwrap()),
        ..arrival()
    };
    says_only(&told(named, &without), State::Bad, "count as 10.0.0.2");
    // Nobody named the header that is there.
    says_only(&told(None, &arrival()), State::Look, "a proxy passes");
    let direct = Arrival {
        forwarded: Vec::new(),
        scheme: None,
        ..arrival()
    };
    says_only(&told(None, &direct), State::Good, "arrive as such");
}

#[test]
fn another_host_and_another_scheme_are_told() {
    let named = Some("x-forwarded-for");
    let inside = Arrival {
        host: Some("10.0.0.2:8400".to_owned()),
        ..arrival()
    };
    says_only(&told(named, &inside), State::Look, "for 10.0.0.2:8400");
    let http = Arrival {
        scheme: Some("http".to_owned()),
        ..arrival()
    };
    says_only(&told(named, &http), State::Look, "over http, and");
}

#[test]
fn an_old_version_of_tls_and_a_chain_that_ends_soon_are_told() {
    let judged = |version: &str, days: i64| {
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.not_after = rcgen::date_time_ymd(2030, 1, 31);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = authority.self_signed(&key).unwrap().der().to_vec();
        let handshake = Handshake {
            version: version.to_owned(),
            chain: vec![der.clone(), der],
        };
        let end: Timestamp = "2030-01-31T00:00:00Z".parse().unwrap();
        let now = end - SignedDuration::from_hours(24 * days);
        let mut findings = Findings::default();
        judge_handshake(&handshake, now, &mut findings);
        let told = findings.iter().map(|one| (one.state, one.says.clone()));
        told.collect::<Vec<_>>()
    };
    let good = judged("TLS 1.3", SOON);
    says_only(&good, State::Good, "TLS 1.3, with a chain of 2");
    says_only(&judged("TLS 1.2", SOON), State::Look, "speaks TLS 1.2");
    says_only(&judged("TLS 1.3", SOON - 1), State::Look, "ends in 20 days");
}

fn seal(secret: &str) -> Seal {
    Seal::new(secret, []).unwrap()
}

/// What a gateway with that seal adds to its answer at that time.
fn heard(seal: &Seal, now: Timestamp, question: Option<&HeaderValue>) -> Option<Arrival> {
    let ten_minutes = SignedDuration::from_mins(10);
    let limits = Limits::new(
        LimitsConfig::default(),
        None,
        &[7; 32],
        ten_minutes,
        ten_minutes,
    );
    let mut request = Request::new(Body::empty());
    let headers = request.headers_mut();
    headers.insert(
        header::HOST,
        HeaderValue::from_static("credentials.example"),
    );
    if let Some(question) = question {
        headers.insert(QUESTION, question.clone());
    }
    let [(_, told), (_, kept)] = answer_with(seal, &limits, now, &request)?;
    assert_eq!(kept, "no-store");
    let told = opened(seal, ANSWERED, &told).unwrap();
    Some(serde_json::from_slice(&told).unwrap())
}

#[test]
fn nobody_is_told_how_requests_arrive_but_who_has_the_storage_secret_and_asks_within_a_minute() {
    let own = seal("one storage secret, of forty-two letters");
    let other = seal("another storage secret, as long as the first");
    let asked: Timestamp = "2026-11-29T10:00:00Z".parse().unwrap();
    let asks = question(&own, asked).unwrap();
    let after = |seconds| asked + SignedDuration::from_secs(seconds);
    // The clocks of who asks and who answers may be a minute apart, either way.
    for seconds in [-60, 0, 60] {
        let arrival = heard(&own, after(seconds), Some(&asks)).unwrap();
        assert_eq!(arrival.asked_at, asked.as_second());
        assert_eq!(arrival.host.as_deref(), Some("credentials.example"));
    }
    // Everybody else gets the probe's bare answer: strangers, who has another secret, who replays what was asked in an earlier
    // minute, who asks for a time to come, and who sends back what was answered.
    assert_eq!(heard(&own, asked, None), None);
    let of_another = question(&other, asked).unwrap();
    assert_eq!(heard(&own, asked, Some(&of_another)), None);
    assert!(heard(&other, asked, Some(&of_another)).is_some());
    assert_eq!(heard(&own, after(61), Some(&asks)), None);
    assert_eq!(heard(&own, after(-61), Some(&asks)), None);
    let now = asked.as_second().to_be_bytes();
    let answered = sealed(&own, ANSWERED, &now).unwrap();
    assert_eq!(heard(&own, asked, Some(&answered)), None);
}

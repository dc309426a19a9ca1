//! The key, the faults and the placeholders, without any network.

use reqwest::StatusCode;

use super::*;

const SERVICE: &str = "26785a09-ab16-4eb0-8407-a37497a57506";
const SECRET: &str = "3d844edf-8d35-48ac-975b-e847b4f122b0";

#[test]
fn a_key_is_taken_apart_from_its_end() {
    for name in ["lanyard", "our-test-key", "key-1-", "ä", SERVICE] {
        let key = NotifyKey::parse(&format!("{name}-{SERVICE}-{SECRET}\n")).unwrap();
        assert_eq!(key.service, SERVICE, "{name}");
        assert_eq!(format!("{key:?}"), "NotifyKey(…)");
    }
    for text in [
        "",
        "lanyard",
        SECRET,
        &format!("{SERVICE}-{SECRET}"),
        &format!("-{SERVICE}{SECRET}"),
        &format!("lanyard-{SERVICE}-{SECRET}0"),
        &format!("lanyard_{SERVICE}_{SECRET}"),
        &format!("lanyard-{SECRET}-{}", "ä".repeat(18)),
        &"ä".repeat(60),
    ] {
        assert!(NotifyKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_refusal_is_read_by_status_and_type_and_never_by_its_message() {
    let answer = |status: u16, kind: &str| {
        let message = "email_address ValidationError RateLimitError TooManyRequestsError";
        let body =
            json!({ "status_code": status, "errors": [{ "error": kind, "message": message }] });
        fault(&Answer {
            status: StatusCode::from_u16(status).unwrap(),
            body: body.to_string().into_bytes(),
        })
    };
    for (status, kind, wanted) in [
        (400, "ValidationError", MailFault::NotifyRefused),
        (400, "BadRequestError", MailFault::NotifyBadRequest),
        (403, "AuthError", MailFault::NotifyKey),
        (403, "BadRequestError", MailFault::NotifyKey),
        (401, "AuthError", MailFault::NotifyKey),
        (429, "RateLimitError", MailFault::NotifyBusy),
        (429, "TooManyRequestsError", MailFault::NotifyDailyLimit),
        (500, "Exception", MailFault::NotifyFailing(500)),
        (502, "", MailFault::NotifyFailing(502)),
        (404, "NoResultFound", MailFault::NotifyFailing(404)),
    ] {
        assert_eq!(answer(status, kind), wanted, "{status} {kind}");
    }
    let page = Answer {
        status: StatusCode::BAD_GATEWAY,
        body: b"<html>".to_vec(),
    };
    assert_eq!(fault(&page), MailFault::NotifyFailing(502));
    assert!(MailFault::NotifyRefused.is_for_good() && MailFault::NotifyBadRequest.is_for_good());
    assert!(!MailFault::NotifyKey.is_about_this_mail() && MailFault::NotifyKey.is_an_alert());
    assert!(!MailFault::NotifyFailing(500).is_for_good());
    assert!(MailFault::NotifyRefused.is_about_this_mail());
    assert!(MailFault::NotifyBadRequest.is_about_this_mail());
}

#[test]
fn a_daily_limit_waits_until_midnight_and_the_other_a_minute() {
    let now: Timestamp = "2026-11-28T13:00:00Z".parse().unwrap();
    let until = |fault| not_before(fault, now).map(|at| at.to_string());
    assert_eq!(
        until(MailFault::NotifyDailyLimit).unwrap(),
        "2026-11-29T00:00:00Z"
    );
    assert_eq!(
        until(MailFault::NotifyBusy).unwrap(),
        "2026-11-28T13:01:00Z"
    );
    assert_eq!(until(MailFault::NotifyKey), None);
}

#[test]
fn a_template_has_the_placeholders_that_there_are_values_for_and_no_others() {
    let whole = PLACEHOLDERS.map(|name| format!("(({name}))")).join(" ");
    let answer = |subject: &str, body: &str, kind: &str| {
        let template = Template {
            r#type: kind.to_owned(),
            subject: Some(subject.to_owned()),
            body: body.to_owned(),
        };
        check_template(Uuid::nil(), &template).map_err(|error| error.to_string())
    };
    assert_eq!(answer("Delete", &whole, "email"), Ok(()));
    let spelt = whole.replace("((first_name))", "((First name)) ((label??yes))");
    assert_eq!(answer("Delete", &spelt, "email"), Ok(()));
    let id = Uuid::nil();
    for (subject, body, wanted) in [
        (
            "Delete",
            whole.replace("((find_it))", ""),
            format!("the template {id} lacks ((find_it))"),
        ),
        (
            "Delete ((serial number))",
            whole.clone(),
            format!("the template {id} has ((serial number)), for which there is no value"),
        ),
    ] {
        assert_eq!(answer(subject, &body, "email"), Err(wanted));
    }
    assert!(answer("Delete", &whole, "sms").is_err());
}

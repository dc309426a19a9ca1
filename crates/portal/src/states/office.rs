//! The sandbox's HR office, and HR's page behind the log-in.

use axum::response::Response;
use connector::Reason;
use connector::desk::{Decision, HoldReason, NotTold, Review};
use jiff::civil::date;

use super::State;
use super::samples::{FIRE_SAFETY, NEXT_YEAR, NOW, RECORD, minutes_ago, visitor};
use crate::audit::Kind;
use crate::credential_state::CredentialState;
use crate::hr::audit_page::{self, AuditView, Listed};
use crate::hr::lists::{Delivery, MayStillHold, Next, NotArrived};
use crate::hr::page::{self as hr, Employee, Field, HrNews, HrView, Record, RecordView};
use crate::hr::person_page::{self, PersonView};
use crate::look::Look;
use crate::to_look_at::page::{self as to_look_at_page, News, ToLookAt, ToLookAtView};
use crate::to_tell::page::{self as to_tell_page, ToTell, ToTellView};

pub(super) const STATES: &[State] = &[
    ("hr", |look| people(look, Vec::new(), None)),
    ("hr-not-arrived", |look| {
        people(look, not_arrived(), Some(HrNews::Deleted))
    }),
    ("to-tell", |look| to_tell(look, true)),
    ("to-tell-nobody", |look| to_tell(look, false)),
    ("to-look-at", |look| to_look_at(look, true)),
    ("to-look-at-nothing", |look| to_look_at(look, false)),
    ("hr-record", |look| hr::show_record(look, record())),
    ("hr-record-saved", |look| {
        let news = Some(HrNews::Saved);
        hr::show_record(look, RecordView { news, ..record() })
    }),
    ("hr-record-ended", |look| {
        let view = RecordView {
            state: Some(CredentialState::Changed),
            news: Some(HrNews::Ended),
            ended_on: Some(date(2026, 11, 22)),
            ..record()
        };
        hr::show_record(look, view)
    }),
    ("hr-audit", |look| audit_page::show(look, audit())),
    ("hr-audit-about", |look| {
        let view = AuditView {
            about: Some("e-match".to_owned()),
            name: Some("Anthony Hughes".to_owned()),
            older: Some(17),
            ..audit()
        };
        audit_page::show(look, view)
    }),
    ("hr-audit-empty", |look| {
        let view = AuditView {
            entries: Vec::new(),
            ..audit()
        };
        audit_page::show(look, view)
    }),
    ("hr-person", |look| person_page::show(look, person())),
    ("hr-person-saved", |look| {
        let view = PersonView {
            is_saved: true,
            ..person()
        };
        person_page::show(look, view)
    }),
    ("hr-person-wrong", |look| {
        let mut view = person();
        let born = &mut view.fields[3];
        "7 May".clone_into(&mut born.value);
        born.error = look.say("hr-wrong-date");
        person_page::show(look, view)
    }),
    ("hr-record-wrong", |look| {
        let mut view = record();
        let level = &mut view.fields[1];
        "one".clone_into(&mut level.value);
        level.error = look.say("hr-wrong-number");
        hr::show_record(look, view)
    }),
];

fn people(look: &Look, not_arrived: Vec<NotArrived>, news: Option<HrNews>) -> Response {
    let records = vec![
        Record {
            id: RECORD.to_owned(),
            title: FIRE_SAFETY.to_owned(),
            state: CredentialState::Added {
                at: minutes_ago(90),
            },
        },
        Record {
            id: "tp-1".to_owned(),
            title: "Training placement".to_owned(),
            state: CredentialState::NotAdded {
                valid_until: Some(NEXT_YEAR),
            },
        },
    ];
    let employees = vec![
        employee("Anthony Hughes", "match", true, records),
        employee("Siân Carys O’Connor-Hughes", "diacritics", true, Vec::new()),
        employee("Kim Patel", "not-applicable", false, Vec::new()),
    ];
    let may_still_hold = if not_arrived.is_empty() {
        Vec::new()
    } else {
        may_still_hold()
    };
    let view = HrView {
        employees,
        not_arrived,
        may_still_hold,
        news,
    };
    hr::show(look, view)
}

fn employee(name: &str, username: &str, passport_applies: bool, records: Vec<Record>) -> Employee {
    Employee {
        name: name.to_owned(),
        username: username.to_owned(),
        passport_applies,
        records,
    }
}

fn may_still_hold() -> Vec<MayStillHold> {
    let one = |employee: &str, why| MayStillHold {
        title: FIRE_SAFETY.to_owned(),
        employee: employee.to_owned(),
        revoked_at: minutes_ago(5 * 24 * 60),
        why,
    };
    vec![
        one("Kim Patel", NotTold::NoMail),
        one("Anthony Hughes", NotTold::Held(HoldReason::PhoneFirst)),
    ]
}

fn not_arrived() -> Vec<NotArrived> {
    let revocation = NotArrived {
        kind: Delivery::Revocation,
        title: FIRE_SAFETY.to_owned(),
        employee: "Anthony Hughes".to_owned(),
        since: minutes_ago(12),
        tries: Some(4),
        next: Next::Try {
            at: NOW + jiff::SignedDuration::from_mins(2),
        },
    };
    let mail = NotArrived {
        kind: Delivery::Mail,
        title: "Training placement".to_owned(),
        tries: Some(1),
        next: Next::GivenUp {
            code: "mail-refused".to_owned(),
            serial_number: uuid::Uuid::nil(),
        },
        ..revocation.clone()
    };
    let erasure = NotArrived {
        kind: Delivery::Erasure,
        title: String::new(),
        tries: None,
        next: Next::Wait {
            code: "revocation-waiting",
        },
        ..revocation.clone()
    };
    vec![revocation, mail, erasure]
}

fn to_tell(look: &Look, is_something: bool) -> Response {
    let people = if is_something {
        may_still_hold()
    } else {
        Vec::new()
    };
    let to_tell = people.into_iter().map(|card| ToTell {
        serial_number: uuid::Uuid::nil(),
        card,
    });
    let view = ToTellView {
        to_tell: to_tell.collect(),
        not_arrived: if is_something {
            not_arrived()
        } else {
            Vec::new()
        },
        news: (!is_something).then_some(to_tell_page::News::Told),
    };
    to_tell_page::show(look, &visitor(), &view)
}

fn to_look_at(look: &Look, is_something: bool) -> Response {
    let review = |decision| Review {
        id: uuid::Uuid::nil(),
        employee: "e-1".to_owned(),
        why: vec![Reason::FirstNameDiffers, Reason::FirstNamePetForm],
        ends_with: "9d10".to_owned(),
        first_at: minutes_ago(3 * 24 * 60),
        last_at: minutes_ago(90),
        decision,
    };
    let one = |name: &str, is_own, decision| ToLookAt {
        name: name.to_owned(),
        known_as: None,
        date_of_birth: Some(date(1990, 5, 7)),
        is_own,
        review: review(decision),
    };
    let decided = Some((Decision::NotSame, minutes_ago(20)));
    let all = vec![
        one("Anthony Hughes", false, None),
        one("Siân Carys O’Connor-Hughes", true, None),
        one("Kim Patel", false, decided),
    ];
    let view = ToLookAtView {
        reviews: if is_something { all } else { Vec::new() },
        news: (!is_something).then_some(News::Said(Decision::Same)),
    };
    to_look_at_page::show(look, &visitor(), &view)
}

fn audit() -> AuditView {
    let entry = |minutes, kind, actor: &str, record: Option<&str>, detail: Option<&str>| Listed {
        at: minutes_ago(minutes),
        kind,
        actor: actor.to_owned(),
        about: (kind != Kind::ListViewed).then(|| "Siân Carys O’Connor-Hughes".to_owned()),
        record: record.map(str::to_owned),
        detail: detail.map(str::to_owned),
    };
    let own = "Siân Carys O’Connor-Hughes";
    AuditView {
        about: None,
        name: None,
        entries: vec![
            entry(1, Kind::ListViewed, "HR office", None, None),
            entry(
                4,
                Kind::RecordEnded,
                "HR office",
                Some(RECORD),
                Some("ended-early"),
            ),
            entry(9, Kind::AddingStarted, own, Some(RECORD), None),
            entry(12, Kind::LogIn, own, None, Some("provider")),
        ],
        older: None,
    }
}

fn person() -> PersonView {
    PersonView {
        id: "e-match".to_owned(),
        username: "match".to_owned(),
        name: "Anthony Hughes".to_owned(),
        fields: vec![
            field("first-names", "First names", "Anthony"),
            field("surname", "Surname", "Hughes"),
            field("known-as", "Known as", "Tony"),
            field("date-of-birth", "Date of birth", "1990-05-07"),
            field("email", "Email address", "anthony.hughes@anytown.example"),
        ],
        csrf: "sample".to_owned(),
        is_saved: false,
    }
}

fn field(name: &str, label: &str, value: &str) -> Field {
    Field {
        name: name.to_owned(),
        label: label.to_owned(),
        value: value.to_owned(),
        error: String::new(),
    }
}

fn record() -> RecordView {
    RecordView {
        id: RECORD.to_owned(),
        title: FIRE_SAFETY.to_owned(),
        employee: "Anthony Hughes".to_owned(),
        state: Some(CredentialState::Added {
            at: minutes_ago(90),
        }),
        ended_on: None,
        fields: vec![
            field("subject", "Subject", "Fire safety"),
            field("level", "Level", "1"),
            field("valid-to", "Valid to", "2027-11-20"),
        ],
        csrf: "sample".to_owned(),
        news: None,
    }
}

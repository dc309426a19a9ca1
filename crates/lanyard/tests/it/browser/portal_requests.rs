//! What the portal asks of the gateway while an employee walks through it, and what the browser carries between them.
//!
//! What no browser is there to see is proved at the wire alone, in `portal::requirements` and the connector's own tests:
//! that a check and a draft are as due in every dialect, over an independent provider, and whichever way the secret
//! travels (DW-31, DW-38, DW-55); what the gateway says to a draft that breaks its schema field by field, which no portal
//! of ours sends (DW-68); and that the desk's look-ups of outcomes, which follow from no page, prove who asks (DW-86).
//! That a serial number outlives the process that kept it (DW-62) is proved where each party is a process of its own and
//! is killed after each step, also between the credential in the wallet and HR's change: over HTTP, in
//! `portal_kill::killed_after_each_step_every_process_goes_on_and_what_the_portal_says_is_true`.

use gateway::organisation::catalogue::Catalogue;
use jiff::{SignedDuration, Timestamp};
use lanyard::browser::Tag;
use serde_json::{Map, Value};
use standards::jose::hmac_key::HmacKey;
use url::Url;
use wallet::CredentialStatus;

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{ELSEWHERE, PROBLEM, Person};
use super::portal_walk::{says_exactly_what_was_shown, shown};
use super::qr_code;
use super::stage::Stage;
use crate::cheat::signed_with;
use crate::portal_walk::Walk;
use crate::wire::{Exchange, Party, Wire, stands_not_in, wallet_goes_to};

const CHECK: &str = "Check the information that will go in your wallet";
const NOT_FOR_YOU: &str = "You cannot use this service yet";

/// One whole walk, and what of it the gateway heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_05_dw_22_dw_24_dw_25_dw_31_dw_32_dw_38_dw_45_dw_50_to_56_dw_68_dw_69_dw_73_dw_86_the_gateway_is_asked_what_is_due_and_the_browser_carries_nothing()
 {
    let Some((stage, _door, wire)) = Stage::set_with_a_wire().await else {
        return;
    };
    let mut person = Person::of(&stage, "match", JavaScript::On).await;
    person.log_in().await;

    // [DW-25] Whoever cancels has sent nothing, and confirmed nothing.
    person.browser.open(&person.step("/confirm")).await;
    person.follow("Cancel").await;
    assert_eq!(person.browser.url().await.as_str(), person.step(""));
    person.press("Add to wallet").await;
    person.stands_on(CHECK, "Cardiology").await;
    assert!(wire.pushed().is_empty() && wire.authorized().is_empty());

    let shown = shown(&person).await;
    person.press("Confirm and continue").await;
    // [DW-32, DW-51] Each button is before them, and what it asks for is not asked for before they press it.
    person
        .stands_on("Verify your identity", "You need to share")
        .await;
    assert!(wire.pushed().is_empty() && wire.authorized().is_empty());
    person.verifies().await;
    assert!(wire.pushed_drafts().is_empty());
    assert_eq!(wire.authorized().len(), 1);
    person.goes_to_add().await;
    says_exactly_what_was_shown(&person, content_of(&wire.pushed_drafts()[0]), shown);
    let link = qr_code::read(&person.browser).await;
    let serial_number = person.receives().await;
    person.comes_back().await;
    person
        .stands_on("Credential added to your wallet", "Training programme")
        .await;

    let carried = person.browser.requests().await;
    the_check_is_openid_connects(&person, &wire);
    each_code_is_exchanged_by_the_server(&stage, &wire, &carried);
    the_browser_takes_the_name_of_what_was_pushed_there(&stage, &wire);
    nothing_of_it_is_in_an_address(&stage, &wire, &carried);
    let own = person.held_as(&serial_number).await;
    let identifier = person.unique_identifier().to_owned();
    assert_eq!(own.claims["UniqueIdentifier"], identifier);

    // [DW-05] The code and every link on the pages lead wallets to the gateway.
    let gateway = &stage.sandbox.file.urls.gateway;
    let mut goes_to = wire.wallets_are_sent_to(Party::Gateway);
    assert!(goes_to.len() >= 2, "{goes_to:?}");
    goes_to.extend(wallet_goes_to(&link));
    assert!(goes_to.iter().all(|url| url.origin() == gateway.origin()));

    // [DW-38] Whoever goes back to where a code was brought has it exchanged no second time.
    let brought = carried.iter().filter(|url| url.path() == "/callback");
    for callback in brought {
        person.browser.open(callback.as_str()).await;
        person.stands_on(ELSEWHERE, "You may have finished").await;
    }
    assert_eq!(wire.tokens().len(), 2);

    // [DW-22] Nor does anything come of it when they are asked about the old copy and say no.
    person.browser.open(&person.step("")).await;
    person.press("Add to wallet again").await;
    person.browser.choose("No, go back").await;
    person.press("Continue").await;
    assert_eq!(person.browser.url().await.as_str(), person.step(""));
    assert_eq!((wire.pushed().len(), wire.authorized().len()), (2, 2));
    assert!(wire.revocations().is_empty());

    let placement = person.adds_another("placement").await;
    let fire_safety = person.adds_another("fire-safety").await;
    the_drafts_are_what_they_should_be(&stage, &person, &wire);
    what_it_does_not_show_revokes_nothing(&stage, &mut person, &wire, &fire_safety).await;
    let others = stage.held(&person.outside.who.holder).await;
    let placed = others
        .iter()
        .find(|one| one.serial_number.as_ref() == Some(&placement));
    assert_eq!(placed.unwrap().status, CredentialStatus::Valid);
    assert_eq!(placed.unwrap().claims["UniqueIdentifier"], identifier);
    let own = person.held_as(&serial_number).await;
    assert_eq!(own.status, CredentialStatus::Valid);
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}

/// [DW-31] And the browser takes nothing to it but the name of what was pushed.
fn the_check_is_openid_connects(person: &Person<'_>, wire: &Wire) {
    let checks = wire.pushed_checks();
    assert_eq!(checks.len(), 1);
    let pushed = checks[0].form();
    assert_eq!(pushed["response_type"], "code");
    assert_eq!(pushed["scope"], "openid Identity");
    assert_eq!(pushed["redirect_uri"], person.portal("/callback"));
    assert_eq!(pushed["code_challenge_method"], "S256");
    for unguessable in ["state", "nonce", "code_challenge"] {
        assert!(pushed[unguessable].len() >= 43, "{unguessable}");
    }
    let authorized = &wire.authorized()[0];
    let agent = authorized.headers["user-agent"].to_str().unwrap();
    assert!(agent.contains("Chrome"), "{agent}");
    let answer: Value = serde_json::from_str(&checks[0].answer).unwrap();
    let parameters = authorized.brought();
    assert_eq!(answer["request_uri"], parameters["request_uri"].as_str());
    assert_eq!(parameters.len(), 2, "{parameters:?}");
}

/// [DW-38, DW-86] Once, by who asked for it and says so, with the code that the browser brought.
fn each_code_is_exchanged_by_the_server(stage: &Stage, wire: &Wire, carried: &[Url]) {
    let party = stage.party();
    let (pushed, tokens) = (wire.pushed(), wire.tokens());
    assert_eq!((pushed.len(), tokens.len()), (2, 2));
    for (pushed, token) in pushed.iter().zip(&tokens) {
        for call in [pushed, token] {
            assert!(call.is_server_side(), "{}", call.path);
            let own = call.is_from_client(&party.client_id, &party.client_secret);
            assert!(own, "{}", call.path);
        }
        assert_eq!(token.status, 200);
        assert!(token.continues(pushed));
        let code = token.form()["code"].clone();
        let state = pushed.form()["state"].clone();
        let brings = |url: &&Url| {
            let has = |name: &str, value: &str| {
                url.query_pairs()
                    .any(|pair| pair == (name.into(), value.into()))
            };
            url.path() == "/callback" && has("code", &code) && has("state", &state)
        };
        assert_eq!(carried.iter().filter(brings).count(), 1);
    }
}

/// [DW-45, DW-53, DW-55, DW-68] One of each type: each has the identifier that the gateway told once in this session, the
/// form that its type asks for, and the portal's own signature.
fn the_drafts_are_what_they_should_be(stage: &Stage, person: &Person<'_>, wire: &Wire) {
    assert_eq!(wire.pushed_checks().len(), 1);
    let told = wire.tokens()[0].id_token()["Identity.UniqueIdentifier"].clone();
    assert_eq!(told, person.unique_identifier());
    let key = HmacKey::parse(&stage.party().signing_key).unwrap();
    let other = HmacKey::generate().unwrap();
    let now = Timestamp::now().as_second();
    let catalogue = Catalogue::built_in().unwrap();
    let drafts = wire.pushed_drafts();
    let types = ["TrainingProgramme", "TrainingPlacement", "FireSafety"];
    assert_eq!(drafts.len(), types.len());
    for (draft, name) in drafts.iter().zip(types) {
        assert!(draft.form()["scope"].ends_with(&format!("issue.{name}")));
        let content = content_of(draft);
        assert_eq!(content["UniqueIdentifier"], told, "{name}");
        let schema = catalogue.iter().find(|one| one.name == name).unwrap();
        assert_eq!(schema.check(&content).unwrap(), content, "{name}");

        let claims = draft.draft_signed_with(&key).unwrap();
        let (began, ends) = (claims["iat"].as_i64(), claims["exp"].as_i64());
        assert!(began.is_some_and(|at| (now - 120..=now).contains(&at)));
        assert!(ends.is_some_and(|at| (now..=now + 600).contains(&at)));
        assert!(draft.draft_signed_with(&other).is_none(), "{name}");
    }
}

/// What a pushed draft says that the credential will claim.
fn content_of(draft: &Exchange) -> Map<String, Value> {
    let content = draft.content().into_iter();
    content.map(|(name, value)| (name, value.into())).collect()
}

/// [DW-56] Each time: who asks, the name that the gateway gave to what it was sent just before, and nothing more.
fn the_browser_takes_the_name_of_what_was_pushed_there(stage: &Stage, wire: &Wire) {
    let (pushed, authorized) = (wire.pushed(), wire.authorized());
    assert_eq!(pushed.len(), authorized.len());
    for (pushed, authorized) in pushed.iter().zip(&authorized) {
        let answer: Value = serde_json::from_str(&pushed.answer).unwrap();
        let parameters = authorized.brought();
        assert_eq!(parameters["client_id"], stage.party().client_id);
        assert_eq!(answer["request_uri"], parameters["request_uri"].as_str());
        assert_eq!(parameters.len(), 2, "{parameters:?}");
    }
}

/// [DW-52] Neither in what the browser asked for nor in where it was sent. [DW-54] What the portal proves itself by is in no
/// address, header, page, form or script that a browser had either.
fn nothing_of_it_is_in_an_address(stage: &Stage, wire: &Wire, carried: &[Url]) {
    let secret = wire.pushed_drafts()[0].confidential();
    assert!(secret.len() > 8 && carried.len() > 10);
    let carried = carried.iter().map(Url::to_string);
    for address in wire.addresses().into_iter().chain(carried) {
        stands_not_in(&secret, &address);
    }
    let party = stage.party();
    let mut seen = wire.exchanges();
    seen.retain(|one| {
        one.party == Party::Portal || !one.path.ends_with("/par") && !one.path.ends_with("/token")
    });
    assert!(seen.len() > 15, "only {}", seen.len());
    for one in seen {
        let all = format!(
            "{} {:?} {} {:?} {}",
            one.query, one.headers, one.body, one.answer_headers, one.answer
        );
        for proof in [&party.client_secret, &party.signing_key] {
            assert!(!all.contains(proof.as_str()), "{} has a secret", one.path);
        }
    }
}

/// [DW-73, DW-86] The office saves the record as it is, writes down another e-mail address, and changes another record,
/// whose credential is the only one that is revoked.
async fn what_it_does_not_show_revokes_nothing(
    stage: &Stage,
    person: &mut Person<'_>,
    wire: &Wire,
    other: &str,
) {
    let programme = person.outside.record.clone();
    let holder = person.outside.who.holder.clone();
    let office = &mut person.outside;
    office.hr_saves("TPR-Name", "Cardiology").await.unwrap();
    writes_to(office, "anna.t@anytown.example").await;
    office.record = format!("{holder}-fire-safety");
    office.hr_saves("FS-Level", "2").await.unwrap();
    person.waits_until_the_list_says("cancelled").await;
    let revocations = wire.revocations();
    assert_eq!(revocations.len(), 1);
    assert_eq!(revocations[0]["SerialNumber"], other);
    let party = stage.party();
    assert_eq!(revocations[0]["client_id"], party.client_id);
    assert_eq!(revocations[0]["client_secret"], party.client_secret);
    person.outside.record = programme;
    assert_eq!(person.in_the_list().await.0, "added");
}

/// HR writes down another e-mail address of the employee.
async fn writes_to(office: &mut Walk, address: &str) {
    let path = format!("/hr/employees/{}", office.who.username);
    office.open(&path).await.unwrap();
    let is_save = |tag: &Tag<'_>| tag.attribute("id").as_deref() == Some("save");
    let form = office.form_with(is_save).unwrap();
    office.send(&form.with("email", address)).await.unwrap();
}

/// Three whom nothing is issued to: whose draft another key signed, whose session ended, whom it does not apply to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_14_dw_15_dw_49_dw_87_what_is_not_due_to_somebody_is_offered_and_issued_to_them_by_no_way()
 {
    let Some((stage, _door, wire)) = Stage::set_with_a_wire().await else {
        return;
    };
    let person = Person::of(&stage, "match", JavaScript::On).await;
    person.gets_ready_to_add().await;
    // [DW-87] Neither a key that nobody has nor the one that another client of the same gateway was given.
    for (number, key) in [nobodys_key(), another_clients_key(&stage)]
        .into_iter()
        .enumerate()
    {
        person.open("/identity/done").await;
        let signing = key.clone();
        wire.change_question("/par", move |form| signed_with(&signing, form));
        person.press("Add to wallet").await;
        person.stands_on(PROBLEM, "Your reference is").await;
        wire.leave();
        let drafts = wire.pushed_drafts();
        assert_eq!(drafts.len(), number + 1);
        let refused = drafts.last().unwrap();
        assert!(refused.draft_signed_with(&key).is_some());
        assert_eq!(refused.status, 400, "{}", refused.answer);
        person.has_nothing().await;
    }
    let first = wire.pushed_checks().remove(0).form();

    // [DW-49] The check ended with its session, also for whoever still has the button before them.
    person.open("/identity/done").await;
    wire.forget();
    stage.sandbox.shift.set(SignedDuration::from_mins(31));
    person.press("Add to wallet").await;
    assert_eq!(person.heading().await, "Log in to your staff account");
    person.log_in().await;
    person.open("/identity/done").await;
    person
        .stands_on("Verify your identity", "You need to share")
        .await;
    sends(&person, &person.step("/add")).await;
    person
        .stands_on("Verify your identity", "You need to share")
        .await;
    person.has_nothing().await;
    assert!(wire.pushed().is_empty() && wire.authorized().is_empty());
    // [DW-31] Another check has others.
    person.open("/identity").await;
    person.goes_to_verify().await;
    let second = wire.pushed_checks().remove(0).form();
    for fresh in ["state", "nonce", "code_challenge"] {
        assert_ne!(first[fresh], second[fresh], "{fresh}");
    }
    wire.forget();
    let ways = [
        person.portal("/credentials"),
        person.portal("/identity"),
        person.portal("/identity/done"),
        person.step(""),
        person.step("/confirm"),
        person.step("/added"),
    ];
    let forms = [
        person.portal("/identity/start"),
        person.step("/confirm"),
        person.step("/add"),
    ];

    // [DW-14] Ned, whose record says that it does not apply to him, finds nothing of it.
    let ned = person.hands_the_browser_to("not-applicable").await;
    let html = ned.browser.html().await;
    for word in ["passport", "wallet", "/credentials", "/identity"] {
        let main = html.split("<main").nth(1).unwrap();
        let main = main.split("</main").next().unwrap();
        assert!(!main.to_lowercase().contains(word), "{word}: {main}");
    }
    // [DW-15] And nothing that he sends there in Anna's place, or in his own, leads anywhere.
    let own = |address: &String| address.replace("anna-", "ned-");
    for address in ways.iter().cloned().chain(ways.iter().map(own)) {
        ned.browser.open(&address).await;
        assert_eq!(ned.heading().await, NOT_FOR_YOU, "{address}");
    }
    for address in forms.iter().cloned().chain(forms.iter().map(own)) {
        sends(&ned, &address).await;
        assert_eq!(ned.heading().await, NOT_FOR_YOU, "{address}");
    }
    assert!(wire.pushed().is_empty() && wire.authorized().is_empty());
    assert_eq!(quiet(&stage, &ned.browser).await, [""; 0]);
    ned.browser.close().await;
    stage.strike().await;
}

fn nobodys_key() -> HmacKey {
    HmacKey::generate().unwrap()
}

/// One that the gateway knows, and not as the portal's.
fn another_clients_key(stage: &Stage) -> HmacKey {
    let own = &stage.party().signing_key;
    let mut parties = stage.sandbox.file.relying_parties.iter();
    let other = parties.find(|party| !party.signing_key.is_empty() && party.signing_key != *own);
    HmacKey::parse(&other.unwrap().signing_key).unwrap()
}

/// The person's browser sends a form there that no page has.
async fn sends(person: &Person<'_>, address: &str) {
    person.open("/").await;
    let make = format!(
        "const form = document.querySelector('form[action=\"/logout\"]').cloneNode(true); \
         form.action = '{address}'; form.id = 'made-up'; \
         const button = document.createElement('button'); button.textContent = 'Send'; \
         form.replaceChildren(form.elements.csrf, button); \
         document.querySelector('main').prepend(form)"
    );
    person.browser.script(&make).await;
    person.browser.follow("#made-up button").await;
}

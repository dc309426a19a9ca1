//! A browser that the gateway does not know yet: nothing is opened for it before it has shown that it keeps its cookie.
//! (Decision 0064)

use reqwest::StatusCode;

use crate::raw_wallet::read;
use crate::world::{Answer, Browser, Form, World, client};

/// A pushed request, a signed draft in an address, and a whole request to verify.
async fn addresses(world: &World) -> [String; 3] {
    let whole = |form: &Form, authorize: &str| world.url(&format!("{authorize}?{}", form.query()));
    let v2 = world.party("v2");
    let hint = world.hint(&v2, |_| ());
    let mut draft = Form::new(&v2);
    draft.issue("TrainingProgramme", &hint);
    [
        world.pushed(&v2, |_| ()).await,
        whole(&draft, v2.authorize()),
        whole(&Form::new(&v2), v2.authorize()),
    ]
}

async fn open(world: &World, place: &str, cookie: Option<&str>) -> Answer {
    let address = match place.strip_prefix('/') {
        Some(_) => world.url(place),
        None => place.to_owned(),
    };
    let request = client().get(address);
    read(match cookie {
        Some(cookie) => request.header("cookie", cookie),
        None => request,
    })
    .await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers[name].to_str().unwrap()
}

fn cookie(answer: &Answer) -> &str {
    header(answer, "set-cookie").split(';').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_pressed_twice_opens_its_request_for_the_second_press() {
    let world = World::start().await;
    for address in addresses(&world).await {
        // The first answer is broken off, and its cookie with it.
        let first = open(&world, &address, None).await;
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.body);
        let second = open(&world, &address, None).await;
        assert_eq!(second.status, StatusCode::SEE_OTHER, "{}", second.body);
        assert_ne!(cookie(&first), cookie(&second));
        let again = header(&second, "location");
        assert_eq!(world.url(again), format!("{address}&cookie=set"));

        let opened = open(&world, again, Some(cookie(&second))).await;
        let page = header(&opened, "location");
        assert!(page.starts_with("/interaction/"), "{page}");
        let shown = open(&world, page, Some(cookie(&second))).await;
        assert_eq!(shown.status, StatusCode::OK);
        // The one address and the other lead to it from now on.
        for address in [address.as_str(), again] {
            let known = open(&world, address, Some(cookie(&second))).await;
            assert_eq!(header(&known, "location"), page);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_keeps_no_cookie_is_told_so_and_has_used_nothing_up() {
    let world = World::start().await;
    for address in addresses(&world).await {
        let sent_on = open(&world, &address, None).await;
        let told = open(&world, header(&sent_on, "location"), None).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST);
        assert!(
            told.body.contains("did not keep our cookie"),
            "{}",
            told.body
        );
        // Once cookies are allowed, to load the page again is enough.
        let cookie = cookie(&told);
        let opened = open(&world, header(&sent_on, "location"), Some(cookie)).await;
        assert!(header(&opened, "location").starts_with("/interaction/"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_browser_hears_at_once_what_cannot_be_opened() {
    let world = World::start().await;
    let [pushed, draft, _] = addresses(&world).await;
    for address in [pushed, draft] {
        Browser::new().open(&address).await;
        let late = open(&world, &address, None).await;
        assert_eq!(late.status, StatusCode::GONE);
    }
    let party = world.party("v2");
    let mut form = Form::new(&party);
    form.set("scope", "openid Nothing");
    let at_fault = world.url(&format!("{}?{}", party.authorize(), form.query()));
    let answer = open(&world, &at_fault, None).await;
    let back = header(&answer, "location");
    assert!(back.contains("error=invalid_scope"), "{back}");
}

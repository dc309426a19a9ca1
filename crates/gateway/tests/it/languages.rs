//! In which language the pages speak, and that Welsh is never shown as more than a draft.

use reqwest::header::{ACCEPT_LANGUAGE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};

use crate::world::{Party, World};

const DRAFT: [&str; 2] = [
    "Cymraeg drafft: angen ei adolygu.",
    "<span lang=\"en\">Draft Welsh: needs review.</span>",
];

/// A browser whose owner has set these languages; it follows nothing by itself.
struct Reader {
    client: Client,
    languages: &'static str,
}

impl Reader {
    fn of(languages: &'static str) -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .cookie_store(true)
            .no_proxy();
        Self {
            client: client.build().unwrap(),
            languages,
        }
    }

    async fn open(&self, address: &str) -> Response {
        let request = self.client.get(address);
        let request = request.header(ACCEPT_LANGUAGE, self.languages);
        request.send().await.unwrap()
    }

    /// Opens an authorize address; gives the address of its interaction, and the page.
    async fn begin(&self, world: &World, address: &str) -> (String, String) {
        let mut led = self.open(address).await;
        // A new browser shows that it keeps its cookie.
        if led.headers().contains_key(SET_COOKIE) {
            let again = world.url(led.headers()[LOCATION].to_str().unwrap());
            led = self.open(&again).await;
        }
        let page = world.url(led.headers()[LOCATION].to_str().unwrap());
        let html = self.open(&page).await.text().await.unwrap();
        (page, html)
    }
}

fn is_welsh(html: &str) -> bool {
    let welsh = html.contains("<html lang=\"cy\">");
    for note in DRAFT {
        assert_eq!(html.contains(note), welsh, "{note}\n{html}");
    }
    welsh
}

async fn pushed(world: &World, party: &Party, ui_locales: Option<&str>) -> String {
    let change = |form: &mut crate::world::Form| {
        if let Some(locales) = ui_locales {
            form.set("ui_locales", locales);
        }
    };
    world.pushed(party, change).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_speaks_the_language_chosen_before_the_one_wished_before_the_one_accepted() {
    let world = World::start().await;
    let party = world.party("plain");
    for (accepted, wished, welsh) in [
        ("en-GB,en;q=0.9", None, false),
        ("cy-GB,cy;q=0.9,en;q=0.5", None, true),
        ("en", Some("cy-GB en"), true),
        ("cy", Some("en"), false),
        ("fr", Some("fr"), false),
    ] {
        let reader = Reader::of(accepted);
        let address = pushed(&world, &party, wished).await;
        let (page, html) = reader.begin(&world, &address).await;
        assert_eq!(is_welsh(&html), welsh, "{accepted} {wished:?}");

        // Choosing the other keeps it, for every page from then on.
        let other = if welsh { "en" } else { "cy" };
        let chosen = reader.open(&format!("{page}?lang={other}")).await;
        assert_eq!(chosen.status(), StatusCode::SEE_OTHER);
        assert_eq!(
            world.url(chosen.headers()[LOCATION].to_str().unwrap()),
            page
        );
        let cookie = chosen.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
        for address in [page, world.url("/help"), world.url("/accessibility")] {
            let html = reader.open(&address).await.text().await.unwrap();
            assert_eq!(is_welsh(&html), !welsh, "{address}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_speak_the_readers_language_and_relying_parties_hear_english() {
    let world = World::start().await;
    let reader = Reader::of("cy");
    for path in [
        "/authorize?client_id=nobody",
        "/return",
        "/w/AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let request = reader.client.get(world.url(path));
        let request = request
            .header(ACCEPT_LANGUAGE, "cy")
            .header("accept", "text/html");
        let html = request.send().await.unwrap().text().await.unwrap();
        assert!(is_welsh(&html), "{path}");
    }
    let address = pushed(&world, &world.party("plain"), None).await;
    let (page, _) = reader.begin(&world, &address).await;
    world.later(jiff::SignedDuration::from_mins(31));
    let html = reader.open(&page).await.text().await.unwrap();
    assert!(html.contains("Cymeroch ormod o amser"), "{html}");
    assert!(html.contains("error_description=request+expired"), "{html}");
}

/// A choice is one parameter of one value, so that nothing of a protocol's can be taken for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_language_of_ours_alone_is_a_choice() {
    let world = World::start().await;
    let reader = Reader::of("en");
    for query in ["lang=fr", "lang=cy&x=1", "x=1&lang=cy", "lang=CY"] {
        let answer = reader.open(&world.url(&format!("/help?{query}"))).await;
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        assert!(answer.headers().get(SET_COOKIE).is_none());
    }
}

//! Pages to be looked at are a sandbox's only, and in the language of whoever looks.

use gateway::{Gateway, Surroundings};
use reqwest::StatusCode;

use crate::world::{Browser, World, client, serve};

async fn with_states(world: &World, sandbox: bool) -> Result<Gateway, gateway::ComposeError> {
    let surroundings = Surroundings {
        clock: world.clock.clone(),
        sandbox,
        page_states: true,
        ..Surroundings::production()
    };
    Gateway::compose(&world.config, surroundings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_the_states_of_pages_unless_a_sandbox_is_asked_for_them() {
    let world = World::start().await;
    for path in ["/__states", "/__states/verify-ready"] {
        let answer = client().get(world.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    // Without a sandbox its keys are refused before anything else is.
    assert!(with_states(&world, false).await.is_err());
    assert!(!Surroundings::production().page_states);
}

/// Each state is one that a journey comes to: a sample whose steps did not fit would be missing here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_shows_every_page_in_every_state() {
    let world = World::start().await;
    let gateway = with_states(&world, true).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let server = serve(listener, &gateway);

    let list = client().get(format!("{base}/__states")).send().await;
    let list: Vec<String> = serde_json::from_str(&list.unwrap().text().await.unwrap()).unwrap();
    let journeys = ["verify", "issue"].map(|purpose| {
        let of_purpose = list.iter().filter(|name| name.starts_with(purpose));
        of_purpose.count()
    });
    // Ready, its code alone, scanned, opened, checking or returning, done, with a short code; for several credentials three times
    // and with Authenticator's link, with a PIN three times; the refusals.
    assert_eq!(journeys, [11 + 21, 10 + 8], "{list:?}");
    for name in &list {
        let page = Browser::new()
            .open(&format!("{base}/__states/{name}"))
            .await;
        assert!(page.html.contains("</html>"), "{name}");
        assert!(
            !page.html.contains("{$") && !page.html.contains(">{"),
            "{name}"
        );
    }
    server.abort();
}

//! The gateway's description of itself (OpenAPI 3.1), served and committed.

use serde_json::Value;

use crate::world::{Answer, World, client};

/// Where the committed one is.
const FILE: &str = "../../docs/reference/openapi.json";

async fn served(world: &World) -> Value {
    let answer = client().get(world.url("/openapi.json")).send().await;
    Answer::read(answer.unwrap()).await.json
}

/// `cargo xtask generate` writes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committed_description_is_what_the_gateway_serves() {
    let world = World::start().await;
    let mut document = served(&world).await;
    assert_eq!(document["servers"][0]["url"], world.base.as_str());
    document["servers"][0]["url"] = "https://credentials.example.org".into();
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("LANYARD_WRITE_REFERENCE").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == text,
        "{FILE} is not what the gateway serves: run `cargo xtask generate`"
    );
}

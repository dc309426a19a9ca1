//! The sidecar's description of itself (OpenAPI 3.1), served and committed.

use crate::database::Database;
use crate::world::World;

/// Where the committed one is.
const FILE: &str = "../../docs/reference/sidecar.openapi.json";

/// `cargo xtask generate` writes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committed_description_is_what_the_sidecar_serves() {
    let world = World::start(Database::sqlite()).await;
    let document = world.caller.get("/openapi.json").await.expect(200).json;
    assert_eq!(document["openapi"], "3.1.0");
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("LANYARD_WRITE_REFERENCE").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == text,
        "{FILE} is not what the sidecar serves: run `cargo xtask generate`"
    );
}

//! Serves every page in every state, for people who look at them: `cargo run -p portal --example states`.

use std::sync::Arc;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use ui::Brand;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let index = portal::states::NAMES
        .map(|name| format!("<li><a href=\"/__states/{name}\">{name}</a></li>"))
        .concat();
    let pages = portal::states::router(&Arc::new(Brand::default()));
    let router = Router::new()
        .route("/", get(async || Html(index)))
        .merge(pages);
    let listener = TcpListener::bind("127.0.0.1:8490").await?;
    axum::serve(listener, router).await
}

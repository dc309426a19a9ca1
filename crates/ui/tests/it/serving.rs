//! What the routers answer.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use tower::ServiceExt as _;
use ui::Brand;

async fn fetch(path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let router = ui::router::<()>(&Arc::new(Brand::default()));
    router
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(
        to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec(),
    )
    .unwrap()
}

#[tokio::test]
async fn an_asset_is_kept_for_good_and_not_sent_twice() {
    let path = ui::assets::vendored().href("nhsuk.css");
    let first = fetch(&path, &[]).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(
        first.headers()[header::CONTENT_TYPE],
        "text/css; charset=utf-8"
    );
    assert_eq!(
        first.headers()[header::CACHE_CONTROL],
        "public, max-age=31536000, immutable"
    );
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();

    let again = fetch(&path, &[("if-none-match", &format!("\"other\", W/{tag}"))]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(text(again).await.is_empty());
}

#[tokio::test]
async fn a_browser_that_takes_gzip_gets_a_tenth_of_the_bytes() {
    let path = ui::assets::vendored().href("nhsuk.css");
    let plain = fetch(&path, &[]).await;
    let small = fetch(&path, &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(small.headers()[header::CONTENT_ENCODING], "gzip");
    assert_ne!(small.headers()[header::ETAG], plain.headers()[header::ETAG]);
    let size = to_bytes(small.into_body(), usize::MAX).await.unwrap().len();
    assert!(size < 32_000, "{size}");
}

#[tokio::test]
async fn a_name_that_is_not_in_the_set_is_not_found() {
    let path = ui::assets::vendored().href("%2e%2e%2fCargo.toml");
    assert_eq!(fetch(&path, &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_address_in_a_page_is_answered_by_its_own_origin() {
    let response = fetch("/help", &[]).await;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/html; charset=utf-8"
    );
    let html = text(response).await;
    let mut asked = 0;
    for part in html
        .split(['"', '\''])
        .filter(|part| part.contains("//") || part.starts_with('/'))
    {
        assert!(part.starts_with('/') && !part.starts_with("//"), "{part}");
        assert_eq!(fetch(part, &[]).await.status(), StatusCode::OK, "{part}");
        asked += 1;
    }
    assert!(asked >= 6, "{html}");
}

#[tokio::test]
async fn a_page_says_its_task_first_and_then_the_service() {
    let html = text(fetch("/help", &[]).await).await;
    assert!(html.contains("<title>Help – Staff credentials</title>"));
    assert!(html.contains("<html lang=\"en\">"));
}

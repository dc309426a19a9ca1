//! The wallet over HTTP: the API that programs rely on, and the pages.

use std::sync::Arc;

use image::{GrayImage, ImageFormat, Luma};
use serde_json::{Value, json};
use wallet::http::PageOptions;

use crate::issuer::VCT;
use crate::party::World;
use crate::verifier::{surname, surname_either};

struct Web {
    base: String,
    http: reqwest::Client,
}

impl Web {
    async fn serve(world: &World) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let router = wallet::http::router(world.wallet.clone(), PageOptions::default());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Arc::new(Self {
            base,
            http: reqwest::Client::new(),
        })
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = self
            .http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await.1).unwrap()
    }

    async fn post_json(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self
            .http
            .post(format!("{}{path}", self.base))
            .json(body)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> (u16, String, String) {
        let response = self
            .http
            .post(format!("{}{path}", self.base))
            .form(form)
            .send()
            .await
            .unwrap();
        let at = response.url().path().to_owned();
        (
            response.status().as_u16(),
            at,
            response.text().await.unwrap(),
        )
    }
}

#[tokio::test]
async fn the_api_scans_lists_misbehaves_and_deletes() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    assert_eq!(
        web.json("/api/holders").await[0],
        json!({"id": "amira", "name": "Amira Nasser"})
    );

    let scan = json!({"link": world.party.offer(&["Identity"]), "consent": true});
    let (status, scanned) = web.post_json("/api/holders/amira/scan", &scan).await;
    assert_eq!(
        (status, &scanned["outcome"], &scanned["reason"]),
        (200, &json!("received"), &Value::Null)
    );

    let held = web.json("/api/holders/amira/credentials").await;
    assert_eq!(held[0]["type"], "Identity");
    assert_eq!(held[0]["status"], "valid");
    for member in [
        "id",
        "format",
        "issuer",
        "claims",
        "issued_at",
        "expires_at",
        "serial_number",
    ] {
        assert!(!held[0][member].is_null(), "{member}");
    }

    let (_, armed) = web
        .post_json(
            "/api/holders/amira/misbehave",
            &json!({"fault": "wrong-nonce"}),
        )
        .await;
    assert_eq!(armed, json!({"fault": "wrong-nonce"}));
    let scan = json!({"link": world.party.ask_usual(&surname()), "consent": true, "choose": held[0]["id"]});
    let (_, scanned) = web.post_json("/api/holders/amira/scan", &scan).await;
    assert_eq!(scanned["outcome"], "failed");
    assert!(
        scanned["reason"]
            .as_str()
            .unwrap()
            .contains("invalid_request")
    );

    let path = format!(
        "{}/api/holders/amira/credentials/{}",
        web.base,
        held[0]["id"].as_str().unwrap()
    );
    assert_eq!(web.http.delete(&path).send().await.unwrap().status(), 204);
    assert_eq!(web.http.delete(&path).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_api_names_a_type_alike_in_both_formats_and_gives_the_vct_besides() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    world.receive("amira", "Identity").await;
    world.receive("amira", "IdentitySd").await;
    let held = web.json("/api/holders/amira/credentials").await;
    for (position, format, vct) in [
        (0, "dc+sd-jwt", json!(VCT)),
        (1, "jwt_vc_json", Value::Null),
    ] {
        let one = &held[position];
        assert_eq!(one["format"], format);
        assert_eq!((&one["type"], &one["vct"]), (&json!("Identity"), &vct));
    }
}

#[tokio::test]
async fn pages_say_the_issuers_words_for_claims_and_their_names_where_it_has_none() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    for (configuration, ask) in [("Identity", surname()), ("IdentitySd", surname_either())] {
        world.receive("amira", configuration).await;
        let (_, page) = web.get("/holders/amira").await;
        assert!(
            page.contains("Surname") && !page.contains("surname"),
            "{page}"
        );
        assert!(page.contains("birth_date"), "{page}");
        let link = world.party.ask_usual(&ask);
        let (_, _, page) = web
            .post_form("/holders/amira/scan", &[("link", &link)])
            .await;
        assert!(page.contains("<li>Surname</li>"), "{page}");
        assert!(!page.contains("surname") && !page.contains(VCT), "{page}");
    }
}

#[tokio::test]
async fn each_refusal_of_the_api_has_its_code() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    for (path, body, status, code) in [
        (
            "/api/holders/nobody/scan",
            json!({"link": "x", "consent": true}),
            404,
            "unknown-holder",
        ),
        (
            "/api/holders/amira/scan",
            json!({"link": "x"}),
            422,
            "invalid-request",
        ),
        (
            "/api/holders/amira/misbehave",
            json!({"fault": "explode"}),
            400,
            "unknown-fault",
        ),
    ] {
        let (found, answer) = web.post_json(path, &body).await;
        assert_eq!((found, answer["error"].as_str().unwrap()), (status, code));
    }
    let (_, failed) = web
        .post_json(
            "/api/holders/amira/scan",
            &json!({"link": "hello", "consent": true}),
        )
        .await;
    assert_eq!(failed["reason"], "that is not a link");
}

#[tokio::test]
async fn another_site_can_neither_press_buttons_nor_read_the_api_under_its_own_name() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    let url = format!("{}/api/holders/amira/misbehave", web.base);
    let request = web
        .http
        .post(&url)
        .json(&json!({"fault": "decline"}))
        .header("sec-fetch-site", "cross-site");
    assert_eq!(request.send().await.unwrap().status(), 403);
    assert!(world.wallet.armed_fault("amira").unwrap().is_none());
    let request = web
        .http
        .get(format!("{}/api/holders", web.base))
        .header("host", "evil.example");
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error"], "not-loopback");
}

#[tokio::test]
async fn a_person_reads_who_asks_and_what_for_before_accepting() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    let (_, at, page) = web
        .post_form(
            "/holders/amira/scan",
            &[("link", &world.party.offer(&["IdentitySd", "Identity"]))],
        )
        .await;
    for text in [
        "Test wallet – not for real people",
        "Add to your wallet?",
        "Acorn NHS Trust",
        "Surname",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let (_, _, page) = web
        .post_form(&at, &[("decision", "accept"), ("choose-0", "Identity")])
        .await;
    assert!(page.contains("Added to your wallet"), "{page}");
    // Pressing again answers nothing twice.
    web.post_form(&at, &[("decision", "decline")]).await;
    assert_eq!(world.events(), ["credential_accepted"]);

    let (_, at, page) = web
        .post_form(
            "/holders/amira/scan",
            &[("link", &world.party.ask_usual(&surname()))],
        )
        .await;
    for text in [
        "Share from your wallet?",
        "Acorn portal",
        "To see who starts at Acorn ward",
        "did:web:localhost",
        "Surname",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let held = world.wallet.credentials("amira").await.unwrap().remove(0);
    let (_, _, page) = web
        .post_form(&at, &[("decision", "accept"), ("choose-0", &held.id)])
        .await;
    assert!(
        page.contains("Shared") && page.contains("response_code=x"),
        "{page}"
    );

    let (_, page) = web.get("/holders/amira").await;
    assert!(page.contains("Nasser") && page.contains("Valid"));
    let (_, _, page) = web
        .post_form(
            &format!("/holders/amira/credentials/{}/delete", held.id),
            &[],
        )
        .await;
    assert!(page.contains("No credentials yet"));
}

#[tokio::test]
async fn a_person_is_asked_once_where_either_format_would_do() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    world.receive("amira", "Identity").await;
    let sd_jwt = world
        .receive("amira", "IdentitySd")
        .await
        .credentials
        .remove(0);
    let link = world.party.ask_usual(&surname_either());
    let (_, at, page) = web
        .post_form("/holders/amira/scan", &[("link", &link)])
        .await;
    assert_eq!(page.matches("type=\"radio\"").count(), 2);
    assert!(page.contains("name=\"choose-0\"") && !page.contains("choose-1"));
    let (_, _, page) = web
        .post_form(&at, &[("decision", "accept"), ("choose-0", &sd_jwt.id)])
        .await;
    assert!(
        page.contains("dc+sd-jwt") && !page.contains("jwt_vc_json"),
        "{page}"
    );
}

#[tokio::test]
async fn a_person_may_decline_on_the_page() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    let (_, at, _) = web
        .post_form(
            "/holders/amira/scan",
            &[("link", &world.party.ask_usual(&surname()))],
        )
        .await;
    let (_, _, page) = web.post_form(&at, &[("decision", "decline")]).await;
    assert!(page.contains("You said no"));
    assert_eq!(world.verdicts(), [Err("access_denied".to_owned())]);
}

#[tokio::test]
async fn a_bad_link_comes_back_with_the_error_beside_the_field() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    let (status, _, page) = web
        .post_form("/holders/amira/scan", &[("link", "<script>")])
        .await;
    assert_eq!(status, 400);
    assert!(page.contains("There is a problem") && page.contains("That is not a link"));
    assert!(!page.contains("<script>"));
    assert_eq!(web.get("/holders/nobody").await.0, 404);
}

#[tokio::test]
async fn a_picture_of_the_qr_code_opens_the_request() {
    let world = World::start().await;
    let web = Web::serve(&world).await;
    let link = world.party.short_link(world.party.ask_usual(&surname()));
    let upload = |bytes: Vec<u8>| {
        let body = [
            b"--b\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"qr.png\"\r\n\r\n"
                .as_slice(),
            &bytes,
            b"\r\n--b--\r\n",
        ];
        let request = web.http.post(format!("{}/holders/amira/picture", web.base));
        request
            .header("content-type", "multipart/form-data; boundary=b")
            .body(body.concat())
    };
    let page = upload(picture(&link))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("Share from your wallet?"), "{page}");
    let page = upload(b"not a picture".to_vec())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("is not a picture"));
}

/// The code drawn as a PNG, eight pixels a module, with its quiet zone.
fn picture(text: &str) -> Vec<u8> {
    let code = qrcode::QrCode::new(text).unwrap();
    let side = u32::try_from((code.width() + 8) * 8).unwrap();
    let image = GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| {
            (at as usize / 8)
                .checked_sub(4)
                .filter(|at| *at < code.width())
        };
        let dark = module(x)
            .zip(module(y))
            .is_some_and(|at| code[at] == qrcode::Color::Dark);
        Luma([if dark { 0 } else { 255 }])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

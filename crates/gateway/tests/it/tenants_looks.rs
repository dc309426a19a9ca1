//! What is a tenant's own on the pages of its people, and the schemas of what it issues.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gateway::audit::Actor;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::raw_wallet::RawWallet;
use crate::registry::{declaration, manual_handling, newtown, with_newtown};
use crate::world::{Browser, Form, World, client};

/// A whole PNG of one pixel's height for each of its three in width.
fn png(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let head = [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &sides].concat();
    let rest = b"\x08\x06\0\0\0\0\0\0\0\0\0\0\0IEND\xaeB`\x82";
    [head.as_slice(), rest].concat()
}

fn branded(world: &World, brand: &str) -> String {
    let table = format!("issues = [\"ManualHandling\"]\n[organisations.brand]\n{brand}\n");
    newtown(world).replace("issues = [\"ManualHandling\"]\n", &table)
}

async fn apply(world: &World, text: &str) {
    let plan = world.gateway.plan(&declaration(text), false).await.unwrap();
    world
        .gateway
        .apply(&plan, Actor::Command("test"))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_pages_of_a_tenants_people_bear_its_name_logo_colour_and_contact_and_no_others_do() {
    let world = World::start().await;
    let party = with_newtown(&world).await;
    let logo = world.config.keys.join("logo.png");
    std::fs::write(&logo, png(300, 100)).unwrap();
    let brand = format!(
        "name = \"Newtown Hospitals\"\ncolour = \"#7c2855\"\nsupport_contact = \"it@newtown.example\"\nlogo = {{ file = \"{}\" }}",
        logo.display()
    );
    apply(&world, &branded(&world, &brand)).await;
    // What was read once is kept: the file may go.
    std::fs::remove_file(&logo).unwrap();
    let browser = Browser::new();
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    assert!(
        page.html
            .contains("nhsuk-header__organisation-name\">Newtown Hospitals<")
    );
    assert!(page.html.contains("content=\"#7c2855\""));
    let address = |html: &str, name: &str| {
        let end = html.find(name).unwrap() + name.len();
        let begin = html[..end].rfind('"').unwrap() + 1;
        html[begin..end].to_owned()
    };
    assert!(
        page.html.contains("width=\"120\" height=\"40\" alt=\"\""),
        "{}",
        page.html
    );
    let answer = browser
        .answer(&world.url(&address(&page.html, "/logo.png")))
        .await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"image/png".parse().unwrap())
    );
    let sheet = browser
        .answer(&world.url(&address(&page.html, "/brand.css")))
        .await;
    assert!(
        sheet.body.contains("background-color:#7c2855") && sheet.body.contains(".lanyard-logo{")
    );
    // SEC-12: the page still loads nothing but its own.
    let policy = &browser.answer(&page.url).await.headers["content-security-policy"];
    assert!(policy.to_str().unwrap().contains("img-src 'self';"));
    let page = browser.submit(&page, "cancel").await;
    let html = page.html;
    assert!(html.is_empty() || html.contains("Newtown Hospitals"));

    let page = Browser::new()
        .open(&world.pushed(&world.party("plain"), |_| ()).await)
        .await;
    assert!(!page.html.contains("Newtown") && !page.html.contains("lanyard-logo"));
    let gone = client().get(world.url("/assets/0123456789abcdef/logo.png"));
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_brand_that_cannot_be_read_or_is_no_picture_is_refused_with_its_place() {
    let world = World::start().await;
    with_newtown(&world).await;
    let large = STANDARD.encode([png(10, 10), vec![0; 40_000]].concat());
    let svg = STANDARD.encode("<svg/>");
    let bad = [
        (
            "colour = \"#ffb81c\"".to_owned(),
            "organisations.newtown.brand.colour: colour has a contrast of 1.",
        ),
        (
            "colour = \"red\"".to_owned(),
            "organisations.newtown.brand.colour",
        ),
        (
            "name = \" \"".to_owned(),
            "organisations.newtown.brand.name",
        ),
        (
            format!("support_contact = \"{}\"", "x".repeat(121)),
            "organisations.newtown.brand.support_contact",
        ),
        (
            "logo = { file = \"/nowhere/logo.png\" }".to_owned(),
            "/nowhere/logo.png",
        ),
    ];
    for (brand, place) in bad {
        let plan = world
            .gateway
            .plan(&declaration(&branded(&world, &brand)), false)
            .await;
        let refused = plan.err().unwrap().to_string();
        assert!(refused.contains(place), "{refused}");
    }
    let unreadable = [
        (
            format!("logo = \"data:image/png;base64,{large}\""),
            "at most 32 KiB",
        ),
        (
            format!("logo = \"data:image/svg+xml;base64,{svg}\""),
            "a logo is a PNG",
        ),
        (
            "logo = \"https://elsewhere.example/logo.png\"".to_owned(),
            "a logo is a PNG",
        ),
        ("stylesheet = \"x.css\"".to_owned(), "unknown field"),
    ];
    for (brand, words) in unreadable {
        let text = branded(&world, &brand);
        let refused = gateway::registry::Declaration::parse("newtown.toml", &text).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

async fn schema(address: &str) -> (Value, String) {
    let answer = client().get(address).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{address}");
    assert_eq!(answer.headers()["content-type"], "application/schema+json");
    let kept = answer.headers()["cache-control"]
        .to_str()
        .unwrap()
        .to_owned();
    (answer.json().await.unwrap(), kept)
}

#[tokio::test]
async fn a_credential_names_the_schema_of_the_version_that_it_was_issued_under() {
    let world = World::start().await;
    let party = with_newtown(&world).await;
    let hint = manual_handling(&world, &party);
    let browser = Browser::new();
    let issue = |form: &mut Form| form.issue("ManualHandling", &hint);
    let page = browser.open(&world.pushed(&party, issue).await).await;
    let link = page.link("open-wallet");
    let credential = RawWallet::new().receive(&world, &link, "jwt-vc").await;
    let payload = URL_SAFE_NO_PAD.decode(credential.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    let address = world.url("/credential-types/ManualHandling/versions/1/schema");
    assert_eq!(
        claims["vc"]["credentialSchema"],
        json!({ "id": address, "type": "JsonSchema" })
    );

    // The type changes; what the credential names stays as it was.
    apply(
        &world,
        &newtown(&world).replace("label = \"Level\"", "label = \"Grade\""),
    )
    .await;
    let (first, kept) = schema(&address).await;
    assert!(kept.contains("immutable"));
    assert_eq!(first["$id"], address);
    let level = |schema: &Value| {
        schema["properties"]["credentialSubject"]["properties"]["MH-Level"].clone()
    };
    let expected = json!({ "type": "string", "title": "Level", "pattern": "^[0-9]{1,18}$", "x-provenance": "assumed" });
    assert_eq!(level(&first), expected);
    assert_eq!(
        first["properties"]["credentialSubject"]["required"],
        json!(["MH-Level", "UniqueIdentifier"])
    );
    let (now, kept) = schema(&world.url("/credential-types/ManualHandling/schema")).await;
    assert_eq!(level(&now)["title"], "Grade");
    assert!(!kept.contains("immutable"));
    assert!(now["$id"].as_str().unwrap().ends_with("/versions/2/schema"));

    // Of one in the box, and of what a holder may keep back.
    let (boxed, _) = schema(&world.url("/credential-types/FireSafety/schema")).await;
    assert_eq!(
        boxed["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let metadata = client()
        .get(world.url("/credential-types/FireSafety"))
        .send()
        .await
        .unwrap();
    let metadata: Value = metadata.json().await.unwrap();
    let (claims, _) = schema(metadata["schema_uri"].as_str().unwrap()).await;
    assert!(claims["properties"]["FS-Level"].is_object() && claims.get("required").is_none());
    for path in [
        "NoType/schema",
        "NoType/claims-schema",
        "ManualHandling/versions/9/schema",
    ] {
        let address = world.url(&format!("/credential-types/{path}"));
        assert_eq!(
            client().get(address).send().await.unwrap().status(),
            StatusCode::NOT_FOUND
        );
    }
}

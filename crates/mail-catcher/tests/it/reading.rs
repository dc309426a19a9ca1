//! The pages for people and the door of the API.

use reqwest::Method;
use serde_json::json;

use crate::mailbox::{Folder, Mailbox, message};

#[tokio::test]
async fn the_pages_list_the_messages_newest_first_and_show_one() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let (status, empty) = mailbox.page("/").await;
    assert_eq!(status, 200);
    assert!(empty.contains("No messages yet."));
    assert!(empty.contains("nothing here is sent to anybody"));
    assert!(!empty.contains("Delete all messages"));

    mailbox.send(message("The older", "Hello")).await.unwrap();
    mailbox
        .send(message("The newer", "Dear Sam"))
        .await
        .unwrap();
    let (_, list) = mailbox.page("/").await;
    let (newer, older) = (
        list.find("The newer").unwrap(),
        list.find("The older").unwrap(),
    );
    assert!(newer < older);
    assert!(list.contains("sam@ward.example"));
    assert!(list.contains("22 November 2026 at midday"));
    assert!(list.contains("<a href=\"/messages/00000002\">The newer</a>"));

    let (_, one) = mailbox.page("/messages/00000002").await;
    assert!(one.contains("<h1 class=\"nhsuk-heading-l\">The newer</h1>"));
    assert!(one.contains("Dear Sam"));
    assert!(
        one.contains("Message-ID: &#60;7@anytown.example&#62;"),
        "{one}"
    );

    let (status, none) = mailbox.page("/messages/00000003").await;
    assert_eq!(status, 404);
    assert!(none.contains("Message not found"));
}

#[tokio::test]
async fn an_address_where_nothing_is_leads_a_person_to_the_messages_and_tells_a_program_why() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    for path in ["/message", "/messages/1/text", "/delete/"] {
        let (status, page) = mailbox.page(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(page.contains("<h1 class=\"nhsuk-heading-l\">Page not found</h1>"));
        assert!(page.contains("<a href=\"/\">All messages</a>"));
    }
    let (status, answer) = mailbox.post("/api/message", &json!({})).await;
    assert_eq!((status, &answer["error"]), (404, &json!("unknown-address")));
    assert!(answer["message"].is_string());
}

#[tokio::test]
async fn the_buttons_of_the_page_misbehave_and_delete() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox.send(message("Here", "Hello")).await.unwrap();
    let set = |fault: &'static str| {
        mailbox
            .request(Method::POST, "/misbehave")
            .form(&[("fault", fault)])
    };
    let page = set("silent").send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("Until you change it: <strong>Take connections and say nothing</strong>")
    );
    assert_eq!(set("louder").send().await.unwrap().status(), 400);
    let page = set("").send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("Until you change it"));
    let delete = mailbox
        .request(Method::POST, "/delete")
        .send()
        .await
        .unwrap();
    assert!(delete.text().await.unwrap().contains("No messages yet."));
}

/// SEC-35: what a sender writes stays text.
#[tokio::test]
async fn hostile_headers_subjects_and_texts_are_shown_as_text() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let hostile = "</h1></p><script>alert(1)</script><img src=x onerror=alert(1)>&lt;";
    mailbox.send(message(hostile, hostile)).await.unwrap();
    let mut speaker = mailbox.speak().await;
    assert_eq!(speaker.code().await, 220);
    assert_eq!(speaker.ask("EHLO <b>tester</b>").await, 250);
    assert_eq!(speaker.ask("MAIL FROM:<\"<script>\"@b.example>").await, 250);
    assert_eq!(speaker.ask("RCPT TO:<\"<i>&\"@b.example>").await, 250);
    assert_eq!(speaker.ask("DATA").await, 354);
    let headers = format!("X-{hostile}: {hostile}\r\nSubject: \u{202e}turned\u{0}\u{1b}[31m\r\n");
    let html = "Content-Type: text/html\r\n\r\n<script>alert(2)</script><b onclick=alert(3)>bold</b> &lt;script&gt;";
    assert_eq!(speaker.ask(format!("{headers}{html}\r\n.")).await, 250);
    for path in ["/", "/messages/00000001", "/messages/00000002"] {
        let (status, page) = mailbox.page(path).await;
        assert_eq!(status, 200, "{path}");
        for bad in [
            "<script>",
            "<img",
            "<b onclick",
            "<i>",
            "\u{202e}",
            "\u{0}",
            "\u{1b}",
        ] {
            assert!(!page.contains(bad), "{bad:?} stands on {path}");
        }
    }
}

/// SEC-35: a page of mail loads nothing from anywhere, whatever it holds.
#[tokio::test]
async fn every_page_keeps_to_its_own_origin() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox.send(message("Here", "Hello")).await.unwrap();
    for path in [
        "/",
        "/messages/00000001",
        "/messages/0",
        "/nowhere",
        "/help",
    ] {
        let answer = mailbox.request(Method::GET, path).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
    }
}

#[tokio::test]
async fn another_site_can_neither_press_buttons_nor_read_the_api_under_its_own_name() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox.send(message("Here", "Hello")).await.unwrap();
    for (method, path) in [
        (Method::POST, "/delete"),
        (Method::POST, "/misbehave"),
        (Method::DELETE, "/api/messages"),
        (Method::POST, "/api/misbehave"),
    ] {
        let request = mailbox
            .request(method, path)
            .header("sec-fetch-site", "cross-site");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    let rebound = mailbox
        .request(Method::GET, "/api/messages")
        .header("host", "evil.example");
    let answer = rebound.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("not-loopback"));
    for page in ["/", "/messages/1"] {
        let rebound = mailbox.request(Method::GET, page);
        let rebound = rebound.header("host", "evil.example");
        let answer = rebound.send().await.unwrap();
        assert_eq!(answer.status(), 403, "{page}");
    }
    assert_eq!(mailbox.catcher.messages().len(), 1);
}

#[tokio::test]
async fn each_refusal_of_the_api_has_its_code() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    for (body, status, code) in [
        (json!({"fault": "slow"}), 400, "unknown-fault"),
        (json!({}), 422, "invalid-request"),
        (json!({"fault": 7}), 422, "invalid-request"),
        (
            json!({"fault": null, "for": "ever"}),
            422,
            "invalid-request",
        ),
    ] {
        let (answered, answer) = mailbox.post("/api/misbehave", &body).await;
        assert_eq!(
            (answered, &answer["error"]),
            (status, &json!(code)),
            "{body}"
        );
        assert!(answer["message"].is_string());
    }
    let (_, answer) = mailbox
        .post("/api/misbehave", &json!({"fault": "slow"}))
        .await;
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("drop-before-answer")
    );
}

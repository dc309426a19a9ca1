//! What a real mail client sends, as the API gives it.

use lettre::message::{Message, MultiPart, SinglePart};
use lettre::{AsyncTransport as _, address::Envelope};
use mail_catcher::Catcher;
use serde_json::{Value, json};

use crate::mailbox::{Folder, Mailbox, address, message, noon};

#[tokio::test]
async fn a_message_is_listed_with_what_its_envelope_and_its_headers_say() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    assert_eq!(mailbox.json("/api/messages").await, json!([]));
    mailbox
        .send(message("First", "Dear Sam,\n\nGoodbye\n"))
        .await
        .unwrap();
    mailbox.send(message("Second", "")).await.unwrap();
    let messages = mailbox.json("/api/messages").await;
    assert_eq!(
        messages[0],
        json!({
            "to": "sam@ward.example",
            "from": "portal@anytown.example",
            "subject": "First",
            "text": "Dear Sam,\n\nGoodbye",
            "message_id": "7@anytown.example",
            "received_at": "2026-11-22T12:00:00Z",
        })
    );
    assert_eq!(messages[1]["subject"], "Second");
    assert_eq!(messages.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_recipients_are_those_of_the_envelope_also_where_no_header_names_them() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let to = vec![
        "kim@ward.example".parse().unwrap(),
        "lee@ward.example".parse().unwrap(),
    ];
    let from = Some("bounce+7@anytown.example".parse().unwrap());
    let envelope = Envelope::new(from, to).unwrap();
    let raw = message("To others", "Hello").formatted();
    mailbox.transport().send_raw(&envelope, &raw).await.unwrap();
    let messages = mailbox.json("/api/messages").await;
    assert_eq!(messages[0]["to"], "kim@ward.example, lee@ward.example");
    assert_eq!(messages[0]["from"], "bounce+7@anytown.example");
}

#[tokio::test]
async fn subjects_and_texts_beyond_ascii_are_decoded() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let (subject, text) = (
        "Zoë – your credential «Łódź» and a subject long enough to be folded over several lines",
        "Dear Zoë,\n.\n..a line with dots\n終わり",
    );
    mailbox.send(message(subject, text)).await.unwrap();
    for body in [
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9 =\r\nau lait\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\nQ2Fmw6kgYXUgbGFpdA0K\r\n",
    ] {
        let head = "Subject: =?UTF-8?Q?Caf=C3=A9?= =?ISO-8859-1?B?6Q==?=\r\nContent-Type: text/plain; charset=utf-8\r\n";
        let envelope = message("", "").envelope().clone();
        let raw = format!("{head}{body}");
        mailbox
            .transport()
            .send_raw(&envelope, raw.as_bytes())
            .await
            .unwrap();
    }
    let messages = mailbox.json("/api/messages").await;
    assert_eq!(messages[0]["subject"], subject);
    assert_eq!(messages[0]["text"], text);
    for decoded in [&messages[1], &messages[2]] {
        assert_eq!(decoded["subject"], "Caféé");
        assert_eq!(decoded["text"], "Café au lait");
        assert_eq!(decoded["message_id"], Value::Null);
    }
}

#[tokio::test]
async fn the_text_comes_from_the_plain_part_and_from_html_only_where_there_is_none() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let builder = || {
        Message::builder()
            .from(address("portal@anytown.example"))
            .to(address("sam@ward.example"))
            .subject("Two parts")
    };
    let html = "<p>Dear <b>Sam</b></p>".to_owned();
    let both = MultiPart::alternative_plain_html("Dear Sam, plainly".to_owned(), html.clone());
    mailbox
        .send(builder().multipart(both).unwrap())
        .await
        .unwrap();
    let only = builder().singlepart(SinglePart::html(html)).unwrap();
    mailbox.send(only).await.unwrap();
    let messages = mailbox.json("/api/messages").await;
    assert_eq!(
        messages[0]["text"].as_str().unwrap().trim(),
        "Dear Sam, plainly"
    );
    assert_eq!(messages[1]["text"].as_str().unwrap().trim(), "Dear Sam");
}

#[tokio::test]
async fn many_senders_at_once_lose_nothing() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let sent = (0..40).map(|number| {
        let transport = mailbox.transport();
        tokio::spawn(async move {
            let message = message(&format!("Number {number}"), "Hello");
            transport.send(message).await.unwrap();
        })
    });
    for task in sent.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let mut subjects: Vec<_> = mailbox
        .catcher
        .messages()
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    subjects.sort_by_key(|subject| subject[7..].parse::<u32>().unwrap());
    let expected: Vec<_> = (0..40).map(|number| format!("Number {number}")).collect();
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn an_emptied_mailbox_is_empty_also_when_it_is_opened_again() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox.send(message("Gone", "Hello")).await.unwrap();
    let delete = mailbox.request(reqwest::Method::DELETE, "/api/messages");
    assert_eq!(delete.send().await.unwrap().status(), 204);
    assert_eq!(mailbox.json("/api/messages").await, json!([]));
    mailbox.send(message("Stays", "Hello")).await.unwrap();
    drop(mailbox);
    let again = reopened(&folder).await;
    let subjects: Vec<_> = again
        .messages()
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(subjects, ["Stays"]);
}

#[tokio::test]
async fn one_folder_has_one_catcher() {
    let folder = Folder::new();
    let _mailbox = Mailbox::open(&folder).await;
    let refused = Catcher::open(folder.path(), noon()).map(drop).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("another process is catching mail in"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_debug_form_of_a_message_says_nothing_of_it() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox.send(message("Secret", "Private")).await.unwrap();
    assert_eq!(format!("{:?}", mailbox.catcher.messages()), "[Mail(…)]");
}

/// Opens the folder as soon as the last task of its first catcher has let go of it.
async fn reopened(folder: &Folder) -> Catcher {
    loop {
        match Catcher::open(folder.path(), noon()) {
            Ok(catcher) => return catcher,
            Err(mail_catcher::OpenError::InUse(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

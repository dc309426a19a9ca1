//! The corners of SMTP, byte by byte.

use std::net::TcpListener;
use std::time::Duration;

use mail_catcher::Catcher;

use crate::mailbox::{Folder, Mailbox, Speaker, message, noon};

#[tokio::test]
async fn a_greeting_says_what_is_offered() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    assert!(speaker.hear().await.starts_with("220 localhost ESMTP"));
    speaker.say("ehlo tester.example\r\n").await;
    assert_eq!(
        speaker.hear().await,
        "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1048576\r\n"
    );
    speaker.say("HELO tester.example\r\n").await;
    assert_eq!(speaker.hear().await, "250 localhost\r\n");
    assert_eq!(speaker.ask("QUIT").await, 221);
    assert_eq!(speaker.code().await, 0);
}

#[tokio::test]
async fn commands_out_of_order_are_refused_and_change_nothing() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    assert_eq!(speaker.code().await, 220);
    for (line, code) in [
        ("MAIL FROM:<a@b.example>", 503),
        ("RCPT TO:<a@b.example>", 503),
        ("DATA", 503),
        ("RSET", 250),
        ("MAIL FROM:<a@b.example>", 503),
        ("EHLO tester.example", 250),
        ("RCPT TO:<a@b.example>", 503),
        ("MAIL FROM:<a@b.example>", 250),
        ("MAIL FROM:<c@d.example>", 503),
        ("DATA", 503),
        ("RCPT TO:<a@b.example>", 250),
        ("RSET", 250),
        ("DATA", 503),
        ("MAIL FROM:<>", 250),
        ("EHLO tester.example", 250),
        ("RCPT TO:<a@b.example>", 503),
        ("NOOP whatever", 250),
        ("VRFY a@b.example", 252),
    ] {
        assert_eq!(speaker.ask(line).await, code, "{line}");
    }
    assert!(mailbox.catcher.messages().is_empty());
}

#[tokio::test]
async fn each_mistake_has_its_code() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let long = format!("NOOP {}", "x".repeat(2_000));
    let crowd = "x".repeat(300_000);
    for (line, code) in [
        (&b"HELLO"[..], 500),
        (b"", 500),
        (b"NOOP\ta", 500),
        (b"NOOP \xff", 500),
        (long.as_bytes(), 500),
        (crowd.as_bytes(), 500),
        (b"EHLO", 501),
        (b"EHLO two names", 501),
        (b"MAIL", 501),
        (b"MAIL FROM: <a@b.example>", 501),
        (b"MAIL FROM:a@b.example", 501),
        (b"MAIL FROM:<a@b.example", 501),
        (b"MAIL FROM:<a@b.example> SIZE=big", 501),
        (b"MAIL FROM:<a@b.example> BODY=BINARYMIME", 501),
        (b"MAIL FROM:<a@b.example> SIZE=1048577", 552),
        (b"MAIL FROM:<a@b.example> AUTH=<>", 555),
        ("MAIL FROM:<jörg@b.example>".as_bytes(), 553),
        (b"DATA now", 501),
        (b"VRFY", 501),
        (b"STARTTLS", 502),
    ] {
        // A connection for each: too many mistakes on one end it.
        let mut speaker = mailbox.speak().await;
        assert_eq!(speaker.code().await, 220);
        assert_eq!(speaker.ask("EHLO tester.example").await, 250);
        let said = String::from_utf8_lossy(&line[..line.len().min(50)]);
        assert_eq!(speaker.ask(line).await, code, "{said}");
        assert_eq!(
            speaker
                .ask("MAIL FROM:<a@b.example> BODY=8BITMIME SIZE=1048576")
                .await,
            250
        );
        for (line, code) in [
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER", 555),
            ("RCPT TO:<jörg@b.example>", 553),
            ("RCPT TO:<a@b.example>", 250),
        ] {
            assert_eq!(speaker.ask(line).await, code, "{line} after {said}");
        }
    }
}

#[tokio::test]
async fn a_line_feed_alone_ends_neither_a_command_nor_the_content() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    assert_eq!(speaker.code().await, 220);
    speaker.say("EHLO tester.example\n").await;
    assert_eq!(speaker.code().await, 500);
    assert_eq!(speaker.ask("EHLO tester.example").await, 250);
    assert_eq!(speaker.ask("MAIL FROM:<a@b.example>").await, 250);
    assert_eq!(speaker.ask("RCPT TO:<a@b.example>").await, 250);
    assert_eq!(speaker.ask("DATA").await, 354);
    // What a smuggler would have taken for the end, and for a second message.
    speaker
        .say("Subject: one\r\n\r\nfirst\n.\nMAIL FROM:<x@y.example>\r\n")
        .await;
    speaker.say("second\n.\r\n..third\r\n.\r\n").await;
    assert_eq!(speaker.code().await, 250);
    let messages = mailbox.catcher.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(
        messages[0].text,
        "first\n.\nMAIL FROM:<x@y.example>\nsecond\n.\n.third"
    );
}

#[tokio::test]
async fn commands_may_come_all_at_once_and_a_connection_carries_many_messages() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    let one = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\r\nHello\r\n.\r\n";
    speaker
        .say(format!("EHLO tester.example\r\n{one}{one}QUIT\r\n"))
        .await;
    let mut codes = Vec::new();
    loop {
        match speaker.code().await {
            0 => break,
            code => codes.push(code),
        }
    }
    assert_eq!(
        codes,
        [220, 250, 250, 250, 354, 250, 250, 250, 354, 250, 221]
    );
    assert_eq!(mailbox.catcher.messages().len(), 2);
}

#[tokio::test]
async fn addresses_and_content_beyond_ascii_come_through() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    assert_eq!(speaker.code().await, 220);
    assert_eq!(speaker.ask("EHLO tester.example").await, 250);
    assert_eq!(
        speaker.ask("MAIL FROM:<jörg@b.example> SMTPUTF8").await,
        250
    );
    assert_eq!(speaker.ask("RCPT TO:<žofie@d.example>").await, 250);
    assert_eq!(speaker.ask("DATA").await, 354);
    assert_eq!(speaker.ask("Subject: Žluťoučký\r\n\r\nkůň\r\n.").await, 250);
    let mail = &mailbox.catcher.messages()[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_str()),
        ("jörg@b.example", "žofie@d.example")
    );
    assert_eq!(
        (mail.subject.as_str(), mail.text.as_str()),
        ("Žluťoučký", "kůň")
    );
}

#[tokio::test]
async fn a_message_of_more_than_a_mebibyte_is_read_to_its_end_and_refused() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    speaker.begin().await;
    assert_eq!(speaker.ask("DATA").await, 354);
    let line = format!("{}\r\n", "x".repeat(1022));
    for _ in 0..1025 {
        speaker.say(&line).await;
    }
    assert_eq!(speaker.ask(".").await, 552);
    assert_eq!(speaker.ask("NOOP").await, 250);
    assert!(mailbox.catcher.messages().is_empty());
}

#[tokio::test]
async fn a_full_mailbox_says_so_and_takes_mail_again_once_it_is_emptied() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    assert_eq!(speaker.code().await, 220);
    assert_eq!(speaker.ask("EHLO tester.example").await, 250);
    let mebibyte = "x".repeat(1024 * 1024 - 2);
    for expected in std::iter::repeat_n(250, 63).chain([452]) {
        assert_eq!(speaker.ask("MAIL FROM:<a@b.example>").await, 250);
        assert_eq!(speaker.ask("RCPT TO:<c@d.example>").await, 250);
        assert_eq!(speaker.ask("DATA").await, 354);
        assert_eq!(speaker.ask(format!("{mebibyte}\r\n.")).await, expected);
    }
    assert_eq!(mailbox.catcher.messages().len(), 63);
    mailbox.catcher.empty().unwrap();
    mailbox.send(message("Room again", "Hello")).await.unwrap();
}

#[tokio::test]
async fn a_message_that_breaks_off_is_not_kept() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    speaker.begin().await;
    assert_eq!(speaker.ask("DATA").await, 354);
    speaker.say("Subject: half\r\n\r\nHel").await;
    drop(speaker);
    let mut other = mailbox.speak().await;
    other.begin().await;
    assert_eq!(other.ask("DATA").await, 354);
    assert_eq!(other.ask("Subject: whole\r\n\r\nHello\r\n.").await, 250);
    let subjects: Vec<_> = mailbox
        .catcher
        .messages()
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(subjects, ["whole"]);
}

#[tokio::test]
async fn the_hundred_and_first_recipient_waits_for_a_second_message() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    speaker.begin().await;
    for number in 2..=100 {
        assert_eq!(
            speaker
                .ask(format!("RCPT TO:<r{number}@ward.example>"))
                .await,
            250
        );
    }
    assert_eq!(speaker.ask("RCPT TO:<r101@ward.example>").await, 452);
    assert_eq!(speaker.ask("DATA").await, 354);
    assert_eq!(speaker.ask("\r\nHello\r\n.").await, 250);
    assert_eq!(mailbox.catcher.messages()[0].to.split(", ").count(), 100);
}

#[tokio::test]
async fn a_browser_that_sends_a_form_here_delivers_no_mail() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    assert_eq!(speaker.code().await, 220);
    let mail =
        "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\r\nHello\r\n.\r\n";
    speaker
        .say(format!("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{mail}"))
        .await;
    assert_eq!(speaker.code().await, 421);
    assert_eq!(speaker.code().await, 0);
    assert!(mailbox.catcher.messages().is_empty());
}

#[tokio::test]
async fn a_connection_that_makes_no_sense_is_ended() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speaker = mailbox.speak().await;
    assert_eq!(speaker.code().await, 220);
    for _ in 0..20 {
        assert_eq!(speaker.ask("WHAT").await, 500);
    }
    assert_eq!(speaker.ask("WHAT").await, 421);
    assert_eq!(speaker.code().await, 0);
}

/// SEC-34: connections are bounded.
#[tokio::test]
async fn the_fifty_first_connection_is_sent_away_until_one_leaves() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut speakers = Vec::new();
    for _ in 0..50 {
        let mut speaker = mailbox.speak().await;
        assert_eq!(speaker.code().await, 220);
        speakers.push(speaker);
    }
    let mut one_more = mailbox.speak().await;
    assert_eq!(one_more.code().await, 421);
    assert_eq!(one_more.code().await, 0);
    assert_eq!(speakers.pop().unwrap().ask("QUIT").await, 221);
    let mut tries = 0..100;
    while mailbox.speak().await.code().await != 220 {
        assert!(tries.next().is_some(), "the place is never free");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// SEC-34: a sender that falls silent does not keep its connection.
#[tokio::test]
async fn a_sender_that_says_nothing_for_five_minutes_is_sent_away() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let mut idle = mailbox.speak().await;
    assert_eq!(idle.code().await, 220);
    let mut unfinished = mailbox.speak().await;
    unfinished.begin().await;
    assert_eq!(unfinished.ask("DATA").await, 354);
    unfinished.say("Subject: never whole\r\n").await;
    // From here on time passes as fast as nothing happens.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert_eq!(idle.code().await, 421);
    let patience = began.elapsed().as_secs();
    assert!((299..=301).contains(&patience), "{patience} s");
    assert_eq!(unfinished.code().await, 421);
    assert!(mailbox.catcher.messages().is_empty());
}

#[tokio::test]
async fn mail_comes_in_by_both_loopback_addresses() {
    let folder = Folder::new();
    let catcher = Catcher::open(folder.path(), noon()).unwrap();
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = first.local_addr().unwrap().port();
    // A machine without IPv6 has one address only.
    let second = TcpListener::bind(("::1", port)).ok();
    let has_two = second.is_some();
    let serving = catcher.serve_smtp(std::iter::once(first).chain(second).collect());
    let server = tokio::spawn(async move { panic!("{}", serving.await) });
    assert_eq!(Speaker::connect(port).await.code().await, 220);
    if has_two {
        let stream = tokio::net::TcpStream::connect(("::1", port)).await.unwrap();
        let mut greeting = [0; 4];
        stream.readable().await.unwrap();
        assert_eq!(stream.try_read(&mut greeting).unwrap(), 4);
        assert_eq!(&greeting, b"220 ");
    }
    server.abort();
}

//! What was acknowledged is there after the process was killed, and nothing half is.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lettre::AsyncTransport as _;
use mail_catcher::{Catcher, OpenError};

use crate::mailbox::{Folder, Mailbox, message, noon, transport};

/// Names the folder to the process that is to be killed.
const FOLDER: &str = "LANYARD_TEST_MAIL_FOLDER";

/// This very test program, in another process, at the second test of this file.
struct Catching {
    process: Child,
    port: u16,
}

impl Catching {
    fn start(folder: &Folder) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "abrupt_end::another_process_catches_until_it_is_killed",
            ])
            .arg("--nocapture")
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .map(|line| line.unwrap())
            .find_map(|line| Some(line.split_once("port ")?.1.parse().unwrap()))
            .unwrap();
        Self { process, port }
    }
}

impl Drop for Catching {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_message_survives_sigkill_and_no_half_one_does() {
    let line = "A line of sixty-odd characters, so that a file takes its time.\n";
    let text = format!("{}The end.", line.repeat(2_000));
    for (answers, then) in [(1, 0), (3, 2), (7, 5), (12, 9)] {
        let heard = Arc::new(AtomicUsize::new(0));
        let folder = Folder::new();
        let catching = Catching::start(&folder);
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (transport, text) = (transport(catching.port), text.clone());
                let heard = Arc::clone(&heard);
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    for number in 0.. {
                        let subject = format!("{sender}-{number}");
                        match transport.send(message(&subject, &text)).await {
                            Ok(_) => {
                                acknowledged.push(subject);
                                heard.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(_) => break,
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        while heard.load(Ordering::Relaxed) < answers {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // In the middle of whatever comes next.
        tokio::time::sleep(Duration::from_millis(then)).await;
        drop(catching);
        let mut acknowledged = Vec::new();
        for sender in senders {
            acknowledged.extend(sender.await.unwrap());
        }
        let again = Catcher::open(folder.path(), noon()).unwrap();
        let messages = again.messages();
        for subject in &acknowledged {
            assert!(
                messages.iter().any(|mail| mail.subject == *subject),
                "{subject} is lost"
            );
        }
        assert!(
            messages.iter().all(|mail| mail.text == text),
            "a message is half"
        );
        // One message of each sender may have been kept without its acknowledgement.
        assert!(messages.len() <= acknowledged.len() + 4);
    }
}

/// The other process of the test above; on its own it has nothing to do.
#[tokio::test]
async fn another_process_catches_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let catcher = Catcher::open(folder.as_ref(), noon()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("port {}", listener.local_addr().unwrap().port());
    panic!("{}", catcher.serve_smtp(vec![listener]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_its_name_only_once_it_is_whole() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    let done = Arc::new(AtomicBool::new(false));
    let (watched, over) = (folder.path().to_owned(), Arc::clone(&done));
    let watcher = std::thread::spawn(move || {
        let mut next = 1;
        loop {
            let last_look = over.load(Ordering::Relaxed);
            // Each file is read as soon as it can be.
            match std::fs::read(watched.join(format!("{next:08}.eml"))) {
                Ok(file) => {
                    let whole = file.trim_ascii_end().ends_with(b"The end.");
                    assert!(whole, "file {next} has {} bytes so far", file.len());
                    next += 1;
                }
                Err(_) if last_look => break,
                Err(_) => {}
            }
        }
        next
    });
    let text = format!("{}The end.", "A line.\r\n".repeat(20_000));
    for _ in 0..30 {
        mailbox.send(message("Long", &text)).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    assert_eq!(watcher.join().unwrap(), 31);
}

#[test]
fn a_half_file_goes_and_a_foreign_one_is_named() {
    let folder = Folder::new();
    drop(Catcher::open(folder.path(), noon()).unwrap());
    let part = folder.path().join("00000001.part");
    std::fs::write(&part, "Return-Path: <a@b.exa").unwrap();
    assert!(
        Catcher::open(folder.path(), noon())
            .unwrap()
            .messages()
            .is_empty()
    );
    assert!(!part.exists());

    let foreign = folder.path().join("00000002.eml");
    std::fs::write(&foreign, "Subject: not ours\r\n\r\n").unwrap();
    match Catcher::open(folder.path(), noon()) {
        Err(OpenError::Foreign(path)) => assert_eq!(path, foreign),
        _ => panic!("a foreign file was taken for a message"),
    }
}

//! A second language, put in by the operator as files: a catalogue for the pages, a text for the mails. Nothing is built
//! anew, and who is spoken to in it is the record's to say.

use std::path::PathBuf;

use connector::desk::Language;
use portal::Portal;

use crate::database::{Database, on_both_engines};
use crate::staff::{PASSWORD, everybody};
use crate::world::World;

on_both_engines![whoever_reads_welsh_is_spoken_and_written_to_in_welsh_and_nobody_else_is,];

const OURS: &str = include_str!("../../words/en.ftl");
const MAIL: &str = include_str!("../../../connector/src/desk/mail/texts/delete-credential.cy.txt");
/// What begins each text of the catalogue here: we have none in Welsh that anybody should read.
const DRAFT: &str = "Drafft: ";
const NOTES: [&str; 2] = [
    "Cymraeg drafft: angen ei adolygu.",
    "<span lang=\"en\">Draft Welsh: needs review.</span>",
];

/// The operator's folder.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("lanyard-words-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Our catalogue, each text of it marked.
fn draft() -> String {
    let marked = |line: &str| match line.split_once(" = ") {
        Some((key, text)) if !line.starts_with(['#', ' ']) => format!("{key} = {DRAFT}{text}\n"),
        _ => format!("{line}\n"),
    };
    OURS.lines().map(marked).collect()
}

async fn whoever_reads_welsh_is_spoken_and_written_to_in_welsh_and_nobody_else_is(
    database: Database,
) {
    let (catalogue, texts) = (Folder::new(), Folder::new());
    let file = catalogue.write("cy.ftl", &draft());
    texts.write("delete-credential.cy.txt", MAIL);
    let world = World::start_with(database, |config| {
        config.catalogue = Some(file);
        config.mail.as_mut().unwrap().texts = Some(texts.0.clone());
    })
    .await;
    // Of Anna, who is there already, no language is known. Cari, whose wallet is Anna's, comes with hers.
    let mut staff = everybody();
    let mut cari = staff.employees.remove(0);
    "e-cari".clone_into(&mut cari.id);
    "cari".clone_into(&mut cari.username);
    cari.email = Some("cari@anytown.example".to_owned());
    cari.language = Some(Language::Welsh);
    for record in &mut cari.records {
        record.id = record.id.replace("anna-", "cari-");
    }
    staff.employees = vec![cari];
    world.portal.import(&staff).await.unwrap();

    // Before anybody is known, it is the browser's wish.
    for (wants, is_welsh) in [
        ("cy-GB,cy;q=0.9,en;q=0.5", true),
        ("en", false),
        ("fr", false),
    ] {
        let browser = world.browser();
        let page = browser
            .fetch_with("/login", ("accept-language", wants))
            .await;
        let title = page.heading();
        assert_eq!(title.starts_with(DRAFT), is_welsh, "{wants}: {title}");
        for said in ["<html lang=\"cy\">"].into_iter().chain(NOTES) {
            assert_eq!(page.html.contains(said), is_welsh, "{wants}: {said}");
        }
    }

    // Then it is the record: on every page, whoever else is logged in elsewhere.
    world
        .give_identity(
            "anna",
            ["Anna", "Taylor", "1990-04-12", crate::staff::ANNAS],
        )
        .await;
    let (cari, anna) = (world.browser(), world.logged_in("anna").await);
    let home = cari.log_in("cari", PASSWORD).await;
    assert_eq!(home.heading(), "Drafft: Your staff account");
    let record = "cari-programme";
    for path in [
        "/",
        "/credentials",
        "/credentials/cari-programme",
        "/identity",
        "/lost-phone",
    ] {
        let page = cari.open(path).await;
        assert!(page.html.contains("<html lang=\"cy\">"), "{path}");
        assert!(
            page.heading().starts_with(DRAFT) || path.contains("programme"),
            "{path}"
        );
        assert!(NOTES.iter().all(|note| page.html.contains(note)), "{path}");
        let page = anna.open(&path.replace("cari", "anna")).await;
        assert!(page.html.contains("<html lang=\"en\">"), "{path}");
        assert!(!page.html.contains(DRAFT), "{path}");
    }
    let added = world.add(&cari, record).await;
    assert_eq!(added.heading(), "Drafft: Credential added to your wallet");
    world.add(&anna, "anna-programme").await;

    // And so are the mails: Anna's in English, in the same minutes and of the same portal.
    for record in [record, "anna-programme"] {
        world
            .change_record(record, &[("TPR-Name", "Paediatrics")])
            .await;
    }
    let mut mails = world.catcher.messages();
    for _ in 0..200 {
        if mails.len() >= 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        mails = world.catcher.messages();
    }
    let to = |name: &str| {
        let address = format!("{name}@anytown.example");
        let mail = mails.iter().find(|mail| mail.to == address);
        mail.unwrap_or_else(|| panic!("no mail to {name}"))
    };
    assert!(
        to("cari").text.starts_with("Annwyl Anna"),
        "{}",
        to("cari").text
    );
    assert!(to("cari").text.contains("i'ch cofnod gael ei gywiro"));
    assert!(
        to("anna").text.starts_with("Dear Anna"),
        "{}",
        to("anna").text
    );
}

/// What is wrong in a catalogue stops the start, and is named: nobody is to meet a page that is half in one language.
#[tokio::test]
async fn a_catalogue_that_is_not_whole_stops_the_start_and_says_what_is_wrong() {
    let world = World::start().await;
    let folder = Folder::new();
    let places = draft().replacen("{ $minutes }", "thirty", 1);
    let mut lacks: Vec<&str> = OURS.lines().collect();
    lacks.retain(|line| !line.starts_with("log-out ="));
    for (name, text, wanted) in [
        ("welsh.ftl", draft(), "called after its language"),
        ("en.ftl", draft(), "called after its language"),
        (
            "cy.ftl",
            places,
            "1 texts differ in their keys or places from words/en.ftl: session-line",
        ),
        ("cy.ftl", lacks.join("\n"), "log-out: en: {}, cy: nothing"),
        ("cy.ftl", "log-out = { $\n".to_owned(), "breaks off"),
        ("cy.ftl", " ".repeat(300_000), "larger than"),
    ] {
        let mut config = world.config.clone();
        config.catalogue = Some(folder.write(name, &text));
        let surroundings = portal::Surroundings {
            sandbox: true,
            ..portal::Surroundings::production()
        };
        let composed = Portal::compose(&config, surroundings);
        let Err(error) = composed.await.map(drop) else {
            panic!("a portal starts with {name}: {wanted}");
        };
        assert!(error.to_string().contains(wanted), "{wanted}: {error}");
    }
}

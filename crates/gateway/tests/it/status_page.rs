//! Whether the service was there: the page that everybody may see, its feed, and the report for supported hours.

use gateway::availability::{Holidays, Hours, PlannedWork, beat, report};
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;

use crate::database::Database;
use crate::world::{World, client};

async fn page(world: &World, path: &str, language: &str) -> String {
    let request = client()
        .get(world.url(path))
        .header("accept-language", language);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.unwrap()
}

/// Beats in each minute of a span, as one process or several would write them.
async fn beats(world: &World, from: Timestamp, minutes: i64, process: &str) {
    let of = |minute| beat(process, true, from + SignedDuration::from_mins(minute));
    world
        .gateway
        .app()
        .store
        .write((0..minutes).map(of))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_counts_supported_minutes_in_which_no_process_was_there_on_sqlite() {
    supported(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_counts_supported_minutes_in_which_no_process_was_there_on_postgresql() {
    if let Some(database) = Database::postgres().await {
        supported(database).await;
    }
}

async fn supported(database: Database) {
    let world = World::start_on(database).await;
    let store = &world.gateway.app().store;
    // A Friday. One process from 07:00 to 10:00, another from 09:30 to 12:00; then ten minutes of nothing, on to 18:00.
    let at = |time: &str| -> Timestamp { format!("2026-11-27T{time}:00Z").parse().unwrap() };
    beats(&world, at("07:00"), 180, "one").await;
    beats(&world, at("09:30"), 150, "two").await;
    beats(&world, at("12:10"), 350, "two").await;
    let not_ready = (0..10).map(|minute| {
        beat(
            "one",
            false,
            at("12:00") + SignedDuration::from_mins(minute),
        )
    });
    store.write(not_ready).await.unwrap();
    // A beat that was ready counts for its minute, whatever comes after.
    store
        .write([beat("two", false, at("15:00"))])
        .await
        .unwrap();

    let hours = Hours::parse("Mon-Fri 08:00-18:00 Europe/London").unwrap();
    let days = ("2026-11-23".parse().unwrap(), "2026-11-29".parse().unwrap());
    let now = at("23:00");
    let none = PlannedWork::default();
    let told = report(store, days, &hours, &Holidays::default(), &none, now)
        .await
        .unwrap();
    assert_eq!(
        (told.supported_minutes, told.available_minutes),
        (600, 590),
        "{told:?}"
    );
    // Monday to Thursday nothing is known.
    assert_eq!((told.unknown_minutes, told.planned_minutes), (2400, 0));
    assert_eq!(told.outages.len(), 1);
    assert_eq!(
        (told.outages[0].from, told.outages[0].minutes),
        (at("12:00"), 10)
    );
    assert!((told.availability.unwrap() - 98.333).abs() < 0.001);

    let planned: PlannedWork = toml_of("from = 2026-11-27T11:55:00Z\nto = 2026-11-27T12:05:00Z");
    let told = report(store, days, &hours, &Holidays::default(), &planned, now)
        .await
        .unwrap();
    assert_eq!(
        (
            told.supported_minutes,
            told.available_minutes,
            told.planned_minutes
        ),
        (590, 585, 10)
    );
    let holiday = Holidays::parse("2026-11-27").unwrap();
    let told = report(store, days, &hours, &holiday, &none, now)
        .await
        .unwrap();
    assert_eq!((told.supported_minutes, told.availability), (0, None));
}

fn toml_of(times: &str) -> PlannedWork {
    let file = std::env::temp_dir().join(format!("lanyard-{}.toml", uuid::Uuid::new_v4()));
    let times = times.replace("= 2026", "= \"2026").replace('Z', "Z\"");
    std::fs::write(
        &file,
        format!("[[work]]\n{times}\ntext = \"A new <server> & more\"\n"),
    )
    .unwrap();
    let planned = PlannedWork::read(Some(&file)).unwrap();
    std::fs::remove_file(file).unwrap();
    planned
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_page_says_in_words_whether_the_service_works_and_when_it_did_not() {
    let file = std::env::temp_dir().join(format!("lanyard-{}.toml", uuid::Uuid::new_v4()));
    let from = Timestamp::now() + SignedDuration::from_hours(24);
    let to = from + SignedDuration::from_hours(1);
    let text = format!(
        "[[work]]\nfrom = \"{from}\"\nto = \"{to}\"\ntext = \"A new <server> & more\"\ntext_cy = \"Gweinydd newydd\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let named = file.clone();
    let world = World::start_changed(|config| {
        config.availability.planned_work = Some(named);
    })
    .await;
    let now = world.now();
    // An hour two days ago with a hole of two minutes, and this minute.
    let start = now - SignedDuration::from_hours(48);
    beats(&world, start, 30, "one").await;
    beats(&world, start + SignedDuration::from_mins(32), 28, "one").await;
    beats(&world, now, 1, "one").await;

    let english = page(&world, "/status", "en").await;
    for said in [
        "The service is working.",
        "Service status",
        "A new &#60;server&#62; &#38; more",
        "minutes",
    ] {
        assert!(english.contains(said), "{said}: {english}");
    }
    let welsh = page(&world, "/status", "cy").await;
    assert!(
        welsh.contains("Mae’r gwasanaeth yn gweithio.") && welsh.contains("Gweinydd newydd"),
        "{welsh}"
    );
    assert!(welsh.contains("lang=\"cy\""));
    let feed = page(&world, "/status.atom", "en").await;
    assert!(feed.contains("A new &lt;server&gt; &amp; more"), "{feed}");
    assert!(feed.contains("<title>Interruption</title>"), "{feed}");
    // Whoever chooses a language is led back here.
    let chosen = client()
        .get(world.url("/status?lang=cy"))
        .send()
        .await
        .unwrap();
    assert_eq!(chosen.status(), StatusCode::SEE_OTHER);
    assert_eq!(chosen.headers()["location"], "/status");
    std::fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_planned_work_that_cannot_be_read_stops_the_start() {
    let world = World::start().await;
    for text in [
        "[[work]]\nfrom = 7\n",
        "[[werk]]\n",
        "[[work]]\nfrom = \"2026-11-28T12:00:00Z\"\nto = \"2026-11-28T11:00:00Z\"\ntext = \"x\"\n",
    ] {
        let file = std::env::temp_dir().join(format!("lanyard-{}.toml", uuid::Uuid::new_v4()));
        std::fs::write(&file, text).unwrap();
        let mut config = world.config.clone();
        config.availability.planned_work = Some(file.clone());
        let surroundings = gateway::Surroundings {
            sandbox: true,
            ..gateway::Surroundings::production()
        };
        let refused = gateway::Gateway::compose(&config, surroundings)
            .await
            .err()
            .unwrap();
        assert!(refused.to_string().contains("planned work"), "{refused}");
        std::fs::remove_file(file).unwrap();
    }
}

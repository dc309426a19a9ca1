//! `lanyard backup` and `lanyard restore`: taken while people come and go, restored elsewhere, on either engine.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::StatusCode;
use store::Statement;
use uuid::Uuid;

use crate::by_hand::{Journey, Step, revoke};
use crate::database::{Database, on_both_engines};
use crate::events;
use crate::holder::{Format, Holder};
use crate::kill::{in_force, is_refused_as_revoked};
use crate::operated::{LANYARD, Operated, write_private};

on_both_engines!(
    a_backup_taken_while_journeys_run_is_restored_on_either_engine,
    sec_37_a_backup_shows_nothing_and_restores_nothing_without_its_key_and_unless_whole,
);

/// A picture of one pixel.
const LOGO: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\0\0\0\0\0\0\0\0IEND\xaeB`\x82";

/// The two that are there, or the one.
async fn targets() -> Vec<Database> {
    let postgres = Database::postgres().await;
    std::iter::once(Database::sqlite())
        .chain(postgres)
        .collect()
}

fn lanyard(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(LANYARD).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Makes a key and takes a backup for it.
fn back_up(gateway: &Operated, name: &str) -> (PathBuf, PathBuf) {
    let (key, file, mut command) = prepared(gateway, name);
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(
        output.status.success() && said.contains("credentials"),
        "{said}"
    );
    (key, file)
}

/// The key, the file that is to be, and the command that makes it.
fn prepared(gateway: &Operated, name: &str) -> (PathBuf, PathBuf, Command) {
    let (key, file) = (gateway.folder.join("key"), gateway.folder.join(name));
    if !key.exists() {
        let (content, said) = lanyard(&["backup", "key", text(&key)]);
        assert!(content && said.starts_with("age1"), "{said}");
    }
    let key_text = std::fs::read_to_string(&key).unwrap();
    let (_, recipient) = key_text.lines().next().unwrap().split_once(": ").unwrap();
    let mut command = Command::new(LANYARD);
    command
        .args(["backup", "--config"])
        .arg(gateway.config_file());
    command.args(["--recipient", recipient, "--out"]).arg(&file);
    (key, file, command)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn a_backup_taken_while_journeys_run_is_restored_on_either_engine(database: Database) {
    let mut gateway = Operated::started(database);
    let mut holder = Holder::new(Format::W3c);
    let mut first = Journey::to_issue();
    first.take_from(Step::Push, &gateway, &mut holder).await;
    let mut taken_back = Journey::to_issue();
    let mut other = Holder::new(Format::SdJwt);
    taken_back.take_from(Step::Push, &gateway, &mut other).await;
    assert_eq!(
        revoke(&gateway, taken_back.serial_number).await,
        StatusCode::NO_CONTENT
    );
    let mut begun = Journey::to_issue();
    begun
        .take_until(Step::Credential, &gateway, &mut Holder::new(Format::W3c))
        .await;

    let acknowledged = Mutex::new(vec![first.serial_number, taken_back.serial_number]);
    let (before, (key, file)) = backed_up_under_load(&gateway, &acknowledged).await;
    let all = acknowledged.into_inner().unwrap().len();
    assert!(
        before.len() > 4 && all > before.len(),
        "{} of {all}",
        before.len()
    );
    gateway.kill();

    let home = gateway.folder.clone();
    for (number, target) in targets().await.into_iter().enumerate() {
        let folder = home.join(format!("restored-{number}"));
        let address = target.address();
        let mut restore = vec!["restore", text(&file), "--into", text(&folder)];
        restore.extend(["--identity", text(&key), "--database", &address]);
        let (content, said) = lanyard(&restore);
        assert!(content && said.contains("--check"), "{said}");
        gateway.folder = folder;
        gateway.database = target;
        let known = known(&gateway).await;
        for serial_number in &before {
            assert!(
                known.contains(serial_number),
                "{serial_number} was acknowledged"
            );
        }
        events::add_up(&gateway).await;
        crate::restored::accept(&gateway.config_file());
        gateway.start();

        let mut verify = Journey::to_verify();
        verify.take_from(Step::Push, &gateway, &mut holder).await;
        assert_eq!(verify.id_token["TrainingProgramme.TPR-Name"], "Cardiology");
        is_refused_as_revoked(&gateway, &mut other).await;
        assert_eq!(
            revoke(&gateway, first.serial_number).await,
            StatusCode::NO_CONTENT
        );
        assert_eq!(in_force(&gateway, first.serial_number).await, [false]);
        is_refused_as_revoked(&gateway, &mut holder).await;
        // Entries of the status lists are given out on, each once: the database refuses another.
        let (mut next, mut new) = (Journey::to_issue(), Holder::new(Format::W3c));
        next.take_from(Step::Push, &gateway, &mut new).await;
        let mut verify = Journey::to_verify();
        verify.take_from(Step::Push, &gateway, &mut new).await;
        // And so are the numbers of events.
        events::add_up(&gateway).await;
        gateway.kill();
        gateway.folder.clone_from(&home);
    }
}

/// What had been acknowledged when the backup was begun, and the backup. People come and go all the while.
async fn backed_up_under_load(
    gateway: &Operated,
    acknowledged: &Mutex<Vec<Uuid>>,
) -> (Vec<Uuid>, (PathBuf, PathBuf)) {
    let is_over = AtomicBool::new(false);
    let come_and_go = async || {
        while !is_over.load(Ordering::Relaxed) {
            let mut journey = Journey::to_issue();
            let mut holder = Holder::new(Format::W3c);
            journey.take_from(Step::Push, gateway, &mut holder).await;
            acknowledged.lock().unwrap().push(journey.serial_number);
        }
    };
    let backing_up = async {
        while acknowledged.lock().unwrap().len() < 6 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let before = acknowledged.lock().unwrap().clone();
        // Beside the people, who go on.
        let (key, file, command) = prepared(gateway, "backup");
        let taken = tokio::process::Command::from(command)
            .output()
            .await
            .unwrap();
        assert!(
            taken.status.success(),
            "{}",
            String::from_utf8_lossy(&taken.stderr)
        );
        let during = acknowledged.lock().unwrap().len() - before.len();
        println!("{during} credentials were issued while the backup was taken");
        let backup = (key, file);
        while acknowledged.lock().unwrap().len() == before.len() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        is_over.store(true, Ordering::Relaxed);
        (before, backup)
    };
    let (backup, ..) = tokio::join!(backing_up, come_and_go(), come_and_go());
    backup
}

async fn known(gateway: &Operated) -> Vec<Uuid> {
    let rows = gateway
        .rows(Statement::new("SELECT serial_number FROM credentials"))
        .await;
    rows.iter()
        .map(|row| row.text("serial_number").unwrap().parse().unwrap())
        .collect()
}

async fn sec_37_a_backup_shows_nothing_and_restores_nothing_without_its_key_and_unless_whole(
    database: Database,
) {
    let gateway = Operated::started(database);
    let mut journey = Journey::to_issue();
    journey
        .take_from(Step::Push, &gateway, &mut Holder::new(Format::W3c))
        .await;
    let (key, file) = back_up(&gateway, "backup");
    let home = &gateway.folder;
    let whole = std::fs::read(&file).unwrap();
    let serial_number = journey.serial_number.to_string();
    for text in [&*serial_number, "credentials", "public_url"] {
        let mut parts = whole.windows(text.len());
        assert!(!parts.any(|part| part == text.as_bytes()), "{text}");
    }
    for private in [&key, &file] {
        let mode = std::fs::metadata(private).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", private.display());
    }
    let write = |name: &str, bytes: &[u8]| {
        let file = home.join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    };
    let cut = write("cut", &whole[..whole.len() - 1]);
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    let flipped = write("flipped", &bytes);
    let other = write("other", b"{\"not\": \"a backup\"}");
    let stranger = home.join("stranger");
    assert!(lanyard(&["backup", "key", text(&stranger)]).0);
    // As a program would leave it that is newer than this one.
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (999, 'next', '', '')";
    let store = gateway.database.open().await;
    store.write([Statement::new(newer)]).await.unwrap();
    store.close().await;
    let (_, newer) = back_up(&gateway, "newer");

    for target in targets().await {
        let (folder, address) = (home.join("restored"), target.address());
        let restore = |file: &Path, key: &Path| {
            let mut restore = vec!["restore", text(file), "--into", text(&folder)];
            restore.extend(["--identity", text(key), "--database", &address]);
            lanyard(&restore)
        };
        let cases = [
            (&file, &stranger, "backup-locked"),
            (&cut, &key, "backup-truncated"),
            (&flipped, &key, "backup-damaged"),
            (&other, &key, "no-backup"),
            (&newer, &key, "schema-newer"),
            (&file, &file, "backup-key-invalid"),
        ];
        for (file, key, code) in cases {
            let (content, said) = restore(file, key);
            assert!(
                !content && said.contains(&format!("lanyard: {code}: ")),
                "{code}: {said}"
            );
            let left = std::fs::read_dir(home).unwrap();
            let left = left.filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().starts_with("restored")
            });
            assert_eq!(left.count(), 0, "{code}");
            let nothing = store::copy::held(target.url()).await.unwrap_err();
            let wanted = ["database-missing", "database-has-no-tables"];
            assert!(wanted.contains(&nothing.code()), "{code}: {nothing}");
        }
        std::fs::create_dir(&folder).unwrap();
        let (content, said) = restore(&file, &key);
        assert!(!content && said.contains("already-exists"), "{said}");
        std::fs::remove_dir(&folder).unwrap();
        let (content, said) = restore(&file, &key);
        assert!(content, "{said}");
        let store = target.open().await;
        let read = Statement::new("SELECT serial_number FROM credentials");
        let row = store.read_one(read).await.unwrap().unwrap();
        assert_eq!(row.text("serial_number").unwrap(), serial_number);
        store.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
        let (content, said) = restore(&file, &key);
        assert!(!content && said.contains("database-not-empty"), "{said}");
        assert!(!folder.exists());
    }
}

/// What every file but the secrets is for, is in every backup: the secrets from the safe are enough beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_without_secrets_has_every_other_file_and_its_restored_configuration_names_them() {
    let gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let named = [("logo.png", LOGO), ("planned.toml", b"")];
    for (name, content) in named {
        std::fs::write(gateway.folder.join(name), content).unwrap();
    }
    let home = gateway.folder.display();
    let more = format!(
        "\n[organisations.brand]\nlogo = {{ file = \"{home}/logo.png\" }}\n\n[availability]\nplanned_work = \"{home}/planned.toml\"\n"
    );
    gateway.write_config(&(gateway.config.clone() + &more));
    let checked = gateway.command(&["--check"]).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let (key, file) = back_up(&gateway, "backup");
    for gone in [
        "gateway.toml",
        "gateway.db",
        "chain.pem",
        "logo.png",
        "planned.toml",
    ] {
        let _ = std::fs::remove_file(gateway.folder.join(gone));
    }
    std::fs::remove_dir_all(gateway.folder.join("keys")).unwrap();

    let restore = ["restore", text(&file), "--identity", text(&key)];
    let (content, said) = lanyard(&[&restore[..], &["--drill"]].concat());
    assert!(content, "{said}");
    let folder = gateway.folder.join("restored");
    let (content, said) = lanyard(&[&restore[..], &["--into", text(&folder)]].concat());
    assert!(content, "{said}");
    let config = std::fs::read_to_string(folder.join("gateway.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let says = [
        &config["organisations"][0]["brand"]["logo"]["file"],
        &config["availability"]["planned_work"],
    ];
    for (said, (name, content)) in says.into_iter().zip(named) {
        let place = Path::new(said.as_str().unwrap());
        assert!(place.starts_with(&folder), "{name}: {}", place.display());
        assert_eq!(std::fs::read(place).unwrap(), content, "{name}");
    }
}

/// A database elsewhere is committed when the files are there, and not before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_without_room_for_its_files_leaves_nothing_in_the_database() {
    let gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let checked = gateway.command(&["--check"]).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    // Larger than any file may be that the first restore writes; the database is not.
    let large = gateway.folder.join("keys").join("notes");
    std::fs::write(&large, vec![b'n'; 5 * 1024 * 1024]).unwrap();
    let (key, file) = back_up(&gateway, "backup");
    for target in targets().await {
        let (folder, address) = (gateway.folder.join("restored"), target.address());
        let restore = |limit: &str| {
            let mut command = Command::new("sh");
            let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
            command.args(["-c", &script, "sh", LANYARD, "restore", text(&file)]);
            command.args(["--identity", text(&key), "--into", text(&folder)]);
            let output = command.args(["--database", &address]).output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            (output.status.success(), said)
        };
        let (content, said) = restore("4096");
        assert!(
            !content && said.contains("lanyard: file-unusable: "),
            "{said}"
        );
        assert!(!folder.exists());
        let nothing = store::copy::held(target.url()).await.unwrap_err();
        let wanted = ["database-missing", "database-has-no-tables"];
        assert!(wanted.contains(&nothing.code()), "{nothing}");
        let (content, said) = restore("unlimited");
        assert!(content, "{said}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// With its secrets in it, the backup alone is enough; without, a drill says what is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_starts_a_gateway_from_the_backup_and_leaves_nothing() {
    let mut gateway = Operated::started(Database::sqlite());
    let mut holder = Holder::new(Format::W3c);
    let mut journey = Journey::to_issue();
    journey.take_from(Step::Push, &gateway, &mut holder).await;
    let passphrase = gateway.folder.join("passphrase");
    write_private(&passphrase, "seventeen-letters\n");
    let file = gateway.folder.join("backup");
    let config = gateway.config_file();
    let mut back_up = vec!["backup", "--config", text(&config), "--out", text(&file)];
    back_up.extend(["--passphrase-file", text(&passphrase), "--with-secrets"]);
    let (content, said) = lanyard(&back_up);
    assert!(content && !said.contains("keep them elsewhere"), "{said}");
    let (content, said) = lanyard(&back_up);
    assert!(!content && said.contains("already-exists"), "{said}");
    let (key, without) = self::back_up(&gateway, "without");
    gateway.kill();

    // Everything that was is gone, but for the two backups and what opens them.
    let elsewhere = crate::operated::new_folder();
    let moved = |path: &Path| {
        let to = elsewhere.join(path.file_name().unwrap());
        std::fs::rename(path, &to).unwrap();
        to
    };
    let [passphrase, file, key, without] =
        [&passphrase, &file, &key, &without].map(|path| moved(path));
    std::fs::remove_dir_all(&gateway.folder).unwrap();

    let drill = [
        "restore",
        text(&file),
        "--passphrase-file",
        text(&passphrase),
        "--drill",
    ];
    let (content, said) = lanyard(&drill);
    let took = said
        .lines()
        .find_map(|line| line.strip_prefix("drill: a gateway could start with this, "))
        .and_then(|rest| rest.split(" s ").next())
        .and_then(|seconds| seconds.parse::<f64>().ok());
    assert!(content && took.is_some_and(|took| took >= 0.0), "{said}");
    let drill = [
        "restore",
        text(&without),
        "--identity",
        text(&key),
        "--drill",
    ];
    let (content, said) = lanyard(&drill);
    assert!(
        !content && said.contains("lanyard: restored-unfit: "),
        "{said}"
    );
    let folder = elsewhere.join("restored");
    let mut restore = vec!["restore", text(&file), "--into", text(&folder)];
    restore.extend(["--passphrase-file", text(&passphrase)]);
    let (content, said) = lanyard(&restore);
    assert!(content, "{said}");
    gateway.folder = folder;
    crate::restored::accept(&gateway.config_file());
    gateway.start();
    let mut verify = Journey::to_verify();
    verify.take_from(Step::Push, &gateway, &mut holder).await;
    gateway.kill();
    std::fs::remove_dir_all(&elsewhere).unwrap();
}

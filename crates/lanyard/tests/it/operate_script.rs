//! From an empty machine, with the commands of docs/operate/from-nothing.md and no others: set up, two organisations that
//! issue and verify, revocation, new keys, backup, restore elsewhere, upgrade. The commands are the page's own: its blocks are
//! run as they stand, in their order, but for the two in which a reader writes what is theirs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use reqwest::StatusCode;
use serde_json::Value;
use standards::jose::HmacKey;

use crate::by_hand::{Journey, Step, revoke};
use crate::database::Database;
use crate::holder::{Format, Holder};
use crate::kill::{in_force, is_refused_as_revoked};
use crate::oldest;
use crate::operated::{LANYARD, Operated, new_folder};

/// The page's blocks by their names, in the page's order.
struct Page(Vec<(String, String)>);

impl Page {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = std::fs::read_to_string(root.join("docs/operate/from-nothing.md")).unwrap();
        let mut blocks = Vec::new();
        for part in text.split("```sh step=").skip(1) {
            let (name, rest) = part.split_once('\n').unwrap();
            let (block, _) = rest.split_once("\n```").expect("the block ends");
            blocks.push((name.to_owned(), format!("{block}\n")));
        }
        let unmarked = text.matches("```sh\n").count();
        assert_eq!(
            unmarked, 0,
            "a block of the page has no step, so nobody runs it"
        );
        Self(blocks)
    }

    fn block(&self, step: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| name == step);
        &found
            .unwrap_or_else(|| panic!("the page has no step {step}"))
            .1
    }

    /// The names that a block gives a value.
    fn names(&self, step: &str) -> Vec<&str> {
        let lines = self.block(step).lines();
        let lines = lines.map(|line| line.strip_prefix("export ").unwrap_or(line));
        let names = lines.filter_map(|line| line.split_once('=').map(|(name, _)| name));
        names.filter(|name| !name.contains(' ')).collect()
    }
}

/// A reader of the page at their terminal: what one block sets, the next one knows.
struct Reader {
    page: Page,
    home: PathBuf,
    done: Vec<String>,
}

impl Reader {
    fn new() -> Self {
        let home = new_folder();
        for folder in ["safe", "backups"] {
            std::fs::create_dir(home.join(folder)).unwrap();
        }
        Self {
            page: Page::read(),
            home,
            done: Vec::new(),
        }
    }

    /// Writes what is theirs in the place of what a block of the page has.
    fn write_own(&mut self, step: &str, own: &BTreeMap<&str, String>) {
        for name in self.page.names(step) {
            assert!(
                own.contains_key(name),
                "the page lets a reader choose `{name}`"
            );
        }
        let own = own
            .iter()
            .map(|(name, value)| format!("{name}='{value}'\n"));
        self.run(&own.collect::<String>());
        self.done.push(step.to_owned());
    }

    /// Types a block of the page.
    fn follow(&mut self, step: &str) -> String {
        let before = self
            .page
            .0
            .iter()
            .position(|(name, _)| name == step)
            .unwrap();
        let last = self
            .done
            .last()
            .and_then(|done| self.page.0.iter().position(|(name, _)| name == done));
        assert!(
            last.is_none_or(|last| last < before),
            "{step} stands before {:?}",
            self.done.last()
        );
        self.done.push(step.to_owned());
        self.run(self.page.block(step))
    }

    fn run(&self, commands: &str) -> String {
        let (said, content) = self.try_to_run(commands);
        assert!(content, "{commands}\n{said}");
        said
    }

    fn try_to_run(&self, commands: &str) -> (String, bool) {
        let state = self.home.join("state");
        let state = state.display();
        let script = format!(
            "set -euo pipefail\numask 077\nset -a\n[ ! -e {state} ] || . {state}\n{commands}\nexport -p > {state}\n"
        );
        let program = Path::new(LANYARD).parent().unwrap().display().to_string();
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("bash")
            .args(["-c", &script])
            .env("PATH", format!("{program}:{path}"))
            .env("SSL_CERT_FILE", self.home.join("authority.pem"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8(said).unwrap(), output.status.success())
    }

    /// Every block was run, so that none of the page is untried.
    fn is_through(&self) {
        for (name, _) in &self.page.0 {
            assert!(self.done.contains(name), "nobody tried the step {name}");
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// One of the two relying parties, as its own people have set it up.
fn act_as(gateway: &mut Operated, secrets: &Path, organisation: &str) {
    let read = |name: &str| {
        let text = std::fs::read_to_string(secrets.join(format!("{organisation}-{name}"))).unwrap();
        text.trim().to_owned()
    };
    organisation.clone_into(&mut gateway.organisation);
    gateway.client_id = format!("{organisation}-staff");
    gateway.redirect_uri = format!("https://staff.example.org/callback/{organisation}");
    gateway.client_secret = read("staff");
    gateway.signing_key = HmacKey::parse(&read("drafts")).unwrap();
}

async fn issue(gateway: &Operated, format: Format) -> (Holder, uuid::Uuid) {
    let mut holder = Holder::new(format);
    let mut journey = Journey::to_issue();
    journey.take_from(Step::Push, gateway, &mut holder).await;
    (holder, journey.serial_number)
}

async fn verify(gateway: &Operated, holder: &mut Holder) {
    let mut journey = Journey::to_verify();
    journey.take_from(Step::Push, gateway, holder).await;
    assert_eq!(journey.id_token["TrainingProgramme.TPR-Name"], "Cardiology");
    assert_eq!(journey.id_token["aud"], gateway.client_id.as_str());
}

/// The id of the key that signed a credential in W3C form.
fn signed_by(holder: &Holder) -> String {
    let head = holder.credential.split('.').next().unwrap();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(head)
        .unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

/// The status list that a credential names, as anybody may fetch it.
async fn status_list(gateway: &Operated, holder: &Holder) -> StatusCode {
    let claims = holder.credential.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let uri = claims["status"]["status_list"]["uri"].as_str().unwrap();
    let client = gateway.client(&std::sync::Arc::default());
    client.get(uri).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_leads_from_an_empty_machine_to_an_upgraded_gateway_on_sqlite() {
    let home = new_folder();
    let databases = ["one.db", "two.db", "three.db"].map(|name| {
        let path = home.join(name);
        Database::at(format!("sqlite:{}", path.display()))
    });
    the_page_leads_to_an_upgraded_gateway(databases).await;
    std::fs::remove_dir_all(home).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_leads_from_an_empty_machine_to_an_upgraded_gateway_on_postgresql() {
    let mut databases = Vec::new();
    for _ in 0..3 {
        databases.extend(Database::postgres().await);
    }
    if let Ok(databases) = databases.try_into() {
        the_page_leads_to_an_upgraded_gateway(databases).await;
    }
}

async fn the_page_leads_to_an_upgraded_gateway([database, other, earlier]: [Database; 3]) {
    let mut reader = Reader::new();
    let home = reader.home.clone();
    // The machine that the page begins with has a name, a certificate, and nothing else.
    let mut gateway = Operated::on_an_empty_machine(&home, database);
    let in_home = |name: &str| home.join(name).display().to_string();
    let yours = BTreeMap::from([
        ("folder", in_home("etc")),
        ("public_url", gateway.base.clone()),
        ("listen", format!("127.0.0.1:{}", gateway.ports.first)),
        ("admin", format!("127.0.0.1:{}", gateway.admin_port())),
        ("database", gateway.database.address()),
        ("certificate", in_home("chain.pem")),
        ("private_key", in_home("tls-key.pem")),
        ("safe", in_home("safe")),
        ("backups", in_home("backups")),
        ("LANYARD_CONFIG", in_home("etc/gateway.toml")),
    ]);
    reader.write_own("yours", &yours);
    let said = reader.follow("init");
    assert!(said.contains("good  secret-files"), "{said}");
    reader.follow("operator");
    let said = reader.follow("declare");
    assert!(
        said.contains("+ relying-party newtown-staff of newtown") && !said.contains("two persons"),
        "{said}"
    );
    assert_eq!(reader.page.block("start"), "lanyard gateway\n");
    gateway.folder = home.join("etc");
    gateway.start();
    reader.done.push("start".to_owned());
    let said = reader.follow("look");
    assert!(
        said.contains("good  documents") && said.contains("j.bloggs"),
        "{said}"
    );

    let secrets = home.join("etc/secrets");
    act_as(&mut gateway, &secrets, "newtown");
    let (mut of_newtown, newtowns) = issue(&gateway, Format::SdJwt).await;
    verify(&gateway, &mut of_newtown).await;
    act_as(&mut gateway, &secrets, "anytown");
    let (mut of_anytown, _) = issue(&gateway, Format::W3c).await;
    verify(&gateway, &mut of_anytown).await;
    let (mut leaver, leavers) = issue(&gateway, Format::W3c).await;

    // Anytown's system and anytown's operator know nothing of newtown's credential.
    assert_ne!(revoke(&gateway, newtowns).await, StatusCode::NO_CONTENT);
    let step = reader.page.block("revoke").to_owned();
    let (said, content) = reader.try_to_run(&format!("serial_number={newtowns}\n{step}"));
    assert!(
        !content && said.contains("no such credential of this organisation"),
        "{said}"
    );
    assert_eq!(in_force(&gateway, newtowns).await, [true]);
    reader.run(&format!("serial_number={leavers}"));
    reader.follow("revoke");
    is_refused_as_revoked(&gateway, &mut leaver).await;

    let before = signed_by(&of_anytown);
    let said = reader.follow("rotate");
    assert!(said.contains("verify-only"), "{said}");
    let mut newer = new_key_signs(&gateway, &before).await;
    verify(&gateway, &mut of_anytown).await;
    verify(&gateway, &mut newer).await;
    let changed = std::fs::read_to_string(secrets.join("anytown-staff-new")).unwrap();
    changed.trim().clone_into(&mut gateway.client_secret);
    // A new secret counts in a running gateway a second after it was made.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    verify(&gateway, &mut newer).await;

    // What somebody relies on by now, whoever has the machine changes alone, and not without being told.
    let said = reader.run(
        "sed s,callback/anytown,callback/elsewhere, \"$folder/organisations.toml\" > \"$folder/other.toml\"\n\
         lanyard apply -f \"$folder/other.toml\" --dry-run || test $? = 2",
    );
    assert!(
        said.contains("! relying-party anytown-staff: ") && said.contains("takes two persons"),
        "{said}"
    );
    assert_eq!(said.matches("\n! ").count(), 1, "{said}");

    let said = reader.follow("back-up");
    assert!(said.contains("everything is as it was written"), "{said}");
    assert!(gateway.terminate().success());

    let elsewhere = home.join("elsewhere");
    let own = BTreeMap::from([
        ("elsewhere", in_home("elsewhere")),
        ("other_database", other.address()),
    ]);
    reader.write_own("elsewhere", &own);
    let said = reader.follow("restore");
    assert!(said.contains("everything is as it was written"), "{said}");
    (gateway.folder, gateway.database) = (elsewhere, other);
    gateway.start();
    for holder in [&mut of_anytown, &mut newer] {
        verify(&gateway, holder).await;
        assert_eq!(status_list(&gateway, holder).await, StatusCode::OK);
    }
    is_refused_as_revoked(&gateway, &mut leaver).await;
    act_as(&mut gateway, &secrets, "newtown");
    verify(&gateway, &mut of_newtown).await;
    assert_eq!(revoke(&gateway, newtowns).await, StatusCode::NO_CONTENT);
    is_refused_as_revoked(&gateway, &mut of_newtown).await;
    upgrade(&mut reader, &mut gateway, earlier).await;
    for organisation in ["newtown", "anytown"] {
        act_as(&mut gateway, &secrets, organisation);
        if organisation == "anytown" {
            changed.trim().clone_into(&mut gateway.client_secret);
            for holder in [&mut of_anytown, &mut newer] {
                verify(&gateway, holder).await;
                assert_eq!(status_list(&gateway, holder).await, StatusCode::OK);
            }
            is_refused_as_revoked(&gateway, &mut leaver).await;
        } else {
            is_refused_as_revoked(&gateway, &mut of_newtown).await;
        }
        let (mut joiner, joiners) = issue(&gateway, Format::SdJwt).await;
        verify(&gateway, &mut joiner).await;
        assert_eq!(revoke(&gateway, joiners).await, StatusCode::NO_CONTENT);
        is_refused_as_revoked(&gateway, &mut joiner).await;
    }
    reader.is_through();
}

/// The gateway that runs, as the first version had it that registered organisations, and then the page's upgrade.
async fn upgrade(reader: &mut Reader, gateway: &mut Operated, earlier: Database) {
    assert!(gateway.terminate().success());
    oldest::make(oldest::WITH_REGISTRY, &gateway.database, &earlier).await;
    let config = std::fs::read_to_string(gateway.config_file()).unwrap();
    let config = config.replace(&gateway.database.address(), &earlier.address());
    gateway.write_config(&config);
    gateway.database = earlier;
    reader.follow("before-upgrade");
    let said = reader.follow("upgrade");
    assert!(
        said.contains("LOOK  tables") && said.contains("version 10,"),
        "{said}"
    );
    let said = reader.run("lanyard audit verify");
    assert!(said.contains("everything is as it was written"), "{said}");
    gateway.start();
}

/// A running gateway follows a rotation within a second or two; the first credential that is signed anew.
async fn new_key_signs(gateway: &Operated, before: &str) -> Holder {
    for _ in 0..20 {
        let (holder, _) = issue(gateway, Format::W3c).await;
        if signed_by(&holder) != before {
            return holder;
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    panic!("the gateway does not follow the rotation")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_from_the_oldest_tables_keeps_what_was_issued_on_sqlite() {
    an_upgrade_from_the_oldest_tables(Database::sqlite(), Database::sqlite()).await;
}

/// With `LANYARD_LONG` only: the other engine's upgrade is a part of the page's own test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_from_the_oldest_tables_keeps_what_was_issued_on_postgresql() {
    if std::env::var_os("LANYARD_LONG").is_none() {
        println!("skipped: LANYARD_LONG is not set");
        return;
    }
    let (Some(first), Some(second)) = (Database::postgres().await, Database::postgres().await)
    else {
        return;
    };
    an_upgrade_from_the_oldest_tables(first, second).await;
}

/// What stands in the database is brought back to the tables of the first version; then the page's upgrade is followed.
async fn an_upgrade_from_the_oldest_tables(database: Database, old: Database) {
    let mut gateway = Operated::started(database);
    let (mut holder, serial_number) = issue(&gateway, Format::W3c).await;
    let (mut leaver, leavers) = issue(&gateway, Format::SdJwt).await;
    assert_eq!(revoke(&gateway, leavers).await, StatusCode::NO_CONTENT);
    assert!(gateway.terminate().success());
    oldest::make(oldest::OLDEST, &gateway.database, &old).await;
    let config = gateway
        .config
        .replace(&gateway.database.address(), &old.address());
    gateway.write_config(&config);
    gateway.database = old;
    // Keys that the first version did not have.
    for name in ["audit", "id-token-eddsa"] {
        std::fs::remove_file(gateway.folder.join(format!("keys/{name}.pem"))).unwrap();
    }

    let mut reader = Reader::new();
    let own = format!(
        "backups={0}/backups\nsafe={0}/safe\nLANYARD_CONFIG={1}\nrecipient=$(lanyard backup key {0}/safe/key)",
        reader.home.display(),
        gateway.config_file().display()
    );
    reader.run(&own);
    reader.follow("before-upgrade");
    // Nobody who only looks changes anything.
    let (said, content) = reader.try_to_run("lanyard key list");
    assert!(
        !content && said.contains("tables are those of version 1,"),
        "{said}"
    );
    let (said, content) = reader.try_to_run("lanyard client secret list anytown-staff-services");
    assert!(
        !content && said.contains("tables are those of version 1,"),
        "{said}"
    );
    assert_eq!(oldest::version(&gateway.database).await, 1);
    let said = reader.follow("upgrade");
    assert!(
        said.contains("LOOK  tables") && said.contains("version 1,"),
        "{said}"
    );
    assert!(said.contains("created audit"), "{said}");

    gateway.start();
    verify(&gateway, &mut holder).await;
    assert_eq!(status_list(&gateway, &holder).await, StatusCode::OK);
    is_refused_as_revoked(&gateway, &mut leaver).await;
    assert_eq!(
        revoke(&gateway, serial_number).await,
        StatusCode::NO_CONTENT
    );
    is_refused_as_revoked(&gateway, &mut holder).await;
    let (mut new, _) = issue(&gateway, Format::W3c).await;
    verify(&gateway, &mut new).await;
    let said = reader.run("lanyard storage-secret rotate");
    assert!(
        said.contains("found nothing that needs an earlier secret"),
        "{said}"
    );
}

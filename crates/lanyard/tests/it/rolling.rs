//! A new version takes the place of the one before it, process by process, while people come and go: schema N works with
//! program N-1. With `LANYARD_LONG` only, since the version before has to be built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reqwest::StatusCode;

use crate::by_hand::{Journey, Step, revoke};
use crate::cluster::{Cluster, NAMES, has_haproxy};
use crate::database::Database;
use crate::events;
use crate::holder::{Format, Holder};
use crate::kill::{in_force, is_refused_as_revoked};
use crate::operated::{LANYARD, Operated};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_takes_over_process_by_process_and_every_journey_goes_on() {
    if std::env::var_os("LANYARD_LONG").is_none() {
        println!("skipped: LANYARD_LONG is not set");
        return;
    }
    let (Some(previous), true) = (previous(), has_haproxy()) else {
        return;
    };
    let Some(database) = Database::postgres().await else {
        return;
    };
    let mut cluster = Cluster::started_with(&previous, database).await;
    let mut holder = Holder::new(Format::W3c);
    let mut first = Journey::to_issue();
    first
        .take_from(Step::Push, &cluster.gateway, &mut holder)
        .await;

    for number in 0..NAMES.len() {
        // Begun on the processes of before, ended on those of after: every request reaches another.
        let mut newer = Holder::new(Format::SdJwt);
        let mut issuing = Journey::to_issue();
        issuing
            .take_until(Step::AccessToken, &cluster.gateway, &mut newer)
            .await;
        let mut verifying = Journey::to_verify();
        verifying
            .take_until(Step::Present, &cluster.gateway, &mut holder)
            .await;
        cluster.replace(number).await;
        let gateway = &cluster.gateway;
        issuing
            .take_from(Step::AccessToken, gateway, &mut newer)
            .await;
        verifying
            .take_from(Step::Present, gateway, &mut holder)
            .await;
        for _ in NAMES {
            come_and_go(gateway).await;
        }
        events::add_up(gateway).await;
    }
    // What the version before issued is as good, and is revoked as well.
    let gateway = &cluster.gateway;
    assert_eq!(
        revoke(gateway, first.serial_number).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(in_force(gateway, first.serial_number).await, [false]);
    is_refused_as_revoked(gateway, &mut holder).await;

    // One of the version before that dies now does not come back: it does not know what is new.
    let config = gateway.folder.join("one.toml");
    let check = Command::new(&previous)
        .args(["gateway", "--check", "--config"])
        .arg(config)
        .output();
    let check = check.unwrap();
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(
        !check.status.success() && said.contains("newer version"),
        "{said}"
    );
}

/// A whole life of a credential, its requests served by whichever process.
async fn come_and_go(gateway: &Operated) {
    let mut holder = Holder::new(Format::W3c);
    let mut issuing = Journey::to_issue();
    issuing.take_from(Step::Push, gateway, &mut holder).await;
    Journey::to_verify()
        .take_from(Step::Push, gateway, &mut holder)
        .await;
    assert_eq!(
        revoke(gateway, issuing.serial_number).await,
        StatusCode::NO_CONTENT
    );
    for _ in NAMES {
        is_refused_as_revoked(gateway, &mut holder).await;
    }
}

/// The program of the version before: what `LANYARD_PREVIOUS` names, or what is built of its commit, once.
fn previous() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LANYARD_PREVIOUS") {
        return Some(named.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Some(commit) = commit_before_the_newest_tables(&root) else {
        println!("skipped: the version before is not in this clone");
        return None;
    };
    println!("the version before is {commit}");
    let target = Path::new(LANYARD)
        .ancestors()
        .nth(2)
        .unwrap()
        .join("previous")
        .join(&commit);
    let program = target.join("target/debug/lanyard");
    if program.is_file() {
        return Some(program);
    }
    let source = target.join("source");
    std::fs::create_dir_all(&source).unwrap();
    let mut archive = Command::new("git");
    archive
        .args(["archive", &commit])
        .current_dir(&root)
        .stdout(Stdio::piped());
    let mut archive = archive.spawn().unwrap();
    let mut unpack = Command::new("tar");
    unpack
        .args(["-x", "-C"])
        .arg(&source)
        .stdin(archive.stdout.take().unwrap());
    let unpacked = unpack.status().unwrap().success();
    if !archive.wait().unwrap().success() || !unpacked {
        println!("skipped: the commit {commit} is not in this clone");
        return None;
    }
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--locked", "--package", "lanyard"])
        .current_dir(&source);
    build.env("CARGO_TARGET_DIR", target.join("target"));
    assert!(build.status().unwrap().success(), "{commit} does not build");
    Some(program)
}

/// The last commit whose gateway knows nothing of the newest migration, by its number: whatever that is called by now, it is
/// tried with the program of just before it.
fn commit_before_the_newest_tables(root: &Path) -> Option<String> {
    let folder = "crates/gateway/migrations/sqlite";
    let files = std::fs::read_dir(root.join(folder)).unwrap();
    let numbers = files.filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.strip_prefix('V')?
            .split("__")
            .next()?
            .parse::<u32>()
            .ok()
    });
    let newest = numbers.max()?;
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let output = git.args(arguments).current_dir(root).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(said)
    };
    let came = git(&[
        "log",
        "--diff-filter=A",
        "--format=%H",
        "--",
        &format!("{folder}/V{newest}__*"),
    ])?;
    let came = came.lines().last()?;
    let before = git(&["rev-parse", "--verify", "--quiet", &format!("{came}^")])?;
    Some(before.trim().to_owned())
}

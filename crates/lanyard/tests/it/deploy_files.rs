//! The files in `deploy/` that somebody copies: what stands before the gateway asks whether a process is ready.

use std::path::Path;
use std::process::Command;

use crate::cluster::{haproxy_file, has_haproxy};
use crate::database::Database;
use crate::operated::{LANYARD, Operated, new_folder, write_certificate, write_private};

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// A process that was told to stop is alive and not ready: whoever balances by the first sends it requests to the end.
#[test]
fn who_balances_asks_whether_a_process_is_ready() {
    for (file, line) in [
        ("haproxy.cfg", "option httpchk GET /readyz"),
        ("Caddyfile", "health_uri /readyz"),
    ] {
        let text = read(file);
        assert!(text.lines().any(|one| one.trim() == line), "{file}");
        assert!(
            !text.contains("/healthz"),
            "{file} balances by what is only alive"
        );
    }
}

#[test]
fn haproxy_takes_the_file_as_it_is_handed_out() {
    if !has_haproxy() {
        return;
    }
    let folder = new_folder();
    write_certificate(&folder);
    let pem = ["chain.pem", "tls-key.pem"]
        .map(|file| std::fs::read_to_string(folder.join(file)).unwrap())
        .concat();
    let certificate = folder.join("haproxy.pem");
    write_private(&certificate, &pem);
    let mut check = Command::new("/usr/sbin/haproxy");
    check.args(["-c", "-f"]).arg(haproxy_file());
    check.env("LANYARD_BIND", "127.0.0.1:8443");
    check.env("LANYARD_CERTIFICATE", certificate);
    for (name, address) in [
        ("ONE", "127.0.0.11:8400"),
        ("TWO", "127.0.0.12:8400"),
        ("THREE", "127.0.0.13:8400"),
    ] {
        check.env(format!("LANYARD_{name}"), address);
    }
    let checked = check.output().unwrap();
    let said = [checked.stdout, checked.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    std::fs::remove_dir_all(folder).unwrap();
    assert!(checked.status.success(), "{said}");
    assert!(!said.contains("[WARNING]"), "{said}");
}

/// What the first container of a pod does with the keys, as the file has it, in these places.
fn bring_keys(from: &Path, volume: &Path, pod: &str) -> std::process::Output {
    let kubernetes = read("kubernetes/gateway.yaml");
    let (before, script) = kubernetes.split_once("            - |\n").unwrap();
    let flags = before.trim_end().rsplit_once("- ").unwrap().1;
    let script = script.split("          securityContext").next().unwrap();
    let script = script.replace("/var/lib/lanyard", &volume.display().to_string());
    let script = script.replace("/from/", &format!("{}/", from.display()));
    let mut run = Command::new("sh");
    run.args([flags, &script]).env("HOSTNAME", pod);
    run.output().unwrap()
}

/// Who wants the operators' pages there comes through the cluster's own door: nothing that is published leads to them.
#[test]
fn in_kubernetes_the_admin_listener_is_each_pods_own() {
    let kubernetes = read("kubernetes/gateway.yaml");
    let told = kubernetes.lines().map_while(|line| line.strip_prefix('#'));
    let told = format!("{}\n", told.map(str::trim).collect::<Vec<_>>().join("\n"));
    assert!(
        told.contains("[admin]\nlisten = \"127.0.0.1:8410\"\n"),
        "{told}"
    );
    assert!(
        told.contains("kubectl port-forward deploy/lanyard-gateway 8410:8410\n"),
        "{told}"
    );
    let manifest: Vec<&str> = kubernetes
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let leads = manifest.iter().find(|line| line.contains("8410"));
    assert!(leads.is_none(), "{leads:?}");
    assert!(manifest.contains(&"  name: lanyard-gateway"));
}

/// A key that was compromised stays deleted, and one that was made stays, whatever the Secret of the first day says.
#[test]
fn in_kubernetes_all_pods_share_the_keys_and_the_first_ones_are_brought_once() {
    let kubernetes = read("kubernetes/gateway.yaml");
    assert!(kubernetes.contains("accessModes: [\"ReadWriteMany\"]"));
    assert!(
        kubernetes.contains("{ name: keys, persistentVolumeClaim: { claimName: lanyard-keys } }")
    );
    let mounts = kubernetes.matches("{ name: keys, mountPath: /var/lib/lanyard }");
    assert_eq!(
        mounts.count(),
        2,
        "both containers write where the keys are"
    );

    let folder = new_folder();
    let [from, volume] = ["from", "volume"].map(|name| folder.join(name));
    std::fs::create_dir_all(&from).unwrap();
    std::fs::create_dir_all(&volume).unwrap();
    for name in ["first.pem", "second.pem"] {
        std::fs::write(from.join(name), name).unwrap();
    }
    let keys = || {
        let files = std::fs::read_dir(volume.join("keys")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let brought = bring_keys(&from, &volume, "pod-1");
    assert!(brought.status.success(), "{brought:?}");
    assert_eq!(
        keys(),
        ["first.pem", "second.pem"].map(str::to_owned).into()
    );

    std::fs::remove_file(volume.join("keys/first.pem")).unwrap();
    std::fs::write(volume.join("keys/third.pem"), "made since").unwrap();
    let again = bring_keys(&from, &volume, "pod-2");
    assert!(again.status.success(), "{again:?}");
    assert_eq!(
        keys(),
        ["second.pem", "third.pem"].map(str::to_owned).into()
    );
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let held = std::fs::metadata(volume.join(name)).unwrap();
        held.permissions().mode() & 0o777
    };
    assert_eq!((mode("keys"), mode("keys/third.pem")), (0o700, 0o600));

    // Also where the last one was deleted; and no pod leaves anything else behind.
    for name in keys() {
        std::fs::remove_file(volume.join("keys").join(name)).unwrap();
    }
    let again = bring_keys(&from, &volume, "pod-3");
    assert!(again.status.success(), "{again:?}");
    assert_eq!(keys(), std::collections::BTreeSet::new());
    let all: Vec<_> = std::fs::read_dir(&volume).unwrap().collect();
    assert_eq!(all.len(), 1, "{all:?}");

    // Neither Secret nor keys: the pod does not start, and nothing half is left.
    let (none, empty) = (folder.join("none"), folder.join("empty"));
    std::fs::create_dir_all(&none).unwrap();
    std::fs::create_dir_all(&empty).unwrap();
    assert!(!bring_keys(&none, &empty, "pod-4").status.success());
    assert!(!empty.join("keys").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

/// The words behind a key of the unit, one for each line.
fn of_unit<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    let lines = unit.lines().filter_map(|line| line.strip_prefix(key));
    lines.filter_map(|rest| rest.strip_prefix('=')).collect()
}

/// systemd reads the unit without a word, and finds that little is open to the service.
#[test]
fn systemd_takes_the_unit_as_it_is_handed_out_and_finds_little_exposed() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("skipped: systemd-analyze is not on this machine");
        return;
    }
    let folder = new_folder();
    let unit = folder.join("lanyard.service");
    // The program is not installed here; nothing else is another's.
    let text = read("lanyard.service").replace("=/usr/local/bin/lanyard ", &format!("={LANYARD} "));
    assert!(text.contains(LANYARD));
    std::fs::write(&unit, &text).unwrap();
    let analyze = |words: &[&str]| {
        let done = Command::new("systemd-analyze")
            .args(words)
            .arg(&unit)
            .output()
            .unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(said).unwrap())
    };
    let (verified, said) = analyze(&["verify"]);
    assert!(verified && said.is_empty(), "{said}");
    // In tenths: 12 for what a service needs that speaks to the network.
    let (is_closed, said) = analyze(&["security", "--offline=true", "--threshold=15"]);
    assert!(is_closed, "{said}");
    // With what the page adds for a port below 1024.
    std::fs::write(
        &unit,
        format!("{text}\n{}", page_block("service.md", "```ini\n")),
    )
    .unwrap();
    let (verified, said) = analyze(&["verify"]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(verified && said.is_empty(), "{said}");
}

/// What stands in the first block of an operator's page that begins so.
fn page_block(page: &str, begin: &str) -> String {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate");
    let page = std::fs::read_to_string(pages.join(page)).unwrap();
    let (_, rest) = page.split_once(begin).unwrap();
    rest.split("```").next().unwrap().to_owned()
}

/// The page makes everything in its first steps and then hands it to the unit's account: the unit must let that account write where
/// the gateway writes, and take the secrets from where they are.
#[test]
fn the_unit_lets_its_account_have_what_the_page_makes() {
    let unit = read("lanyard.service");
    let one = |key: &str| match of_unit(&unit, key)[..] {
        [one] => one.to_owned(),
        _ => panic!("one {key}"),
    };
    let yours = page_block("from-nothing.md", "```sh step=yours\n");
    let set = |name: &str| {
        let line = yours.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().split_whitespace().next().unwrap().to_owned()
    };
    let (etc, state) = (
        set("folder="),
        format!("/var/lib/{}", one("StateDirectory")),
    );
    assert!(one("ExecStart").ends_with(&format!("--config {etc}/gateway.toml")));
    assert!(set("database=sqlite:").starts_with(&format!("{state}/")));
    assert_eq!(one("WorkingDirectory"), state);

    let folder = new_folder();
    let made = folder.join("made");
    let init = Command::new(LANYARD)
        .arg("init")
        .arg(&made)
        .args(["--public-url", "https://credentials.example.org"])
        .args([
            "--listen",
            &set("listen="),
            "--admin-listen",
            &set("admin="),
        ])
        .args(["--database", &format!("sqlite:{state}/gateway.db")])
        .output()
        .unwrap();
    assert!(init.status.success(), "{init:?}");
    let config = std::fs::read_to_string(made.join("gateway.toml")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let config: toml::Table = toml::from_str(&config).unwrap();
    let there = |path: &toml::Value| {
        let path = Path::new(path.as_str().unwrap());
        format!("{etc}/{}", path.strip_prefix(&made).unwrap().display())
    };
    // A key that is rotated while it runs is written there.
    assert_eq!(
        one("ReadWritePaths"),
        format!("-{}", there(&config["keys"]))
    );
    let secrets = ["key_passphrase", "storage_secret"].map(|name| there(&config[name]["file"]));
    let given = of_unit(&unit, "LoadCredential");
    let given = given.iter().filter_map(|one| one.split(':').nth(1));
    assert_eq!(given.collect::<Vec<_>>(), secrets);

    let account = one("User");
    assert_eq!(one("Group"), account);
    let service = page_block("service.md", "no test starts systemd.\n\n```sh\n");
    for line in [
        format!("useradd --system --home-dir {state} --shell /usr/sbin/nologin {account}"),
        format!("chown -R {account}:{account} \"$folder\" {state}"),
    ] {
        assert!(service.lines().any(|one| one == line), "{line}");
    }
    let program = one("ExecStart").split(' ').next().unwrap().to_owned();
    let later = page_block("service.md", "write to `$backups` and `$safe`:\n\n```sh\n");
    let run = format!("lanyard() {{ runuser --user {account} -- {program} \"$@\"; }}\n");
    assert_eq!(later, run);
}

/// What the unit starts, the program understands; what it is given, the file above it names.
#[test]
fn the_unit_starts_the_gateway_with_words_that_it_knows_and_secrets_where_it_looks() {
    let unit = read("lanyard.service");
    let [start] = of_unit(&unit, "ExecStart")[..] else {
        panic!("one program")
    };
    let gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let mut words = start.split(' ');
    assert_eq!(words.next(), Some("/usr/local/bin/lanyard"));
    let config = gateway.config_file();
    let words = words.map(|word| match word {
        "/etc/lanyard/gateway.toml" => config.to_str().unwrap(),
        word => word,
    });
    let checked = Command::new(LANYARD)
        .args(words)
        .arg("--check")
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");

    let folder = "/run/credentials/lanyard.service/";
    let named = unit
        .split(folder)
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let given = of_unit(&unit, "LoadCredential");
    let given = given.iter().filter_map(|one| one.split(':').next());
    assert_eq!(named.collect::<Vec<_>>(), given.collect::<Vec<_>>());
    // The longest request takes 30 seconds, and is finished.
    let [stop] = of_unit(&unit, "TimeoutStopSec")[..] else {
        panic!("one time to stop")
    };
    assert!(stop.trim_end_matches('s').parse::<u32>().unwrap() > 30);
}

/// The image is what the repository builds and Kubernetes runs: the same program, account, port and folder in each.
#[test]
fn the_image_has_the_program_the_account_the_port_and_the_folder_that_kubernetes_expects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let image = text("Containerfile").replace("\\\n", " ");
    let lines: Vec<(&str, &str)> = image
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    let all = |word: &str| -> Vec<&str> {
        let of = lines.iter().filter(|(instruction, _)| *instruction == word);
        of.map(|(_, rest)| rest.trim()).collect()
    };
    let known = [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "EXPOSE",
        "ENTRYPOINT",
        "CMD",
    ];
    assert!(
        lines.iter().all(|(word, _)| known.contains(word)),
        "{lines:?}"
    );

    // Built as it is released, by a compiler that is not too old, on the same system that it runs on.
    let [build, run] = all("FROM")[..] else {
        panic!("two stages")
    };
    let compiler = build
        .strip_prefix("rust:")
        .unwrap()
        .split('-')
        .next()
        .unwrap();
    let oldest = text("Cargo.toml");
    let oldest = oldest
        .split("rust-version = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let number = |version: &str| -> Vec<u32> {
        version
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect()
    };
    assert!(number(compiler) >= number(oldest), "{compiler} < {oldest}");
    assert!(
        build.contains("bookworm") && run.contains("bookworm"),
        "{build}, {run}"
    );
    let [cargo, system] = all("RUN")[..] else {
        panic!("two steps")
    };
    assert_eq!(
        cargo,
        "cargo build --profile dist --locked --package lanyard"
    );
    // What the build reads is not left out of what it is given.
    for needed in ["Cargo.lock", "crates", "docs", "fuzz", "xtask"] {
        let left_out = text(".dockerignore");
        assert!(
            !left_out
                .lines()
                .any(|line| line.trim_matches('/') == needed),
            "{needed}"
        );
    }
    let [_, copy] = all("COPY")[..] else {
        panic!("two copies")
    };
    assert_eq!(
        copy,
        "--from=build /src/target/dist/lanyard /usr/local/bin/lanyard"
    );

    // Started as the unit starts it, with words that the program knows.
    let program = all("ENTRYPOINT")[0]
        .trim_matches(['[', ']', '"'])
        .to_owned();
    let words: Vec<String> = serde_json::from_str(all("CMD")[0]).unwrap();
    let unit = read("lanyard.service");
    assert_eq!(
        format!("{program} {}", words.join(" ")),
        of_unit(&unit, "ExecStart")[0]
    );
    let kubernetes = read("kubernetes/gateway.yaml");
    assert!(kubernetes.contains(&format!(
        "args: {}",
        serde_json::to_string(&words).unwrap().replace(',', ", ")
    )));

    // As nobody in particular, in the one folder that it writes.
    let [account] = all("USER")[..] else {
        panic!("one account")
    };
    assert!(system.contains(&format!("useradd --system --uid {account} ")));
    assert!(kubernetes.contains(&format!("runAsUser: {account}\n")));
    let folder = all("VOLUME")[0];
    assert_eq!(all("WORKDIR"), ["/src", folder]);
    assert!(system.contains(&format!(
        "--owner=lanyard --group=lanyard --mode=0700 {folder}"
    )));
    assert!(kubernetes.contains(&format!("name: keys, mountPath: {folder} }}")));
    assert_eq!(all("EXPOSE"), ["8400"]);
    assert!(kubernetes.contains("containerPort: 8400 }"));
    assert!(kubernetes.contains("listen = \"0.0.0.0:8400\""));
}

//! The files in `deploy/` that somebody copies: what stands before the gateway asks whether a process is ready.

use std::path::Path;
use std::process::Command;

use crate::cluster::{haproxy_file, has_haproxy};
use crate::operated::{new_folder, write_certificate, write_private};

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
    let kubernetes = read("kubernetes/gateway.yaml");
    let readiness = kubernetes
        .split("readinessProbe:")
        .nth(1)
        .expect("there is a probe");
    let path = readiness
        .lines()
        .find(|line| line.contains("path:"))
        .unwrap();
    assert!(path.contains("/readyz"), "{path}");
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
    let script = kubernetes.split("            - |\n").nth(1).unwrap();
    let script = script.split("          securityContext").next().unwrap();
    let script = script.replace("/var/lib/lanyard", &volume.display().to_string());
    let script = script.replace("/from/", &format!("{}/", from.display()));
    let mut run = Command::new("sh");
    run.args(["-ec", &script]).env("HOSTNAME", pod);
    run.output().unwrap()
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

    // Neither Secret nor keys: the pod does not start, and nothing half is left.
    let (none, empty) = (folder.join("none"), folder.join("empty"));
    std::fs::create_dir_all(&none).unwrap();
    std::fs::create_dir_all(&empty).unwrap();
    assert!(!bring_keys(&none, &empty, "pod-3").status.success());
    assert!(!empty.join("keys").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

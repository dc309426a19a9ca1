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

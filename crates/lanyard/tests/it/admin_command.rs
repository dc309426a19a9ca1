//! `lanyard operator`, `lanyard admin` and `lanyard audit` as an operator uses them, beside a gateway that runs.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::operated::{LANYARD, Operated, write_private};

/// What the command printed, and whether it was content.
pub(crate) fn lanyard(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    command.args(arguments).stdin(Stdio::null());
    command
        .env_remove("RUST_LOG")
        .env_remove("LANYARD_ADMIN_TOKEN");
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let said = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.success(), said.concat())
}

/// `lanyard audit verify` of an export that comes through a pipe.
fn verify_piped(export: &str) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    command.args(["audit", "verify", "--file", "/dev/stdin"]);
    let mut process = command
        .env_remove("RUST_LOG")
        .env_remove("LANYARD_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(export.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

pub(crate) struct Scene {
    pub(crate) gateway: Operated,
    pub(crate) config: String,
    pub(crate) url: String,
}

impl Scene {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With more lines at the top of the configuration file.
    pub(crate) fn start_with(more: &str) -> Self {
        let mut gateway = Operated::prepare(Database::sqlite());
        gateway.write_keys();
        let url = format!("http://127.0.0.1:{}", gateway.admin_port());
        let admin = format!(
            "admin.listen = \"127.0.0.1:{}\"\n{more}{}",
            gateway.admin_port(),
            gateway.config
        );
        gateway.write_config(&admin);
        let config = gateway.config_file().display().to_string();
        gateway.start();
        Self {
            gateway,
            config,
            url,
        }
    }

    /// An operator made on the machine; gives the file of its token.
    pub(crate) fn operator(&self, name: &str, role: &str) -> String {
        let (content, token) = lanyard(&[
            "operator",
            "add",
            name,
            "--role",
            role,
            "--config",
            &self.config,
        ]);
        assert!(content && token.starts_with("lyo_"), "{token}");
        let file = self.gateway.folder.join(format!("token-{name}"));
        write_private(&file, &token);
        file.display().to_string()
    }

    pub(crate) fn admin(&self, token: &str, verb: &[&str]) -> (bool, String) {
        lanyard(&[&["admin", "--url", &self.url, "--token-file", token], verb].concat())
    }

    #[track_caller]
    pub(crate) fn said(&self, token: &str, verb: &[&str]) -> String {
        let (content, said) = self.admin(token, verb);
        assert!(content, "{said}");
        said
    }

    pub(crate) fn verified(&self) -> String {
        verified_audit(&self.config)
    }
}

/// What `lanyard audit verify` says of a gateway that runs, once every entry has its place.
pub(crate) fn verified_audit(config: &str) -> String {
    let began = Instant::now();
    loop {
        let (content, said) = lanyard(&["audit", "verify", "--config", config]);
        assert!(content, "{said}");
        if !said.contains("have no place yet") {
            return said;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{said}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn two_operators_administer_and_the_audit_tells_it() {
    let scene = Scene::start();
    let (ann, bob) = (
        scene.operator("ann", "administrator"),
        scene.operator("bob", "administrator"),
    );
    let who = scene.said(&ann, &["whoami"]);
    assert!(
        who.contains("administrator") && who.contains("operators-change"),
        "{who}"
    );

    // The third makes their token themselves.
    let (_, made) = lanyard(&["admin", "token"]);
    let word = |name: &str| {
        made.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
            .trim()
            .to_owned()
    };
    let cat = scene.gateway.folder.join("token-cat");
    write_private(&cat, &word("token "));
    let cat = cat.display().to_string();
    let digest = word("sha256");
    let add = [
        "operator",
        "add",
        "cat",
        "--role",
        "auditor",
        "--person",
        "self",
        "--token-sha256",
        &digest,
        "--ticket",
        "INC-1",
        "--json",
    ];
    let proposal: serde_json::Value = serde_json::from_str(&scene.said(&ann, &add)).unwrap();
    let proposal = proposal["id"].as_str().unwrap();
    let (content, said) = scene.admin(&ann, &["proposals", "approve", proposal]);
    assert!(!content && said.contains("second-person-needed"), "{said}");
    let (content, said) = scene.admin(&cat, &["whoami"]);
    assert!(!content && said.contains("unauthorized"), "{said}");
    let open = scene.said(&bob, &["proposals", "list", "--state", "open"]);
    assert!(
        open.contains(proposal) && open.contains("operator-name:cat"),
        "{open}"
    );
    scene.said(&bob, &["proposals", "approve", proposal]);
    assert!(scene.said(&cat, &["whoami"]).contains("auditor"));
    let operators = scene.said(&cat, &["operator", "list"]);
    assert!(
        operators.contains("cat") && operators.lines().count() == 4,
        "{operators}"
    );

    let listed = scene.said(&cat, &["audit", "list", "--act", "operator-added"]);
    assert!(
        listed.contains("INC-1") && listed.contains("command:"),
        "{listed}"
    );
    assert!(scene.verified().contains("everything is as it was written"));
    let report = scene.said(&cat, &["audit", "verify"]);
    assert!(
        report
            .lines()
            .any(|line| line.starts_with("faults") && line.ends_with("[]")),
        "{report}"
    );

    // An export verifies away from the gateway, and a changed one does not.
    let range = ["--from", "2020-01-01", "--to", "2100-01-01"];
    let (content, text) =
        lanyard(&[&["audit", "export", "--config", &scene.config], &range[..]].concat());
    assert!(content, "{text}");
    let file = scene.gateway.folder.join("export.jsonl");
    let file = file.to_str().unwrap();
    fs::write(file, &text).unwrap();
    let (content, said) = lanyard(&["audit", "verify", "--file", file]);
    assert!(
        content && said.contains("signatures of the checkpoints are not checked"),
        "{said}"
    );
    let changed = text.replacen("INC-1", "INC-2", 1);
    fs::write(file, &changed).unwrap();
    let (content, said) = lanyard(&["audit", "verify", "--file", file, "--config", &scene.config]);
    assert!(!content && said.contains("changed: "), "{said}");
    // A pipe can be read only once, and is checked as a file is.
    let (content, said) = verify_piped(&text);
    assert!(
        content && said.contains("everything is as it was written"),
        "{said}"
    );
    let (content, said) = verify_piped(&changed);
    assert!(!content && said.contains("changed: "), "{said}");
    let csv = [
        &[
            "audit",
            "export",
            "--format",
            "csv",
            "--config",
            &scene.config,
        ],
        &range[..],
    ]
    .concat();
    assert!(lanyard(&csv).1.starts_with("position,at,actor,"));
}

#[test]
fn a_token_is_taken_from_its_holder_on_the_machine_and_travels_nowhere_in_the_open() {
    let scene = Scene::start();
    let ann = scene.operator("ann", "administrator");
    let (content, said) = lanyard(&[
        "operator",
        "add",
        "ann",
        "--role",
        "viewer",
        "--config",
        &scene.config,
    ]);
    assert!(!content && said.contains("operator-name-taken"), "{said}");
    let (content, said) = lanyard(&[
        "operator",
        "add",
        "bob",
        "--role",
        "emperor",
        "--config",
        &scene.config,
    ]);
    assert!(!content && said.contains("key-custodian"), "{said}");
    let (_, listed) = lanyard(&["operator", "list", "--config", &scene.config]);
    let token = listed
        .split_whitespace()
        .find(|word| word.starts_with("tk-"))
        .unwrap()
        .to_owned();
    let (content, said) = lanyard(&[
        "operator",
        "token",
        "revoke",
        &token,
        "--config",
        &scene.config,
    ]);
    assert!(content, "{said}");
    assert!(!scene.admin(&ann, &["whoami"]).0);
    let new = lanyard(&["operator", "token", "new", "ann", "--config", &scene.config]);
    write_private(std::path::Path::new(&ann), &new.1);
    scene.said(&ann, &["whoami"]);
    let (content, said) = lanyard(&["operator", "remove", "ann", "--config", &scene.config]);
    assert!(content, "{said}");
    assert!(!scene.admin(&ann, &["whoami"]).0);

    let far = [
        "admin",
        "--url",
        "http://gateway.example:8410",
        "--token-file",
        &ann,
        "whoami",
    ];
    let (content, said) = lanyard(&far);
    assert!(!content && said.contains("https only"), "{said}");
    // Nothing that opens anything came into the log.
    let log = scene.gateway.log();
    assert!(
        log.contains("the admin API is ready") && !log.contains("lyo_"),
        "{log}"
    );
}

#[test]
fn who_may_use_the_gateway_is_said_from_afar_and_shown_before_it_is_done() {
    let scene = Scene::start();
    let (ann, bob) = (
        scene.operator("ann", "administrator"),
        scene.operator("bob", "operator"),
    );
    let folder = scene.gateway.folder.display().to_string();
    let said = |verb: &str| {
        let words: Vec<&str> = verb.split('|').map(str::trim).collect();
        scene.said(&ann, &words)
    };
    // A secret is read on this machine and sent; the gateway reads no file for anybody.
    let key = format!("{folder}/newtown-key");
    write_private(
        std::path::Path::new(&key),
        "c2lnbmluZy1rZXktb2YtbmV3dG93bi0wMTIzNDU2Nzg5YWJjZGVm",
    );
    let declared = format!(
        "[[organisations]]\nid = \"newtown\"\nname = \"Newtown NHS Trust\"\nissues = [\"FireSafety\"]\n\
         [[organisations.relying_parties]]\nname = \"Newtown staff services\"\nclient_id = \"newtown-staff\"\n\
         redirect_uris = [\"https://staff.newtown.example/cb\"]\ndialect = \"plain\"\nsigning_key = {{ file = \"{key}\" }}\n"
    );
    let file = format!("{folder}/newtown.toml");
    fs::write(&file, declared).unwrap();
    let plan = said(&format!("registry|plan|--file|{file}"));
    assert!(
        plan.starts_with("+ organisation newtown\n+ relying-party newtown-staff of newtown\n"),
        "{plan}"
    );
    let name = plan
        .lines()
        .find_map(|line| line.strip_prefix("plan: "))
        .unwrap();
    let (content, refused) =
        scene.admin(&ann, &["registry", "apply", "--file", &file, "--plan", "0"]);
    assert!(
        !content && refused.contains("changed-meanwhile"),
        "{refused}"
    );
    said(&format!(
        "registry|apply|--file|{file}|--plan|{name}|--ticket|INC-1"
    ));
    let parties = said("relying-party|list|--organisation|newtown");
    assert!(
        parties.contains("newtown-staff") && parties.lines().count() == 2,
        "{parties}"
    );

    let secret = said("relying-party|secret|new|newtown-staff");
    assert!(
        secret
            .lines()
            .next()
            .is_some_and(|line| line.len() >= 40 && !line.contains(' ')),
        "{secret}"
    );
    assert!(said("relying-party|secret|list|newtown-staff").contains("true"));
    said(
        "relying-party|onboarding|settle|newtown-staff|contacts|--evidence|form of 20 November|--on|2026-11-20",
    );
    assert!(
        said("relying-party|onboarding|export|newtown-staff")
            .contains("\"2026-11-20\",\"form of 20 November\"")
    );
    // Whom a live organisation trusts is two persons' to say.
    let issuer = "did:web:issuer.example";
    let trust = ["organisation", "trust", "newtown", "FireSafety", issuer];
    let (content, refused) = scene.admin(&ann, &trust);
    assert!(
        !content && refused.contains("organisation-trust-add"),
        "{refused}"
    );
    let detail = format!(
        "{{\"organisation\":\"newtown\",\"credential_type\":\"FireSafety\",\"issuer\":\"{issuer}\"}}"
    );
    let proposed = said(&format!(
        "proposals|make|organisation-trust-add|{detail}|--json"
    ));
    let proposed: serde_json::Value = serde_json::from_str(&proposed).unwrap();
    scene.said(
        &bob,
        &["proposals", "approve", proposed["id"].as_str().unwrap()],
    );
    assert!(said("organisation|show|newtown").contains("did:web:issuer.example"));
    let change = [
        "relying-party",
        "change",
        "newtown-staff",
        "{\"redirect_uris\":[\"https://b.example/cb\"]}",
    ];
    let (content, refused) = scene.admin(&ann, &change);
    assert!(
        !content && refused.contains("two-persons-needed"),
        "{refused}"
    );
    let proposed = said("relying-party|redirect|newtown-staff|https://b.example/cb|--json");
    let proposed: serde_json::Value = serde_json::from_str(&proposed).unwrap();
    scene.said(
        &bob,
        &["proposals", "approve", proposed["id"].as_str().unwrap()],
    );
    assert!(said("relying-party|show|newtown-staff").contains("https://b.example/cb"));
    let kind = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../gateway/credential-types/FireSafety.toml"
    );
    said(&format!("type|upload|{kind}"));
    assert!(said("type|versions|FireSafety").contains("operator:op-"));
    said("type|remove|FireSafety");
    assert!(scene.verified().contains("everything is as it was written"));
}

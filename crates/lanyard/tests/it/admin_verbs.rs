//! Every verb of `lanyard admin` that no other test says, over the real program and a gateway that runs; and what is done at
//! the machine beside it.

use std::path::Path;

use serde_json::Value;
use store::Statement;

use crate::admin_command::{Scene, lanyard};
use crate::operated::write_private;

const SERIALS: [&str; 4] = [
    "3f0c1c1e-52f4-4b6f-9b2f-000000000001",
    "3f0c1c1e-52f4-4b6f-9b2f-000000000002",
    "3f0c1c1e-52f4-4b6f-9b2f-000000000003",
    "3f0c1c1e-52f4-4b6f-9b2f-000000000004",
];

/// A scene with operators who may do everything between them, and credentials of Anytown's.
struct Walk {
    scene: Scene,
    administrator: String,
    custodian: String,
    operator: String,
}

impl Walk {
    async fn begin() -> Self {
        let scene = Scene::start();
        let store = scene.gateway.database.open().await;
        let list =
            "INSERT INTO status_lists (organisation, list, revision) VALUES ('anytown', 1, 0)";
        let mut batch = vec![Statement::new(list)];
        for (index, serial) in (0i64..).zip(SERIALS) {
            let insert = "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
                          list, list_index, issued_at) VALUES ($1, 'anytown', 'anytown-staff-services', 'Identity', \
                          'jwt_vc_json', 'none', 1, $2, 1)";
            batch.push(Statement::new(insert).bind(serial).bind(index));
            scene.gateway.keep_unsaid(&serial);
        }
        store.write(batch).await.unwrap();
        store.close().await;
        Self {
            administrator: scene.operator("ann", "administrator"),
            custodian: scene.operator("kim", "key-custodian"),
            operator: scene.operator("opal", "operator"),
            scene,
        }
    }

    /// Words between bars.
    #[track_caller]
    fn said(&self, token: &str, verb: &str) -> String {
        let words: Vec<&str> = verb.split('|').collect();
        self.scene.said(token, &words)
    }

    #[track_caller]
    fn told(&self, token: &str, verb: &str) -> Value {
        let said = self.said(token, &format!("{verb}|--json"));
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"))
    }

    #[track_caller]
    fn refused(&self, token: &str, verb: &str, code: &str) {
        let words: Vec<&str> = verb.split('|').collect();
        let (content, said) = self.scene.admin(token, &words);
        assert!(!content && said.contains(code), "{verb}: {said}");
    }

    /// At the machine.
    #[track_caller]
    fn here(&self, verb: &str) -> String {
        let mut words: Vec<&str> = verb.split('|').collect();
        words.extend(["--config", &self.scene.config]);
        let (content, said) = lanyard(&words);
        assert!(content, "{verb}: {said}");
        said
    }

    #[track_caller]
    fn approved(&self, proposal: &Value, by: &str) {
        let id = proposal["id"].as_str().unwrap();
        self.said(by, &format!("proposals|approve|{id}"));
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.scene.gateway.folder.join(name);
        write_private(&path, text);
        path.display().to_string()
    }

    fn organisations_and_systems(&self) {
        let ann = self.administrator.as_str();
        self.said(
            ann,
            "organisation|create|newtown|--name|Newtown NHS Trust|--issues|FireSafety|--ticket|INC-1",
        );
        self.said(
            ann,
            "organisation|change|newtown|{\"name\":\"Newtown Hospitals\"}|--version|1",
        );
        self.refused(
            ann,
            "organisation|change|newtown|{\"name\":\"Late\"}|--version|1",
            "changed-meanwhile",
        );
        self.refused(ann, "organisation|change|newtown|[]", "a JSON object");
        assert!(
            self.said(ann, "organisation|list")
                .contains("Newtown Hospitals")
        );
        assert!(
            self.said(ann, "organisation|versions|newtown")
                .contains("change")
        );
        let key = self.file("key.pem", "-----BEGIN PRIVATE KEY-----\n");
        self.refused(
            ann,
            &format!("organisation|certify|newtown|{key}"),
            "there is a private key in",
        );
        let none = self.file("none.pem", "nothing\n");
        self.refused(
            ann,
            &format!("organisation|certify|newtown|{none}"),
            "no PEM of certificates",
        );
        self.said(ann, "organisation|certify|newtown");

        let signing = self.file(
            "newtown-key",
            "c2lnbmluZy1rZXktb2YtbmV3dG93bi0wMTIzNDU2Nzg5YWJjZGVm",
        );
        self.said(
            ann,
            &format!(
                "relying-party|create|newtown-staff|--organisation|newtown|--name|Newtown staff|--redirect-uri|\
                 https://a.example/cb|--signing-key-file|{signing}"
            ),
        );
        self.said(
            ann,
            "relying-party|change|newtown-staff|{\"name\":\"Newtown people\"}",
        );
        assert!(
            self.said(ann, "relying-party|versions|newtown-staff")
                .contains("change")
        );
        let [first, second] = ["new|newtown-staff", "rotate|newtown-staff|--overlap|3"]
            .map(|verb| self.told(ann, &format!("relying-party|secret|{verb}")));
        assert_ne!(first["secret"], second["secret"]);
        let id = first["id"].as_str().unwrap();
        self.said(ann, &format!("relying-party|secret|end|newtown-staff|{id}"));
        let last = second["id"].as_str().unwrap();
        self.refused(
            ann,
            &format!("relying-party|secret|end|newtown-staff|{last}"),
            "last-secret",
        );
        assert!(
            self.said(ann, "relying-party|onboarding|show|newtown-staff")
                .contains("contacts")
        );
        assert!(self.said(ann, "type|list").contains("FireSafety"));
        assert!(
            self.said(ann, "type|show|FireSafety")
                .contains("FireSafety")
        );
        self.refused(ann, "organisation|remove|newtown", "still-in-use");
        self.said(ann, "relying-party|remove|newtown-staff|--reason|gone");
        self.said(ann, "organisation|remove|newtown");
    }

    fn keys(&self) {
        let (kim, ann) = (self.custodian.as_str(), self.administrator.as_str());
        self.refused(ann, "keys|rotate|anytown.status", "forbidden");
        let made = self.told(kim, "keys|create|anytown.credentials|--algorithm|ES256");
        let next = made["changes"][0]["key"].as_str().unwrap().to_owned();
        self.refused(kim, &format!("keys|activate|{next}"), "key-too-young");
        let changes = self.said(
            kim,
            &format!("keys|activate|{next}|--at-once|--ticket|INC-2"),
        );
        assert!(changes.contains("verify-only"), "{changes}");
        assert!(
            self.said(kim, &format!("keys|show|{next}"))
                .contains("active")
        );
        self.refused(kim, &format!("keys|verify-only|{next}"), "key-no-next");
        self.said(kim, "keys|rotate|anytown.credentials");
        self.said(kim, &format!("keys|verify-only|{next}|--at-once"));
        let other = self.scene.operator("lee", "key-custodian");
        let proposal = self.told(kim, &format!("keys|remove|{next}|--force"));
        self.approved(&proposal, &other);
        let listed = self.said(kim, "keys|list|--all");
        assert!(listed.contains("removed"), "{listed}");
        let status = self.told(kim, "keys|rotate|anytown.status|--at-once");
        let leaked = status["changes"][0]["key"].as_str().unwrap().to_owned();
        let plan = self.told(kim, &format!("keys|compromised|{leaked}"));
        let plan = plan["plan"].as_str().unwrap();
        let done = format!("keys|compromised|{leaked}|--plan|{plan}|--ticket|INC-3");
        self.said(kim, &done);
        assert!(self.said(kim, "keys|list|--all").contains("compromised"));
    }

    fn credentials(&self) {
        let (opal, ann) = (self.operator.as_str(), self.administrator.as_str());
        let [one, two, three, four] = SERIALS;
        self.said(
            opal,
            &format!("credential|suspend|{one}|--reason|under-review|--type|Identity"),
        );
        assert!(
            self.said(opal, &format!("credential|show|{one}"))
                .contains("suspended")
        );
        self.said(
            opal,
            &format!("credential|reinstate|{one}|--reason|data-error"),
        );
        self.said(
            opal,
            &format!("credential|revoke|{one}|--reason|left-employment|--ticket|INC-4"),
        );
        self.refused(
            opal,
            &format!("credential|revoke|{two}|--reason|data-error|--type|FireSafety"),
            "not-found",
        );
        let file = self.file("serials", &format!("serial_number\n{two}\n{three}\n"));
        let upload = format!(
            "bulk|upload|{file}|--organisation|anytown|--reason|superseded|--ticket|INC-5|--pace|1"
        );
        let job = self.told(opal, &upload);
        let id = job["job"]["id"].as_str().unwrap().to_owned();
        assert_eq!(job["dry_run"]["in_force"], 2);
        self.said(opal, &format!("bulk|pace|{id}|1000"));
        let proposal = self.told(opal, &format!("bulk|propose|{id}|--ticket|INC-5"));
        let other = self.scene.operator("orla", "operator");
        self.approved(&proposal, &other);
        let began = std::time::Instant::now();
        while !self
            .said(opal, &format!("bulk|show|{id}"))
            .contains("finished")
        {
            assert!(began.elapsed().as_secs() < 30, "the job does not end");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        self.refused(opal, &format!("bulk|pause|{id}"), "job-state");
        self.refused(opal, &format!("bulk|resume|{id}"), "job-state");
        let file = self.file("more", &format!("{four}\n"));
        let second = self.told(opal, &upload.replace("serials", "more"));
        assert!(Path::new(&file).exists());
        let second = second["job"]["id"].as_str().unwrap();
        self.said(opal, &format!("bulk|stop|{second}|--reason|a mistake"));
        let jobs = self.said(opal, "bulk|list");
        assert!(
            jobs.contains("stopped") && jobs.contains("finished"),
            "{jobs}"
        );
        assert!(self.said(ann, "figures").contains("credentials"));
        assert!(self.said(ann, "checks").contains("the database answers in"));
        let checklist = self.said(ann, "checklist");
        assert!(checklist.contains("remedy") && checklist.contains("in use"));
        assert!(!self.said(opal, "interaction|failures|--hours|1").is_empty());
        self.refused(opal, "interaction|show|nobody-knows", "not-found");
    }

    fn tokens_and_proposals(&self) {
        let ann = self.administrator.as_str();
        let token = self.told(ann, "tokens|new|--days|3");
        let id = token["id"].as_str().unwrap();
        assert!(self.said(ann, "tokens|list").contains(id));
        self.said(ann, &format!("tokens|revoke|{id}|--reason|not needed"));
        let operators = self.told(ann, "operator|list");
        let kim = operators["operators"].as_array().unwrap().iter();
        let kim = kim.clone().find(|one| one["name"] == "kim").unwrap();
        let kim = kim["id"].as_str().unwrap();
        assert!(
            self.said(ann, &format!("operator|show|{kim}"))
                .contains("key-custodian")
        );
        let role = self.told(ann, &format!("operator|role|{kim}|viewer"));
        let more = self.told(
            ann,
            &format!("operator|token|{kim}|--token-sha256|{}", "ab".repeat(32)),
        );
        let reset = self.told(
            ann,
            &format!(
                "operator|reset-sign-in|{kim}|--token-sha256|{}|--reason|lost phone",
                "cd".repeat(32)
            ),
        );
        assert_eq!(reset["act"], "operator-sign-in-reset");
        for proposal in [&role, &more, &reset] {
            let id = proposal["id"].as_str().unwrap();
            assert!(
                self.said(ann, &format!("proposals|show|{id}"))
                    .contains("open")
            );
            self.said(ann, &format!("proposals|decline|{id}"));
        }
        self.refused(
            ann,
            "proposals|make|operator-role-change|nothing",
            "a JSON object",
        );
        self.said(
            ann,
            &format!(
                "proposals|make|operator-role-change|{{\"operator\":\"{kim}\",\"role\":\"desk\"}}"
            ),
        );
        let export = "audit|export|--from|2020-01-01T00:00:00Z|--to|2020-02-01T00:00:00Z";
        assert!(self.said(ann, export).contains("\"kind\":\"end\""));
        self.said(ann, &format!("operator|remove|{kim}|--reason|left"));
        self.refused(&self.custodian, "whoami", "unauthorized");
    }

    fn holds(&self) {
        let ann = self.administrator.as_str();
        self.said(ann, "holds|set|--organisation|anytown|--reason|inquiry 7");
        assert!(self.said(ann, "holds|list").contains("inquiry 7"));
        let plan = self.said(ann, "holds|plan");
        assert!(
            plan.contains("upload-lines") && plan.contains("7 days"),
            "{plan}"
        );
        self.said(ann, "holds|lift|--organisation|anytown|--reason|closed");
        // The same at the machine.
        self.here("retention|hold|--organisation|anytown|--reason|inquiry 8");
        assert!(self.here("retention|holds").contains("inquiry 8"));
        assert!(self.said(ann, "holds|list").contains("inquiry 8"));
        self.here("retention|release|--organisation|anytown");
        assert!(!self.here("retention|holds").contains("inquiry 8"));
        let again = [
            "retention",
            "release",
            "--organisation",
            "anytown",
            "--config",
        ];
        let (content, said) = lanyard(&[&again[..], &[&self.scene.config]].concat());
        assert!(
            !content && said.contains("nothing of that was held"),
            "{said}"
        );
        for act in ["hold-placed", "hold-lifted"] {
            let entries = self.said(ann, &format!("audit|list|--act|{act}"));
            assert_eq!(entries.lines().count(), 3, "{entries}");
        }
    }

    fn sign_in(&self) {
        let reset = self.here("operator|sign-in|reset|opal");
        assert!(reset.contains("opal signs in no more"), "{reset}");
        let (content, said) = lanyard(&[
            "operator",
            "sign-in",
            "reset",
            "nobody",
            "--config",
            &self.scene.config,
        ]);
        assert!(!content && said.contains("operator-unknown"), "{said}");
        // Tokens are for programs, and stay.
        self.said(&self.operator, "whoami");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_does_what_it_says_beside_a_gateway_that_runs() {
    let walk = Walk::begin().await;
    walk.organisations_and_systems();
    walk.keys();
    walk.credentials();
    walk.holds();
    walk.sign_in();
    walk.tokens_and_proposals();
    let verified = walk.scene.verified();
    assert!(
        verified.contains("everything is as it was written"),
        "{verified}"
    );
}

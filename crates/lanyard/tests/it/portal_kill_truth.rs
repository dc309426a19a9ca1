//! What must be true of portal, gateway, wallets and mailbox once everything has settled, whoever died before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::portal_files::{OTHER_PROGRAMME, PROGRAMME};
use crate::portal_processes::{Processes, System};

/// How long settling may take: a mail that met a dead server waits for 15 seconds, the second time for a minute.
const PATIENCE: Duration = Duration::from_mins(2);

/// What was counted on the way.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) credentials: usize,
    pub(crate) issued: usize,
    pub(crate) revoked: usize,
    /// Issued by the gateway, and never kept by the wallet: something died over it, and the portal had it revoked.
    pub(crate) never_kept: usize,
    pub(crate) mails: usize,
    /// Mails that came a second time.
    pub(crate) repeated: usize,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            credentials,
            issued,
            revoked,
            never_kept,
            mails,
            repeated,
        } = self;
        write!(
            f,
            "{credentials} credentials asked for: {issued} in force, {revoked} revoked ({never_kept} that no wallet \
             kept), the others never issued; {mails} mails, and {repeated} copies of them"
        )
    }
}

/// What the portal says of a credential.
struct Known {
    employee: String,
    record: String,
    stage: String,
    /// The revocation that is wanted of it, and whether its employee is to be told.
    wanted: Option<bool>,
    mail: Option<String>,
}

/// What the portal still has to do, as far as it knows that it has to.
const DUE: &str = "SELECT 'revocation ' || COALESCE(fault, 'not tried') AS what \
                   FROM connector_revocations r JOIN connector_credentials c ON c.serial_number = r.serial_number \
                   WHERE r.done_at IS NULL AND c.stage <> 'not-issued' \
                   UNION ALL SELECT 'mail ' || COALESCE(fault, 'not tried') FROM connector_mails WHERE sent_at IS NULL";
/// And what it has to find out, or to look at once more.
const OPEN: &str = "SELECT 'credential ' || stage AS what FROM connector_credentials WHERE stage IN ('asked', 'checking') \
                    UNION ALL SELECT 'revocation ' || COALESCE(fault, 'not tried') FROM connector_revocations WHERE done_at IS NULL \
                    UNION ALL SELECT 'mail ' || COALESCE(fault, 'not tried') FROM connector_mails WHERE sent_at IS NULL";

/// Waits until the portal has nothing left to do or to find out.
pub(crate) async fn settle(world: &Processes) -> Duration {
    wait_for_none(world, OPEN).await
}

/// Waits until it has done what it knows that it has to do.
pub(crate) async fn settle_what_is_due(world: &Processes) -> Duration {
    wait_for_none(world, DUE).await
}

async fn wait_for_none(world: &Processes, select: &'static str) -> Duration {
    let began = Instant::now();
    loop {
        let open = world.portal_rows(select).await;
        if open.is_empty() {
            return began.elapsed();
        }
        let what: Vec<_> = open.iter().map(|row| row.text("what").unwrap()).collect();
        assert!(began.elapsed() < PATIENCE, "does not settle: {what:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Compares the four parties' memories.
pub(crate) async fn check(world: &Processes, employees: usize) -> Counted {
    let known = what_the_portal_knows(world).await;
    let in_force = what_the_gateway_issued(world).await;
    let mut counted = Counted {
        credentials: known.len(),
        ..Counted::default()
    };

    for serial_number in in_force.keys() {
        assert!(
            known.contains_key(serial_number),
            "{serial_number} was issued, and the portal does not know it"
        );
    }
    let held = what_the_wallets_hold(world, employees, &known).await;
    let changed = changed_records(world).await;
    for (serial_number, credential) in &known {
        let Known { stage, record, .. } = credential;
        let stands = in_force.get(serial_number).copied();
        match stage.as_str() {
            "issued" => {
                assert_eq!(stands, Some(true), "{serial_number} of {record} is issued");
                let says = held.get(serial_number).map(String::as_str);
                let now = if changed.contains(record) {
                    OTHER_PROGRAMME
                } else {
                    PROGRAMME
                };
                assert_eq!(
                    says,
                    Some(now),
                    "{serial_number} of {record} is issued: it is in the wallet, and says what the record says"
                );
                counted.issued += 1;
            }
            "revoked" => {
                assert_eq!(
                    stands,
                    Some(false),
                    "{serial_number} of {record} is revoked"
                );
                counted.revoked += 1;
            }
            // One that the gateway took back by itself is as good as never issued.
            "not-issued" => {
                assert_ne!(
                    stands,
                    Some(true),
                    "{serial_number} of {record} is not issued"
                );
            }
            other => panic!("{serial_number} of {record} is still {other}"),
        }
        assert_eq!(
            credential.wanted.is_some(),
            stage == "revoked",
            "{serial_number} of {record}, {stage}: what was wanted is done, and nothing else"
        );
        assert_eq!(
            credential.mail.is_some(),
            credential.wanted == Some(true),
            "{serial_number} of {record}: its employee is told if they are to be told"
        );
        let never_kept = stands.is_some() && !held.contains_key(serial_number);
        counted.never_kept += usize::from(never_kept);
    }
    check_mails(world, &known, &mut counted).await;
    counted
}

async fn what_the_portal_knows(world: &Processes) -> BTreeMap<String, Known> {
    let rows = world
        .portal_rows(
            "SELECT c.serial_number, c.employee, c.record, c.stage, r.tell, \
                    COALESCE(m.notification_id || '@notifications.service.gov.uk', m.message_id) AS message_id \
             FROM connector_credentials c \
             LEFT JOIN connector_revocations r ON r.serial_number = c.serial_number AND r.done_at IS NOT NULL \
             LEFT JOIN connector_mails m ON m.serial_number = c.serial_number",
        )
        .await;
    let known = rows.iter().map(|row| {
        let text = |name| row.text(name).unwrap().to_owned();
        let credential = Known {
            employee: text("employee"),
            record: text("record"),
            stage: text("stage"),
            wanted: row.optional_integer("tell").unwrap().map(|tell| tell == 1),
            mail: row.optional_text("message_id").unwrap().map(str::to_owned),
        };
        (text("serial_number"), credential)
    });
    known.collect()
}

/// By serial number, whether it is in force.
async fn what_the_gateway_issued(world: &Processes) -> BTreeMap<String, bool> {
    let rows = world
        .gateway_rows(
            "SELECT serial_number, revoked_at FROM credentials WHERE credential_type = 'TrainingProgramme'",
        )
        .await;
    let issued = rows.iter().map(|row| {
        let stands = row.optional_integer("revoked_at").unwrap().is_none();
        (row.text("serial_number").unwrap().to_owned(), stands)
    });
    issued.collect()
}

/// The programme that each says, by serial number, which the portal knows as that employee's; a verifier finds each as the
/// portal has it.
async fn what_the_wallets_hold(
    world: &Processes,
    employees: usize,
    known: &BTreeMap<String, Known>,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for number in 0..employees {
        let held = world.walk(number).held().await.unwrap();
        for held in held {
            if held.credential_type == "Identity" {
                continue;
            }
            let serial_number = held.serial_number.unwrap();
            let credential = known.get(&serial_number);
            let credential =
                credential.expect("a serial number in a wallet is known to the portal");
            assert_eq!(credential.employee, format!("e{number}"));
            let wanted = match credential.stage.as_str() {
                "issued" => "valid",
                _ => "revoked",
            };
            assert_eq!(held.status, wanted, "{serial_number} in the wallet");
            let programme = held.claims["TPR-Name"].as_str().unwrap().to_owned();
            all.insert(serial_number, programme);
        }
    }
    all
}

/// The records that say what HR wrote. A sidecar has no more than their digests, and is told until it has taken it.
async fn changed_records(world: &Processes) -> BTreeSet<String> {
    if world.plan.system == System::Sidecar {
        return told_to_be_changed(world).await;
    }
    let records = world
        .portal_rows("SELECT id, claims FROM portal_records")
        .await;
    let changed = records
        .iter()
        .filter(|row| row.text("claims").unwrap().contains(OTHER_PROGRAMME));
    changed
        .map(|row| row.text("id").unwrap().to_owned())
        .collect()
}

/// Those whose digest is another than that of what was confirmed for some credential of theirs.
async fn told_to_be_changed(world: &Processes) -> BTreeSet<String> {
    let rows = world
        .portal_rows(
            "SELECT r.record FROM sidecar_records r WHERE EXISTS ( \
             SELECT 1 FROM connector_credentials c WHERE c.record = r.record AND c.digest <> r.digest)",
        )
        .await;
    let records = rows
        .iter()
        .map(|row| row.text("record").unwrap().to_owned());
    records.collect()
}

/// Each mail that was written came, as often as it came with the one Message-ID and the same words; and no other came.
async fn check_mails(world: &Processes, known: &BTreeMap<String, Known>, counted: &mut Counted) {
    let mut written: BTreeMap<&str, (&Known, usize, String)> = BTreeMap::new();
    for credential in known.values() {
        if let Some(message_id) = &credential.mail {
            written.insert(message_id, (credential, 0, String::new()));
        }
    }
    for mail in world.walk(0).mails().await.unwrap() {
        let message_id = mail.message_id.expect("a mail has a Message-ID");
        let (credential, copies, text) = written
            .get_mut(message_id.as_str())
            .expect("nobody wrote this mail");
        assert_eq!(mail.to, format!("{}@anytown.example", credential.employee));
        assert!(*copies == 0 || *text == mail.text, "one mail, two texts");
        *copies += 1;
        *text = mail.text;
        counted.repeated += usize::from(*copies > 1);
    }
    for (message_id, (credential, copies, _)) in &written {
        assert!(
            *copies > 0,
            "{message_id} to {} never came",
            credential.employee
        );
        assert_eq!(credential.stage, "revoked");
    }
    counted.mails = written.len();
}

//! Whether one human might count as two persons: what one proposes, the other approves.

use std::collections::BTreeMap;

use gateway::Gateway;
use gateway::operator::Known;
use gateway::operator::desk::Desk;
use gateway::random::Random;

use super::Findings;

/// Operators of one name who are different persons to the gateway. Names are an organisation's own, so that two humans may share
/// one; whether it is one human no program can know.
pub(super) async fn look_at_names(gateway: &Gateway, findings: &mut Findings) {
    let code = "operators";
    let random = Random::system();
    let desk = Desk {
        store: &gateway.app().store,
        random: &random,
        account: "doctor",
        now: gateway.now(),
    };
    let all = match desk.list().await {
        Ok(all) => all,
        Err(error) => return findings.bad(code, format!("{error}: look at the database")),
    };
    let mut of_name: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for (known, _) in &all {
        // A program is somebody's, and an account for emergencies is a token in an envelope.
        if known.removed_at.is_none() && !known.program && !known.break_glass {
            of_name.entry(&known.name).or_default().push(known);
        }
    }
    let persons = of_name.values().map(Vec::len).sum::<usize>();
    let mut alike = Vec::new();
    for (name, same) in of_name {
        if same.iter().any(|one| one.person != same[0].person) {
            let whose = same.iter().map(|one| {
                let whose = one.organisation.as_deref().unwrap_or("the whole gateway");
                format!("{} of {whose}", one.id)
            });
            alike.push(format!("{name} ({})", whose.collect::<Vec<_>>().join(", ")));
        }
    }
    if alike.is_empty() {
        findings.good(
            code,
            format!("{persons} people, no two of one name that count as two"),
        );
    } else {
        findings.look(
            code,
            format!(
                "of one name, and each counts as a person of its own: {}; ask whether they are one human, who would be a second \
                 person to themself: if so, remove one, and have it added anew as another account of the other, `lanyard admin operator add … --person ID` (docs/operate/operators.md)",
                alike.join("; ")
            ),
        );
    }
}

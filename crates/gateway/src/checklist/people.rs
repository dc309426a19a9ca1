//! Whether there are two people for what takes two, and whether one human might count as both.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use store::{Statement, StoreError};

use super::Findings;
use crate::Gateway;
use crate::admin::{Right, Role};
use crate::operator::Known;
use crate::operator::desk::{Desk, DeskError};

/// What takes two, by the right that both need.
const TAKE_TWO: [(Right, &str); 3] = [
    (Right::OperatorsChange, "new operators and roles"),
    (Right::RegistryChange, "changes of live relying parties"),
    (Right::KeysChange, "the removal of keys"),
];

/// Who the operators are.
pub(super) async fn look_at_operators(
    gateway: &Gateway,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let app = gateway.app();
    let now = app.now();
    let desk = Desk {
        store: &app.store,
        random: &app.random,
        account: "",
        now,
    };
    let all = match desk.list().await {
        Ok(all) => all,
        Err(DeskError::Store(error)) => return Err(error),
        Err(error) => {
            findings.bad("operators", error.to_string(), "look at the database");
            return Ok(());
        }
    };
    let sign_ins = Statement::new("SELECT operator FROM operator_sign_ins");
    let mut can_come_in = HashSet::new();
    for row in app.store.read(sign_ins).await? {
        can_come_in.insert(row.text("operator")?.to_owned());
    }
    let in_force = all.iter().flat_map(|(_, tokens)| tokens);
    let in_force = in_force.filter(|token| token.revoked_at.is_none() && token.expires_at > now);
    can_come_in.extend(in_force.map(|token| token.operator.clone()));
    // A program is somebody's, and an account for emergencies is a token in an envelope.
    let people: Vec<&Known> = all
        .iter()
        .map(|(known, _)| known)
        .filter(|known| known.removed_at.is_none() && !known.program && !known.break_glass)
        .collect();
    judge_names(&people, findings);
    if gateway.config().admin.is_some() {
        let reach: Vec<&Known> = people
            .into_iter()
            .filter(|known| can_come_in.contains(&known.id))
            .collect();
        judge_approvers(&reach, findings);
    }
    Ok(())
}

/// Operators of one name who are different persons to the gateway. Names are an organisation's own, so that two humans may share
/// one; whether it is one human no program can know.
fn judge_names(people: &[&Known], findings: &mut Findings) {
    let mut of_name: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for known in people {
        of_name.entry(&known.name).or_default().push(known);
    }
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
        let count = people.len();
        findings.good(
            "operators",
            format!("{count} people, no two of one name that count as two"),
        );
    } else {
        findings.look(
            "operators",
            format!("of one name, and each counts as a person of its own: {}", alike.join("; ")),
            "ask whether they are one human, who would be a second person to themself: if so, remove one, and have it added anew as \
             another account of the other, `lanyard admin operator add … --person ID` (docs/operate/operators.md)",
        );
    }
}

/// Two people of the whole gateway who can come in, for each thing that takes two.
fn judge_approvers(people: &[&Known], findings: &mut Findings) {
    let mut missing = Vec::new();
    for (right, what) in TAKE_TWO {
        let may = |known: &&&Known| {
            let role = Role::of_name(&known.role);
            known.organisation.is_none()
                && role.is_some_and(|role| role.may(right) && role.may(Right::ProposalsDecide))
        };
        let persons = people.iter().filter(may).map(|known| &known.person);
        let count = persons.collect::<BTreeSet<_>>().len();
        if count < 2 {
            missing.push(format!("{what} ({count})"));
        }
    }
    if missing.is_empty() {
        findings.good(
            "approvers",
            "two people or more can come in for everything that takes two",
        );
    } else {
        findings.look(
            "approvers",
            format!("fewer than two people can come in for {}", missing.join(", ")),
            "add people of the roles that may, and have each set up how they sign in (docs/operate/operators.md)",
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::State;
    use super::*;

    fn person(name: &str, role: Role, organisation: Option<&str>) -> Known {
        Known {
            id: format!("op-{name}"),
            name: name.to_owned(),
            role: role.name().to_owned(),
            organisation: organisation.map(str::to_owned),
            person: format!("op-{name}"),
            program: false,
            break_glass: false,
            added_at: jiff::Timestamp::UNIX_EPOCH,
            removed_at: None,
        }
    }

    fn told(people: &[Known]) -> (State, String) {
        let mut findings = Findings::default();
        judge_approvers(&people.iter().collect::<Vec<_>>(), &mut findings);
        let one = findings.iter().next().unwrap();
        (one.state, one.says.clone())
    }

    #[test]
    fn one_human_with_two_accounts_is_not_two_people_nor_is_somebody_of_one_organisation() {
        let ann = person("ann", Role::Administrator, None);
        let kim = person("kim", Role::KeyCustodian, None);
        let kit = person("kit", Role::KeyCustodian, None);
        let again = Known {
            person: ann.id.clone(),
            ..person("ann-2", Role::Administrator, None)
        };
        let elsewhere = person("eve", Role::Administrator, Some("elsewhere"));
        let (state, says) = told(&[ann.clone(), again, elsewhere, kim.clone(), kit.clone()]);
        assert_eq!(state, State::Look);
        assert_eq!(
            says,
            "fewer than two people can come in for new operators and roles (1), changes of live relying parties (1)"
        );
        let ben = person("ben", Role::Administrator, None);
        assert_eq!(told(&[ann.clone(), ben.clone(), kim, kit]).0, State::Good);
        // Whoever may change operators may change no keys.
        assert!(told(&[ann, ben]).1.ends_with("the removal of keys (0)"));
    }
}

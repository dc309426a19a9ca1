//! Who the operators are, as the list and each one's page say it.

use gateway::admin::Role;
use gateway::operator::NewOperator;

use crate::database::Database;
use crate::desk::Desk;

/// Whether that is all that some element says.
fn is_said(html: &str, text: &str) -> bool {
    let texts = html.split(['<', '>']).map(str::trim);
    texts.into_iter().any(|all| all == text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_operator_is_called_what_it_is_in_the_list_and_on_its_page() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let mut ben = desk.person("ben", Role::Administrator, None).await;
    for (name, person, break_glass) in [
        ("robot", Some(ann.id.as_str()), false),
        ("envelope", None, true),
    ] {
        let new = NewOperator {
            name,
            role: Role::Administrator,
            organisation: None,
            person,
            break_glass,
        };
        desk.operator(new).await;
    }
    ann.browser.get("/console/operators/add").await.expect(200);
    let typed = [
        ("name", "ann.two"),
        ("role", "desk"),
        ("kind", "account"),
        ("person", &ann.id),
    ];
    ann.browser.post("/console/operators/add", &typed).await;
    let proposal = ann.browser.page.leads_to();
    let proposal = proposal.split('?').next().unwrap();
    ben.browser.get(proposal).await.expect(200);
    let approve = format!("{proposal}/approve");
    ben.browser.post(&approve, &[]).await.expect(303);

    let kinds = [
        ("ann", "Person"),
        ("ann.two", "Another account of a person"),
        ("robot", "Program"),
        ("envelope", "Account for emergencies"),
    ];
    for (name, kind) in kinds {
        let list = ben.browser.get("/console/operators").await.expect(200);
        let row = list.html.split("<tr").find(|row| is_said(row, name));
        let row = row.expect("it is in the list").to_owned();
        let page = row.split("href=\"").nth(1).unwrap();
        let page = page.split('"').next().unwrap();
        let page = ben.browser.get(page).await.expect(200).html.clone();
        for (_, any) in kinds {
            assert_eq!(is_said(&row, any), any == kind, "{name}: {row}");
            assert_eq!(is_said(&page, any), any == kind, "{name}: {page}");
        }
        assert!(!row.contains("no operator yet") && !page.contains("no operator yet"));
    }
}

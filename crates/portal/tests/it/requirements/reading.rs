//! What stands on a page, as a person or a script finds it; and the office where records change.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::browser::Page;
use crate::world::World;

/// The record that most journeys are about.
pub(super) const RECORD: &str = "anna-programme";

/// A link: where it leads, what it says, and its start tag.
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) tag: String,
}

/// Every link of a page, in order.
pub(super) fn links(page: &Page) -> Vec<Link> {
    let parts = page.html.split("<a ").skip(1);
    let link = |part: &str| {
        let (tag, rest) = part.split_once('>')?;
        let inside = rest.split("</a>").next()?;
        let (_, href) = tag.split_once("href=\"")?;
        Some(Link {
            href: href.split('"').next()?.replace("&#38;", "&"),
            text: without_tags(inside),
            tag: tag.to_owned(),
        })
    };
    parts.filter_map(link).collect()
}

fn without_tags(html: &str) -> String {
    let parts = html.split('<').enumerate();
    let texts = parts.map(|(at, part)| match part.split_once('>') {
        Some((_, text)) if at > 0 => text,
        _ => part,
    });
    let text: String = texts.collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The start tag of the element with this id, and what it says.
pub(super) fn control(page: &Page, id: &str) -> Option<(String, String)> {
    let marked = format!("id=\"{id}\"");
    let at = page.html.find(&marked)?;
    let start = page.html[..at].rfind('<')? + 1;
    let (tag, rest) = page.html[start..].split_once('>')?;
    let name = tag.split_whitespace().next()?;
    let inside = rest.split(&format!("</{name}")).next()?;
    Some((tag.to_owned(), without_tags(inside)))
}

/// The names of all that can be filled in or is sent along.
pub(super) fn fields(page: &Page) -> BTreeSet<String> {
    let inputs = page.html.split("<input").skip(1);
    let names = inputs.filter_map(|input| {
        let (_, name) = input.split('>').next()?.split_once("name=\"")?;
        Some(name.split('"').next()?.to_owned())
    });
    names.collect()
}

/// A value as it is on the wire, whether it was read there or on a page: there, a date is in words.
pub(super) fn plain(value: &str) -> String {
    Date::strptime("%d %B %Y", value).map_or_else(|_| value.to_owned(), |date| date.to_string())
}

/// The values that a page to confirm shows, by label. What is not held has none.
pub(super) fn shown(page: &Page) -> Vec<(String, String)> {
    let rows = page.rows().into_iter();
    rows.filter(|(_, value)| value != "Not held")
        .map(|(label, value)| (label, plain(&value)))
        .collect()
}

impl World {
    /// HR writes something else into a record.
    pub(crate) async fn change_record(&self, record: &str, fields: &[(&str, &str)]) {
        let path = format!("/hr/records/{record}");
        self.at_hr(&path, &path, fields).await;
    }

    /// HR writes something else about an employee.
    pub(crate) async fn change_employee(&self, username: &str, fields: &[(&str, &str)]) {
        let path = format!("/hr/employees/{username}");
        self.at_hr(&path, &path, fields).await;
    }

    /// HR presses a button: `end`, `delete`.
    pub(super) async fn press_at_hr(&self, record: &str, button: &str) {
        let path = format!("/hr/records/{record}");
        self.at_hr(&path, &format!("{path}/{button}"), &[]).await;
    }

    async fn at_hr(&self, path: &str, action: &str, fields: &[(&str, &str)]) {
        let office = self.browser();
        let page = office.open(path).await;
        let answer = office.submit(&page, action, fields).await;
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.html);
    }

    /// What the holder has of that type, by serial number, with the status that a verifier would see.
    pub(super) async fn held(&self, holder: &str, of: &str) -> Vec<wallet::CredentialSummary> {
        let mut held = self.wallet.credentials(holder).await.unwrap();
        held.retain(|one| one.credential_type == of);
        held
    }
}
